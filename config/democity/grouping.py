"""The registered groups of the demo city (見本): filings, leaders, plans, reports, two years.

Owns the groups' years as they would have gone: filed and registered in the first spring, renewed
in the second, reports of the first year handed in.  One group has lost members and stands at
four, one new filing was handed back, one waits.  Refuses nothing: the operations judge.
"""

from __future__ import annotations

from datetime import date, datetime, time

from config.democity.organising import Ground
from points.operations import group_members, group_reports, groups
from points.operations.groups import FilingInput, PlanInput
from registry import access
from registry.access import JAPAN, Scope
from registry.models import User
from registry.operations import organisations

FEW = "会員をふやしている途中（見本）"
NEW = (("G901", "あたらしい茶の間（見本）", True), ("G902", "駅前そうじの会（見本）", False))
_PLACES = ("見本会館", "見本公民館", "見本集会所")


def file(
    ground: Ground, members: dict[str, list[int]], *, programme: str, year: int, by: Scope
) -> dict[tuple[str, int], int]:
    """File and register every group for both years; (organisation code, year) → id.

    ``by`` is at the first spring; the renewal happens in the March of the second year.
    """
    found: dict[tuple[str, int], int] = {}
    for at, (code, name, kind) in enumerate(ground.groups):
        made = groups.apply(
            organisation_id=ground.organisations[code], programme=programme, fiscal_year=year - 1,
            filing=_filing(at, name, kind), by=by,
        )
        _lead(ground, code, made.pk, members[code], by)
        _register(made.pk, by)
        found[code, year - 1] = made.pk
    spring = datetime.combine(date(year, 3, 10), time(10), JAPAN)
    with access.system(at=spring, reason="demo") as later:
        for code, _, _ in ground.groups:
            new = groups.renew(group_id=found[code, year - 1], by=later)
            _register(new.pk, later)
            found[code, year] = new.pk
    return found


def shrink(
    ground: Ground, found: dict[tuple[str, int], int], members: dict[str, list[int]], *,
    year: int, at: datetime,
) -> None:
    """The last group loses members until four are left, a week ago or on the year's first day."""
    code = ground.groups[-1][0]
    with access.system(at=at, reason="demo") as by:
        day = max(date(year, 4, 2), date.fromordinal(by.on.toordinal() - 7))
        for person in members[code][4:]:
            group_members.remove(group_id=found[code, year], volunteer_id=person,
                                 ends_on=min(day, by.on), reason="転居など（見本）", by=by)
        members[code] = members[code][:4]


def knock(ground: Ground, *, programme: str, year: int, council: User, at: datetime) -> None:
    """Two new groups file: one was handed back, one waits for the council."""
    with access.system(at=at, reason="demo") as by:
        homes = organisations.load_organisations(organisations=[
            organisations.OrganisationFacts("group", code, name) for code, name, _ in NEW
        ], by=by)
    for number, (code, name, back) in enumerate(NEW):
        with access.scope(council, at=at) as by:
            made = groups.apply(organisation_id=homes[code], programme=programme,
                                fiscal_year=year, filing=_filing(number, name, "join"), by=by)
            groups.submit(group_id=made.pk, by=by)
            if back:
                groups.hand_back(group_id=made.pk, by=by,
                                 reason="会員がまだ5人いません。会員届をそえてください。（見本）")


def report(
    ground: Ground, found: dict[tuple[str, int], int], *, year: int, council: User, at: datetime
) -> int:
    """Hand in last year's reports: most are accepted, one waits, one is not written yet."""
    then = min(at, datetime.combine(date(year, 4, 25), time(10), JAPAN))
    accepted = 0
    with access.scope(council, at=then) as by:
        for number, (code, _, _) in enumerate(ground.groups[:-1]):
            group = found[code, year - 1]
            group_reports.write(group_id=group, by=by,
                                text="月に1回、みんなで集まりました。けがもなくすごせました。（見本）")
            if by.on < date(year, 3, 31):
                continue
            group_reports.submit(group_id=group, by=by)
            if number:
                group_reports.accept(group_id=group, by=by)
                accepted += 1
    return accepted


def _filing(at: int, name: str, kind: str) -> FilingInput:
    place = _PLACES[at % len(_PLACES)]
    plan = [PlanInput(kind, "month", 1, place, "地域の方（見本）", 15)]
    if at % 3 == 0:
        other = "support" if kind == "join" else "join"
        plan.append(PlanInput(other, "year", 2, "見本広場", "地域の方みんな（見本）", 40))
    return FilingInput(name, kind, "見本　連絡", "0242-00-0000", "会津若松市（見本）", tuple(plan))


def _lead(ground: Ground, code: str, group: int, members: list[int], by: Scope) -> None:
    """The first member leads; the demo's leader account signs in for the first group."""
    if members:
        own = code == ground.group
        group_members.change_leader(
            group_id=group, volunteer_id=members[0], starts_on=by.on,
            username="daihyo" if own else "", by=by,
        )


def _register(group: int, by: Scope) -> None:
    groups.submit(group_id=group, by=by)
    groups.accept(group_id=group, exception=FEW, by=by)
