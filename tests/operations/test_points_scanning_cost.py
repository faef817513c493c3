"""P1, P3: what a scan costs does not grow, and the short way gives the answers of the long one."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from points.models import Attendance
from points.operations import attendance, gathering, ledger
from points.operations.scanning import ScanRequest
from points.queries import records, rulebook
from registry import access
from registry.models import LogEntry
from registry.operations import tokens
from tests.factories import points as make


def scanned(world: make.World, *requests: ScanRequest) -> Any:
    with access.scope(world.council, at=world.at) as by:
        return attendance.record(scans=requests, by=by, counters=False).results


def token_of(world: make.World, user: Any, *scopes: str) -> tuple[int, str]:
    with access.system(at=world.at, reason="token") as by:
        row, text = tokens.issue_token(
            user_id=user.pk, name="受付", scopes=scopes or ["scans.record"],
            expires_at=world.at + timedelta(days=30), by=by)
    return row.pk, text


def test_P1_a_scan_costs_the_same_statements_after_a_long_history(db: None) -> None:
    world = make.build()
    held = [make.hold(world, start=world.at - timedelta(days=n), title=f"会{n}")
            for n in range(1, 40)]
    counted = []
    for session in (held[0], held[-1]):
        with CaptureQueriesContext(connection) as queries:
            assert scanned(world, world.scan(0, session))[0].result == "granted"
        # The passbook and the wallet are made only once.
        counted.append(len([q for q in queries if "INSERT INTO" not in q["sql"].upper()]))
        scanned(world, *(world.scan(0, s) for s in held[1:-1]))
    assert counted[1] <= counted[0] <= 24, counted


def test_P1_the_year_is_read_only_where_the_annual_cap_could_bind(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make.build(year={"annual_cap": 5})
    held = [make.hold(world, start=world.at - timedelta(days=n), title=f"会{n}")
            for n in range(1, 7)]
    read: list[int] = []
    whole = records.records

    def counting(*given: Any, **more: Any) -> Any:
        read.append(len(more["volunteer_ids"]))
        return whole(*given, **more)

    monkeypatch.setattr(records, "records", counting)
    heard = []
    for session in held:
        answer = scanned(world, world.scan(0, session))[0]
        heard.append((answer.result, len(read)))
    assert heard == [("granted", 0)] * 4 + [("granted", 1), ("granted", 2)]
    with access.system(at=world.at, reason="verify") as by:
        found = ledger.verify(by=by)
    assert (found.differences, found.points) == ([], 5), "the latest date lost its place"


@settings(max_examples=15, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    arrivals=st.lists(st.integers(0, 7), min_size=3, max_size=12),
    void=st.integers(0, 7), cap=st.integers(3, 9),
)
def test_P1_counting_days_gives_the_shares_of_counting_the_year(
    db: None, arrivals: list[int], void: int, cap: int
) -> None:
    from django.db import transaction

    with transaction.atomic():
        world = make.build(count=1, year={"annual_cap": cap})
        day = world.at - timedelta(days=5, hours=2)
        held = [make.hold(world, start=day + timedelta(days=n // 2, hours=n % 2 * 2), hours=1.5,
                          kind=("join", "support", "hourly")[n % 3], title=f"会{n}")
                for n in range(8)]
        for place, one in enumerate(arrivals):
            answer = scanned(world, world.scan(0, held[one]))[0]
            if one == void and place % 2 and answer.attendance is not None:
                with access.scope(world.council, at=world.at) as by:
                    row = Attendance.objects.visible_to(by).get(pk=answer.attendance)
                    if row.voided_at is None:
                        attendance.void(attendance_id=row.pk, reason="見本", by=by)
            with access.system(at=world.at, reason="verify") as by:
                assert ledger.verify(by=by).differences == []
        transaction.set_rollback(True)


def test_P2_a_changed_rule_is_seen_at_once_and_the_same_rules_are_made_once(db: None) -> None:
    from points.models import ProgrammeYear

    world = make.build()
    known = rulebook.load()
    assert rulebook.load() is known
    ProgrammeYear.objects.filter(fiscal_year=2026).update(
        state="closed", closed_at=world.at, closed_by=world.council)
    assert rulebook.load() is not known
    assert rulebook.load().terms("tsunagari", 2026).state.value == "closed"


def waiting(world: make.World, number: int, token: str, **more: Any) -> Any:
    return gathering._Waiting(token, world.scan(number, **more))


def test_P3_scans_of_one_moment_keep_everybodys_own_rights(db: None) -> None:
    world = make.build(count=6)
    foreign = make.hold(world, group=world.other_group, title="よその回")
    _, device = token_of(world, world.scanner)
    _, leader = token_of(world, world.other_leader, "scans.record", "sessions.view")
    _, shop = token_of(world, world.shopkeeper, "scans.record")
    revoked, gone = token_of(world, world.scanner)
    with access.system(at=world.at, reason="revoke") as by:
        tokens.revoke_token(token_id=revoked, by=by)
    twice = world.scan(1)
    group = [
        waiting(world, 0, device), waiting(world, 2, device, session=foreign),
        gathering._Waiting(device, twice), gathering._Waiting(device, twice),
        waiting(world, 3, leader), waiting(world, 3, shop), waiting(world, 3, gone),
        waiting(world, 3, "tg_nobody"), waiting(world, 0, device),
    ]
    with access.system(at=world.at, reason="look") as by:
        before = LogEntry.objects.visible_to(by).filter(action="attendance.record").count()
    gathering._attempt(group)
    assert [one.answer and one.answer.result for one in group] == [
        "granted", "not_open", "granted", "granted", None, None, None, None, "already",
    ]
    assert group[2].answer == group[3].answer
    with access.system(at=world.at, reason="look") as by:
        entries = LogEntry.objects.visible_to(by).filter(action="attendance.record")
        assert entries.count() - before == 5, "one entry for each caller"
        assert set(entries.values_list("user_id", flat=True)) == {world.scanner.pk}
        assert Attendance.objects.visible_to(by).count() == 2
        assert ledger.verify(by=by).differences == []


def test_P3_gathering_does_not_cost_more_statements_for_more_devices(db: None) -> None:
    world = make.build(count=40)
    _, device = token_of(world, world.scanner)
    counted = []
    for numbers in (range(1), range(1, 39)):
        with CaptureQueriesContext(connection) as queries:
            gathering._attempt([waiting(world, n, device) for n in numbers])
        counted.append(len(queries))
    # SQLite sends nothing more either: executemany is one statement a table.
    assert counted[0] == counted[1], counted


@pytest.mark.django_db(transaction=True)
def test_P3_many_at_once_over_the_thread_are_counted_once() -> None:
    world = make.build(count=8)
    _, device = token_of(world, world.scanner)
    answers: list[Any] = []

    def send(number: int) -> None:
        scan = ScanRequest(uuid4(), world.at, code=world.card(number % 8),
                           session_id=world.session)
        answers.append(gathering.record_gathered(token=device, scan=scan))

    assert gathering.record_gathered(token=device, scan=world.scan(0)) is None, "off by default"
    gathering.start()
    try:
        threads = [threading.Thread(target=send, args=(n,)) for n in range(24)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    finally:
        gathering.stop()
        gathering.close()
        connections.close_all()
    heard = sorted(one.result for one in answers)
    assert heard == ["already"] * 16 + ["granted"] * 8
    with access.system(at=world.at, reason="verify") as by:
        assert ledger.verify(by=by).differences == []
