"""Ringing without waiting: the request goes on, a thread of its own sends the bell.

Owns one daemon thread per process, started with the first ring.  Rings that come while one is
being sent become one ring.  A failed ring is logged and forgotten; the beat rings every second.
"""

from __future__ import annotations

import logging
import os
import threading

log = logging.getLogger(__name__)

_wanted = threading.Event()
_guard = threading.Lock()
_owner = 0


def ring() -> None:
    """Ask for a bell and return at once."""
    global _owner  # one thread per process, also after a fork
    if _owner != os.getpid():
        with _guard:
            if _owner != os.getpid():
                threading.Thread(target=_send, name="doorbell", daemon=True).start()
                _owner = os.getpid()
    _wanted.set()


def _send() -> None:
    from workers.tasks import bell

    while True:
        _wanted.wait()
        _wanted.clear()
        try:
            bell.apply_async(expires=30, retry=False, ignore_result=True)
        except Exception as error:  # noqa: BLE001  # Redis may be gone at any moment
            log.warning("bell not sent: %s", type(error).__name__)
