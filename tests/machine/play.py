"""The hands of the machine: real operations, told to the model, with the answers that must come.

Owns one transaction per life (rolled back at its end), the clock, and the ways in which people
arrive (P4): cards by council, leader and device, name search, paper, the host's screen, the
printed code and the phone's form; batches, repeats and ids used twice.  Raises ``AssertionError``
when an answer is not the one that the facts demand.
"""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from points import keys
from points.domain import tokens
from points.domain.codes import BadCode
from points.operations import attendance
from points.operations.recording import ScanAnswer
from points.operations.scanning import ScanRequest
from registry import access
from registry.domain.errors import Forbidden
from registry.operations import cards
from tests.machine import checks
from tests.machine.world import BEGIN, World

Sent = tuple[ScanRequest, Any, ScanAnswer]  # what was sent, by whom, the first answer


class Life:
    """One life of the world: from its beginning until everything is rolled back."""

    def __init__(self, world: World, steps: Counter[str], verify_every: int = 1) -> None:
        self.world, self.facts = world, copy.deepcopy(world.facts)
        self.at = BEGIN
        self.steps, self.verify_every, self.done = steps, verify_every, 0
        self.sent: list[Sent] = []
        self.cards = list(world.cards)
        self.counters: Counter[int] = Counter()
        self.exchanges: list[tuple[Any, int, str]] = []
        self.ids = 0
        self.failed = False
        self._atomic = transaction.atomic()
        self._atomic.__enter__()

    def end(self) -> None:
        """The product's own audit and every constraint once more; then undo this life."""
        try:
            if not self.failed:
                checks.check(self.facts, self.at)
                connection.check_constraints()
        finally:
            transaction.set_rollback(True)
            self._atomic.__exit__(None, None, None)

    def step(self, name: str) -> None:
        """A step was done: count it and compare everything."""
        self.steps[name] += 1
        self.done += 1
        self.failed = True
        checks.check(self.facts, self.at, verify=self.done % self.verify_every == 0)
        self.failed = False
        self.at += timedelta(seconds=1)

    def new_id(self) -> UUID:
        """A request id, the same for the same life: failures can be replayed."""
        self.ids += 1
        return UUID(int=(1 << 80) + self.ids, version=4)

    def can_repeat(self) -> list[Sent]:
        """What may be sent again: the phone of somebody who has left may do nothing."""
        gone = {
            phone.pk for phone, who in zip(self.world.phones, self.world.people, strict=True)
            if (left := self.facts.people[who].left_on) is not None and self.at.date() >= left
        }
        return [one for one in self.sent if one[1].pk not in gone]

    # ------------------------------------------------------------------ arrivals
    def usable(self, user: Any, session: int, at: datetime) -> bool:
        """Whether this user's scan at this session counts somebody in."""
        held = self.facts.sessions[session]
        own = user is self.world.council or held.organisation == self.world.homes["G1"]
        return own and not held.cancelled and at.date() >= held.on

    def request(self, user: Any, who: int, session: int, method: str) -> ScanRequest:
        """A scan of a card, or staff's own entry (name_search, paper)."""
        counter = None
        if user is self.world.scanner:
            self.counters[user.pk] += 1
            counter = self.counters[user.pk]
        if method == "card":
            return ScanRequest(self.new_id(), self.at, code=self.cards[who], session_id=session,
                               counter=counter)
        return ScanRequest(self.new_id(), self.at, session_id=session, method=method,
                           volunteer_id=self.world.people[who])

    def send(
        self, user: Any, requests: list[ScanRequest], people: list[int], *, slow: int = 0
    ) -> None:
        """Send a batch and compare each answer; ``slow`` minutes is the device's clock."""
        here = []
        for request, who in zip(requests, people, strict=True):
            there = request.session_id or 0
            fits = self.usable(user, there, self.at) and (
                not request.method or user is not self.world.scanner
            )
            person = self.world.people[who]
            first = (person, there) not in self.facts.records
            if fits:
                self.facts.arrived(person, there)
            here.append((person, there, fits, first))
        with access.scope(user, at=self.at) as by:
            answers = attendance.record(
                scans=requests, device_time=self.at - timedelta(minutes=slow), by=by
            ).results
        must = self.facts.shares()
        said = dict[UUID, ScanAnswer]()
        for request, answer, (person, there, fits, first) in zip(
            requests, answers, here, strict=True
        ):
            assert (answer.attendance is not None) == fits, (request, answer)
            if fits:
                assert answer.points == must[person, there], (answer, must[person, there])
                assert answer.result != "already" or not first, answer
            said.setdefault(request.id, answer)
            self.sent.append((request, user, answer))

    def repeat(self, number: int) -> None:
        """The same request again: the first answer, whatever happened since."""
        every = self.can_repeat()
        request, user, first = every[number % len(every)]
        with access.scope(user, at=self.at) as by:
            again = attendance.record(scans=[request, request], by=by).results
        assert again == (first, first), (again, first)

    def repeat_all(self) -> None:
        """Devices that lost the answers send their whole queues again, newest first."""
        every = self.can_repeat()
        for user in {who.pk: who for _, who, _ in every}.values():
            mine = [(request, first) for request, who, first in every if who is user][::-1]
            with access.scope(user, at=self.at) as by:
                again = attendance.record(scans=[request for request, _ in mine], by=by)
            assert list(again.results) == [first for _, first in mine], again

    def misuse(self, number: int, way: str) -> None:
        """The same id for another content, or by another user: a conflict that names it."""
        every = self.can_repeat()
        request, user, _ = every[number % len(every)]
        if way == "id":
            user = self.world.council if user is not self.world.council else self.world.leader
        else:
            other = self.world.sessions[0] + self.world.sessions[-1] + 1
            changed: dict[str, dict[str, Any]] = {
                "scanned_at": {"scanned_at": request.scanned_at - timedelta(seconds=9)},
                "counter": {"counter": (request.counter or 0) + 1_000},
                "session": {"session_id": other - (request.session_id or 0)},
            }
            request = replace(request, **changed[way])
        with access.scope(user, at=self.at) as by:
            (answer,) = attendance.record(scans=[request], by=by).results
        assert (answer.result, answer.field, answer.attendance) == ("conflict", way, None), answer

    def by_phone(self, who: int, session: int, way: str) -> None:
        """The bound phone reads the screen, the printed code, or sends the form twice."""
        held, person = self.facts.sessions[session], self.world.people[who]
        at = min(self.at, held.starts_at + timedelta(minutes=10))
        fits = not held.cancelled and at >= held.starts_at - timedelta(minutes=30)
        left = self.facts.people[person].left_on
        gone = left is not None and at.date() >= left
        ring = keys.keyring()
        code = tokens.mint("printed" if way == "printed" else "event", keys=ring,
                           session=session, at=at).code
        request = ScanRequest(self.new_id(), at, code=code)
        try:
            with access.scope(self.world.phones[who], at=at) as by:
                if way == "form":
                    answer = self._form(code, by)
                else:
                    answer = attendance.record(scans=[request], by=by).results[0]
        except Forbidden:
            assert gone, f"{person} may not be counted in"
            return
        except BadCode:
            assert not fits, f"the code of {session} was refused"
            return
        assert not gone, f"{person} has left and was answered {answer}"
        if fits:
            self.facts.arrived(person, session)
            assert answer.points == self.facts.shares()[person, session], answer
        assert (answer.attendance is not None) == fits, (answer, at, held)
        if way != "form":
            self.sent.append((request, self.world.phones[who], answer))

    def _form(self, code: str, by: Any) -> ScanAnswer:
        form = attendance.open_form(event_code=code, by=by)
        answer = attendance.record_by_form(form_token=form, by=by)
        assert attendance.record_by_form(form_token=form, by=by) == answer
        return answer

    def reissue(self, who: int) -> None:
        """A new card; the old one is refused from now on, points stay."""
        person, fresh = self.world.people[who], tokens.mint("card").code
        with access.scope(self.world.council, at=self.at) as by:
            cards.reissue_card(volunteer_id=person, code=fresh, by=by)
            old = self.request(self.world.council, who, self.world.sessions[0], "card")
            (answer,) = attendance.record(scans=[old], by=by).results
        assert (answer.result, answer.attendance) == ("cancelled_card", None), answer
        self.cards[who] = fresh
