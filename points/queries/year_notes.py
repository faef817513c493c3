"""What an approved exception means for one's own points, as lines of the statement (特例).

Owns the sentences.  Refuses nothing: exceptions are public facts, with their reason and date.
"""

from __future__ import annotations

from datetime import date, datetime

from points.models import YearException
from registry.access import day_of


def exception_lines(fiscal_year: int) -> dict[int, list[tuple[date, datetime, int, str]]]:
    """programme id → (day, instant, id, sentence) of the year's exceptions.  One query."""
    found: dict[int, list[tuple[date, datetime, int, str]]] = {}
    rows = YearException.objects.filter(year__fiscal_year=fiscal_year).order_by("pk")
    for pk, programme, kind, until, lapses, reason, at in rows.values_list(
        "pk", "year__programme_id", "kind", "exchange_until", "lapses_on", "reason", "made_at"
    ):
        if kind == YearException.Kind.POSTPONE:
            said = (f"特例により、{fiscal_year}年度のポイントは{_day(until)}まで交換でき、"
                    f"{_day(lapses)}に失効します（{reason}）")
        elif kind == YearException.Kind.CARRY:
            said = (f"特例により、{fiscal_year}年度ののこりは失効せず、"
                    f"{fiscal_year + 1}年度に繰り越します（{reason}）")
        else:
            said = f"{fiscal_year}年度の特例を終えました（{reason}）"
        found.setdefault(programme, []).append((day_of(at), at, pk, said))
    return found


def _day(on: date | None) -> str:
    return "" if on is None else f"{on.year}年{on.month}月{on.day}日"
