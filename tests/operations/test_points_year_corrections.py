"""P1: facts that change after the award; what a closed year waits for; planted differences."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from points.models import ProgrammeYear, YearCorrection, YearEvent
from points.operations import attendance, facts, lapsing, ledger, years
from points.queries import years as reading
from registry import access, outbox
from registry.domain.errors import Conflict, Forbidden, NotFound, Refused
from registry.operations import memberships, volunteers
from registry.queries.organisations import members
from tests.factories import points as make
from tests.operations.test_points_years import (
    AFTER,
    LAPSE,
    YEAR,
    closed,
    held,
    lapse,
    points_on,
    scan,
    verified,
    wallets,
)
from workers import relay

_TICK = count()
OLD, YOUNG = date(1950, 5, 5), date(2015, 5, 5)


@pytest.fixture
def world(db: None) -> make.World:
    """Only those of 13 and more, who live in the city, get points."""
    return make.build(minimum_age=13, residence_required=True)


def told(at: Any = AFTER) -> int:
    """What a worker would do with everything the registry announced."""
    done = 0
    while rows := outbox.claim(at=at + timedelta(minutes=1), lease=timedelta(minutes=1), limit=50):
        for row in rows:
            relay.HANDLERS[row.kind](row, at)
            done += 1
    return done


def person(born_on: date = OLD, **changes: Any) -> volunteers.VolunteerInput:
    return replace(
        volunteers.VolunteerInput(number="x", name="見本　0", kana="ミホン　0", born_on=born_on),
        **changes,
    )


def correct(world: make.World, at: Any = AFTER, who: int = 0, **changes: Any) -> None:
    moment = at + timedelta(milliseconds=next(_TICK))  # no two acts in one instant
    with access.scope(world.council, at=moment) as by:
        volunteers.change(volunteer_id=world.people[who], volunteer=person(**changes), by=by)
    told(moment)


def waiting(world: make.World, at: Any = AFTER) -> tuple[reading.CorrectionFact, ...]:
    with access.scope(world.council, at=at) as by:
        return reading.waiting(by, **YEAR).corrections


def test_P1_a_corrected_birth_date_moves_the_points_of_an_open_year(world: make.World) -> None:
    points_on(world, 30, 31)
    told()
    correct(world, born_on=YOUNG)
    assert wallets(world) == {2025: 0}
    correct(world, born_on=OLD)
    assert wallets(world) == {2025: 4}
    assert waiting(world) == ()
    verified()


def test_P1_a_move_takes_nothing_that_was_earned_before_it(world: make.World) -> None:
    points_on(world, 29, 31)
    told()
    correct(world, resident=False)  # moved out today, in April
    assert wallets(world) == {2025: 4}
    correct(world, resident=False, resident_from=date(2026, 3, 30))  # it was earlier
    assert wallets(world) == {2025: 2}
    correct(world, resident=True, resident_from=date(2026, 3, 31))  # and back the next day
    assert wallets(world) == {2025: 4}
    with pytest.raises(volunteers.BadVolunteer):
        correct(world, resident=False, resident_from=date(2030, 1, 1))
    verified()


def test_P1_a_corrected_membership_term_moves_points_of_its_days(db: None) -> None:
    from points.domain.rules import Source

    world = make.build(membership_required=True, sources=frozenset({Source.GROUP}))
    spring = make.hold(world, start=world.at - timedelta(days=60), kind="support")
    with access.system(at=world.at, reason="scan") as by:
        attendance.record(scans=[world.scan(0, spring), world.scan(0)], by=by)
    told(world.at)
    assert wallets(world) == {2026: 3}
    later = world.at + timedelta(seconds=1)
    with access.scope(world.council, at=later) as by:
        [mine] = members(by, volunteer_ids=[world.people[0]])
        memberships.correct_term(
            membership_id=mine.membership_id, starts_on=world.at.date(), ends_on=None, by=by)
        with pytest.raises(Refused, match="bad_membership_end"):
            memberships.correct_term(membership_id=mine.membership_id,
                                     starts_on=date(2026, 5, 1), ends_on=date(2026, 5, 1), by=by)
        with pytest.raises(NotFound):
            memberships.correct_term(membership_id=999_999, starts_on=date(2026, 5, 1),
                                     ends_on=None, by=by)
    with access.scope(world.leader, at=later) as by, pytest.raises(Forbidden):
        memberships.correct_term(membership_id=mine.membership_id, starts_on=date(2026, 5, 1),
                                 ends_on=None, by=by)
    told(later)
    assert wallets(world) == {2026: 1}
    verified(world.at)


def test_P1_many_new_members_are_counted_by_their_organisation(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from points.domain.rules import Source

    world = make.build(count=3, membership_required=True, sources=frozenset({Source.GROUP}))
    other = make.hold(world, group=world.other_group)
    with access.system(at=world.at, reason="scan") as by:
        attendance.record(scans=[world.scan(n, other) for n in range(3)], by=by)
    assert wallets(world) == {}
    monkeypatch.setattr(memberships, "FEW", 2)
    monkeypatch.setattr(facts, "BLOCK", 2)
    told(world.at)
    with access.scope(world.council, at=world.at) as by:
        memberships.join_many(members=[
            memberships.MemberInput(world.other, one, world.at.date()) for one in world.people
        ], by=by)
    assert told(world.at) == 1
    assert [wallets(world, n) for n in range(3)] == [{2026: 1}] * 3
    verified(world.at)


def test_P1_a_fact_corrected_after_the_close_waits_for_a_word(world: make.World) -> None:
    points_on(world, 30, 31)
    told()
    closed(world)
    correct(world, born_on=YOUNG)
    [one] = waiting(world)
    assert (one.volunteer_id, one.stands, one.would_be) == (world.people[0], 4, 0)
    assert wallets(world) == {2025: 4}
    verified()
    correct(world, born_on=YOUNG)  # said again: still one
    assert [row.id for row in waiting(world)] == [one.id]
    with access.scope(world.council, at=AFTER) as by:
        with pytest.raises(Refused, match="reason_missing"):
            years.apply_correction(correction_id=one.id, reason=" ", by=by)
        done = years.apply_correction(correction_id=one.id, reason="生年月日の誤り", by=by)
    assert (done.outcome, done.resolved_by_id) == ("applied", world.council.pk)
    assert (wallets(world), waiting(world)) == ({2025: 0}, ())
    with access.scope(world.council, at=AFTER) as by, pytest.raises(Conflict, match="not_waiting"):
        years.apply_correction(correction_id=one.id, reason="もう一度", by=by)
    verified()


def test_P1_what_was_kept_is_not_asked_again_until_it_is_another(world: make.World) -> None:
    points_on(world, 30, 31)
    told()
    closed(world)
    correct(world, born_on=YOUNG)
    [one] = waiting(world)
    with access.scope(world.council, at=AFTER) as by:
        years.keep_as_closed(correction_id=one.id, reason="確定ずみのため", by=by)
    correct(world, born_on=YOUNG, phone="0")
    assert (waiting(world), wallets(world)) == ((), {2025: 4})
    verified()
    correct(world, born_on=date(2000, 1, 1), resident=False, resident_from=date(2026, 3, 31))
    [other] = waiting(world)
    assert (other.stands, other.would_be) == (4, 2)
    verified()


def test_P1_an_entry_whose_reason_is_gone_ends_by_itself(world: make.World) -> None:
    points_on(world, 30)
    told()
    closed(world)
    correct(world, born_on=YOUNG)
    assert len(waiting(world)) == 1
    correct(world, born_on=OLD)
    assert waiting(world) == ()
    with access.system(at=AFTER, reason="look") as by:
        row = YearCorrection.objects.visible_to(by).get()
    assert (row.outcome, row.resolved_by_id) == ("gone", None)
    assert row.resolved_at is not None
    verified()


def test_P1_a_correction_of_a_lapsed_year_never_goes_below_zero(world: make.World) -> None:
    points_on(world, 28, 29, 30, 31)
    told()
    closed(world)
    lapse()
    assert wallets(world) == {2025: 0, 2026: 3}
    correct(world, at=LAPSE, born_on=YOUNG)
    [one] = waiting(world, LAPSE)
    with access.scope(world.council, at=LAPSE) as by:
        years.apply_correction(correction_id=one.id, reason="生年月日の誤り", by=by)
    assert wallets(world) == {2025: 0, 2026: 0}
    verified()


def test_corrections_are_for_those_who_manage_the_rules(world: make.World) -> None:
    points_on(world, 31)
    told()
    closed(world)
    correct(world, born_on=YOUNG)
    [one] = waiting(world)
    for user in (world.leader, world.scanner, world.shopkeeper):
        with access.scope(user, at=AFTER) as by:
            for call in (years.apply_correction, years.keep_as_closed):
                with pytest.raises(Forbidden):
                    call(correction_id=one.id, reason="x", by=by)
    with access.scope(world.council, at=AFTER) as by, pytest.raises(NotFound):
        years.keep_as_closed(correction_id=one.id + 1, reason="x", by=by)


def test_one_entry_waits_per_volunteer_and_year(world: make.World) -> None:
    points_on(world, 31)
    told()
    closed(world)
    correct(world, born_on=YOUNG)
    with access.system(at=AFTER, reason="twice") as by:
        row = YearCorrection.objects.visible_to(by).get()
        row.pk = None
        with pytest.raises(IntegrityError, match="one_waits|UNIQUE"), transaction.atomic():
            row.save(force_insert=True)


def kinds(at: Any = LAPSE) -> set[str]:
    with access.system(at=at, reason="verify") as by:
        return {one.kind for one in ledger.verify(by=by).differences}


def test_P3_planted_differences_in_a_year_are_found(world: make.World) -> None:
    points_on(world, 29, 30, 31)
    told()
    closed(world)
    row = ProgrammeYear.objects.get(fiscal_year=2025)

    def planted(found: str, undo: bool = True, **values: Any) -> None:
        before = {name: getattr(row, name) for name in values}
        ProgrammeYear.objects.filter(pk=row.pk).update(**values)
        assert found in kinds()
        if undo:
            ProgrammeYear.objects.filter(pk=row.pk).update(**before)

    assert kinds() == set()
    planted("exception_differs", exception={"carries_all": True})
    planted("year_event_differs", state="closing", closed_at=None, closed_by=None)
    planted("year_event_differs", lapsed_at=LAPSE)
    assert kinds() == set()
    lapse()
    assert kinds() == set()
    later = {"exchange_until": "2026-12-31", "lapses_on": "2027-01-01"}
    planted("lapse_too_early", exception=later)
    planted("year_event_differs", lapsed_at=None)


def test_P3_a_correction_that_nobody_was_asked_about_is_found(world: make.World) -> None:
    points_on(world, 31)
    told()
    closed(world)
    correct(world, born_on=YOUNG)
    with access.system(at=AFTER, reason="plant") as by:
        rows = YearCorrection.objects.visible_to(by)
        rows.update(outcome="gone", resolved_at=AFTER)
        assert kinds() == {"closed_year_differs"}
        rows.update(outcome="waiting", resolved_at=None, content=b"\0" * 32)
    assert kinds() == {"closed_year_differs", "correction_stale"}


def test_P3_a_wallet_left_over_after_the_lapse_is_found(world: make.World) -> None:
    session = held(world, 31)
    scan(world, session, 0)
    told()
    closed(world)
    lapse()
    late = scan(world, session, 1, at=LAPSE)[0].attendance
    with access.scope(world.council, at=LAPSE) as by:
        attendance.correct(attendance_id=late, reason="紙の名簿がとどいたため", by=by)
    assert kinds(LAPSE + timedelta(days=1)) == set()  # the job of the day may be under way
    assert kinds(LAPSE + timedelta(days=3)) == {"lapse_missing"}
    lapsing.lapse_due_years(at=LAPSE + timedelta(days=3))
    assert kinds(LAPSE + timedelta(days=3)) == set()


def test_the_daily_job_lapses_what_is_due_and_may_run_twice(world: make.World) -> None:
    points_on(world, 31)
    told()
    closed(world)
    for day in range(3):
        at = LAPSE + timedelta(days=day)
        outbox.put(kind="points.lapse_due", dedupe_key=f"job:lapse:{day}", at=at)
        assert told(at) == 1
    assert YearEvent.objects.filter(kind="lapsed").count() == 1
    assert wallets(world) == {2025: 0, 2026: 2}
