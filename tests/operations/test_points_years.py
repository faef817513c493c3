"""P1–P3: a year is closed, late records wait, points lapse or are carried, exceptions hold."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from points.domain.years import ExceptionKind
from points.models import Account, ProgrammeYear, YearEvent, YearException
from points.operations import attendance, lapsing, ledger, programmes, vouchers, years
from points.queries import statements
from points.queries import years as reading
from registry import access
from registry.access import JAPAN
from registry.domain.errors import Conflict, Forbidden, NotFound, Refused
from tests.factories import points as make

MARCH = datetime(2026, 3, 31, 15, 0, tzinfo=JAPAN)  # the last day of 2025年度
APRIL = datetime(2026, 4, 2, 9, 0, tzinfo=JAPAN)  # the tablet comes home
GRACE = datetime(2026, 4, 20, 23, 0, tzinfo=JAPAN)
AFTER = datetime(2026, 4, 21, 9, 0, tzinfo=JAPAN)
LAPSE = datetime(2026, 7, 1, 0, 5, tzinfo=JAPAN)
YEAR = {"programme": "tsunagari", "fiscal_year": 2025}


@pytest.fixture
def world(db: None) -> make.World:
    """Three people; 2025年度 has sessions on its last two days and is over."""
    return make.build()


def held(world: make.World, day: int, kind: str = "support") -> int:
    return make.hold(world, start=MARCH.replace(day=day) - timedelta(hours=2), kind=kind,
                     title="年度末の会", organisation_id=world.organisation, source="event",
                     programme="tsunagari")


def scan(world: make.World, session: int, *people: int, at: datetime = APRIL) -> list[Any]:
    with access.system(at=at, reason="scan") as by:
        asked = [world.scan(one, session, scanned_at=MARCH) for one in people]
        return list(attendance.record(scans=asked, by=by).results)


def closing(world: make.World, at: datetime = APRIL) -> None:
    with access.scope(world.council, at=at) as by:
        years.begin_closing(**YEAR, by=by)


def close(world: make.World, at: datetime = AFTER, **more: Any) -> ProgrammeYear:
    with access.scope(world.council, at=at) as by:
        return years.close(**YEAR, reason="年度が終わったため", by=by, **more)


def closed(world: make.World) -> None:
    closing(world)
    close(world)


def verified(at: datetime = LAPSE) -> ledger.LedgerVerdict:
    with access.system(at=at, reason="verify") as by:
        found = ledger.verify(by=by)
    assert found.intact, found.differences
    return found


def wallets(world: make.World, person: int = 0) -> dict[int, int]:
    with access.system(at=LAPSE, reason="look") as by:
        rows = Account.objects.visible_to(by).filter(
            volunteer_id=world.people[person], kind="wallet")
        return dict(rows.values_list("fiscal_year", "balance"))


def owed(world: make.World, person: int = 0) -> int:
    with access.system(at=LAPSE, reason="look") as by:
        rows = Account.objects.visible_to(by).filter(
            volunteer_id=world.people[person], kind="shortfall")
        return -sum(rows.values_list("balance", flat=True))


def points_on(world: make.World, *days: int, person: int = 0) -> list[int]:
    """Two points for each day; the attendances."""
    return [scan(world, held(world, day), person)[0].attendance for day in days]


def test_P1_a_record_of_the_last_day_counts_until_the_grace_date(world: make.World) -> None:
    session = held(world, 31)
    with access.scope(world.council, at=MARCH) as by, pytest.raises(Refused, match="year_not_over"):
        years.begin_closing(**YEAR, by=by)
    assert scan(world, session, 0, at=APRIL)[0].result == "granted"
    closing(world)
    assert scan(world, session, 1, at=GRACE)[0].result == "granted"
    with pytest.raises(Refused, match="grace_not_over"):
        close(world, at=GRACE)
    close(world)
    late = scan(world, session, 2, at=AFTER)[0]
    assert (late.result, late.points) == ("year_closed", 0)
    assert verified().points == 4


def test_P1_arrivals_around_the_close_give_the_same_shares_in_any_order(world: make.World) -> None:
    """Before or after しめきり前 makes no difference, and so does a named correction."""
    sessions = [held(world, 30), held(world, 31), held(world, 31, "join")]
    scan(world, sessions[2], 0, at=MARCH + timedelta(hours=1))
    closing(world)
    scan(world, sessions[0], 0)
    scan(world, sessions[1], 0)
    for one in sessions[::-1]:
        scan(world, one, 1, at=GRACE)
    close(world)
    late = [scan(world, one, 2, at=AFTER)[0].attendance for one in (sessions[1], sessions[0])]
    late.append(scan(world, sessions[2], 2, at=AFTER)[0].attendance)
    with access.scope(world.council, at=AFTER) as by:
        assert len(reading.waiting(by, **YEAR).late) == 3
        for one in late:
            attendance.correct(attendance_id=one, reason="紙の名簿がとどいたため", by=by)
        assert reading.waiting(by, **YEAR).late == ()
    with access.system(at=AFTER, reason="look") as by:
        shares = [
            [s.points for _, s in sorted(ledger.records.decisions(
                by, ledger.rulebook.load(), volunteer_ids=[one], years=None).items(),
                key=lambda pair: pair[1].sentence)]
            for one in world.people
        ]
    assert shares[0] == shares[1] == shares[2]
    verified()


def test_P1_the_preview_is_what_closing_writes_down(world: make.World) -> None:
    points_on(world, 29, 30, 31)
    held(world, 28)
    closing(world)
    with access.scope(world.council, at=AFTER) as by:
        shown = reading.preview(by, **YEAR)
        assert (shown.sessions, shown.empty_sessions) == (4, 1)
        assert (shown.attendances, shown.awarded) == (3, 6)
        assert (shown.wallets, shown.points, shown.lapse, shown.carry) == (1, 6, 5, 1)
        assert (shown.year.step, shown.year.not_yet) == ("close", "")
    row = close(world, seen=shown.version)
    assert row.closed_by_id == world.council.pk
    event = YearEvent.objects.get(kind="closed")
    assert (event.reason, event.figures["awarded"], event.figures["decided"]) == (
        "年度が終わったため", 6, 6)
    with pytest.raises(Conflict, match="already_closed"):
        close(world)


def test_P1_closing_after_other_figures_than_those_seen_is_refused(world: make.World) -> None:
    closing(world)
    with access.scope(world.council, at=AFTER) as by:
        shown = reading.preview(by, **YEAR)
    scan(world, held(world, 31), 0)
    with pytest.raises(years.PreviewOutdated):
        close(world, seen=shown.version)
    assert ProgrammeYear.objects.get(fiscal_year=2025).state == "closing"


def test_closing_needs_the_rules_permission_a_reason_and_a_year(world: make.World) -> None:
    for user in (world.leader, world.scanner, world.shopkeeper):
        with access.scope(user, at=AFTER) as by:
            for call in (
                lambda by=by: years.begin_closing(**YEAR, by=by),
                lambda by=by: years.close(**YEAR, reason="x", by=by),
                lambda by=by: reading.years(by),
                lambda by=by: reading.year(by, **YEAR),
                lambda by=by: reading.preview(by, **YEAR),
                lambda by=by: reading.waiting(by, **YEAR),
            ):
                with pytest.raises(Forbidden):
                    call()
    with access.scope(world.council, at=AFTER) as by:
        with pytest.raises(NotFound, match="year_not_opened"):
            years.begin_closing(programme="tsunagari", fiscal_year=1999, by=by)
        with pytest.raises(Conflict, match="year_state"):
            years.close(**YEAR, reason="まだ受付中", by=by)
        for said in ("", "  ", "あ" * 161):
            with pytest.raises(Refused, match="reason_missing"):
                years.close(**YEAR, reason=said, by=by)


def lapse(at: datetime = LAPSE) -> lapsing.Lapsed:
    return lapsing.lapse(**YEAR, at=at)


def test_P2_the_remainder_is_carried_and_the_rest_lapses_with_a_sentence(world: make.World) -> None:
    points_on(world, 28, 29, 30, 31)  # 8 points: one voucher's 5 lapse, 3 are carried
    closed(world)
    with pytest.raises(Refused, match="lapse_not_due"):
        lapse(LAPSE - timedelta(hours=1))
    done = lapse()
    assert (done.wallets, done.lost, done.carried) == (1, 5, 3)
    assert wallets(world) == {2025: 0, 2026: 3}
    assert lapse() == lapsing.Lapsed("tsunagari", 2025, 0, 0, 0)
    assert YearEvent.objects.get(kind="lapsed").figures == {
        "lost": 5, "lost_of": 1, "carried": 3, "carried_of": 1}
    with access.scope(world.council, at=LAPSE) as by:
        old = statements.statement(by, volunteer_id=world.people[0], fiscal_year=2025).parts[0]
        new = statements.statement(by, volunteer_id=world.people[0], fiscal_year=2026).parts[0]
    assert [(one.sentence, one.points, one.balance) for one in old.lines[-2:]] == [
        ("2025年度の端数3ポイントを2026年度に繰り越しました", -3, 5),
        ("2025年度の5ポイントは期限が過ぎたため失効しました", -5, 0),
    ]
    assert [(one.sentence, one.points) for one in new.lines] == [
        ("2025年度の端数3ポイントを2026年度に繰り越しました", 3)]
    verified()


def test_P2_a_void_remainder_lapses_whole(db: None) -> None:
    from points.domain.rules import Remainder

    world = make.build(remainder=Remainder.VOID)
    points_on(world, 29, 30, 31)
    closed(world)
    assert (lapse().lost, wallets(world)) == (6, {2025: 0})
    verified()


def test_a_year_that_is_not_closed_or_has_nowhere_to_carry_waits(world: make.World) -> None:
    points_on(world, 31)
    with pytest.raises(Refused, match="year_not_closed"):
        lapse()
    assert lapsing.lapse_due_years(at=LAPSE) == []
    scan(world, world.session, 0, at=world.at)
    one_year = timedelta(days=365)
    with access.scope(world.council, at=AFTER + one_year) as by:
        years.begin_closing(programme="tsunagari", fiscal_year=2026, by=by)
        years.close(programme="tsunagari", fiscal_year=2026, reason="年度が終わった", by=by)
        shown = reading.preview(by, programme="tsunagari", fiscal_year=2026)
        assert (shown.carry, shown.next_year_open) == (1, False)
    with pytest.raises(Refused, match="next_year_missing"):
        lapsing.lapse(programme="tsunagari", fiscal_year=2026, at=LAPSE + one_year)
    assert lapsing.lapse_due_years(at=LAPSE + one_year) == []
    with access.system(at=LAPSE, reason="next year") as by:
        programmes.open_year(terms=make.terms(2027), by=by)
    [done] = lapsing.lapse_due_years(at=LAPSE + one_year)
    assert (done.fiscal_year, done.carried) == (2026, 1)


def test_lapsing_goes_on_where_it_stopped(
    world: make.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = held(world, 31)
    scan(world, session, 0, 1, 2)
    closed(world)
    monkeypatch.setattr(lapsing, "BLOCK", 1)
    seen: list[int] = []

    def die(wallets: int) -> None:
        seen.append(wallets)
        if wallets == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lapsing.lapse(**YEAR, at=LAPSE, told=die)
    assert ProgrammeYear.objects.get(fiscal_year=2025).lapsed_at is None
    assert sorted(wallets(world, n)[2025] for n in range(3)) == [0, 0, 2]
    verified()
    assert lapse().wallets == 1
    assert [wallets(world, n) for n in range(3)] == [{2025: 0, 2026: 2}] * 3
    verified()


def test_P1_a_void_after_the_lapse_never_goes_below_zero(world: make.World) -> None:
    first, *_ = points_on(world, 28, 29, 30, 31)
    closed(world)
    lapse()
    with access.scope(world.council, at=LAPSE) as by:
        attendance.void(attendance_id=first, reason="別の人のカードだった", by=by)
    assert (wallets(world), owed(world)) == ({2025: 0, 2026: 3}, 0)  # taken from what lapsed
    verified()


def test_P1_a_void_after_exchange_and_lapse_leaves_a_shortfall(world: make.World) -> None:
    records = points_on(world, 28, 29, 30, 31)
    with access.scope(world.council, at=AFTER) as by:
        vouchers.exchange(volunteer_id=world.people[0], programme="tsunagari", count=1,
                          request_id=make.request_id(), by=by)
    closed(world)
    assert (lapse().lost, wallets(world)) == (0, {2025: 0, 2026: 3})
    with access.scope(world.council, at=LAPSE) as by:
        for one in records:
            attendance.void(attendance_id=one, reason="中止の会だった", by=by)
    assert (wallets(world), owed(world)) == ({2025: 0, 2026: 0}, 5)
    verified()


def test_P1_a_correction_after_the_lapse_lapses_with_the_next_run(world: make.World) -> None:
    session = held(world, 31)
    scan(world, session, 0)
    closed(world)
    lapse()
    late = scan(world, session, 1, at=LAPSE)[0].attendance
    with access.scope(world.council, at=LAPSE) as by:
        attendance.correct(attendance_id=late, reason="紙の名簿がとどいたため", by=by)
    assert wallets(world, 1) == {2025: 2}
    verified()
    [again] = lapsing.lapse_due_years(at=LAPSE + timedelta(days=1))
    assert (again.carried, wallets(world, 1)) == (2, {2025: 0, 2026: 2})
    assert YearEvent.objects.filter(kind="lapsed").count() == 1
    verified()


def test_P3_points_of_a_closed_year_are_good_until_they_lapse(world: make.World) -> None:
    points_on(world, 29, 30, 31)
    closed(world)
    with access.scope(world.council, at=AFTER) as by:
        [mine] = statements.my_points(by, volunteer_id=world.people[0])
        assert mine.vouchers_now == 1
        vouchers.exchange(volunteer_id=world.people[0], programme="tsunagari", count=1,
                          request_id=make.request_id(), by=by)
    assert wallets(world) == {2025: 1}


WHY: dict[str, Any] = {
    "reason": "感染症のため活動できなかった", "authority": "会長決裁（見本）",
    "decided_on": date(2026, 4, 1),
}


def except_for(world: make.World, kind: ExceptionKind, at: datetime = AFTER, **more: Any) -> Any:
    with access.scope(world.council, at=at) as by:
        return years.approve_exception(**YEAR, kind=kind, by=by, **(WHY | more))


def test_P2_an_exception_postpones_exchange_and_lapse(world: make.World) -> None:
    points_on(world, 29, 30, 31)
    made = except_for(world, ExceptionKind.POSTPONE, exchange_until=date(2026, 9, 30),
                      lapses_on=date(2026, 10, 1))
    closed(world)
    with pytest.raises(Refused, match="lapse_not_due"):
        lapse()
    september = LAPSE.replace(month=9)
    with access.scope(world.council, at=september) as by:
        fact = reading.year(by, **YEAR)
        mine = statements.statement(by, volunteer_id=world.people[0], fiscal_year=2025)
        until = "2026年9月30日まで交換でき、2026年10月1日に失効します"
        assert (mine.parts[0].lines[-1].sentence, mine.parts[0].lines[-1].points) == (
            f"特例により、2025年度のポイントは{until}（{WHY['reason']}）", 0)
        assert (fact.terms.lapses_on, fact.exceptions[0].in_force) == (date(2026, 10, 1), True)
        made_now = vouchers.exchange(
            volunteer_id=world.people[0], programme="tsunagari", count=1,
            request_id=make.request_id(), by=by)
        assert statements.exchange_fact(by, exchange_id=made_now.pk).vouchers[0].valid_until == (
            date(2026, 9, 30))
    october = LAPSE.replace(month=10)
    verified(september)
    assert lapse(october).carried == 1
    with access.scope(world.council, at=october) as by, pytest.raises(Refused, match="year_lapsed"):
        years.end_exception(exception_id=made.pk, by=by, **WHY)
    verified(october)


def test_P2_an_exception_carries_everything_and_can_be_ended_in_time(world: make.World) -> None:
    points_on(world, 29, 30, 31)
    first = except_for(world, ExceptionKind.CARRY)
    with pytest.raises(Refused, match="exception_twice"):
        except_for(world, ExceptionKind.CARRY)
    with access.scope(world.council, at=AFTER) as by:
        years.end_exception(exception_id=first.pk, by=by, **WHY)
        with pytest.raises(Refused, match="exception_unknown"):
            years.end_exception(exception_id=first.pk, by=by, **WHY)
    assert ProgrammeYear.objects.get(fiscal_year=2025).exception == {}
    except_for(world, ExceptionKind.CARRY)
    closed(world)
    with access.scope(world.council, at=AFTER) as by:
        shown = reading.preview(by, **YEAR)
        assert (shown.lapse, shown.carry) == (0, 6)
    assert (lapse().carried, wallets(world)) == (6, {2025: 0, 2026: 6})
    with access.scope(world.council, at=LAPSE) as by:
        part = statements.statement(by, volunteer_id=world.people[0], fiscal_year=2026).parts[0]
    assert part.lines[0].sentence == "特例により、2025年度の6ポイントを2026年度に繰り越しました"
    verified()


def test_P2_an_exception_says_why_who_and_when(world: make.World) -> None:
    for field, value in (("reason", " "), ("authority", ""), ("decided_on", date(2026, 5, 1))):
        with pytest.raises(Refused, match="exception_incomplete") as refusal:
            except_for(world, ExceptionKind.CARRY, **{field: value})
        assert list(refusal.value.fields) == [field]
    with pytest.raises(Refused, match="exception_dates"):
        except_for(world, ExceptionKind.CARRY, lapses_on=date(2027, 1, 1))
    with access.scope(world.leader, at=AFTER) as by, pytest.raises(Forbidden):
        years.approve_exception(**YEAR, kind=ExceptionKind.CARRY, by=by, **WHY)
    with access.scope(world.council, at=AFTER) as by, pytest.raises(NotFound):
        years.end_exception(exception_id=999, by=by, **WHY)
    assert not YearException.objects.exists()
