"""P2: what is stored is the rule set itself; the form, the body and the rules are one thing."""

from __future__ import annotations

from hypothesis import given, settings

from points.domain import rule_forms as forms
from points.domain.rule_sentences import sentences
from points.domain.rules import RuleSet, YearTerms
from points.queries.rulebook import rule_body, rule_from, terms_body, terms_from
from tests.factories.rule_sets import rule_sets, years

QUICK = settings(max_examples=60, deadline=None)


@given(rule_sets())
@QUICK
def test_P2_a_stored_body_is_the_rule_set_and_the_form(rules: RuleSet) -> None:
    back = rule_from(rule_body(rules))
    assert back == rules and sentences(back) == sentences(rules)
    form = forms.to_form(rules, begins_on=rules.begins_on)
    typed = forms.from_form(form, programme=rules.programme, code=rules.code)
    assert rule_body(typed) == rule_body(rules)


@given(years())
@QUICK
def test_P2_stored_terms_are_the_terms(terms: YearTerms) -> None:
    assert terms_from(terms_body(terms)) == terms


def test_P2_bodies_of_before_a_field_was_known_stay_valid() -> None:
    body = {
        "code": "o-1", "programme": "o", "begins_on": "2021-10-01", "sources": ["group"],
        "rates": [["join", "参加型", 1, "attendance"]], "points_per_voucher": 5,
        "yen_per_voucher": 500,
    }
    old = rule_from(body)
    assert not old.enrolment_required and old.group_minimum is None and old.remainder == "void"
