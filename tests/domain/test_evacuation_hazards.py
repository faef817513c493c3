"""Pinned national codes, points in zones, shelter files with their quirks, and the join."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString, Polygon, box

from evacuation.domain.hazards import (
    FLOOD_RANKS,
    HazardArea,
    HazardIndex,
    HazardKind,
    HazardRefused,
    metres_per_degree,
    parse_features,
    parse_row,
    parse_rows,
)
from evacuation.domain.place_join import Doubt, join, metres_between
from evacuation.domain.places import (
    AdmitGroup,
    Shelter,
    Site,
    SiteHazard,
    csv_rows,
    geojson_rows,
    parse_admits,
    parse_shelters,
    parse_sites,
)
from evacuation.domain.plan_items import PlanHazard

SQUARE = box(139.90, 37.48, 139.92, 37.50)


@pytest.mark.parametrize(
    ("code", "label"),
    [(1, "0.5m未満"), (2, "0.5〜3.0m"), (3, "3.0〜5.0m"), (4, "5.0〜10.0m"), (5, "10.0〜20.0m"),
     (6, "20.0m以上")],
)
def test_flood_rank_codes_are_pinned(code: int, label: str) -> None:
    for value in (code, float(code), str(code), f" {code} ", "０１２３４５６"[code]):
        area = parse_row({"A31a_205": value}, SQUARE)
        assert (area.kind, area.rank, area.label) == (HazardKind.FLOOD, code, f"洪水 {label}")
    low, high = FLOOD_RANKS[code][1:]
    assert high is None or (low < high and FLOOD_RANKS[code + 1][1] == high)


@pytest.mark.parametrize(
    ("kind_code", "zone_code"), list(product((1, 2, 3), (1, 2, 3, 4)))
)
def test_landslide_codes_are_pinned(kind_code: int, zone_code: int) -> None:
    area = parse_row({"A33_001": str(kind_code), "A33_002": zone_code}, SQUARE)
    assert area.kind.label == {1: "急傾斜地の崩壊", 2: "土石流", 3: "地滑り"}[kind_code]
    assert area.special is (zone_code in (2, 4)) and area.designated is (zone_code in (1, 2))
    assert area.label.startswith("土砂災害特別警戒区域" if area.special else "土砂災害警戒区域（")
    assert ("指定前" in area.label) is (zone_code in (3, 4))


@pytest.mark.parametrize(
    ("attributes", "geometry", "code"),
    [
        ({"A31a_205": 0}, SQUARE, "flood_rank_unknown"),
        ({"A31a_205": 7}, SQUARE, "flood_rank_unknown"),
        ({"A31a_205": None}, SQUARE, "flood_rank_unknown"),
        ({"A31a_205": 2.5}, SQUARE, "flood_rank_unknown"),
        ({"A31a_205": True}, SQUARE, "flood_rank_unknown"),
        ({"A33_001": 4, "A33_002": 1}, SQUARE, "landslide_kind_unknown"),
        ({"A33_001": 1, "A33_002": 5}, SQUARE, "landslide_zone_unknown"),
        ({"A33_001": 1}, SQUARE, "hazard_fields_missing"),
        ({"A31a_205": 1}, None, "geometry_missing"),
        ({"A31a_205": 1}, LineString([(139, 37), (140, 38)]), "geometry_not_polygon"),
        ({"A31a_205": 1}, {"type": "Polygon", "coordinates": "x"}, "geometry_broken"),
        ({"A31a_205": 1}, box(37.4, 139.8, 37.5, 139.9), "geometry_outside_japan"),
        ({"A31a_205": 1}, box(4000, 5000, 4010, 5010), "geometry_outside_japan"),
    ],
)
def test_bad_rows_are_refused_with_a_code(attributes: dict[str, Any], geometry: Any, code: str
                                          ) -> None:
    with pytest.raises(HazardRefused) as caught:
        parse_row(attributes, geometry)
    assert caught.value.code == code
    parsed = parse_rows([({"A31a_205": 1}, SQUARE), (attributes, geometry)])
    assert len(parsed.areas) == 1 and [(r.row, r.code) for r in parsed.rejected] == [(2, code)]


def test_geojson_collection_and_bow_tie() -> None:
    bow = {"type": "Polygon",
           "coordinates": [[[139, 37], [139.1, 37.1], [139.1, 37], [139, 37.1], [139, 37]]]}
    parsed = parse_features({"type": "FeatureCollection", "features": [
        {"properties": {"A31a_205": "3"}, "geometry": bow},
        {"properties": None, "geometry": None}, "x",
    ]}, source="見本")
    assert parsed.areas[0].geometry.is_valid and parsed.areas[0].source == "見本"
    assert [r.row for r in parsed.rejected] == [2, 3]
    for wrong in (None, [], {}, {"features": {}}):
        with pytest.raises(HazardRefused):
            parse_features(wrong)


def area(kind: HazardKind, rank: int, shape: Polygon) -> HazardArea:
    return HazardArea(kind, rank, f"{kind}{rank}", shape)


INDEX = HazardIndex([
    area(HazardKind.FLOOD, 2, SQUARE),
    area(HazardKind.FLOOD, 4, box(139.90, 37.48, 139.91, 37.49)),
    area(HazardKind.DEBRIS_FLOW, 2, box(139.915, 37.48, 139.92, 37.49)),
])


def test_a_destination_inside_the_zone_of_its_hazard_is_refused() -> None:
    assert [a.rank for a in INDEX.at(139.905, 37.485)] == [4, 2]
    assert INDEX.worst(139.905, 37.485)[HazardKind.FLOOD].rank == 4
    with pytest.raises(HazardRefused) as caught:
        INDEX.require_outside(PlanHazard.FLOOD, 139.905, 37.485)
    assert caught.value.code == "destination_in_zone"
    INDEX.require_outside(PlanHazard.LANDSLIDE, 139.905, 37.485)
    with pytest.raises(HazardRefused):
        INDEX.require_outside(PlanHazard.LANDSLIDE, 139.917, 37.485)
    INDEX.require_outside(PlanHazard.EARTHQUAKE, 139.917, 37.485)
    with pytest.raises(HazardRefused):  # the border is inside
        INDEX.require_outside(PlanHazard.FLOOD, 139.92, 37.50)
    INDEX.require_outside(PlanHazard.FLOOD, 139.93, 37.50)
    for lon, lat in ((37.5, 139.9), (float("nan"), 37.0), (0.0, 0.0)):
        with pytest.raises(HazardRefused) as bad:
            INDEX.at(lon, lat)
        assert bad.value.code == "point_invalid"
    assert HazardIndex([]).at(139.9, 37.5) == ()


boxes = st.tuples(st.floats(139, 139.9), st.floats(37, 37.9), st.floats(0.001, 0.1)).map(
    lambda t: box(t[0], t[1], t[0] + t[2], t[1] + t[2])
)


@given(st.lists(st.tuples(st.sampled_from(list(HazardKind)), st.integers(1, 2), boxes), max_size=8),
       st.floats(139, 140), st.floats(37, 38), st.floats(0, 5000))
def test_index_equals_asking_every_area_and_uncertainty_only_adds(
    raw: list[tuple[HazardKind, int, Polygon]], lon: float, lat: float, blur: float
) -> None:
    from shapely.geometry import Point

    areas = [area(*one) for one in raw]
    index = HazardIndex(areas)
    sharp = index.at(lon, lat)
    assert {id(a) for a in sharp} == {
        id(a) for a in areas if a.geometry.intersects(Point(lon, lat))
    }
    assert {id(a) for a in sharp} <= {id(a) for a in index.at(lon, lat, uncertainty_m=blur)}


def test_uncertainty_is_in_metres() -> None:
    north, east = metres_per_degree(37.49)
    assert 110_900 < north < 111_100 and 88_300 < east < 88_600
    lon = 139.92 + 100 / east
    assert INDEX.at(lon, 37.495, uncertainty_m=99) == ()
    assert len(INDEX.at(lon, 37.495, uncertainty_m=101)) == 1
    assert abs(metres_between(139.92, 37.49, lon, 37.49) - 100) < 0.1


def point(lon: float, lat: float, values: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": [lon, lat]},
            "properties": values}


NAME = "施設・場所名"


def test_gsi_geojson_with_null_empty_and_one() -> None:
    first = {"NO": 19901, "共通ID": "E0720200001201", NAME: "物流修景緑地", "洪水": "1",
             "崖崩れ、土石流及び地滑り": "1", "高潮": "", "津波": None,
             "指定避難所との住所同一": ""}
    file = {"type": "FeatureCollection", "features": [
        point(139.917932, 37.520576, first),
        {"type": "Feature", "geometry": None, "properties": {NAME: "場所不明"}},
        point(139.9, 37.5, {NAME: None}),
        point(37.5, 139.9, {NAME: "あべこべ"}),
    ]}
    parsed = parse_sites(geojson_rows(file))
    assert len(parsed.sites) == 1 and parsed.sites[0].key == "E0720200001201"
    assert parsed.sites[0].hazards == {SiteHazard.FLOOD, SiteHazard.LANDSLIDE}
    assert parsed.sites[0].capacity is None and not parsed.sites[0].also_shelter
    assert [(r.row, r.code) for r in parsed.rejected] == [
        (2, "place_point_missing"), (3, "place_name_missing"), (4, "place_outside_japan"),
    ]
    same = "指定緊急避難場所との住所同一"
    shelters = parse_shelters(geojson_rows({"features": [
        point(139.954732, 37.534069, {NAME: "見本苑", "受入対象者": "高齢者"}),
        point(139.9, 37.5, {NAME: "見本小学校", "受入対象者": None, same: "1"}),
        point(139.9, 37.5, {NAME: "見本館", "受入対象者": ""}),
    ]})).shelters
    assert [s.admits.welfare for s in shelters] == [True, False, False]
    assert [s.also_site for s in shelters] == [False, True, False]


GSI = "NO,共通ID,施設・場所名,住所,洪水,地震,緯度,経度\n1,E07,見本公園,見本町1,1,,37.5,139.9\n"
OLD = (
    "NO,名称,住所,緯度,経度,災害種別_洪水,災害種別_地震,想定収容人数\n"
    "1,見本公園,見本町1,37.5,139.9,1,,120\n"
)
NEW = (
    "ID,名称,所在地_連結表記,緯度,経度,災害種別_洪水,災害種別_地震,想定収容人数\n"
    "1,見本公園,見本町1,37.5,139.9,1,0,120人\n"
)


@pytest.mark.parametrize("text", [GSI, OLD, NEW])
def test_csv_of_the_gsi_and_of_both_standard_generations(text: str) -> None:
    for spelled in (text, "\ufeff" + text, text.replace("\n", "\r\n")):
        parsed = parse_sites(csv_rows(spelled))
        assert not parsed.rejected and len(parsed.sites) == 1
        site = parsed.sites[0]
        assert (site.name, site.address, site.lon, site.lat) == ("見本公園", "見本町1", 139.9, 37.5)
        assert site.hazards == {SiteHazard.FLOOD}
        assert site.capacity == (None if text == GSI else 120)
    with pytest.raises(HazardRefused):
        csv_rows("a,b\n1,2\n")
    with pytest.raises(HazardRefused):
        geojson_rows({"features": None})


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("高齢者", {AdmitGroup.ELDERLY}),
        ("障がい者", {AdmitGroup.DISABLED}),
        ("要配慮児童", {AdmitGroup.CHILDREN}),
        ("要配慮者", {AdmitGroup.CARE_NEEDED}),
        ("自立度が高い要配慮者", {AdmitGroup.INDEPENDENT}),
        ("乳幼児その他", {AdmitGroup.INFANTS, AdmitGroup.OTHER}),
        ("高齢者、障害者及び妊産婦",
         {AdmitGroup.ELDERLY, AdmitGroup.DISABLED, AdmitGroup.PREGNANT}),
    ],
)
def test_admits_of_the_real_file_are_understood(text: str, groups: set[AdmitGroup]) -> None:
    admits = parse_admits(text)
    assert admits.groups == groups and admits.welfare and not admits.unread


def test_admits_unknown_words_go_to_a_person_and_nothing_is_ordinary() -> None:
    odd = parse_admits("高齢者、宇宙飛行士")
    assert odd.unread == "宇宙飛行士" and AdmitGroup.OTHER in odd.groups
    for empty in (None, "", "  "):
        assert not parse_admits(empty).welfare and not parse_admits(empty).groups


def shelter(name: str, lon: float = 139.9, lat: float = 37.5) -> Shelter:
    return Shelter("s", name, "", lon, lat, parse_admits(None))


def site(name: str, lon: float = 139.9, lat: float = 37.5) -> Site:
    return Site("e", name, "", lon, lat, frozenset())


@pytest.mark.parametrize(
    ("one", "other", "doubt"),
    [
        (shelter("見本小学校"), site("見本小学校"), None),
        (shelter("見本小学校"), site("見本　小学校（体育館）", 139.9005), None),
        (shelter("見本小学校"), site("見本小学校", 139.905), Doubt.FAR_APART),
        (shelter("見本小学校"), site("見本小学校跡地"), Doubt.NAME_DIFFERS),
        (shelter("見本公民館"), site("緑の広場"), Doubt.NAME_DIFFERS),
    ],
)
def test_join_by_place_and_name_with_doubts_to_a_queue(one: Shelter, other: Site,
                                                       doubt: Doubt | None) -> None:
    joined = join([one], [other])
    if doubt is None:
        assert len(joined.sure) == 1 and not joined.doubtful
    else:
        assert not joined.sure and [p.doubt for p in joined.doubtful] == [doubt]
    assert joined.alone == ()
    assert join([one], [site("見本小学校", 140.5)]).alone == (0,)


def test_two_equal_candidates_are_a_doubt() -> None:
    joined = join([shelter("見本校")], [site("見本校"), site("見本校（校庭）")])
    assert not joined.sure and [p.doubt for p in joined.doubtful] == [Doubt.SEVERAL] * 2


names = st.sampled_from(["見本小学校", "見本小学校体育館", "見本公民館", "北公園", "南公園"])
spots = st.integers(0, 4).map(lambda k: 139.9 + k * 0.0005)


@given(st.lists(st.builds(shelter, names, spots), max_size=5),
       st.lists(st.builds(site, names, spots), max_size=5), st.data())
def test_join_is_one_to_one_complete_and_independent_of_order(
    shelters: list[Shelter], sites: list[Site], data: st.DataObject
) -> None:
    joined = join(shelters, sites)
    assert len({p.shelter for p in joined.sure}) == len(joined.sure)
    assert len({p.site for p in joined.sure}) == len(joined.sure)
    groups = [{p.shelter for p in joined.sure}, {p.shelter for p in joined.doubtful},
              set(joined.alone)]
    assert sum(map(len, groups)) == len(shelters) == len(set().union(*groups))
    order = data.draw(st.permutations(range(len(sites))))
    again = join(shelters, [sites[i] for i in order])
    assert {(p.shelter, p.site) for p in joined.sure} == {
        (p.shelter, order[p.site]) for p in again.sure
    }
