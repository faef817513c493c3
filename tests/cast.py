"""The cast that every test knows, made through the operations, never by direct inserts.

Hanako is on the roster and consents; Ichirō is on the roster and refuses; Yuki lives under
DV等支援措置; Minami lives in the south.  Tarō is a volunteer of the north group; Natsu of another.
Sato is the city officer, Takada the approver, Suzuki of the 社協; Mori is 民生委員 of the north,
Katō of the south, who must never see anyone in the north; the scanner may only scan.
Everybody is invented (見本).  Consents, plans and points are added by their own fixtures.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from registry import access
from registry.access import Scope
from registry.domain.roles import Role
from registry.models import Appointment, User
from registry.operations import (
    areas,
    cards,
    imports,
    memberships,
    organisations,
    people,
    staff,
    volunteers,
)
from registry.queries.people import person_ids_by_number

# As a reader reads them: 11 characters and their check character (P6).
TARO_CARD = "TAR0TAR0XX1J"
NATSU_CARD = "NATSVNATSX2Z"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

_COLUMNS = (
    "宛名番号,世帯番号,氏名,氏名_フリガナ,生年月日,性別,郵便番号,住所,方書,行政区コード,班,電話番号,"
    "経度,緯度,転入年月日,転出年月日,死亡年月日,支援措置終了年月日"
)
_ROWS = (
    ("1001,501,見本　花子,ミホン　ハナコ,昭和13年5月3日,2,965-0001,会津若松市見本町1番1号",
     "N1,1,0242-00-0001,139.9300,37.4950,,,,"),
    ("1002,502,見本　一郎,ミホン　イチロウ,T14.2.11,1,965-0001,会津若松市見本町1番2号",
     "N1,1,0242-00-0002,139.9305,37.4952,,,,"),
    ("1003,503,見本　雪,ミホン　ユキ,S40.1.9,2,965-0001,会津若松市見本町1番3号",
     "N1,2,,139.9310,37.4951,,,,令和9年3月31日"),
    ("1004,504,見本　南,ミホン　ミナミ,1940-07-01,2,965-0002,会津若松市南見本町2番1号",
     "S1,1,,139.9200,37.4800,,,,"),
    ("1005,501,見本　太郎,ミホン　タロウ,S60.4.2,1,965-0001,会津若松市見本町1番1号",
     "N1,1,,139.9300,37.4950,,,,"),
)
PEOPLE = "\n".join([_COLUMNS, *(",,".join(row) for row in _ROWS)]) + "\n"


@dataclass(frozen=True)
class Cast:
    """Users as objects, everything else as ids."""

    at: datetime
    sato: User
    takada: User
    suzuki: User
    mori: User
    kato: User
    association: User
    leader: User
    shop: User
    care_manager: User
    scanner: User
    taro: User
    nobody: User
    former: User  # held Mori's office until yesterday's midnight
    hanako_id: int
    ichiro_id: int
    yuki_id: int
    minami_id: int
    taro_person_id: int
    taro_id: int
    natsu_id: int
    north_id: int
    south_id: int
    district_id: int
    city_id: int
    group_id: int
    other_group_id: int
    shop_organisation_id: int
    offices: dict[str, int]

    def scope(self, user: User, *, at: datetime | None = None) -> Any:
        """``access.scope`` of one of the cast at the cast's time."""
        return access.scope(user, at=at or self.at)


_USERS = {
    "sato": ("佐藤（見本）", "O-CITY"), "takada": ("高田（見本）", "O-APPROVE"),
    "suzuki": ("鈴木（見本）", "O-COUNCIL"), "mori": ("森（見本）", "O-MORI"),
    "kato": ("加藤（見本）", "O-KATO"), "association": ("北町内会長（見本）", "O-NORTH"),
    "leader": ("代表者（見本）", "O-LEADER"), "shop": ("協力店（見本）", "O-SHOP"),
    "care_manager": ("ケアマネ（見本）", "O-CARE"), "scanner": ("受付端末（見本）", "O-SCAN"),
    "taro": ("太郎（見本）", None), "nobody": ("役のない人（見本）", None),
    "former": ("前の民生委員（見本）", None),
}


def build(at: datetime) -> Cast:
    """Make the cast at an instant; needs an empty database."""
    with access.system(at=at, reason="cast") as by:
        places = areas.load_areas(areas=[
            areas.AreaFacts("municipality", "M", "会津若松市"),
            areas.AreaFacts("district", "D", "見本地区", parent="M"),
            areas.AreaFacts("neighbourhood", "N1", "北町内会", parent="D"),
            areas.AreaFacts("neighbourhood", "S1", "南町内会", parent="D"),
        ], by=by)
        homes, offices = _organise(by)
        users = {
            name: staff.create_user(username=name, display_name=shown,
                                    is_device=name == "scanner", by=by)
            for name, (shown, _) in _USERS.items()
        }
        begun = date(at.year - 1, 4, 1)
        for name, (_, office) in _USERS.items():
            if office is not None:
                staff.appoint(office_id=offices[office], user_id=users[name].pk,
                              starts_on=begun, by=by)
        staff.appoint(office_id=offices["O-MORI"], user_id=users["former"].pk,
                      starts_on=date(at.year - 4, 4, 1), ends_on=by.on, by=by)
        numbers = _people(by)
        people.look_after(person_id=numbers["1001"], user_id=users["care_manager"].pk,
                          starts_on=begun, by=by)
        taro, natsu = _volunteers(by, users, homes, places)
    return Cast(
        at=at, **users, hanako_id=numbers["1001"], ichiro_id=numbers["1002"],
        yuki_id=numbers["1003"], minami_id=numbers["1004"], taro_person_id=numbers["1005"],
        taro_id=taro, natsu_id=natsu, north_id=places["N1"], south_id=places["S1"],
        district_id=places["D"], city_id=places["M"], group_id=homes["G1"],
        other_group_id=homes["G2"], shop_organisation_id=homes["SHOP1"], offices=offices,
    )


def _organise(by: Scope) -> tuple[dict[str, int], dict[str, int]]:
    facts = organisations.OrganisationFacts
    homes = organisations.load_organisations(organisations=[
        facts("city", "CITY", "会津若松市役所（見本）"),
        facts("council", "COUNCIL", "社会福祉協議会（見本）"),
        facts("commissioners", "MINSEI", "民生委員児童委員協議会（見本）"),
        facts("neighbourhood", "NA", "北町内会（見本）", area="N1"),
        facts("group", "G1", "北ふれあいサロン（見本）", area="N1"),
        facts("group", "G2", "南みまもり会（見本）", area="S1"),
        facts("shop", "SHOP1", "見本商店"),
        facts("care_office", "CARE", "見本居宅介護支援事業所"),
    ], by=by)
    seat = organisations.OfficeFacts
    north, south = (("N1", ""),), (("S1", ""),)
    offices = organisations.load_offices(offices=[
        seat(Role.CITY_OFFICER, "O-CITY", "担当職員", "CITY"),
        seat(Role.CITY_APPROVER, "O-APPROVE", "承認者", "CITY"),
        seat(Role.SOCIAL_WELFARE_COUNCIL, "O-COUNCIL", "社協職員", "COUNCIL"),
        seat(Role.WELFARE_COMMISSIONER, "O-MORI", "民生委員（北）", "MINSEI", north),
        seat(Role.WELFARE_COMMISSIONER, "O-KATO", "民生委員（南）", "MINSEI", south),
        seat(Role.NEIGHBOURHOOD_ASSOCIATION, "O-NORTH", "北町内会長", "NA", north),
        seat(Role.GROUP_LEADER, "O-LEADER", "代表者", "G1"),
        seat(Role.SHOP, "O-SHOP", "協力店", "SHOP1"),
        seat(Role.CARE_MANAGER, "O-CARE", "介護支援専門員", "CARE"),
        seat(Role.SCANNER_DEVICE, "O-SCAN", "受付端末", "G1"),
    ], by=by)
    return homes, offices


def _people(by: Scope) -> dict[str, int]:
    batch = imports.stage(source=PEOPLE.encode(), profile="residents", file_name="cast.csv", by=by)
    done = imports.apply(batch_id=batch.pk, by=by)
    assert (done.new_count, done.row_count) == (5, 5), done.__dict__
    return person_ids_by_number(by, ["1001", "1002", "1003", "1004", "1005"])


def _volunteers(
    by: Scope, users: dict[str, User], homes: dict[str, int], places: dict[str, int]
) -> tuple[int, int]:
    taro, natsu = volunteers.register_many(volunteers=[
        volunteers.VolunteerInput(
            number="V0001", name="見本　太郎", kana="ミホン　タロウ", born_on=date(1958, 4, 2),
            area_id=places["N1"], user_id=users["taro"].pk, phone="090-0000-0001",
            longitude=139.9302, latitude=37.4951, skills=("wheelchair",),
        ),
        volunteers.VolunteerInput(
            number="V0002", name="見本　夏", kana="ミホン　ナツ", born_on=date(1990, 8, 1),
            area_id=places["S1"], phone="090-0000-0002",
        ),
    ], by=by)
    begun = date(by.on.year, 4, 1)
    memberships.join(organisation_id=homes["G1"], volunteer_id=taro.pk, starts_on=begun, by=by)
    memberships.join(organisation_id=homes["G2"], volunteer_id=natsu.pk, starts_on=begun, by=by)
    cards.issue_cards(codes={taro.pk: TARO_CARD, natsu.pk: NATSU_CARD}, by=by)
    return taro.pk, natsu.pk


def end_term_of(cast: Cast, user: User, *, on: date, by: Scope) -> None:
    """End every term of one of the cast."""
    for term in Appointment.objects.filter(user=user, ends_on__isnull=True):
        staff.end_term(appointment_id=term.pk, ends_on=on, by=by)
