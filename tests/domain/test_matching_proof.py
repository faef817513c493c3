"""The proof fails when anything is changed; gaps are explained; settled pairs are kept."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evacuation.domain.matching import (
    Network,
    Prices,
    Shortage,
    Solution,
    bottlenecks,
    explain,
    resolve,
    solve,
)
from tests.domain.test_matching import best, random_network, tiny


def shifted(prices: Prices, index: int, by: int) -> Prices:
    minutes = prices.minutes.copy()
    minutes[index] += by
    return Prices(prices.level, minutes)


@pytest.fixture(scope="module")
def plan() -> Solution:
    found = solve(random_network(5, 60, 30, 6, 2), compiled=False)
    assert found.verify() and found.unmet.sum() > 0
    return found


def test_a_worse_plan_has_no_proof(plan: Solution) -> None:
    fewer = plan.edges[1:]
    degree = np.bincount(plan.network.person[fewer], minlength=len(plan.network.demand))
    worse = replace(
        plan,
        edges=fewer,
        filled=len(fewer),
        filled_by_tier=plan.network.filled_by_tier(degree),
        cost=int(plan.network.cost[fewer].sum()),
        unmet=plan.network.demand - degree,
    )
    proof = worse.certificate()
    assert proof.faults == () and proof.primal > proof.dual and not worse.verify()


def test_every_tampering_is_noticed(plan: Solution) -> None:
    net = plan.network
    assert not replace(plan, cost=plan.cost - 1).verify()
    assert not replace(plan, filled=plan.filled + 1).verify()
    assert not replace(plan, filled_by_tier=plan.filled_by_tier[::-1]).verify()
    assert not replace(plan, unmet=np.zeros_like(plan.unmet)).verify()
    assert not replace(plan, edges=plan.edges[::-1]).verify()
    assert not replace(plan, edges=np.arange(len(net))).verify()
    assert not replace(plan, edges=plan.edges + len(net)).verify()
    none = Prices(np.zeros(0, np.int64), np.zeros(0, np.int64))
    assert not replace(plan, supporter_price=none).verify()
    top = len(net.tiers) + 1
    levels = Prices(np.full_like(plan.person_price.level, top), plan.person_price.minutes)
    assert not replace(plan, person_price=levels).verify()
    paid = int(np.flatnonzero((plan.supporter_price.level < top - 1) & (net.capacity > 1))[0])
    level = plan.supporter_price.level.copy()
    level[paid] = top - 1
    minutes = plan.supporter_price.minutes.copy()
    minutes[paid] = 0
    assert not replace(plan, supporter_price=Prices(level, minutes)).verify()
    free = plan.supporter_price.level == top - 1
    if free.any():
        index = int(np.flatnonzero(free)[0])
        lowered = shifted(plan.supporter_price, index, -plan.supporter_price.minutes[index] - 1)
        assert not replace(plan, supporter_price=lowered).verify()


@settings(max_examples=100, deadline=None)
@given(tiny(), st.data())
def test_wrong_prices_never_prove_more_than_the_optimum(net: Network, data: st.DataObject) -> None:
    found = solve(net, compiled=False)
    index = data.draw(st.integers(0, len(net.capacity) - 1))
    other = replace(
        found,
        supporter_price=shifted(found.supporter_price, index, data.draw(st.integers(-9, 9))),
        person_price=shifted(
            found.person_price,
            data.draw(st.integers(0, len(net.demand) - 1)),
            data.draw(st.integers(-9, 9)),
        ),
    )
    proof = other.certificate()
    if not proof.faults:
        assert proof.dual <= best(net)


def test_each_kind_of_shortage() -> None:
    assert explain(solve(Network([1], [0], [0], [0], [1])), 0).kind is Shortage.NOBODY
    assert explain(solve(Network([2], [3], [0], [0], [1])), 0).kind is Shortage.TOO_FEW
    full = explain(solve(Network([1, 1], [1], [0, 1], [0, 0], [1, 2])), 1)
    assert full.kind is Shortage.ALL_FULL
    assert (full.bottleneck.people, full.bottleneck.places, full.bottleneck.wanted) == (
        (0, 1),
        1,
        2,
    )
    # 2 reaches only supporter 1; 1 could move to supporter 0, which 0 needs: three share two
    chain = solve(Network([1, 1, 1], [1, 1], [0, 1, 1, 2], [0, 0, 1, 1], [0, 0, 0, 9]))
    told = explain(chain, int(np.flatnonzero(chain.unmet)[0]))
    assert told.kind is Shortage.BOTTLENECK
    assert told.bottleneck.people == (0, 1, 2) and told.bottleneck.supporters == (0, 1)
    assert told.bottleneck.missing == 1


def test_nobody_is_explained_who_is_served() -> None:
    plan = solve(Network([1], [1], [0], [0], [1]))
    with pytest.raises(ValueError, match=r"person\[0\]: has no open slot"):
        explain(plan, 0)
    with pytest.raises(ValueError, match="person: 4"):
        explain(plan, 4)


@settings(max_examples=100, deadline=None)
@given(tiny())
def test_a_bottleneck_is_true_whatever_the_plan(net: Network) -> None:
    plan = solve(net, compiled=False)
    for person in np.flatnonzero(plan.unmet > 0).tolist():
        block = explain(plan, person).bottleneck
        assert person in block.people and block.missing > 0
        alone = Network(
            [d if i in block.people else 0 for i, d in enumerate(net.demand.tolist())],
            net.capacity,
            net.person,
            net.supporter,
            net.cost,
        )
        assert solve(alone, compiled=False).filled == block.places


@settings(max_examples=100, deadline=None)
@given(tiny())
def test_bottlenecks_are_disjoint_and_cover_everybody_short(net: Network) -> None:
    plan = solve(net, compiled=False)
    blocks = bottlenecks(plan)
    for one, other in combinations(blocks, 2):
        assert not set(one.people) & set(other.people)
        assert not set(one.supporters) & set(other.supporters)
    short = set(np.flatnonzero(plan.unmet > 0).tolist())
    assert short <= {i for block in blocks for i in block.people}
    assert sum(block.missing for block in blocks) == plan.unmet.sum()


def test_settled_pairs_stay_unless_the_change_is_worth_it() -> None:
    # settled: 0-0 and 1-1 cost 10 each; crossing over costs 7 each and saves 6 for two changes
    net = Network([1, 1], [1, 1], [0, 0, 1, 1], [0, 1, 0, 1], [10, 7, 7, 10])
    keeps = resolve(net, [0, 3], 3)
    assert keeps.solution.edges.tolist() == [0, 3] and keeps.cost == 20
    assert keeps.dropped.tolist() == keeps.added.tolist() == []
    moves = resolve(net, [0, 3], 2)
    assert moves.solution.edges.tolist() == [1, 2] and moves.cost == 14
    assert moves.dropped.tolist() == [0, 3] and moves.added.tolist() == [1, 2]
    assert moves.solution.verify()


def test_settled_pairs_give_way_to_somebody_without_help() -> None:
    net = Network([1, 1], [1, 1], [0, 0, 1], [0, 1, 0], [0, 900, 0])
    change = resolve(net, [0], 10**6)
    assert change.solution.unmet.tolist() == [0, 0] and change.kept.tolist() == []


def test_free_change_of_nothing_keeps_the_plan_it_was_given() -> None:
    net = random_network(9, 60, 30, 6, 2, top=4)
    plan = solve(net, compiled=False)
    again = resolve(net, plan.edges, 0, compiled=False)
    assert again.solution.edges.tolist() == plan.edges.tolist()


@pytest.mark.parametrize(("settled", "worth"), [([4], 1), ([-1], 1), ([0], -1), ([0], 2**62)])
def test_resolve_refuses(settled: list[int], worth: int) -> None:
    net = Network([1, 1], [1, 1], [0, 0, 1, 1], [0, 1, 0, 1], [10, 7, 7, 10])
    with pytest.raises(ValueError, match=r"settled|worth"):
        resolve(net, settled, worth)
