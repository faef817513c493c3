"""What a rule set would change: the same attendances counted twice, and the difference in sums.

Owns the rehearsal (which rule sets hold if the new one had begun on a day) and the tally of two
counts.  Nobody is named: what comes out are numbers of people and of points, by kind of activity.
Refuses: nothing; an attendance of a kind the new rule set does not know is an error of the caller
(``rules.check_kinds`` comes first).
Source: P1, P2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import NamedTuple

from points.domain.awards import Limit, Share
from points.domain.rules import RuleSet, pick

LARGEST = 10
WORDS: dict[Limit, str] = {
    Limit.NONE: "上限にかからない", Limit.GROUP_DAY: "団体の1日の上限まで",
    Limit.DAILY: "1日の上限まで", Limit.ANNUAL: "年間の上限まで",
    Limit.NO_POINTS: "ポイントなし", Limit.INELIGIBLE: "対象外", Limit.DUPLICATE: "重複",
    Limit.VOID: "取消", Limit.OVERLAP_WAITING: "重なりの確認まち",
    Limit.YEAR_CLOSED: "しめきり後の確認まち",
}


class Kind(NamedTuple):
    """What a row of the preview is about: an activity kind and how its counting changes."""

    kind: str
    was: Limit
    becomes: Limit


@dataclass(frozen=True, slots=True)
class KindChange:
    """One of the largest changes: so many attendances of a kind, points before and after."""

    kind: str
    label: str
    was: str
    becomes: str
    attendances: int
    before: int
    after: int

    @property
    def difference(self) -> int:
        """Points more (or fewer) in all."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Preview:
    """If the rule set had held from ``since`` to ``until``; nothing was written.

    ``ahead`` attendances are recorded on or after the day it really begins (they must be 0 for
    it to be adopted).  ``rest`` is the difference outside ``changes``.
    """

    since: date
    until: date
    attendances: int
    people: int
    more: int
    fewer: int
    before: int
    after: int
    largest_gain: int
    largest_loss: int
    changes: tuple[KindChange, ...]
    rest: int
    ahead: int = 0

    @property
    def difference(self) -> int:
        """Points more (or fewer) in all."""
        return self.after - self.before

    @property
    def same(self) -> int:
        """People whose points stay as they are."""
        return self.people - self.more - self.fewer


def rehearsed(
    existing: Sequence[RuleSet], rules: RuleSet, since: date, until: date
) -> list[RuleSet]:
    """The programme's rule sets if ``rules`` had held from ``since`` to ``until`` (both days)."""
    after = until + timedelta(days=1)
    kept = [one for one in existing if one.begins_on < since or one.begins_on > after]
    resumes = [one for one in existing if one.begins_on <= after]
    if resumes:
        kept.append(replace(pick(resumes, after), begins_on=after))
    return [*kept, replace(rules, begins_on=since)]


def period(begins_on: date, today: date) -> tuple[date, date]:
    """The same period of an earlier year: from the last such day that is past, for a year.

    A rule set that begins on 1 April 2027, seen in November 2026: 1 April 2026 until today.
    """
    year = today.year
    while (first := _same_day(begins_on, year)) > today or first >= begins_on:
        year -= 1
    return first, min(today, _same_day(first, first.year + 1) - timedelta(days=1))


@dataclass
class Tally:
    """Sums over volunteers as they are counted; ``result`` closes it."""

    since: date
    until: date
    labels: dict[str, str]
    attendances: int = 0
    people: int = 0
    more: int = 0
    fewer: int = 0
    before: int = 0
    after: int = 0
    gain: int = 0
    loss: int = 0
    rows: Counter[Kind] = field(default_factory=Counter)
    was: Counter[Kind] = field(default_factory=Counter)
    becomes: Counter[Kind] = field(default_factory=Counter)

    def add(self, pairs: Iterable[tuple[str, Share, Share]]) -> None:
        """One volunteer's attendances since the day: (activity kind, share now, share then)."""
        before = after = count = 0
        for kind, was, becomes in pairs:
            count += 1
            before += was.points
            after += becomes.points
            if was.points != becomes.points:
                row = Kind(kind, was.limit, becomes.limit)
                self.rows[row] += 1
                self.was[row] += was.points
                self.becomes[row] += becomes.points
        if not count:
            return
        self.attendances += count
        self.people += 1
        self.before += before
        self.after += after
        self.more += after > before
        self.fewer += after < before
        self.gain = max(self.gain, after - before)
        self.loss = max(self.loss, before - after)

    def result(self, *, ahead: int = 0) -> Preview:
        """The preview; the largest changes first, equal ones in the order of their kind."""
        every = [
            KindChange(row.kind, self.labels.get(row.kind, row.kind), WORDS[row.was],
                       WORDS[row.becomes], number, self.was[row], self.becomes[row])
            for row, number in self.rows.items()
        ]
        every.sort(key=lambda c: (-abs(c.difference), -c.attendances, c.kind, c.was, c.becomes))
        return Preview(
            self.since, self.until, self.attendances, self.people, self.more, self.fewer,
            self.before, self.after, self.gain, self.loss, tuple(every[:LARGEST]),
            sum(one.difference for one in every[LARGEST:]), ahead,
        )


def _same_day(on: date, year: int) -> date:
    """The same day of another year; 1 March for 29 February of a common year."""
    try:
        return on.replace(year=year)
    except ValueError:
        return date(year, 3, 1)
