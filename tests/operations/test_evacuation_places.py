"""Real shelter files load with their counts, joins and quirks; people's decisions survive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evacuation.models import EmergencySite, Shelter
from evacuation.operations import places
from registry.domain.errors import Forbidden

EXAMPLES = Path(__file__).parent.parent / "examples" / "places"
SITES = (EXAMPLES / "gsi-emergency-sites-072028.geojson").read_bytes()
SHELTERS = (EXAMPLES / "gsi-shelters-072028.geojson").read_bytes()


@pytest.fixture
def loaded(system: Any) -> places.PlacesImported:
    return places.import_gsi(sites=SITES, shelters=SHELTERS, by=system)


def test_the_real_files_load_with_their_counts(loaded: places.PlacesImported) -> None:
    assert (loaded.sites.new, loaded.sites.rejected) == (199, ())
    assert (loaded.shelters.new, loaded.shelters.rejected) == (102, ())
    assert loaded.welfare == 32 == Shelter.objects.filter(is_welfare=True).count()
    assert loaded.sure + loaded.doubtful + loaded.alone == 102
    assert loaded.sure > 30
    assert set(Shelter.objects.values_list("source", flat=True)) == {places.GSI}


def test_hazards_come_only_from_the_joined_site_and_capacity_from_nowhere(
    loaded: places.PlacesImported,
) -> None:
    for row in Shelter.objects.select_related("site"):
        assert row.capacity is None
        if row.join_state == Shelter.Join.SURE:
            assert row.safe_for == sorted(row.site.hazards)
        else:
            assert row.safe_for is None and row.site is None
        assert bool(row.join_candidates) == (row.join_state == Shelter.Join.DOUBTFUL)


def test_metres_agree_with_degrees(loaded: places.PlacesImported) -> None:
    one, two = Shelter.objects.order_by("pk")[:2]
    plane = ((one.east_m - two.east_m) ** 2 + (one.north_m - two.north_m) ** 2) ** 0.5
    from evacuation.domain.place_join import metres_between

    ball = metres_between(one.longitude, one.latitude, two.longitude, two.latitude)
    assert plane == pytest.approx(ball, rel=2e-3, abs=0.5)


def test_a_repeat_changes_nothing_and_keeps_what_people_decided(
    loaded: places.PlacesImported, system: Any
) -> None:
    doubtful = Shelter.objects.filter(join_state=Shelter.Join.DOUBTFUL).order_by("pk").first()
    assert doubtful is not None
    site = EmergencySite.objects.get(source_id=doubtful.join_candidates[0]["site"])
    places.confirm_join(shelter_id=doubtful.pk, site_id=site.pk, by=system)
    places.set_capacity(shelter_id=doubtful.pk, capacity=20, is_sample=True,
                        special_places={"power": 2}, by=system)
    again = places.import_gsi(sites=SITES, shelters=SHELTERS, by=system)
    assert (again.sites.same, again.shelters.same) == (199, 102)
    assert again.sites.new + again.sites.changed + again.shelters.new + again.shelters.changed == 0
    kept = Shelter.objects.get(pk=doubtful.pk)
    assert (kept.site_id, kept.join_state, kept.capacity) == (site.pk, "confirmed", 20)
    assert kept.safe_for == sorted(site.hazards)
    assert again.confirmed == 1


def test_what_is_gone_is_closed_and_comes_back(
    loaded: places.PlacesImported, system: Any
) -> None:
    document = json.loads(SHELTERS)
    gone = document["features"].pop(0)["properties"]["共通ID"]
    document["features"][0]["properties"]["施設・場所名"] = "新しい名前（見本）"
    fewer = places.import_gsi(
        sites=SITES, shelters=json.dumps(document).encode(), by=system
    ).shelters
    assert (fewer.closed, fewer.changed, fewer.same) == (1, 1, 100)
    assert Shelter.objects.get(source_id=gone).closed_on == system.on
    back = places.import_gsi(sites=SITES, shelters=SHELTERS, by=system).shelters
    assert (back.changed, back.closed) == (2, 0)
    assert Shelter.objects.get(source_id=gone).closed_on is None


def test_csv_in_cp932_loads_and_bad_rows_are_named(system: Any) -> None:
    head = "NO,共通ID,施設・場所名,住所,洪水,地震,緯度,経度,指定避難所との住所同一,備考\r\n"
    good = "1,E1,見本小学校,見本町1,1,1,37.49,139.93,1,\r\n"
    bad = (
        "2,E2,,見本町2,1,,37.49,139.93,,\r\n3,E3,場所なし,見本町3,1,,,,,\r\n"
        "4,E1,二度目,x,,,37.5,139.9,,\r\n"
    )
    shelter = (
        "NO,共通ID,施設・場所名,住所,受入対象者,緯度,経度\r\n"
        "1,S1,見本小学校,見本町1,,37.49,139.93\r\n"
    )
    got = places.import_gsi(
        sites=(head + good + bad).encode("cp932"), shelters=shelter.encode("cp932"), by=system
    )
    assert got.sites.new == 1
    assert [r.code for r in got.sites.rejected] == [
        "place_name_missing", "place_point_missing", "place_key_twice",
    ]
    assert got.sure == 1
    assert Shelter.objects.get().safe_for == ["earthquake", "flood"]


def test_a_useless_file_is_refused_whole(system: Any) -> None:
    for raw, code in (
        (b'{"type":"FeatureCollection","features":[]}', "place_file_empty"),
        (b'{"type":', "place_file_invalid"),
        (b"a,b\r\n1,2\r\n", "place_file_invalid"),
    ):
        with pytest.raises(places.PlaceRefused) as refusal:
            places.import_gsi(sites=raw, shelters=SHELTERS, by=system)
        assert refusal.value.code == code
    assert Shelter.objects.count() == 0


def test_two_officers_never_overwrite_a_capacity(
    loaded: places.PlacesImported, system: Any
) -> None:
    row = Shelter.objects.order_by("pk")[0]
    places.set_capacity(shelter_id=row.pk, capacity=10, version=row.version, by=system)
    with pytest.raises(places.ShelterChanged):
        places.set_capacity(shelter_id=row.pk, capacity=99, version=row.version, by=system)
    assert Shelter.objects.get(pk=row.pk).capacity == 10
    with pytest.raises(places.PlaceRefused) as refusal:
        places.set_capacity(shelter_id=row.pk, capacity=-1, special_places={"sofa": 1}, by=system)
    assert set(refusal.value.fields) == {"capacity", "special_places.sofa"}


def test_only_those_who_manage_places_may_import(cast: Any) -> None:
    for user in (cast.takada, cast.care_manager, cast.mori, cast.nobody):
        with cast.scope(user) as by, pytest.raises(Forbidden):
            places.import_gsi(sites=SITES, shelters=SHELTERS, by=by)
    with cast.scope(cast.sato) as by:
        assert places.import_gsi(sites=SITES, shelters=SHELTERS, by=by).shelters.new == 102
