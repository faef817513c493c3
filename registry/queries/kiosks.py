"""Kiosks (受付端末): one's own organisation's, or all for the council.

Owns reading registered tablets.  Refuses tokens and pairing codes: only digests exist, and they
stay inside.  P5.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from registry.access import Scope
from registry.domain.errors import NotFound
from registry.domain.roles import Permission
from registry.models import Kiosk


@dataclass(frozen=True)
class KioskFact:
    """One tablet.  ``clock_offset_ms`` is server minus device at ``seen_at``."""

    id: int
    organisation_id: int
    organisation: str
    user_id: int
    name: str
    registered_at: datetime
    pairing_until: datetime | None
    paired_at: datetime | None
    revoked_at: datetime | None
    seen_at: datetime | None
    clock_offset_ms: int | None
    last_counter: int
    waiting: int


_COLUMNS = (
    "pk", "organisation_id", "organisation__name", "user_id", "name", "registered_at",
    "pairing_until", "paired_at", "revoked_at", "seen_at", "clock_offset_ms", "last_counter",
    "waiting",
)


def kiosks(scope: Scope) -> list[KioskFact]:
    """Every kiosk that the viewer answers for, those in force first.  One query.

    Raises ``Forbidden`` without ``sessions.manage``.
    """
    scope.require(Permission.SESSIONS_MANAGE)
    rows = Kiosk.objects.visible_to(scope).values_list(*_COLUMNS)
    found = [KioskFact(*row) for row in rows.order_by("organisation__name", "pk")]
    return sorted(found, key=lambda one: one.revoked_at is not None)


def kiosk(scope: Scope, *, kiosk_id: int) -> KioskFact:
    """One kiosk.  Raises ``NotFound`` when it is not one's own."""
    for one in kiosks(scope):
        if one.id == kiosk_id:
            return one
    raise NotFound


def kiosks_of_users(scope: Scope, *, user_ids: Iterable[int]) -> dict[int, KioskFact]:
    """account → its kiosk, of those visible.  One query."""
    rows = Kiosk.objects.visible_to(scope).filter(user_id__in=set(user_ids))
    return {row[3]: KioskFact(*row) for row in rows.values_list(*_COLUMNS)}
