"""``solve``: from a network to a certified optimal plan.

Owns the one path from question to answer: arrange, run the kernel, read the result back in
the caller's edge numbers.  Refuses nothing itself; ``Network`` has refused already.
"""

from __future__ import annotations

import numpy as np

from evacuation.domain.matching.arranging import arrange
from evacuation.domain.matching.compiling import chosen, runner
from evacuation.domain.matching.network import Network
from evacuation.domain.matching.solution import Prices, Solution
from evacuation.domain.matching.state import make


def solve(network: Network, *, compiled: bool | None = None) -> Solution:
    """The plan that fills most slots of tier 0, then of tier 1, ..., then costs least.

    ``compiled`` forces the compiled or the plain kernel; by default the size decides.  Both
    give the same plan.  Raises ``RuntimeError`` for ``compiled=True`` without numba.
    """
    arranged = arrange(network)
    use = chosen(len(network), compiled)
    state = make(network, arranged, use)
    runner(use)(state)
    n, nodes = len(network.demand), len(network.demand) + len(network.capacity)
    callers = np.concatenate([arranged.people, arranged.supporters + n])
    picked = np.asarray(state.spot, dtype=np.int32) >= 0
    edges = np.sort(arranged.original[picked])
    level, price = np.empty(nodes, np.int64), np.empty(nodes, np.int64)
    level[callers], price[callers] = state.level, state.price
    degree = np.bincount(network.person[edges], minlength=n)
    return Solution(
        network=network,
        edges=edges,
        filled=len(edges),
        filled_by_tier=network.filled_by_tier(degree),
        cost=sum(network.cost[edges].tolist()),
        unmet=network.demand - degree,
        person_price=Prices(level[:n], price[:n]),
        supporter_price=Prices(level[n:], price[n:]),
    )
