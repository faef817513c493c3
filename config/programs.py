"""The service's processes as commands: one place for the demo, for production and for containers.

Owns the command lines of web, worker and beat, and the environment they get. Refuses stray
libpq variables: only `DATABASE_URL` says which database is used (stack.md). Standard library only.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# TLS and password files stay: they add to DATABASE_URL and cannot name another server.
_STRAY = {
    "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGSERVICE",
    "PGSERVICEFILE", "PGOPTIONS", "PGTARGETSESSIONATTRS",
    "DJANGO_SETTINGS_MODULE",  # another project's, left in somebody's shell
}  # fmt: skip


def environment(given: Mapping[str, str], **extra: str) -> dict[str, str]:
    """A child's environment: the caller's without stray variables, and with our import path."""
    kept = {name: value for name, value in given.items() if name not in _STRAY}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "PYTHONSAFEPATH": "1",
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
        **extra,
    }


def owner(given: Mapping[str, str]) -> dict[str, str]:
    """The environment for migrations: `DATABASE_OWNER_URL`, where set, is the database."""
    env = dict(given)
    if env.get("DATABASE_OWNER_URL"):
        env["DATABASE_URL"] = env["DATABASE_OWNER_URL"]
    return env


def management(*arguments: str) -> list[str]:
    """A management command, as `bin/tsunagari` runs it."""
    return [sys.executable, "-m", "config.cli", *arguments]


def web(given: Mapping[str, str], *, host: str, port: int) -> list[str]:
    """Granian over WSGI. No access log: addresses of people would stand in it."""
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi",
        "--host", host, "--port", str(port),
        "--workers", given.get("WEB_WORKERS", "2"),
        "--blocking-threads", given.get("WEB_THREADS", "4"),
        "--respawn-failed-workers", "--respawn-interval", "0.5",
        "--workers-kill-timeout", "10s",
        "--no-access-log", "--no-ws", "--log-level", "warning",
        "config.wsgi:application",
    ]  # fmt: skip


def worker(given: Mapping[str, str]) -> list[str]:
    """Celery, prefork. The delivery settings (early ack, prefetch 1, limits) are in workers/app."""
    return [
        sys.executable, "-m", "celery", "-A", "workers.app:app", "worker", "--pool", "prefork",
        "--concurrency", given.get("WORKER_CONCURRENCY", "2"), "--loglevel", "WARNING",
        "--without-gossip", "--without-mingle",
    ]  # fmt: skip


def beat(schedule: Path) -> list[str]:
    """Celery's clock. `schedule` is its own file; any number of beats is harmless (trust.md)."""
    return [
        sys.executable, "-m", "celery", "-A", "workers.app:app", "beat", "--loglevel", "WARNING",
        "--pidfile", "", "--schedule", str(schedule),
    ]  # fmt: skip

