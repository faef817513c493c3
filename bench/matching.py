"""Exact matching beside OR-Tools SimpleMinCostFlow: wall and CPU, one run, ratios printed.

Usage: ``python bench/matching.py [--runs 5] [--kinds ample,tight,scarce] [--edges 30] 2000 10000``

Peer and own solver get the same random town (people and supporters clustered around the same
centres) and alternate.  OR-Tools has no tiers: its tiers are costs with large constants, which
it adds up exactly at these sizes.  Own time includes validation, arrangement and reading the
result back; the peer's includes building its arcs from arrays.  Compiling is not counted, it
is printed.  Results are compared before anything is printed.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from evacuation.domain.matching import Network, solve

SUPPLY = {"ample": 1.6, "tight": 1.0, "scarce": 0.5}


def town(people: int, per_person: int, kind: str, seed: int = 1) -> Network:
    """People with one or two slots, supporters with one to five places, nearest pairs only."""
    from scipy.spatial import cKDTree

    rng = np.random.default_rng(seed)
    centres = rng.uniform(0, 1000 * people**0.5 / 10, (max(people // 200, 1), 2))
    demand = rng.integers(1, 3, people)
    wanted = int(demand.sum() * SUPPLY[kind])
    supporters = max(wanted // 3, 1)
    capacity = rng.integers(1, 6, supporters)

    def scatter(count: int) -> np.ndarray:
        home = centres[rng.integers(0, len(centres), count)]
        return home + rng.normal(0, 300, (count, 2))

    place = scatter(people)
    per_person = min(per_person, supporters)
    away, who = cKDTree(scatter(supporters)).query(place, per_person)
    cost = np.rint(away.reshape(-1) * 1.3 / 7).astype(np.int64)
    urgency = rng.integers(0, 3, people)
    tiers = [[int(u), 3][: int(d)] for u, d in zip(urgency, demand, strict=True)]
    return Network(
        demand, capacity, np.repeat(np.arange(people), per_person), who.reshape(-1), cost, tiers
    )


def peer(network: Network) -> tuple[int, int]:
    """Filled slots and cost by OR-Tools; tier t is worth (tiers - t) digits of a large base."""
    from ortools.graph.python import min_cost_flow

    n, m, slots = len(network.demand), len(network.capacity), int(network.demand.sum())
    source, sink = n + m, n + m + 1
    base = float(network.cost.max() + 1) * 40
    worth = [int(base * 30 ** (len(network.tiers) - 1 - t)) for t in range(len(network.tiers))]
    flow = min_cost_flow.SimpleMinCostFlow()
    owner = np.repeat(np.arange(n), network.demand)
    reward = -np.array(worth, np.int64)[network.slot_rank]
    flow.add_arcs_with_capacity_and_unit_cost(
        np.full(slots, source, np.int32), owner.astype(np.int32), np.ones(slots, np.int64), reward
    )
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        network.person.astype(np.int32),
        (network.supporter + n).astype(np.int32),
        np.ones(len(network), np.int64),
        network.cost,
    )
    flow.add_arcs_with_capacity_and_unit_cost(
        np.arange(n, n + m, dtype=np.int32),
        np.full(m, sink, np.int32),
        network.capacity,
        np.zeros(m, np.int64),
    )
    flow.add_arc_with_capacity_and_unit_cost(source, sink, slots, 0)
    flow.set_node_supply(source, slots)
    flow.set_node_supply(sink, -slots)
    if flow.solve() != flow.OPTIMAL:
        raise SystemExit("OR-Tools found no optimum")
    used = flow.flows(arcs) > 0
    return int(used.sum()), int(network.cost[used].sum())


def timed(work: Callable[[], object]) -> tuple[float, float, object]:
    """Wall seconds, CPU seconds, result."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return time.perf_counter() - wall, time.process_time() - cpu, result


def main() -> int:
    """Print one line per instance and the geometric mean of the CPU ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[2000, 10000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--edges", type=int, default=30)
    parser.add_argument("--kinds", default="ample,tight,scarce")
    parser.add_argument("--alone", action="store_true", help="without the peer")
    given = parser.parse_args()
    print(f"{platform.platform()} · Python {platform.python_version()} · numpy {np.__version__}")
    warm, _, _ = timed(lambda: solve(town(50, 5, "tight"), compiled=True))
    print(f"loading the compiled kernel: {warm:.1f} s (not counted below)")
    print(
        f"{'instance':>16} {'edges':>8} {'ours s':>8} {'cpu':>8} {'peer s':>8} {'cpu':>8} "
        f"{'wall x':>7} {'cpu x':>7}  certified"
    )
    ratios = []
    for size in given.sizes:
        for kind in given.kinds.split(","):
            net = town(size, given.edges, kind)
            arrays = (net.demand, net.capacity, net.person, net.supporter, net.cost, net.slot_tier)
            ours, theirs = [], []
            for _ in range(given.runs):
                ours.append(timed(lambda a=arrays: solve(Network(*a), compiled=True)))
                if not given.alone:
                    theirs.append(timed(lambda net=net: peer(net)))
            plan = ours[0][2]
            wall, cpu = (statistics.median(run[part] for run in ours) for part in (0, 1))
            line = f"{size:>9} {kind:>6} {len(net):>8} {wall:8.3f} {cpu:8.3f} "
            if theirs:
                filled, cost = theirs[0][2]
                same = filled == plan.filled and cost == plan.cost
                pw, pc = (statistics.median(run[part] for run in theirs) for part in (0, 1))
                ratios.append(pc / cpu)
                line += f"{pw:8.3f} {pc:8.3f} {pw / wall:7.1f} {pc / cpu:7.1f}  "
                line += "" if same else f"DIFFERS: peer {filled}, {cost}; "
            print(
                line + f"{plan.verify()} ({plan.filled} filled, {int((plan.unmet > 0).sum())} "
                "people short)",
                flush=True,
            )
    if ratios:
        print(f"geometric mean of CPU ratios: {statistics.geometric_mean(ratios):.1f} x")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
