"""A group's year in numbers, generated from attendance (実績), P9.

Owns: sessions, people (実), attendances (のべ) and points by month and kind, and the totals in
which a person counts once.  Counts what P10 counts: no void record, no cancelled session.  Gives
numbers only, so it reads in the service's own scope after the filing was found to be one's own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Sum

from points.models import Attendance, AwardDecision, Group
from points.queries import rulebook
from points.queries.groups import counting_day, label, rules_of, visible
from registry import access
from registry.access import Scope
from registry.domain.errors import NotFound


@dataclass(frozen=True)
class Figure:
    """One line: ``month`` as 2026-11 and the kind, both "" in a total."""

    month: str
    kind: str
    kind_label: str
    sessions: int
    people: int
    attendances: int
    points: int


@dataclass(frozen=True)
class Figures:
    """A year: lines by month and kind, one total a kind, and the total."""

    lines: tuple[Figure, ...]
    kinds: tuple[Figure, ...]
    total: Figure

    def body(self) -> dict[str, Any]:
        """As JSON; ``figures_from`` is its inverse."""
        return asdict(self)


def figures_from(body: dict[str, Any]) -> Figures:
    """The figures that were kept."""
    return Figures(
        tuple(Figure(**one) for one in body["lines"]),
        tuple(Figure(**one) for one in body["kinds"]), Figure(**body["total"]),
    )


def figures(scope: Scope, *, group_id: int) -> Figures:
    """The figures of one's own filing as they are now.  Raises ``NotFound``."""
    return figures_of(scope, group_ids=[group_id]).get(group_id) or _missing()


def figures_of(scope: Scope, *, group_ids: Collection[int]) -> dict[int, Figures]:
    """group id → figures, of one's own filings.  Four queries for any number."""
    groups = {one.pk: one for one in visible(scope).filter(pk__in=list(group_ids))}
    known = rulebook.load()
    rows: dict[int, list[tuple[int, str, str, int, int]]] = defaultdict(list)
    with access.system(at=scope.at, reason="group figures") as wide:
        points = dict(
            AwardDecision.objects.visible_to(wide)
            .filter(attendance__session__group_id__in=list(groups)).order_by()
            .values_list("attendance_id").annotate(total=Sum("change"))
        )
        for pk, volunteer, group, session, kind, on in (
            Attendance.objects.visible_to(wide)
            .filter(session__group_id__in=list(groups), voided_at__isnull=True,
                    session__cancelled_at__isnull=True)
            .order_by("session__held_on", "pk")
            .values_list("pk", "volunteer_id", "session__group_id", "session_id",
                         "session__activity_kind", "session__held_on")
        ):
            rows[group].append((session, f"{on:%Y-%m}", kind, volunteer, points.get(pk, 0)))
    return {
        number: _figures(rows[number], _labels(group, known, scope))
        for number, group in groups.items()
    }


def _missing() -> Figures:
    raise NotFound


def _labels(group: Group, known: rulebook.Rules, scope: Scope) -> dict[str, str]:
    rules = rules_of(group, known, counting_day(group.fiscal_year, scope.on))
    return {rate.kind: label(rules, rate.kind) for rate in rules.rates}


def _figures(rows: list[tuple[int, str, str, int, int]], names: dict[str, str]) -> Figures:
    cells: dict[tuple[str, str], list[tuple[int, int, int]]] = defaultdict(list)
    kinds: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for session, month, kind, volunteer, points in rows:
        cells[month, kind].append((session, volunteer, points))
        kinds[kind].append((session, volunteer, points))
    return Figures(
        tuple(_figure(month, kind, names, some) for (month, kind), some in sorted(cells.items())),
        tuple(_figure("", kind, names, some) for kind, some in sorted(kinds.items())),
        _figure("", "", names, [one for some in kinds.values() for one in some]),
    )


def _figure(
    month: str, kind: str, names: dict[str, str], rows: list[tuple[int, int, int]]
) -> Figure:
    return Figure(
        month, kind, names.get(kind, kind), len({one[0] for one in rows}),
        len({one[1] for one in rows}), len(rows), sum(one[2] for one in rows),
    )
