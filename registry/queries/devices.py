"""The phones bound to the volunteer who asks, and to those whom staff may see.

Owns reading bound phones.  Refuses tokens: only digests exist, and they stay inside.  P4.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet

from registry.access import Scope
from registry.domain.roles import Permission
from registry.models import BindingAttempt, BoundDevice, Card

#: Wrong tries to bind that are counted together, and how many stop one card.
WINDOW = timedelta(hours=1)
MOST_WRONG_PER_CODE = 5


@dataclass(frozen=True)
class PhoneFact:
    """One bound phone (登録したスマートフォン)."""

    id: int
    bound_at: datetime


def wrong_tries(scope: Scope, *, volunteer_id: int) -> QuerySet[BindingAttempt]:
    """The wrong tries of the last hour with any card of the volunteer."""
    digests = [
        bytes(one) for one in Card.objects.visible_to(scope).filter(
            Q(volunteer_id=volunteer_id) | Q(volunteer__merged_into_id=volunteer_id)
        ).values_list("digest", flat=True)
    ]
    found: QuerySet[BindingAttempt] = BindingAttempt.objects.filter(
        code_digest__in=digests, worked=False, at__gt=scope.at - WINDOW
    )
    return found


def tries(scope: Scope, *, volunteer_id: int) -> tuple[int, bool]:
    """How many wrong tries of the last hour staff see, and whether they stop binding."""
    if not scope.may(Permission.VOLUNTEERS_MANAGE):
        return 0, False
    wrong = wrong_tries(scope, volunteer_id=volunteer_id).order_by()
    counts = [count for _, count in wrong.values_list("code_digest").annotate(count=Count("pk"))]
    return sum(counts), any(count >= MOST_WRONG_PER_CODE for count in counts)


def phones(scope: Scope, *, volunteer_id: int) -> list[PhoneFact]:
    """The phones in force of one volunteer, oldest first; empty when not visible."""
    rows = BoundDevice.objects.visible_to(scope).filter(
        volunteer_id=volunteer_id, revoked_at__isnull=True
    )
    return [PhoneFact(*row) for row in rows.order_by("pk").values_list("pk", "bound_at")]
