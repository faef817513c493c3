"""Copies of the whole database, and loading one into an empty database.

Owns the two engines' own ways: SQLite's online backup, PostgreSQL's ``pg_dump`` and
``pg_restore`` in custom format as the backup role or the owner.  Refuses a database that holds
anything, and never puts a password on a command line.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

from django.db import connection

from config import env
from registry.domain.errors import Refused


class NotEmpty(Refused):
    """The database to restore into holds accounts already."""

    code = "database_not_empty"
    message = "空のデータベースにだけ復元できます。新しいデータベースを用意してください。"


class DumpFailed(Refused):
    """The engine's own tool failed; its last line is the reason."""

    code = "dump_failed"
    message = "データベースの道具が失敗しました。"


def dump(target: Path) -> None:
    """Copy the configured database to a file, consistent while others write."""
    if connection.vendor == "sqlite":
        _copy(Path(connection.settings_dict["NAME"]), target)
        return
    _tool("pg_dump", "DATABASE_BACKUP_URL",
          ["--format=custom", "--no-owner", f"--file={target}"])


def load(source: Path) -> None:
    """Load a copy into the configured, empty database.

    Raises:
        NotEmpty: it holds accounts already.
    """
    if not is_empty():
        raise NotEmpty
    if connection.vendor == "sqlite":
        connection.close()
        _copy(source, Path(connection.settings_dict["NAME"]))
        return
    connection.close()
    _tool("pg_restore", "DATABASE_OWNER_URL",
          ["--no-owner", "--exit-on-error", "--single-transaction", str(source)], database=True)


def _copy(source: Path, target: Path) -> None:
    """SQLite's online backup, page by page."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def is_empty() -> bool:
    """Whether none of our tables exists, or no account in them."""
    with connection.cursor() as cursor:
        if "registry_user" not in connection.introspection.table_names(cursor):
            return not any(
                name.startswith(("registry_", "points_", "evacuation_"))
                for name in connection.introspection.table_names(cursor)
            )
        if connection.vendor == "postgresql":
            return False  # pg_restore makes the tables itself
        cursor.execute("SELECT COUNT(*) FROM registry_user")
        return bool(cursor.fetchone()[0] == 0)


def _tool(name: str, variable: str, arguments: list[str], *, database: bool = False) -> None:
    url = os.environ.get(variable) or os.environ.get("DATABASE_OWNER_URL") or os.environ.get(
        "DATABASE_URL", "")
    settings: dict[str, Any] = env.database(url, pool=False)
    child = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    child.update(PGHOST=settings["HOST"], PGPORT=settings["PORT"], PGUSER=settings["USER"],
                 PGPASSWORD=settings["PASSWORD"], PGDATABASE=settings["NAME"])
    command = [_found(name), *arguments]
    if database:
        command.insert(1, f"--dbname={settings['NAME']}")
    done = subprocess.run(command, env={k: v for k, v in child.items() if v},
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["?"])[-1]
        raise DumpFailed(f"{name}: {last}"[:240])


def _found(name: str) -> str:
    """The newest installed tool; Debian keeps them beside the server."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"),
                    key=lambda path: int(path.parts[4]) if path.parts[4].isdigit() else 0)
    return str(places[-1]) if places else name
