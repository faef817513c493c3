"""Ringing without waiting: the request goes on, a thread of its own sends the bell.

Owns one daemon thread per process, started with the first ring, also after a fork.  Rings that
come while one is being sent become one ring.  A failed ring is logged and forgotten; the beat
rings every second.
"""

from __future__ import annotations

import logging
import os
import threading

log = logging.getLogger(__name__)


class _Cord:
    """What one process rings with."""

    def __init__(self) -> None:
        self.wanted = threading.Event()
        self.guard = threading.Lock()
        self.pulled = False


_cord = _Cord()


def _new_cord() -> None:
    """A child has no thread of its parent's, and perhaps a lock that nobody will ever open."""
    global _cord  # one per process
    _cord = _Cord()


os.register_at_fork(after_in_child=_new_cord)


def ring() -> None:
    """Ask for a bell and return at once."""
    cord = _cord
    if not cord.pulled:
        with cord.guard:
            if not cord.pulled:
                threading.Thread(
                    target=_send, args=(cord,), name="doorbell", daemon=True
                ).start()
                cord.pulled = True
    cord.wanted.set()


def _send(cord: _Cord) -> None:
    while True:
        cord.wanted.wait()
        cord.wanted.clear()
        try:
            from workers import tasks  # Celery is loaded here, not while somebody waits

            tasks.send()
        except Exception as error:  # noqa: BLE001  # Redis may be gone at any moment
            log.warning("bell not sent: %s", type(error).__name__)
