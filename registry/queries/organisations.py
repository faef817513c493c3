"""Organisations and, for those who may, their members.

Owns reading 団体 and 会員.  Organisations are public facts; a member list is personal and
follows the scope: a leader sees the own group and nothing else (P9).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from registry.access import Scope
from registry.models import Membership, Organisation


@dataclass(frozen=True)
class OrganisationFact:
    """One organisation (団体)."""

    id: int
    kind: str
    code: str
    name: str
    kana: str
    area_id: int | None
    address: str
    phone: str


@dataclass(frozen=True)
class MemberFact:
    """One membership; ``position`` is the order on the paper sheet."""

    membership_id: int
    organisation_id: int
    volunteer_id: int
    position: int
    starts_on: date
    ends_on: date | None


def organisations(
    scope: Scope,
    *,
    kind: str | None = None,
    ids: Iterable[int] | None = None,
    codes: Iterable[str] | None = None,
) -> list[OrganisationFact]:
    """Organisations by code.  One query."""
    del scope  # name and address of an organisation are public
    rows = Organisation.objects.order_by("code")
    if kind is not None:
        rows = rows.filter(kind=kind)
    if ids is not None:
        rows = rows.filter(pk__in=list(ids))
    if codes is not None:
        rows = rows.filter(code__in=list(codes))
    return [
        OrganisationFact(*row)
        for row in rows.values_list(
            "pk", "kind", "code", "name", "kana", "area_id", "address", "phone"
        )
    ]


def members(
    scope: Scope,
    *,
    organisation_ids: Iterable[int] | None = None,
    volunteer_ids: Iterable[int] | None = None,
    on: date | None = None,
) -> list[MemberFact]:
    """Memberships in force on a day (the scope's by default) that the scope may see.

    By organisation, then position.  Names come from ``volunteers.volunteer_facts``.
    """
    day = on or scope.on
    rows = (
        Membership.objects.visible_to(scope)
        .filter(starts_on__lte=day)
        .filter(Q(ends_on__isnull=True) | Q(ends_on__gt=day))
    )
    if organisation_ids is not None:
        rows = rows.filter(organisation_id__in=list(organisation_ids))
    if volunteer_ids is not None:
        rows = rows.filter(volunteer_id__in=list(volunteer_ids))
    return [
        MemberFact(*row)
        for row in rows.order_by("organisation_id", "position", "pk").values_list(
            "pk", "organisation_id", "volunteer_id", "position", "starts_on", "ends_on"
        )
    ]


def membership_history(scope: Scope, *, volunteer_ids: Iterable[int]) -> list[MemberFact]:
    """All memberships, past ones too, of some volunteers: eligibility asks for the day (P1)."""
    rows = Membership.objects.visible_to(scope).filter(volunteer_id__in=list(volunteer_ids))
    return [
        MemberFact(*row)
        for row in rows.order_by("volunteer_id", "starts_on", "pk").values_list(
            "pk", "organisation_id", "volunteer_id", "position", "starts_on", "ends_on"
        )
    ]
