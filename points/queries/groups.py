"""Registered groups as their leader and the council see them (P9).

Owns the list of filings with member counts and warnings, one filing with its members, plan,
leaders and history.  A leader sees the own organisation's and nothing else (not found); the
count is judged on facts in the service's own scope, names come by the viewer's: a leader reads
current members' names only.  Constant numbers of queries.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q, QuerySet

from points.domain.groups import Count, State, count
from points.domain.rules import RuleSet, fiscal_year_span, pick
from points.models import (
    Group,
    GroupContact,
    GroupEvent,
    GroupLeader,
    GroupPlan,
    GroupReport,
)
from points.queries import records, rulebook
from points.queries.rulebook import Rules
from registry import access
from registry.access import Scope
from registry.domain.errors import NotFound
from registry.domain.roles import Permission
from registry.queries.accounts import display_names
from registry.queries.areas import areas
from registry.queries.organisations import members as memberships
from registry.queries.volunteers import volunteer_facts


@dataclass(frozen=True)
class FilingLine:
    """One filing in a list.  ``members`` and ``counted`` are those of ``counted_on``."""

    id: int
    organisation_id: int
    programme: str
    programme_name: str
    fiscal_year: int
    name: str
    activity_kind: str
    kind_label: str
    area_id: int | None
    area_name: str
    state: str
    reason: str
    exception: str
    version: int
    submitted_at: datetime | None
    registered_at: datetime | None
    report_state: str
    counted_on: date
    members: int
    counted: int
    minimum: int | None
    warning: str
    stops_sessions: bool


@dataclass(frozen=True)
class ContactLine:
    """Whom the council calls."""

    name: str = ""
    phone: str = ""
    address: str = ""


@dataclass(frozen=True)
class PlanLine:
    """One line of the plan; ``every`` is week, month or year."""

    activity_kind: str
    kind_label: str
    every: str
    times: int
    place: str
    audience: str
    expected: int | None

    @property
    def often(self) -> str:
        """「月に2回」"""
        return f"{dict(GroupPlan.Every.choices)[self.every]}に{self.times}回"


@dataclass(frozen=True)
class MemberLine:
    """A member of the counting day; the name is empty where the viewer may not know it."""

    volunteer_id: int
    name: str
    kana: str
    number: str
    starts_on: date
    ends_on: date | None
    counts: bool
    code: str
    sentence: str


@dataclass(frozen=True)
class LeaderLine:
    """A term of the leader; ``signs_in``: an account holds the office for it."""

    volunteer_id: int
    name: str
    starts_on: date
    ends_on: date | None
    signs_in: bool


@dataclass(frozen=True)
class EventLine:
    """One step of the history."""

    kind: str
    at: datetime
    by: str
    name: str
    on: date | None
    note: str
    members: int | None
    counted: int | None


@dataclass(frozen=True)
class Filing:
    """One filing whole.  ``years``: (id, fiscal year, state) of the organisation's filings."""

    line: FilingLine
    contact: ContactLine
    plan: tuple[PlanLine, ...]
    members: tuple[MemberLine, ...]
    joining: tuple[MemberLine, ...]
    leaders: tuple[LeaderLine, ...]
    events: tuple[EventLine, ...]
    years: tuple[tuple[int, int, str], ...]


def counting_day(fiscal_year: int, on: date) -> date:
    """The day on which members of a filing are counted: today, kept within its year."""
    first, last = fiscal_year_span(fiscal_year)
    return min(max(on, first), last)


def visible(scope: Scope) -> QuerySet[Group]:
    """The filings of one's own organisations, or all.  Raises ``Forbidden``."""
    scope.require(Permission.GROUPS_KEEP)
    if scope.system or scope.sees_all_volunteers:
        return Group.objects.all()
    return Group.objects.filter(organisation_id__in=scope.organisations)


def filings(
    scope: Scope, *, fiscal_year: int | None = None, states: Iterable[str] | None = None,
    ids: Sequence[int] | None = None,
) -> list[FilingLine]:
    """Filings one may see, newest year first, then by name.

    Raises ``Forbidden`` without ``groups.keep``.
    """
    rows = visible(scope)
    if fiscal_year is not None:
        rows = rows.filter(fiscal_year=fiscal_year)
    if states is not None:
        rows = rows.filter(state__in=list(states))
    if ids is not None:
        rows = rows.filter(pk__in=[one for one in ids if 0 < one < 1 << 63])
    found = list(rows.order_by("-fiscal_year", "name", "pk"))
    known = rulebook.load()
    counts = count_groups(found, known, scope)
    places = {one.id: one.name for one in areas(scope)}
    reports = dict(
        GroupReport.objects.visible_to(scope).filter(group__in=[one.pk for one in found])
        .values_list("group_id", "state")
    )
    return [_line(one, known, counts[one.pk], places, reports.get(one.pk, "")) for one in found]


def filing_line(scope: Scope, *, group_id: int) -> FilingLine:
    """One filing's line.  Raises ``NotFound`` when it is not one's own."""
    found = filings(scope, ids=[group_id])
    if not found:
        raise NotFound
    return found[0]


def filing(scope: Scope, *, group_id: int) -> Filing:
    """One filing with its people; leaves a record.  Raises ``NotFound``."""
    line = filing_line(scope, group_id=group_id)
    group = Group.objects.get(pk=group_id)
    known = rulebook.load()
    judged = count_groups([group], known, scope)[group_id]
    present = {one.volunteer_id: one for one in
               memberships(scope, organisation_ids=[line.organisation_id], on=judged.on)}
    coming = [
        one for one in memberships(
            scope, organisation_ids=[line.organisation_id],
            on=fiscal_year_span(line.fiscal_year)[1],
        ) if one.volunteer_id not in present and one.starts_on > judged.on
    ]
    terms = list(GroupLeader.objects.visible_to(scope).filter(
        organisation_id=line.organisation_id).order_by("-starts_on", "-pk"))
    events = list(GroupEvent.objects.visible_to(scope).filter(group_id=group_id).order_by("pk"))
    people = {*present, *(one.volunteer_id for one in coming),
              *(one.volunteer_id for one in terms),
              *(one.volunteer_id for one in events if one.volunteer_id is not None)}
    facts = volunteer_facts(scope, volunteer_ids=people, action="groups.filing")
    names = {number: one.name for number, one in facts.items()}
    actors = display_names({one.by_id for one in events})
    said = {one.volunteer: one for one in judged.lines}

    def member(number: int, starts_on: date, ends_on: date | None) -> MemberLine:
        one, verdict = facts.get(number), said.get(number)
        return MemberLine(
            number, one.name if one else "", one.kana if one else "", one.number if one else "",
            starts_on, ends_on, verdict.counts if verdict else False,
            verdict.code if verdict else "", verdict.sentence if verdict else "",
        )

    contact = GroupContact.objects.visible_to(scope).filter(group_id=group_id).first()
    return Filing(
        line,
        ContactLine(contact.name, contact.phone, contact.address) if contact else ContactLine(),
        plan_of(scope, group=group, known=known),
        tuple(member(one.volunteer_id, one.starts_on, one.ends_on) for one in present.values()),
        tuple(member(one.volunteer_id, one.starts_on, one.ends_on) for one in coming),
        tuple(LeaderLine(one.volunteer_id, names.get(one.volunteer_id, ""), one.starts_on,
                         one.ends_on, one.appointment_id is not None) for one in terms),
        tuple(EventLine(one.kind, one.at, actors.get(one.by_id, ""),
                        names.get(one.volunteer_id or 0, ""), one.on, one.note, one.members,
                        one.counted) for one in events),
        tuple(visible(scope).filter(organisation_id=line.organisation_id,
                                    programme_id=group.programme_id)
              .order_by("-fiscal_year", "-pk").values_list("pk", "fiscal_year", "state")),
    )


def plan_of(scope: Scope, *, group: Group, known: Rules) -> tuple[PlanLine, ...]:
    """The plan's lines in their order."""
    rules = rules_of(group, known, counting_day(group.fiscal_year, scope.on))
    rows = GroupPlan.objects.visible_to(scope).filter(group_id=group.pk).order_by("position")
    return tuple(
        PlanLine(one.activity_kind, label(rules, one.activity_kind), one.every, one.times,
                 one.place, one.audience, one.expected)
        for one in rows
    )


def count_groups(
    groups: Sequence[Group], known: Rules, scope: Scope, *, on: date | None = None
) -> dict[int, Count]:
    """group id → its members against the rule, on a day or on each one's counting day.

    Facts are read in the service's own scope: a judgement is no name.
    """
    by_day: dict[date, list[Group]] = {}
    for one in groups:
        by_day.setdefault(counting_day(one.fiscal_year, on or scope.on), []).append(one)
    found: dict[int, Count] = {}
    with access.system(at=scope.at, reason="count members") as wide:
        for day, some in by_day.items():
            homes: dict[int, list[int]] = {}
            for member in memberships(
                wide, organisation_ids={one.organisation_id for one in some}, on=day
            ):
                homes.setdefault(member.organisation_id, []).append(member.volunteer_id)
            ids = {one for own in homes.values() for one in own}
            people = records.people(wide, volunteer_ids=ids, rules=known)
            for group in some:
                code = known.code_of[group.programme_id]
                found[group.pk] = count(
                    rules_of(group, known, day),
                    {number: people[number].on(day, group.organisation_id, code)
                     for number in homes.get(group.organisation_id, [])},
                    on=day,
                )
    return found


def rules_of(group: Group, known: Rules, day: date) -> RuleSet:
    """The rule set of a day; of a programme that began later, its first."""
    rules = known.book.rules[known.code_of[group.programme_id]]
    return pick(rules, max(day, min(one.begins_on for one in rules)))


def label(rules: RuleSet, kind: str) -> str:
    """「参加型」 of a kind; the kind itself where the rules do not know it."""
    return next((rate.label for rate in rules.rates if rate.kind == kind), kind)


def waiting(scope: Scope) -> int:
    """How many filings and reports wait for the council."""
    filed = visible(scope).filter(state=State.SUBMITTED.value).count()
    return filed + GroupReport.objects.visible_to(scope).filter(
        Q(state=GroupReport.State.SUBMITTED)).count()


def _line(
    one: Group, known: Rules, judged: Count, places: dict[int, str], report: str
) -> FilingLine:
    code = known.code_of[one.programme_id]
    rules = rules_of(one, known, judged.on)
    return FilingLine(
        one.pk, one.organisation_id, code, known.name_of[code], one.fiscal_year, one.name,
        one.activity_kind, label(rules, one.activity_kind), one.area_id,
        places.get(one.area_id or 0, ""), one.state, one.reason, one.exception, one.version,
        one.submitted_at, one.registered_at, report, judged.on, judged.members, judged.counted,
        judged.minimum, judged.warning, judged.stops_sessions,
    )
