"""Plane rectangular coordinates against values of 国土地理院's own calculator.

The published points are outputs of 国土地理院 測量計算サイト (bl2xy), as quoted in the tests of
several open libraries; the first is the site's own example 36°06′13.58925″ 140°05′16.27815″.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from registry.domain import geo

PUBLISHED = [
    (9, 36.103774791666666, 140.08785504166664, 11543.6883, 22916.2436),
    (9, 35.658596, 139.745403, -37873.4184, -7961.3583),
    (9, 35.699202942274219, 139.75777911599519, -33369.3352, -6837.3391),
    (1, 32.890270, 129.013751, -12063.3920, -45493.3744),
    (1, 33.190977, 129.917483, 21256.0449, 38927.1043),
    (13, 44.005905, 144.270721, 656.2613, 1661.6215),
    (15, 26.160347222222224, 127.70422777777777, 17779.0104, 20416.9652),
]


@pytest.mark.parametrize(("zone", "lat", "lon", "x", "y"), PUBLISHED)
def test_forward_agrees_with_the_published_values(
    zone: int, lat: float, lon: float, x: float, y: float
) -> None:
    plane = geo.to_plane(lon, lat, zone)
    assert abs(float(plane.north_m) - x) <= 1.1e-4
    assert abs(float(plane.east_m) - y) <= 1.1e-4


@given(
    st.integers(1, 19), st.floats(-1.5, 1.5), st.floats(-2.5, 2.5)
)
def test_there_and_back_is_under_a_millimetre(zone: int, dlon: float, dlat: float) -> None:
    origin = geo.zone(zone)
    lon = min(154.5, origin.longitude + dlon)
    lat = max(20.0, min(46.5, origin.latitude + dlat))
    plane = geo.to_plane([lon], [lat], zone)
    back = geo.to_geographic(plane.north_m, plane.east_m, zone)
    assert abs(back.latitude[0] - lat) * 111_000 < 1e-3
    assert abs(back.longitude[0] - lon) * 111_000 < 1e-3


@pytest.mark.parametrize("lat", [20.5, 33.0, 37.5, 45.0])
def test_on_the_central_meridian_north_is_the_integrated_arc(lat: float) -> None:
    a, f = 6378137.0, 1 / 298.257222101
    e2 = f * (2 - f)

    def radius(phi: float) -> float:
        return float(a * (1 - e2) / (1 - e2 * np.sin(phi) ** 2) ** 1.5)

    origin = geo.zone(9)
    arc, _ = quad(radius, np.radians(origin.latitude), np.radians(lat), epsabs=1e-7)
    plane = geo.to_plane(origin.longitude, lat, 9)
    assert abs(float(plane.north_m) - 0.9999 * arc) < 1e-4
    assert abs(float(plane.east_m)) < 1e-9


def test_vectors_equal_single_points() -> None:
    lon, lat = np.linspace(139.0, 141.0, 50), np.linspace(36.5, 38.0, 50)
    many = geo.to_plane(lon, lat, 9)
    for i in (0, 17, 49):
        one = geo.to_plane(lon[i], lat[i], 9)
        assert many.north_m[i] == pytest.approx(float(one.north_m), abs=1e-9)
        assert many.east_m[i] == pytest.approx(float(one.east_m), abs=1e-9)


def test_zones_carry_their_epsg_code_and_fukushima_is_the_ninth() -> None:
    assert len(geo.ZONES) == 19
    assert geo.zone_of_municipality("07202") == geo.zone(9)
    assert geo.zone(9).epsg == 6677
    assert (geo.zone(1).epsg, geo.zone(19).epsg) == (6669, 6687)


@pytest.mark.parametrize("code", ["01202", "13101", "46201", "47201", "99999"])
def test_prefectures_of_several_zones_are_not_guessed(code: str) -> None:
    with pytest.raises(geo.GeoRefused) as refused:
        geo.zone_of_municipality(code)
    assert refused.value.code == "geo_zone"


@pytest.mark.parametrize(
    ("lon", "lat"), [(37.5, 139.9), (float("nan"), 37.0), (139.9, float("inf")), (0.0, 0.0)]
)
def test_points_outside_japan_are_refused(lon: float, lat: float) -> None:
    assert not geo.in_japan(lon, lat)
    with pytest.raises(geo.GeoRefused):
        geo.to_plane(lon, lat, 9)


@pytest.mark.parametrize("number", [0, 20, -1])
def test_unknown_zones_are_refused(number: int) -> None:
    with pytest.raises(geo.GeoRefused):
        geo.to_plane(139.9, 37.5, number)
