"""The areas of the municipality.

Owns reading the tree municipality → district → 町内会.  Areas hold nothing personal, so any
scope may read them; rows *about people* in an area are another question.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from registry.access import Scope
from registry.models import Area, AreaKind


@dataclass(frozen=True)
class AreaFact:
    """One area (区域); degrees WGS 84, None where no point is known."""

    id: int
    kind: str
    code: str
    name: str
    kana: str
    parent_id: int | None
    longitude: float | None
    latitude: float | None


@dataclass(frozen=True)
class AreaNode:
    """An area with what lies below it, by code."""

    area: AreaFact
    below: tuple[AreaNode, ...]


def areas(scope: Scope, *, kind: str | None = None) -> list[AreaFact]:
    """Every area, or those of one kind, by code.  One query."""
    del scope  # areas hold nothing personal
    rows = Area.objects.filter(kind=kind) if kind else Area.objects.all()
    return [
        AreaFact(*row)
        for row in rows.order_by("code").values_list(
            "pk", "kind", "code", "name", "kana", "parent_id", "longitude", "latitude"
        )
    ]


def tree(scope: Scope) -> list[AreaNode]:
    """The municipalities (usually one) with districts and 町内会 below.  One query."""
    children: dict[int | None, list[AreaFact]] = defaultdict(list)
    for one in areas(scope):
        children[one.parent_id].append(one)

    def node(area: AreaFact) -> AreaNode:
        return AreaNode(area, tuple(node(child) for child in children[area.id]))

    return [node(top) for top in children[None]]


def area_ids(scope: Scope) -> dict[str, int]:
    """code → id of every area."""
    return {one.code: one.id for one in areas(scope)}


def neighbourhoods_within(scope: Scope, area_id: int) -> frozenset[int]:
    """Ids of the 町内会 in an area (itself when it is one); empty for an unknown id."""
    every = {one.id: one for one in areas(scope)}
    found = set()
    for one in every.values():
        if one.kind != AreaKind.NEIGHBOURHOOD:
            continue
        at: AreaFact | None = one
        while at is not None:
            if at.id == area_id:
                found.add(one.id)
                break
            at = every.get(at.parent_id) if at.parent_id is not None else None
    return frozenset(found)
