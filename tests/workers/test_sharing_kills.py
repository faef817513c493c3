"""A sharing run under kill -9: at every named place and at random moments (G2, "It shows" 4).

Real processes on the test's own database.  A life that was killed holds its lease until it runs
out; the tests let the time pass by moving the lease into the past.  What holds afterwards:
every recipient has exactly one edition or a reason, every copy number is accounted for, every
release is on record exactly once, and no work is open or dead.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from evacuation.models import Copy, Edition, EditionRow, SharingTask
from evacuation.operations import custody, sharing
from registry import access, outbox
from registry.models import LogEntry, OutboxMessage
from registry.operations import organisations, staff
from registry.operations.organisations import OfficeFacts
from tests import cast as members
from tests.cast import Cast
from tests.factories import evacuation as city
from tests.workers.crew import database_url, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]
ROOT = Path(__file__).resolve().parents[2]
OPEN = ("sharing.open.before_commit", "sharing.open.after_commit")
BUILD = (
    "relay.before_work", "sharing.before_render", "sharing.after_store",
    "sharing.before_commit", "sharing.after_commit", "relay.after_work",
)
OFFICES = 50


class Lives:
    """The process that forks a life per call."""

    def __init__(self) -> None:
        env = {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE_", "REDIS_"))}
        env |= {
            "DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": database_url(),
            "SECRET_KEY": os.environ["SECRET_KEY"], "DATA_KEY": os.environ["DATA_KEY"],
            "DATA_DIR": str(settings.DATA_DIR), "FILE_STORE": str(settings.FILE_STORE),
            "BELL": "0", "PYTHONPATH": str(ROOT),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.workers.sharing_life"], cwd=ROOT, env=env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def run(self, failpoint: str = "-", *, kill_after: float | None = None) -> int:
        """One life; its exit code (-9: killed)."""
        assert self._process.stdin is not None
        self._process.stdin.write(failpoint + "\n")
        self._process.stdin.flush()
        pid = int(self._line().removeprefix("pid "))
        if kill_after is not None:
            time.sleep(kill_after)
            with contextlib.suppress(ProcessLookupError):  # it ended by itself just before
                os.kill(pid, signal.SIGKILL)
        return int(self._line().removeprefix("ended "))

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)


@pytest.fixture
def lives() -> Iterator[Lives]:
    made = Lives()
    yield made
    made.stop()


@pytest.fixture
def world(db: None) -> Cast:
    """The cast with thirty more seats, its roster applied yesterday, on the real clock."""
    cast = members.build(timezone.now() - timedelta(days=1))
    city.build(cast)
    with cast.scope(cast.sato) as by:
        made = organisations.load_offices(offices=[
            OfficeFacts("welfare_commissioner", f"O-X{n:02d}", f"民生委員（見本{n}）", "MINSEI",
                        ((("N1", "S1")[n % 2], ""),))
            for n in range(OFFICES)
        ], by=by)
        for office in made.values():
            staff.appoint(office_id=office, user_id=cast.nobody.pk, by=by,
                          starts_on=date(by.on.year - 1, 4, 1))
    return cast


def lease_runs_out() -> None:
    """Twelve seconds pass."""
    past = timezone.now() - timedelta(seconds=1)
    OutboxMessage.objects.filter(lease_until__isnull=False, done_at__isnull=True).update(
        lease_until=past
    )
    OutboxMessage.objects.filter(done_at__isnull=True).update(run_after=past)


def due(key: str = "job:sharing:test") -> None:
    outbox.put(kind="evacuation.sharing", dedupe_key=key, at=timezone.now())


def check_whole(*, finished: bool) -> None:
    """What must hold after every death, and more when all is done."""
    with access.system(at=timezone.now(), reason="test") as wide:
        verdict = custody.verify(wide=wide)
        assert verdict.balanced, verdict.broken
        editions = list(Edition.objects.visible_to(wide).values_list("office_id", "pk"))
        assert max(Counter(office for office, _ in editions).values(), default=0) <= 1
        issued = set(SharingTask.objects.filter(state="issued").values_list("office_id", flat=True))
        assert issued == {office for office, _ in editions}
        copies = Counter(Copy.objects.visible_to(wide).values_list("edition_id", flat=True))
        assert all(copies[pk] == 2 for _, pk in editions) and len(copies) == len(editions)
        rows = EditionRow.objects.visible_to(wide).count()
        released = LogEntry.objects.visible_to(wide).filter(action="sharing.issue")
        assert released.count() == rows
        if finished:
            assert not OutboxMessage.objects.filter(done_at__isnull=True).exists()
            assert not SharingTask.objects.filter(state="waiting").exists()
            assert len(editions) == SharingTask.objects.count() == OFFICES + 3
            assert set(copies.values()) == {2} and rows == OFFICES + 3


def test_killed_at_every_named_place_each_recipient_gets_one_edition(
    world: Cast, lives: Lives
) -> None:
    due()
    for place in OPEN:
        assert lives.run(place) == -signal.SIGKILL, place
        check_whole(finished=False)
        lease_runs_out()
        due("job:sharing:again")  # the next tick of the beat
    for place in BUILD:
        for nth in (1, 2):
            assert lives.run(f"{place}:{nth}") == -signal.SIGKILL, place
            check_whole(finished=False)
            lease_runs_out()
    assert lives.run() == 0
    check_whole(finished=True)


def test_killed_at_twenty_random_moments_each_recipient_gets_one_edition(
    world: Cast, lives: Lives
) -> None:
    chosen = random.Random(20261123)
    due()
    assert lives.run("sharing.open.after_commit") == -signal.SIGKILL
    lease_runs_out()
    begun = time.monotonic()
    assert lives.run("sharing.after_commit:2") == -signal.SIGKILL
    window = (time.monotonic() - begun) * 1.2  # about two editions, however slow the machine
    lease_runs_out()
    issued = [0]
    for kill in range(20):
        code = lives.run(kill_after=chosen.uniform(0.02, window))
        assert code == -signal.SIGKILL, f"the run was over after {kill} kills"
        check_whole(finished=False)
        lease_runs_out()
        issued.append(SharingTask.objects.filter(state="issued").count())
    assert 2 < issued[-1] < OFFICES + 3, issued  # some lives did something, some work was left
    assert lives.run() == 0
    check_whole(finished=True)


def test_two_workers_at_once_issue_nothing_twice(world: Cast) -> None:
    with world.scope(world.sato, at=timezone.now()) as by:
        for period in sharing.current_periods(by.at):
            sharing.open_run(period=period, by=by)
    crews = [Lives(), Lives()]
    try:
        for crew in crews:
            _begin(crew)
        wait_for(lambda: not OutboxMessage.objects.filter(done_at__isnull=True).exists(),
                 seconds=90, what="the run")
        for crew in crews:
            assert crew._line().startswith("ended 0")
    finally:
        for crew in crews:
            crew.stop()
    check_whole(finished=True)


def _begin(crew: Lives) -> None:
    stdin: Any = crew._process.stdin
    stdin.write("-\n")
    stdin.flush()
    assert crew._line().startswith("pid ")
