"""One record of the volunteer who is looking: when it was counted, how, and whether it stands.

Owns what the result page and its undo need.  Refuses (not found) everybody else's.  P4.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from points.models import Attendance
from registry.access import Scope
from registry.domain.errors import NotFound

UNDO_WITHIN = timedelta(minutes=10)
#: The ways in which one counts oneself.
OWN_METHODS = ("event", "printed")


@dataclass(frozen=True)
class OwnRecord:
    """``first_at`` is when the record was made; ``undo_until`` None: not to be taken back."""

    id: int
    session_id: int
    first_at: datetime
    voided: bool
    undo_until: datetime | None


def own_record(scope: Scope, *, attendance_id: int) -> OwnRecord:
    """Raises ``NotFound`` for a record that is not the viewer's own."""
    row = None
    if scope.volunteer_id is not None and 0 < attendance_id < 1 << 63:
        row = Attendance.objects.visible_to(scope).filter(
            pk=attendance_id, volunteer_id=scope.volunteer_id
        ).first()
    if row is None:
        raise NotFound
    until = row.recorded_at + UNDO_WITHIN
    may = row.voided_at is None and row.method in OWN_METHODS and scope.at < until
    return OwnRecord(row.pk, row.session_id, row.attended_at, row.voided_at is not None,
                     until if may else None)
