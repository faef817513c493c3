"""A crew for the tests: the real worker and beat as processes, a Redis without persistence.

Owns their start, their death by SIGKILL, their logs and the counting of effects.  They work on
the test's own database: the same SQLite file, or the test database on PostgreSQL as the
application's role.  Nothing here knows a handler; ``proving.py`` is what the worker loads.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connection
from django.utils import timezone

from config import programs
from config.supervisor import tie_to_parent
from registry import access, outbox
from registry.models import LogEntry, OutboxMessage
from tests import redisserver

#: A name that may stand in no log.
CANARY = "金糸雀かなりあ"
ACTION = "proof.effect"
APP = "tests.workers.proving:app"


def database_url() -> str:
    """The test database, as the application's role."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    given = os.environ.get("DATABASE_APP_URL") or os.environ["DATABASE_URL"]
    return urlunsplit(urlsplit(given)._replace(path=f"/{name}"))


def wait_for(true: Callable[[], bool], *, seconds: float, what: str, every: float = 0.05) -> float:
    """Seconds until ``true()``; AssertionError naming ``what`` when too many have passed."""
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < seconds, f"{what}: not within {seconds} s"
        time.sleep(every)
    return time.monotonic() - begun


def put(kind: str, count: int, *, start: int = 0) -> None:
    """Rows of work; the test process rings no bell, the beat does."""
    outbox.put_many(
        [(kind, n, f"{kind}:{n}") for n in range(start, start + count)], at=timezone.now()
    )


def open_rows(kind: str) -> int:
    """Rows neither done nor dead."""
    return OutboxMessage.objects.filter(
        kind=kind, done_at__isnull=True, dead_at__isnull=True
    ).count()


def effects() -> Counter[int]:
    """Subject → how often its effect is there."""
    with access.system(at=timezone.now(), reason="proof"):
        return Counter(
            LogEntry.objects.unscoped().filter(action=ACTION).values_list("subject_id", flat=True)
        )


class Crew:
    """Worker and beat. `ensure` starts again what was killed, as the supervisor does."""

    def __init__(self, folder: Path, redis: redisserver.RedisServer, **env: str) -> None:
        self.folder, self.redis = folder, redis
        self.env = programs.environment(
            {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE_", "REDIS_"))},
            DATABASE_URL=database_url(), REDIS_URL=redis.url, BELL="1", DATA_DIR=str(folder),
            SECRET_KEY="test-only-" + "s" * 40, DATA_KEY="test-only-" + "d" * 40,
            FILE_STORE=str(settings.FILE_STORE), **env,
        )  # fmt: skip
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def command(self, name: str) -> list[str]:
        made = (
            programs.worker(self.env) if name == "worker"
            else programs.beat(self.folder / "beat-schedule")
        )
        return [APP if word == "workers.app:app" else word for word in made]

    def start(self, *names: str) -> None:
        for name in names:
            with (self.folder / f"{name}.log").open("ab") as log:
                self._running[name] = subprocess.Popen(
                    self.command(name), env=self.env, cwd=programs.ROOT, stdout=log, stderr=log,
                    stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=tie_to_parent(),
                )  # fmt: skip

    def alive(self, name: str) -> bool:
        return self._running[name].poll() is None

    def pid(self, name: str = "worker") -> int:
        return self._running[name].pid

    def children(self) -> list[int]:
        """The worker's forked processes."""
        parent = self._running["worker"].pid
        with contextlib.suppress(FileNotFoundError):
            text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
            return [int(word) for word in text.split()]
        return []

    def kill(self, name: str) -> None:
        """SIGKILL to the parent alone: its children must follow by themselves."""
        with contextlib.suppress(ProcessLookupError):
            self._running[name].send_signal(signal.SIGKILL)
        self._running[name].wait()

    def ensure(self) -> None:
        for name in list(self._running):
            if not self.alive(name):
                self.start(name)

    def terminate(self, name: str, *, seconds: float) -> int:
        """SIGTERM; the exit code. TimeoutExpired when it does not end."""
        self._running[name].terminate()
        return self._running[name].wait(timeout=seconds)

    def log(self, name: str = "worker") -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def stop(self) -> None:
        for process in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def ready(self, *, seconds: float = 40) -> float:
        """Wait until a row that is put now is done."""
        key = f"ready:{time.monotonic_ns()}"
        outbox.put(kind="proof.ready", dedupe_key=key, at=timezone.now())
        done = OutboxMessage.objects.filter(dedupe_key=key, done_at__isnull=False)

        def worked() -> bool:
            assert all(self.alive(name) for name in self._running), self.log()[-2000:]
            return done.exists()

        return wait_for(worked, seconds=seconds, what="work done")


@contextlib.contextmanager
def crew(folder: Path, *names: str, **env: str) -> Iterator[Crew]:
    """A crew with a Redis of its own; everything is gone afterwards."""
    prefer = "wheel" if connection.vendor == "sqlite" else "path"
    with redisserver.redis(prefer=prefer) as server:
        made = Crew(folder, server, **env)
        try:
            made.start(*(names or ("worker", "beat")))
            yield made
        finally:
            made.stop()


def leased(kind: str) -> bool:
    """Whether a worker has a row of this kind in hand."""
    now: datetime = timezone.now()
    return OutboxMessage.objects.filter(
        kind=kind, lease_until__gt=now - timedelta(seconds=1), done_at__isnull=True
    ).exists()
