"""What every endpoint is made of: a declared permission, a scope, one call.

Owns: the endpoint class that opens the scope around the handler, refuses a method without a
declared permission, remembers answers for an Idempotency-Key, and handles entity tags.
Refuses (at import) an endpoint that declares nothing.  interfaces.md, "HTTP API".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry import access
from registry.access import Scope
from registry.domain.errors import Conflict, Refused
from registry.domain.roles import Permission
from registry.operations import answers

METHODS = ("get", "post", "put", "patch", "delete")


class PreconditionRequired(Refused):
    """A change without If-Match (HTTP 428)."""

    code = "if_match_required"
    message = "変更には If-Match が必要です。先に読みなおしてください。"


class PreconditionFailed(Conflict):
    """Somebody changed it in between (HTTP 412)."""

    code = "changed_meanwhile"
    message = "ほかの人が先に変更しました。読みなおしてから、もう一度お願いします。"


class InvalidInput(Refused):
    """The request's shape is wrong; ``fields`` names each input (HTTP 400)."""

    code = "invalid_input"
    message = "入力を確認してください。"


Handler = Callable[..., Response]


class Endpoint(APIView):
    """An endpoint.  ``needs`` maps each method to the permission it requires, or to several of
    which one is enough (a scanner's or a volunteer's own).

    Handlers receive the open scope: ``def get(self, request, scope, **path)``.
    ``once`` names the methods that honour an Idempotency-Key.
    """

    needs: ClassVar[dict[str, Permission | tuple[Permission, ...]]] = {}
    once: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for method in METHODS:
            handler = cls.__dict__.get(method)
            if handler is None:
                continue
            if method not in cls.needs:
                raise TypeError(f"{cls.__name__}.{method} declares no permission in `needs`")
            setattr(cls, method, _scoped(handler, method))


def _require(scope: Scope, needed: Permission | tuple[Permission, ...]) -> None:
    several = needed if isinstance(needed, tuple) else (needed,)
    if not any(scope.may(one) for one in several):
        scope.require(several[0])


def _scoped(handler: Handler, method: str) -> Handler:
    def run(self: Endpoint, request: Request, **path: Any) -> Response:
        limits = request.auth if isinstance(request.auth, frozenset) else None
        user: Any = request.user  # DeclaredPermission let nobody in who is not signed in
        with access.scope(
            user,
            at=timezone.now(),
            purpose=request.headers.get("X-Purpose", "")[:80],
            limited_to=limits,
        ) as scope:
            _require(scope, self.needs[method])
            key = request.headers.get("Idempotency-Key", "")
            if key and method in self.once:
                return _remembered(self, handler, request, scope, key, path)
            return handler(self, request, scope, **path)

    run.__name__ = handler.__name__
    run.__doc__ = handler.__doc__
    run.__wrapped__ = handler  # type: ignore[attr-defined]  # drf-spectacular reads its marks
    run.__dict__.update({k: v for k, v in handler.__dict__.items() if k != "__wrapped__"})
    return run


def _remembered(
    view: Endpoint, handler: Handler, request: Request, scope: Scope, key: str, path: dict[str, Any]
) -> Response:
    route = f"{request.method} {type(view).__module__}.{type(view).__name__}"
    body = json.dumps([path, request.data], sort_keys=True, default=str, ensure_ascii=False)
    digest = hashlib.sha256(body.encode()).digest()
    first = answers.find(route=route, key=key, request_digest=digest, by=scope)
    if first is not None:
        return Response(first.body, status=first.status)
    response = handler(view, request, scope, **path)
    answers.remember(
        route=route, key=key, request_digest=digest, status=response.status_code,
        body=json.loads(json.dumps(response.data, default=_plain)), by=scope,
    )
    return response


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def read(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The validated body of a request.

    Raises:
        InvalidInput: naming each input that is wrong.
    """
    form = serializer(data=request.data)
    if not form.is_valid():
        raise InvalidInput(fields=flatten(form.errors))
    return dict(form.validated_data)


def flatten(errors: Any, prefix: str = "") -> dict[str, str]:
    """Nested serializer errors as ``{"scans[3].code": sentence}``."""
    found: dict[str, str] = {}
    if isinstance(errors, dict):
        for name, inner in errors.items():
            where = f"{prefix}.{name}" if prefix else str(name)
            found |= flatten(inner, where)
    elif isinstance(errors, list) and any(isinstance(e, (dict, list)) for e in errors):
        for index, inner in enumerate(errors):
            found |= flatten(inner, f"{prefix}[{index}]")
    elif errors:
        found[prefix] = " ".join(map(str, errors)) if isinstance(errors, list) else str(errors)
    return found


def entity_tag(version: int) -> str:
    """A strong entity tag of a row's version."""
    return f'"{version}"'


def required_version(request: Request) -> int:
    """The version in If-Match.

    Raises:
        PreconditionRequired: there is none.  PreconditionFailed: it is not one of ours.
    """
    value = request.headers.get("If-Match", "")
    if not value:
        raise PreconditionRequired
    number = value.strip().strip('"')
    if not number.isascii() or not number.isdigit():
        raise PreconditionFailed
    return int(number)
