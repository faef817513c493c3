"""Periodic jobs are rows, unique per (job, period).

Owns the table of jobs and which period an instant belongs to.  Any number of beats is
harmless; a missed tick is caught up by the next, because the period is computed from the
instant and the row is made if it is not there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from evacuation.operations import sharing
from registry import outbox
from registry.access import JAPAN, day_of


@dataclass(frozen=True)
class Job:
    """A kind of outbox row and the function naming its period (None: nothing is due)."""

    name: str
    kind: str
    period: Callable[[datetime], str | None]


def _five_minutes(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H}:{at.minute // 5 * 5:02d}"


def _day(at: datetime) -> str:
    return day_of(at).isoformat()


def _sharing(at: datetime) -> str | None:
    """Every hour of the current sharing period: the handler opens what is not open yet."""
    return f"{'+'.join(sharing.current_periods(at))}@{at:%Y-%m-%dT%H}"


JOBS: list[Job] = [
    Job("sharing", "evacuation.sharing", _sharing),
    Job("plan_reviews", "evacuation.review_due", _day),
    Job("lapse", "points.lapse_due", _day),
    Job("seal_log", "registry.seal_log", _five_minutes),
    Job("prune_outbox", "registry.prune_outbox", _day),
]


def tick(at: datetime) -> int:
    """Write the rows that are due and not there yet; how many were new.

    Most ticks find everything there and only read: no transaction, so that SQLite's one place
    for a writer stays free.
    """
    here = at.astimezone(JAPAN)  # one instant, one period, whatever zone it came in
    rows = [
        (job.kind, None, f"job:{job.name}:{period}")
        for job in JOBS
        if (period := job.period(here)) is not None
    ]
    return outbox.put_many(rows, at=at)
