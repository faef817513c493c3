"""Who does what: the kinds of outbox rows and the operation that each one calls.

Owns the routing table and the working of one row: claim, keep the lease alive while working,
let the operation finish it in its own transaction, give it back on failure.  Siblings talk
through here, so that ``points`` and ``evacuation`` never import each other.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from evacuation.operations import (
    follow_ups,
    losses,
    matching,
    plan_reviews,
    plan_sheets,
    sharing,
    strikes,
    supporters,
)
from points.operations import facts, lapsing, ledger
from registry import audit, outbox
from registry.domain.errors import Conflict, TsunagariError
from registry.failpoints import hit

log = logging.getLogger(__name__)

#: A killed worker's row is taken up after this; with the bell's second that is within G3's 10 s.
LEASE = timedelta(seconds=8)
RENEW_SECONDS = 2.0
BEAT_SECONDS = 5.0
KEPT_DONE = timedelta(days=30)

Handler = Callable[[outbox.Claimed, datetime], None]

_last_beat = float("-inf")


class UnknownKind(Conflict):
    """A row of a kind that this release does not know: given back for one that does."""

    code = "unknown_kind"
    message = "この版のプログラムが知らない種類の処理です。"


class NotFinished(Conflict):
    """The handler returned without ``claimed.finish``: its effect may be half done."""

    code = "not_finished"
    message = "処理が完了の記録をしませんでした。"


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
    "evacuation.propose": matching.carry_out,
    "evacuation.print_plan": plan_sheets.carry_out,
    "evacuation.review_shelter": plan_reviews.shelter_closed,
    "evacuation.review_hazards": plan_reviews.zones_changed,
    "evacuation.review_due": plan_reviews.day_began,
    "registry.volunteer_changed": ledger.facts_changed,
    "registry.members_changed": facts.members_changed,
    "points.lapse_due": lapsing.day_began,
    "registry.supporter_opted_out": supporters.opt_out,
}


def register(kind: str, handler: Handler) -> None:
    """Route a further kind, before the worker starts.

    Raises:
        ValueError: somebody else does this kind already.
    """
    if HANDLERS.setdefault(kind, handler) is not handler:
        raise ValueError(f"two handlers for {kind}")


def work(claimed: outbox.Claimed) -> bool:
    """Do one row; True when it is done.  A failure gives the row back, it never gets lost."""
    code = _attempt(claimed)
    # Outside the ``except``: a fault while giving back must not drag the first one's text along.
    if code:
        connection.close()
        outbox.give_back(claimed, error=code, at=timezone.now())
    return code is None


def _attempt(claimed: outbox.Claimed) -> str | None:
    """None: done.  "": another worker has the row.  Else the code of the failure."""
    try:
        handler = HANDLERS.get(claimed.kind)
        if handler is None:
            raise UnknownKind
        with _kept(claimed):
            hit("relay.before_work")
            handler(claimed, timezone.now())
            hit("relay.after_work")
        if outbox.renew(claimed, at=timezone.now(), lease=LEASE):
            raise NotFinished
    except outbox.LeaseLost:
        log.info("lease lost kind=%s id=%s", claimed.kind, claimed.id)
        return ""
    except Exception as error:  # noqa: BLE001  # whatever it was, the row must come back
        log.error(
            "work failed kind=%s id=%s attempt=%s error=%s at=%s",
            claimed.kind, claimed.id, claimed.attempts, type(error).__name__, place_of(error),
        )
        own = error.code if isinstance(error, TsunagariError) else ""
        return own or type(error).__name__
    return None


def place_of(error: BaseException) -> str:
    """File and line of the innermost frame: enough to find it, nothing personal in it."""
    trace = error.__traceback__
    place = "?"
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


@contextmanager
def _kept(claimed: outbox.Claimed) -> Iterator[None]:
    """Renew the lease while the work goes on; a killed worker's lease runs out by itself.

    A renewal that fails is tried again: on SQLite it waits while anybody writes, on PostgreSQL
    the server may be restarting.  The fence in ``finish`` decides, not this thread.
    """
    stop = threading.Event()

    def keep() -> None:
        while not stop.wait(RENEW_SECONDS):
            try:
                if not outbox.renew(claimed, at=timezone.now(), lease=LEASE):
                    return
            except Exception as error:  # noqa: BLE001
                log.info("lease not renewed id=%s error=%s", claimed.id, type(error).__name__)
            finally:
                connection.close()

    keeper = threading.Thread(target=keep, name="lease-keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join(timeout=RENEW_SECONDS)


def drain(
    *, until: datetime, limit: int = 10_000, stop: Callable[[], bool] = lambda: False
) -> int:
    """Work rows until none waits, ``until`` has come, or ``limit`` or ``stop`` says so.

    Returns how many were done.  A row at hand is always carried to its end.
    """
    done = taken = 0
    while taken < limit and not stop() and timezone.now() < until:
        claimed = outbox.claim(at=timezone.now(), lease=LEASE, limit=1)
        _alive()
        if not claimed:
            break
        taken += 1
        done += work(claimed[0])
    return done


def _alive() -> None:
    """The heartbeat: a bell was heard and the outbox was read, noted every few seconds."""
    global _last_beat  # one per process
    if time.monotonic() - _last_beat >= BEAT_SECONDS:
        outbox.beat(name="worker", at=timezone.now())
        _last_beat = time.monotonic()
