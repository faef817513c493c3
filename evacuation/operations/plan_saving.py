"""Saving one step of a plan; two editors never overwrite each other.

Owns ``save_step``: cleaned values, the zones at home frozen into the plan, destinations checked
against zones and places left.  Refuses: a step that somebody else saved since it was opened
(both sides are shown), a destination inside the zone of its own hazard, a full shelter, a
submitted plan.  screens.md, "Forms".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.db import transaction

from evacuation.domain import plan_steps
from evacuation.domain.hazards import HazardRefused
from evacuation.domain.plan_items import PlanHazard, PlanStep
from evacuation.domain.plan_steps import Difference
from evacuation.domain.planning import PlanAct, PlanRefused, PlanState
from evacuation.models import Plan, PlanDestination, PlanVersion, Shelter
from evacuation.operations import plan_rows
from evacuation.operations.plan_rows import PlanChanged, locked
from evacuation.queries.hazards import in_force, zone_fact
from evacuation.queries.shelters import taken
from registry import audit
from registry.access import Scope
from registry.domain.errors import Refused
from registry.domain.roles import Permission
from registry.operations import staff
from registry.queries import accounts, people


class StepConflict(PlanChanged):
    """Two editors wrote the same step.  ``differences`` hold both sides, ``by_name`` and ``at``
    say who was first; ``version`` is the number to save with once a person has chosen."""

    code = "plan_step_conflict"

    def __init__(
        self, *, differences: tuple[Difference, ...], by_name: str, at: str, version: int
    ) -> None:
        super().__init__()
        self.differences, self.by_name, self.at = differences, by_name, at
        self.version = version


class ShelterFull(Refused):
    """No place is left at the shelter for this hazard."""

    code = "shelter_full"
    message = "この避難先の要配慮者の枠は満員です。ほかの避難先を選んでください。"


@transaction.atomic
def save_step(
    *, plan_id: int, step: int, values: Mapping[str, Any], version: int, by: Scope
) -> PlanVersion:
    """Save the values of one step (1–7) of the version in work.

    ``version`` is the ``edit_version`` that the editor opened.  Another step saved meanwhile by
    somebody else is no conflict; the same step with other values is.  A field that is not sent
    is kept.  A returned plan becomes a draft again.
    Raises ``NotFound``, ``Forbidden``, ``StepConflict``, ``StepRefused``, ``PlanRefused``,
    ``HazardRefused`` (``destination_in_zone``), ``ShelterFull``.
    """
    by.require(Permission.PLAN_DRAFT)
    which = _step(step)
    plan = locked(plan_id=plan_id, by=by)
    draft = plan_rows.open_version(plan=plan, by=by)
    if draft is None or plan.state not in (PlanState.DRAFT, PlanState.RETURNED):
        raise PlanRefused(
            f"「{PlanState(plan.state).label}」の計画は書きかえられません。",
            code="plan_not_in_work",
        )
    mine = plan_steps.cleaned(which, values)
    key = str(which.value)
    stored: dict[str, Any] = dict(draft.steps.get(key, {}))
    _guard(draft, which, mine, stored, version)
    if plan.state == PlanState.RETURNED:
        plan_rows.take(plan=plan, act=PlanAct.BEGIN, by=by)
    if which is PlanStep.DESTINATION and "destinations" in mine:
        mine["destinations"] = take_places(
            plan=plan, draft=draft, wanted=mine["destinations"], by=by
        )
    after = {**stored, **mine}
    if which is PlanStep.HOME and after.get("hazards_checked"):
        after |= _at_home(plan, by)
    changed = sorted(name for name, value in after.items() if stored.get(name) != value)
    draft.edit_version += 1
    saved = {**draft.steps.get("_saved", {}), key: {
        "version": draft.edit_version, "by": staff.actor_id(by=by), "at": by.at.isoformat(),
    }}
    draft.steps = {**draft.steps, key: after, "_saved": saved}
    draft.saved_at = by.at
    draft.save(update_fields=["steps", "saved_at", "edit_version"])
    audit.note(scope=by, kind="change", action="plans.save_step", subject_kind="plan",
               subject_id=plan.pk, person_id=plan.person_id, fields=changed,
               detail={"step": which.value})
    return draft


def _step(number: int) -> PlanStep:
    try:
        return PlanStep(number)
    except ValueError:
        raise PlanRefused("手順は1から7までです。", code="plan_step_unknown") from None


def _guard(
    draft: PlanVersion, step: PlanStep, mine: dict[str, Any], stored: dict[str, Any], version: int
) -> None:
    last = draft.steps.get("_saved", {}).get(str(step.value))
    if version > draft.edit_version:
        raise PlanChanged
    if last is None or int(last["version"]) <= version:
        return
    found = plan_steps.differences(step, _comparable(mine), _comparable(stored))
    if found:
        author = int(last["by"])
        raise StepConflict(
            differences=found, by_name=accounts.display_names({author}).get(author, ""),
            at=str(last["at"]), version=draft.edit_version,
        )


def _comparable(values: dict[str, Any]) -> dict[str, Any]:
    """Destinations without what the service wrote into them, so that equal choices are equal."""
    if "destinations" not in values:
        return values
    names = [field.name for field in plan_steps.DESTINATION_FIELDS]
    rows = [
        {"hazard": d["hazard"], "shelter_id": d["shelter_id"],
         **{name: d[name] for name in names if d.get(name)}}
        for d in values["destinations"]
    ]
    return {**values, "destinations": rows}


def _at_home(plan: Plan, by: Scope) -> dict[str, Any]:
    """The zones at home, frozen with their labels: the map may change, the plan says when."""
    place = people.places(by, person_ids=[plan.person_id], action="plans.home").get(plan.person_id)
    hazards = in_force()
    if place is None:
        return {"zones": [], "place_known": False, "sources": list(hazards.sources)}
    worst = hazards.index.worst(
        place.longitude, place.latitude, uncertainty_m=place.uncertainty_m
    )
    return {
        "zones": [asdict(zone_fact(area)) for area in worst.values()], "place_known": True,
        "uncertainty_m": place.uncertainty_m, "sources": list(hazards.sources),
        "covered": sorted(hazard.value for hazard in hazards.covered),
    }


def take_places(
    *, plan: Plan, draft: PlanVersion, wanted: list[dict[str, Any]], by: Scope
) -> list[dict[str, Any]]:
    """Take the places: shelters locked in order, zones and room checked, names frozen."""
    ids = sorted({one["shelter_id"] for one in wanted})
    rows = {
        row.pk: row
        for row in Shelter.objects.select_for_update().filter(pk__in=ids).order_by("pk")
        if row.closed_on is None or row.closed_on > by.on
    }
    hazards, kept, used = in_force(), [], taken(by, except_plan=plan.pk)
    for at, one in enumerate(wanted):
        shelter = rows.get(one["shelter_id"])
        where = f"destinations[{at}].shelter_id"
        if shelter is None:
            raise plan_steps.StepRefused(fields={where: "使われている避難先を選んでください。"})
        hazard = PlanHazard(one["hazard"])
        try:
            hazards.index.require_outside(hazard, shelter.longitude, shelter.latitude)
        except HazardRefused as error:
            raise HazardRefused(
                error.message, code=error.code, fields={where: error.message}
            ) from error
        number = 1 + int(one.get("companions") or 0)
        there = used.get((shelter.pk, hazard.value), 0)
        if shelter.capacity is not None and there + number > shelter.capacity:
            raise ShelterFull(fields={where: ShelterFull.message})
        kept.append({
            **one, "place": shelter.name, "address": shelter.address,
            "longitude": shelter.longitude, "latitude": shelter.latitude,
            "outside_zone": hazards.outside(hazard, shelter.longitude, shelter.latitude),
        })
    mine = PlanDestination.objects.visible_to(by).filter(version=draft)
    there_now = {row.hazard: row for row in mine}
    for hazard_key, row in there_now.items():
        if hazard_key not in {one["hazard"] for one in kept}:
            row.delete()
    for one in kept:
        row = there_now.get(one["hazard"]) or PlanDestination(
            plan=plan, version=draft, hazard=one["hazard"])
        row.shelter_id, row.people = one["shelter_id"], 1 + int(one.get("companions") or 0)
        row.ended_at = None
        row.save()
    return kept


def check_destinations(draft: PlanVersion) -> None:
    """Refuse when a destination lies in a zone of its hazard by today's map."""
    hazards = in_force()
    for one in draft.steps.get("4", {}).get("destinations", []):
        hazards.index.require_outside(
            PlanHazard(one["hazard"]), one["longitude"], one["latitude"]
        )
