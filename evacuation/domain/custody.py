"""Custody of copies: double entry for paper, copy by copy.

Owns the events of a numbered copy (副本), the states they lead to, the sums
*issued = held + returned + destroyed + lost*, the possession check every six months and the rule
that a new edition waits for the old copy.  Refuses: a step that does not follow, an event out of
order, a number issued twice, a hand-over without both offices, a destruction without witness.
Source: 災害対策基本法 第49条の13; rules "Sharing and custody", R5, R9.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from registry.domain.errors import Refused

CHECK_EVERY_MONTHS = 6


class CustodyRefused(Refused):
    """The step is not possible for this copy now."""

    code = "custody_step_refused"
    message = "この副本では、いまこの手続きはできません。"


class CopyState(StrEnum):
    """副本の状態."""

    ISSUED = "issued"
    RECEIVED = "received"
    RECALLED = "recalled"
    RETURNED = "returned"
    DESTROYED = "destroyed"
    LOST = "lost"

    @property
    def label(self) -> str:
        """Word for a screen."""
        return {
            CopyState.ISSUED: "交付ずみ・受領待ち",
            CopyState.RECEIVED: "保管中",
            CopyState.RECALLED: "返却をお願い中",
            CopyState.RETURNED: "返却ずみ",
            CopyState.DESTROYED: "廃棄ずみ",
            CopyState.LOST: "紛失",
        }[self]


class Act(StrEnum):
    """副本の手続き."""

    ISSUE = "issue"
    RECEIVE = "receive"
    CHECK = "check"
    HAND_OVER = "hand_over"
    RECALL = "recall"
    RETURN = "return"
    DESTROY = "destroy"
    LOSE = "lose"
    FIND = "find"


class Account(StrEnum):
    """Where a copy is counted. ``PRESS`` is the source every copy is drawn from."""

    PRESS = "press"
    HELD = "held"
    RETURNED = "returned"
    DESTROYED = "destroyed"
    LOST = "lost"


#: States in which a copy is out of the city's hands (counted as held by its office).
HELD_STATES: frozenset[CopyState] = frozenset(
    {CopyState.ISSUED, CopyState.RECEIVED, CopyState.RECALLED}
)

_STEPS: Mapping[tuple[CopyState | None, Act], CopyState] = {
    (None, Act.ISSUE): CopyState.ISSUED,
    (CopyState.ISSUED, Act.RECEIVE): CopyState.RECEIVED,
    (CopyState.RECEIVED, Act.CHECK): CopyState.RECEIVED,
    (CopyState.RECALLED, Act.CHECK): CopyState.RECALLED,
    (CopyState.RECEIVED, Act.HAND_OVER): CopyState.ISSUED,
    (CopyState.RETURNED, Act.DESTROY): CopyState.DESTROYED,
    (CopyState.LOST, Act.FIND): CopyState.RECALLED,
    **{(state, Act.RECALL): CopyState.RECALLED for state in HELD_STATES - {CopyState.RECALLED}},
    **{(state, Act.RETURN): CopyState.RETURNED for state in HELD_STATES},
    **{(state, Act.DESTROY): CopyState.DESTROYED for state in (CopyState.RECEIVED,
                                                               CopyState.RECALLED)},
    **{(state, Act.LOSE): CopyState.LOST for state in HELD_STATES},
}


@dataclass(frozen=True, slots=True)
class CopyEvent:
    """One row of the history of one copy. ``office`` is the office that holds it afterwards.

    ``note``: certificate number, witness, reason — required for DESTROY, LOSE and FIND.
    """

    copy_no: str
    act: Act
    on: date
    by: str
    office: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Copy:
    """The present of one copy, folded from its events."""

    copy_no: str
    state: CopyState
    office: str
    last_seen_on: date
    issued_on: date

    @property
    def outstanding(self) -> bool:
        """True while somebody outside must still account for it."""
        return self.state in HELD_STATES

    def check_due_on(self) -> date:
        """Day the next possession check is due: six months after it was last seen."""
        return plus_months(self.last_seen_on, CHECK_EVERY_MONTHS)


def plus_months(on: date, months: int) -> date:
    """Same day ``months`` later, or the last day of that month."""
    index = on.year * 12 + on.month - 1 + months
    year, month = divmod(index, 12)
    following = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    last = date.fromordinal(following.toordinal() - 1).day
    return date(year, month + 1, min(on.day, last))


def apply(copy: Copy | None, event: CopyEvent) -> Copy:
    """The copy after ``event``; raise ``CustodyRefused`` when it does not follow.

    A hand-over (引き継ぎ) moves the copy to the event's office, which must differ; it then waits
    for that office's receipt.  Every other act keeps the office.
    """
    _checked(copy, event)
    state = _STEPS.get((copy.state if copy else None, event.act))
    if state is None:
        now = copy.state.label if copy else "未交付"
        raise CustodyRefused(f"副本{event.copy_no}は「{now}」のため、この手続きはできません。")
    if copy is None:
        return Copy(event.copy_no, state, event.office, event.on, event.on)
    seen = event.on if event.act in _SEEN else copy.last_seen_on
    return replace(copy, state=state, office=event.office, last_seen_on=seen)


_SEEN = frozenset({Act.RECEIVE, Act.CHECK, Act.HAND_OVER, Act.FIND, Act.RETURN})
_NEEDS_NOTE = {
    Act.DESTROY: "廃棄証明（方法と立会人）を入力してください。",
    Act.LOSE: "紛失に気づいた状況を入力してください。",
    Act.FIND: "見つかった場所と状況を入力してください。",
}


def _checked(copy: Copy | None, event: CopyEvent) -> None:
    if not event.by.strip() or not event.office.strip() or not event.copy_no.strip():
        raise CustodyRefused("副本番号・担当・手続きをした人を入力してください。",
                             code="custody_incomplete")
    if event.act in _NEEDS_NOTE and not event.note.strip():
        raise CustodyRefused(_NEEDS_NOTE[event.act], code="custody_note_missing")
    if copy is None:
        return
    if copy.copy_no != event.copy_no:
        raise ValueError("event of another copy")
    if event.on < copy.last_seen_on:
        raise CustodyRefused("日付が前の記録より古くなっています。", code="custody_out_of_order")
    if event.act is Act.HAND_OVER:
        if event.office == copy.office:
            raise CustodyRefused("引き継ぎ先の担当を選んでください。", code="custody_same_office")
    elif event.office != copy.office:
        raise CustodyRefused("この副本は別の担当が持っています。", code="custody_other_office")


def fold(events: Iterable[CopyEvent]) -> Mapping[str, Copy]:
    """All copies by number, from their events in order; raises as ``apply`` does."""
    copies: dict[str, Copy] = {}
    for event in events:
        copies[event.copy_no] = apply(copies.get(event.copy_no), event)
    return copies


@dataclass(frozen=True, slots=True)
class Posting:
    """One transfer of one copy: both legs in one row, so the sum is zero by construction."""

    copy_no: str
    debit: Account
    credit: Account


_ACCOUNT = {
    CopyState.RETURNED: Account.RETURNED,
    CopyState.DESTROYED: Account.DESTROYED,
    CopyState.LOST: Account.LOST,
}


def account_of(state: CopyState | None) -> Account:
    """The account that counts a copy in this state; None is before issue."""
    return Account.PRESS if state is None else _ACCOUNT.get(state, Account.HELD)


def postings(events: Iterable[CopyEvent]) -> tuple[Posting, ...]:
    """The transfers the events make; steps inside one account make none."""
    copies: dict[str, Copy] = {}
    made: list[Posting] = []
    for event in events:
        old = copies.get(event.copy_no)
        new = apply(old, event)
        copies[event.copy_no] = new
        debit, credit = account_of(old.state if old else None), account_of(new.state)
        if debit is not credit:
            made.append(Posting(event.copy_no, debit, credit))
    return tuple(made)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The sums, and every number that does not add up (empty when all is well)."""

    issued: int
    held: int
    returned: int
    destroyed: int
    lost: int
    held_by_office: Mapping[str, int]
    unaccounted: tuple[str, ...]

    @property
    def balanced(self) -> bool:
        """issued = held + returned + destroyed + lost, and no number is missing."""
        counted = self.held + self.returned + self.destroyed + self.lost
        return self.issued == counted and not self.unaccounted


def reconcile(
    numbers_issued: Iterable[str], ledger: Iterable[Posting], copies: Iterable[Copy]
) -> Reconciliation:
    """Compare three independent sources: numbers printed, transfers posted, present states.

    A number is unaccounted when it is printed but never posted, posted but never printed,
    printed twice, or when its transfers end elsewhere than its state says.
    """
    printed = Counter(iter(numbers_issued))  # iter: a mapping would be taken for counts
    balance: Counter[tuple[str, Account]] = Counter()
    posted: set[str] = set()
    for row in ledger:
        balance[row.copy_no, row.debit] -= 1
        balance[row.copy_no, row.credit] += 1
        posted.add(row.copy_no)
    listed = list(copies)
    present = {copy.copy_no: copy for copy in listed}
    wrong = {number for number, times in Counter(c.copy_no for c in listed).items() if times > 1}
    for number in printed.keys() | posted | present.keys():
        copy = present.get(number)
        ends = {a: balance[number, a] for a in Account if balance[number, a]}
        wanted = {Account.PRESS: -1, account_of(copy.state): 1} if copy else {}
        if printed[number] != 1 or copy is None or ends != wanted:
            wrong.add(number)
    states = Counter(account_of(copy.state) for copy in present.values())
    offices = Counter(c.office for c in present.values() if c.outstanding)
    return Reconciliation(
        issued=sum(printed.values()),
        held=states[Account.HELD],
        returned=states[Account.RETURNED],
        destroyed=states[Account.DESTROYED],
        lost=states[Account.LOST],
        held_by_office=dict(sorted(offices.items())),
        unaccounted=tuple(sorted(wrong)),
    )


def require_issuable(old: Sequence[Copy], *, override_reason: str = "") -> None:
    """Raise ``CustodyRefused`` while an old copy of the same office is outstanding.

    ``override_reason``, written by a named officer, lets the new edition go; it is logged.
    """
    waiting = [copy.copy_no for copy in old if copy.outstanding]
    if waiting and not override_reason.strip():
        raise CustodyRefused(
            f"前の副本（{'、'.join(sorted(waiting))}）がまだ戻っていません。"
            "返却を確認するか、先に渡す理由を入力してください。",
            code="custody_old_copy_outstanding",
        )


def checks_due(copies: Iterable[Copy], *, on: date) -> tuple[Copy, ...]:
    """Copies whose possession check is due on ``on``, the longest overdue first."""
    due = [c for c in copies if c.outstanding and c.check_due_on() <= on]
    return tuple(sorted(due, key=lambda c: (c.check_due_on(), c.copy_no)))
