"""Who belongs to which organisation, from when to when.

Owns joining, leaving and corrections of the days; all may reach back, so points are counted again
(P1, outbox ``registry.volunteer_changed``, ``registry.members_changed``).  Refuses a leader who
reaches for another group (P9), and joining twice at the same time.  History stays: leaving sets
a date.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import IntegrityError, transaction
from django.db.models import Q

from registry import audit, outbox
from registry.access import Scope
from registry.domain.errors import Conflict, NotFound, Refused
from registry.domain.roles import Permission
from registry.models import LogKind, Membership, Organisation, Volunteer
from registry.operations.volunteers import announce_change

#: Up to so many are announced one by one, more by organisation.
FEW = 20


class AlreadyMember(Conflict):
    """The volunteer is a member at that time."""

    code = "already_member"
    message = "この方は、すでに会員です。"


@dataclass(frozen=True)
class MemberInput:
    """One membership to begin; ``position`` is the order on the paper sheet."""

    organisation_id: int
    volunteer_id: int
    starts_on: date
    position: int = 0


@transaction.atomic
def join(
    *, organisation_id: int, volunteer_id: int, starts_on: date, position: int = 0, by: Scope
) -> Membership:
    """Make a volunteer a member from a day (入会).

    Raises:
        Forbidden: without ``volunteers.manage``.
        NotFound: no such organisation or volunteer.
        AlreadyMember: a membership in force at that day exists.
    """
    one = MemberInput(organisation_id, volunteer_id, starts_on, position)
    return join_many(members=[one], by=by)[0]


@transaction.atomic
def join_many(*, members: Sequence[MemberInput], by: Scope) -> list[Membership]:
    """Begin a set of memberships, all or none.  Raises as ``join``."""
    by.require(Permission.VOLUNTEERS_MANAGE)
    volunteers = {one.volunteer_id for one in members}
    groups = {one.organisation_id for one in members}
    known = _present(list(volunteers), by)
    if known != volunteers or Organisation.objects.filter(pk__in=groups).count() != len(groups):
        raise NotFound
    present = Membership.objects.visible_to(by).filter(organisation_id__in=groups)
    spans: dict[tuple[int, int], list[tuple[date, date | None]]] = {}
    for group, volunteer, starts, ends in present.values_list(
        "organisation_id", "volunteer_id", "starts_on", "ends_on"
    ):
        spans.setdefault((group, volunteer), []).append((starts, ends))
    rows = []
    for one in members:
        before = spans.setdefault((one.organisation_id, one.volunteer_id), [])
        if any(ends is None or ends > one.starts_on for _, ends in before):
            raise AlreadyMember
        before.append((one.starts_on, None))
        rows.append(Membership(organisation_id=one.organisation_id, position=one.position,
                               volunteer_id=one.volunteer_id, starts_on=one.starts_on))
    try:
        with transaction.atomic():
            Membership.objects.unscoped().bulk_create(rows, batch_size=500)
    except IntegrityError as error:
        raise AlreadyMember from error
    audit.note(scope=by, kind=LogKind.CHANGE, action="memberships.join",
               subject_kind="organisation", subject_id=min(groups) if len(groups) == 1 else None,
               detail={"members": len(rows)})
    if len(members) <= FEW:
        announce_change(volunteer_ids=[one.volunteer_id for one in members], by=by)
    else:
        outbox.put_many([("registry.members_changed", group,
                          f"members_changed:{group}:{by.at.isoformat()}")
                         for group in sorted(groups)], at=by.at)
    return rows


@transaction.atomic
def leave(*, organisation_id: int, volunteer_id: int, ends_on: date, by: Scope) -> Membership:
    """End the membership in force; ``ends_on`` is the first day without it (退会).

    Raises:
        Forbidden: without ``volunteers.manage``.
        NotFound: no membership in force on the scope's day or later.
        Refused: ``bad_membership_end`` when the end is not after the start.
    """
    by.require(Permission.VOLUNTEERS_MANAGE)
    row: Membership | None = (
        Membership.objects.visible_to(by)
        .select_for_update()
        .filter(organisation_id=organisation_id, volunteer_id=volunteer_id)
        .filter(Q(ends_on__isnull=True) | Q(ends_on__gt=by.on))
        .first()
    )
    if row is None:
        raise NotFound
    if ends_on <= row.starts_on:
        raise Refused("退会日は、入会日より後の日にしてください。", code="bad_membership_end",
                      fields={"ends_on": "入会日より後の日にしてください。"})
    row.ends_on = ends_on
    row.save(update_fields=["ends_on"])
    audit.note(scope=by, kind=LogKind.CHANGE, action="memberships.leave",
               subject_kind="organisation", subject_id=organisation_id,
               detail={"volunteer": volunteer_id})
    announce_change(volunteer_ids=[volunteer_id], by=by)
    return row


@transaction.atomic
def correct_term(
    *, membership_id: int, starts_on: date, ends_on: date | None, by: Scope
) -> Membership:
    """Put the days of a membership right, past ones too (会員の期間の訂正).

    Points of the days it touches are counted again (P1).

    Raises:
        Forbidden: without ``volunteers.manage``.
        NotFound: no such membership, or not visible.
        Refused: ``bad_membership_end`` when the end is not after the start.
        AlreadyMember: another membership in the organisation covers one of the days.
    """
    by.require(Permission.VOLUNTEERS_MANAGE)
    row: Membership | None = (
        Membership.objects.visible_to(by).select_for_update().filter(pk=membership_id).first()
    )
    if row is None:
        raise NotFound
    if ends_on is not None and ends_on <= starts_on:
        raise Refused("退会日は、入会日より後の日にしてください。", code="bad_membership_end",
                      fields={"ends_on": "入会日より後の日にしてください。"})
    others = Membership.objects.visible_to(by).filter(
        organisation_id=row.organisation_id, volunteer_id=row.volunteer_id
    ).exclude(pk=row.pk).filter(Q(ends_on__isnull=True) | Q(ends_on__gt=starts_on))
    if ends_on is not None:
        others = others.filter(starts_on__lt=ends_on)
    if others.exists():
        raise AlreadyMember
    row.starts_on, row.ends_on = starts_on, ends_on
    row.save(update_fields=["starts_on", "ends_on"])
    audit.note(scope=by, kind=LogKind.CHANGE, action="memberships.correct",
               subject_kind="organisation", subject_id=row.organisation_id,
               detail={"volunteer": row.volunteer_id}, fields=["starts_on", "ends_on"])
    announce_change(volunteer_ids=[row.volunteer_id], by=by)
    return row


def _present(ids: list[int], by: Scope) -> set[int]:
    found: set[int] = set()
    for start in range(0, len(ids), 500):
        some = Volunteer.objects.visible_to(by).filter(pk__in=ids[start : start + 500])
        found.update(some.values_list("pk", flat=True))
    return found
