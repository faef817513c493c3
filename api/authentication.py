"""Who is calling: a bearer token of a device or integrator, or a signed-in session.

Owns the two ways in.  Refuses an expired or revoked token with one and the same answer.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from registry.domain.errors import TsunagariError
from registry.operations import staff


class BearerToken(BaseAuthentication):
    """``Authorization: Bearer …`` → (user, the permissions the token carries)."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        kind, _, value = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not value:
            return None
        try:
            return staff.authenticate_token(token=value.strip(), at=timezone.now())
        except TsunagariError as error:
            raise AuthenticationFailed from error

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class Session(SessionAuthentication):
    """The browser's session, with CSRF; staff have passed the second factor to get it."""

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
