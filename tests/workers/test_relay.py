"""One row's working: done with its effect, or given back; kept while the work goes on.

Real transactions throughout: the keeper renews over a connection of its own.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connections, transaction
from django.utils import timezone

from registry import outbox
from registry.domain.errors import Refused
from registry.models import Heartbeat, OutboxMessage
from tests.workers.crew import CANARY
from workers import relay

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any], None]]:
    """Route the kind "proof" to a handler for one test."""

    def route(handler: Any) -> None:
        monkeypatch.setitem(relay.HANDLERS, "proof", handler)

    yield route


def _claimed(kind: str = "proof", key: str = "k") -> outbox.Claimed:
    outbox.put(kind=kind, dedupe_key=key, at=timezone.now(), subject_id=7)
    (one,) = outbox.claim(at=timezone.now(), lease=relay.LEASE)
    return one


def _row(key: str = "k") -> OutboxMessage:
    return OutboxMessage.objects.get(dedupe_key=key)


def _effects() -> int:
    return OutboxMessage.objects.filter(kind="effect").count()


def _put_effect(key: str, at: datetime) -> None:
    """A row that nobody claims during the test."""
    outbox.put(kind="effect", dedupe_key=key, at=at, run_after=at + timedelta(days=2))


def _effect(claimed: outbox.Claimed, at: datetime) -> None:
    with transaction.atomic():
        _put_effect(f"effect:{claimed.id}", at)
        claimed.finish(at)


def test_a_row_is_done_in_the_transaction_of_its_effect(kind: Any) -> None:
    kind(_effect)
    assert relay.work(_claimed())
    row = _row()
    assert row.done_at and not row.lease_token and row.attempts == 1 and _effects() == 1


def test_an_unknown_kind_is_given_back_for_a_release_that_knows_it(kind: Any) -> None:
    assert not relay.work(_claimed("no.such.kind"))
    row = _row()
    assert (row.last_error, row.done_at, row.dead_at, row.lease_token) == (
        "unknown_kind", None, None, None,
    )
    assert row.run_after > timezone.now()


def test_a_lost_lease_changes_nothing(kind: Any) -> None:
    def slow(claimed: outbox.Claimed, at: datetime) -> None:
        later = timezone.now() + relay.LEASE + timedelta(seconds=1)
        assert outbox.claim(at=later, lease=relay.LEASE)  # somebody else takes the row
        _effect(claimed, at)

    kind(slow)
    assert not relay.work(_claimed())
    row = _row()
    assert _effects() == 0 and row.done_at is None and row.lease_token is not None
    assert row.attempts == 2 and row.last_error == ""


def test_a_failure_gives_back_with_growing_pauses_and_dies_at_last(kind: Any) -> None:
    def refuse(claimed: outbox.Claimed, at: datetime) -> None:
        raise Refused(f"{CANARY} さん", code="proof_refused")

    kind(refuse)
    at = timezone.now()
    outbox.put(kind="proof", dedupe_key="k", at=at)
    pauses = []
    for attempt in range(1, outbox.MAX_ATTEMPTS + 1):
        at = max(at, _row().run_after)
        (claimed,) = outbox.claim(at=at, lease=relay.LEASE)
        before = timezone.now()
        assert claimed.attempts == attempt and not relay.work(claimed)
        pauses.append((_row().run_after - before).total_seconds())
        assert bool(_row().dead_at) == (attempt == outbox.MAX_ATTEMPTS)
    assert all(2**n <= pause < 2**n + 2 for n, pause in enumerate(pauses, start=1))
    assert _row().last_error == "proof_refused" and _effects() == 0
    assert outbox.claim(at=at + timedelta(days=1), lease=relay.LEASE) == []
    outbox.retry_dead(message_id=_row().pk, at=timezone.now())
    kind(_effect)
    assert relay.drain(until=timezone.now() + timedelta(seconds=5), limit=1) == 1


def test_a_half_done_effect_is_rolled_back_and_nothing_personal_is_kept(
    kind: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def half(claimed: outbox.Claimed, at: datetime) -> None:
        with transaction.atomic():
            _effect(claimed, at)
            raise ValueError(f"{CANARY} の住所が読めません")

    kind(half)
    with caplog.at_level(logging.DEBUG):
        assert not relay.work(_claimed())
    row = _row()
    assert _effects() == 0 and row.done_at is None and row.last_error == "ValueError"
    assert "test_relay.py:" in caplog.text and CANARY not in caplog.text


def test_a_fault_while_giving_back_does_not_carry_the_first_ones_text(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(claimed: outbox.Claimed, at: datetime) -> None:
        raise ValueError(CANARY)

    def gone(*_: Any, **__: Any) -> None:
        raise OperationalError("the database went away")

    kind(broken)
    monkeypatch.setattr(outbox, "give_back", gone)
    claimed = _claimed()
    with pytest.raises(OperationalError) as caught:
        relay.work(claimed)
    assert caught.value.__context__ is None and _row().lease_token == claimed.token


def test_a_handler_that_forgets_to_finish_is_a_failure(kind: Any) -> None:
    kind(lambda claimed, at: None)
    assert not relay.work(_claimed())
    assert _row().last_error == "not_finished" and _row().done_at is None


def test_a_worker_that_died_too_often_kills_no_more(kind: Any) -> None:
    kind(_effect)
    at = timezone.now()
    outbox.put(kind="proof", dedupe_key="k", at=at)
    for _ in range(outbox.MAX_ATTEMPTS):
        assert outbox.claim(at=at, lease=relay.LEASE)
        at += relay.LEASE  # killed: neither done nor given back
    assert outbox.claim(at=at, lease=relay.LEASE) == []
    assert _row().dead_at == at and outbox.pulse(at=at).dead == 1


def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "LEASE", timedelta(seconds=0.6))
    monkeypatch.setattr(relay, "RENEW_SECONDS", 0.1)


def _stolen_within(seconds: float) -> int:
    """How often another worker gets a row in this time."""
    until, taken = time.monotonic() + seconds, 0
    try:
        while time.monotonic() < until:
            taken += len(outbox.claim(at=timezone.now(), lease=relay.LEASE))
            time.sleep(0.05)
    finally:
        connections.close_all()
    return taken


def _beside(body: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    answers: list[Any] = []

    def run() -> None:
        try:
            answers.append(body())
        except Exception as error:  # noqa: BLE001  # compared by the test
            answers.append(repr(error))

    thread = threading.Thread(target=run)
    thread.start()
    return thread, answers


def test_a_lease_is_kept_while_the_work_takes_longer(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _quick(monkeypatch)

    def long(claimed: outbox.Claimed, at: datetime) -> None:
        time.sleep(2.0)
        _effect(claimed, at)

    kind(long)
    claimed = _claimed()
    thread, stolen = _beside(lambda: _stolen_within(1.9))
    assert relay.work(claimed)
    thread.join(10)
    assert stolen == [0] and _row().attempts == 1 and _effects() == 1


def test_without_the_keeper_the_same_work_loses_its_lease(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above: it can fail."""
    _quick(monkeypatch)
    monkeypatch.setattr(relay, "RENEW_SECONDS", 60.0)

    def long(claimed: outbox.Claimed, at: datetime) -> None:
        time.sleep(1.2)
        _effect(claimed, at)

    kind(long)
    claimed = _claimed()
    thread, stolen = _beside(lambda: _stolen_within(1.0))
    assert not relay.work(claimed)
    thread.join(10)
    assert stolen == [1] and _effects() == 0


def test_a_long_transaction_neither_deadlocks_with_the_keeper_nor_breaks(
    kind: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The effect's transaction writes for far longer than a lease; on SQLite that shuts the
    keeper and every other worker out, on PostgreSQL the keeper goes on renewing."""
    _quick(monkeypatch)

    def writing(claimed: outbox.Claimed, at: datetime) -> None:
        with transaction.atomic():
            _put_effect("effect", at)
            time.sleep(2.0)
            claimed.finish(at)
            time.sleep(0.5)  # holding the row itself, which the keeper would renew

    kind(writing)
    claimed = _claimed()
    thread, stolen = _beside(lambda: _stolen_within(1.5))
    begun = time.monotonic()
    with caplog.at_level(logging.INFO):
        assert relay.work(claimed)
    assert time.monotonic() - begun < 5
    thread.join(30)
    assert _row().done_at and _row().attempts == 1 and _effects() == 1
    assert stolen == [0]
    assert "not renewed" not in caplog.text and "locked" not in caplog.text


def test_the_keeper_goes_on_after_a_renewal_that_failed(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _quick(monkeypatch)
    real, calls = outbox.renew, []

    def shaky(*given: Any, **named: Any) -> bool:
        calls.append(1)
        if len(calls) <= 2:
            raise OperationalError("database is locked")
        return real(*given, **named)

    monkeypatch.setattr(outbox, "renew", shaky)

    def long(claimed: outbox.Claimed, at: datetime) -> None:
        time.sleep(1.5)
        _effect(claimed, at)

    kind(long)
    assert relay.work(_claimed()) and len(calls) > 4


def test_the_keepers_thread_and_connection_end_with_the_work(kind: Any) -> None:
    kind(_effect)
    before = threading.active_count()
    assert all(relay.work(_claimed(key=f"k{n}")) for n in range(5))
    assert threading.active_count() == before


def test_drain_stops_when_asked_and_carries_the_row_at_hand_to_its_end(kind: Any) -> None:
    kind(_effect)
    for n in range(6):
        outbox.put(kind="proof", dedupe_key=f"k{n}", at=timezone.now())
    answers = iter([False, False, True])
    soon = timezone.now() + timedelta(seconds=30)
    assert relay.drain(until=soon, stop=lambda: next(answers)) == 2
    assert OutboxMessage.objects.filter(lease_token__isnull=False).count() == 0
    assert relay.drain(until=timezone.now() - timedelta(seconds=1)) == 0
    assert relay.drain(until=soon, limit=3) == 3


def test_the_heartbeat_is_written_by_reading_the_outbox(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind(_effect)
    monkeypatch.setattr(relay, "_last_beat", float("-inf"))
    begun = timezone.now()
    relay.drain(until=begun + timedelta(seconds=5))
    first = Heartbeat.objects.get(name="worker").at
    assert first >= begun
    relay.drain(until=timezone.now() + timedelta(seconds=5))
    assert Heartbeat.objects.get(name="worker").at == first  # not at every bell
    monkeypatch.setattr(relay, "_last_beat", time.monotonic() - relay.BEAT_SECONDS)
    relay.drain(until=timezone.now() + timedelta(seconds=5))
    assert Heartbeat.objects.get(name="worker").at > first


def test_a_kind_has_one_handler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "HANDLERS", dict(relay.HANDLERS))
    relay.register("proof", _effect)
    relay.register("proof", _effect)
    with pytest.raises(ValueError, match="proof"):
        relay.register("proof", lambda claimed, at: None)
