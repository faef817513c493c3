"""Judging everybody against the criteria: the difference of a run.

Owns the stream over the register and the comparison with the roster in force.  Refuses to list
anybody on an unknown fact: such people are counted and shown as 要確認.  Only ``roster`` uses it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date

from django.db.models import Q

from evacuation.domain.eligibility import Outcome, RuleSet, evaluate
from evacuation.domain.facts import Nomination
from evacuation.models import CriteriaSet, ListingRequest, RosterChange, RosterEntry, RosterRun
from evacuation.operations.criteria import rules_of
from evacuation.operations.roster_facts import Requests, criteria_facts, manual
from registry.access import Scope
from registry.queries import people
from registry.queries.facts import PersonFacts
from registry.queries.roster import people_for_roster

CHUNK = 2_000
_NOMINATION = {
    ListingRequest.Kind.SELF: Nomination.SELF,
    ListingRequest.Kind.THIRD_PARTY: Nomination.THIRD_PARTY,
}


def differences(
    wide: Scope, criteria: CriteriaSet, *, on: date
) -> tuple[list[RosterChange], Counter[str]]:
    """Unsaved changes against the roster in force, and the counts of the run."""
    rules, asked = rules_of(criteria), requests(wide, on)
    listed = {
        entry[0]: entry[1]
        for entry in RosterEntry.objects.visible_to(wide)
        .filter(state=RosterEntry.State.LISTED).values_list("person_id", "criteria")
    }
    changes: list[RosterChange] = []
    counts: Counter[str] = Counter()
    seen: set[int] = set()
    for some in people_for_roster(wide):
        for one in some:
            counts["examined"] += 1
            outcome = _judge(rules, one, asked, on)
            change = _change(one.id, outcome, listed.get(one.id))
            seen.add(one.id)
            if change is None:
                counts["same"] += one.id in listed
            else:
                counts[change.change] += 1
                changes.append(change)
    for gone in sorted(set(listed) - seen):  # died or moved out, and nobody followed it up
        counts["gone"] += 1
        changes.append(RosterChange(person_id=gone, change="gone", before=listed[gone], after=[]))
    return changes, counts


def still_true(wide: Scope, run: RosterRun) -> bool:
    """Whether everybody named in the run is judged the same as in its preview."""
    rules = rules_of(run.criteria_set)
    asked = requests(wide, run.reference_on)
    rows = RosterChange.objects.visible_to(wide).filter(run=run).exclude(change="unsure")
    named = {row.person_id: row for row in rows}
    entries: dict[int, list[str]] = {}
    for some in chunks(sorted(named)):
        facts = people.person_facts(wide, person_ids=some, action="roster.apply")
        entries |= dict(
            RosterEntry.objects.visible_to(wide)
            .filter(person_id__in=some, state=RosterEntry.State.LISTED)
            .values_list("person_id", "criteria")
        )
        for pk in some:
            one = facts.get(pk)
            gone = one is None or one.gone_on(wide.on)
            change = (
                _gone(pk, entries.get(pk)) if gone or one is None
                else _change(pk, _judge(rules, one, asked, run.reference_on), entries.get(pk))
            )
            before = named[pk]
            if change is None or (change.change, change.after) != (before.change, before.after):
                return False
    return True


def _gone(person_id: int, before: list[str] | None) -> RosterChange | None:
    if before is None:
        return None
    return RosterChange(person_id=person_id, change="gone", before=before, after=[])


def _judge(
    rules: RuleSet, one: PersonFacts, asked: dict[int, Requests], on: date
) -> Outcome:
    return evaluate(rules, criteria_facts(one, asked.get(one.id, Requests()), on), on=on)


def _change(person_id: int, outcome: Outcome, before: list[str] | None) -> RosterChange | None:
    codes = sorted(match.code for match in outcome.matched)
    if outcome.on_roster:
        if before is None:
            return RosterChange(person_id=person_id, change="new", before=[], after=codes)
        if sorted(before) != codes:
            return RosterChange(person_id=person_id, change="reason", before=before, after=codes)
        return None
    if before is not None:
        left = sorted(match.code for match in outcome.excluded)
        return RosterChange(person_id=person_id, change="gone", before=before, after=left)
    if outcome.unsure and not outcome.excluded:
        open_ones = sorted(match.code for match in outcome.unsure)
        return RosterChange(person_id=person_id, change="unsure", before=[], after=open_ones)
    return None


def requests(wide: Scope, on: date) -> dict[int, Requests]:
    """person id → nominations and the newest officer's word in force on the day."""
    nominations: dict[int, set[Nomination]] = defaultdict(set)
    words: dict[int, tuple[str, str, str]] = {}
    rows = ListingRequest.objects.visible_to(wide).filter(
        Q(ends_on__isnull=True) | Q(ends_on__gt=on)
    )
    for person, kind, reason, by in rows.order_by("at", "pk").values_list(
        "person_id", "kind", "reason", "by_id"
    ):
        if kind in _NOMINATION:
            nominations[person].add(_NOMINATION[ListingRequest.Kind(kind)])
        else:
            words[person] = (kind, reason, str(by))
    return {
        person: Requests(
            frozenset(nominations.get(person, ())),
            manual(*words[person]) if person in words else None,
        )
        for person in nominations.keys() | words.keys()
    }


def chunks(ids: Iterable[int]) -> Iterable[list[int]]:
    """Lists of at most 2,000."""
    every = list(ids)
    for start in range(0, len(every), CHUNK):
        yield every[start : start + CHUNK]
