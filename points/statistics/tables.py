"""Tables: sessions, attendances, people, points, vouchers and yen by any dimensions (P10).

Owns the internal face: exact figures with free filters, by permission.  Every figure has one
definition (``DEFINITIONS``), printed with each export.  Refuses an unknown dimension.  People
are counted once within a cell, so a total of people is not the sum of its cells.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Sum

from points.domain.eligibility import age_in_year
from points.domain.rules import fiscal_year_span
from points.models import Attendance, AwardDecision, Exchange, Voucher
from points.queries import rulebook
from registry import access
from registry.access import JAPAN, Scope
from registry.domain.errors import Refused
from registry.domain.roles import Permission
from registry.queries.areas import areas
from registry.queries.volunteers import all_volunteers

DIMENSIONS: Mapping[str, str] = {
    "month": "月", "district": "地区", "age_band": "年代", "programme": "ポイント事業",
    "activity_kind": "活動の種類", "group": "登録団体", "method": "数え方",
}
MEASURES: Mapping[str, str] = {
    "sessions": "開催回数", "attendances": "参加のべ人数", "people": "参加実人数",
    "points_awarded": "付与ポイント", "points_exchanged": "交換ポイント",
    "vouchers_used": "利用券の利用枚数", "yen_used": "利用額（円）",
}
DEFINITIONS: Mapping[str, str] = {
    "sessions": "取り消していない参加記録が1件以上ある開催回の数",
    "attendances": "取り消していない参加記録の数（中止の回をのぞく）",
    "people": "その区分で1回以上参加した方の数（同じ方は1人）",
    "points_awarded": "その参加記録にいま配分されているポイントの合計",
    "points_exchanged": "その期間に利用券と交換したポイント（取り消した交換をのぞく）",
    "vouchers_used": "その期間に協力店で使われた利用券の枚数",
    "yen_used": "その期間に協力店で使われた利用券の金額の合計",
}
BANDS = ((0, 17, "17歳以下"), (18, 39, "18〜39歳"), (40, 64, "40〜64歳"), (65, 74, "65〜74歳"),
         (75, 84, "75〜84歳"), (85, 200, "85歳以上"))
UNKNOWN = "不明"
# What an exchange or a voucher has no part in.
_OF_ATTENDANCE = frozenset({"activity_kind", "group", "method"})


class BadDimension(Refused):
    """An unknown dimension or filter; ``fields`` names it."""

    code = "bad_dimension"
    message = "集計の区分が正しくありません。"


@dataclass
class _Cell:
    sessions: set[int] = field(default_factory=set)
    people: set[int] = field(default_factory=set)
    attendances: int = 0
    points: int = 0
    exchanged: int = 0
    used: int = 0
    yen: int = 0


@dataclass(frozen=True)
class Row:
    """One cell: the values of the dimensions, the figures by measure (None: does not apply)."""

    key: tuple[str, ...]
    figures: Mapping[str, int | None]


@dataclass(frozen=True)
class Table:
    """A table with its total; ``until`` is the last day counted; ``before`` last year's rows."""

    fiscal_year: int
    group_by: tuple[str, ...]
    filters: Mapping[str, str]
    until: date
    rows: tuple[Row, ...]
    total: Row
    before: Mapping[tuple[str, ...], Mapping[str, int | None]]
    total_before: Mapping[str, int | None]


def table(
    scope: Scope,
    *,
    fiscal_year: int,
    group_by: Sequence[str] = (),
    filters: Mapping[str, str] | None = None,
) -> Table:
    """The figures of a fiscal year up to the scope's day, beside the same days of last year.

    ``filters`` maps dimensions to one value each.  A constant number of queries.

    Raises:
        Forbidden: without ``statistics.view``.
        BadDimension: unknown, or named twice.
    """
    scope.require(Permission.STATISTICS_VIEW)
    wanted = dict(filters or {})
    unknown = [name for name in (*group_by, *wanted) if name not in DIMENSIONS]
    if unknown or len(set(group_by)) < len(group_by):
        raise BadDimension(fields={"group_by": "・".join(unknown) or "同じ区分が2回あります。"})
    first, last = fiscal_year_span(fiscal_year)
    until = min(last, scope.on)
    with access.system(at=scope.at, reason="statistics") as wide:
        known = _Known(wide)
        now = known.cells(fiscal_year, until, group_by, wanted)
        earlier = known.cells(fiscal_year - 1, _year_before(until), group_by, wanted)
    plain = not (_OF_ATTENDANCE & {*group_by, *wanted})
    figures = {key: _figures(cell, plain) for key, cell in now.items()}
    total = figures.pop((), None) if group_by else figures.get(())
    before = {key: _figures(cell, plain) for key, cell in earlier.items()}
    empty = _figures(_Cell(), plain)
    total_before = before.pop((), empty) if group_by else before.get((), empty)
    rows = tuple(Row(key, figures[key]) for key in sorted(figures, key=_order(group_by)) if key)
    return Table(fiscal_year, tuple(group_by), wanted, until, rows, Row((), total or empty),
                 before, total_before)


class _Known:
    """What the dimensions need, read once for both years."""

    def __init__(self, wide: Scope) -> None:
        self.wide, self.rules = wide, rulebook.load()
        places = {one.id: one for one in areas(wide)}

        def district(area: int | None) -> str:
            while area is not None and area in places:
                if places[area].kind == "district":
                    return places[area].name
                area = places[area].parent_id
            return UNKNOWN

        self.person = {
            one.id: (district(one.area_id), one.born_on) for one in all_volunteers(wide)
        }

    def cells(
        self, year: int, until: date, group_by: Sequence[str], filters: Mapping[str, str]
    ) -> dict[tuple[str, ...], _Cell]:
        """Cells by key, the total under ()."""
        first, _ = fiscal_year_span(year)
        found: dict[tuple[str, ...], _Cell] = defaultdict(_Cell)

        def place(values: dict[str, str]) -> list[_Cell]:
            if any(values.get(name) != value for name, value in filters.items()):
                return []
            key = tuple(values[name] for name in group_by)
            return [found[()], found[key]] if key else [found[()]]

        points = self._points(first, until)
        rows = Attendance.objects.visible_to(self.wide).filter(
            session__held_on__range=(first, until), voided_at__isnull=True,
            session__cancelled_at__isnull=True,
        )
        for pk, volunteer, method, session, on, kind, group, programme in rows.values_list(
            "pk", "volunteer_id", "method", "session_id", "session__held_on",
            "session__activity_kind", "session__group__name", "session__programme_id",
        ).iterator(chunk_size=5_000):
            values = self._values(volunteer, on, programme, year) | {
                "activity_kind": kind, "group": group or "（団体なし）", "method": method,
            }
            for cell in place(values):
                cell.sessions.add(session)
                cell.people.add(volunteer)
                cell.attendances += 1
                cell.points += points.get(pk, 0)
        if not _OF_ATTENDANCE & {*group_by, *filters}:
            self._paper(year, first, until, place)
        return found

    def _paper(
        self, year: int, first: date, until: date, place: Callable[[dict[str, str]], list[_Cell]]
    ) -> None:
        done = Exchange.objects.visible_to(self.wide).filter(
            fiscal_year=year, undone_at__isnull=True
        )
        for volunteer, programme, at, points in done.values_list(
            "volunteer_id", "programme_id", "at", "points"
        ).iterator():
            on = at.astimezone(JAPAN).date()
            if first <= on <= until:
                for cell in place(self._values(volunteer, on, programme, year)):
                    cell.exchanged += points
        used = Voucher.objects.visible_to(self.wide).filter(
            used_at__isnull=False, fiscal_year__in=[year, year - 1]
        )
        for volunteer, programme, at, yen in used.values_list(
            "volunteer_id", "programme_id", "used_at", "yen"
        ).iterator():
            on = at.astimezone(JAPAN).date()
            if first <= on <= until:
                for cell in place(self._values(volunteer, on, programme, year)):
                    cell.used += 1
                    cell.yen += yen

    def _points(self, first: date, until: date) -> dict[int, int]:
        rows = AwardDecision.objects.visible_to(self.wide).filter(
            attendance__session__held_on__range=(first, until)
        ).order_by()
        return dict(rows.values_list("attendance_id").annotate(total=Sum("change")))

    def _values(self, volunteer: int, on: date, programme: int, year: int) -> dict[str, str]:
        district, born = self.person.get(volunteer, (UNKNOWN, None))
        return {
            "month": f"{on:%Y-%m}", "district": district, "age_band": _band(born, year),
            "programme": self.rules.code_of[programme],
        }


def _band(born: date | None, year: int) -> str:
    if born is None:
        return UNKNOWN
    age = age_in_year(born, year)
    return next((name for low, high, name in BANDS if low <= age <= high), UNKNOWN)


def _figures(cell: _Cell, plain: bool) -> dict[str, int | None]:
    return {
        "sessions": len(cell.sessions), "attendances": cell.attendances,
        "people": len(cell.people), "points_awarded": cell.points,
        "points_exchanged": cell.exchanged if plain else None,
        "vouchers_used": cell.used if plain else None, "yen_used": cell.yen if plain else None,
    }


def _year_before(on: date) -> date:
    """The same day of last year (28 February for the 29th)."""
    day = 28 if (on.month, on.day) == (2, 29) else on.day
    return date(on.year - 1, on.month, day)


def _order(group_by: Sequence[str]) -> Callable[[tuple[str, ...]], Any]:
    bands = [name for _, _, name in BANDS]

    def place(key: tuple[str, ...]) -> list[Any]:
        return [
            (bands.index(value) if value in bands else len(bands), value)
            if name == "age_band" else (value == UNKNOWN, value)
            for name, value in zip(group_by, key, strict=True)
        ]

    return place


def month_shift(key: Iterable[str], group_by: Sequence[str]) -> tuple[str, ...]:
    """The key under which last year's rows stand: months are a year earlier."""
    return tuple(
        f"{int(value[:4]) - 1}{value[4:]}" if name == "month" else value
        for name, value in zip(group_by, key, strict=True)
    )
