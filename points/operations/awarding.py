"""Count again and post the difference: the one way points come and go by attendance.

Owns award decisions.  After an arrival, a void, a cleared overlap or a corrected fact the whole
fiscal year of each volunteer is counted again, and every attendance whose share changed gets a
new decision and a transfer of the difference.  Refuses to reopen a closed year silently: there
only new records get their first decision, unless a named correction asks for more.
Source: P1, P3.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from points import keys
from points.domain import awards, recount
from points.domain.awards import Change, Limit, Share
from points.domain.eligibility import Decision
from points.domain.results import Result
from points.domain.rules import YearState
from points.domain.transfers import plan_awards
from points.models import AwardDecision
from points.operations.posting import Ledger, instant
from points.queries import records
from points.queries.rulebook import Rules
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
    shares: dict[int, Share] = {}
    eligible: dict[int, Decision] = {}
    planned: list[tuple[int, str, int, list[Change]]] = []
    for volunteer in sorted(found):
        counted = recount.count(found[volunteer], people[volunteer], rules.book)
        eligible.update(counted.eligibility)
        for (programme, year), after in sorted(counted.shares.items()):
            known = [before[s.attendance] for s in after if s.attendance in before]
            changes = list(awards.change(known, after))
            closed = rules.book.terms[programme, year].state is YearState.CLOSED
            if closed and (programme, year) not in corrected:
                changes = [change for change in changes if change.first]
                shares.update({s.attendance: s for s in known})
                shares.update({c.attendance: c.share for c in changes})
            else:
                shares.update({s.attendance: s for s in after})
            if changes:
                planned.append((volunteer, programme, year, changes))
    rows = _write_decisions(planned, rules, by)
    at = 0
    for volunteer, programme, year, changes in planned:
        mine = {str(c.attendance): row for c, row in zip(changes, rows[at:], strict=False)}
        at += len(changes)
        lapsed = any(change.difference < 0 for change in changes)
        plan = plan_awards(
            ledger.position(volunteer, programme, lapsed=lapsed), changes, fiscal_year=year
        )
        ledger.post(plan, volunteer_id=volunteer, fiscal_year=year, decisions=mine)
    return Settled(shares, eligible, len(rows), ledger.write())


def _write_decisions(
    planned: list[tuple[int, str, int, list[Change]]], rules: Rules, by: Scope
) -> list[AwardDecision]:
    mark = keys.marker("decision")
    rows = []
    for volunteer, _, _, changes in planned:
        for change in changes:
            row = AwardDecision(
                attendance_id=change.attendance, volunteer_id=volunteer,
                share=change.share.points, change=change.difference, code=change.share.limit,
                sentence=change.share.sentence, rule_set_id=rules.rule_id[change.share.rule_set],
                at=by.at,
            )
            row.mark = mark(decision_values(row))
            rows.append(row)
    made: list[AwardDecision] = AwardDecision.objects.visible_to(by).bulk_create(rows)
    return made


def decision_values(row: Any) -> list[Any]:
    """What the keyed mark of a decision covers: every column but the id and the mark."""
    at: datetime = row.at
    return [
        row.attendance_id, row.volunteer_id, row.share, row.change, str(row.code), row.sentence,
        row.rule_set_id, instant(at),
    ]
