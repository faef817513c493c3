"""What a kiosk keeps for working without network: its sessions, their keys, its last counter.

Owns the reading that a check-in answers with.  A key signs the rotating code of one session
only (``tokens.session_key``).  Refuses names of people: a kiosk never gets one.  P5, P6.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Max

from points import keys
from points.domain import tokens
from points.models import Scan, WithdrawnScan
from points.queries.sessions import SessionLine, session, sessions
from registry.access import Scope
from registry.domain.roles import Permission

#: Today and the day after: a tablet may be made ready the evening before.
AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class KioskSession:
    """A session and the key of its rotating code."""

    line: SessionLine
    key_id: int
    key: bytes


@dataclass(frozen=True)
class Opening:
    """What a kiosk stores.  ``last_counter`` is the highest counter that ever arrived."""

    sessions: tuple[KioskSession, ...]
    code_host: str
    code_scheme: str
    last_counter: int


def opening_of(scope: Scope, *, session_id: int) -> Opening:
    """One session for a host's own screen.  Raises ``Forbidden``, ``NotFound``."""
    scope.require(Permission.SCANS_RECORD)
    line, ring = session(scope, session_id=session_id), keys.keyring()
    mine = KioskSession(line, ring.current, tokens.session_key(ring, session_id))
    return Opening((mine,), keys.code_host(), keys.code_scheme(), 0)


def opening(scope: Scope) -> Opening:
    """The sessions of today and tomorrow that one may receive at.  Four queries.

    Raises ``Forbidden`` without ``scans.record``.
    """
    scope.require(Permission.SCANS_RECORD)
    ring = keys.keyring()
    found = tuple(
        KioskSession(one, ring.current, tokens.session_key(ring, one.id))
        for one in sessions(scope, first=scope.on, last=scope.on + AHEAD)
        if one.cancelled_at is None
    )
    highest = 0
    for model in (Scan, WithdrawnScan):
        rows = model.objects.visible_to(scope).filter(user_id=scope.user_id)
        highest = max(highest, rows.aggregate(high=Max("counter"))["high"] or 0)
    return Opening(found, keys.code_host(), keys.code_scheme(), highest)
