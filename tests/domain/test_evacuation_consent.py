"""What a consent must record, what a history amounts to, and the declaration of a disaster."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evacuation.domain.consent import (
    Answer,
    CirculatingCopy,
    ConsentFact,
    ConsentRefused,
    Means,
    Notice,
    Proxy,
    Purpose,
    Standing,
    checked,
    standing,
    strike_outs,
)
from evacuation.domain.emergency import (
    EmergencyRefused,
    EmergencyScope,
    confirmed,
    declared,
    extended,
)
from evacuation.domain.recipients import Column, RecipientKind

AT = datetime(2026, 10, 2, 9, 0, tzinfo=UTC)
GOOD = ConsentFact(
    "hanako", Purpose.ROSTER_SHARING, Answer.AGREED, AT, Means.PAPER, "sato", "R8-1", True, True,
    frozenset({RecipientKind.FIRE}), Proxy("見本 次郎", "長男", "本人が字を書けないため"),
)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"person": " "}, "person"),
        ({"at": datetime(2026, 10, 2)}, "at"),
        ({"recorded_by": ""}, "recorded_by"),
        ({"form_version": ""}, "form_version"),
        ({"explained_normal": False}, "explained_normal"),
        ({"explained_disaster": False}, "explained_disaster"),
        ({"scope": frozenset()}, "scope"),
        ({"proxy": Proxy("見本 次郎", "", "理由")}, "proxy"),
    ],
)
def test_R4_each_missing_part_of_a_consent_is_named(change: dict[str, object], field: str) -> None:
    assert checked(GOOD) is GOOD
    with pytest.raises(ConsentRefused) as caught:
        checked(replace(GOOD, **change))  # type: ignore[arg-type]
    assert set(caught.value.fields) == {field}
    assert caught.value.code == "consent_incomplete"


def test_R4_a_refusal_needs_no_explanation() -> None:
    no = replace(GOOD, answer=Answer.REFUSED, explained_normal=False, explained_disaster=False)
    assert checked(no) is no


def test_R3_standing_of_one_purpose_never_reads_another() -> None:
    making = replace(GOOD, purpose=Purpose.PLAN_MAKING)
    ask: dict[str, Any] = {"person": "hanako", "at": AT}
    assert standing([making], purpose=Purpose.PLAN_MAKING, kind=None, **ask) is Standing.IN_FORCE
    for purpose in (Purpose.PLAN_SHARING, Purpose.ROSTER_SHARING):
        now = standing([making], purpose=purpose, kind=RecipientKind.FIRE, **ask)
        assert now is Standing.NO_ANSWER
    with pytest.raises(ValueError, match="kind"):
        standing([making], purpose=Purpose.PLAN_SHARING, kind=None, **ask)
    with pytest.raises(ValueError, match="kind"):
        standing([making], purpose=Purpose.PLAN_MAKING, kind=RecipientKind.FIRE, **ask)


def test_R1_narrower_form_replaces_the_wider_and_ties_protect() -> None:
    police = RecipientKind.POLICE
    wide = replace(GOOD, scope=frozenset(RecipientKind))
    ask: dict[str, Any] = {"person": "hanako", "purpose": Purpose.ROSTER_SHARING, "kind": police}
    later = AT + timedelta(days=1)
    narrow = replace(GOOD, at=later)
    assert standing([wide], at=AT, **ask) is Standing.IN_FORCE
    assert standing([wide], at=AT - timedelta(seconds=1), **ask) is Standing.NO_ANSWER
    assert standing([wide, narrow], at=later, **ask) is Standing.OUT_OF_SCOPE
    assert standing([replace(wide, at=later), narrow], at=later, **ask) is Standing.OUT_OF_SCOPE
    no = replace(wide, answer=Answer.REFUSED)
    assert standing([no, wide], at=AT, **ask) is Standing.REFUSED
    # leaving a kind out does not lift a refusal
    assert standing([no, narrow], at=later, **ask) is Standing.REFUSED


@given(st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.integers(0, 60), st.integers(0, 90))
def test_R1_silence_counts_only_after_letter_and_deadline(sent: date, gap: int, later: int) -> None:
    deadline = sent + timedelta(days=gap)
    on = sent + timedelta(days=later)
    counts = Notice("p", sent, deadline, "n1").silence_counts(on)
    assert counts is (gap > 0 and later > gap)
    assert not Notice("p", sent, deadline, "n1", True).silence_counts(on)
    assert not Notice("p", sent, deadline, " ").silence_counts(on)


def test_R5_withdrawal_reaches_each_copy_that_names_the_person() -> None:
    fire, police = RecipientKind.FIRE, RecipientKind.POLICE
    copies = [
        CirculatingCopy("C-2", "fire-1", fire, frozenset({"hanako", "taro"})),
        CirculatingCopy("C-1", "fire-2", fire, frozenset({"hanako"})),
        CirculatingCopy("C-3", "police", police, frozenset({"hanako"})),
        CirculatingCopy("C-4", "fire-3", fire, frozenset({"taro"})),
    ]
    gone = replace(GOOD, answer=Answer.WITHDRAWN)
    notices = strike_outs(gone, copies)
    assert [(n.copy_no, n.office) for n in notices] == [("C-1", "fire-2"), ("C-2", "fire-1")]
    assert all("hanako" not in n.sentence for n in notices)
    assert strike_outs(GOOD, copies) == ()


SCOPE = EmergencyScope(
    "e1", "sato", AT, "氾濫", frozenset({"north"}), frozenset({RecipientKind.FIRE}),
    frozenset({Column.NAME}), AT, AT + timedelta(hours=72),
)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"declared_by": ""}, "declared_by"),
        ({"reason": " "}, "reason"),
        ({"areas": frozenset()}, "areas"),
        ({"kinds": frozenset()}, "kinds"),
        ({"columns": frozenset()}, "columns"),
        ({"ends_at": AT}, "ends_at"),
        ({"ends_at": AT + timedelta(hours=72, seconds=1)}, "ends_at"),
        ({"starts_at": datetime(2026, 10, 2)}, "starts_at"),
    ],
)
def test_R6_a_declaration_names_officer_reason_area_items_recipients_start_end(
    change: dict[str, object], field: str
) -> None:
    assert declared(SCOPE) is SCOPE
    with pytest.raises(EmergencyRefused) as caught:
        declared(replace(SCOPE, **change))  # type: ignore[arg-type]
    assert set(caught.value.fields) == {field}


def test_R6_closes_unconfirmed_after_15_minutes_and_never_by_the_declarer() -> None:
    edge = AT + timedelta(minutes=15)
    assert SCOPE.open_at(AT) and SCOPE.open_at(edge - timedelta(seconds=1))
    assert not SCOPE.open_at(edge) and not SCOPE.open_at(AT - timedelta(seconds=1))
    for by in ("sato", " "):
        with pytest.raises(EmergencyRefused) as caught:
            confirmed(SCOPE, by=by, at=AT)
        assert caught.value.code == "emergency_same_officer"
    with pytest.raises(EmergencyRefused) as late:
        confirmed(SCOPE, by="mori", at=edge)
    assert late.value.code == "emergency_confirm_late"
    good = confirmed(SCOPE, by="mori", at=edge - timedelta(minutes=1))
    assert good.open_at(edge) and not good.open_at(good.ends_at)
    assert not replace(good, confirmed_at=edge).open_at(edge)
    for by in ("sato", "", None):
        assert not replace(SCOPE, confirmed_by=by, confirmed_at=AT).open_at(edge)
    first = replace(SCOPE, confirm_first=True)
    assert not first.open_at(AT)
    late_first = confirmed(first, by="mori", at=AT + timedelta(hours=1))
    assert not late_first.open_at(edge) and late_first.open_at(AT + timedelta(hours=1))


def test_R6_extension_is_at_most_72_hours_and_not_after_the_end() -> None:
    now = AT + timedelta(hours=70)
    assert extended(SCOPE, until=now + timedelta(hours=72), at=now).ends_at > SCOPE.ends_at
    for until, at in (
        (now + timedelta(hours=73), now),
        (SCOPE.ends_at, now),
        (SCOPE.ends_at + timedelta(hours=1), SCOPE.ends_at),
    ):
        with pytest.raises(EmergencyRefused):
            extended(SCOPE, until=until, at=at)
