"""What the demo city wrote down twice (見本): an overlap, a double claim, one person twice.

Owns three small stories of the current month, so that the council's queues are not empty: a
volunteer at two sessions at the same time, one activity filed with two programmes, and 見本　二重
registered again with another spelling of the name, both cards in use.  Everybody is invented.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid5

from django.conf import settings

from config.democity.activity import ARIGATO, Volunteers
from config.democity.organising import Ground
from points.domain.rules import Source, fiscal_year
from points.domain.tokens import Kind, mint
from points.operations import attendance, enrolments, sessions
from points.operations.scanning import ScanRequest
from registry import access
from registry.access import JAPAN
from registry.models import User
from registry.operations import cards, memberships, volunteers

NAMESPACE = UUID("5b1d2f3c-3f55-4a37-9d54-0e7a52a5c0de")
BORN = date(1949, 10, 3)


def write_down_twice(ground: Ground, found: Volunteers, *, council: User, at: datetime) -> None:
    """Tell the three stories, a few days before ``at``."""
    day = at.astimezone(JAPAN).date() - timedelta(days=6)
    code, name, _ = ground.groups[0]
    year = fiscal_year(day)
    home = ground.organisations[code]
    with access.scope(council, at=at - timedelta(days=3)) as by:
        first, second = _one_person_twice(ground, home, year, at, by)
        morning = datetime.combine(day, time(9, 30), JAPAN)
        salon = sessions.open(title=name.removesuffix("（見本）"), starts_at=morning,
                              ends_at=morning + timedelta(hours=1, minutes=30),
                              place="見本会館", group_id=found.groups[code, year], by=by).pk
        claimed = sessions.open(
            title="サロンの手伝い", starts_at=morning,
            ends_at=morning + timedelta(hours=1, minutes=30), place="見本会館",
            organisation_id=home, programme=ARIGATO, activity_kind="visit",
            source=Source.CENTRE, by=by).pk
        visit = sessions.open(
            title="施設訪問ボランティア", starts_at=morning + timedelta(minutes=45),
            ends_at=morning + timedelta(hours=2), place="見本ホーム",
            organisation_id=ground.organisations["COUNCIL"], programme=ARIGATO,
            activity_kind="visit", source=Source.CENTRE, by=by).pk
        helper, busy = found.members[code][1], found.members[code][2]
        there = [
            (salon, found.cards[helper]), (claimed, found.cards[helper]),
            (salon, found.cards[busy]), (visit, found.cards[busy]), (salon, first),
        ]
        later = morning + timedelta(days=2)
        again = sessions.open(title=name.removesuffix("（見本）"), starts_at=later,
                              ends_at=later + timedelta(hours=1), place="見本会館",
                              group_id=found.groups[code, year], by=by).pk
        there.append((again, second))
        attendance.record(scans=[
            ScanRequest(id=uuid5(NAMESPACE, f"{number}"), scanned_at=morning, code=card,
                        session_id=session)
            for number, (session, card) in enumerate(there)
        ], by=by)


def _one_person_twice(
    ground: Ground, home: int, year: int, at: datetime, by: access.Scope
) -> tuple[str, str]:
    """見本　髙嶋 in spring, 見本　高嶋 in autumn: two records, two cards; the codes."""
    spring = date(year, 4, 1)
    rows = volunteers.register_many(volunteers=[
        volunteers.VolunteerInput(
            number=number, name=name, kana="ミホン　タカシマ", born_on=BORN,
            area_id=ground.areas[ground.north], phone=phone, registered_on=spring,
        )
        for number, name, phone in (("V90001", "見本　髙嶋", "0242-00-9001"),
                                    ("V90002", "見本　高嶋", "0242009001"))
    ], by=by)
    ids = [row.pk for row in rows]
    memberships.join_many(members=[
        memberships.MemberInput(home, one, spring, 90 + place) for place, one in enumerate(ids)
    ], by=by)
    enrolments.enrol(volunteer_ids=ids, programme=ARIGATO, fiscal_year=year, by=by)
    codes = {one: mint(Kind.CARD, host=settings.CODE_HOST).code for one in ids}
    cards.issue_cards(codes=codes, by=by)
    return codes[ids[0]], codes[ids[1]]
