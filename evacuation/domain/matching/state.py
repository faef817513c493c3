"""The memory of one solve: the arranged network, the assignment and the prices.

Owns the names and meanings of the arrays that the kernel works on.  Persons are nodes
``0..n-1`` and supporters nodes ``n..n+m-1``; edges are arranged by person and ascending cost.
Every field is a numpy array when compiled and a list when not; the kernel cannot tell.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from evacuation.domain.matching.arranging import Arrangement, slots_by_tier
from evacuation.domain.matching.heap import Ints
from evacuation.domain.matching.network import Network

FAR = 2**62  # above every path length the network accepts (see network.LONGEST_PATH)


class State(NamedTuple):
    """Shapes: n persons, m supporters, e edges, s slots, k tiers."""

    # the network, never written
    first: Ints  # n+1: edges of person i are first[i]..first[i+1]-1
    head: Ints  # e: node of the edge's supporter
    tail: Ints  # e: person of the edge
    cost: Ints  # e: ascending within a person
    capacity: Ints  # n+m: places of a supporter; 0 for persons
    slot_person: Ints  # s: person of each slot, by tier and then by person
    phase: Ints  # k+1: slots of tier t are phase[t]..phase[t+1]-1
    room: Ints  # n+m+1: hold[room[x]..room[x+1]-1] is the space of supporter x
    # the assignment
    hold: Ints  # edges held by each supporter
    held: Ints  # n+m: how many edges supporter x holds
    spot: Ints  # e: position in hold, or -1 when the edge is not chosen
    degree: Ints  # n: filled slots
    lower: Ints  # n: slots of tiers before the current one
    # the prices: (tier whose shortage sets the price, or k for none; minutes)
    level: Ints  # n+m
    price: Ints  # n+m
    # scratch of one search, clean between searches
    dist: Ints  # n+m, FAR when untouched
    key: Ints  # n+m
    place: Ints  # n+m, -1 when not in the heap
    heap: Ints  # n+m
    sizes: Ints  # 2: size of the heap, number of touched nodes
    seen: Ints  # n+m: touched nodes in order
    ready: Ints  # n+m: nodes at the distance of the front
    parent: Ints  # n+m: edge by which the node was reached


def make(network: Network, arranged: Arrangement, compiled: bool) -> State:
    """Fresh state: nobody assigned, all prices 0 at the level "no shortage"."""
    n, m, e = len(network.demand), len(network.capacity), len(arranged.cost)
    nodes = n + m
    tiers = len(network.tiers)
    capacity = np.zeros(nodes, np.int32)  # more places than pairs are never used
    reach = np.bincount(arranged.supporter, minlength=m)
    capacity[n:] = np.minimum(reach, network.capacity[arranged.supporters])
    room = np.zeros(nodes + 1, np.int64)
    np.cumsum(capacity, out=room[1:])
    slot_person, phase = slots_by_tier(network, arranged)
    arrays: dict[str, npt.NDArray[Any]] = {
        "first": arranged.first,
        "head": (arranged.supporter + n).astype(np.int32),
        "tail": arranged.person.astype(np.int32),
        "cost": arranged.cost,
        "capacity": capacity,
        "slot_person": slot_person,
        "phase": phase,
        "room": room,
        "hold": np.zeros(int(room[-1]), np.int32),
        "held": np.zeros(nodes, np.int32),
        "spot": np.full(e, -1, np.int32),
        "degree": np.zeros(n, np.int32),
        "lower": np.zeros(n, np.int32),
        "level": np.full(nodes, tiers, np.int32),
        "price": np.zeros(nodes, np.int64),
        "dist": np.full(nodes, FAR, np.int64),
        "key": np.zeros(nodes, np.int64),
        "place": np.full(nodes, -1, np.int32),
        "heap": np.zeros(nodes, np.int32),
        "sizes": np.zeros(2, np.int64),
        "seen": np.zeros(nodes, np.int32),
        "ready": np.zeros(nodes, np.int32),
        "parent": np.full(nodes, -1, np.int32),
    }
    if compiled:
        return State(**arrays)  # type: ignore[arg-type]
    lists: dict[str, Ints] = {name: values.tolist() for name, values in arrays.items()}
    return State(**lists)
