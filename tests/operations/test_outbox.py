"""The outbox: one row per key, fenced leases, a lost lease changes nothing, dead after N."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from registry import outbox
from registry.models import OutboxMessage

LEASE = timedelta(seconds=10)


def _put(at: datetime, key: str = "k", **more: Any) -> bool:
    return outbox.put(kind="test", dedupe_key=key, at=at, **more)


def test_the_same_key_is_one_row(db: None, now: datetime) -> None:
    assert _put(now) and not _put(now)
    assert outbox.put_many([("a", 1, "k"), ("a", 2, "l"), ("a", 2, "l")], at=now) == 1
    assert OutboxMessage.objects.count() == 2


def test_a_row_is_claimed_once_until_its_lease_ends(db: None, now: datetime) -> None:
    _put(now)
    (first,) = outbox.claim(at=now, lease=LEASE)
    assert outbox.claim(at=now + LEASE - timedelta(seconds=1), lease=LEASE) == []
    (second,) = outbox.claim(at=now + LEASE, lease=LEASE)
    assert second.id == first.id and second.token != first.token and second.attempts == 2


def test_a_worker_that_lost_its_lease_changes_nothing(db: None, now: datetime) -> None:
    _put(now)
    (first,) = outbox.claim(at=now, lease=LEASE)
    (second,) = outbox.claim(at=now + LEASE, lease=LEASE)
    with pytest.raises(outbox.LeaseLost), transaction.atomic():
        _put(now, "effect")
        first.finish(now + LEASE)
    assert not OutboxMessage.objects.filter(dedupe_key="effect").exists()
    assert not outbox.renew(first, at=now + LEASE, lease=LEASE)
    outbox.give_back(first, error="late", at=now + LEASE)
    with transaction.atomic():
        second.finish(now + LEASE)
    row = OutboxMessage.objects.get()
    assert row.done_at == now + LEASE and row.last_error == ""
    with pytest.raises(outbox.LeaseLost), transaction.atomic():
        second.finish(now + LEASE)


@pytest.mark.django_db(transaction=True)
def test_finish_refuses_to_stand_alone(now: datetime) -> None:
    _put(now)
    (row,) = outbox.claim(at=now, lease=LEASE)
    with pytest.raises(RuntimeError):
        row.finish(now)


def test_a_row_waits_for_its_time_and_comes_in_order(db: None, now: datetime) -> None:
    _put(now, "later", run_after=now + timedelta(minutes=5))
    _put(now, "b")
    _put(now, "a", run_after=now - timedelta(minutes=1))
    assert [r.dedupe_key for r in outbox.claim(at=now, lease=LEASE, limit=9)] == ["a", "b"]
    late = outbox.claim(at=now + timedelta(minutes=5), lease=LEASE, limit=9)
    assert {r.dedupe_key for r in late} == {"later", "a", "b"}


def test_a_failing_row_comes_back_later_and_dies_after_n_attempts(
    db: None, now: datetime
) -> None:
    _put(now)
    at = now
    for attempt in range(1, outbox.MAX_ATTEMPTS + 1):
        (row,) = outbox.claim(at=at, lease=LEASE)
        assert row.attempts == attempt
        outbox.give_back(row, error="boom", at=at)
        assert outbox.claim(at=at, lease=LEASE) == []
        at += timedelta(minutes=5)
    dead = OutboxMessage.objects.get()
    assert dead.dead_at is not None and dead.done_at is None and dead.last_error == "boom"
    assert outbox.claim(at=at, lease=LEASE) == []
    assert outbox.pulse(at=at).dead == 1
    outbox.retry_dead(message_id=dead.pk, at=at)
    (again,) = outbox.claim(at=at, lease=LEASE)
    assert again.attempts == 1


def test_killed_workers_do_not_keep_a_row_for_ever(db: None, now: datetime) -> None:
    _put(now)
    at = now
    for _ in range(outbox.MAX_ATTEMPTS):
        assert len(outbox.claim(at=at, lease=LEASE)) == 1  # and is killed
        at += LEASE
    assert outbox.claim(at=at, lease=LEASE) == []
    assert OutboxMessage.objects.get().dead_at == at


@pytest.mark.django_db(transaction=True)
def test_two_claimants_never_get_the_same_row(now: datetime) -> None:
    outbox.put_many([("test", n, f"k{n}") for n in range(60)], at=now)
    taken: list[int] = []
    failed: list[BaseException] = []
    start = threading.Barrier(4)

    def work() -> None:
        try:
            start.wait()
            while rows := outbox.claim(at=now, lease=LEASE, limit=3):
                taken.extend(row.id for row in rows)
        except BaseException as error:  # noqa: BLE001  # shown by the assertion below
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not failed
    assert len(taken) == 60 == len(set(taken))


def test_done_rows_are_pruned_and_others_stay(db: None, now: datetime) -> None:
    for key in ("done", "open"):
        _put(now, key)
    (row,) = outbox.claim(at=now, lease=LEASE)
    with transaction.atomic():
        row.finish(now)
    assert outbox.prune(before=now) == 0
    assert outbox.prune(before=now + timedelta(seconds=1)) == 1
    assert OutboxMessage.objects.get().dedupe_key == "open"
