"""What volunteers, hosts and shops are shown: statements, sessions, reconciliation, papers."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from points import keys
from points.domain import tokens
from points.operations import attendance, papers, vouchers
from points.queries import kiosk, reconciliation, rulebook, sessions, shops, statements, volunteers
from registry import access
from registry.domain.errors import Forbidden, NotFound
from registry.models import LogEntry
from registry.sealing import unseal
from tests.factories import points as make


@pytest.fixture
def world(db: None) -> make.World:
    """Person 0: 3 points on one day (a fourth beyond the cap), then 1; 2 vouchers of 1 point."""
    made = make.build(phones=True, points_per_voucher=1)
    day = made.at - timedelta(days=2)
    held = [
        make.hold(made, start=day, kind="support", title="朝の会"),
        make.hold(made, start=day + timedelta(hours=2), kind="support", title="昼の会",
                  group=made.other_group),
        made.session,
    ]
    with access.scope(made.council, at=made.at) as by:
        attendance.record(scans=[made.scan(0, s) for s in reversed(held)], by=by)
        vouchers.exchange(volunteer_id=made.people[0], programme="tsunagari", count=2,
                          request_id=uuid4(), by=by)
    return made


def test_P3_every_line_has_a_sentence_and_the_balance_after_it(world: make.World) -> None:
    with access.scope(world.users[world.people[0]], at=world.at) as scope:
        found = statements.statement(scope, volunteer_id=world.people[0], fiscal_year=2026)
    part = found.parts[0]
    assert [(line.points, line.balance, line.sentence) for line in part.lines] == [
        (2, 2, "11月21日 朝の会（支援型）2ポイント"),
        (1, 3, "11月21日 昼の会（支援型）1ポイント（2ポイントのうち、1日の上限まで）"),
        (1, 4, "11月23日 ふれあいサロン（参加型）1ポイント"),
        (-2, 2, "利用券2枚と交換（2026年度のポイントから2ポイント）"),
    ]
    assert (part.balance, part.wallet, part.owed) == (2, 2, 0)


def test_P1_the_statement_of_a_void_after_the_exchange_still_adds_up(world: make.World) -> None:
    with access.scope(world.council, at=world.at) as by:
        for line in statements.statement(
            by, volunteer_id=world.people[0], fiscal_year=2026
        ).parts[0].lines[:3]:
            attendance.void(attendance_id=line.attendance_id or 0, reason="人ちがい", by=by)
        part = statements.statement(by, volunteer_id=world.people[0], fiscal_year=2026).parts[0]
        assert (part.balance, part.wallet, part.owed) == (-2, 0, 2)
        attendance.record(
            scans=[world.scan(0, make.hold(world, start=world.at - timedelta(days=5)))], by=by)
        part = statements.statement(by, volunteer_id=world.people[0], fiscal_year=2026).parts[0]
        assert (part.balance, part.wallet, part.owed) == (-1, 0, 1)


def test_my_points_say_how_far_the_next_voucher_is(db: None) -> None:
    world = make.build(phones=True)
    with access.scope(world.council, at=world.at) as by:
        attendance.record(scans=[world.scan(0)], by=by)
    with access.scope(world.users[world.people[0]], at=world.at) as scope:
        mine = statements.my_points(scope)
        assert statements.my_points(scope, volunteer_id=world.people[0]) == mine
        with pytest.raises(NotFound):
            statements.my_points(scope, volunteer_id=world.people[1])
    assert [(m.balance, m.total_this_year, m.to_next, m.progress, m.vouchers_now) for m in mine] \
        == [(1, 1, 4, Fraction(1, 5), 0)]
    with access.scope(world.scanner, at=world.at) as scope, pytest.raises(NotFound):
        statements.my_points(scope)


def test_somebody_elses_statement_is_read_on_record(world: make.World) -> None:
    with access.scope(world.council, at=world.at) as scope:
        statements.statement(scope, volunteer_id=world.people[0], fiscal_year=2026)
    with access.system(at=world.at, reason="look") as by:
        rows = LogEntry.objects.visible_to(by).filter(action="statement.view")
        assert [row.subject_id for row in rows] == [world.people[0]]
    with access.scope(world.leader, at=world.at) as scope, pytest.raises(NotFound):
        statements.statement(scope, volunteer_id=world.people[0], fiscal_year=2026)


def test_P9_who_sees_which_sessions_and_names(world: make.World) -> None:
    foreign = make.hold(world, group=world.other_group, title="よその回")
    with access.scope(world.leader, at=world.at) as scope:
        assert [one.id for one in sessions.sessions(scope)] == [world.session]
        detail = sessions.session_detail(scope, session_id=world.session)
        assert [(one.name, one.points) for one in detail.attendances] == [("見本　0", 1)]
        with pytest.raises(NotFound):
            sessions.session_detail(scope, session_id=foreign)
    with access.scope(world.scanner, at=world.at) as scope:
        assert [one.count for one in sessions.sessions(scope)] == [1]
        assert sessions.session_detail(scope, session_id=world.session).attendances == ()
    with access.scope(world.council, at=world.at) as scope:
        assert {one.id for one in sessions.sessions(scope)} == {world.session, foreign}
    with access.scope(world.shopkeeper, at=world.at) as scope, pytest.raises(Forbidden):
        sessions.sessions(scope)
    with access.scope(world.other_leader, at=world.at) as scope:
        attendance.record(scans=[world.scan(0, foreign)], by=scope)
        guest = sessions.session_detail(scope, session_id=foreign).attendances[0]
        assert (guest.name, guest.number) == ("", ""), "no member of theirs: no name"


def test_P5_the_reconciliation_accounts_for_everything_sent(world: make.World) -> None:
    with access.scope(world.scanner, at=world.at) as by:
        attendance.record(scans=[
            world.scan(1, counter=1), world.scan(1, counter=2), world.scan(2, counter=5),
            world.scan(0, counter=6, code="こわれた"), world.scan(0, session=999, counter=7),
        ], device_time=world.at - timedelta(seconds=2), by=by)
    with access.scope(world.leader, at=world.at) as scope:
        found = reconciliation.reconciliation(scope, session_id=world.session)
    # One scan of the council's and four of the scanner's; the fifth named no session of theirs.
    assert (found.sent, found.accepted, found.already, found.refused) == (5, 3, 1, {"bad_card": 1})
    device = next(one for one in found.devices if one.user_id == world.scanner.pk)
    assert (device.sent, device.missing, device.skew_ms) == (4, (3, 4), 2000)
    assert found.counted == 3


def test_P4_2_the_event_code_changes_every_thirty_seconds(world: make.World) -> None:
    with access.scope(world.scanner, at=world.at) as scope:
        now = sessions.event_code(scope, session_id=world.session)
        later = sessions.event_code(scope, session_id=world.session,
                                    at=world.at + timedelta(seconds=29))
        after = sessions.event_code(scope, session_id=world.session,
                                    at=world.at + timedelta(seconds=30))
        assert (now.seconds_left, later.seconds_left, after.seconds_left) == (30, 1, 30)
        assert now.code == later.code != after.code
        assert now.url.endswith(f"/E/{now.code}") and len(now.url) <= tokens.EVENT_URL_LIMIT
        mine = kiosk.opening_of(scope, session_id=world.session).sessions[0]
        assert tokens.event_code(mine.key_id, mine.key, world.session, world.at) == now.code
        printed = sessions.printed_code(scope, session_id=world.session)
        read = tokens.read(printed.code, keys=keys.keyring(), at=world.at,
                           hours=lambda _: (world.at, world.at))
        assert isinstance(read, tokens.EventCode) and read.session == world.session
    with access.scope(world.other_leader, at=world.at) as scope, pytest.raises(NotFound):
        sessions.event_code(scope, session_id=world.session)


def test_volunteers_come_with_their_card_and_points(world: make.World) -> None:
    with access.scope(world.council, at=world.at) as scope:
        page = volunteers.volunteers(scope, text="みほん")
        assert [(one.points, one.card_tail) for one in page.items] == [
            (2, world.card(0)[-3:]), (0, world.card(1)[-3:]), (0, world.card(2)[-3:])]
    with access.scope(world.leader, at=world.at) as scope:
        assert {one.points for one in volunteers.volunteers(scope).items} == {None}


def test_P7_a_shop_sees_its_vouchers_and_nobodys_name(world: make.World) -> None:
    from points.models import Voucher

    with access.system(at=world.at, reason="look") as by:
        row = Voucher.objects.visible_to(by).order_by("pk")[0]
        code = unseal(bytes(row.sealed_code), context=f"voucher:{row.serial}").decode()
    with access.scope(world.shopkeeper, at=world.at) as by:
        vouchers.redeem(code=code, request_id=uuid4(), by=by)
        today = world.at.date()
        found = shops.voucher_uses(by, first=today, last=today)
        assert (len(found.uses), found.yen, found.uses[0].serial) == (1, 500, row.serial)
        before = today - timedelta(days=1)
        assert shops.voucher_uses(by, first=before, last=before).uses == ()
        with pytest.raises(NotFound):
            shops.voucher_uses(by, first=today, last=today, shop_id=world.organisation)
    with access.scope(world.leader, at=world.at) as by, pytest.raises(NotFound):
        shops.voucher_uses(by, first=today, last=today, shop_id=world.shop)


def test_P2_rules_survive_the_database_unchanged(db: None) -> None:
    from points.domain.rules import Remainder

    changes: dict[str, Any] = {"minimum_age": 65, "residence_required": True,
                               "remainder": Remainder.VOID, "daily_cap": None,
                               "group_day_cap": None}
    world = make.build(**changes)
    with access.scope(world.council, at=world.at) as scope:
        found = rulebook.programme(scope, code="tsunagari")
    assert found.rules == (make.rules(**changes),)
    assert found.years == (make.terms(2025), make.terms(2026))
    assert rulebook.rule_from(rulebook.rule_body(found.rules[0])) == found.rules[0]


def test_papers_are_printed_for_whom_they_belong_to(world: make.World) -> None:
    with access.scope(world.council, at=world.at) as by:
        assert papers.card_pages(volunteer_ids=world.people, by=by).startswith(b"%PDF")
    with access.scope(world.leader, at=world.at) as by:
        assert papers.attendance_pages(session_id=world.session, by=by).startswith(b"%PDF")
    me = world.users[world.people[0]]
    with access.scope(me, at=world.at) as by:
        mine = statements.vouchers_of(by, volunteer_id=world.people[0])
        assert papers.exchange_pages(
            exchange_id=mine[0].exchange_id, by=by).startswith(b"%PDF")
        with pytest.raises(Forbidden):
            papers.card_pages(volunteer_ids=[world.people[1]], by=by)
    with access.scope(world.users[world.people[1]], at=world.at) as by, pytest.raises(NotFound):
        papers.exchange_pages(exchange_id=mine[0].exchange_id, by=by)


def test_queries_are_constant(db: None) -> None:
    counted = []
    world = make.build(count=40)
    for numbers in (range(1), range(40)):
        with access.scope(world.council, at=world.at) as by:
            attendance.record(scans=[world.scan(n) for n in numbers], by=by)
        with access.scope(world.leader, at=world.at) as scope, CaptureQueriesContext(
            connection
        ) as queries:
            sessions.session_detail(scope, session_id=world.session)
            sessions.sessions(scope)
            reconciliation.reconciliation(scope, session_id=world.session)
        counted.append(len(queries))
    assert counted[0] == counted[1], counted
