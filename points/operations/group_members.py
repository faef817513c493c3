"""Members and leader of a group's filing (会員・代表者), P9.

Owns adding and removing members, by card code for the leader, by name for the council, and the
change of leader with its term.  Each step stands in the filing's history with the count that it
led to; points follow through the registry's announcement (P1).  Refuses a leader who is no
member, and a change of another organisation's group.
"""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.db.models import Q

from points import keys
from points.domain import tokens
from points.domain.codes import BadCode
from points.domain.groups import Count, State
from points.domain.rules import fiscal_year_span
from points.models import Group, GroupLeader
from points.operations.groups import counted, locked, note
from registry.access import Scope
from registry.domain.errors import Refused
from registry.domain.roles import Permission
from registry.operations import memberships, own_members
from registry.operations.own_members import CardNotUsable
from registry.queries.organisations import members


@transaction.atomic
def add_by_card(*, group_id: int, code: str, starts_on: date | None = None, by: Scope) -> Count:
    """The holder of a card becomes a member from a day (today); the count after it.

    Raises:
        Forbidden: without ``groups.keep``.  NotFound: not one's own.
        Refused: ``bad_card``, ``backdated_membership``, ``day_outside_year``,
            ``not_in_this_state``.
        Conflict: ``already_member``.
    """
    group = _open(group_id, by)
    day = _day(group, starts_on, by)
    made = own_members.join_by_card(
        organisation_id=group.organisation_id, code=_card(code), starts_on=day, by=by
    )
    return _noted(group, "joined", made.volunteer_id, day, by)


@transaction.atomic
def add(*, group_id: int, volunteer_id: int, starts_on: date | None = None, by: Scope) -> Count:
    """The council enters a member from a 会員届; earlier days of the year are possible.

    Raises:
        Forbidden: without ``groups.decide``.  NotFound: no such group or volunteer.
        As ``add_by_card``.
    """
    by.require(Permission.GROUPS_DECIDE)
    group = _open(group_id, by)
    day = _day(group, starts_on, by)
    present = members(by, organisation_ids=[group.organisation_id], on=day)
    place = max((one.position for one in present), default=0) + 1
    memberships.join(organisation_id=group.organisation_id, volunteer_id=volunteer_id,
                     starts_on=day, position=place, by=by)
    return _noted(group, "joined", volunteer_id, day, by)


@transaction.atomic
def remove(
    *, group_id: int, volunteer_id: int, ends_on: date | None = None, reason: str = "",
    by: Scope,
) -> Count:
    """A member leaves; ``ends_on`` (tomorrow) is the first day without.

    Raises:
        Forbidden: without ``groups.keep``.  NotFound: not one's own, or no member.
        Refused: ``backdated_membership``, ``bad_membership_end``, ``leader_stays``: the leader
            is changed first.
    """
    group = _open(group_id, by)
    day = ends_on or date.fromordinal(by.on.toordinal() + 1)
    if GroupLeader.objects.visible_to(by).filter(
        Q(ends_on__isnull=True) | Q(ends_on__gt=day),
        organisation_id=group.organisation_id, volunteer_id=volunteer_id,
    ).exists():
        raise Refused("代表者です。先に代表者を変えてください。", code="leader_stays")
    own_members.leave(organisation_id=group.organisation_id, volunteer_id=volunteer_id,
                      ends_on=day, by=by)
    return _noted(group, "left", volunteer_id, day, by, reason)


@transaction.atomic
def change_leader(
    *, group_id: int, volunteer_id: int, starts_on: date, ends_on: date | None = None,
    username: str = "", by: Scope,
) -> GroupLeader:
    """A member leads from a day; the leader before and every account of theirs end with it.

    ``username``: the account that signs in for the group from that day.

    Raises:
        Forbidden: without ``groups.decide``.  NotFound: no such group.
        Refused: ``leader_no_member``, ``no_such_account``, ``bad_term``.
    """
    by.require(Permission.GROUPS_DECIDE)
    group = _open(group_id, by)
    home = group.organisation_id
    if volunteer_id not in {
        one.volunteer_id for one in members(by, organisation_ids=[home], on=starts_on)
    }:
        raise Refused("代表者は、その日に会員である方にしてください。", code="leader_no_member",
                      fields={"volunteer": "会員からえらんでください。"})
    rows = GroupLeader.objects.visible_to(by).filter(organisation_id=home)
    late = Q(ends_on__isnull=True) | Q(ends_on__gt=starts_on)
    if rows.filter(late, starts_on__gte=starts_on).exists() or (
        ends_on is not None and ends_on <= starts_on
    ):
        raise Refused("任期の日付を確かめてください。前の代表者の就任日より後にしてください。",
                      code="bad_term", fields={"starts_on": "日付を確かめてください。"})
    rows.filter(late).update(ends_on=starts_on)
    own_members.end_lead(organisation_id=home, ends_on=starts_on, keep=username, by=by)
    term = own_members.let_lead(organisation_id=home, username=username, starts_on=starts_on,
                                ends_on=ends_on, by=by) if username.strip() else None
    made: GroupLeader = GroupLeader.objects.visible_to(by).create(
        organisation_id=home, volunteer_id=volunteer_id, appointment_id=term,
        starts_on=starts_on, ends_on=ends_on,
    )
    note(group, "leader", volunteer_id=volunteer_id, on=starts_on, by=by)
    return made


def _open(group_id: int, by: Scope) -> Group:
    group = locked(group_id, by=by)
    if group.state == State.WITHDRAWN:
        raise Refused("とりやめた届け出です。", code="not_in_this_state")
    return group


def _day(group: Group, given: date | None, by: Scope) -> date:
    """The day of joining, within the filing's year: today, or its first day before it begins."""
    first, last = fiscal_year_span(group.fiscal_year)
    day = given or max(by.on, first)
    if not first <= day <= last:
        said = f"{group.fiscal_year}年度のうちの日にしてください。"
        raise Refused(said, code="day_outside_year", fields={"starts_on": said})
    return day


def _card(text: str) -> str:
    """The card's code in what was scanned or typed; ``CardNotUsable`` for anything else."""
    try:
        found = tokens.read(text[:512], host=keys.code_host())
    except (BadCode, ValueError):  # ValueError: an event's code, which needs more
        raise CardNotUsable(fields={"code": CardNotUsable.message}) from None
    if not isinstance(found, tokens.CardCode):
        raise CardNotUsable(fields={"code": CardNotUsable.message})
    return found.code


def _noted(
    group: Group, kind: str, volunteer_id: int, day: date, by: Scope, text: str = ""
) -> Count:
    judged = counted(group, by)
    note(group, kind, text=text.strip()[:200], volunteer_id=volunteer_id, on=day, counted=judged,
         by=by)
    return judged

