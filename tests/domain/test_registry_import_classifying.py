"""Judging rows: verdicts that never guess, totals that add up, the same result again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.domain.calendar import DatedValue
from registry.domain.identity import fold_name
from registry.domain.importing import (
    MEANINGS,
    EventKind,
    Field,
    Judgement,
    Known,
    Neighbours,
    ParsedRow,
    RejectedRow,
    Totals,
    Touches,
    Value,
    Verdict,
    apply_changes,
    classify,
    consequences,
    inspect,
    judge,
    keys_of,
    records,
    shipped_profile,
)

ON = date(2026, 11, 23)
RESIDENTS, CARE = shipped_profile("residents"), shipped_profile("care")
HANAKO: dict[Field, Value] = {
    Field.NUMBER: "10001", Field.HOUSEHOLD_NUMBER: "5001", Field.NAME: "見本　花子",
    Field.KANA: "ミホン　ハナコ", Field.BORN_ON: DatedValue(1938, 5, 3), Field.SEX: "female",
    Field.ADDRESS: "会津若松市見本町１", Field.BUILDING: "", Field.MOVED_IN_ON: None,
    Field.MOVED_OUT_ON: None, Field.DIED_ON: None, Field.PROTECTED_UNTIL: None,
    Field.FACILITY_SINCE: None,
}


def row(values: Mapping[Field, Value]) -> ParsedRow:
    return ParsedRow(2, str(values[Field.NUMBER]), values, ())


def judged(
    before: Mapping[Field, Value] | None = None, *, profile: Any = RESIDENTS, namesakes: int = 0,
    repeated: bool = False, **after: Value,
) -> Judgement:
    new = {**HANAKO, **{Field(k): v for k, v in after.items()}}
    known = Known({**HANAKO, **before}) if before is not None else None
    return classify(row(new), Neighbours(known, namesakes), profile, on=ON, repeated=repeated)


def test_same_new_and_changed() -> None:
    assert judged({}).verdict is Verdict.SAME
    assert judged().verdict is Verdict.NEW
    changed = judged({}, address="会津若松市見本町２")
    assert changed.verdict is Verdict.CHANGED
    assert [(c.field, c.before, c.after) for c in changed.changes] == [
        (Field.ADDRESS, "会津若松市見本町１", "会津若松市見本町２")
    ]


def test_a_blank_cell_clears_what_the_register_owns() -> None:
    changed = judged({Field.BUILDING: "見本荘"}, building="")
    assert [(c.field, c.after) for c in changed.changes] == [(Field.BUILDING, "")]


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ({}, {"name": "別人　次郎", "kana": "ベツジン　ジロウ", "born_on": DatedValue(1970, 1, 1)},
         "row_other_person"),
        ({Field.DIED_ON: date(2026, 1, 5)}, {}, "row_takes_back"),
        ({Field.MOVED_OUT_ON: date(2026, 1, 5)}, {}, "row_takes_back"),
        ({Field.PROTECTED_UNTIL: date(2027, 3, 31)}, {}, "row_takes_back"),
        ({Field.PROTECTED_UNTIL: date(2027, 3, 31)}, {"protected_until": date(2027, 1, 1)},
         "row_takes_back"),
    ],
)
def test_doubtful_rows_wait_for_a_person(
    before: dict[Field, Value], after: dict[str, Value], code: str
) -> None:
    waits = judged(before, **after)
    assert (waits.verdict, waits.code) == (Verdict.AMBIGUOUS, code)
    assert waits.reason.endswith("。")
    assert consequences(waits, on=ON) == ()


def test_repeated_numbers_and_namesakes_wait() -> None:
    assert judged({}, repeated=True).code == "row_repeated"
    assert judged(namesakes=1).code == "row_namesake"
    assert judged(name="〓田　花子").code == "row_lost_character"
    assert judged({}, namesakes=3).verdict is Verdict.SAME


def test_marriage_or_a_corrected_birth_date_alone_is_a_change() -> None:
    assert judged({}, name="別姓　花子", kana="ベツセイ　ハナコ").verdict is Verdict.CHANGED
    assert judged({}, born_on=DatedValue(1938, 5, 4)).verdict is Verdict.CHANGED


def test_only_the_resident_register_makes_people_and_names() -> None:
    unknown = judged(profile=CARE, care_level="23")
    assert (unknown.verdict, unknown.code) == (Verdict.AMBIGUOUS, "row_unknown_number")
    known = judged({}, profile=CARE, care_level="23", address="ほかの住所")
    assert [c.field for c in known.changes] == [Field.CARE_LEVEL]
    wrong = judged({}, profile=CARE, care_level="23", name="別人　次郎", kana="ベツジン")
    assert wrong.code == "row_other_person"
    born = judged({}, profile=CARE, care_level="23", born_on=DatedValue(1939, 5, 3))
    assert born.code == "row_other_person"


@pytest.mark.parametrize(
    ("stored", "sent"),
    [("髙橋", "髙橋"), ("葛\U000e0100城", "葛城"), ("𠮷田", "〓田"), ("〜町", "～町"),
     ("見本 花子", "見本　花子")],
)
def test_what_the_senders_encoding_cannot_carry_changes_nothing(stored: str, sent: str) -> None:
    assert judged({Field.NAME: stored}, name=sent).verdict is Verdict.SAME


def test_a_registered_spelling_is_a_change_of_the_same_person() -> None:
    changed = judged({Field.NAME: "高橋", Field.BORN_ON: None}, name="髙橋")
    assert changed.verdict is Verdict.CHANGED
    assert (Field.NAME, "高橋", "髙橋") in [(c.field, c.before, c.after) for c in changed.changes]


@pytest.mark.parametrize(
    ("before", "after", "kind", "day"),
    [
        ({}, {"died_on": date(2026, 10, 1)}, EventKind.DIED, date(2026, 10, 1)),
        ({}, {"moved_out_on": date(2026, 10, 1)}, EventKind.MOVED_OUT, date(2026, 10, 1)),
        ({Field.MOVED_OUT_ON: date(2020, 1, 1)}, {"moved_in_on": date(2026, 9, 1)},
         EventKind.MOVED_IN, date(2026, 9, 1)),
        ({}, {"address": "別の町"}, EventKind.MOVED_WITHIN, ON),
        ({}, {"building": "見本荘"}, EventKind.MOVED_WITHIN, ON),
        ({}, {"section": "2班"}, EventKind.AREA_CHANGED, ON),
        ({}, {"household_number": "5002"}, EventKind.HOUSEHOLD_CHANGED, ON),
        ({}, {"name": "別姓　花子"}, EventKind.NAME_CHANGED, ON),
        ({}, {"facility_since": date(2026, 8, 1)}, EventKind.FACILITY_ENTERED, date(2026, 8, 1)),
        ({Field.FACILITY_SINCE: date(2026, 8, 1)}, {}, EventKind.FACILITY_LEFT, ON),
        ({}, {"protected_until": date(2027, 3, 31)}, EventKind.PROTECTION_STARTED, ON),
    ],
)
def test_a_change_has_its_consequence_once(
    before: dict[Field, Value], after: dict[str, Value], kind: EventKind, day: date
) -> None:
    (event,) = consequences(judged(before, **after), on=ON)
    assert (event.kind, event.number, event.happened_on) == (kind, "10001", day)
    assert event.dated == (day != ON)


def test_care_and_handbook_changes_touch_roster_and_plan() -> None:
    (care,) = consequences(judged({Field.CARE_LEVEL: "21"}, profile=CARE, care_level="23"), on=ON)
    assert care.kind is EventKind.CARE_CHANGED
    handbooks = shipped_profile("handbooks")
    events = consequences(
        judged({}, profile=handbooks, physical_grade=1, physical_parts=("heart",)), on=ON
    )
    assert [e.kind for e in events] == [EventKind.HANDBOOK_CHANGED]


def test_a_longer_protection_is_no_new_start() -> None:
    changed = judged({Field.PROTECTED_UNTIL: date(2027, 3, 31)},
                     protected_until=date(2028, 3, 31))
    assert changed.verdict is Verdict.CHANGED
    assert consequences(changed, on=ON) == ()


def test_new_people_move_in_unless_they_are_gone() -> None:
    (event,) = consequences(judged(moved_in_on=date(2026, 11, 1)), on=ON)
    assert (event.kind, event.happened_on) == (EventKind.MOVED_IN, date(2026, 11, 1))
    assert consequences(judged(died_on=date(2026, 11, 1)), on=ON) == ()


def test_every_kind_of_event_has_a_meaning() -> None:
    assert set(MEANINGS) == set(EventKind)
    assert Touches.COPIES in MEANINGS[EventKind.DIED].touches
    assert all(meaning.touches for meaning in MEANINGS.values())


# A whole file, generated: the store is a dict that applying a judgement updates.
HEADER = tuple(column.name for column in RESIDENTS.columns if not column.optional)
entries = st.fixed_dictionaries({
    "宛名番号": st.sampled_from(["1", "2", "3", "04", "5", "6", "", "x"]),
    "世帯番号": st.sampled_from(["", "50", "51"]),
    "氏名": st.sampled_from(["見本　一", "見本　二", "髙橋　三", "", "〓田　四"]),
    "氏名_フリガナ": st.sampled_from(["ミホン　イチ", "ﾐﾎﾝ ﾆ", ""]),
    "生年月日": st.sampled_from(["S13.5.3", "19400229", "昭和20年", "3640108", ""]),
    "性別": st.sampled_from(["1", "2", "9", "?"]),
    "郵便番号": st.just("9650000"),
    "住所": st.sampled_from(["見本町１", "見本町２"]),
    "方書": st.sampled_from(["", "見本荘"]),
    "転入年月日": st.sampled_from(["", "20240401"]),
    "転出年月日": st.sampled_from(["", "20250401"]),
    "死亡年月日": st.sampled_from(["", "20260101"]),
    "支援措置終了年月日": st.sampled_from(["", "20270331"]),
})
files = st.lists(entries, max_size=12)


def text_of(entries: list[dict[str, str]]) -> str:
    rows = [HEADER, *(tuple(entry[name] for name in HEADER) for entry in entries)]
    return "".join(",".join(cells) + "\r\n" for cells in rows)


class Store(dict[str, dict[Field, Value]]):
    """What is known by number; ``near`` answers as the database would."""

    def near(self, row: ParsedRow) -> Neighbours:
        if row.key in self:
            return Neighbours(Known(dict(self[row.key])))
        name, _, born = keys_of(row)
        same = sum(
            fold_name(str(v.get(Field.NAME))) == name and v.get(Field.BORN_ON) == born
            for v in self.values()
        )
        return Neighbours(None, same)

    def judge(self, text: str) -> list[Judgement]:
        found = inspect(records([text]), RESIDENTS)
        rows = records([text])
        next(rows)
        judgements = list(judge(rows, found, RESIDENTS, find=self.near, on=ON))
        assert Totals.of(judgements).rows == found.rows  # the totals add up to the file
        return judgements

    def apply(self, judgements: list[Judgement]) -> None:
        for each in judgements:
            if each.verdict in (Verdict.NEW, Verdict.CHANGED) and isinstance(each.row, ParsedRow):
                known = self.get(each.row.key, {})
                self[each.row.key] = dict(apply_changes(known, each.changes))


@settings(max_examples=200)
@given(files, files)
def test_totals_add_up_and_a_second_run_changes_nothing(
    first: list[dict[str, str]], second: list[dict[str, str]]
) -> None:
    store = Store()
    store.apply(store.judge(text_of(first)))
    before = store.judge(text_of(second))
    assert len(before) == len(second)
    store.apply(before)
    after = store.judge(text_of(second))
    for one, again in zip(before, after, strict=True):
        if one.verdict in (Verdict.NEW, Verdict.CHANGED, Verdict.SAME):
            # Two new rows of one name and birth date are only seen to be namesakes later, and
            # by then both are stored under their own numbers: nothing is left to do.
            assert again.verdict is Verdict.SAME
        else:
            assert again.verdict is one.verdict


@settings(max_examples=100)
@given(files, files, st.integers(0, 12))
def test_an_interrupted_apply_ends_alike_when_run_again(
    first: list[dict[str, str]], second: list[dict[str, str]], stop: int
) -> None:
    whole, broken = Store(), Store()
    for store in (whole, broken):
        store.apply(store.judge(text_of(first)))
    text = text_of(second)
    staged = whole.judge(text)
    whole.apply(staged)
    broken.apply(staged[:stop])  # killed here; the staged judgements are applied again
    broken.apply(staged)
    assert broken == whole


@given(files)
def test_rows_keep_their_number_and_cells(entries: list[dict[str, str]]) -> None:
    for place, each in enumerate(Store().judge(text_of(entries))):
        assert each.row.row_number == place + 2
        assert each.row.raw == tuple(entries[place][name] for name in HEADER)
        if isinstance(each.row, RejectedRow):
            assert each.reason and each.code
            assert each.row.column in HEADER


@given(files)
def test_a_repeated_number_is_never_new_or_changed(entries: list[dict[str, str]]) -> None:
    keys = [entry["宛名番号"].lstrip("0") for entry in entries]
    for each in Store().judge(text_of(entries)):
        if isinstance(each.row, ParsedRow) and keys.count(each.row.key) > 1:
            assert each.verdict is Verdict.AMBIGUOUS
