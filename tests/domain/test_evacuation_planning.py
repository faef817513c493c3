"""Plans: who may take which step, what is required, when a review falls due; priority; periods."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evacuation.domain.facts import CareLevel
from evacuation.domain.needs import NeedTag
from evacuation.domain.periods import (
    PeriodRefused,
    SharingCalendar,
    due_periods,
    next_start,
    period_key,
    starts_on,
)
from evacuation.domain.plan_items import (
    PlanDestination,
    PlanDraft,
    PlanHazard,
    PlanStep,
    PlanSupporter,
    missing,
    steps_done,
)
from evacuation.domain.planning import (
    NO_GUARANTEE,
    NO_LIABILITY,
    PRINT_SENTENCES,
    TRANSITIONS,
    PlanAct,
    PlanForbidden,
    PlanRefused,
    PlanRole,
    PlanState,
    ReviewCause,
    Step,
    board_label,
    may,
    move,
    next_review_on,
    next_version,
    require_print_sentences,
    reviews_due,
)
from evacuation.domain.priority import HomeHazard, Isolation, Urgency, assess, urgency_of
from evacuation.domain.recipients import RecipientKind

READY = Step("boss", PlanRole.APPROVER, author="mori", making_agreed=True, reason="理由")


def test_the_main_road_and_back() -> None:
    state = PlanState.NOT_STARTED
    for act, role in (
        (PlanAct.ASK_CONSENT, PlanRole.AUTHOR), (PlanAct.RECORD_CONSENT, PlanRole.AUTHOR),
        (PlanAct.ASSIGN, PlanRole.OFFICER), (PlanAct.BEGIN, PlanRole.AUTHOR),
        (PlanAct.SUBMIT, PlanRole.AUTHOR), (PlanAct.RETURN, PlanRole.APPROVER),
        (PlanAct.BEGIN, PlanRole.AUTHOR), (PlanAct.SUBMIT, PlanRole.AUTHOR),
        (PlanAct.APPROVE, PlanRole.APPROVER), (PlanAct.SHARE, PlanRole.SYSTEM),
        (PlanAct.FALL_DUE, PlanRole.SYSTEM), (PlanAct.REVISE, PlanRole.OFFICER),
        (PlanAct.WITHDRAW, PlanRole.OFFICER), (PlanAct.REOPEN, PlanRole.OFFICER),
    ):
        state = move(state, act, replace(READY, role=role))
    assert state is PlanState.CONSENT_ASKED


def test_every_cell_of_state_act_role_follows_the_table() -> None:
    for state in PlanState:
        for role in PlanRole:
            for act in PlanAct:
                step = replace(READY, role=role)
                found = TRANSITIONS.get((state, act))
                if found is None:
                    with pytest.raises(PlanRefused):
                        move(state, act, step)
                elif role not in found[1]:
                    with pytest.raises(PlanForbidden):
                        move(state, act, step)
                else:
                    assert move(state, act, step) is found[0]
                assert (act in may(state, role)) is (found is not None and role in found[1])
    assert {a for s, a in TRANSITIONS if TRANSITIONS[s, a][0] is PlanState.APPROVED} == {
        PlanAct.APPROVE
    }


@pytest.mark.parametrize(
    ("state", "act", "change", "code"),
    [
        (PlanState.SUBMITTED, PlanAct.APPROVE, {"actor": "mori"}, "plan_self_approval"),
        (PlanState.SUBMITTED, PlanAct.APPROVE, {"author": ""}, "plan_author_missing"),
        (PlanState.SUBMITTED, PlanAct.APPROVE, {"gaps": 1}, "plan_items_missing"),
        (PlanState.SUBMITTED, PlanAct.APPROVE, {"making_agreed": False}, "plan_no_consent"),
        (PlanState.SUBMITTED, PlanAct.APPROVE, {"actor": " "}, "plan_actor_missing"),
        (PlanState.SUBMITTED, PlanAct.RETURN, {"reason": ""}, "plan_reason_missing"),
        (PlanState.DRAFT, PlanAct.SUBMIT, {"gaps": 3}, "plan_items_missing"),
        (PlanState.DRAFT, PlanAct.SUBMIT, {"making_agreed": False}, "plan_no_consent"),
        (PlanState.DRAFT, PlanAct.WITHDRAW, {"reason": " "}, "plan_reason_missing"),
        (PlanState.CONSENT_ASKED, PlanAct.RECORD_CONSENT, {"making_agreed": False},
         "plan_no_consent"),
    ],
)
def test_R3_the_approver_is_not_the_author_and_nothing_goes_without_consent_or_items(
    state: PlanState, act: PlanAct, change: dict[str, object], code: str
) -> None:
    role = next(iter(sorted(TRANSITIONS[state, act][1])))
    step = replace(READY, role=role)
    assert move(state, act, step)
    with pytest.raises(PlanRefused) as caught:
        move(state, act, replace(step, **change))  # type: ignore[arg-type]
    assert caught.value.code == code


FULL = PlanDraft(
    making_agreed_on=date(2026, 10, 2), phone="0242-00-0000", emergency_contacts=("見本 長女",),
    needs_answered=True, communication="大きな声で", power_device=True, power_minutes=120,
    building="平屋", bedroom="南側", hazards_at_home=frozenset({PlanHazard.FLOOD}),
    destinations=(PlanDestination(PlanHazard.FLOOD, "見本小学校", "北へ820m", outside_zone=True),),
    supporters=(PlanSupporter("見本 茂", "0242-00-0001", "声かけ", True),),
    trigger_level=3, carry=("薬",), author="mori", read_back_to_person=True,
)
_DEST = FULL.destinations[0]


@pytest.mark.parametrize(
    ("change", "step", "code"),
    [
        ({"making_agreed_on": None}, PlanStep.PERSON, "making_agreed_on"),
        ({"phone": " "}, PlanStep.PERSON, "phone"),
        ({"emergency_contacts": ("",)}, PlanStep.PERSON, "emergency_contacts"),
        ({"needs_answered": False}, PlanStep.NEEDS, "needs"),
        ({"communication": ""}, PlanStep.NEEDS, "communication"),
        ({"power_minutes": None}, PlanStep.NEEDS, "power_minutes"),
        ({"building": ""}, PlanStep.HOME, "building"),
        ({"bedroom": ""}, PlanStep.HOME, "bedroom"),
        ({"hazards_at_home": None}, PlanStep.HOME, "hazards_at_home"),
        ({"destinations": ()}, PlanStep.DESTINATION, "destination"),
        ({"hazards_at_home": frozenset({PlanHazard.LANDSLIDE})}, PlanStep.DESTINATION,
         "destination_landslide"),
        ({"destinations": (replace(_DEST, route=""),)}, PlanStep.DESTINATION, "route_flood"),
        ({"destinations": (replace(_DEST, outside_zone=False),)}, PlanStep.DESTINATION,
         "in_zone_flood"),
        ({"destinations": (replace(_DEST, outside_zone=None),)}, PlanStep.DESTINATION,
         "unchecked_flood"),
        ({"supporters": ()}, PlanStep.SUPPORTERS, "supporters"),
        ({"supporters": (replace(FULL.supporters[0], phone=""),)}, PlanStep.SUPPORTERS,
         "supporter_contact"),
        ({"supporters": (replace(FULL.supporters[0], agreed=False),)}, PlanStep.SUPPORTERS,
         "supporter_agreed"),
        ({"trigger_level": None}, PlanStep.SIGNAL, "trigger_level"),
        ({"trigger_level": 4}, PlanStep.SIGNAL, "trigger_too_late"),
        ({"carry": ()}, PlanStep.SIGNAL, "carry"),
        ({"author": ""}, PlanStep.SUBMIT, "author"),
        ({"read_back_to_person": False}, PlanStep.SUBMIT, "read_back_to_person"),
    ],
)
def test_each_required_item_is_asked_for_at_its_step(
    change: dict[str, object], step: PlanStep, code: str
) -> None:
    assert missing(FULL) == () and steps_done(FULL) == set(PlanStep)
    draft = replace(FULL, **change)  # type: ignore[arg-type]
    gaps = missing(draft)
    assert [(g.step, g.code) for g in gaps] == [(step, code)]
    assert gaps[0].message.endswith("。")
    assert steps_done(draft) == set(PlanStep) - {step}


def test_an_empty_draft_lists_gaps_in_the_order_of_the_steps() -> None:
    gaps = missing(PlanDraft())
    assert [g.step for g in gaps] == sorted(g.step for g in gaps)
    assert len({g.code for g in gaps}) == len(gaps) and steps_done(PlanDraft()) == frozenset()
    nobody = replace(FULL, supporters=(), no_supporter_reason="候補をさがしています")
    assert missing(nobody) == ()


def test_R14_every_print_says_no_guarantee_and_no_liability() -> None:
    assert PRINT_SENTENCES == (NO_GUARANTEE, NO_LIABILITY)
    assert "保証するものではありません" in NO_GUARANTEE and "法的な責任" in NO_LIABILITY
    broken_lines = "\n".join((NO_GUARANTEE + NO_LIABILITY)[i : i + 7] for i in range(0, 200, 7))
    require_print_sentences(broken_lines)
    for text in ("", NO_GUARANTEE, NO_LIABILITY, NO_GUARANTEE + NO_LIABILITY[:-3]):
        with pytest.raises(PlanRefused):
            require_print_sentences(text)


def test_R15_people_without_a_plan_have_a_word_on_the_board() -> None:
    for state in (None, *PlanState):
        usable = state in (PlanState.APPROVED, PlanState.SHARED, PlanState.REVIEW_DUE)
        assert board_label(state) == ("計画あり" if usable else "計画なし")


events = st.lists(
    st.tuples(st.sampled_from(list(ReviewCause)), st.dates(date(2025, 1, 1), date(2028, 1, 1)))
)


@given(st.dates(date(2025, 1, 1), date(2027, 1, 1)), events, st.integers(0, 900))
def test_reviews_fall_due_after_a_year_and_at_once_on_events(
    approved: date, happened: list[tuple[ReviewCause, date]], days: int
) -> None:
    on = approved + timedelta(days=days)
    due = reviews_due(approved, happened, on=on)
    assert all(approved <= r.due_on <= on for r in due)
    first = next_review_on(approved, happened)
    assert first <= approved + timedelta(days=366)
    assert bool(due) is (first <= on)
    if due:
        assert due[0].due_on == first and due[0].sentence
    assert (ReviewCause.ANNUAL in {r.cause for r in due}) is (on >= next_review_on(approved, ()))
    assert due == reviews_due(approved, happened[::-1], on=on)


def test_versions_have_no_gap() -> None:
    assert next_version([]) == 1 and next_version([2, 1]) == 3
    for wrong in ([2], [1, 1], [1, 3]):
        with pytest.raises(ValueError, match="gaps"):
            next_version(wrong)


homes = st.builds(HomeHazard, st.booleans(), st.integers(0, 6), st.booleans(), st.booleans(),
                  st.booleans(), st.booleans())
tags = st.frozensets(st.sampled_from(list(NeedTag)), max_size=5)
isolations = st.builds(Isolation, st.booleans(), st.booleans(), st.booleans(),
                       st.none() | st.integers(0, 3))
levels = st.none() | st.sampled_from(list(CareLevel))


@given(homes, tags, isolations, levels, st.sampled_from(list(NeedTag)))
def test_priority_is_a_product_with_reasons_and_worse_facts_never_lower_it(
    home: HomeHazard, needs: frozenset[NeedTag], alone: Isolation, care: CareLevel | None,
    more: NeedTag,
) -> None:
    one = assess(home, needs, alone, care_level=care)
    assert one.score == one.hazard * one.body * one.isolation
    assert all(1 <= f <= 4 for f in (one.hazard, one.body, one.isolation)) and one.reasons
    assert one.urgency is urgency_of(one.score)
    worse = [
        assess(home, needs | {more}, alone, care_level=care),
        assess(home, needs, replace(alone, alone=True), care_level=care),
        assess(home, needs, replace(alone, helpers_near=0), care_level=care),
        assess(home, needs, alone, care_level=CareLevel.CARE_5),
        assess(replace(home, upper_floor=False), needs, alone, care_level=care),
        assess(replace(home, landslide_special=True), needs, alone, care_level=care),
        assess(replace(home, flood_rank=min(6, home.flood_rank + 1)), needs, alone,
               care_level=care),
    ]
    assert all(w.score >= one.score and w.urgency <= one.urgency for w in worse)


def test_priority_says_what_it_does_not_know_and_classes_are_ordered() -> None:
    unknown = assess(HomeHazard(False), (), Isolation())
    assert unknown.hazard == 2 and "未確認" in unknown.reasons[0]
    worst = assess(HomeHazard(True, 4), [NeedTag.VENTILATOR], Isolation(alone=True, helpers_near=0))
    assert worst.score == 64 and worst.urgency is Urgency.HIGHEST
    assert [urgency_of(s) for s in (1, 5, 6, 15, 16, 31, 32, 64)] == [3, 3, 2, 2, 1, 1, 0, 0]
    for wrong in (0, 65):
        with pytest.raises(ValueError, match="score"):
            urgency_of(wrong)
    with pytest.raises(ValueError, match="flood_rank"):
        assess(HomeHazard(True, 7), (), Isolation())


months = st.lists(st.integers(1, 12), min_size=1, max_size=12, unique=True).map(tuple)


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), months, months)
def test_a_period_contains_its_date_and_ends_where_the_next_begins(
    on: date, default: tuple[int, ...], special: tuple[int, ...]
) -> None:
    calendar = SharingCalendar(default, {RecipientKind.FIRE: special})
    for kind, used in ((RecipientKind.FIRE, special), (RecipientKind.POLICE, default)):
        key = period_key(on, kind, calendar)
        start, after = starts_on(key), next_start(on, kind, calendar)
        assert start <= on < after and start.month in used
        assert period_key(start, kind, calendar) == key
        assert period_key(after - timedelta(days=1), kind, calendar) == key
        assert period_key(after, kind, calendar) != key


def test_periods_are_twice_a_year_by_default() -> None:
    calendar = SharingCalendar()
    fire = RecipientKind.FIRE
    assert period_key(date(2026, 11, 23), fire, calendar) == "2026-10"
    assert period_key(date(2026, 10, 1), fire, calendar) == "2026-10"
    assert period_key(date(2026, 9, 30), fire, calendar) == "2026-04"
    assert period_key(date(2027, 3, 31), fire, calendar) == "2026-10"
    due = due_periods(date(2026, 10, 1), [RecipientKind.NEIGHBOURHOOD, fire, fire], calendar)
    assert due == ((fire, "2026-10"), (RecipientKind.NEIGHBOURHOOD, "2026-10"))
    for wrong in ((), (0,), (13,), (4, 4)):
        with pytest.raises(PeriodRefused):
            SharingCalendar(wrong)
        with pytest.raises(PeriodRefused):
            SharingCalendar((4,), {fire: wrong})
    for key in ("2026-13", "2026-00", "2026-4", "26-04", "2026-04\n", "２０２６-04", "0000-04"):
        with pytest.raises(PeriodRefused):
            starts_on(key)
