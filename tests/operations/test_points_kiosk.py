"""Kiosks: pairing, narrow rights, revocation, counters accounted for, undo, reconciliation (P5)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from points.models import Attendance, WithdrawnScan
from points.operations import attendance, reception
from points.queries import kiosk as kiosk_queries
from points.queries.reconciliation import reconciliation
from registry import access
from registry.domain.errors import Conflict, Forbidden, NotFound
from registry.domain.roles import Permission
from registry.operations import kiosks, staff
from registry.operations.tokens import BadToken
from registry.queries.kiosks import kiosks as listed
from tests.factories import points as make

AWAY = timedelta(minutes=7)


@pytest.fixture
def world(db: None) -> Any:
    return make.build(count=4)


def paired(world: make.World, at: datetime | None = None) -> tuple[kiosks.Paired, Any]:
    """A paired tablet of the first group, and its account."""
    with access.scope(world.leader, at=world.at) as by:
        made = kiosks.register(organisation_id=world.organisation, name="集会所のタブレット", by=by)
    found = kiosks.pair(code=made.code.lower(), client="10.0.0.1", at=at or world.at)
    user, limits = staff.authenticate_token(token=found.token, at=world.at)
    assert limits == {Permission.SCANS_RECORD}
    return found, user


def test_P5_a_pairing_code_works_once_and_gives_a_token_that_may_only_scan(
    world: make.World,
) -> None:
    with access.scope(world.leader, at=world.at) as by:
        made = kiosks.register(organisation_id=world.organisation, name=" 受付 1 ", by=by)
    with pytest.raises(kiosks.PairingRefused):
        kiosks.pair(code="0000-0000", client="10.0.0.1", at=world.at)
    found = kiosks.pair(code=made.code, client="10.0.0.1", at=world.at)
    with pytest.raises(kiosks.PairingRefused):
        kiosks.pair(code=made.code, client="10.0.0.1", at=world.at)
    user, limits = staff.authenticate_token(token=found.token, at=world.at)
    with access.scope(user, at=world.at, limited_to=limits) as scope:
        assert scope.permissions == {Permission.SCANS_RECORD}
        assert scope.organisations == {world.organisation}
        assert [one.line.id for one in kiosk_queries.opening(scope).sessions] == [world.session]
        with pytest.raises(Forbidden):
            listed(scope)


def test_P5_a_pairing_code_ends_after_fifteen_minutes_and_guessing_is_stopped(
    world: make.World,
) -> None:
    with access.scope(world.leader, at=world.at) as by:
        made = kiosks.register(organisation_id=world.organisation, name="受付", by=by)
    late = world.at + kiosks.CODE_LIFE
    with pytest.raises(kiosks.PairingRefused):
        kiosks.pair(code=made.code, client="10.0.0.2", at=late)
    for _ in range(kiosks.MOST_WRONG_PER_CLIENT):
        with pytest.raises(kiosks.PairingRefused):
            kiosks.pair(code="ZZZZZZZZ", client="10.0.0.3", at=world.at)
    with pytest.raises(kiosks.PairingLimited):
        kiosks.pair(code=made.code, client="10.0.0.3", at=world.at)
    assert kiosks.pair(code=made.code, client="10.0.0.4", at=world.at).name == "受付"


def test_P9_another_groups_kiosk_is_not_found(world: make.World) -> None:
    found, _ = paired(world)
    with access.scope(world.other_leader, at=world.at) as by:
        assert listed(by) == []
        for verb in (kiosks.new_code, kiosks.revoke, kiosks.reinstate):
            with pytest.raises(NotFound):
                verb(kiosk_id=found.kiosk_id, by=by)
        with pytest.raises(NotFound):
            kiosks.register(organisation_id=world.organisation, name="受付", by=by)
    with access.scope(world.council, at=world.at) as by:
        assert [one.id for one in listed(by)] == [found.kiosk_id]


def test_P5_a_lost_kiosk_is_revoked_at_once_and_goes_on_counting_when_found(
    world: make.World,
) -> None:
    found, _ = paired(world)
    with access.scope(world.leader, at=world.at) as by:
        kiosks.revoke(kiosk_id=found.kiosk_id, by=by)
        kiosks.revoke(kiosk_id=found.kiosk_id, by=by)
        with pytest.raises(kiosks.KioskRevoked):
            kiosks.new_code(kiosk_id=found.kiosk_id, by=by)
    with pytest.raises(BadToken):
        staff.authenticate_token(token=found.token, at=world.at)
    with access.scope(world.leader, at=world.at) as by:
        code = kiosks.reinstate(kiosk_id=found.kiosk_id, by=by).code
        with pytest.raises(Conflict):
            kiosks.reinstate(kiosk_id=found.kiosk_id, by=by)
    again = kiosks.pair(code=code, client="10.0.0.1", at=world.at)
    assert (again.kiosk_id, again.user_id) == (found.kiosk_id, found.user_id)
    with pytest.raises(BadToken):
        staff.authenticate_token(token=found.token, at=world.at)
    assert staff.authenticate_token(token=again.token, at=world.at)[0].pk == found.user_id


def test_P5_a_check_in_keeps_clock_counter_and_what_was_taken_back(world: make.World) -> None:
    found, user = paired(world)
    taken = [reception.Withdrawal(uuid4(), world.session, 2, world.at, world.at - AWAY)]
    with access.scope(user, at=world.at) as by:
        attendance.record(scans=[world.scan(0, counter=1), world.scan(1, counter=4)], by=by,
                          device_time=world.at + AWAY)
        for _ in range(2):
            reception.check_in(device_time=world.at + AWAY, last_counter=6, waiting=2,
                               withdrawn=taken, by=by)
        assert kiosk_queries.opening(by).last_counter == 4
    assert WithdrawnScan.objects.unscoped().count() == 1
    with access.scope(world.leader, at=world.at) as scope:
        fact = listed(scope)[0]
        assert (fact.clock_offset_ms, fact.last_counter, fact.waiting) == (-420_000, 6, 2)
        report = reconciliation(scope, session_id=world.session)
    device = report.devices[0]
    assert (device.name, device.sent, device.withdrawn) == ("集会所のタブレット", 2, (2,))
    assert device.missing == (3, 5, 6), "3 never came; 5 and 6 are still on the device"
    assert (device.skew_ms, device.waiting, device.kiosk_id) == (-420_000, 2, found.kiosk_id)
    with access.scope(world.scanner, at=world.at) as by, pytest.raises(NotFound):
        reception.check_in(device_time=world.at, last_counter=0, waiting=0, by=by)


def test_P5_undo_voids_ones_own_scan_within_ten_minutes_of_the_device(world: make.World) -> None:
    _, user = paired(world)
    scan, second = world.scan(0, counter=1), world.scan(0, counter=2)
    later = world.at + timedelta(days=2)
    with access.scope(user, at=later) as by:
        attendance.record(scans=[scan, second], by=by)
        with pytest.raises(reception.UndoTooLate):
            reception.undo(scan_id=scan.id, undone_at=world.at + timedelta(minutes=11), by=by)
        with pytest.raises(reception.NotCountedHere):
            reception.undo(scan_id=second.id, undone_at=world.at, by=by)
        with pytest.raises(NotFound):
            reception.undo(scan_id=uuid4(), undone_at=world.at, by=by)
        for _ in range(2):  # days later for the server, nine minutes for the device
            reception.undo(scan_id=scan.id, undone_at=world.at + timedelta(minutes=9), by=by)
    row = Attendance.objects.unscoped().get()
    assert (row.voided_by_id, row.void_reason) == (user.pk, reception.REASON)
    with access.scope(world.scanner, at=later) as by, pytest.raises(NotFound):
        reception.undo(scan_id=scan.id, undone_at=world.at, by=by)
    with access.scope(world.leader, at=later) as scope:
        report = reconciliation(scope, session_id=world.session)
    assert (report.accepted, report.already, report.voided, report.late) == (1, 1, 1, 2)


def test_P5_a_late_batch_lands_on_the_day_of_the_activity(world: make.World) -> None:
    _, user = paired(world)
    days_later = world.at + timedelta(days=4)
    with access.scope(user, at=days_later) as by:
        answer = attendance.record(
            scans=[world.scan(0, counter=1, scanned_at=world.at + AWAY)],
            device_time=days_later + AWAY, by=by,
        ).results[0]
    assert answer.result == "granted" and answer.reason.startswith("11月23日")
    assert Attendance.objects.unscoped().get().attended_at == world.at
