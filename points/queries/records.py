"""Stored records as the domain wants them: for counting again, and for the audit.

Owns reading attendances with their sessions, the facts of volunteers, and the latest decision
of each attendance; constant numbers of queries for any number of volunteers.  Runs in the
service's own scope: it reads wider than any actor and gives nothing to interfaces.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from django.db.models import Q

from points.domain.awards import Limit, Share
from points.domain.recount import Enrolled, Member, Person, Record
from points.domain.rules import Source, fiscal_year_span
from points.models import Attendance, AwardDecision, Enrolment
from points.queries.rulebook import Rules
from registry import rows
from registry.access import Scope
from registry.queries.organisations import membership_history
from registry.queries.residences import residences
from registry.queries.volunteers import volunteer_facts

_COLUMNS = (
    "pk", "volunteer_id", "session_id", "session__programme_id", "session__organisation_id",
    "session__group_id", "session__activity_kind", "session__source", "session__title",
    "session__held_on", "session__starts_at", "session__ends_at", "minutes", "voided_at",
    "session__cancelled_at", "after_close", "correction", "cleared_at",
)


def in_years(years: Iterable[int] | None, path: str = "session__held_on") -> Q:
    """The condition that a date lies in one of the fiscal years (all of them for None)."""
    if years is None:
        return Q()
    wanted = Q(pk__in=[])
    for year in years:
        wanted |= Q(**{f"{path}__range": fiscal_year_span(year)})
    return wanted


def records(
    wide: Scope, rules: Rules, *, volunteer_ids: Collection[int], years: Collection[int] | None
) -> dict[int, list[Record]]:
    """volunteer id → every attendance, void ones too, of the fiscal years.  One query."""
    found: dict[int, list[Record]] = defaultdict(list)
    stored = Attendance.objects.visible_to(wide).filter(
        in_years(years), volunteer_id__in=list(volunteer_ids)
    )
    for row in stored.order_by("pk").values_list(*_COLUMNS):
        found[row[1]].append(_record(row, rules))
    return found


def _record(row: tuple[Any, ...], rules: Rules) -> Record:
    """A row of ``_COLUMNS``."""
    (pk, volunteer, session, programme, organisation, group, kind, source, title, on, starts,
     ends, minutes, voided, cancelled, after_close, correction, cleared) = row
    return Record(
        pk, volunteer, session, rules.code_of[programme], organisation, group, kind,
        Source(source), title, on, starts, ends, minutes,
        void=voided is not None or cancelled is not None,
        closed_wait=after_close and not correction, cleared=cleared is not None,
    )


_DAYS = (
    "SELECT a.id, a.volunteer_id, a.session_id, s.programme_id, s.organisation_id, s.group_id,"
    " s.activity_kind, s.source, s.title, s.held_on, s.starts_at, s.ends_at, a.minutes,"
    " a.voided_at, s.cancelled_at, a.after_close, a.correction, a.cleared_at,"
    " d.share, d.rule_set_id, d.code, d.sentence"
    " FROM points_attendance a JOIN points_session s ON s.id = a.session_id"
    " LEFT JOIN points_awarddecision d ON d.id ="
    " (SELECT max(x.id) FROM points_awarddecision x WHERE x.attendance_id = a.id)"
    " WHERE {among} AND s.held_on BETWEEN %s AND %s ORDER BY a.id"
)


def days_statement(*, volunteer_ids: Collection[int], first: date, last: date) -> rows.Statement:
    """Attendances, void ones too, of a few days with their latest decisions; for ``days``."""
    return (_DAYS.format(among=rows.among("a.volunteer_id")),
            [rows.listed(volunteer_ids), first.isoformat(), last.isoformat()])


def days(
    read: list[tuple[Any, ...]], rules: Rules
) -> tuple[dict[int, list[Record]], dict[int, Share]]:
    """volunteer id → records; attendance id → latest decision: from ``days_statement``."""
    found: dict[int, list[Record]] = defaultdict(list)
    decided: dict[int, Share] = {}
    for row in read:
        found[row[1]].append(_record((*row[:10], rows.moment(row[10]), rows.moment(row[11]),
                                      *row[12:18]), rules))
        if row[18] is not None:
            decided[row[0]] = Share(row[0], row[18], rules.rule_code[row[19]], Limit(row[20]),
                                    row[21])
    return found, decided


def people(
    wide: Scope, *, volunteer_ids: Collection[int], rules: Rules | None = None
) -> dict[int, Person]:
    """volunteer id → the facts that decide eligibility, past memberships too.

    Yearly registrations and moves are read unless ``rules`` show that no programme asks for them.
    """
    members: dict[int, list[Member]] = defaultdict(list)
    for one in membership_history(wide, volunteer_ids=volunteer_ids):
        members[one.volunteer_id].append(Member(one.organisation_id, one.starts_on, one.ends_on))
    enrolled = {} if rules is not None and not rules.ask_enrolment else enrolments(
        wide, volunteer_ids=volunteer_ids
    )
    facts_of = volunteer_facts(wide, volunteer_ids=volunteer_ids)
    homes = {} if rules is not None and not rules.ask_residence else residences(
        wide, now={number: facts.resident for number, facts in facts_of.items()}
    )
    return {
        number: Person(
            facts.born_on, homes[number].first if number in homes else facts.resident,
            facts.registered_on, facts.left_on,
            tuple(members[number]), tuple(enrolled.get(number, ())),
            homes[number].moves if number in homes else (),
        )
        for number, facts in facts_of.items()
    }


def enrolments(wide: Scope, *, volunteer_ids: Collection[int]) -> dict[int, list[Enrolled]]:
    """volunteer id → yearly registrations in force.  One query."""
    found: dict[int, list[Enrolled]] = defaultdict(list)
    stored = Enrolment.objects.visible_to(wide).filter(
        volunteer_id__in=list(volunteer_ids), cancelled_at__isnull=True
    )
    for volunteer, programme, year, starts_on in stored.values_list(
        "volunteer_id", "programme__code", "fiscal_year", "starts_on"
    ):
        found[volunteer].append(Enrolled(programme, year, starts_on))
    return found


def decisions(
    wide: Scope, rules: Rules, *, volunteer_ids: Collection[int], years: Collection[int] | None
) -> dict[int, Share]:
    """attendance id → its latest decision.  One query."""
    stored = AwardDecision.objects.visible_to(wide).filter(
        in_years(years, "attendance__session__held_on"),
        # The attendance says whose it is now: a merge moves it, its decisions stay (P8).
        attendance__volunteer_id__in=list(volunteer_ids),
    )
    return {
        attendance: Share(attendance, share, rules.rule_code[rule], Limit(code), sentence)
        for attendance, share, rule, code, sentence in stored.order_by("pk").values_list(
            "attendance_id", "share", "rule_set_id", "code", "sentence"
        )
    }
