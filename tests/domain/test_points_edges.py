"""P2, P3, P7: the edges of rules and plans, each pinned by an example."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from points.domain.accounts import AccountKind
from points.domain.awards import Change, Limit, Share
from points.domain.rules import (
    Rate,
    Remainder,
    RuleSet,
    Source,
    YearTerms,
    check_new,
    check_terms,
)
from points.domain.transfers import (
    Position,
    plan_awards,
    plan_exchange,
    plan_lapse,
    plan_undo_exchange,
    plan_voucher,
)
from points.domain.vouchers import Step
from registry.domain.errors import Refused

K = AccountKind
RULES = RuleSet("a", "p", date(2025, 4, 1), (Rate("join", "参加型", 1), Rate("help", "支援型", 2)),
                frozenset({Source.GROUP}), 3, 500, vouchers_per_year=4)
TERMS = YearTerms("p", 2026, 500, date(2026, 4, 1), date(2027, 6, 30), date(2027, 4, 20),
                  date(2027, 7, 1), 10)
ON = date(2026, 5, 1)


def refused(code: str, *fields: str) -> object:
    class _Expected:
        def __enter__(self) -> None:
            self.raised = pytest.raises(Refused)
            self.caught = self.raised.__enter__()

        def __exit__(self, *error: object) -> bool:
            done = bool(self.raised.__exit__(*error))  # type: ignore[arg-type]
            assert self.caught.value.code == code
            assert set(self.caught.value.fields) == set(fields)
            return done

    return _Expected()


# ------------------------------------------------------------------------- rules
def test_P2_the_window_of_exchange_includes_both_its_days() -> None:
    assert TERMS.in_window(date(2026, 4, 1)) and TERMS.in_window(date(2027, 6, 30))
    assert not TERMS.in_window(date(2026, 3, 31)) and not TERMS.in_window(date(2027, 7, 1))


def test_P2_a_new_rule_set_says_from_which_day_it_may_begin() -> None:
    new = replace(RULES, code="b", begins_on=date(2026, 5, 1))
    with refused("begins_before_awards", "begins_on"):
        check_new(new, [RULES], date(2026, 5, 1))
    with pytest.raises(Refused) as no:
        check_new(new, [RULES], date(2026, 5, 1))
    assert "2026年5月1日まで" in no.value.fields["begins_on"]
    assert "2026年5月2日以後" in no.value.fields["begins_on"]
    check_new(new, [RULES], date(2026, 4, 30))


def test_P2_a_code_and_a_day_are_taken_by_any_one_of_the_others() -> None:
    third = replace(RULES, code="c", begins_on=date(2027, 4, 1))
    with refused("begins_same_day", "begins_on"):
        check_new(replace(RULES, code="b"), [RULES, third], None)
    with refused("code_taken"):
        check_new(replace(RULES, begins_on=date(2026, 4, 1)), [RULES, third], None)
    # Another programme may begin on the same day; its kinds are its own.
    check_new(replace(RULES, code="b", programme="q", rates=(Rate("x", "別", 1),)), [RULES], None)


def test_P2_no_kind_is_lost_before_and_after() -> None:
    few = (Rate("join", "参加型", 1),)
    with pytest.raises(Refused, match="kind_lost") as no:
        check_new(replace(RULES, code="b", begins_on=date(2026, 4, 1), rates=few), [RULES], None)
    assert no.value.fields["rates"].startswith("支援型がありません。2026年4月1日から")
    between = replace(RULES, code="b", begins_on=date(2026, 4, 1),
                      rates=(*RULES.rates, Rate("new", "新しい型", 1)))
    later = replace(RULES, code="c", begins_on=date(2027, 4, 1))
    more = replace(between, code="d", begins_on=date(2028, 4, 1))
    with pytest.raises(Refused, match="kind_lost"):
        check_new(between, [RULES, later, more], None)
    check_new(replace(between, rates=RULES.rates), [RULES, later, more], None)
    first = replace(RULES, code="z", begins_on=date(2025, 3, 1), rates=few)
    check_new(first, [RULES, later], None)


def test_P2_two_rates_of_one_name_are_refused() -> None:
    twice = (Rate("join", "参加型", 1), Rate("help", "参加型", 2))
    with refused("label_twice", "rates"):
        check_new(replace(RULES, code="b", begins_on=date(2026, 4, 1), rates=twice), [], None)


def test_P2_a_rate_is_known_by_its_kind_only() -> None:
    with pytest.raises(Refused) as no:
        RULES.rate("なし")
    assert (no.value.code, no.value.fields) == ("unknown_kind", {"kind": "なし"})


@pytest.mark.parametrize(("changes", "fields"), [
    ({"sources": frozenset({Source.EVENT}), "group_minimum": 5}, {"group_minimum"}),
    ({"group_counts_eligible": True}, {"group_counts_eligible"}),
    ({"group_minimum": 0}, {"group_minimum"}),
    ({"rates": (Rate("join", "", 1), Rate("help", "支援型", 1))}, {"rates"}),
    ({"rates": (Rate("join", "参加型", 1), Rate("", "支援型", 1))}, {"rates"}),
    ({"rates": (Rate("join", "参加型", -1), Rate("help", "支援型", 1))}, {"rates"}),
    ({"group_day_cap": 2, "daily_cap": 1}, {"group_day_cap"}),
])
def test_P2_each_fault_is_named(changes: dict[str, object], fields: set[str]) -> None:
    with pytest.raises(Refused) as no:
        replace(RULES, **changes)  # type: ignore[arg-type]
    assert set(no.value.fields) == fields


def test_P2_caps_may_be_equal_and_a_cap_alone_is_fine() -> None:
    replace(RULES, group_day_cap=2, daily_cap=2)
    replace(RULES, group_day_cap=1)
    replace(RULES, daily_cap=1)
    check_terms(replace(RULES, daily_cap=10), TERMS)
    check_terms(RULES, replace(TERMS, annual_cap=1))
    with refused("cap_below_daily", "daily_cap"):
        check_terms(replace(RULES, daily_cap=11), TERMS)


# ------------------------------------------------------------------------- plans
def changed(number: int, was: int, points: int, *, first: bool) -> Change:
    return Change(number, was, Share(number, points, "a", Limit.NONE, f"説明{number}"), first)


def told(rows: list) -> list[tuple[str, str, int]]:
    return [(r.debit.kind.value, r.credit.kind.value, r.amount) for r in rows]


def test_P3_a_decision_without_a_difference_moves_nothing() -> None:
    same = changed(1, 2, 2, first=False)
    assert plan_awards(Position("p", "1", {2026: 0}, owed=1), [same], fiscal_year=2026) == []
    rows = plan_awards(Position("p", "1", {2026: 5}), [changed(2, 1, 0, first=False), same],
                       fiscal_year=2026)
    assert told(rows) == [("wallet", "issue", 1)]


def test_P3_the_first_award_is_told_as_it_is_and_a_later_one_as_a_correction() -> None:
    said = [plan_awards(Position("p", "1"), [one], fiscal_year=2026)[0].sentence for one in (
        changed(1, 0, 1, first=True), changed(1, 0, 1, first=False), changed(1, 1, 3, first=False))]
    assert said == ["説明1", "訂正 +1ポイント：説明1", "訂正 +2ポイント：説明1"]
    assert plan_awards(Position("p", "1", {2026: 5}), [changed(1, 2, 0, first=False)],
                       fiscal_year=2026)[0].sentence == "訂正 -2ポイント：説明1"


def test_P1_what_lapsed_is_taken_back_once_only() -> None:
    void = [changed(1, 2, 0, first=False), changed(2, 2, 0, first=False)]
    rows = plan_awards(Position("p", "1", {2025: 1}, lapsed={2025: 2}), void, fiscal_year=2025)
    assert told(rows) == [("wallet", "issue", 1), ("expired", "issue", 1),
                          ("expired", "issue", 1), ("shortfall", "issue", 1)]
    assert told(plan_awards(Position("p", "1"), void[:1], fiscal_year=2025)) == [
        ("shortfall", "issue", 2)]


def test_P1_what_is_owed_is_paid_once_from_several_years() -> None:
    rows = plan_awards(Position("p", "1", {2025: 2}, owed=3), [changed(1, 0, 2, first=True)],
                       fiscal_year=2026)
    assert [(r.debit.fiscal_year, r.credit.kind.value, r.amount) for r in rows] == [
        (None, "wallet", 2), (2025, "shortfall", 2), (2026, "shortfall", 1)]


@pytest.mark.parametrize(("taken", "left"), [(0, 4), (3, 1), (4, 0), (6, 0)])
def test_P7_the_limit_says_how_many_are_left(taken: int, left: int) -> None:
    with pytest.raises(Refused) as no:
        plan_exchange(Position("p", "1", {2026: 99}), [f"s{n}" for n in range(5)], exchange="x",
                      rules=RULES, terms={2026: TERMS}, on=ON, taken=taken)
    assert no.value.code == "vouchers_limit"
    assert no.value.fields == {"count": f"利用券は年に4枚までです。あと{left}枚交換できます。"}


def test_P7_too_few_points_say_how_many_vouchers_there_could_be() -> None:
    with pytest.raises(Refused) as no:
        plan_exchange(Position("p", "1", {2026: 5}), ["s1", "s2"], exchange="x", rules=RULES,
                      terms={2026: TERMS}, on=ON, taken=0)
    assert no.value.fields == {"count": "ポイントが足りません。いま交換できるのは1枚です。"}


def test_P7_an_undone_exchange_pays_what_is_owed_from_what_returns() -> None:
    rows = plan_exchange(Position("p", "1", {2026: 3}), ["s1"], exchange="x", rules=RULES,
                         terms={2026: TERMS}, on=ON, taken=0)
    back = plan_undo_exchange(Position("p", "1", owed=9), {str(n): r for n, r in enumerate(rows)},
                              void="v")
    assert told(back) == [("redeemed", "wallet", 3), ("voucher", "voucher_void", 500),
                          ("wallet", "shortfall", 3)]


def test_P2_the_sentence_of_a_carried_remainder_names_both_years() -> None:
    rows = plan_lapse(Position("p", "1", {2026: 4}), 2026, expiry="e",
                      rules=replace(RULES, remainder=Remainder.CARRY), terms=TERMS,
                      on=date(2027, 7, 1))
    assert [r.sentence for r in rows] == [
        "2026年度の端数1ポイントを2027年度に繰り越しました",
        "2026年度の3ポイントは期限が過ぎたため失効しました"]


def test_P7_a_step_names_the_shop_when_there_is_one() -> None:
    given = {"programme": "p", "serial": "26-1", "yen": 500, "ref": "r"}
    used = plan_voucher(Step.USE, shop="7", name="見本商店", **given)  # type: ignore[arg-type]
    assert used.sentence == "利用券 26-1（500円）を利用：見本商店"
    assert plan_voucher(Step.LAPSE, **given).sentence == "利用券 26-1（500円）が期限切れ"  # type: ignore[arg-type]
