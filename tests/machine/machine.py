"""The state machine: any arrival, repeat, void, fact, rule and year, in any order.

Owns the choice of steps (hypothesis makes programs of them and shrinks those that fail).  Each
step is one act of ``Acts`` followed by a comparison of everything with the model.  Refuses a step
that cannot be tried (nothing to void yet) by precondition, so that every step counted was done.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from points.domain.rules import Source
from tests.machine.acts import DAYS, Acts
from tests.machine.world import BEGIN, BIRTHS, CAPS, World

PEOPLE = st.integers(0, 2)
PLACES = st.integers(0, 12)
ANY = st.integers(0, 999)
PROGRAMMES = st.sampled_from(sorted(CAPS))
TIMES = tuple(BEGIN + timedelta(days=n) for n in (10, 32, 53))  # a session; grace; lapse
RULE_DAYS = (date(2026, 3, 31), date(2026, 4, 1), date(2026, 4, 2), date(2026, 5, 10),
             date(2026, 5, 20), date(2026, 10, 1))


class Machine(RuleBasedStateMachine):
    """One life; ``world`` and ``steps`` are given by whoever runs it."""

    world: ClassVar[World]
    steps: ClassVar[Counter[str]] = Counter()
    verify_every: ClassVar[int] = 1

    def __init__(self) -> None:
        super().__init__()
        self.life = Acts(self.world, self.steps, self.verify_every)

    def teardown(self) -> None:
        self.life.end()

    @rule(who=PEOPLE, place=PLACES, method=st.sampled_from(["card", "name_search", "paper"]))
    def council_counts(self, who: int, place: int, method: str) -> None:
        life, user = self.life, self.world.council
        one = life.request(user, who, self.world.sessions[place], method)
        life.send(user, [one], [who])
        life.step("one by the council")

    @rule(who=PEOPLE, place=PLACES, leader=st.booleans(), slow=st.integers(-7, 7))
    def device_counts(self, who: int, place: int, leader: bool, slow: int) -> None:
        life, user = self.life, self.world.leader if leader else self.world.scanner
        one = life.request(user, who, self.world.sessions[place], "card")
        life.send(user, [one], [who], slow=slow)
        life.step("one by a device")

    @rule(
        some=st.lists(st.tuples(PEOPLE, PLACES), min_size=2, max_size=6),
        device=st.sampled_from(["council", "scanner", "leader"]), repeats=st.integers(0, 2),
    )
    def batch(self, some: list[tuple[int, int]], device: str, repeats: int) -> None:
        life, user = self.life, getattr(self.world, device)
        people = [who for who, _ in some]
        every = [life.request(user, who, self.world.sessions[place], "card")
                 for who, place in some]
        every += every[:repeats]
        life.send(user, every, people + people[:repeats], slow=3)
        life.step("batch")

    @rule(who=PEOPLE, place=PLACES, way=st.sampled_from(["event", "printed", "form"]))
    def phone(self, who: int, place: int, way: str) -> None:
        self.life.by_phone(who, self.world.sessions[place], way)
        self.life.step(f"phone: {way}")

    @precondition(lambda self: self.life.can_repeat())
    @rule(number=ANY)
    def repeat(self, number: int) -> None:
        self.life.repeat(number)
        self.life.step("repeat")

    @precondition(lambda self: self.life.can_repeat())
    @rule()
    def repeat_all(self) -> None:
        self.life.repeat_all()
        self.life.step("repeat everything")

    @precondition(lambda self: self.life.can_repeat())
    @rule(number=ANY, way=st.sampled_from(["id", "session", "scanned_at", "counter"]))
    def misuse(self, number: int, way: str) -> None:
        self.life.misuse(number, way)
        self.life.step("id used twice")

    @precondition(lambda self: self.life.facts.records)
    @rule(number=ANY)
    def void(self, number: int) -> None:
        self.life.void(number)
        self.life.step("void")

    @precondition(lambda self: self.life.some_wait())
    @rule(number=ANY)
    def clear(self, number: int) -> None:
        self.life.clear(number)
        self.life.step("clear an overlap")

    @precondition(lambda self: self.life.facts.closed and self.life.facts.records)
    @rule(number=ANY)
    def correct(self, number: int) -> None:
        self.life.correct(number)
        self.life.step("correct after the close")

    @rule(place=PLACES)
    def cancel(self, place: int) -> None:
        self.life.cancel(self.world.sessions[place])
        self.life.step("cancel a session")

    @rule(
        what=st.sampled_from(["birth", "birth", "join", "leave", "join", "leave", "end"]),
        who=PEOPLE, born_on=st.sampled_from(BIRTHS), resident=st.booleans(),
        group=st.sampled_from(["G1", "G2"]), day=st.sampled_from(DAYS),
    )
    def correct_person(
        self, what: str, who: int, born_on: date, resident: bool, group: str, day: date
    ) -> None:
        if what == "birth":
            self.life.correct_person(who, born_on, resident)
        elif what == "end":
            self.life.leave_all(who, day)
        else:
            (self.life.leave if what == "leave" else self.life.join)(who, group, day)
        self.life.step(f"fact: {what}")

    @rule(who=PEOPLE)
    def reissue(self, who: int) -> None:
        self.life.reissue(who)
        self.life.step("reissue a card")

    @rule(
        programme=PROGRAMMES, begins_on=st.sampled_from(RULE_DAYS), daily=st.sampled_from(
            [None, 1, 2, 4]), group_day=st.sampled_from([None, 1]), members=st.booleans(),
        age=st.sampled_from([None, 13, 65]), enrolled=st.booleans(),
    )
    def add_rules(
        self, programme: str, begins_on: date, daily: int | None, group_day: int | None,
        members: bool, age: int | None, enrolled: bool,
    ) -> None:
        code = f"{programme}-{len(self.life.facts.rules[programme]) + 1}"
        given: dict[str, Any] = {
            "daily_cap": daily, "minimum_age": age, "enrolment_required": enrolled}
        if programme == "tsunagari":
            given["group_day_cap"] = group_day
            if members:
                given |= {"membership_required": True, "sources": frozenset({Source.GROUP})}
        self.life.add_rules(programme, begins_on, code, **given)
        self.life.step("rules from a date")

    @rule(programme=PROGRAMMES, begin=st.booleans(), year=st.sampled_from([2025, 2025, 2026]))
    def end_of_year(self, programme: str, begin: bool, year: int) -> None:
        (self.life.begin_closing if begin else self.life.close)(programme, year)
        self.life.step("begin to close a year" if begin else "close a year")

    @precondition(lambda self: self.life.facts.closed)
    @rule(number=ANY, apply=st.booleans())
    def decide(self, number: int, apply: bool) -> None:
        if self.life.decide(number, apply):
            self.life.step("apply a correction" if apply else "keep as closed")

    @precondition(lambda self: self.life.facts.closed)
    @rule(programme=PROGRAMMES)
    def lapse(self, programme: str) -> None:
        self.life.lapse(programme, 2025)
        self.life.step("lapse")

    @precondition(lambda self: self.life.facts.closed)
    @rule(programme=PROGRAMMES, carry=st.booleans())
    def except_from(self, programme: str, carry: bool) -> None:
        self.life.except_from(programme, 2025, carry)
        self.life.step("exception")

    @rule(who=PEOPLE, programme=PROGRAMMES, year=st.sampled_from([2025, 2026]),
          day=st.sampled_from([None, *DAYS]))
    def enrol(self, who: int, programme: str, year: int, day: date | None) -> None:
        self.life.enrol(who, programme, year, day)
        self.life.step("yearly registration")

    @precondition(lambda self: self.life.facts.records)
    @rule(number=ANY, count=st.sampled_from([1, 1, 2]))
    def exchange(self, number: int, count: int) -> None:
        every = sorted(self.life.facts.records)
        person, session = every[number % len(every)]
        programme = self.life.facts.sessions[session].programme
        self.life.exchange(person, programme, count)
        self.life.step("exchange")

    @precondition(lambda self: self.life.exchanges)
    @rule(number=ANY)
    def undo_exchange(self, number: int) -> None:
        self.life.undo_exchange(number)
        self.life.step("undo an exchange")

    @precondition(lambda self: self.life.exchanges)
    @rule(number=ANY)
    def redeem(self, number: int) -> None:
        self.life.redeem(number)
        self.life.step("use a voucher")

    @precondition(lambda self: self.life.at < TIMES[-1])
    @rule()
    def time_passes(self) -> None:
        self.life.at = next(one for one in TIMES if one > self.life.at)
        self.life.step("time passes")
