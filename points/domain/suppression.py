"""Tables for publication (公表用) in which no small cell can be worked out.

Owns: primary suppression of cells and margins of 1 to ``threshold`` - 1 people, and the
complementary suppression that keeps subtraction from revealing them.
Refuses: negative or non-integer counts; a mark that tells small cells from complementary
ones; a published rate of which one part is suppressed.
Source: P10.  A two-way table with margins is a network: rows and columns are nodes, each
entry is an arc (Cox 1980; Gusfield 1988).  A change that keeps all margins is a circulation.
For every small cell v we suppress a cycle through it whose other entries can take the
difference ``threshold`` - v, so there **is** a table that agrees with everything published
in which that cell reads ``threshold``: nobody can show that it is small, let alone solve
it.  The attacker knows the rule, that zeros are published, hence suppressed cells are ≥ 1.

One table only: differences between releases, and tables sharing margins, are checked where
releases are frozen.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

THRESHOLD = 5
MARK = "x"
_MARGIN_COST = 4  # a hidden total costs the reader more than a hidden cell of the same size
Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Suppressed:
    """``values`` and ``hidden`` have shape (rows + 1, columns + 1), totals last."""

    values: Counts
    hidden: Mask

    def cells(self) -> list[list[int | str]]:
        """The table as published: a number or ``MARK``, one mark for both kinds."""
        return [
            [MARK if hide else int(value) for value, hide in zip(row, hides, strict=True)]
            for row, hides in zip(self.values, self.hidden, strict=True)
        ]


def with_margins(counts: ArrayLike) -> Counts:
    """``counts`` (rows, columns) with a column and a row of totals; ``ValueError`` if invalid."""
    table: NDArray[Any] = np.asarray(counts)
    if table.ndim != 2 or 0 in table.shape:
        raise ValueError("counts: a table of rows and columns, neither empty")
    if not np.issubdtype(table.dtype, np.integer) or table.min() < 0:
        raise ValueError("counts: integers of 0 or more")
    inner = table.astype(np.int64)
    wide = np.hstack([inner, inner.sum(axis=1, keepdims=True)])
    return np.vstack([wide, wide.sum(axis=0, keepdims=True)])


def suppress(counts: ArrayLike, *, threshold: int = THRESHOLD) -> Suppressed:
    """Hide small cells of ``counts`` (rows, columns) and what would reveal them.

    Deterministic. Zeros stay (nobody is behind them). Raises ``ValueError`` for bad input.
    """
    if threshold < 2:
        raise ValueError("threshold: 2 or more")
    values = with_margins(counts)
    primary: Mask = (values > 0) & (values < threshold)
    hidden: Mask = primary.copy()
    small = [(int(r), int(c)) for r, c in np.argwhere(primary)]
    # The neediest first: their cycles can carry the others.
    small.sort(key=lambda cell: (int(values[cell]), cell))
    network = _Network(values)
    for cell in small:
        need = threshold - int(values[cell])
        for other in network.cheapest(cell, need, hidden):
            hidden[other] = True
    _thin(network, hidden, primary, small, threshold)
    return Suppressed(values, hidden)


def publishable_rate(part: Suppressed, whole: Suppressed) -> Mask:
    """Where ``part / whole`` may be shown: both are published and the whole is not zero."""
    return ~part.hidden & ~whole.hidden & (whole.values > 0)


class _Network:
    """Entries as arcs. Raising entry (r, c) sends flow ``tail → head``; lowering, back."""

    def __init__(self, values: Counts) -> None:
        self.values = values
        self.rows, self.columns = values.shape
        self.out: list[list[tuple[int, int, int, bool]]] = [
            [] for _ in range(self.rows + self.columns)
        ]
        for row in range(self.rows):
            for column in range(self.columns):
                if values[row, column]:
                    tail, head = self.ends((row, column))
                    self.out[tail].append((head, row, column, True))
                    self.out[head].append((tail, row, column, False))

    def ends(self, cell: tuple[int, int]) -> tuple[int, int]:
        """Row and column nodes, swapped for totals, whose sign in their equation is minus.

        Both totals at once (the grand total) swap twice, i.e. not at all.
        """
        row, column = cell
        swapped = (row == self.rows - 1) != (column == self.columns - 1)
        ends = (row, self.rows + column)
        return ends[::-1] if swapped else ends

    def cheapest(self, cell: tuple[int, int], need: int, hidden: Mask) -> list[tuple[int, int]]:
        """Entries of the cheapest cycle that can raise ``cell`` by ``need`` (Dijkstra).

        One always exists: cell, its row total, its column total and the grand total all rise.
        """
        tail, head = self.ends(cell)
        best = {head: 0}
        came: dict[int, tuple[int, int, int]] = {}
        heap = [(0, head)]
        while heap:
            cost, node = heappop(heap)
            if node == tail:
                break
            if cost > best[node]:
                continue
            for to, row, column, up in self.out[node]:
                value = int(self.values[row, column])
                if (row, column) == cell or not (up or value - need >= 1):
                    continue
                margin = row == self.rows - 1 or column == self.columns - 1
                step = 0 if hidden[row, column] else value * (_MARGIN_COST if margin else 1)
                # One more per arc: among equals, the shortest cycle.
                total = cost + 1 + step * (self.rows + self.columns)
                if total < best.get(to, total + 1):
                    best[to] = total
                    came[to] = (node, row, column)
                    heappush(heap, (total, to))
        found = []
        node = tail
        while node != head:
            node, row, column = came[node]
            found.append((row, column))
        return found

    def carried(self, cell: tuple[int, int], need: int, hidden: Mask) -> bool:
        """Whether hidden entries alone can raise ``cell`` by ``need`` along one cycle."""
        tail, head = self.ends(cell)
        seen, queue = {head}, deque([head])
        while queue:
            for to, row, column, up in self.out[queue.popleft()]:
                if to in seen or not hidden[row, column] or (row, column) == cell:
                    continue
                if up or int(self.values[row, column]) - need >= 1:
                    if to == tail:
                        return True
                    seen.add(to)
                    queue.append(to)
        return False


def _thin(
    network: _Network,
    hidden: Mask,
    primary: Mask,
    small: list[tuple[int, int]],
    threshold: int,
) -> None:
    """Publish again what no small cell needs, totals and large entries first."""
    extra = [(int(r), int(c)) for r, c in np.argwhere(hidden & ~primary)]
    last = (network.rows - 1, network.columns - 1)
    extra.sort(key=lambda e: (e[0] != last[0] and e[1] != last[1], -int(network.values[e]), e))
    for entry in extra:
        hidden[entry] = False
        if not all(network.carried(c, threshold - int(network.values[c]), hidden) for c in small):
            hidden[entry] = True
