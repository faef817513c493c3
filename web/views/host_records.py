"""After the session: the headcount, who was there, what the devices sent.

Owns ``/host/sessions/<id>`` with its reconciliation (P5) and taking a record back.  Paper has
pages of its own (``host_sheets``).  Refuses nothing by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from points.domain.results import Result
from points.operations import attendance
from points.operations import sessions as session_operations
from points.queries.headcounts import headcount_report
from points.queries.reconciliation import DeviceReport, reconciliation
from points.queries.sessions import session, session_detail
from points.queries.sheets import entries
from registry.access import Scope
from registry.domain.roles import Permission
from web.forms.host import HeadcountForm, VoidForm
from web.presenting import local, session_words
from web.states import state
from web.views.base import Answer, Page, Reply
from web.views.host_kiosks import clock_words

METHODS = {"card": "カード", "event": "会場のQR", "printed": "紙のQR", "name_search": "名前",
           "paper": "紙の名簿"}


class OneSession(Page):
    """What was sent and counted; the headcount to compare with."""

    needs = {"get": Permission.SESSIONS_MANAGE, "post": Permission.SESSIONS_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, session_id: int) -> Answer:
        line = session(scope, session_id=session_id)
        return self._shown(scope, session_id, HeadcountForm(initial={
            "headcount": "" if line.headcount is None else line.headcount
        }))

    def post(self, request: HttpRequest, scope: Scope, session_id: int) -> Answer:
        form = HeadcountForm(request.POST)
        if not form.is_valid():
            return self._shown(scope, session_id, form, 422)
        session_operations.declare_headcount(
            session_id=session_id, headcount=form.cleaned_data["headcount"], by=scope
        )
        messages.success(request, "人数を 保存しました。")
        return HttpResponseRedirect(reverse("host-session", args=[session_id]))

    @staticmethod
    def _shown(scope: Scope, session_id: int, form: HeadcountForm, status: int = 200) -> Reply:
        detail = session_detail(scope, session_id=session_id)
        sent = reconciliation(scope, session_id=session_id)
        may_void = scope.may(Permission.ATTENDANCE_VOID)
        return Reply("web/host/session.html", {
            "session": session_words(detail.session), "form": form,
            "action": reverse("host-session", args=[session_id]),
            "counted": sent.counted, "headcount": sent.headcount, "sent": sent,
            "agrees": sent.headcount is not None and sent.headcount == sent.counted,
            "refused": [(state(code).kiosk_title, n) for code, n in sent.refused.items()
                        if code in {one.value for one in Result}],
            "devices": [device_words(one) for one in sent.devices],
            "rows": [
                {"name": one.name or "（名前なし）", "number": one.number,
                 "method": METHODS.get(one.method, one.method), "at": local(one.attended_at),
                 "points": one.points, "sentence": one.sentence, "voided": one.voided_at,
                 "void_reason": one.void_reason,
                 "void_url": reverse("host-void", args=[session_id, one.id])
                 if may_void and one.voided_at is None else None}
                for one in detail.attendances
            ],
            "heads": (heads := headcount_report(scope, session_id=session_id)),
            "methods": [(METHODS.get(code, code), n) for code, n in heads.by_method.items()],
            "entries": entries(scope, session_id=session_id),
            "poster_url": reverse("host-poster", args=[session_id]),
            "waiting_url": reverse("host-waiting"),
            "sheet_url": reverse("host-sheet", args=[session_id]),
            "print_url": reverse("host-sheet-print", args=[session_id]),
            "reception_url": reverse("host-reception", args=[session_id]),
            "back_url": reverse("host-home"),
        }, status=status)


def device_words(one: DeviceReport) -> dict[str, Any]:
    """One device on the reconciliation page."""
    return {
        "name": one.name or "端末", "sent": one.sent, "first": one.first_counter,
        "last": one.last_counter, "missing": "、".join(ranges(one.missing)),
        "missing_count": len(one.missing), "withdrawn": "、".join(ranges(one.withdrawn)),
        "waiting": one.waiting, "clock": clock_words(one.skew_ms), "revoked": one.revoked_at,
        "latest_at": one.latest_at and local(one.latest_at),
        "url": reverse("host-kiosk", args=[one.kiosk_id]) if one.kiosk_id else None,
    }


def ranges(numbers: Sequence[int]) -> list[str]:
    """Ascending numbers as people write them: 3, 5〜7."""
    runs: list[list[int]] = []
    for one in numbers:
        if runs and one == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], one]
        else:
            runs.append([one, one])
    return [str(a) if a == b else f"{a}〜{b}" for a, b in runs]


class Void(Page):
    """Take one record back, with a reason."""

    needs = {"get": Permission.ATTENDANCE_VOID, "post": Permission.ATTENDANCE_VOID}

    def get(
        self, request: HttpRequest, scope: Scope, session_id: int, attendance_id: int
    ) -> Answer:
        return self._form(scope, session_id, attendance_id, VoidForm())

    def post(
        self, request: HttpRequest, scope: Scope, session_id: int, attendance_id: int
    ) -> Answer:
        form = VoidForm(request.POST)
        if not form.is_valid():
            return self._form(scope, session_id, attendance_id, form, 422)
        attendance.void(
            attendance_id=attendance_id, reason=form.cleaned_data["reason"], by=scope
        )
        messages.success(request, "参加の記録を 取り消しました。")
        return HttpResponseRedirect(reverse("host-session", args=[session_id]))

    @staticmethod
    def _form(
        scope: Scope, session_id: int, attendance_id: int, form: VoidForm, status: int = 200
    ) -> Reply:
        session(scope, session_id=session_id)
        return Reply("web/volunteer/form.html", {
            "question": "この記録を 取り消しますか", "form": form,
            "lead": "ついたポイントも 取り消します。記録と理由は残ります。",
            "action": reverse("host-void", args=[session_id, attendance_id]),
            "submit_label": "取り消す", "back_url": reverse("host-session", args=[session_id]),
        }, status=status)
