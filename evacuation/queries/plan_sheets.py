"""The two-page sheet of a plan as values: what one reader may have, ready for paper.

Owns the filtering of a plan into ``documents.PlanSheet`` and the look-up of the stored file.
The city's own sheet is whole; a sheet for a recipient obeys R2 (everybody consents) and R8
(no diagnosis, no grade; columns of that kind).  Opening one leaves a view record with the
purpose.  Refuses a recipient whose kind never gets plans.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.conf import settings

from evacuation.documents.plan_values import PlanDestination, PlanSheet, PlanSupporter
from evacuation.documents.values import Contact
from evacuation.domain.needs import NeedTag, internal_words, plain_words, revealing_terms
from evacuation.domain.plan_items import PlanHazard
from evacuation.domain.recipients import COLUMN_RULES, Column, RecipientKind
from evacuation.models import PlanPrint, PlanVersion
from evacuation.queries.maps import paper_map
from evacuation.queries.plan_cards import card_facts
from evacuation.queries.plans import PlanHub, hub
from registry.access import Scope, day_of
from registry.domain.calendar import age_at, format_date
from registry.domain.errors import Refused
from registry.queries import people
from registry.sealing import fetch

SEX = {"male": "男", "female": "女"}


class PlanNotForThem(Refused):
    """This recipient may not have this plan (R2, R8)."""

    code = "plan_not_for_recipient"
    message = "この提供先には、この計画を渡せません。"


@dataclass(frozen=True)
class Sheet:
    """A sheet to be printed: ``pdf`` when it is stored already, else the values to render."""

    plan_id: int
    version: int
    values: PlanSheet
    created_at: datetime
    pdf: bytes | None


def print_context(version_id: int) -> str:
    """The context that seals the stored sheet of a version."""
    return f"plan-print:{version_id}"


def sheet(
    scope: Scope, *, plan_id: int, version: int | None = None,
    kind: RecipientKind | None = None,
) -> Sheet:
    """The sheet of a version (the newest by default), for the city or one kind of recipient.

    Raises ``Forbidden``, ``NotFound``, ``PlanNotForThem``.  Rendering belongs outside the
    transaction: ``operations.plan_sheets.rendered``.
    """
    found = hub(scope, plan_id=plan_id, version=version, action="plans.sheet")
    made_at = found.approved_at or found.saved_at or scope.at
    values = _values(scope, found)
    if kind is not None:
        return Sheet(plan_id, found.version_number, _for(scope, found, values, kind), made_at, None)
    row = None
    if found.approved_at is not None:
        row = PlanPrint.objects.visible_to(scope).filter(
            version__plan_id=plan_id, version__number=found.version_number).first()
    pdf = fetch(row.address, context=print_context(row.version_id)) if row is not None else None
    return Sheet(plan_id, found.version_number, values, made_at, pdf)


def sheet_of_version(scope: Scope, *, version_id: int) -> Sheet | None:
    """The values of an approved version for the worker; None when it is printed already."""
    row = PlanVersion.objects.visible_to(scope).select_related("plan").get(pk=version_id)
    if PlanPrint.objects.visible_to(scope).filter(version_id=version_id).exists():
        return None
    found = hub(scope, plan_id=row.plan_id, version=row.number, action="plans.print")
    return Sheet(row.plan_id, row.number, _values(scope, found), row.approved_at or scope.at, None)


def _day(at: datetime | None) -> str:
    return format_date(day_of(at)) if at is not None else ""


def _values(scope: Scope, found: PlanHub) -> PlanSheet:
    one, two, three, four, five, six, seven = (found.values[n] for n in range(1, 8))
    person = found.person
    place = people.places(scope, person_ids=[person.id], action="plans.sheet").get(person.id)
    tags = [NeedTag(t) for t in two.get("needs", [])]
    supporters = five.get("supporters") if not found.in_work else None
    named = supporters if supporters is not None else [h.stored() for h in found.supporters]
    trigger = f"警戒レベル{six['trigger_level']}" if six.get("trigger_level") else ""
    if six.get("trigger_level") == 3:
        trigger += " 高齢者等避難"
    return PlanSheet(
        municipality=settings.CITY_NAME, plan_number=found.number,
        version=f"第{found.version_number}版", state=found.state_label,
        made_on=_day(found.submitted_at or found.saved_at), author=found.author,
        approved_on=_day(found.approved_at),
        next_review=format_date(found.review_due_on) if found.review_due_on else "",
        drill=six.get("drill_on") or "", office="危機管理担当", phone_office=settings.HELP_PHONE,
        printed_on=_day(found.approved_at or found.saved_at or scope.at), sample=settings.DEMO,
        name=person.name, kana=person.kana,
        birth=format_date(person.born_on) if person.born_on else "",
        age=f"{age_at(person.born_on, day_of(found.approved_at or scope.at))}歳"
        if person.born_on else "",
        sex=SEX.get(person.sex, ""), address=" ".join(filter(None, (person.address,
                                                                    person.building))),
        phone=one.get("phone", ""), other_contact=one.get("other_contact", ""),
        neighbourhood=" ".join(filter(None, (person.area_name or "", person.section and
                                             f"{person.section}班"))),
        care_manager=one.get("care_manager", ""), household=one.get("household", ""),
        reason="・".join(internal_words(tags)),
        needs=(*plain_words(tags), *filter(None, (two.get("care_note", ""),))),
        communication=two.get("communication", ""),
        equipment=_equipment(two), medicines=two.get("medicines", ""),
        allergy=two.get("allergy", ""), building=three.get("building", ""),
        bedroom=three.get("bedroom", ""), daytime=three.get("daytime", ""),
        hazards="・".join(filter(None, (
            "・".join(z["label"] for z in three.get("zones", [])) or "区域の外"
            if three.get("hazards_checked") else "", three.get("home_note", "")))),
        carry=tuple(six.get("carry", [])),
        consent=f"計画づくりに同意 {_day(found.making_agreed_at)}"
        if found.making_agreed_at else "",
        remarks=seven.get("remarks", ""),
        contacts=tuple(Contact(name=c.get("name", ""), relation=c.get("relation", ""),
                               phone=c.get("phone", ""))
                       for c in one.get("emergency_contacts", [])),
        trigger="。".join(filter(None, (trigger, six.get("trigger_note", "")))),
        supporters=tuple(
            PlanSupporter(order=str(s["order"]), name=s["name"], relation=s.get("relation", ""),
                          role=s.get("role", ""), address=s.get("address", ""),
                          phone=s.get("phone", ""), hours=s.get("hours", ""))
            for s in named
        ),
        destinations=tuple(_destination(d, four, trigger) for d in four.get("destinations", [])),
        map=paper_map(place, four.get("destinations", [])),
    )


def _equipment(two: dict[str, Any]) -> str:
    minutes = two.get("power_minutes")
    tail = f"電源なしで{minutes}分" if two.get("power_device") and minutes is not None else ""
    return "、".join(filter(None, (two.get("equipment", ""), tail)))


def _destination(one: dict[str, Any], four: dict[str, Any], trigger: str) -> PlanDestination:
    return PlanDestination(
        hazard=PlanHazard(one["hazard"]).label, place=one.get("place", ""),
        address=one.get("address", ""), route=one.get("route", ""),
        transport=one.get("transport", ""),
        minutes=f"約{one['minutes']}分" if one.get("minutes") else "", trigger=trigger,
        care="。".join(filter(None, (one.get("care", ""), four.get("route_care", "")))),
    )


def _for(
    scope: Scope, found: PlanHub, values: PlanSheet, kind: RecipientKind
) -> PlanSheet:
    """R2 and R8 for one kind: what it may not have is not printed at all."""
    allowed = COLUMN_RULES[kind].normal if kind in COLUMN_RULES else frozenset()
    card = card_facts(scope, person_ids=[found.person.id]).get(found.person.id)
    if Column.PLAN not in allowed or card is None or not card.allows(kind):
        raise PlanNotForThem
    if card.version != found.version_number:
        raise PlanNotForThem("承認された版だけを渡せます。", code="plan_version_not_approved")
    hidden = {"medicines", "allergy", "consent", "remarks"}
    for column, name in (
        (Column.BIRTH_DATE, "birth"), (Column.NEEDS_INTERNAL, "reason"),
        (Column.DEVICES, "equipment"), (Column.AGE, "age"), (Column.PHONE, "phone"),
        (Column.BEDROOM, "bedroom"), (Column.HOUSEHOLD, "household"),
    ):
        if column not in allowed:
            hidden.add(name)
    clean = values
    if Column.NEEDS_INTERNAL not in allowed:
        clean = replace(values, needs=tuple(w for w in values.needs if not revealing_terms(w)))
        for name in ("communication", "daytime", "building", "care_manager", "household",
                     "equipment"):
            if revealing_terms(str(getattr(values, name))):
                hidden.add(name)
    return replace(clean, withheld=tuple(sorted(hidden)))
