"""The host's pages: today's sessions, the reception screen, its rotating code, the name search.

Owns ``/host`` and the reception of one session; scans go to the API, or to ``Entry`` where no
script runs.  Refuses another group's session (not found).  The camera's WebAssembly is allowed
on the reception page only (``wasm-unsafe-eval``).  P4, P5.
"""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from csp.decorators import csp_update
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator

from points.domain import tokens
from points.operations import attendance
from points.operations.scanning import ScanRequest
from points.queries.kiosk import opening_of
from points.queries.sessions import SessionLine, event_code, session, session_detail, sessions
from registry.access import Scope
from registry.documents import qr_svg
from registry.domain.errors import NotFound, Refused
from registry.domain.roles import Permission
from registry.queries.organisations import organisations
from registry.queries.volunteers import search_volunteers
from web.presenting import entry_mark, read_mark, session_words, when_text
from web.states import as_script_data, state
from web.views.base import Answer, Page, Reply

COMING, BEFORE = timedelta(days=14), timedelta(days=14)
STEPS_AROUND = 2  # a kiosk's clock may be a minute off
API = "/api/v1/points"


class Home(Page):
    """``/host``: today, what is left over, what comes."""

    needs = {"get": Permission.SCANS_RECORD}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        day = scope.on
        every = sessions(scope, first=day - BEFORE, last=day + COMING)
        mine = [one for one in every if one.cancelled_at is None]
        names = [one.name for one in organisations(scope, ids=scope.organisations)]
        manages = scope.may(Permission.SESSIONS_MANAGE)
        return Reply("web/host/home.html", {
            "group": {"name": "・".join(names)},
            "today": [self._today(one, scope, manages) for one in mine if one.held_on == day],
            "coming": [
                {"title": one.title, "when_text": when_text(one.starts_at, one.ends_at),
                 "place": one.place,
                 "url": reverse("host-session", args=[one.id]) if manages else
                        reverse("host-reception", args=[one.id])}
                for one in mine if one.held_on > day
            ],
            "todo": [self._left_over(one) for one in mine if one.held_on < day and manages
                     and one.headcount != one.count],
            "links": [
                {"label": "わたしの団体", "url": reverse("host-groups")},
                {"label": "受付端末（電波なしで使う）", "url": reverse("host-kiosks")},
            ] if manages else [],
        })

    @staticmethod
    def _today(one: SessionLine, scope: Scope, manages: bool) -> dict[str, Any]:
        before, after = scope.at < one.starts_at, scope.at > one.ends_at
        said = "これから" if before else "終わりました" if after else "活動中"
        return session_words(one) | {
            "accepted": one.count, "state_text": said,
            "reception_url": reverse("host-reception", args=[one.id]),
            "sheet_url": reverse("host-sheet", args=[one.id]) if manages else None,
            "reconcile_url": reverse("host-session", args=[one.id]) if manages else None,
        }

    @staticmethod
    def _left_over(one: SessionLine) -> dict[str, Any]:
        said = "人数が まだ入っていません" if one.headcount is None else (
            f"人数 {one.headcount}人、記録 {one.count}人"
        )
        return {"label": f"{one.title}：人数を合わせる",
                "detail": f"{when_text(one.starts_at, one.ends_at)}　{said}",
                "url": reverse("host-session", args=[one.id]), "late": one.headcount is not None}


@method_decorator(csp_update({"script-src": ["'self'", "'wasm-unsafe-eval'"]}), name="dispatch")
class Reception(Page):
    """The reception screen of one session."""

    needs = {"get": Permission.SCANS_RECORD}

    def get(self, request: HttpRequest, scope: Scope, session_id: int) -> Answer:
        found = opening_of(scope, session_id=session_id)
        mine, line = found.sessions[0], found.sessions[0].line
        searches = scope.may(Permission.SESSIONS_MANAGE)
        return Reply("web/host/kiosk.html", {
            "session": session_words(line), "accepted": line.count, "qr_seconds": tokens.STEP,
            "states": as_script_data(),
            "urls": {
                "qr": reverse("host-code", args=[session_id]),
                "search": reverse("host-search", args=[session_id]) if searches else None,
                "entry": reverse("host-entry", args=[session_id]), "host": reverse("host-home"),
            },
            "mark": entry_mark(scope.at),
            "page": {
                "user": scope.user_id, "api": API, "code_host": found.code_host,
                "code_scheme": found.code_scheme, "server_time": scope.at.isoformat(),
                "session": {"id": line.id, "count": line.count, "key_id": mine.key_id,
                            "key": base64.b64encode(mine.key).decode()},
            },
        })


class Code(Page):
    """The picture of the rotating code, ``?step=N`` near the present (P4.2)."""

    needs = {"get": Permission.SCANS_RECORD}

    def get(self, request: HttpRequest, scope: Scope, session_id: int) -> Answer:
        now = int(scope.at.timestamp()) // tokens.STEP
        text = request.GET.get("step", str(now))
        step = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else now
        if abs(step - now) > STEPS_AROUND:
            raise NotFound
        at = datetime.fromtimestamp(step * tokens.STEP, UTC)
        shown = event_code(scope, session_id=session_id, at=at)
        return HttpResponse(qr_svg(shown.url, least_version=4), content_type="image/svg+xml")


class Search(Page):
    """「カードを忘れた方」: by name, kana and variant kanji tolerant (P4.4)."""

    needs = {"get": Permission.SESSIONS_MANAGE, "post": Permission.SESSIONS_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, session_id: int) -> Answer:
        return self._found(scope, session_id, "")

    def post(self, request: HttpRequest, scope: Scope, session_id: int) -> Answer:
        """A search changes nothing; it is posted so that no name stands in an address."""
        return self._found(scope, session_id, request.POST.get("q", "").strip()[:60])

    @staticmethod
    def _found(scope: Scope, session_id: int, text: str) -> Reply:
        line = session(scope, session_id=session_id)
        rows: list[dict[str, Any]] = []
        if text:
            there = {one.volunteer_id for one in
                     session_detail(scope, session_id=session_id).attendances
                     if one.voided_at is None}
            rows = [
                {"id": one.id, "name": one.name, "kana": one.kana,
                 "note": f"手帳番号 {one.number}", "done": one.id in there}
                for one in search_volunteers(scope, text=text, limit=20).items
            ]
        return Reply("web/host/search.html", {
            "session": session_words(line), "q": text, "results": rows, "searched": bool(text),
            "action": reverse("host-search", args=[session_id]),
            "accept_url": reverse("host-search-accept", args=[session_id]),
            "token": entry_mark(scope.at),
            "back_url": reverse("host-reception", args=[session_id]),
        })


class Accept(Page):
    """Count one of those found by name."""

    needs = {"post": Permission.SESSIONS_MANAGE}

    def post(self, request: HttpRequest, scope: Scope, session_id: int) -> Answer:
        number, at = read_mark(request.POST.get("token", ""))
        chosen = request.POST.get("volunteer", "")
        if not chosen.isascii() or not chosen.isdigit() or len(chosen) > 18:
            raise NotFound
        answer = attendance.record(scans=[ScanRequest(
            uuid.uuid5(number, chosen), at, session_id=session_id, volunteer_id=int(chosen),
            method="name_search",
        )], by=scope).results[0]
        tell(request, answer.result, answer.points, answer.reason)
        return HttpResponseRedirect(reverse("host-search", args=[session_id]))


class Entry(Page):
    """One card's code typed where no script runs; the same answer as the reception screen."""

    needs = {"post": Permission.SCANS_RECORD}

    def post(self, request: HttpRequest, scope: Scope, session_id: int) -> Answer:
        number, at = read_mark(request.POST.get("mark", ""))
        code = request.POST.get("code", "").strip()[:512]
        if not code:
            raise Refused("カードのコードを入れてください。", code="code_missing")
        answer = attendance.record(scans=[
            ScanRequest(uuid.uuid5(number, code), at, code=code, session_id=session_id)
        ], by=scope).results[0]
        tell(request, answer.result, answer.points, answer.reason)
        return HttpResponseRedirect(reverse("host-reception", args=[session_id]))


def tell(request: HttpRequest, result: str, points: int, reason: str) -> None:
    """A message with the reception's own words for a result."""
    row = state(result)
    words = f"{row.kiosk_title}（＋{points}ポイント）" if result == "granted" else row.kiosk_title
    level = messages.error if row.failed else messages.success
    level(request, words if result == "granted" or not reason else f"{words}。{reason}")

