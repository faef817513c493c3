"""The statutory roster: preview of a run, its apply, and what single people need.

Owns ``rebuild_preview``, ``apply``, ``discard``, ``request_listing``, ``describe`` and
``release_protection``.  Refuses to change the roster without the difference having been shown,
and to apply a difference that the register has overtaken.  Consent plays no part here: people
who refuse stay listed (R10).  災害対策基本法 第49条の10; R10, R11.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import F

from evacuation.domain.recipients import RecipientKind
from evacuation.models import (
    CriteriaSet,
    ListingRequest,
    ProtectionRelease,
    RosterChange,
    RosterEntry,
    RosterRun,
)
from evacuation.operations import roster_applying, roster_judging
from registry import access, audit
from registry.access import Scope
from registry.domain.errors import Conflict, NotFound, Refused
from registry.domain.roles import Permission
from registry.operations.staff import actor_id
from registry.queries import people

DESCRIBED = frozenset({
    "devices", "communication", "contact_name", "contact_relation", "contact_phone", "bedroom",
})


class RunClosed(Conflict):
    """The run was applied or discarded before."""

    code = "roster_run_closed"
    message = "この更新は、すでに反映したか取りやめています。"


class RunOvertaken(Conflict):
    """The register or the roster changed since the preview."""

    code = "roster_run_overtaken"
    message = "確認したあとに住民の情報が変わりました。もう一度、差分をつくってください。"


class NoCriteria(Refused):
    """There is no criteria set to run."""

    code = "roster_no_criteria"
    message = "登載要件が登録されていません。先に要件を登録してください。"


class ReasonMissing(Refused):
    """An officer's act needs a reason."""

    code = "reason_missing"
    message = "理由を入力してください。"


@transaction.atomic
def rebuild_preview(*, by: Scope, criteria_set_id: int | None = None) -> RosterRun:
    """Evaluate everybody against a criteria set and keep the difference; nothing is applied.

    Without an id the version in force on the day is used.  Streams the register: flat memory.

    Raises:
        Forbidden: without ``roster.manage``.
        NoCriteria, NotFound: no set in force, or no such set.
    """
    by.require(Permission.ROSTER_MANAGE)
    criteria = _criteria(by, criteria_set_id)
    RosterRun.objects.filter(state=RosterRun.State.PREVIEWED).update(
        state=RosterRun.State.DISCARDED
    )
    run = RosterRun(
        criteria_set=criteria, state=RosterRun.State.PREVIEWED, reference_on=by.on,
        made_at=by.at, made_by_id=actor_id(by=by),
    )
    with access.system(at=by.at, reason="roster.preview") as wide:
        changes, counts = roster_judging.differences(wide, criteria, on=by.on)
        run.examined, run.same_count = counts["examined"], counts["same"]
        run.new_count, run.gone_count = counts["new"], counts["gone"]
        run.changed_count, run.unsure_count = counts["reason"], counts["unsure"]
        run.save()
        for change in changes:
            change.run = run
        RosterChange.objects.unscoped().bulk_create(changes, batch_size=500)
    audit.note(scope=by, kind="change", action="roster.preview", subject_kind="roster_run",
               subject_id=run.pk, detail=dict(counts))
    return run


def _criteria(by: Scope, criteria_set_id: int | None) -> CriteriaSet:
    if criteria_set_id is not None:
        row = CriteriaSet.objects.filter(pk=criteria_set_id).first()
        if row is None:
            raise NotFound
        return row
    row = (
        CriteriaSet.objects.filter(in_force_on__lte=by.on).order_by("-in_force_on", "-pk").first()
    )
    if row is None:
        raise NoCriteria
    return row


@transaction.atomic
def apply(*, run_id: int, by: Scope) -> RosterRun:
    """Write a previewed difference; an applied run is returned as it is.

    Everybody it names is judged once more; needs and priority of all listed people follow the
    register and the hazard maps.  Who leaves the roster is struck out of copies in circulation.

    Raises:
        Forbidden, NotFound.
        RunClosed: it was discarded.
        RunOvertaken: somebody's facts changed since the preview.
    """
    by.require(Permission.ROSTER_MANAGE)
    # One apply at a time, whatever run: list numbers are handed out in order.
    RosterRun.objects.select_for_update().order_by("pk").first()
    run = RosterRun.objects.select_for_update().filter(pk=run_id).first()
    if run is None:
        raise NotFound
    if run.state == RosterRun.State.APPLIED:
        return run
    if run.state != RosterRun.State.PREVIEWED:
        raise RunClosed
    with access.system(at=by.at, reason="roster.apply") as wide:
        if not roster_judging.still_true(wide, run):
            raise RunOvertaken
        counts = roster_applying.apply(run, by=by, wide=wide)
    run.state, run.applied_at, run.applied_by_id = (
        RosterRun.State.APPLIED, by.at, actor_id(by=by)
    )
    run.save()
    audit.note(scope=by, kind="change", action="roster.apply", subject_kind="roster_run",
               subject_id=run.pk, detail=counts)
    return run


@transaction.atomic
def discard(*, run_id: int, by: Scope) -> RosterRun:
    """Give a previewed run up.  Again is no error.

    Raises:
        Forbidden, NotFound, RunClosed (it was applied).
    """
    by.require(Permission.ROSTER_MANAGE)
    run = RosterRun.objects.select_for_update().filter(pk=run_id).first()
    if run is None:
        raise NotFound
    if run.state == RosterRun.State.APPLIED:
        raise RunClosed
    run.state = RosterRun.State.DISCARDED
    run.save(update_fields=["state"])
    return run


@transaction.atomic
def request_listing(*, person_id: int, kind: str, reason: str, by: Scope) -> ListingRequest:
    """Record a nomination, or an officer's inclusion or exclusion; the next run reads it.

    Raises:
        Forbidden, NotFound, ReasonMissing.
    """
    by.require(Permission.ROSTER_MANAGE)
    if kind not in ListingRequest.Kind.values:
        raise Refused("種類が正しくありません。", code="listing_kind_unknown")
    if not reason.strip():
        raise ReasonMissing(fields={"reason": "理由を入力してください。"})
    _require_visible(by, person_id)
    row: ListingRequest = ListingRequest.objects.unscoped().create(
        person_id=person_id, kind=kind, reason=reason.strip()[:240], at=by.at,
        by_id=actor_id(by=by),
    )
    audit.changed(scope=by, action="roster.request_listing", people=[(person_id, ["listing"])])
    return row


@transaction.atomic
def describe(
    *, person_id: int, values: Mapping[str, Any], by: Scope, version: int | None = None
) -> RosterEntry:
    """Write what only people can tell: contacts, bedroom, devices, the way to communicate.

    ``version`` is the entry's version as read; None skips the check.

    Raises:
        Forbidden, NotFound (not listed or not visible), Conflict ``changed_meanwhile``.
        Refused: an unknown item.
    """
    by.require(Permission.ROSTER_MANAGE)
    unknown = set(values) - DESCRIBED
    if unknown:
        raise Refused("変更できない項目があります。", code="roster_item_unknown",
                      fields=dict.fromkeys(sorted(unknown), "この項目は変更できません。"))
    entry: RosterEntry | None = (
        RosterEntry.objects.visible_to(by).select_for_update()
        .filter(person_id=person_id, state=RosterEntry.State.LISTED).first()
    )
    if entry is None:
        raise NotFound
    if version is not None and version != entry.version:
        raise Conflict(code="changed_meanwhile")
    for name, value in values.items():
        setattr(entry, name, list(value) if name == "devices" else str(value).strip()[:120])
    entry.contact_phone, entry.contact_relation = (
        entry.contact_phone[:24], entry.contact_relation[:24]
    )
    entry.updated_at, entry.version = by.at, entry.version + 1
    entry.save()
    audit.changed(scope=by, action="roster.describe", people=[(person_id, sorted(values))])
    return entry


@transaction.atomic
def release_protection(
    *, person_id: int, kinds: frozenset[RecipientKind], reason: str, by: Scope
) -> ProtectionRelease:
    """Let one protected person be shared with some kinds of recipient in normal times (R11).

    Raises:
        Forbidden: without the permission to see protected people.
        NotFound, ReasonMissing.
    """
    by.require(Permission.ROSTER_MANAGE)
    by.require(Permission.PEOPLE_PROTECTED)
    if not reason.strip() or not kinds:
        raise ReasonMissing(fields={"reason": "理由と提供先を入力してください。"})
    _require_visible(by, person_id)
    touch([person_id], by)
    row: ProtectionRelease = ProtectionRelease.objects.unscoped().create(
        person_id=person_id, kinds=sorted(kind.value for kind in kinds),
        reason=reason.strip()[:240], at=by.at, by_id=actor_id(by=by),
    )
    audit.note(scope=by, kind="release", action="roster.release_protection",
               subject_kind="person", subject_id=person_id, person_id=person_id,
               fields=["protected_until"])
    return row


def touch(person_ids: Iterable[int], by: Scope) -> None:
    """Lock people's entries and move their versions: an edition being built will notice."""
    with access.system(at=by.at, reason="roster.touch") as wide:
        for some in roster_judging.chunks(sorted(set(person_ids))):
            rows = RosterEntry.objects.visible_to(wide).filter(person_id__in=some)
            # Everybody locks entries in the same order, so nobody waits in a circle.
            list(rows.select_for_update().order_by("pk").values_list("pk", flat=True))
            rows.update(version=F("version") + 1)


def _require_visible(by: Scope, person_id: int) -> None:
    if not people.visible_ids(by, [person_id]):
        raise NotFound
