"""Groups (登録団体, P9): filing, counting members by the rule, members and leaders, renewal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from points.domain.groups import State
from points.domain.rules import Below
from points.models import Group, GroupContact, GroupEvent, GroupLeader, GroupPlan
from points.operations import group_members, groups, sessions
from points.operations.groups import FilingInput, PlanInput, TooFewMembers
from points.queries import groups as seen
from registry import access
from registry.domain.errors import Conflict, Forbidden, NotFound, Refused
from registry.models import Volunteer
from registry.operations import memberships, staff
from tests.factories import points as world_of
from tests.factories.points import World

pytestmark = pytest.mark.django_db

PLAN = PlanInput("join", "month", 2, "見本会館", "地域の方（見本）", 20)
FILING = FilingInput("ふれあいサロン（見本）", "join", "見本　連絡", "0242-00-0000", "", (PLAN,))
FIVE: dict[str, Any] = {"group_minimum": 5, "group_counts_eligible": True}


def build(count: int = 6, **rules: Any) -> World:
    """A world with ``count`` members; the rule asks nothing until it is told."""
    return world_of.build(count=count, **rules)


def by(world: World, who: str = "council", **later: Any) -> Any:
    return access.scope(getattr(world, who), at=world.at + timedelta(**later))


def filed(world: World, year: int = 2027) -> Group:
    """A draft of the leader's own group for a year that was opened."""
    from points.operations import programmes

    with access.system(at=world.at, reason="test") as wide:
        programmes.open_year(terms=world_of.terms(year), by=wide)
    with by(world, "leader") as scope:
        return groups.apply(organisation_id=world.organisation, programme="tsunagari",
                            fiscal_year=year, filing=FILING, by=scope)


def test_P9_a_filing_is_drafted_submitted_returned_mended_and_registered() -> None:
    world = build(group_minimum=5)
    made = filed(world)
    assert (made.state, made.version) == (State.DRAFT, 1)
    with by(world, "leader") as scope:
        groups.submit(group_id=made.pk, version=1, by=scope)
        with pytest.raises(Refused) as late:
            groups.change(group_id=made.pk, filing=FILING, by=scope)
        assert late.value.code == "not_in_this_state"
    with by(world) as scope:
        with pytest.raises(Refused) as silent:
            groups.hand_back(group_id=made.pk, reason=" ", by=scope)
        assert silent.value.code == "reason_missing"
        groups.hand_back(group_id=made.pk, reason="会場を書いてください", by=scope)
    with by(world, "leader") as scope:
        assert seen.filing_line(scope, group_id=made.pk).reason == "会場を書いてください"
        groups.change(group_id=made.pk, filing=FILING, by=scope)
        groups.submit(group_id=made.pk, by=scope)
        with pytest.raises(Forbidden):
            groups.accept(group_id=made.pk, by=scope)
    with by(world) as scope:
        done = groups.accept(group_id=made.pk, by=scope)
        kinds = [one.kind for one in seen.filing(scope, group_id=made.pk).events]
    assert done.state == State.REGISTERED and done.reason == ""
    assert kinds == ["applied", "submitted", "returned", "submitted", "registered"]


def test_P9_a_filing_without_contact_or_plan_is_not_submitted_and_stays_as_it_was() -> None:
    world = build()
    made = filed(world)
    with by(world, "leader") as scope:
        groups.change(group_id=made.pk, filing=FilingInput("名", "join"), by=scope)
        with pytest.raises(groups.BadFiling) as wrong:
            groups.submit(group_id=made.pk, by=scope)
        assert set(wrong.value.fields) == {"contact_name", "plan"}
        assert Group.objects.get(pk=made.pk).state == State.DRAFT


@pytest.mark.parametrize(("line", "field"), [
    (PlanInput("join", "day", 1, "会館", "だれか"), "plan.0.times"),
    (PlanInput("join", "week", 0, "会館", "だれか"), "plan.0.times"),
    (PlanInput("join", "week", 1, " ", "だれか"), "plan.0.place"),
    (PlanInput("join", "week", 1, "会館", ""), "plan.0.audience"),
    (PlanInput("join", "week", 1, "会館", "だれか", 0), "plan.0.expected"),
])
def test_P9_a_plan_that_cannot_be_names_its_line(line: PlanInput, field: str) -> None:
    world = build()
    made = filed(world)
    with by(world, "leader") as scope, pytest.raises(groups.BadFiling) as wrong:
        groups.change(group_id=made.pk, filing=FilingInput("名", "join", plan=(line,)), by=scope)
    assert field in wrong.value.fields


def test_P9_a_second_filing_an_unknown_kind_and_a_stale_version_are_refused() -> None:
    world = build()
    made = filed(world)
    with by(world, "leader") as scope:
        with pytest.raises(groups.GroupRegistered):
            groups.apply(organisation_id=world.organisation, programme="tsunagari",
                         fiscal_year=2027, filing=FILING, by=scope)
        with pytest.raises(Refused) as kind:
            groups.change(group_id=made.pk, filing=FilingInput("名", "no-such"), by=scope)
        assert kind.value.code == "unknown_kind"
        with pytest.raises(Conflict) as stale:
            groups.submit(group_id=made.pk, version=99, by=scope)
        assert stale.value.code == "changed_meanwhile"


def test_P9_members_are_counted_by_the_facts_of_the_day_and_each_no_is_explained() -> None:
    world = build(count=6, minimum_age=13, residence_required=True, **FIVE)
    young, away, left, *_ = world.people
    with access.system(at=world.at, reason="test") as wide:
        Volunteer.objects.unscoped().filter(pk=young).update(born_on=date(2015, 5, 5))
        Volunteer.objects.unscoped().filter(pk=away).update(resident=False)
        memberships.leave(organisation_id=world.organisation, volunteer_id=left,
                          ends_on=wide.on, by=wide)
    with by(world) as scope:
        found = seen.filing(scope, group_id=world.group)
    said = {one.volunteer_id: (one.counts, one.code) for one in found.members}
    assert said[young] == (False, "under_age") and said[away] == (False, "not_resident")
    assert left not in said, "who left does not stand on the list of that day"
    assert (found.line.members, found.line.counted, found.line.minimum) == (5, 3, 5)
    assert "3人" in found.line.warning and "2人は数えられません" in found.line.warning
    assert all(one.sentence for one in found.members)
    with by(world) as scope:  # the day before, the third still counted
        group = Group.objects.get(pk=world.group)
        before = seen.count_groups([group], seen.rulebook.load(), scope,
                                   on=scope.on - timedelta(days=1))[group.pk]
    assert before.members == 6


def test_P9_fewer_than_the_rule_asks_needs_a_reason_that_is_kept() -> None:
    world = build(count=4, **FIVE)
    made = filed(world)
    with by(world, "leader") as scope:
        groups.submit(group_id=made.pk, by=scope)  # handing in is not held back
    with by(world) as scope:
        with pytest.raises(TooFewMembers) as few:
            groups.accept(group_id=made.pk, by=scope)
        assert "4人" in few.value.message and "exception" in few.value.fields
        groups.accept(group_id=made.pk, exception="4月に1人ふえる予定", by=scope)
        line = seen.filing_line(scope, group_id=made.pk)
    assert line.exception == "4月に1人ふえる予定" and line.warning
    event = GroupEvent.objects.unscoped().filter(group=made, kind="registered").get()
    assert (event.members, event.counted, event.note) == (4, 4, "4月に1人ふえる予定")


@pytest.mark.parametrize("below", Below)
def test_P9_what_follows_below_the_minimum_is_the_rules_own(below: Below) -> None:
    world = build(count=5, group_below=below, **FIVE)
    with by(world, "leader") as scope:
        group_members.remove(group_id=world.group, volunteer_id=world.people[0],
                             ends_on=scope.on, by=scope)
    later = world.at + timedelta(days=2)

    def hold() -> None:
        with by(world, "leader") as scope:
            sessions.open(title="サロン", starts_at=later, ends_at=later + timedelta(hours=1),
                          group_id=world.group, by=scope)

    with by(world, "leader") as scope:
        line = seen.filing_line(scope, group_id=world.group)
    assert line.counted == 4 and line.warning, "never silent"
    if below is Below.WARN:
        hold()
    else:
        with pytest.raises(Refused) as stopped:
            hold()
        assert stopped.value.code == "too_few_members" and "新しい開催回" in stopped.value.message


def test_P9_a_session_needs_a_registered_group() -> None:
    world = build()
    made = filed(world)
    starts = world.at.replace(year=2027, month=5)
    with by(world, "leader") as scope, pytest.raises(Refused) as no:
        sessions.open(title="サロン", starts_at=starts, ends_at=starts + timedelta(hours=1),
                      group_id=made.pk, by=scope)
    assert no.value.code == "group_not_registered"


def test_P9_renewal_copies_contact_and_plan_and_leaves_last_years_as_it_was() -> None:
    world = build()
    first = filed(world)
    with by(world, "leader") as scope:
        groups.submit(group_id=first.pk, by=scope)
    with by(world) as scope:
        groups.accept(group_id=first.pk, by=scope)
    with access.system(at=world.at, reason="test") as wide:
        from points.operations import programmes

        programmes.open_year(terms=world_of.terms(2028), by=wide)
    with by(world, "leader") as scope:
        new = groups.renew(group_id=first.pk, by=scope)
        with pytest.raises(groups.GroupRegistered):
            groups.renew(group_id=first.pk, by=scope)
        copied = seen.filing(scope, group_id=new.pk)
    assert (new.fiscal_year, new.state) == (2028, State.DRAFT)
    assert copied.contact.name == "見本　連絡" and len(copied.members) == 6
    assert [(one.every, one.times, one.place) for one in copied.plan] == [("month", 2, "見本会館")]
    assert [year for _, year, _ in copied.years] == [2028, 2027, 2026]


def test_P9_withdrawing_says_why_waits_for_cancelled_sessions_and_frees_the_year() -> None:
    world = build()
    later = world.at + timedelta(days=3)
    with by(world, "leader") as scope:
        ahead = sessions.open(title="サロン", starts_at=later, group_id=world.group,
                              ends_at=later + timedelta(hours=1), by=scope)
        with pytest.raises(Forbidden):
            groups.withdraw(group_id=world.group, reason="解散", by=scope)
    with by(world) as scope:
        with pytest.raises(Refused) as held:
            groups.withdraw(group_id=world.group, reason="解散", by=scope)
        assert held.value.code == "sessions_ahead"
        sessions.cancel(session_id=ahead.pk, by=scope)
        assert groups.withdraw(group_id=world.group, reason="解散", by=scope).state == "withdrawn"
        with pytest.raises(Refused):
            group_members.add(group_id=world.group, volunteer_id=world.people[0], by=scope)
        groups.apply(organisation_id=world.organisation, programme="tsunagari",
                     fiscal_year=2026, filing=FILING, by=scope)


def _all(world: World) -> list[tuple[str, Callable[[Any], Any]]]:
    gid, person = world.other_group, world.people[0]
    return [
        ("change", lambda s: groups.change(group_id=gid, filing=FILING, by=s)),
        ("submit", lambda s: groups.submit(group_id=gid, by=s)),
        ("withdraw", lambda s: groups.withdraw(group_id=gid, reason="x", by=s)),
        ("renew", lambda s: groups.renew(group_id=gid, by=s)),
        ("add", lambda s: group_members.add_by_card(group_id=gid, code=world.card(0), by=s)),
        ("remove", lambda s: group_members.remove(group_id=gid, volunteer_id=person, by=s)),
        ("see", lambda s: seen.filing(s, group_id=gid)),
        ("line", lambda s: seen.filing_line(s, group_id=gid)),
    ]


@pytest.mark.parametrize("number", range(8))
def test_P9_another_group_is_not_found_and_others_are_forbidden(number: int) -> None:
    world = build()
    name, call = _all(world)[number]
    with by(world, "leader") as scope, pytest.raises(NotFound):
        call(scope)
    for who in ("scanner", "shopkeeper"):
        with by(world, who) as scope, pytest.raises(Forbidden):
            call(scope)
    assert name


def _ours(world: World, model: Any, made: Group) -> dict[str, int]:
    named = model is GroupLeader
    return {"organisation_id": world.organisation} if named else {"group_id": made.pk}


def test_P9_rows_of_another_group_are_behind_both_walls() -> None:
    world = build()
    made = filed(world)
    with by(world) as scope:
        group_members.change_leader(group_id=world.group, volunteer_id=world.people[0],
                                    starts_on=scope.on, username=world.leader.username,
                                    by=scope)
    models: tuple[Any, ...] = (GroupContact, GroupPlan, GroupEvent, GroupLeader)
    for who, sees in (("leader", True), ("council", True), ("other_leader", False),
                      ("shopkeeper", False)):
        with by(world, who) as scope:
            for model in models:
                rows = model.objects.visible_to(scope).filter(**_ours(world, model, made))
                assert rows.exists() is sees, f"{who} {model}"


@pytest.mark.postgres
def test_P9_the_database_itself_hides_another_groups_rows() -> None:
    world = build()
    made = filed(world)
    with by(world) as scope:
        group_members.change_leader(group_id=world.group, volunteer_id=world.people[0],
                                    starts_on=scope.on, username=world.leader.username,
                                    by=scope)
    models: tuple[Any, ...] = (GroupContact, GroupPlan, GroupEvent, GroupLeader)
    for who, sees in (("leader", True), ("other_leader", False), ("shopkeeper", False)):
        with by(world, who):
            for model in models:
                rows = model.objects.unscoped().filter(**_ours(world, model, made))
                assert rows.exists() is sees, f"{who} {model}"


def test_P9_a_leader_of_two_groups_keeps_both_and_no_third() -> None:
    world = build()
    with access.system(at=world.at, reason="test") as wide:
        from registry.models import Office

        office = Office.objects.get(code="P-O3")
        staff.appoint(office_id=office.pk, user_id=world.leader.pk, starts_on=wide.on, by=wide)
        from registry.operations import organisations

        third = organisations.load_organisations(organisations=[
            organisations.OrganisationFacts("group", "P-G3", "三つめの会（見本）"),
        ], by=wide)["P-G3"]
        groups.register(organisation_id=third, programme="tsunagari", fiscal_year=2026,
                        activity_kind="join", by=wide)
    with by(world, "leader") as scope:
        own = {one.id for one in seen.filings(scope, fiscal_year=2026)}
    assert own == {world.group, world.other_group}


def test_P9_the_list_of_groups_takes_a_constant_number_of_queries(
    django_assert_max_num_queries: Any,
) -> None:
    world = build(count=30)
    with by(world) as scope, django_assert_max_num_queries(22):
        assert len(seen.filings(scope)) == 2
