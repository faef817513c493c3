"""Whatever must happen afterwards: rows with fenced leases, and a bell without content.

Owns the rules of the outbox (trust.md, "outbox + doorbell"): a row is written in the business
transaction; the bell only says "look"; a claim takes a lease with a token; work is marked done
in one transaction with its effect, only while the token is still ours.  Knows no queue:
``workers`` registers the bell.  Refuses to re-publish by age, and to lose a row.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Q

from registry.domain.errors import Conflict, NotFound
from registry.models import Heartbeat, OutboxMessage

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 8
_bells: list[Callable[[], None]] = []


class LeaseLost(Conflict):
    """Another worker holds the row now; nothing of ours may be written."""

    code = "lease_lost"
    message = "別の作業者が引き継いだため、この処理は取りやめました。"


@dataclass(frozen=True)
class Claimed:
    """A row that is ours until ``until``.  ``finish`` belongs into the effect's transaction."""

    id: int
    kind: str
    subject_id: int | None
    dedupe_key: str
    token: uuid.UUID
    attempts: int
    until: datetime

    def finish(self, at: datetime) -> None:
        """Mark done, only while the lease is ours.

        Raises:
            LeaseLost: the lease went to somebody else; roll back.
        """
        if not connection.in_atomic_block:
            raise RuntimeError("finish() belongs into the transaction of the effect")
        done = OutboxMessage.objects.filter(
            pk=self.id, lease_token=self.token, done_at__isnull=True
        ).update(done_at=at, lease_token=None, lease_until=None, last_error="")
        if done != 1:
            raise LeaseLost


def on_ring(bell: Callable[[], None]) -> None:
    """Register what rings after a commit.  A bell must be quick and may fail."""
    if bell not in _bells:
        _bells.append(bell)


def put(
    *,
    kind: str,
    dedupe_key: str,
    at: datetime,
    subject_id: int | None = None,
    run_after: datetime | None = None,
) -> bool:
    """Write one row in the open transaction; False when the same key is there already."""
    return put_many(
        [(kind, subject_id, dedupe_key)], at=at, run_after=run_after
    ) == 1


def put_many(
    rows: Iterable[tuple[str, int | None, str]], *, at: datetime, run_after: datetime | None = None
) -> int:
    """Write (kind, subject id, dedupe key) rows; the number of new ones is returned."""
    wanted = {key: (kind, subject) for kind, subject, key in rows}
    there = set(
        OutboxMessage.objects.filter(dedupe_key__in=list(wanted)).values_list(
            "dedupe_key", flat=True
        )
    ) if len(wanted) <= 500 else _present(list(wanted))
    new = [
        OutboxMessage(
            kind=kind, subject_id=subject, dedupe_key=key, created_at=at,
            run_after=run_after or at,
        )
        for key, (kind, subject) in wanted.items()
        if key not in there
    ]
    OutboxMessage.objects.bulk_create(new, ignore_conflicts=True, batch_size=500)
    if new:
        transaction.on_commit(ring, robust=True)
    return len(new)


def _present(keys: list[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(keys), 500):
        found.update(
            OutboxMessage.objects.filter(dedupe_key__in=keys[start : start + 500]).values_list(
                "dedupe_key", flat=True
            )
        )
    return found


def ring() -> None:
    """Say "look".  A bell that fails is logged and forgotten: the beat rings again."""
    for bell in _bells:
        try:
            bell()
        except Exception as error:  # noqa: BLE001  # a broken bell must not break the request
            log.warning("bell failed: %s", type(error).__name__)


def claim(*, at: datetime, lease: timedelta, limit: int = 1) -> list[Claimed]:
    """Take up to ``limit`` waiting rows, oldest first, skipping what others hold."""
    token, until = uuid.uuid4(), at + lease
    with transaction.atomic():
        waiting = (
            OutboxMessage.objects.filter(
                Q(lease_until__isnull=True) | Q(lease_until__lte=at),
                done_at__isnull=True, dead_at__isnull=True, run_after__lte=at,
            )
            .order_by("run_after", "id")
        )
        if connection.features.has_select_for_update_skip_locked:
            waiting = waiting.select_for_update(skip_locked=True)
        rows = list(waiting[:limit])
        worn = [row for row in rows if row.attempts >= MAX_ATTEMPTS]
        if worn:
            OutboxMessage.objects.filter(pk__in=[row.pk for row in worn]).update(
                dead_at=at, lease_token=None, lease_until=None, last_error="worker_died"
            )
        ours = [row for row in rows if row.attempts < MAX_ATTEMPTS]
        OutboxMessage.objects.filter(pk__in=[row.pk for row in ours]).update(
            lease_token=token, lease_until=until, attempts=F("attempts") + 1
        )
    return [
        Claimed(
            row.pk, row.kind, row.subject_id, row.dedupe_key, token, row.attempts + 1, until
        )
        for row in ours
    ]


def renew(claimed: Claimed, *, at: datetime, lease: timedelta) -> bool:
    """Prolong a lease that is still ours; False when it is not."""
    return (
        OutboxMessage.objects.filter(
            pk=claimed.id, lease_token=claimed.token, done_at__isnull=True
        ).update(lease_until=at + lease)
        == 1
    )


def give_back(claimed: Claimed, *, error: str, at: datetime) -> None:
    """Return a row after a failure: again later, or dead after ``MAX_ATTEMPTS``.

    ``error`` is a code or an exception's class name, never a value.
    """
    final = claimed.attempts >= MAX_ATTEMPTS
    OutboxMessage.objects.filter(pk=claimed.id, lease_token=claimed.token).update(
        lease_token=None, lease_until=None, last_error=error[:240],
        run_after=at + timedelta(seconds=2 ** min(claimed.attempts, 8)),
        dead_at=at if final else None,
    )


def retry_dead(*, message_id: int, at: datetime) -> None:
    """An operator wakes a dead row.

    Raises:
        NotFound: there is no dead row of this number.
    """
    woken = OutboxMessage.objects.filter(pk=message_id, dead_at__isnull=False).update(
        dead_at=None, attempts=0, run_after=at
    )
    if woken != 1:
        raise NotFound
    transaction.on_commit(ring, robust=True)


def prune(*, before: datetime) -> int:
    """Forget work that was done before an instant; open and dead rows stay."""
    return OutboxMessage.objects.filter(done_at__lt=before).delete()[0]


def beat(*, name: str, at: datetime) -> None:
    """Note that real work happened."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": at})


def heartbeats() -> dict[str, datetime]:
    """Name → the last time that real work happened."""
    return dict(Heartbeat.objects.order_by("name").values_list("name", "at"))


@dataclass(frozen=True)
class Row:
    """An open or dead row as an operator sees it: codes and numbers, nothing personal."""

    id: int
    kind: str
    subject_id: int | None
    dedupe_key: str
    created_at: datetime
    run_after: datetime
    attempts: int
    last_error: str
    leased: bool
    dead: bool


def unfinished(*, at: datetime, limit: int = 50) -> list[Row]:
    """What is dead, then what waits or is being worked on; oldest first."""
    rows = OutboxMessage.objects.filter(done_at__isnull=True).order_by(
        F("dead_at").asc(nulls_last=True), "run_after", "id"
    )
    return [
        Row(
            row.pk, row.kind, row.subject_id, row.dedupe_key, row.created_at, row.run_after,
            row.attempts, row.last_error,
            leased=row.lease_until is not None and row.lease_until > at,
            dead=row.dead_at is not None,
        )
        for row in rows[: max(0, limit)]
    ]


@dataclass(frozen=True)
class Pulse:
    """The state of the outbox, for /readyz and operators."""

    waiting: int
    oldest: datetime | None
    dead: int


def pulse(*, at: datetime) -> Pulse:
    """How much waits, since when, and what has died."""
    open_rows = OutboxMessage.objects.filter(done_at__isnull=True, dead_at__isnull=True)
    due = open_rows.filter(run_after__lte=at)
    oldest = due.order_by("run_after").values_list("run_after", flat=True).first()
    return Pulse(due.count(), oldest, OutboxMessage.objects.filter(dead_at__isnull=False).count())
