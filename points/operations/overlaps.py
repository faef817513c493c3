"""What staff decide about two records of one person at the same time (重なりの判断), P8.

Owns ``decide``: count the one that waits instead, count both, or void it; each with a reason
that stays.  Refuses a record that does not wait (another decided first), and a decision without
a reason.  Nothing is dropped: what is voided is a record with its reason, taken back like any.
"""

from __future__ import annotations

from django.db import transaction

from points.models import OverlapDecision
from points.operations import attendance
from points.operations.posting import lock
from points.queries.waiting import waiting_one
from registry import access, audit
from registry.access import Scope
from registry.domain.errors import Conflict, Refused
from registry.domain.roles import Permission
from registry.operations.staff import actor_id

ACTIONS = tuple(OverlapDecision.Action.values)


class NotWaiting(Conflict):
    """Somebody decided about the record before."""

    code = "not_waiting"
    message = "この記録は、もう確認を待っていません。ほかの人が先に決めたようです。"


@transaction.atomic
def decide(*, attendance_id: int, action: str, reason: str, by: Scope) -> OverlapDecision:
    """Decide about a record that waits; the volunteer's year is counted again at once.

    ``count_this`` voids the records that it overlaps and that count; ``count_both`` clears the
    overlap; ``void`` voids the one that waits.

    Raises:
        Forbidden: without ``statements.view`` and ``attendance.void`` (the council).
        NotFound: no such record.
        Refused: ``bad_action``, ``reason_missing``.
        Conflict: ``not_waiting``.
    """
    by.require(Permission.STATEMENTS_VIEW)
    by.require(Permission.ATTENDANCE_VOID)
    said = reason.strip()
    wrong = {}
    if action not in ACTIONS:
        wrong["action"] = "どうするかを えらんでください。"
    if not said or len(said) > 120:
        wrong["reason"] = "そう決めた理由を1〜120文字で書いてください。"
    if wrong:
        code = "bad_action" if "action" in wrong else "reason_missing"
        raise Refused("どうするかと、その理由を入れてください。", code=code, fields=wrong)
    seen = waiting_one(by, attendance_id=attendance_id)
    with access.system(at=by.at, reason="overlap") as wide:
        lock(volunteer_ids=[seen.volunteer_id], by=wide).current()
        now = waiting_one(by, attendance_id=attendance_id)
    if not now.waits:
        raise NotWaiting
    others = [one.attendance_id for one in now.others]
    if action == OverlapDecision.Action.COUNT_BOTH:
        attendance.clear_overlap(attendance_id=attendance_id, by=by)
    elif action == OverlapDecision.Action.VOID:
        attendance.void(attendance_id=attendance_id, reason=f"重なりの確認：{said}", by=by)
    else:
        for one in others:
            attendance.void(attendance_id=one, reason=f"重なりの確認：{said}", by=by)
    row = OverlapDecision(attendance_id=attendance_id, others=others, action=action, reason=said,
                          decided_at=by.at, decided_by_id=actor_id(by=by))
    row.save()
    audit.note(scope=by, kind="change", action="overlaps.decide", subject_kind="attendance",
               subject_id=attendance_id, detail={"action": action, "others": others})
    return row
