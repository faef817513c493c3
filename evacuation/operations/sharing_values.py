"""From facts to the words that one recipient may read (R8).

Owns the translation column by column.  Refuses every column that the decision does not name,
and, in what neighbours receive, free text that tells a diagnosis, a grade or a care level: the
cell then asks to call the city.  R2 governs supporter and destination.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from evacuation.domain.facts import CareLevel, age_on
from evacuation.domain.needs import NeedTag, internal_words, plain_words, revealing_terms
from evacuation.domain.priority import Urgency
from evacuation.domain.recipients import NEIGHBOUR_KINDS, Column, RecipientKind
from evacuation.models import RosterEntry
from evacuation.queries.disclosing import AreaTree
from evacuation.queries.plan_cards import PlanCard
from evacuation.queries.sealed_rows import CardValues
from registry.domain.calendar import DatedValue, format_date
from registry.queries.facts import PersonFacts

ASK_THE_CITY = "（市にお問い合わせください）"
_SEX = {"male": "男", "female": "女"}
_URGENCY = {urgency.value: urgency.label for urgency in Urgency}
_TAGS = {tag.value: tag for tag in NeedTag}
_CARE = {level.value: level.label for level in CareLevel}


@dataclass(frozen=True)
class Surroundings:
    """What a card needs besides the person: names of areas, commissioners, plan facts (R2)."""

    on: date
    tree: AreaTree
    commissioners: Mapping[str, str] = field(default_factory=dict)  # area key → office and name
    plans: Mapping[int, PlanCard] = field(default_factory=dict)


def card(
    one: PersonFacts, entry: RosterEntry, columns: frozenset[Column], kind: RecipientKind,
    around: Surroundings,
) -> CardValues:
    """The values of one row, only the columns named."""

    def only(column: Column, text: str) -> str:
        return text if column in columns else ""

    def guarded(column: Column, text: str) -> str:
        shown = only(column, text)
        return ASK_THE_CITY if kind in NEIGHBOUR_KINDS and revealing_terms(shown) else shown

    tags = [_TAGS[tag] for tag in entry.needs if tag in _TAGS]
    plan = around.plans.get(one.id)
    born = one.born_on
    return CardValues(
        number=entry.number,
        name=only(Column.NAME, one.name),
        kana=only(Column.KANA, one.kana),
        sex=only(Column.GENDER, _SEX.get(one.sex, "")),
        birth=only(Column.BIRTH_DATE, _birth(one)),
        age=only(Column.AGE, f"{age_on(born, around.on)}歳" if born else ""),
        household=only(Column.HOUSEHOLD, household(one, around.on)),
        group=only(Column.NEIGHBOURHOOD, _group(one, around.tree)),
        address=only(Column.ADDRESS, " ".join(p for p in (one.address, one.building) if p)),
        whereabouts=guarded(Column.BEDROOM, entry.bedroom),
        phone=only(Column.PHONE, one.phone),
        reason=only(Column.REASON_DETAIL, _detail(one)),
        needs=plain_words(tags) if Column.NEEDS_PLAIN in columns else (),
        devices=tuple(entry.devices) if Column.DEVICES in columns else (),
        communication=guarded(Column.COMMUNICATION, entry.communication),
        commissioner=only(Column.COMMISSIONER, _commissioner(one, around)),
        contacts=_contacts(entry) if Column.EMERGENCY_CONTACT in columns else (),
        supporters=only(Column.SUPPORTER, plan.supporter_words if plan else ""),
        destination=only(Column.DESTINATION, plan.destination if plan else ""),
        priority=only(Column.PRIORITY, _URGENCY.get(entry.urgency, "")),
        internal=internal_words(tags) if Column.NEEDS_INTERNAL in columns else (),
    )


def household(one: PersonFacts, on: date) -> str:
    """「ひとり暮らし」「65歳以上だけの2人世帯」「4人世帯」; empty when unknown."""
    births = one.household_births
    if one.household_id is None or not births:
        return ""
    if len(births) == 1:
        return "ひとり暮らし"
    if all(born is not None and age_on(born, on) >= 65 for born in births):
        return f"65歳以上だけの{len(births)}人世帯"
    return f"{len(births)}人世帯"


def _birth(one: PersonFacts) -> str:
    if one.born_on is None:
        return ""
    born = one.born_on
    if one.born_precision == "year":
        return format_date(DatedValue(born.year, None, None))
    if one.born_precision == "month":
        return format_date(DatedValue(born.year, born.month, None))
    return format_date(born)


def _group(one: PersonFacts, tree: AreaTree) -> str:
    return " ".join(part for part in (tree.name(one.area_id), one.section) if part)


def _commissioner(one: PersonFacts, around: Surroundings) -> str:
    keys = sorted(around.tree.keys(one.area_id, one.section), key=len, reverse=True)
    return next((around.commissioners[key] for key in keys if key in around.commissioners), "")


def _contacts(entry: RosterEntry) -> tuple[tuple[str, str, str], ...]:
    if not entry.contact_name:
        return ()
    return ((entry.contact_name, entry.contact_relation, entry.contact_phone),)


def _detail(one: PersonFacts) -> str:
    """手帳・要介護度, for the recipients whose columns name it."""
    parts = [_CARE.get(one.care_level, "")]
    if one.physical_grade is not None:
        parts.append(f"身体障害者手帳{one.physical_grade}級")
    if one.intellectual_label:
        parts.append(f"療育手帳{one.intellectual_label}")
    if one.mental_grade is not None:
        parts.append(f"精神障害者保健福祉手帳{one.mental_grade}級")
    if one.intractable_disease:
        parts.append("難病")
    return "、".join(part for part in parts if part)
