"""A volunteer takes back the own reception by event QR within ten minutes (P4).

Owns ``undo_own``.  Refuses somebody else's record (not found), one that staff or a device made,
and everything after ten minutes: then staff void it with a reason.
"""

from __future__ import annotations

from django.db import transaction

from points.models import Attendance
from points.operations import attendance
from points.queries.own import own_record
from registry import access
from registry.access import Scope
from registry.domain.errors import Refused
from registry.domain.roles import Permission

REASON = "本人が、受付から10分以内に取り消した"


class TooLateToUndo(Refused):
    """Ten minutes have passed, or somebody else counted the person in."""

    code = "too_late_to_undo"
    message = "ご自分で取り消せるのは、受付から10分までです。係の人に言ってください。"


@transaction.atomic
def undo_own(*, attendance_id: int, by: Scope) -> Attendance:
    """Void the own record; its points go, the record of having undone it stays.

    Raises:
        Forbidden: without ``points.own``.  NotFound: not one's own record.
        TooLateToUndo: after ten minutes, or counted in another way.
        Conflict: ``already_void``.
    """
    by.require(Permission.OWN_POINTS)
    seen = own_record(by, attendance_id=attendance_id)
    if not seen.voided and seen.undo_until is None:
        raise TooLateToUndo
    with access.system(at=by.at, reason="undo own") as wide:
        return attendance.take_back(
            attendance_id=attendance_id, reason=REASON, by=by, wide=wide
        )
