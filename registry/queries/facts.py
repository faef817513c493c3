"""The shapes in which people leave the registry, and how rows become them.

Owns ``PersonFacts``, ``PersonLine``, ``Place`` and the set-based reading behind them: constant
queries for any number of people.  Writes no log: the asking functions do (``people.py``), or
run in the service's own scope (``roster.py``).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet

from registry.access import Scope
from registry.models import Person, WelfareRecord

SENSITIVE = (
    "care_level", "physical_grade", "physical_parts", "physical_class", "intellectual_label",
    "mental_grade", "intractable_disease", "needs", "facility_since", "protected_until",
)


@dataclass(frozen=True)
class PersonLine:
    """One line of a list; ``protected`` marks DV等支援措置 for those who may know."""

    id: int
    number: str
    name: str
    kana: str
    born_on: date | None
    sex: str
    address: str
    building: str
    area_id: int | None
    area_name: str | None
    section: str
    phone: str
    protected_until: date | None


@dataclass(frozen=True)
class Place:
    """Where a person lives: degrees, metres of the plane zone, source and uncertainty."""

    person_id: int
    longitude: float
    latitude: float
    east_m: float
    north_m: float
    source: str
    uncertainty_m: int


@dataclass(frozen=True)
class PersonFacts:
    """All facts in force of one person.  Dates are None where unknown or not so.

    ``household_births`` are the birth dates of everybody living in the household, the person
    included (None: birth unknown): "alone" is a length of 1, "all 65 or over" asks each.
    """

    id: int
    number: str
    name: str
    kana: str
    born_on: date | None
    born_precision: str
    sex: str
    postcode: str
    address: str
    building: str
    town: str
    koaza: str
    area_id: int | None
    area_name: str | None
    section: str
    phone: str
    longitude: float | None
    latitude: float | None
    east_m: float | None
    north_m: float | None
    location_source: str
    location_uncertainty_m: int
    moved_in_on: date | None
    moved_out_on: date | None
    died_on: date | None
    facility_since: date | None
    facility_name: str
    protected_until: date | None
    version: int
    household_id: int | None
    household_number: str | None
    household_births: tuple[date | None, ...] = ()
    care_level: str = ""
    physical_grade: int | None = None
    physical_parts: tuple[str, ...] = ()
    physical_class: int | None = None
    intellectual_label: str = ""
    mental_grade: int | None = None
    intractable_disease: bool = False
    needs: tuple[str, ...] = ()

    def protected_on(self, day: date) -> bool:
        """Whether the address is protected on that day (R11); the last day counts."""
        return self.protected_until is not None and self.protected_until >= day

    def gone_on(self, day: date) -> bool:
        """Whether the person has died or moved out by that day."""
        return any(end is not None and end <= day for end in (self.died_on, self.moved_out_on))


_PERSON = (
    "pk", "number", "name", "kana", "born_on", "born_precision", "sex", "postcode", "address",
    "building", "town", "koaza", "area_id", "area__name", "section", "phone", "longitude",
    "latitude", "east_m", "north_m", "location_source", "location_uncertainty_m", "moved_in_on",
    "moved_out_on", "died_on", "facility_since", "facility_name", "protected_until", "version",
    "household_id", "household__number",
)
_WELFARE = (
    "care_level", "physical_grade", "physical_parts", "physical_class", "intellectual_label",
    "mental_grade", "intractable_disease", "needs",
)


def line_columns() -> tuple[str, ...]:
    """Columns of ``PersonLine``, in its order."""
    return (
        "pk", "number", "name", "kana", "born_on", "sex", "address", "building", "area_id",
        "area__name", "section", "phone", "protected_until",
    )


def current_residents(rows: QuerySet[Any], on: date) -> QuerySet[Any]:
    """Those who have neither died nor moved out by a day."""
    return rows.filter(
        Q(died_on__isnull=True) | Q(died_on__gt=on),
        Q(moved_out_on__isnull=True) | Q(moved_out_on__gt=on),
    )


def facts_of(rows: QuerySet[Any], scope: Scope) -> list[PersonFacts]:
    """All facts of the people in ``rows``, by id.  Three queries for any number."""
    people = list(rows.order_by("pk").values_list(*_PERSON))
    ids = [row[0] for row in people]
    homes = {row[29] for row in people if row[29] is not None}
    births: dict[int, list[date | None]] = defaultdict(list)
    housemates = current_residents(Person.objects.visible_to(scope), scope.on)
    for home, born in (
        housemates.filter(household_id__in=homes)
        .order_by("born_on", "pk")
        .values_list("household_id", "born_on")
    ):
        births[home].append(born)
    welfare = {
        row[0]: row[1:]
        for row in WelfareRecord.objects.visible_to(scope)
        .filter(person_id__in=ids)
        .values_list("person_id", *_WELFARE)
    }
    return [_facts(row, births, welfare.get(row[0])) for row in people]


def _facts(
    row: tuple[Any, ...], births: dict[int, list[date | None]], welfare: tuple[Any, ...] | None
) -> PersonFacts:
    home = tuple(births[row[29]]) if row[29] is not None else (row[4],)
    columns: list[Any] = [*row, home]
    if welfare is not None:
        level, grade, parts, kind, label, mental, disease, needs = welfare
        columns += [level, grade, tuple(parts), kind, label, mental, disease, tuple(needs)]
    return PersonFacts(*columns)
