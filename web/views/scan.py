"""A phone reads the host's screen: look (a GET writes nothing), confirm, be counted (P4.2, P4.3).

Owns ``/E/<code>`` for event codes, printed codes and the form token that a phone keeps while it
is bound for the first time.  Refuses a name before the phone is bound, and a form drawn in
another browser.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from points.domain import tokens
from points.domain.codes import BadCode, clean, decode
from points.domain.results import Result
from points.operations import attendance, undoing
from points.operations.recording import ScanAnswer
from points.queries.own import own_record
from points.queries.sessions import SessionLine, session
from points.queries.statements import my_points
from registry import access
from registry.access import Scope
from registry.domain.errors import TsunagariError
from registry.domain.roles import Permission
from registry.queries.volunteers import volunteer_facts
from web.forms.sign_in import BindForm
from web.presenting import balance_of, local, person, session_words
from web.views.base import Answer, Open, Reply
from web.views.family import shared
from web.views.phone import (
    BROWSER_COOKIE,
    BROWSER_LIFE,
    WAITING_COOKIE,
    WAITING_LIFE,
    PhonePage,
    browser_mark,
    keep,
)


class Event(PhonePage):
    """``/E/<code>``: confirm page on GET, the result on POST."""

    needs = {"get": Open.ANYONE, "post": Permission.OWN_POINTS}

    def get(self, request: HttpRequest, scope: Scope, code: str) -> Answer:
        mark = browser_mark(request)
        fresh = mark or secrets.token_urlsafe(24)
        form = code if _is_form(code) else attendance.open_form(
            event_code=code, by=scope, audience=fresh
        )
        number = attendance.form_session(form_token=form, by=scope, audience=fresh)
        line = _session(scope, number)
        address = reverse("event", args=[form])
        finish = partial(_remember, fresh, address if scope.volunteer_id is None else "")
        if scope.volunteer_id is None:
            return Reply("web/volunteer/bind.html", {
                "form": BindForm(), "action": reverse("bind"), "next": address,
                "session": session_words(line),
            }, finish=finish)
        return _confirm(request, scope, form, line, finish=finish)

    def post(self, request: HttpRequest, scope: Scope, code: str) -> Answer:
        token, mark = request.POST.get("token", ""), browser_mark(request)
        meant = request.POST.get("person", "" if shared(request) else str(scope.volunteer_id))
        if meant != str(scope.volunteer_id) and scope.volunteer_id is not None:
            # Somebody of the family changed over meanwhile: ask again, count nobody (P4).
            number = attendance.form_session(form_token=token, by=scope, audience=mark)
            return _confirm(request, scope, token, _session(scope, number), status=409)
        answer = attendance.record_by_form(form_token=token, by=scope, audience=mark)
        return self._result(scope, answer, token, mark)

    def _result(self, scope: Scope, answer: ScanAnswer, token: str, mark: str) -> Reply:
        me = scope.volunteer_id
        context: dict[str, Any] = {
            "result": answer.result, "points": answer.points,
            # The first answer's sentence is no reason for the second one.
            "reason": "" if answer.result == Result.ALREADY else answer.reason,
            "at": local(scope.at), "history_url": reverse("my-points"),
        }
        if me is not None and Result(answer.result).recorded:
            facts = volunteer_facts(scope, volunteer_ids=[me], action="scan.result")[me]
            line = _session(scope, _session_of(token))
            context |= {
                "person": person(facts), "session": session_words(line),
                "balance": balance_of(my_points(scope), line.programme),
            }
            if answer.attendance is not None:
                record = own_record(scope, attendance_id=answer.attendance)
                context["first_at"] = local(record.first_at)
                if record.undo_until is not None:
                    context["undo_url"] = reverse("record-undo", args=[record.id])
        return Reply("web/volunteer/scan_result.html", context)

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: object
    ) -> Answer | None:
        """Every code that cannot be read has its own designed page."""
        if not isinstance(error, BadCode):
            return None
        if error.detail == "practice":  # 練習用: a genuine code that counts nobody
            return Reply("web/volunteer/practice.html", {
                "done": "done" in request.GET,
                "again_url": reverse("event", args=[path["code"]]),
            })
        return Reply("web/volunteer/scan_result.html", {
            "result": error.code, "points": 0, "reason": "", "detail": error.message,
        }, status=422)


def _confirm(
    request: HttpRequest, scope: Scope, form: str, line: SessionLine, *, status: int = 200,
    finish: Callable[[HttpResponse], None] | None = None,
) -> Reply:
    """The page that says whose reception it will be, before anything is counted."""
    me = scope.volunteer_id or 0
    facts = volunteer_facts(scope, volunteer_ids=[me], action="scan.confirm")
    address = reverse("event", args=[form])
    people = reverse("my-people") + "?" + urlencode({"next": address})
    return Reply("web/volunteer/scan_confirm.html", {
        "session": session_words(line), "person": person(facts[me]), "person_id": me,
        "token": form, "action": address, "changed": status != 200,
        "people_url": people if shared(request) else None,
    }, status=status, finish=finish)


class Undo(PhonePage):
    """``/me/records/<id>/undo``: says what happens, then takes the own reception back."""

    needs = {"get": Permission.OWN_POINTS, "post": Permission.OWN_POINTS}

    def get(self, request: HttpRequest, scope: Scope, attendance_id: int) -> Answer:
        record = own_record(scope, attendance_id=attendance_id)
        if record.voided or record.undo_until is None:
            raise undoing.TooLateToUndo
        me = scope.volunteer_id or 0
        facts = volunteer_facts(scope, volunteer_ids=[me], action="scan.undo")
        until = local(record.undo_until)
        return Reply("web/volunteer/undo.html", {
            "session": session_words(_session(scope, record.session_id)),
            "person": person(facts[me]), "back_url": reverse("my-points"),
            "action": reverse("record-undo", args=[attendance_id]),
            "until_text": f"ご自分で取り消せるのは、{until.hour}時{until.minute}分までです。",
        })

    def post(self, request: HttpRequest, scope: Scope, attendance_id: int) -> Answer:
        undoing.undo_own(attendance_id=attendance_id, by=scope)
        messages.success(request, "受付を 取り消しました。ポイントは ついていません。")
        return HttpResponseRedirect(reverse("my-points"))


class EventAddress(PhonePage):
    """``/e/<code>``: the small-letter spelling leads to the capitals."""

    needs = {"get": Open.ANYONE}

    def get(self, request: HttpRequest, scope: Scope, code: str) -> Answer:
        return HttpResponseRedirect(reverse("event", args=[code]))


def _is_form(code: str) -> bool:
    try:
        return len(clean(code)) == tokens.FORM_LENGTH
    except BadCode:
        return False


def _session_of(form_token: str) -> int:
    """The session a form token names; the operation has proven it."""
    return int.from_bytes(decode(clean(form_token))[3:11], "big")


def _session(scope: Scope, number: int) -> SessionLine:
    """The session that a genuine code leads to: title and place stand on the host's screen."""
    with access.system(at=scope.at, reason="scan page") as wide:
        return session(wide, session_id=number)


def _remember(mark: str, address: str, response: HttpResponse) -> None:
    """The browser's mark; for a phone that must be bound first, the way back here as well."""
    keep(response, BROWSER_COOKIE, mark, BROWSER_LIFE)
    if address:
        keep(response, WAITING_COOKIE, address, WAITING_LIFE)
