"""Successive shortest paths with two-part prices: the exact solver itself.

Owns the search and the augmentation; ``docs/algorithms/matching.md`` has the argument.
The slots are inserted one at a time, tier after tier.  A node's price is *(level, minutes)*:
level k (= number of tiers) means "no shortage here", level t means "one more place here would
fill one more slot of tier t".  Prices are compared level first, so no constant stands for
"infinitely worse".  Levels below the current tier are frozen: nothing that is inserted later
may disturb them.  Refuses: floats, hashing, randomness; sequences in, sequences changed.

Source of the method: Jewell/Busacker-Gowen/Iri successive shortest paths, Edmonds-Karp (1972)
potentials; greedy over tiers is exact because fillable slots form a gammoid (a matroid).
"""

from __future__ import annotations

from evacuation.domain.matching.heap import put, take
from evacuation.domain.matching.state import State

FAR = 2**62


def touch(s: State, node: int, dist: int, edge: int) -> None:
    """Record that ``node`` can be reached at ``dist`` by ``edge``, better than before."""
    if s.dist[node] == FAR:
        s.seen[s.sizes[1]] = node
        s.sizes[1] += 1
    s.dist[node] = dist
    s.parent[node] = edge


def reach_free(s: State, source: int, tiers: int) -> int:
    """Shortest path from person ``source`` to a supporter with room, outside all shortages.

    Returns that supporter's node, or -1 when there is none; then every node without shortage
    that ``source`` reaches is settled.  Edges of a person come in ascending cost and prices
    are not negative here, so an edge is looked at only when its cost alone could matter.
    Nodes at the distance of the front wait on a stack, not in the heap.
    """
    first, head, tail, cost, spot = s.first, s.head, s.tail, s.cost, s.spot
    held, capacity, room, hold = s.held, s.capacity, s.room, s.hold
    level, price, dist, seen = s.level, s.price, s.dist, s.seen
    heap, place, key, sizes, ready = s.heap, s.place, s.key, s.sizes, s.ready
    persons = len(first) - 1
    best = FAR
    found = -1
    touch(s, source, 0, -1)
    ready[0] = source
    waiting = 1
    while True:
        if waiting > 0:
            waiting -= 1
            node = ready[waiting]
        elif sizes[0] > 0 and key[heap[0]] < best:
            node = take(heap, place, key, sizes)
        else:
            break
        here = dist[node]
        if here >= best:
            break
        base = here - price[node]
        if node < persons:
            for edge in range(first[node], first[node + 1]):
                bound = base + cost[edge]
                if bound >= best:
                    break
                other = head[edge]
                there = bound + price[other]
                if (
                    there < dist[other]
                    and there < best
                    and level[other] == tiers
                    and spot[edge] < 0
                ):
                    touch(s, other, there, edge)
                    if held[other] < capacity[other]:
                        best = there
                        found = other
                    elif there == here and place[other] < 0:
                        ready[waiting] = other
                        waiting += 1
                    else:
                        put(heap, place, key, sizes, other, there)
        else:
            for position in range(room[node], room[node] + held[node]):
                edge = hold[position]
                other = tail[edge]
                there = base - cost[edge] + price[other]
                if there < dist[other] and there < best and level[other] == tiers:
                    touch(s, other, there, edge)
                    if there == here and place[other] < 0:
                        ready[waiting] = other
                        waiting += 1
                    else:
                        put(heap, place, key, sizes, other, there)
    if found >= 0:
        for position in range(sizes[1]):
            node = seen[position]
            if dist[node] < best:
                price[node] += best - dist[node]
    return found


def reach_filled(s: State, source: int, tier: int, tiers: int) -> int:
    """Cheapest way to leave one slot of ``tier`` open when ``source`` wants one more.

    Call it after ``reach_free`` failed (its settled nodes join the shortage of ``tier``), or
    directly when ``source`` is in that shortage already.  Returns the person who loses the
    slot, which is ``source`` itself when nothing is cheaper.
    """
    first, head, tail, cost, spot = s.first, s.head, s.tail, s.cost, s.spot
    held, room, hold, degree, lower = s.held, s.room, s.hold, s.degree, s.lower
    level, price, dist, seen = s.level, s.price, s.dist, s.seen
    heap, place, key, sizes, ready = s.heap, s.place, s.key, s.sizes, s.ready
    persons = len(first) - 1
    found = source
    if level[source] == tier:
        touch(s, source, 0, -1)
        put(heap, place, key, sizes, source, 0)
    joined = sizes[1] if level[source] == tiers else 0
    best = dist[source] - price[source]
    for position in range(joined):
        node = seen[position]
        base = dist[node] - price[node]
        if node < persons:
            if degree[node] > lower[node] and base < best:
                best = base
                found = node
            for edge in range(first[node], first[node + 1]):
                other = head[edge]
                if level[other] == tier and spot[edge] < 0:
                    there = base + cost[edge] + price[other]
                    if there < dist[other]:
                        touch(s, other, there, edge)
                        put(heap, place, key, sizes, other, there)
        else:
            for where in range(room[node], room[node] + held[node]):
                edge = hold[where]
                other = tail[edge]
                if level[other] == tier:
                    there = base - cost[edge] + price[other]
                    if there < dist[other]:
                        touch(s, other, there, edge)
                        put(heap, place, key, sizes, other, there)
    waiting = 0
    while True:
        if waiting > 0:
            waiting -= 1
            node = ready[waiting]
        elif sizes[0] > 0 and key[heap[0]] < best:
            node = take(heap, place, key, sizes)
        else:
            break
        here = dist[node]
        if here >= best:
            continue
        base = here - price[node]
        if node < persons:
            if degree[node] > lower[node] and base < best:
                best = base
                found = node
            for edge in range(first[node], first[node + 1]):
                other = head[edge]
                there = base + cost[edge] + price[other]
                if there < dist[other] and there < best and level[other] == tier and spot[edge] < 0:
                    touch(s, other, there, edge)
                    if there == here and place[other] < 0:
                        ready[waiting] = other
                        waiting += 1
                    else:
                        put(heap, place, key, sizes, other, there)
        else:
            for where in range(room[node], room[node] + held[node]):
                edge = hold[where]
                other = tail[edge]
                there = base - cost[edge] + price[other]
                if there < dist[other] and there < best and level[other] == tier:
                    touch(s, other, there, edge)
                    if there == here and place[other] < 0:
                        ready[waiting] = other
                        waiting += 1
                    else:
                        put(heap, place, key, sizes, other, there)
    for position in range(sizes[1]):
        node = seen[position]
        if position < joined:
            level[node] = tier
            price[node] += best - dist[node]
        elif dist[node] < best:
            price[node] += best - dist[node]
    return found


def release(s: State, edge: int) -> int:
    """Take ``edge`` out of its supporter's hold; returns the supporter's node."""
    node = s.head[edge]
    last = s.room[node] + s.held[node] - 1
    moved = s.hold[last]
    s.hold[s.spot[edge]] = moved
    s.spot[moved] = s.spot[edge]
    s.spot[edge] = -1
    s.held[node] -= 1
    return node


def occupy(s: State, edge: int) -> int:
    """Put ``edge`` into its supporter's hold; returns the person."""
    node = s.head[edge]
    position = s.room[node] + s.held[node]
    s.hold[position] = edge
    s.spot[edge] = position
    s.held[node] += 1
    return s.tail[edge]


def shift(s: State, source: int, target: int) -> None:
    """Move one unit along the path found: ``source`` gains a slot, ``target`` ends it."""
    persons = len(s.first) - 1
    node = target
    if node < persons:
        if node == source:
            return
        s.degree[node] -= 1
        node = release(s, s.parent[node])
    while True:
        person = occupy(s, s.parent[node])
        if person == source:
            break
        node = release(s, s.parent[person])
    s.degree[source] += 1


def clean(s: State) -> None:
    """Forget the search."""
    dist, place, seen, heap = s.dist, s.place, s.seen, s.heap
    for position in range(s.sizes[0]):
        place[heap[position]] = -1
    for position in range(s.sizes[1]):
        node = seen[position]
        dist[node] = FAR
    s.sizes[0] = 0
    s.sizes[1] = 0


def insert(s: State, person: int, tier: int, tiers: int) -> None:
    """Let ``person`` ask for one more slot of ``tier`` and restore optimality."""
    if s.level[person] < tier or (s.level[person] == tier and s.price[person] >= 0):
        return  # the shortage already prices this slot out: it stays open
    target = -1
    if s.level[person] == tiers:
        target = reach_free(s, person, tiers)
    if target < 0:
        target = reach_filled(s, person, tier, tiers)
    shift(s, person, target)
    clean(s)


def run(s: State) -> None:
    """Insert every slot, tier after tier; ``spot``, ``level`` and ``price`` are the answer."""
    tiers = len(s.phase) - 1
    for tier in range(tiers):
        for position in range(s.phase[tier], s.phase[tier + 1]):
            insert(s, s.slot_person[position], tier, tiers)
        for position in range(s.phase[tier], s.phase[tier + 1]):
            s.lower[s.slot_person[position]] += 1
