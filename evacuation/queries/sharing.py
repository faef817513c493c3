"""Roster runs and sharing runs: what is waiting, done, held back, and why.

Owns the overviews for staff.  No person's name is in a sharing overview; a roster run's
difference names people and leaves view records.  R10; "Sharing and custody".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from evacuation.domain.periods import next_start
from evacuation.domain.recipients import RecipientKind
from evacuation.models import (
    CriteriaSet,
    Edition,
    RosterChange,
    RosterRun,
    SharingRun,
    SharingTask,
)
from evacuation.queries.disclosing import calendar
from registry.access import Scope
from registry.domain.errors import NotFound
from registry.domain.roles import Permission
from registry.queries import people
from registry.queries.pages import Page, after, cut, size


@dataclass(frozen=True)
class CriteriaFact:
    """One version of the criteria; ``body`` is its data."""

    id: int
    version: str
    title: str
    citation: str
    in_force_on: date
    body: dict[str, Any]


@dataclass(frozen=True)
class RosterRunFact:
    """A run of the criteria and its sums: examined = everybody living in the city."""

    id: int
    state: str
    criteria_version: str
    reference_on: date
    examined: int
    new: int
    gone: int
    reason_changed: int
    same: int
    unsure: int
    made_at: datetime
    applied_at: datetime | None


@dataclass(frozen=True)
class ChangeFact:
    """What a run would do with one person: new, gone, reason, unsure; criteria codes."""

    id: int
    person_id: int
    name: str
    kana: str
    change: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True)
class TaskFact:
    """One recipient of a run; ``code`` and ``reason`` say why it is held back."""

    id: int
    office_id: int
    office_name: str
    recipient_kind: str
    state: str
    state_label: str
    code: str
    reason: str
    decided_at: datetime | None
    edition_id: int | None
    edition_number: str
    people: int
    withheld: dict[str, int]
    override_reason: str


@dataclass(frozen=True)
class SharingRunFact:
    """A periodic sharing and its sums: recipients = waiting + issued + held back."""

    id: int
    period: str
    as_of: datetime
    mode: str
    citation: str
    recipients: int
    waiting: int
    issued: int
    held_back: int
    people: int
    next_on: date


def criteria(scope: Scope) -> list[CriteriaFact]:
    """Versions of the criteria, newest first.  Raises ``Forbidden`` without ``roster.view``."""
    scope.require(Permission.ROSTER_VIEW)
    return [
        CriteriaFact(row.pk, row.version, row.title, row.citation, row.in_force_on, row.body)
        for row in CriteriaSet.objects.order_by("-in_force_on", "-pk")
    ]


def roster_runs(scope: Scope, *, run_id: int | None = None) -> list[RosterRunFact]:
    """Runs of the criteria, newest first (or one).  Raises ``Forbidden``, ``NotFound``."""
    scope.require(Permission.ROSTER_VIEW)
    rows = RosterRun.objects.select_related("criteria_set").order_by("-pk")
    if run_id is not None:
        rows = rows.filter(pk=run_id)
    found = [
        RosterRunFact(
            row.pk, row.state, row.criteria_set.version, row.reference_on, row.examined,
            row.new_count, row.gone_count, row.changed_count, row.same_count, row.unsure_count,
            row.made_at, row.applied_at,
        )
        for row in rows[:200]
    ]
    if run_id is not None and not found:
        raise NotFound
    return found


def roster_changes(
    scope: Scope, *, run_id: int, change: str | None = None, cursor: str | None = None,
    limit: int = 50,
) -> Page[ChangeFact]:
    """Whom a run concerns, of those visible; view records.  Raises ``Forbidden``, ``BadCursor``."""
    scope.require(Permission.ROSTER_VIEW)
    visible = RosterChange.objects.visible_to(scope).filter(run_id=run_id)
    rows = visible if change is None else visible.filter(change=change)
    wanted = size(limit)
    found = list(after(rows, cursor, "person_id", visible=visible)[: wanted + 1])
    known = people.person_lines(
        scope, person_ids=[row.person_id for row in found[:wanted]], action="roster.changes"
    )
    facts = [
        ChangeFact(
            row.pk, row.person_id, known[row.person_id].name, known[row.person_id].kana,
            row.change, tuple(row.before), tuple(row.after),
        )
        for row in found[:wanted]
    ]
    page: Page[RosterChange] = cut(found, [row.pk for row in found], wanted)
    return Page(tuple(facts), page.next)


def sharing_runs(scope: Scope, *, period: str | None = None) -> list[SharingRunFact]:
    """Periodic sharings, newest first (or one).  Raises ``Forbidden``, ``NotFound``."""
    _allowed(scope)
    rows = SharingRun.objects.order_by("-period")
    if period is not None:
        rows = rows.filter(period=period)
    runs = list(rows[:50])
    if period is not None and not runs:
        raise NotFound
    states: dict[int, list[str]] = {run.pk: [] for run in runs}
    for run, state in SharingTask.objects.filter(run__in=runs).values_list("run_id", "state"):
        states[run].append(state)
    named = {run.pk: 0 for run in runs}
    for run, count in Edition.objects.visible_to(scope).filter(run__in=runs).values_list(
        "run_id", "row_count"
    ):
        named[run] += count
    due = min(next_start(scope.on, kind, calendar()) for kind in RecipientKind)
    return [
        SharingRunFact(
            run.pk, run.period, run.as_of, run.mode, run.citation, len(states[run.pk]),
            states[run.pk].count("waiting"), states[run.pk].count("issued"),
            states[run.pk].count("held_back"), named[run.pk], due,
        )
        for run in runs
    ]


def tasks(scope: Scope, *, period: str, state: str | None = None) -> list[TaskFact]:
    """Every recipient of a run with its state and reason, by office.  No people in it.

    Raises:
        Forbidden, NotFound.
    """
    _allowed(scope)
    run = SharingRun.objects.filter(period=period).first()
    if run is None:
        raise NotFound
    rows = SharingTask.objects.filter(run=run).select_related("office").order_by("office__code")
    if state is not None:
        rows = rows.filter(state=state)
    made = {row.office_id: row for row in Edition.objects.visible_to(scope).filter(run=run)}
    found = []
    for row in rows:
        one = made.get(row.office_id)
        found.append(TaskFact(
            row.pk, row.office_id, row.office.name, row.recipient_kind, row.state,
            SharingTask.State(row.state).label, row.code, row.reason, row.decided_at,
            one.pk if one else None, one.number if one else "", one.row_count if one else 0,
            dict(one.withheld) if one else {}, row.override_reason,
        ))
    return found


def _allowed(scope: Scope) -> None:
    if not scope.may(Permission.CUSTODY_MANAGE):
        scope.require(Permission.SHARING_RUN)
