"""P1, P3: closing against scans, two lapses at once, and death at any moment of either."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connections
from django.utils import timezone

from points.models import Account, Attendance, ProgrammeYear, Transfer, YearEvent
from points.operations import lapsing, years
from registry import access
from tests.factories import points as make
from tests.operations.test_points_years import (
    AFTER,
    LAPSE,
    YEAR,
    closed,
    closing,
    held,
    scan,
    verified,
)

PEOPLE = 12
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None) -> make.World:
    return make.build(count=PEOPLE)


def forked(*works: Callable[[], None], failpoint: str = "") -> list[int | None]:
    """Run each in a process of its own, begun together; the exit codes."""
    context = multiprocessing.get_context("fork")
    connections.close_all()
    start = context.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        if failpoint:
            os.environ["TSUNAGARI_FAILPOINT"] = failpoint
        start.wait()
        work()
        connections.close_all()
        os._exit(0)

    running = [context.Process(target=run, args=(work,)) for work in works]
    for one in running:
        one.start()
    for one in running:
        one.join(timeout=100)
    return [one.exitcode for one in running]


def patiently(act: Callable[[], Any]) -> None:
    """SQLite has one writer: wait for it as the service's callers do."""
    for attempt in range(50):
        try:
            act()
            return
        except OperationalError:
            if attempt == 49:
                raise


def test_P1_nothing_is_lost_or_doubled_when_a_year_closes_during_scans(world: make.World) -> None:
    session = held(world, 31)
    closing(world)

    def scanner(part: int) -> Callable[[], None]:
        def run() -> None:
            for person in range(part, PEOPLE, 4):
                patiently(lambda person=person: scan(world, session, person, at=AFTER))
        return run

    def closer() -> None:
        def act() -> None:
            with access.scope(world.council, at=AFTER) as by:
                years.close(**YEAR, reason="年度が終わったため", by=by)
        patiently(act)

    assert forked(*(scanner(part) for part in range(4)), closer) == [0] * 5
    with access.system(at=AFTER, reason="count") as by:
        rows = list(Attendance.objects.visible_to(by).values_list("volunteer_id", "after_close"))
        paid = dict(Account.objects.visible_to(by).filter(kind="wallet").values_list(
            "volunteer_id", "balance"))
    assert len(rows) == len({one for one, _ in rows}) == PEOPLE
    in_time = {volunteer for volunteer, late in rows if not late}
    assert {one for one, points in paid.items() if points == 2} == in_time
    figures = YearEvent.objects.get(kind="closed").figures
    assert (figures["decisions"], figures["decided"]) == (len(in_time), 2 * len(in_time))
    verified(AFTER)


def balances(year: int) -> list[int]:
    with access.system(at=LAPSE, reason="count") as by:
        rows = Account.objects.visible_to(by).filter(kind="wallet", fiscal_year=year)
        return sorted(rows.values_list("balance", flat=True))


def lapses() -> tuple[int, int]:
    """Number and points of all transfers of the lapse."""
    with access.system(at=LAPSE, reason="count") as by:
        rows = list(Transfer.objects.visible_to(by).filter(cause="expiry"))
        return len(rows), sum(row.amount for row in rows)


def test_P3_lapsing_twice_at_once_moves_every_point_once(
    world: make.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(world, held(world, 31), *range(PEOPLE))
    closed(world)
    monkeypatch.setattr(lapsing, "BLOCK", 3)

    def run() -> None:
        patiently(lambda: lapsing.lapse(**YEAR, at=LAPSE))

    assert forked(run, run, run) == [0, 0, 0]
    assert (balances(2025), balances(2026)) == ([0] * PEOPLE, [2] * PEOPLE)
    assert lapses() == (PEOPLE, 2 * PEOPLE)
    assert YearEvent.objects.filter(kind="lapsed").count() == 1
    verified()


@pytest.mark.parametrize("block", [1, 3])
def test_P3_a_lapse_that_is_killed_goes_on(
    world: make.World, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    scan(world, held(world, 31), *range(PEOPLE))
    closed(world)
    monkeypatch.setattr(lapsing, "BLOCK", 3)

    def run() -> None:
        lapsing.lapse(**YEAR, at=LAPSE)

    [code] = forked(run, failpoint=f"years.lapse_block:{block}")
    assert code == -signal.SIGKILL
    done = 3 * (block - 1)  # the block at hand was rolled back whole
    assert balances(2025) == [0] * done + [2] * (PEOPLE - done)
    verified()
    lapsing.lapse(**YEAR, at=LAPSE)
    assert lapses() == (PEOPLE, 2 * PEOPLE)
    verified()


def test_P1_a_close_that_is_killed_leaves_the_year_as_it_was(world: make.World) -> None:
    scan(world, held(world, 31), 0)
    closing(world)

    def run() -> None:
        with access.scope(world.council, at=AFTER) as by:
            years.close(**YEAR, reason="年度が終わったため", by=by)

    assert forked(run, failpoint="years.before_close_commit") == [-signal.SIGKILL]
    assert ProgrammeYear.objects.get(fiscal_year=2025).state == "closing"
    assert not YearEvent.objects.filter(kind="closed").exists()
    verified()
    assert scan(world, held(world, 30), 0, at=AFTER)[0].result == "granted"


def command(*given: str) -> dict[str, Any]:
    said = StringIO()
    call_command("close_fiscal_year", *given, "--json", stdout=said)
    found: dict[str, Any] = json.loads(said.getvalue())
    return found


def test_the_command_takes_every_step_that_is_due_and_again_none(
    world: make.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(world, held(world, 31), 0, 1, at=AFTER - timedelta(days=1))
    monkeypatch.setattr(timezone, "now", lambda: LAPSE)
    dry = command("2025")
    [year] = dry["years"]
    assert (dry["applied"], year["steps"], year["lapsed"]) == (
        False, ["closing", "close"], {"wallets": 2, "lost": 0, "carried": 4})
    assert ProgrammeYear.objects.get(fiscal_year=2025).state == "open"
    [year] = command("--apply")["years"]
    assert (year["state"], year["attendances"], year["lapsed"]["carried"]) == ("closed", 2, 4)
    assert balances(2025) == [0, 0]
    assert command("--apply")["years"] == []
    again = command("2025", "--apply")["years"]
    assert [(one["steps"], one["lapsed"]) for one in again] == [([], None)]
    verified()
    with pytest.raises(SystemExit) as not_due:
        call_command("close_fiscal_year", "2026", stdout=StringIO())
    assert not_due.value.code == 3
    with pytest.raises(SystemExit) as unknown:
        call_command("close_fiscal_year", "1999", stdout=StringIO())
    assert unknown.value.code == 3
    with pytest.raises(CommandError) as nobody:
        call_command("close_fiscal_year", "2025", "--by", "nobody", stdout=StringIO())
    assert nobody.value.returncode == 2
