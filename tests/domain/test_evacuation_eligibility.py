"""Criteria as data: reading, three-valued evaluation, the three example rule sets, differences."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evacuation.criteria import examples
from evacuation.domain.criterion import Context, CriteriaRefused, parse
from evacuation.domain.eligibility import Outcome, RuleSet, difference, evaluate, from_data, load
from evacuation.domain.facts import (
    BodyPart,
    CareLevel,
    FacilityStay,
    Manual,
    ManualVerdict,
    Nomination,
    PartGrade,
    PersonFacts,
    PhysicalHandbook,
    age_on,
    handbook_label,
)

ON = date(2026, 10, 1)
CONTEXT = Context(ON)
KAKAMIGAHARA, TSU, YOTSUKAIDO = examples()


def person(**facts: Any) -> PersonFacts:
    return PersonFacts(**{"person": "hanako", "birth_on": date(1938, 5, 3), **facts})


def codes(rules: RuleSet, **facts: Any) -> tuple[str, ...]:
    return tuple(m.code for m in evaluate(rules, person(**facts), on=ON).matched)


def physical(grade: int, kind: int, *parts: tuple[BodyPart, int]) -> PhysicalHandbook:
    return PhysicalHandbook(grade, kind, tuple(PartGrade(p, g) for p, g in parts))


def test_example_a_excludes_only_heart_or_kidney_and_long_stays() -> None:
    heart, kidney, leg = (BodyPart.HEART, 1), (BodyPart.KIDNEY, 1), (BodyPart.LOWER_LIMB, 2)
    assert codes(KAKAMIGAHARA, physical=physical(1, 1, heart)) == ()
    assert codes(KAKAMIGAHARA, physical=physical(1, 1, heart, kidney)) == ()
    assert codes(KAKAMIGAHARA, physical=physical(1, 1, heart, leg)) == ("physical_1_2_kind1",)
    assert codes(KAKAMIGAHARA, physical=physical(1, 2, leg)) == ()
    assert codes(KAKAMIGAHARA, physical=physical(3, 1, leg)) == ()
    unknown = evaluate(KAKAMIGAHARA, person(physical=PhysicalHandbook(1, 1, None)), on=ON)
    assert not unknown.on_roster and [m.code for m in unknown.unsure] == ["physical_1_2_kind1"]
    stay = person(care_level=CareLevel.CARE_5, facility=FacilityStay.LONG)
    out = evaluate(KAKAMIGAHARA, stay, on=ON)
    assert not out.on_roster and out.excluded[0].code == "long_facility_stay"
    assert "long_facility_stay" in out.reason
    short = person(care_level=CareLevel.CARE_3, facility=FacilityStay.SHORT)
    assert evaluate(KAKAMIGAHARA, short, on=ON).on_roster
    assert codes(KAKAMIGAHARA, nominations=frozenset({Nomination.THIRD_PARTY})) == ()


def test_example_b_household_and_services() -> None:
    old, young = date(1960, 1, 1), date(2000, 1, 1)
    support = CareLevel.SUPPORT_1
    assert codes(TSU, care_level=support, household_births=(old, old)) == ("household_65_care",)
    assert codes(TSU, care_level=support, household_births=(old, young)) == ()
    assert codes(TSU, care_level=support, household_births=(old, None)) == ()
    unsure = evaluate(TSU, person(care_level=support, household_births=None), on=ON).unsure
    assert [m.code for m in unsure] == ["household_65_care"]
    assert codes(TSU, care_level=CareLevel.CARE_3, household_births=(old,)) == (
        "household_65_care", "care_3_5",
    )
    assert codes(TSU, physical=physical(4, 1)) == ("physical_kind1",)
    assert codes(TSU, intellectual_label="Ａ２") == ("intellectual_a",)
    assert codes(TSU, mental_grade=2) == ("mental_1_2",)
    assert codes(TSU, intractable_disease=True) == ()
    assert codes(TSU, intractable_disease=True, services=frozenset({"同行援護"})) == (
        "intractable_service",
    )


def test_example_c_lower_limb_three_severe_disease_and_alone() -> None:
    assert codes(YOTSUKAIDO, physical=physical(3, 1, (BodyPart.LOWER_LIMB, 3))) == ("physical_1_2",)
    assert codes(YOTSUKAIDO, physical=physical(3, 1, (BodyPart.UPPER_LIMB, 3))) == ()
    assert codes(YOTSUKAIDO, physical=physical(4, 2, (BodyPart.LOWER_LIMB, 4))) == ()
    for label in ("Ⓐ", "マルAの1", "〇Ａの２", "A-1", "Aの2"):
        assert codes(YOTSUKAIDO, intellectual_label=label) == ("intellectual_a",), label
    for label in ("A", "B1", "○B"):
        assert codes(YOTSUKAIDO, intellectual_label=label) == (), label
    assert codes(YOTSUKAIDO, mental_grade=2) == ()
    assert codes(YOTSUKAIDO, intractable_disease=True) == ()
    severe = {"intractable_disease": True, "intractable_severe": True}
    assert codes(YOTSUKAIDO, **severe) == ("intractable_severe",)
    alone = {"care_level": CareLevel.CARE_1, "household_births": (date(1938, 5, 3),)}
    assert codes(YOTSUKAIDO, **alone) == ("care_1_2_alone_65",)
    assert codes(YOTSUKAIDO, **alone, birth_on=date(1970, 1, 1)) == ()
    assert codes(YOTSUKAIDO, nominations=frozenset({Nomination.THIRD_PARTY})) == ("nominated",)


def test_examples_name_their_source_and_say_mihon() -> None:
    assert len(examples()) == 3
    for rules in examples():
        assert "見本" in rules.title and rules.source and rules.source_url.startswith("https://")


def test_R10_the_statutory_roster_knows_no_consent() -> None:
    assert not {"consent", "facts", "answer"} & set(PersonFacts.__dataclass_fields__)
    outcome = evaluate(TSU, person(care_level=CareLevel.CARE_4), on=ON)
    assert outcome.on_roster and "要介護3以上（care_3_5）" in outcome.reason


def test_manual_word_needs_officer_and_reason_and_outweighs_the_rest() -> None:
    def verdict(manual: Manual, **facts: Any) -> Outcome:
        return evaluate(KAKAMIGAHARA, person(manual=manual, **facts), on=ON)

    include, exclude = ManualVerdict.INCLUDE, ManualVerdict.EXCLUDE
    long = {"facility": FacilityStay.LONG}
    assert verdict(Manual(include, "退所が決まった", "sato"), **long).on_roster
    assert not verdict(Manual(include, " ", "sato")).on_roster
    assert not verdict(Manual(include, "理由", "")).on_roster
    needs = {"care_level": CareLevel.CARE_5}
    out = verdict(Manual(exclude, "家族全員で避難できる", "sato"), **needs)
    assert not out.on_roster and "家族全員" in out.reason and out.matched
    assert verdict(Manual(exclude, "", "sato"), **needs).on_roster


@pytest.mark.parametrize(
    ("birth", "on", "plain", "legal"),
    [
        (date(1961, 10, 1), date(2026, 9, 30), 64, 65),
        (date(1961, 10, 1), date(2026, 10, 1), 65, 65),
        (date(1961, 10, 1), date(2026, 9, 29), 64, 64),
        (date(1960, 2, 29), date(2026, 2, 28), 65, 66),
        (date(1960, 2, 29), date(2026, 3, 1), 66, 66),
        (date(1960, 2, 29), date(2024, 2, 28), 63, 64),
    ],
)
def test_age_by_birthday_and_by_law(birth: date, on: date, plain: int, legal: int) -> None:
    assert age_on(birth, on) == plain
    assert age_on(birth, on, day_before=True) == legal


def test_labels_keep_the_ring() -> None:
    assert handbook_label("Ⓐ") == handbook_label("マルＡ") == handbook_label("〇A") == "○A"
    assert handbook_label("A") == "A" and handbook_label("Ｂの１") == "B1"


leaves = st.sampled_from(
    [
        {"fact": "age", "at_least": 65},
        {"fact": "household_alone"},
        {"fact": "long_facility_stay"},
        {"fact": "care_level", "in": ["23"]},
        {"fact": "physical_handbook", "kinds": [1]},
    ]
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda x: {"all": x}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda x: {"any": x}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda x: {"not": x}, inner),
    ),
    max_leaves=8,
)
facts_of = st.builds(
    PersonFacts,
    st.just("p"),
    st.sampled_from([None, date(1938, 5, 3), date(2000, 1, 1)]),
    st.sampled_from([None, (date(1938, 5, 3),), (date(1938, 5, 3), None)]),
    st.sampled_from([None, CareLevel.CARE_3]),
    st.sampled_from([None, PhysicalHandbook(1, None), PhysicalHandbook(1, 1)]),
    facility=st.sampled_from([None, FacilityStay.LONG, FacilityStay.NONE]),
)


@given(st.lists(trees, min_size=1, max_size=3), facts_of)
def test_and_or_not_obey_de_morgan_and_double_negation(
    parts: list[dict[str, Any]], facts: PersonFacts
) -> None:
    def value(node: object) -> bool | None:
        return parse(node)(facts, CONTEXT)

    assert value({"not": {"all": parts}}) is value({"any": [{"not": p} for p in parts]})
    assert value({"not": {"any": parts}}) is value({"all": [{"not": p} for p in parts]})
    assert value({"not": {"not": parts[0]}}) is value(parts[0])
    assert value({"all": parts}) is value({"all": parts[::-1]})


@given(trees, facts_of)
def test_learning_an_unknown_fact_never_overturns_a_certain_answer(
    tree: dict[str, Any], facts: PersonFacts
) -> None:
    test = parse(tree)
    before = test(facts, CONTEXT)
    known = PersonFacts(
        "p",
        facts.birth_on or date(1950, 1, 1),
        tuple(b or date(1950, 1, 1) for b in facts.household_births or (date(1950, 1, 1),)),
        facts.care_level,
        facts.physical and PhysicalHandbook(1, facts.physical.kind or 2),
        facility=facts.facility or FacilityStay.NONE,
    )
    after = test(known, CONTEXT)
    assert after is not None
    assert before is None or before is after


BAD: list[tuple[object, str]] = [
    ([], "when"),
    ({}, "when"),
    ({"fact": "income"}, "when"),
    ({"all": []}, "when.all"),
    ({"any": [{"fact": "age"}]}, "when.any[0]"),
    ({"not": {"fact": "age", "at_least": True}}, "when.not"),
    ({"fact": "age", "at_least": 65, "over": 1}, "when"),
    ({"fact": "age", "at_least": 70, "under": 65}, "when"),
    ({"fact": "care_level", "in": ["3"]}, "when"),
    ({"fact": "mental_handbook", "grades": [4]}, "when"),
    ({"fact": "physical_handbook", "part_grades": [3]}, "when"),
    ({"fact": "physical_handbook", "excluding_only": ["心臓"]}, "when"),
    ({"fact": "intellectual_handbook", "labels": [""]}, "when"),
    ({"fact": "nominated", "by": "self"}, "when"),
    ({"all": [{"fact": "household_alone"}], "not": {}}, "when"),
]


@pytest.mark.parametrize(("node", "path"), BAD)
def test_a_wrong_tree_is_refused_with_its_path(node: object, path: str) -> None:
    with pytest.raises(CriteriaRefused) as caught:
        parse(node)
    assert list(caught.value.fields) == [path]
    assert caught.value.code == "criteria_invalid"


def test_a_tree_too_deep_is_refused() -> None:
    node: dict[str, Any] = {"fact": "household_alone"}
    for _ in range(21):
        node = {"not": node}
    with pytest.raises(CriteriaRefused, match="深すぎ"):
        parse(node)


def rule_set(**change: Any) -> dict[str, Any]:
    one = {"code": "alone", "label": "ひとり暮らし", "when": {"fact": "household_alone"}}
    return {
        "schema": 1, "code": "x", "version": "1", "title": "見本", "source": "見本",
        "in_force_from": "2026-04-01", "criteria": [one], **change,
    }


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2}, {"schema": True}, {"version": ""}, {"source": None}, {"criteria": []},
        {"criteria": {}}, {"criteria": [{"code": "a"}]}, {"in_force_from": "R8.4.1"},
        {"surprise": 1}, {"age_counting": "moon"}, {"notes": "x"},
        {"exclusions": rule_set.__call__()["criteria"]},
    ],
)
def test_a_wrong_rule_set_is_refused(change: dict[str, Any]) -> None:
    assert from_data(rule_set()).criteria[0].code == "alone"
    with pytest.raises(CriteriaRefused):
        from_data(rule_set(**change))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000])
def test_text_that_is_no_rule_set_is_refused(text: str) -> None:
    with pytest.raises(CriteriaRefused):
        load(text)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                    lambda x: st.lists(x, max_size=3)
                    | st.dictionaries(st.sampled_from([*rule_set(), "when", "all", "fact"]), x,
                                      max_size=4), max_leaves=12))
def test_any_json_is_read_or_refused_never_a_crash(data: Any) -> None:
    for text in (json.dumps(data), json.dumps(rule_set(criteria=[
            {"code": "a", "label": "b", "when": data}]))):
        try:
            load(text)
        except CriteriaRefused as refused:
            assert refused.message


outcomes = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.tuples(st.booleans(), st.frozensets(st.sampled_from(["x", "y"]), min_size=1)),
).map(
    lambda d: [
        Outcome(p, on, tuple(from_match(c) for c in sorted(cs)), (), ())
        for p, (on, cs) in d.items()
    ]
)


def from_match(code: str) -> Any:
    from evacuation.domain.eligibility import Match

    return Match(code, code.upper())


@given(outcomes, outcomes)
def test_difference_is_a_partition_and_turns_around(
    before: list[Outcome], after: list[Outcome]
) -> None:
    there = difference(before, after)
    back = difference(after, before)
    assert there.new == back.gone and there.gone == back.new
    assert there.reason_changed == back.reason_changed and there.same == back.same
    old = {o.person for o in before if o.on_roster}
    now = {o.person for o in after if o.on_roster}
    assert set(there.new) == now - old and set(there.gone) == old - now
    assert set(there.reason_changed) | set(there.same) == now & old
    assert not set(there.reason_changed) & set(there.same)
    assert difference(before, before).same == tuple(sorted(old))


def test_difference_refuses_one_person_twice() -> None:
    one = Outcome("a", True, (), (), ())
    with pytest.raises(ValueError, match="twice"):
        difference([one, one], [])
