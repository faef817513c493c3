"""Members and leaders of one's own group (会員・代表者), P9.

Owns joining by the card that a person hands over, leaving by the leader's word, and who leads
from when.  Refuses a leader who reaches for another group, who looks for people (only a card
opens this door), or who changes the past: earlier days are the council's to enter.
"""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.db.models import Q, QuerySet

from registry import access, audit
from registry.access import Scope
from registry.domain.errors import NotFound, Refused
from registry.domain.roles import Permission, Role
from registry.models import Appointment, LogKind, Membership, Office, Organisation, User, Volunteer
from registry.operations import memberships, organisations, staff
from registry.queries.cards import cards_by_code


class CardNotUsable(Refused):
    """Unknown, cancelled, or of somebody who left; one answer for every reason."""

    code = "bad_card"
    message = "このカードは使えません。カードのコードをたしかめるか、社協へお知らせください。"


class PastMembership(Refused):
    """A leader may not write a day before today."""

    code = "backdated_membership"
    message = "きょうより前の日には できません。前の日からのときは、会員届を社協へ出してください。"


def mine(organisation_id: int, by: Scope) -> bool:
    """Whether the group is the actor's to keep.  Raises ``Forbidden``, ``NotFound``.

    True for those who may also write past days.
    """
    by.require(Permission.GROUPS_KEEP)
    everybody = by.system or by.sees_all_volunteers
    if not everybody and organisation_id not in by.organisations:
        raise NotFound
    return everybody


@transaction.atomic
def join_by_card(
    *, organisation_id: int, code: str, starts_on: date, by: Scope
) -> Membership:
    """Make the holder of a card a member (入会).  ``code`` is the card's, as minted.

    Raises:
        Forbidden: without ``groups.keep``.  NotFound: not one's own group.
        CardNotUsable, PastMembership, AlreadyMember.
    """
    everybody = mine(organisation_id, by)
    if starts_on < by.on and not everybody:
        raise PastMembership(fields={"starts_on": PastMembership.message})
    with access.system(at=by.at, reason="join by card") as wide:
        card = cards_by_code(wide, [code]).get(code)
        if card is None or card.cancelled_at is not None:
            raise CardNotUsable(fields={"code": CardNotUsable.message})
        left = Volunteer.objects.visible_to(wide).get(pk=card.volunteer_id).left_on
        if left is not None and left <= starts_on:
            raise CardNotUsable(fields={"code": CardNotUsable.message})
        last = Membership.objects.visible_to(wide).filter(
            organisation_id=organisation_id).order_by("-position").first()
        made = memberships.join(
            organisation_id=organisation_id, volunteer_id=card.volunteer_id, starts_on=starts_on,
            position=last.position + 1 if last else 1, by=wide,
        )
    audit.note(scope=by, kind=LogKind.CHANGE, action="own_members.join_by_card",
               subject_kind="organisation", subject_id=organisation_id,
               detail={"volunteer": made.volunteer_id})
    return made


@transaction.atomic
def leave(*, organisation_id: int, volunteer_id: int, ends_on: date, by: Scope) -> Membership:
    """A member leaves; ``ends_on`` is the first day without (退会).

    Raises:
        Forbidden: without ``groups.keep``.  NotFound: not one's own group, or no member.
        PastMembership; Refused: ``bad_membership_end``.
    """
    everybody = mine(organisation_id, by)
    if ends_on < by.on and not everybody:
        raise PastMembership(fields={"ends_on": PastMembership.message})
    with access.system(at=by.at, reason="leave a group") as wide:
        row = memberships.leave(organisation_id=organisation_id, volunteer_id=volunteer_id,
                                ends_on=ends_on, by=wide)
    audit.note(scope=by, kind=LogKind.CHANGE, action="own_members.leave",
               subject_kind="organisation", subject_id=organisation_id,
               detail={"volunteer": volunteer_id})
    return row


@transaction.atomic
def let_lead(
    *, organisation_id: int, username: str, starts_on: date, ends_on: date | None = None,
    by: Scope,
) -> int:
    """An account holds the group's office of leader for a term; the appointment's id.

    The office is made when the group has none yet.  An account that holds it on that day keeps
    its term.

    Raises:
        Forbidden: without ``groups.decide``.  NotFound: no such group.
        Refused: ``no_such_account``.  BadTerm: as ``staff.appoint``.
    """
    by.require(Permission.GROUPS_DECIDE)
    home = Organisation.objects.filter(pk=organisation_id, kind="group").first()
    if home is None:
        raise NotFound
    user = User.objects.filter(username=username.strip(), is_active=True, is_device=False).first()
    if user is None:
        raise Refused("この利用者IDはありません。市の担当に登録をたのんでください。",
                      code="no_such_account", fields={"username": "この利用者IDはありません。"})
    with access.system(at=by.at, reason="a group's leader") as wide:
        office = Office.objects.filter(organisation=home, role=Role.GROUP_LEADER).first()
        if office is None:
            code = f"LD-{home.pk}"
            number = organisations.load_offices(offices=[organisations.OfficeFacts(
                Role.GROUP_LEADER, code, "代表者", home.code)], by=wide)[code]
        else:
            number = office.pk
            held = _in_force(organisation_id, starts_on).filter(user_id=user.pk).first()
            if held is not None:
                if ends_on is not None:
                    staff.end_term(appointment_id=held.pk, ends_on=ends_on, by=wide)
                return held.pk
        term = staff.appoint(office_id=number, user_id=user.pk, starts_on=starts_on,
                             ends_on=ends_on, by=wide)
    audit.note(scope=by, kind=LogKind.ACCESS, action="own_members.let_lead",
               subject_kind="organisation", subject_id=organisation_id,
               detail={"user": user.pk, "appointment": term.pk})
    return term.pk


@transaction.atomic
def end_lead(*, organisation_id: int, ends_on: date, keep: str = "", by: Scope) -> int:
    """Every term of the group's leaders in force at ``ends_on`` ends with it; how many.

    ``keep``: the account that goes on.

    Raises:
        Forbidden: without ``groups.decide``.
        BadTerm: a term of another account began on that day or later.
    """
    by.require(Permission.GROUPS_DECIDE)
    ended = 0
    with access.system(at=by.at, reason="a group's leader") as wide:
        terms = Appointment.objects.filter(
            office__organisation_id=organisation_id, office__role=Role.GROUP_LEADER
        ).exclude(user__username=keep.strip()).order_by("pk")
        for term in terms:
            if term.ends_on is None or term.ends_on > ends_on:
                staff.end_term(appointment_id=term.pk, ends_on=ends_on, by=wide)
                ended += 1
    if ended:
        audit.note(scope=by, kind=LogKind.ACCESS, action="own_members.end_lead",
                   subject_kind="organisation", subject_id=organisation_id,
                   detail={"terms": ended})
    return ended


def _in_force(organisation_id: int, on: date) -> QuerySet[Appointment]:
    return Appointment.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gt=on), starts_on__lte=on,
        office__organisation_id=organisation_id, office__role=Role.GROUP_LEADER,
    )
