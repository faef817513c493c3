"""P2 (rules are dated data) and eligibility."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from points.domain import rules as R
from points.domain.eligibility import Facts, age_in_year, decide
from points.domain.results import Result
from points.domain.rules import Per, Rate, RuleSet, Source, YearState, YearTerms
from registry.domain.errors import Refused

RULES = RuleSet(
    code="見本-1",
    programme="tsunapon",
    begins_on=date(2026, 4, 1),
    rates=(Rate("help", "支援型", 2), Rate("join", "参加型", 1)),
    sources=frozenset({Source.GROUP}),
    points_per_voucher=10,
    yen_per_voucher=500,
    group_day_cap=2,
    daily_cap=3,
)
TERMS = YearTerms(
    programme="tsunapon",
    fiscal_year=2026,
    yen_value=500,
    exchange_from=date(2027, 2, 1),
    exchange_until=date(2027, 4, 30),
    grace_until=date(2027, 4, 20),
    lapses_on=date(2027, 5, 1),
    annual_cap=120,
)


def code_of(call, *arguments, **named) -> str:
    with pytest.raises(Refused) as caught:
        call(*arguments, **named)
    assert caught.value.message.endswith("。")
    return caught.value.code


@given(st.dates(date(1900, 1, 1), date(2200, 1, 1)))
def test_P2_fiscal_year_runs_from_april_to_march(on) -> None:
    first, last = R.fiscal_year_span(R.fiscal_year(on))
    assert first <= on <= last
    assert R.fiscal_year(last + timedelta(days=1)) == R.fiscal_year(first) + 1


@given(st.permutations(range(5)), st.dates(date(2026, 4, 1), date(2031, 3, 31)))
def test_P2_the_activitys_date_picks_the_rule_set_in_any_order(order, on) -> None:
    sets = [replace(RULES, code=str(y), begins_on=date(2026 + y, 4, 1)) for y in range(5)]
    assert R.pick([sets[number] for number in order], on).code == str(R.fiscal_year(on) - 2026)
    assert code_of(R.pick, sets, date(2026, 3, 31)) == "no_rules"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rates", ()), ("rates", (Rate("a", "A", 1), Rate("a", "B", 2))),
        ("rates", (Rate("a", "A", -1),)), ("rates", (Rate("a", "", 1),)), ("sources", frozenset()),
        ("group_day_cap", 0), ("daily_cap", 0), ("group_day_cap", 4), ("vouchers_per_year", 0),
        ("minimum_age", 0), ("minimum_age", 121), ("points_per_voucher", 0),
        ("yen_per_voucher", 0), ("code", ""),
    ],
)  # fmt: skip
def test_P2_unknown_combinations_are_refused_at_entry(field, value) -> None:
    with pytest.raises(Refused) as caught:
        replace(RULES, **{field: value})
    assert caught.value.code == "rule_set_invalid" and field in caught.value.fields


def test_P2_combinations_of_source_and_group_are_refused_and_all_are_named() -> None:
    with pytest.raises(Refused) as caught:
        replace(RULES, sources=frozenset({Source.CENTRE}), membership_required=True)
    assert set(caught.value.fields) == {"membership_required", "group_day_cap"}
    both = frozenset({Source.CENTRE, Source.GROUP})
    with pytest.raises(Refused):
        replace(RULES, sources=both, membership_required=True)
    replace(RULES, group_day_cap=3)  # as much as the daily cap is allowed


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("yen_value", 0), ("annual_cap", 0), ("exchange_from", date(2026, 3, 31)),
        ("exchange_from", date(2027, 5, 1)), ("grace_until", date(2027, 3, 31)),
        ("lapses_on", date(2027, 4, 30)), ("lapses_on", date(2027, 4, 20)),
    ],
)  # fmt: skip
def test_P2_year_terms_are_checked(field, value) -> None:
    with pytest.raises(Refused) as caught:
        replace(TERMS, **{field: value})
    assert caught.value.code == "year_terms_invalid" and field in caught.value.fields


def test_P2_a_new_rule_set_may_not_touch_days_that_have_awards() -> None:
    new = replace(RULES, code="見本-2", begins_on=date(2026, 11, 24))
    R.check_new(new, [RULES], date(2026, 11, 23))
    R.check_new(new, [RULES], None)
    assert code_of(R.check_new, new, [RULES], date(2026, 11, 24)) == "begins_before_awards"
    assert code_of(R.check_new, new, [RULES], date(2026, 12, 1)) == "begins_before_awards"
    assert code_of(R.check_new, replace(RULES, code="b"), [RULES], None) == "begins_same_day"
    assert code_of(R.check_new, replace(new, code="見本-1"), [RULES], None) == "code_taken"
    fewer = replace(new, rates=(Rate("help", "支援型", 2),))
    assert code_of(R.check_new, fewer, [RULES], None) == "kind_lost"


def test_P2_rules_and_year_terms_must_agree() -> None:
    R.check_terms(RULES, TERMS)
    assert code_of(R.check_terms, RULES, replace(TERMS, yen_value=100)) == "yen_differs"
    assert code_of(R.check_terms, RULES, replace(TERMS, programme="x")) == "other_programme"
    assert code_of(R.check_terms, RULES, replace(TERMS, annual_cap=2)) == "cap_below_daily"


def test_P1_a_year_goes_open_closing_closed_and_never_back() -> None:
    assert R.next_state(TERMS, date(2027, 3, 31)) is YearState.OPEN
    assert R.next_state(TERMS, date(2027, 4, 1)) is YearState.CLOSING
    assert R.next_state(TERMS, date(2027, 4, 20)) is YearState.CLOSING
    assert R.next_state(TERMS, date(2027, 4, 21)) is YearState.CLOSED
    closing = replace(TERMS, state=YearState.CLOSING)
    assert R.next_state(closing, date(2027, 3, 1)) is YearState.CLOSING
    closed = replace(TERMS, state=YearState.CLOSED)
    assert R.next_state(closed, date(2026, 5, 1)) is YearState.CLOSED
    R.require_open(closing)
    R.require_open(closed, correction="紙の名簿がとどいたため")
    assert code_of(R.require_open, closed) == "year_closed"
    assert code_of(R.require_open, closed, correction=" ") == "year_closed"


@pytest.mark.parametrize(
    ("minutes", "points"), [(0, 0), (1, 2), (60, 2), (61, 4), (120, 4), (121, 6)]
)
def test_P2_points_per_started_hour(minutes, points) -> None:
    assert Rate("help", "支援型", 2, Per.STARTED_HOUR).points_for(minutes) == points
    assert Rate("help", "支援型", 2).points_for(minutes) == 2
    assert code_of(RULES.rate, "other") == "unknown_kind"


STRICT = replace(
    RULES, minimum_age=13, residence_required=True, membership_required=True, daily_cap=None
)
GOOD = Facts(birth_on=date(2014, 4, 1), registered=True, resident=True, member=True)


@pytest.mark.parametrize(
    ("facts", "source", "code"),
    [
        (GOOD, Source.GROUP, "eligible"),
        (replace(GOOD, registered=False), Source.GROUP, "not_registered"),
        (GOOD, Source.CENTRE, "source_not_allowed"),
        (replace(GOOD, resident=None), Source.GROUP, "residence_unknown"),
        (replace(GOOD, resident=False), Source.GROUP, "not_resident"),
        (replace(GOOD, birth_on=None), Source.GROUP, "birth_unknown"),
        (replace(GOOD, birth_on=date(2014, 4, 2)), Source.GROUP, "under_age"),
        (replace(GOOD, member=False), Source.GROUP, "not_member"),
    ],
)
def test_P2_every_no_has_a_code_and_a_sentence(facts, source, code) -> None:
    answer = decide(STRICT, facts, on=date(2026, 4, 1), source=source)
    assert answer.code == code and answer.eligible == (code == "eligible")
    assert answer.sentence.endswith("。") and bool(answer.clause) != answer.eligible
    assert answer.eligible or answer.clause.endswith("ため")
    assert (answer.result is Result.OTHER_GROUP) == (code == "not_member")


def test_P2_the_age_counts_in_the_fiscal_year_not_on_the_day() -> None:
    assert age_in_year(date(2014, 3, 31), 2026) == 13
    assert age_in_year(date(2014, 4, 1), 2026) == 13
    assert age_in_year(date(2014, 4, 2), 2026) == 12
    assert age_in_year(date(1938, 7, 1), 2026) == 88
    loose = replace(RULES, minimum_age=None)
    assert decide(loose, Facts(None, True), on=date(2026, 4, 1), source=Source.GROUP).eligible
