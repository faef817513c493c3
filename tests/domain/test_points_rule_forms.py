"""P2: a rule set as a form and in sentences; the rehearsal of one that is not in force yet."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from points.domain import rule_forms as forms
from points.domain.awards import Attendance, allocate
from points.domain.rule_preview import Tally, period, rehearsed
from points.domain.rule_sentences import difference, sentences, terms_sentences
from points.domain.rules import (
    Below,
    Rate,
    Remainder,
    RuleSet,
    Source,
    YearTerms,
    pick,
)
from registry.domain.errors import Refused
from tests.factories.rule_sets import DAYS, SMALL, rule_sets, years

QUICK = settings(max_examples=60, deadline=None)

@given(rule_sets())
@QUICK
def test_P2_form_and_rule_set_are_the_same_thing(rules: RuleSet) -> None:
    form = forms.to_form(rules, begins_on=rules.begins_on)
    assert forms.from_form(form, programme="p", code="p-1") == rules
    assert forms.clean(form) == form


@given(rule_sets(), rule_sets())
@QUICK
def test_P2_two_rule_sets_read_alike_only_when_they_decide_alike(a: RuleSet, b: RuleSet) -> None:
    alike = replace(a, begins_on=b.begins_on) == b
    assert (sentences(a) == sentences(b)) == alike
    assert (difference(sentences(a), sentences(b)) == ()) == alike
    assert all(line.text.endswith("。") and line.label for line in sentences(a))


@pytest.mark.parametrize("name", [
    field.name for field in fields(RuleSet) if field.name not in ("code", "programme", "begins_on")
])
def test_P2_every_field_of_a_rule_set_is_told(name: str) -> None:
    full = RuleSet(
        "p-1", "p", date(2026, 4, 1), (Rate("a", "A", 1),), frozenset({Source.GROUP}), 5, 500,
        2, 3, 12, 13, True, True, Remainder.CARRY, True, 5, True, Below.NO_SESSIONS,
    )
    other: dict[str, Any] = {
        "rates": (Rate("a", "A", 2),), "sources": frozenset(Source), "points_per_voucher": 6,
        "yen_per_voucher": 600, "remainder": Remainder.VOID, "group_below": Below.WARN,
        "group_day_cap": 1, "daily_cap": 4, "vouchers_per_year": None, "minimum_age": None,
        "group_minimum": 6,
    }
    changed = {name: other.get(name, False)}
    if name == "sources":
        changed["membership_required"] = False
    assert difference(sentences(full), sentences(replace(full, **changed)))


@given(years())
@QUICK
def test_P2_a_years_terms_as_form_and_sentences(terms: YearTerms) -> None:
    form = forms.terms_to_form(terms)
    year = terms.fiscal_year
    assert forms.terms_from_form(form, programme="p", fiscal_year=year) == terms
    assert all(line.text.endswith("。") for line in terms_sentences(terms))


@given(rule_sets(), st.sampled_from([*forms.TEXTS, "sources", "rates"]), st.text(max_size=6))
@QUICK
def test_P2_any_typing_is_a_rule_set_or_a_refusal_that_names_inputs(
    rules: RuleSet, name: str, typed: str
) -> None:
    form = forms.to_form(rules, begins_on=rules.begins_on)
    form[name] = [typed] if name == "sources" else [{"label": typed}] if name == "rates" else typed
    form = forms.clean(form)
    try:
        made = forms.from_form(form, programme="p")
    except Refused as refused:
        assert refused.fields and all(said.endswith("。") for said in refused.fields.values())
    else:
        assert forms.from_form(forms.to_form(made, begins_on=made.begins_on), programme="p",
                               code=made.code) == made


def test_P2_full_width_figures_and_japanese_dates_are_read() -> None:
    form = forms.empty() | {
        "begins_on": "令和９年４月１日", "daily_cap": "　２", "points_per_voucher": "５",
        "yen_per_voucher": "１，０００", "sources": ["group"],
        "rates": [{"kind": "", "label": "　見学 ", "points": "０", "per": "attendance"}, {}],
    }
    made = forms.from_form(form, programme="p")
    assert (made.begins_on, made.daily_cap, made.yen_per_voucher) == (date(2027, 4, 1), 2, 1000)
    assert made.rates == (Rate("kind-1", "見学", 0),) and made.code == "p-20270401"


def test_P2_unknown_inputs_are_refused_at_entry() -> None:
    for form, named in (({"weekly_cap": "3"}, "weekly_cap"),
                        ({"rates": [{"bonus": "1"}]}, "bonus"),
                        ({"rates": [{}] * (forms.RATES + 1)}, "rates")):
        with pytest.raises(Refused) as caught:
            forms.clean(form)
        assert named in caught.value.fields
    with pytest.raises(Refused) as caught:
        forms.from_form(forms.empty() | {"begins_on": "2027-04", "daily_cap": "-1",
                                         "remainder": "keep", "residence_required": "maybe",
                                         "rates": [{"label": "", "points": "x"}]}, programme="p")
    assert set(caught.value.fields) == {
        "begins_on", "daily_cap", "remainder", "residence_required", "rates.0.points",
        "rates.0.label", "points_per_voucher", "yen_per_voucher",
    }


def test_P2_the_example_of_the_council_reads_as_sentences() -> None:
    kamukamu = RuleSet(
        "k", "kamukamu", date(2026, 4, 1), (Rate("visit", "ボランティア活動", 1),),
        frozenset({Source.CENTRE}), 1, 100, vouchers_per_year=50, minimum_age=13, daily_cap=2,
        enrolment_required=True,
    )
    told = "".join(line.text for line in sentences(kamukamu))
    for said in ("1回の参加で1ポイント。", "1日2ポイントまで。", "13歳になる方から。",
                 "年度ごとの登録がいる。", "1ポイントで100円の利用券1枚。",
                 "ボランティアセンターが紹介した活動が対象。"):
        assert said in told


@given(rule_sets(), st.lists(st.tuples(DAYS, SMALL), max_size=4, unique_by=lambda p: p[0]), DAYS,
       st.integers(0, 500), DAYS)
@QUICK
def test_P2_a_rehearsal_changes_nothing_outside_its_days(
    rules: RuleSet, others: list[tuple[date, int]], since: date, days: int, on: date
) -> None:
    existing = [replace(rules, code=f"o{n}", begins_on=day, points_per_voucher=points)
                for n, (day, points) in enumerate(others)]
    until = since + timedelta(days=days)
    then = rehearsed(existing, rules, since, until)
    assert len({one.begins_on for one in then}) == len(then)
    if since <= on <= until:
        assert pick(then, on) == replace(rules, begins_on=since)
    else:
        was = [one for one in existing if one.begins_on <= on]
        if was:
            assert pick(then, on).code == pick(was, on).code


@given(DAYS, DAYS)
@QUICK
def test_P2_the_same_period_of_a_year_that_is_past(begins: date, today: date) -> None:
    first, last = period(begins, today)
    assert first <= last <= today and first < begins
    assert (first.month, first.day) == (begins.month, begins.day) or begins.day == 29
    assert (last - first).days <= 365


def test_P2_the_tally_counts_people_points_and_the_largest_changes() -> None:
    old = RuleSet("o", "p", date(2026, 4, 1), (Rate("a", "A", 1), Rate("b", "B", 2)),
                  frozenset(Source), 1, 1)
    new = replace(old, code="n", rates=(Rate("a", "A", 2), Rate("b", "B", 2)), daily_cap=3)
    terms = YearTerms("p", 2026, 1, date(2026, 4, 1), date(2027, 4, 1), date(2027, 4, 2),
                      date(2027, 5, 1))
    noon = datetime(2026, 5, 1, 12)
    tally = Tally(date(2026, 5, 1), date(2026, 5, 31), {"a": "A", "b": "B"})
    for person in (["a"], ["a", "b"], ["b"], []):
        some = [Attendance(n, n, noon.date(), noon + timedelta(hours=n), None, kind, "見本")
                for n, kind in enumerate(person)]
        tally.add((one.kind, was, becomes) for one, was, becomes in zip(
            some, allocate(some, [old], terms), allocate(some, [new], terms), strict=True))
    found = tally.result(ahead=2)
    assert (found.people, found.attendances, found.more, found.fewer, found.same) == (3, 4, 1, 0, 2)
    assert (found.before, found.after, found.difference, found.ahead) == (6, 7, 1, 2)
    assert [(c.label, c.was, c.becomes, c.attendances, c.difference) for c in found.changes] == [
        ("A", "上限にかからない", "上限にかからない", 2, 2),
        ("B", "上限にかからない", "1日の上限まで", 1, -1),
    ]
    assert (found.largest_gain, found.largest_loss, found.rest) == (1, 0, 0)
