"""The life of a plan: consent, seven steps, editors, zones, approval, and the database's walls."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from evacuation.domain.hazards import HazardRefused
from evacuation.domain.plan_steps import StepRefused
from evacuation.domain.planning import PlanForbidden, PlanRefused
from evacuation.models import PlanDestination, PlanVersion, Shelter
from evacuation.operations import (
    hazards,
    places,
    plan_reviews,
    plan_saving,
    plans,
    supporters,
)
from evacuation.operations.plan_rows import PlanChanged
from evacuation.operations.plan_saving import ShelterFull, StepConflict
from evacuation.queries import plans as read
from evacuation.queries.plan_cards import card_facts
from evacuation.queries.plan_choices import destinations
from registry import access
from registry.domain.errors import Forbidden, NotFound
from tests.factories import plans as made


@pytest.fixture
def world(cast: Any) -> made.World:
    with access.system(at=cast.at, reason="test") as by:
        made.listed(by, cast.hanako_id, cast.yuki_id, cast.minami_id)
        made.consents(by, cast.hanako_id, "plan_making")
        return made.world(by)


def drafted(cast: Any, world: made.World, person_id: int | None = None) -> tuple[int, int]:
    """(plan id, edit version) of a whole draft by Sato, without a supporter yet."""
    with cast.scope(cast.sato) as by:
        plan = plans.start(person_id=person_id or cast.hanako_id, by=by)
        version = 1
        for step, values in {**made.ANSWERS, 4: made.destination(world.school),
                             5: {"no_supporter_reason": "さがしている"}}.items():
            version = plan_saving.save_step(
                plan_id=plan.pk, step=step, values=values, version=version, by=by
            ).edit_version
    return plan.pk, version


def approved(cast: Any, world: made.World) -> int:
    plan_id, version = drafted(cast, world)
    with cast.scope(cast.sato) as by:
        plans.submit(plan_id=plan_id, version=version, by=by)
    with cast.scope(cast.takada) as by:
        plans.approve(plan_id=plan_id, version=version + 1, by=by)
    return plan_id


def test_a_plan_goes_from_consent_to_approval(cast: Any, world: made.World) -> None:
    plan_id = approved(cast, world)
    with cast.scope(cast.takada) as by:
        hub = read.hub(by, plan_id=plan_id)
    assert (hub.state, hub.version_number, hub.done_count) == ("approved", 1, 7)
    assert hub.approved_by.startswith("高田") and hub.author.startswith("佐藤")
    assert hub.review_due_on is not None and (hub.review_due_on - by.on).days in (365, 366)
    events = [line.event for line in read.history(by, plan_id=plan_id)]
    assert events == ["approve", "submit", "begin", "assign", "record_consent", "ask_consent"]


def test_R3_without_consent_to_making_nothing_is_written(cast: Any, world: made.World) -> None:
    with cast.scope(cast.sato) as by:
        plan = plans.start(person_id=cast.minami_id, by=by)
        assert plan.state == "consent_asked"
        with pytest.raises(PlanRefused):
            plan_saving.save_step(plan_id=plan.pk, step=1, values={}, version=0, by=by)
        made.consents(by, cast.minami_id, "plan_sharing")
        assert plans.start(person_id=cast.minami_id, by=by).state == "consent_asked"
        made.consents(by, cast.minami_id, "plan_making")
        assert plans.start(person_id=cast.minami_id, by=by).state == "draft"


def test_R3_a_consent_taken_back_stops_submission(cast: Any, world: made.World) -> None:
    plan_id, version = drafted(cast, world)
    with cast.scope(cast.sato) as by:
        made.consents(by, cast.hanako_id, "plan_making", "withdrawn", minutes=1)
        with pytest.raises(PlanRefused) as refusal:
            plans.submit(plan_id=plan_id, version=version, by=by)
    assert refusal.value.code == "plan_no_consent"


def test_the_roster_fills_in_what_is_known(cast: Any, world: made.World) -> None:
    with cast.scope(cast.sato) as by:
        plan = plans.start(person_id=cast.hanako_id, by=by)
        values = read.hub(by, plan_id=plan.pk).values
    assert values[1]["phone"] == "0242-00-0001"
    assert values[1]["emergency_contacts"][0]["relation"] == "長女"
    assert values[2]["needs"] == ["wheelchair"]


def test_two_editors_never_overwrite_each_other(cast: Any, world: made.World) -> None:
    with cast.scope(cast.sato) as by:
        plan = plans.start(person_id=cast.hanako_id, by=by)
    with cast.scope(cast.care_manager) as by:
        first = plan_saving.save_step(plan_id=plan.pk, step=2, version=1, by=by,
                                      values={"communication": "手話", "allergy": "卵"})
        assert first.edit_version == 2
    with cast.scope(cast.sato) as by:
        # Another step is no conflict, the same answer is none either.
        plan_saving.save_step(plan_id=plan.pk, step=3, version=1, by=by,
                              values={"building": "平屋"})
        plan_saving.save_step(plan_id=plan.pk, step=2, version=1, by=by,
                              values={"allergy": "卵"})
        with pytest.raises(StepConflict) as conflict:
            plan_saving.save_step(plan_id=plan.pk, step=2, version=1, by=by,
                                  values={"communication": "筆談", "allergy": "卵"})
        shown = conflict.value.differences
        assert [(d.label, d.mine, d.theirs) for d in shown] == [("意思の伝え方", "筆談", "手話")]
        kept = read.hub(by, plan_id=plan.pk)
        assert kept.values[2]["communication"] == "手話"
        plan_saving.save_step(plan_id=plan.pk, step=2, version=conflict.value.version, by=by,
                              values={"communication": "筆談"})
        assert read.hub(by, plan_id=plan.pk).values[2] | {} == {
            **kept.values[2], "communication": "筆談"}


def test_bad_values_are_named_one_by_one(cast: Any, world: made.World) -> None:
    with cast.scope(cast.sato) as by:
        plan = plans.start(person_id=cast.hanako_id, by=by)
        with pytest.raises(StepRefused) as refusal:
            plan_saving.save_step(plan_id=plan.pk, step=2, version=1, by=by, values={
                "needs": ["flying"], "power_minutes": -1, "grade": "1級", "power_device": "yes"})
        assert set(refusal.value.fields) == {"needs", "power_minutes", "grade", "power_device"}
        with pytest.raises(PlanRefused):
            plan_saving.save_step(plan_id=plan.pk, step=8, version=1, by=by, values={})


def test_a_destination_inside_the_zone_of_its_hazard_is_refused(
    cast: Any, world: made.World
) -> None:
    with cast.scope(cast.sato) as by:
        plan = plans.start(person_id=cast.hanako_id, by=by)
        with pytest.raises(HazardRefused) as refusal:
            plan_saving.save_step(plan_id=plan.pk, step=4, version=1, by=by,
                                  values=made.destination(world.hall))
        assert refusal.value.code == "destination_in_zone"
        assert "destinations[0].shelter_id" in refusal.value.fields
        plan_saving.save_step(plan_id=plan.pk, step=4, version=1, by=by,
                              values=made.destination(world.hall, "earthquake"))
        options = {o.name: o for o in destinations(by, plan_id=plan.pk, hazard="flood")}
    assert options["南公民館"].refused and not options["見本小学校"].refused
    assert ("○", "浸水想定区域の外") in [(m, w) for m, _, w in options["見本小学校"].reasons]
    assert options["見本小学校"].rank == 1


def test_a_new_map_stops_an_approval_and_brings_plans_to_review(
    cast: Any, world: made.World
) -> None:
    plan_id, version = drafted(cast, world)
    with cast.scope(cast.sato) as by:
        plans.submit(plan_id=plan_id, version=version, by=by)
    wider = made.flood((139.9290, 37.4945, 2), (139.9350, 37.4980, 1))
    with access.system(at=cast.at, reason="test") as by, transaction.atomic():
        hazards.import_zones(file=wider, kind="flood", by=by)
    with cast.scope(cast.takada) as by, pytest.raises(HazardRefused):
        plans.approve(plan_id=plan_id, version=version + 1, by=by)
    with access.system(at=cast.at, reason="test") as by:
        hazards.import_zones(file=made.flood((139.9290, 37.4945, 2)), kind="flood", by=by)
    with cast.scope(cast.takada) as by:
        plans.approve(plan_id=plan_id, version=version + 1, by=by)
    with access.system(at=cast.at + timedelta(days=3), reason="test") as by:
        assert plan_reviews.after_new_zones(by=by) == 0
        hazards.import_zones(file=wider, kind="flood", by=by)
        assert plan_reviews.after_new_zones(by=by) == 1
        hub = read.hub(by, plan_id=plan_id)
    assert (hub.state, hub.review_label) == ("review_due", "ハザードマップの改定")


def test_places_at_a_shelter_run_out_and_come_back(cast: Any, world: made.World) -> None:
    with access.system(at=cast.at, reason="test") as by:
        places.set_capacity(shelter_id=world.school, capacity=1, is_sample=True, by=by)
        made.consents(by, cast.minami_id, "plan_making")
    plan_id, _ = drafted(cast, world)
    with cast.scope(cast.sato) as by:
        other = plans.start(person_id=cast.minami_id, by=by)
        with pytest.raises(ShelterFull):
            plan_saving.save_step(plan_id=other.pk, step=4, version=1, by=by,
                                  values=made.destination(world.school))
        full = {o.name: o for o in destinations(by, plan_id=other.pk, hazard="flood")}
        assert "満員" in full["見本小学校"].refused and full["見本小学校"].left == 0
        plans.withdraw(plan_id=plan_id, reason="転出", by=by)
        plan_saving.save_step(plan_id=other.pk, step=4, version=1, by=by,
                              values=made.destination(world.school))
        assert PlanDestination.objects.visible_to(by).filter(ended_at__isnull=True).count() == 1


def test_the_approver_is_not_anybody_who_wrote_in_it(cast: Any, world: made.World) -> None:
    from registry.operations import staff

    plan_id, version = drafted(cast, world)
    with access.system(at=cast.at, reason="test") as by:
        staff.appoint(office_id=cast.offices["O-APPROVE"], user_id=cast.sato.pk,
                      starts_on=by.on, by=by)
        staff.appoint(office_id=cast.offices["O-CITY"], user_id=cast.takada.pk,
                      starts_on=by.on, by=by)
    with cast.scope(cast.takada) as by:  # Takada writes one step: an author from now on
        version = plan_saving.save_step(plan_id=plan_id, step=6, version=version, by=by,
                                        values={"trigger_note": "防災無線"}).edit_version
    with cast.scope(cast.sato) as by:
        plans.submit(plan_id=plan_id, version=version, by=by)
    for user in (cast.sato, cast.takada):
        with cast.scope(user) as by, pytest.raises(PlanRefused) as refusal:
            plans.approve(plan_id=plan_id, version=version + 1, by=by)
        assert refusal.value.code == "plan_self_approval"


def test_the_database_refuses_self_approval_and_changes_to_an_approved_version(
    cast: Any, world: made.World
) -> None:
    plan_id = approved(cast, world)
    with access.system(at=cast.at, reason="test") as by:
        rows = PlanVersion.objects.visible_to(by).filter(plan_id=plan_id)
        for change in ({"steps": {}}, {"return_reason": "x"}, {"approved_at": None}):
            with pytest.raises(DatabaseError), transaction.atomic():
                rows.update(**change)
        with pytest.raises(DatabaseError), transaction.atomic():
            rows._raw_delete(rows.db)
        plans.revise(plan_id=plan_id, by=by)
        draft = PlanVersion.objects.visible_to(by).filter(
            plan_id=plan_id, approved_at__isnull=True)
        for who in ("author", "submitted_by"):
            one = draft.get()
            one.author_id, one.submitted_by_id = cast.sato.pk, cast.suzuki.pk
            one.submitted_at = one.approved_at = by.at
            one.approved_by_id = getattr(one, f"{who}_id")
            with pytest.raises(IntegrityError), transaction.atomic():
                one.save()
        with pytest.raises(IntegrityError), transaction.atomic():
            PlanVersion(plan_id=plan_id, number=9, author_id=cast.sato.pk,
                        saved_at=by.at).save(force_insert=True)


def test_a_revision_keeps_the_approved_version_and_the_place(
    cast: Any, world: made.World
) -> None:
    plan_id = approved(cast, world)
    with cast.scope(cast.sato) as by:
        plans.revise(plan_id=plan_id, by=by)
        hub = read.hub(by, plan_id=plan_id)
        assert (hub.state, hub.version_number, hub.approved_versions) == ("draft", 2, 1)
        assert hub.values[4]["destinations"][0]["place"] == "見本小学校"
        assert not hub.values[7].get("read_back_to_person")
        assert read.hub(by, plan_id=plan_id, version=1).approved_by.startswith("高田")
        full = plan_saving.save_step(plan_id=plan_id, step=7, values=made.ANSWERS[7], version=1,
                                     by=by)
        plans.submit(plan_id=plan_id, version=full.edit_version, by=by)
    with cast.scope(cast.takada) as by:
        plans.approve(plan_id=plan_id, version=full.edit_version + 1, by=by)
    with access.system(at=cast.at, reason="test") as by:
        live = PlanDestination.objects.visible_to(by).filter(ended_at__isnull=True)
        assert [row.version.number for row in live] == [2]


def test_a_returned_plan_says_why_and_can_be_saved_again(cast: Any, world: made.World) -> None:
    plan_id, version = drafted(cast, world)
    with cast.scope(cast.sato) as by:
        plans.submit(plan_id=plan_id, version=version, by=by)
        with pytest.raises(PlanRefused):
            plan_saving.save_step(plan_id=plan_id, step=1, values={}, version=version + 1, by=by)
    with cast.scope(cast.takada) as by:
        with pytest.raises(PlanRefused):
            plans.return_(plan_id=plan_id, reason=" ", version=version + 1, by=by)
        plans.return_(plan_id=plan_id, reason="避難路をくわしく", version=version + 1, by=by)
    with cast.scope(cast.sato) as by:
        hub = read.hub(by, plan_id=plan_id)
        assert (hub.state, hub.return_reason) == ("returned", "避難路をくわしく")
        with pytest.raises(PlanChanged):
            plans.submit(plan_id=plan_id, version=version, by=by)
        plan_saving.save_step(plan_id=plan_id, step=1, values={"phone": "1"},
                              version=hub.edit_version, by=by)
        assert read.hub(by, plan_id=plan_id).state == "draft"


def test_a_care_manager_sees_only_the_caseload(cast: Any, world: made.World) -> None:
    with cast.scope(cast.sato) as by:
        made.consents(by, cast.minami_id, "plan_making")
        hers = plans.start(person_id=cast.hanako_id, by=by, drafter_id=cast.care_manager.pk)
        other = plans.start(person_id=cast.minami_id, by=by)
        assert hers.state == "assigned"
    with cast.scope(cast.care_manager) as by:
        lines = read.plan_list(by).items
        assert [line.person_id for line in lines] == [cast.hanako_id]
        plans.start(person_id=cast.hanako_id, by=by)
        assert read.hub(by, plan_id=hers.pk).may_write
        for wrong in (other.pk, 999_999):
            with pytest.raises(NotFound):
                read.hub(by, plan_id=wrong)
            with pytest.raises(NotFound):
                plan_saving.save_step(plan_id=wrong, step=1, values={}, version=1, by=by)
        with pytest.raises(NotFound):
            plans.start(person_id=cast.minami_id, by=by)
        with pytest.raises(PlanForbidden):
            plans.withdraw(plan_id=hers.pk, reason="x", by=by)
        with pytest.raises(Forbidden):
            plans.approve(plan_id=hers.pk, version=1, by=by)


def test_R11_a_protected_person_is_absent_without_the_permission(
    cast: Any, world: made.World
) -> None:
    from registry.operations import people

    with access.system(at=cast.at, reason="test") as by:
        made.consents(by, cast.yuki_id, "plan_making")
        people.look_after(person_id=cast.yuki_id, user_id=cast.care_manager.pk,
                          starts_on=by.on, by=by)
    plan_id, _ = drafted(cast, world, cast.yuki_id)
    with cast.scope(cast.sato) as by:
        assert cast.yuki_id in {line.person_id for line in read.plan_list(by).items}
    with cast.scope(cast.care_manager) as by:
        assert [line.person_id for line in read.plan_list(by).items] == [cast.hanako_id]
        with pytest.raises(NotFound):
            read.hub(by, plan_id=plan_id)


@pytest.mark.parametrize("name", ["mori", "kato", "association", "suzuki", "taro", "nobody"])
def test_who_holds_no_plan_permission_reads_nothing(
    cast: Any, world: made.World, name: str
) -> None:
    plan_id = approved(cast, world)
    with cast.scope(getattr(cast, name)) as by:
        for call in (read.plan_list, read.counts):
            with pytest.raises(Forbidden):
                call(by)
        with pytest.raises(Forbidden):
            read.hub(by, plan_id=plan_id)


def test_R15_people_without_a_plan_stay_visible(cast: Any, world: made.World) -> None:
    drafted(cast, world)
    with cast.scope(cast.sato) as by:
        assert read.counts(by)["not_started"] == 2
        without = read.plan_list(by, states=["not_started"]).items
        assert {line.state_label for line in without} == {"計画なし"} and len(without) == 2
        assert len(read.plan_list(by, states=["draft"]).items) == 1


def test_R2_a_card_needs_the_person_and_every_supporter(cast: Any, world: made.World) -> None:
    from evacuation.operations import assignments

    with cast.scope(cast.sato) as by:
        helper = supporters.register(
            supporter=supporters.SupporterInput("見本 茂", phone="0242-00-0009"), by=by)
        one = assignments.assign(person_id=cast.hanako_id, supporter_id=helper.pk, by=by)
        assignments.record_answer(assignment_id=one.pk, agreed=True, by=by)
    plan_id = approved(cast, world)
    with access.system(at=cast.at, reason="test") as by:
        assert card_facts(by, person_ids=[cast.hanako_id]) == {}  # sharing not agreed (R3)
        made.consents(by, cast.hanako_id, "plan_sharing", kinds=["commissioner"])
        card = card_facts(by, person_ids=[cast.hanako_id])[cast.hanako_id]
        assert {k.value for k in card.kinds} == {"commissioner"}
        assert card.supporter_words == "見本 茂（0242-00-0009）"
        assert card.destination == "水害：見本小学校"
        supporters.record_consent(supporter_id=helper.pk, agreed=False, by=by)
        assert card_facts(by, person_ids=[cast.hanako_id]) == {}
        assert read.hub(by, plan_id=plan_id).review_label == "避難支援等実施者の辞退"
        supporters.record_consent(supporter_id=helper.pk, agreed=True, by=by)
        assert card_facts(by, person_ids=[cast.hanako_id])
        made.consents(by, cast.hanako_id, "plan_sharing", "withdrawn", minutes=1)
        assert card_facts(by, person_ids=[cast.hanako_id]) == {}


def test_a_closed_shelter_and_a_year_bring_a_plan_to_review(
    cast: Any, world: made.World
) -> None:
    plan_id = approved(cast, world)
    with access.system(at=cast.at + timedelta(days=400), reason="test") as by:
        assert plan_reviews.fall_due_today(by=by) == 1
        assert plan_reviews.fall_due_today(by=by) == 0
        assert read.hub(by, plan_id=plan_id).review_label == "前回の承認から1年"
        Shelter.objects.filter(pk=world.school).update(closed_on=by.on)
        assert plan_reviews.after_shelter_closed(shelter_id=world.school, by=by) == 0
