"""From the register's facts to what criteria and priority read; plain functions.

Owns the translation and its limits.  Refuses to invent: an unknown fact stays unknown, a need
that is no tag is left to a person.  The register holds one overall handbook grade, not one per
impairment; each impairment counts with the overall grade, which can list somebody too many and
never one too few.  取組指針 (要件, 優先度).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from evacuation.domain.facts import (
    BodyPart,
    CareLevel,
    FacilityStay,
    Manual,
    ManualVerdict,
    Nomination,
    PartGrade,
    PersonFacts,
    PhysicalHandbook,
    age_on,
)
from evacuation.domain.hazards import HazardIndex, HazardKind
from evacuation.domain.needs import NEEDS, NeedTag
from evacuation.domain.priority import HomeHazard, Isolation, Priority, assess
from registry.queries.facts import PersonFacts as Registered

ELDERLY = 65
_TAGS = {tag.value: tag for tag in NeedTag} | {need.plain: tag for tag, need in NEEDS.items()}
# The import's codes for 障害部位, where they are named otherwise than here.
_PARTS = {part.value: part for part in BodyPart} | {
    "vision": BodyPart.SIGHT, "motor_upper": BodyPart.CEREBRAL_UPPER,
    "motor_mobility": BodyPart.CEREBRAL_MOVEMENT,
}
_CARE = {level.value: level for level in CareLevel}


@dataclass(frozen=True)
class Requests:
    """What was asked for one person: nominations, and the newest word of an officer."""

    nominations: frozenset[Nomination] = frozenset()
    manual: Manual | None = None


def criteria_facts(one: Registered, asked: Requests, on: date) -> PersonFacts:
    """The facts that criteria read, on the reference date."""
    return PersonFacts(
        person=str(one.id),
        birth_on=one.born_on,
        household_births=one.household_births if one.household_id is not None else None,
        care_level=_CARE.get(one.care_level),
        physical=_handbook(one),
        intellectual_label=one.intellectual_label or None,
        mental_grade=one.mental_grade,
        intractable_disease=one.intractable_disease,
        facility=_stay(one.facility_since, on),
        nominations=asked.nominations,
        manual=asked.manual,
    )


def _handbook(one: Registered) -> PhysicalHandbook | None:
    if one.physical_grade is None and not one.physical_parts and one.physical_class is None:
        return None
    parts = tuple(
        PartGrade(_PARTS[name], one.physical_grade or 0)
        for name in one.physical_parts
        if name in _PARTS
    )
    return PhysicalHandbook(one.physical_grade, one.physical_class, parts or None)


def _stay(since: date | None, on: date) -> FacilityStay:
    return FacilityStay.LONG if since is not None and since <= on else FacilityStay.NONE


def manual(kind: str, reason: str, by: str) -> Manual:
    """An officer's word from a listing request."""
    verdict = ManualVerdict.INCLUDE if kind == "manual_include" else ManualVerdict.EXCLUDE
    return Manual(verdict, reason, by)


def need_tags(words: Iterable[str]) -> tuple[NeedTag, ...]:
    """The tags among the register's words, in the order of the enum, each once."""
    found = {_TAGS[word] for word in words if word in _TAGS}
    return tuple(tag for tag in NeedTag if tag in found)


def isolation(births: tuple[date | None, ...], on: date, *, known: bool) -> Isolation:
    """Alone, or a household of elderly people only; an unknown birth is no elderly person."""
    if not known:
        return Isolation()
    if len(births) == 1:
        return Isolation(alone=True)
    elderly = bool(births) and all(
        born is not None and age_on(born, on) >= ELDERLY for born in births
    )
    return Isolation(household_elderly_only=elderly)


def home_hazard(one: Registered, zones: HazardIndex | None) -> HomeHazard:
    """What the maps say of the home; unknown without a place or without maps."""
    if zones is None or one.longitude is None or one.latitude is None:
        return HomeHazard(known=False)
    flood, special, landslide = 0, False, False
    for area in zones.at(
        one.longitude, one.latitude, uncertainty_m=float(one.location_uncertainty_m)
    ):
        if area.kind is HazardKind.FLOOD:
            flood = max(flood, area.rank)
        else:
            landslide, special = True, special or area.special
    return HomeHazard(True, flood, landslide, special)


def priority(
    one: Registered, tags: Iterable[NeedTag], zones: HazardIndex | None, on: date
) -> Priority:
    """The explainable score of one person."""
    return assess(
        home_hazard(one, zones), tags,
        isolation(one.household_births, on, known=one.household_id is not None),
        care_level=_CARE.get(one.care_level),
    )
