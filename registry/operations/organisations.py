"""Organisations and offices, created and updated as sets.

Owns writing organisations, offices and their areas of responsibility (担当区域).  Refuses an
unknown role, area or organisation.  Running the same set again changes nothing; an office's
areas become exactly those named.  Terms are in ``staff.py``, members in ``memberships.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from django.db import transaction

from registry import audit
from registry.access import Scope
from registry.domain.errors import Refused
from registry.domain.roles import Permission, Role
from registry.models import Area, LogKind, Office, OfficeArea, Organisation, OrganisationKind


class BadOrganisation(Refused):
    """An organisation or office names something unknown; ``fields`` names the code."""

    code = "bad_organisation"
    message = "団体または役職の登録内容が正しくありません。"


@dataclass(frozen=True)
class OrganisationFacts:
    """One organisation as it should be; ``area`` is an area's code."""

    kind: str
    code: str
    name: str
    kana: str = ""
    area: str | None = None
    address: str = ""
    phone: str = ""


@dataclass(frozen=True)
class OfficeFacts:
    """One office; ``organisation`` a code, ``areas`` pairs of area code and 班 ("" for all)."""

    role: str
    code: str
    name: str
    organisation: str
    areas: tuple[tuple[str, str], ...] = ()
    storage_place: str = ""


T = TypeVar("T", OrganisationFacts, OfficeFacts)


@transaction.atomic
def load_organisations(
    *, organisations: Iterable[OrganisationFacts], by: Scope
) -> dict[str, int]:
    """Create or update organisations by code; returns code → id of those named.

    Raises:
        Forbidden: without ``staff.manage`` (登録団体 and 協力店 alone: ``volunteers.manage``).
        BadOrganisation: unknown kind or area, the same code twice.
    """
    wanted = _once(list(organisations))
    civic = {OrganisationKind.GROUP, OrganisationKind.SHOP}
    only_civic = all(one.kind in civic for one in wanted.values())
    if not (only_civic and by.may(Permission.VOLUNTEERS_MANAGE)):
        by.require(Permission.STAFF_MANAGE)
    areas = _ids(Area, {one.area for one in wanted.values() if one.area})
    rows = []
    for one in wanted.values():
        if one.kind not in OrganisationKind.values or (one.area and one.area not in areas):
            raise BadOrganisation(fields={one.code: "種別か区域が登録されていません。"})
        rows.append(
            Organisation(
                kind=one.kind, code=one.code, name=one.name, kana=one.kana,
                area_id=areas[one.area] if one.area else None, address=one.address,
                phone=one.phone,
            )
        )
    if only_civic and not by.may(Permission.STAFF_MANAGE):
        _stay_civic(set(wanted), civic)
    Organisation.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["code"], batch_size=500,
        update_fields=["kind", "name", "kana", "area", "address", "phone"],
    )
    audit.note(scope=by, kind=LogKind.CHANGE, action="organisations.load",
               subject_kind="organisation", detail={"organisations": len(rows)})
    return _ids(Organisation, set(wanted))


@transaction.atomic
def load_offices(*, offices: Iterable[OfficeFacts], by: Scope) -> dict[str, int]:
    """Create or update offices by code, with exactly the areas named; returns code → id.

    Raises:
        Forbidden: without ``staff.manage``.
        BadOrganisation: unknown role, organisation or area, the same code twice.
    """
    by.require(Permission.STAFF_MANAGE)
    wanted = _once(list(offices))
    homes = _ids(Organisation, {one.organisation for one in wanted.values()})
    areas = _ids(Area, {area for one in wanted.values() for area, _ in one.areas})
    roles = {role.value for role in Role}
    for one in wanted.values():
        if one.role not in roles or one.organisation not in homes:
            raise BadOrganisation(fields={one.code: "役割か団体が登録されていません。"})
        if any(area not in areas for area, _ in one.areas):
            raise BadOrganisation(fields={one.code: "担当区域が登録されていません。"})
    Office.objects.bulk_create(
        [
            Office(role=one.role, code=one.code, name=one.name,
                   organisation_id=homes[one.organisation], storage_place=one.storage_place)
            for one in wanted.values()
        ],
        update_conflicts=True, unique_fields=["code"], batch_size=500,
        update_fields=["role", "name", "organisation", "storage_place"],
    )
    ids = _ids(Office, set(wanted))
    _assign(
        {
            (ids[one.code], areas[area], section)
            for one in wanted.values()
            for area, section in one.areas
        },
        set(ids.values()),
    )
    audit.note(scope=by, kind=LogKind.CHANGE, action="organisations.load_offices",
               subject_kind="office", detail={"offices": len(ids)})
    return ids


def _assign(wanted: set[tuple[int, int, str]], offices: set[int]) -> None:
    """Make the offices' areas exactly ``wanted``: (office, area, section)."""
    present = {
        (office, area, section): pk
        for pk, office, area, section in OfficeArea.objects.values_list(
            "pk", "office_id", "area_id", "section"
        )
        if office in offices
    }
    gone = [pk for key, pk in present.items() if key not in wanted]
    for start in range(0, len(gone), 500):
        OfficeArea.objects.filter(pk__in=gone[start : start + 500]).delete()
    OfficeArea.objects.bulk_create(
        [
            OfficeArea(office_id=office, area_id=area, section=section)
            for office, area, section in sorted(wanted - set(present))
        ],
        batch_size=500,
    )


def _stay_civic(codes: set[str], civic: set[OrganisationKind]) -> None:
    """The welfare council may not turn the city hall into a shop."""
    others = Organisation.objects.exclude(kind__in=civic).values_list("code", flat=True)
    taken = codes & set(others)
    if taken:
        raise BadOrganisation(fields={min(taken): "この団体は変更できません。"})


def _once(given: list[T]) -> dict[str, T]:
    wanted = {one.code: one for one in given}
    if len(wanted) != len(given):
        raise BadOrganisation("同じコードが二重にあります。", code="code_twice")
    return wanted


def _ids(model: type[Area] | type[Organisation] | type[Office], codes: set[str]) -> dict[str, int]:
    """code → id of the rows named; these tables are small, one query reads the codes."""
    rows = model._default_manager.values_list("code", "pk")
    return {code: pk for code, pk in rows if code in codes}
