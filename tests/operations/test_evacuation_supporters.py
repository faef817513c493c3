"""Supporters: P11's window, consent, assignments, and proposals that are optimal and explained."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from evacuation.domain.matching import solve
from evacuation.models import Assignment, Proposal, ProposalGap, ProposalRun, Supporter
from evacuation.operations import assignments, matching, places, plan_sheets, supporters
from evacuation.operations.assignments import SupporterBusy
from evacuation.operations.supporters import SupporterInput, SupporterRefused
from evacuation.queries import supporters as read
from registry import access, outbox
from registry.domain.errors import Forbidden, NotFound
from registry.models import OutboxMessage, Person
from registry.operations import volunteers
from tests.factories import plans as made


@pytest.fixture
def listed(cast: Any) -> Any:
    with access.system(at=cast.at, reason="test") as by:
        made.listed(by, cast.hanako_id, cast.ichiro_id, cast.minami_id)
        made.consents(by, cast.hanako_id, "plan_making")
    return cast


def neighbour(by: Any, name: str, lon: float = 139.9303, lat: float = 37.4951,
              **more: Any) -> Supporter:
    return supporters.register(by=by, supporter=SupporterInput(
        name, longitude=lon, latitude=lat, **more))


def test_P11_only_volunteers_who_opted_in_can_become_supporters(listed: Any) -> None:
    with listed.scope(listed.sato) as by, pytest.raises(NotFound):
        supporters.register_from_volunteer(volunteer_id=listed.taro_id, by=by)
    with listed.scope(listed.taro) as by:
        volunteers.opt_in(volunteer_id=listed.taro_id, by=by)
    with listed.scope(listed.sato) as by:
        assert supporters.register_opted_in(by=by) == 1
        assert supporters.register_opted_in(by=by) == 0
        row = supporters.register_from_volunteer(volunteer_id=listed.taro_id, by=by)
        line = read.pool(by)[0]
    assert (line.id, line.kind, line.skills, line.consented_at) == (
        row.pk, "volunteer", ("wheelchair",), None)
    assert not any(word in " ".join(vars(line)) for word in ("point", "session", "attend"))


def test_P11_taking_the_word_back_ends_the_help_and_tells_the_plans(listed: Any) -> None:
    with listed.scope(listed.taro) as by:
        volunteers.opt_in(volunteer_id=listed.taro_id, by=by)
    with listed.scope(listed.sato) as by:
        row = supporters.register_from_volunteer(volunteer_id=listed.taro_id, by=by)
        one = assignments.assign(person_id=listed.hanako_id, supporter_id=row.pk, by=by)
        assignments.record_answer(assignment_id=one.pk, agreed=True, by=by)
    with listed.scope(listed.taro) as by:
        volunteers.opt_out(volunteer_id=listed.taro_id, by=by)
    message = OutboxMessage.objects.get(kind="registry.supporter_opted_out")
    supporters.opt_out(outbox.claim(at=listed.at, lease=timedelta(minutes=1), limit=50)[
        [m.pk for m in OutboxMessage.objects.order_by("run_after", "id")].index(message.pk)
    ], listed.at)
    with access.system(at=listed.at, reason="test") as by:
        assert Supporter.objects.visible_to(by).get(pk=row.pk).consented_at is None
        assert Assignment.objects.visible_to(by).get(pk=one.pk).state == "ended"
        assert read.pool(by) == []


def test_nobody_is_asked_before_the_person_consents(listed: Any) -> None:
    with listed.scope(listed.sato) as by:
        helper = neighbour(by, "見本 茂", capacity=5)
        hers = assignments.assign(person_id=listed.hanako_id, supporter_id=helper.pk, by=by)
        his = assignments.assign(person_id=listed.ichiro_id, supporter_id=helper.pk, by=by)
        assert assignments.ask(assignment_id=hers.pk, by=by).state == "asked"
        with pytest.raises(SupporterRefused) as refusal:
            assignments.ask(assignment_id=his.pk, by=by)
        assert refusal.value.code == "plan_no_consent"
        done = assignments.record_answer(assignment_id=hers.pk, agreed=True, by=by)
        assert (done.state, done.answered_at) == ("consented", by.at)
        with pytest.raises(SupporterRefused):
            assignments.record_answer(assignment_id=hers.pk, agreed=False, by=by)


def test_a_supporter_takes_no_more_than_the_capacity(listed: Any) -> None:
    with listed.scope(listed.sato) as by:
        helper = neighbour(by, "見本 茂", capacity=1)
        first = assignments.assign(person_id=listed.hanako_id, supporter_id=helper.pk, by=by)
        with pytest.raises(SupporterRefused):
            assignments.assign(person_id=listed.hanako_id, supporter_id=helper.pk, by=by)
        with pytest.raises(SupporterBusy):
            assignments.assign(person_id=listed.ichiro_id, supporter_id=helper.pk, by=by)
        assignments.end(assignment_id=first.pk, reason="転居", by=by)
        assignments.assign(person_id=listed.ichiro_id, supporter_id=helper.pk, by=by)
        with pytest.raises(SupporterRefused):
            supporters.register(supporter=SupporterInput("多すぎる", capacity=6), by=by)


def test_the_database_refuses_a_pair_a_position_and_a_fourth_helper(listed: Any) -> None:
    with access.system(at=listed.at, reason="test") as by:
        helpers = [neighbour(by, f"見本 {n}") for n in range(4)]
        for helper in helpers[:3]:
            assignments.assign(person_id=listed.hanako_id, supporter_id=helper.pk, by=by)
        with pytest.raises(SupporterRefused):
            assignments.assign(person_id=listed.hanako_id, supporter_id=helpers[3].pk, by=by)
        for supporter, position in ((helpers[0], 3), (helpers[3], 1), (helpers[3], 4)):
            with pytest.raises(IntegrityError), transaction.atomic():
                Assignment(person_id=listed.hanako_id, supporter=supporter, position=position,
                           state="assigned", assigned_at=by.at, assigned_by_id=listed.sato.pk,
                           ).save(force_insert=True)
        with pytest.raises(IntegrityError), transaction.atomic():
            Supporter.objects.visible_to(by).filter(pk=helpers[0].pk).update(capacity=6)


def test_proposals_are_optimal_explained_and_leave_assignments_alone(listed: Any) -> None:
    with listed.scope(listed.sato) as by:
        near = neighbour(by, "見本 近", capacity=1, skills=("wheelchair",), area_id=listed.north_id)
        second = neighbour(by, "見本 次", lon=139.9320, capacity=5)
        run = matching.propose_now(areas=None, by=by)
        assert (run.state, run.people, run.supporters, run.wanted) == ("done", 3, 2, 6)
        assert run.proven
        pairs = read.proposals(by, run_id=run.pk)
        gaps = {gap.person_id: gap for gap in read.gaps(by, run_id=run.pk)}
    assert run.filled == len(pairs) == 3
    assert {p.supporter_id for p in pairs if p.person_id in (listed.hanako_id, listed.ichiro_id)
            } == {near.pk, second.pk}
    assert all(p.reasons and p.reasons[0][1] == "walk" for p in pairs)
    # Minami lives 1.9 km away: nobody within reach, and the sentence says how far the next one is.
    assert gaps[listed.minami_id].kind == "nobody_in_reach"
    assert "いちばん近い支援者は約" in gaps[listed.minami_id].words
    short = next(g for p, g in gaps.items() if p != listed.minami_id)
    assert short.missing == 1 and short.kind in ("all_full", "bottleneck", "too_few_in_reach")
    with access.system(at=listed.at, reason="test") as by:
        assert Assignment.objects.visible_to(by).count() == 0


def test_a_bottleneck_names_who_shares_the_places(listed: Any) -> None:
    with listed.scope(listed.sato) as by:
        neighbour(by, "見本 近", capacity=1)
        run = matching.propose_now(areas=[listed.north_id], by=by)
        gap = next(g for g in read.gaps(by, run_id=run.pk) if g.people)
    assert set(gap.people) == {"見本　花子", "見本　一郎"} and gap.supporters == ("見本 近",)
    assert (gap.wanted, gap.places) == (4, 1)


def test_settled_pairs_and_removed_candidates_are_respected(listed: Any) -> None:
    with listed.scope(listed.sato) as by:
        near = neighbour(by, "見本 近", capacity=2)
        far = neighbour(by, "見本 遠", lon=139.9330, capacity=2)
        one = assignments.assign(person_id=listed.hanako_id, supporter_id=near.pk, by=by)
        first = matching.propose_now(areas=[listed.north_id], by=by)
        pairs = {(p.person_id, p.supporter_id): p for p in read.proposals(by, run_id=first.pk)}
        assert (listed.hanako_id, near.pk) not in pairs  # helps already: a settled pair
        assert pairs[listed.hanako_id, far.pk].position == 2
        assignments.record_answer(assignment_id=one.pk, agreed=False, by=by)
        matching.remove(proposal_id=pairs[listed.hanako_id, far.pk].id, by=by)
        second = matching.propose_now(areas=[listed.district_id], by=by)
        pairs2 = {(p.person_id, p.supporter_id) for p in read.proposals(by, run_id=second.pk)}
    assert not {p for p in pairs2 if p[0] == listed.hanako_id}
    assert second.kept == len([p for p in pairs if p[0] == listed.ichiro_id]) == 2
    with listed.scope(listed.sato) as by:
        found = {c.supporter.name: c for c in read.candidates(by, person_id=listed.hanako_id)}
        assert found["見本 近"].state == "declined" and "見本 遠" not in found


def test_a_worker_computes_a_run_once_and_a_lost_lease_writes_nothing(listed: Any) -> None:
    with listed.scope(listed.sato) as by:
        neighbour(by, "見本 近", capacity=2)
        run = matching.propose(areas=None, by=by)
        assert read.latest_run(by) is None
    late = listed.at + timedelta(minutes=5)
    claims = {c.kind: c for c in outbox.claim(at=listed.at, lease=timedelta(seconds=1), limit=99)}
    lost = claims["evacuation.propose"]
    again = {c.kind: c for c in outbox.claim(at=late, lease=timedelta(minutes=1), limit=99)}
    with pytest.raises(outbox.LeaseLost):
        matching.carry_out(lost, late)
    assert ProposalRun.objects.get(pk=run.pk).state == "waiting"
    matching.carry_out(again["evacuation.propose"], late)
    with access.system(at=late, reason="test") as by:
        count = Proposal.objects.visible_to(by).filter(run=run).count()
        assert count == 2 and ProposalGap.objects.visible_to(by).filter(run=run).exists()
        assert matching.compute(run_id=run.pk, at=late) is None
        assert OutboxMessage.objects.get(dedupe_key=f"propose:{run.pk}").done_at == late


def test_a_person_without_a_place_is_a_gap_of_its_own(listed: Any) -> None:
    with access.system(at=listed.at, reason="test") as by:
        Person.objects.visible_to(by).filter(pk=listed.hanako_id).update(
            east_m=None, north_m=None, longitude=None, latitude=None)
        neighbour(by, "見本 近", capacity=2)
        run = matching.propose_now(areas=None, by=by)
        gap = read.gaps(by, run_id=run.pk, person_ids=[listed.hanako_id])[0]
    assert (gap.kind, gap.missing) == ("no_place", 2)


def test_only_officers_look_for_supporters(listed: Any) -> None:
    for user in (listed.takada, listed.care_manager, listed.mori, listed.suzuki, listed.taro):
        with listed.scope(user) as by:
            for call in (
                lambda by=by: matching.propose(areas=None, by=by), lambda by=by: read.pool(by),
                lambda by=by: read.candidates(by, person_id=listed.hanako_id),
                lambda by=by: supporters.register(supporter=SupporterInput("x"), by=by),
            ):
                with pytest.raises(Forbidden):
                    call()


@pytest.mark.parametrize(
    "share", [0.1, pytest.param(1.0, marks=pytest.mark.slow)], ids=["tenth", "city"]
)
def test_a_city_of_120_000_is_solved_within_a_minute(share: float) -> None:
    """Six thousand listed people and five thousand supporters (or a tenth), plain values."""
    import random
    import time

    from evacuation.domain.candidates import Person, Settings
    from evacuation.domain.candidates import Supporter as Helper

    dice, side = random.Random(7), 9_000 * share**0.5
    people = [Person(str(n), dice.uniform(0, side), dice.uniform(0, side), 2,
                     urgency=dice.randrange(4), association=str(dice.randrange(100)))
              for n in range(int(6_000 * share))]
    pool = [Helper(str(n), dice.uniform(0, side), dice.uniform(0, side), dice.randint(1, 3),
                   association=str(dice.randrange(100))) for n in range(int(5_000 * share))]
    begun = time.perf_counter()
    got = matching.solved(people=people, supporters=pool, settled=[], settings=Settings(),
                          worth=30)
    assert time.perf_counter() - begun < 60
    assert got.proven and len(got.proposals) == solve(got.candidates.network).filled
    short = sum(gap.missing for gap in got.gaps)
    assert short == 2 * len(people) - len(got.proposals)
    assert all(len(gap.people) <= 200 for gap in got.gaps)


def test_R14_the_sheet_is_printed_once_with_its_sentences(cast: Any) -> None:
    import subprocess

    from evacuation.documents.values import NO_GUARANTEE
    from evacuation.models import PlanPrint
    from evacuation.queries.plan_sheets import sheet
    from tests.operations.test_evacuation_plans import approved

    with access.system(at=cast.at, reason="test") as by:
        made.listed(by, cast.hanako_id)
        made.consents(by, cast.hanako_id, "plan_making")
        world = made.world(by)
        places.set_capacity(shelter_id=world.school, capacity=5, is_sample=True, by=by)
    plan_id = approved(cast, world)
    for at in (cast.at, cast.at + timedelta(minutes=5)):
        for claimed in outbox.claim(at=at, lease=timedelta(seconds=1), limit=99):
            if claimed.kind == "evacuation.print_plan":
                plan_sheets.carry_out(claimed, at)
    with cast.scope(cast.sato) as by:
        stored = sheet(by, plan_id=plan_id)
        assert stored.pdf is not None and PlanPrint.objects.visible_to(by).count() == 1
    words = "".join(subprocess.run(["pdftotext", "-layout", "-", "-"], input=stored.pdf,
                                   stdout=subprocess.PIPE, check=True).stdout.decode().split())
    assert "".join(NO_GUARANTEE.split()) in words
    assert "見本小学校" in words and "見本花子" in words and "左から大きな声で" in words


def test_R8_R2_a_sheet_for_others_needs_consent_and_hides_what_is_not_theirs(cast: Any) -> None:
    from evacuation.domain.recipients import RecipientKind
    from evacuation.queries.plan_sheets import PlanNotForThem, sheet
    from tests.operations.test_evacuation_plans import approved

    with access.system(at=cast.at, reason="test") as by:
        made.listed(by, cast.hanako_id)
        made.consents(by, cast.hanako_id, "plan_making")
        world = made.world(by)
    plan_id = approved(cast, world)
    with cast.scope(cast.sato) as by:
        for kind in (RecipientKind.COMMISSIONER, RecipientKind.NEIGHBOURHOOD):
            with pytest.raises(PlanNotForThem):
                sheet(by, plan_id=plan_id, kind=kind)
        made.consents(by, cast.hanako_id, "plan_sharing")
        with pytest.raises(PlanNotForThem):  # 町内会 never get whole plans
            sheet(by, plan_id=plan_id, kind=RecipientKind.NEIGHBOURHOOD)
        got = sheet(by, plan_id=plan_id, kind=RecipientKind.COMMISSIONER)
    assert {"reason", "medicines", "allergy"} <= set(got.values.withheld)
    assert got.values.needs == ("歩けない（車いす）",)
