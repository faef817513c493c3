"""The demo's data folder: one run at a time, what was seeded, the sign-ins.

Owns `demo.lock` (flock; the second run learns the first one's address), the marker that says the
folder was made by a demo (only then may `--fresh` empty it), `seeded.json` (what the data are) and
the reading of `demo.json`, which `seed_demo` writes. Refuses a folder that it did not make.
Standard library only.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import hmac
import json
import os
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOCK, MARKER, SEEDED, SEEDING = "demo.lock", ".made-by-demo", "seeded.json", "seeding"
ROLES = {
    "city_officer": "市職員",
    "city_approver": "市の決裁者",
    "social_welfare_council": "社会福祉協議会",
    "group_leader": "通いの場の代表",
    "neighbourhood_association": "町内会・自主防災組織",
    "welfare_commissioner_north": "民生委員(北)",
    "welfare_commissioner_south": "民生委員(南)",
    "volunteer": "ボランティア",
    "shop": "協力店",
    "care_manager": "ケアマネジャー",
    "scanner_device": "受付端末",
}


class Refusal(Exception):
    """The demo cannot start; `str` is the message, `code` the exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Account:
    """One line of `demo.json`."""

    role: str
    username: str
    password: str
    totp_secret: str
    token: str


class Folder:
    """The data folder of one demo run. `lock` before anything else; `release` at the end."""

    def __init__(self, path: Path, *, ours: bool = False) -> None:
        """`ours`: the checkout's own `var/`, which may be emptied whoever made it."""
        self.path, self.ours = path, ours
        self._lock: int | None = None

    def lock(self, url: str) -> None:
        """Make the folder ours. Raises `Refusal` naming the address of a run that has it."""
        try:
            new = not self.path.exists() or not any(self.path.iterdir())
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Refusal(
                f"E-DATA-DIR: {self.path} を使えません(別の利用者が作ったフォルダーかもしれません)"
                f" / cannot be used: {error.strerror}"
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            running = _json(self.path / LOCK)
            os.close(handle)
            raise Refusal(
                f"E-RUNNING: このフォルダーではデモがすでに動いています: {running.get('url', '?')} "
                f"(pid {running.get('pid', '?')})\n"
                "E-RUNNING: a demo is already running in this folder, at the address above; stop "
                "it with Ctrl-C or use another checkout."
            ) from None
        self._lock = handle
        os.truncate(handle, 0)
        os.pwrite(handle, json.dumps({"pid": os.getpid(), "url": url}).encode(), 0)
        if new:
            (self.path / MARKER).touch()

    def release(self) -> None:
        """Give the folder back. Safe to call twice."""
        if self._lock is not None:
            os.truncate(self._lock, 0)
            os.close(self._lock)
            self._lock = None

    def empty(self) -> None:
        """Throw the demo's data away. Raises `Refusal` in a folder that no demo made."""
        if not self.ours and not (self.path / MARKER).exists():
            raise Refusal(
                f"E-NOT-OURS: {self.path} はデモが作ったフォルダーではないため消しません / was not "
                "made by a demo; empty it yourself.",
            )
        for entry in self.path.iterdir():
            if entry.name in (LOCK, MARKER, "secrets"):  # secrets of a production beside it
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()

    def seeded(self) -> dict[str, Any]:
        """{"people", "database"} of the loaded city; empty when there is none or it is half."""
        if (self.path / SEEDING).exists() or not (self.path / "demo.json").exists():
            return {}
        return _json(self.path / SEEDED)

    def half_seeded(self) -> bool:
        """Was a load of the demo city broken off?"""
        return (self.path / SEEDING).exists()

    def seeding(self) -> None:
        """A load begins; until `seed_done` the data count as half."""
        (self.path / SEEDING).touch()

    def seed_done(self, **what: object) -> None:
        """The load ended well. The sign-ins are for this user's eyes only."""
        (self.path / "demo.json").chmod(0o600)
        _write(self.path / SEEDED, what)
        (self.path / SEEDING).unlink(missing_ok=True)

    def say_address(self, url: str) -> None:
        """Keep `demo.json` true when the port is another one this time."""
        path = self.path / "demo.json"
        found = _json(path)
        if found and found.get("url") != url:
            _write(path, {**found, "url": url})

    def accounts(self) -> list[Account]:
        """The sign-ins, as `seed_demo` wrote them."""
        return [
            Account(*(str(entry.get(name) or "") for name in Account.__dataclass_fields__))
            for entry in _json(self.path / "demo.json").get("accounts", [])
        ]


def totp(secret: str, at: float) -> str:
    """The six digits that an authenticator shows at `at` (seconds; RFC 6238, SHA-1, 30 s)."""
    key = base64.b32decode(secret.upper() + "=" * (-len(secret) % 8))
    mark = hmac.new(key, struct.pack(">Q", int(at) // 30), hashlib.sha1).digest()
    offset = mark[-1] & 15
    number = int(struct.unpack(">I", mark[offset : offset + 4])[0]) & 0x7FFF_FFFF
    return f"{number % 1_000_000:06d}"


def sign_ins(accounts: list[Account], at: float) -> str:
    """The table a person signs in with; the codes are those of this half minute."""
    lines = []
    for account in accounts:
        role = ROLES.get(account.role, account.role)
        line = f"  {role}\n      {account.username}"
        if account.password:
            line += f"  パスワード {account.password}"
        if account.totp_secret:
            line += f"  確認コード {totp(account.totp_secret, at)}"
        if account.token:
            line += f"  端末の鍵 {account.token}"
        lines.append(line)
    return "\n".join(lines)


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _write(path: Path, value: object) -> None:
    scratch = path.with_name(path.name + ".new")
    handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as target:
        json.dump(value, target, ensure_ascii=False, indent=1)
        target.flush()
        os.fsync(target.fileno())
    scratch.replace(path)
