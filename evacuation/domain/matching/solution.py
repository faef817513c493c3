"""The answer: chosen pairs, what they achieve, and the prices that prove it.

Owns the result and its check.  Every claim can be recomputed: ``certificate`` adds up the
primal and the dual objective tier by tier from the network, the chosen edges and the prices
alone, and equal sums prove that no plan is better (weak duality holds for vectors compared
tier by tier, because only integer multiples of inequalities are added).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evacuation.domain.matching.network import IntArray, Network


@dataclass(frozen=True)
class Prices:
    """Dual prices: what one more place is worth.

    ``level[x]`` is the index of a tier in ``network.tiers`` (one more place would fill one
    more slot of it) or k when no shortage reaches; ``minutes[x]`` is the part in cost units.
    """

    level: IntArray
    minutes: IntArray


@dataclass(frozen=True)
class Certificate:
    """``primal`` and ``dual``: open slots per tier, then cost.  ``faults``: what is wrong."""

    primal: tuple[int, ...]
    dual: tuple[int, ...]
    faults: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """True when the plan is feasible, the prices are, and the two objectives agree."""
        return not self.faults and self.primal == self.dual


@dataclass(frozen=True, eq=False)
class Solution:
    """An optimal plan for ``network``.

    ``edges`` chosen edges, ascending indices; ``filled`` slots filled in all and
    ``filled_by_tier`` in the order of ``network.tiers``; ``cost`` their total; ``unmet`` (n,)
    open slots per person; ``person_price`` and ``supporter_price`` the dual certificate.
    """

    network: Network
    edges: IntArray
    filled: int
    filled_by_tier: tuple[int, ...]
    cost: int
    unmet: IntArray
    person_price: Prices
    supporter_price: Prices

    def certificate(self) -> Certificate:
        """Recompute both objectives and every condition from scratch (shapes as stored)."""
        return certify(self)

    def verify(self) -> bool:
        """True when the certificate proves this plan optimal."""
        return certify(self).holds


def certify(solution: Solution) -> Certificate:
    """The certificate of ``solution``; never raises on wrong values, it lists faults instead."""
    net, edges = solution.network, np.asarray(solution.edges)
    n, m, none = len(net.demand), len(net.capacity), len(net.tiers)
    faults: list[str] = []
    if edges.ndim != 1 or np.any(edges[1:] <= edges[:-1]):
        faults.append("edges: not ascending, or one chosen twice")
    if len(edges) and (edges.min() < 0 or edges.max() >= len(net)):
        return Certificate((), (), (*faults, "edges: no such edge"))
    degree = np.bincount(net.person[edges], minlength=n)
    load = np.bincount(net.supporter[edges], minlength=m)
    faults += _at("demand", degree > net.demand, "filled more often than asked")
    faults += _at("capacity", load > net.capacity, "takes more than there is room for")
    if faults:
        return Certificate((), (), tuple(faults))
    cost = _total(net.cost[edges])
    by_tier = net.filled_by_tier(degree)
    for name, claimed, true in (
        ("filled", solution.filled, len(edges)),
        ("filled_by_tier", solution.filled_by_tier, by_tier),
        ("cost", solution.cost, cost),
    ):
        if claimed != true:
            faults.append(f"{name}: says {claimed}, is {true}")
    if len(solution.unmet) != n:
        faults.append("unmet: wrong length")
    else:
        faults += _at("unmet", solution.unmet != net.demand - degree, "is not what is open")
    v, p = solution.person_price, solution.supporter_price
    for name, prices, size in (("person_price", v, n), ("supporter_price", p, m)):
        if len(prices.level) != size or len(prices.minutes) != size:
            return Certificate((), (), (*faults, f"{name}: wrong length"))
        faults += _at(name, (prices.level < 0) | (prices.level > none), "names no tier")
    if faults:
        return Certificate((), (), tuple(faults))
    faults += _at("supporter_price", (p.level == none) & (p.minutes < 0), "is negative")
    slots = np.bincount(net.slot_rank, minlength=none)
    open_slots = tuple(int(a) - b for a, b in zip(slots, by_tier, strict=True))
    return Certificate((*open_slots, cost), _dual(net, v, p), tuple(faults))


def _dual(net: Network, v: Prices, p: Prices) -> tuple[int, ...]:
    """Sum over slots of min(v, tier) - sum of capacity x p - sum over edges of max(0, gain)."""
    none = len(net.tiers)
    total = np.zeros(none + 1, np.int64)
    owner = np.repeat(np.arange(len(net.demand)), net.demand)
    level, minutes, tier = v.level[owner], v.minutes[owner], net.slot_rank
    below = (level > tier) | ((level == tier) & (minutes < 0))
    total += np.bincount(np.where(below, level, tier), minlength=none + 1)
    scalar = _total(np.where(below, minutes, 0))
    np.subtract.at(total, p.level, net.capacity)
    scalar -= _dot(net.capacity, p.minutes)
    vl, pl = v.level[net.person], p.level[net.supporter]
    gain = v.minutes[net.person] - net.cost - p.minutes[net.supporter]
    gains = (vl < pl) | ((vl == pl) & (gain > 0))
    total -= np.bincount(vl[gains], minlength=none + 1)
    total += np.bincount(pl[gains], minlength=none + 1)
    scalar -= _total(gain[gains])
    return (*(int(t) for t in total[:none]), scalar)


def _total(values: npt.NDArray[np.int64]) -> int:
    """Exact sum: high and low halves apart, so that int64 cannot overflow."""
    return (int((values >> 31).sum()) << 31) + int((values & (2**31 - 1)).sum())


def _dot(counts: npt.NDArray[np.int64], values: npt.NDArray[np.int64]) -> int:
    high, low = values >> 31, values & (2**31 - 1)
    return (int((counts * high).sum()) << 31) + int((counts * low).sum())


def _at(name: str, wrong: npt.NDArray[np.bool_], what: str) -> list[str]:
    return [f"{name}[{index}]: {what}" for index in np.flatnonzero(wrong)[:3].tolist()]
