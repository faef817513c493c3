"""Rows of an edition in normal times, and rows of the board in a disaster.

Owns the sums: every person handed in is either a row or is accounted for as withheld.  Refuses
to drop anybody silently: people who refused or did not answer stay counted on the statutory
roster (R10), people without a plan stay on the board (R15), protected people are a number (R11).
Source: rules R1, R7, R10, R11, R15.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from evacuation.domain.disclosure import Decision, Ground, ModeSetting, decide
from evacuation.domain.emergency import EmergencyScope
from evacuation.domain.parties import Recipient, Subject
from evacuation.domain.recipients import COLUMN_RULES, ColumnRule, RecipientKind

NO_PLAN_LABEL = "計画なし"


@dataclass(frozen=True, slots=True)
class EditionRows:
    """``rows`` leave; ``withheld`` stay. Together: every person of the statutory roster."""

    rows: tuple[tuple[str, Decision], ...]
    withheld: tuple[tuple[str, Decision], ...]

    @property
    def statutory_count(self) -> int:
        """People on the statutory roster, whatever their answer (R10)."""
        off = sum(1 for _, d in self.withheld if d.ground is Ground.NOT_ON_ROSTER)
        return len(self.rows) + len(self.withheld) - off

    def withheld_by(self) -> Mapping[Ground, int]:
        """How many stay, by ground."""
        return Counter(d.ground for _, d in self.withheld)


def edition_rows(
    subjects: Iterable[Subject],
    recipient: Recipient,
    *,
    mode: ModeSetting,
    at: datetime,
    plans: Mapping[str, Decision] | None = None,
    rules: Mapping[RecipientKind, ColumnRule] = COLUMN_RULES,
) -> EditionRows:
    """Decide every person for one normal-time edition; order of ``subjects`` is kept.

    ``plans`` maps a person to the answer of ``decide_plan`` for this recipient.
    """
    rows: list[tuple[str, Decision]] = []
    withheld: list[tuple[str, Decision]] = []
    for subject in subjects:
        plan = (plans or {}).get(subject.person)
        decision = decide(subject, recipient, mode=mode, at=at, plan=plan, rules=rules)
        (rows if decision.include else withheld).append((subject.person, decision))
    return EditionRows(tuple(rows), tuple(withheld))


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One person on the 安否 board. ``plan_label`` is 「計画なし」 without a plan (R15)."""

    person: str
    decision: Decision
    plan_label: str


@dataclass(frozen=True, slots=True)
class Board:
    """Rows the recipient may see, and how many people of the area need an inquiry (R11)."""

    rows: tuple[BoardRow, ...]
    inquiries: int

    @property
    def inquiry_label(self) -> str:
        """「要照会 1名」, or an empty string."""
        return f"要照会 {self.inquiries}名" if self.inquiries else ""


def board(
    subjects: Iterable[Subject],
    recipient: Recipient,
    *,
    mode: ModeSetting,
    at: datetime,
    emergency: EmergencyScope,
    plan_labels: Mapping[str, str],
    plans: Mapping[str, Decision] | None = None,
    rules: Mapping[RecipientKind, ColumnRule] = COLUMN_RULES,
) -> Board:
    """The board for one recipient: the people of the areas of ``emergency``.

    ``plan_labels`` maps a person to the word for their plan; whoever has none is shown all the
    same, as 「計画なし」 (R15).  Protected people appear only in the count.
    """
    rows: list[BoardRow] = []
    inquiries = 0
    for subject in subjects:
        if subject.areas.isdisjoint(emergency.areas):
            continue
        decision = decide(
            subject,
            recipient,
            mode=mode,
            at=at,
            emergency=emergency,
            plan=(plans or {}).get(subject.person),
            rules=rules,
        )
        if decision.include:
            label = plan_labels.get(subject.person) or NO_PLAN_LABEL
            rows.append(BoardRow(subject.person, decision, label))
        elif decision.ground is Ground.PROTECTED:
            inquiries += 1
    return Board(tuple(rows), inquiries)
