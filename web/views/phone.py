"""The volunteer's phone: its cookie, the pages that know it, and binding it to a card.

Owns the device cookie (HttpOnly, SameSite=Lax, revocable at once: every request looks it up)
and the browser mark that binds a form to the browser it was drawn in.  Refuses to show a name
before a phone is bound (P4, P6).
"""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from points.domain import tokens
from points.domain.codes import BadCode
from registry.domain.errors import TsunagariError
from registry.operations import devices
from registry.queries import accounts
from registry.queries.volunteers import PhoneHolder, volunteer_of_device
from web.forms.sign_in import BindForm
from web.views.base import Open, Page, client_of, status_of
from web.views.door import Door
from web.views.sign_in import safe_next

PHONE_COOKIE, BROWSER_COOKIE = "tsunagari_phone", "tsunagari_browser"
#: The others of the family who bound this phone: their tokens, joined by dots.
FAMILY_COOKIE, MOST_OTHERS = "tsunagari_family", 5
PHONE_LIFE, BROWSER_LIFE = 400 * 24 * 3600, 24 * 3600
#: Where a phone was going when it had to be bound first (the event's form, 15 minutes).
WAITING_COOKIE, WAITING_LIFE = "tsunagari_waiting", 15 * 60


def holder(request: HttpRequest) -> PhoneHolder | None:
    """Whose bound phone sent this request; asked once a request."""
    if not hasattr(request, "_phone_holder"):
        token = request.COOKIES.get(PHONE_COOKIE, "")
        good = _well_formed(token)
        found = volunteer_of_device(token=token, at=timezone.now()) if good else None
        request._phone_holder = found  # type: ignore[attr-defined]  # a request's own notebook
    result: PhoneHolder | None = getattr(request, "_phone_holder", None)
    return result


def _well_formed(token: str) -> bool:
    return 20 <= len(token) <= 100 and token.isascii()


def family_tokens(request: HttpRequest) -> list[str]:
    """The tokens of the others on this phone, as the cookie says."""
    told = request.COOKIES.get(FAMILY_COOKIE, "")[: 101 * MOST_OTHERS].split(".")
    return [one for one in told if _well_formed(one)][:MOST_OTHERS]


def phone_user(request: HttpRequest) -> Any:
    """The account of the volunteer who bound this phone, or None."""
    found = holder(request)
    return accounts.active_user_by_id(found.user_id) if found is not None else None


def browser_mark(request: HttpRequest) -> str:
    """The mark of this browser ("" before the first page gave one)."""
    return request.COOKIES.get(BROWSER_COOKIE, "")[:64]


def keep(response: HttpResponse, name: str, value: str, seconds: int) -> None:
    """A cookie that no script reads and no other site sends along with a POST."""
    response.set_cookie(
        name, value, max_age=seconds, httponly=True, samesite="Lax", secure=settings.PRODUCTION
    )


class PhonePage(Page):
    """A page of the volunteer: the bound phone first, else somebody signed in."""

    def who(self, request: HttpRequest) -> Any:
        return phone_user(request) or super().who(request)

    def ask(self, request: HttpRequest) -> HttpResponseBase:
        here = request.get_full_path() if request.method == "GET" else ""
        return HttpResponseRedirect(
            reverse("bind") + ("?" + urlencode({"next": here}) if here else "")
        )


class Bind(Door):
    """Bind this phone: the card's code and the birthday (P4)."""

    needs = {"get": Open.ANYONE, "post": Open.ANYONE}

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return draw(request, BindForm(), safe_next(request, request.GET.get("next", "")))

    def post(self, request: HttpRequest) -> HttpResponseBase:
        form, here = BindForm(request.POST), safe_next(request, request.POST.get("next", ""))
        if not form.is_valid():
            return draw(request, form, here, 422)
        given = form.cleaned_data
        try:
            bound = devices.bind_device(
                code=card_code(given["code"]), birth_month=given["birth_month"],
                birth_day=given["birth_day"], client=client_of(request), at=timezone.now(),
                instead_of=request.COOKIES.get(PHONE_COOKIE, "")[:100],
            )
        except TsunagariError as error:
            form.add_error("code" if isinstance(error, BadCode) else None, error.message)
            limited = isinstance(error, devices.BindingLimited)
            return draw(request, form, here, 429 if limited else status_of(error))
        waiting = safe_next(request, request.COOKIES.get(WAITING_COOKIE, ""))
        response = HttpResponseRedirect(here or waiting or reverse("my-points"))
        response.delete_cookie(WAITING_COOKIE)
        keep(response, PHONE_COOKIE, bound.token, PHONE_LIFE)
        before = holder(request)
        if before is not None and before.volunteer_id != bound.volunteer_id:
            # A family's phone: who was there before stays on it, one page away.
            kept = [request.COOKIES[PHONE_COOKIE], *family_tokens(request)][:MOST_OTHERS]
            keep(response, FAMILY_COOKIE, ".".join(kept), PHONE_LIFE)
        return response


def card_code(text: str) -> str:
    """The bare code of a card from what was scanned or typed.  Raises ``BadCode``."""
    try:
        token = tokens.read(text)
    except ValueError:  # a signed code (a session's): it is not even read without keys
        token = None
    if not isinstance(token, tokens.CardCode):
        raise BadCode("kind", "カードのコードではありません。カードを見て入れてください。")
    return token.code


def draw(
    request: HttpRequest, form: BindForm, here: str, status: int = 200, *, known_code: bool = False
) -> HttpResponseBase:
    """The page 「はじめの登録」."""
    response = render(
        request, "web/volunteer/bind.html",
        {"form": form, "action": reverse("bind"), "next": here,
         "known_code": known_code}, status=status,
    )
    if not browser_mark(request):
        keep(response, BROWSER_COOKIE, secrets.token_urlsafe(24), BROWSER_LIFE)
    return response

