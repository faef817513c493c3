"""The ground of the city: real town points, the 16 districts, invented 町内会 (見本).

Owns which town lies in which 地区 and how towns make up 町内会.  The names of the 16 districts
are public; their borders here are not: a town follows its name (一箕町… lies in 一箕) or the
nearest elementary school, which is a sample, and says so.
Source of the points: data/README.md.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

CITY_CODE = "072028"
# District, share of the residents (rough), prefixes of its towns, schools that draw the rest.
DISTRICTS: tuple[tuple[str, float, tuple[str, ...], tuple[str, ...]], ...] = (
    ("鶴城", 7.5, (), ("鶴城小学校",)),
    ("謹教", 6.5, (), ("謹教小学校",)),
    ("行仁", 5.0, ("行仁町",), ("行仁小学校",)),
    ("日新", 7.0, ("日新町",), ("日新小学校",)),
    ("城西", 6.5, ("城西町",), ("城西小学校",)),
    ("一箕", 17.0, ("一箕町", "飯盛", "北滝沢", "滝沢町"), ("一箕小学校", "松長小学校")),
    ("東山", 4.5, ("東山町", "慶山"), ("東山小学校",)),
    ("門田", 17.5, ("門田町", "飯寺"), ("門田小学校", "城南小学校", "小金井小学校")),
    ("大戸", 1.8, ("大戸町",), ()),
    ("神指", 3.5, ("神指町",), ()),
    ("高野", 1.8, ("高野町",), ()),
    ("町北", 2.5, ("町北町",), ()),
    ("湊", 1.7, ("湊町",), ()),
    ("北会津", 6.2, ("北会津町", "真宮新町"), ()),
    ("河東", 7.5, ("河東町",), ()),
    ("城北", 6.0, ("城北町",), ("城北小学校",)),
)


@dataclass(frozen=True)
class Point:
    """One town or 小字 point, degrees."""

    town: str
    koaza: str
    longitude: float
    latitude: float


@dataclass
class Neighbourhood:
    """One 町内会 (見本) with the points its people live around."""

    code: str
    name: str
    district: str
    points: list[Point] = field(default_factory=list)
    share: float = 0.0

    @property
    def longitude(self) -> float:
        return sum(p.longitude for p in self.points) / len(self.points)

    @property
    def latitude(self) -> float:
        return sum(p.latitude for p in self.points) / len(self.points)


def data(name: str) -> bytes:
    """One of the files of open data."""
    return (resources.files("config.democity") / "data" / name).read_bytes()


@cache
def town_points() -> tuple[Point, ...]:
    """All 705 points."""
    rows = json.loads(data("aizuwakamatsu-towns.json"))
    return tuple(Point(r["town"], r["koaza"] or "", r["lng"], r["lat"]) for r in rows)


@cache
def shelter_rows() -> tuple[dict[str, Any], ...]:
    """The features of the shelter file."""
    return tuple(json.loads(data("gsi-shelters-072028.geojson"))["features"])


@cache
def _schools() -> dict[str, tuple[float, float]]:
    return {
        row["properties"]["施設・場所名"]: tuple(row["geometry"]["coordinates"])
        for row in shelter_rows()
    }


def _apart(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Metres, flat: good enough to ask which school is nearer."""
    east = (one[0] - other[0]) * math.cos(math.radians(37.5)) * 111_320
    return math.hypot(east, (one[1] - other[1]) * 111_320)


@cache
def districts() -> dict[str, str]:
    """town → 地区 (見本)."""
    found: dict[str, str] = {}
    for one in town_points():
        if one.town in found:
            continue
        named = [d for d, _, heads, _ in DISTRICTS if one.town.startswith(heads or ("\0",))]
        at = (one.longitude, one.latitude)
        near = min(
            (_apart(at, _schools()[school]), name)
            for name, _, _, schools in DISTRICTS for school in schools
        )
        found[one.town] = named[0] if named else near[1]
    return found


def neighbourhood_count(people: int) -> int:
    """About 60 for 3,000 people, about 500 for 120,000."""
    return max(32, round(60 * math.pow(people / 3_000, 0.575)))


def neighbourhoods(people: int) -> list[Neighbourhood]:
    """The 町内会 of a city of that size, by code: neighbouring towns together, or parts of one."""
    wanted, found = neighbourhood_count(people), []
    total = sum(share for _, share, _, _ in DISTRICTS)
    for number, (district, share, _, _) in enumerate(DISTRICTS, start=1):
        towns = _chain([t for t, d in districts().items() if d == district])
        count = max(2, round(wanted * share / total))
        for at, (name, points) in enumerate(_parts(towns, count), start=1):
            found.append(
                Neighbourhood(f"N{number:02}{at:03}", f"{name}町内会", district, points,
                              share / count)
            )
    return found


def _chain(towns: list[str]) -> list[list[Point]]:
    """The towns of a district, each next to its nearest one not yet passed."""
    points: dict[str, list[Point]] = {town: [] for town in towns}
    for one in town_points():
        if one.town in points:
            points[one.town].append(one)
    rest = sorted(points.values(), key=lambda some: (-some[0].latitude, some[0].town))
    chain = [rest.pop(0)]
    while rest:
        last = (chain[-1][0].longitude, chain[-1][0].latitude)
        near = min(range(len(rest)), key=lambda i: _apart(last, (rest[i][0].longitude,
                                                                 rest[i][0].latitude)))
        chain.append(rest.pop(near))
    return chain


def _parts(towns: list[list[Point]], count: int) -> list[tuple[str, list[Point]]]:
    """``count`` runs of towns; where there are fewer towns, each is cut into numbered parts."""
    if count <= len(towns):
        cuts = [round(at * len(towns) / count) for at in range(count + 1)]
        return [
            (_short(some[0][0].town), [p for town in some for p in town])
            for start, end in zip(cuts, cuts[1:], strict=False)
            for some in [towns[start:end]]
        ]
    parts = []
    for at, points in enumerate(towns):
        shares = (at + 1) * count // len(towns) - at * count // len(towns)
        for part in range(shares):
            own = points[part::shares] or points
            name = _short(points[0].town) + (f"第{part + 1}" if shares > 1 else "")
            parts.append((name, own))
    return parts


def _short(town: str) -> str:
    return town.replace("大字", "").replace("字", "")
