"""Which shelters one can choose for a plan, hazard by hazard, with reasons and places left.

Owns the list of step 4.  The order is a first guess; the person and the planner choose.
Refused ones near by are shown as refused, so that nobody wonders where they went.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evacuation.domain import destinations as choosing
from evacuation.domain.plan_items import PlanHazard, PlanStep
from evacuation.queries.hazards import in_force
from evacuation.queries.plan_drafts import part
from evacuation.queries.plans import shown_version, visible_plan
from evacuation.queries.shelters import shelters, spot, taken
from registry.access import Scope
from registry.domain.errors import NotFound
from registry.queries import people


@dataclass(frozen=True)
class DestinationOption:
    """One shelter to choose: ``refused`` is "" or why not; ``left`` None where unknown."""

    shelter_id: int
    rank: int
    name: str
    kind_label: str
    address: str
    longitude: float
    latitude: float
    metres: float
    minutes: int
    capacity: int | None
    taken: int
    left: int | None
    capacity_is_sample: bool
    reasons: tuple[tuple[str, str, str], ...]
    refused: str
    checked: bool


def destinations(
    scope: Scope, *, plan_id: int, hazard: str, limit: int = 8, text: str = ""
) -> list[DestinationOption]:
    """Shelters for one hazard, ○△× and places left; the order is a first guess, people choose.

    The chosen one is always in the list, with shelters inside the zone at the end as refused.
    Without a known home the distance is not judged: the list is empty and the text finds by
    name.  Raises ``Forbidden``, ``NotFound``.
    """
    plan = visible_plan(scope, plan_id)
    which = next((one for one in PlanHazard if one.value == hazard), None)
    if which is None:
        raise NotFound
    shown = shown_version(scope, plan)
    steps = shown.steps if shown else {}
    needs, chosen = part(steps, PlanStep.NEEDS), part(steps, PlanStep.DESTINATION)
    mine: dict[str, Any] = next(
        (d for d in chosen.get("destinations", []) if d["hazard"] == hazard), {}
    )
    place = people.places(scope, person_ids=[plan.person_id], action="plans.destinations").get(
        plan.person_id)
    rows = {row.id: row for row in shelters(scope, text=text)}
    if place is None:
        rows = {key: row for key, row in rows.items() if text or key == mine.get("shelter_id")}
    wish = choosing.wish_of(
        which, place.east_m if place else 0.0, place.north_m if place else 0.0,
        needs.get("needs", []), uncertainty=float(place.uncertainty_m if place else 0),
        people=1 + int(mine.get("companions") or 0),
        power_device=bool(needs.get("power_device")),
    )
    hazards, used = in_force(), taken(scope, except_plan=plan.pk)
    judged = choosing.order(
        choosing.judge(wish, spot(row, which, hazards, used=used.get((row.id, hazard), 0)))
        for row in rows.values()
    )
    nearest = {one.key for one in sorted(judged, key=lambda j: j.metres)[:3]}
    kept = [one for at, one in enumerate(judged)
            if at < limit or one.key == mine.get("shelter_id") or (one.refused
                                                                  and one.key in nearest)]
    return [
        DestinationOption(
            row.id, rank, row.name, "福祉避難所" if row.is_welfare else "", row.address,
            row.longitude, row.latitude, one.metres, one.minutes, row.capacity,
            used.get((row.id, hazard), 0), one.left, row.capacity_is_sample,
            tuple((r.mark.value, r.code, r.words) for r in one.reasons), one.refused,
            row.id == mine.get("shelter_id"),
        )
        for rank, one in enumerate(kept, start=1) for row in (rows[one.key],)
    ]
