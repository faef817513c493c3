"""What lies at a point: the zones in force, indexed once per process.

Owns the cached index and its version check (one small query per call, so that an import is
seen by every process at once).  Public facts only: no homes.  Without any imported zones the
answer says "not checked", never "outside".
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import shapely
from shapely.geometry import shape

from evacuation.domain.hazards import HazardArea, HazardIndex, HazardKind
from evacuation.domain.plan_items import PlanHazard
from evacuation.models import HazardDataset, HazardZone
from registry.access import Scope

Version = tuple[tuple[int, str, int], ...]
_lock = threading.Lock()
_cached: tuple[Version, Hazards] | None = None


@dataclass(frozen=True)
class DatasetFact:
    """One imported file of zones in force; ``zones`` are in force now."""

    id: int
    group: str
    label: str
    name: str
    source: str
    is_sample: bool
    rows: int
    rejected: int
    imported_at: str


@dataclass(frozen=True)
class Hazards:
    """The zones in force.  ``covered`` are the hazards for which a file was imported."""

    index: HazardIndex
    covered: frozenset[PlanHazard]
    sources: tuple[str, ...]
    is_sample: bool

    def names(self, lon: float, lat: float, *, uncertainty_m: float = 0.0) -> frozenset[str]:
        """Hazards whose zone touches the place: 「水害」「土砂災害」, for matching."""
        return frozenset(
            area.kind.plan_hazard.label
            for area in self.index.at(lon, lat, uncertainty_m=uncertainty_m)
        )

    def outside(
        self, hazard: PlanHazard, lon: float, lat: float, *, uncertainty_m: float = 0.0
    ) -> bool | None:
        """True outside, False inside the zone of ``hazard``, None where nobody checked."""
        if hazard is PlanHazard.EARTHQUAKE:
            return True
        if hazard not in self.covered:
            return None
        return not self.index.zones_for(hazard, lon, lat, uncertainty_m=uncertainty_m)


_GROUP_HAZARD: Mapping[str, PlanHazard] = {
    HazardDataset.Group.FLOOD: PlanHazard.FLOOD,
    HazardDataset.Group.LANDSLIDE: PlanHazard.LANDSLIDE,
}


def in_force() -> Hazards:
    """The index of all zones; rebuilt when another import has happened."""
    global _cached
    newest = list(_newest().values())
    version: Version = tuple((d.pk, d.digest, d.rows) for d in newest)
    with _lock:
        if _cached is not None and _cached[0] == version:
            return _cached[1]
    built = _build(newest)
    with _lock:
        _cached = (version, built)
    return built


def _newest() -> dict[str, HazardDataset]:
    rows: dict[str, HazardDataset] = {}
    for one in HazardDataset.objects.order_by("pk"):
        rows[one.group] = one
    return rows


def _build(newest: list[HazardDataset]) -> Hazards:
    areas = []
    for kind, rank, label, designated, source, geometry in HazardZone.objects.order_by(
        "group", "key"
    ).values_list("kind", "rank", "label", "designated", "source", "geometry"):
        found = shape(geometry)
        shapely.prepare(found)
        areas.append(HazardArea(HazardKind(kind), rank, label, found, designated, source))
    return Hazards(
        HazardIndex(areas),
        frozenset(_GROUP_HAZARD[one.group] for one in newest),
        tuple(dict.fromkeys(one.source for one in newest)),
        any(one.is_sample for one in newest),
    )


@dataclass(frozen=True)
class ZoneFact:
    """One zone at a point, in words."""

    hazard: str  # flood | landslide
    kind: str
    rank: int
    label: str
    special: bool
    designated: bool
    source: str


def zones_at(
    scope: Scope, *, longitude: float, latitude: float, uncertainty_m: float = 0.0
) -> tuple[ZoneFact, ...]:
    """Zones at a point (degrees, JGD2011), the worst of each kind first.

    ``uncertainty_m`` is the radius in which the place may lie; every zone it touches counts.
    Raises ``HazardRefused`` (``point_invalid``) for coordinates outside Japan.
    """
    del scope  # zones are public
    return tuple(
        zone_fact(area)
        for area in in_force().index.at(longitude, latitude, uncertainty_m=uncertainty_m)
    )


def zone_fact(area: HazardArea) -> ZoneFact:
    """The words of an area."""
    return ZoneFact(area.kind.plan_hazard.value, area.kind.value, area.rank, area.label,
                    area.special, area.designated, area.source)


def datasets(scope: Scope) -> list[DatasetFact]:
    """The imported files in force, flood first."""
    del scope
    return [
        DatasetFact(one.pk, one.group, HazardDataset.Group(one.group).label, one.name, one.source,
                    one.is_sample, one.rows, len(one.rejected), one.imported_at.isoformat())
        for one in sorted(_newest().values(), key=lambda d: d.group)
    ]
