"""Volunteers as those may see them who may: staff, leaders, the volunteer, the supporter search.

Owns search, facts by id, whose phone it is, and the narrow window of P11: those who look for
evacuation supporters get of a volunteer who opted in the name, contact, area, availability,
place and skills, and nothing about what anybody did.  Every answer with names leaves a record.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q

from registry import access, audit
from registry.access import Scope
from registry.codes import device_digest
from registry.domain.calendar import age_at
from registry.domain.errors import Forbidden
from registry.domain.identity import fold_kana, fold_name
from registry.domain.roles import Permission
from registry.models import BoundDevice, LogKind, Volunteer
from registry.queries.pages import Page, after, cut, size


@dataclass(frozen=True)
class VolunteerFacts:
    """One volunteer.  ``left_on`` is the first day without registration."""

    id: int
    number: str
    name: str
    kana: str
    born_on: date
    area_id: int | None
    resident: bool
    address: str
    phone: str
    has_phone: bool
    user_id: int | None
    registered_on: date
    left_on: date | None
    supporter_optin_on: date | None
    supporter_optout_on: date | None
    availability: str
    skills: tuple[str, ...]
    #: The record that this one was united with (P8).
    merged_into: int | None = None

    @property
    def opted_in(self) -> bool:
        """「支援者さがしに使ってよい」 in force."""
        return self.supporter_optin_on is not None and self.supporter_optout_on is None


@dataclass(frozen=True)
class SupporterFact:
    """What the supporter search may know (P11), and no more.  ``aged_75`` feeds one penalty."""

    volunteer_id: int
    name: str
    phone: str
    area_id: int | None
    availability: str
    skills: tuple[str, ...]
    longitude: float | None
    latitude: float | None
    east_m: float | None
    north_m: float | None
    uncertainty_m: int
    aged_75: bool


@dataclass(frozen=True)
class PhoneHolder:
    """Whose bound phone it is; ``user_id`` opens the volunteer's own scope."""

    device_id: int
    volunteer_id: int
    user_id: int


_COLUMNS = (
    "pk", "number", "name", "kana", "born_on", "area_id", "resident", "address", "phone",
    "has_phone", "user_id", "registered_on", "left_on", "supporter_optin_on",
    "supporter_optout_on", "availability", "skills", "merged_into_id",
)


def search_volunteers(
    scope: Scope,
    *,
    text: str = "",
    area_ids: Iterable[int] | None = None,
    include_left: bool = False,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[VolunteerFacts]:
    """Volunteers by reading: prefix of the reading, part of the written name, or the number.

    A leader finds only members of the own group; a volunteer only themself (P9, P4.4).

    Raises:
        BadCursor: the cursor is not one of ours.
    """
    visible = Volunteer.objects.visible_to(scope)
    rows = visible
    if text.strip():
        written, reading = fold_name(text), fold_kana(text)
        wanted = Q(number=text.strip().upper())
        if written:
            wanted |= Q(name_key__contains=written)
        if reading:
            wanted |= Q(kana_key__startswith=reading)
        rows = rows.filter(wanted)
    if not include_left:
        rows = rows.filter(Q(left_on__isnull=True) | Q(left_on__gt=scope.on))
    if area_ids is not None:
        rows = rows.filter(area_id__in=list(area_ids))
    wanted_size = size(limit)
    ordered = after(rows, cursor, "kana_key", visible=visible)
    found = [_facts(row) for row in ordered.values_list(*_COLUMNS)[: wanted_size + 1]]
    page = cut(found, [one.id for one in found], wanted_size)
    _log(scope, "volunteers.search", [one.id for one in page.items])
    return page


def volunteer_facts(
    scope: Scope, *, volunteer_ids: Iterable[int], action: str = "volunteers.facts"
) -> dict[int, VolunteerFacts]:
    """id → facts, of those visible.  One query for 1,000."""
    ids, found = list(volunteer_ids), {}
    for start in range(0, len(ids), 1_000):
        rows = Volunteer.objects.visible_to(scope).filter(pk__in=ids[start : start + 1_000])
        found.update({row[0]: _facts(row) for row in rows.values_list(*_COLUMNS)})
    _log(scope, action, list(found))
    return found


def all_volunteers(scope: Scope) -> list[VolunteerFacts]:
    """Every registration, past ones too, by id: for statistics and recomputation.

    Raises:
        Forbidden: the scope is not the service's own.
    """
    if not scope.system:
        raise Forbidden
    rows = Volunteer.objects.visible_to(scope).order_by("pk").values_list(*_COLUMNS)
    return [_facts(row) for row in rows.iterator(chunk_size=2_000)]


def supporters_opted_in(
    scope: Scope, *, volunteer_ids: Iterable[int] | None = None
) -> list[SupporterFact]:
    """Volunteers whose word to be a supporter is in force today, by id (P11).

    Raises:
        Forbidden: without ``supporters.propose``.
    """
    scope.require(Permission.SUPPORTERS_PROPOSE)
    rows = Volunteer.objects.unscoped().filter(
        Q(left_on__isnull=True) | Q(left_on__gt=scope.on),
        supporter_optin_on__lte=scope.on, supporter_optout_on__isnull=True,
    )
    if volunteer_ids is not None:
        rows = rows.filter(pk__in=list(volunteer_ids))
    found = [
        _supporter(row, scope.on)
        for row in rows.order_by("pk").values_list(
            "pk", "name", "phone", "area_id", "availability", "skills", "longitude", "latitude",
            "east_m", "north_m", "location_uncertainty_m", "born_on",
        )
    ]
    if not scope.system:
        audit.note(scope=scope, kind=LogKind.VIEW, action="volunteers.supporters",
                   subject_kind="volunteer", fields=["name", "phone", "area", "place"],
                   detail={"volunteers": [one.volunteer_id for one in found]})
    return found


def volunteer_of_device(*, token: str, at: datetime) -> PhoneHolder | None:
    """Whose phone sends this cookie; None for an unknown or revoked one.  Opens its own scope."""
    with access.system(at=at, reason="bound phone") as wide:
        row = (
            BoundDevice.objects.visible_to(wide)
            .filter(digest=device_digest(token), revoked_at__isnull=True)
            .filter(Q(volunteer__left_on__isnull=True) | Q(volunteer__left_on__gt=wide.on))
            .values_list("pk", "volunteer_id", "volunteer__user_id")
            .first()
        )
    return None if row is None else PhoneHolder(*row)


def _facts(row: tuple[Any, ...]) -> VolunteerFacts:
    """A row of ``_COLUMNS``."""
    columns: list[Any] = [*row]
    columns[16] = tuple(row[16])
    return VolunteerFacts(*columns)


def _supporter(row: tuple[Any, ...], on: date) -> SupporterFact:
    columns: list[Any] = [*row]
    columns[5], columns[11] = tuple(row[5]), age_at(row[11], on) >= 75
    return SupporterFact(*columns)


def _log(scope: Scope, action: str, ids: list[int]) -> None:
    own = scope.volunteer_id is not None and ids == [scope.volunteer_id]
    if not scope.system and ids and not own:
        audit.note(scope=scope, kind=LogKind.VIEW, action=action, subject_kind="volunteer",
                   subject_id=ids[0] if len(ids) == 1 else None,
                   fields=["name", "kana", "born_on", "address", "phone"],
                   detail={"volunteers": ids})
