"""R8: which columns go to whom, and plain words that tell no diagnosis."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evacuation.domain.disclosure import DisclosureRefused, checked_columns
from evacuation.domain.needs import NEEDS, NeedTag, plain_words, revealing_terms
from evacuation.domain.recipients import (
    CLINICAL_COLUMNS,
    COLUMN_RULES,
    NEIGHBOUR_KINDS,
    Column,
    ColumnRule,
    RecipientKind,
)


def test_R8_columns_per_kind_have_a_ground_and_neighbours_see_nothing_clinical() -> None:
    assert set(COLUMN_RULES) == set(RecipientKind)
    for kind, rule in COLUMN_RULES.items():
        assert rule.citation and rule.normal <= rule.emergency
        if kind in NEIGHBOUR_KINDS:
            assert not rule.emergency & CLINICAL_COLUMNS
            assert Column.NEEDS_PLAIN in rule.normal and Column.BIRTH_DATE not in rule.normal
    assert checked_columns(COLUMN_RULES) is COLUMN_RULES
    for kind, column in product(NEIGHBOUR_KINDS, CLINICAL_COLUMNS):
        with pytest.raises(DisclosureRefused) as caught:
            checked_columns({kind: ColumnRule(frozenset(), frozenset({column}), "条例")})
        assert caught.value.code == "clinical_column_for_neighbours"


def test_R8_plain_words_tell_no_diagnosis_grade_or_care_level() -> None:
    assert set(NEEDS) == set(NeedTag)
    for tag in NeedTag:
        assert revealing_terms(NEEDS[tag].plain) == (), tag
    assert plain_words([NeedTag.WHEELCHAIR]) == ("歩けない（車いす）",)
    for text in (
        "身体障害者手帳１級", "要介護３", "療育手帳A", "認知症あり", "精神2級", "第1種", "ALS",
        "統合失調症", "糖尿病", "クローン病", "透析中",
    ):
        assert revealing_terms(text), text
    for text in ("歩けない（車いす）", "耳が遠い", "病院は○○", "玄関に段差", "がんばって歩く"):
        assert not revealing_terms(text), text


@given(st.lists(st.sampled_from(list(NeedTag))))
def test_R8_plain_words_do_not_depend_on_order_or_repetition(tags: list[NeedTag]) -> None:
    assert plain_words(tags) == plain_words(reversed(tags)) == plain_words(tags + tags)
    assert len(plain_words(tags)) == len(set(tags))
