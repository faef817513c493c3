"""Shortages of a whole city: the bounded explanation agrees with the exact one where it matters."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from evacuation.domain.candidates import Person, Supporter, build
from evacuation.domain.matching import Shortage, solve
from evacuation.domain.shortages import gaps

METRES = st.integers(0, 1_500)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(METRES, METRES, st.integers(1, 3)), min_size=1, max_size=12),
    st.lists(st.tuples(METRES, METRES, st.integers(0, 3)), max_size=8),
    st.sampled_from([0, 3, 200]),
)
def test_everybody_short_gets_a_true_reason(
    homes: list[tuple[int, int, int]], helpers: list[tuple[int, int, int]], readable: int
) -> None:
    found = build(
        [Person(f"p{n}", float(x), float(y), wants) for n, (x, y, wants) in enumerate(homes)],
        [Supporter(f"s{n}", float(x), float(y), k) for n, (x, y, k) in enumerate(helpers)],
    )
    solution = solve(found.network)
    told = gaps(found, solution, readable=readable)
    assert {g.person: g.missing for g in told} == {
        f"p{n}": int(m) for n, m in enumerate(solution.unmet.tolist()) if m
    }
    exact = {g.person: g for g in found.gaps(solution)}
    for gap in told:
        if readable == 200:
            assert gap == exact[gap.person]
        assert (gap.kind is Shortage.NOBODY) == (exact[gap.person].kind is Shortage.NOBODY)
        if gap.kind is Shortage.BOTTLENECK:
            assert gap.wanted > gap.places and gap.person in gap.people
