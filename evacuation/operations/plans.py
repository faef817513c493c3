"""The life of a plan (個別避難計画): start, revise, submit, return, approve, withdraw.

Owns every change of state.  Refuses: making without consent (R3), submitting with gaps,
approving what one has written, a destination that has come to lie in a zone, any change to an
approved version (the database holds that too).  The printed sheet is made afterwards by a
worker, outside this transaction.  災害対策基本法 第49条の14.
"""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from evacuation.domain.needs import NeedTag
from evacuation.domain.plan_items import PlanStep, missing
from evacuation.domain.planning import PlanAct, PlanRefused, PlanRole, PlanState, next_review_on
from evacuation.models import Plan, PlanDestination, PlanVersion, RosterEntry
from evacuation.operations import plan_rows
from evacuation.operations.plan_rows import PlanChanged, give_places_back, locked, take
from evacuation.operations.plan_saving import check_destinations, take_places
from evacuation.queries.plan_consents import making_agreed
from evacuation.queries.plan_drafts import draft_of, helpers
from registry import outbox
from registry.access import Scope
from registry.domain.errors import NotFound, Refused
from registry.domain.roles import Permission
from registry.operations import staff
from registry.queries import accounts, people


class NotListed(Refused):
    """Plans are made for people on the roster."""

    code = "person_not_listed"
    message = "避難行動要支援者名簿にのっていない方です。先に名簿への登載を確かめてください。"


@transaction.atomic
def start(*, person_id: int, by: Scope, drafter_id: int | None = None) -> Plan:
    """Open the plan of a listed person and move it as far as the facts allow.

    Without consent to making it waits there (R3).  An officer becomes the drafter, or names one
    (``drafter_id``, e.g. the care manager).  Again is no error: it goes on from where it is.
    Raises ``Forbidden``, ``NotFound``, ``NotListed``.
    """
    by.require(Permission.PLAN_DRAFT)
    if person_id not in people.visible_ids(by, [person_id]):
        raise NotFound
    entry = RosterEntry.objects.visible_to(by).filter(person_id=person_id).first()
    if entry is None or entry.state != RosterEntry.State.LISTED:
        raise NotListed
    plan = Plan.objects.visible_to(by).select_for_update().filter(person_id=person_id).first()
    if plan is None:
        plan = _new(entry, by)
    return _advance(plan, entry, by, drafter_id)


def _new(entry: RosterEntry, by: Scope) -> Plan:
    plan = Plan(person_id=entry.person_id, state=PlanState.NOT_STARTED, updated_at=by.at,
                number=f"K-{entry.number}")
    try:
        with transaction.atomic():
            plan.save(force_insert=True)
    except IntegrityError as error:
        raise PlanChanged from error
    take(plan=plan, act=PlanAct.ASK_CONSENT, by=by)
    return plan


def _advance(plan: Plan, entry: RosterEntry, by: Scope, drafter_id: int | None) -> Plan:
    actor = staff.actor_id(by=by)
    officer = plan_rows.role_of(by) is PlanRole.OFFICER
    if plan.state == PlanState.WITHDRAWN and officer:
        take(plan=plan, act=PlanAct.REOPEN, by=by)
    if plan.state == PlanState.CONSENT_ASKED and plan_rows.agreed(plan=plan, by=by):
        take(plan=plan, act=PlanAct.RECORD_CONSENT, by=by)
    if officer and (
        plan.state == PlanState.CONSENTED
        or (plan.state == PlanState.ASSIGNED and drafter_id is not None)
    ):
        if drafter_id is not None and accounts.active_user_by_id(drafter_id) is None:
            raise PlanRefused(fields={"drafter_id": "作成を受け持つ人を選んでください。"})
        plan.drafter_id = drafter_id or actor
        take(plan=plan, act=PlanAct.ASSIGN, by=by)
    if plan.state == PlanState.ASSIGNED and plan.drafter_id == actor:
        take(plan=plan, act=PlanAct.BEGIN, by=by)
        if plan_rows.open_version(plan=plan, by=by) is None:
            _version(plan, _prefilled(entry, by), by)
    return plan


def _version(plan: Plan, steps: dict[str, Any], by: Scope) -> PlanVersion:
    version = PlanVersion(
        plan=plan, number=plan_rows.next_number(plan=plan, by=by), steps=steps,
        author_id=staff.actor_id(by=by), saved_at=by.at,
    )
    version.save(force_insert=True)
    return version


def _prefilled(entry: RosterEntry, by: Scope) -> dict[str, Any]:
    """What the roster knows already, so that nobody types it again."""
    person = people.person_page(by, person_id=entry.person_id, action="plans.prefill")
    known = {tag.value for tag in NeedTag}
    contacts = [{
        "name": entry.contact_name, "relation": entry.contact_relation,
        "phone": entry.contact_phone,
    }] if entry.contact_name else []
    return {
        "1": {"phone": person.phone, "emergency_contacts": contacts},
        "2": {"needs": [need for need in entry.needs if need in known],
              "communication": entry.communication, "power_device": bool(entry.devices),
              "equipment": "、".join(str(device) for device in entry.devices)},
        "3": {"bedroom": entry.bedroom},
    }


@transaction.atomic
def revise(*, plan_id: int, by: Scope) -> Plan:
    """Open the next version of an approved plan, beginning with what the last one says."""
    by.require(Permission.PLAN_DRAFT)
    plan = locked(plan_id=plan_id, by=by)
    last = plan_rows.last_approved(plan=plan, by=by)
    take(plan=plan, act=PlanAct.REVISE, by=by)
    if last is None:
        raise PlanRefused
    steps = {key: dict(value) for key, value in last.steps.items() if key != "_saved"}
    steps["7"] = {}
    version = _version(plan, steps, by)
    PlanDestination.objects.visible_to(by).bulk_create([
        PlanDestination(plan=plan, version=version, hazard=row.hazard, shelter_id=row.shelter_id,
                        people=row.people)
        for row in PlanDestination.objects.visible_to(by).filter(
            version=last, ended_at__isnull=True)
    ])
    return plan


def _ready(plan: Plan, version: PlanVersion, by: Scope) -> tuple[list[dict[str, Any]], int, bool]:
    """Supporters as stored, the number of gaps, and whether making is agreed."""
    named = [h.stored() for h in helpers(by, person_ids=[plan.person_id]).get(plan.person_id, [])]
    making = making_agreed(by, person_ids=[plan.person_id]).get(plan.person_id)
    author = accounts.display_names({version.author_id}).get(version.author_id, "")
    gaps = missing(draft_of(version.steps, supporters=named, making_agreed_at=making,
                            author=author))
    return named, len(gaps), making is not None


@transaction.atomic
def submit(*, plan_id: int, version: int, by: Scope) -> Plan:
    """Hand the draft in for approval; the supporters of this moment are written into it.

    Raises ``NotFound``, ``PlanChanged`` (stale ``version``), ``PlanRefused``
    (``plan_items_missing``, ``plan_no_consent``), ``HazardRefused`` (``destination_in_zone``).
    """
    by.require(Permission.PLAN_DRAFT)
    plan = locked(plan_id=plan_id, by=by)
    draft = _open(plan, version, by)
    named, gaps, making = _ready(plan, draft, by)
    take(plan=plan, act=PlanAct.SUBMIT, by=by, gaps=gaps, making=making)
    four, five = draft.steps.get("4", {}), {**draft.steps.get("5", {}), "supporters": named}
    places = take_places(plan=plan, draft=draft, wanted=four.get("destinations", []), by=by)
    draft.steps = {**draft.steps, "4": {**four, "destinations": places}, "5": five}
    draft.submitted_at, draft.submitted_by_id = by.at, staff.actor_id(by=by)
    draft.return_reason, draft.edit_version = "", draft.edit_version + 1
    draft.written_way = draft.steps.get(str(PlanStep.SUBMIT.value), {}).get(
        "written_way", draft.written_way)
    draft.save()
    return plan


@transaction.atomic
def return_(*, plan_id: int, reason: str, version: int, by: Scope) -> Plan:
    """Send a submitted plan back with a reason (差し戻し)."""
    by.require(Permission.PLAN_APPROVE)
    plan = locked(plan_id=plan_id, by=by)
    draft = _open(plan, version, by)
    take(plan=plan, act=PlanAct.RETURN, by=by, role=PlanRole.APPROVER,
         author=_writer(draft, by), reason=reason)
    draft.submitted_at = draft.submitted_by = None
    draft.return_reason, draft.edit_version = reason.strip()[:500], draft.edit_version + 1
    draft.save()
    return plan


@transaction.atomic
def approve(*, plan_id: int, version: int, by: Scope) -> Plan:
    """Approve a submitted plan: the version is frozen and numbered, its sheet is printed.

    Raises ``NotFound``, ``PlanChanged``, ``PlanRefused`` (``plan_self_approval`` for anybody who
    wrote in it, ``plan_no_consent``, ``plan_items_missing``), ``HazardRefused``.
    Outbox ``evacuation.print_plan`` renders the sheet outside the transaction.
    """
    by.require(Permission.PLAN_APPROVE)
    plan = locked(plan_id=plan_id, by=by)
    draft = _open(plan, version, by)
    _, gaps, making = _ready(plan, draft, by)
    check_destinations(draft)
    plan.review_due_on, plan.review_cause = next_review_on(by.on, ()), ""
    take(plan=plan, act=PlanAct.APPROVE, by=by, role=PlanRole.APPROVER,
         author=_writer(draft, by), gaps=gaps, making=making)
    draft.approved_at, draft.approved_by_id = by.at, staff.actor_id(by=by)
    draft.edit_version += 1
    draft.save()
    give_places_back(plan=plan, by=by, except_version=draft.pk)
    outbox.put(kind="evacuation.print_plan", subject_id=draft.pk, at=by.at,
               dedupe_key=f"print_plan:{draft.pk}")
    return plan


def _writer(version: PlanVersion, by: Scope) -> str:
    """Whom the actor must not be: the actor's own id when they wrote in this version."""
    actor = staff.actor_id(by=by)
    wrote = plan_rows.savers(version) | {version.submitted_by_id or 0}
    return str(actor) if actor in wrote else str(version.author_id)


@transaction.atomic
def withdraw(*, plan_id: int, reason: str, by: Scope) -> Plan:
    """Take a plan back (取り下げ), with a reason; its places at shelters become free."""
    by.require(Permission.PLAN_DRAFT)
    plan = locked(plan_id=plan_id, by=by)
    plan.review_due_on, plan.review_cause = None, ""
    take(plan=plan, act=PlanAct.WITHDRAW, by=by, reason=reason)
    draft = plan_rows.open_version(plan=plan, by=by)
    if draft is not None and draft.submitted_at is not None:
        draft.submitted_at = draft.submitted_by = None
        draft.save(update_fields=["submitted_at", "submitted_by"])
    give_places_back(plan=plan, by=by)
    return plan


@transaction.atomic
def mark_shared(*, person_ids: list[int], by: Scope) -> int:
    """Approved plans that have just left in an edition become 共有ずみ; returns how many."""
    count = 0
    rows = Plan.objects.visible_to(by).select_for_update().filter(
        person_id__in=person_ids, state=PlanState.APPROVED
    )
    for plan in rows.order_by("pk"):
        take(plan=plan, act=PlanAct.SHARE, by=by, making=True,
             role=PlanRole.SYSTEM if by.system else None)
        count += 1
    return count


def _open(plan: Plan, version: int, by: Scope) -> PlanVersion:
    draft = plan_rows.open_version(plan=plan, by=by)
    if draft is None:
        raise PlanRefused
    if draft.edit_version != version:
        raise PlanChanged
    return draft

