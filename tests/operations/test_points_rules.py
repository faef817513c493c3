"""P2: rules are written, changed while nothing was awarded, and never after; two programmes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from points.domain.rules import Rate, RuleSet, Source
from points.models import ProgrammeYear
from points.models import RuleSet as RuleSetRow
from points.operations import attendance, enrolments, ledger, programmes, rules
from points.queries import rule_preview
from points.queries import rules as written
from points.queries.statements import my_points
from registry import access
from registry.domain.errors import Conflict, Forbidden, NotFound, Refused, TsunagariError
from tests.factories import points as make

KAMUKAMU = RuleSet(
    code="kamukamu-1", programme="kamukamu", begins_on=date(2025, 4, 1),
    rates=(Rate("visit", "ボランティア活動", 1),), sources=frozenset({Source.CENTRE}),
    points_per_voucher=1, yen_per_voucher=500, minimum_age=13, enrolment_required=True,
)
NEXT = date(2026, 12, 1)


@pytest.fixture
def world(db: None) -> make.World:
    return make.build()


def scan(world: make.World, person: int, session: int, at: Any = None) -> Any:
    with access.scope(world.council, at=at or world.at) as by:
        return attendance.record(scans=[world.scan(person, session)], by=by).results[0]


def history(world: make.World, code: str = "tsunagari") -> written.ProgrammeHistory:
    with access.scope(world.council, at=world.at) as by:
        return written.history(by, code=code)


def intact(world: make.World) -> None:
    with access.system(at=world.at, reason="verify") as by:
        assert ledger.verify(by=by).differences == []


def refused(world: make.World, call: Any, *, user: Any = None, **given: Any) -> str:
    """The code of the refusal; nothing was written."""
    before = _everything()
    with pytest.raises(TsunagariError) as caught, access.scope(
        user or world.council, at=world.at
    ) as by:
        call(**given, by=by)
    assert _everything() == before
    return caught.value.code


def _everything() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (RuleSetRow, ProgrammeYear)]


def drafted(world: make.World, **changes: Any) -> int:
    """A draft of next month's rules: what holds, with some inputs changed."""
    past = history(world)
    number = past.rule_sets[0].id
    with access.scope(world.council, at=world.at) as by:
        made = rules.begin(programme="tsunagari", based_on=number, by=by)
        form = {**made.form, "begins_on": NEXT.isoformat(), "citation": "見本決裁1号", **changes}
        rules.save(draft_id=made.pk, form=form, version=1, by=by)
    return made.pk


def joined(points: str) -> list[dict[str, str]]:
    """The rates with so many points for 参加型."""
    three = (("join", "参加型", points), ("support", "支援型", "2"), ("hourly", "活動型", "1"))
    return [{"kind": k, "label": n, "points": p, "per": "attendance"} for k, n, p in three]


def adopted(world: make.World, draft: int, version: int = 2) -> int:
    with access.scope(world.council, at=world.at) as by:
        return rules.adopt(draft_id=draft, version=version, reason="参加をふやすため", by=by).pk


def test_P2_a_draft_counts_for_nothing_until_it_is_adopted(world: make.World) -> None:
    scan(world, 0, world.session)
    draft = drafted(world, daily_cap="5")
    assert [one.version for one in history(world).drafts] == [2]
    assert len(history(world).rule_sets) == 1
    number = adopted(world, draft)
    found = history(world)
    assert found.drafts == () and found.rule_set(number).rules.daily_cap == 5
    assert [one.standing(world.at.date()) for one in found.rule_sets] == ["planned", "in_force"]
    assert found.rule_sets[1].ends_on == NEXT - timedelta(days=1)
    assert (found.rule_set(number).citation, found.rule_set(number).reason) == (
        "見本決裁1号", "参加をふやすため")
    intact(world)


def test_P2_the_activitys_date_picks_the_rules_never_the_day_of_entry(world: make.World) -> None:
    scan(world, 0, world.session)
    adopted(world, drafted(world, rates=joined("3"), group_day_cap="3"))
    before = make.hold(world, start=world.at - timedelta(hours=5), title="前の回")
    after = make.hold(world, start=world.at + timedelta(days=9), title="後の回")
    later = world.at + timedelta(days=20)
    assert scan(world, 1, before, later).points == 1
    assert scan(world, 1, after, later).points == 3
    intact(world)


def test_P2_two_editors_never_overwrite_each_other(world: make.World) -> None:
    draft = drafted(world)
    form = history(world).drafts[0].form
    assert refused(world, rules.save, draft_id=draft, form=form, version=1) == "draft_changed"
    assert refused(world, rules.adopt, draft_id=draft, version=1, reason="x") == "draft_changed"
    with access.scope(world.council, at=world.at) as by:
        rules.drop(draft_id=draft, by=by)
    assert refused(world, rules.save, draft_id=draft, form=form, version=2) == "draft_closed"
    assert refused(world, rules.adopt, draft_id=draft, version=2, reason="x") == "draft_closed"


@pytest.mark.parametrize(("changes", "code", "field"), [
    ({"begins_on": "2026-11-23"}, "begins_before_awards", "begins_on"),
    ({"begins_on": ""}, "rule_form_unreadable", "begins_on"),
    ({"citation": ""}, "citation_missing", "citation"),
    ({"yen_per_voucher": "400"}, "yen_differs", "yen_per_voucher"),
    ({"daily_cap": "60", "group_day_cap": ""}, "cap_below_daily", "daily_cap"),
    ({"sources": []}, "rule_set_invalid", "sources"),
    ({"rates": [{"kind": "join", "label": "参加型", "points": "1"}]}, "kind_lost", "rates"),
    ({"rates": [{"kind": k, "label": "同じ", "points": "1"} for k in ("join", "support",
                                                                     "hourly")]},
     "label_twice", "rates"),
])
def test_P2_a_draft_that_may_not_hold_is_refused_and_stays(
    world: make.World, changes: dict[str, Any], code: str, field: str
) -> None:
    scan(world, 0, world.session)
    draft = drafted(world, **changes)
    with pytest.raises(Refused) as caught, access.scope(world.council, at=world.at) as by:
        rules.adopt(draft_id=draft, version=2, reason="見本", by=by)
    assert caught.value.code == code and field in caught.value.fields
    kept = history(world)
    assert [one.id for one in kept.drafts] == [draft] and len(kept.rule_sets) == 1


def test_P2_rules_need_a_reason_and_a_right(world: make.World) -> None:
    draft = drafted(world)
    assert refused(world, rules.adopt, draft_id=draft, version=2, reason=" ") == "reason_missing"
    for call, given in (
        (rules.begin, {"programme": "tsunagari"}), (rules.drop, {"draft_id": draft}),
        (rules.save, {"draft_id": draft, "form": {}, "version": 2}),
        (rules.adopt, {"draft_id": draft, "version": 2, "reason": "x"}),
        (rules.meant, {"draft_id": draft}),
        (programmes.withdraw_rules, {"rule_set_id": 1, "reason": "x"}),
    ):
        assert refused(world, call, user=world.leader, **given) == Forbidden.code
    with access.scope(world.leader, at=world.at) as by, pytest.raises(Forbidden):
        rule_preview.preview(by, rules=make.rules())
    with pytest.raises(Forbidden), access.scope(world.leader, at=world.at) as by:
        written.history(by, code="tsunagari")


def test_P2_an_unused_rule_set_is_replaced_or_withdrawn_and_stays_readable(
    world: make.World,
) -> None:
    scan(world, 0, world.session)
    first = adopted(world, drafted(world))
    with access.scope(world.council, at=world.at) as by:
        draft = rules.begin(programme="tsunagari", based_on=first, replace=True, by=by)
        assert draft.form["begins_on"] == NEXT.isoformat()
        rules.save(draft_id=draft.pk, form={**draft.form, "daily_cap": "9"}, version=1, by=by)
    second = adopted(world, draft.pk)
    found = history(world)
    assert found.rule_set(first).standing(world.at.date()) == "withdrawn"
    assert found.rule_set(second).rules.daily_cap == 9
    with access.scope(world.council, at=world.at) as by:
        programmes.withdraw_rules(rule_set_id=second, reason="まちがい", by=by)
    found = history(world)
    assert [one.standing(world.at.date()) for one in found.rule_sets] == [
        "withdrawn", "withdrawn", "in_force"]
    assert found.rule_set(second).withdrawn_reason == "まちがい"
    assert refused(world, programmes.withdraw_rules, rule_set_id=second, reason="x") == (
        NotFound.code)
    intact(world)


def test_P2_a_used_rule_set_can_be_neither_replaced_nor_withdrawn(world: make.World) -> None:
    scan(world, 0, world.session)
    used = history(world).rule_sets[0]
    assert used.used
    assert refused(world, programmes.withdraw_rules, rule_set_id=used.id,
                   reason="x") == "rules_used"
    assert refused(world, rules.begin, programme="tsunagari", based_on=used.id,
                   replace=True) == "rules_used"


def test_P2_a_rule_set_used_since_the_draft_began_is_not_replaced(world: make.World) -> None:
    first = history(world).rule_sets[0]
    with access.scope(world.council, at=world.at) as by:
        draft = rules.begin(programme="tsunagari", based_on=first.id, replace=True, by=by)
        rules.save(draft_id=draft.pk, form={**draft.form, "citation": "見本"}, version=1, by=by)
    scan(world, 0, world.session)
    assert refused(world, rules.adopt, draft_id=draft.pk, version=2,
                   reason="x") == "begins_before_awards"


@pytest.mark.parametrize("sql", [
    "UPDATE points_ruleset SET body = '{}'", "UPDATE points_ruleset SET starts_on = '2020-01-01'",
    "UPDATE points_ruleset SET citation = 'x'", "DELETE FROM points_ruleset",
    (
        "UPDATE points_ruleset SET withdrawn_at = made_at, withdrawn_by_id = made_by_id,"
        " withdrawn_reason = 'x'"
    ),
    "UPDATE points_programmeyear SET terms = '{}' WHERE fiscal_year = 2026",
    "DELETE FROM points_programmeyear",
])
def test_P2_the_database_itself_refuses_to_alter_what_was_used(
    world: make.World, sql: str
) -> None:
    scan(world, 0, world.session)
    before = _everything()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert _everything() == before


def test_P2_the_orm_cannot_alter_a_used_rule_set_either(world: make.World) -> None:
    scan(world, 0, world.session)
    row = RuleSetRow.objects.get()
    row.body = {**row.body, "daily_cap": 99}
    for change in (row.save, row.delete, lambda: RuleSetRow.objects.update(code="other")):
        with pytest.raises((DatabaseError, TypeError)), transaction.atomic():
            change()
    assert RuleSetRow.objects.get().body["daily_cap"] == 3
    year = ProgrammeYear.objects.get(fiscal_year=2026)
    with pytest.raises(DatabaseError), transaction.atomic():
        ProgrammeYear.objects.filter(pk=year.pk).update(terms={**year.terms, "annual_cap": 1})
    ProgrammeYear.objects.filter(pk=year.pk).update(state="closing")  # the year goes on


def test_P2_an_unused_rule_set_says_what_it_said_too(world: make.World) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        RuleSetRow.objects.update(body={})
    RuleSetRow.objects.update(withdrawn_at=world.at, withdrawn_by=world.council.pk,
                              withdrawn_reason="x")
    with pytest.raises(DatabaseError), transaction.atomic():
        RuleSetRow.objects.update(withdrawn_at=None, withdrawn_by=None, withdrawn_reason="")


def test_P2_the_only_rules_of_an_open_year_stay(world: make.World) -> None:
    only = history(world).rule_sets[0]
    assert refused(world, programmes.withdraw_rules, rule_set_id=only.id,
                   reason="x") == "rules_needed"


def test_P2_planned_sessions_keep_their_rate(world: make.World) -> None:
    number = adopted(world, drafted(world, rates=[
        *({"kind": r.kind, "label": r.label, "points": str(r.points), "per": r.per.value}
          for r in history(world).rule_sets[0].rules.rates),
        {"label": "除雪", "points": "2", "per": "started_hour"},
    ]))
    assert history(world).rule_set(number).rules.rate("kind-1").label == "除雪"
    make.hold(world, start=world.at + timedelta(days=10), kind="kind-1")
    assert refused(world, programmes.withdraw_rules, rule_set_id=number, reason="x") == "kind_lost"


def test_P2_a_years_terms_change_until_the_first_point(world: make.World) -> None:
    terms = make.terms(2026, annual_cap=70)
    with access.scope(world.council, at=world.at) as by:
        programmes.change_year(terms=terms, version=1, reason="見本", citation="要綱", by=by)
    assert history(world).year(2026).terms.annual_cap == 70
    again = {"terms": make.terms(2026), "reason": "x"}
    assert refused(world, programmes.change_year, version=1, **again) == "changed_meanwhile"
    assert refused(world, programmes.change_year, version=2, terms=make.terms(2026, yen_value=1),
                   reason="x") == "yen_differs"
    assert refused(world, programmes.change_year, version=2, terms=make.terms(2026),
                   reason="") == "reason_missing"
    scan(world, 0, world.session)
    assert history(world).year(2026).fixed and not history(world).year(2025).fixed
    assert refused(world, programmes.change_year, version=2, **again) == "year_has_points"
    intact(world)


def two(world_at: Any = make.NOON, **changes: Any) -> make.World:
    """Both programmes side by side."""
    return make.build(world_at, extra_rules=[replace(KAMUKAMU, **changes)])


def centre(world: make.World, **given: Any) -> int:
    with access.scope(world.council, at=world.at) as by:
        home = next(iter(by.organisations), None)
    return make.hold(world, organisation_id=home or world.organisation, programme="kamukamu",
                     kind="visit", source=Source.CENTRE, **given)


def test_P2_two_programmes_with_their_own_shapes_side_by_side(db: None) -> None:
    world = two()
    arranged = centre(world, start=world.at - timedelta(hours=8))
    assert scan(world, 0, world.session).result == "granted"
    early = scan(world, 0, arranged)
    assert (early.result, early.points) == ("not_eligible", 0)
    assert "年度登録がない" in early.reason
    with access.scope(world.council, at=world.at) as by:
        made = enrolments.enrol(volunteer_ids=[world.people[0]], programme="kamukamu",
                                fiscal_year=2026, starts_on=date(2026, 4, 1), by=by)
        balances = {one.programme: one.balance for one in my_points(
            by, volunteer_id=world.people[0])}
    assert balances == {"tsunagari": 1, "kamukamu": 1}
    intact(world)
    with pytest.raises(Conflict), access.scope(world.council, at=world.at) as by:
        enrolments.enrol(volunteer_ids=world.people, programme="kamukamu", fiscal_year=2026, by=by)
    with access.scope(world.council, at=world.at) as by:
        enrolments.cancel(enrolment_id=made[0].pk, reason="ご本人の申し出", by=by)
        balances = {one.programme: one.balance for one in my_points(
            by, volunteer_id=world.people[0])}
    assert balances["kamukamu"] == 0
    intact(world)


def test_P2_a_yearly_registration_counts_from_its_day_and_only_that_year(db: None) -> None:
    world = two()
    day = world.at - timedelta(days=1)
    with access.scope(world.council, at=world.at) as by:
        enrolments.enrol(volunteer_ids=[world.people[0]], programme="kamukamu", fiscal_year=2026,
                         starts_on=day.date(), by=by)
        enrolments.enrol(volunteer_ids=[world.people[1]], programme="kamukamu", fiscal_year=2025,
                         by=by)
    before = centre(world, start=day - timedelta(days=1))
    on = centre(world, start=day)
    assert [scan(world, 0, one).points for one in (before, on)] == [0, 1]
    assert [scan(world, 1, one).points for one in (before, on)] == [0, 0]
    with access.scope(world.council, at=world.at) as by, pytest.raises(Refused) as caught:
        enrolments.enrol(volunteer_ids=[world.people[2]], programme="kamukamu", fiscal_year=2026,
                         starts_on=date(2026, 3, 31), by=by)
    assert caught.value.code == "outside_the_year"
    intact(world)


def test_P2_a_preview_counts_again_and_writes_nothing(world: make.World) -> None:
    for day in (1, 2, 40):
        for person in (0, 1):
            scan(world, person, make.hold(world, start=world.at - timedelta(days=day)))
    draft = drafted(world, rates=joined("2"))
    before = _everything()
    with access.scope(world.council, at=world.at) as by:
        meant = rules.meant(draft_id=draft, by=by)
        year = rule_preview.preview(by, rules=meant)
        month = rule_preview.preview(by, rules=meant, since=date(2026, 11, 1))
        with pytest.raises(Refused) as caught:
            rule_preview.preview(by, rules=meant, since=date(2026, 12, 24))
    assert caught.value.code == "period_not_past"
    assert (year.since, year.until) == (date(2025, 12, 1), world.at.date())
    assert (year.people, year.attendances, year.before, year.after) == (2, 6, 6, 12)
    assert (month.people, month.attendances, month.before, month.after) == (2, 4, 4, 8)
    assert [(c.label, c.attendances, c.difference) for c in month.changes] == [("参加型", 4, 4)]
    assert (year.more, year.fewer, year.same, year.ahead) == (2, 0, 0, 0)
    assert _everything() == before
    intact(world)


def test_P2_a_preview_asks_the_database_as_often_for_many_as_for_few(world: make.World) -> None:
    from django.test.utils import CaptureQueriesContext

    counts = []
    for person in (0, 1, 2):
        scan(world, person, world.session)
        with access.scope(world.council, at=world.at) as by, CaptureQueriesContext(
            connection
        ) as asked:
            rule_preview.preview(by, rules=make.rules(code="n", begins_on=NEXT))
        counts.append(len(asked))
    assert counts[0] == counts[1] == counts[2]
