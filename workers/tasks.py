"""The one task: the bell.  It carries nothing, and may ring as often as it likes.

Owns what a heard bell does and how one is sent.  Refuses to add a bell where enough wait already
(losing one is harmless, a queue that grows for a weekend is not), and to let an error's text
reach Celery's log: it may quote personal data.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.utils import timezone

from workers import relay, schedule
from workers.app import app, stopping

log = logging.getLogger(__name__)

#: How long one bell is worked for; the next bell goes on.  Well below the soft time limit.
BUDGET = timedelta(seconds=60)
ENOUGH = 20


@app.task(name="workers.bell")
def bell() -> None:
    """Write what is due, then work whatever waits in the outbox."""
    try:
        now = timezone.now()
        schedule.tick(now)
        relay.drain(until=now + BUDGET, stop=stopping)
    except Exception as error:  # noqa: BLE001  # the next bell tries again; rows have their leases
        log.error("bell broken off error=%s at=%s", type(error).__name__, relay.place_of(error))


def enough_wait() -> bool:
    """Whether the queue holds enough bells.  Asks Redis: raises what the transport raises."""
    pool: Any = app.pool
    with pool.acquire(block=True, timeout=2) as connection:
        waiting = connection.default_channel.client.llen(app.conf.task_default_queue)
        return int(waiting) >= ENOUGH


def send() -> bool:
    """Send a bell unless enough wait.  May block for seconds; raises when Redis does not answer."""
    if enough_wait():
        return False
    bell.apply_async(expires=30, retry=False, ignore_result=True)
    return True
