"""Towns and 小字 become points with a stated uncertainty; no guess for an unknown town."""

from __future__ import annotations

import pytest

from registry.domain.gazetteer import LEAST_KOAZA_M, LEAST_TOWN_M, Gazetteer, TownEntry

TOWNS = [
    TownEntry("一箕町大字亀賀", "", 139.939368, 37.516543),
    TownEntry("一箕町大字亀賀", "北柳原", 139.934592, 37.520822),
    TownEntry("一箕町大字亀賀", "北柳", 139.936000, 37.521000),
    TownEntry("一箕町大字八幡", "", 139.945, 37.505),
    TownEntry("城東町", "", 139.94, 37.49),
    TownEntry("門田町一丁目", "甲", 139.92, 37.47),
    TownEntry("門田町一丁目", "乙", 139.921, 37.471),
]


@pytest.fixture(scope="module")
def towns() -> Gazetteer:
    return Gazetteer(TOWNS, city="会津若松市", zone=9)


@pytest.mark.parametrize(("address", "longitude"), [
    ("福島県会津若松市一箕町大字亀賀字北柳原12番地の3", 139.934592),
    ("会津若松市一箕町亀賀北柳9", 139.936),
    ("一箕町大字亀賀55", 139.939368),
    ("一箕町大字八幡字弁天下1", 139.945),
    ("会津若松市門田町１丁目乙 5", 139.921),
    ("城東町1-1", 139.94),
])
def test_the_longest_known_name_counts(towns: Gazetteer, address: str, longitude: float) -> None:
    found = towns.find(address=address)
    assert found is not None and found.longitude == longitude


@pytest.mark.parametrize("address", ["", "郡山市中央1", "会津若松市どこか1", "東町1"])
def test_an_unknown_town_has_no_place(towns: Gazetteer, address: str) -> None:
    assert towns.find(address=address) is None
    assert towns.find(town="ない町", koaza="甲") is None


def test_no_match_is_ever_certain(towns: Gazetteer) -> None:
    for one in TOWNS:
        found = towns.find(town=one.town, koaza=one.koaza)
        assert found is not None
        assert found.uncertainty_m >= (LEAST_KOAZA_M if one.koaza else LEAST_TOWN_M)
    whole = towns.find(town="一箕町大字亀賀")
    assert whole is not None and 400 < whole.uncertainty_m < 800


def test_a_town_without_a_point_of_its_own_is_its_middle(towns: Gazetteer) -> None:
    found = towns.find(town="門田町一丁目", koaza="知らない")
    assert found is not None and found.longitude in (139.92, 139.921)
