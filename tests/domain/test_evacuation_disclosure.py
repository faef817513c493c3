"""Consent × mode × recipient × protection × emergency, exhaustively where possible."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evacuation.domain.consent import (
    ALL_KINDS,
    Answer,
    ConsentFact,
    Means,
    Notice,
    Purpose,
)
from evacuation.domain.disclosure import (
    INCLUDING,
    LAW_DEFAULT,
    DisclosureRefused,
    Ground,
    Mode,
    ModeSetting,
    decide,
    decide_plan,
)
from evacuation.domain.editions import board, edition_rows
from evacuation.domain.emergency import EmergencyScope
from evacuation.domain.parties import NamedSupporter, Protection, Recipient, Release, Subject
from evacuation.domain.recipients import (
    COLUMN_RULES,
    PLAN_COLUMNS,
    Column,
    RecipientKind,
)

AT = datetime(2026, 10, 20, 10, 0, tzinfo=UTC)
NORTH, SOUTH = "north", "south"
HOME = frozenset({NORTH, "north-1", "tsuruga"})  # 町内会, 班, 地区
MODES = {
    Mode.OPT_IN: LAW_DEFAULT,
    Mode.ORDINANCE_NO_CONSENT: ModeSetting(Mode.ORDINANCE_NO_CONSENT, "見本市条例第5条"),
    Mode.PRESUMED_CONSENT: ModeSetting(Mode.PRESUMED_CONSENT, "見本市条例第6条"),
}


def fact(
    answer: Answer,
    *,
    person: str = "hanako",
    purpose: Purpose = Purpose.ROSTER_SHARING,
    days_ago: int = 30,
    scope: frozenset[RecipientKind] = ALL_KINDS,
) -> ConsentFact:
    return ConsentFact(
        person, purpose, answer, AT - timedelta(days=days_ago), Means.PAPER, "sato", "v1",
        True, True, scope,
    )


def office(kind: RecipientKind, **more: object) -> Recipient:
    return Recipient("office", kind, frozenset({NORTH}), **more)  # type: ignore[arg-type]


def disaster(**more: object) -> EmergencyScope:
    values: dict[str, object] = {
        "key": "e1",
        "declared_by": "sato",
        "declared_at": AT - timedelta(minutes=5),
        "reason": "河川の氾濫",
        "areas": frozenset({NORTH}),
        "kinds": ALL_KINDS,
        "columns": frozenset(Column),
        "starts_at": AT - timedelta(minutes=5),
        "ends_at": AT + timedelta(hours=24),
    }
    return EmergencyScope(**{**values, **more})  # type: ignore[arg-type]


HISTORIES: dict[str, tuple[ConsentFact, ...]] = {
    "none": (),
    "agreed": (fact(Answer.AGREED),),
    "refused": (fact(Answer.REFUSED),),
    "withdrawn": (fact(Answer.AGREED), fact(Answer.WITHDRAWN, days_ago=3)),
    "agreed again": (fact(Answer.REFUSED), fact(Answer.AGREED, days_ago=3)),
    "other purpose": (fact(Answer.AGREED, purpose=Purpose.PLAN_SHARING),),
    "making only": (fact(Answer.AGREED, purpose=Purpose.PLAN_MAKING),),
    "someone else's": (fact(Answer.AGREED, person="ichiro"),),
    "tomorrow": (fact(Answer.AGREED, days_ago=-1),),
}
NOTICES = {
    "no letter": None,
    "pending": Notice("hanako", date(2026, 10, 1), date(2026, 11, 1), "n1"),
    "over": Notice("hanako", date(2026, 8, 1), date(2026, 9, 1), "n1"),
    "undelivered": Notice("hanako", date(2026, 8, 1), date(2026, 9, 1), "n1", True),
    "another's": Notice("ichiro", date(2026, 8, 1), date(2026, 9, 1), "n1"),
}
SHIELD = Protection(date(2026, 1, 1), date(2026, 12, 31))


def expected_normal(history: str, mode: Mode, notice: str) -> bool:
    """The rule, said again independently of the code."""
    if history in ("agreed", "agreed again"):
        return True
    if history in ("refused", "withdrawn"):
        return False
    if mode is Mode.ORDINANCE_NO_CONSENT:
        return True
    return mode is Mode.PRESUMED_CONSENT and notice == "over"


@pytest.mark.parametrize("kind", list(RecipientKind))
def test_R1_R10_R11_every_combination_in_normal_times(kind: RecipientKind) -> None:
    tried = included = 0
    for history, mode, notice, shielded in product(HISTORIES, Mode, NOTICES, (False, True)):
        subject = Subject(
            "hanako", HOME, True, HISTORIES[history], NOTICES[notice],
            (SHIELD,) if shielded else (),
        )
        answer = decide(subject, office(kind), mode=MODES[mode], at=AT)
        want = not shielded and expected_normal(history, mode, notice)
        assert answer.include is want, (history, mode, notice, shielded, answer)
        assert answer.include is (answer.ground in INCLUDING)
        assert answer.columns == ((COLUMN_RULES[kind].normal - PLAN_COLUMNS) if want else set())
        assert answer.reason.endswith(f"（{answer.code}）")
        tried += 1
        included += want
    assert tried == len(HISTORIES) * 3 * len(NOTICES) * 2
    assert 0 < included < tried


@pytest.mark.parametrize("kind", list(RecipientKind))
def test_R1_consent_counts_only_for_the_kinds_ticked(kind: RecipientKind) -> None:
    others = ALL_KINDS - {kind}
    partial = Subject("hanako", HOME, True, (fact(Answer.AGREED, scope=others),))
    for mode in Mode:
        answer = decide(partial, office(kind), mode=MODES[mode], at=AT)
        assert answer.ground is Ground.OUT_OF_SCOPE
    for other in others:
        assert decide(partial, office(other), mode=LAW_DEFAULT, at=AT).include


def test_R1_a_mode_needs_a_citation_and_its_first_day() -> None:
    with pytest.raises(DisclosureRefused):
        ModeSetting(Mode.ORDINANCE_NO_CONSENT, "  ")
    later = ModeSetting(Mode.ORDINANCE_NO_CONSENT, "条例第5条", date(2026, 10, 21))
    silent = Subject("hanako", HOME)
    answer = decide(silent, office(RecipientKind.FIRE), mode=later, at=AT)
    assert answer.ground is Ground.MODE_NOT_IN_FORCE
    assert decide(silent, office(RecipientKind.FIRE), mode=later, at=AT + timedelta(days=1)).include


scopes = st.frozensets(st.sampled_from(list(RecipientKind)))
histories = st.lists(
    st.builds(
        lambda a, d, s, p: fact(a, days_ago=d, scope=s, purpose=p),
        st.sampled_from(list(Answer)),
        st.integers(-2, 4),
        scopes,
        st.sampled_from([Purpose.ROSTER_SHARING, Purpose.PLAN_SHARING]),
    ),
    max_size=6,
)


@given(histories, st.sampled_from(list(RecipientKind)), st.sampled_from(list(Mode)), st.data())
def test_R1_order_of_arrival_is_irrelevant_and_protection_always_wins(
    facts: list[ConsentFact], kind: RecipientKind, mode: Mode, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(facts))
    one = decide(Subject("hanako", HOME, True, tuple(facts)), office(kind), mode=MODES[mode],
                 at=AT)
    two = decide(Subject("hanako", HOME, True, tuple(shuffled)), office(kind), mode=MODES[mode],
                 at=AT)
    assert one == two
    shielded = Subject("hanako", HOME, True, tuple(facts), None, (SHIELD,))
    for emergency in (None, disaster()):
        answer = decide(shielded, office(kind), mode=MODES[mode], at=AT, emergency=emergency)
        assert answer.ground is Ground.PROTECTED and not answer.columns


@given(histories, st.sampled_from(list(RecipientKind)), st.sampled_from(list(Mode)))
def test_R1_a_refusal_or_withdrawal_said_last_is_never_overruled_in_normal_times(
    facts: list[ConsentFact], kind: RecipientKind, mode: Mode
) -> None:
    for last in (Answer.REFUSED, Answer.WITHDRAWN):
        history = (*(f for f in facts if f.at < AT), fact(last, days_ago=0))
        subject = Subject("hanako", HOME, True, history, NOTICES["over"])
        assert not decide(subject, office(kind), mode=MODES[mode], at=AT).include


AGREED = Subject("hanako", HOME, True, HISTORIES["agreed"])


@pytest.mark.parametrize("kind", list(RecipientKind))
@pytest.mark.parametrize("emergency", [None, disaster()])
def test_R7_nobody_receives_outside_their_area_term_or_plan(
    kind: RecipientKind, emergency: EmergencyScope | None
) -> None:
    def ask(subject: Subject, recipient: Recipient) -> Ground:
        return decide(subject, recipient, mode=LAW_DEFAULT, at=AT, emergency=emergency).ground

    south = Recipient("katō", kind, frozenset({SOUTH}))
    assert ask(AGREED, south) is Ground.OUT_OF_AREA
    assert ask(AGREED, Recipient("x", kind, frozenset())) is Ground.OUT_OF_AREA
    nowhere = Subject("hanako", frozenset(), True, HISTORIES["agreed"])
    assert ask(nowhere, office(kind)) is Ground.AREA_UNKNOWN
    assert ask(AGREED, office(kind, in_plan=False)) is Ground.RECIPIENT_NOT_IN_PLAN
    assert ask(AGREED, office(kind, until_on=date(2026, 10, 19))) is Ground.TERM_ENDED
    assert ask(AGREED, office(kind, from_on=date(2026, 10, 21))) is Ground.TERM_ENDED
    assert ask(AGREED, office(kind, until_on=date(2026, 10, 20))) is Ground.CONSENT
    for key in HOME:
        assert ask(AGREED, Recipient("x", kind, frozenset({key}))) is Ground.CONSENT
    with pytest.raises(TypeError):
        Subject("hanako", NORTH)  # type: ignore[arg-type]
    off = Subject("hanako", HOME, False, HISTORIES["agreed"])
    assert ask(off, office(kind)) is Ground.NOT_ON_ROSTER
    no_rule = {k: r for k, r in COLUMN_RULES.items() if k is not kind}
    answer = decide(AGREED, office(kind), mode=LAW_DEFAULT, at=AT, rules=no_rule)
    assert answer.ground is Ground.NO_COLUMN_RULE


def test_R7_the_term_ends_at_japanese_midnight() -> None:
    recipient = office(RecipientKind.COMMISSIONER, until_on=date(2026, 10, 20))
    last = datetime(2026, 10, 20, 14, 59, 59, tzinfo=UTC)
    assert decide(AGREED, recipient, mode=LAW_DEFAULT, at=last).include
    after = decide(AGREED, recipient, mode=LAW_DEFAULT, at=last + timedelta(seconds=1))
    assert after.ground is Ground.TERM_ENDED
    with pytest.raises(ValueError, match="aware"):
        decide(AGREED, recipient, mode=LAW_DEFAULT, at=datetime(2026, 10, 20))



def plan_fact(person: str, answer: Answer = Answer.AGREED) -> ConsentFact:
    return fact(answer, person=person, purpose=Purpose.PLAN_SHARING)


@pytest.mark.parametrize("kind", list(RecipientKind))
def test_R2_a_plan_leaves_only_with_the_person_and_every_supporter(kind: RecipientKind) -> None:
    choices: tuple[Answer | None, ...] = (None, *Answer)
    for own, first, second in product(choices, choices, choices):
        facts = (fact(Answer.AGREED), *((plan_fact("hanako", own),) if own else ()))
        subject = Subject("hanako", HOME, True, facts)
        named = [
            NamedSupporter(n, (plan_fact(n, a),) if a else ())
            for n, a in (("a", first), ("b", second))
        ]
        plan = decide_plan(subject, named, office(kind), at=AT, approved=True)
        want = own is first is second is Answer.AGREED
        assert plan.include is want, (own, first, second, plan)
        row = decide(subject, office(kind), mode=LAW_DEFAULT, at=AT, plan=plan)
        shown = row.columns & PLAN_COLUMNS
        assert shown == (COLUMN_RULES[kind].normal & PLAN_COLUMNS if want else frozenset())
        assert row.include  # the roster row itself does not wait for the plan


def test_R2_mode_opens_no_plan_and_protection_of_a_supporter_keeps_it() -> None:
    facts = (fact(Answer.AGREED), plan_fact("hanako"))
    subject = Subject("hanako", HOME, True, facts)
    fire = office(RecipientKind.FIRE)
    hidden = [NamedSupporter("a", (plan_fact("a"),), (SHIELD,))]
    answer = decide_plan(subject, hidden, fire, at=AT, approved=True)
    assert answer.ground is Ground.SUPPORTER_PROTECTED
    assert decide_plan(subject, hidden, fire, at=AT, approved=True,
                       emergency=disaster()).ground is Ground.SUPPORTER_PROTECTED
    unasked = [NamedSupporter("a")]
    assert decide_plan(subject, unasked, fire, at=AT, approved=True,
                       emergency=disaster()).ground is Ground.EMERGENCY
    assert decide_plan(subject, (), fire, at=AT, approved=False).ground is Ground.PLAN_NOT_MADE
    assert decide_plan(subject, (), fire, at=AT, approved=True).include


def test_R3_making_and_sharing_are_two_facts() -> None:
    making = (fact(Answer.AGREED, purpose=Purpose.PLAN_MAKING),)
    subject = Subject("hanako", HOME, True, making)
    answer = decide_plan(subject, (), office(RecipientKind.FIRE), at=AT, approved=True)
    assert answer.ground is Ground.NO_ANSWER
    row = decide(subject, office(RecipientKind.FIRE), mode=LAW_DEFAULT, at=AT)
    assert row.ground is Ground.NO_ANSWER


def release(**more: object) -> Release:
    values: dict[str, object] = {"by": "sato", "at": AT, "reason": "本人に確認", "kinds": ALL_KINDS}
    return Release(**{**values, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", list(RecipientKind))
def test_R11_a_release_is_named_reasoned_and_for_one_situation(kind: RecipientKind) -> None:
    def ask(one: Release | None, emergency: EmergencyScope | None) -> Ground:
        shield = Protection(date(2026, 1, 1), None, (one,) if one else ())
        subject = Subject("hanako", HOME, True, HISTORIES["agreed"], None, (shield,))
        return decide(subject, office(kind), mode=LAW_DEFAULT, at=AT, emergency=emergency).ground

    assert ask(None, None) is Ground.PROTECTED
    assert ask(release(), None) is Ground.CONSENT
    assert ask(release(by=" "), None) is Ground.PROTECTED
    assert ask(release(reason=""), None) is Ground.PROTECTED
    assert ask(release(at=AT + timedelta(seconds=1)), None) is Ground.PROTECTED
    assert ask(release(kinds=ALL_KINDS - {kind}), None) is Ground.PROTECTED
    assert ask(release(emergency="e1"), None) is Ground.PROTECTED
    assert ask(release(emergency="e1"), disaster()) is Ground.EMERGENCY
    assert ask(release(emergency="e0"), disaster()) is Ground.PROTECTED


def test_R11_protection_lasts_through_its_last_day() -> None:
    for until, want in ((date(2026, 10, 19), True), (date(2026, 10, 20), False), (None, False)):
        subject = Subject(
            "hanako", HOME, True, HISTORIES["agreed"], None,
            (Protection(date(2026, 1, 1), until),),
        )
        fire = office(RecipientKind.FIRE)
        assert decide(subject, fire, mode=LAW_DEFAULT, at=AT).include is want


@pytest.mark.parametrize("kind", list(RecipientKind))
def test_R6_emergency_opens_only_its_area_kinds_columns_and_time(kind: RecipientKind) -> None:
    refused = Subject("ichiro", HOME, True, (fact(Answer.REFUSED, person="ichiro"),))

    def ask(emergency: EmergencyScope, at: datetime = AT) -> Ground:
        return decide(refused, office(kind), mode=LAW_DEFAULT, at=at, emergency=emergency).ground

    narrow = disaster(columns=frozenset({Column.NAME, Column.REASON_DETAIL}))
    answer = decide(refused, office(kind), mode=LAW_DEFAULT, at=AT, emergency=narrow)
    assert answer.ground is Ground.EMERGENCY
    assert answer.columns == COLUMN_RULES[kind].emergency & narrow.columns
    assert ask(disaster(areas=frozenset({SOUTH}))) is Ground.REFUSED
    assert ask(disaster(kinds=ALL_KINDS - {kind})) is Ground.REFUSED
    assert ask(disaster(confirm_first=True)) is Ground.REFUSED
    assert ask(disaster(), AT + timedelta(minutes=10)) is Ground.REFUSED
    confirmed = disaster(confirmed_by="mori", confirmed_at=AT)
    assert ask(confirmed, AT + timedelta(hours=2)) is Ground.EMERGENCY
    assert ask(confirmed, AT + timedelta(hours=24)) is Ground.REFUSED
    own = disaster(confirmed_by="sato", confirmed_at=AT)
    assert ask(own, AT + timedelta(hours=2)) is Ground.REFUSED


subjects = st.lists(
    st.builds(
        lambda n, h, shield, area, on: Subject(
            n, area, on, tuple(fact(f.answer, person=n) for f in HISTORIES[h]), None,
            (SHIELD,) if shield else (),
        ),
        st.uuids().map(str),
        st.sampled_from(["none", "agreed", "refused"]),
        st.booleans(),
        st.sampled_from([HOME, frozenset({SOUTH}), frozenset()]),
        st.booleans(),
    ),
    max_size=12,
)


@given(subjects, st.sampled_from(list(RecipientKind)))
def test_R10_who_refused_or_did_not_answer_stays_on_the_statutory_roster(
    people: list[Subject], kind: RecipientKind
) -> None:
    result = edition_rows(people, office(kind), mode=LAW_DEFAULT, at=AT)
    assert result.statutory_count == sum(p.on_roster for p in people)
    assert len(result.rows) + len(result.withheld) == len(people)
    assert sum(result.withheld_by().values()) == len(result.withheld)
    wanted = [
        p.person
        for p in people
        if p.on_roster and NORTH in p.areas and not p.protections
        and any(f.answer is Answer.AGREED for f in p.facts)
    ]
    assert [person for person, _ in result.rows] == wanted


@given(subjects, st.sampled_from(list(RecipientKind)))
def test_R15_R11_the_board_shows_everyone_of_the_area_without_plan_too(
    people: list[Subject], kind: RecipientKind
) -> None:
    here = [p for p in people if p.on_roster and NORTH in p.areas]
    labels = {p.person: "計画あり" for p in here[::2]}
    shown = board(people, office(kind), mode=LAW_DEFAULT, at=AT, emergency=disaster(),
                  plan_labels=labels)
    assert [r.person for r in shown.rows] == [p.person for p in here if not p.protections]
    assert shown.inquiries == sum(bool(p.protections) for p in here)
    assert all(r.plan_label == labels.get(r.person, "計画なし") for r in shown.rows)
    assert shown.inquiry_label == (f"要照会 {shown.inquiries}名" if shown.inquiries else "")
