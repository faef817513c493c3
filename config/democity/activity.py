"""Two fiscal years of points (見本): rules, groups, volunteers with cards, sessions, exchanges.

Owns the demo's activity, told in its own time: every batch of scans carries the instant at which
it would have arrived, through ``attendance.record``.  Point values are samples: the real ones
are not public.  Refuses nothing: the operations judge.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from uuid import UUID

from django.conf import settings

from config.democity import grouping
from config.democity.organising import Ground
from config.democity.residents import City, Resident
from points.domain import rules as domain
from points.domain.rules import Rate, RuleSet, Source, YearTerms
from points.domain.tokens import Kind, mint
from points.models import Voucher
from points.operations import attendance, enrolments, programmes, sessions, vouchers
from points.operations.scanning import ScanRequest
from points.queries import statements
from registry import access
from registry.access import JAPAN, Scope
from registry.models import User
from registry.operations import cards, memberships, volunteers
from registry.sealing import unseal

TSUNAGARI, ARIGATO = "tsunagari", "arigato"
SKILLS = (("wheelchair",), ("car",), ("wheelchair", "car"), (), (), ("writing",), ("guiding",))


@dataclass
class Volunteers:
    """Ids in the order of registration, cards by id, members by group's organisation code."""

    ids: list[int]
    cards: dict[int, str]
    members: dict[str, list[int]]
    groups: dict[tuple[str, int], int]  # (organisation code, fiscal year) → id
    taro: int


@dataclass
class Counted:
    """What the two years came to."""

    sessions: int = 0
    attendances: int = 0
    vouchers: int = 0
    used: int = 0


def rule(year: int, *, by: Scope) -> None:
    """Two programmes in their real shapes with sample values, for the year before and the year.

    つながりづくりポイント: by registered groups, ¥500 vouchers, 12 a year.  ありがとねポイント:
    one point an arranged activity, ¥100 a point, ¥5,000 a year, from 13, registered by the year.
    """
    for code, name, short in (
        (TSUNAGARI, "つながりづくりポイント（見本）", "つなポン"),
        (ARIGATO, "ありがとねポイント（見本）", "ありがとね"),
    ):
        programmes.create(code=code, name=name, short_name=short, is_sample=True, by=by)
    begins = date(year - 1, 4, 1)
    programmes.add_rules(rules=RuleSet(
        code="tsunagari-mihon", programme=TSUNAGARI, begins_on=begins,
        rates=(Rate("join", "参加型", 1), Rate("support", "支援型", 2)),
        sources=frozenset({Source.GROUP, Source.EVENT}), points_per_voucher=5,
        yen_per_voucher=500, group_day_cap=2, daily_cap=3, vouchers_per_year=12,
        group_minimum=5, group_counts_eligible=True,
        remainder=domain.Remainder.CARRY,
    ), citation="見本要領", by=by)
    programmes.add_rules(rules=RuleSet(
        code="arigato-mihon", programme=ARIGATO, begins_on=begins,
        rates=(Rate("visit", "ボランティア活動", 1),), sources=frozenset({Source.CENTRE}),
        points_per_voucher=5, yen_per_voucher=500, daily_cap=1, minimum_age=13,
        vouchers_per_year=10, enrolment_required=True,
    ), citation="見本要領", by=by)
    for code, cap in ((TSUNAGARI, 60), (ARIGATO, 50)):
        for one in (year - 1, year):
            programmes.open_year(terms=YearTerms(
                programme=code, fiscal_year=one, yen_value=500, annual_cap=cap,
                exchange_from=date(one, 4, 1), exchange_until=date(one + 2, 3, 1),
                grace_until=date(one + 1, 4, 20), lapses_on=date(one + 2, 4, 1),
            ), by=by)


def gather(city: City, ground: Ground, *, year: int, by: Scope) -> Volunteers:
    """Register groups for both years, volunteers from among the residents, members and cards."""
    rng = Random(len(city.people) + 11)  # noqa: S311  # a reproducible sample, no secret
    able = [one for one in city.people if 16 <= one.age(by.on) < 84 and not one.care_level
            and not one.protected_until and not one.physical_grade and not one.mental]
    old = [one for one in able if one.age(by.on) >= 55]
    count = min(len(able), max(60, len(city.people) * 8 // 100), 2_400)
    chosen = rng.sample(old, min(len(old), count * 3 // 4))
    there = {one.number for one in chosen}
    rest = [one for one in able if one.number not in there]
    chosen += rng.sample(rest, min(len(rest), count - len(chosen)))
    begun = date(year - 1, 4, 1)
    inputs = [_volunteer(at, one, ground, rng, begun) for at, one in enumerate(chosen, start=2)]
    inputs.insert(0, volunteers.VolunteerInput(
        number="V00001", name="見本　太郎", kana="ミホン　タロウ", born_on=date(1958, 4, 2),
        area_id=ground.areas[ground.north], user_id=ground.users["volunteer"],
        registered_on=begun, phone="090-0000-0001", has_phone=True, skills=("wheelchair",),
    ))
    ids = [row.pk for row in volunteers.register_many(volunteers=inputs, by=by)]
    for one in (year - 1, year):
        enrolments.enrol(volunteer_ids=ids, programme=ARIGATO, fiscal_year=one, by=by)
    codes = {one: mint(Kind.CARD, host=settings.CODE_HOST).code for one in ids}
    cards.issue_cards(codes=codes, by=by)
    members: dict[str, list[int]] = {}
    rows = []
    for at, (code, _, _) in enumerate(ground.groups):
        own = ids[1 + at :: len(ground.groups)] + rng.sample(ids[1:], 3)
        some = list(dict.fromkeys(([ids[0]] if at < 6 else []) + own))
        members[code] = some
        rows += [memberships.MemberInput(ground.organisations[code], one, begun, place)
                 for place, one in enumerate(some, start=1)]
    memberships.join_many(members=rows, by=by)
    registered = grouping.file(ground, members, programme=TSUNAGARI, year=year, by=by)
    return Volunteers(ids, codes, members, registered, ids[0])


def _volunteer(
    number: int, one: Resident, ground: Ground, rng: Random, begun: date
) -> volunteers.VolunteerInput:
    return volunteers.VolunteerInput(
        number=f"V{number:05}", name=one.name, kana=one.kana, born_on=one.born,
        area_id=ground.areas[one.area], address=one.address, phone=one.phone,
        has_phone=one.phone.startswith("090") and rng.random() < 0.7,
        longitude=one.longitude, latitude=one.latitude,
        location_uncertainty_m=30 if one.longitude is not None else 0,
        registered_on=max(begun, one.moved_in or begun),
        availability=rng.choice(("always", "always", "day", "night")), skills=rng.choice(SKILLS),
    )


def live(ground: Ground, found: Volunteers, *, year: int, council: User, at: datetime) -> Counted:
    """Hold the sessions of both years up to now and count people in, a quarter at a time."""
    rng = Random(len(found.ids))  # noqa: S311  # a reproducible sample, no secret
    counted = Counted()
    quarters: dict[tuple[int, int], list[_Planned]] = defaultdict(list)
    for one in _calendar(ground, found, year=year, until=at, rng=rng):
        quarters[one.begins.year, (one.begins.month - 1) // 3].append(one)
    for some in (quarters[key] for key in sorted(quarters)):
        some.sort(key=lambda one: one.begins)
        arrived = min(at, some[-1].begins + timedelta(hours=6))
        with access.scope(council, at=arrived) as by:
            scans = [scan for one in some for scan in _held(one, found, rng, by)]
            for start in range(0, len(scans), attendance.LARGEST_BATCH):
                part = scans[start : start + attendance.LARGEST_BATCH]
                done = attendance.record(scans=part, by=by)
                counted.attendances += sum(a.attendance is not None for a in done.results)
            counted.sessions += len(some)
    return counted


@dataclass(frozen=True)
class _Planned:
    begins: datetime
    title: str
    people: list[int]
    group: tuple[str, int] | None  # organisation code and fiscal year
    host: int


def _calendar(
    ground: Ground, found: Volunteers, *, year: int, until: datetime, rng: Random
) -> Iterator[_Planned]:
    """Each group once a month; the volunteer centre twice a month."""
    first = date(year - 1, 4, 1)
    for month in range(24):
        months = first.month - 1 + month
        base = date(first.year + months // 12, months % 12 + 1, 1)
        fiscal = base.year - (base.month < 4)
        for at, (code, name, _) in enumerate(ground.groups):
            day = base + timedelta(days=(at * 5 + month) % 28)
            begins = datetime.combine(day, time(9 + at % 7, 30 * (at % 2)), JAPAN)
            if begins + timedelta(hours=3) < until:
                people = [p for p in found.members[code] if rng.random() < 0.7]
                yield _Planned(begins, name.removesuffix("（見本）"), people, (code, fiscal), 0)
        for day_of in (9, 23):
            begins = datetime.combine(base + timedelta(days=day_of - 1), time(18, 0), JAPAN)
            if begins + timedelta(hours=3) < until:
                people = rng.sample(found.ids, min(12, len(found.ids)))
                yield _Planned(begins, "施設訪問ボランティア", people, None,
                               ground.organisations["COUNCIL"])


def _held(one: _Planned, found: Volunteers, rng: Random, by: Scope) -> list[ScanRequest]:
    ends = one.begins + timedelta(minutes=90)
    if one.group is not None:
        session = sessions.open(title=one.title, starts_at=one.begins, ends_at=ends,
                                place="見本会館", group_id=found.groups[one.group], by=by)
    else:
        session = sessions.open(
            title=one.title, starts_at=one.begins, ends_at=ends, place="見本ホーム",
            organisation_id=one.host, programme=ARIGATO, activity_kind="visit",
            source=Source.CENTRE, by=by,
        )
    scans = []
    for person in one.people:
        moment = one.begins + timedelta(seconds=rng.randrange(60, 1_200))
        paper = rng.random() < 0.25
        scans.append(ScanRequest(
            id=UUID(int=rng.getrandbits(128), version=4), scanned_at=moment, session_id=session.pk,
            code="" if paper else found.cards[person], volunteer_id=person if paper else None,
            method="paper" if paper else "",
        ))
    return scans




def exchange(
    found: Volunteers, counted: Counted, *, council: User, shop: User, at: datetime, most: int = 24
) -> None:
    """Some exchanged points three weeks ago; two of three vouchers were used since."""
    then = at - timedelta(days=21)
    rng = Random(most)  # noqa: S311  # a reproducible sample, no secret
    codes: list[str] = []
    with access.scope(council, at=then) as by:
        for person in found.ids[1:]:
            if counted.vouchers >= most:
                break
            ready = {one.programme for one in statements.my_points(by, volunteer_id=person)
                     if one.vouchers_now}
            if TSUNAGARI not in ready:
                continue
            made = vouchers.exchange(
                volunteer_id=person, programme=TSUNAGARI, count=1,
                request_id=UUID(int=rng.getrandbits(128), version=4), by=by,
            )
            counted.vouchers += 1
            if rng.random() < 0.67:
                codes += _codes(made.pk, by)
    for day, code in enumerate(codes):
        when = then + timedelta(days=1 + day % 20, hours=2)
        with access.scope(shop, at=min(when, at)) as by:
            vouchers.redeem(code=code, request_id=UUID(int=rng.getrandbits(128), version=4), by=by)
        counted.used += 1


def _codes(exchange_id: UUID, by: Scope) -> list[str]:
    """What stands on the printed vouchers: the demo plays the hand that carries them to a shop."""
    with access.system(at=by.at, reason="demo") as wide:
        papers = Voucher.objects.visible_to(wide).filter(exchange_id=exchange_id)
        return [unseal(bytes(one.sealed_code), context=f"voucher:{one.serial}").decode()
                for one in papers.order_by("pk")]
