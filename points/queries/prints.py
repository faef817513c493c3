"""Which cards were printed when, by whom, on what and why (印刷の記録, P6).

Owns reading card prints.  Refuses everybody without ``cards.issue``; codes are never here.  The
lines of a print name people: reading them leaves a record.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from points.models import CardPrint, PrintedCard
from registry.access import Scope
from registry.domain.errors import NotFound
from registry.domain.roles import Permission
from registry.queries.accounts import display_names
from registry.queries.cards import cards_by_id
from registry.queries.volunteers import volunteer_facts


@dataclass(frozen=True)
class PrintLine:
    """One print."""

    id: int
    sheet_format: str
    why: str
    cards: int
    printed_at: datetime
    printed_by: str


@dataclass(frozen=True)
class PrintedLine:
    """One card of a print; ``cancelled`` since or before."""

    position: int
    volunteer_id: int
    name: str
    number: str
    tail: str
    cancelled: bool


def prints(scope: Scope, *, before: int | None = None, limit: int = 50) -> list[PrintLine]:
    """Prints, newest first; ``before`` is the id to go on from.  Two queries."""
    scope.require(Permission.CARDS_ISSUE)
    rows = CardPrint.objects.visible_to(scope).order_by("-pk")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.values_list("pk", "sheet_format", "why", "cards", "printed_at",
                                  "printed_by_id")[:limit])
    names = display_names({row[5] for row in found})
    return [PrintLine(row[0], row[1], CardPrint.Why(row[2]).label, row[3], row[4],
                      names.get(row[5], "")) for row in found]


def print_of(scope: Scope, *, print_id: int) -> tuple[PrintLine, list[PrintedLine]]:
    """One print and its cards in the order of the paper.  Raises ``NotFound``."""
    head = prints(scope, before=print_id + 1, limit=1)
    if not head or head[0].id != print_id:
        raise NotFound
    placed = list(PrintedCard.objects.visible_to(scope).filter(batch_id=print_id)
                  .order_by("position").values_list("position", "card_id"))
    held = cards_by_id(scope, card_ids=[card for _, card in placed])
    facts = volunteer_facts(scope, volunteer_ids={one.volunteer_id for one in held.values()},
                            action="cards.prints")
    lines = []
    for position, card in placed:
        one = held.get(card)
        who = facts.get(one.volunteer_id) if one else None
        if one is not None and who is not None:
            lines.append(PrintedLine(position, one.volunteer_id, who.name, who.number, one.tail,
                                     one.cancelled_at is not None))
    return head[0], lines
