"""Random codes as the database knows them: digests for look-up, sealed text for printing.

Owns the look-up keys of cards and phones, and the sealing of a card's code under the volunteer it
belongs to.  Refuses a sealed code that was moved to another volunteer.  P6.
"""

from __future__ import annotations

from registry.models import Card
from registry.sealing import digest, seal, unseal


def code_digest(code: str) -> bytes:
    """The look-up key of a card's code (32 bytes), the same for every spelling minted."""
    return digest(code, purpose="card")


def device_digest(token: str) -> bytes:
    """The look-up key of a phone's token (32 bytes)."""
    return digest(token, purpose="device")


def sealed_code(code: str, *, volunteer_id: int) -> bytes:
    """A card's code as it is stored."""
    return seal(code.encode(), context=_context(volunteer_id))


def opened_code(card: Card) -> str:
    """The code of a card, for printing it.  Raises ``CannotOpen``."""
    return unseal(card.sealed_code, context=_context(card.volunteer_id)).decode()


def _context(volunteer_id: int) -> str:
    return f"card:{volunteer_id}"
