"""Rows that wait: a human says who is meant, registers them, or says why nobody is counted.

Owns the decision about a name on a paper that nobody knew (確かめる行).  Refuses to decide
twice, and to dismiss without a reason: nothing on a paper is silently dropped.  Source: P4.5.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction

from points.models import WaitingRow
from points.operations import attendance
from points.operations.recording import ScanAnswer
from points.operations.scanning import ScanRequest
from points.operations.sheets import proxy_note
from points.queries.sessions import session
from registry import audit
from registry.access import Scope
from registry.domain.errors import Conflict, NotFound, Refused
from registry.domain.roles import Permission
from registry.operations.staff import actor_id
from registry.operations.volunteers import VolunteerInput, register
from registry.queries.volunteers import volunteer_facts


@transaction.atomic
def match(*, row_id: int, volunteer_id: int, by: Scope) -> ScanAnswer:
    """The row means this volunteer, who is counted now by the activity's date.

    Raises:
        Forbidden: without ``sessions.manage``.  NotFound: no such row or volunteer.
        Conflict: ``row_decided``.
        Refused: what the recording says when the person cannot be counted there.
    """
    row = _open(row_id, by)
    if volunteer_id not in volunteer_facts(by, volunteer_ids=[volunteer_id],
                                           action="sheets.match"):
        raise NotFound
    return _settled(row, volunteer_id, WaitingRow.State.MATCHED, by)


@transaction.atomic
def enlist(*, row_id: int, volunteer: VolunteerInput, by: Scope) -> ScanAnswer:
    """The row means somebody new: register them, then count them.

    Raises as ``match``, ``registry.operations.volunteers.register``; Forbidden without
    ``volunteers.manage``.
    """
    by.require(Permission.VOLUNTEERS_MANAGE)
    row = _open(row_id, by)
    made = register(volunteer=volunteer, by=by)
    return _settled(row, made.pk, WaitingRow.State.REGISTERED, by)


@transaction.atomic
def dismiss(*, row_id: int, reason: str, by: Scope) -> WaitingRow:
    """Nobody is counted for this row, and why.

    Raises:
        Forbidden, NotFound, Conflict: as ``match``.
        Refused: ``reason_missing``.
    """
    row: WaitingRow = _open(row_id, by)
    said = reason.strip()
    if not said or len(said) > 160:
        told = "理由を1〜160文字で書いてください。"
        raise Refused(told, code="reason_missing", fields={"reason": told})
    row.state, row.reason = WaitingRow.State.DISMISSED, said
    _signed(row, by)
    return row


def _open(row_id: int, by: Scope) -> Any:
    by.require(Permission.SESSIONS_MANAGE)
    row = (
        WaitingRow.objects.visible_to(by).select_for_update(of=("self",))
        .select_related("entry").filter(pk=row_id).first()
    )
    if row is None:
        raise NotFound
    if row.state != WaitingRow.State.WAITING:
        raise Conflict("この行は、もう決めてあります。", code="row_decided")
    return row


def _settled(row: Any, volunteer_id: int, state: str, by: Scope) -> ScanAnswer:
    line = session(by, session_id=row.entry.session_id)
    answer = attendance.record(scans=[ScanRequest(
        uuid.uuid5(row.entry_id, f"row {row.pk}"), line.starts_at, session_id=line.id,
        volunteer_id=volunteer_id, method="paper", note=proxy_note(row.entry_id),
    )], by=by).results[0]
    if answer.attendance is None:
        raise Refused(answer.reason, code=answer.result)
    row.state, row.volunteer_id = state, volunteer_id
    _signed(row, by)
    return answer


def _signed(row: Any, by: Scope) -> None:
    row.decided_at, row.decided_by_id = by.at, actor_id(by=by)
    row.save(update_fields=["state", "volunteer", "reason", "decided_at", "decided_by"])
    audit.note(scope=by, kind="change", action="sheets.decide", subject_kind="session",
               subject_id=row.entry.session_id, detail={"row": row.pk, "state": row.state})
