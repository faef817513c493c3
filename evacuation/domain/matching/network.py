"""The question put to the solver: who needs how many, who can take how many, at what cost.

Owns the shape and the validation of the input (``interfaces.md``, "As a library").  Refuses,
with a ``ValueError`` that names array and index: values that are not whole numbers, negative
demands, capacities and costs, edges to nobody, a pair given twice, and slot tiers that
decrease or do not count up to the demand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

LONGEST_PATH = 2**60  # minutes of cost that the longest simple path may sum to
MOST = 2**31 - 1  # nodes, edges and places that int32 indices can name


@dataclass(frozen=True, eq=False)
class Network:
    """n persons, m supporters and e possible pairs.

    ``demand`` (n,) slots each person needs; ``capacity`` (m,) places each supporter has; edge
    ``k`` joins ``person[k]`` and ``supporter[k]`` at ``cost[k]`` >= 0.  ``slot_tier`` (n lists,
    non-decreasing, one tier per slot) orders the slots by importance, 0 first; without it all
    slots have tier 0.  Raises ``ValueError`` naming array and index.
    """

    demand: Any
    capacity: Any
    person: Any
    supporter: Any
    cost: Any
    slot_tier: Sequence[Sequence[int]] | None = None
    tiers: tuple[int, ...] = field(init=False, repr=False)
    slot_first: IntArray = field(init=False, repr=False)  # n+1
    slot_rank: IntArray = field(init=False, repr=False)  # index into ``tiers`` of every slot

    def __post_init__(self) -> None:
        for name in ("demand", "capacity", "person", "supporter", "cost"):
            object.__setattr__(self, name, _whole(name, getattr(self, name)))
        n, m = len(self.demand), len(self.capacity)
        for name in ("demand", "capacity", "cost"):
            _refuse_at(name, getattr(self, name), getattr(self, name) < 0, "is negative")
        for name in ("supporter", "cost"):
            if len(getattr(self, name)) != len(self.person):
                raise ValueError(
                    f"{name}: {len(getattr(self, name))} entries, person has {len(self.person)}"
                )
        for name, values, size in (("person", self.person, n), ("supporter", self.supporter, m)):
            _refuse_at(name, values, (values < 0) | (values >= size), f"is not in 0..{size - 1}")
        for name, total in (("person", len(self.person)), ("demand", n + m)):
            if total > MOST:
                raise ValueError(f"{name}: {total} entries are more than {MOST}")
        limit = LONGEST_PATH // (2 * (min(n, m) + 2))
        _refuse_at("cost", self.cost, self.cost > limit, f"is above {limit}")
        self._refuse_repeated_pairs(m)
        self._read_tiers(n)

    def __len__(self) -> int:
        """Number of edges."""
        return len(self.person)

    def _refuse_repeated_pairs(self, supporters: int) -> None:
        pair = self.person * supporters + self.supporter
        if len(pair) < 2 or bool(np.all(pair[1:] > pair[:-1])):
            return
        ordered = np.sort(pair)
        if not bool(np.any(ordered[1:] == ordered[:-1])):
            return
        order = np.argsort(pair, kind="stable")
        later = order[1:][pair[order][1:] == pair[order][:-1]]
        index = int(later.min())
        raise ValueError(
            f"person[{index}], supporter[{index}]: the pair ({int(self.person[index])}, "
            f"{int(self.supporter[index])}) is given twice"
        )

    def _read_tiers(self, n: int) -> None:
        first = np.zeros(n + 1, np.int64)
        np.cumsum(self.demand, out=first[1:])
        slots = int(first[-1])
        if slots > MOST:
            raise ValueError(f"demand: {slots} slots are more than {MOST}")
        if self.slot_tier is None:
            flat = np.zeros(slots, np.int64)
        else:
            if len(self.slot_tier) != n:
                raise ValueError(f"slot_tier: {len(self.slot_tier)} entries, demand has {n}")
            lengths = np.fromiter((len(t) for t in self.slot_tier), np.int64, n)
            for index in np.flatnonzero(lengths != self.demand)[:1].tolist():
                raise ValueError(
                    f"slot_tier[{index}]: {int(lengths[index])} tiers for a demand of "
                    f"{int(self.demand[index])}"
                )
            flat = _whole("slot_tier", list(chain.from_iterable(self.slot_tier)))
            owner = np.repeat(np.arange(n), self.demand)
            falls = np.zeros(slots, bool)
            if slots:
                falls[1:] = (flat[1:] < flat[:-1]) & (owner[1:] == owner[:-1])
            for position in np.flatnonzero((flat < 0) | falls)[:1].tolist():
                what = "is negative" if flat[position] < 0 else "is below the tier before it"
                raise ValueError(
                    f"slot_tier[{int(owner[position])}]: tier {int(flat[position])} {what}"
                )
        values, rank = np.unique(flat, return_inverse=True)
        object.__setattr__(self, "tiers", tuple(int(v) for v in values))
        object.__setattr__(self, "slot_first", first)
        object.__setattr__(self, "slot_rank", rank.reshape(-1).astype(np.int64))

    def filled_by_tier(self, degree: IntArray) -> tuple[int, ...]:
        """How many slots of each tier are filled when persons fill their first ``degree``."""
        place = np.arange(len(self.slot_rank)) - np.repeat(self.slot_first[:-1], self.demand)
        filled = place < np.repeat(degree, self.demand)
        counts = np.bincount(self.slot_rank[filled], minlength=len(self.tiers))
        return tuple(int(c) for c in counts)


def _refuse_at(name: str, values: IntArray, wrong: npt.NDArray[np.bool_], why: str) -> None:
    for index in np.flatnonzero(wrong)[:1].tolist():
        raise ValueError(f"{name}[{index}]: {int(values[index])} {why}")


def _whole(name: str, values: object) -> IntArray:
    """A one-dimensional read-only int64 copy, or ``ValueError``."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name}: needs one dimension, has {array.ndim}")
    if array.size == 0:
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu":
        as_given = list(values) if isinstance(values, (list, tuple)) else array.tolist()
        for index, value in enumerate(as_given):
            if isinstance(value, bool) or not isinstance(value, int):
                raise ValueError(f"{name}[{index}]: {value!r} is not a whole number")
            if not -(2**63) <= value < 2**63:
                raise ValueError(f"{name}[{index}]: {value} is too large")
    if array.dtype == np.uint64:
        for index in np.flatnonzero(array > np.uint64(2**63 - 1))[:1].tolist():
            raise ValueError(f"{name}[{index}]: {int(array[index])} is too large")
    result = array.astype(np.int64)  # always a copy: the caller may change theirs
    result.setflags(write=False)
    return result
