"""P1, P8: from stored records to shares, against a second reading of the rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from points.domain.awards import Limit
from points.domain.overlaps import Stay, waiting
from points.domain.recount import Enrolled, Member, Person, Record, Rulebook, count
from points.domain.rules import Per, Rate, RuleSet, Source, YearTerms
from tests.machine import oracle

NINE = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
DAY = NINE.date()
HOUR = timedelta(hours=1)


# ------------------------------------------------------------------------ overlaps
def stay(number: int, begins: float, length: float = 1, **more: bool) -> Stay:
    """A stay at session ``number``, recorded as attendance 100 - number (arrival backwards)."""
    start = NINE + begins * HOUR
    return Stay(100 - number, number, start, start + length * HOUR, **more)


def waits(*stays: Stay) -> set[int]:
    return {100 - one for one in waiting(stays)}


def test_P8_of_two_that_overlap_the_later_start_waits() -> None:
    assert waits(stay(2, 0), stay(1, 0.5)) == {1}
    assert waits(stay(1, 0.5), stay(2, 0)) == {1}
    assert waits(stay(1, 0, 3), stay(2, 1, 1)) == {2}, "one inside the other"
    assert waits(stay(1, 0), stay(2, 0)) == {2}, "at the same time: the session's number"


def test_P8_two_that_touch_do_not_overlap() -> None:
    assert waits(stay(1, 0), stay(2, 1)) == set()
    assert waits(stay(2, 0), stay(1, 1)) == set()
    assert waits(stay(1, 0, 1.01), stay(2, 1)) == {2}


def test_P8_one_that_waits_blocks_nobody_else() -> None:
    assert waits(stay(1, 0, 2), stay(2, 1, 2), stay(3, 2, 1)) == {2}


def test_P8_a_void_record_blocks_nobody_and_does_not_wait() -> None:
    assert waits(stay(1, 0, void=True), stay(2, 0.5)) == set()
    assert waits(stay(1, 0), stay(2, 0.5, void=True), stay(3, 0.7)) == {3}
    assert waits(stay(1, 0, 3), stay(2, 1, void=True), stay(3, 2.5)) == {3}


def test_P8_a_cleared_record_counts_and_blocks_the_next() -> None:
    assert waits(stay(1, 0), stay(2, 0.5, cleared=True)) == set()
    assert waits(stay(1, 0), stay(2, 0.5, cleared=True), stay(3, 1.2)) == {3}


def test_P8_two_records_of_one_session_are_no_overlap() -> None:
    one = stay(1, 0)
    assert waiting([one, replace(one, attendance=7)]) == frozenset()


def test_P8_the_attendance_decides_last() -> None:
    first, second = Stay(5, 1, NINE, NINE + HOUR), Stay(4, 1, NINE, NINE + HOUR)
    third = Stay(3, 2, NINE, NINE + HOUR)
    assert waiting([first, second, third]) == {3}


# ------------------------------------------------------------------- counting again
RATES = (Rate("join", "参加型", 1), Rate("support", "支援型", 2),
         Rate("hourly", "活動型", 1, Per.STARTED_HOUR))


def rule_set(programme: str, begins_on: date = date(2025, 4, 1), **changes: object) -> RuleSet:
    given = {
        "code": f"{programme}-{begins_on}", "rates": RATES, "sources": frozenset(Source),
        "points_per_voucher": 5, "yen_per_voucher": 500,
    }
    return RuleSet(programme=programme, begins_on=begins_on, **(given | changes))  # type: ignore[arg-type]


def terms(programme: str, year: int, cap: int | None) -> YearTerms:
    return YearTerms(programme, year, 500, date(year, 4, 1), date(year + 1, 6, 30),
                     date(year + 1, 4, 20), date(year + 1, 7, 1), cap)


def book(*rules: RuleSet, cap: int | None = None) -> Rulebook:
    sets: dict[str, list[RuleSet]] = {}
    for one in rules:
        sets.setdefault(one.programme, []).append(one)
    return Rulebook(sets, {(code, year): terms(code, year, cap)
                           for code in sets for year in (2025, 2026)})


def record(number: int, begins: float, length: float = 1, **more: object) -> Record:
    """Attendance ``number`` at session ``number``, hours after nine of 1 April 2026."""
    start = NINE + begins * HOUR
    given = {
        "attendance": number, "volunteer": 1, "session": number, "programme": "a",
        "organisation": 10, "group": 1, "kind": "join", "source": Source.GROUP, "title": "会",
        "on": start.date(), "starts_at": start, "ends_at": start + length * HOUR,
        "minutes": int(length * 60),
    }
    return Record(**(given | more))  # type: ignore[arg-type]


PERSON = Person(date(1950, 5, 5), True, date(2025, 4, 1), None)


def limits(records: list[Record], person: Person = PERSON, rules: Rulebook | None = None
           ) -> dict[int, tuple[int, Limit]]:
    counted = count(records, person, rules or book(rule_set("a"), rule_set("b")))
    return {s.attendance: (s.points, s.limit) for some in counted.shares.values() for s in some}


def test_P1_void_goes_before_the_wait_after_the_close_and_that_before_the_overlap() -> None:
    assert limits([record(1, 0, void=True, closed_wait=True)]) == {1: (0, Limit.VOID)}
    assert limits([record(1, 0), record(2, 0.5, closed_wait=True), record(3, 0.7)]) == {
        1: (1, Limit.NONE), 2: (0, Limit.YEAR_CLOSED), 3: (0, Limit.OVERLAP_WAITING)}
    assert limits([record(1, 0, closed_wait=True), record(2, 0.5)]) == {
        1: (0, Limit.YEAR_CLOSED), 2: (1, Limit.NONE)}, "one that waits blocks nobody"


def test_P8_two_programmes_are_seen_together_and_counted_apart() -> None:
    found = limits([record(1, 0, programme="b"), record(2, 0.5), record(3, 2)])
    assert found == {1: (1, Limit.NONE), 2: (0, Limit.OVERLAP_WAITING), 3: (1, Limit.NONE)}
    counted = count([record(1, 0, programme="b"), record(2, 2)], PERSON,
                    book(rule_set("a"), rule_set("b")))
    assert set(counted.shares) == {("a", 2026), ("b", 2026)}
    assert set(counted.eligibility) == {1, 2}


def test_P2_the_year_and_the_rules_are_those_of_the_activitys_day() -> None:
    later = rule_set("a", date(2026, 4, 1), rates=(Rate("join", "参加型", 3),))
    found = count([record(1, -24), record(2, 0)], PERSON, book(rule_set("a"), later))
    assert {lot: [s.points for s in some] for lot, some in found.shares.items()} == {
        ("a", 2025): [1], ("a", 2026): [3]}


@pytest.mark.parametrize(("first", "out", "there"), [
    (DAY, None, True), (DAY + timedelta(1), None, False), (date(2025, 1, 1), DAY, False),
    (date(2025, 1, 1), DAY + timedelta(1), True),
])
def test_P1_a_membership_counts_from_its_first_day_until_before_its_last(
    first: date, out: date | None, there: bool
) -> None:
    asked = book(rule_set("a", membership_required=True, sources=frozenset({Source.GROUP})))
    person = replace(PERSON, members=(Member(99, date(2020, 1, 1), None), Member(10, first, out)))
    assert limits([record(1, 0)], person, asked)[1][0] == there
    other = replace(PERSON, members=(Member(99, first, out),))
    assert limits([record(1, 0)], other, asked)[1] == (0, Limit.INELIGIBLE)


@pytest.mark.parametrize(("first", "left", "there"), [
    (DAY, None, True), (DAY + timedelta(1), None, False), (DAY, DAY, False),
    (DAY, DAY + timedelta(1), True),
])
def test_P1_a_registration_counts_from_its_first_day_until_before_the_leaving(
    first: date, left: date | None, there: bool
) -> None:
    person = replace(PERSON, registered_on=first, left_on=left)
    assert limits([record(1, 0)], person)[1] == ((1, Limit.NONE) if there
                                                else (0, Limit.INELIGIBLE))


@pytest.mark.parametrize(("enrolled", "there"), [
    (Enrolled("a", 2026, DAY), True), (Enrolled("a", 2026, DAY + timedelta(1)), False),
    (Enrolled("a", 2025, date(2025, 4, 1)), False), (Enrolled("b", 2026, DAY), False),
])
def test_P2_a_yearly_registration_is_of_one_programme_and_year(
    enrolled: Enrolled, there: bool
) -> None:
    asked = book(rule_set("a", enrolment_required=True))
    assert limits([record(1, 0)], replace(PERSON, enrolled=(enrolled,)), asked)[1][0] == there
    assert limits([record(1, 0)], PERSON, asked)[1] == (0, Limit.INELIGIBLE)


def test_P2_residence_and_the_source_reach_the_decision() -> None:
    asked = book(rule_set("a", residence_required=True, sources=frozenset({Source.GROUP})))
    assert limits([record(1, 0)], PERSON, asked)[1][0] == 1
    assert limits([record(1, 0)], replace(PERSON, resident=None), asked)[1][0] == 0
    assert limits([record(1, 0, source=Source.EVENT)], PERSON, asked)[1][0] == 0
    aged = book(rule_set("a", minimum_age=65))
    assert limits([record(1, 0)], PERSON, aged)[1][0] == 1
    assert limits([record(1, 0)], replace(PERSON, born_on=None), aged)[1][0] == 0
    assert limits([record(1, 0)], replace(PERSON, born_on=date(1990, 1, 1)), aged)[1][0] == 0


def test_a_year_without_terms_or_rules_is_an_error() -> None:
    with pytest.raises(KeyError):
        count([record(1, 0, programme="c")], PERSON, book(rule_set("a")))
    with pytest.raises(KeyError):
        count([record(1, 0)], PERSON, Rulebook({"a": [rule_set("a")]}, {}))


# ------------------------------------------------- against the second reading (oracle)
CAP = st.sampled_from([None, 1, 2, 3, 5])
PLACES = st.lists(st.tuples(
    st.integers(-30, 12), st.sampled_from([0.5, 1, 1.5, 2]), st.sampled_from("ab"),
    st.sampled_from([None, 1, 2]), st.sampled_from(["join", "support", "hourly"]),
    st.sampled_from(["valid", "valid", "valid", "void", "waits", "cleared"]),
), max_size=8)


@settings(max_examples=150, deadline=None)
@given(PLACES, CAP, CAP, CAP, st.booleans(), st.randoms(use_true_random=False))
def test_P1_the_shares_are_those_of_the_formula_whatever_the_order(
    places: list[tuple[float, float, str, int | None, str, str]], group_cap: int | None,
    daily: int | None, annual: int | None, members: bool, order: object,
) -> None:
    group_cap = None if group_cap is None else min(group_cap, daily or group_cap)
    changes: dict[str, object] = {"group_day_cap": group_cap, "daily_cap": daily}
    if members:
        changes |= {"membership_required": True, "sources": frozenset({Source.GROUP})}
    ruled = [rule_set(code, day, **more) for code in "ab" for day, more in (
        (date(2025, 4, 1), {}), (DAY, changes))]
    person = replace(PERSON, members=(Member(10, date(2026, 4, 1), None),))
    records, known = [], []
    for number, (begins, length, programme, group, kind, how) in enumerate(places, 1):
        one = record(number, begins, length, programme=programme, group=group, kind=kind,
                     source=Source.EVENT if group is None else Source.GROUP,
                     void=how == "void", closed_wait=how == "waits", cleared=how == "cleared")
        records.append(one)
        held = oracle.Session(number, programme, 10, group, kind, one.source.value, one.on,
                              one.starts_at, one.ends_at)
        known.append(oracle.Record(held, how == "void", how == "cleared", how == "waits"))
    order.shuffle(records)  # type: ignore[attr-defined]
    counted = count(records, person, book(*ruled, cap=annual))
    facts = oracle.Person(date(1950, 5, 5), True, date(2025, 4, 1),
                          members=[(10, date(2026, 4, 1), None)])
    words = {code: [
        oracle.Rules(r.begins_on, {"join": (1, False), "support": (2, False), "hourly": (1, True)},
                     frozenset(s.value for s in r.sources), r.group_day_cap, r.daily_cap,
                     member=r.membership_required)
        for r in ruled if r.programme == code] for code in "ab"}
    for (programme, year), some in counted.shares.items():
        mine = [r for r in known if (r.session.programme, r.session.year) == (programme, year)]
        late = oracle.overlapping(known)
        assert {s.attendance: s.points for s in some} == oracle.shares(
            mine, facts, words[programme], annual, late)
