"""A group's yearly filing (登録団体の届け出): its states, and who counts as a member.

Owns: which step follows which, the count against the rule's minimum with one line for everybody
who does or does not count and why, and the sentence of a warning.  Refuses a step that the state
does not allow.  Judged on a day, by the facts of that day (P1): the rule set in force on it says
how many, and whether only those count whose attendance would.  Source: P9.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from points.domain import eligibility
from points.domain.eligibility import Facts
from points.domain.rules import Below, RuleSet, Source
from registry.domain.errors import Refused


class State(StrEnum):
    """作成中, 審査まち, 登録, 差しもどし, とりやめ."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    REGISTERED = "registered"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"


class Step(StrEnum):
    """What can be done with a filing."""

    CHANGE = "change"
    SUBMIT = "submit"
    REGISTER = "register"
    RETURN = "return"
    WITHDRAW = "withdraw"


_AFTER: dict[Step, tuple[frozenset[State], State | None]] = {
    Step.CHANGE: (frozenset({State.DRAFT, State.RETURNED}), None),
    Step.SUBMIT: (frozenset({State.DRAFT, State.RETURNED}), State.SUBMITTED),
    Step.REGISTER: (frozenset({State.SUBMITTED}), State.REGISTERED),
    Step.RETURN: (frozenset({State.SUBMITTED}), State.RETURNED),
    Step.WITHDRAW: (
        frozenset({State.DRAFT, State.SUBMITTED, State.RETURNED, State.REGISTERED}),
        State.WITHDRAWN,
    ),
}


def after(state: State, step: Step) -> State:
    """The state after a step; ``Refused`` (``not_in_this_state``) where it cannot be taken."""
    allowed, becomes = _AFTER[step]
    if state not in allowed:
        said = "この届け出は、いまの状態では受けつけられません。開きなおして確かめてください。"
        raise Refused(said, code="not_in_this_state")
    return becomes or state


@dataclass(frozen=True, slots=True)
class Line:
    """One member: counts, or not with the reason in one sentence."""

    volunteer: int
    counts: bool
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Count:
    """Members of a day against the minimum (``None``: the rule asks for none)."""

    on: date
    minimum: int | None
    below: Below
    lines: tuple[Line, ...]

    @property
    def members(self) -> int:
        return len(self.lines)

    @property
    def counted(self) -> int:
        return sum(line.counts for line in self.lines)

    @property
    def enough(self) -> bool:
        return self.minimum is None or self.counted >= self.minimum

    @property
    def stops_sessions(self) -> bool:
        """Whether the rule lets no further session be opened on that day."""
        return not self.enough and self.below is Below.NO_SESSIONS

    @property
    def warning(self) -> str:
        """What is wrong and what follows; "" when there are enough."""
        if self.enough:
            return ""
        others = self.members - self.counted
        said = f"数えられる会員が{self.counted}人です。{self.minimum}人以上が必要です"
        if others:
            said += f"（会員{self.members}人のうち{others}人は数えられません）"
        follows = (
            "足りないあいだ、新しい開催回は登録できません。" if self.stops_sessions
            else "活動は続けられますが、早めに会員をふやしてください。"
        )
        return f"{said}。{follows}"


def count(rules: RuleSet, members: Mapping[int, Facts], *, on: date) -> Count:
    """Judge the members of ``on`` under ``rules``, which must be in force then."""
    lines = []
    for volunteer, facts in members.items():
        said = eligibility.decide(rules, facts, on=on, source=Source.GROUP)
        counts = said.eligible or not rules.group_counts_eligible
        sentence = "数えられる会員です。" if counts else f"{said.clause}、人数に数えません。"
        lines.append(Line(volunteer, counts, said.code, sentence))
    return Count(on, rules.group_minimum, rules.group_below, tuple(lines))
