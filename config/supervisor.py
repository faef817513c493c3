"""Starts, watches and stops the service's processes; knows nothing of what they do.

Owns: child processes in their own sessions, tied to this one (PR_SET_PDEATHSIG: when the
supervisor is killed with -9, its children get SIGTERM and stop in order; the guardian ends those
that do not), their log files, restarts after a crash with a limit, and the stop in reverse order
of the start. Refuses to go on when a child dies again and again, quoting the end of its log.
Standard library only.

Rules: docs/howto/run.md; trust.md G3 (worker and Redis are back within 10 s of a crash).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from config.guardian import Guardian

RESTARTS, WITHIN_SECONDS = 5, 60.0
LOG_LIMIT = 5 * 1024 * 1024
_PR_SET_PDEATHSIG = 1


class ChildFailed(Exception):
    """A process failed for good. `name` is the process, the text ends with its last lines."""

    def __init__(self, name: str, why: str, tail: str) -> None:
        super().__init__(f"{name}: {why}" + (f"\n{tail}" if tail else ""))
        self.name = name


class Stopped(BaseException):
    """SIGINT, SIGTERM or SIGHUP arrived. Not an `Exception`: nobody swallows it on the way."""


@dataclass(frozen=True)
class Program:
    """What to run. `stop_seconds` is the grace between `stop_signal` and SIGKILL."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 15.0


@dataclass
class _Child:
    program: Program
    process: subprocess.Popen[bytes]
    deaths: list[float] = field(default_factory=list)


def tie_to_parent(sign: signal.Signals = signal.SIGTERM) -> Callable[[], None] | None:
    """A `preexec_fn` after which the child gets `sign` when its parent dies; Linux only.

    The child must not change its user afterwards (the kernel forgets the tie then); `Popen`
    changes users before it calls this.
    """
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def tie() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(sign), 0, 0, 0)
        if os.getppid() != parent:  # died between fork and prctl
            os._exit(1)

    return tie


@contextlib.contextmanager
def stop_on_signals() -> Iterator[None]:
    """Turn the usual stop signals into `Stopped`; handlers are put back at the end."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Stopped(signal.Signals(number).name)

    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup means what it says
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Supervisor:
    """The children of one run, in their order. `log_dir=None` lets them write to our output."""

    def __init__(self, *, log_dir: Path | None, cwd: Path, say: Callable[[str], None]) -> None:
        self.log_dir, self.cwd, self.say = log_dir, cwd, say
        self._children: list[_Child] = []
        self._guardian = Guardian()
        if log_dir is not None:
            log_dir.mkdir(parents=True, exist_ok=True, mode=0o700)

    def start(self, program: Program) -> None:
        """Start and keep alive from now on (see `watch`)."""
        self._children.append(_Child(program, self._spawn(program)))

    def run(self, program: Program) -> None:
        """Run one step to its end. Raises `ChildFailed` unless it exits 0."""
        process = self._spawn(program)
        try:
            code = process.wait()
        except BaseException:
            _end(process, program.stop_signal, program.stop_seconds)
            raise
        finally:
            self._guardian.forget(process.pid)
        if code != 0:
            raise ChildFailed(program.name, _died(code), self.tail(program.name))

    def watch(self, *, restart: bool = True) -> None:
        """Look once at every child; start dead ones again.

        Raises `ChildFailed` for a child that died while `restart` is off, or for the sixth time
        within a minute.
        """
        for child in self._children:
            code = child.process.poll()
            if code is None:
                continue
            name, now = child.program.name, time.monotonic()
            child.deaths = [at for at in child.deaths if now - at < WITHIN_SECONDS] + [now]
            if not restart or len(child.deaths) > RESTARTS:
                raise ChildFailed(name, _died(code), self.tail(name))
            _kill_group(child.process)  # its own children must not outlive it
            self._guardian.forget(child.process.pid)
            self.say(f"{name}: {_died(code)}、再起動します / restarting")
            child.process = self._spawn(child.program)

    def pid(self, name: str) -> int:
        """The process id of a running child; KeyError when there is none of that name."""
        for child in self._children:
            if child.program.name == name:
                return child.process.pid
        raise KeyError(name)

    def stop(self) -> None:
        """Stop all, last started first. A second Ctrl-C while waiting kills at once."""
        hurry = False
        while self._children:
            child = self._children[-1]
            seconds = 0.0 if hurry else child.program.stop_seconds
            try:
                _end(child.process, child.program.stop_signal, seconds)
            except (Stopped, KeyboardInterrupt):
                hurry = True
                continue
            self._guardian.forget(self._children.pop().process.pid)
        self._guardian.dismiss()

    def tail(self, name: str, lines: int = 15) -> str:
        """The end of a child's log; empty when it writes to our output."""
        if self.log_dir is None:
            return ""
        path = self.log_dir / f"{name}.log"
        try:
            text = path.read_bytes()[-20_000:].decode(errors="replace")
        except OSError:
            return ""
        return "\n".join([*text.splitlines()[-lines:], f"({path})"])

    def _spawn(self, program: Program) -> subprocess.Popen[bytes]:
        output = self._log(program.name)
        try:
            process = subprocess.Popen(
                [*program.command],
                env=dict(program.env),
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=None if output is None else subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=tie_to_parent(),  # noqa: PLW1509 - no threads here
            )
        finally:
            if output is not None:
                os.close(output)
        self._guardian.watch(process.pid, program.stop_seconds)
        return process

    def _log(self, name: str) -> int | None:
        if self.log_dir is None:
            return None
        path = self.log_dir / f"{name}.log"
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_size > LOG_LIMIT:
                path.replace(path.with_suffix(".log.1"))
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _died(code: int) -> str:
    if code < 0:
        return f"{signal.Signals(-code).name} で終了しました"
    return f"終了コード {code} で終わりました"


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes], sign: signal.Signals, seconds: float) -> None:
    """Ask, wait, then kill the whole group. Returns when the process is gone."""
    if process.poll() is None and seconds > 0:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=seconds)
    _kill_group(process)
    process.wait()
