"""Hazard zones: import of 国土数値情報 A31 (flood) and A33 (landslide).

Owns the writers of ``HazardDataset`` and ``HazardZone``.  An import replaces the zones of its
group and shows the difference; the same file again changes nothing.  Refuses a file of another
group, a file without one usable zone, archives that unpack to more than 512 MB.
Source: 国土数値情報 A31・A33 as GeoJSON or zipped Shapefile (CP932, EPSG:6668).
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import shapefile
import shapely
from django.db import transaction
from shapely.geometry import mapping

from evacuation.domain.hazards import (
    HazardArea,
    HazardKind,
    HazardRefused,
    ParsedHazards,
    RejectedRow,
    parse_features,
    parse_rows,
)
from evacuation.models import HazardDataset, HazardZone
from registry import audit, outbox
from registry.access import Scope
from registry.domain.roles import Permission
from registry.operations import staff

SOURCES = {
    HazardDataset.Group.FLOOD: "国土数値情報（洪水浸水想定区域データ A31、国土交通省）",
    HazardDataset.Group.LANDSLIDE: "国土数値情報（土砂災害警戒区域データ A33、国土交通省）",
}
MOST_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True)
class HazardsImported:
    """new + same = zones in force; ``gone`` left; ``rejected`` rows were not taken."""

    dataset_id: int
    group: str
    rows: int
    zones: int
    new: int
    same: int
    gone: int
    rejected: tuple[RejectedRow, ...]


@transaction.atomic
def import_zones(
    *, file: bytes, kind: str, by: Scope, name: str = "", source: str = "",
    is_sample: bool = False,
) -> HazardsImported:
    """Replace the zones of one group (``flood`` A31, ``landslide`` A33) by those of a file.

    GeoJSON, or a zip with .shp, .shx and .dbf.  Identical polygons count once.
    Raises ``Forbidden``, ``HazardRefused`` (``hazard_group_unknown``, ``hazard_file_invalid``,
    ``hazard_file_empty``, ``hazard_other_group``, ``hazard_file_too_large``).
    """
    by.require(Permission.PLACES_MANAGE)
    if kind not in HazardDataset.Group.values:
        raise HazardRefused("区分は flood か landslide です。", code="hazard_group_unknown")
    group = HazardDataset.Group(kind)
    words = source or SOURCES[group]
    digest = hashlib.sha256(file).hexdigest()
    parsed = _parsed(file, words)
    if any((area.kind is HazardKind.FLOOD) != (kind == "flood") for area in parsed.areas):
        raise HazardRefused(f"{group.label}ではない区域がふくまれています。",
                            code="hazard_other_group")
    if not parsed.areas:
        raise HazardRefused("使える区域がひとつもありません。", code="hazard_file_empty")
    rows = len(parsed.areas) + len(parsed.rejected)
    last = HazardDataset.objects.filter(group=kind).order_by("-pk").first()
    if last is not None and (last.digest, last.source, last.is_sample) == (
        digest, words, is_sample
    ):
        count = HazardZone.objects.filter(group=kind).count()
        return HazardsImported(last.pk, kind, rows, count, 0, count, 0, parsed.rejected)
    dataset = HazardDataset.objects.create(
        group=kind, name=name[:160], digest=digest, source=words[:160], is_sample=is_sample,
        rows=rows, rejected=[[r.row, r.code] for r in parsed.rejected],
        imported_at=by.at, imported_by_id=staff.actor_id(by=by),
    )
    new, same, gone = _replace(dataset, parsed.areas)
    audit.note(scope=by, kind="change", action="hazards.import", subject_kind="hazard_dataset",
               subject_id=dataset.pk, detail={"new": new, "same": same, "gone": gone,
                                              "rejected": len(parsed.rejected)})
    if new or gone:
        outbox.put(kind="evacuation.review_hazards", subject_id=dataset.pk, at=by.at,
                   dedupe_key=f"review_hazards:{dataset.pk}")
    return HazardsImported(dataset.pk, kind, rows, new + same, new, same, gone, parsed.rejected)


def _replace(dataset: HazardDataset, areas: tuple[HazardArea, ...]) -> tuple[int, int, int]:
    wanted = {_key(area): area for area in areas}
    there = set(HazardZone.objects.filter(group=dataset.group).values_list("key", flat=True))
    for start in range(0, len(gone := sorted(there - wanted.keys())), 500):
        HazardZone.objects.filter(
            group=dataset.group, key__in=gone[start : start + 500]
        ).delete()
    HazardZone.objects.filter(group=dataset.group).update(
        dataset=dataset, source=dataset.source, is_sample=dataset.is_sample
    )
    fresh = sorted(wanted.keys() - there)
    HazardZone.objects.bulk_create(
        [
            HazardZone(
                dataset=dataset, group=dataset.group, key=key, kind=area.kind.value,
                rank=area.rank, label=area.label, designated=area.designated,
                source=dataset.source, is_sample=dataset.is_sample,
                geometry=json.loads(json.dumps(mapping(area.geometry))),
            )
            for key, area in ((key, wanted[key]) for key in fresh)
        ],
        batch_size=500,
    )
    return len(fresh), len(there & wanted.keys()), len(gone)


def _key(area: HazardArea) -> str:
    shape = shapely.normalize(shapely.set_precision(area.geometry, 1e-7)).wkb
    words = f"{area.kind.value}:{area.rank}:{area.designated}:{area.label}".encode()
    return hashlib.sha256(words + b"\0" + shape).hexdigest()


def _parsed(file: bytes, source: str) -> ParsedHazards:
    if file.startswith(b"PK"):
        return parse_rows(_shapes(file), source=source)
    try:
        return parse_features(json.loads(file.decode("utf-8-sig")), source=source)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise HazardRefused from error


def _shapes(file: bytes) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Rows of every shapefile in a zip; the encoding is CP932 unless a .cpg says UTF-8."""
    try:
        with zipfile.ZipFile(io.BytesIO(file)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
                raise HazardRefused("展開すると大きすぎるファイルです。",
                                    code="hazard_file_too_large")
            names = {name.lower(): name for name in archive.namelist()}
            stems = sorted(name[:-4] for name in names if name.endswith(".shp"))
            if not stems:
                raise HazardRefused("圧縮ファイルの中に .shp がありません。")
            for stem in stems:
                yield from _shape_rows(archive, names, stem)
    except (
        zipfile.BadZipFile, shapefile.ShapefileException, KeyError, UnicodeDecodeError, EOFError,
        struct.error,
    ) as error:
        raise HazardRefused from error


def _shape_rows(
    archive: zipfile.ZipFile, names: dict[str, str], stem: str
) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
    parts = {
        end: io.BytesIO(archive.read(names[f"{stem}.{end}"])) for end in ("shp", "shx", "dbf")
    }
    code = archive.read(names[f"{stem}.cpg"]).decode("ascii", "replace") if (
        f"{stem}.cpg" in names) else ""
    encoding = "utf-8" if "utf" in code.lower() else "cp932"
    with shapefile.Reader(encoding=encoding, **parts) as reader:
        for row in reader.iterShapeRecords():
            kind = row.shape.shapeType
            geometry = None if kind == shapefile.NULL else dict(row.shape.__geo_interface__)
            yield dict(row.record.as_dict()), geometry
