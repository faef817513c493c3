"""What an applied import means for roster and copies (異動の影響).

Owns the worker's step after ``registry.import_applied``: who died or moved out leaves the roster
with date and reason (the entry stays), and everybody touched is judged again against every copy
in circulation (R5, R7, R11).  Entering a facility or another care level changes nothing here: the
next run of the criteria shows it to an officer.
"""

from __future__ import annotations

from datetime import datetime

from evacuation.operations import roster_applying, strikes
from evacuation.operations.roster import touch
from registry import access, outbox
from registry.domain.importing.consequences import MEANINGS, EventKind, Touches
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
        claimed.finish(at)
