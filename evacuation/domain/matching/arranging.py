"""The order in which the solver keeps the network in memory.

Owns renumbering: neighbours on the map become neighbours in memory (reverse Cuthill-McKee over
everybody's cheapest pairs), which halves the time of large tight networks, and each person's
edges ascend in cost, which the search relies on.  The plan's value does not depend on it.
Refuses: nothing; ``Network`` has refused already.

Source: Cuthill and McKee (1969), as in scipy.sparse.csgraph.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import reverse_cuthill_mckee

if TYPE_CHECKING:
    from evacuation.domain.matching.network import IntArray, Network

SmallArray = npt.NDArray[np.int32]
NEAR = 3  # cheapest pairs of a person that say where the person lives


@dataclass(frozen=True)
class Arrangement:
    """Edges by (new) person and ascending cost; ``original`` gives back the caller's index.

    ``people[i]`` and ``supporters[j]`` are the caller's numbers of the new i and j.
    """

    first: IntArray  # n+1
    person: SmallArray  # e
    supporter: SmallArray  # e
    cost: IntArray  # e
    original: IntArray  # e
    people: IntArray  # n
    supporters: IntArray  # m


def arrange(network: Network) -> Arrangement:
    """Order by place, then person, then cost, then the caller's order of the edges."""
    n, m = len(network.demand), len(network.capacity)
    order = _by_person_and_cost(network)
    count = np.bincount(network.person, minlength=n)
    first = _starts(count)
    people, supporters = _by_place(network, order, first)
    new_first = _starts(count[people])
    # the block of each person, moved as it is
    original = order[
        np.arange(len(order)) + np.repeat(first[people] - new_first[:-1], count[people])
    ]
    rank = np.empty(m, np.int32)
    rank[supporters] = np.arange(m, dtype=np.int32)
    return Arrangement(
        first=new_first,
        person=np.repeat(np.arange(n, dtype=np.int32), count[people]),
        supporter=rank[network.supporter[original]],
        cost=network.cost[original],
        original=original,
        people=people,
        supporters=supporters,
    )


def slots_by_tier(network: Network, arranged: Arrangement) -> tuple[SmallArray, IntArray]:
    """(New) owner of every slot ordered by tier and owner; where each tier starts (k+1)."""
    n = len(network.demand)
    rank = np.empty(n, np.int64)
    rank[arranged.people] = np.arange(n)
    owner = np.repeat(rank, network.demand)
    order = np.argsort(network.slot_rank * n + owner, kind="stable")
    phase = _starts(np.bincount(network.slot_rank, minlength=len(network.tiers)))
    return owner[order].astype(np.int32), phase


def _by_person_and_cost(network: Network) -> IntArray:
    spread = int(network.cost.max(initial=0)) + 1
    if len(network.demand) * spread >= 2**62:
        return np.lexsort((network.cost, network.person))
    word = network.person * spread + network.cost
    if len(word) == 0 or bool(np.all(word[1:] >= word[:-1])):
        return np.arange(len(word), dtype=np.int64)
    return np.argsort(word, kind="stable")


def _by_place(network: Network, order: IntArray, first: IntArray) -> tuple[IntArray, IntArray]:
    n, m = len(network.demand), len(network.capacity)
    if len(order) == 0:
        return np.arange(n, dtype=np.int64), np.arange(m, dtype=np.int64)
    near = [np.minimum(first[:-1] + k, first[1:])[first[1:] > first[:-1] + k] for k in range(NEAR)]
    edges = order[np.concatenate(near)]
    one, other = network.person[edges], network.supporter[edges] + n
    both = (np.concatenate([one, other]), np.concatenate([other, one]))
    graph = coo_array((np.ones(2 * len(edges), np.int8), both), shape=(n + m, n + m)).tocsr()
    graph.indices = graph.indices.astype(np.int32)
    graph.indptr = graph.indptr.astype(np.int32)
    place = reverse_cuthill_mckee(graph, symmetric_mode=True).astype(np.int64)
    return place[place < n], place[place >= n] - n


def _starts(counts: npt.NDArray[np.int64]) -> IntArray:
    first = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=first[1:])
    return first
