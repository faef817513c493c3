"""How the service describes itself, for the generator of OpenAPI 3.1.

Owns names that cannot collide (one operation id per endpoint class and method, one component
per module and class), the security schemes, the problem answers every endpoint may give, and
the Idempotency-Key and If-Match headers.  The description names no person and needs no sign-in.
"""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

_PREFIX = re.compile(r"(?:_?shapes|_?endpoints)$")


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers
    """Device and integrator tokens."""

    target_class = "api.authentication.BearerToken"
    name = "bearerToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer",
                "description": "端末・連携用のトークン。権限の範囲と期限があります。"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers
    """The browser's session."""

    target_class = "api.authentication.Session"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


class Schema(AutoSchema):
    """drf-spectacular's schema with names that cannot collide."""

    def get_operation_id(self) -> str:
        part = type(self.view).__module__.rpartition(".")[2].split("_")[0]
        return f"{part}_{_snake(type(self.view).__name__)}_{self.method.lower()}"

    def get_tags(self) -> list[str]:
        return [type(self.view).__module__.rpartition(".")[2].split("_")[0]]

    def _get_serializer_name(
        self, serializer: Any, direction: Any, bypass_extensions: bool = False
    ) -> str:
        name: str = super()._get_serializer_name(serializer, direction, bypass_extensions)
        kind = type(serializer)
        if not kind.__module__.startswith("api."):
            kind = type(getattr(serializer, "child", serializer))
        module = _PREFIX.sub("", kind.__module__.rpartition(".")[2])
        return "".join(part.capitalize() for part in module.split("_")) + name

    def get_override_parameters(self) -> list[Any]:
        found = list(super().get_override_parameters())
        method = self.method.lower()
        if method in getattr(self.view, "once", ()):
            from drf_spectacular.utils import OpenApiParameter  # it loads this very class

            found.append(OpenApiParameter(
                "Idempotency-Key", str, OpenApiParameter.HEADER,
                description="同じ鍵と同じ内容には、最初の答えをもう一度返します。",
            ))
        return found


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
