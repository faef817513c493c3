"""The queue of names on papers that nobody knows: match, register, or say why not (P4.5).

Owns ``/host/waiting`` for the leader (own sessions) and the welfare council (all).  Refuses to
drop a row silently.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from points.operations import waiting_rows as rows
from points.queries.sheets import WaitingLine, waiting_rows
from registry.access import Scope
from registry.domain.errors import NotFound, Refused, TsunagariError
from registry.domain.roles import Permission
from registry.operations.volunteers import VolunteerInput
from registry.queries.volunteers import search_volunteers
from web.forms.sheets import DismissForm, EnlistForm, FindForm
from web.views.base import Answer, Open, Page, Reply, status_of
from web.views.host_sheets import WHY

NEEDS: dict[str, Permission | Open] = {
    "get": Permission.SESSIONS_MANAGE, "post": Permission.SESSIONS_MANAGE,
}


class Waiting(Page):
    """``/host/waiting``"""

    needs = {"get": Permission.SESSIONS_MANAGE}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        return Reply("web/host/waiting.html", {
            "rows": [{"row": one, "why": WHY[one.why],
                      "url": reverse("host-waiting-row", args=[one.id])}
                     for one in waiting_rows(scope)],
            "back_url": reverse("council-home" if scope.may(Permission.VOLUNTEERS_MANAGE)
                                else "host-home"),
        })


class WaitingRow(Page):
    """``/host/waiting/<id>``: decide one row."""

    needs = NEEDS

    def get(self, request: HttpRequest, scope: Scope, waiting_id: int) -> Answer:
        row = waiting_rows(scope, row_id=waiting_id)[0]
        return self._page(scope, row, row.name)

    def post(self, request: HttpRequest, scope: Scope, waiting_id: int) -> Answer:
        row = waiting_rows(scope, row_id=waiting_id)[0]
        act = request.POST.get("act", "")
        if act == "find":
            return self._page(scope, row, request.POST.get("q", "").strip()[:60])
        if act == "match":
            chosen = request.POST.get("volunteer", "")
            if not chosen.isascii() or not chosen.isdigit() or len(chosen) > 18:
                raise Refused("どなたか、えらんでください。", code="nobody_chosen")
            rows.match(row_id=row.id, volunteer_id=int(chosen), by=scope)
            messages.success(request, f"{row.name}さんを 記録しました。")
        elif act == "enlist":
            form = EnlistForm(request.POST)
            if not form.is_valid():
                return self._page(scope, row, row.name, enlist=form, status=422)
            rows.enlist(row_id=row.id, volunteer=VolunteerInput(**form.cleaned_data), by=scope)
            messages.success(request, f"{row.name}さんを 登録し、記録しました。")
        elif act == "dismiss":
            dismiss = DismissForm(request.POST)
            if not dismiss.is_valid():
                return self._page(scope, row, row.name, dismiss=dismiss, status=422)
            rows.dismiss(row_id=row.id, reason=dismiss.cleaned_data["reason"], by=scope)
            messages.success(request, f"「{row.name}」は 数えません。理由は残ります。")
        else:
            raise NotFound
        return HttpResponseRedirect(reverse("host-waiting"))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        try:
            row = waiting_rows(scope, row_id=path["waiting_id"])[0]
        except NotFound:
            return None
        enlist = EnlistForm(request.POST) if request.POST.get("act") == "enlist" else None
        form = enlist or DismissForm(request.POST)
        form.is_valid()
        form.errors.clear()
        form.add_error(None, error.message)
        shown: dict[str, Any] = {"enlist": form} if enlist else {"dismiss": form}
        return self._page(scope, row, row.name, status=status_of(error), **shown)

    @staticmethod
    def _page(
        scope: Scope, row: WaitingLine, text: str, *, enlist: EnlistForm | None = None,
        dismiss: DismissForm | None = None, status: int = 200,
    ) -> Reply:
        found = search_volunteers(scope, text=text, limit=8).items if text else []
        fresh = {"name": row.name, "kana": row.kana, "number": row.number}
        may_enlist = scope.may(Permission.VOLUNTEERS_MANAGE)
        return Reply("web/host/waiting_row.html", {
            "row": row, "why": WHY[row.why], "found": found, "searched": text,
            "find": FindForm(initial={"q": text}),
            "enlist": (enlist or EnlistForm(initial=fresh)) if may_enlist else None,
            "dismiss": dismiss or DismissForm(), "errors_of": enlist or dismiss,
            "action": reverse("host-waiting-row", args=[row.id]),
            "back_url": reverse("host-waiting"),
        }, status=status)
