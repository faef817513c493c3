"""P10: suppressed cells cannot be worked out, tried by linear programming.

The attacker here shares no code with the product: he takes the published table, knows that
rows and columns add up, that zeros are published, and asks for the least and the greatest
value of every hidden entry.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from points.domain.suppression import MARK, Suppressed, publishable_rate, suppress, with_margins

cell = st.one_of(st.integers(0, 6), st.integers(0, 200))
tables = st.tuples(st.integers(1, 4), st.integers(1, 5)).flatmap(
    lambda shape: st.lists(
        st.lists(cell, min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0]
    )
)


def intervals(published: list[list[int | str]]) -> dict[tuple[int, int], tuple[int, int]]:
    """Least and greatest value of each hidden entry; whole numbers, as the system is a network."""
    rows, columns = len(published), len(published[0])
    hidden = [(r, c) for r in range(rows) for c in range(columns) if published[r][c] == MARK]
    place = {entry: number for number, entry in enumerate(hidden)}
    left, right = [], []
    lines = [[(r, c) for c in range(columns)] for r in range(rows)]
    lines += [[(r, c) for r in range(rows)] for c in range(columns)]
    for line in lines:
        weights, known = np.zeros(len(hidden)), 0
        for entry in line:
            sign = -1 if entry == line[-1] else 1
            if entry in place:
                weights[place[entry]] += sign
            else:
                known += sign * int(published[entry[0]][entry[1]])
        left.append(weights)
        right.append(-known)
    found = {}
    for entry, number in place.items():
        aim = np.zeros(len(hidden))
        aim[number] = 1
        bounds = [(1, 10_000)] * len(hidden)
        ends = [
            linprog(sign * aim, A_eq=np.array(left), b_eq=np.array(right), bounds=bounds)
            for sign in (1, -1)
        ]
        assert all(end.status == 0 for end in ends)
        found[entry] = (round(ends[0].fun), round(-ends[1].fun))
    return found


def assert_safe(table: Suppressed, threshold: int = 5) -> None:
    found = intervals(table.cells())
    for entry in np.argwhere((table.values > 0) & (table.values < threshold)):
        least, most = found[int(entry[0]), int(entry[1])]
        assert least <= table.values[tuple(entry)]
        assert most >= threshold, (table.cells(), entry, least, most)
        assert least < most


@settings(max_examples=150, deadline=None)
@given(tables, st.sampled_from([5, 5, 3, 10]))
def test_P10_no_small_cell_or_margin_can_be_shown_to_be_small(counts, threshold) -> None:
    assert_safe(suppress(counts, threshold=threshold), threshold)


@settings(max_examples=150, deadline=None)
@given(tables)
def test_P10_what_is_published_is_true_zeros_stay_and_nothing_is_hidden_needlessly(counts) -> None:
    table = suppress(counts)
    values = with_margins(counts)
    assert (table.values == values).all()
    assert not (table.hidden & (values == 0)).any()
    if not ((values > 0) & (values < 5)).any():
        assert not table.hidden.any()
    assert (suppress(counts).hidden == table.hidden).all()


def test_P10_control_primary_suppression_alone_is_solved() -> None:
    counts = [[3, 20, 30], [40, 50, 60], [70, 80, 90]]
    values = with_margins(counts)
    naive = Suppressed(values, (values > 0) & (values < 5))
    assert intervals(naive.cells())[0, 0] == (3, 3)
    table = suppress(counts)
    assert table.hidden.sum() == 4 and not table.hidden[-1].any() and not table.hidden[:, -1].any()
    assert_safe(table)


def test_P10_control_two_small_cells_of_one_row_do_not_shield_each_other() -> None:
    counts = [[1, 1, 40, 30], [1, 1, 50, 60]]
    values = with_margins(counts)
    naive = Suppressed(values, (values > 0) & (values < 5))
    assert max(most for _, most in intervals(naive.cells()).values()) < 5
    assert_safe(suppress(counts))


@pytest.mark.parametrize("counts", [[[3]], [[3, 20]], [[1], [0], [0]], [[4, 0], [0, 4]], [[0, 0]]])
def test_P10_the_smallest_tables(counts) -> None:
    assert_safe(suppress(counts))


def test_P10_a_year_of_16_districts_is_safe_and_keeps_most_cells() -> None:
    draws = np.random.default_rng(7).negative_binomial(2, 0.06, size=(16, 12))
    table = suppress(draws)
    assert_safe(table)
    small = ((table.values > 0) & (table.values < 5)).sum()
    assert small > 5 and table.hidden.sum() <= 4 * small
    assert not table.hidden[-1, -1]


def test_P10_a_rate_is_shown_only_where_both_parts_are() -> None:
    part, whole = suppress([[3, 20], [30, 40]]), suppress([[30, 40], [0, 50]])
    shown = publishable_rate(part, whole)
    assert not shown[part.hidden].any() and not shown[1, 0]
    assert shown[2, 2] == (not part.hidden[2, 2])


@pytest.mark.parametrize("counts", [[[-1]], [[1.5]], [1, 2], [[]], []])
def test_P10_bad_tables_are_refused(counts) -> None:
    with pytest.raises(ValueError, match="counts"):
        suppress(counts)
    with pytest.raises(ValueError, match="threshold"):
        suppress([[1]], threshold=1)
