"""Two records of one person become one: the registry's part (P8).

Owns what a volunteer's record is made of besides points: cards, phones, memberships, the account,
the opt-in, the dates.  Called by ``points.operations.merging`` inside its transaction.  Also owns
the word that two records are two people.  Refuses a record that was united before or has ended,
and carries no consent over: the opt-in of P11 stays only where the person gave it.  ADR 9.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction

from registry import audit
from registry.access import Scope
from registry.codes import opened_code, sealed_code
from registry.domain.errors import Conflict, NotFound, Refused
from registry.domain.roles import Permission
from registry.models import BoundDevice, Card, DistinctPair, LogKind, Membership, Volunteer
from registry.operations.devices import MOST_DEVICES
from registry.operations.staff import actor_id
from registry.operations.volunteers import announce_change, announce_optout


class AlreadyMerged(Conflict):
    """One of the two was united with another record before."""

    code = "already_merged"
    message = "この記録は、すでに別の記録とまとめられています。画面を開きなおしてください。"


@dataclass(frozen=True)
class United:
    """What was moved: ids by kind.  ``closed_phones``: beyond the most that one may have."""

    survivor_id: int
    merged_id: int
    moved: dict[str, list[int]] = field(default_factory=dict)


@transaction.atomic
def unite(*, survivor_id: int, merged_id: int, by: Scope) -> United:
    """Move everything that the registry knows of ``merged`` to ``survivor``.

    The old card keeps working: a reader finds the survivor by it, also in a queue that comes
    late.  Phones move, the newest three stay.  Memberships are united by their days.

    Raises:
        Forbidden: without ``volunteers.manage``.
        NotFound: one of them is not visible.
        AlreadyMerged: one of them was united before.
        Refused: ``same_record``; ``survivor_left``: the record that stays has ended.
    """
    by.require(Permission.VOLUNTEERS_MANAGE)
    if survivor_id == merged_id:
        raise Refused("同じ記録どうしは まとめられません。", code="same_record")
    rows = {
        row.pk: row
        for row in Volunteer.objects.visible_to(by).select_for_update(of=("self",))
        .filter(pk__in=[survivor_id, merged_id]).order_by("pk")
    }
    if len(rows) != 2:
        raise NotFound
    kept, gone = rows[survivor_id], rows[merged_id]
    if kept.merged_into_id or gone.merged_into_id:
        raise AlreadyMerged
    if kept.left_on is not None and kept.left_on <= by.on:
        said = "登録が終わっている記録は のこせません。もう一方を のこす記録に してください。"
        raise Refused(said, code="survivor_left", fields={"survivor": said})
    moved = {
        "cards": _cards(kept, gone, by), **_phones(kept, gone, by),
        "memberships": _memberships(kept, gone, by),
        "earlier_merges": _flatten(kept, gone, by),
    }
    _facts(kept, gone, by)
    audit.note(scope=by, kind=LogKind.CHANGE, action="volunteers.unite",
               subject_kind="volunteer", subject_id=kept.pk,
               detail={"merged": gone.pk, **{key: len(ids) for key, ids in moved.items()}})
    announce_change(volunteer_ids=[kept.pk], by=by)
    return United(kept.pk, gone.pk, moved)


def _cards(kept: Volunteer, gone: Volunteer, by: Scope) -> list[int]:
    """A survivor without a card takes the other's; else both codes lead to the survivor."""
    rows = list(
        Card.objects.visible_to(by).select_for_update()
        .filter(volunteer_id__in=[kept.pk, gone.pk], cancelled_at__isnull=True).order_by("pk")
    )
    if any(row.volunteer_id == kept.pk for row in rows):
        return []
    for row in rows:
        code = opened_code(row)
        row.volunteer_id, row.sealed_code = kept.pk, sealed_code(code, volunteer_id=kept.pk)
        row.save(update_fields=["volunteer", "sealed_code"])
    return [row.pk for row in rows]


def _phones(kept: Volunteer, gone: Volunteer, by: Scope) -> dict[str, list[int]]:
    rows = list(
        BoundDevice.objects.visible_to(by).select_for_update()
        .filter(volunteer_id__in=[kept.pk, gone.pk], revoked_at__isnull=True)
        .order_by("-bound_at", "-pk")
    )
    moved = [row.pk for row in rows if row.volunteer_id == gone.pk]
    closed = [row.pk for row in rows[MOST_DEVICES:]]
    for row in rows:
        row.volunteer_id = kept.pk
        row.revoked_at = by.at if row.pk in closed else None
        row.save(update_fields=["volunteer", "revoked_at"])
    return {"phones": moved, "closed_phones": closed}


def _memberships(kept: Volunteer, gone: Volunteer, by: Scope) -> list[int]:
    """The other's memberships: moved, or (same group, same days) added to the survivor's days."""
    rows = list(
        Membership.objects.visible_to(by).select_for_update()
        .filter(volunteer_id__in=[kept.pk, gone.pk]).order_by("starts_on", "pk")
    )
    own: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        if row.volunteer_id == kept.pk:
            own[row.organisation_id].append(row)
    touched = []
    for row in (one for one in rows if one.volunteer_id == gone.pk):
        touched.append(row.pk)
        same = next((one for one in own[row.organisation_id] if _touch(one, row)), None)
        if same is None:
            row.volunteer_id = kept.pk
            row.save(update_fields=["volunteer"])
            own[row.organisation_id].append(row)
            continue
        starts, ends = min(same.starts_on, row.starts_on), _later(same.ends_on, row.ends_on)
        # The other's row ends before its days are the survivor's: a member stands once.
        row.ends_on = min(row.ends_on or by.on, by.on)
        row.ends_on = max(row.ends_on, row.starts_on + timedelta(days=1))
        row.save(update_fields=["ends_on"])
        same.starts_on, same.ends_on = starts, ends
        same.save(update_fields=["starts_on", "ends_on"])
    return touched


def _touch(one: Any, other: Any) -> bool:
    return (one.ends_on is None or other.starts_on <= one.ends_on) and (
        other.ends_on is None or one.starts_on <= other.ends_on
    )


def _later(one: Any, other: Any) -> Any:
    return None if one is None or other is None else max(one, other)


def _flatten(kept: Volunteer, gone: Volunteer, by: Scope) -> list[int]:
    """Whoever was united with the other before now leads to the survivor."""
    before = Volunteer.objects.visible_to(by).filter(merged_into_id=gone.pk)
    ids = list(before.values_list("pk", flat=True))
    before.update(merged_into_id=kept.pk)
    return ids


def _facts(kept: Volunteer, gone: Volunteer, by: Scope) -> None:
    """Dates and account; the opt-in stays where it was given and nobody took it back (P11)."""
    kept.registered_on = min(kept.registered_on, gone.registered_on)
    kept.phone = kept.phone or gone.phone
    kept.has_phone = kept.has_phone or gone.has_phone
    user, gone.user_id = gone.user_id, gone.user_id if kept.user_id else None
    if gone.supporter_optout_on is not None and _in_force(kept):
        kept.supporter_optout_on = by.on
        announce_optout(kept, by)
    if _in_force(gone):
        gone.supporter_optout_on = max(by.on, gone.supporter_optin_on or by.on)
        announce_optout(gone, by)
    gone.left_on = max(min(gone.left_on or by.on, by.on), gone.registered_on)
    gone.merged_into_id, gone.merged_at, gone.merged_by_id = kept.pk, by.at, actor_id(by=by)
    gone.save()
    kept.user_id = kept.user_id or user
    kept.save()


def _in_force(row: Volunteer) -> bool:
    return row.supporter_optin_on is not None and row.supporter_optout_on is None


@transaction.atomic
def say_distinct(*, one_id: int, other_id: int, reason: str, by: Scope) -> DistinctPair:
    """Two records that look alike are two people (別人の確認).  Again is no error.

    Raises:
        Forbidden: without ``volunteers.manage``.  NotFound: one of them is not visible.
        Refused: ``same_record``, ``reason_missing``.
    """
    by.require(Permission.VOLUNTEERS_MANAGE)
    if one_id == other_id:
        raise Refused("同じ記録どうしです。", code="same_record")
    said = reason.strip()
    if not said or len(said) > 160:
        told = "別の人だと分かったわけを1〜160文字で書いてください。"
        raise Refused(told, code="reason_missing", fields={"reason": told})
    first, second = sorted((one_id, other_id))
    if Volunteer.objects.visible_to(by).filter(pk__in=[first, second]).count() != 2:
        raise NotFound
    found: DistinctPair | None = (
        DistinctPair.objects.visible_to(by).filter(first_id=first, second_id=second).first()
    )
    if found is not None:
        return found
    row = DistinctPair(first_id=first, second_id=second, reason=said, decided_at=by.at,
                       decided_by_id=actor_id(by=by))
    row.save()
    audit.note(scope=by, kind=LogKind.CHANGE, action="volunteers.distinct",
               subject_kind="volunteer", subject_id=first, detail={"other": second})
    return row
