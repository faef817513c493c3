"""What a kiosk (受付端末) tells and takes back: check-in, withdrawn scans, undo within 10 minutes.

Owns the record of scans that were taken back before they were sent, and the undo of a scan that
was sent.  Refuses to undo what another device counted, what was counted before this scan, and
what is older than 10 minutes by the device's own clock: the network may have been away for days
between the two.  Scans themselves go the one way, ``attendance.record``.  P5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from points.models import Attendance, Scan, WithdrawnScan
from points.operations import attendance
from points.operations.scanning import may_use, sessions_by_id
from registry import access, audit
from registry.access import Scope
from registry.domain.errors import Conflict, NotFound, Refused
from registry.domain.roles import Permission
from registry.operations import kiosks
from registry.operations.staff import actor_id

UNDO = timedelta(minutes=10)
MOST_WITHDRAWN = 500
REASON = "受付での取り消し（10分以内）"


class UndoTooLate(Refused):
    """More than ten minutes between the scan and its undo, by the device's clock."""

    code = "undo_too_late"
    message = "受付から10分をすぎたので、端末では取り消せません。係の画面から取り消してください。"


class NotCountedHere(Conflict):
    """The record was made by another scan, or none was made."""

    code = "not_counted_here"
    message = "この読みとりで受付した記録はありません。"


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A scan that was taken back on the device before it was sent."""

    id: UUID
    session_id: int | None
    counter: int
    scanned_at: datetime
    withdrawn_at: datetime


@dataclass(frozen=True, slots=True)
class CheckedIn:
    """The kiosk as the service knows it; ``withdrawn`` are the ids that are on record now."""

    kiosk_id: int
    name: str
    withdrawn: tuple[UUID, ...]


@transaction.atomic
def check_in(
    *, device_time: datetime, last_counter: int, waiting: int,
    withdrawn: Sequence[Withdrawal] = (), by: Scope,
) -> CheckedIn:
    """Keep what a kiosk says of itself and of the counters it took back.  Again is no error.

    Raises:
        Forbidden: without ``scans.record``.
        NotFound: the caller is no kiosk.
        Refused: ``batch_too_large`` for more than 500 withdrawn scans.
    """
    if len(withdrawn) > MOST_WITHDRAWN:
        raise Refused(f"一度に送れるのは{MOST_WITHDRAWN}件までです。", code="batch_too_large")
    kiosk_id, name = kiosks.check_in(
        device_time=device_time, last_counter=last_counter, waiting=waiting, by=by
    )
    known = sessions_by_id({one.session_id for one in withdrawn if one.session_id is not None})
    rows = []
    for one in withdrawn:
        fact = known.get(one.session_id) if one.session_id is not None else None
        rows.append(WithdrawnScan(
            id=one.id, user_id=actor_id(by=by), counter=one.counter, scanned_at=one.scanned_at,
            session_id=fact.id if fact is not None and may_use(fact, by) else None,
            # A clock that was put right in between must not make the undo come first.
            withdrawn_at=max(one.withdrawn_at, one.scanned_at), received_at=by.at,
        ))
    if rows:
        with access.system(at=by.at, reason="withdrawn scans") as wide:
            WithdrawnScan.objects.visible_to(wide).bulk_create(rows, ignore_conflicts=True)
        audit.note(scope=by, kind="change", action="reception.withdraw", subject_kind="kiosk",
                   subject_id=kiosk_id, detail={"scans": len(rows)})
    return CheckedIn(kiosk_id, name, tuple(one.id for one in withdrawn))


@transaction.atomic
def undo(*, scan_id: UUID, undone_at: datetime, by: Scope) -> Attendance:
    """Void what one's own scan counted at most ten minutes before.  Again is no error.

    ``undone_at`` is the device's clock when the host undid it.

    Raises:
        Forbidden: without ``scans.record``.
        NotFound: no such scan of this device.
        NotCountedHere: the scan counted nobody, or the person had been counted before.
        UndoTooLate: more than ten minutes, by the device's clock.
    """
    by.require(Permission.SCANS_RECORD)
    with access.system(at=by.at, reason="undo a scan") as wide:
        scan = Scan.objects.visible_to(wide).filter(pk=scan_id, user_id=by.user_id).first()
        if scan is None or by.user_id is None:
            raise NotFound
        row = Attendance.objects.visible_to(wide).filter(pk=scan.attendance_id or 0).first()
        # Both were written by one transaction, with one time, if this scan made the record.
        mine = row is not None and (row.recorded_by_id, row.recorded_at) == (
            by.user_id, scan.received_at
        )
        if row is None or not mine or scan.result == "already":
            raise NotCountedHere
        if not timedelta(0) <= undone_at - scan.scanned_at <= UNDO:
            raise UndoTooLate
        if row.voided_at is not None:
            found: Attendance = row
            return found
        return attendance.take_back(attendance_id=row.pk, reason=REASON, by=by, wide=wide)
