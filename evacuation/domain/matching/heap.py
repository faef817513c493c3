"""A binary heap of graph nodes with decrease-key, on plain integer sequences.

Owns the order of the search front.  ``heap[:count[0]]`` holds nodes, ``key[node]`` their
keys, ``place[node]`` their position or -1.  Ties keep the order that the operations produce,
which depends on nothing but the input.  Refuses: objects, floats, anything that a compiler
could not turn into loops over int64 — the same source runs compiled and uncompiled.
"""

from __future__ import annotations

from collections.abc import MutableSequence

Ints = MutableSequence[int]


def put(heap: Ints, place: Ints, key: Ints, count: Ints, node: int, value: int) -> None:
    """Insert ``node`` with key ``value``, or lower its key to ``value`` (never raises a key)."""
    at = place[node]
    if at < 0:
        at = count[0]
        count[0] = at + 1
    key[node] = value
    while at > 0:
        above = (at - 1) >> 1
        other = heap[above]
        if key[other] <= value:
            break
        heap[at] = other
        place[other] = at
        at = above
    heap[at] = node
    place[node] = at


def take(heap: Ints, place: Ints, key: Ints, count: Ints) -> int:
    """Remove and return a node with the least key; the heap must not be empty."""
    top = heap[0]
    place[top] = -1
    size = count[0] - 1
    count[0] = size
    if size > 0:
        node = heap[size]
        value = key[node]
        at = 0
        below = 1
        while below < size:
            other = heap[below]
            if below + 1 < size and key[heap[below + 1]] < key[other]:
                below += 1
                other = heap[below]
            if key[other] >= value:
                break
            heap[at] = other
            place[other] = at
            at = below
            below = 2 * at + 1
        heap[at] = node
        place[node] = at
    return top
