"""Shelters and emergency sites: reading the files that municipalities and the nation publish.

Owns the two kinds of place — 指定緊急避難場所 (with hazards) and 指定避難所 (with 受入対象者) — and
the reading of 国土地理院 GeoJSON and CSV and of both generations of the デジタル庁 data set.
Refuses, row by row: no name, no usable coordinates, coordinates outside Japan.
The national shelter file has no hazards and no capacity: both stay None, never zero.
Source: 災害対策基本法 第49条の4・第49条の7, 災害対策基本法施行規則 第1条の7の2 (指定福祉避難所).
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from evacuation.domain.hazards import JAPAN, HazardRefused, RejectedRow


class SiteHazard(StrEnum):
    """The eight hazards a 指定緊急避難場所 is designated for."""

    FLOOD = "flood"
    LANDSLIDE = "landslide"
    STORM_SURGE = "storm_surge"
    EARTHQUAKE = "earthquake"
    TSUNAMI = "tsunami"
    LARGE_FIRE = "large_fire"
    INLAND_FLOOD = "inland_flood"
    VOLCANO = "volcano"

    @property
    def label(self) -> str:
        """Column name in the national file."""
        return _SITE_COLUMNS[self]


_SITE_COLUMNS: Mapping[SiteHazard, str] = {
    SiteHazard.FLOOD: "洪水",
    SiteHazard.LANDSLIDE: "崖崩れ、土石流及び地滑り",
    SiteHazard.STORM_SURGE: "高潮",
    SiteHazard.EARTHQUAKE: "地震",
    SiteHazard.TSUNAMI: "津波",
    SiteHazard.LARGE_FIRE: "大規模な火事",
    SiteHazard.INLAND_FLOOD: "内水氾濫",
    SiteHazard.VOLCANO: "火山現象",
}


class AdmitGroup(StrEnum):
    """受入対象者の区分."""

    ELDERLY = "elderly"
    DISABLED = "disabled"
    CHILDREN = "children"
    INFANTS = "infants"
    PREGNANT = "pregnant"
    CARE_NEEDED = "care_needed"
    INDEPENDENT = "independent"
    OTHER = "other"


_ADMIT_WORDS: tuple[tuple[str, AdmitGroup], ...] = (
    ("自立度が高い要配慮者", AdmitGroup.INDEPENDENT),
    ("要配慮児童", AdmitGroup.CHILDREN),
    ("障害児", AdmitGroup.CHILDREN),
    ("障がい児", AdmitGroup.CHILDREN),
    ("児童", AdmitGroup.CHILDREN),
    ("要配慮者", AdmitGroup.CARE_NEEDED),
    ("高齢者", AdmitGroup.ELDERLY),
    ("障がい者", AdmitGroup.DISABLED),
    ("障害者", AdmitGroup.DISABLED),
    ("妊産婦", AdmitGroup.PREGNANT),
    ("妊婦", AdmitGroup.PREGNANT),
    ("乳幼児", AdmitGroup.INFANTS),
    ("その他", AdmitGroup.OTHER),
)
_FILLER = re.compile(r"[\s、,，・/／;；。．.（）()及びおよと等ほか]+")


@dataclass(frozen=True, slots=True)
class Admits:
    """受入対象者. ``welfare``: a 指定福祉避難所. ``unread``: words nobody could interpret."""

    text: str
    groups: frozenset[AdmitGroup]
    unread: str = ""

    @property
    def welfare(self) -> bool:
        """True when the place admits named groups only."""
        return bool(self.text)


def parse_admits(value: Any) -> Admits:
    """Read 受入対象者; null and "" mean an ordinary shelter.

    A text that is not fully understood keeps its words and leaves the rest in ``unread`` for a
    person to look at.
    """
    text = _text(value)
    left, groups = text, set()
    for word, group in _ADMIT_WORDS:
        if word in left:
            groups.add(group)
            left = left.replace(word, " ")
    left = _FILLER.sub(" ", left).strip()
    if left:
        groups.add(AdmitGroup.OTHER)
    return Admits(text, frozenset(groups), left)


@dataclass(frozen=True, slots=True)
class Site:
    """指定緊急避難場所. ``hazards``: those it is designated for."""

    key: str
    name: str
    address: str
    lon: float
    lat: float
    hazards: frozenset[SiteHazard]
    also_shelter: bool = False
    capacity: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Shelter:
    """指定避難所 or, with ``admits.welfare``, 指定福祉避難所. No ``capacity``: not in the file."""

    key: str
    name: str
    address: str
    lon: float
    lat: float
    admits: Admits
    also_site: bool = False
    capacity: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class ParsedSites:
    """``sites`` + ``rejected`` = the rows of the file."""

    sites: tuple[Site, ...]
    rejected: tuple[RejectedRow, ...]


@dataclass(frozen=True, slots=True)
class ParsedShelters:
    """``shelters`` + ``rejected`` = the rows of the file."""

    shelters: tuple[Shelter, ...]
    rejected: tuple[RejectedRow, ...]


Row = Mapping[str, Any]

# Names of one column through the years: 国土地理院, 推奨データセット, 自治体標準データセット.
_KEY = ("共通ID", "ID", "NO")
_NAME = ("施設・場所名", "名称")
_ADDRESS = ("住所", "所在地_連結表記")
_LON, _LAT = ("経度", "__lon"), ("緯度", "__lat")
_NOTE = ("備考",)
_CAPACITY = ("想定収容人数", "収容人数")
_ALSO_SHELTER = ("指定避難所との住所同一", "指定避難所との重複")
_ALSO_SITE = ("指定緊急避難場所との住所同一", "指定緊急避難場所との重複")
_ADMITS = ("受入対象者",)


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _first(row: Row, names: Iterable[str]) -> str:
    return next((t for t in (_text(row.get(n)) for n in names) if t), "")


def _flag(row: Row, names: Iterable[str]) -> bool:
    return unicodedata.normalize("NFKC", _first(row, names)).lower() in (
        "1", "1.0", "true", "○", "〇", "有", "◯", "該当")


def _whole(text: str) -> int | None:
    text = unicodedata.normalize("NFKC", text).replace(",", "").removesuffix("人")
    return int(text) if text.isdecimal() and len(text) < 8 else None


def _place(row: Row) -> tuple[str, str, str, float, float, str]:
    """key, name, address, lon, lat, note; raises ``HazardRefused`` naming the gap."""
    name = _first(row, _NAME)
    if not name:
        raise HazardRefused("施設・場所の名前がありません。", code="place_name_missing")
    try:
        lon = float(unicodedata.normalize("NFKC", _first(row, _LON)))
        lat = float(unicodedata.normalize("NFKC", _first(row, _LAT)))
    except ValueError:
        raise HazardRefused("経度・緯度がありません。", code="place_point_missing") from None
    if not (JAPAN[0] <= lon <= JAPAN[2] and JAPAN[1] <= lat <= JAPAN[3]):
        raise HazardRefused("経度・緯度が日本の外です。", code="place_outside_japan")
    return _first(row, _KEY), name, _first(row, _ADDRESS), lon, lat, _first(row, _NOTE)


def _hazards(row: Row) -> frozenset[SiteHazard]:
    return frozenset(
        hazard
        for hazard, column in _SITE_COLUMNS.items()
        if _flag(row, (column, f"災害種別_{column}"))
    )


def read_site(row: Row) -> Site:
    """One 指定緊急避難場所; raises ``HazardRefused``."""
    key, name, address, lon, lat, note = _place(row)
    return Site(key, name, address, lon, lat, _hazards(row), _flag(row, _ALSO_SHELTER),
                _whole(_first(row, _CAPACITY)), note)


def read_shelter(row: Row) -> Shelter:
    """One 指定避難所; raises ``HazardRefused``."""
    key, name, address, lon, lat, note = _place(row)
    return Shelter(key, name, address, lon, lat, parse_admits(_first(row, _ADMITS)),
                   _flag(row, _ALSO_SITE), _whole(_first(row, _CAPACITY)), note)


def geojson_rows(document: Any) -> tuple[Row, ...]:
    """Rows of a GeoJSON of points, the coordinates as 経度 and 緯度."""
    features = document.get("features") if isinstance(document, Mapping) else None
    if not isinstance(features, list):
        raise HazardRefused("GeoJSONのFeatureCollectionではありません。", code="place_file_invalid")
    rows: list[Row] = []
    for feature in features:
        known = feature if isinstance(feature, Mapping) else {}
        values = known.get("properties")
        row = dict(values) if isinstance(values, Mapping) else {}
        geometry = known.get("geometry")
        if isinstance(geometry, Mapping) and geometry.get("type") == "Point":
            point = geometry.get("coordinates")
            if isinstance(point, (list, tuple)) and len(point) >= 2:
                row["__lon"], row["__lat"] = point[0], point[1]
        rows.append(row)
    return tuple(rows)


def csv_rows(text: str) -> tuple[Row, ...]:
    """Rows of a CSV with a heading line; raises ``HazardRefused`` without a name column."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    try:
        heading = [(_text(name)) for name in reader.fieldnames or ()]
        reader.fieldnames = heading
        rows = tuple(row for row in reader if any(_text(v) for v in row.values()))
    except csv.Error as error:
        raise HazardRefused("CSVとして読めません。", code="place_file_invalid") from error
    if not set(_NAME) & set(heading):
        raise HazardRefused("見出しに名称の列がありません。", code="place_file_invalid")
    return rows


def parse_sites(rows: Iterable[Row]) -> ParsedSites:
    """Read all rows as 指定緊急避難場所; nothing is dropped silently."""
    sites: list[Site] = []
    rejected: list[RejectedRow] = []
    for number, row in enumerate(rows, start=1):
        try:
            sites.append(read_site(row))
        except HazardRefused as error:
            rejected.append(RejectedRow(number, error.code, error.message))
    return ParsedSites(tuple(sites), tuple(rejected))


def parse_shelters(rows: Iterable[Row]) -> ParsedShelters:
    """Read all rows as 指定避難所; nothing is dropped silently."""
    shelters: list[Shelter] = []
    rejected: list[RejectedRow] = []
    for number, row in enumerate(rows, start=1):
        try:
            shelters.append(read_shelter(row))
        except HazardRefused as error:
            rejected.append(RejectedRow(number, error.code, error.message))
    return ParsedShelters(tuple(shelters), tuple(rejected))
