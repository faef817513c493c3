"""Offices, their areas and who holds them on a day.

Owns reading 役職, 担当区域 and terms.  An office is a public seat; the names of its holders are
given to those who manage areas or custody, and to the holders themselves.  Refuses the names
to anybody else (an empty list, not an error: the seat itself is no secret).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from registry.access import Scope
from registry.domain.roles import Permission, Role
from registry.models import Appointment, Office, OfficeArea


@dataclass(frozen=True)
class OfficeAreaFact:
    """One piece of responsibility: an area, or one 班 of it (``section`` not empty)."""

    area_id: int
    area_code: str
    area_name: str
    section: str


@dataclass(frozen=True)
class OfficeFact:
    """One seat (役職) and its areas of responsibility."""

    id: int
    role: Role
    code: str
    name: str
    organisation_id: int
    organisation_name: str
    storage_place: str
    areas: tuple[OfficeAreaFact, ...]


@dataclass(frozen=True)
class Holder:
    """Somebody who holds an office; ``ends_on`` is the first day without it."""

    appointment_id: int
    office_id: int
    user_id: int
    display_name: str
    starts_on: date
    ends_on: date | None


def offices(
    scope: Scope, *, role: str | None = None, ids: Iterable[int] | None = None
) -> list[OfficeFact]:
    """Offices by code, of one role or of some ids, with their areas.  Two queries."""
    del scope  # a seat is public
    rows = Office.objects.select_related("organisation").order_by("code")
    if role is not None:
        rows = rows.filter(role=role)
    if ids is not None:
        rows = rows.filter(pk__in=list(ids))
    found = list(rows)
    areas: dict[int, list[OfficeAreaFact]] = defaultdict(list)
    for office, area, code, name, section in (
        OfficeArea.objects.filter(office__in=rows.order_by())
        .order_by("area__code", "section")
        .values_list("office_id", "area_id", "area__code", "area__name", "section")
    ):
        areas[office].append(OfficeAreaFact(area, code, name, section))
    return [
        OfficeFact(
            one.pk, Role(one.role), one.code, one.name, one.organisation_id,
            one.organisation.name, one.storage_place, tuple(areas[one.pk]),
        )
        for one in found
    ]


def offices_by_code(scope: Scope, codes: Iterable[str]) -> dict[str, int]:
    """code → id of the offices that exist."""
    del scope
    return dict(Office.objects.filter(code__in=list(codes)).values_list("code", "pk"))


def holders(
    scope: Scope, *, office_ids: Iterable[int] | None = None, on: date | None = None
) -> dict[int, list[Holder]]:
    """office id → who holds it on a day (the scope's day by default), by first day.  One query."""
    day = on or scope.on
    rows = Appointment.objects.filter(starts_on__lte=day).filter(
        Q(ends_on__isnull=True) | Q(ends_on__gt=day)
    )
    if not _may_see_names(scope):
        rows = rows.filter(office_id__in=scope.offices)
    if office_ids is not None:
        rows = rows.filter(office_id__in=list(office_ids))
    found: dict[int, list[Holder]] = defaultdict(list)
    for row in rows.order_by("office_id", "starts_on", "pk").values_list(
        "pk", "office_id", "user_id", "user__display_name", "starts_on", "ends_on"
    ):
        found[row[1]].append(Holder(*row))
    return dict(found)


def terms(scope: Scope, *, office_id: int) -> list[Holder]:
    """Every term of one office, past and to come, by first day (記録は任期より長く残る, R9)."""
    rows = Appointment.objects.filter(office_id=office_id)
    if not _may_see_names(scope):
        rows = rows.filter(user_id=scope.user_id or 0)
    return [
        Holder(*row)
        for row in rows.order_by("starts_on", "pk").values_list(
            "pk", "office_id", "user_id", "user__display_name", "starts_on", "ends_on"
        )
    ]


def appointments_of(scope: Scope, *, user_id: int) -> list[Holder]:
    """The terms of one user in force on the scope's day (one's own, or with the permission)."""
    if user_id != scope.user_id and not _may_see_names(scope):
        return []
    rows = Appointment.objects.filter(user_id=user_id, starts_on__lte=scope.on).filter(
        Q(ends_on__isnull=True) | Q(ends_on__gt=scope.on)
    )
    return [
        Holder(*row)
        for row in rows.order_by("starts_on", "pk").values_list(
            "pk", "office_id", "user_id", "user__display_name", "starts_on", "ends_on"
        )
    ]


def vacant(scope: Scope, *, role: str) -> list[OfficeFact]:
    """Offices of a role that nobody holds on the scope's day (欠員)."""
    held = set(
        Appointment.objects.filter(starts_on__lte=scope.on, office__role=role)
        .filter(Q(ends_on__isnull=True) | Q(ends_on__gt=scope.on))
        .values_list("office_id", flat=True)
    )
    return [one for one in offices(scope, role=role) if one.id not in held]


def _may_see_names(scope: Scope) -> bool:
    return any(
        scope.may(one)
        for one in (Permission.STAFF_MANAGE, Permission.CUSTODY_MANAGE, Permission.AREAS_VIEW)
    )
