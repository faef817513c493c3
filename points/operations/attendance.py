"""Attendance: the phone's form, void, clear an overlap, correct after the close.

Owns what happens to 参加記録; ``record`` itself, the one path by which anybody is counted, lives
in ``recording`` and is offered here.  Refuses a void without a reason, a second void, a
correction of what does not wait.  Source: P1, P4.2, P8.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from points import keys
from points.domain import codes, tokens
from points.domain.codes import BadCode
from points.domain.results import Result
from points.domain.rules import fiscal_year
from points.domain.tokens import FORM_LIFE, EventCode, FormToken
from points.models import Attendance, Scan
from points.operations.answering import ScanAnswer
from points.operations.awarding import Settled, settle
from points.operations.posting import Ledger, lock
from points.operations.recording import LARGEST_BATCH, ScanAnswers, record
from points.operations.scanning import ScanRequest, sessions_by_id
from points.queries import rulebook
from registry import access, audit
from registry.access import Scope
from registry.domain.errors import Conflict, Forbidden, NotFound, Refused
from registry.domain.roles import Permission
from registry.operations.staff import actor_id

__all__ = [
    "LARGEST_BATCH", "ScanAnswer", "ScanAnswers", "ScanRequest", "clear_overlap", "correct",
    "open_form", "record", "record_by_form", "take_back", "void",
]


class AlreadyVoid(Conflict):
    """The record was voided before."""

    code = "already_void"
    message = "この参加記録は、すでに取り消されています。"


def open_form(*, event_code: str, by: Scope, audience: str = "") -> str:
    """The form token of a scanned event code, valid 15 minutes (P4.2).  Writes nothing.

    ``audience`` binds it to one browser.  Raises ``BadCode`` (bad_card, expired, not_open).
    """

    def hours(session: int) -> tuple[datetime, datetime] | None:
        found = sessions_by_id({session}).get(session)
        return None if found is None else (found.starts_at, found.ends_at)

    ring = keys.keyring()
    token = tokens.read(event_code, keys=ring, at=by.at, hours=hours, host=keys.code_host())
    if not isinstance(token, EventCode):
        raise BadCode("kind", "会場の画面のQRコードを読みとってください。")
    session = sessions_by_id({token.session}).get(token.session)
    if session is None or session.cancelled:
        raise BadCode("no_session", "この開催回は中止になりました。", code=Result.NOT_OPEN)
    return tokens.mint(
        "form", keys=ring, session=token.session, at=by.at, via=token.via, audience=audience
    ).code


def form_session(*, form_token: str, by: Scope, audience: str = "") -> int:
    """The session of a form token that is still valid.  Raises ``BadCode``."""
    return _form(form_token, by.at, audience).session


@transaction.atomic
def record_by_form(*, form_token: str, by: Scope, audience: str = "") -> ScanAnswer:
    """Count in the volunteer of the bound phone; the same form again gets the first answer.

    Raises:
        BadCode: forged, expired, or another browser's form.
        Forbidden: no volunteer is bound to this phone.
    """
    by.require(Permission.OWN_POINTS)
    if by.volunteer_id is None:
        raise Forbidden
    try:
        form = _form(form_token, by.at, audience)
    except BadCode as wrong:
        if wrong.detail != "form_expired":
            raise
        # Genuine but late: if it was used in time, its answer stands.
        nonce = UUID(bytes=codes.decode(codes.clean(form_token))[16:32])
        row = Scan.objects.visible_to(by).filter(id=nonce, user_id=by.user_id).first()
        if row is None:
            raise
        return ScanAnswer(row.id, str(row.result), row.points, row.reason, row.attendance_id,
                          row.balance)
    request = ScanRequest(
        form.nonce, form.expires_at - FORM_LIFE, code=form_token,
        form=EventCode(form.session, form.via, 0),
    )
    return record(scans=[request], by=by).results[0]


@transaction.atomic
def void(*, attendance_id: int, reason: str, by: Scope) -> Attendance:
    """Void a record; points already exchanged become a shortfall (返還待ち).

    In a closed year the reason is the named correction that reopens the volunteer's shares.

    Raises:
        Forbidden: without ``attendance.void``.
        NotFound: no such record, or not of the own group.
        Refused: ``reason_missing``.
        AlreadyVoid: it was voided before.
    """
    by.require(Permission.ATTENDANCE_VOID)
    said = _reason(reason)
    return _void(_locked(attendance_id, by), said, by)


@transaction.atomic
def take_back(*, attendance_id: int, reason: str, by: Scope, wide: Scope) -> Attendance:
    """Void for somebody who may undo this very record; the calling operation has proven it.

    ``by`` stands in the record; ``wide`` is the service's own scope, that only operations have.

    Raises:
        NotFound: no such record.
        Refused: ``reason_missing``.
        AlreadyVoid: it was voided before.
    """
    return _void(_locked(attendance_id, wide), _reason(reason), by)


def _void(row: Any, said: str, by: Scope) -> Attendance:
    if row.voided_at is not None:
        raise AlreadyVoid
    row.voided_at, row.voided_by_id, row.void_reason = by.at, actor_id(by=by), said
    return _changed(row, ["voided_at", "voided_by", "void_reason"], "attendance.void", by)


@transaction.atomic
def clear_overlap(*, attendance_id: int, by: Scope) -> Attendance:
    """Let a record count although it overlaps another one (重なりの確認ずみ, P8).

    Raises:
        Forbidden: without ``statements.view`` (the council's staff).
        NotFound: no such record.
        Conflict: ``not_waiting``: it does not wait for this.
    """
    by.require(Permission.STATEMENTS_VIEW)
    row = _locked(attendance_id, by)
    if row.voided_at is not None or row.cleared_at is not None:
        raise Conflict("この参加記録は、確認を待っていません。", code="not_waiting")
    row.cleared_at, row.cleared_by_id = by.at, actor_id(by=by)
    return _changed(row, ["cleared_at", "cleared_by"], "attendance.clear_overlap", by)


@transaction.atomic
def correct(*, attendance_id: int, reason: str, by: Scope) -> Attendance:
    """Let a record that came after the year was closed count: the named correction of P1.

    Raises:
        Forbidden: without ``rules.manage``.
        NotFound: no such record.
        Refused: ``reason_missing``.
        Conflict: ``not_waiting``.
    """
    by.require(Permission.RULES_MANAGE)
    said = _reason(reason)
    row = _locked(attendance_id, by)
    if not row.after_close or row.correction or row.voided_at is not None:
        raise Conflict("この参加記録は、訂正を待っていません。", code="not_waiting")
    row.correction, row.corrected_at, row.corrected_by_id = said, by.at, actor_id(by=by)
    return _changed(row, ["correction", "corrected_at", "corrected_by"], "attendance.correct", by)


def _form(text: str, at: datetime, audience: str) -> FormToken:
    token = tokens.read(text, keys=keys.keyring(), at=at, audience=audience)
    if not isinstance(token, FormToken):
        raise BadCode("kind", "もう一度、会場のQRコードを読みとってください。")
    return token


def _reason(text: str) -> str:
    said = text.strip()
    if not said or len(said) > 160:
        told = "理由を1〜160文字で書いてください。"
        raise Refused(told, code="reason_missing", fields={"reason": told})
    return said


def _locked(attendance_id: int, by: Scope) -> Any:
    """The visible record, its volunteer's passbook locked first; read after the lock."""
    seen = Attendance.objects.visible_to(by).filter(pk=attendance_id)
    volunteer = seen.values_list("volunteer_id", flat=True).first()
    if volunteer is None:
        raise NotFound
    with access.system(at=by.at, reason="attendance") as wide:
        lock(volunteer_ids=[volunteer], by=wide).current()
        return Attendance.objects.visible_to(wide).get(pk=attendance_id)


def _changed(row: Any, columns: list[str], action: str, by: Scope) -> Attendance:
    """Save a locked record, count again, and write down who did it."""
    with access.system(at=by.at, reason="attendance") as wide:
        row.save(update_fields=columns)
        session = sessions_by_id({row.session_id})[row.session_id]
        year = fiscal_year(session.held_on)
        rules = rulebook.load()
        settled = resettle(
            volunteer_ids=[row.volunteer_id], years=[year], wide=wide,
            corrected=[(code, year) for code in rules.id_of],
        )
    audit.note(scope=by, kind="change", action=action, subject_kind="attendance",
               subject_id=row.pk, detail={"decisions": settled.decisions,
                                          "transfers": settled.transfers})
    saved: Attendance = row
    return saved


def resettle(
    *, volunteer_ids: list[int], years: list[int], wide: Scope,
    corrected: list[tuple[str, int]] | None = None,
) -> Settled:
    """Lock, read and count again; ``wide`` is the service's own scope."""
    lock(volunteer_ids=volunteer_ids, by=wide)
    rules = rulebook.load()
    ledger = Ledger(rules=rules, volunteer_ids=volunteer_ids, by=wide)
    return settle(volunteer_ids=volunteer_ids, years=years, ledger=ledger, rules=rules, by=wide,
                  corrected=corrected or ())
