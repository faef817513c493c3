"""Ends what a killed supervisor leaves behind: a process of its own, started by it.

Owns the last resort. The supervisor names its children's sessions on a pipe ("+SESSION SECONDS",
"-SESSION"); when the pipe closes without farewell, the supervisor is dead, its children have had
their SIGTERM from the kernel, and whoever of their sessions still runs after the grace is killed.
A Celery worker that looks for its broker while both are being stopped never ends by itself.
Linux only, like the tie itself; standard library only.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_DEAF_TO = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Guardian:
    """The supervisor's end of the pipe. Everything is harmless when there is no guardian."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def watch(self, session: int, seconds: float) -> None:
        """End this session if we die, `seconds` after its SIGTERM."""
        if self._process is None and sys.platform.startswith("linux"):
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(Path(__file__).resolve())],
                stdin=subprocess.PIPE,
                start_new_session=True,
            )
        self._tell(f"+{session} {seconds}\n")

    def forget(self, session: int) -> None:
        """The session has ended in order."""
        self._tell(f"-{session}\n")

    def dismiss(self) -> None:
        """Nobody is left to watch; returns when the guardian is gone."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            process.wait()

    def _tell(self, line: str) -> None:
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(line.encode())
                self._process.stdin.flush()


def _running(sessions: set[int], before: int) -> Iterator[tuple[int, int]]:
    """(pid, session) of those that still run and began before `before` (clock ticks since boot).

    A number that the kernel has given to a newer process in the meantime is left alone.
    """
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, *rest = path.read_text().rpartition(")")[2].split()
            session, began = int(rest[2]), int(rest[18])
            if session in sessions and began <= before and state != "Z":
                yield int(path.parent.name), session


def main() -> int:
    """Watch until the pipe closes, then see to it that nothing is left."""
    for sign in _DEAF_TO:
        signal.signal(sign, signal.SIG_IGN)
    grace: dict[int, float] = {}
    for line in sys.stdin:
        session, *seconds = line[1:].split()
        if line.startswith("+"):
            grace[int(session)] = float(seconds[0])
        else:
            grace.pop(int(session), None)
    closed = time.monotonic()
    ticks = int(time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK")) + 1
    while left := list(_running(set(grace), ticks)):
        for pid, session in left:
            if time.monotonic() - closed >= grace[session]:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
