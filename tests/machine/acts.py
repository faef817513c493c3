"""Further hands of the machine: staff, facts, rules, years, exchanges.

Owns what happens to records after they arrived, each told to the model.  A refusal is an answer
too: it must be the one that the facts demand and must leave everything as it was.
Raises ``AssertionError`` otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from points.domain.years import ExceptionKind
from points.models import Attendance, Enrolment, Voucher, YearCorrection
from points.operations import (
    attendance,
    enrolments,
    lapsing,
    programmes,
    sessions,
    vouchers,
    years,
)
from registry import access, outbox
from registry.access import Scope
from registry.domain.errors import Refused, TsunagariError
from registry.operations import memberships, volunteers
from registry.sealing import unseal
from tests.machine.play import Life
from tests.machine.world import BEGIN, YEARS, in_the_models_words, person_input, rule_set
from workers import relay

DAYS = tuple(BEGIN.date() + timedelta(days=n) for n in (-60, -41, -40, -39, -38, 0, 10, 30))


class Acts(Life):
    """Everything that is not an arrival."""

    def tried(self, act: Callable[[Scope], Any], *codes: str, user: Any = None) -> Any:
        """Do it as somebody (the council): the result, or the code of an expected refusal."""
        try:
            with access.scope(user or self.world.council, at=self.at) as by:
                return act(by)
        except TsunagariError as no:
            if no.code not in codes:
                raise
            return no.code

    def _row(self, number: int) -> tuple[tuple[int, int], int]:
        """One of the records there are: its key and its id in the database."""
        every = sorted(self.facts.records)
        person, session = every[number % len(every)]
        with access.system(at=self.at, reason="machine") as by:
            row = Attendance.objects.visible_to(by).get(volunteer_id=person, session_id=session)
        return (person, session), row.pk

    def some_wait(self) -> bool:
        """Whether any record waits because it overlaps another one."""
        return any(self.facts.waiting(who, year) for who in self.world.people for year in YEARS)

    def void(self, number: int) -> None:
        key, pk = self._row(number)
        record = self.facts.records[key]
        said = self.tried(
            lambda by: attendance.void(attendance_id=pk, reason="人ちがい", by=by), "already_void"
        )
        assert (said == "already_void") == record.void, said
        if not record.void:
            record.void = True
            self.facts.reopened(key[0], record.session.year)

    def clear(self, number: int) -> None:
        key, pk = self._row(number)
        record = self.facts.records[key]
        waits = key[1] in self.facts.waiting(key[0], record.session.year)
        said = self.tried(lambda by: attendance.clear_overlap(attendance_id=pk, by=by),
                          "not_waiting")
        if said == "not_waiting":
            assert record.void or record.cleared or not waits, "it waits, and was refused"
        else:
            record.cleared = True
            self.facts.reopened(key[0], record.session.year)

    def correct(self, number: int) -> None:
        key, pk = self._row(number)
        record = self.facts.records[key]
        said = self.tried(
            lambda by: attendance.correct(attendance_id=pk, reason="紙の名簿で確認", by=by),
            "not_waiting",
        )
        assert (said == "not_waiting") == (record.void or not record.waits), (said, record)
        if said != "not_waiting":
            record.waits = False
            self.facts.reopened(key[0], record.session.year)

    def cancel(self, session: int) -> None:
        held = self.facts.sessions[session]
        said = self.tried(lambda by: sessions.cancel(session_id=session, by=by),
                          "already_cancelled", "year_closed")
        closed = (held.programme, held.year) in self.facts.closed
        must = "already_cancelled" if held.cancelled else "year_closed" if closed else ""
        assert (said if isinstance(said, str) else "") == must, said
        held.cancelled = held.cancelled or not must

    # --------------------------------------------------------------------- facts
    def be_told(self) -> None:
        """The worker's part: what the registry announced is counted again."""
        for row in outbox.claim(at=self.at, lease=timedelta(minutes=1), limit=50):
            relay.HANDLERS[row.kind](row, self.at)

    def correct_person(self, who: int, born_on: date, resident: bool) -> None:
        person = self.world.people[who]
        self.tried(lambda by: volunteers.change(
            volunteer_id=person, volunteer=person_input(who, born_on, resident), by=by))
        self.facts.people[person].born_on = born_on
        self.facts.people[person].resident = resident
        self.be_told()

    def join(self, who: int, group: str, day: date) -> None:
        home, person = self.world.homes[group], self.world.people[who]
        mine = self.facts.people[person].members
        there = any(o == home and (out is None or out > day) for o, _, out in mine)
        said = self.tried(lambda by: memberships.join(
            organisation_id=home, volunteer_id=person, starts_on=day, by=by), "already_member")
        assert (said == "already_member") == there, (said, mine, day)
        if not there:
            mine.append((home, day, None))
        self.be_told()

    def leave(self, who: int, group: str, day: date) -> None:
        home, person = self.world.homes[group], self.world.people[who]
        mine = self.facts.people[person].members
        said = self.tried(lambda by: memberships.leave(
            organisation_id=home, volunteer_id=person, ends_on=day, by=by),
            "not_found", "bad_membership_end")
        if not isinstance(said, str):
            place = next(n for n, (o, first, _) in enumerate(mine)
                         if (o, first) == (home, said.starts_on))
            mine[place] = (home, said.starts_on, day)
        self.be_told()

    def leave_all(self, who: int, day: date) -> None:
        person = self.world.people[who]
        self.tried(lambda by: volunteers.end(volunteer_id=person, left_on=day, by=by))
        self.facts.people[person].left_on = day
        self.be_told()

    # --------------------------------------------------------------- rules, years
    def add_rules(self, programme: str, begins_on: date, code: str, **changes: Any) -> None:
        new = rule_set(programme, begins_on, code, **changes)
        said = self.tried(lambda by: programmes.add_rules(rules=new, by=by),
                          "begins_before_awards", "begins_same_day", "year_closed")
        awarded = [s.session.on for s in self.facts.records.values()
                   if s.session.programme == programme]
        begun = begins_on.year - (begins_on.month < 4)
        same = any(one.begins_on == begins_on for one in self.facts.rules[programme])
        must = ("begins_before_awards" if awarded and begins_on <= max(awarded)
                else "begins_same_day" if same
                else "year_closed" if (programme, begun) in self.facts.closed else "")
        assert (said if isinstance(said, str) else "") == must, (said, must)
        if not must:
            self.facts.rules[programme].append(in_the_models_words(new))

    def begin_closing(self, programme: str, year: int) -> None:
        said = self.tried(lambda by: years.begin_closing(
            programme=programme, fiscal_year=year, by=by), "year_state", "year_not_over")
        lot = programme, year
        over = self.at.date() > date(year + 1, 3, 31)
        begun = lot in self.facts.closing | self.facts.closed
        must = "year_state" if begun else "" if over else "year_not_over"
        assert (said if isinstance(said, str) else "") == must, (said, must)
        if not must:
            self.facts.closing.add(lot)

    def close(self, programme: str, year: int) -> None:
        said = self.tried(lambda by: years.close(
            programme=programme, fiscal_year=year, reason="年度のしめ", by=by),
            "already_closed", "year_state", "grace_not_over")
        lot = programme, year
        must = ("already_closed" if lot in self.facts.closed
                else "year_state" if lot not in self.facts.closing
                else "grace_not_over" if self.at.date() <= date(year + 1, 6, 10) else "")
        assert (said if isinstance(said, str) else "") == must, (said, must)
        if not must:
            self.facts.close(programme, year)

    def decide(self, number: int, apply: bool) -> bool:
        """What would change a closed year is applied or kept; False when nothing waits."""
        with access.system(at=self.at, reason="machine") as by:
            rows = YearCorrection.objects.visible_to(by).filter(outcome="waiting").order_by("pk")
            found = list(rows.values_list(
                "pk", "volunteer_id", "year__programme__code", "year__fiscal_year"))
        if not found:
            return False
        pk, person, programme, year = found[number % len(found)]
        act = years.apply_correction if apply else years.keep_as_closed
        self.tried(lambda by: act(correction_id=pk, reason="窓口で確認", by=by))
        if apply:
            self.facts.applied(person, programme, year)
        return True

    def lapse(self, programme: str, year: int) -> None:
        try:
            lapsing.lapse(programme=programme, fiscal_year=year, at=self.at)
            said = ""
        except Refused as no:
            said = no.code
        closed = (programme, year) in self.facts.closed
        assert said in (("", "lapse_not_due", "next_year_missing") if closed
                        else ("year_not_closed",)), said

    def except_from(self, programme: str, year: int, carry: bool) -> None:
        kind = ExceptionKind.CARRY if carry else ExceptionKind.POSTPONE
        dates = {} if carry else {
            "exchange_until": date(year + 1, 8, 30), "lapses_on": date(year + 1, 9, 1)}
        self.tried(lambda by: years.approve_exception(
            programme=programme, fiscal_year=year, kind=kind, reason="大雨のため",
            authority="会長決裁", decided_on=by.on, by=by, **dates,
        ), "year_lapsed", "exception_twice", "exception_dates", "next_year_missing")

    def enrol(self, who: int, programme: str, year: int, day: date | None) -> None:
        """Register for the year from a day; None takes the registration back."""
        person, lot = self.world.people[who], (programme, year)
        mine = self.facts.people[person].enrolled
        if day is None:
            with access.system(at=self.at, reason="machine") as by:
                row = Enrolment.objects.visible_to(by).filter(
                    volunteer_id=person, programme__code=programme, fiscal_year=year,
                    cancelled_at__isnull=True).values_list("pk", flat=True).first()
            said = self.tried(lambda by: enrolments.cancel(
                enrolment_id=row or 0, reason="まちがい", by=by), "not_found", "year_closed")
        else:
            said = self.tried(lambda by: enrolments.enrol(
                volunteer_ids=[person], programme=programme, fiscal_year=year, starts_on=day,
                by=by), "enrolled_already", "year_closed", "outside_the_year")
        if not isinstance(said, str) and day is None:
            del mine[lot]
        elif not isinstance(said, str) and day is not None:
            mine[lot] = day

    # ------------------------------------------------------------------ exchanges
    def exchange(self, person: int, programme: str, count: int) -> None:
        number = self.new_id()
        said = self.tried(lambda by: vouchers.exchange(
            volunteer_id=person, programme=programme, count=count, request_id=number, by=by),
            "vouchers_limit", "exchange_closed", "not_enough_points", "not_found")
        if not isinstance(said, str):
            again = self.tried(lambda by: vouchers.exchange(
                volunteer_id=person, programme=programme, count=count, request_id=number, by=by))
            assert again.pk == said.pk
            self.facts.exchanged[person, programme] += said.points
            self.exchanges.append((said.pk, person, programme))

    def undo_exchange(self, number: int) -> None:
        pk, person, programme = self.exchanges[number % len(self.exchanges)]
        said = self.tried(lambda by: vouchers.undo_exchange(
            exchange_id=pk, reason="まちがい", by=by),
            "already_undone", "voucher_used")
        if not isinstance(said, str):
            self.facts.exchanged[person, programme] -= said.points

    def redeem(self, number: int) -> None:
        pk, _, _ = self.exchanges[number % len(self.exchanges)]
        with access.system(at=self.at, reason="look") as by:
            paper = Voucher.objects.visible_to(by).filter(exchange_id=pk).order_by("pk")[0]
            code = unseal(bytes(paper.sealed_code), context=f"voucher:{paper.serial}").decode()
        self.tried(lambda by: vouchers.redeem(code=code, request_id=self.new_id(), by=by),
                   "voucher_used", "voucher_void", "voucher_past", user=self.world.shopkeeper)
