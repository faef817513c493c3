"""Who takes part in the benchmarks of scans: our service, the peers, the database alone.

Owns starting and stopping each of them on loopback and the stream of their requests.  Peers are
installed into an environment of their own, from the configured registry; what cannot be
installed or run is said plainly and left out.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import _load
from config import programs
from tests.pgcluster import ROOT, Cluster

PEERS = Path(tempfile.gettempdir()) / "tsunagari-bench-peers"
PACKAGES = ("django-hordak", "django-mptt", "djangorestframework", "psycopg[binary,pool]",
            "granian")


class Missing(Exception):
    """This contender cannot take part; says why."""


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def machine(cluster: Cluster | None) -> str:
    """What the figures were measured on."""
    memory = int(Path("/proc/meminfo").read_text().split()[1]) // 1024
    model = next((line.split(":")[1].strip() for line in
                  Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), "?")
    engine = ""
    if cluster is not None:
        engine = " · PostgreSQL " + cluster.psql("-c", "SHOW server_version").strip() + (
            " fsync=on" if cluster.fsync else " fsync=off")
    return (f"{os.cpu_count()} processors ({model}), {memory} MB, load {os.getloadavg()[0]:.1f}"
            f" · Python {sys.version.split()[0]}{engine} · {time.strftime('%Y-%m-%d %H:%M')}")


class Served:
    """A web service under measurement.  ``requests`` never sends the same scan twice."""

    name = ""

    def __init__(self, cluster: Cluster | None) -> None:
        self.cluster, self.port = cluster, free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.requests: Iterator[bytes] = iter(())

    @property
    def watched(self) -> list[int]:
        """The processes whose time counts: the service's and the database's."""
        server = self.cluster._server.pid if self.cluster and self.cluster._server else None
        return [pid for pid in (self.process.pid if self.process else None, server) if pid]

    def up(self, command: list[str], env: dict[str, str], path: str) -> None:
        """Start the command and wait until it answers anything."""
        self.process = subprocess.Popen(
            command, env=env, cwd=str(Path(__file__).parent if "peer" in path else ROOT),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        until = time.monotonic() + 120
        while time.monotonic() < until and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}", timeout=5).read()
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.3)
            else:
                return
        raise Missing(f"{self.name}: the server did not start")

    def measure(self, *, clients: int, seconds: float) -> _load.Outcome:
        """One run."""
        return _load.run(self.requests, port=self.port, clients=clients, seconds=seconds,
                         watch=self.watched)

    def stop(self) -> None:
        """End the server."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=30)


class Ours(Served):
    """POST points/scans through Granian with authentication, authorisation, audit."""

    name = "ours"

    def __init__(self, cluster: Cluster | None, folder: Path, people: int, sessions: int,
                 devices: int, workers: str) -> None:
        super().__init__(cluster)
        given = cluster.environment(role="owner") if cluster else {}
        self.env = programs.environment(
            {**os.environ, **given}, DATA_DIR=str(folder), BELL="0", WEB_WORKERS=workers,
            WEB_THREADS="16", DATABASE_POOL="1" if cluster else "0",
        )
        if cluster is None:
            self.env.pop("DATABASE_URL", None)
        made = subprocess.run(
            [sys.executable, "-m", "bench._world", str(people), str(sessions), str(devices)],
            env=self.env, cwd=ROOT, check=True, capture_output=True, text=True)
        self.world: dict[str, Any] = json.loads(made.stdout.splitlines()[-1])

    def start(self) -> None:
        """Serve as the application's role."""
        env = dict(self.env)
        if self.cluster:
            env["DATABASE_URL"] = self.cluster.url("app")
        self.up(programs.web(env, host="127.0.0.1", port=self.port), env, "healthz")
        self.requests = self._scans()

    def headers(self, n: int) -> dict[str, str]:
        """As a device sends them."""
        some = self.world["tokens"]
        return {"Content-Type": "application/json",
                "Authorization": f"Bearer {some[n % len(some)]}"}

    def _scans(self) -> Iterator[bytes]:
        pairs = itertools.product(self.world["sessions"], self.world["cards"])
        for n, (session, card) in enumerate(pairs):
            body = {"id": str(uuid.uuid4()), "code": card, "session": session,
                    "scanned_at": self.world["at"]}
            yield _load.post("/api/v1/points/scans", json.dumps(body).encode(), self.headers(n))


class Plain(Served):
    """The peers of ``_peer_plain``: ``kind`` is orm or hordak."""

    def __init__(self, cluster: Cluster, kind: str, people: int, sessions: int) -> None:
        super().__init__(cluster)
        self.name = {"orm": "plain DRF + ORM", "hordak": "django-hordak + DRF"}[kind]
        self.kind = kind
        python = installed()
        database = f"peer_{kind}"
        cluster.psql("-c", f"CREATE DATABASE {database} OWNER tsunagari_owner")
        self.python, self.env = python, {
            "PATH": os.environ["PATH"], "PEER_HORDAK": "1" if kind == "hordak" else "0",
            "PEER_DATABASE_URL": cluster.url("owner", database=database), "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": str(Path(__file__).parent),
        }
        made = subprocess.run(
            [python, str(Path(__file__).parent / "_peer_plain.py"), str(people), str(sessions)],
            env=self.env, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
        if made.returncode:
            raise Missing(f"{self.name}: {made.stderr.strip().splitlines()[-1][:200]}")
        self.world = json.loads(made.stdout.splitlines()[-1])

    def start(self) -> None:
        """Serve it with the same server and as many workers and threads as ours."""
        self.up([
            self.python, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port",
            str(self.port), "--workers", "2", "--blocking-threads", "16", "--no-ws",
            "--no-access-log", "--log-level", "warning", "_peer_plain:application",
        ], self.env, "peer")
        self.requests = self._scans()

    def _scans(self) -> Iterator[bytes]:
        headers = {"Content-Type": "application/json",
                   "Authorization": f"Token {self.world['token']}"}
        pairs = itertools.product(self.world["sessions"], self.world["cards"])
        for session, card in pairs:
            body = {"id": str(uuid.uuid4()), "code": card, "session": session,
                    "scanned_at": "2026-11-23T12:00:00+09:00"}
            yield _load.post(f"/{self.kind}", json.dumps(body).encode(), headers)


def installed() -> str:
    """The peers' Python, installed on first use.  Raises ``Missing``."""
    python = PEERS / "bin" / "python"
    if not (PEERS / "complete").exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(PEERS)], check=True,
                           capture_output=True)
            subprocess.run([str(python), "-m", "pip", "install", "-q", *PACKAGES], check=True,
                           capture_output=True, timeout=900)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            shutil.rmtree(PEERS, ignore_errors=True)
            raise Missing(f"peers could not be installed: {type(error).__name__}") from error
        (PEERS / "complete").touch()
    return str(python)
