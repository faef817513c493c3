"""Further hands of the machine: staff, facts, rules, years, exchanges.

Owns what happens to records after they arrived, each told to the model.  A refusal is an answer
too: it must be the one that the facts demand and must leave everything as it was.
Raises ``AssertionError`` otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from points.models import Attendance, ProgrammeYear, Voucher
from points.operations import attendance, programmes, sessions, vouchers
from registry import access, outbox
from registry.access import Scope
from registry.domain.errors import TsunagariError
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

    def close(self, programme: str, year: int) -> None:
        """Simulated closing: the row as the database demands it, without the operation."""
        with access.system(at=self.at, reason="close"):
            ProgrammeYear.objects.filter(
                programme__code=programme, fiscal_year=year
            ).update(state="closed", closed_at=self.at, closed_by_id=self.world.council.pk)
        self.facts.close(programme, year)

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
