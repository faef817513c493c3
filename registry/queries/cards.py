"""Cards by code, for scans; codes by volunteer, for printing.

Owns both look-ups, set-based.  A scan runs in the service's own scope after the caller was
allowed to scan; printing needs ``cards.issue`` and leaves a record.  Refuses names: a card
leads to an id, nothing else (P6).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce

from registry import audit
from registry.access import Scope
from registry.codes import code_digest, opened_code
from registry.domain.roles import Permission
from registry.models import Card, LogKind, Volunteer


@dataclass(frozen=True)
class CardFact:
    """One card; ``cancelled_at`` None while it is in force."""

    card_id: int
    volunteer_id: int
    tail: str
    issued_at: datetime
    cancelled_at: datetime | None


_REST = ("tail", "issued_at", "cancelled_at")
_COLUMNS = ("pk", "volunteer_id", *_REST)
_PERSON = Coalesce("volunteer__merged_into_id", "volunteer_id")


def cards_by_code(scope: Scope, codes: Iterable[str]) -> dict[str, CardFact]:
    """code → card, of those that exist and are visible.  One query for 1,000 codes.

    The card of a record that was united with another leads to the survivor (P8).
    """
    wanted = {code_digest(code): code for code in codes}
    digests, found = list(wanted), {}
    for start in range(0, len(digests), 1_000):
        rows = Card.objects.visible_to(scope).filter(digest__in=digests[start : start + 1_000])
        for digest, pk, volunteer, *rest in rows.values_list("digest", "pk", _PERSON, *_REST):
            found[wanted[bytes(digest)]] = CardFact(pk, volunteer, *rest)
    return found


def cards_of(scope: Scope, *, volunteer_ids: Iterable[int]) -> dict[int, CardFact]:
    """volunteer id → the card in force, of those visible."""
    rows = Card.objects.visible_to(scope).filter(
        volunteer_id__in=list(volunteer_ids), cancelled_at__isnull=True
    )
    return {row[1]: CardFact(*row) for row in rows.values_list(*_COLUMNS)}


def cards_by_id(scope: Scope, *, card_ids: Iterable[int]) -> dict[int, CardFact]:
    """card id → card, cancelled ones too, of those visible."""
    rows = Card.objects.visible_to(scope).filter(pk__in=list(card_ids))
    return {row[0]: CardFact(*row) for row in rows.values_list(*_COLUMNS)}


def codes_for_printing(scope: Scope, *, volunteer_ids: Iterable[int]) -> dict[int, str]:
    """volunteer id → the code of the card in force.  The volunteer's own needs no permission.

    Raises:
        Forbidden: somebody else's without ``cards.issue``.
    """
    ids = list(volunteer_ids)
    if ids != [scope.volunteer_id]:
        scope.require(Permission.CARDS_ISSUE)
    rows = Card.objects.visible_to(scope).filter(
        volunteer_id__in=ids, cancelled_at__isnull=True
    )
    found = {card.volunteer_id: opened_code(card) for card in rows}
    audit.note(scope=scope, kind=LogKind.VIEW, action="cards.codes", subject_kind="volunteer",
               fields=["code"], detail={"cards": len(found)})
    return found


def volunteers_without_card(scope: Scope) -> list[int]:
    """Ids of registered volunteers who have no card in force."""
    in_force = Card.objects.unscoped().filter(
        volunteer_id=OuterRef("pk"), cancelled_at__isnull=True
    )
    rows = (
        Volunteer.objects.visible_to(scope)
        .filter(Q(left_on__isnull=True) | Q(left_on__gt=scope.on))
        .filter(~Exists(in_force))
    )
    return list(rows.order_by("pk").values_list("pk", flat=True))
