"""People: search, one person's page, lines for lists, places.

Owns what officers and care professionals read about residents.  Every person shown leaves a
view record in the same transaction (no log, no data); the service's own scope leaves none,
because nobody sees.  Refuses: not visible means not found, in the same words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet

from registry import audit
from registry.access import Scope
from registry.domain.errors import NotFound
from registry.domain.identity import fold_kana, fold_name
from registry.domain.roles import Permission
from registry.models import Caseload, Person
from registry.queries.facts import (
    SENSITIVE,
    PersonFacts,
    PersonLine,
    Place,
    current_residents,
    facts_of,
    line_columns,
)
from registry.queries.pages import Page, after, cut, size

_LINE_FIELDS = ("name", "kana", "born_on", "sex", "address", "phone")
_PLACE_FIELDS = ("longitude", "latitude")


def visible_people(scope: Scope) -> QuerySet[Person, dict[str, Any]]:
    """The ids of the people that the scope may see, as a subquery for ``person_id__in``.

    For siblings' models whose rows belong to a person; it reads nothing by itself.
    """
    return Person.objects.visible_to(scope).values("pk")


def search_people(
    scope: Scope,
    *,
    text: str = "",
    area_ids: Iterable[int] | None = None,
    include_gone: bool = False,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[PersonLine]:
    """People whose reading begins with ``text``, or whose written name contains it.

    Kana, half-width, variant kanji (髙/高) and spaces do not matter; digits find the 宛名番号.
    By reading.  Three queries and the view records.

    Raises:
        Forbidden: without ``people.view``.
        BadCursor: the cursor is not one of ours.
    """
    scope.require(Permission.PEOPLE_VIEW)
    visible = Person.objects.visible_to(scope)
    rows = _matching(visible, text)
    if not include_gone:
        rows = current_residents(rows, scope.on)
    if area_ids is not None:
        rows = rows.filter(area_id__in=list(area_ids))
    wanted = size(limit)
    ordered = after(rows, cursor, "kana_key", visible=visible)
    found = list(ordered.values_list(*line_columns())[: wanted + 1])
    page = cut([PersonLine(*row) for row in found], [row[0] for row in found], wanted)
    _log(scope, "people.search", [one.id for one in page.items], _LINE_FIELDS)
    return page


def _matching(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    if not text.strip():
        return rows
    written, reading = fold_name(text), fold_kana(text)
    wanted = Q(name_key__contains=written) if written else Q(pk__in=[])
    if reading:
        wanted |= Q(kana_key__startswith=reading)
    if written.isascii() and written.isdigit():
        wanted |= Q(number=written.lstrip("0"))
    return rows.filter(wanted)


def person_page(scope: Scope, *, person_id: int, action: str = "people.page") -> PersonFacts:
    """Everything the register knows of one person; names the sensitive fields in the log.

    Raises:
        Forbidden: without ``people.view``.
        NotFound: does not exist, or not visible (a protected address, another's caseload).
    """
    scope.require(Permission.PEOPLE_VIEW)
    found = person_facts(scope, person_ids=[person_id], action=action)
    if person_id not in found:
        raise NotFound
    return found[person_id]


def person_facts(
    scope: Scope, *, person_ids: Sequence[int], action: str
) -> dict[int, PersonFacts]:
    """id → all facts, of those visible; leaves a view record with the sensitive fields each."""
    rows = Person.objects.visible_to(scope).filter(pk__in=list(person_ids))
    found = {one.id: one for one in facts_of(rows, scope)}
    _log(scope, action, list(found), (*_LINE_FIELDS, *_PLACE_FIELDS, *SENSITIVE))
    return found


def person_lines(
    scope: Scope, *, person_ids: Sequence[int], action: str
) -> dict[int, PersonLine]:
    """id → name, reading, birth, address and phone, of those visible; leaves view records."""
    rows = Person.objects.visible_to(scope).filter(pk__in=list(person_ids))
    found = {row[0]: PersonLine(*row) for row in rows.values_list(*line_columns())}
    _log(scope, action, list(found), _LINE_FIELDS)
    return found


def person_ids_by_number(scope: Scope, numbers: Sequence[str]) -> dict[str, int]:
    """宛名番号 → id, of those visible (set-based, for imports of the siblings)."""
    found: dict[str, int] = {}
    for start in range(0, len(numbers), 1_000):
        rows = Person.objects.visible_to(scope).filter(number__in=numbers[start : start + 1_000])
        found.update(rows.values_list("number", "pk"))
    return found


def visible_ids(scope: Scope, person_ids: Sequence[int]) -> frozenset[int]:
    """Which of these people the scope may see; shows nothing, so it leaves no record."""
    rows = Person.objects.visible_to(scope).filter(pk__in=list(person_ids))
    return frozenset(rows.values_list("pk", flat=True))


def places(
    scope: Scope, *, person_ids: Sequence[int], action: str = "people.places"
) -> dict[int, Place]:
    """id → where the person lives, of those visible and located; leaves view records.

    Metres are plane rectangular coordinates of ``PLANE_ZONE``; a town-level match states its
    uncertainty, so that neighbours are never at distance 0.
    """
    found: dict[int, Place] = {}
    ids = list(person_ids)
    for start in range(0, len(ids), 2_000):
        rows = Person.objects.visible_to(scope).filter(
            pk__in=ids[start : start + 2_000], east_m__isnull=False
        )
        for row in rows.values_list(
            "pk", "longitude", "latitude", "east_m", "north_m", "location_source",
            "location_uncertainty_m",
        ):
            found[row[0]] = Place(*row)
    _log(scope, action, list(found), _PLACE_FIELDS)
    return found


@dataclass(frozen=True)
class CaseloadFact:
    """A care professional looks after a person from ``starts_on`` until before ``ends_on``."""

    person_id: int
    user_id: int
    starts_on: date
    ends_on: date | None


def caseload(scope: Scope, *, user_id: int | None = None) -> list[CaseloadFact]:
    """Who looks after whom on the scope's day, as far as the scope may see."""
    rows = (
        Caseload.objects.visible_to(scope)
        .filter(starts_on__lte=scope.on)
        .filter(Q(ends_on__isnull=True) | Q(ends_on__gt=scope.on))
    )
    if user_id is not None:
        rows = rows.filter(user_id=user_id)
    return [
        CaseloadFact(*row)
        for row in rows.order_by("person_id").values_list(
            "person_id", "user_id", "starts_on", "ends_on"
        )
    ]


def _log(scope: Scope, action: str, ids: list[int], fields: Sequence[str]) -> None:
    if not scope.system and ids:
        audit.viewed(scope=scope, action=action, people=ids, fields=fields)
