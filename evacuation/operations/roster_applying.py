"""Writing a run: new entries, removals, changed reasons; needs and priority of all.

Owns list numbers, the refresh of needs and priority, and ``remove``: an entry is closed with
date, officer and reason, never deleted, and the person is struck out of copies in circulation
(R5).  Only ``roster`` and ``follow_ups`` use it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from evacuation.domain.hazards import HazardIndex
from evacuation.domain.needs import NEEDS
from evacuation.models import RosterChange, RosterEntry, RosterRun
from evacuation.operations import strikes
from evacuation.operations.roster_facts import need_tags, priority
from evacuation.operations.roster_judging import chunks
from evacuation.queries import hazards
from registry import audit
from registry.access import Scope
from registry.operations.staff import actor_id
from registry.queries import people
from registry.queries.facts import PersonFacts

_REFRESHED = ["needs", "devices", "priority_score", "urgency", "priority_reasons"]
_WRITTEN = [
    *_REFRESHED, "criteria", "criteria_set", "state", "removed_at", "removed_by",
    "removal_reason", "listed_at", "updated_at", "version",
]


def apply(run: RosterRun, *, by: Scope, wide: Scope) -> dict[str, int]:
    """Write the changes of a run and refresh everybody listed; counts for the log."""
    wanted: dict[int, RosterChange] = {
        row.person_id: row
        for row in RosterChange.objects.visible_to(wide).filter(run=run).exclude(change="unsure")
    }
    gone = sorted(pk for pk, row in wanted.items() if row.change == "gone")
    remove(gone, reason="登載要件に該当しなくなった", by=by, wide=wide)
    entries = {
        row.person_id: row
        for row in RosterEntry.objects.visible_to(wide).select_for_update().order_by("pk")
    }
    maps = hazards.in_force()
    zones = maps.index if maps.covered else None  # without maps: unknown, not "outside"
    number = max((int(r.number) for r in entries.values() if r.number.isdecimal()), default=0)
    on_list = {pk for pk, row in entries.items() if row.state == RosterEntry.State.LISTED}
    on_list |= {pk for pk, row in wanted.items() if row.change == "new"}
    new: list[RosterEntry] = []
    changed: list[RosterEntry] = []
    for some in chunks(sorted(on_list)):
        facts = people.person_facts(wide, person_ids=some, action="roster.apply")
        for pk in some:
            row = entries.get(pk)
            if row is None:
                number += 1
                row = RosterEntry(person_id=pk, number=f"{number:07d}", version=0)
            if _write(row, wanted.get(pk), facts[pk], run, zones, by):
                (changed if row.pk else new).append(row)
    RosterEntry.objects.unscoped().bulk_create(new, batch_size=500)
    RosterEntry.objects.unscoped().bulk_update(changed, _WRITTEN, batch_size=200)
    _log(by, wanted)
    return {"new": len(new), "gone": len(gone), "updated": len(changed), "listed": len(on_list)}


def _write(
    row: RosterEntry, change: RosterChange | None, one: PersonFacts, run: RosterRun,
    zones: HazardIndex | None, by: Scope,
) -> bool:
    """Bring one entry up to date; True when something changed."""
    before = [getattr(row, name) for name in _REFRESHED]
    tags = need_tags(one.needs)
    score = priority(one, tags, zones, run.reference_on)
    row.needs = [tag.value for tag in tags]
    powered = [NEEDS[tag].plain for tag in tags if NEEDS[tag].power]
    own = [name for name in row.devices if name not in {need.plain for need in NEEDS.values()}]
    row.devices = powered + own
    row.priority_score, row.urgency = score.score, int(score.urgency)
    row.priority_reasons = list(score.reasons)
    if change is not None:
        if change.change == "new":
            row.state, row.listed_at = RosterEntry.State.LISTED, by.at
            row.removed_at = row.removed_by = None
            row.removal_reason = ""
        row.criteria, row.criteria_set_id = change.after, run.criteria_set_id
    elif before == [getattr(row, name) for name in _REFRESHED]:
        return False
    row.updated_at, row.version = by.at, row.version + 1
    return True


def remove(person_ids: Iterable[int], *, reason: str, by: Scope, wide: Scope) -> int:
    """Close entries, and strike the people out of copies in circulation; how many were closed."""
    rows = list(
        RosterEntry.objects.visible_to(wide).select_for_update().order_by("pk")
        .filter(person_id__in=list(person_ids), state=RosterEntry.State.LISTED)
    )
    actor = actor_id(by=by)
    for row in rows:
        row.state, row.removed_at, row.removed_by_id = RosterEntry.State.REMOVED, by.at, actor
        row.removal_reason, row.updated_at, row.version = reason[:120], by.at, row.version + 1
    RosterEntry.objects.unscoped().bulk_update(rows, _WRITTEN, batch_size=200)
    audit.changed(scope=by, action="roster.remove",
                  people=[(row.person_id, ["state"]) for row in rows])
    strikes.strike_out([row.person_id for row in rows], by=by, wide=wide)
    return len(rows)


def _log(by: Scope, wanted: Mapping[int, RosterChange]) -> None:
    audit.changed(
        scope=by, action="roster.apply",
        people=[(pk, ["criteria"]) for pk, row in wanted.items() if row.change != "gone"],
    )
