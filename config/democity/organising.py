"""The organisations of the demo city, their offices, and who holds them (見本).

Owns areas, 町内会 and 民生委員 with terms of office — some ended, some not begun, some vacant —
groups, shops, care offices, and the accounts of the demo's user groups.  Everything goes through
the registry's operations.  Refuses to give a password to anybody but those accounts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from random import Random

from config.democity import names
from config.democity.places import CITY_CODE, DISTRICTS, Neighbourhood, town_points
from config.democity.residents import City, Resident
from registry.access import Scope
from registry.domain.roles import Role
from registry.operations import areas, organisations, staff

Seat = organisations.OfficeFacts
Home = organisations.OrganisationFacts
# Role in demo.json, user name, display name.  Northern and southern commissioner differ.
ACCOUNTS = (
    ("city_officer", "sato", "佐藤（見本）"),
    ("city_approver", "takada", "高田（見本）"),
    ("social_welfare_council", "suzuki", "鈴木（見本）"),
    ("group_leader", "daihyo", "団体代表（見本）"),
    ("neighbourhood_association", "kita-chonaikai", "北の町内会長（見本）"),
    ("welfare_commissioner_north", "mori", "森（見本）"),
    ("welfare_commissioner_south", "kato", "加藤（見本）"),
    ("volunteer", "taro", "見本　太郎"),
    ("shop", "mise", "見本商店"),
    ("care_manager", "endo", "遠藤（見本）"),
    ("scanner_device", "uketsuke-1", "受付端末1（見本）"),
)
NORTH, SOUTH = "一箕", "門田"
GROUP_KINDS = (
    ("ふれあいサロン", "join"), ("いきいき体操の会", "join"), ("見まもり隊", "support"),
    ("配食ボランティアの会", "support"), ("花いっぱいの会", "join"), ("こども食堂", "support"),
    ("除雪ボランティアの会", "support"), ("傾聴の会", "support"), ("手話の会", "join"),
)
SHOPS = (
    "見本商店", "見本青果店", "見本精肉店", "見本酒店", "見本理容", "見本薬局", "見本書店",
    "見本食堂", "見本菓子舗", "見本タクシー", "見本衣料店", "見本生花店",
)


@dataclass
class Ground:
    """Ids by code, and what the later steps need to know."""

    areas: dict[str, int]
    organisations: dict[str, int]
    offices: dict[str, int]
    groups: list[tuple[str, str, str]]  # organisation code, name, kind of activity
    users: dict[str, int] = field(default_factory=dict)  # role in demo.json → user id
    carers: list[int] = field(default_factory=list)
    north: str = ""
    south: str = ""
    group: str = "G001"
    shop: str = "S001"


def lay(city: City, *, fiscal_year: int, by: Scope) -> Ground:
    """Areas, organisations, offices, accounts and terms."""
    rng = Random(len(city.people) + 7)  # noqa: S311  # a reproducible sample, no secret
    places = areas.load_areas(areas=_areas(city.areas), by=by)
    areas.load_towns(
        towns=[areas.TownFacts(p.town, p.koaza, p.longitude, p.latitude) for p in town_points()],
        by=by,
    )
    groups = _groups(city)
    homes = organisations.load_organisations(organisations=_homes(city, groups), by=by)
    north, south = _busiest(city, NORTH), _busiest(city, SOUTH)
    patches = _patches(city.areas)
    offices = organisations.load_offices(offices=_seats(city, patches), by=by)
    ground = Ground(places, homes, offices, groups, north=north, south=south)
    _accounts(ground, patches, date(fiscal_year - 1, 4, 1), by)
    _terms(ground, city, patches, rng, by)
    return ground


def _areas(found: list[Neighbourhood]) -> list[areas.AreaFacts]:
    rows = [areas.AreaFacts("municipality", CITY_CODE, "会津若松市")]
    for number, (name, *_) in enumerate(DISTRICTS, start=1):
        own = [one for one in found if one.district == name]
        rows.append(areas.AreaFacts(
            "district", f"D{number:02}", f"{name}地区", parent=CITY_CODE,
            longitude=sum(one.longitude for one in own) / len(own),
            latitude=sum(one.latitude for one in own) / len(own),
        ))
        rows += [
            areas.AreaFacts("neighbourhood", one.code, one.name, parent=f"D{number:02}",
                            longitude=one.longitude, latitude=one.latitude)
            for one in own
        ]
    return rows


def _groups(city: City) -> list[tuple[str, str, str]]:
    count = 34 + min(66, max(0, len(city.people) - 3_000) // 1_500)
    found = []
    for at in range(count):
        what, kind = GROUP_KINDS[at % len(GROUP_KINDS)]
        where = city.areas[at * len(city.areas) // count].name.removesuffix("町内会")
        found.append((f"G{at + 1:03}", f"{where}{what}（見本）", kind))
    return found


def _homes(city: City, groups: list[tuple[str, str, str]]) -> list[Home]:
    rows = [
        Home("city", "CITY", "会津若松市役所（見本）"),
        Home("council", "COUNCIL", "会津若松市社会福祉協議会（見本）"),
        Home("fire", "FIRE", "会津若松消防署（見本）"),
        Home("police", "POLICE", "会津若松警察署（見本）"),
    ]
    rows += [
        Home("commissioners", f"M{number:02}", f"{name}地区民生児童委員協議会（見本）",
             area=f"D{number:02}")
        for number, (name, *_) in enumerate(DISTRICTS, start=1)
    ]
    rows += [Home("neighbourhood", f"A-{one.code}", f"{one.name}（見本）", area=one.code)
             for one in city.areas]
    count = len(groups)
    rows += [Home("group", code, name, area=city.areas[at * len(city.areas) // count].code)
             for at, (code, name, _) in enumerate(groups)]
    rows += [Home("shop", f"S{at:03}", name, address="会津若松市（見本）", phone="0242-00-0000")
             for at, name in enumerate(SHOPS, start=1)]
    rows += [Home("care_office", f"K{at:02}", f"見本居宅介護支援事業所{at}") for at in (1, 2, 3)]
    return rows


def _busiest(city: City, district: str) -> str:
    """The 町内会 of a district with the most people whom the criteria will list."""
    own = {one.code: 0 for one in city.areas if one.district == district}
    for one in city.people:
        if one.area in own and listed(one):
            own[one.area] += 1
    return max(own, key=lambda code: (own[code], code))


def listed(one: Resident) -> bool:
    """Whether the shipped criteria will put the person on the roster (a forecast)."""
    heart_alone = one.physical_parts in ("10", "11")
    return not one.facility_since and bool(
        one.care_level >= "23" or one.intellectual or one.mental
        or (one.physical_grade in ("1", "2") and not heart_alone)
    )


def _patches(found: list[Neighbourhood]) -> list[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """民生委員 office code, district number, areas: about two 町内会 each.

    In 城北 one 町内会 is shared by 班: areas of responsibility are not a tree.
    """
    rows = []
    for number, (name, *_) in enumerate(DISTRICTS, start=1):
        own = [one.code for one in found if one.district == name]
        shared = own.pop() if name == "城北" and len(own) > 1 else ""
        some = [tuple((code, "") for code in own[at : at + 2]) for at in range(0, len(own), 2)]
        if shared:
            some[0] += ((shared, "1"), (shared, "2"))
            some.append(((shared, "3"), (shared, "4")))
        rows += [(f"MI-{number:02}{at:03}", f"{number:02}", areas_)
                 for at, areas_ in enumerate(some, start=1)]
    return rows


def _seats(
    city: City, patches: list[tuple[str, str, tuple[tuple[str, str], ...]]]
) -> list[Seat]:
    rows = [
        Seat(Role.CITY_OFFICER, "O-OFFICER", "危機管理課 担当職員", "CITY"),
        Seat(Role.CITY_APPROVER, "O-APPROVER", "危機管理課 課長", "CITY"),
        Seat(Role.SOCIAL_WELFARE_COUNCIL, "O-COUNCIL", "社会福祉協議会 職員", "COUNCIL"),
        Seat(Role.GROUP_LEADER, "O-LEADER", "代表者", "G001"),
        Seat(Role.SCANNER_DEVICE, "O-SCANNER", "受付端末", "G001"),
        Seat(Role.SHOP, "O-SHOP", "協力店", "S001"),
        *(Seat(Role.CARE_MANAGER, f"O-CARE{at}", "介護支援専門員", f"K{at:02}")
          for at in (1, 2, 3)),
    ]
    rows += [
        Seat(Role.NEIGHBOURHOOD_ASSOCIATION, f"NA-{one.code}", f"{one.name}長",
             f"A-{one.code}", ((one.code, ""),), "会館の鍵つき書庫（見本）")
        for one in city.areas
    ]
    rows += [
        Seat(Role.WELFARE_COMMISSIONER, code, f"民生委員・児童委員（{code[3:]}）", f"M{district}",
             covered, "自宅の鍵つき引き出し（見本）")
        for code, district, covered in patches
    ]
    return rows


def _accounts(
    ground: Ground, patches: list[tuple[str, str, tuple[tuple[str, str], ...]]], begun: date,
    by: Scope,
) -> None:
    covering = {area: code for code, _, covered in patches for area, _ in covered}
    seats = {
        "city_officer": "O-OFFICER", "city_approver": "O-APPROVER",
        "social_welfare_council": "O-COUNCIL", "group_leader": "O-LEADER",
        "neighbourhood_association": f"NA-{ground.north}",
        "welfare_commissioner_north": covering[ground.north],
        "welfare_commissioner_south": covering[ground.south],
        "shop": "O-SHOP", "care_manager": "O-CARE1", "scanner_device": "O-SCANNER",
    }
    for role, username, shown in ACCOUNTS:
        user = staff.create_user(username=username, display_name=shown,
                                 is_device=role == "scanner_device", by=by)
        ground.users[role] = user.pk
        if role in seats:
            staff.appoint(office_id=ground.offices[seats[role]], user_id=user.pk,
                          starts_on=begun, by=by)
    ground.carers.append(ground.users["care_manager"])
    for at in (2, 3):
        user = staff.create_user(username=f"care-{at}", display_name=f"ケアマネ{at}（見本）", by=by)
        staff.appoint(office_id=ground.offices[f"O-CARE{at}"], user_id=user.pk, starts_on=begun,
                      by=by)
        ground.carers.append(user.pk)


def _terms(
    ground: Ground, city: City, patches: list[tuple[str, str, tuple[tuple[str, str], ...]]],
    rng: Random, by: Scope,
) -> None:
    """Holders of every other office: three-year terms of 民生委員, two of 町内会長."""
    cycle = max(y for y in range(by.on.year - 6, by.on.year + 1)
                if (y - 2025) % 3 == 0 and date(y, 12, 1) <= by.on)
    spring = by.on.year - (by.on.month < 4)
    taken = {"NA-" + ground.north} | {
        code for code, _, covered in patches
        if {ground.north, ground.south} & {area for area, _ in covered}
    }
    jobs = [(code, date(cycle, 12, 1), 3, f"minsei-{code[3:]}") for code, *_ in patches]
    jobs += [(f"NA-{one.code}", date(spring, 4, 1), 2, f"chonaikai-{one.code}")
             for one in city.areas]
    for at, (code, first, years, username) in enumerate(jobs):
        if code in taken:
            continue
        office, last = ground.offices[code], date(first.year + years, first.month, 1)
        if at % 4 == 1:  # somebody held it before; that term has ended
            before = date(first.year - years, first.month, 1)
            former = _holder(f"{username}-old", rng, by)
            staff.appoint(office_id=office, user_id=former, starts_on=before, ends_on=first, by=by)
        if at % 29 == 5:  # 欠員
            continue
        user = _holder(username, rng, by)
        if at % 29 == 12:  # appointed, not begun
            first, last = _next_month(by.at), date(by.on.year + years, first.month, 1)
            if last <= first:
                last = date(first.year + years, first.month, 1)
        staff.appoint(office_id=office, user_id=user, starts_on=first, ends_on=last, by=by)


def _next_month(at: datetime) -> date:
    return date(at.year + at.month // 12, at.month % 12 + 1, 1)


def _holder(username: str, rng: Random, by: Scope) -> int:
    family, sex = names.surname(rng)[0], "female" if rng.random() < 0.5 else "male"
    shown = f"{family}　{names.given(rng, sex, 1955)[0]}（見本）"
    return staff.create_user(username=username, display_name=shown, by=by).pk
