"""Declared against counted, by the way people were counted (突き合わせ, P4.3, P4.5).

Owns the figures beside the device part of the reconciliation page: counts by method, the last
declared headcount with its explanation, and whether the leader confirmed it after the last
printed QR was read.  Refuses another group's session (not found).  Numbers only, no names.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max

from points.domain.tokens import PRINTED_MARGIN
from points.models import Attendance, Headcount
from points.queries.sessions import session
from registry import access
from registry.access import Scope
from registry.queries.accounts import display_names


@dataclass(frozen=True)
class HeadcountReport:
    """``unconfirmed``: read from the printed QR, and no headcount was declared since."""

    by_method: dict[str, int]
    headcount: int | None
    counted: int
    reason: str
    declared_at: datetime | None
    declared_by: str
    unconfirmed: int
    window_ends_at: datetime  # after this, the printed code counts nobody

    @property
    def difference(self) -> int | None:
        """Headcount minus counted; None while nobody has counted heads."""
        return None if self.headcount is None else self.headcount - self.counted


def headcount_report(scope: Scope, *, session_id: int) -> HeadcountReport:
    """Declared and counted of one session.  Raises ``NotFound``.  A constant number of queries."""
    line = session(scope, session_id=session_id)
    with access.system(at=scope.at, reason="headcount report") as wide:
        rows = Attendance.objects.visible_to(wide).filter(
            session_id=session_id, voided_at__isnull=True
        )
        found = list(rows.order_by().values_list("method").annotate(
            n=Count("pk"), last=Max("recorded_at")))
        last = (
            Headcount.objects.visible_to(wide).filter(session_id=session_id).order_by("-pk")
            .values_list("reason", "declared_at", "declared_by_id").first()
        )
    by_method = {row[0]: row[1] for row in found}
    latest = next((row[2] for row in found if row[0] == "printed"), None)
    reason, declared_at, by = last or ("", None, None)
    confirmed = line.headcount is not None and (
        latest is None or declared_at is None or declared_at >= latest
    )
    return HeadcountReport(
        by_method, line.headcount, sum(by_method.values()), reason, declared_at,
        display_names({by}).get(by, "") if by is not None else "",
        0 if confirmed else by_method.get("printed", 0), line.ends_at + PRINTED_MARGIN,
    )
