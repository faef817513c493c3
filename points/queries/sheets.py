"""Printed sheets, what was entered from paper, and the rows that wait for a human (P4.5).

Owns reading the latest sheet of a session in its printed order (or today's members where none
was printed), the entries of a session, and the queue.  Refuses another group's session (not
found).  Rows of the queue name people: reading them leaves a record.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from points import keys
from points.domain import sheets
from points.domain.sheets import Listed
from points.models import PaperSheet, SheetEntry, SheetRow, WaitingRow
from points.queries.sessions import session
from registry import audit
from registry.access import Scope, day_of
from registry.domain.errors import NotFound
from registry.domain.roles import Permission
from registry.queries.accounts import display_names
from registry.queries.organisations import members
from registry.queries.volunteer_lists import volunteers_written
from registry.queries.volunteers import VolunteerFacts, volunteer_facts

EMPTY_LINES = 5


@dataclass(frozen=True)
class SheetLine:
    """One line of the sheet; ``code`` is its QR ("" before the first print)."""

    position: int
    volunteer_id: int
    number: str
    name: str
    kana: str
    code: str = ""


@dataclass(frozen=True)
class SheetView:
    """A session's list in the order of the paper.  ``sheet_id`` None: nothing was printed."""

    sheet_id: int | None
    code: str
    lines: tuple[SheetLine, ...]
    empty_lines: int
    printed_at: datetime | None = None

    @property
    def rows(self) -> dict[str, int]:
        """Row code → position."""
        return {one.code: one.position for one in self.lines if one.code}


@dataclass(frozen=True)
class EntryLine:
    """One paper that was entered: who signed it and who typed it."""

    id: str
    source: str
    headcount: int
    known: int
    waiting: int  # rows that still wait
    difference_reason: str
    signed_name: str
    entered_by: str
    entered_at: datetime
    late: bool


@dataclass(frozen=True)
class WaitingLine:
    """One row that waits: what was written, where, and why nobody knows it."""

    id: int
    session_id: int
    title: str
    held_on: str
    line: int
    name: str
    kana: str
    number: str
    why: str


def sheet_of(scope: Scope, *, session_id: int) -> SheetView:
    """The latest printed sheet of a session, else its members of that day.

    Raises ``NotFound``, ``Forbidden`` without ``sessions.manage``.
    """
    scope.require(Permission.SESSIONS_MANAGE)
    line = session(scope, session_id=session_id)
    printed = (
        PaperSheet.objects.visible_to(scope).filter(session_id=session_id).order_by("-pk").first()
    )
    if printed is None:
        order = [one.volunteer_id for one in
                 members(scope, organisation_ids=[line.organisation_id], on=line.held_on)]
        facts = volunteer_facts(scope, volunteer_ids=order, action="sessions.sheet")
        shown = [facts[one] for one in order if one in facts]
        return SheetView(None, "", _lines(enumerate(shown, 1), {}), EMPTY_LINES)
    placed = list(SheetRow.objects.visible_to(scope).filter(sheet=printed).order_by("position")
                  .values_list("position", "volunteer_id"))
    facts = volunteer_facts(scope, volunteer_ids=[one for _, one in placed],
                            action="sessions.sheet")
    codes = sheets.row_codes(keys.keyring(), printed.key_id, printed.code, len(placed))
    return SheetView(
        printed.pk, printed.code,
        _lines(((at, facts[one]) for at, one in placed if one in facts),
               {at: code for code, at in codes.items()}),
        printed.empty_lines, printed.printed_at,
    )


def _lines(
    placed: Iterable[tuple[int, VolunteerFacts]], codes: dict[int, str]
) -> tuple[SheetLine, ...]:
    return tuple(
        SheetLine(at, one.id, one.number, one.name, one.kana, codes.get(at, ""))
        for at, one in placed
    )


def session_of_sheet(scope: Scope, *, code: str) -> int:
    """The session of a sheet's code, of one's own.  Raises ``BadCode``, ``NotFound``."""
    scope.require(Permission.SESSIONS_MANAGE)
    found = (PaperSheet.objects.visible_to(scope).filter(code=sheets.read_sheet(code))
             .values_list("session_id", flat=True).first())
    if found is None:
        raise NotFound
    return int(found)


def entries(scope: Scope, *, session_id: int) -> list[EntryLine]:
    """What was entered from paper for a session, oldest first.  Three queries."""
    line = session(scope, session_id=session_id)
    found = list(
        SheetEntry.objects.visible_to(scope).filter(session_id=session_id).order_by("entered_at")
        .values_list("pk", "source", "headcount", "known", "difference_reason", "signed_name",
                     "entered_by_id", "entered_at")
    )
    left = dict(WaitingRow.objects.visible_to(scope).filter(
        entry__session_id=session_id, state="waiting",
    ).order_by().values_list("entry_id").annotate(n=Count("pk")))
    names = display_names({row[6] for row in found})
    if found:
        audit.note(scope=scope, kind="view", action="sessions.entries", subject_kind="session",
                   subject_id=session_id, fields=["signed_name"])
    return [
        EntryLine(str(row[0]), row[1], row[2], row[3], left.get(row[0], 0), row[4], row[5],
                  names.get(row[6], ""), row[7],
                  day_of(row[7]) > line.held_on)
        for row in found
    ]


def waiting_count(scope: Scope) -> int:
    """Rows that wait, of one's own sessions."""
    return WaitingRow.objects.visible_to(scope).filter(state="waiting").count()


def waiting_rows(scope: Scope, *, row_id: int | None = None, limit: int = 100) -> list[WaitingLine]:
    """The queue, oldest session first; with ``row_id`` that one alone.  Leaves a record.

    Raises ``Forbidden`` without ``sessions.manage``; ``NotFound`` for a row that does not wait.
    """
    scope.require(Permission.SESSIONS_MANAGE)
    rows = WaitingRow.objects.visible_to(scope).filter(state="waiting")
    if row_id is not None:
        rows = rows.filter(pk=row_id)
    found = [
        WaitingLine(row[0], row[1], row[2], f"{row[3].month}月{row[3].day}日", *row[4:])
        for row in rows.order_by("entry__session__held_on", "entry_id", "line").values_list(
            "pk", "entry__session_id", "entry__session__title", "entry__session__held_on", "line",
            "name", "kana", "number", "why",
        )[:limit]
    ]
    if row_id is not None and not found:
        raise NotFound
    if found:
        audit.note(scope=scope, kind="view", action="sheets.waiting", subject_kind="session",
                   fields=["name", "kana"], detail={"rows": [one.id for one in found]})
    return found


def matched(
    scope: Scope, listed: list[Listed]
) -> tuple[dict[int, VolunteerFacts], dict[int, str]]:
    """(line → the one volunteer it can be, line → why nobody is: unknown, several, mismatch,
    twice).  Every line is in exactly one of the two."""
    near = volunteers_written(
        scope, numbers=[one.number for one in listed],
        names=[text for one in listed for text in (one.name, one.kana)], action="sheets.match",
    )
    known: dict[int, VolunteerFacts] = {}
    why: dict[int, str] = {}
    taken: set[int] = set()
    for one in listed:
        fit = [v for v in near
               if sheets.same_person(one, number=v.number, name=v.name, kana=v.kana)]
        if len(fit) == 1 and fit[0].id not in taken:
            known[one.line] = fit[0]
            taken.add(fit[0].id)
        elif len(fit) == 1:
            why[one.line] = "twice"
        elif fit:
            why[one.line] = "several"
        else:
            numbered = one.number and any(v.number == one.number.upper() for v in near)
            why[one.line] = "mismatch" if numbered else "unknown"
    return known, why

