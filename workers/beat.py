"""Beat that does not pile up bells while nobody listens.

Owns one rule: when enough bells wait already, another is not sent.  Losing a bell is harmless;
a queue that grows for a weekend is not.
"""

from __future__ import annotations

from typing import Any

from celery.beat import ScheduleEntry, Scheduler

ENOUGH = 20


class DoorbellScheduler(Scheduler):
    """Keeps its schedule in memory: periodic jobs are rows in the database, not here."""

    def apply_async(
        self, entry: ScheduleEntry, producer: Any = None, advance: bool = True, **options: Any
    ) -> Any:
        if self._waiting() >= ENOUGH:
            return self.reserve(entry) if advance else None
        return super().apply_async(entry, producer=producer, advance=advance, **options)

    def _waiting(self) -> int:
        with self.app.connection_for_write() as connection:
            channel: Any = connection.default_channel
            return int(channel.client.llen(self.app.conf.task_default_queue))
