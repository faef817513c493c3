"""The solver is exact: beside brute force, beside OR-Tools, compiled beside uncompiled."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from types import FunctionType
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evacuation.domain.matching import Network, compiling, kernel, solve

needs_numba = pytest.mark.skipif(
    importlib.util.find_spec("numba") is None, reason="numba is optional"
)


@st.composite
def tiny(draw: st.DrawFn) -> Network:
    """At most 4 persons, 3 supporters, 9 pairs."""
    n, m = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    every = [(i, j) for i in range(n) for j in range(m)]
    pairs = draw(st.lists(st.sampled_from(every), unique=True, max_size=9))
    demand = draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    capacity = draw(st.lists(st.integers(0, 3), min_size=m, max_size=m))
    top = draw(st.sampled_from([1, 3, 9]))
    cost = draw(st.lists(st.integers(0, top), min_size=len(pairs), max_size=len(pairs)))
    tiers = [sorted(draw(st.lists(st.integers(0, 3), min_size=d, max_size=d))) for d in demand]
    return Network(demand, capacity, [p[0] for p in pairs], [p[1] for p in pairs], cost, tiers)


def best(net: Network) -> tuple[int, ...]:
    """Open slots per tier and cost of the best subset of pairs, by trying all."""
    found: tuple[int, ...] | None = None
    for mask in range(1 << len(net)):
        edges = [k for k in range(len(net)) if mask >> k & 1]
        degree = np.bincount(net.person[edges], minlength=len(net.demand))
        load = np.bincount(net.supporter[edges], minlength=len(net.capacity))
        if (degree > net.demand).any() or (load > net.capacity).any():
            continue
        slots = np.bincount(net.slot_rank, minlength=len(net.tiers)).tolist()
        filled = net.filled_by_tier(degree)
        value = (*(a - b for a, b in zip(slots, filled, strict=True)), int(net.cost[edges].sum()))
        found = value if found is None or value < found else found
    assert found is not None
    return found


def random_network(seed: int, n: int, m: int, per: int, places: int, top: int = 90) -> Network:
    rng = np.random.default_rng(seed)
    who = np.stack([rng.permutation(m)[:per] for _ in range(n)])
    demand = rng.integers(0, 4, n)
    tiers = [sorted(rng.integers(0, 5, d).tolist()) for d in demand]
    return Network(
        demand,
        rng.integers(0, places + 1, m),
        np.repeat(np.arange(n), per),
        who.reshape(-1),
        rng.integers(0, top, n * per),
        tiers,
    )


@settings(max_examples=150, deadline=None)
@given(tiny())
def test_equals_brute_force_and_proves_it(net: Network) -> None:
    plan = solve(net, compiled=False)
    proof = plan.certificate()
    assert proof.primal == proof.dual == best(net)
    assert proof.faults == () and plan.verify()
    assert plan.edges.tolist() == sorted(set(plan.edges.tolist()))
    assert plan.filled == len(plan.edges) == sum(plan.filled_by_tier)
    assert (
        plan.unmet.tolist()
        == (net.demand - np.bincount(net.person[plan.edges], minlength=len(net.demand))).tolist()
    )


def or_tools(net: Network) -> tuple[int, ...]:
    """Open slots per tier and cost by OR-Tools; tiers become digits of a large base."""
    flow_module = pytest.importorskip("ortools.graph.python.min_cost_flow")
    n, m = len(net.demand), len(net.capacity)
    slots, tiers = int(net.demand.sum()), len(net.tiers)
    base = int(net.cost.sum()) + 1
    worth = [base * (slots + 1) ** (tiers - 1 - t) for t in range(tiers)]
    assert worth[0] * (n + m) < 2**62 if worth else True
    flow = flow_module.SimpleMinCostFlow()
    for owner, rank in zip(np.repeat(np.arange(n), net.demand), net.slot_rank, strict=True):
        flow.add_arc_with_capacity_and_unit_cost(n + m, int(owner), 1, -worth[int(rank)])
    arcs = [
        flow.add_arc_with_capacity_and_unit_cost(int(i), n + int(j), 1, int(c))
        for i, j, c in zip(net.person, net.supporter, net.cost, strict=True)
    ]
    for j in range(m):
        flow.add_arc_with_capacity_and_unit_cost(n + j, n + m + 1, int(net.capacity[j]), 0)
    flow.add_arc_with_capacity_and_unit_cost(n + m, n + m + 1, slots, 0)
    flow.set_node_supply(n + m, slots)
    flow.set_node_supply(n + m + 1, -slots)
    assert flow.solve() == flow.OPTIMAL
    edges = [k for k, arc in enumerate(arcs) if flow.flow(arc)]
    filled = net.filled_by_tier(np.bincount(net.person[edges], minlength=n))
    have = np.bincount(net.slot_rank, minlength=tiers).tolist()
    cost = int(net.cost[edges].sum())
    return (*(a - b for a, b in zip(have, filled, strict=True)), cost)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("places", [1, 3, 5])
def test_equals_or_tools(seed: int, places: int) -> None:
    # three tiers at most: OR-Tools needs big constants and these are what int64 holds
    net = random_network(seed, 60, 30, 6, places)
    tiers = [sorted(min(t, 2) for t in own) for own in _tiers(net)]
    net = Network(net.demand, net.capacity, net.person, net.supporter, net.cost, tiers)
    plan = solve(net, compiled=False)
    assert plan.certificate().primal == or_tools(net)
    assert plan.verify()


def _tiers(net: Network) -> list[list[int]]:
    first = net.slot_first
    return [net.slot_rank[first[i] : first[i + 1]].tolist() for i in range(len(net.demand))]


@needs_numba
@pytest.mark.parametrize(("n", "m", "places"), [(300, 200, 5), (300, 100, 2), (200, 200, 3)])
def test_compiled_gives_the_same_plan_and_prices(n: int, m: int, places: int) -> None:
    net = random_network(n + places, n, m, 12, places)
    plain, fast = solve(net, compiled=False), solve(net, compiled=True)
    assert plain.edges.tolist() == fast.edges.tolist()
    for one, other in (
        (plain.person_price, fast.person_price),
        (plain.supporter_price, fast.supporter_price),
    ):
        assert one.level.tolist() == other.level.tolist()
        assert one.minutes.tolist() == other.minutes.tolist()
    assert fast.verify()


def test_same_input_gives_the_same_plan() -> None:
    one = solve(random_network(7, 80, 40, 8, 2), compiled=False)
    other = solve(random_network(7, 80, 40, 8, 2), compiled=False)
    assert one.edges.tolist() == other.edges.tolist()


def test_order_of_the_edges_changes_neither_value_nor_proof() -> None:
    net = random_network(11, 80, 40, 8, 2)
    order = np.random.default_rng(0).permutation(len(net))
    mixed = Network(
        net.demand,
        net.capacity,
        net.person[order],
        net.supporter[order],
        net.cost[order],
        _tiers(net),
    )
    assert (
        solve(net, compiled=False).certificate().primal
        == solve(mixed, compiled=False).certificate().primal
    )


def test_urgent_first_helper_beats_any_saving_and_any_number_of_second_helpers() -> None:
    # supporter 0 has one place; person 1 (urgent) is far, person 0 (not urgent) is near
    net = Network([1, 1], [1], [0, 1], [0, 0], [0, 10**9], [[1], [0]])
    assert solve(net).edges.tolist() == [1]
    # one person could take both supporters; the other's first helper comes before
    net = Network([2, 1], [1, 1], [0, 0, 1], [0, 1, 1], [0, 0, 500], [[0, 1], [0]])
    plan = solve(net)
    assert plan.edges.tolist() == [0, 2] and plan.filled_by_tier == (2, 0)


def test_a_supporter_never_helps_one_person_twice() -> None:
    plan = solve(Network([3], [5], [0], [0], [4]))
    assert plan.edges.tolist() == [0] and plan.unmet.tolist() == [2]


@pytest.mark.parametrize("cost", [2**31, 2**40])
def test_large_costs_stay_exact(cost: int) -> None:
    net = random_network(3, 60, 25, 8, 2)
    large = Network(
        net.demand, net.capacity, net.person, net.supporter, cost - net.cost, _tiers(net)
    )
    plan = solve(large, compiled=False)
    assert plan.verify() and plan.cost > cost


def test_empty_networks() -> None:
    assert solve(Network([], [], [], [], [])).verify()
    plan = solve(Network([2, 0], [], [], [], []))
    assert plan.unmet.tolist() == [2, 0] and plan.verify()
    assert solve(Network([0], [0], [0], [0], [0])).edges.tolist() == []


def test_small_networks_never_load_the_compiler() -> None:
    assert compiling.chosen(100, None) is False
    assert compiling.chosen(compiling.WORTH_COMPILING, None) is compiling.available()


def test_without_a_folder_for_the_cache_it_compiles_in_memory() -> None:
    asked: list[bool] = []

    def njit(*, cache: bool = False, **_: bool) -> Callable[[object], object]:
        asked.append(cache)
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    clean = cast(FunctionType, kernel.clean)
    assert compiling._compile(njit, clean) is clean
    assert asked == [True, False]


def test_compiled_is_refused_without_the_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "available", lambda: False)
    with pytest.raises(RuntimeError, match="numba is not installed"):
        solve(Network([1], [1], [0], [0], [1]), compiled=True)
    assert compiling.chosen(10**7, None) is False


BASE = {"demand": [1, 2], "capacity": [1, 1], "person": [0, 1], "supporter": [0, 1], "cost": [1, 2]}


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"demand": [1, -1]}, r"demand\[1\]"),
        ({"demand": [1, 1.5]}, r"demand\[1\]: 1.5 is not"),
        ({"demand": [1, True, None]}, r"demand\[1\]"),
        ({"demand": [[1], [2]]}, "demand: needs one dimension"),
        ({"capacity": [-2, 1]}, r"capacity\[0\]"),
        ({"person": [0, 2]}, r"person\[1\]: 2 is not in 0..1"),
        ({"person": [-1, 0]}, r"person\[0\]"),
        ({"supporter": [0, 9]}, r"supporter\[1\]"),
        ({"supporter": [0]}, "supporter: 1 entries"),
        ({"cost": [1, -7]}, r"cost\[1\]: -7"),
        ({"cost": [1, 2**62]}, r"cost\[1\]"),
        ({"cost": [1, 2**64]}, r"cost\[1\]"),
        ({"cost": np.array([1, 2**63 + 1], np.uint64)}, r"cost\[1\]"),
        ({"cost": [1, "2"]}, r"cost\[1\]: '2' is not"),
        ({"person": [1, 1], "supporter": [0, 0]}, r"person\[1\], supporter\[1\].*twice"),
        ({"slot_tier": [[0]]}, "slot_tier: 1 entries"),
        ({"slot_tier": [[0], [1]]}, r"slot_tier\[1\]: 1 tiers for a demand of 2"),
        ({"slot_tier": [[0], [2, 1]]}, r"slot_tier\[1\]: tier 1 is below"),
        ({"slot_tier": [[-1], [0, 0]]}, r"slot_tier\[0\]: tier -1 is negative"),
    ],
)
def test_bad_input_names_array_and_index(change: dict[str, object], names: str) -> None:
    with pytest.raises(ValueError, match=names):
        Network(**{**BASE, **change})  # type: ignore[arg-type]


def test_the_callers_arrays_are_copied() -> None:
    demand = np.array([1, 1])
    net = Network(demand, [1], [0, 1], [0, 0], [1, 2])
    demand[0] = 0
    assert net.demand.tolist() == [1, 1]
    with pytest.raises(ValueError, match="read-only"):
        net.demand[0] = 5
