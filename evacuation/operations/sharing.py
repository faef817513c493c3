"""The periodic sharing (定期提供): one run a period, one edition a recipient, exactly once.

Owns opening a run, building one edition in a worker, holding back with a reason, trying again
when the reason is gone, and issuing despite an outstanding copy.  Refuses a second edition for
an office and period: a repeat finds the first and stops.  Rendering holds no lock; the effect,
its log and the end of the work are one transaction.  R1, R5, R7–R11; trust.md "What we promise".
See ``docs/flows/sharing.md``.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from evacuation.domain.periods import PeriodRefused, period_key, starts_on
from evacuation.domain.recipients import RecipientKind
from evacuation.models import RosterRun, SharingRun, SharingTask
from evacuation.operations import sharing_draft, sharing_issuing, sharing_printing
from evacuation.operations.sharing_draft import HeldBack
from evacuation.queries.disclosing import KIND_OF, calendar, mode_setting
from registry import access, audit, outbox
from registry.access import Scope
from registry.domain.errors import Conflict, NotFound, Refused
from registry.domain.roles import Permission
from registry.failpoints import hit
from registry.operations.staff import actor_id
from registry.queries import offices
from registry.queries.offices import OfficeFact

EDITION = "evacuation.edition"
#: Held back for these, an office is tried again as soon as the reason is gone.
_CURABLE = {"no_area", "vacant_office", "recipient_not_in_plan"}


class PeriodNotOpen(Refused):
    """The period is not the current one of any kind of recipient."""

    code = "sharing_period_not_current"
    message = "いまの提供の時期ではありません。今期の時期を指定してください。"


class NotHeldBack(Conflict):
    """Only a recipient held back for an outstanding copy can be issued despite it."""

    code = "sharing_not_held_back"
    message = "この提供先は、前の副本を理由とする保留ではありません。"


def current_periods(at: datetime) -> tuple[str, ...]:
    """The keys of the periods that contain the instant's day, over all kinds, ascending."""
    on = access.day_of(at)
    return tuple(sorted({period_key(on, kind, calendar()) for kind in KIND_OF.values()}))


@transaction.atomic
def open_run(*, period: str, by: Scope) -> SharingRun:
    """Open the run of a period, or complete it: one task and one outbox row per recipient.

    Again is harmless: what is there stays; offices that are new, or whose reason for being held
    back is gone, are added.

    Raises:
        Forbidden: without ``sharing.run``.
        PeriodRefused: no such key.  PeriodNotOpen: not the current period of any kind.
    """
    by.require(Permission.SHARING_RUN)
    starts_on(period)
    kinds = {
        kind for kind in KIND_OF.values() if period_key(by.on, kind, calendar()) == period
    }
    if not kinds:
        raise PeriodNotOpen
    mode = mode_setting()
    run, _ = SharingRun.objects.get_or_create(
        period=period,
        defaults={"as_of": by.at, "opened_at": by.at, "mode": mode.mode.value,
                  "citation": mode.citation},
    )
    SharingRun.objects.select_for_update().get(pk=run.pk)
    with access.system(at=by.at, reason="sharing.open") as wide:
        seats = [
            seat for role, kind in KIND_OF.items() if kind in kinds
            for seat in offices.offices(wide, role=role)
        ]
        there = {task.office_id: task for task in SharingTask.objects.filter(run=run)}
        new = SharingTask.objects.bulk_create(
            [
                SharingTask(run=run, office_id=seat.id, state=SharingTask.State.WAITING,
                            recipient_kind=KIND_OF[seat.role].value)
                for seat in seats if seat.id not in there
            ],
            ignore_conflicts=False,
        )
        cured = _cured(wide, seats, there)
        wanted = [(EDITION, task.pk, _key(run, task)) for task in (*new, *cured)]
    run.recipients = SharingTask.objects.filter(run=run).count()
    run.save(update_fields=["recipients"])
    if wanted:
        outbox.put_many(wanted, at=by.at)
        audit.note(scope=by, kind="change", action="sharing.open_run", subject_kind="sharing_run",
                   subject_id=run.pk, detail={"new": len(new), "again": len(cured)})
    hit("sharing.open.before_commit")
    return run


def _cured(
    wide: Scope, seats: list[OfficeFact], there: dict[int, SharingTask]
) -> list[SharingTask]:
    """Tasks held back for a reason that is gone, waiting again."""
    held = [
        seat for seat in seats
        if seat.id in there and there[seat.id].state == SharingTask.State.HELD_BACK
        and there[seat.id].code in _CURABLE and seat.areas
    ]
    taken = offices.holders(wide, office_ids=[seat.id for seat in held]) if held else {}
    tasks = [there[seat.id] for seat in held if taken.get(seat.id)]
    for task in tasks:
        _again(task)
    return tasks


def _again(task: SharingTask) -> None:
    task.state, task.code, task.reason = SharingTask.State.WAITING, "", ""
    task.attempt, task.decided_at = task.attempt + 1, None
    task.save()


def _key(run: SharingRun, task: SharingTask) -> str:
    again = f":{task.attempt}" if task.attempt > 1 else ""
    return f"edition:{run.period}:{task.office_id}{again}"


def open_due(claimed: outbox.Claimed, at: datetime) -> None:
    """Worker: open the runs that are due.  Begins the day after the roster was last applied, so
    that nobody's half-finished work leaves; before the first roster there is nothing to share."""
    with access.system(at=at, reason="sharing.due") as wide:
        last = (
            RosterRun.objects.filter(state=RosterRun.State.APPLIED)
            .order_by("-applied_at").values_list("applied_at", flat=True).first()
        )
        if last is not None and access.day_of(last) < wide.on:
            for period in current_periods(at):
                open_run(period=period, by=wide)
        claimed.finish(at)
    hit("sharing.open.after_commit")


def build_edition(claimed: outbox.Claimed, at: datetime) -> None:
    """Worker: one recipient's edition — load, render, store, issue; or hold back with a reason.

    Safe to run any number of times and to be killed anywhere: the files are stored under their
    content before the one transaction that names them.

    Raises:
        LeaseLost, MovedMeanwhile: nothing is written; the row comes back.
    """
    with access.system(at=at, reason="sharing.draft") as wide:
        task = SharingTask.objects.select_related("run").get(pk=claimed.subject_id or 0)
        draft = (
            sharing_draft.load(wide, task, at=at)
            if task.state == SharingTask.State.WAITING else None
        )
    files = None
    if draft is not None and not isinstance(draft, HeldBack):
        hit("sharing.before_render")
        files = sharing_printing.render(draft, task.run)
        hit("sharing.after_store")
    with access.system(at=at, reason="sharing.issue") as wide:
        task = SharingTask.objects.select_for_update().select_related("run").get(pk=task.pk)
        if task.state == SharingTask.State.WAITING and draft is not None:
            if isinstance(draft, HeldBack):
                task.state = SharingTask.State.HELD_BACK
                task.code, task.reason, task.decided_at = draft.code, draft.reason, at
                task.save()
            elif files is not None:
                sharing_issuing.issue(wide, task, draft, files, at=at)
        claimed.finish(at)
        hit("sharing.before_commit")
    hit("sharing.after_commit")


@transaction.atomic
def issue_despite_outstanding(*, task_id: int, reason: str, by: Scope) -> SharingTask:
    """Let the new edition go although the old copy is not back; the reason is kept and logged.

    Raises:
        Forbidden: without ``custody.manage``.  NotFound.
        NotHeldBack: the task is not held back for that.  Refused ``reason_missing``.
    """
    by.require(Permission.CUSTODY_MANAGE)
    if not reason.strip():
        raise Refused("先に渡す理由を入力してください。", code="reason_missing",
                      fields={"reason": "理由を入力してください。"})
    task = _locked(task_id)
    if task.code != "custody_old_copy_outstanding":
        raise NotHeldBack
    task.override_reason, task.override_at = reason.strip()[:240], by.at
    task.override_by_id = actor_id(by=by)
    _again(task)
    outbox.put(kind=EDITION, subject_id=task.pk, dedupe_key=_key(task.run, task), at=by.at)
    audit.note(scope=by, kind="change", action="sharing.issue_despite_outstanding",
               subject_kind="sharing_task", subject_id=task.pk)
    return task


@transaction.atomic
def retry(*, task_id: int, by: Scope) -> SharingTask:
    """Try a recipient held back once more.

    Raises:
        Forbidden, NotFound.  NotHeldBack: it waits or is issued.
    """
    by.require(Permission.SHARING_RUN)
    task = _locked(task_id)
    if task.state != SharingTask.State.HELD_BACK:
        raise NotHeldBack("この提供先は保留ではありません。")
    _again(task)
    outbox.put(kind=EDITION, subject_id=task.pk, dedupe_key=_key(task.run, task), at=by.at)
    audit.note(scope=by, kind="change", action="sharing.retry", subject_kind="sharing_task",
               subject_id=task.pk)
    return task


def copies_came_back(office_id: int, *, by: Scope, wide: Scope) -> None:
    """Custody: nothing of the office is outstanding any more; its held-back edition may go."""
    waiting: QuerySet[SharingTask] = SharingTask.objects.filter(
        office_id=office_id, state=SharingTask.State.HELD_BACK,
        code="custody_old_copy_outstanding",
    ).select_related("run").order_by("-run__period")
    task = waiting.first()
    if task is None or sharing_draft.outstanding(wide, office_id):
        return
    _again(task)
    outbox.put(kind=EDITION, subject_id=task.pk, dedupe_key=_key(task.run, task), at=by.at)


def _locked(task_id: int) -> SharingTask:
    task = (
        SharingTask.objects.select_for_update(of=("self",)).select_related("run")
        .filter(pk=task_id).first()
    )
    if task is None:
        raise NotFound
    return task


__all__ = [
    "EDITION", "NotHeldBack", "PeriodNotOpen", "PeriodRefused", "RecipientKind", "build_edition",
    "copies_came_back", "current_periods", "issue_despite_outstanding", "open_due", "open_run",
    "retry",
]
