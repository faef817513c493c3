"""A small world of points, made through the operations: programmes, groups, people, sessions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from points.domain import tokens
from points.domain.rules import Per, Rate, Remainder, RuleSet, Source, YearTerms
from points.operations import groups, programmes, sessions
from points.operations.scanning import ScanRequest
from registry import access
from registry.access import JAPAN, Scope
from registry.domain.roles import Role
from registry.operations import cards, memberships, organisations, staff, volunteers

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=JAPAN)


def rules(**changes: Any) -> RuleSet:
    """つながりづくりポイント（見本）: 1 point a visit, at most 2 a day, 1 a group and day."""
    given: dict[str, Any] = {
        "code": "tsunagari-2026", "programme": "tsunagari", "begins_on": date(2025, 4, 1),
        "rates": (Rate("join", "参加型", 1), Rate("support", "支援型", 2),
                  Rate("hourly", "活動型", 1, Per.STARTED_HOUR)),
        "sources": frozenset(Source), "points_per_voucher": 5, "yen_per_voucher": 500,
        "group_day_cap": 2, "daily_cap": 3, "vouchers_per_year": 10,
        "remainder": Remainder.CARRY,
    }
    return RuleSet(**(given | changes))


def terms(year: int = 2026, **changes: Any) -> YearTerms:
    """One year's terms; exchange from its first day until the next June."""
    given: dict[str, Any] = {
        "programme": "tsunagari", "fiscal_year": year, "yen_value": 500, "annual_cap": 50,
        "exchange_from": date(year, 4, 1), "exchange_until": date(year + 1, 6, 30),
        "grace_until": date(year + 1, 4, 20), "lapses_on": date(year + 1, 7, 1),
    }
    return YearTerms(**(given | changes))


@dataclass
class World:
    """Ids and codes of what was made; users as objects."""

    at: datetime
    organisation: int
    other: int
    shop: int
    group: int
    other_group: int
    council: Any
    leader: Any
    other_leader: Any
    scanner: Any
    shopkeeper: Any
    people: list[int]
    cards: dict[int, str]
    session: int
    users: dict[int, Any] = field(default_factory=dict)

    def card(self, number: int) -> str:
        """The card code of the n-th person."""
        return self.cards[self.people[number]]

    def scan(self, number: int, session: int | None = None, **changes: Any) -> ScanRequest:
        """A scan of the n-th person's card at a session."""
        given: dict[str, Any] = {
            "id": uuid4(), "scanned_at": self.at, "code": self.card(number),
            "session_id": session or self.session,
        }
        return ScanRequest(**(given | changes))


def _begin(by: Scope, extra_rules: list[RuleSet], **changes: Any) -> None:
    programmes.create(code="tsunagari", name="つながりづくりポイント（見本）",
                      short_name="つながり", is_sample=True, by=by)
    programmes.add_rules(rules=rules(**changes), citation="見本要領", by=by)
    for one in extra_rules:
        if one.programme != "tsunagari":
            programmes.create(code=one.programme, name=f"{one.programme}（見本）", by=by)
        programmes.add_rules(rules=one, by=by)


def build(
    at: datetime = NOON, *, count: int = 3, extra_rules: list[RuleSet] | None = None,
    year: dict[str, Any] | None = None, phones: bool = False, **changes: Any,
) -> World:
    """Make a world; ``changes`` go into the rule set, ``year`` into the terms."""
    with access.system(at=at, reason="test world") as by:
        _begin(by, extra_rules or [], **changes)
        for start in (at.year - 1, at.year):
            for code in ["tsunagari", *{r.programme for r in extra_rules or []} - {"tsunagari"}]:
                programmes.open_year(
                    terms=terms(start, **((year or {}) | {"programme": code})), by=by
                )
        facts = organisations.OrganisationFacts
        homes = organisations.load_organisations(organisations=[
            facts("council", "P-COUNCIL", "社会福祉協議会（見本）"),
            facts("group", "P-G1", "ふれあいサロン（見本）"),
            facts("group", "P-G2", "みまもり会（見本）"), facts("shop", "P-S1", "見本商店"),
        ], by=by)
        seat = organisations.OfficeFacts
        offices = organisations.load_offices(offices=[
            seat(Role.SOCIAL_WELFARE_COUNCIL, "P-O1", "社協職員", "P-COUNCIL"),
            seat(Role.GROUP_LEADER, "P-O2", "代表者", "P-G1"),
            seat(Role.GROUP_LEADER, "P-O3", "代表者", "P-G2"),
            seat(Role.SCANNER_DEVICE, "P-O4", "受付端末", "P-G1"),
            seat(Role.SHOP, "P-O5", "協力店", "P-S1"),
        ], by=by)
        users = []
        for number, office in enumerate(("P-O1", "P-O2", "P-O3", "P-O4", "P-O5")):
            user = staff.create_user(username=f"p-user{number}", display_name=f"見本{number}",
                                     is_device=number == 3, by=by)
            staff.appoint(office_id=offices[office], user_id=user.pk,
                          starts_on=date(at.year - 1, 4, 1), by=by)
            users.append(user)
        owners = [
            staff.create_user(username=f"p-person{n}", display_name="見本", by=by)
            if phones else None
            for n in range(count)
        ]
        people = [row.pk for row in volunteers.register_many(volunteers=[
            volunteers.VolunteerInput(
                number=f"P{n:05d}", name=f"見本　{n}", kana=f"ミホン　{n}",
                born_on=date(1950, 5, 5), registered_on=date(at.year - 1, 4, 1),
                user_id=getattr(owners[n], "pk", None),
            )
            for n in range(count)
        ], by=by)]
        memberships.join_many(members=[
            memberships.MemberInput(homes["P-G1"], one, date(at.year - 1, 4, 1)) for one in people
        ], by=by)
        codes = {one: tokens.mint("card").code for one in people}
        cards.issue_cards(codes=codes, by=by)
        ids = [
            groups.register(organisation_id=homes[code], programme="tsunagari",
                            fiscal_year=at.year, activity_kind="join",
                            exception="見本", by=by).pk
            for code in ("P-G1", "P-G2")
        ]
        world = World(
            at, homes["P-G1"], homes["P-G2"], homes["P-S1"], ids[0], ids[1], *users,
            people=people, cards=codes, session=0,
            users=dict(zip(people, owners, strict=True)) if phones else {},
        )
    world.session = hold(world)
    return world


def hold(
    world: World, *, start: datetime | None = None, hours: float = 1.5,
    title: str = "ふれあいサロン", group: int | None = None, kind: str = "", **given: Any,
) -> int:
    """Open a session of the first group (or ``group``, or ``given``'s host) by the service."""
    begins = start or world.at - timedelta(hours=1)
    if "organisation_id" not in given:
        given["group_id"] = group or world.group
    with access.system(at=world.at, reason="test session") as by:
        return sessions.open(
            title=title, starts_at=begins, ends_at=begins + timedelta(hours=hours),
            place="見本会館", activity_kind=kind, by=by, **given,
        ).pk


def request_id() -> UUID:
    """A client's UUID."""
    return uuid4()
