"""和暦 in all its spellings, precision, ages."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.calendar import (
    ERAS,
    DatedValue,
    DateRefused,
    Precision,
    Style,
    age_at,
    age_bounds,
    age_in_fiscal_year,
    attains_on,
    fiscal_year,
    format_date,
    parse_date,
)

MAY_3 = DatedValue(1938, 5, 3)
SPELLINGS = [
    "S13.5.3", "S13.05.03", "s13/5/3", "S13-5-3", "Ｓ１３．５．３", "Ｓ13．5．3", "昭13.5.3",
    "昭和13年5月3日", "昭和１３年０５月０３日", "昭和十三年五月三日", "㍼13年5月3日", "S13年5月3日",
    "3130503", "３１３０５０３", "3-130503", "3-13-5-3", "S130503", "昭和 13年 5月 3日",
    "1938-05-03", "1938/5/3", "1938.5.3", "19380503", "１９３８年５月３日", " S13.5.3 ",
    "1938年（昭和13年）5月3日", "1938-05-03T00:00:00", "1938-05-03 00:00:00",
]


@pytest.mark.parametrize("text", SPELLINGS)
def test_every_spelling_is_the_same_day(text: str) -> None:
    assert parse_date(text) == MAY_3


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("令和元年5月1日", DatedValue(2019, 5, 1)),
        ("R元.5.1", DatedValue(2019, 5, 1)),
        ("平成元年1月8日", DatedValue(1989, 1, 8)),
        ("5010501", DatedValue(2019, 5, 1)),
        ("昭和64年1月7日", DatedValue(1989, 1, 7)),
        ("大正15年12月25日", DatedValue(1926, 12, 25)),
        ("昭和元年12月25日", DatedValue(1926, 12, 25)),
        ("明治45年7月30日", DatedValue(1912, 7, 30)),
        ("T1.7.30", DatedValue(1912, 7, 30)),
        ("M6.1.1", DatedValue(1873, 1, 1)),
        ("昭和二十年十一月三十日", DatedValue(1945, 11, 30)),
    ],
)
def test_first_years_and_days_of_change(text: str, value: DatedValue) -> None:
    assert parse_date(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3130500", DatedValue(1938, 5)),
        ("3130000", DatedValue(1938)),
        ("19380500", DatedValue(1938, 5)),
        ("S13.5.0", DatedValue(1938, 5)),
        ("昭和13年5月", DatedValue(1938, 5)),
        ("昭和13年5月不詳日", DatedValue(1938, 5)),
        ("昭和13年月日不詳", DatedValue(1938)),
        ("昭和13年", DatedValue(1938)),
        ("1938", DatedValue(1938)),
        ("1938-05", DatedValue(1938, 5)),
        ("1938年（昭和13年）5月（日は不明）", DatedValue(1938, 5)),
    ],
)
def test_what_is_unknown_lowers_the_precision(text: str, value: DatedValue) -> None:
    assert parse_date(text) == value


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "date_empty"), ("　", "date_empty"), ("00000000", "date_empty"),
        ("0000-00-00", "date_empty"), ("13/5/3", "date_ambiguous"), ("130503", "date_ambiguous"),
        ("昭和64年1月8日", "date_era"), ("平成元年1月7日", "date_era"),
        ("平成31年5月1日", "date_era"), ("大正15年12月26日", "date_era"),
        ("昭和元年12月24日", "date_era"), ("令和元年4月30日", "date_era"), ("3640108", "date_era"),
        ("1938年（昭和14年）5月3日", "date_era"), ("明治5年12月1日", "date_old_calendar"),
        ("昭和13年2月29日", "date_impossible"), ("19380231", "date_impossible"),
        ("3131301", "date_impossible"), ("昭和0年5月3日", "date_impossible"),
        ("19380003", "date_impossible"), ("6010101", "date_ambiguous"),
        ("きのう", "date_unreadable"), ("昭和じゅうさん年", "date_unreadable"),
        ("05/03/1938", "date_ambiguous"), ("2026-11-23T09:30:00", "date_unreadable"),
    ],
)
def test_a_refusal_says_which_kind(text: str, code: str) -> None:
    with pytest.raises(DateRefused) as refused:
        parse_date(text)
    assert refused.value.code == code


def test_a_printed_expiry_may_outlive_its_era() -> None:
    assert parse_date("平成35年3月31日", allow_overrun=True) == DatedValue(2023, 3, 31)
    with pytest.raises(DateRefused):
        parse_date("平成35年3月31日")


@pytest.mark.parametrize(
    ("style", "good", "bad"),
    [(Style.ERA_CODE, "3130503", "19380503"), (Style.WESTERN, "19380503", "S13.5.3"),
     (Style.ERA, "S13.5.3", "3130503")],
)
def test_a_column_of_one_style_refuses_the_others(style: Style, good: str, bad: str) -> None:
    assert parse_date(good, style=style) == MAY_3
    with pytest.raises(DateRefused) as refused:
        parse_date(bad, style=style)
    assert refused.value.code == "date_style"


days = st.dates(date(1873, 1, 1), date(2100, 12, 31))
values = st.builds(DatedValue.of, days, st.sampled_from(Precision))


@given(values)
def test_what_is_printed_reads_back(value: DatedValue) -> None:
    assert parse_date(format_date(value)) == value


@given(values)
def test_first_day_and_precision_keep_the_value(value: DatedValue) -> None:
    assert DatedValue.of(value.first, value.precision) == value
    assert value.first <= value.last


@given(days, st.sampled_from(ERAS))
def test_an_era_holds_exactly_its_days(day: date, era: object) -> None:
    for each in ERAS:
        text = f"{each.letter}{day.year - each.offset}.{day.month}.{day.day}"
        inside = each.first <= day and (each.last is None or day <= each.last)
        if inside:
            assert parse_date(text) == DatedValue.of(day)
        elif day.year > each.offset:
            with pytest.raises(DateRefused):
                parse_date(text)


@given(st.text(max_size=14))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_date(text)
    except DateRefused as refused:
        assert refused.code.startswith("date_")


def test_format_of_every_precision() -> None:
    assert format_date(date(1938, 5, 3)) == "1938年（昭和13年）5月3日"
    assert format_date(DatedValue(2019, 5, 1)) == "2019年（令和元年）5月1日"
    assert format_date(DatedValue(1938, 5)) == "1938年（昭和13年）5月（日は不明）"
    assert format_date(DatedValue(1989)) == "1989年（昭和64年・平成元年）（月日は不明）"
    assert format_date(date(1870, 2, 3)) == "1870年2月3日"


def test_age_changes_on_the_birthday_and_in_law_a_day_before() -> None:
    born = date(1938, 5, 3)
    assert age_at(born, date(2026, 5, 2)) == 87
    assert age_at(born, date(2026, 5, 3)) == 88
    assert attains_on(born, 88) == date(2026, 5, 2)


def test_someone_of_29_february_ages_on_1_march() -> None:
    born = date(1940, 2, 29)
    assert [age_at(born, date(2026, 2, 28)), age_at(born, date(2026, 3, 1))] == [85, 86]
    assert attains_on(born, 86) == date(2026, 2, 28)
    assert attains_on(born, 84) == date(2024, 2, 28)


def test_fiscal_years_and_the_first_of_april() -> None:
    assert [fiscal_year(date(2026, 3, 31)), fiscal_year(date(2026, 4, 1))] == [2025, 2026]
    assert age_in_fiscal_year(date(1960, 4, 1), 2025) == 66
    assert age_in_fiscal_year(date(1960, 4, 2), 2025) == 65


@given(values, st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_age_bounds_hold_the_age(born: DatedValue, on: date) -> None:
    least, most = age_bounds(born, on)
    assert least <= most <= least + 1
    assert age_at(born, on) == most


@given(days, st.integers(0, 120))
def test_the_day_after_attaining_is_the_birthday(born: date, years: int) -> None:
    birthday = attains_on(born, years) + timedelta(days=1)
    assert age_at(born, birthday) == years
    assert age_at(born, birthday - timedelta(days=1)) == years - 1
