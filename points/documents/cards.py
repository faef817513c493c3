"""Card sheets and handbook stickers: ten cards of 91 × 55 mm on A4, or a label format.

Owns what stands where on a card: 30 mm of modules with a margin of four cells that nothing else
enters, the same code in groups to type, the holder's own kanji.
Refuses: a code that version 2 does not hold (38 characters), a name that cannot be printed.
Rules: P6 of the points design.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from points.documents.label_formats import CARD_10, QR_BOX_MM, QR_MODULES_MM, LabelFormat
from points.documents.symbols import CAPACITY, drawing, symbols
from points.documents.values import Card, CardSheet
from registry.documents import Value, qr_svg, render

TEMPLATES = Path(__file__).parent / "templates"
_NAME_SIZES = ((7, 15.0), (10, 12.0), (14, 10.0), (24, 8.5))


def qr_box(
    text: str, modules_mm: float = QR_MODULES_MM, least_version: int = 2
) -> dict[str, Value]:
    """Return the drawn QR with the width in millimetres that gives its modules their size."""
    svg = qr_svg(text, least_version=least_version)
    cells = int(svg.partition('viewBox="0 0 ')[2].partition(" ")[0])
    return {"svg": svg, "mm": modules_mm * cells / (cells - 8)}


def _name_size(name: str) -> float:
    for length, size in _NAME_SIZES:
        if len(name) <= length:
            return size
    return 7.0


def card_sheets(
    sheet: CardSheet, cards: Sequence[Card], *, created_at: datetime,
    form: LabelFormat = CARD_10,
) -> bytes:
    """Return the cards in order as PDF/A-2b, ``form.each`` to an A4 page.

    Raises ``ValueError`` for a code that is empty or too long for version 2, and
    ``registry.documents.MissingGlyphs``: a card with 〓 for a name is no card.
    """
    for position, card in enumerate(cards):
        if not 0 < len(card.code) <= CAPACITY:
            raise ValueError(f"cards[{position}].code has {len(card.code)} characters")
    drawn = symbols([card.code for card in cards])
    return render(
        TEMPLATES / "cards.typ",
        {
            **asdict(sheet),
            "form": asdict(form),
            "qr_mm": QR_BOX_MM,
            "cards": [
                {
                    "svg": drawing(cells),
                    "number": card.number,
                    "name": card.name,
                    "name_size": _name_size(card.name),
                    "kana": card.kana,
                    "programmes": "・".join(card.programmes),
                    "code_text": card.code_text,
                }
                for card, cells in zip(cards, drawn, strict=True)
            ],
        },
        created_at=created_at,
        isolated=len(cards) > 500,
    )
