"""Posters with a QR to read by phone: one session's printed event code, and the practice code.

Owns the paper: a symbol of 90 mm that is read from two steps away, the hours in which it works,
how to read it in three steps.  Refuses to make codes (given).  Rules: P4.3, P6.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from points.documents.cards import TEMPLATES, qr_box
from points.documents.values import EventPoster, PracticePoster
from registry.documents import render

POSTER_QR_MM = 90.0


def event_poster(poster: EventPoster, *, created_at: datetime) -> bytes:
    """Return the poster as PDF/A-2b.  Raises ``registry.documents.MissingGlyphs``."""
    return render(
        TEMPLATES / "event_poster.typ",
        {**asdict(poster), "maker": poster.municipality, "practice": False,
         "qr": qr_box(poster.code, POSTER_QR_MM, 4)},
        created_at=created_at,
    )


def practice_poster(poster: PracticePoster, *, created_at: datetime) -> bytes:
    """Return the practice poster as PDF/A-2b; it says 練習用 above and below the symbol."""
    return render(
        TEMPLATES / "event_poster.typ",
        {**asdict(poster), "maker": poster.municipality, "practice": True,
         "qr": qr_box(poster.code, POSTER_QR_MM, 4)},
        created_at=created_at,
    )
