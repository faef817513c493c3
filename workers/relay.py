"""Who does what: the kinds of outbox rows and the operation that each one calls.

Owns the routing table and the working of one row: claim, keep the lease alive while working,
let the operation finish it in its own transaction, give it back on failure.  Siblings talk
through here, so that ``points`` and ``evacuation`` never import each other.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import close_old_connections, connection, transaction
from django.utils import timezone

from evacuation.operations import follow_ups, losses, sharing, strikes
from registry import outbox
from registry.failpoints import hit
from registry.operations import audit

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=12)
RENEW_SECONDS = 3.0
KEPT_DONE = timedelta(days=30)

Handler = Callable[[outbox.Claimed, datetime], None]


class UnknownKind(Exception):
    """A row of a kind that this release does not know; it waits for one that does."""


def _seal_log(claimed: outbox.Claimed, at: datetime) -> None:
    audit.seal(at=at)
    with transaction.atomic():
        claimed.finish(at)


def _prune(claimed: outbox.Claimed, at: datetime) -> None:
    with transaction.atomic():
        outbox.prune(before=at - KEPT_DONE)
        claimed.finish(at)


HANDLERS: dict[str, Handler] = {
    "registry.seal_log": _seal_log,
    "registry.prune_outbox": _prune,
    "registry.import_applied": follow_ups.import_applied,
    "registry.term_ended": follow_ups.term_ended,
    "evacuation.sharing": sharing.open_due,
    "evacuation.edition": sharing.build_edition,
    "evacuation.strike_out_letter": strikes.write_letter,
    "evacuation.loss_letters": losses.write_letters,
}


def work(claimed: outbox.Claimed) -> bool:
    """Do one row; True when it is done.  A failure gives the row back, it never gets lost."""
    try:
        handler = HANDLERS.get(claimed.kind)
        if handler is None:
            raise UnknownKind(claimed.kind)
        with _kept(claimed):
            hit("relay.before_work")
            handler(claimed, timezone.now())
            hit("relay.after_work")
    except outbox.LeaseLost:
        log.info("lease lost kind=%s id=%s", claimed.kind, claimed.id)
        return False
    except Exception as error:  # noqa: BLE001  # whatever it was, the row must come back
        log.error(
            "work failed kind=%s id=%s error=%s at=%s",
            claimed.kind, claimed.id, type(error).__name__, _place(error),
        )
        connection.close()
        name = getattr(error, "code", "") or type(error).__name__
        outbox.give_back(claimed, error=str(name), at=timezone.now())
        return False
    outbox.beat(name="worker", at=timezone.now())
    return True


def _place(error: BaseException) -> str:
    """File and line of the innermost frame: enough to find it, nothing personal in it."""
    trace = error.__traceback__
    place = "?"
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


@contextmanager
def _kept(claimed: outbox.Claimed) -> Iterator[None]:
    """Renew the lease while the work goes on; a killed worker's lease runs out by itself."""
    stop = threading.Event()

    def keep() -> None:
        try:
            while not stop.wait(RENEW_SECONDS):
                if not outbox.renew(claimed, at=timezone.now(), lease=LEASE):
                    return
        except Exception as error:  # noqa: BLE001  # the fence in finish() decides, not this thread
            log.warning("lease not renewed id=%s error=%s", claimed.id, type(error).__name__)
        finally:
            connection.close()

    keeper = threading.Thread(target=keep, name="lease-keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join(timeout=RENEW_SECONDS * 2)


def drain(*, until: datetime, limit: int = 10_000) -> int:
    """Work rows until none waits, the time is up, or ``limit`` is reached; how many were done."""
    done = 0
    while done < limit and timezone.now() < until:
        claimed = outbox.claim(at=timezone.now(), lease=LEASE, limit=1)
        if not claimed:
            break
        done += sum(work(one) for one in claimed)
        close_old_connections()
    return done
