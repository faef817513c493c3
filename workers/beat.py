"""Beat rings every second, never piles bells up, and never stands still when Redis is away.

Owns two rules: when enough bells wait already, another is not sent; a bell that cannot be sent
is one line in the log, without a stack, and the next second tries again.
"""

from __future__ import annotations

import logging
from typing import Any

from celery.beat import ScheduleEntry, Scheduler

from workers import tasks

log = logging.getLogger(__name__)


class DoorbellScheduler(Scheduler):
    """Keeps its schedule in memory: periodic jobs are rows in the database, not here."""

    #: Celery's own producer would wait for Redis with growing pauses; the pool's does not.
    producer: Any = None

    def apply_async(
        self, entry: ScheduleEntry, producer: Any = None, advance: bool = True, **options: Any
    ) -> Any:
        try:
            if not tasks.enough_wait():
                return super().apply_async(entry, producer=None, advance=advance, **options)
        except Exception as error:  # noqa: BLE001  # Redis may be gone at any moment
            log.warning("bell not sent: %s", type(error).__name__)
        return self.reserve(entry) if advance else None
