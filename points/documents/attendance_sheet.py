"""The paper attendance list of one session, printed with the members in order (P4.5).

Owns: the order, the empty lines, the headcount box that must equal the entered count.
Refuses: to sort (the sheet is entered in the order it was printed in).
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from points.documents.cards import TEMPLATES, qr_box
from points.documents.values import AttendanceSheet
from registry.documents import Missing, render

ROW_QR_MM = 9.4  # version 1: 21 cells of 0.45 mm; its box with the margin is 13 mm


def attendance_sheet(sheet: AttendanceSheet, *, created_at: datetime) -> bytes:
    """Return the sheet as PDF/A-2b; a name without a glyph prints 〓 beside its number.

    Raises ``ValueError`` if the members are not numbered 1, 2, 3 … in this order.
    """
    if [member.order for member in sheet.members] != list(range(1, len(sheet.members) + 1)):
        raise ValueError("members must be numbered from 1 in the order of the sheet")
    return render(
        TEMPLATES / "attendance_sheet.typ",
        {
            **asdict(sheet),
            "members": [
                {**asdict(one), "qr": qr_box(one.code, ROW_QR_MM, 1) if one.code else None}
                for one in sheet.members
            ],
            "maker": sheet.municipality,
            "qr": qr_box(sheet.code, 16.0) if sheet.code else None,
        },
        created_at=created_at,
        missing=Missing.MARK,
    )
