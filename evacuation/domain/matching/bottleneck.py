"""Why somebody is left without: the sets that prove it.

Owns the Hall-type explanation of an optimal plan.  From an open slot, walk along every pair
not chosen (person to supporter) and every pair chosen (supporter to person).  In an optimum
the walk meets only full supporters, and everyone they help is met as well, so: *these people
share only these places*.  No rearrangement inside or outside the set can help; more places
(or a wider radius) can.  Refuses: persons without an open slot (``ValueError``).

Source: max-flow/min-cut for b-matching (Hall 1935; Ford-Fulkerson 1956).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from evacuation.domain.matching.network import IntArray
from evacuation.domain.matching.solution import Solution


class Shortage(StrEnum):
    """The nearest reason for an open slot."""

    NOBODY = "nobody_in_reach"  # no supporter with any place is in reach
    TOO_FEW = "too_few_in_reach"  # everybody in reach already helps this person
    ALL_FULL = "all_full"  # those in reach are full; widening to their people adds nobody new
    BOTTLENECK = "bottleneck"  # n people share m places, beyond this person's own reach


@dataclass(frozen=True)
class Bottleneck:
    """``people`` together want ``wanted`` slots; ``places`` is the most they can ever get.

    ``places`` = room of ``supporters`` (all full) + ``elsewhere`` (pairs of these people with
    supporters outside the set, every one of them in use).  Indices ascend.
    """

    people: tuple[int, ...]
    supporters: tuple[int, ...]
    wanted: int
    places: int
    elsewhere: int

    @property
    def missing(self) -> int:
        """Places that must be found for everybody in the set to be served."""
        return self.wanted - self.places


@dataclass(frozen=True)
class Explanation:
    """Why ``person`` has ``missing`` open slots: the kind, and the set that proves it."""

    person: int
    missing: int
    kind: Shortage
    in_reach: tuple[int, ...]  # supporters with at least one place, ascending
    bottleneck: Bottleneck


class Explainer:
    """Explanations of one plan; indexes the edges once, then each answer costs its own size."""

    def __init__(self, solution: Solution) -> None:
        net = solution.network
        self._solution = solution
        self._chosen = np.zeros(len(net), bool)
        self._chosen[solution.edges] = True
        self._by_person = _starts(net.person, len(net.demand))
        self._held_order = solution.edges[np.argsort(net.supporter[solution.edges], kind="stable")]
        self._held_first = _starts(net.supporter[solution.edges], len(net.capacity))[1]

    def explain(self, person: int) -> Explanation:
        """The explanation for ``person``; ``ValueError`` when no slot of theirs is open."""
        net = self._solution.network
        if not 0 <= person < len(net.demand):
            raise ValueError(f"person: {person} is not in 0..{len(net.demand) - 1}")
        missing = int(self._solution.unmet[person])
        if missing <= 0:
            raise ValueError(f"person[{person}]: has no open slot")
        mine = self._edges_of(person)
        usable = mine[net.capacity[net.supporter[mine]] > 0]
        in_reach = np.sort(net.supporter[usable])
        bottleneck = self._spread([person])
        if len(usable) == 0:
            kind = Shortage.NOBODY
        elif bool(self._chosen[usable].all()):
            kind = Shortage.TOO_FEW
        elif set(bottleneck.supporters) <= set(in_reach.tolist()):
            kind = Shortage.ALL_FULL
        else:
            kind = Shortage.BOTTLENECK
        return Explanation(person, missing, kind, tuple(in_reach.tolist()), bottleneck)

    def bottlenecks(self) -> list[Bottleneck]:
        """All shortages as disjoint sets, ordered by their first person.

        Sets that overlap are one: a list for a planner, in time linear in its edges.
        """
        group: dict[int, int] = {}  # person or ~supporter -> group
        members: list[list[int]] = []
        for start in np.flatnonzero(self._solution.unmet > 0).tolist():
            met = {len(members)}
            found: list[int] = []
            seen = {start}
            front = deque([start])
            while front:
                node = front.popleft()
                if node in group:
                    met.add(group[node])
                    continue
                found.append(node)
                for other in self._next(node):
                    if other not in seen:
                        seen.add(other)
                        front.append(other)
            members.append(found)
            keep = max(met, key=lambda g: (len(members[g]), -g))
            for other_group in met - {keep}:
                members[keep] += members[other_group]
                for node in members[other_group]:
                    group[node] = keep
                members[other_group] = []
            for node in found:
                group[node] = keep
        sets = [self._measure(nodes) for nodes in members if nodes]
        return sorted(sets, key=lambda b: b.people)

    def _spread(self, people: list[int]) -> Bottleneck:
        seen = set(people)
        front = deque(people)
        while front:
            for other in self._next(front.popleft()):
                if other not in seen:
                    seen.add(other)
                    front.append(other)
        return self._measure(list(seen))

    def _next(self, node: int) -> list[int]:
        """Persons are ``i``, supporters ``~j``; supporters without any place are no way out."""
        net = self._solution.network
        if node >= 0:
            edges = self._edges_of(node)
            free = edges[~self._chosen[edges]]
            near = net.supporter[free]
            return [~j for j in near[net.capacity[near] > 0].tolist()]
        first, last = self._held_first[~node], self._held_first[~node + 1]
        held: list[int] = net.person[self._held_order[first:last]].tolist()
        return held

    def _measure(self, nodes: list[int]) -> Bottleneck:
        net = self._solution.network
        people = sorted(node for node in nodes if node >= 0)
        supporters = sorted(~node for node in nodes if node < 0)
        inside = set(supporters)
        elsewhere = 0
        for person in people:
            near = net.supporter[self._edges_of(person)]
            for supporter in near[net.capacity[near] > 0].tolist():
                elsewhere += supporter not in inside
        room = int(net.capacity[supporters].sum()) if supporters else 0
        wanted = int(net.demand[people].sum())
        return Bottleneck(tuple(people), tuple(supporters), wanted, room + elsewhere, elsewhere)

    def _edges_of(self, person: int) -> IntArray:
        order, first = self._by_person
        return order[first[person] : first[person + 1]]


def _starts(owner: IntArray, size: int) -> tuple[IntArray, IntArray]:
    """Indices ordered by owner, and where each owner's part starts."""
    first = np.zeros(size + 1, np.int64)
    np.cumsum(np.bincount(owner, minlength=size), out=first[1:])
    return np.argsort(owner, kind="stable"), first


def explain(solution: Solution, person: int) -> Explanation:
    """Why ``person`` has an open slot in ``solution``; ``ValueError`` when they have none."""
    return Explainer(solution).explain(person)


def bottlenecks(solution: Solution) -> list[Bottleneck]:
    """All shortages of ``solution`` as disjoint sets of people and supporters."""
    return Explainer(solution).bottlenecks()
