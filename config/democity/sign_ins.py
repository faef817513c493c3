"""The sign-ins of the demo's user groups, new for every demo folder.

Owns passwords, TOTP secrets and API tokens of the eleven demo accounts, and ``demo.json``
(interfaces: docs/howto/run.md), readable by its owner alone.  Refuses to keep any of it in the
repository: everything is drawn when a city is loaded.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from config.democity.organising import ACCOUNTS, Ground
from registry.access import Scope
from registry.domain.roles import ROLES, Role
from registry.operations import staff
from registry.queries import accounts

_LIFE = timedelta(days=365)


def hand_out(ground: Ground, *, at: datetime, by: Scope) -> list[dict[str, str]]:
    """A password, the second factor where the role needs one, and a token for each account."""
    found = []
    for name, username, _ in ACCOUNTS:
        role = _role(name)
        user = accounts.active_user_by_id(ground.users[name])
        if user is None:
            raise LookupError(f"account {username} is gone")
        password = totp = ""
        if role is not Role.SCANNER_DEVICE:
            password = secrets.token_urlsafe(12)
            staff.set_password(user_id=user.pk, password=password, by=by)
        if ROLES[role].needs_second_factor:
            totp = base64.b32encode(secrets.token_bytes(20)).decode()
            staff.enrol_totp(user=user, secret=totp, by=by)
        _, token = staff.issue_token(
            user_id=user.pk, name="demo", by=by, expires_at=at + _LIFE,
            scopes=[one.value for one in ROLES[role].permissions],
        )
        found.append({"role": name, "username": username, "password": password,
                      "totp_secret": totp, "token": token})
    return found


def write(path: Path, url: str, rows: list[dict[str, str]]) -> None:
    """``demo.json``, mode 0600, whole or not at all."""
    body: dict[str, Any] = {"url": url, "accounts": rows}
    scratch = path.with_name(path.name + ".new")
    handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as target:
        json.dump(body, target, ensure_ascii=False, indent=1)
        target.flush()
        os.fsync(target.fileno())
    scratch.replace(path)


def _role(name: str) -> Role:
    return Role(name.removesuffix("_north").removesuffix("_south"))
