"""The face for publication (公表用): fixed two-way tables without small cells (P10).

Owns turning a table of **people** into what may be printed: cells and margins of 1 to 4 people
are hidden, and as many others as keep subtraction from revealing them.
Refuses free filters: a published table is fixed, because two tables that differ by a filter can
be subtracted.  The mathematics is ``points.domain.suppression``.
"""

from __future__ import annotations

from dataclasses import dataclass

from points.domain.suppression import THRESHOLD, suppress
from points.statistics.tables import BadDimension, table
from registry.access import Scope

PUBLISHED = (("district", "age_band"), ("month", "district"), ("district", "activity_kind"))


@dataclass(frozen=True)
class Published:
    """Row and column labels, and the cells as printed: a number or ``x``; totals last.

    Totals are sums of the cells (a person in two months counts in both), so that rows add up.
    """

    fiscal_year: int
    dimensions: tuple[str, str]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[int | str, ...], ...]
    threshold: int = THRESHOLD


def published(scope: Scope, *, fiscal_year: int, dimensions: tuple[str, str]) -> Published:
    """A published table of people who took part.

    Raises:
        Forbidden: without ``statistics.view``.
        BadDimension: not one of ``PUBLISHED``.
    """
    if dimensions not in PUBLISHED:
        raise BadDimension(fields={"dimensions": "公表用の表にない区分です。"})
    exact = table(scope, fiscal_year=fiscal_year, group_by=dimensions)
    rows = tuple(dict.fromkeys(sorted(row.key[0] for row in exact.rows)))
    columns = tuple(dict.fromkeys(sorted(row.key[1] for row in exact.rows)))
    if not rows:
        return Published(fiscal_year, dimensions, (), (), ())
    people = {row.key: row.figures["people"] or 0 for row in exact.rows}
    hidden = suppress([[people.get((r, c), 0) for c in columns] for r in rows])
    return Published(fiscal_year, dimensions, rows, columns,
                     tuple(tuple(line) for line in hidden.cells()))
