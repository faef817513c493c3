"""What every page is made of: a declared permission, a scope, one call, then the template.

Owns: the page class that finds who is there, opens the scope around the handler and draws the
answer after the scope is closed; error pages with a stable code; ``no-store`` on every page.
Refuses (at import) a page that declares nothing in ``needs``.  house.md, "Operation" and
"Three questions"; trust.md, "Bad input anywhere".
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views import View

from registry import access
from registry.access import Scope
from registry.domain.errors import Conflict, Forbidden, NotFound, Refused, TsunagariError
from registry.domain.roles import Permission
from web import navigation

log = logging.getLogger(__name__)
METHODS = ("get", "post")
PURPOSE_FIELD = "purpose"


class Open(StrEnum):
    """What a page asks of a visitor instead of a permission."""

    ANYONE = "anyone"  # no sign-in; the scope is nobody's unless somebody is there
    SIGNED_IN = "signed_in"  # any open account


class Busy(Refused):
    """The database or the door is busy; nothing was changed."""

    code = "busy"
    message = "こみあっています。少し待ってから、もう一度おしてください。"
    http_status = 503


@dataclass(frozen=True)
class Reply:
    """A page to draw once the scope is closed."""

    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    #: Applied to the response: cookies, headers.
    finish: Callable[[HttpResponse], None] | None = None


#: A page, a finished response, or work that runs once the scope is closed (a large print).
Answer = Reply | HttpResponseBase | Callable[[], HttpResponseBase]
STATUS: tuple[tuple[type[TsunagariError], int], ...] = (
    (Forbidden, 403), (NotFound, 404), (Conflict, 409), (Refused, 422),
)


def status_of(error: TsunagariError) -> int:
    """The HTTP status of one of the house's errors."""
    named = getattr(error, "http_status", None)
    if isinstance(named, int):
        return named
    return next((status for kind, status in STATUS if isinstance(error, kind)), 422)


def client_of(request: HttpRequest) -> str:
    """The caller's address for rate limits: as the proxy in front says in production."""
    if settings.PRODUCTION:
        said = request.headers.get("X-Forwarded-For", "").rsplit(",", 1)[-1].strip()
        if said:
            return said
    return str(request.META.get("REMOTE_ADDR", ""))


def error_page(request: HttpRequest, error: TsunagariError) -> HttpResponse:
    """The designed page of a refusal."""
    status = status_of(error)
    page = {503: "429"}.get(status, str(status))
    return render(request, f"web/errors/{page}.html",
                  {"code": error.code, "message": error.message}, status=status)


class Page(View):
    """A page.  ``needs`` maps each method to the permission (or ``Open``) that it requires.

    Handlers receive the open scope, ``def get(self, request, scope, **path) -> Answer``, and
    return a ``Reply`` (drawn after the scope is closed) or a finished response.
    """

    needs: ClassVar[dict[str, Permission | Open]] = {}
    #: The route whose entry in the menu is the current one.
    section: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for method in METHODS:
            if method in cls.__dict__ and method not in cls.needs:
                raise TypeError(f"{cls.__name__}.{method} declares nothing in `needs`")

    def who(self, request: HttpRequest) -> Any:
        """The account that is looking, or None."""
        return request.user if request.user.is_authenticated else None

    def ask(self, request: HttpRequest) -> HttpResponseBase:
        """Where somebody goes who must first say who they are."""
        here = request.get_full_path() if request.method == "GET" else ""
        return HttpResponseRedirect(
            reverse("sign-in") + ("?" + urlencode({"next": here}) if here else "")
        )

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        """Draw the form again with what was typed; None shows the error page.  In a new scope."""
        return None

    def dispatch(self, request: HttpRequest, *args: Any, **path: Any) -> HttpResponseBase:
        method = {"head": "get"}.get((request.method or "").lower(), (request.method or "").lower())
        if method not in self.needs:
            return self.http_method_not_allowed(request)
        try:
            response = self._answered(request, method, path)
        except TsunagariError as error:
            response = error_page(request, error)
        except OperationalError as error:
            log.warning("database busy in %s: %s", type(self).__name__, type(error).__name__)
            response = error_page(request, Busy())
        response["Cache-Control"] = "no-store"
        return response

    def _answered(
        self, request: HttpRequest, method: str, path: dict[str, Any]
    ) -> HttpResponseBase:
        at, need = timezone.now(), self.needs[method]
        user = self.who(request)
        if user is None and need is not Open.ANYONE:
            return self.ask(request)
        frame: dict[str, Any] = {}
        try:
            with self._scope(request, user, at) as scope:
                frame = navigation.frame(scope, request, self.section)
                if isinstance(need, Permission):
                    scope.require(need)
                answer: Answer = getattr(self, method)(request, scope, **path)
        except TsunagariError as error:
            with self._scope(request, user, at) as scope:
                again = self.refused(request, scope, error, **path)
            if again is None:
                raise
            answer = again
        return self._drawn(request, answer, frame)

    def _scope(
        self, request: HttpRequest, user: Any, at: datetime
    ) -> AbstractContextManager[Scope]:
        if user is None:
            return access.nobody(at=at)
        given = request.POST if request.method == "POST" else request.GET
        return access.scope(user, at=at, purpose=str(given.get(PURPOSE_FIELD, ""))[:80])

    def _drawn(
        self, request: HttpRequest, answer: Answer, frame: Mapping[str, Any]
    ) -> HttpResponseBase:
        if not isinstance(answer, Reply):
            return answer if isinstance(answer, HttpResponseBase) else answer()
        response = render(
            request, answer.template, {**frame, **answer.context}, status=answer.status
        )
        if answer.finish is not None:
            answer.finish(response)
        return response


def file_response(body: bytes, *, name: str, kind: str) -> HttpResponse:
    """A download that nothing in between may keep."""
    response = HttpResponse(body, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
