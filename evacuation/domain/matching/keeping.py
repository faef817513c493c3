"""Re-solving after a change: settled pairs stay unless a better plan is worth the change.

Owns the exact meaning of "worth": a plan that replaces r settled pairs is taken only if it
fills more slots (or more urgent ones) or saves more than r x ``worth``; a tie keeps what is
settled.  Costs are scaled by K > number of slots and a pair that is not settled costs
``worth`` x K + 1 more, so the tie is broken exactly.  The plan is optimal, and certified, for
these raised costs.  Rule: evacuation.md, "Matching supporters".
Refuses: a settled edge that the network does not have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evacuation.domain.matching.network import IntArray, Network
from evacuation.domain.matching.solution import Solution
from evacuation.domain.matching.solving import solve


@dataclass(frozen=True, eq=False)
class Revision:
    """``solution`` is stated in the raised costs; ``cost`` is the plan's cost in the given ones.

    ``kept``, ``dropped`` and ``added`` are ascending edge indices.
    """

    solution: Solution
    cost: int
    kept: IntArray
    dropped: IntArray
    added: IntArray


def resolve(
    network: Network,
    settled: Sequence[int] | IntArray,
    worth: int,
    *,
    compiled: bool | None = None,
) -> Revision:
    """Best plan for ``network`` when the edges ``settled`` exist and a new pair costs ``worth``.

    Settled pairs that are possible no longer (radius, capacity) are simply not in ``network``
    or are dropped by it.  ``ValueError`` for a negative ``worth`` or an unknown edge.
    """
    edges = np.unique(np.asarray(settled, dtype=np.int64))
    if worth < 0:
        raise ValueError(f"worth: {worth} is negative")
    if len(edges) and (edges[0] < 0 or edges[-1] >= len(network)):
        wrong = int(edges[0] if edges[0] < 0 else edges[-1])
        raise ValueError(f"settled: {wrong} is not in 0..{len(network) - 1}")
    scale = int(network.demand.sum()) + 1
    most = int(network.cost.max(initial=0)) + worth + 1
    if most * scale >= 2**62:
        raise ValueError(f"worth: {worth} with these costs and {scale - 1} slots is too large")
    raised = network.cost * scale
    raised[_others(len(network), edges)] += worth * scale + 1
    solution = solve(
        Network(
            network.demand,
            network.capacity,
            network.person,
            network.supporter,
            raised,
            network.slot_tier,
        ),
        compiled=compiled,
    )
    return Revision(
        solution=solution,
        cost=sum(network.cost[solution.edges].tolist()),
        kept=np.intersect1d(solution.edges, edges, assume_unique=True),
        dropped=np.setdiff1d(edges, solution.edges, assume_unique=True),
        added=np.setdiff1d(solution.edges, edges, assume_unique=True),
    )


def _others(size: int, edges: IntArray) -> npt.NDArray[np.bool_]:
    mask = np.ones(size, bool)
    mask[edges] = False
    return mask
