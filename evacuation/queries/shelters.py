"""Shelters: what they are, how many places remain, and which suit a person for a hazard.

Owns reading shelters and counting taken places.  Places are counted over every plan, whoever
asks: the number is no secret, the people are (only counts leave here).  One place for one
hazard; the same person may name a shelter for several hazards.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Max, Q

from evacuation.domain.destinations import Spot
from evacuation.domain.plan_items import PlanHazard
from evacuation.models import PlanDestination, Shelter
from evacuation.queries.hazards import Hazards
from registry import access
from registry.access import Scope
from registry.domain.errors import NotFound
from registry.domain.roles import Permission


@dataclass(frozen=True)
class ShelterFact:
    """One shelter; ``taken`` per hazard; None where nobody knows."""

    id: int
    source_id: str
    name: str
    address: str
    longitude: float
    latitude: float
    east_m: float
    north_m: float
    is_welfare: bool
    admits_text: str
    safe_for: tuple[str, ...] | None
    join_state: str
    join_candidates: tuple[dict[str, Any], ...]
    capacity: int | None
    capacity_is_sample: bool
    special_places: dict[str, int]
    companions: int
    direct_evacuation: bool
    confirmation: str
    closed_on: str | None
    source: str
    version: int
    taken: dict[str, int]


def shelters(
    scope: Scope, *, ids: Iterable[int] | None = None, welfare: bool | None = None,
    doubtful: bool = False, include_closed: bool = False, text: str = "",
) -> list[ShelterFact]:
    """Shelters by name with taken places.  Two queries.  Raises ``Forbidden``."""
    scope.require(Permission.PLACES_VIEW)
    rows = Shelter.objects.order_by("name", "pk")
    if ids is not None:
        rows = rows.filter(pk__in=list(ids))
    if welfare is not None:
        rows = rows.filter(is_welfare=welfare)
    if doubtful:
        rows = rows.filter(join_state=Shelter.Join.DOUBTFUL)
    if not include_closed:
        rows = rows.filter(Q(closed_on__isnull=True) | Q(closed_on__gt=scope.on))
    if text.strip():
        rows = rows.filter(name__icontains=text.strip())
    used = taken(scope)
    return [_fact(row, used) for row in rows]


def shelter(scope: Scope, *, shelter_id: int) -> ShelterFact:
    """One shelter, closed ones too.  Raises ``Forbidden``, ``NotFound``."""
    found = shelters(scope, ids=[shelter_id], include_closed=True)
    if not found:
        raise NotFound
    return found[0]


def taken(
    scope: Scope, *, except_plan: int | None = None, shelter_id: int | None = None
) -> dict[tuple[int, str], int]:
    """(shelter id, hazard) → people whose plan, approved or in work, names it.

    A plan that is being revised counts once per shelter, with the larger number.
    """
    with access.system(at=scope.at, reason="places taken at shelters") as wide:
        rows = PlanDestination.objects.visible_to(wide).filter(ended_at__isnull=True)
        if except_plan is not None:
            rows = rows.exclude(plan_id=except_plan)
        if shelter_id is not None:
            rows = rows.filter(shelter_id=shelter_id)
        found: dict[tuple[int, str], int] = {}
        for place, hazard, people in (
            rows.values("shelter_id", "hazard", "plan_id").annotate(most=Max("people"))
            .values_list("shelter_id", "hazard", "most")
        ):
            found[place, hazard] = found.get((place, hazard), 0) + people
    return found


def spot(row: ShelterFact, hazard: PlanHazard, hazards: Hazards, *, used: int) -> Spot:
    """A shelter as ``destinations.judge`` reads it (metres of the plane zone)."""
    outside = hazards.outside(hazard, row.longitude, row.latitude)
    zones = (
        hazards.index.zones_for(hazard, row.longitude, row.latitude) if outside is False else ()
    )
    return Spot(
        row.id, row.east_m, row.north_m, outside, zones[0].label if zones else "",
        None if row.safe_for is None else hazard.value in row.safe_for, row.is_welfare,
        row.admits_text, row.direct_evacuation, row.confirmation == Shelter.Confirmation.CONFIRMED,
        row.capacity, used, row.special_places, row.companions,
    )


def _fact(row: Shelter, used: dict[tuple[int, str], int]) -> ShelterFact:
    return ShelterFact(
        row.pk, row.source_id, row.name, row.address, row.longitude, row.latitude,
        row.east_m, row.north_m, row.is_welfare, row.admits_text,
        None if row.safe_for is None else tuple(row.safe_for), row.join_state,
        tuple(row.join_candidates), row.capacity, row.capacity_is_sample,
        dict(row.special_places), row.companions, row.direct_evacuation, row.confirmation,
        row.closed_on.isoformat() if row.closed_on else None, row.source, row.version,
        {hazard.value: used.get((row.pk, hazard.value), 0) for hazard in PlanHazard},
    )
