"""The process that the kill tests kill: everything loaded, one forked life per line of input.

A line names a failpoint, or is "-".  The answer is "pid N", then "ended CODE" (negative: the
signal).  A life works the outbox until nothing waits.  Nothing is printed or rendered before
the fork, so that every life starts alike.
"""

from __future__ import annotations

import os
import sys
import traceback
from datetime import timedelta

import django

django.setup()

from django.db import connections  # noqa: E402
from django.utils import timezone  # noqa: E402

from workers import relay  # noqa: E402


def live(failpoint: str) -> None:
    """One life: drain the outbox, as a worker does after a bell."""
    if failpoint != "-":
        os.environ["TSUNAGARI_FAILPOINT"] = failpoint
    try:
        relay.drain(until=timezone.now() + timedelta(seconds=60))
    except BaseException:  # noqa: BLE001  # the parent reads the trace
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def main() -> None:
    connections.close_all()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            live(line.strip())
        sys.stdout.write(f"pid {child}\n")
        sys.stdout.flush()
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"ended {os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
