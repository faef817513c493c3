"""Where volunteers lived, from when: the facts that eligibility asks for (P1).

Owns reading the history of moves.  Refuses rows outside the scope.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date

from registry.access import Scope
from registry.domain.residence import Residence, history
from registry.models import ResidenceChange


def residences(scope: Scope, *, now: Mapping[int, bool]) -> dict[int, Residence]:
    """volunteer id → where they lived, of those who ever moved.  One query.

    ``now``: volunteer id → whether they live in the city today.
    """
    told: dict[int, list[tuple[date, bool, bool]]] = defaultdict(list)
    rows = ResidenceChange.objects.visible_to(scope).filter(volunteer_id__in=list(now))
    for volunteer, *row in rows.order_by("pk").values_list(
        "volunteer_id", "from_on", "resident", "was"
    ):
        told[volunteer].append((row[0], row[1], row[2]))
    return {volunteer: history(now[volunteer], some) for volunteer, some in told.items()}
