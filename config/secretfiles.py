"""The production secrets as files: made once, read by `NAME_FILE` variables.

Owns the names and forms of the files that docker-compose.yml mounts. Refuses to overwrite any: a
new key would make old data unreadable. Standard library only. Source: trust.md "Keys".
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

ROLES = ("owner", "app", "backup", "purge")
KEYS = ("secret_key", "data_key")
# Addresses that hold a password, so they may come from a file, too.
FROM_FILE = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")


def make(folder: Path, *, host: str = "db", database: str = "tsunagari") -> list[str]:
    """Make every missing file in `folder` (mode 0700); the names of those made.

    The files are 0444 inside the closed folder: a container gets single files mounted and runs as
    another user. `host` is where the database will answer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    made = []

    def once(name: str, value: str) -> str:
        path = folder / name
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
        except FileExistsError:
            return path.read_text().strip()
        with os.fdopen(handle, "w") as target:
            target.write(value + "\n")
        path.chmod(0o444)
        made.append(name)
        return value

    once("postgres_password", secrets.token_hex(24))
    for key in KEYS:
        once(key, secrets.token_hex(32))
    passwords = {role: once(f"{role}_password", secrets.token_hex(24)) for role in ROLES}
    for role, name in (("app", "database_url"), ("owner", "database_owner_url")):
        once(name, f"postgres://tsunagari_{role}:{passwords[role]}@{host}:5432/{database}")
    return made


def read(given: Mapping[str, str]) -> dict[str, str]:
    """`given` with each `NAME_FILE` of `FROM_FILE` read into NAME. OSError when unreadable."""
    env = dict(given)
    for name in FROM_FILE:
        if path := env.pop(f"{name}_FILE", ""):
            env[name] = Path(path).read_text().strip()
    return env
