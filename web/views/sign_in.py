"""Signing in and out: password, then the six digits of the authenticator app.

Owns the session's life: a new key at each step, a pending step of ten minutes, the end.
Refuses a ``next`` address outside this site, and more than a few password hashes at a time:
they are the bottleneck when everybody signs in at once (trust.md, "People and access").
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters

from registry.domain.errors import TsunagariError
from registry.operations import sign_in
from web.forms.sign_in import CodeForm, PasswordForm
from web.views.base import Busy, Open, client_of, error_page, status_of
from web.views.door import Door

PENDING = "pending_sign_in"
PENDING_LIFE = timedelta(minutes=10)
HASHES_AT_ONCE, HASH_WAIT = 2, 10
_hashing = threading.BoundedSemaphore(HASHES_AT_ONCE)
_BACKEND = "django.contrib.auth.backends.ModelBackend"


def safe_next(request: HttpRequest, address: str) -> str:
    """``address`` when it stays on this site, else ""."""
    good = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return address if good else ""


class Password(Door):
    """Step 1: user name and password."""

    needs = {"get": Open.ANYONE, "post": Open.ANYONE}

    def get(self, request: HttpRequest) -> HttpResponseBase:
        here = safe_next(request, request.GET.get("next", ""))
        if request.user.is_authenticated:
            return HttpResponseRedirect(here or reverse("home"))
        return _draw(request, "password", PasswordForm(), here)

    def post(self, request: HttpRequest) -> HttpResponseBase:
        form, here = PasswordForm(request.POST), safe_next(request, request.POST.get("next", ""))
        if not form.is_valid():
            return _draw(request, "password", form, here, 422)
        if not _hashing.acquire(timeout=HASH_WAIT):
            return error_page(request, Busy())
        at = timezone.now()
        try:
            passed = sign_in.check_password(**form.cleaned_data, client=client_of(request), at=at)
        except TsunagariError as error:
            form.add_error(None, error.message)
            return _draw(request, "password", form, here, status_of(error))
        finally:
            _hashing.release()
        if not passed.second_factor:
            return _enter(request, passed.user, here)
        request.session.cycle_key()
        request.session[PENDING] = {
            "user": passed.user.pk, "at": at.isoformat(), "next": here,
        }
        return HttpResponseRedirect(reverse("sign-in-code"))


class Code(Door):
    """Step 2: the six digits."""

    needs = {"get": Open.ANYONE, "post": Open.ANYONE}

    def get(self, request: HttpRequest) -> HttpResponseBase:
        if _pending(request) is None:
            return HttpResponseRedirect(reverse("sign-in"))
        return _draw(request, "totp", CodeForm(), "")

    def post(self, request: HttpRequest) -> HttpResponseBase:
        pending, form = _pending(request), CodeForm(request.POST)
        if pending is None:
            return HttpResponseRedirect(reverse("sign-in"))
        if not form.is_valid():
            return _draw(request, "totp", form, "", 422)
        try:
            user = sign_in.check_code(
                user_id=pending["user"], code=form.cleaned_data["code"],
                client=client_of(request), at=timezone.now(),
            )
        except TsunagariError as error:
            form.add_error("code" if status_of(error) == 422 else None, error.message)
            return _draw(request, "totp", form, "", status_of(error))
        return _enter(request, user, pending["next"])


class Leave(Door):
    """Sign out; a kiosk's unsent scans stay on the device."""

    needs = {"post": Open.ANYONE}

    def post(self, request: HttpRequest) -> HttpResponseBase:
        logout(request)
        return HttpResponseRedirect(reverse("home"))


def _pending(request: HttpRequest) -> dict[str, Any] | None:
    pending = request.session.get(PENDING)
    if not pending or timezone.now() - datetime.fromisoformat(pending["at"]) > PENDING_LIFE:
        request.session.pop(PENDING, None)
        return None
    return dict(pending)


def _enter(request: HttpRequest, user: Any, here: str) -> HttpResponseBase:
    """Begin the session under a new key; nothing of the one before stays."""
    request.session.flush()
    login(request, user, backend=_BACKEND)
    return HttpResponseRedirect(here or reverse("home"))


@sensitive_post_parameters()
def _draw(
    request: HttpRequest, step: str, form: Any, here: str, status: int = 200
) -> HttpResponseBase:
    route = "sign-in" if step == "password" else "sign-in-code"
    return render(
        request, f"web/account/sign_in_{step}.html",
        {"form": form, "action": reverse(route), "next": here, "passkey_url": None,
         "back_url": reverse("sign-in") if step == "totp" else None},
        status=status,
    )
