"""Hazard areas: reading the national files, asking what lies at a point, refusing a bad place.

Owns the codes of 国土数値情報 A31 (洪水浸水想定区域, depth rank) and A33 (土砂災害警戒区域), the
spatial index, and the rule that a destination inside the zone of its own hazard is refused.
Refuses: an unknown code, a missing or broken polygon, coordinates outside Japan — row by row, as
a list with reasons; a whole file without any known attribute.
Source: 国土数値情報 A31 第3.0版・第4.0版 (``A31a_205`` 想定最大規模の浸水ランク), A33 (``A33_001``
現象の種類, ``A33_002`` 区域区分). Coordinates: longitude, latitude, JGD2011 (EPSG:6668).
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import shapely
from shapely.geometry import Point, shape
from shapely.geometry.base import BaseGeometry

from evacuation.domain.plan_items import PlanHazard
from registry.domain.errors import Refused


class HazardKind(StrEnum):
    """災害の種別: the zones we hold, and the flags of the national shelter files."""

    FLOOD = "flood"
    STEEP_SLOPE = "steep_slope"
    DEBRIS_FLOW = "debris_flow"
    LANDSLIDE = "landslide"

    @property
    def label(self) -> str:
        """Official Japanese term."""
        return {"flood": "洪水", "steep_slope": "急傾斜地の崩壊", "debris_flow": "土石流",
                "landslide": "地滑り"}[self.value]

    @property
    def plan_hazard(self) -> PlanHazard:
        """The hazard of a plan that this zone belongs to."""
        return PlanHazard.FLOOD if self is HazardKind.FLOOD else PlanHazard.LANDSLIDE


#: A31a_205: depth rank → (label, from metres, below metres or None).
FLOOD_RANKS: Mapping[int, tuple[str, float, float | None]] = {
    1: ("0.5m未満", 0.0, 0.5),
    2: ("0.5〜3.0m", 0.5, 3.0),
    3: ("3.0〜5.0m", 3.0, 5.0),
    4: ("5.0〜10.0m", 5.0, 10.0),
    5: ("10.0〜20.0m", 10.0, 20.0),
    6: ("20.0m以上", 20.0, None),
}
#: A33_001: kind of movement.
LANDSLIDE_KINDS: Mapping[int, HazardKind] = {
    1: HazardKind.STEEP_SLOPE,
    2: HazardKind.DEBRIS_FLOW,
    3: HazardKind.LANDSLIDE,
}
#: A33_002: (special zone?, designated? — 3 and 4 are surveyed, not yet designated).
LANDSLIDE_ZONES: Mapping[int, tuple[bool, bool]] = {
    1: (False, True),
    2: (True, True),
    3: (False, False),
    4: (True, False),
}
FLOOD_FIELD, KIND_FIELD, ZONE_FIELD = "A31a_205", "A33_001", "A33_002"
JAPAN = (122.0, 20.0, 154.0, 46.0)


class HazardRefused(Refused):
    """The file or the destination cannot be used."""

    code = "hazard_file_invalid"
    message = "災害区域のファイルを読みとれません。"


@dataclass(frozen=True, slots=True)
class HazardArea:
    """One zone. ``rank``: flood 1–6; landslide 1 警戒区域, 2 特別警戒区域. Larger is worse."""

    kind: HazardKind
    rank: int
    label: str
    geometry: BaseGeometry
    designated: bool = True
    source: str = ""

    @property
    def special(self) -> bool:
        """土砂災害特別警戒区域."""
        return self.kind is not HazardKind.FLOOD and self.rank == 2


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was not taken: number from 1, stable code, Japanese reason."""

    row: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class ParsedHazards:
    """``areas`` + ``rejected`` = the rows of the file."""

    areas: tuple[HazardArea, ...]
    rejected: tuple[RejectedRow, ...]


def _code(value: Any) -> int | None:
    """Integer code from 3, 3.0, "3", "３" or " 3 "; None when it is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, int):
        return value
    text = unicodedata.normalize("NFKC", str(value)).strip()
    return int(text) if text.isdecimal() and len(text) < 4 else None


class _Bad(Exception):
    def __init__(self, code: str, reason: str) -> None:
        self.code, self.reason = code, reason


def parse_row(
    attributes: Mapping[str, Any],
    geometry: Mapping[str, Any] | BaseGeometry | None,
    source: str = "",
) -> HazardArea:
    """One zone from attributes and a geometry (GeoJSON mapping or shapely).

    Raises ``HazardRefused`` with the code of the gap.
    """
    try:
        kind, rank, label, designated = _meaning(attributes)
        return HazardArea(kind, rank, label, _polygon(geometry), designated, source)
    except _Bad as bad:
        raise HazardRefused(bad.reason, code=bad.code) from None


def _meaning(attributes: Mapping[str, Any]) -> tuple[HazardKind, int, str, bool]:
    if FLOOD_FIELD in attributes:
        rank = _code(attributes[FLOOD_FIELD])
        if rank is None or rank not in FLOOD_RANKS:
            raise _Bad("flood_rank_unknown", "浸水ランク（A31a_205）は1から6までです。")
        return HazardKind.FLOOD, rank, f"洪水 {FLOOD_RANKS[rank][0]}", True
    if KIND_FIELD in attributes and ZONE_FIELD in attributes:
        kind, zone = _code(attributes[KIND_FIELD]), _code(attributes[ZONE_FIELD])
        if kind is None or kind not in LANDSLIDE_KINDS:
            raise _Bad("landslide_kind_unknown", "現象の種類（A33_001）は1から3までです。")
        if zone is None or zone not in LANDSLIDE_ZONES:
            raise _Bad("landslide_zone_unknown", "区域区分（A33_002）は1から4までです。")
        special, designated = LANDSLIDE_ZONES[zone]
        name = "土砂災害特別警戒区域" if special else "土砂災害警戒区域"
        tail = "" if designated else "・指定前"
        found = LANDSLIDE_KINDS[kind]
        return found, 2 if special else 1, f"{name}（{found.label}{tail}）", designated
    raise _Bad("hazard_fields_missing", "A31a_205、またはA33_001とA33_002の項目がありません。")


def _polygon(geometry: Mapping[str, Any] | BaseGeometry | None) -> BaseGeometry:
    if geometry is None:
        raise _Bad("geometry_missing", "図形がありません。")
    try:
        found = geometry if isinstance(geometry, BaseGeometry) else shape(dict(geometry))
        found = found if found.is_valid else shapely.make_valid(found)
    except Exception as error:  # shapely raises many kinds for broken coordinates
        raise _Bad("geometry_broken", "図形を読みとれません。") from error
    parts = [g for g in shapely.get_parts(found, return_index=False)
             if g.geom_type in ("Polygon", "MultiPolygon")]
    if not parts or found.is_empty:
        raise _Bad("geometry_not_polygon", "面の図形ではありません（線や点は使えません）。")
    merged = parts[0] if len(parts) == 1 else shapely.union_all(parts)
    west, south, east, north = merged.bounds
    if not (JAPAN[0] <= west and east <= JAPAN[2] and JAPAN[1] <= south and north <= JAPAN[3]):
        raise _Bad("geometry_outside_japan", "座標が日本の外です。経度・緯度か確かめてください。")
    shapely.prepare(merged)
    return merged


def parse_features(document: Any, *, source: str = "") -> ParsedHazards:
    """A GeoJSON ``FeatureCollection``. Raises ``HazardRefused`` when it is none."""
    features = document.get("features") if isinstance(document, Mapping) else None
    if not isinstance(features, list):
        raise HazardRefused("GeoJSONのFeatureCollectionではありません。")
    rows = (
        (f.get("properties") or {}, f.get("geometry")) if isinstance(f, Mapping) else ({}, None)
        for f in features
    )
    return parse_rows(rows, source=source)


def parse_rows(
    rows: Iterable[tuple[Mapping[str, Any], Mapping[str, Any] | BaseGeometry | None]],
    *,
    source: str = "",
) -> ParsedHazards:
    """Rows of (attributes, geometry), as a shapefile reader gives them."""
    areas: list[HazardArea] = []
    rejected: list[RejectedRow] = []
    for number, (attributes, geometry) in enumerate(rows, start=1):
        try:
            areas.append(parse_row(attributes, geometry, source))
        except HazardRefused as error:
            rejected.append(RejectedRow(number, error.code, error.message))
    return ParsedHazards(tuple(areas), tuple(rejected))


class HazardIndex:
    """Areas in an STR tree. Borders count as inside. Immutable once made."""

    def __init__(self, areas: Iterable[HazardArea]) -> None:
        self.areas: tuple[HazardArea, ...] = tuple(areas)
        self._tree = shapely.STRtree([area.geometry for area in self.areas])

    def at(self, lon: float, lat: float, *, uncertainty_m: float = 0.0) -> tuple[HazardArea, ...]:
        """Areas at a point, the worst of each kind first.

        ``uncertainty_m``: radius within which the place may lie; any area it touches counts.
        Raises ``HazardRefused`` for coordinates outside Japan (also swapped ones).
        """
        inside = JAPAN[0] <= lon <= JAPAN[2] and JAPAN[1] <= lat <= JAPAN[3]
        if not inside or not 0 <= uncertainty_m <= 50_000:
            raise HazardRefused(
                "場所の座標が正しくありません。経度・緯度の順か確かめてください。",
                code="point_invalid",
            )
        where = _disc(lon, lat, uncertainty_m) if uncertainty_m else Point(lon, lat)
        hits = [self.areas[i] for i in sorted(self._tree.query(where, predicate="intersects"))]
        order = list(HazardKind)
        return tuple(sorted(hits, key=lambda a: (order.index(a.kind), -a.rank, a.label)))

    def worst(
        self, lon: float, lat: float, *, uncertainty_m: float = 0.0
    ) -> Mapping[HazardKind, HazardArea]:
        """The worst area of each kind at a point; a kind that is absent has no entry."""
        found: dict[HazardKind, HazardArea] = {}
        for area in self.at(lon, lat, uncertainty_m=uncertainty_m):
            found.setdefault(area.kind, area)
        return found

    def zones_for(
        self, hazard: PlanHazard, lon: float, lat: float, *, uncertainty_m: float = 0.0
    ) -> tuple[HazardArea, ...]:
        """Areas at a point that make it unfit as a destination for ``hazard``."""
        hits = self.at(lon, lat, uncertainty_m=uncertainty_m)
        return tuple(a for a in hits if a.kind.plan_hazard is hazard)

    def require_outside(
        self, hazard: PlanHazard, lon: float, lat: float, *, uncertainty_m: float = 0.0
    ) -> None:
        """Raise ``HazardRefused`` when a destination lies in the zone of its own hazard."""
        zones = self.zones_for(hazard, lon, lat, uncertainty_m=uncertainty_m)
        if zones:
            raise HazardRefused(
                f"{hazard.label}のときの避難先が「{zones[0].label}」の中にあります。"
                "区域の外の避難先を選んでください。",
                code="destination_in_zone",
            )


def _disc(lon: float, lat: float, metres: float) -> BaseGeometry:
    """A disc of ``metres`` as a polygon in degrees, scaled by the local length of a degree.

    The polygon is drawn around the circle, so it never misses what the circle touches.
    """
    north, east = metres_per_degree(lat)
    grow = 1 / math.cos(math.pi / 64)
    ring = [
        (lon + metres * grow / east * math.cos(2 * math.pi * k / 64),
         lat + metres * grow / north * math.sin(2 * math.pi * k / 64))
        for k in range(64)
    ]
    return shapely.Polygon(ring)


def metres_per_degree(lat: float) -> tuple[float, float]:
    """Length in metres of one degree of (latitude, longitude) at ``lat`` on GRS80."""
    a, e2 = 6_378_137.0, 0.006_694_380_022_90
    phi = math.radians(lat)
    w = math.sqrt(1 - e2 * math.sin(phi) ** 2)
    return math.radians(a * (1 - e2) / w**3), math.radians(a * math.cos(phi) / w)
