"""The supervisor keeps its promises: order, restarts with a limit, nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from config.supervisor import ChildFailed, Program, Supervisor

ROOT = Path(__file__).resolve().parents[2]
# Writes its name when told to stop, and its pid when it starts.
LIVES = """
import os, signal, sys, time
name, folder = sys.argv[1:]
def stop(*_):
    with open(folder + "/stopped", "a") as out: out.write(name + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
with open(folder + "/" + name + ".pid", "w") as out: out.write(str(os.getpid()))
time.sleep(60)
"""


def program(name: str, code: str, *arguments: str, stop_seconds: float = 5) -> Program:
    command = [sys.executable, "-c", code, *arguments]
    return Program(name, command, dict(os.environ), stop_seconds=stop_seconds)


def until(true: Callable[[], object], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.fixture
def supervisor(tmp_path: Path) -> Supervisor:
    return Supervisor(log_dir=tmp_path / "log", cwd=ROOT, say=lambda text: None)


def test_stops_in_reverse_order(supervisor: Supervisor, tmp_path: Path) -> None:
    for name in ("redis", "worker", "web"):
        supervisor.start(program(name, LIVES, name, str(tmp_path)))
        until((tmp_path / f"{name}.pid").exists)
    time.sleep(0.1)
    supervisor.stop()
    assert (tmp_path / "stopped").read_text().split() == ["web", "worker", "redis"]


def test_a_child_that_ignores_the_signal_is_killed_with_its_own_children(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    code = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        "with open(sys.argv[1], 'w') as out: out.write(str(child.pid))\n"
        "time.sleep(60)"
    )
    pid = tmp_path / "pid"
    supervisor.start(program("deaf", code, str(pid), stop_seconds=0.3))
    until(lambda: pid.exists() and pid.read_text())
    supervisor.stop()
    until(lambda: gone(int(pid.read_text())))


def test_restarts_after_kill_9_and_gives_up_at_the_sixth_death(supervisor: Supervisor) -> None:
    supervisor.start(program("worker", "import time; time.sleep(60)"))
    try:
        for _ in range(5):
            killed = supervisor.pid("worker")
            os.kill(killed, signal.SIGKILL)
            while supervisor.pid("worker") == killed:
                time.sleep(0.01)
                supervisor.watch()
        os.kill(supervisor.pid("worker"), signal.SIGKILL)
        with pytest.raises(ChildFailed, match="worker: SIGKILL"):
            while True:
                time.sleep(0.01)
                supervisor.watch()
    finally:
        supervisor.stop()


def test_a_failed_step_quotes_the_end_of_its_log(supervisor: Supervisor) -> None:
    with pytest.raises(ChildFailed, match=r"migrate: 終了コード 3(.|\n)*no such table"):
        supervisor.run(program("migrate", "import sys; print('no such table'); sys.exit(3)"))


def test_children_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    code = f"""
import os, sys, time
from pathlib import Path
from config.supervisor import Program, Supervisor
s = Supervisor(log_dir=None, cwd=Path("."), say=print)
s.start(Program("w", [sys.executable, "-c", {LIVES!r}, "w", {str(tmp_path)!r}], dict(os.environ)))
time.sleep(60)
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen([sys.executable, "-c", code], env=env, cwd=ROOT)
    pid = tmp_path / "w.pid"
    until(lambda: pid.exists() and pid.read_text())
    parent.kill()
    parent.wait()
    until((tmp_path / "stopped").exists)
    until(lambda: gone(int(pid.read_text())))


def test_the_deaf_and_their_children_do_not_outlive_a_supervisor_that_is_killed(
    tmp_path: Path,
) -> None:
    deaf = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        "with open(sys.argv[1], 'w') as out: out.write(str(child.pid))\n"
        "time.sleep(60)"
    )
    code = f"""
import os, sys, time
from pathlib import Path
from config.supervisor import Program, Supervisor
s = Supervisor(log_dir=None, cwd=Path("."), say=print)
command = [sys.executable, "-c", {deaf!r}, {str(tmp_path / "pid")!r}]
s.start(Program("deaf", command, dict(os.environ), stop_seconds=0.5))
time.sleep(60)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT
    )
    pid = tmp_path / "pid"
    until(lambda: pid.exists() and pid.read_text())
    family = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
    assert len(family) == 2, "the deaf one and the guardian"
    parent.kill()
    parent.wait()
    for one in [*map(int, family), int(pid.read_text())]:
        until(lambda one=one: gone(one))  # type: ignore[misc]
