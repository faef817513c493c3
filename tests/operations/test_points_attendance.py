"""P1, P3, P4, P5: one path for every scan; the same request, the same answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from points import keys
from points.domain import tokens
from points.domain.codes import BadCode
from points.models import Attendance, Scan, Transfer
from points.operations import attendance, ledger, sessions, years
from points.operations.scanning import ScanRequest
from registry import access
from registry.domain.errors import Forbidden, NotFound, Refused
from registry.operations import cards, memberships
from tests.factories import points as make


@pytest.fixture
def world(db: None) -> make.World:
    return make.build()


def scan(world: make.World, *requests: ScanRequest, user: Any = None, **more: Any) -> Any:
    with access.scope(user or world.scanner, at=more.pop("at", world.at)) as by:
        return attendance.record(scans=requests, by=by, **more)


def verified(world: make.World) -> ledger.LedgerVerdict:
    with access.system(at=world.at, reason="verify") as by:
        found = ledger.verify(by=by)
    assert found.intact, found.differences
    return found


def test_P4_1_a_card_is_counted_once_and_a_second_scan_hears_already(world: make.World) -> None:
    first = scan(world, world.scan(0)).results[0]
    assert (first.result, first.points, first.balance) == ("granted", 1, 1)
    assert first.reason == "11月23日 ふれあいサロン（参加型）1ポイント"
    again = scan(world, world.scan(0)).results[0]
    assert (again.result, again.points, again.attendance) == ("already", 1, first.attendance)
    assert verified(world).points == 1


def test_P3_the_same_id_and_content_gets_the_same_answer(world: make.World) -> None:
    request = world.scan(0)
    first = scan(world, request)
    later = world.at + timedelta(days=3)
    assert scan(world, request, at=later) == first
    assert scan(world, request, request).results == first.results * 2
    with access.system(at=world.at, reason="count") as by:
        assert Scan.objects.visible_to(by).count() == 1


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("code", lambda w: {"code": w.card(1)}),
        ("session", lambda w: {"session_id": make.hold(w, title="別の回")}),
        ("scanned_at", lambda w: {"scanned_at": w.at - timedelta(seconds=1)}),
        ("counter", lambda w: {"counter": 7}),
    ],
)
def test_P3_the_same_id_with_other_content_is_a_conflict_that_names_the_field(
    world: make.World, field: str, change: Any
) -> None:
    request = world.scan(0)
    first = scan(world, request).results[0]
    answer = scan(world, replace(request, **change(world))).results[0]
    assert (answer.result, answer.field, answer.attendance) == ("conflict", field, None)
    assert scan(world, request).results[0] == first
    assert verified(world).points == 1


def test_P3_another_persons_request_id_is_a_conflict_and_tells_nothing(world: make.World) -> None:
    request = world.scan(0)
    scan(world, request)
    answer = scan(world, request, user=world.leader).results[0]
    assert (answer.result, answer.field, answer.points, answer.balance) == ("conflict", "id", 0,
                                                                            None)


def test_P5_one_bad_item_never_blocks_the_rest(world: make.World) -> None:
    with access.system(at=world.at, reason="cancel") as by:
        cards.cancel_card(volunteer_id=world.people[1], by=by)
    foreign = make.hold(world, group=world.other_group, title="よその回")
    tomorrow = make.hold(world, start=world.at + timedelta(days=1))
    gone = make.hold(world, title="中止の回")
    with access.scope(world.leader, at=world.at) as by:
        sessions.cancel(session_id=gone, by=by)
    unknown = tokens.mint("card").code
    answers = scan(
        world, world.scan(0, code="!!"), world.scan(1), world.scan(0, code=unknown),
        world.scan(0, session=foreign), world.scan(0, session=999_999_999),
        world.scan(0, session=tomorrow), world.scan(0, session=gone),
        world.scan(2, session_id=None), world.scan(0), world.scan(2),
    )
    assert [one.result for one in answers.results] == [
        "bad_card", "cancelled_card", "bad_card", "not_open", "not_open", "not_open", "not_open",
        "not_open", "granted", "granted",
    ]
    reasons = [one.reason for one in answers.results]
    assert reasons[3] == reasons[4], "another group's session and none at all answer alike"
    assert verified(world).attendances == 2


def test_P1_shares_do_not_depend_on_the_order_of_arrival(world: make.World) -> None:
    early = make.hold(world, start=world.at - timedelta(hours=6), title="朝の会", kind="support")
    late = make.hold(world, start=world.at - timedelta(hours=3), title="昼の会", kind="support",
                     group=world.other_group)
    forward = [world.scan(0, s) for s in (early, late, world.session)]
    backward = [world.scan(1, s) for s in (world.session, late, early)]
    for one in forward:
        scan(world, one, user=world.council)
    scan(world, *backward, user=world.council)
    with access.system(at=world.at, reason="look") as by:
        shares = {
            person: [
                sum(d.change for d in make_decisions(by, person, session))
                for session in (early, late, world.session)
            ]
            for person in world.people[:2]
        }
    assert shares[world.people[0]] == shares[world.people[1]] == [2, 1, 0]
    verified(world)


def make_decisions(by: Any, person: int, session: int) -> Any:
    from points.models import AwardDecision

    return AwardDecision.objects.visible_to(by).filter(
        volunteer_id=person, attendance__session_id=session
    )


def test_P1_a_void_gives_its_room_to_the_others_and_says_so(world: make.World) -> None:
    early = make.hold(world, start=world.at - timedelta(hours=6), title="朝の会", kind="support")
    first = scan(world, world.scan(0, early), world.scan(0)).results
    assert [one.result for one in first] == ["granted", "cap_reached"]
    with access.scope(world.leader, at=world.at) as by:
        attendance.void(attendance_id=first[0].attendance, reason="人ちがい", by=by)
    found = verified(world)
    assert found.points == 1
    again = scan(world, world.scan(0)).results[0]
    assert (again.result, again.points, again.balance) == ("already", 1, 1)
    rescanned = scan(world, world.scan(0, early)).results[0]
    assert (rescanned.result, rescanned.points) == ("not_eligible", 0)


def test_P1_voids_are_signed_explained_and_once(world: make.World) -> None:
    one = scan(world, world.scan(0)).results[0].attendance
    with access.scope(world.other_leader, at=world.at) as by, pytest.raises(NotFound):
        attendance.void(attendance_id=one, reason="よその人", by=by)
    with access.scope(world.scanner, at=world.at) as by, pytest.raises(Forbidden):
        attendance.void(attendance_id=one, reason="端末", by=by)
    with access.scope(world.leader, at=world.at) as by:
        with pytest.raises(Refused, match="reason_missing"):
            attendance.void(attendance_id=one, reason=" ", by=by)
        attendance.void(attendance_id=one, reason="人ちがい", by=by)
        with pytest.raises(attendance.AlreadyVoid):
            attendance.void(attendance_id=one, reason="もう一度", by=by)


def test_P2_eligibility_uses_the_facts_of_the_day_and_recomputes(db: None) -> None:
    from points.domain.rules import Source

    world = make.build(membership_required=True, sources=frozenset({Source.GROUP}))
    with access.system(at=world.at, reason="leave") as by:
        memberships.leave(organisation_id=world.organisation, volunteer_id=world.people[0],
                          ends_on=world.at.date(), by=by)
    answer = scan(world, world.scan(0)).results[0]
    assert (answer.result, answer.points) == ("other_group", 0)
    assert answer.attendance is not None
    with access.system(at=world.at, reason="join again") as by:
        memberships.join(organisation_id=world.organisation, volunteer_id=world.people[0],
                         starts_on=world.at.date(), by=by)
        before = ledger.verify(by=by)
        assert {d.kind for d in before.differences} >= {"share_differs"}
        assert ledger.recompute(volunteer_ids=[world.people[0]], by=by) == 1
        assert ledger.recompute(volunteer_ids=[world.people[0]], by=by) == 0
    assert verified(world).points == 1


def test_P8_overlapping_sessions_wait_for_staff_whatever_came_first(world: make.World) -> None:
    other = make.hold(world, start=world.at - timedelta(minutes=30), title="重なる回",
                      group=world.other_group)
    scan(world, world.scan(0, other), user=world.council)
    scan(world, world.scan(0), user=world.council)
    late, early = scan(world, world.scan(1), user=world.council), None
    early = scan(world, world.scan(1, other), user=world.council).results[0]
    assert late.results[0].result == "granted"
    assert early.result == "overlap_waiting"
    assert verified(world).points == 2
    with access.scope(world.leader, at=world.at) as by, pytest.raises(Forbidden):
        attendance.clear_overlap(attendance_id=early.attendance, by=by)
    with access.scope(world.council, at=world.at) as by:
        attendance.clear_overlap(attendance_id=early.attendance, by=by)
    assert verified(world).points == 3


def test_P5_today_is_the_activitys_day_and_clocks_are_kept(world: make.World) -> None:
    wrong = world.at - timedelta(days=400)
    late = world.at + timedelta(days=21)
    answer = scan(world, world.scan(0, scanned_at=wrong), device_time=wrong + timedelta(days=21),
                  at=late)
    assert answer.results[0].result == "granted"
    with access.system(at=late, reason="look") as by:
        row = Attendance.objects.visible_to(by).get()
        kept = Scan.objects.visible_to(by).get()
    assert row.attended_at == world.at and row.recorded_at == late
    assert (kept.scanned_at, kept.received_at) == (wrong, late)
    assert kept.skew_ms == 400 * 86_400_000


def test_P5_missing_counters_are_named(world: make.World) -> None:
    first = scan(world, world.scan(0, counter=1), world.scan(1, counter=4))
    assert first.missing_counters == (2, 3)
    assert scan(world, world.scan(2, counter=6)).missing_counters == (5,)
    assert scan(world, world.scan(0, counter=3)).missing_counters == (2,)
    other = scan(world, world.scan(0, counter=2), user=world.leader)
    assert other.missing_counters == (1,), "each device counts for itself"


def test_P4_2_an_event_code_takes_the_person_from_the_bound_phone(db: None) -> None:
    world = make.build(phones=True)
    me = world.users[world.people[0]]
    ring = keys.keyring()
    code = tokens.mint("event", keys=ring, session=world.session, at=world.at).code
    direct = ScanRequest(uuid4(), world.at, code=code)
    assert scan(world, direct).results[0].result == "unknown_device"
    assert scan(world, replace(direct, id=uuid4()), user=me).results[0].result == "granted"
    old = ScanRequest(uuid4(), world.at, code=code)
    assert scan(world, old, user=me, at=world.at + timedelta(minutes=3)).results[0].result == (
        "expired")
    mine = scan(world, world.scan(1), user=me).results[0]
    assert mine.result == "bad_card", "a phone cannot count others in by their cards"


def test_P4_2_looking_writes_nothing_and_the_form_counts_once(db: None) -> None:
    world = make.build(phones=True)
    me = world.users[world.people[0]]
    code = tokens.mint("event", keys=keys.keyring(), session=world.session, at=world.at).code
    with access.scope(me, at=world.at) as by:
        with CaptureQueriesContext(connection) as queries:
            form = attendance.open_form(event_code=code, by=by, audience="browser")
        assert not [q for q in queries if not q["sql"].lstrip().upper().startswith("SELECT")]
    with access.scope(me, at=world.at + timedelta(minutes=14)) as by:
        with pytest.raises(BadCode):
            attendance.record_by_form(form_token=form, by=by, audience="another browser")
        first = attendance.record_by_form(form_token=form, by=by, audience="browser")
        assert first.result == "granted"
        assert attendance.record_by_form(form_token=form, by=by, audience="browser") == first
    with access.scope(me, at=world.at + timedelta(hours=1)) as by:
        assert attendance.record_by_form(form_token=form, by=by, audience="browser") == first
        unused = tokens.mint("form", keys=keys.keyring(), session=world.session, at=world.at)
        with pytest.raises(BadCode, match="expired"):
            attendance.record_by_form(form_token=unused.code, by=by)
    with access.scope(world.scanner, at=world.at) as by, pytest.raises(Forbidden):
        attendance.record_by_form(form_token=form, by=by, audience="browser")


def test_P4_4_and_5_staff_count_by_name_and_paper(world: make.World) -> None:
    def entry(number: int, method: str) -> ScanRequest:
        return ScanRequest(uuid4(), world.at, session_id=world.session, method=method,
                           volunteer_id=world.people[number])

    answers = scan(world, entry(0, "name_search"), entry(1, "paper"), entry(2, "magic"),
                   user=world.leader).results
    assert [one.result for one in answers] == ["granted", "granted", "bad_card"]
    assert scan(world, entry(2, "paper"), user=world.other_leader).results[0].result == "bad_card"
    assert scan(world, entry(2, "paper")).results[0].result == "bad_card"
    with access.system(at=world.at, reason="look") as by:
        methods = Attendance.objects.visible_to(by).order_by("pk").values_list("method", flat=True)
        assert list(methods) == ["name_search", "paper"]


def test_P1_a_closed_year_keeps_its_points_and_a_late_record_waits(world: make.World) -> None:
    early = make.hold(world, start=world.at - timedelta(hours=6), title="朝の会", kind="support")
    scan(world, world.scan(0))
    spring = datetime(2027, 4, 21, 9, 0, tzinfo=UTC)
    with access.scope(world.council, at=spring) as by:
        years.begin_closing(programme="tsunagari", fiscal_year=2026, by=by)
        years.close(programme="tsunagari", fiscal_year=2026, reason="年度が終わった", by=by)
    late = scan(world, world.scan(0, early), at=spring).results[0]
    assert (late.result, late.points, late.balance) == ("year_closed", 0, 1)
    assert verified(world).points == 1
    with access.scope(world.council, at=spring) as by:
        attendance.correct(attendance_id=late.attendance, reason="紙の名簿が後で届いた", by=by)
    assert verified(world).points == 2


def test_P1_cancelling_a_session_takes_its_points_back(world: make.World) -> None:
    scan(world, *[world.scan(n) for n in range(3)])
    with access.scope(world.leader, at=world.at) as by:
        sessions.cancel(session_id=world.session, by=by)
    found = verified(world)
    assert (found.points, found.attendances) == (0, 3)


def test_nobody_without_a_role_may_scan(world: make.World) -> None:
    with access.scope(world.shopkeeper, at=world.at) as by, pytest.raises(Forbidden):
        attendance.record(scans=[world.scan(0)], by=by)


def test_a_batch_has_a_limit(world: make.World) -> None:
    with pytest.raises(Refused, match="batch_too_large"):
        scan(world, *[world.scan(0)] * 5_001)


def test_transfers_carry_their_sentence_and_cannot_change(world: make.World) -> None:
    from django.db import DatabaseError, transaction

    scan(world, world.scan(0))
    with access.system(at=world.at, reason="look") as by:
        rows = Transfer.objects.visible_to(by)
        assert rows.get().sentence == "11月23日 ふれあいサロン（参加型）1ポイント"
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(amount=100)


def test_statements_do_not_grow_with_the_batch(db: None) -> None:
    world = make.build(count=501)
    counted = []
    for numbers in ([0], range(1, 501)):
        with CaptureQueriesContext(connection) as queries:
            results = scan(world, *[world.scan(n) for n in numbers]).results
        assert all(one.result == "granted" for one in results)
        writes = [q for q in queries if q["sql"].startswith("INSERT")]
        counted.append((len(queries) - len(writes), len(writes)))
    (reads_one, writes_one), (reads_many, writes_many) = counted
    assert reads_many == reads_one
    # SQLite takes at most 999 values a statement; PostgreSQL takes all rows in one.
    assert writes_many == writes_one or (
        connection.vendor == "sqlite" and writes_many <= writes_one + 500 * 70 // 999
    ), counted


def test_P6_of_a_code_only_keyed_bytes_are_kept(world: make.World) -> None:
    request = ScanRequest(uuid4(), datetime(2026, 11, 23, tzinfo=UTC), code=world.card(0))
    kept = request.content(keys.field_digester())
    assert len(kept) == 48 and world.card(0).encode() not in kept
    assert kept == replace(request, id=uuid4()).content(keys.field_digester())
