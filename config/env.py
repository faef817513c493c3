"""Typed readers of the environment: safe defaults, and a missing value says what to do.

Owns reading; ``settings.py`` owns meaning.  Refuses a value it cannot read, naming it.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


class SettingError(SystemExit):
    """A setting is missing or unreadable; the process stops with the remedy."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"設定 {name}: {what}")


def text(name: str, default: str | None = None) -> str:
    """A string; without a default it must be set."""
    value = os.environ.get(name, default)
    if value is None:
        raise SettingError(name, "設定されていません。docs/settings.md を見てください。")
    return value


def flag(name: str, default: bool) -> bool:
    """``1/true/on`` or ``0/false/off``."""
    value = os.environ.get(name, "1" if default else "0").strip().lower()
    if value in {"1", "true", "on", "yes"}:
        return True
    if value in {"0", "false", "off", "no", ""}:
        return False
    raise SettingError(name, "on か off で書いてください。")


def number(name: str, default: int, *, least: int = 0) -> int:
    """A whole number of at least ``least``."""
    raw = os.environ.get(name, str(default))
    if not raw.isascii() or not raw.isdigit() or int(raw) < least:
        raise SettingError(name, f"{least} 以上の整数で書いてください。")
    return int(raw)


def words(name: str, default: str) -> list[str]:
    """A comma-separated list without empty parts."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def secret(name: str, path: Path) -> bytes:
    """A secret from ``NAME_FILE``, ``NAME``, or a private file made on first use (≥ 32 bytes)."""
    named = os.environ.get(f"{name}_FILE")
    if named:
        value = Path(named).read_bytes().strip()
    elif os.environ.get(name):
        value = os.environ[name].encode()
    else:
        value = _made(path)
    if len(value) < 32:
        raise SettingError(name, "32 バイト以上の秘密の値にしてください。")
    return value


def _made(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes().strip()
    with os.fdopen(handle, "wb") as target:
        target.write(secrets.token_hex(32).encode())
    return path.read_bytes().strip()


def database(url: str, *, pool: bool) -> dict[str, Any]:
    """Django's database settings from ``sqlite:///path`` or ``postgres://…``.

    Nothing else is read: a stray ``PGHOST`` must not switch databases.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": unquote(parts.path[1:]) if parts.path.startswith("//") else unquote(parts.path),
            "ATOMIC_REQUESTS": False,
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": (
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                    "PRAGMA cache_size=-65536;"
                ),
            },
        }
    if parts.scheme not in {"postgres", "postgresql"}:
        raise SettingError("DATABASE_URL", "sqlite:// か postgres:// で始めてください。")
    query = dict(parse_qsl(parts.query))
    options: dict[str, Any] = {}
    if pool:
        options["pool"] = {"min_size": 1, "max_size": int(query.pop("pool", "8")), "timeout": 5}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "tsunagari",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or query.get("host", "")),
        "PORT": str(parts.port or query.get("port", "")),
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": 0,
        "OPTIONS": options,
    }
