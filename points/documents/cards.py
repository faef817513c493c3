"""Card sheets: ten cards of 91 × 55 mm on A4, for the usual perforated paper.

Owns: the sheet's measures (two columns from 14 mm, five rows from 11 mm) and the QR's: 30 mm of
modules and around them a margin of four cells that nothing else enters.
Refuses: a code that would need a finer QR than phones read well, a name that cannot be printed.
Rules: P6 of the points design.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from points.documents.values import Card, CardSheet
from registry.documents import Value, qr_svg, render

TEMPLATES = Path(__file__).parent / "templates"
QR_MODULES_MM = 30.0  # width of the modules, without the margin
CODE_LENGTH = 60  # characters; longer codes make cells under 0.8 mm
_NAME_SIZES = ((7, 15.0), (10, 12.0), (14, 10.0), (24, 8.5))


def qr_box(text: str, modules_mm: float = QR_MODULES_MM) -> dict[str, Value]:
    """Return the drawn QR with the width in millimetres that gives its modules their size."""
    svg = qr_svg(text, least_version=2)
    cells = int(svg.partition('viewBox="0 0 ')[2].partition(" ")[0])
    return {"svg": svg, "mm": modules_mm * cells / (cells - 8)}


def _name_size(name: str) -> float:
    for length, size in _NAME_SIZES:
        if len(name) <= length:
            return size
    return 7.0


def card_sheets(sheet: CardSheet, cards: Sequence[Card], *, created_at: datetime) -> bytes:
    """Return the cards in order, ten to an A4 page, as PDF/A-2b.

    Raises ``ValueError`` for a code that is empty or over ``CODE_LENGTH`` characters, and
    ``registry.documents.MissingGlyphs``: a card with 〓 for a name is no card.
    """
    for position, card in enumerate(cards):
        if not 0 < len(card.code) <= CODE_LENGTH:
            raise ValueError(f"cards[{position}].code has {len(card.code)} characters")
    return render(
        TEMPLATES / "cards.typ",
        {
            **asdict(sheet),
            "cards": [
                {
                    "qr": qr_box(card.code),
                    "number": card.number,
                    "name": card.name,
                    "name_size": _name_size(card.name),
                    "kana": card.kana,
                    "programmes": "・".join(card.programmes),
                }
                for card in cards
            ],
        },
        created_at=created_at,
        isolated=len(cards) > 500,
    )
