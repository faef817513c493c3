"""Record attendance, one or five thousand: the one path (public name: ``attendance.record``).

Owns the one path by which anybody is counted, whatever the way (P4): an online scan is a batch
of one, a form of the phone and a paper sheet are batches too.  The first answer to each id is
stored and repeated.  Refuses a second attendance by constraint; the second scan is answered
``already``.  Order: read the requests → lock the passbooks → look again → insert → count again.
Source: P1, P3, P4, P5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max

from points import keys
from points.domain.results import Result
from points.domain.rules import YearState
from points.models import Attendance, Scan
from points.operations.awarding import Settled, settle
from points.operations.posting import Ledger, lock
from points.operations.scanning import (
    ScanRequest,
    Target,
    Unread,
    corrected_clock,
    differing,
    resolve,
)
from points.queries import rulebook
from points.queries.rulebook import Rules
from registry import access, audit, failpoints
from registry.access import Scope
from registry.domain.errors import Forbidden, Refused
from registry.domain.roles import Permission

LARGEST_BATCH = 5_000
_MOST_MISSING = 1_000


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
class ScanAnswers:
    """Answers in the order of the requests; counters of this device that never arrived."""

    results: tuple[ScanAnswer, ...]
    missing_counters: tuple[int, ...] = ()


@transaction.atomic
def record(
    *, scans: Sequence[ScanRequest], device_time: datetime | None = None, by: Scope
) -> ScanAnswers:
    """Count people in.  A constant number of statements for any number of scans.

    ``device_time`` is the device's clock when it sent the batch; with the time of arrival it
    gives the clock's skew.

    Raises:
        Forbidden: the actor may neither scan nor has points of their own.
        Refused: ``batch_too_large`` for more than 5,000 scans.
    """
    if not (by.may(Permission.SCANS_RECORD) or by.may(Permission.OWN_POINTS)):
        raise Forbidden(fields={"permission": Permission.SCANS_RECORD.value})
    if len(scans) > LARGEST_BATCH:
        raise Refused(f"一度に送れるのは{LARGEST_BATCH:,}件までです。", code="batch_too_large")
    for attempt in (1, 2, 3):
        try:
            # The savepoint: when the same id lands from another process meanwhile, look again.
            with transaction.atomic(), access.system(at=by.at, reason="scan") as wide:
                return _record(scans, device_time, by, wide)
        except IntegrityError:
            if attempt == 3:
                raise
    raise AssertionError("unreachable")


def _record(
    scans: Sequence[ScanRequest], device_time: datetime | None, by: Scope, wide: Scope
) -> ScanAnswers:
    skew = timedelta(0) if device_time is None else by.at - device_time
    unique = {scan.id: scan for scan in reversed(scans)}  # the first of each id
    requests = list(unique.values())[::-1]
    read = resolve(requests, by=by, wide=wide)
    people = {one.volunteer_id for one in read if isinstance(one, Target)}
    rules = rulebook.load()
    lock(volunteer_ids=people, by=wide)
    stored = _stored(list(unique), wide)
    fresh = [(r, t) for r, t in zip(requests, read, strict=True) if r.id not in stored]
    targets = [(r, t) for r, t in fresh if isinstance(t, Target)]
    pairs = _present(targets, wide)
    new = _insert(targets, pairs, skew, rules, by, wide)
    ledger = Ledger(rules=rules, volunteer_ids=people if targets else (), by=wide)
    settled = Settled({}, {}, 0, 0)
    if targets:
        settled = settle(
            volunteer_ids={t.volunteer_id for _, t in targets},
            years={t.session.fiscal_year for _, t in targets},
            ledger=ledger, rules=rules, by=wide,
        )
    rows = []
    digester = keys.field_digester()
    for request, target in fresh:
        answer = _answer(request, target, pairs, new, settled, ledger, rules)
        row = _scan(request, target, answer, skew, by)
        row.content = request.content(digester)
        rows.append(row)
        stored[request.id] = row
    rows.sort(key=lambda row: row.id)
    Scan.objects.visible_to(wide).bulk_create(rows)
    failpoints.hit("attendance.before_commit")
    missing = _missing(scans, by, wide)
    audit.note(scope=by, kind="change", action="attendance.record", subject_kind="session",
               detail={"scans": len(scans), "fresh": len(fresh), "recorded": len(new)})
    answers = tuple(_repeat(scan, stored[scan.id], by, digester) for scan in scans)
    return ScanAnswers(answers, missing)


def _stored(ids: list[UUID], wide: Scope) -> dict[UUID, Scan]:
    return {row.id: row for row in Scan.objects.visible_to(wide).filter(id__in=ids)}


def _present(
    targets: list[tuple[ScanRequest, Target]], wide: Scope
) -> dict[tuple[int, int], int]:
    """(session, volunteer) → the attendance that is there already."""
    rows = Attendance.objects.visible_to(wide).filter(
        session_id__in={t.session.id for _, t in targets},
        volunteer_id__in={t.volunteer_id for _, t in targets},
    )
    return {(s, v): pk for s, v, pk in rows.values_list("session_id", "volunteer_id", "pk")}


def _insert(
    targets: list[tuple[ScanRequest, Target]], pairs: dict[tuple[int, int], int],
    skew: timedelta, rules: Rules, by: Scope, wide: Scope,
) -> dict[tuple[int, int], UUID]:
    """Insert what is new; (session, volunteer) → the request that brought it."""
    new: dict[tuple[int, int], UUID] = {}
    rows = []
    for request, target in targets:
        session = target.session
        pair = (session.id, target.volunteer_id)
        if pair in pairs or pair in new:
            continue
        new[pair] = request.id
        terms = rules.terms(rules.code_of[session.programme_id], session.fiscal_year)
        rows.append(
            Attendance(
                session_id=session.id, volunteer_id=target.volunteer_id, method=target.method,
                attended_at=corrected_clock(request.scanned_at, skew, arrived=by.at),
                minutes=session.minutes, recorded_at=by.at, recorded_by_id=by.user_id,
                proxy_note=request.note, after_close=terms.state is YearState.CLOSED,
            )
        )
    for row in Attendance.objects.visible_to(wide).bulk_create(rows):
        pairs[row.session_id, row.volunteer_id] = row.pk
    return new


def _answer(
    request: ScanRequest, target: Target | Unread, pairs: dict[tuple[int, int], int],
    new: dict[tuple[int, int], UUID], settled: Settled, ledger: Ledger, rules: Rules,
) -> ScanAnswer:
    if isinstance(target, Unread):
        return ScanAnswer(request.id, target.result, 0, target.reason)
    pair = (target.session.id, target.volunteer_id)
    attendance = pairs[pair]
    share = settled.shares[attendance]
    result = settled.result(attendance)
    if new.get(pair) != request.id and result.recorded and result is not Result.NOT_ELIGIBLE:
        result = Result.ALREADY
    balance = ledger.balance(target.volunteer_id, rules.code_of[target.session.programme_id])
    return ScanAnswer(request.id, result, share.points, share.sentence, attendance, balance)


def _scan(
    request: ScanRequest, target: Target | Unread, answer: ScanAnswer, skew: timedelta, by: Scope
) -> Scan:
    session = target.session.id if isinstance(target, Target) else target.session_id
    millis = int(skew.total_seconds() * 1000)
    return Scan(
        id=request.id, session_id=session,
        volunteer_id=target.volunteer_id, attendance_id=answer.attendance, user_id=by.user_id,
        counter=request.counter, scanned_at=request.scanned_at, received_at=by.at,
        skew_ms=millis, result=answer.result, points=answer.points,
        reason=answer.reason, balance=answer.balance,
    )


def _repeat(
    scan: ScanRequest, row: Scan, by: Scope, digester: Callable[[str], bytes]
) -> ScanAnswer:
    """The stored answer, or a conflict that names the field that differs."""
    other = "id"
    if row.user_id == by.user_id:
        other = differing(scan.content(digester), bytes(row.content))
    if other:
        said = f"この依頼の番号は、ちがう内容（{other}）で使われています。"
        return ScanAnswer(scan.id, "conflict", 0, said, field=other)
    return ScanAnswer(row.id, str(row.result), row.points, row.reason, row.attendance_id,
                      row.balance)


def _missing(scans: Sequence[ScanRequest], by: Scope, wide: Scope) -> tuple[int, ...]:
    """Counters of this device between the last one before the batch and the batch's highest."""
    sent = {scan.counter for scan in scans if scan.counter is not None}
    if not sent or by.user_id is None:
        return ()
    mine = Scan.objects.visible_to(wide).filter(user_id=by.user_id)
    last = mine.filter(counter__lt=min(sent)).aggregate(last=Max("counter"))["last"] or 0
    inside = mine.filter(counter__range=(min(sent), max(sent)))
    seen = sorted(sent | set(inside.values_list("counter", flat=True)))
    missing: list[int] = []
    for one in seen:
        gap = range(last + 1, min(one, last + 1 + _MOST_MISSING - len(missing)))
        missing.extend(gap)
        last = one
    return tuple(missing)
