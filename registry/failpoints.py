"""Named places where a test kills the process, to prove that nothing is lost or doubled.

Owns ``hit``.  Does nothing unless the environment names the place: ``TSUNAGARI_FAILPOINT=name``
kills at the first hit, ``name:3`` at the third.  trust.md, "Kill tests use named failpoints".
"""

from __future__ import annotations

import os
import signal

_hits: dict[str, int] = {}


def hit(name: str) -> None:
    """Die here by SIGKILL when the environment says so."""
    wanted = os.environ.get("TSUNAGARI_FAILPOINT")
    if not wanted:
        return
    place, _, count = wanted.partition(":")
    if place != name:
        return
    _hits[name] = _hits.get(name, 0) + 1
    if _hits[name] >= int(count or "1"):
        os.kill(os.getpid(), signal.SIGKILL)
