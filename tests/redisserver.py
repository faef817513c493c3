"""A throw-away Redis-protocol server for tests, on a unix socket.

Owns one server process and its folder. `prefer="path"` takes the machine's own redis-server or
valkey-server (the PostgreSQL + Redis part of the suite), `prefer="wheel"` the embedded one; each
falls back to the other. Refuses (`config.broker.NoServer`) when there is neither.

    python -m tests.redisserver run [--prefer path|wheel] -- COMMAND …      exports REDIS_URL
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from config import broker
from config.supervisor import Stopped, stop_on_signals, tie_to_parent


class RedisServer:
    """A server at `url`. `start`/`kill` may be repeated; nothing survives a kill, by design."""

    def __init__(self, prepared: broker.Embedded, binary: Path) -> None:
        self.url, self.socket = prepared.url, prepared.socket
        self.command = (str(binary), *prepared.command[1:])
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait for PONG. RuntimeError when none comes within ten seconds."""
        self.socket.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True, preexec_fn=tie_to_parent(),
        )  # fmt: skip
        if not broker.wait(self.socket):
            self.kill()
            raise RuntimeError(f"no answer from {self.command[0]}")

    def kill(self, sign: signal.Signals = signal.SIGKILL) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(sign)
            self._process.wait()
            self._process = None


def binary(prefer: str = "path") -> Path:
    """Which server would run. Raises `config.broker.NoServer`."""
    own = broker.on_path() if prefer == "path" else None
    return own or broker.find()


@contextlib.contextmanager
def redis(*, prefer: str = "path") -> Iterator[RedisServer]:
    """A running server; stopped and removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="tsunagari-redis-"))
    prepared = broker.embedded(folder)
    server = RedisServer(prepared, binary(prefer))
    try:
        server.start()
        yield server
    finally:
        server.kill(signal.SIGTERM)
        for path in filter(None, (folder, prepared.scratch)):
            shutil.rmtree(path, ignore_errors=True)


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.redisserver", allow_abbrev=False)
    parser.add_argument("verb", choices=["run"])
    parser.add_argument("--prefer", choices=["path", "wheel"], default="path")
    parser.add_argument("command", nargs="+", help="after --")
    given = parser.parse_args(argv)
    try:
        with stop_on_signals(), redis(prefer=given.prefer) as server:
            env = {**os.environ, "REDIS_URL": server.url}
            child = subprocess.Popen(given.command, env=env, preexec_fn=tie_to_parent())
            try:
                return child.wait()
            finally:
                if child.poll() is None:
                    child.terminate()
                    child.wait()
    except Stopped:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
