"""Hazard files load as GeoJSON and as zipped Shapefile; the index follows every import."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
import shapefile

from evacuation.domain.hazards import HazardRefused
from evacuation.domain.plan_items import PlanHazard
from evacuation.models import HazardZone
from evacuation.operations import hazards
from evacuation.queries import hazards as read


def ring(west: float, south: float, size: float = 0.002) -> list[list[float]]:
    """A square, as the national files draw their outer rings."""
    east, north = west + size, south + size
    return [[west, south], [west, north], [east, north], [east, south], [west, south]]


def flood(*squares: tuple[float, float, int]) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"A31a_205": rank},
         "geometry": {"type": "Polygon", "coordinates": [ring(west, south)]}}
        for west, south, rank in squares
    ]}).encode()


def zipped_landslide(kind: int = 2, zone: int = 2) -> bytes:
    parts = {end: io.BytesIO() for end in ("shp", "shx", "dbf")}
    with shapefile.Writer(encoding="cp932", **parts) as writer:
        writer.field("A33_001", "C", 2)
        writer.field("A33_002", "C", 2)
        writer.field("A33_005", "C", 60)
        writer.poly([ring(139.95, 37.50)])
        writer.record(str(kind), str(zone), "見本沢（渓流）")
        writer.null()
        writer.record("1", "1", "図形なし")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for end, part in parts.items():
            archive.writestr(f"A33-20_07.{end}", part.getvalue())
    return packed.getvalue()


def test_geojson_and_shapefile_load_with_their_codes(system: Any) -> None:
    got = hazards.import_zones(file=flood((139.92, 37.49, 2), (139.92, 37.49, 9)), kind="flood",
                               by=system, is_sample=True)
    assert (got.rows, got.zones, got.new) == (2, 1, 1)
    assert [(r.row, r.code) for r in got.rejected] == [(2, "flood_rank_unknown")]
    slides = hazards.import_zones(file=zipped_landslide(), kind="landslide", by=system)
    assert [r.code for r in slides.rejected] == ["geometry_missing"]
    zone = HazardZone.objects.get(group="landslide")
    assert (zone.kind, zone.rank) == ("debris_flow", 2)
    assert zone.label == "土砂災害特別警戒区域（土石流）"
    at = read.zones_at(system, longitude=139.951, latitude=37.501)
    assert [(z.hazard, z.special) for z in at] == [("landslide", True)]
    assert "A33" in zone.source


def test_the_index_follows_every_import_and_a_repeat_changes_nothing(system: Any) -> None:
    def inside() -> bool | None:
        return read.in_force().outside(PlanHazard.FLOOD, 139.921, 37.491)

    assert inside() is None  # nobody checked: never "outside"
    hazards.import_zones(file=flood((139.92, 37.49, 2)), kind="flood", by=system)
    assert inside() is False
    same = hazards.import_zones(file=flood((139.92, 37.49, 2)), kind="flood", by=system)
    assert (same.new, same.same, same.gone) == (0, 1, 0)
    moved = hazards.import_zones(file=flood((139.90, 37.49, 2), (139.90, 37.49, 2)), kind="flood",
                                 by=system)
    assert (moved.new, moved.same, moved.gone, moved.rows) == (1, 0, 1, 2)
    assert inside() is True
    assert len(read.datasets(system)) == 1


def test_an_uncertain_place_counts_every_zone_it_may_lie_in(system: Any) -> None:
    hazards.import_zones(file=flood((139.92, 37.49, 3)), kind="flood", by=system)
    assert read.zones_at(system, longitude=139.9235, latitude=37.491) == ()
    near = read.zones_at(system, longitude=139.9235, latitude=37.491, uncertainty_m=300)
    assert [z.rank for z in near] == [3]


@pytest.mark.parametrize(("file", "kind", "code"), [
    (b"PK\x03\x04broken", "flood", "hazard_file_invalid"),
    (b"{", "flood", "hazard_file_invalid"),
    (b"\xff\xfe\x00", "flood", "hazard_file_invalid"),
    (flood((139.92, 37.49, 9)), "flood", "hazard_file_empty"),
    (flood((139.92, 37.49, 1)), "landslide", "hazard_other_group"),
    (flood((139.92, 37.49, 1)), "volcano", "hazard_group_unknown"),
    (zipped_landslide()[:200], "landslide", "hazard_file_invalid"),
])
def test_unusable_files_are_refused_and_change_nothing(
    system: Any, file: bytes, kind: str, code: str
) -> None:
    with pytest.raises(HazardRefused) as refusal:
        hazards.import_zones(file=file, kind=kind, by=system)
    assert refusal.value.code == code
    assert HazardZone.objects.count() == 0


def test_looking_up_a_point_costs_one_query_once_built(
    system: Any, django_assert_num_queries: Any
) -> None:
    hazards.import_zones(file=flood((139.92, 37.49, 2)), kind="flood", by=system)
    read.in_force()
    with django_assert_num_queries(1):
        read.zones_at(system, longitude=139.921, latitude=37.491)
