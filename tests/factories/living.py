"""The whole city alive: roster, plan, sharing, custody and points, made through the operations.

What the project-wide promises are tested on (tests/project/).  On top of the cast: Hanako has an
approved plan with Tarō as consenting supporter, every office has its edition, Mori acknowledged
her copies, the 町内会 reported one lost, Mori reported a change, Minami's plan is a draft, Tarō
was at a session of the north group, exchanged points and used a voucher.  Everybody is invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings

from evacuation.domain.consent import Answer, Purpose
from evacuation.models import EditionRow, Letter, PlanPrint
from evacuation.operations import (
    assignments,
    corrections,
    custody,
    losses,
    matching,
    plan_saving,
    plans,
    supporters,
)
from evacuation.queries import editions as edition_queries
from evacuation.queries.plan_sheets import print_context
from points.domain.results import Result
from points.models import Attendance, Voucher
from points.operations import (
    attendance,
    enrolments,
    groups,
    programmes,
    rules,
    sessions,
    vouchers,
)
from points.operations.scanning import ScanRequest
from points.queries.sessions import event_code
from registry import access, sealing
from registry.access import Scope
from registry.operations import volunteers
from tests.cast import TARO_CARD, Cast
from tests.factories import evacuation as roster
from tests.factories import plans as plan_world
from tests.factories import points as points_world


@dataclass(frozen=True)
class City:
    """The cast and the ids of what was made on top."""

    cast: Cast
    world: plan_world.World
    plan: int
    other_plan: int
    edition: dict[str, int]  # office code → edition
    run_period: str
    correction: int
    session: int
    other_session: int
    attendance: int
    exchange: UUID
    voucher_codes: tuple[str, ...]
    event: str
    card: str


def build(cast: Cast) -> City:
    """Everything, in the order of the year.  The clock must stand at the cast's time."""
    roster.build(cast)
    world, plan, other = _plans(cast)
    roster.share(cast)
    editions = {code: row.pk for code, row in roster.editions(cast.at).items()}
    correction = _custody(cast)
    played = _points(cast)
    roster.work(cast.at)
    return City(cast, world, plan, other, editions, roster.PERIOD, correction, **played)


def _plans(cast: Cast) -> tuple[plan_world.World, int, int]:
    before = cast.at - timedelta(hours=5)
    with access.system(at=before, reason="test") as by:
        world = plan_world.world(by)
    with cast.scope(cast.taro, at=before) as by:
        volunteers.opt_in(volunteer_id=cast.taro_id, by=by)
    with cast.scope(cast.sato, at=before) as by:
        for person in (cast.hanako_id, cast.minami_id):
            for purpose in (Purpose.PLAN_MAKING, Purpose.PLAN_SHARING):
                roster.answer(person, Answer.AGREED, by, purpose=purpose)
        other = plans.start(person_id=cast.minami_id, by=by).pk
        plan = plans.start(person_id=cast.hanako_id, by=by).pk
        helper = supporters.register_from_volunteer(volunteer_id=cast.taro_id, by=by)
        matching.propose_now(areas=None, by=by)
        row = assignments.assign(person_id=cast.hanako_id, supporter_id=helper.pk, by=by)
        assignments.ask(assignment_id=row.pk, by=by)
        assignments.record_answer(assignment_id=row.pk, agreed=True, by=by)
        version = 1
        for step, values in {**plan_world.ANSWERS,
                             4: plan_world.destination(world.school)}.items():
            version = plan_saving.save_step(plan_id=plan, step=step, values=values,
                                            version=version, by=by).edit_version
        plans.submit(plan_id=plan, version=version, by=by)
    with cast.scope(cast.takada, at=before + timedelta(hours=1)) as by:
        plans.approve(plan_id=plan, version=version + 1, by=by)
    return world, plan, other


def _custody(cast: Cast) -> int:
    for user, office in ((cast.mori, "O-MORI"), (cast.kato, "O-KATO")):
        with cast.scope(user) as by:
            for copy in roster.copies(cast.at, office_id=cast.offices[office]):
                custody.acknowledge_receipt(copy_id=copy.pk, by=by)
    lost = roster.copies(cast.at, office_id=cast.offices["O-NORTH"], medium="paper")[0]
    with cast.scope(cast.association) as by:
        custody.acknowledge_receipt(copy_id=lost.pk, by=by)
        losses.report_loss(copy_id=lost.pk, discovered_on=by.on, by=by,
                           circumstances="集会所で見当たらない")
    with cast.scope(cast.mori) as by:
        row = edition_queries.my_roster(by)[0].cards[0]
        return corrections.report(edition_row_id=row.row_id, sentence="娘の家にいる", by=by).pk


def _points(cast: Cast) -> dict[str, Any]:
    with access.system(at=cast.at, reason="test") as by:
        group, other = _programme(cast, by)
        card = TARO_CARD
        held = [
            sessions.open(title=title, group_id=one, starts_at=start, place="見本会館",
                          ends_at=start + timedelta(hours=1, minutes=30), by=by).pk
            for one, title, start in (
                (group, "北サロン", cast.at - timedelta(minutes=30)),
                (group, "北サロン朝", cast.at - timedelta(hours=3)),
                (other, "南みまもり", cast.at - timedelta(minutes=30)),
            )
        ]
    for session, when in ((held[1], cast.at - timedelta(hours=2)), (held[0], cast.at)):
        with cast.scope(cast.scanner, at=when) as by:
            counted = attendance.record(scans=[ScanRequest(
                id=uuid4(), scanned_at=when, code=card, session_id=session)], by=by)
            assert counted.results[0].result == Result.GRANTED, counted
    request = uuid4()
    with cast.scope(cast.taro) as by:
        vouchers.exchange(volunteer_id=cast.taro_id, programme="tsunagari", count=2,
                          request_id=request, by=by)
    codes = _voucher_codes(cast)
    with cast.scope(cast.shop) as by:
        vouchers.redeem(code=codes[0], request_id=uuid4(), by=by)
    with cast.scope(cast.leader) as by:
        shown = event_code(by, session_id=held[0]).code
    with access.system(at=cast.at, reason="test") as by:
        counted_id = Attendance.objects.visible_to(by).order_by("-pk")[0].pk
    return {"session": held[0], "other_session": held[2], "attendance": counted_id,
            "exchange": request, "voucher_codes": codes, "event": shown, "card": card}


def _programme(cast: Cast, by: Scope) -> tuple[int, int]:
    programmes.create(code="tsunagari", name="つながりづくりポイント（見本）",
                      short_name="つながり", is_sample=True, by=by)
    first = programmes.add_rules(rules=points_world.rules(points_per_voucher=1),
                                 citation="見本要領", by=by)
    programmes.open_year(terms=points_world.terms(cast.at.year), by=by)
    rules.begin(programme="tsunagari", based_on=first.pk, by=by)
    enrolments.enrol(volunteer_ids=[cast.taro_id], programme="tsunagari",
                     fiscal_year=cast.at.year, by=by)
    north, south = (
        groups.register(organisation_id=home, programme="tsunagari", fiscal_year=cast.at.year,
                        activity_kind="join", by=by).pk
        for home in (cast.group_id, cast.other_group_id)
    )
    return north, south


def _voucher_codes(cast: Cast) -> tuple[str, ...]:
    with access.system(at=cast.at, reason="test") as by:
        return tuple(
            sealing.unseal(bytes(row.sealed_code), context=f"voucher:{row.serial}").decode()
            for row in Voucher.objects.visible_to(by).order_by("pk")
        )


def office_files(city: City) -> dict[tuple[str, str], bytes]:
    """(office code, pdf | xlsx | difference) → the bytes of every file of every edition."""
    found = {}
    with city.cast.scope(city.cast.sato) as by:
        for code, edition in city.edition.items():
            fact = edition_queries.edition(by, edition_id=edition)
            kinds = ["pdf", *["xlsx"] * fact.has_xlsx, *["difference"] * fact.has_difference]
            for kind in kinds:
                found[code, kind] = edition_queries.edition_file(
                    by, edition_id=edition, file=kind).body
    return found


def other_files(city: City) -> dict[str, bytes]:
    """What else lies in the store by name: letters and printed plans."""
    with access.system(at=city.cast.at, reason="test") as by:
        letters = {
            f"letter {row.kind} {row.number}": sealing.fetch(row.address, context="letter")
            for row in Letter.objects.visible_to(by)
        }
        sheets = {
            f"plan {row.version_id}": sealing.fetch(
                row.address, context=print_context(row.version_id))
            for row in PlanPrint.objects.visible_to(by)
        }
    return letters | sheets


def stored() -> list[Path]:
    """Every file that lies in the store."""
    return [path for path in Path(settings.FILE_STORE).glob("*/*") if path.is_file()]


def rows_of(city: City) -> dict[str, list[int]]:
    """office code → ids of its edition's rows."""
    with access.system(at=city.cast.at, reason="test") as by:
        return {
            code: list(EditionRow.objects.visible_to(by).filter(edition_id=edition)
                       .values_list("pk", flat=True))
            for code, edition in city.edition.items()
        }
