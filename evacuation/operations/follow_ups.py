"""What an applied import or an ended term means for roster and copies (異動・任期終了の影響).

Owns the worker's step after ``registry.import_applied``: who died or moved out leaves the roster
with date and reason (the entry stays), and everybody touched is judged again against every copy
in circulation (R5, R7, R11).  Entering a facility or another care level leaves the roster as it
is (the next run of the criteria shows it to an officer) and brings the plan to review at once.
"""

from __future__ import annotations

from datetime import datetime

from evacuation.domain.custody import CopyState
from evacuation.models import Copy
from evacuation.operations import custody, plan_reviews, roster_applying, strikes
from evacuation.operations.roster import touch
from registry import access, outbox
from registry.domain.importing.consequences import MEANINGS, EventKind, Touches
from registry.queries import offices
from registry.queries.roster import events_of_batch

GONE = {EventKind.DIED: "死亡", EventKind.MOVED_OUT: "転出"}


def import_applied(claimed: outbox.Claimed, at: datetime) -> None:
    """Worker: follow up one applied import, as one whole.  Again changes nothing."""
    with access.system(at=at, reason="follow_ups.import") as wide:
        events = events_of_batch(wide, batch_id=claimed.subject_id or 0)
        for kind, reason in GONE.items():
            people = sorted({e.person_id for e in events if e.kind == kind.value})
            roster_applying.remove(people, reason=reason, by=wide, wide=wide)
        touched = sorted({
            e.person_id for e in events
            if Touches.COPIES in MEANINGS[EventKind(e.kind)].touches
        })
        touch(touched, wide)
        strikes.strike_out(touched, by=wide, wide=wide)
        plan_reviews.after_events(events=[(e.person_id, e.kind) for e in events], by=wide)
        claimed.finish(at)


def term_ended(claimed: outbox.Claimed, at: datetime) -> None:
    """Worker: at the midnight that ends a term, ask vacant offices for their copies back.

    Where a successor is in office the copy waits for the hand-over (the custody overview shows
    it); where nobody is, it is recalled.  Looks at every copy, so a missed row is caught up.
    """
    with access.system(at=at, reason="follow_ups.term_ended") as wide:
        rows = list(
            Copy.objects.visible_to(wide)
            .filter(state__in=[CopyState.ISSUED.value, CopyState.RECEIVED.value])
            .values_list("pk", "office_id")
        )
        taken = offices.holders(wide, office_ids={office for _, office in rows})
        for copy_id, office in rows:
            if not taken.get(office):
                custody.recall(copy_id=copy_id, by=wide, note="任期が終わり、後任がいないため")
        claimed.finish(at)
