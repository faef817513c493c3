"""Plane rectangular coordinates (平面直角座標系) of Japan, forward and inverse.

Owns the nineteen zones as data and the conversion between longitude/latitude on JGD2011 (GRS80)
and metres.  Refuses points outside Japan, zones outside 1–19, and distances in degrees.
Axes follow the surveyors: X points north, Y points east; here they are ``north_m``/``east_m``.
Source: 平成14年国土交通省告示第9号 (origins, scale 0.9999); K. Kawase (2011), "A General Formula
for Calculating Meridian Arc Length and its Application to Coordinate Conversion in the
Gauss-Krüger Projection", Bulletin of the GSI 59 — the formula behind 国土地理院 測量計算サイト.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from registry.domain.errors import Refused

Floats = NDArray[np.float64]


class GeoRefused(Refused):
    """A place or a zone that cannot be converted; codes ``geo_zone``, ``geo_range``."""

    code = "geo_range"
    message = "位置が日本の範囲にありません。経度と緯度を確かめてください。"


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone (系): its number, EPSG code (JGD2011) and origin in degrees."""

    number: int
    epsg: int
    latitude: float
    longitude: float


class Plane(NamedTuple):
    """Metres from the zone's origin: X (north) and Y (east), same shape as the input."""

    north_m: Floats
    east_m: Floats


class Geographic(NamedTuple):
    """Degrees on JGD2011, same shape as the input."""

    longitude: Floats
    latitude: Floats


def _dm(degrees: int, minutes: int = 0) -> float:
    return degrees + minutes / 60


_ORIGINS: tuple[tuple[float, float], ...] = (
    (33, _dm(129, 30)), (33, 131), (36, _dm(132, 10)), (33, _dm(133, 30)), (36, _dm(134, 20)),
    (36, 136), (36, _dm(137, 10)), (36, _dm(138, 30)), (36, _dm(139, 50)), (40, _dm(140, 50)),
    (44, _dm(140, 15)), (44, _dm(142, 15)), (44, _dm(144, 15)), (26, 142), (26, _dm(127, 30)),
    (26, 124), (26, 131), (20, 136), (26, 154),
)
ZONES: dict[int, Zone] = {
    n: Zone(n, 6668 + n, float(lat), float(lon)) for n, (lat, lon) in enumerate(_ORIGINS, start=1)
}

_BY_ZONE: dict[int, str] = {
    1: "42", 2: "40 41 43 44 45", 3: "32 34 35", 4: "36 37 38 39", 5: "28 31 33",
    6: "18 24 25 26 27 29 30", 7: "16 17 21 23", 8: "15 19 20 22", 9: "07 08 09 10 11 12 14",
    10: "02 03 04 05 06",
}
_ZONE_OF_PREFECTURE = {code: zone for zone, codes in _BY_ZONE.items() for code in codes.split()}


def zone(number: int) -> Zone:
    """The zone of that number (1–19); raises ``GeoRefused`` (``geo_zone``)."""
    found = ZONES.get(number)
    if found is None:
        raise GeoRefused("平面直角座標系の系番号は1から19までです。", code="geo_zone")
    return found


def zone_of_municipality(code: str) -> Zone:
    """The zone of a 全国地方公共団体コード by its prefecture (07… 福島県 → 9系, EPSG:6677).

    北海道, 東京都, 鹿児島県 and 沖縄県 lie in several zones: ``GeoRefused`` (``geo_zone``) asks for
    a setting instead of guessing.
    """
    number = _ZONE_OF_PREFECTURE.get(code[:2])
    if number is None:
        raise GeoRefused(
            "この都道府県は系番号を一つに決められません。設定で系番号を指定してください。",
            code="geo_zone",
        )
    return ZONES[number]


# GRS80 and the constants of Kawase (2011), series to the fifth (inverse latitude: sixth) power.
_A, _F, _M0 = 6378137.0, 298.257222101, 0.9999
_N = 1 / (2 * _F - 1)
_ARC = (
    1 + _N**2 / 4 + _N**4 / 64,
    -3 / 2 * (_N - _N**3 / 8 - _N**5 / 64),
    15 / 16 * (_N**2 - _N**4 / 4),
    -35 / 48 * (_N**3 - 5 / 16 * _N**5),
    315 / 512 * _N**4,
    -693 / 1280 * _N**5,
)
_ALPHA = (
    _N / 2 - 2 / 3 * _N**2 + 5 / 16 * _N**3 + 41 / 180 * _N**4 - 127 / 288 * _N**5,
    13 / 48 * _N**2 - 3 / 5 * _N**3 + 557 / 1440 * _N**4 + 281 / 630 * _N**5,
    61 / 240 * _N**3 - 103 / 140 * _N**4 + 15061 / 26880 * _N**5,
    49561 / 161280 * _N**4 - 179 / 168 * _N**5,
    34729 / 80640 * _N**5,
)
_BETA = (
    _N / 2 - 2 / 3 * _N**2 + 37 / 96 * _N**3 - 1 / 360 * _N**4 - 81 / 512 * _N**5,
    1 / 48 * _N**2 + 1 / 15 * _N**3 - 437 / 1440 * _N**4 + 46 / 105 * _N**5,
    17 / 480 * _N**3 - 37 / 840 * _N**4 - 209 / 4480 * _N**5,
    4397 / 161280 * _N**4 - 11 / 504 * _N**5,
    4583 / 161280 * _N**5,
)
_DELTA = (
    2 * _N - 2 / 3 * _N**2 - 2 * _N**3 + 116 / 45 * _N**4 + 26 / 45 * _N**5
    - 2854 / 675 * _N**6,
    7 / 3 * _N**2 - 8 / 5 * _N**3 - 227 / 45 * _N**4 + 2704 / 315 * _N**5 + 2323 / 945 * _N**6,
    56 / 15 * _N**3 - 136 / 35 * _N**4 - 1262 / 105 * _N**5 + 73814 / 2835 * _N**6,
    4279 / 630 * _N**4 - 332 / 35 * _N**5 - 399572 / 14175 * _N**6,
    4174 / 315 * _N**5 - 144838 / 6237 * _N**6,
    601676 / 22275 * _N**6,
)
_SCALE = _M0 * _A / (1 + _N)
_RADIUS = _SCALE * _ARC[0]
_E = 2 * np.sqrt(_N) / (1 + _N)  # first eccentricity
_LON, _LAT = (122.0, 154.5), (20.0, 46.5)  # Japan, with the outer islands


def in_japan(longitude: float, latitude: float) -> bool:
    """True when the point is finite and inside Japan's bounding box."""
    return _LON[0] <= longitude <= _LON[1] and _LAT[0] <= latitude <= _LAT[1]


def to_plane(longitude: ArrayLike, latitude: ArrayLike, zone_number: int) -> Plane:
    """Degrees (JGD2011) → metres of the zone; arrays of any equal shape.

    Error of the formula is far below 1 mm inside a zone.  Raises ``GeoRefused`` when a point is
    not finite or outside Japan (``geo_range``) or the zone does not exist (``geo_zone``).
    """
    origin = zone(zone_number)
    lon, lat = np.asarray(longitude, np.float64), np.asarray(latitude, np.float64)
    inside = (lon >= _LON[0]) & (lon <= _LON[1]) & (lat >= _LAT[0]) & (lat <= _LAT[1])
    if lon.shape != lat.shape or not bool(np.all(inside)):
        raise GeoRefused
    sine = np.sin(np.radians(lat))
    turn = np.radians(lon - origin.longitude)
    t = np.sinh(np.arctanh(sine) - _E * np.arctanh(_E * sine))
    xi = np.arctan2(t, np.cos(turn))
    eta = np.arctanh(np.sin(turn) / np.sqrt(1 + t * t))
    north, east = xi.copy(), eta.copy()
    for j, a in enumerate(_ALPHA, start=1):
        north += a * np.sin(2 * j * xi) * np.cosh(2 * j * eta)
        east += a * np.cos(2 * j * xi) * np.sinh(2 * j * eta)
    return Plane(_RADIUS * north - _meridian_m(origin.latitude), _RADIUS * east)


def to_geographic(north_m: ArrayLike, east_m: ArrayLike, zone_number: int) -> Geographic:
    """Metres of the zone → degrees (JGD2011); the inverse of ``to_plane`` to under 1 mm.

    Raises ``GeoRefused`` when a value is not finite, the result lies outside Japan, or the zone
    does not exist.
    """
    origin = zone(zone_number)
    north, east = np.asarray(north_m, np.float64), np.asarray(east_m, np.float64)
    if north.shape != east.shape or not bool(np.all(np.abs(north) + np.abs(east) < 4e6)):
        raise GeoRefused
    xi = (north + _meridian_m(origin.latitude)) / _RADIUS
    eta = east / _RADIUS
    xi1, eta1 = xi.copy(), eta.copy()
    for j, b in enumerate(_BETA, start=1):
        xi1 -= b * np.sin(2 * j * xi) * np.cosh(2 * j * eta)
        eta1 -= b * np.cos(2 * j * xi) * np.sinh(2 * j * eta)
    chi = np.arcsin(np.sin(xi1) / np.cosh(eta1))
    phi = chi.copy()
    for j, d in enumerate(_DELTA, start=1):
        phi += d * np.sin(2 * j * chi)
    lon = origin.longitude + np.degrees(np.arctan2(np.sinh(eta1), np.cos(xi1)))
    return Geographic(lon, np.degrees(phi))


def _meridian_m(latitude: float) -> float:
    """Length of the meridian from the equator, metres, times the scale of the origin."""
    phi = float(np.radians(latitude))
    waves = sum(a * float(np.sin(2 * j * phi)) for j, a in enumerate(_ARC[1:], start=1))
    return float(_SCALE * (_ARC[0] * phi + waves))
