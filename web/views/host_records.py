"""After the session: the paper sheet, the headcount, who was there, what the devices sent.

Owns ``/host/sessions/<id>`` with its reconciliation (P5), entering the paper sheet in its own
order (P4.5), taking a record back, and the sheet to print.  Refuses a sheet whose marks do not
equal the paper's headcount.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from points.domain.results import Result
from points.operations import attendance, papers
from points.operations import sessions as session_operations
from points.operations.scanning import ScanRequest
from points.queries.reconciliation import DeviceReport, reconciliation
from points.queries.sessions import SessionLine, session, session_detail
from registry.access import Scope
from registry.domain.errors import TsunagariError
from registry.domain.roles import Permission
from registry.queries.organisations import members
from registry.queries.volunteers import volunteer_facts
from web.forms.host import HeadcountForm, SheetForm, VoidForm
from web.presenting import entry_mark, local, read_mark, session_words
from web.states import state
from web.views.base import Answer, Page, Reply, file_response, status_of
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


class Sheet(Page):
    """The paper sheet, entered in its own order."""

    needs = {"get": Permission.SESSIONS_MANAGE, "post": Permission.SESSIONS_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, session_id: int) -> Answer:
        line = session(scope, session_id=session_id)
        return self._form(line, SheetForm(people=self._people(scope, line)), entry_mark(scope.at))

    def post(self, request: HttpRequest, scope: Scope, session_id: int) -> Answer:
        line = session(scope, session_id=session_id)
        mark = request.POST.get("token", "")
        form = SheetForm(request.POST, people=self._people(scope, line))
        if not form.is_valid():
            return self._form(line, form, mark, 422)
        number, _ = read_mark(mark)
        answers = attendance.record(scans=[
            ScanRequest(uuid.uuid5(number, str(one)), line.starts_at, session_id=session_id,
                        volunteer_id=one, method="paper")
            for one in form.cleaned_data["people"]
        ], by=scope).results
        session_operations.declare_headcount(
            session_id=session_id, headcount=form.cleaned_data["headcount"], by=scope
        )
        recorded = sum(1 for one in answers if one.result in {r.value for r in Result}
                       and Result(one.result).recorded)
        messages.success(request, f"{recorded}人の参加を 記録しました。")
        return HttpResponseRedirect(reverse("host-session", args=[session_id]))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) != 422:
            return None
        line = session(scope, session_id=path["session_id"])
        form = SheetForm(request.POST, people=self._people(scope, line))
        form.add_error(None, error.message)
        return self._form(line, form, entry_mark(scope.at), 422)

    @staticmethod
    def _people(scope: Scope, line: SessionLine) -> list[tuple[int, str]]:
        """The group's members of that day in the order of the printed sheet."""
        order = [one.volunteer_id for one in
                 members(scope, organisation_ids=[line.organisation_id], on=line.held_on)]
        facts = volunteer_facts(scope, volunteer_ids=order, action="sessions.sheet")
        return [(one, f"{n}　{facts[one].name}（{facts[one].number}）")
                for n, one in enumerate((o for o in order if o in facts), start=1)]

    @staticmethod
    def _form(line: SessionLine, form: SheetForm, mark: str, status: int = 200) -> Reply:
        return Reply("web/volunteer/form.html", {
            "question": "紙の名簿から 入力する",
            "lead": f"{line.title}　紙と同じ順に ならんでいます。",
            "form": form, "action": reverse("host-sheet", args=[line.id]), "token": mark,
            "submit_label": "記録する", "back_url": reverse("host-session", args=[line.id]),
        }, status=status)


class SheetPrint(Page):
    """The paper list of a session as PDF (P4.5)."""

    needs = {"get": Permission.SESSIONS_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, session_id: int) -> Answer:
        body = papers.attendance_pages(session_id=session_id, by=scope)
        return file_response(body, name=f"sheet-{session_id}.pdf", kind="application/pdf")


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
