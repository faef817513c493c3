"""The real Celery application with kinds of work that exist only to be killed.

Owns three handlers, registered when a worker is started with ``-A tests.workers.proving:app``.
An effect is a row of the access log: nothing in the database keeps it from being written twice,
so that what holds is the fence alone.  ``proof.broken`` is the control: effect and end of the
work in two transactions, which must double under kills.
"""

from __future__ import annotations

import os
import time
from datetime import datetime

from workers.app import app  # isort: skip  # sets Django up, before any model

from registry import access, audit, outbox
from tests.workers.crew import ACTION, CANARY
from workers import relay

__all__ = ["app"]


def _effect(claimed: outbox.Claimed, at: datetime, *, finish: bool) -> None:
    with access.system(at=at, reason="proof") as by:
        audit.note(scope=by, kind="change", action=ACTION, subject_kind="proof",
                   subject_id=claimed.subject_id)
        time.sleep(0.01)
        if finish:
            claimed.finish(at)


def once(claimed: outbox.Claimed, at: datetime) -> None:
    """Prepare a little, then effect and end in one transaction."""
    time.sleep(float(os.environ.get("PROOF_SECONDS", "0.05")))
    _effect(claimed, at, finish=True)


def broken(claimed: outbox.Claimed, at: datetime) -> None:
    """What must not be done: the effect is committed before the end of the work."""
    _effect(claimed, at, finish=False)
    time.sleep(float(os.environ.get("PROOF_SECONDS", "0.05")))
    with access.system(at=at, reason="proof"):
        claimed.finish(at)


def stuck(claimed: outbox.Claimed, at: datetime) -> None:
    """The first attempt hangs, to be killed; the next one is quick."""
    if claimed.attempts == 1:
        time.sleep(60)
    _effect(claimed, at, finish=True)


def slow(claimed: outbox.Claimed, at: datetime) -> None:
    """Three seconds of work."""
    time.sleep(3)
    _effect(claimed, at, finish=True)


def ready(claimed: outbox.Claimed, at: datetime) -> None:
    """Nothing but the end of the work."""
    with access.system(at=at, reason="proof"):
        claimed.finish(at)


def failing(claimed: outbox.Claimed, at: datetime) -> None:
    """Fails with a person's name in the error."""
    raise ValueError(f"{CANARY} の住所が読めません")


for _name, _handler in {
    "proof.once": once, "proof.broken": broken, "proof.stuck": stuck, "proof.slow": slow,
    "proof.failing": failing, "proof.ready": ready,
}.items():
    relay.register(_name, _handler)
