"""Cards: issue, cancel, reissue.

Owns the card rows: digest for look-up, sealed code for printing, the last three characters for
offline screens.  The code itself is minted elsewhere (P6) and handed in.  Refuses a second card
in force; a reissue kills the old code at once and points stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from django.db import IntegrityError, transaction

from registry import audit
from registry.access import Scope
from registry.codes import code_digest, sealed_code
from registry.domain.errors import Conflict, NotFound, Refused
from registry.domain.roles import Permission
from registry.models import Card, LogKind, Volunteer
from registry.operations.staff import actor_id


class CardInForce(Conflict):
    """The volunteer has a card; reissue it instead."""

    code = "card_in_force"
    message = "この方には使えるカードがあります。なくしたときは「再発行」をしてください。"


@transaction.atomic
def issue_card(*, volunteer_id: int, code: str, by: Scope) -> Card:
    """Give a volunteer a card with a freshly minted code.

    Raises:
        Forbidden: without ``cards.issue``.
        NotFound: no such volunteer.
        CardInForce: there is one already.
        Refused: ``bad_card_code`` for a code shorter than 10 characters.
    """
    return issue_cards(codes={volunteer_id: code}, by=by)[0]


@transaction.atomic
def issue_cards(*, codes: Mapping[int, str], by: Scope) -> list[Card]:
    """Issue a set (volunteer id → code), all or none.  Raises as ``issue_card``."""
    by.require(Permission.CARDS_ISSUE)
    if any(len(code) < 10 or not code.isascii() for code in codes.values()):
        raise Refused("カードのコードの形が正しくありません。", code="bad_card_code")
    ids = list(codes)
    present: set[int] = set()
    for start in range(0, len(ids), 500):
        some = Volunteer.objects.visible_to(by).filter(pk__in=ids[start : start + 500])
        present.update(some.values_list("pk", flat=True))
    if present != set(ids):
        raise NotFound
    issuer = actor_id(by=by)
    rows = [
        Card(volunteer_id=volunteer, digest=code_digest(code), tail=code[-3:],
             sealed_code=sealed_code(code, volunteer_id=volunteer),
             issued_at=by.at, issued_by_id=issuer)
        for volunteer, code in codes.items()
    ]
    try:
        with transaction.atomic():
            Card.objects.unscoped().bulk_create(rows, batch_size=500)
    except IntegrityError as error:
        raise CardInForce from error
    audit.note(scope=by, kind=LogKind.CHANGE, action="cards.issue", subject_kind="volunteer",
               subject_id=ids[0] if len(ids) == 1 else None, detail={"cards": len(rows)})
    return rows


@transaction.atomic
def cancel_card(*, volunteer_id: int, by: Scope, reason: str = "") -> Card:
    """Kill the card in force; a scan of it is refused from now on.  ``reason`` stays with it.

    Raises:
        Forbidden: without ``cards.issue``.
        NotFound: no card in force, or not visible.
    """
    by.require(Permission.CARDS_ISSUE)
    card: Card | None = (
        Card.objects.visible_to(by)
        .select_for_update()
        .filter(volunteer_id=volunteer_id, cancelled_at__isnull=True)
        .first()
    )
    if card is None:
        raise NotFound
    card.cancelled_at, card.cancelled_by_id = by.at, actor_id(by=by)
    card.cancel_reason = reason.strip()[:80]
    card.save(update_fields=["cancelled_at", "cancelled_by", "cancel_reason"])
    audit.note(scope=by, kind=LogKind.CHANGE, action="cards.cancel", subject_kind="volunteer",
               subject_id=volunteer_id, detail={"card": card.pk, "reason": card.cancel_reason})
    return card


@transaction.atomic
def reissue_card(*, volunteer_id: int, code: str, by: Scope, reason: str = "") -> Card:
    """Cancel the card in force, if any, and issue a new one.  Raises as ``issue_card``.

    The old code dies at once; points stay with the volunteer.

    Cards of records that were united with this one (P8) die with it: one person, one card.
    """
    former = Volunteer.objects.visible_to(by).filter(merged_into_id=volunteer_id)
    for one in [volunteer_id, *former.order_by("pk").values_list("pk", flat=True)]:
        with suppress(NotFound):  # nothing to cancel: issue_card decides whether one exists
            cancel_card(volunteer_id=one, by=by, reason=reason)
    return issue_card(volunteer_id=volunteer_id, code=code, by=by)
