"""The statutory roster: preview, apply, removal; who is listed and why (R10, R13 keys)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from evacuation.domain.consent import Answer
from evacuation.models import RosterChange, RosterEntry, RosterRun
from evacuation.operations import criteria, roster
from evacuation.queries import roster as reading
from registry import access
from registry.domain.errors import Conflict, Forbidden, NotFound
from registry.operations import imports
from tests.cast import Cast
from tests.factories import evacuation as city


def entries(cast: Cast) -> dict[int, RosterEntry]:
    with access.system(at=cast.at, reason="test") as wide:
        return {row.person_id: row for row in RosterEntry.objects.visible_to(wide)}


def test_a_preview_changes_nothing_and_its_sums_add_up(cast: Cast) -> None:
    with cast.scope(cast.sato) as by:
        city.load_facts(by)
        criteria.load_example(name="a", by=by)
        run = roster.rebuild_preview(by=by)
        assert (run.examined, run.new_count, run.same_count) == (5, 4, 0)
    assert entries(cast) == {}


def test_apply_lists_people_with_number_criteria_needs_and_explained_priority(cast: Cast) -> None:
    with cast.scope(cast.sato) as by:
        city.load_facts(by)
        city.list_everybody(by)
    found = entries(cast)
    assert set(found) == {cast.hanako_id, cast.ichiro_id, cast.yuki_id, cast.minami_id}
    hanako = found[cast.hanako_id]
    assert hanako.criteria == ["care_3_5", "physical_1_2_kind1"]
    assert hanako.needs == ["wheelchair"]
    assert hanako.number == "0000001" and len({row.number for row in found.values()}) == 4
    assert "自宅の災害リスクは未確認です（中くらいとして計算）" in hanako.priority_reasons
    assert found[cast.ichiro_id].priority_score > 0


def test_R10_people_who_refuse_or_do_not_answer_stay_on_the_statutory_roster(cast: Cast) -> None:
    city.build(cast)
    with cast.scope(cast.sato) as by:
        run = roster.rebuild_preview(by=by)
        assert (run.same_count, run.gone_count) == (4, 0)
        lines = reading.roster(by).items
    assert {one.name for one in lines} >= {"見本　一郎"}
    assert entries(cast)[cast.ichiro_id].state == "listed"


def test_applying_twice_gives_the_same_and_a_second_preview_is_empty(cast: Cast) -> None:
    with cast.scope(cast.sato) as by:
        city.load_facts(by)
        run = city.list_everybody(by)
        again = roster.apply(run_id=run.pk, by=by)
        assert again.applied_at == run.applied_at
        empty = roster.rebuild_preview(by=by)
        assert (empty.new_count, empty.gone_count, empty.changed_count) == (0, 0, 0)
        versions = {row.version for row in RosterEntry.objects.visible_to(by)}
    assert versions == {1}


def test_a_run_that_the_register_has_overtaken_is_refused(cast: Cast) -> None:
    with cast.scope(cast.sato) as by:
        city.load_facts(by)
        criteria.load_example(name="a", by=by)
        run = roster.rebuild_preview(by=by)
        text = "宛名番号,氏名,生年月日,要介護状態区分コード\n1002,見本　一郎,T14.2.11,12\n"
        batch = imports.stage(source=text.encode(), profile="care", file_name="x.csv", by=by)
        imports.apply(batch_id=batch.pk, by=by)
        with pytest.raises(roster.RunOvertaken):
            roster.apply(run_id=run.pk, by=by)
    assert entries(cast) == {}


def test_an_older_preview_is_closed_by_a_newer_one(cast: Cast) -> None:
    with cast.scope(cast.sato) as by:
        criteria.load_example(name="a", by=by)
        first = roster.rebuild_preview(by=by)
        roster.rebuild_preview(by=by)
        with pytest.raises(roster.RunClosed):
            roster.apply(run_id=first.pk, by=by)


def test_an_officers_word_lists_and_unlists_with_a_reason(cast: Cast) -> None:
    with cast.scope(cast.sato) as by:
        city.load_facts(by)
        city.list_everybody(by)
        roster.request_listing(person_id=cast.taro_person_id, kind="manual_include",
                               reason="ひとりで逃げられない", by=by)
        roster.request_listing(person_id=cast.minami_id, kind="manual_exclude",
                               reason="家族が常にそばにいる", by=by)
        run = roster.rebuild_preview(by=by)
        assert (run.new_count, run.gone_count) == (1, 1)
        roster.apply(run_id=run.pk, by=by)
        with pytest.raises(roster.ReasonMissing):
            roster.request_listing(person_id=cast.minami_id, kind="manual_include", reason=" ",
                                   by=by)
    found = entries(cast)
    assert found[cast.taro_person_id].criteria == ["manual_include"]
    gone = found[cast.minami_id]
    assert (gone.state, gone.removal_reason) == ("removed", "登載要件に該当しなくなった")
    assert gone.removed_at == cast.at and gone.removed_by_id == cast.sato.pk


def test_a_death_closes_the_entry_and_keeps_it(cast: Cast) -> None:
    city.build(cast)
    died = _changed("1001", "死亡年月日", "2026-11-20")
    with cast.scope(cast.sato) as by:
        batch = imports.stage(source=died.encode(), profile="residents", file_name="x.csv", by=by)
        imports.apply(batch_id=batch.pk, by=by)
    city.work(cast.at)
    hanako = entries(cast)[cast.hanako_id]
    assert (hanako.state, hanako.removal_reason) == ("removed", "死亡")


def _changed(number: str, column: str, value: str) -> str:
    """The resident's row of the cast with one cell changed."""
    from tests import cast as members

    header, *rows = members.PEOPLE.strip().split("\n")
    names = header.split(",")
    row = next(r for r in rows if r.startswith(number + ",")).split(",")
    row += [""] * (len(names) - len(row))
    row[names.index(column)] = value
    return "\n".join([header, ",".join(row)]) + "\n"


def test_a_moved_away_and_returned_person_keeps_the_list_number(cast: Cast) -> None:
    city.build(cast)
    number = entries(cast)[cast.minami_id].number
    with cast.scope(cast.sato) as by:
        roster.request_listing(person_id=cast.minami_id, kind="manual_exclude", reason="転居",
                               by=by)
        roster.apply(run_id=roster.rebuild_preview(by=by).pk, by=by)
    with cast.scope(cast.sato, at=cast.at + timedelta(days=1)) as by:
        roster.request_listing(person_id=cast.minami_id, kind="manual_include", reason="戻った",
                               by=by)
        roster.apply(run_id=roster.rebuild_preview(by=by).pk, by=by)
    back = entries(cast)[cast.minami_id]
    assert (back.state, back.number, back.removed_at) == ("listed", number, None)


def test_describe_checks_the_version_and_refuses_other_items(cast: Cast) -> None:
    city.build(cast)
    with cast.scope(cast.sato) as by:
        page = reading.roster_page(by, person_id=cast.hanako_id)
        roster.describe(person_id=cast.hanako_id, by=by, version=page.version,
                        values={"contact_name": "見本　次郎", "contact_phone": "090-0000-0009"})
        with pytest.raises(Conflict):
            roster.describe(person_id=cast.hanako_id, by=by, version=page.version,
                            values={"bedroom": "1階の奥"})
        with pytest.raises(Exception, match="roster_item_unknown"):
            roster.describe(person_id=cast.hanako_id, by=by, values={"criteria": []})
        assert reading.roster_page(by, person_id=cast.hanako_id).contact_name == "見本　次郎"


@pytest.mark.parametrize("who", ["mori", "kato", "association", "suzuki", "taro", "nobody"])
def test_only_city_staff_touch_the_roster(cast: Cast, who: str) -> None:
    city.build(cast)
    with cast.scope(getattr(cast, who)) as by:
        for refused in (
            lambda: roster.rebuild_preview(by=by),
            lambda: roster.apply(run_id=1, by=by),
            lambda: reading.roster(by),
            lambda: reading.roster_page(by, person_id=cast.hanako_id),
        ):
            with pytest.raises(Forbidden):
                refused()
        assert not RosterEntry.objects.visible_to(by).exists()
        assert not RosterChange.objects.visible_to(by).exists()


def test_the_care_manager_sees_the_roster_neither_by_list_nor_by_id(cast: Cast) -> None:
    city.build(cast)
    with cast.scope(cast.care_manager) as by, pytest.raises(Forbidden):
        reading.roster_page(by, person_id=cast.hanako_id)


def test_who_may_not_see_protected_people_is_told_that_nobody_is_there(cast: Cast) -> None:
    from registry.domain.roles import Permission, permissions_of

    city.build(cast)
    limited = frozenset(permissions_of(frozenset()) | {
        Permission.PEOPLE_VIEW, Permission.ROSTER_VIEW, Permission.ROSTER_MANAGE,
    })
    with access.scope(cast.sato, at=cast.at, limited_to=limited) as by:
        names = {one.name for one in reading.roster(by).items}
        assert names == {"見本　花子", "見本　一郎", "見本　南"}
        with pytest.raises(NotFound):
            reading.roster_page(by, person_id=cast.yuki_id)
        with pytest.raises(NotFound):
            reading.explain(by, person_id=cast.yuki_id)


def test_the_consent_queue_and_the_counts(cast: Cast) -> None:
    with cast.scope(cast.sato) as by:
        city.load_facts(by)
        city.list_everybody(by)
        city.answer(cast.hanako_id, Answer.AGREED, by)
        city.answer(cast.ichiro_id, Answer.REFUSED, by)
        assert reading.counts(by) == {"listed": 4, "agreed": 1, "refused": 1, "unanswered": 2}
        queue = {one.person_id for one in reading.roster(by, answered=False).items}
        assert queue == {cast.yuki_id, cast.minami_id}
        first = reading.roster(by, limit=3)
        rest = reading.roster(by, limit=3, cursor=first.next)
        assert len(first.items) == 3 and len(rest.items) == 1 and rest.next is None


def test_every_person_shown_is_on_record(cast: Cast) -> None:
    from registry.models import LogEntry

    city.build(cast)
    with cast.scope(cast.sato) as by:
        reading.roster(by)
        seen: Any = LogEntry.objects.visible_to(by).filter(action="roster.list")
        assert {row.person_id for row in seen} == set(entries(cast))


def test_explain_names_the_code_for_each_office(cast: Cast) -> None:
    city.build(cast)
    city.share(cast)
    with cast.scope(cast.sato) as by:
        said = {one.office_name: one for one in reading.explain(by, person_id=cast.ichiro_id)}
        assert {one.code for one in said.values()} == {"refused"}
        here = reading.explain(by, person_id=cast.hanako_id, office_id=cast.offices["O-MORI"])[0]
        assert (here.include, here.code, here.in_newest_edition) == (True, "consent", True)
        there = reading.explain(by, person_id=cast.hanako_id, office_id=cast.offices["O-KATO"])[0]
        assert (there.include, there.code, there.in_newest_edition) == (
            False, "out_of_area", False,
        )


def test_the_run_state_is_what_the_list_of_runs_says(cast: Cast) -> None:
    from evacuation.queries import sharing as runs

    city.build(cast)
    with cast.scope(cast.sato) as by:
        newest = runs.roster_runs(by)[0]
        assert (newest.state, newest.new) == (RosterRun.State.APPLIED, 4)
        page = runs.roster_changes(by, run_id=newest.id, change="new")
        assert {one.person_id for one in page.items} == set(entries(cast))
