"""Count again and post the difference: the one way points come and go by attendance.

Owns award decisions.  After an arrival, a void, a cleared overlap or a corrected fact the whole
fiscal year of each volunteer is counted again, and every attendance whose share changed gets a
new decision and a transfer of the difference.  Refuses to reopen a closed year silently: there
only new records get their first decision, unless a named correction asks for more.
Source: P1, P3.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from points import keys
from points.domain import awards, recount
from points.domain.awards import Change, Limit, Share
from points.domain.eligibility import Decision
from points.domain.recount import Counted, Record
from points.domain.results import Result
from points.domain.rules import YearState, fiscal_year
from points.domain.transfers import plan_awards
from points.models import AwardDecision
from points.operations import withheld
from points.operations.posting import Ledger, instant
from points.queries import records
from points.queries.rulebook import Rules
from registry import rows
from registry.access import Scope


@dataclass(frozen=True)
class Settled:
    """The shares as they stand now, by attendance, with their eligibility."""

    shares: dict[int, Share]
    eligibility: dict[int, Decision]
    decisions: int
    transfers: int

    def result(self, attendance: int) -> Result:
        """What a scan of this attendance answers."""
        share = self.shares[attendance]
        if share.limit is Limit.INELIGIBLE:
            return self.eligibility[attendance].result
        return share.result


@dataclass
class Counting:
    """Shares counted again, and what must be posted for it; nothing written yet."""

    shares: dict[int, Share] = field(default_factory=dict)
    eligibility: dict[int, Decision] = field(default_factory=dict)
    planned: list[tuple[int, str, int, list[Change]]] = field(default_factory=list)
    closed: list[withheld.Lot] = field(default_factory=list)  # what waits for a word

    def take(
        self, volunteer: int, counted: Counted, before: Mapping[int, Share], rules: Rules,
        corrected: Collection[tuple[str, int]] = (),
    ) -> None:
        """Plan the changes of one volunteer from ``before`` to what was counted."""
        self.eligibility.update(counted.eligibility)
        for (programme, year), after in sorted(counted.shares.items()):
            known = [before[s.attendance] for s in after if s.attendance in before]
            changes = list(awards.change(known, after))
            closed = rules.book.terms[programme, year].state is YearState.CLOSED
            reopened = (programme, year) in corrected
            if closed:
                self.closed.append(withheld.Lot.of(
                    volunteer, programme, year, known,
                    [] if reopened else [change for change in changes if not change.first],
                ))
            if closed and not reopened:
                changes = [change for change in changes if change.first]
                self.shares.update({s.attendance: s for s in known})
                self.shares.update({c.attendance: c.share for c in changes})
            else:
                self.shares.update({s.attendance: s for s in after})
            if changes:
                self.planned.append((volunteer, programme, year, changes))

    def post(self, ledger: Ledger, rules: Rules, by: Scope) -> rows.Table:
        """Post the differences to the open ledger; the decisions to be written before it."""
        withheld.note(lots=self.closed, rules=rules, by=by)
        total = sum(len(changes) for _, _, _, changes in self.planned)
        [numbers] = rows.new_ids((AwardDecision, total))
        mark, at, place = keys.marker("decision"), instant(by.at), 0
        written = []
        for volunteer, programme, year, changes in self.planned:
            mine = {}
            for change in changes:
                share, number = change.share, numbers[place]
                place += 1
                values = [change.attendance, volunteer, share.points, change.difference,
                          share.limit.value, share.sentence, rules.rule_id[share.rule_set]]
                written.append((number, *values, by.at, mark([*values, at])))
                mine[str(change.attendance)] = number
            lapsed = any(change.difference < 0 for change in changes)
            plan = plan_awards(
                ledger.position(volunteer, programme, lapsed=lapsed), changes, fiscal_year=year
            )
            ledger.post(plan, volunteer_id=volunteer, fiscal_year=year, decisions=mine)
        return AwardDecision, _DECISION, written


_DECISION = ("id", "attendance_id", "volunteer_id", "share", "change", "code", "sentence",
             "rule_set_id", "at", "mark")


def settle(
    *,
    volunteer_ids: Collection[int],
    years: Collection[int],
    ledger: Ledger,
    rules: Rules,
    by: Scope,
    corrected: Collection[tuple[str, int]] = (),
) -> Settled:
    """Count the years of these volunteers again and post what changed.

    The passbooks are locked and ``ledger`` was read after that.  ``corrected`` are the
    (programme, year) that a named correction reopens.  Writes the ledger.
    """
    ids = set(volunteer_ids)
    found = records.records(by, rules, volunteer_ids=ids, years=years)
    people = records.people(by, volunteer_ids=ids, rules=rules)
    before = records.decisions(by, rules, volunteer_ids=ids, years=years)
    counting = Counting()
    for volunteer in sorted(found):
        counted = recount.count(found[volunteer], people[volunteer], rules.book)
        counting.take(volunteer, counted, before, rules, corrected)
    decided = counting.post(ledger, rules, by)
    posted = ledger.write(before=[decided])
    return Settled(counting.shares, counting.eligibility, len(decided[2]), posted)


def count_days(
    found: Mapping[int, list[Record]], before: Mapping[int, Share], *, ledger: Ledger,
    rules: Rules, by: Scope, arrived: Collection[Record],
) -> Counting:
    """Count again the days on which something arrived, without their year where that is the same.

    ``found`` are all stored records of the volunteers on those days with their decisions
    ``before``; ``arrived`` are new and not stored yet.  A session lies within one day, and the
    caps of a day do not look beyond it.  Only the annual cap does: a volunteer who might touch it
    (by an upper bound of what was awarded) is counted over the whole year, and so is everybody in
    a closed year.  ``docs/algorithms/scans.md`` has the proof.  Posts and writes nothing.
    """
    days: dict[int, list[Record]] = {volunteer: list(some) for volunteer, some in found.items()}
    for one in arrived:
        days.setdefault(one.volunteer, []).append(one)
    people = records.people(by, volunteer_ids=days, rules=rules)
    counting, again = Counting(), set()
    for volunteer in sorted(days):
        counted = recount.count(days[volunteer], people[volunteer], rules.book)
        if all(_days_suffice(volunteer, lot, after, before, ledger, rules)
               for lot, after in counted.shares.items()):
            counting.take(volunteer, counted, before, rules)
        else:
            again.add(volunteer)
    if again:
        years = {fiscal_year(one.on) for volunteer in again for one in days[volunteer]}
        whole = records.records(by, rules, volunteer_ids=again, years=years)
        known = records.decisions(by, rules, volunteer_ids=again, years=years)
        for one in arrived:
            if one.volunteer in again:
                whole[one.volunteer].append(one)
        for volunteer in sorted(again):
            counted = recount.count(whole[volunteer], people[volunteer], rules.book)
            counting.take(volunteer, counted, known, rules)
    return counting


def _days_suffice(
    volunteer: int, lot: tuple[str, int], after: tuple[Share, ...], before: Mapping[int, Share],
    ledger: Ledger, rules: Rules,
) -> bool:
    """Whether the annual cap binds nowhere in the year, before and after."""
    terms = rules.book.terms[lot]
    if terms.state is YearState.CLOSED:
        return False
    if terms.annual_cap is None:
        return True
    bound = ledger.awarded_at_most(volunteer, *lot)
    more = sum(share.points - before[share.attendance].points
               if share.attendance in before else share.points for share in after)
    # Strictly below: with nothing left of the year the sentence would name the annual cap.
    return bound < terms.annual_cap and bound + more < terms.annual_cap


def decision_values(row: Any) -> list[Any]:
    """What the keyed mark of a decision covers: every column but the id and the mark."""
    at: datetime = row.at
    return [
        row.attendance_id, row.volunteer_id, row.share, row.change, str(row.code), row.sentence,
        row.rule_set_id, instant(at),
    ]
