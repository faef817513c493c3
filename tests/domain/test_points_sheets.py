"""Paper sheets, the pure part: codes of sheets and rows, marks, agreement, a group's list."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from points.domain import codes, sheets, tokens
from points.domain.codes import BadCode
from points.domain.keyring import Keyring
from points.domain.sheets import BadList, HeadsDiffer, Listed

KEYS = Keyring({1: b"a" * 32, 2: b"b" * 32}, 2)


def test_P6_row_codes_are_opaque_different_and_fit_a_version_1_symbol() -> None:
    sheet = sheets.mint_sheet()
    rows = sheets.row_codes(KEYS, 2, sheet, 60)
    assert len(rows) == 60 and all(len(one) == 12 for one in rows)
    assert all(set(one) <= set(codes.ALPHABET) for one in rows)
    other = sheets.row_codes(KEYS, 2, sheets.mint_sheet(), 60)
    old = sheets.row_codes(KEYS, 1, sheet, 60)
    assert not rows.keys() & other.keys() and not rows.keys() & old.keys()
    assert sheets.row_codes(KEYS, 9, sheet, 60) == {}, "a key that is gone"
    for one in rows:
        with pytest.raises(BadCode):
            tokens.read(one)  # a row's code is no card
        with pytest.raises(BadCode):
            sheets.read_sheet(one)
    assert sheets.read_sheet(sheet.lower()) == sheet


@given(st.sets(st.integers(1, 40)))
@settings(deadline=None, max_examples=60)
def test_P4_row_numbers_mark_what_they_say(positions: set[int]) -> None:
    assert sheets.marked(" ".join(map(str, positions)), {}, 40) == positions


def test_P4_ranges_codes_and_what_is_not_on_the_sheet() -> None:
    sheet = sheets.mint_sheet()
    rows = sheets.row_codes(KEYS, 2, sheet, 9)
    assert sheets.marked("１、３ 5-7", rows, 9) == {1, 3, 5, 6, 7}
    assert sheets.marked("", rows, 9) == set()
    for code, position in rows.items():
        assert sheets.marked(code.lower(), rows, 9) == {position}
    foreign = sheets.row_code(KEYS, 2, sheets.mint_sheet(), 1)
    for wrong in ("0", "10", "7-5", "5-10", foreign, "あ", rows and next(iter(rows))[:-1]):
        with pytest.raises(BadCode):
            sheets.marked(wrong, rows, 9)


def test_P4_the_count_equals_the_headcount_or_is_explained() -> None:
    assert sheets.agree(heads=5, known=4, waiting=1, reason=" ") == ""
    assert sheets.agree(heads=5, known=4, waiting=1, reason="x") == "", "nothing to explain"
    assert sheets.agree(heads=6, known=4, waiting=1, reason=" 見学の方1人 ") == "見学の方1人"
    with pytest.raises(HeadsDiffer) as refused:
        sheets.agree(heads=6, known=4, waiting=1, reason="")
    assert "5人" in refused.value.message and "6人" in refused.value.message


def test_a_groups_list_is_read_below_its_header() -> None:
    rows = [["11月の名簿"], ["No", "お名前", "フリガナ", "手帳番号"],
            ["1", "髙橋　見本", "タカハシ　ミホン", "P00002"], ["", "", "", ""],
            ["2", "見本　花子"]]
    assert sheets.read_list(rows) == [
        Listed(3, "髙橋　見本", "タカハシ　ミホン", "P00002"), Listed(5, "見本　花子"),
    ]
    for bad in ([], [["a", "b"], ["1", "2"]], [["氏名"]],
                [["氏名"], *[["見本"]] * (sheets.MOST_ROWS + 1)]):
        with pytest.raises(BadList):
            sheets.read_list(bad)


def test_a_written_row_agrees_in_everything_that_was_written() -> None:
    who = {"number": "P00002", "name": "髙橋　見本", "kana": "タカハシ　ミホン"}
    assert sheets.same_person(Listed(1, "高橋見本"), **who)
    assert sheets.same_person(Listed(1, "たかはし みほん"), **who), "written in kana"
    assert sheets.same_person(Listed(1, "髙橋 見本", "ﾀｶﾊｼ ﾐﾎﾝ", "p00002"), **who)
    assert not sheets.same_person(Listed(1, "髙橋　見本", "", "P00003"), **who)
    assert not sheets.same_person(Listed(1, "渡邉　見本", "", "P00002"), **who)
    assert not sheets.same_person(Listed(1, "髙橋　見本", "タカハシ　ハナコ"), **who)
