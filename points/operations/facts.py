"""Facts about people changed in the registry: points follow (P1), set by set.

Owns the handlers of the registry's announcements.  Each counts again whoever may be touched, in
blocks that are transactions of their own: counting twice posts nothing twice, and a worker that
is killed leaves whole blocks behind.  In a closed year nothing moves; what would move waits for a
named correction (``withheld``).  Refuses nothing.
"""

from __future__ import annotations

from datetime import datetime

from points.models import Attendance
from points.operations.ledger import recompute
from registry import access, failpoints, outbox

BLOCK = 500


def members_changed(claimed: outbox.Claimed, at: datetime) -> None:
    """Outbox ``registry.members_changed``: many memberships of one organisation began or ended.

    Membership decides about that organisation's own sessions only, so everybody who was ever
    counted there is counted again.  Safe to run twice.
    """
    after = 0
    while True:
        with access.system(at=at, reason="members changed") as wide:
            here = Attendance.objects.visible_to(wide).filter(
                session__organisation_id=claimed.subject_id, volunteer_id__gt=after
            ).order_by("volunteer_id").values_list("volunteer_id", flat=True)
            ids = list(here.distinct()[:BLOCK])
            if not ids:
                claimed.finish(at)
                return
            recompute(volunteer_ids=ids, by=wide)
            failpoints.hit("facts.members_block")
        after = ids[-1]
