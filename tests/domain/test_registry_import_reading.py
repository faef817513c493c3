"""Reading files: profiles, headers, limits, R13, single cells, returned rows."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.calendar import DatedValue
from registry.domain.errors import NotFound
from registry.domain.identity import is_my_number
from registry.domain.importing import (
    CareLevel,
    Field,
    FileRefused,
    Limits,
    ParsedRow,
    ProfileRefused,
    RawRow,
    RejectedRow,
    check_encoding,
    from_plain,
    inspect,
    load_profile,
    parse_row,
    records,
    returned_file,
    sheet_rows,
    shipped_profile,
    shipped_profiles,
    to_plain,
)
from registry.domain.importing.reading import layout, text_lines
from registry.domain.textcodec import Encoding, decode

ON = date(2026, 11, 23)
RESIDENTS = shipped_profile("residents")
GOOD = {
    "宛名番号": "000000000010001", "世帯番号": "5001", "氏名": "見本　花子",
    "氏名_フリガナ": "ﾐﾎﾝ ﾊﾅｺ", "生年月日": "S13.5.3", "性別": "2", "郵便番号": "9650000",
    "住所": "会津若松市見本町１番地", "方書": "", "電話番号": "０２４２ー００ー００００",
    "経度": "139.93", "緯度": "37.49", "転入年月日": "", "転出年月日": "00000000",
    "死亡年月日": "", "支援措置終了年月日": "",
}


def parse(profile: Any = RESIDENTS, **cells: str) -> ParsedRow | RejectedRow:
    row = {**(GOOD if profile is RESIDENTS else {}), **cells}
    return parse_row(RawRow(2, tuple(row.values())), layout(tuple(row), profile), profile, on=ON)


def good(row: ParsedRow | RejectedRow) -> ParsedRow:
    assert isinstance(row, ParsedRow), row
    return row


def as_csv(rows: Iterable[Iterable[str]]) -> list[str]:
    return [",".join(f'"{cell}"' for cell in row) + "\r\n" for row in rows]


def test_a_resident_is_read_with_types() -> None:
    row = good(parse())
    assert row.key == "10001"
    assert row.values[Field.BORN_ON] == DatedValue(1938, 5, 3)
    assert row.values[Field.KANA] == "ミホン　ハナコ"
    assert row.values[Field.SEX] == "female"
    assert row.values[Field.POSTCODE] == "965-0000"
    assert row.values[Field.PHONE] == "0242-00-0000"
    assert (row.values[Field.LONGITUDE], row.values[Field.LATITUDE]) == (139.93, 37.49)
    assert row.values[Field.MOVED_OUT_ON] is None
    assert row.notes == ()
    assert Field.TOWN not in row.values  # the file has no such column: nothing was said


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"宛名番号": ""}, "宛名番号", "cell_empty"),
        ({"宛名番号": "A1"}, "宛名番号", "number_unreadable"),
        ({"氏名": " 　"}, "氏名", "cell_empty"),
        ({"氏名": "見" * 121}, "氏名", "cell_too_long"),
        ({"氏名": "見本\n花子"}, "氏名", "cell_control"),
        ({"生年月日": ""}, "生年月日", "cell_empty"),
        ({"生年月日": "昭和64年1月8日"}, "生年月日", "date_era"),
        ({"生年月日": "20261124"}, "生年月日", "row_born_in_future"),
        ({"生年月日": "18800101"}, "生年月日", "row_too_old"),
        ({"性別": "7"}, "性別", "cell_code"),
        ({"経度": ""}, "経度", "row_half_location"),
        ({"経度": "37.49", "緯度": "139.93"}, "経度", "row_location_swapped"),
        ({"経度": "東経139度"}, "経度", "cell_degrees"),
        ({"経度": "nan"}, "経度", "geo_range"),
        ({"死亡年月日": "R9.1.1"}, "死亡年月日", "row_died_in_future"),
        ({"死亡年月日": "S10.1.1"}, "死亡年月日", "row_died_before_birth"),
        ({"転入年月日": "S10.1.1"}, "転入年月日", "row_moved_before_birth"),
    ],
)
def test_a_wrong_cell_rejects_the_row_with_its_column(
    cells: dict[str, str], column: str, code: str
) -> None:
    row = parse(**cells)
    assert isinstance(row, RejectedRow)
    assert (row.row_number, row.column, row.code) == (2, column, code)
    assert row.reason.endswith("。")
    assert row.raw == tuple({**GOOD, **cells}.values())


def test_contact_details_never_keep_a_person_out() -> None:
    row = good(parse(電話番号="不明", 郵便番号="965"))
    assert row.values[Field.PHONE] == "不明"
    assert [note.code for note in row.notes] == [
        "note_postcode_unreadable", "note_phone_unreadable",
    ]


def test_blank_phone_says_nothing_and_gaiji_is_noted() -> None:
    row = good(parse(電話番号="", 氏名="見本\ue000花子"))
    assert Field.PHONE not in row.values
    assert [note.code for note in row.notes] == ["note_gaiji"]


def test_an_expiry_without_a_day_lasts_to_the_end_and_may_outlive_its_era() -> None:
    row = good(parse(支援措置終了年月日="平成40年3月"))
    assert row.values[Field.PROTECTED_UNTIL] == date(2028, 3, 31)
    assert [note.code for note in row.notes] == ["note_day_unknown"]


def test_another_municipality_is_rejected() -> None:
    profile = load_profile(json.dumps({
        "code": "x", "title": "x", "municipality": "072028",
        "columns": [{"name": "団体", "field": "municipality"}, {"name": "番号", "field": "number"}],
    }))
    assert isinstance(parse(profile, 団体="07202", 番号="1"), ParsedRow)
    assert isinstance(parse(profile, 団体="72028", 番号="1"), ParsedRow)
    other = parse(profile, 団体="072010", 番号="1")
    assert isinstance(other, RejectedRow)
    assert other.code == "cell_other_municipality"


CARE = {"宛名番号": "1", "氏名": "", "生年月日": ""}


@pytest.mark.parametrize(
    ("cell", "value", "label"),
    [("12", "12", "要支援1"), ("13", "13", "要支援2"), ("21", "21", "要介護1"),
     ("２５", "25", "要介護5"), ("要介護３", "23", "要介護3"), ("要支援2", "13", "要支援2"),
     ("", "", ""), ("01", "", ""), ("非該当", "", ""), ("事業対象者", "", "")],
)
def test_care_levels_by_code_and_word(cell: str, value: str, label: str) -> None:
    row = good(parse(shipped_profile("care"), **CARE, 要介護状態区分コード=cell))
    assert row.values[Field.CARE_LEVEL] == value
    assert value == "" or CareLevel(value).label == label


@pytest.mark.parametrize("cell", ["11", "20", "26", "要介護6", "軽い"])
def test_unknown_care_levels_are_rejected(cell: str) -> None:
    row = parse(shipped_profile("care"), **CARE, 要介護状態区分コード=cell)
    assert isinstance(row, RejectedRow)
    assert row.code == "cell_code"


HANDBOOK = {**CARE, "身体_等級": "", "身体_障害部位": "", "身体_旅客運賃種別": "", "療育_判定": "",
            "精神_等級": "", "難病_該当": "", "必要な配慮": ""}


def test_handbooks_are_read_by_code_word_and_list() -> None:
    row = good(parse(shipped_profile("handbooks"), **{
        **HANDBOOK, "身体_等級": "１級", "身体_障害部位": "10、じん臓",
        "身体_旅客運賃種別": "第1種", "療育_判定": "Ⓐ", "精神_等級": "2", "難病_該当": "○",
        "必要な配慮": "車いす 在宅酸素",
    }))
    assert row.values[Field.PHYSICAL_GRADE] == 1
    assert row.values[Field.PHYSICAL_PARTS] == ("heart", "kidney")
    assert row.values[Field.PHYSICAL_CLASS] == 1
    assert row.values[Field.INTELLECTUAL_LABEL] == "Ⓐ"
    assert row.values[Field.MENTAL_GRADE] == 2
    assert row.values[Field.INTRACTABLE_DISEASE] is True
    assert row.values[Field.NEEDS] == ("oxygen", "wheelchair")


@pytest.mark.parametrize(
    ("column", "cell"),
    [("身体_等級", "8級"), ("精神_等級", "4"), ("身体_旅客運賃種別", "3種"),
     ("身体_障害部位", "99"), ("難病_該当", "たぶん")],
)
def test_wrong_handbook_cells_are_rejected(column: str, cell: str) -> None:
    row = parse(shipped_profile("handbooks"), **{**HANDBOOK, column: cell})
    assert isinstance(row, RejectedRow)
    assert row.column == column


def test_values_survive_storing_as_json() -> None:
    for row in (good(parse(死亡年月日="R8.10.1", 生年月日="3130500")),
                good(parse(shipped_profile("handbooks"),
                           **{**HANDBOOK, "身体_障害部位": "10 11", "難病_該当": "1"}))):
        stored = json.loads(json.dumps(to_plain(row.values)))
        assert from_plain(stored) == row.values


def header_file(*rows: tuple[str, ...], names: tuple[str, ...] = tuple(GOOD)) -> list[str]:
    return as_csv([names, *rows])


def test_missing_columns_are_all_named() -> None:
    with pytest.raises(FileRefused) as refused:
        inspect(records(["番号,住所\r\n"]), RESIDENTS)
    assert refused.value.code == "file_columns_missing"
    assert {"宛名番号", "氏名", "生年月日"} <= set(refused.value.fields)
    assert "住所" not in refused.value.fields
    assert "小字名" not in refused.value.fields  # optional


def test_header_width_and_spaces_do_not_count_but_twice_does() -> None:
    names = tuple(" " + name.replace("_", "＿") + " " for name in GOOD)
    assert inspect(records(header_file(names=names)), RESIDENTS).rows == 0
    with pytest.raises(FileRefused) as refused:
        inspect(records(header_file(names=(*GOOD, "氏名"))), RESIDENTS)
    assert refused.value.code == "file_columns_twice"


@pytest.mark.parametrize(
    ("text", "limits", "code"),
    [
        ("a,b\r\n1,\0\r\n", Limits(), "file_nul"),
        ('a,b\r\n1,"x"y\r\n', Limits(), "file_quote"),
        ('a,b\r\n1,"never closed\r\n' + "2,3\r\n" * 40_000, Limits(), "file_quote"),
        ("a\r\n1\r\n2\r\n3\r\n", Limits(rows=2), "file_too_many_rows"),
        ("a,b,c\r\n", Limits(columns=2), "file_too_many_columns"),
        ("a\r\n" + "x" * 11, Limits(cell=10), "file_cell_too_long"),
    ],
)
def test_broken_and_oversized_files_are_refused(text: str, limits: Limits, code: str) -> None:
    with pytest.raises(FileRefused) as refused:
        list(records([text], limits=limits))
    assert refused.value.code == code


def test_an_empty_file_and_a_wrong_encoding_are_refused() -> None:
    with pytest.raises(FileRefused) as refused:
        inspect(records([]), RESIDENTS)
    assert refused.value.code == "file_empty"
    profile = load_profile(json.dumps({"code": "x", "title": "x", "encodings": ["cp932"],
                                       "columns": [{"name": "番号", "field": "number"}]}))
    check_encoding(Encoding.CP932, profile)
    with pytest.raises(FileRefused):
        check_encoding(Encoding.UTF8, profile)


@given(st.lists(st.lists(st.text('a"\n\r,表', max_size=4), min_size=2, max_size=3), min_size=1),
       st.integers(1, 7))
def test_records_are_the_same_whatever_the_pieces(rows: list[list[str]], size: int) -> None:
    import io

    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    text = out.getvalue()
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    assert "".join(text_lines(pieces)) == text
    assert [list(r.cells) for r in records(pieces)] == rows
    assert [r.number for r in records(pieces)] == list(range(1, len(rows) + 1))


def my_number(seed: int) -> str:
    first = f"{seed:011d}"
    return next(first + str(d) for d in range(10) if is_my_number(first + str(d)))


def numbers_file(column: str) -> list[str]:
    rows = [(str(n + 1), "見本", my_number(n * 7919 + 5)) for n in range(30)]
    return as_csv([("宛名番号", "氏名", column), *rows])


SMALL = {"code": "x", "title": "x", "columns": [
    {"name": "宛名番号", "field": "number"}, {"name": "氏名", "field": "name"}]}


@pytest.mark.parametrize("column", ["整理番号", "個人番号"])
def test_R13_a_column_of_my_numbers_refuses_the_file_even_if_unmapped(column: str) -> None:
    with pytest.raises(FileRefused) as refused:
        inspect(records(numbers_file(column)), load_profile(json.dumps(SMALL)))
    assert refused.value.code == "file_my_number"
    assert refused.value.fields == {column: "個人番号のようです。"}


def test_R13_the_declared_resident_number_column_is_exempt() -> None:
    declared = {**SMALL, "columns": [{"name": "宛名コード", "field": "number"},
                                     {"name": "氏名", "field": "name"}]}
    rows = [(my_number(n), "見本") for n in range(20)]
    found = inspect(records(as_csv([("宛名コード", "氏名"), *rows])),
                    load_profile(json.dumps(declared)))
    assert found.rows == 20


def test_R13_my_numbers_beyond_the_header_refuse_the_file() -> None:
    rows = [(str(n), "見本", my_number(n)) for n in range(1, 9)]
    with pytest.raises(FileRefused) as refused:
        inspect(records(as_csv([("宛名番号", "氏名"), *rows])), load_profile(json.dumps(SMALL)))
    assert refused.value.code == "file_my_number"


@pytest.mark.parametrize(
    "change",
    [
        {"columns": [{"name": "氏名", "field": "name"}]},
        {"columns": [{"name": "a", "field": "number"}, {"name": "b", "field": "number"}]},
        {"columns": [{"name": "a", "field": "number"}, {"name": "a", "field": "name"}]},
        {"columns": [{"name": "a", "field": "number"}, {"name": "b", "field": "longitude"}]},
        {"columns": [{"name": "a", "field": "number", "codes": {"1": "x"}}]},
        {"columns": [{"name": "a", "field": "my_number"}]},
        {"creates_people": True}, {"delimiter": ""}, {"surprise": 1}, {"municipality": "072029"},
    ],
)
def test_wrong_profiles_are_refused_when_loaded(change: dict[str, Any]) -> None:
    with pytest.raises(ProfileRefused) as refused:
        load_profile(json.dumps({**SMALL, **change}))
    assert refused.value.code == "profile_invalid"


def test_shipped_profiles_load_and_say_that_they_are_samples() -> None:
    assert shipped_profiles() == ("care", "handbooks", "residents")
    for code in shipped_profiles():
        profile = shipped_profile(code)
        assert profile.code == code
        assert profile.sample and "見本" in profile.title
    with pytest.raises(NotFound):
        shipped_profile("../residents")


def test_spreadsheet_cells_become_the_text_of_a_csv() -> None:
    rows = sheet_rows([("番号", "日"), (10001.0, date(1938, 5, 3)), (None, None),
                       (1.5, datetime(1938, 5, 3)), ("x", datetime(1938, 5, 3, 9))])
    assert list(rows) == [
        RawRow(1, ("番号", "日")), RawRow(2, ("10001", "1938-05-03")),
        RawRow(4, ("1.5", "1938-05-03")), RawRow(5, ("x", "1938-05-03 09:00:00")),
    ]


cell = st.text('髙﨑会津 "、,ab\n', max_size=6)


@given(st.lists(st.lists(cell, min_size=3, max_size=3), min_size=1, max_size=8),
       st.sampled_from(Encoding))
def test_rejected_rows_come_back_in_the_inputs_own_format(
    rows: list[list[str]], encoding: Encoding
) -> None:
    header = ("宛名番号", "氏名", "住所")
    rejected = [RejectedRow(n, "氏名", "cell_empty", "氏名が空です。", tuple(r))
                for n, r in enumerate(rows, start=2)]
    losses: list[object] = []
    data = b"".join(returned_file(header, rejected, RESIDENTS, encoding, report=losses.append))
    back = list(records(decode([data], encoding)))
    assert back[0].cells == ("行番号", "項目", "理由", *header)
    assert [r.cells[3:] for r in back[1:]] == [tuple(r) for r in rows]
    assert [r.cells[0] for r in back[1:]] == [str(r.row_number) for r in rejected]
    assert losses == []
    again = [RejectedRow(r.number, "氏名", "x", "y", r.cells) for r in back[1:]]
    twice = b"".join(
        returned_file(back[0].cells, again, RESIDENTS, encoding, report=losses.append)
    )
    assert next(records(decode([twice], encoding))).cells == back[0].cells
