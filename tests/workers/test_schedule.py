"""Periodic jobs: rows unique per (job, period); ticking is harmless, missing a tick is too."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections

from registry.access import JAPAN
from registry.models import OutboxMessage
from workers import relay, schedule


def _keys() -> set[str]:
    return set(OutboxMessage.objects.values_list("dedupe_key", flat=True))


def test_a_thousand_ticks_of_a_period_are_one_row_a_job(db: None, now: datetime) -> None:
    assert schedule.tick(now) == len(schedule.JOBS)
    assert sum(schedule.tick(now + timedelta(milliseconds=n)) for n in range(1000)) == 0
    assert OutboxMessage.objects.count() == len(schedule.JOBS)


def test_every_job_has_somebody_who_does_it() -> None:
    assert {job.kind for job in schedule.JOBS} <= set(relay.HANDLERS)
    assert len({job.name for job in schedule.JOBS}) == len(schedule.JOBS)


def test_the_next_period_is_a_new_row_also_after_missed_ticks(db: None, now: datetime) -> None:
    schedule.tick(now)
    before = _keys()
    schedule.tick(now + timedelta(minutes=5))
    assert len(_keys() - before) == 1
    # Nobody ticked for nine days: the first tick afterwards writes each job's present period.
    back = now + timedelta(days=9, minutes=2)
    assert schedule.tick(back) == len(schedule.JOBS)
    assert OutboxMessage.objects.filter(run_after=back).count() == len(schedule.JOBS)


def test_a_period_does_not_depend_on_the_zone_of_the_instant(db: None, now: datetime) -> None:
    late = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)  # half past midnight on the 23rd in Japan
    assert schedule.tick(late) == len(schedule.JOBS)
    assert schedule.tick(late.astimezone(JAPAN)) == 0
    assert any(key.endswith("2026-11-23") for key in _keys())


def test_keys_fit_their_column(db: None, now: datetime) -> None:
    schedule.tick(now)
    assert max(len(key) for key in _keys()) <= 120


@pytest.mark.django_db(transaction=True)
def test_many_beats_at_once_write_each_row_once(now: datetime) -> None:
    start, made, wrong = threading.Barrier(8), [], []

    def beat() -> None:
        try:
            start.wait(10)
            made.append(schedule.tick(now))
        except Exception as error:  # noqa: BLE001  # reported below
            wrong.append(repr(error))
        finally:
            connections.close_all()

    beats = [threading.Thread(target=beat) for _ in range(8)]
    for one in beats:
        one.start()
    for one in beats:
        one.join(30)
    assert not wrong
    assert len(made) == 8
    assert OutboxMessage.objects.count() == len(schedule.JOBS)
