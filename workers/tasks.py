"""The one task: the bell.  It carries nothing, and may ring as often as it likes."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from workers import relay, schedule
from workers.app import app

BUDGET = timedelta(seconds=300)


@app.task(name="workers.bell")
def bell() -> None:
    """Write what is due, then work whatever waits in the outbox."""
    now = timezone.now()
    schedule.tick(now)
    relay.drain(until=now + BUDGET)
