"""Sheets that cards and handbook stickers (手帳シール) are printed on: geometry as data.

Owns the measures of each format in millimetres, as the paper is cut.  Refuses a QR with less
than 30 mm of modules or without its margin of four cells (checked when the module loads).
Source: screens.md "Paper" (91 × 55 mm, ten to A4), P6; label sizes as sold on A4 (12 and 18
to a sheet without, 10 with a gap of none).
"""

from __future__ import annotations

from dataclasses import dataclass

A4 = (210.0, 297.0)
QR_MODULES_MM = 30.0  # width of the modules, without the margin
QR_CELLS, QR_MARGIN = 25, 4  # version 2
QR_BOX_MM = QR_MODULES_MM * (QR_CELLS + 2 * QR_MARGIN) / QR_CELLS


@dataclass(frozen=True, kw_only=True)
class LabelFormat:
    """One kind of paper: ``columns × rows`` labels; ``pitch`` is from edge to edge."""

    code: str
    label: str
    columns: int
    rows: int
    width: float
    height: float
    left: float
    top: float
    pitch_x: float
    pitch_y: float
    qr_x: float  # of the QR's box with its margin, within the label
    qr_y: float
    card: bool = False  # with header, advice and the finder's line; else a sticker
    cut_lines: bool = False  # dashed, for paper that is not perforated

    @property
    def each(self) -> int:
        """Labels on one page."""
        return self.columns * self.rows

    def place(self, index: int) -> tuple[int, float, float]:
        """Page (from 0) and the upper left corner of the label with this index, in mm."""
        page, at = divmod(index, self.each)
        row, column = divmod(at, self.columns)
        return page, self.left + column * self.pitch_x, self.top + row * self.pitch_y


CARD_10 = LabelFormat(
    code="card10", label="カード 10面（91×55 mm）", columns=2, rows=5, width=91.0, height=55.0,
    left=14.0, top=11.0, pitch_x=91.0, pitch_y=55.0, qr_x=1.0, qr_y=6.6, card=True,
    cut_lines=True,
)
STICKER_10 = LabelFormat(
    code="sticker10", label="手帳シール 10面（86.4×50.8 mm）", columns=2, rows=5, width=86.4,
    height=50.8, left=18.6, top=21.5, pitch_x=86.4, pitch_y=50.8, qr_x=1.0, qr_y=2.0,
)
STICKER_12 = LabelFormat(
    code="sticker12", label="手帳シール 12面（86.4×42.3 mm）", columns=2, rows=6, width=86.4,
    height=42.3, left=18.6, top=21.6, pitch_x=86.4, pitch_y=42.3, qr_x=1.0, qr_y=0.8,
)
STICKER_18 = LabelFormat(
    code="sticker18", label="手帳シール 18面（63.5×46.6 mm）", columns=3, rows=6, width=63.5,
    height=46.6, left=7.25, top=8.7, pitch_x=66.0, pitch_y=46.6, qr_x=0.5, qr_y=0.5,
)
FORMATS = {one.code: one for one in (CARD_10, STICKER_10, STICKER_12, STICKER_18)}


def _check(one: LabelFormat) -> None:
    right = one.left + (one.columns - 1) * one.pitch_x + one.width
    low = one.top + (one.rows - 1) * one.pitch_y + one.height
    if right > A4[0] + 1e-6 or low > A4[1] + 1e-6:
        raise ValueError(f"{one.code} is larger than A4")
    if one.pitch_x < one.width - 1e-6 or one.pitch_y < one.height - 1e-6:
        raise ValueError(f"{one.code}: labels overlap")
    if one.qr_x + QR_BOX_MM > one.width or one.qr_y + QR_BOX_MM > one.height:
        raise ValueError(f"{one.code} has no room for the QR and its margin")


for _one in FORMATS.values():
    _check(_one)
