"""The same person at two overlapping sessions: which record waits for staff.

Owns: the choice, as a pure function of the set of records, so that it does not depend on which
of them arrived first (P1).  In the order (start, session, attendance) a record waits when it
overlaps one that counts.  Records that only touch (end = start) do not overlap.
Refuses: nothing; a void record blocks nobody, one that staff cleared always counts.
Source: P8 (caught and waiting for staff, never silently dropped).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Stay:
    """One record of one person.  ``cleared``: staff saw the overlap and let it count."""

    attendance: int
    session: int
    starts_at: datetime
    ends_at: datetime
    void: bool = False
    cleared: bool = False


def waiting(stays: Iterable[Stay]) -> frozenset[int]:
    """Ids of the attendances that wait for staff."""
    counted: list[Stay] = []
    waits: set[int] = set()
    for stay in sorted(stays, key=lambda s: (s.starts_at, s.session, s.attendance)):
        if stay.void:
            continue
        clash = any(
            other.session != stay.session
            and stay.starts_at < other.ends_at
            and other.starts_at < stay.ends_at
            for other in counted
        )
        if clash and not stay.cleared:
            waits.add(stay.attendance)
        else:
            counted.append(stay)
    return frozenset(waits)
