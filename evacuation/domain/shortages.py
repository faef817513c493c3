"""Why people stay without, for a whole city at once: exact in small sets, bounded in large ones.

Owns the choice between the two explanations.  In a set of people who share places that is small
enough to be read, everybody gets the exact reason (``Candidates.gaps``).  In a larger set one
sentence states the whole set, and the people named are those who hold the places within this
person's own reach.  Both are proven shortages; the work is linear in the pairs.
Refuses nothing; it judges a solved plan.  Rule: evacuation.md, "It explains".
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from evacuation.domain.candidates import Candidates, Gap
from evacuation.domain.matching import Bottleneck, Explainer, Shortage, Solution

READABLE = 200  # people in one set
NAMED = 50


def gaps(candidates: Candidates, solution: Solution, *, readable: int = READABLE) -> list[Gap]:
    """Everybody who stays short, by index: the kind, the sentence, who shares the places."""
    sets = Explainer(solution).bottlenecks()
    of = {person: one for one in sets for person in one.people}
    short = np.flatnonzero(solution.unmet > 0).tolist()
    net = solution.network
    free = np.ones(len(net), bool)
    free[solution.edges] = False
    free &= net.capacity[net.supporter] > 0
    open_ways = np.bincount(net.person[free], minlength=len(net.demand))
    exact = [
        person for person in short
        if len(of[person].people) <= readable or open_ways[person] == 0
    ]
    found = dict(zip(exact, candidates.gaps(solution, exact), strict=True))
    wide = [person for person in short if person not in found]
    if wide:
        holders: dict[int, list[int]] = defaultdict(list)
        for edge in solution.edges.tolist():
            holders[int(net.supporter[edge])].append(int(net.person[edge]))
        first = np.searchsorted(net.person, np.arange(len(net.demand) + 1))
        for person in wide:
            edges = np.arange(first[person], first[person + 1])
            near = net.supporter[edges[net.capacity[net.supporter[edges]] > 0]]
            found[person] = _wide(candidates, solution, of[person], person, near, holders)
    return [found[person] for person in short]


def _wide(
    candidates: Candidates, solution: Solution, block: Bottleneck, person: int,
    near: np.ndarray[tuple[int, ...], np.dtype[np.int64]], holders: dict[int, list[int]],
) -> Gap:
    me, people, supporters = candidates.people[person], candidates.people, candidates.supporters
    away = [
        float(np.hypot(me.x - supporters[j].x, me.y - supporters[j].y)) for j in near.tolist()
    ]
    order = [j for _, j in sorted(zip(away, near.tolist(), strict=True))]
    rivals = list(dict.fromkeys(i for j in order for i in holders[j] if i != person))
    words = (
        f"半径{candidates.settings.radius:,.0f} m以内の支援者{len(order)}人は、みな定員まで"
        f"引き受けています。このあたりの{len(block.people):,}人が{block.places:,}人分の枠を"
        f"分け合っていて、あと{block.missing:,}人分足りません。"
    )
    return Gap(
        me.key, int(solution.unmet[person]), Shortage.BOTTLENECK, words,
        (me.key, *(people[i].key for i in rivals[: NAMED - 1])),
        tuple(supporters[j].key for j in order[:NAMED]), block.wanted, block.places, min(away),
    )
