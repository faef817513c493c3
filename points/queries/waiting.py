"""What waits for staff because one person, or one activity, was written down twice (P8).

Owns the queue: records of a person at two overlapping sessions, the same activity claimed under
two programmes among them, each with what is known of both; and sessions of one host at the same
time under two programmes, whoever was there.  Refuses everybody but the council; reading it
leaves a record.  A constant number of queries for any number of records.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from points.domain.awards import Limit
from points.domain.overlaps import Stay, waiting
from points.models import Attendance, AwardDecision, Session
from registry.access import Scope
from registry.domain.errors import NotFound
from registry.domain.roles import Permission
from registry.queries.accounts import display_names
from registry.queries.organisations import organisations
from registry.queries.volunteers import volunteer_facts


@dataclass(frozen=True)
class Evidence:
    """One record and what speaks for it: who wrote it down, when and how."""

    attendance_id: int
    session_id: int
    title: str
    programme: str
    programme_name: str
    organisation_id: int
    organisation_name: str
    place: str
    starts_at: datetime
    ends_at: datetime
    method: str
    attended_at: datetime
    recorded_at: datetime
    recorded_by: str
    headcount: int | None


@dataclass(frozen=True)
class Waiting:
    """A record that waits, and the records that count at the same time.

    ``kind``: ``double_claim`` when one host claims the same time under two programmes, else
    ``overlap``.  ``waits`` is False once it was decided.
    """

    volunteer_id: int
    name: str
    number: str
    kind: str
    this: Evidence
    others: tuple[Evidence, ...]
    waits: bool = True


@dataclass(frozen=True)
class Claim:
    """Two sessions of one host at the same time under two programmes; people at each, at both."""

    first: Evidence
    second: Evidence
    at_first: int
    at_second: int
    at_both: int


_COLUMNS = (
    "pk", "session_id", "session__title", "session__programme__code", "session__programme__name",
    "session__organisation_id", "session__place", "session__starts_at", "session__ends_at",
    "method", "attended_at", "recorded_at", "recorded_by_id", "session__headcount",
    "volunteer_id", "voided_at", "cleared_at", "session__cancelled_at", "after_close",
    "correction",
)


def overlaps(scope: Scope, *, limit: int = 200) -> tuple[Waiting, ...]:
    """Everything that waits, oldest activity first.  Raises ``Forbidden`` without
    ``statements.view``."""
    scope.require(Permission.STATEMENTS_VIEW)
    rows = _pending(scope).order_by("attendance__session__starts_at", "attendance_id")
    return _found(scope, list(rows.values_list("attendance_id", flat=True)[:limit]))


def how_many(scope: Scope) -> int:
    """How many records wait (for the first page)."""
    scope.require(Permission.STATEMENTS_VIEW)
    count: int = _pending(scope).count()
    return count


def _pending(scope: Scope) -> QuerySet[AwardDecision]:
    """The last decisions that say: staff must look at this record."""
    later = AwardDecision.objects.visible_to(scope).filter(
        attendance_id=OuterRef("attendance_id"), pk__gt=OuterRef("pk")
    )
    found: QuerySet[AwardDecision] = AwardDecision.objects.visible_to(scope).filter(
        ~Exists(later), code=Limit.OVERLAP_WAITING.value
    )
    return found


def waiting_one(scope: Scope, *, attendance_id: int) -> Waiting:
    """One record with what it overlaps, waiting or decided.  Raises ``NotFound``."""
    scope.require(Permission.STATEMENTS_VIEW)
    found = _found(scope, [attendance_id]) if 0 < attendance_id < 1 << 63 else ()
    if not found:
        raise NotFound
    return found[0]


def _found(scope: Scope, ids: Collection[int]) -> tuple[Waiting, ...]:
    wanted = Attendance.objects.visible_to(scope).filter(pk__in=ids)
    pairs = list(wanted.values_list("volunteer_id", "session__held_on"))
    near = Q(pk__in=[])
    for on in {on for _, on in pairs}:
        near |= Q(session__held_on=on)
    rows = Attendance.objects.visible_to(scope).filter(
        near, volunteer_id__in={volunteer for volunteer, _ in pairs}
    ).order_by("session__starts_at", "pk").values_list(*_COLUMNS)
    by_person: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        by_person[row[14]].append(row)
    everything = [row for some in by_person.values() for row in some]
    said = _evidence(scope, everything)
    people = volunteer_facts(scope, volunteer_ids=set(by_person), action="waiting.view")
    found: dict[int, Waiting] = {}
    for volunteer, some in by_person.items():
        waits = waiting(_stay(row) for row in some)
        for row in some:
            if row[0] in ids and volunteer in people:
                against = tuple(said[o[0]] for o in some if _counts(o, waits) and _clash(row, o))
                one, this = people[volunteer], said[row[0]]
                found[row[0]] = Waiting(volunteer, one.name, one.number, _kind(this, against),
                                        this, against, row[0] in waits)
    return tuple(found[one] for one in ids if one in found)


def _stay(row: tuple[Any, ...]) -> Stay:
    gone = row[15] is not None or row[17] is not None or (row[18] and not row[19])
    return Stay(row[0], row[1], row[7], row[8], gone, row[16] is not None)


def _counts(row: tuple[Any, ...], waits: frozenset[int]) -> bool:
    return row[0] not in waits and not _stay(row).void


def _clash(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return one[1] != other[1] and bool(one[7] < other[8] and other[7] < one[8])


def _kind(this: Evidence, others: Iterable[Evidence]) -> str:
    twice = any(other.organisation_id == this.organisation_id
                and other.programme != this.programme for other in others)
    return "double_claim" if twice else "overlap"


def _evidence(scope: Scope, rows: list[tuple[Any, ...]]) -> dict[int, Evidence]:
    hosts = {one.id: one.name for one in organisations(scope, ids={row[5] for row in rows})}
    writers = display_names({row[12] for row in rows if row[12] is not None})
    return {
        row[0]: Evidence(
            row[0], row[1], row[2], row[3], row[4], row[5], hosts.get(row[5], ""), row[6], row[7],
            row[8], row[9], row[10], row[11], writers.get(row[12], ""), row[13],
        )
        for row in rows
    }


_SESSION = ("pk", "title", "programme__code", "programme__name", "organisation_id", "place",
            "starts_at", "ends_at", "made_at", "made_by_id", "headcount", "held_on")


def double_claims(scope: Scope, *, limit: int = 100) -> tuple[Claim, ...]:
    """Sessions of one host at the same time under two programmes, newest first.

    Nobody need be at both: it is the activity that was claimed twice.  Raises ``Forbidden``.
    """
    scope.require(Permission.STATEMENTS_VIEW)
    held = Session.objects.filter(cancelled_at__isnull=True)
    twin = held.filter(
        organisation_id=OuterRef("organisation_id"), held_on=OuterRef("held_on"),
        starts_at__lt=OuterRef("ends_at"), ends_at__gt=OuterRef("starts_at"),
    ).exclude(programme_id=OuterRef("programme_id"))
    rows = list(held.filter(Exists(twin)).order_by("-starts_at", "pk")
                .values_list(*_SESSION)[: limit * 2])
    said = _claimed(scope, rows)
    present: dict[int, set[int]] = defaultdict(set)
    there = Attendance.objects.visible_to(scope).filter(
        session_id__in=[row[0] for row in rows], voided_at__isnull=True
    )
    for session, volunteer in there.values_list("session_id", "volunteer_id"):
        present[session].add(volunteer)
    claims = []
    for place, one in enumerate(rows):
        for other in rows[place + 1:]:
            same_time = one[6] < other[7] and other[6] < one[7]
            if one[4] == other[4] and one[2] != other[2] and same_time:
                a, b = present[one[0]], present[other[0]]
                claims.append(Claim(said[one[0]], said[other[0]], len(a), len(b), len(a & b)))
    return tuple(claims[:limit])


def _claimed(scope: Scope, rows: list[tuple[Any, ...]]) -> dict[int, Evidence]:
    hosts = {one.id: one.name for one in organisations(scope, ids={row[4] for row in rows})}
    makers = display_names({row[9] for row in rows})
    return {
        row[0]: Evidence(0, row[0], row[1], row[2], row[3], row[4], hosts.get(row[4], ""), row[5],
                         row[6], row[7], "", row[6], row[8], makers.get(row[9], ""), row[10])
        for row in rows
    }
