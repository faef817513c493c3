"""Double entry of copies: any steps keep issued = held + returned + destroyed + lost."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evacuation.domain.custody import (
    Account,
    Act,
    Copy,
    CopyEvent,
    CopyState,
    CustodyRefused,
    Posting,
    apply,
    checks_due,
    fold,
    plus_months,
    postings,
    reconcile,
    require_issuable,
)
from evacuation.domain.loss import LossRefused, loss_report

DAY = date(2026, 4, 1)


def event(act: Act, days: int = 0, no: str = "C-1", office: str = "north", note: str = "記録"
          ) -> CopyEvent:
    return CopyEvent(no, act, DAY + timedelta(days=days), "sato", office, note)


def path(*acts: Act) -> Copy:
    return fold(event(act, i) for i, act in enumerate(acts))["C-1"]


def test_R9_the_life_of_a_copy() -> None:
    copy = path(Act.ISSUE, Act.RECEIVE, Act.CHECK, Act.RECALL, Act.RETURN, Act.DESTROY)
    assert copy.state is CopyState.DESTROYED and not copy.outstanding
    assert path(Act.ISSUE, Act.RECEIVE, Act.LOSE, Act.FIND).state is CopyState.RECALLED


def test_the_table_of_steps_is_exactly_this() -> None:
    s, a = CopyState, Act
    allowed = {
        (s.ISSUED, a.RECEIVE), (s.ISSUED, a.RECALL), (s.ISSUED, a.RETURN), (s.ISSUED, a.LOSE),
        (s.RECEIVED, a.CHECK), (s.RECEIVED, a.HAND_OVER), (s.RECEIVED, a.RECALL),
        (s.RECEIVED, a.RETURN), (s.RECEIVED, a.DESTROY), (s.RECEIVED, a.LOSE),
        (s.RECALLED, a.CHECK), (s.RECALLED, a.RETURN), (s.RECALLED, a.DESTROY),
        (s.RECALLED, a.LOSE), (s.RETURNED, a.DESTROY), (s.LOST, a.FIND),
    }
    for state in CopyState:
        for act in Act:
            copy = Copy("C-1", state, "north", DAY, DAY)
            office = "south" if act is Act.HAND_OVER else "north"
            if (state, act) in allowed:
                apply(copy, event(act, 1, office=office))
            else:
                with pytest.raises(CustodyRefused):
                    apply(copy, event(act, 1, office=office))
    for act in set(Act) - {Act.ISSUE}:
        with pytest.raises(CustodyRefused):
            apply(None, event(act))


def test_R9_a_hand_over_moves_the_office_and_waits_for_its_receipt() -> None:
    held = path(Act.ISSUE, Act.RECEIVE)
    moved = apply(held, event(Act.HAND_OVER, 5, office="north-successor"))
    assert (moved.office, moved.state) == ("north-successor", CopyState.ISSUED)
    assert apply(moved, event(Act.RECEIVE, 6, office="north-successor")).outstanding
    for act, office, code in (
        (Act.HAND_OVER, "north", "custody_same_office"),
        (Act.CHECK, "south", "custody_other_office"),
    ):
        with pytest.raises(CustodyRefused) as caught:
            apply(held, event(act, 5, office=office))
        assert caught.value.code == code


def test_steps_need_order_maker_and_certificate() -> None:
    held = path(Act.ISSUE, Act.RECEIVE)
    with pytest.raises(CustodyRefused) as caught:
        apply(held, event(Act.CHECK, -1))
    assert caught.value.code == "custody_out_of_order"
    for act in (Act.DESTROY, Act.LOSE):
        with pytest.raises(CustodyRefused) as caught:
            apply(held, event(act, 5, note=" "))
        assert caught.value.code == "custody_note_missing"
    with pytest.raises(CustodyRefused):
        apply(None, CopyEvent("C-1", Act.ISSUE, DAY, " ", "north"))
    with pytest.raises(ValueError, match="another copy"):
        apply(held, event(Act.CHECK, 5, no="C-2"))


steps = st.lists(
    st.tuples(
        st.sampled_from(["C-1", "C-2", "C-3"]),
        st.sampled_from([*Act, Act.ISSUE, Act.RECEIVE, Act.HAND_OVER]),
        st.sampled_from(["north", "south"]),
    ),
    max_size=40,
)


@given(steps)
@settings(max_examples=200)
def test_double_entry_balances_after_any_history(moves: list[tuple[str, Act, str]]) -> None:
    copies: dict[str, Copy] = {}
    history: list[CopyEvent] = []
    for day, (no, act, office) in enumerate(moves):
        one = event(act, day, no, office)
        try:
            copies[no] = apply(copies.get(no), one)
        except CustodyRefused:
            continue
        history.append(one)
    ledger = postings(history)
    assert fold(history) == copies
    sums = reconcile(copies, ledger, copies.values())
    assert sums.balanced and sums.issued == len(copies)
    assert sum(sums.held_by_office.values()) == sums.held
    assert sums.issued == sums.held + sums.returned + sums.destroyed + sums.lost
    for i in range(len(ledger)):  # any posting lost is found
        broken = reconcile(copies, ledger[:i] + ledger[i + 1 :], copies.values())
        assert not broken.balanced and ledger[i].copy_no in broken.unaccounted
    for no in copies:  # any copy forgotten is found
        rest = [c for c in copies.values() if c.copy_no != no]
        assert no in reconcile(copies, ledger, rest).unaccounted
        assert no in reconcile([n for n in copies if n != no], ledger, copies.values()).unaccounted
        assert no in reconcile([*copies, no], ledger, copies.values()).unaccounted
        twice = [*copies.values(), copies[no]]
        assert no in reconcile(copies, ledger, twice).unaccounted


def test_a_posting_to_the_wrong_account_is_found() -> None:
    copy = path(Act.ISSUE, Act.RECEIVE)
    good = Posting("C-1", Account.PRESS, Account.HELD)
    assert reconcile(["C-1"], [good], [copy]).balanced
    bad = Posting("C-1", Account.PRESS, Account.RETURNED)
    assert reconcile(["C-1"], [bad], [copy]).unaccounted == ("C-1",)


def test_a_new_edition_waits_for_the_old_copy_unless_a_reason_is_given() -> None:
    held, gone = path(Act.ISSUE), path(Act.ISSUE, Act.RETURN)
    require_issuable([gone, path(Act.ISSUE, Act.LOSE)])
    with pytest.raises(CustodyRefused) as caught:
        require_issuable([gone, held])
    assert caught.value.code == "custody_old_copy_outstanding" and "C-1" in caught.value.message
    with pytest.raises(CustodyRefused):
        require_issuable([held], override_reason="  ")
    require_issuable([held], override_reason="保管者が入院中のため")


def test_possession_check_falls_due_after_six_months() -> None:
    copy = path(Act.ISSUE, Act.RECEIVE)
    assert copy.check_due_on() == date(2026, 10, 2)
    assert checks_due([copy], on=date(2026, 10, 1)) == ()
    assert checks_due([copy], on=date(2026, 10, 2)) == (copy,)
    checked = apply(copy, event(Act.CHECK, 60))
    assert checks_due([checked], on=date(2026, 10, 2)) == ()
    assert checks_due([apply(copy, event(Act.RETURN, 60))], on=date(2030, 1, 1)) == ()
    assert plus_months(date(2026, 8, 31), 6) == date(2027, 2, 28)
    assert plus_months(date(2026, 12, 31), 12) == date(2027, 12, 31)
    assert plus_months(date(2024, 2, 29), 12) == date(2025, 2, 28)


def test_a_loss_yields_people_and_due_dates() -> None:
    report = loss_report(copy_no="C-1", office="north", issued_on=DAY,
                         discovered_on=date(2026, 6, 1), people=["b", "a", "b"])
    assert report.people == ("a", "b") and report.people_count == 2
    # the day of discovery is day 1
    assert report.first_target_on == date(2026, 6, 3)
    assert report.first_due_on == date(2026, 6, 5)
    assert report.final_due_on == date(2026, 6, 30)
    assert "2名" in report.sentence and "6月30日" in report.sentence
    theft = loss_report(copy_no="C-1", office="north", issued_on=DAY,
                        discovered_on=date(2026, 6, 1), people=[], malicious=True)
    assert theft.final_due_on == date(2026, 7, 30)
    for change in ({"copy_no": ""}, {"discovered_on": DAY - timedelta(days=1)}):
        values = {"copy_no": "C-1", "office": "n", "issued_on": DAY, "discovered_on": DAY,
                  "people": ["a"], **change}
        with pytest.raises(LossRefused):
            loss_report(**values)  # type: ignore[arg-type]
