"""A throw-away PostgreSQL cluster from the installed binaries, with the service's four roles.

Owns the cluster's folder, processes and passwords; everything is gone afterwards, also when this
process is killed with -9 (the postmaster is tied to it, and the next start sweeps the folder).
Refuses nothing; `binaries()` is None where PostgreSQL is not installed. PostgreSQL does not run
as root, so under root it runs as `postgres` or `nobody`. The roles come from `bin/roles.sql`, the
same file that production uses; only here may the owner create databases and become the app.

    python -m tests.pgcluster run [--as owner|app] [--fast] -- COMMAND …
        exports DATABASE_URL (of that role; default app), DATABASE_OWNER_URL, DATABASE_APP_URL,
        DATABASE_BACKUP_URL, DATABASE_PURGE_URL; the exit code is the command's
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.supervisor import Stopped, stop_on_signals, tie_to_parent

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "tsunagari-pg-"
DATABASE = "tsunagari"
ROLES = ("owner", "app", "backup", "purge")
_STRAY = re.compile(r"PG[A-Z]+")


def binaries() -> Path | None:
    """The folder of the newest installed PostgreSQL ≥ 15 server, or None."""
    found = sorted(
        (path for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")),
        key=lambda path: int(path.parent.parent.name),
        reverse=True,
    )
    on_path = shutil.which("initdb")
    for initdb in [*found, *([Path(on_path)] if on_path else [])]:
        said = subprocess.run([initdb, "--version"], capture_output=True, text=True, check=False)
        version = re.search(r"\(PostgreSQL\) (\d+)", said.stdout)
        if said.returncode == 0 and version and int(version[1]) >= 15:
            return initdb.resolve().parent
    return None


def _account() -> pwd.struct_passwd | None:
    """Whom to run the server as; None for ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("PostgreSQL needs an ordinary user: neither postgres nor nobody exists")


def _base() -> Path:
    """A folder that the server's user can enter, short enough for a socket's path."""
    wanted = Path(tempfile.gettempdir())
    open_to_all = all(path.stat().st_mode & 0o001 for path in [wanted, *wanted.parents])
    return wanted if open_to_all and len(str(wanted)) < 60 else Path("/tmp")


def _sweep(base: Path) -> None:
    """Remove folders of runs that were killed: their maker's pid is in the name."""
    for path in base.glob(f"{PREFIX}*"):
        pid = path.name.removeprefix(PREFIX).split("-")[0]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(path, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Cluster:
    """A cluster in `folder`. `start`/`stop`/`kill` may be repeated; the data stay."""

    folder: Path
    bin: Path
    fsync: bool
    port: int = 0
    passwords: dict[str, str] = field(default_factory=dict)
    _server: subprocess.Popen[bytes] | None = None

    def url(self, role: str = "app", *, database: str = DATABASE) -> str:
        """`postgres://…` over loopback TCP for owner, app, backup, purge or superuser."""
        user = "postgres" if role == "superuser" else f"tsunagari_{role}"
        return f"postgres://{user}:{self.passwords[role]}@127.0.0.1:{self.port}/{database}"

    def environment(self, *, role: str = "app") -> dict[str, str]:
        """The variables for a process that uses the cluster as `role`."""
        urls = {f"DATABASE_{name.upper()}_URL": self.url(name) for name in ROLES}
        return {**urls, "DATABASE_URL": self.url(role)}

    def start(self) -> None:
        """Start and wait until it takes connections. RuntimeError with the log's end otherwise."""
        for _ in range(3):  # another process may take the free port first
            self.port = self.port or _free_port()
            options = {
                "listen_addresses": "127.0.0.1",
                "port": self.port,
                "unix_socket_directories": self.folder,
                "max_connections": 100,
                "fsync": "on" if self.fsync else "off",
                "synchronous_commit": "on" if self.fsync else "off",
                "full_page_writes": "on" if self.fsync else "off",
                "shared_buffers": "128MB",
                "log_min_messages": "warning",
            }
            settings = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
            with (self.folder / "log").open("ab") as log:
                self._server = subprocess.Popen(
                    [self.bin / "postgres", "-D", self.folder / "data", *settings],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                    preexec_fn=tie_to_parent(signal.SIGINT), **self._who(),
                )  # fmt: skip
            if self._answers():
                return
            self.stop()
            self.port = 0
        raise RuntimeError((self.folder / "log").read_text(errors="replace")[-2000:])

    def stop(self) -> None:
        """Fast shutdown: sessions are broken off, data are flushed."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Every process of the server dies at once, as in a power cut."""
        self._end(signal.SIGKILL)

    def psql(self, *arguments: str, database: str = "postgres") -> str:
        """Run psql as the superuser; its output. CalledProcessError when it fails."""
        done = subprocess.run(
            [self.bin / "psql", "-X", "-q", "-A", "-t", *arguments, database],
            check=True, text=True, stdout=subprocess.PIPE, cwd="/", env={
                "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "PGHOST": "127.0.0.1",
                "PGPORT": str(self.port), "PGUSER": "postgres",
                "PGPASSWORD": self.passwords["superuser"],
            },
        )  # fmt: skip
        return done.stdout

    def prepare(self) -> None:
        """initdb, first start, roles. Once."""
        self.passwords = {name: secrets.token_hex(16) for name in (*ROLES, "superuser")}
        secret = self.folder / "password"
        secret.write_text(self.passwords["superuser"])
        if (account := _account()) is not None:
            for path in (self.folder, secret):
                os.chown(path, account.pw_uid, account.pw_gid)
        subprocess.run(
            [
                self.bin / "initdb", "-D", self.folder / "data", "-U", "postgres", "--no-sync",
                "--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", f"--pwfile={secret}",
            ],
            check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **self._who(),
        )  # fmt: skip
        secret.unlink()
        self.start()
        given = [f"--set={role}_password={self.passwords[role]}" for role in ROLES]
        roles = ROOT / "bin" / "roles.sql"
        self.psql(*given, f"--set=database={DATABASE}", "-f", str(roles))
        # Test databases are made by the owner from template1, and run as the application.
        self.psql("-f", str(roles.with_name("roles-database.sql")), database="template1")
        self.psql("-c", "ALTER ROLE tsunagari_owner CREATEDB")
        self.psql("-c", "GRANT tsunagari_app, tsunagari_purge TO tsunagari_owner")

    def _who(self) -> dict[str, Any]:
        env = {k: v for k, v in os.environ.items() if not _STRAY.fullmatch(k)}
        common: dict[str, Any] = {"cwd": self.folder, "env": {**env, "LC_ALL": "C"}}
        if (account := _account()) is None:
            return common
        return {**common, "user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}

    def _answers(self) -> bool:
        until = time.monotonic() + 30
        while time.monotonic() < until and self._server and self._server.poll() is None:
            asked = subprocess.run(
                [self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)],
                check=False,
            )
            if asked.returncode == 0 and self._server.poll() is None:
                return True
            time.sleep(0.05)
        return False

    def _end(self, sign: signal.Signals) -> None:
        if self._server is None:
            return
        with contextlib.suppress(ProcessLookupError):
            if sign is signal.SIGKILL:
                os.killpg(self._server.pid, sign)
            self._server.send_signal(sign)
        try:
            self._server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait()
        self._server = None


@contextlib.contextmanager
def cluster(*, fsync: bool = True) -> Iterator[Cluster]:
    """A running cluster with database and roles; removed afterwards.

    RuntimeError when PostgreSQL is not installed or does not start. `fsync=False` is for speed
    only: what such a run proves about crashes is nothing.
    """
    folder_of_binaries = binaries()
    if folder_of_binaries is None:
        raise RuntimeError("PostgreSQL 15 or newer is not installed (apt-get install postgresql)")
    base = _base()
    _sweep(base)
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=base))
    made = Cluster(folder, folder_of_binaries, fsync)
    try:
        made.prepare()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.pgcluster", allow_abbrev=False)
    parser.add_argument("verb", choices=["run"])
    parser.add_argument("--as", dest="role", choices=ROLES, default="app")
    parser.add_argument("--fast", action="store_true", help="fsync off")
    parser.add_argument("command", nargs="+", help="after --")
    given = parser.parse_args(argv)
    try:
        with stop_on_signals(), cluster(fsync=not given.fast) as made:
            env = {**os.environ, **made.environment(role=given.role)}
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
