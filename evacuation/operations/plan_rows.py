"""What every act on a plan does alike: find and lock it, know the role, write its history.

Owns locking, the events of a plan's life and the guard against editors overwriting each other.
Refuses: a plan that is not visible (not found, in the same words), a stale version.
"""

from __future__ import annotations

from django.db.models import Max

from evacuation.domain.planning import PlanAct, PlanRole, PlanState, Step, move
from evacuation.models import Plan, PlanDestination, PlanEvent, PlanVersion
from evacuation.queries.plan_consents import making_agreed
from registry import audit
from registry.access import Scope
from registry.domain.errors import Conflict, NotFound
from registry.domain.roles import Permission
from registry.operations import staff


class PlanChanged(Conflict):
    """Somebody saved in between; the caller shows both sides."""

    code = "plan_changed_meanwhile"
    message = "ほかの人が先に保存しました。読みなおしてから、もう一度お願いします。"


def locked(*, plan_id: int, by: Scope) -> Plan:
    """The plan, locked.  Raises ``NotFound`` when it is not there or not visible."""
    row: Plan | None = (
        Plan.objects.visible_to(by).select_for_update().filter(pk=plan_id).first()
    )
    if row is None:
        raise NotFound
    return row


def open_version(*, plan: Plan, by: Scope) -> PlanVersion | None:
    """The version in work, if any."""
    row: PlanVersion | None = (
        PlanVersion.objects.visible_to(by).filter(plan=plan, approved_at__isnull=True).first()
    )
    return row


def last_approved(*, plan: Plan, by: Scope) -> PlanVersion | None:
    """The newest approved version, if any."""
    row: PlanVersion | None = (
        PlanVersion.objects.visible_to(by)
        .filter(plan=plan, approved_at__isnull=False).order_by("-number").first()
    )
    return row


def next_number(*, plan: Plan, by: Scope) -> int:
    """The number of the next version: 1, 2, 3 …"""
    found = PlanVersion.objects.visible_to(by).filter(plan=plan).aggregate(most=Max("number"))
    return int(found["most"] or 0) + 1


def role_of(by: Scope) -> PlanRole:
    """Who acts, as the state machine sees them; the approver only where they approve."""
    if by.system or by.may(Permission.SUPPORTERS_PROPOSE):
        return PlanRole.OFFICER
    return PlanRole.AUTHOR


def savers(version: PlanVersion) -> set[int]:
    """Everybody who wrote in this version: none of them may approve it."""
    meta = version.steps.get("_saved", {})
    return {version.author_id, *(int(one["by"]) for one in meta.values())}


def agreed(*, plan: Plan, by: Scope) -> bool:
    """Whether consent to making the plan is in force (R3)."""
    return plan.person_id in making_agreed(by, person_ids=[plan.person_id])


def take(
    *, plan: Plan, act: PlanAct, by: Scope, role: PlanRole | None = None,
    author: str = "", gaps: int = 0, reason: str = "", making: bool | None = None,
) -> None:
    """Move the plan by ``act`` and write the event.  Raises ``PlanRefused``, ``PlanForbidden``."""
    actor = staff.actor_id(by=by)
    after = move(PlanState(plan.state), act, Step(
        actor=str(actor), role=role or role_of(by), author=author,
        making_agreed=agreed(plan=plan, by=by) if making is None else making,
        gaps=gaps, reason=reason,
    ))
    plan.state = after.value
    plan.updated_at = by.at
    plan.version += 1
    plan.save(update_fields=["state", "updated_at", "version", "review_due_on", "review_cause",
                             "drafter"])
    PlanEvent(plan=plan, event=act.value, state_after=after.value, at=by.at, by_id=actor,
              note=reason[:500]).save(force_insert=True)
    audit.note(scope=by, kind="change", action=f"plans.{act.value}", subject_kind="plan",
               subject_id=plan.pk, person_id=plan.person_id, fields=["state"])


def give_places_back(*, plan: Plan, by: Scope, except_version: int | None = None) -> None:
    """End the places that versions of the plan hold at shelters."""
    rows = PlanDestination.objects.visible_to(by).filter(plan=plan, ended_at__isnull=True)
    if except_version is not None:
        rows = rows.exclude(version_id=except_version)
    rows.update(ended_at=by.at)
