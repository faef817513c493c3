"""A small world for the machine, made through the operations, around the turn of a fiscal year.

Owns two programmes, two groups, three people and thirteen sessions: three within one day and
group, pairs that overlap (within a programme and across), hours that were begun, the last days
of March and the first of April, and one session that is still to come.  It also tells the model
(``Facts``) the same things in the model's own words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from points.domain import tokens
from points.domain.rules import Per, Rate, Remainder, RuleSet, Source, YearTerms
from points.operations import groups, programmes, sessions
from registry import access
from registry.access import JAPAN, Scope
from registry.domain.roles import Role
from registry.operations import cards, memberships, organisations, staff, volunteers
from tests.machine import oracle
from tests.machine.facts import Facts

BEGIN = datetime(2026, 5, 10, 12, 0, tzinfo=JAPAN)
YEARS = (2025, 2026)
CAPS = {"tsunagari": 7, "kamu": 5}
RATES = {
    "tsunagari": {"join": (1, False), "support": (2, False), "hourly": (1, True)},
    "kamu": {"act": (1, False), "care": (1, True)},
}
BIRTHS = (date(1950, 5, 5), date(2013, 4, 1), date(2013, 4, 2), date(1990, 8, 1))
REGISTERED = date(2025, 4, 1)


@dataclass
class World:
    """Ids and users; ``sessions`` in the order of ``_SESSIONS``."""

    council: Any
    scanner: Any
    leader: Any
    shopkeeper: Any
    homes: dict[str, int]
    people: list[int]
    phones: list[Any]
    cards: list[str]
    sessions: list[int]
    groups: dict[tuple[str, int], int]
    facts: Facts


def rule_set(programme: str, begins_on: date, code: str, **changes: Any) -> RuleSet:
    """A rule set of one of the two programmes; ``changes`` as in ``RuleSet``."""
    both: dict[str, dict[str, Any]] = {
        "tsunagari": {"sources": frozenset(Source), "group_day_cap": 2, "daily_cap": 3,
                      "remainder": Remainder.CARRY},
        "kamu": {
            "sources": frozenset({Source.CENTRE, Source.EVENT}), "daily_cap": 2,
            "minimum_age": 13, "residence_required": True,
        },
    }
    given: dict[str, Any] = {
        "rates": tuple(
            Rate(kind, f"{kind}（見本）", points, Per.STARTED_HOUR if hourly else Per.ATTENDANCE)
            for kind, (points, hourly) in RATES[programme].items()
        ),
        "points_per_voucher": 2, "yen_per_voucher": 500, "vouchers_per_year": 6,
        **both[programme], **changes,
    }
    return RuleSet(code=code, programme=programme, begins_on=begins_on, **given)


def in_the_models_words(rules: RuleSet) -> oracle.Rules:
    """The same rule set for the oracle."""
    return oracle.Rules(
        rules.begins_on,
        {r.kind: (r.points, r.per is Per.STARTED_HOUR) for r in rules.rates},
        frozenset(s.value for s in rules.sources), rules.group_day_cap, rules.daily_cap,
        rules.minimum_age, rules.residence_required, rules.membership_required,
        rules.enrolment_required,
    )


def terms(programme: str, year: int) -> YearTerms:
    """One year's terms: exchange until June, grace until 10 June, lapse on 1 July."""
    return YearTerms(
        programme=programme, fiscal_year=year, yen_value=500, annual_cap=CAPS[programme],
        exchange_from=date(year, 4, 1), exchange_until=date(year + 1, 6, 30),
        grace_until=date(year + 1, 6, 10), lapses_on=date(year + 1, 7, 1),
    )


# (month, day, hour, minutes, length, host, programme, kind, source)
_SESSIONS = (
    (3, 30, 10, 0, 90, "G1", "tsunagari", "support", "group"),
    (3, 30, 11, 0, 60, "G2", "tsunagari", "support", "group"),  # overlaps the first
    (3, 31, 10, 0, 150, "C", "kamu", "care", "centre"),  # three hours begun
    (3, 31, 13, 0, 60, "G1", "tsunagari", "join", "group"),
    (4, 1, 10, 0, 90, "G1", "tsunagari", "support", "group"),
    (4, 1, 11, 0, 120, "C", "kamu", "act", "event"),  # overlaps it across programmes
    (4, 1, 13, 0, 120, "G1", "tsunagari", "support", "group"),  # same group and day
    (4, 1, 15, 30, 61, "G2", "tsunagari", "hourly", "group"),
    (4, 2, 10, 0, 180, "G1", "tsunagari", "hourly", "group"),
    (4, 2, 13, 0, 30, "C", "tsunagari", "join", "centre"),  # touches it, has no group
    (5, 10, 9, 0, 60, "G1", "tsunagari", "support", "group"),
    (5, 10, 9, 30, 90, "C", "kamu", "care", "event"),
    (5, 20, 10, 0, 60, "G2", "tsunagari", "support", "group"),  # still to come
)


def build() -> World:
    """Make the world; needs an empty database."""
    before = BEGIN - timedelta(days=400)
    with access.system(at=before, reason="machine") as by:
        for code in CAPS:
            programmes.create(code=code, name=f"{code}（見本）", is_sample=True, by=by)
            programmes.add_rules(rules=rule_set(code, REGISTERED, f"{code}-1"), by=by)
            for year in YEARS:
                programmes.open_year(terms=terms(code, year), by=by)
        homes, users = _staff(by)
        phones = [staff.create_user(username=f"m-person{n}", display_name="見本", by=by)
                  for n in range(3)]
        people = [row.pk for row in volunteers.register_many(volunteers=[
            person_input(n, BIRTHS[n], True, user_id=phones[n].pk) for n in range(3)
        ], by=by)]
        memberships.join_many(members=[
            memberships.MemberInput(homes["G1"], people[0], REGISTERED),
            memberships.MemberInput(homes["G2"], people[2], REGISTERED),
        ], by=by)
        codes = {one: tokens.mint("card").code for one in people}
        cards.issue_cards(codes=codes, by=by)
        teams = {
            (code, year): groups.register(
                organisation_id=homes[code], programme="tsunagari", fiscal_year=year,
                activity_kind="join", by=by).pk
            for code in ("G1", "G2") for year in YEARS
        }
        facts = Facts(
            people={one: oracle.Person(BIRTHS[n], True, REGISTERED)
                    for n, one in enumerate(people)},
            sessions={}, rules={code: [in_the_models_words(rule_set(code, REGISTERED, "x"))]
                                for code in CAPS},
            annual_cap={(code, year): cap for code, cap in CAPS.items() for year in YEARS},
        )
        facts.people[people[0]].members.append((homes["G1"], REGISTERED, None))
        facts.people[people[2]].members.append((homes["G2"], REGISTERED, None))
        council, scanner, leader, shopkeeper = users
        world = World(council, scanner, leader, shopkeeper, homes, people, phones,
                      list(codes.values()), [], teams, facts)
        for month, day, hour, minute, length, host, programme, kind, source in _SESSIONS:
            starts_at = datetime(2026, month, day, hour, minute, tzinfo=JAPAN)
            _hold(world, starts_at, length, host, programme, kind, source, by)
    return world


def person_input(
    number: int, born_on: date, resident: bool, user_id: int | None = None
) -> volunteers.VolunteerInput:
    """The n-th person as registered or corrected."""
    return volunteers.VolunteerInput(
        number=f"M{number:04d}", name=f"見本　{number}", kana=f"ミホン　{number}",
        born_on=born_on, resident=resident, registered_on=REGISTERED, user_id=user_id,
        resident_from=REGISTERED,  # a correction of what was always so
    )


def _staff(by: Scope) -> tuple[dict[str, int], list[Any]]:
    facts, seat = organisations.OrganisationFacts, organisations.OfficeFacts
    homes = organisations.load_organisations(organisations=[
        facts("council", "C", "社会福祉協議会（見本）"),
        facts("group", "G1", "ふれあいサロン（見本）"),
        facts("group", "G2", "みまもり会（見本）"), facts("shop", "S", "見本商店"),
    ], by=by)
    offices = organisations.load_offices(offices=[
        seat(Role.SOCIAL_WELFARE_COUNCIL, "M-O1", "社協職員", "C"),
        seat(Role.SCANNER_DEVICE, "M-O2", "受付端末", "G1"),
        seat(Role.GROUP_LEADER, "M-O3", "代表者", "G1"), seat(Role.SHOP, "M-O4", "協力店", "S"),
    ], by=by)
    users = []
    for office, pk in offices.items():
        user = staff.create_user(username=f"m-{office.lower()}", display_name="見本",
                                 is_device=office == "M-O2", by=by)
        staff.appoint(office_id=pk, user_id=user.pk, starts_on=date(2025, 1, 1), by=by)
        users.append(user)
    return homes, users


def _hold(
    world: World, starts_at: datetime, length: int, host: str, programme: str, kind: str,
    source: str, by: Scope,
) -> None:
    ends_at = starts_at + timedelta(minutes=length)
    year = 2025 if starts_at.month < 4 else 2026
    group = world.groups.get((host, year))
    made = sessions.open(
        title=f"{host} {kind}（見本）", starts_at=starts_at, ends_at=ends_at, place="見本会館",
        group_id=group, organisation_id=world.homes[host], programme=programme,
        activity_kind=kind, source=Source(source), by=by,
    )
    world.sessions.append(made.pk)
    world.facts.sessions[made.pk] = oracle.Session(
        made.pk, programme, world.homes[host], group, kind, source, starts_at.date(),
        starts_at, ends_at,
    )
