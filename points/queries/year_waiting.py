"""One entry of what a closed year waits for, for the page on which it is decided.

Owns a late record and a withheld correction by their ids, with the year they belong to.  Refuses
everybody without ``rules.manage``; what does not wait any more is not found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from points.domain.rules import fiscal_year
from points.models import Attendance, YearCorrection, YearException
from points.queries.years import CorrectionFact, LateFact
from registry.access import Scope
from registry.domain.errors import NotFound
from registry.domain.roles import Permission


@dataclass(frozen=True)
class Place:
    """The year an entry belongs to."""

    programme: str
    name: str
    fiscal_year: int


def late(scope: Scope, *, attendance_id: int) -> tuple[Place, LateFact]:
    """A record that came after the close.  Raises ``Forbidden``, ``NotFound``."""
    scope.require(Permission.RULES_MANAGE)
    row: Any = Attendance.objects.visible_to(scope).filter(
        pk=attendance_id, after_close=True, correction="", voided_at__isnull=True,
        session__cancelled_at__isnull=True,
    ).select_related("session__programme").first()
    if row is None:
        raise NotFound
    session = row.session
    return (
        Place(session.programme.code, session.programme.name, fiscal_year(session.held_on)),
        LateFact(row.pk, row.volunteer_id, session.title, session.held_on, row.method,
                 row.recorded_at),
    )


def correction(scope: Scope, *, correction_id: int) -> tuple[Place, CorrectionFact]:
    """A correction that waits.  Raises ``Forbidden``, ``NotFound``."""
    scope.require(Permission.RULES_MANAGE)
    row: Any = YearCorrection.objects.visible_to(scope).filter(
        pk=correction_id, outcome=YearCorrection.Outcome.WAITING
    ).select_related("year__programme").first()
    if row is None:
        raise NotFound
    programme = row.year.programme
    return (
        Place(programme.code, programme.name, row.year.fiscal_year),
        CorrectionFact(row.pk, row.volunteer_id, row.stands, row.would_be, row.noticed_at),
    )


def exception_place(scope: Scope, *, exception_id: int) -> Place:
    """The year of an exception.  Raises ``Forbidden``, ``NotFound``."""
    scope.require(Permission.RULES_MANAGE)
    row = YearException.objects.filter(pk=exception_id).select_related("year__programme").first()
    if row is None:
        raise NotFound
    return Place(row.year.programme.code, row.year.programme.name, row.year.fiscal_year)
