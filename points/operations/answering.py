"""From targets to answers: what a recording finds, brings and says (part of ``recording``).

Owns looking again after the lock (first answers, the days' records, accounts), the rows of new
attendances and scans, and the counters that never arrived.  Decides no points: ``awarding``
does.  Source: P1, P3, P5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from points.domain.awards import Share
from points.domain.recount import Record
from points.domain.results import Result
from points.domain.rules import YearState
from points.models import Attendance
from points.operations.awarding import Settled
from points.operations.posting import Ledger, accounts_statement
from points.operations.scanning import ScanRequest, Target, Unread, corrected_clock
from points.queries import records
from points.queries.rulebook import Rules
from registry import rows
from registry.access import Scope

_MOST_MISSING = 1_000
ATTENDANCE = ("id", "session_id", "volunteer_id", "method", "attended_at", "minutes",
              "recorded_at", "recorded_by_id", "proxy_note", "after_close")
SCAN = ("id", "content", "session_id", "volunteer_id", "attendance_id", "user_id", "counter",
        "scanned_at", "received_at", "skew_ms", "result", "points", "reason", "balance")
_STORED = ("SELECT id, user_id, content, result, points, reason, attendance_id, balance"
           " FROM points_scan WHERE ")


@dataclass(frozen=True, slots=True)
class ScanAnswer:
    """The answer to one request.  ``result`` is a ``Result`` value, or ``conflict``: the id was
    used for another content, and ``field`` names what differs."""

    id: UUID
    result: str
    points: int
    reason: str
    attendance: int | None = None
    balance: int | None = None
    field: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One request: who sent it, how far their clock is off, and whom it means."""

    request: ScanRequest
    by: Scope
    skew: timedelta
    target: Target | Unread


@dataclass(frozen=True, slots=True)
class Stored:
    """A request that was answered before, with its first answer."""

    id: UUID
    user_id: int | None
    content: bytes
    result: str
    points: int
    reason: str
    attendance_id: int | None
    balance: int | None

    def answer(self) -> ScanAnswer:
        """The first answer."""
        return ScanAnswer(self.id, self.result, self.points, self.reason, self.attendance_id,
                          self.balance)


@dataclass
class Arrivals:
    """New attendances: rows to insert, records to count, the requests that brought them, and
    (session, volunteer) → attendance for these and those that were there."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    brought: set[UUID] = field(default_factory=set)
    pairs: dict[tuple[int, int], int] = field(default_factory=dict)


@dataclass(frozen=True)
class Look:
    """What is there after the lock.  ``records`` and ``decided``: of the days, by volunteer."""

    rules: Rules
    stored: dict[UUID, Stored]
    fresh: list[Item]
    counted: list[tuple[Item, Target]]  # the fresh ones that mean a person at a session
    records: dict[int, list[Record]]
    decided: dict[int, Share]
    ledger: Ledger
    numbers: list[int]  # for new attendances, as many as could be needed

    @classmethod
    def after_lock(cls, items: Sequence[Item], rules: Rules, wide: Scope) -> Look:
        """Read it; one round trip on PostgreSQL.  The volunteers' passbooks are locked."""
        meant = [item.target for item in items if isinstance(item.target, Target)]
        people = {target.volunteer_id for target in meant}
        asked: list[rows.Statement] = [(
            _STORED + rows.among("id", "uuid"), [rows.listed(item.request.id for item in items)]
        )]
        if meant:
            held = [target.session.held_on for target in meant]
            asked += [
                records.days_statement(volunteer_ids=people, first=min(held), last=max(held)),
                accounts_statement(people), rows.id_statement(Attendance, len(meant)),
            ]
        found, *more = rows.fetch(*asked)
        stored = {}
        for row in found:
            one = Stored(row[0] if isinstance(row[0], UUID) else UUID(row[0]), *row[1:])
            stored[one.id] = one
        fresh = [item for item in items if item.request.id not in stored]
        counted = [(i, i.target) for i in fresh if isinstance(i.target, Target)]
        known, decided = records.days(more[0], rules) if more else ({}, {})
        recounted = {target.volunteer_id for _, target in counted}
        return cls(
            rules, stored, fresh, counted,
            {one: some for one, some in known.items() if one in recounted}, decided,
            Ledger(rules=rules, volunteer_ids=people, by=wide, read=more[1] if more else []),
            rows.ids_of(more[2], len(meant)) if more else [],
        )

    def arrivals(self, at: datetime) -> Arrivals:
        """The attendances that are new.  Raises ``NotFound`` for a year without terms."""
        new, numbers = Arrivals(), iter(self.numbers)
        for some in self.records.values():
            for one in some:
                new.pairs[one.session, one.volunteer] = one.attendance
        for item, target in self.counted:
            session, request = target.session, item.request
            pair = (session.id, target.volunteer_id)
            if pair in new.pairs:
                continue
            number = new.pairs[pair] = next(numbers)
            new.brought.add(request.id)
            programme = self.rules.code_of[session.programme_id]
            closed = self.rules.terms(programme, session.fiscal_year).state is YearState.CLOSED
            new.rows.append((
                number, *pair, target.method,
                corrected_clock(request.scanned_at, item.skew, arrived=at), session.minutes, at,
                item.by.user_id, request.note, closed,
            ))
            new.records.append(Record(
                number, target.volunteer_id, session.id, programme, session.organisation_id,
                session.group_id, session.kind, session.source, session.title, session.held_on,
                session.starts_at, session.ends_at, session.minutes, closed_wait=closed,
            ))
        return new

    def answers(self, new: Arrivals, settled: Settled) -> dict[UUID, ScanAnswer]:
        """The first answer to each fresh request."""
        said = {}
        for item in self.fresh:
            request, target = item.request, item.target
            if isinstance(target, Unread):
                said[request.id] = ScanAnswer(request.id, target.result.value, 0, target.reason)
                continue
            attendance = new.pairs[target.session.id, target.volunteer_id]
            share, result = settled.shares[attendance], settled.result(attendance)
            if (request.id not in new.brought and result.recorded
                    and result is not Result.NOT_ELIGIBLE):
                result = Result.ALREADY
            balance = self.ledger.balance(
                target.volunteer_id, self.rules.code_of[target.session.programme_id]
            )
            said[request.id] = ScanAnswer(request.id, result.value, share.points, share.sentence,
                                          attendance, balance)
        return said


def scan_rows(
    fresh: Sequence[Item], answers: dict[UUID, ScanAnswer], digester: Callable[[str], bytes],
    at: datetime,
) -> list[tuple[Any, ...]]:
    """The rows of ``SCAN``, in the order of ids, so that two recordings never wait in a circle."""
    made = []
    for item in sorted(fresh, key=lambda one: one.request.id):
        request, target, answer = item.request, item.target, answers[item.request.id]
        session = target.session.id if isinstance(target, Target) else target.session_id
        made.append((
            request.id, request.content(digester), session, target.volunteer_id,
            answer.attendance, item.by.user_id, request.counter, request.scanned_at, at,
            int(item.skew.total_seconds() * 1000), answer.result, answer.points, answer.reason,
            answer.balance,
        ))
    return made


def missing_counters(
    scans: Sequence[ScanRequest], by: Scope, wide: Scope
) -> tuple[int, ...]:
    """Counters of this device between the last one before the batch and the batch's highest."""
    del wide  # the service's own scope is open
    sent = {scan.counter for scan in scans if scan.counter is not None}
    if not sent or by.user_id is None:
        return ()
    low, high = min(sent), max(sent)
    [[before], inside] = rows.fetch(
        ("SELECT max(counter) FROM points_scan WHERE user_id = %s AND counter < %s",
         [by.user_id, low]),
        ("SELECT counter FROM points_scan WHERE user_id = %s AND counter BETWEEN %s AND %s",
         [by.user_id, low, high]),
    )
    last = before[0] or 0
    missing: list[int] = []
    for one in sorted(sent | {row[0] for row in inside}):
        missing.extend(range(last + 1, min(one, last + 1 + _MOST_MISSING - len(missing))))
        last = one
    return tuple(missing)
