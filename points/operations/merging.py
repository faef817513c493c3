"""Two records of one person become one (記録の統合), P8.

Owns ``merge``: the attendances go over, two of the same session become one by rule, every
account of the record that goes is emptied by transfers that name the merge, vouchers and yearly
registrations follow, and the survivor's years are counted again as one person's.  One
transaction: killed at any instant, nothing is half merged.  Refuses what the registry refuses,
and a merge without a reason.  Nothing is rewritten: decisions and transfers of before stay with
the old record, ``merge_line`` says where each attendance went.  ADR 9; ``points.domain.merging``.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

from points.domain.merging import Fate, Held, Outcome, fates, plan_merge
from points.domain.rules import fiscal_year
from points.models import (
    Attendance,
    Enrolment,
    Exchange,
    GroupLeader,
    Merge,
    MergeLine,
    Passbook,
    Voucher,
    YearCorrection,
)
from points.operations.attendance import resettle
from points.operations.posting import Ledger, lock
from points.queries import rulebook
from registry import access, audit, failpoints
from registry.access import Scope
from registry.domain.errors import NotFound, Refused
from registry.domain.roles import Permission
from registry.operations.staff import actor_id
from registry.operations.uniting import unite
from registry.queries.volunteers import volunteer_facts

VOIDED = "記録の統合：同じ開催回の記録（番号 {stays}）があるため"


@transaction.atomic
def merge(*, survivor_id: int, merged_id: int, reason: str, by: Scope) -> Merge:
    """Unite two records of one person; ``survivor`` stays, ``merged`` leads to it from now on.

    Raises:
        Forbidden: without ``volunteers.manage`` and ``statements.view`` (the council).
        NotFound: one of them is not visible.
        Refused: ``reason_missing``, ``same_record``, ``survivor_left``.
        Conflict: ``already_merged``.
    """
    by.require(Permission.VOLUNTEERS_MANAGE)
    by.require(Permission.STATEMENTS_VIEW)
    said = reason.strip()
    if not said or len(said) > 160:
        told = "まとめる理由を1〜160文字で書いてください。"
        raise Refused(told, code="reason_missing", fields={"reason": told})
    pair = {survivor_id, merged_id}
    facts = volunteer_facts(by, volunteer_ids=pair, action="volunteers.merge")
    if set(facts) != pair:
        raise NotFound
    with access.system(at=by.at, reason="merge") as wide:
        _hold_years()
        lock(volunteer_ids=pair, by=wide)
        moved = unite(survivor_id=survivor_id, merged_id=merged_id, by=by).moved
        made = Merge(survivor_id=survivor_id, merged_id=merged_id, reason=said, made_at=by.at,
                     made_by_id=actor_id(by=by),
                     moved=moved | _follow(survivor_id, merged_id, wide))
        made.save()
        years = _attendances(made, wide)
        failpoints.hit("merging.attendances_moved")
        _count_what_is_left(made, years, wide)
        _move_points(made, facts[merged_id].number, wide)
        _close_passbook(made, wide)
        failpoints.hit("merging.points_moved")
        settled = resettle(volunteer_ids=[survivor_id], years=years, wide=wide)
    failpoints.hit("merging.before_commit")
    audit.note(scope=by, kind="change", action="merging.merge", subject_kind="volunteer",
               subject_id=survivor_id, detail={
                   "merged": merged_id, "merge": made.pk, "decisions": settled.decisions})
    return made


def _hold_years() -> None:
    """Let no year be closed until we are done (PostgreSQL; SQLite has one writer)."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM points_programmeyear ORDER BY id FOR SHARE")


def _follow(kept: int, gone: int, wide: Scope) -> dict[str, list[Any]]:
    """Exchanges and vouchers, yearly registrations, the leader's seat, what waits after a close."""
    moved: dict[str, list[Any]] = {}
    for name, model in (("exchanges", Exchange), ("vouchers", Voucher),
                        ("group_leaders", GroupLeader)):
        rows = model.objects.visible_to(wide).filter(volunteer_id=gone).order_by("pk")
        moved[name] = [str(pk) for pk in rows.values_list("pk", flat=True)]
        rows.update(volunteer_id=kept)
    YearCorrection.objects.visible_to(wide).filter(volunteer_id=gone, outcome="waiting").update(
        outcome="gone", resolved_at=wide.at
    )
    moved["enrolments"] = _enrolments(kept, gone, wide)
    return moved


def _enrolments(kept: int, gone: int, wide: Scope) -> list[Any]:
    """Of two registrations for a year the earlier day holds."""
    rows = Enrolment.objects.visible_to(wide).select_for_update().filter(
        volunteer_id__in=[kept, gone], cancelled_at__isnull=True
    ).order_by("pk")
    own = {(row.programme_id, row.fiscal_year): row for row in rows if row.volunteer_id == kept}
    touched = []
    for row in (one for one in rows if one.volunteer_id == gone):
        touched.append(row.pk)
        same = own.get((row.programme_id, row.fiscal_year))
        if same is None:
            row.volunteer_id = kept
            row.save(update_fields=["volunteer"])
        elif row.starts_on < same.starts_on:
            same.starts_on = row.starts_on
            same.save(update_fields=["starts_on"])
    return touched


def _attendances(made: Merge, wide: Scope) -> list[int]:
    """Move, void or restore; one line each.  The fiscal years that anything was moved in."""
    rows = {
        row.pk: row
        for row in Attendance.objects.visible_to(wide).select_related("session")
        .filter(volunteer_id__in=[made.survivor_id, made.merged_id]).order_by("pk")
    }
    held = {
        side: [Held(row.pk, row.session_id, row.voided_at is not None)
               for row in rows.values() if row.volunteer_id == side]
        for side in (made.survivor_id, made.merged_id)
    }
    lines, changed = [], []
    for fate in fates(held[made.survivor_id], held[made.merged_id]):
        row = rows[fate.attendance]
        note = row.void_reason if fate.outcome is Outcome.LEFT else ""
        if fate.outcome is Outcome.MOVED:
            row.volunteer_id = made.survivor_id
        elif fate.outcome is not Outcome.LEFT:
            note = _one_of_two(fate, row, rows[fate.stays or 0], made, wide)
            changed.append(rows[fate.stays or 0])
        changed.append(row)
        lines.append(MergeLine(merge=made, attendance=row, stays_id=fate.stays,
                               outcome=fate.outcome.value, note=note))
    Attendance.objects.visible_to(wide).bulk_update(changed, _COLUMNS, batch_size=100)
    MergeLine.objects.visible_to(wide).bulk_create(lines)
    return sorted({fiscal_year(row.session.held_on) for row in rows.values()})


_COLUMNS = ("volunteer", "voided_at", "voided_by", "void_reason", "cleared_at", "cleared_by",
            "after_close", "correction", "corrected_at", "corrected_by")


def _one_of_two(fate: Fate, row: Any, stays: Any, made: Merge, wide: Scope) -> str:
    """The survivor's record stays and keeps what either had; the note is its former void."""
    note: str = stays.void_reason
    if fate.outcome is Outcome.RESTORED:
        stays.voided_at, stays.voided_by_id, stays.void_reason = None, None, ""
    if stays.cleared_at is None:
        stays.cleared_at, stays.cleared_by_id = row.cleared_at, row.cleared_by_id
    if stays.after_close and not (row.after_close and not row.correction) and not stays.correction:
        # The other one came in time, or was corrected: that is the person's record.
        for name in ("after_close", "correction", "corrected_at", "corrected_by_id"):
            setattr(stays, name, getattr(row, name))
    row.voided_at, row.voided_by_id = wide.at, made.made_by_id
    row.void_reason = VOIDED.format(stays=stays.pk)
    return note


def _count_what_is_left(made: Merge, years: list[int], wide: Scope) -> None:
    """The voided records of the one that goes give back their points, in closed years too:
    the merge with its reason is the named correction (P1)."""
    codes = rulebook.load().id_of
    resettle(volunteer_ids=[made.merged_id], years=years, wide=wide,
             corrected=[(code, year) for code in codes for year in years])


def _move_points(made: Merge, number: str, wide: Scope) -> None:
    rules = rulebook.load()
    both = [made.survivor_id, made.merged_id]
    ledger = Ledger(rules=rules, volunteer_ids=both, by=wide)
    for programme in sorted(rules.id_of):
        kept, gone = (ledger.position(one, programme, lapsed=False) for one in both)
        plan = plan_merge(kept, gone, merge=str(made.pk), number=number)
        ledger.post(plan, volunteer_id=made.survivor_id)
    ledger.write()


def _close_passbook(made: Merge, wide: Scope) -> None:
    """Whoever holds the old record's lock next sees that everything goes on elsewhere."""
    rows = Passbook.objects.visible_to(wide)
    rows.filter(volunteer_id=made.merged_id).update(moved_to_id=made.survivor_id)
    rows.filter(moved_to_id=made.merged_id).update(moved_to_id=made.survivor_id)
