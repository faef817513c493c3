"""A version as the domain judges it: stored steps + live supporters + consent → ``PlanDraft``.

Owns reading what the seven steps hold and what is still missing.  In a draft the supporters are
the live assignments; from submission on they are the ones written into the version.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evacuation.domain.plan_items import (
    PlanDestination,
    PlanDraft,
    PlanHazard,
    PlanStep,
    PlanSupporter,
)
from evacuation.models import Assignment, Plan
from registry import audit
from registry.access import Scope, day_of

LIVE = (Assignment.State.ASSIGNED, Assignment.State.ASKED, Assignment.State.CONSENTED)


@dataclass(frozen=True)
class NamedHelp:
    """One supporter of a person: the assignment and who it is."""

    assignment_id: int
    supporter_id: int
    position: int
    name: str
    relation: str
    role: str
    address: str
    phone: str
    hours: str
    state: str
    state_label: str
    agreed: bool

    def stored(self) -> dict[str, Any]:
        """As it is written into a version."""
        return {
            "supporter_id": self.supporter_id, "order": self.position, "name": self.name,
            "relation": self.relation, "role": self.role, "address": self.address,
            "phone": self.phone, "hours": self.hours, "agreed": self.agreed,
        }


HOURS = {"always": "昼も夜も", "day": "昼", "night": "夜"}


def helpers(scope: Scope, *, person_ids: Iterable[int]) -> dict[int, list[NamedHelp]]:
    """person id → supporters in order of calling; those who declined or ended are left out."""
    found: dict[int, list[NamedHelp]] = {}
    rows = Assignment.objects.visible_to(scope).filter(
        person_id__in=list(person_ids), state__in=LIVE
    )
    for row in rows.select_related("supporter").order_by("person_id", "position"):
        one = row.supporter
        kind = (
            "団体" if one.organisation_id else "ボランティア" if one.volunteer_id else "知人・家族"
        )
        found.setdefault(row.person_id, []).append(NamedHelp(
            row.pk, one.pk, row.position, one.name, kind, row.role, one.address, one.phone,
            HOURS.get(one.availability, one.availability), row.state,
            Assignment.State(row.state).label,
            row.state == Assignment.State.CONSENTED and one.consented_at is not None
            and one.left_on is None,
        ))
    return found


def helpers_of_plan(scope: Scope, *, plan: Plan) -> list[NamedHelp]:
    """The supporters of one person, by the plan; leaves a view record."""
    if not scope.system:
        audit.viewed(scope=scope, action="plans.supporters", people=[plan.person_id],
                     fields=["supporters"])
    return helpers(scope, person_ids=[plan.person_id]).get(plan.person_id, [])


def part(steps: dict[str, Any], step: PlanStep) -> dict[str, Any]:
    """The stored values of one step."""
    values: dict[str, Any] = steps.get(str(step.value), {})
    return values


def draft_of(
    steps: dict[str, Any], *, supporters: Iterable[dict[str, Any]],
    making_agreed_at: datetime | None, author: str,
) -> PlanDraft:
    """The draft that ``plan_items.missing`` judges."""
    one, two, three = (part(steps, s) for s in (PlanStep.PERSON, PlanStep.NEEDS, PlanStep.HOME))
    four, five, six = (
        part(steps, s) for s in (PlanStep.DESTINATION, PlanStep.SUPPORTERS, PlanStep.SIGNAL)
    )
    seven = part(steps, PlanStep.SUBMIT)
    at_home = None
    if three.get("hazards_checked"):
        at_home = frozenset(PlanHazard(zone["hazard"]) for zone in three.get("zones", []))
    return PlanDraft(
        making_agreed_on=day_of(making_agreed_at) if making_agreed_at else None,
        phone=one.get("phone") or one.get("other_contact") or "",
        emergency_contacts=tuple(
            f"{c.get('name', '')} {c.get('phone', '')}".strip()
            for c in one.get("emergency_contacts", [])
        ),
        needs_answered=bool(two.get("needs")) or bool(two.get("needs_none")),
        communication=two.get("communication", ""),
        power_device=bool(two.get("power_device")),
        power_minutes=two.get("power_minutes"),
        building=three.get("building", ""), bedroom=three.get("bedroom", ""),
        hazards_at_home=at_home,
        destinations=tuple(
            PlanDestination(PlanHazard(d["hazard"]), d.get("place", ""), d.get("route", ""),
                            d.get("transport", ""), d.get("minutes"), d.get("outside_zone"))
            for d in four.get("destinations", [])
        ),
        supporters=tuple(
            PlanSupporter(s["name"], s["phone"], s.get("role", ""), bool(s.get("agreed")))
            for s in supporters
        ),
        no_supporter_reason=five.get("no_supporter_reason", ""),
        trigger_level=six.get("trigger_level"), carry=tuple(six.get("carry", [])),
        author=author, read_back_to_person=bool(seven.get("read_back_to_person")),
    )
