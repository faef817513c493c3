"""Who sees whom: leaders, care managers, ended terms, protected addresses, powerless users."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from registry import access
from registry.domain.errors import Forbidden, NotFound
from registry.domain.roles import Permission
from registry.models import LogEntry, Person
from registry.queries import areas, offices, organisations, people, roster, volunteers
from tests.cast import Cast, end_term_of


def _names(page: Any) -> list[str]:
    return [one.name for one in page.items]


def test_the_officer_finds_by_kana_prefix_and_by_part_of_the_written_name(cast: Cast) -> None:
    with cast.scope(cast.sato) as by:
        assert _names(people.search_people(by, text="みほんは")) == ["見本　花子"]
        assert _names(people.search_people(by, text="ﾐﾎﾝ ﾊﾅ")) == ["見本　花子"]
        assert _names(people.search_people(by, text="一郎")) == ["見本　一郎"]
        assert len(people.search_people(by, text="見本").items) == 5
        assert _names(people.search_people(by, text="1004")) == ["見本　南"]
        assert _names(people.search_people(by, text="存在しない")) == []


def test_pages_go_on_where_they_ended(cast: Cast) -> None:
    with cast.scope(cast.sato) as by:
        every = _names(people.search_people(by))
        first = people.search_people(by, limit=2)
        second = people.search_people(by, limit=2, cursor=first.next)
        third = people.search_people(by, limit=2, cursor=second.next)
        assert _names(first) + _names(second) + _names(third) == every
        assert third.next is None and len(every) == 5


@pytest.mark.parametrize("cursor", ["x", "-1", "9" * 30, "999999"])
def test_a_foreign_cursor_is_refused(cast: Cast, cursor: str) -> None:
    with cast.scope(cast.sato) as by, pytest.raises(Exception) as refused:
        people.search_people(by, cursor=cursor)
    assert getattr(refused.value, "code", "") == "bad_cursor"


def test_a_view_leaves_a_record_for_each_person_and_names_sensitive_fields(cast: Cast) -> None:
    with cast.scope(cast.sato) as by:
        facts = people.person_page(by, person_id=cast.hanako_id)
        assert facts.area_name == "北町内会" and facts.household_births == (
            facts.born_on, people.person_page(by, person_id=cast.taro_person_id).born_on)
        entry = LogEntry.objects.visible_to(by).get(
            person_id=cast.hanako_id, action="people.page")
        assert entry.user_id == cast.sato.pk
        assert {"care_level", "physical_grade"} <= set(entry.fields)


def test_a_care_manager_sees_only_the_caseload(cast: Cast) -> None:
    with cast.scope(cast.care_manager) as by:
        assert [one.id for one in people.search_people(by).items] == [cast.hanako_id]
        people.person_page(by, person_id=cast.hanako_id)
        with pytest.raises(NotFound):
            people.person_page(by, person_id=cast.ichiro_id)
        assert people.places(by, person_ids=[cast.hanako_id, cast.ichiro_id]).keys() == {
            cast.hanako_id}


def test_not_visible_and_not_there_answer_alike(cast: Cast) -> None:
    answers = []
    for person in (cast.ichiro_id, 10**9):
        with cast.scope(cast.care_manager) as by, pytest.raises(NotFound) as refused:
            people.person_page(by, person_id=person)
        answers.append((refused.value.code, refused.value.message, refused.value.fields))
    assert answers[0] == answers[1]


def test_R11_a_protected_person_is_absent_without_the_permission(
    cast: Cast, system: Any
) -> None:
    from registry.operations import people as acts

    acts.look_after(person_id=cast.yuki_id, user_id=cast.care_manager.pk,
                    starts_on=system.on, by=system)
    with cast.scope(cast.sato) as by:
        assert people.person_page(by, person_id=cast.yuki_id).protected_on(by.on)
    with cast.scope(cast.care_manager) as by:
        assert cast.yuki_id not in {one.id for one in people.search_people(by).items}
        assert people.visible_ids(by, [cast.yuki_id]) == frozenset()
        with pytest.raises(NotFound):
            people.person_page(by, person_id=cast.yuki_id)
    later = cast.at + timedelta(days=365)
    with cast.scope(cast.care_manager, at=later) as by:
        assert people.visible_ids(by, [cast.yuki_id]) == {cast.yuki_id}


@pytest.mark.parametrize("who", ["mori", "kato", "association", "leader", "shop", "scanner",
                                 "taro", "nobody", "suzuki", "former"])
def test_nobody_else_sees_a_resident(cast: Cast, who: str) -> None:
    with cast.scope(getattr(cast, who)) as by:
        assert Person.objects.visible_to(by).count() == 0
        assert people.visible_ids(by, [cast.hanako_id, cast.minami_id]) == frozenset()
        with pytest.raises(Forbidden):
            people.search_people(by)
        with pytest.raises(Forbidden):
            people.person_page(by, person_id=cast.hanako_id)


def test_an_ended_term_sees_nothing_from_that_midnight(cast: Cast, system: Any) -> None:
    tomorrow = system.on + timedelta(days=1)
    end_term_of(cast, cast.sato, on=tomorrow, by=system)
    midnight = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=access.JAPAN)
    with cast.scope(cast.sato, at=midnight - timedelta(seconds=1)) as by:
        assert len(people.search_people(by).items) == 5
    with cast.scope(cast.sato, at=midnight) as by:
        assert by.permissions == frozenset()
        assert Person.objects.visible_to(by).count() == 0


def test_P9_a_leader_sees_only_the_own_members(cast: Cast) -> None:
    with cast.scope(cast.leader) as by:
        assert [one.id for one in volunteers.search_volunteers(by).items] == [cast.taro_id]
        assert volunteers.volunteer_facts(
            by, volunteer_ids=[cast.taro_id, cast.natsu_id]).keys() == {cast.taro_id}
        seen = organisations.members(by)
        assert {(m.organisation_id, m.volunteer_id) for m in seen} == {
            (cast.group_id, cast.taro_id)}
    with cast.scope(cast.suzuki) as by:
        assert len(volunteers.search_volunteers(by).items) == 2


def test_a_volunteer_sees_only_themself(cast: Cast) -> None:
    with cast.scope(cast.taro) as by:
        assert [one.id for one in volunteers.search_volunteers(by).items] == [cast.taro_id]
    with cast.scope(cast.nobody) as by:
        assert volunteers.search_volunteers(by).items == ()


def test_a_token_narrows_and_never_widens(cast: Cast) -> None:
    only = frozenset({Permission.AREAS_VIEW, Permission.EXCHANGE})
    with access.scope(cast.sato, at=cast.at, limited_to=only) as by:
        assert by.permissions == {Permission.AREAS_VIEW}
        assert Person.objects.visible_to(by).count() == 0


def test_facts_for_the_roster_are_for_the_service_alone(cast: Cast, system: Any) -> None:
    chunks = list(roster.people_for_roster(system, chunk=2))
    assert [len(one) for one in chunks] == [2, 2, 1]
    with cast.scope(cast.sato) as by, pytest.raises(Forbidden):
        list(roster.people_for_roster(by))


def test_reading_everybody_takes_three_queries_a_chunk(
    cast: Cast, system: Any, django_assert_num_queries: Any
) -> None:
    # the ids of a chunk, people, households, welfare; and the ids that end it
    with django_assert_num_queries(5):
        found = list(roster.people_for_roster(system, chunk=100))
    assert len(found[0]) == 5


def test_offices_with_areas_and_holders(cast: Cast) -> None:
    with cast.scope(cast.sato) as by:
        seats = {one.code: one for one in offices.offices(by, role="welfare_commissioner")}
        assert [a.area_name for a in seats["O-MORI"].areas] == ["北町内会"]
        held = offices.holders(by, office_ids=[seats["O-MORI"].id])
        assert [one.user_id for one in held[seats["O-MORI"].id]] == [cast.mori.pk]
        assert {t.user_id for t in offices.terms(by, office_id=seats["O-MORI"].id)} == {
            cast.mori.pk, cast.former.pk}
    with cast.scope(cast.nobody) as by:
        assert offices.holders(by) == {}
    with cast.scope(cast.mori) as by:
        assert by.areas == {cast.north_id}
        assert list(offices.holders(by)) == [cast.offices["O-MORI"]]


def test_the_tree_of_areas(cast: Cast) -> None:
    with cast.scope(cast.sato) as by:
        (city,) = areas.tree(by)
        assert [n.area.name for n in city.below[0].below] == ["北町内会", "南町内会"]
        assert areas.neighbourhoods_within(by, cast.district_id) == {
            cast.north_id, cast.south_id}
        assert areas.neighbourhoods_within(by, cast.north_id) == {cast.north_id}
