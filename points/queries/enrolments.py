"""Yearly registrations as staff read them (年度登録).

Owns the list of a programme and year, with names and 手帳番号; reading it leaves a record.
Refuses those without ``volunteers.manage``.  Source: P2.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from points.models import Enrolment, Programme
from registry.access import Scope
from registry.domain.errors import NotFound, Refused
from registry.domain.roles import Permission
from registry.queries.volunteers import volunteer_facts


@dataclass(frozen=True)
class EnrolmentFact:
    """One registration in force."""

    id: int
    volunteer_id: int
    number: str
    name: str
    starts_on: date
    made_at: datetime


@dataclass(frozen=True)
class EnrolmentPage:
    """Some of them in the order they were made; ``next`` is the cursor of the rest."""

    items: tuple[EnrolmentFact, ...]
    count: int
    next: str | None


def enrolments(
    scope: Scope, *, programme: str, fiscal_year: int, cursor: str | None = None, limit: int = 50
) -> EnrolmentPage:
    """Who is registered with a programme (code) for a year; three queries and the record.

    Raises:
        Forbidden: without ``volunteers.manage``.
        NotFound: no such programme.
        Refused: ``bad_cursor``.
    """
    scope.require(Permission.VOLUNTEERS_MANAGE)
    owner = Programme.objects.filter(code=programme).first()
    if owner is None:
        raise NotFound
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise Refused("このページの続きは読みとれません。", code="bad_cursor")
    rows = Enrolment.objects.visible_to(scope).filter(
        programme=owner, fiscal_year=fiscal_year, cancelled_at__isnull=True
    )
    size = max(1, min(limit, 200))
    some = list(rows.filter(pk__gt=int(cursor or 0)).order_by("pk")[: size + 1])
    people = volunteer_facts(
        scope, volunteer_ids=[row.volunteer_id for row in some[:size]], action="enrolments.list"
    )
    return EnrolmentPage(
        tuple(
            EnrolmentFact(row.pk, row.volunteer_id, people[row.volunteer_id].number,
                          people[row.volunteer_id].name, row.starts_on, row.made_at)
            for row in some[:size]
        ),
        rows.count(), str(some[size - 1].pk) if len(some) > size else None,
    )
