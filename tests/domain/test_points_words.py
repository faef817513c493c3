"""P3: words that are stored or answered never change, and what is left out has its meaning.

Codes stand in the ledger, in answers of the interface and on printed paper: renaming one in the
source would make the stored rows say something else.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from enum import Enum

import pytest

from points.domain import accounts, awards, results, rules, tokens, vouchers, years
from points.domain.awards import Attendance, Standing, allocate, total
from points.domain.eligibility import Decision, Facts, decide
from points.domain.rules import Rate, RuleSet, Source, YearTerms

WORDS: dict[type[Enum], str] = {
    awards.Standing: "valid void overlap_waiting year_closed",
    awards.Limit: "none group_day daily annual no_points ineligible duplicate void"
                  " overlap_waiting year_closed",
    rules.Per: "attendance started_hour",
    rules.Source: "group centre event",
    rules.Remainder: "carry void",
    rules.YearState: "open closing closed",
    rules.Below: "warn no_sessions",
    years.ExceptionKind: "postpone carry end",
    accounts.Unit: "POINT JPY",
    accounts.AccountKind: "wallet shortfall issue redeemed expired budget voucher shop_used"
                          " shop_payable paid voucher_void voucher_lapsed",
    accounts.CauseKind: "attendance exchange use settlement void expiry merge",
    results.Result: "granted already cap_reached queued expired not_open unknown_device bad_card"
                    " other_group not_eligible overlap_waiting year_closed cancelled_card",
    results.Colour: "success notice waiting error guide",
    results.Layout: "filled_band outlined_band top_rule form",
    tokens.Kind: "card event printed form",
    vouchers.State: "issued used claimed paid void lapsed",
    vouchers.Step: "use claim pay void lapse",
}


@pytest.mark.parametrize("words", WORDS, ids=lambda one: one.__name__)
def test_P3_stored_words_never_change(words: type[Enum]) -> None:
    stored = [one.value for one in words]
    assert stored[: len(WORDS[words].split())] == WORDS[words].split()
    assert [one.name.lower() for one in words] == [value.lower() for value in stored]


def test_every_result_has_a_face_of_its_own() -> None:
    faces = [(one.face.icon, one.face.sound) for one in results.Result]
    assert faces == [
        ("check", "rise"), ("triangle", "two_soft"), ("flag", "one_soft"), ("clock", "one_low"),
        ("cross", "fall"), ("door", "fall_short"), ("phone", "one_high"), ("question", "two_low"),
        ("people", "three_soft"), ("info", "low_soft"), ("overlap", "two_low_soft"),
        ("calendar", "low_long"), ("card_off", "three_low"),
    ]


def test_P1_what_is_not_known_is_no_ground_for_points() -> None:
    facts = Facts(None, True)
    assert (facts.member, facts.enrolled, facts.resident) == (False, False, None)


RULES = RuleSet("r", "p", date(2025, 4, 1), (Rate("join", "参加型", 1),), frozenset(Source), 5, 500)
TERMS = YearTerms("p", 2026, 500, date(2026, 4, 1), date(2027, 6, 30), date(2027, 4, 20),
                  date(2027, 7, 1))
DAY = date(2026, 5, 1)


def test_P3_every_no_has_its_code_and_its_sentence() -> None:
    asked = replace(RULES, enrolment_required=True)
    no = decide(asked, Facts(None, True), on=DAY, source=Source.EVENT)
    assert (no.eligible, no.code) == (False, "not_enrolled")
    assert no.sentence == "この事業の年度登録がないため、ポイントの対象になりません。"
    yes = Decision(True)
    assert (yes.code, yes.clause, yes.sentence) == ("eligible", "", "ポイントの対象です。")


def seen(number: int = 1, **changes: object) -> Attendance:
    start = datetime(2026, 5, 1, 10, tzinfo=UTC)
    given = {"attendance": number, "session": number, "on": DAY, "starts_at": start,
             "group": None, "kind": "join", "title": "会"}
    return Attendance(**(given | changes))  # type: ignore[arg-type]


def test_P1_the_same_record_twice_is_one_and_two_contents_of_one_id_are_refused() -> None:
    assert len(allocate([seen(), replace(seen())], [RULES], TERMS)) == 1
    with pytest.raises(ValueError, match="two contents"):
        allocate([seen(), seen(title="別の会")], [RULES], TERMS)
    with pytest.raises(ValueError, match="two contents"):
        allocate([seen(), seen(title="別の会", standing=Standing.VOID)], [RULES], TERMS)
    with pytest.raises(ValueError, match="two standings"):
        allocate([seen(), seen(standing=Standing.YEAR_CLOSED)], [RULES], TERMS)
    [share] = allocate([seen(), seen(standing=Standing.VOID)], [RULES], TERMS)
    assert (share.points, share.limit) == (0, awards.Limit.VOID)


def test_P2_an_hourly_rate_without_minutes_gives_nothing() -> None:
    hourly = replace(RULES, rates=(Rate("join", "活動型", 3, rules.Per.STARTED_HOUR),))
    assert seen().minutes == 0
    assert [s.points for s in allocate([seen()], [hourly], TERMS)] == [0]
    assert [s.points for s in allocate([seen(minutes=61)], [hourly], TERMS)] == [6]


def test_P1_a_second_record_of_one_session_counts_once_in_total_and_shares() -> None:
    twice = [seen(1), seen(2, session=1)]
    assert total(twice, [RULES], TERMS) == 1
    assert [s.limit for s in allocate(twice, [RULES], TERMS)] == [
        awards.Limit.NONE, awards.Limit.DUPLICATE]
