"""`bin/demo`'s supervisor around a stand-in service: what it promises on the terminal and in var/.

The stand-in has a management command line, a WSGI application and a Celery app with one task; the
programs around it (Valkey, Celery, Granian) are the real ones, in a folder with a space and
Japanese in its path. The real service runs in `bin/demo --check`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.demo_folder import totp

ROOT = Path(__file__).resolve().parents[2]
CLI = """
import json, os, sys, time, urllib.request
verb, folder = sys.argv[1], os.environ["DATA_DIR"]
with open(folder + "/verbs", "a") as out:
    out.write(f"{verb} {os.environ.get('PGHOST')} {os.environ.get('DEMO')}\\n")
if verb == "seed_demo":
    open(folder + "/half", "w").close()
    time.sleep(float(os.environ.get("SEED_SECONDS", "0")))
    account = {"role": "city_officer", "username": "sato", "password": "見本", "token": None,
               "totp_secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}
    json.dump({"url": os.environ["PUBLIC_URL"], "accounts": [account]},
              open(folder + "/demo.json", "w"))
if verb == "demo_check":
    from workers.app import write
    url = json.load(open(folder + "/demo.json"))["url"]
    print("web", urllib.request.urlopen(url + "/").status, flush=True)
    write.delay(folder + "/worked")
    end = time.monotonic() + 15
    while not os.path.exists(folder + "/worked"):
        if time.monotonic() > end: sys.exit("the worker did nothing")
        time.sleep(0.05)
    print("worker ok", flush=True)
    os.unlink(folder + "/worked")
    sys.exit(int(os.environ.get("CHECK_EXIT", "0")))
"""
WSGI = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]
"""
WORKER = """
import os
from celery import Celery
app = Celery("stand-in", broker=os.environ["REDIS_URL"])
@app.task
def write(path):
    open(path, "w").close()
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A checkout whose service is the stand-in."""
    house = tmp_path / "見本 の 街"
    (house / "workers").mkdir(parents=True)
    shutil.copytree(ROOT / "config", house / "config", ignore=shutil.ignore_patterns("__pycache__"))
    (house / "config" / "cli.py").write_text(CLI)
    (house / "config" / "wsgi.py").write_text(WSGI)
    (house / "workers" / "__init__.py").touch()
    (house / "workers" / "app.py").write_text(WORKER)
    return house


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "config.demo", *arguments]


def environment(house: Path, **extra: str) -> dict[str, str]:
    left_out = ("DATABASE_", "REDIS_URL", "DATA_DIR", "PRODUCTION", "DEMO")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(left_out)}
    return {**kept, "PYTHONPATH": str(house), "PYTHONUTF8": "1", **extra}


def demo(house: Path, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), cwd=house, env=environment(house, **extra), text=True, timeout=60,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip


def verbs(house: Path) -> list[str]:
    return [line.split()[0] for line in (house / "var" / "verbs").read_text().splitlines()]


class Running:
    """A demo in the foreground of its own, and its processes."""

    def __init__(self, house: Path) -> None:
        self.process = subprocess.Popen(
            command("--port", "0"), cwd=house, env=environment(house), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self.lines: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if "Ctrl-C" in line:
                break
        self.url = json.loads((house / "var" / "demo.json").read_text())["url"]

    def family(self) -> list[int]:
        """The pids of all its descendants."""
        parents: dict[int, int] = {}
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        found = [self.process.pid]
        for pid in found:  # grows while we walk
            found += [child for child, parent in parents.items() if parent == pid]
        return found[1:]

    def whole_family(self) -> list[int]:
        """Valkey, Celery's main process and its two, beat, Granian and its two: at least eight."""
        end = time.monotonic() + 30
        while len(family := self.family()) < 8:
            assert time.monotonic() < end, f"only {family}"
            time.sleep(0.1)
        return family


def alive(pids: list[int]) -> list[int]:
    """Those that still run; a zombie waits only to be counted by its new parent."""
    found = []
    for pid in pids:
        with contextlib.suppress(OSError):
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            found += [pid] if state != "Z" else []
    return found


@pytest.fixture
def running(house: Path) -> Iterator[Running]:
    started = Running(house)
    yield started
    if started.process.poll() is None:
        started.process.kill()
    started.process.wait()


def test_check_runs_the_service_and_stops_it(house: Path) -> None:
    done = demo(house, "--check", "--port", "0", PGHOST="elsewhere.example")
    assert done.returncode == 0, done.stdout
    assert "web 200\nworker ok" in done.stdout
    assert verbs(house) == ["migrate", "seed_demo", "demo_check"]
    assert "elsewhere" not in (house / "var" / "verbs").read_text()
    for private in ("demo.json", "seeded.json", "log/worker.log"):
        assert stat.S_IMODE((house / "var" / private).stat().st_mode) == 0o600, private
    # Again: the city is there already. Another size needs --fresh, and says so.
    assert demo(house, "--check", "--port", "0").returncode == 0
    assert verbs(house).count("seed_demo") == 1
    other = demo(house, "--check", "--port", "0", "--people", "50")
    assert (other.returncode, "E-PEOPLE" in other.stdout) == (1, True)
    fresh = demo(house, "--check", "--port", "0", "--people", "50", "--fresh")
    assert fresh.returncode == 0, fresh.stdout
    assert json.loads((house / "var" / "seeded.json").read_text())["people"] == 50


def test_a_failed_check_exits_1(house: Path) -> None:
    done = demo(house, "--check", "--port", "0", CHECK_EXIT="1")
    assert (done.returncode, "E-CHECK" in done.stdout) == (1, True)


def test_a_taken_port_is_said_before_anything_starts(house: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = demo(house, "--port", str(taken.getsockname()[1]))
    assert (done.returncode, "E-PORT" in done.stdout) == (1, True)
    assert not (house / "var" / "verbs").exists()


def test_production_settings_and_a_foreign_folder_are_refused(house: Path, tmp_path: Path) -> None:
    assert demo(house, PRODUCTION="1").returncode == 2
    foreign = tmp_path / "mine"
    foreign.mkdir()
    (foreign / "letter").write_text("precious")
    done = demo(house, "--fresh", "--port", "0", DATA_DIR=str(foreign))
    assert (done.returncode, "E-NOT-OURS" in done.stdout) == (1, True)
    assert (foreign / "letter").read_text() == "precious"


def test_a_load_that_was_broken_off_is_made_anew(house: Path) -> None:
    first = subprocess.Popen(
        command("--port", "0", "--check"), cwd=house, env=environment(house, SEED_SECONDS="60"),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    end = time.monotonic() + 90  # a loaded machine takes its time
    while not (house / "var" / "half").exists() and time.monotonic() < end:
        time.sleep(0.05)
    first.send_signal(signal.SIGTERM)
    assert first.wait(timeout=20) == 1
    done = demo(house, "--port", "0", "--check")
    assert done.returncode == 0, done.stdout
    assert "作り直します" in done.stdout
    assert not (house / "var" / "seeding").exists()


def test_the_second_run_in_a_folder_names_the_first(house: Path, running: Running) -> None:
    said = "".join(running.lines)
    assert "市職員" in said
    assert "sato" in said
    second = demo(house)
    assert (second.returncode, running.url in second.stdout) == (1, True)
    assert "確認コード" in demo(house, "--codes").stdout
    family = running.whole_family()
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(timeout=30) == 0
    assert alive(family) == []
    assert demo(house, "--check", "--port", "0").returncode == 0


def test_nothing_outlives_a_demo_that_is_killed(running: Running) -> None:
    family = running.whole_family()
    running.process.kill()
    running.process.wait()
    end = time.monotonic() + 90  # a loaded machine takes its time
    while alive(family) and time.monotonic() < end:
        time.sleep(0.1)
    assert alive(family) == []


def test_confirmation_codes_are_those_of_rfc_6238() -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # "12345678901234567890", RFC 6238 appendix B
    assert [totp(secret, at) for at in (59, 1111111109, 20000000000)] == [
        "287082", "081804", "353130",
    ]  # fmt: skip
