"""Sessions and who was there.

Owns the host's pages: today's sessions, one session with its attendances, and the rotating event
code; ``reconciliation`` is a module of its own.  A leader sees their own organisation's sessions,
a scanner may see which to scan for but nobody's name, the council sees all (P9).
Refuses (not found) every other session.  Source: P4.2, P5, P9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Q, QuerySet, Sum

from points import keys
from points.domain import tokens
from points.models import Attendance, AwardDecision, Group, Session
from registry import access
from registry.access import Scope
from registry.domain.errors import Forbidden, NotFound
from registry.domain.roles import Permission
from registry.queries.volunteers import volunteer_facts

RECORDED = ("granted", "cap_reached", "not_eligible", "overlap_waiting", "year_closed",
            "other_group")


@dataclass(frozen=True)
class SessionLine:
    """One session; ``count`` people are recorded there (void ones not counted)."""

    id: int
    title: str
    organisation_id: int
    group_id: int | None
    group_name: str
    programme: str
    programme_name: str
    activity_kind: str
    source: str
    place: str
    held_on: date
    starts_at: datetime
    ends_at: datetime
    headcount: int | None
    cancelled_at: datetime | None
    count: int


@dataclass(frozen=True)
class AttendanceLine:
    """One record; ``name`` and ``number`` are empty for whom the viewer may not know."""

    id: int
    volunteer_id: int
    name: str
    number: str
    method: str
    attended_at: datetime
    points: int
    code: str
    sentence: str
    voided_at: datetime | None
    void_reason: str


@dataclass(frozen=True)
class SessionDetail:
    """A session with its records in the order of arrival (empty for a scanner)."""

    session: SessionLine
    attendances: tuple[AttendanceLine, ...]


@dataclass(frozen=True)
class EventCode:
    """The code to show now; a new one after ``seconds_left`` (1–30)."""

    url: str
    code: str
    seconds_left: int


@dataclass(frozen=True)
class GroupFact:
    """登録団体 of one fiscal year."""

    id: int
    organisation_id: int
    programme: str
    fiscal_year: int
    name: str
    activity_kind: str
    area_id: int | None


def sessions(
    scope: Scope,
    *,
    on: date | None = None,
    first: date | None = None,
    last: date | None = None,
    ids: Sequence[int] | None = None,
) -> list[SessionLine]:
    """Sessions of a day (the scope's without dates), or from ``first`` to ``last``, by start.

    Raises ``Forbidden`` without ``sessions.view`` or ``scans.record``.  Two queries.
    """
    rows = _visible(scope)
    if ids is not None:
        rows = rows.filter(pk__in=[one for one in ids if 0 < one < 1 << 63])
    elif first is not None and last is not None:
        rows = rows.filter(held_on__range=(first, last))
    else:
        rows = rows.filter(held_on=on or scope.on)
    found = list(
        rows.order_by("starts_at", "pk").values_list(
            "pk", "title", "organisation_id", "group_id", "group__name", "programme__code",
            "programme__name", "activity_kind", "source", "place", "held_on", "starts_at",
            "ends_at", "headcount", "cancelled_at",
        )
    )
    counts = _counts(scope, [row[0] for row in found])
    return [
        SessionLine(
            row[0], row[1], row[2], row[3], row[4] or "", row[5], row[6], row[7], row[8], row[9],
            row[10], row[11], row[12], row[13], row[14], counts.get(row[0], 0),
        )
        for row in found
    ]


def session(scope: Scope, *, session_id: int) -> SessionLine:
    """One session.  Raises ``NotFound`` when it is not one's own."""
    found = sessions(scope, ids=[session_id])
    if not found:
        raise NotFound
    return found[0]


def session_detail(scope: Scope, *, session_id: int) -> SessionDetail:
    """A session and who was there; names only of those the viewer may know.  Leaves a record."""
    line = session(scope, session_id=session_id)
    if not scope.may(Permission.SESSIONS_VIEW):
        return SessionDetail(line, ())
    rows = list(
        Attendance.objects.visible_to(scope).filter(session_id=session_id).order_by("pk")
        .values_list("pk", "volunteer_id", "method", "attended_at", "voided_at", "void_reason")
    )
    with access.system(at=scope.at, reason="session detail") as wide:
        decided = {
            row[0]: row[1:]
            for row in AwardDecision.objects.visible_to(wide)
            .filter(attendance__session_id=session_id).order_by("pk")
            .values_list("attendance_id", "share", "code", "sentence")
        }
    names = volunteer_facts(scope, volunteer_ids={row[1] for row in rows},
                            action="sessions.detail")
    lines = []
    for pk, volunteer, method, at, voided, why in rows:
        known = names.get(volunteer)
        share, code, sentence = decided.get(pk, (0, "", ""))
        lines.append(AttendanceLine(
            pk, volunteer, known.name if known else "", known.number if known else "", method, at,
            share, code, sentence, voided, why,
        ))
    return SessionDetail(line, tuple(lines))


def event_code(scope: Scope, *, session_id: int, at: datetime | None = None) -> EventCode:
    """The rotating code of one's own session (P4.2).  Raises ``NotFound``."""
    session(scope, session_id=session_id)
    now = at or scope.at
    made = tokens.mint("event", keys=keys.keyring(), session=session_id, at=now,
                       host=keys.code_host(), scheme=keys.code_scheme())
    return EventCode(made.url, made.code, tokens.STEP - int(now.timestamp()) % tokens.STEP)


def printed_code(scope: Scope, *, session_id: int) -> EventCode:
    """The code for paper, good ±30 minutes around the session (P4.3).  Raises ``NotFound``."""
    session(scope, session_id=session_id)
    made = tokens.mint("printed", keys=keys.keyring(), session=session_id,
                       host=keys.code_host(), scheme=keys.code_scheme())
    return EventCode(made.url, made.code, 0)


def groups(scope: Scope, *, fiscal_year: int | None = None) -> list[GroupFact]:
    """Groups that are or were registered, one's own or (council) all, by year and name.

    One query.  Filings under way are those of ``queries.groups``.
    """
    scope.require(Permission.SESSIONS_VIEW)
    rows = Group.objects.filter(registered_at__isnull=False)
    if not (scope.system or scope.sees_all_volunteers):
        rows = rows.filter(organisation_id__in=scope.organisations)
    if fiscal_year is not None:
        rows = rows.filter(fiscal_year=fiscal_year)
    return [
        GroupFact(*row)
        for row in rows.order_by("-fiscal_year", "name", "pk").values_list(
            "pk", "organisation_id", "programme__code", "fiscal_year", "name", "activity_kind",
            "area_id",
        )
    ]


def session_points(scope: Scope, *, session_id: int) -> int:
    """Points awarded at a session.  Raises ``NotFound``."""
    session(scope, session_id=session_id)
    with access.system(at=scope.at, reason="session points") as wide:
        rows = AwardDecision.objects.visible_to(wide).filter(attendance__session_id=session_id)
        return int(rows.aggregate(total=Sum("change"))["total"] or 0)


def _visible(scope: Scope) -> QuerySet[Session]:
    if not (scope.may(Permission.SESSIONS_VIEW) or scope.may(Permission.SCANS_RECORD)):
        raise Forbidden(fields={"permission": Permission.SESSIONS_VIEW.value})
    if scope.system or scope.sees_all_volunteers:
        return Session.objects.all()
    return Session.objects.filter(organisation_id__in=scope.organisations)


def _counts(scope: Scope, ids: list[int]) -> dict[int, int]:
    """session id → people recorded: a number, no names, so a scanner may see it."""
    with access.system(at=scope.at, reason="count") as wide:
        rows = Attendance.objects.visible_to(wide).filter(
            Q(session_id__in=ids), voided_at__isnull=True
        )
        return dict(rows.order_by().values_list("session_id").annotate(n=Count("pk")))


def greeting(scope: Scope, *, attendance_id: int | None) -> str:
    """The family name to thank somebody by, "" where the viewer may not know it (P5, P9).

    Online only: a device's token, or a group's leader for a stranger, gets no name.
    """
    if attendance_id is None or not scope.may(Permission.SESSIONS_VIEW):
        return ""
    volunteer = (
        Attendance.objects.visible_to(scope)
        .filter(pk=attendance_id)
        .values_list("volunteer_id", flat=True)
        .first()
    )
    if volunteer is None:
        return ""
    known = volunteer_facts(scope, volunteer_ids=[volunteer], action="reception.greeting")
    return known[volunteer].name.replace("\u3000", " ").split(" ")[0] if known else ""
