"""Volunteers with their card and their points, for those who run the programme.

Owns the joining of the registry's answer with the ledger.  Whom one finds is the registry's
rule (a leader: own members); points beside the name need ``statements.view`` (P9).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Max, Sum

from points.models import Account, Attendance
from registry.access import Scope
from registry.domain.roles import Permission
from registry.queries.cards import cards_of
from registry.queries.pages import Page
from registry.queries.volunteers import VolunteerFacts, search_volunteers


@dataclass(frozen=True)
class VolunteerLine:
    """``card_tail`` empty: no card in force.  ``points`` None: not yours to see."""

    volunteer: VolunteerFacts
    card_tail: str
    card_issued_at: datetime | None
    points: int | None


@dataclass(frozen=True)
class Seen:
    """How often somebody was counted, and when last."""

    count: int = 0
    last_on: date | None = None


def last_seen(scope: Scope, *, volunteer_ids: Collection[int]) -> dict[int, Seen]:
    """volunteer id → records that stand (void ones not counted).  One query.

    Raises ``Forbidden`` without ``statements.view``.
    """
    scope.require(Permission.STATEMENTS_VIEW)
    rows = Attendance.objects.visible_to(scope).filter(
        volunteer_id__in=volunteer_ids, voided_at__isnull=True
    ).order_by().values_list("volunteer_id").annotate(
        count=Count("pk"), last=Max("session__held_on")
    )
    return dict.fromkeys(volunteer_ids, Seen()) | {
        one: Seen(count, last) for one, count, last in rows
    }


def volunteers(
    scope: Scope, *, text: str = "", cursor: str | None = None, limit: int = 50
) -> Page[VolunteerLine]:
    """Volunteers by reading, written name or number (P4.4).  Constant queries; leaves a record.

    Raises ``BadCursor``.
    """
    page = search_volunteers(scope, text=text, cursor=cursor, limit=limit)
    ids = [one.id for one in page.items]
    cards = cards_of(scope, volunteer_ids=ids)
    sums: dict[int, int] = {}
    shown = scope.may(Permission.STATEMENTS_VIEW)
    if shown:
        rows = Account.objects.visible_to(scope).filter(volunteer_id__in=ids, kind="wallet")
        sums = dict(rows.order_by().values_list("volunteer_id").annotate(total=Sum("balance")))
    lines = []
    for one in page.items:
        card = cards.get(one.id)
        lines.append(VolunteerLine(
            one, card.tail if card else "", card.issued_at if card else None,
            sums.get(one.id, 0) if shown else None,
        ))
    return Page(tuple(lines), page.next)
