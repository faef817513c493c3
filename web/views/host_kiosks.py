"""The host's kiosks (受付端末): list, register, pairing code, lost, found again.

Owns ``/host/kiosks``.  Refuses another group's kiosk (not found).  A pairing code is shown once,
on the page that answers the button; it is in no address.  P5.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from registry.access import Scope
from registry.domain.errors import NotFound, TsunagariError
from registry.domain.roles import Permission
from registry.operations import kiosks as operations
from registry.queries.kiosks import KioskFact, kiosk, kiosks
from registry.queries.organisations import organisations
from web.forms.kiosks import KioskForm
from web.presenting import local
from web.views.base import Answer, Page, Reply, status_of


def clock_words(offset_ms: int | None) -> str:
    """「7分0秒 すすんでいます」: how far a device's clock is off (server minus device)."""
    if offset_ms is None:
        return ""
    seconds = round(abs(offset_ms) / 1000)
    if seconds < 2:
        return "合っています"
    said = f"{seconds // 60}分{seconds % 60}秒" if seconds >= 60 else f"{seconds}秒"
    return f"{said} {'すすんで' if offset_ms < 0 else 'おくれて'}います"


def _words(one: KioskFact, scope: Scope) -> dict[str, Any]:
    state = "revoked" if one.revoked_at else "paired" if one.paired_at else "new"
    said = {"revoked": "取り消しずみ", "paired": "使っています", "new": "登録まち"}[state]
    return {
        "id": one.id, "name": one.name, "organisation": one.organisation, "state": state,
        "state_text": said, "seen_at": one.seen_at and local(one.seen_at),
        "revoked_at": one.revoked_at and local(one.revoked_at), "waiting": one.waiting,
        "clock": clock_words(one.clock_offset_ms),
        "url": reverse("host-kiosk", args=[one.id]),
    }


class Kiosks(Page):
    """The list, and registering one more."""

    needs = {"get": Permission.SESSIONS_MANAGE, "post": Permission.SESSIONS_MANAGE}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        return self._listed(scope, KioskForm(homes=_homes(scope)))

    def post(self, request: HttpRequest, scope: Scope) -> Answer:
        form = KioskForm(request.POST, homes=_homes(scope))
        if not form.is_valid():
            return self._listed(scope, form, 422)
        made = operations.register(
            organisation_id=int(form.cleaned_data["organisation"]),
            name=form.cleaned_data["name"], by=scope,
        )
        return _with_code(scope, made)

    @staticmethod
    def _listed(scope: Scope, form: KioskForm, status: int = 200) -> Reply:
        return Reply("web/host/kiosks.html", {
            "rows": [_words(one, scope) for one in kiosks(scope)], "form": form,
            "action": reverse("host-kiosks"),
            "back_url": reverse("council-home" if scope.sees_all_volunteers else "host-home"),
        }, status=status)


class OneKiosk(Page):
    """One tablet: a new code, lost, found again."""

    needs = {"get": Permission.SESSIONS_MANAGE, "post": Permission.SESSIONS_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, kiosk_id: int) -> Answer:
        return _one(scope, kiosk_id)

    def post(self, request: HttpRequest, scope: Scope, kiosk_id: int) -> Answer:
        act = request.POST.get("act", "")
        if act == "revoke":
            operations.revoke(kiosk_id=kiosk_id, by=scope)
            messages.success(request, "端末の登録を 取り消しました。もう記録を送れません。")
            return HttpResponseRedirect(reverse("host-kiosk", args=[kiosk_id]))
        if act == "code":
            return _with_code(scope, operations.new_code(kiosk_id=kiosk_id, by=scope))
        if act == "reinstate":
            return _with_code(scope, operations.reinstate(kiosk_id=kiosk_id, by=scope))
        raise NotFound

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) != 409:
            return None
        messages.error(request, error.message)
        return _one(scope, path["kiosk_id"], status=409)


def _homes(scope: Scope) -> list[tuple[int, str]]:
    """The organisations for which one may register a kiosk."""
    if scope.sees_all_volunteers:
        found = [one for one in organisations(scope) if one.kind in ("council", "group")]
    else:
        found = list(organisations(scope, ids=scope.organisations))
    return [(one.id, one.name) for one in found]


def _one(scope: Scope, kiosk_id: int, *, status: int = 200) -> Reply:
    found = kiosk(scope, kiosk_id=kiosk_id)
    return Reply("web/host/kiosk_one.html", {
        "kiosk": _words(found, scope), "action": reverse("host-kiosk", args=[kiosk_id]),
        "back_url": reverse("host-kiosks"),
    }, status=status)


def _with_code(scope: Scope, made: operations.PairingCode) -> Reply:
    found = kiosk(scope, kiosk_id=made.kiosk_id)
    return Reply("web/host/kiosk_one.html", {
        "kiosk": _words(found, scope), "action": reverse("host-kiosk", args=[made.kiosk_id]),
        "back_url": reverse("host-kiosks"), "code": made.code, "until": local(made.until),
        "here_url": f"{reverse('kiosk')}#{made.code}",
    })
