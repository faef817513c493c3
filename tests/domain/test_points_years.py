"""P1–P3: when a year may be closed, and what an approved exception changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from points.domain import years
from points.domain.awards import Limit, Share, change
from points.domain.rules import YearState, YearTerms
from points.domain.years import ExceptionKind, YearException
from registry.domain.errors import Refused, TsunagariError

TERMS = YearTerms(
    "p", 2026, 500, date(2026, 4, 1), date(2027, 6, 30), date(2027, 4, 20), date(2027, 7, 1)
)
CLOSING = replace(TERMS, state=YearState.CLOSING)
CLOSED = replace(TERMS, state=YearState.CLOSED)
LONGER = YearException(1, ExceptionKind.POSTPONE, date(2027, 12, 31), date(2028, 1, 1))
CARRY = YearException(2, ExceptionKind.CARRY)


def code_of(call: Any, *given: Any, **named: Any) -> str:
    with pytest.raises(TsunagariError) as refusal:
        call(*given, **named)
    return refusal.value.code


def end(number: int, which: int) -> YearException:
    return YearException(number, ExceptionKind.END, ends=which)


def check(new: YearException, *known: YearException, **named: Any) -> None:
    usual: dict[str, Any] = {"on": date(2027, 5, 1), "lapsed": False, "next_year_open": True}
    years.check_exception(new, known, named.pop("terms", TERMS), **(usual | named))


def test_P1_a_year_begins_to_close_after_its_last_day() -> None:
    assert code_of(years.check_begin, TERMS, date(2027, 3, 31)) == "year_not_over"
    years.check_begin(TERMS, date(2027, 4, 1))
    for later in (CLOSING, CLOSED):
        assert code_of(years.check_begin, later, date(2027, 4, 1)) == "year_state"


def test_P1_a_year_is_closed_after_its_grace_date_and_once() -> None:
    with pytest.raises(Refused, match="grace_not_over") as refusal:
        years.check_close(CLOSING, date(2027, 4, 20))
    assert refusal.value.message == (
        "おくれた記録を2027年4月20日まで受けつけます。2027年4月21日からしめきれます。"
    )
    years.check_close(CLOSING, date(2027, 4, 21))
    assert code_of(years.check_close, TERMS, date(2027, 4, 21)) == "year_state"
    assert code_of(years.check_close, CLOSED, date(2027, 4, 21)) == "already_closed"


def test_P2_points_lapse_in_a_closed_year_from_their_date_on() -> None:
    assert not years.lapse_due(CLOSED, date(2027, 6, 30))
    assert years.lapse_due(CLOSED, date(2027, 7, 1))
    assert not years.lapse_due(CLOSING, date(2027, 7, 1))


def test_P2_an_exception_changes_the_terms_while_it_is_in_force() -> None:
    assert years.effect([]) == {}
    both = years.effect([CARRY, LONGER])
    assert both == {
        "carries_all": True, "exchange_until": "2027-12-31", "lapses_on": "2028-01-01"
    }
    held = years.with_exception(TERMS, both)
    assert (held.exchange_until, held.lapses_on) == (date(2027, 12, 31), date(2028, 1, 1))
    assert replace(held, exchange_until=TERMS.exchange_until, lapses_on=TERMS.lapses_on) == TERMS
    assert years.with_exception(TERMS, years.effect([CARRY])) == TERMS
    later = YearException(5, ExceptionKind.POSTPONE, date(2028, 2, 1), date(2028, 3, 1))
    assert years.effect([later, LONGER])["lapses_on"] == "2028-03-01"
    assert years.effect([LONGER, later, end(6, 5)])["lapses_on"] == "2028-01-01"
    assert years.effect([LONGER, CARRY, end(6, 1), end(7, 2)]) == {}


def test_P2_an_exception_never_shortens_what_was_promised() -> None:
    check(LONGER)
    check(CARRY, LONGER)
    for until, lapses, field in (
        (date(2027, 6, 29), date(2028, 1, 1), "exchange_until"),
        (None, date(2028, 1, 1), "exchange_until"),
        (date(2027, 6, 30), date(2027, 7, 1), "lapses_on"),
        (date(2027, 8, 1), date(2027, 8, 1), "lapses_on"),
        (date(2027, 8, 1), None, "lapses_on"),
    ):
        with pytest.raises(Refused, match="exception_dates") as refusal:
            check(YearException(9, ExceptionKind.POSTPONE, until, lapses))
        assert list(refusal.value.fields) == [field]
    passed = YearException(9, ExceptionKind.POSTPONE, date(2027, 6, 30), date(2027, 7, 15))
    check(passed, on=date(2027, 7, 14))
    assert code_of(check, passed, on=date(2027, 7, 15)) == "exception_dates"
    assert code_of(check, LONGER, LONGER) == "exception_dates"


def test_P2_an_exception_that_cannot_be_applied_is_refused() -> None:
    for one in (LONGER, CARRY, end(9, 1)):
        assert code_of(check, one, LONGER, lapsed=True) == "year_lapsed"
    assert code_of(check, replace(CARRY, id=9), CARRY) == "exception_twice"
    check(replace(CARRY, id=9), CARRY, end(8, 2))
    assert code_of(check, CARRY, next_year_open=False) == "next_year_missing"
    assert code_of(check, end(9, 7), LONGER) == "exception_unknown"
    assert code_of(check, end(9, 1), LONGER, end(8, 1)) == "exception_unknown"
    check(end(9, 1), LONGER, on=date(2027, 6, 30))
    assert code_of(check, end(9, 1), LONGER, on=date(2027, 7, 1)) == "exception_overdue"


def test_a_preview_is_another_as_soon_as_a_figure_is() -> None:
    assert years.version({"a": 1, "b": 2}) == years.version({"b": 2, "a": 1})
    assert years.version({"a": 1}) != years.version({"a": 2})
    assert 0 <= years.version({}) < 1 << 48


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(5)))
def test_what_waits_is_known_again_in_any_order(order: list[int]) -> None:
    after = [Share(n, n + 1, "r", Limit.NONE, f"{n}") for n in range(5)]
    changes = change([], after)
    assert years.content([changes[n] for n in order]) == years.content(changes)
    assert years.content(changes[1:]) != years.content(changes)


def test_a_year_in_its_window_is_never_lapsed() -> None:
    for days in range(200):
        on = TERMS.exchange_from + timedelta(days=days * 3)
        assert not (CLOSED.in_window(on) and years.lapse_due(CLOSED, on))
