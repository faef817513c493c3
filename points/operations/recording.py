"""Record attendance, one or five thousand: the one path (public name: ``attendance.record``).

Owns the one path by which anybody is counted, whatever the way (P4): an online scan is a batch
of one, a form of the phone and a paper sheet are batches too.  The first answer to each id is
stored and repeated.  Refuses a second attendance by constraint; the second scan is answered
``already``.  Order: read the requests → lock the passbooks → look again → insert → count again.
Source: P1, P3, P4, P5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from points import keys
from points.models import Attendance, Scan
from points.operations.answering import (
    ATTENDANCE,
    SCAN,
    Item,
    Look,
    ScanAnswer,
    Stored,
    missing_counters,
    scan_rows,
)
from points.operations.awarding import Counting, Settled, count_days
from points.operations.posting import PassbookMoved, lock
from points.operations.scanning import (
    ScanRequest,
    Target,
    differing,
    facts_of,
    hold_statements,
    mentioned,
    resolve,
)
from points.queries import rulebook
from registry import access, audit, failpoints, rows
from registry.access import Scope
from registry.domain.errors import Forbidden, Refused
from registry.domain.roles import Permission

__all__ = [
    "LARGEST_BATCH", "ScanAnswer", "ScanAnswers", "ScanRequest", "Sending", "admit", "record",
    "record_together",
]
LARGEST_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class ScanAnswers:
    """Answers in the order of the requests; counters of this device that never arrived."""

    results: tuple[ScanAnswer, ...]
    missing_counters: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Sending:
    """What one caller sends at once; ``counters``: whether they ask which ones are missing."""

    scans: Sequence[ScanRequest]
    by: Scope
    device_time: datetime | None = None
    counters: bool = True

    @property
    def skew(self) -> timedelta:
        """How far the caller's clock is behind ours."""
        return timedelta(0) if self.device_time is None else self.by.at - self.device_time


def record(
    *, scans: Sequence[ScanRequest], device_time: datetime | None = None, by: Scope,
    counters: bool = True,
) -> ScanAnswers:
    """Count people in.  A constant number of statements for any number of scans.

    ``device_time`` is the device's clock when it sent the batch; with the time of arrival it
    gives the clock's skew.

    Raises:
        Forbidden: the actor may neither scan nor has points of their own.
        Refused: ``batch_too_large`` for more than 5,000 scans.
    """
    admit(by)
    if len(scans) > LARGEST_BATCH:
        raise Refused(f"一度に送れるのは{LARGEST_BATCH:,}件までです。", code="batch_too_large")
    sending = Sending(scans, by, device_time, counters)
    for attempt in (1, 2, 3):
        try:
            # The savepoint: when the same id lands from another process meanwhile, look again.
            with access.system(at=by.at, reason="scan") as wide:
                return record_together(sendings=[sending], wide=wide)[0]
        except (IntegrityError, PassbookMoved):
            if attempt == 3:
                raise
    raise AssertionError("unreachable")


def admit(by: Scope) -> None:
    """Raises ``Forbidden`` for an actor who may neither scan nor has points of their own."""
    if not (by.may(Permission.SCANS_RECORD) or by.may(Permission.OWN_POINTS)):
        raise Forbidden(fields={"permission": Permission.SCANS_RECORD.value})


@transaction.atomic(savepoint=False)
def record_together(*, sendings: Sequence[Sending], wide: Scope) -> list[ScanAnswers]:
    """What several callers send at the same moment, each within their own rights.

    ``wide`` is the service's own scope, opened for this; the callers passed ``admit`` and have
    the same ``at``.  Raises ``IntegrityError`` when somebody else records the same meanwhile:
    roll back and look again.
    """
    first: dict[UUID, tuple[ScanRequest, Sending]] = {}
    for sending in sendings:
        for scan in sending.scans:
            first.setdefault(scan.id, (scan, sending))
    held, _, *read = rows.fetch(
        *hold_statements(mentioned(scan for scan, _ in first.values())), *rulebook.statements()
    )
    rules = rulebook.made_of(read)
    targets = resolve(
        [(scan, sending.by) for scan, sending in first.values()], known=facts_of(held), wide=wide
    )
    items = [
        Item(scan, sending.by, sending.skew, target)
        for (scan, sending), target in zip(first.values(), targets, strict=True)
    ]
    locked = lock(
        volunteer_ids={t.volunteer_id for t in targets if isinstance(t, Target)}, by=wide
    ).current()
    look = Look.after_lock(items, rules, wide)
    look.ledger.united = locked.united
    new = look.arrivals(wide.at)
    counting = Counting() if not look.counted else count_days(
        look.records, look.decided, ledger=look.ledger, rules=rules, by=wide,
        arrived=new.records,
    )
    decided = counting.post(look.ledger, rules, wide)
    settled = Settled(counting.shares, counting.eligibility, len(decided[2]), 0)
    answers = look.answers(new, settled)
    digester = keys.field_digester()
    look.ledger.write(
        before=[(Attendance, ATTENDANCE, new.rows), decided],
        after=[(Scan, SCAN, scan_rows(look.fresh, answers, digester, wide.at))],
    )
    failpoints.hit("attendance.before_commit")
    audit.notes(
        details=[(one.by, {
            "scans": len(one.scans), "fresh": sum(scan.id in answers for scan in one.scans),
            "recorded": sum(scan.id in new.brought for scan in one.scans),
        }) for one in sendings],
        kind="change", action="attendance.record", subject_kind="session",
    )
    said = {item.request.id: (item, answers[item.request.id]) for item in look.fresh}
    return [
        ScanAnswers(
            tuple(_repeat(scan, one.by, look.stored, said, digester) for scan in one.scans),
            missing_counters(one.scans, one.by, wide) if one.counters else (),
        )
        for one in sendings
    ]


def _repeat(
    scan: ScanRequest, by: Scope, stored: Mapping[UUID, Stored],
    said: Mapping[UUID, tuple[Item, ScanAnswer]], digester: Callable[[str], bytes],
) -> ScanAnswer:
    """The first answer to this id, or a conflict that names the field that differs."""
    if scan.id in stored:
        row = stored[scan.id]
        user, content, answer = row.user_id, bytes(row.content), row.answer()
    else:
        item, answer = said[scan.id]
        if item.request is scan:
            return answer
        user, content = item.by.user_id, item.request.content(digester)
    other = "id"
    if user == by.user_id:
        other = differing(scan.content(digester), content)
    if other:
        told = f"この依頼の番号は、ちがう内容（{other}）で使われています。"
        return ScanAnswer(scan.id, "conflict", 0, told, field=other)
    return answer
