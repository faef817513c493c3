"""Reviews (見直し): when an approved plan must be looked at again, and why.

Owns moving plans to 見直しの時期: a year after approval, and at once on a move, a change of care
level, a facility, a supporter who leaves, a closed shelter, a new hazard map.  Refuses to touch
drafts: who works on a plan sees the facts anyway.  取組指針 (計画の更新).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from evacuation.domain.plan_items import PlanHazard
from evacuation.domain.planning import PlanAct, PlanRole, PlanState, ReviewCause
from evacuation.models import Plan, PlanDestination, PlanVersion
from evacuation.operations.plan_rows import take
from evacuation.queries.hazards import in_force
from registry import access, outbox
from registry.access import Scope
from registry.domain.importing.consequences import EventKind
from registry.queries import people

STANDING = (PlanState.APPROVED, PlanState.SHARED)
#: What an import notices about a person → why the plan is looked at again.
EVENTS: Mapping[str, ReviewCause] = {
    EventKind.MOVED_WITHIN: ReviewCause.MOVED,
    EventKind.MOVED_OUT: ReviewCause.MOVED,
    EventKind.CARE_CHANGED: ReviewCause.CARE_LEVEL_CHANGED,
    EventKind.FACILITY_ENTERED: ReviewCause.FACILITY,
    EventKind.FACILITY_LEFT: ReviewCause.FACILITY,
}


@transaction.atomic
def fall_due(*, plan_ids: Iterable[int], cause: ReviewCause, by: Scope) -> int:
    """Mark standing plans for review because of ``cause``; returns how many moved."""
    count = 0
    rows = Plan.objects.visible_to(by).select_for_update().filter(
        pk__in=list(plan_ids), state__in=STANDING
    )
    for plan in rows.order_by("pk"):
        plan.review_cause = cause.value
        plan.review_due_on = min(plan.review_due_on or by.on, by.on)
        take(plan=plan, act=PlanAct.FALL_DUE, by=by, making=True, reason=cause.label,
             role=PlanRole.SYSTEM if by.system else None)
        count += 1
    return count


def fall_due_today(*, by: Scope) -> int:
    """The daily look: plans whose year is over.  For the service's own scope."""
    ids = Plan.objects.visible_to(by).filter(state__in=STANDING, review_due_on__lte=by.on)
    return fall_due(plan_ids=list(ids.values_list("pk", flat=True)), cause=ReviewCause.ANNUAL,
                    by=by)


def after_shelter_closed(*, shelter_id: int, by: Scope) -> int:
    """Plans that name a shelter which is closed now."""
    ids = PlanDestination.objects.visible_to(by).filter(
        shelter_id=shelter_id, ended_at__isnull=True, shelter__closed_on__isnull=False
    )
    return fall_due(plan_ids=list(ids.values_list("plan_id", flat=True)),
                    cause=ReviewCause.SHELTER_CLOSED, by=by)


def after_new_zones(*, by: Scope) -> int:
    """Plans whose home or destination stands differently to the zones of the new map."""
    hazards = in_force()
    hit: set[int] = set()
    rows = PlanDestination.objects.visible_to(by).filter(
        ended_at__isnull=True, plan__state__in=STANDING
    )
    for plan, hazard, lon, lat in rows.values_list(
        "plan_id", "hazard", "shelter__longitude", "shelter__latitude"
    ):
        if hazards.outside(PlanHazard(hazard), lon, lat) is False:
            hit.add(plan)
    hit |= _homes_changed(by)
    return fall_due(plan_ids=hit, cause=ReviewCause.NEW_HAZARD_MAP, by=by)


def _homes_changed(by: Scope) -> set[int]:
    """Plans whose frozen zones at home are not those of the map in force."""
    hazards, hit = in_force(), set()
    newest: dict[int, tuple[int, dict[str, object]]] = {}
    rows = PlanVersion.objects.visible_to(by).filter(
        Q(approved_at__isnull=False), plan__state__in=STANDING
    )
    for plan, person, steps in rows.order_by("number").values_list(
        "plan_id", "plan__person_id", "steps"
    ):
        newest[plan] = (person, steps.get("3", {}))
    places = people.places(by, person_ids=[person for person, _ in newest.values()])
    for plan, (person, home) in newest.items():
        place = places.get(person)
        zones = home.get("zones")
        if place is None or not isinstance(zones, list):
            continue
        before = {(zone["kind"], zone["rank"]) for zone in zones}
        now = hazards.index.worst(place.longitude, place.latitude,
                                  uncertainty_m=place.uncertainty_m)
        if before != {(kind.value, area.rank) for kind, area in now.items()}:
            hit.add(plan)
    return hit


def after_events(*, events: Iterable[tuple[int, str]], by: Scope) -> int:
    """(person id, kind of event) an import noticed → their plans are due."""
    count, noticed = 0, list(events)
    for cause in ReviewCause:
        ids = [person for person, kind in noticed if EVENTS.get(kind) is cause]
        if ids:
            plans = Plan.objects.visible_to(by).filter(person_id__in=ids)
            count += fall_due(plan_ids=list(plans.values_list("pk", flat=True)), cause=cause,
                              by=by)
    return count


def shelter_closed(claimed: outbox.Claimed, at: datetime) -> None:
    """Worker: ``evacuation.review_shelter``."""
    with access.system(at=at, reason="plan reviews") as wide:
        after_shelter_closed(shelter_id=claimed.subject_id or 0, by=wide)
        claimed.finish(at)


def zones_changed(claimed: outbox.Claimed, at: datetime) -> None:
    """Worker: ``evacuation.review_hazards``."""
    with access.system(at=at, reason="plan reviews") as wide:
        after_new_zones(by=wide)
        claimed.finish(at)


def day_began(claimed: outbox.Claimed, at: datetime) -> None:
    """Worker: ``evacuation.review_due``, once a day."""
    with access.system(at=at, reason="plan reviews") as wide:
        fall_due_today(by=wide)
        claimed.finish(at)
