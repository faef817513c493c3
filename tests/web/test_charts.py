"""Charts: the picture and the table carry the same numbers, and neither reveals nor invents."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.charts import (
    NOT_COMPARED,
    Bar,
    Chart,
    columns,
    number,
    peak_finding,
    rows,
    share_finding,
    table,
    ticks,
)

SVG = "{http://www.w3.org/2000/svg}"


def parse(markup: str) -> ET.Element:
    return ET.fromstring(markup.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def months(*bars: Bar) -> Chart:
    return Chart("m", "題", "副題", "人", bars)


YEAR = (
    Bar("4月", 820, 690),
    Bar("10月", 1310, 1010),
    Bar("11月", 905, 940, unfinished=True),
)


def bars_of(svg: ET.Element, css: str) -> list[ET.Element]:
    return [r for r in svg.iter(f"{SVG}rect") if r.get("class") == css]


def test_heights_are_proportional_to_values() -> None:
    first, second = bars_of(parse(columns(months(*YEAR))), "chart-bar")
    ratio = float(second.get("height", "0")) / float(first.get("height", "1"))
    assert ratio == pytest.approx(1310 / 820, rel=0.005)


def test_unfinished_month_is_hatched_and_not_compared() -> None:
    svg = parse(columns(months(*YEAR)))
    (hatched,) = bars_of(svg, "chart-open")
    assert hatched.get("fill") == "url(#m-hatch)"
    assert svg.find(f"{SVG}defs/{SVG}pattern[@id='m-hatch']") is not None
    marks = [line for line in svg.iter(f"{SVG}line") if line.get("class") == "chart-mark"]
    assert len(marks) == 2
    assert table(months(*YEAR)).rows[2] == ("11月（途中）", "905", NOT_COMPARED)


def test_previous_mark_lies_at_its_own_value() -> None:
    svg = parse(columns(months(Bar("4月", 100, 50))))
    (bar,) = bars_of(svg, "chart-bar")
    mark = next(x for x in svg.iter(f"{SVG}line") if x.get("class") == "chart-mark")
    head, length = float(bar.get("y", "0")), float(bar.get("height", "0"))
    assert float(mark.get("y1", "0")) == pytest.approx(head + length / 2, abs=0.2)


def test_suppressed_value_is_a_word_never_a_bar() -> None:
    chart = Chart("d", "題", "副題", "人", (Bar("湊地区", None), Bar("河東地区", 9)))
    for markup in (columns(chart), rows(chart, highlight=0)):
        svg = parse(markup)
        drawn = list(svg.iter(f"{SVG}rect"))
        assert len(drawn) == 1
        assert "x" in [t.text for t in svg.iter(f"{SVG}text")]
    assert table(chart).rows == (("湊地区", "x"), ("河東地区", "9"))


def test_no_style_attribute_and_no_handler() -> None:
    for markup in (columns(months(*YEAR)), rows(months(*YEAR))):
        for node in parse(markup).iter():
            assert not [a for a in node.attrib if a == "style" or a.startswith("on")]


def test_text_is_escaped() -> None:
    chart = Chart("x", '<b>"&', "s", "人", (Bar("<i>", 1),))
    for markup in (columns(chart), rows(chart)):
        assert "<i>" not in markup and "<b>" not in markup
        parse(markup)


@pytest.mark.parametrize(("field", "value", "previous"), [("value", -1, 1), ("previous", 1, -1)])
def test_negative_is_refused_and_named(field: str, value: int, previous: int) -> None:
    with pytest.raises(ValueError, match=field):
        Bar("4月", value, previous)


def test_findings_state_what_the_numbers_say() -> None:
    assert peak_finding(YEAR) == "10月が今年度で最も多く、1,310人が参加しました"
    assert peak_finding((Bar("4月", 9, unfinished=True),)) == "まだ比べられる月がありません"
    assert peak_finding((Bar("4月", 0),)) == "4月から4月まで、まだ記録がありません"
    assert peak_finding((Bar("4月", 7), Bar("5月", 7))).startswith("4月・5月が")
    districts = (
        Bar("河東地区", 2140),
        Bar("北会津地区", 1985),
        Bar("鶴城地区", 1660),
        Bar("謹教地区", 1022),
        Bar("行仁地区", 548),
        Bar("湊地区", 368),
        Bar("大戸地区", 122),
    )
    assert share_finding(districts) == "河東・北会津・鶴城の3地区で全体の約7割"


def test_share_is_not_stated_when_a_cell_is_suppressed() -> None:
    sentence = share_finding((Bar("河東地区", 90), Bar("湊地区", None)))
    assert sentence == "最も多いのは河東地区です"


@given(st.integers(0, 10**9))
def test_ticks_cover_the_top_and_stay_few(top: int) -> None:
    scale = ticks(top)
    assert scale[0] == 0 and scale[-1] >= top
    assert 2 <= len(scale) <= 9
    assert len({b - a for a, b in pairwise(scale)}) == 1


@given(st.lists(st.one_of(st.none(), st.integers(0, 10**7)), max_size=12))
def test_picture_and_table_have_the_same_numbers(values: list[int | None]) -> None:
    chart = months(*(Bar(f"{i}月", v) for i, v in enumerate(values)))
    expected = [number(v) for v in values]
    assert [row[1] for row in table(chart).rows] == expected
    svg = parse(columns(chart))
    assert [t.text for t in svg.iter(f"{SVG}text") if t.get("class") == "chart-value"] == expected
