"""Who shall help whom (支援者の割り当て): decide, ask, record the answer, end.

Owns the writers of ``Assignment``.  Refuses: more people than a supporter takes, a fourth
helper, one pair twice, asking anybody before the person consents to a plan (R3).  Nobody is
contacted by the service.
"""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from evacuation.models import Assignment, Proposal, RosterEntry
from evacuation.operations.supporters import (
    SupporterRefused,
    due,
    locked_supporter,
    record_consent,
)
from evacuation.queries.plan_consents import making_agreed
from evacuation.queries.plan_drafts import LIVE
from registry import audit
from registry.access import Scope
from registry.domain.errors import Conflict, NotFound
from registry.domain.roles import Permission
from registry.operations import staff
from registry.queries import people

MOST_HELPERS = 3


class SupporterBusy(Conflict):
    """The supporter takes no more people, or the place was taken meanwhile."""

    code = "supporter_full"
    message = "この支援者は、受け持てる人数いっぱいです。"


@transaction.atomic
def assign(
    *, person_id: int, supporter_id: int, by: Scope, position: int | None = None, role: str = "",
    run_id: int | None = None,
) -> Assignment:
    """Decide that a supporter shall be asked for a person (first free position by default).

    Nobody is contacted.  Raises ``NotFound``, ``SupporterRefused`` (not listed, pair or position
    held, three already), ``SupporterBusy``.
    """
    by.require(Permission.SUPPORTERS_PROPOSE)
    if person_id not in people.visible_ids(by, [person_id]):
        raise NotFound
    if not RosterEntry.objects.visible_to(by).filter(
        person_id=person_id, state=RosterEntry.State.LISTED
    ).exists():
        raise SupporterRefused(code="person_not_listed", message="名簿にのっていない方です。")
    row = locked_supporter(supporter_id, by)
    if row.left_on is not None and row.left_on <= by.on:
        raise NotFound
    held = list(Assignment.objects.visible_to(by).filter(person_id=person_id, state__in=LIVE))
    if any(one.supporter_id == supporter_id for one in held):
        raise SupporterRefused(code="supporter_already", message="すでにこの方の支援者です。")
    free = [n for n in range(1, MOST_HELPERS + 1) if n not in {one.position for one in held}]
    wanted = position if position is not None else (free[0] if free else 0)
    if wanted not in free:
        raise SupporterRefused(code="position_held", fields={
            "position": "この順番は決まっています（支援者は3人までです）。"})
    if load(supporter_id=supporter_id, by=by) >= row.capacity:
        raise SupporterBusy
    proposal = _proposal(person_id, supporter_id, run_id, by)
    made = Assignment(
        person_id=person_id, supporter=row, position=wanted, role=role.strip()[:40],
        state=Assignment.State.ASSIGNED, assigned_at=by.at, assigned_by_id=staff.actor_id(by=by),
        minutes=round(proposal.tenths / 10) if proposal else None,
        reasons=proposal.reasons if proposal else [],
    )
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError as error:
        raise SupporterBusy(
            "同時に別の支援者が決まりました。画面を開きなおしてください。"
        ) from error
    _note(made, "assign", by)
    return made


def _proposal(person: int, supporter: int, run: int | None, by: Scope) -> Proposal | None:
    rows = Proposal.objects.visible_to(by).filter(person_id=person, supporter_id=supporter)
    rows = rows.filter(run_id=run) if run is not None else rows
    found: Proposal | None = rows.order_by("-run_id").first()
    return found


@transaction.atomic
def ask(*, assignment_id: int, by: Scope) -> Assignment:
    """Note that the supporter has been asked; only after the person's own consent (R3)."""
    row = _assignment(assignment_id, by)
    if row.state != Assignment.State.ASSIGNED:
        raise SupporterRefused(code="assignment_state", message="すでにお願いしています。")
    if row.person_id not in making_agreed(by, person_ids=[row.person_id]):
        raise SupporterRefused(
            "本人が計画づくりに同意するまで、支援者へは連絡できません。", code="plan_no_consent"
        )
    row.state, row.asked_at, row.asked_by_id = (
        Assignment.State.ASKED, by.at, staff.actor_id(by=by))
    row.save(update_fields=["state", "asked_at", "asked_by"])
    _note(row, "ask", by)
    return row


@transaction.atomic
def record_answer(*, assignment_id: int, agreed: bool, by: Scope) -> Assignment:
    """The supporter's answer: 引き受けた or ことわった.

    An acceptance also records the consent to stand in the plan when there was none (R2).
    """
    row = _assignment(assignment_id, by)
    if row.state not in (Assignment.State.ASSIGNED, Assignment.State.ASKED):
        raise SupporterRefused(code="assignment_state", message="返事はすでに記録されています。")
    row.state = Assignment.State.CONSENTED if agreed else Assignment.State.DECLINED
    row.answered_at, row.answered_by_id = by.at, staff.actor_id(by=by)
    row.save(update_fields=["state", "answered_at", "answered_by"])
    _note(row, "answer_yes" if agreed else "answer_no", by)
    if agreed:
        supporter = locked_supporter(row.supporter_id, by)
        if supporter.consented_at is None:
            record_consent(supporter_id=supporter.pk, agreed=True, by=by)
    return row


@transaction.atomic
def end(*, assignment_id: int, reason: str, by: Scope) -> Assignment:
    """End an assignment, with a reason; an approved plan that names them is due for review."""
    row = _assignment(assignment_id, by)
    if row.state not in LIVE:
        raise SupporterRefused(code="assignment_state", message="すでに終わっています。")
    if not reason.strip():
        raise SupporterRefused(fields={"reason": "理由を入れてください。"})
    row.state, row.ended_at, row.end_reason = (
        Assignment.State.ENDED, by.at, reason.strip()[:120])
    row.save(update_fields=["state", "ended_at", "end_reason"])
    _note(row, "end", by)
    due(person_ids=[row.person_id], by=by)
    return row


def require_of(*, assignment_id: int, person_id: int, by: Scope) -> None:
    """Raise ``NotFound`` unless the assignment is this person's."""
    if not Assignment.objects.visible_to(by).filter(
        pk=assignment_id, person_id=person_id
    ).exists():
        raise NotFound


def load(*, supporter_id: int, by: Scope) -> int:
    """How many people a supporter helps or is to be asked for."""
    return int(Assignment.objects.visible_to(by).filter(
        supporter_id=supporter_id, state__in=LIVE).count())


def _assignment(assignment_id: int, by: Scope) -> Assignment:
    by.require(Permission.SUPPORTERS_PROPOSE)
    row: Assignment | None = (
        Assignment.objects.visible_to(by).select_for_update().filter(pk=assignment_id).first()
    )
    if row is None:
        raise NotFound
    return row


def _note(row: Assignment, what: str, by: Scope) -> None:
    detail: dict[str, Any] = {"supporter": row.supporter_id, "position": row.position}
    audit.note(scope=by, kind="change", action=f"supporters.{what}", subject_kind="assignment",
               subject_id=row.pk, person_id=row.person_id, fields=["supporter"], detail=detail)
