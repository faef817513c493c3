"""A group's filing, judged in plain Python (P9): steps, the count, the warning."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from points.domain.eligibility import Facts
from points.domain.groups import State, Step, after, count
from points.domain.rules import Below, Rate, RuleSet, Source
from registry.domain.errors import Refused

ON = date(2026, 11, 23)
GROWN = Facts(birth_on=date(1950, 5, 5), registered=True, resident=True, member=True)
CHILD = Facts(birth_on=date(2016, 5, 5), registered=True, resident=True, member=True)
LEFT = Facts(birth_on=date(1950, 5, 5), registered=False, resident=True, member=True)


def rules(**changes: Any) -> RuleSet:
    given: dict[str, Any] = {
        "code": "r", "programme": "p", "begins_on": date(2025, 4, 1),
        "rates": (Rate("join", "参加型", 1),), "sources": frozenset({Source.GROUP}),
        "points_per_voucher": 5, "yen_per_voucher": 500, "minimum_age": 13,
        "group_minimum": 2, "group_counts_eligible": True,
    }
    return RuleSet(**(given | changes))


ALLOWED = {
    (State.DRAFT, Step.CHANGE): State.DRAFT, (State.RETURNED, Step.CHANGE): State.RETURNED,
    (State.DRAFT, Step.SUBMIT): State.SUBMITTED, (State.RETURNED, Step.SUBMIT): State.SUBMITTED,
    (State.SUBMITTED, Step.REGISTER): State.REGISTERED,
    (State.SUBMITTED, Step.RETURN): State.RETURNED,
    (State.DRAFT, Step.WITHDRAW): State.WITHDRAWN,
    (State.SUBMITTED, Step.WITHDRAW): State.WITHDRAWN,
    (State.RETURNED, Step.WITHDRAW): State.WITHDRAWN,
    (State.REGISTERED, Step.WITHDRAW): State.WITHDRAWN,
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("step", Step)
def test_P9_each_step_has_its_states_and_no_other(state: State, step: Step) -> None:
    if (state, step) in ALLOWED:
        assert after(state, step) is ALLOWED[state, step]
        return
    with pytest.raises(Refused) as no:
        after(state, step)
    assert no.value.code == "not_in_this_state"


def test_P9_only_those_count_whose_attendance_would_and_each_no_has_its_reason() -> None:
    found = count(rules(), {1: GROWN, 2: CHILD, 3: LEFT}, on=ON)
    assert (found.members, found.counted, found.enough) == (3, 1, False)
    assert [(one.volunteer, one.counts, one.code) for one in found.lines] == [
        (1, True, "eligible"), (2, False, "under_age"), (3, False, "not_registered")]
    assert found.lines[0].sentence == "数えられる会員です。"
    assert found.lines[1].sentence == "この年度に13歳になる方からが対象のため、人数に数えません。"
    assert found.warning == (
        "数えられる会員が1人です。2人以上が必要です（会員3人のうち2人は数えられません）。"
        "活動は続けられますが、早めに会員をふやしてください。")
    assert not found.stops_sessions


def test_P9_a_rule_may_count_everybody_who_is_a_member() -> None:
    found = count(rules(group_counts_eligible=False), {1: GROWN, 2: CHILD}, on=ON)
    assert (found.counted, found.enough, found.warning) == (2, True, "")
    assert found.lines[1].code == "under_age" and found.lines[1].counts


def test_P9_the_minimum_itself_is_enough_and_without_one_nobody_is_needed() -> None:
    assert count(rules(), {1: GROWN, 2: GROWN}, on=ON).enough
    short = count(rules(), {1: GROWN}, on=ON)
    assert not short.enough and "のうち" not in short.warning
    none = count(rules(group_minimum=None, group_counts_eligible=False), {}, on=ON)
    assert none.enough and none.warning == "" and not none.stops_sessions


def test_P9_below_the_minimum_sessions_stop_only_where_the_rule_says_so() -> None:
    strict = rules(group_below=Below.NO_SESSIONS)
    found = count(strict, {1: GROWN}, on=ON)
    assert found.stops_sessions and found.warning.endswith(
        "足りないあいだ、新しい開催回は登録できません。")
    assert not count(strict, {1: GROWN, 2: GROWN}, on=ON).stops_sessions


@pytest.mark.parametrize(("changes", "field"), [
    ({"group_minimum": 0}, "group_minimum"),
    ({"group_minimum": None, "group_counts_eligible": True}, "group_counts_eligible"),
    ({"sources": frozenset({Source.CENTRE})}, "group_minimum"),
])
def test_P9_a_rule_about_members_that_cannot_be_is_refused(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refused) as wrong:
        rules(**changes)
    assert wrong.value.code == "rule_set_invalid" and field in wrong.value.fields


def test_P9_the_day_decides_about_the_age_in_its_fiscal_year() -> None:
    soon = Facts(birth_on=date(2014, 4, 1), registered=True, resident=True, member=True)
    assert count(rules(group_minimum=1), {1: soon}, on=ON).enough, "13 by 31 March 2027"
    assert not count(rules(group_minimum=1), {1: soon}, on=date(2026, 3, 31)).enough
