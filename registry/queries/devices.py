"""The phones bound to the volunteer who asks, and to those whom staff may see.

Owns reading bound phones.  Refuses tokens: only digests exist, and they stay inside.  P4.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from registry.access import Scope
from registry.models import BoundDevice


@dataclass(frozen=True)
class PhoneFact:
    """One bound phone (登録したスマートフォン)."""

    id: int
    bound_at: datetime


def phones(scope: Scope, *, volunteer_id: int) -> list[PhoneFact]:
    """The phones in force of one volunteer, oldest first; empty when not visible."""
    rows = BoundDevice.objects.visible_to(scope).filter(
        volunteer_id=volunteer_id, revoked_at__isnull=True
    )
    return [PhoneFact(*row) for row in rows.order_by("pk").values_list("pk", "bound_at")]
