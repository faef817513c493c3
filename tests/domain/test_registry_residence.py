"""P1: where somebody lived on the day of an activity."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from registry.domain.residence import Move, Residence, history

AUGUST, NOVEMBER, DECEMBER = date(2026, 8, 1), date(2026, 11, 1), date(2026, 12, 1)


def test_without_a_change_it_was_always_so() -> None:
    assert history(True, []) == Residence(True)
    assert not history(False, []).on(AUGUST)


def test_a_move_holds_from_its_day() -> None:
    home = history(False, [(NOVEMBER, False, True)])
    assert home.on(NOVEMBER - timedelta(days=1))
    assert not home.on(NOVEMBER)


def test_the_day_of_a_move_can_be_corrected_both_ways() -> None:
    for corrected in (AUGUST, DECEMBER):
        home = history(False, [(NOVEMBER, False, True), (corrected, False, False)])
        assert home == Residence(True, (Move(corrected, False),))


def test_coming_back_is_a_second_move() -> None:
    home = history(True, [(AUGUST, False, True), (NOVEMBER, True, False)])
    assert [home.on(day) for day in (date(2026, 7, 31), AUGUST, NOVEMBER)] == [True, False, True]


def test_a_move_dated_before_others_takes_their_place() -> None:
    rows = [(NOVEMBER, False, True), (AUGUST, True, False)]
    assert history(True, rows) == Residence(True)


@settings(max_examples=60, deadline=None)
@given(st.booleans(), st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=8))
def test_days_are_in_order_moves_change_something_and_the_last_word_holds(
    first: bool, said: list[tuple[int, bool]]
) -> None:
    rows, now = [], first
    for day, resident in said:
        rows.append((AUGUST + timedelta(days=day), resident, now))
        now = resident
    home = history(now, rows)
    days = [move.on for move in home.moves]
    assert days == sorted(set(days))
    told = [home.first, *(move.resident for move in home.moves)]
    assert all(one is not other for one, other in zip(told, told[1:], strict=False))
    if rows:
        assert home.on(rows[-1][0]) is rows[-1][1]
        assert home.on(date(2030, 1, 1)) is now
