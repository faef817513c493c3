"""Members and leaders of a group (会員・代表者, P9): by card, by the council, with terms."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from points.models import GroupLeader
from points.operations import attendance, group_members, ledger
from points.queries import groups as seen
from registry import access
from registry.domain.errors import Conflict, Forbidden, NotFound, Refused
from registry.models import OutboxMessage
from registry.operations import memberships, staff
from registry.operations.own_members import CardNotUsable, PastMembership
from tests.operations.test_points_groups import build, by

pytestmark = pytest.mark.django_db


def test_P9_a_leader_adds_by_card_alone_and_never_into_the_past() -> None:
    world = build(count=3)
    with access.system(at=world.at, reason="test") as wide:
        stranger = world.people[2]
        memberships.leave(organisation_id=world.organisation, volunteer_id=stranger,
                          ends_on=wide.on, by=wide)
    with by(world, "leader") as scope:
        with pytest.raises(PastMembership):
            group_members.add_by_card(group_id=world.group, code=world.card(2),
                                      starts_on=scope.on - timedelta(days=1), by=scope)
        for bad in ("", "ABC", "00000000000", world.card(2)[:-1]):
            with pytest.raises(CardNotUsable):
                group_members.add_by_card(group_id=world.group, code=bad, by=scope)
        with pytest.raises(Forbidden):
            group_members.add(group_id=world.group, volunteer_id=stranger, by=scope)
        assert group_members.add_by_card(
            group_id=world.group, code=world.card(2), by=scope).members == 3
        with pytest.raises(Conflict) as again:
            group_members.add_by_card(group_id=world.group, code=world.card(2), by=scope)
        assert again.value.code == "already_member"
        with pytest.raises(Refused) as outside:
            group_members.add_by_card(group_id=world.group, code=world.card(2),
                                      starts_on=date(2027, 4, 1), by=scope)
        assert outside.value.code == "day_outside_year"


def test_P9_membership_in_force_on_the_day_decides_about_points_and_is_announced() -> None:
    from points.domain.rules import Source

    world = build(count=2, membership_required=True, sources=frozenset({Source.GROUP}))
    person = world.people[1]

    def shares() -> list[int]:
        from points.models import Transfer

        with access.system(at=world.at, reason="test") as wide:
            return list(Transfer.objects.visible_to(wide).filter(
                credit__volunteer_id=person).values_list("amount", flat=True))

    with by(world, "council") as scope:
        group_members.remove(group_id=world.group, volunteer_id=person, ends_on=scope.on,
                             by=scope)
    with by(world, "scanner") as scope:
        got = attendance.record(scans=[world.scan(1)], by=scope).results[0]
    assert got.result == "other_group" and shares() == []
    with by(world, minutes=5) as scope:  # a 会員届 that was lying on the desk
        group_members.add(group_id=world.group, volunteer_id=person, starts_on=scope.on, by=scope)
    told = OutboxMessage.objects.filter(kind="registry.volunteer_changed", subject_id=person)
    assert told.exists()
    with access.system(at=world.at + timedelta(minutes=6), reason="test") as wide:
        ledger.recompute(volunteer_ids=[person], by=wide)
    assert shares() == [1]


def test_P9_the_leader_changes_with_a_term_and_the_former_sees_nothing_after_it() -> None:
    world = build(count=3)
    with access.system(at=world.at, reason="test") as wide:
        staff.create_user(username="next-leader", display_name="次の代表（見本）", by=wide)
    with by(world) as scope:
        first, second = world.people[0], world.people[1]
        group_members.change_leader(group_id=world.group, volunteer_id=first,
                                    starts_on=scope.on - timedelta(days=30),
                                    username=world.leader.username, by=scope)
        day = scope.on + timedelta(days=1)
        with pytest.raises(Refused) as account:
            group_members.change_leader(group_id=world.group, volunteer_id=second,
                                        starts_on=day, username="nobody-here", by=scope)
        assert account.value.code == "no_such_account"
    with by(world) as scope:
        group_members.change_leader(group_id=world.group, volunteer_id=second, starts_on=day,
                                    username="next-leader", by=scope)
        with pytest.raises(Refused) as leads:
            group_members.remove(group_id=world.group, volunteer_id=second, by=scope)
        assert leads.value.code == "leader_stays"
    with by(world, "leader") as scope:
        assert seen.filing(scope, group_id=world.group).members
    with by(world, "leader", days=1) as scope:
        with pytest.raises((NotFound, Forbidden)):
            seen.filing(scope, group_id=world.group)
        assert not GroupLeader.objects.visible_to(scope).exists()
    with access.system(at=world.at, reason="test") as wide:
        terms = list(GroupLeader.objects.visible_to(wide).order_by("starts_on").values_list(
            "volunteer_id", "ends_on"))
    assert terms == [(first, day), (second, None)]


def test_P9_a_leader_must_be_a_member_and_terms_do_not_overlap() -> None:
    world = build(count=2)
    with by(world) as scope:
        with pytest.raises(Refused) as stranger:
            group_members.change_leader(group_id=world.other_group,
                                        volunteer_id=world.people[0], starts_on=scope.on, by=scope)
        assert stranger.value.code == "leader_no_member"
        group_members.change_leader(group_id=world.group, volunteer_id=world.people[0],
                                    starts_on=scope.on, by=scope)
        with pytest.raises(Refused) as same:
            group_members.change_leader(group_id=world.group, volunteer_id=world.people[1],
                                        starts_on=scope.on, by=scope)
        assert same.value.code == "bad_term"
