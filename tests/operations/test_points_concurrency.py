"""G1, short version: duplicate scans with new ids from sixteen processes are counted once.

The control beside it does the same work the wrong way (look, then insert, without lock and
constraint) and must count people twice: it shows that the test can fail.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import OperationalError, connection, connections

from points.models import Account, Attendance, Scan, Voucher
from points.operations import attendance, ledger, vouchers
from points.operations.scanning import ScanRequest
from registry import access
from registry.domain.errors import Refused
from registry.models import User
from registry.sealing import unseal
from tests.factories import points as make

PROCESSES, CARDS, SCANS = 16, 100, 10_000
EACH = SCANS // PROCESSES


def batch_size() -> int:
    """SQLite has one writer: fewer and larger transactions, the same number of scans."""
    return 125 if connection.vendor == "sqlite" else 25


def share_of_work(number: int, cards: list[str], sessions: list[int]) -> list[tuple[str, int]]:
    """What one process scans: every pair about as often, in an order of its own."""
    pairs = [(card, session) for card in cards for session in sessions]
    work = [pairs[(number * EACH + n) % len(pairs)] for n in range(EACH)]
    random.Random(number).shuffle(work)
    return work


def in_processes(work: Callable[..., Counter[str]], *arguments: Any) -> Counter[str]:
    """Run ``work(number, start, *arguments)`` in sixteen processes that begin together."""
    context = multiprocessing.get_context("fork")
    connections.close_all()
    start, answers = context.Barrier(PROCESSES), context.Queue()

    def run(number: int) -> None:
        try:
            answers.put((number, work(number, start, *arguments), ""))
        except BaseException as error:  # noqa: BLE001  # the parent reports whatever it is
            answers.put((number, Counter(), repr(error)))
        finally:
            connections.close_all()

    running = [context.Process(target=run, args=(n,), daemon=True) for n in range(PROCESSES)]
    for one in running:
        one.start()
    total: Counter[str] = Counter()
    wrong = []
    for _ in running:
        _, counted, error = answers.get(timeout=110)
        total += counted
        wrong += [error] if error else []
    for one in running:
        one.join()
    assert not wrong, wrong[:3]
    return total


def record_duplicates(
    number: int, start: Any, user_id: int, at: Any, cards: list[str], sessions: list[int]
) -> Counter[str]:
    user = User.objects.get(pk=user_id)
    work = share_of_work(number, cards, sessions)
    start.wait()
    heard: Counter[str] = Counter()
    for begin in range(0, EACH, batch_size()):
        scans = [
            ScanRequest(uuid4(), at, code=card, session_id=session)
            for card, session in work[begin : begin + batch_size()]
        ]
        for attempt in range(5):
            try:
                with access.scope(user, at=at) as by:
                    found = attendance.record(scans=scans, by=by).results
                break
            except OperationalError as busy:  # SQLite's one writer is taken: the client repeats
                if connection.vendor != "sqlite" or attempt == 4:
                    raise
                time.sleep(random.random() * 0.2)
                heard["busy"] += 1
                del busy
        heard.update(one.result for one in found)
    return heard


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(180)
def test_G1_sixteen_processes_with_ten_thousand_duplicates_count_everybody_once() -> None:
    world = make.build(count=CARDS)
    day = world.at - timedelta(days=1)
    sessions = [
        make.hold(world, start=day, kind="support", title="朝の会"),
        make.hold(world, start=day + timedelta(hours=3), kind="support", title="昼の会",
                  group=world.other_group),
        make.hold(world, start=day + timedelta(hours=6), title="夕の会"),
        world.session,
    ]
    heard = in_processes(
        record_duplicates, world.council.pk, world.at, list(world.cards.values()), sessions
    )
    pairs = CARDS * len(sessions)
    assert heard["already"] == SCANS - pairs
    assert heard["granted"] + heard["cap_reached"] == pairs
    with access.system(at=world.at, reason="count") as by:
        assert Attendance.objects.visible_to(by).count() == pairs
        assert Scan.objects.visible_to(by).count() == SCANS
        wallets = Account.objects.visible_to(by).filter(kind="wallet")
        # A day's cap of 3 for the three of one day, and 1 for the other day's.
        assert set(wallets.values_list("balance", flat=True)) == {4}
        assert wallets.count() == CARDS
        found = ledger.verify(by=by)
    assert found.differences == []
    assert found.points == CARDS * 4


def exchange_and_redeem(
    number: int, start: Any, council: int, shop: int, person: int, code: str, at: Any
) -> Counter[str]:
    users = {pk: User.objects.get(pk=pk) for pk in (council, shop)}
    start.wait()
    heard: Counter[str] = Counter()
    for _ in range(5):
        try:
            with access.scope(users[council], at=at) as by:
                vouchers.exchange(volunteer_id=person, programme="tsunagari", count=1,
                                  request_id=uuid4(), by=by)
            heard["exchanged"] += 1
        except Refused as no:
            heard[no.code] += 1
        try:
            with access.scope(users[shop], at=at) as by:
                vouchers.redeem(code=code, request_id=uuid4(), by=by)
            heard["redeemed"] += 1
        except Refused as no:
            heard[no.code] += 1
    return heard


@pytest.mark.django_db(transaction=True)
def test_P7_sixteen_processes_cannot_spend_a_point_or_a_voucher_twice() -> None:
    world = make.build(points_per_voucher=1)
    held = [make.hold(world, start=world.at - timedelta(days=d), kind="support")
            for d in range(1, 4)]
    with access.scope(world.council, at=world.at) as by:
        attendance.record(scans=[world.scan(0, s) for s in held], by=by)
        made = vouchers.exchange(volunteer_id=world.people[0], programme="tsunagari", count=1,
                                 request_id=uuid4(), by=by)
    with access.system(at=world.at, reason="look") as by:
        paper = Voucher.objects.visible_to(by).get(exchange_id=made.pk)
        code = unseal(bytes(paper.sealed_code), context=f"voucher:{paper.serial}").decode()
    heard = in_processes(exchange_and_redeem, world.council.pk, world.shopkeeper.pk,
                         world.people[0], code, world.at)
    assert heard == {"exchanged": 5, "not_enough_points": 75, "redeemed": 1, "voucher_used": 79}
    with access.system(at=world.at, reason="verify") as by:
        assert ledger.verify(by=by).differences == []


@pytest.fixture
def control_table(transactional_db: None) -> Iterator[None]:
    """A table as somebody in a hurry would make it: no constraint."""
    def as_owner(*statements: str) -> None:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("RESET ROLE")
            for statement in statements:
                cursor.execute(statement)
        connection.close()

    made = ["CREATE TABLE broken_control (session_id bigint, card varchar(16))"]
    if connection.vendor == "postgresql":
        made.append(f"GRANT ALL ON broken_control TO {settings.DATABASE_APP_ROLE}")
    as_owner(*made)
    yield
    as_owner("DROP TABLE broken_control")


def broken_record(
    number: int, start: Any, cards: list[str], sessions: list[int]
) -> Counter[str]:
    """DELIBERATELY BROKEN: looks, then inserts, in two transactions and without a lock."""
    work = share_of_work(number, cards, sessions)
    start.wait()
    counted: Counter[str] = Counter()
    for begin in range(0, EACH, 25):
        with connection.cursor() as cursor:
            cursor.execute("SELECT card, session_id FROM broken_control")
            there = set(cursor.fetchall())
        time.sleep(0.002)
        new = set(work[begin : begin + 25]) - there
        with connection.cursor() as cursor:
            for card, session in new:
                cursor.execute("INSERT INTO broken_control (card, session_id) VALUES (%s, %s)",
                               [card, session])
        counted["inserted"] += len(new)
    return counted


@pytest.mark.timeout(180)
def test_G1_the_deliberately_broken_control_counts_people_twice(control_table: None) -> None:
    assert os.getpid()  # the children are forks of this process
    sessions = [1, 2, 3, 4]
    cards = [f"CARD{n:04d}" for n in range(CARDS)]
    counted = in_processes(broken_record, cards, sessions)
    assert counted["inserted"] > CARDS * len(sessions), counted
