"""The printed plan: all items, R8/R2 withheld ones absent, R14 on every page, the map."""

from __future__ import annotations

import io
import math
import re
from dataclasses import replace

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evacuation.documents.map_drawing import HIGHEST, LOWEST, WIDTH, draw, frame_of
from evacuation.documents.plan_sheet import fridge_sheet, plan_sheet
from evacuation.documents.plan_values import (
    FridgeSheet,
    MapLine,
    MapPlace,
    MapZone,
    PlanDestination,
    PlanMap,
    PlanSheet,
    PlanSupporter,
)
from evacuation.documents.values import NO_GUARANTEE, Contact
from registry.documents import MissingGlyphs
from tests.domain.documents_samples import AT, LONG_ADDRESS, LONG_NAME, boxes_of, pages_of, text_of

HOME = (139.93, 37.49)


def _off(east: float, north: float) -> tuple[float, float]:
    return HOME[0] + east / 88_300, HOME[1] + north / 111_000


MAP = PlanMap(
    text="自宅は洪水0.5〜3.0mの区域です。",
    places=(
        MapPlace(at=HOME, label="自宅", kind="home"),
        MapPlace(at=_off(240, 640), label="鶴城小学校", kind="destination", number="1"),
    ),
    route=(HOME, _off(-130, -40), _off(240, 640)),
    zones=(
        MapZone(
            label="洪水 0.5〜3.0m",
            pattern="lines",
            polygons=(((_off(-900, 60), _off(900, 60), _off(0, -900), _off(-900, 60)),),),
        ),
        MapZone(
            label="遠い区域",
            pattern="dots",
            polygons=(((_off(9000, 0), _off(9900, 60), _off(9000, 900), _off(9000, 0)),),),
        ),
    ),
    lines=(MapLine(points=(_off(-900, 200), _off(900, 330))),),
    source="見本",
)
SHEET = PlanSheet(
    municipality="見本市", plan_number="07-0231", version="第2版", state="承認ずみ",
    made_on="令和8年10月20日", author="書いた人", approved_on="令和8年11月1日",
    next_review="令和9年11月1日", drill="令和8年9月1日", holder="会長 佐藤",
    copy_number="P-07-0231-03", office="危機管理課", phone_office="0242-00-0000",
    check_code="K7Q2M9X4TC", sample=True,
    name="齋藤 ヨシ", kana="さいとう よし", birth="1938年（昭和13年）5月3日", age="88歳",
    sex="女性", address="城東町3-12", phone="0242-00-1234", other_contact="ファクスあり",
    neighbourhood="3班", commissioner="森 見本", care_manager="ケア見本", household="ひとり暮らし",
    reason="歩くことがむずかしい", needs=("歩けない（車いす）", "耳が遠い"),
    communication="大きな声で", equipment="酸素濃縮器", medicines="血圧のくすり", allergy="そば",
    building="木造平屋", bedroom="南側", daytime="火曜はデイサービス", hazards="浸水する",
    carry=("お薬手帳", "眼鏡"), consent="令和8年10月2日本人", remarks="犬がいる",
    contacts=(Contact(name="齋藤 一郎", relation="長男", phone="090-0000-0001"),),
    trigger="警戒レベル3で出ます",
    supporters=(
        PlanSupporter(order="1", name="佐藤 茂", relation="となり", role="車いすを押す",
                      address="城東町3-13", phone="090-0000-0002", hours="夜も可"),
    ),
    destinations=(
        PlanDestination(hazard="洪水", place="鶴城小学校", address="城東町14", route="北へ280m",
                        transport="車いす", minutes="約14分", trigger="警戒レベル3",
                        care="川はさける"),
        PlanDestination(hazard="地震", place="見本苑", route="西へ"),
    ),
    map=MAP,
)  # fmt: skip


def test_plan_prints_every_item_on_two_tagged_pages() -> None:
    pdf = plan_sheet(SHEET, created_at=AT)
    pages = pages_of(pdf)
    assert len(pages) == 2
    for words in ("齋藤ヨシ", "1938年（昭和13年）5月3日（88歳）", "女性", "城東町3-12",
                  "ファクスあり", "3班", "森見本", "ケア見本", "ひとり暮らし", "歩くことが",
                  "耳が遠い", "大きな声で", "酸素濃縮器", "血圧のくすり", "そば", "木造平屋",
                  "南側", "デイサービス", "浸水する", "お薬手帳、眼鏡", "10月2日本人",
                  "犬がいる", "齋藤一郎（長男）"):  # fmt: skip
        assert words in pages[0], words
    for words in ("警戒レベル3で出ます", "佐藤茂", "となり", "車いすを押す", "090-0000-0002",
                  "夜も可", "鶴城小学校", "北へ280m", "川はさける", "約14分", "見本苑", "自宅は",
                  "洪水0.5〜3.0m"):  # fmt: skip
        assert words in pages[1], words
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert opened.Root.MarkInfo.Marked
        assert str(opened.Root.Lang) == "ja-JP"
    assert pdf == plan_sheet(SHEET, created_at=AT)


def test_R14_every_plan_print_says_that_it_guarantees_no_rescue() -> None:
    wanted = re.sub(r"\s", "", NO_GUARANTEE)
    assert "保証するものではありません" in wanted and "法的な責任や義務を負いません" in wanted
    for page in pages_of(plan_sheet(SHEET, created_at=AT)):
        assert wanted in page and "第49条の17" in page and "P-07-0231-03" in page
    assert wanted in text_of(fridge_sheet(_fridge(), created_at=AT))


def test_R2_R8_a_withheld_item_leaves_no_trace() -> None:
    items = ("supporters", "destinations", "map", "contacts", "medicines", "allergy", "age", "name")
    text = text_of(plan_sheet(replace(SHEET, withheld=items), created_at=AT))
    assert "酸素濃縮器" in text and "城東町3-12" in text
    for gone in ("佐藤茂", "鶴城小学校", "見本苑", "自宅は洪水", "血圧", "くすり", "アレルギー",
                 "88歳", "避難支援等実施者", "齋藤ヨシ", "齋藤一郎", "緊急のとき"):  # fmt: skip
        assert gone not in text, gone
    with pytest.raises(ValueError, match="handbook"):
        plan_sheet(replace(SHEET, withheld=("handbook",)), created_at=AT)


def test_open_items_stay_visible() -> None:
    bare = PlanSheet(municipality="見本市", plan_number="1", version="下書き", name="見本 花")
    pages = pages_of(plan_sheet(bare, created_at=AT))
    assert "".join(pages).count("まだ決まっていません。") == 2
    assert "特記事項－" in pages[0]


def test_long_plan_stays_inside_its_cells_and_pages() -> None:
    long = replace(
        SHEET, name=LONG_NAME, address=LONG_ADDRESS, other_contact="x" * 90,
        needs=tuple(f"必要な支援その{n}（ひとりで立てない）" for n in range(20)),
        remarks="冬は玄関の雪かきが必要。" * 12,
        supporters=tuple(
            replace(SHEET.supporters[0], order=str(i), name=LONG_NAME, phone="090-0000-0002（夜）")
            for i in range(3)
        ),
        destinations=tuple(
            replace(SHEET.destinations[0], route="大通りを東へ、信号を左。" * 8) for _ in range(3)
        ),
    )  # fmt: skip
    pdf = plan_sheet(long, created_at=AT)
    for page in boxes_of(pdf):
        for left, _, right, bottom, word in page:
            assert left >= 38 and right <= 595.3 - 38, word
            assert bottom <= 841.9 - 10
    text = text_of(pdf)
    assert LONG_NAME in text and "その19" in text and "自宅は洪水" in text


def test_a_plan_with_an_unprintable_sign_is_refused() -> None:
    with pytest.raises(MissingGlyphs):
        plan_sheet(replace(SHEET, remarks="\U0001f600"), created_at=AT)


def _fridge() -> FridgeSheet:
    return FridgeSheet(
        name="齋藤 ヨシ", when=("警戒レベル3が出たら、すぐ",),
        who=(Contact(name="佐藤 茂", relation="となり", phone="090-0000-0002"),),
        where=(("洪水", "鶴城小学校（車いすで14分）"), ("地震", "見本苑")),
        carry=("くすり", "眼鏡"), made_on="令和8年11月1日", sample=True,
    )  # fmt: skip


def test_fridge_sheet_is_one_page_of_large_letters() -> None:
    pdf = fridge_sheet(_fridge(), created_at=AT)
    (page,) = pages_of(pdf)
    marks = [
        page.index(w) for w in ("いつ", "警戒レベル3", "だれと", "佐藤茂", "どこへ", "鶴城小学校")
    ]
    assert marks == sorted(marks) and "見本" in page
    (words,) = boxes_of(pdf)
    heights = [bottom - top for _, top, _, bottom, word in words if "鶴城小学校" in word]
    assert heights and min(heights) >= 18
    many = replace(
        _fridge(), name=LONG_NAME, where=tuple((f"災害{i}", LONG_ADDRESS) for i in range(5))
    )
    assert len(pages_of(fridge_sheet(many, created_at=AT))) == 1


def test_map_is_to_scale_and_lists_only_what_it_shows() -> None:
    drawn = draw(MAP, 104.0)
    frame = frame_of([p.at for p in MAP.places] + list(MAP.route), 104.0)
    (ax, ay), (bx, by) = frame.place(HOME), frame.place(_off(240, 640))
    metres = math.hypot(ax - bx, ay - by) * frame.metres_per_mm
    assert abs(metres - math.hypot(240, 640)) < 3  # _off itself is rounded to a few parts in 1000
    assert by < ay and bx > ax  # north is up, east is right
    bar = drawn["bar"]
    assert isinstance(bar, dict)
    assert math.isclose(bar["metres"], bar["mm"] * frame.metres_per_mm)
    legend = drawn["legend"]
    assert isinstance(legend, list)
    assert [entry["label"] for entry in legend] == ["洪水 0.5〜3.0m"]
    assert "<text" not in str(drawn["svg"]) and "url(#lines)" in str(drawn["svg"])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(139.8, 140.1), st.floats(37.3, 37.6)), min_size=1, max_size=8),
    st.floats(10, 300),
)
def test_every_place_and_label_lies_inside_the_map(
    points: list[tuple[float, float]], height: float
) -> None:
    places = tuple(
        MapPlace(at=p, label="とても長い名前の指定福祉避難所", number="1") for p in points
    )
    drawn = draw(PlanMap(text="x", places=places), height)
    marks = drawn["marks"]
    assert isinstance(marks, list) and isinstance(drawn["height"], float)
    assert LOWEST <= drawn["height"] <= HIGHEST
    for mark in marks:
        assert 3 <= mark["x"] <= WIDTH - 3 and 3 <= mark["y"] <= drawn["height"] - 3
        assert mark["left"] >= 0 and mark["left"] + mark["wide"] <= WIDTH
        assert 0 <= mark["top"] <= drawn["height"] - 5


def test_broken_zone_geometry_does_not_stop_a_print() -> None:
    bow = (_off(-300, -300), _off(300, 300), _off(300, -300), _off(-300, 300), _off(-300, -300))
    zone = MapZone(label="ねじれ", pattern="steep", polygons=((bow,), ((HOME, HOME),), ()))
    assert "url(#steep)" in str(draw(replace(MAP, zones=(zone,)))["svg"])
    with pytest.raises(ValueError, match="at least one place"):
        draw(PlanMap(text="", places=()))
