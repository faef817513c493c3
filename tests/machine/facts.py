"""What the machine knows to have happened, and the shares that follow from it.

Owns the model: people, sessions, records, rules, years.  It is told of each step by the machine
and never reads the database.  A closed year keeps its shares (P1 holds until it is closed) until a
void, a cleared overlap or a named correction opens that person's year again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.machine import oracle
from tests.machine.oracle import Person, PlaceOf, Record, Rules, Session

Lot = tuple[int, str, int]  # person, programme, fiscal year


@dataclass
class Facts:
    """Everything that happened so far.  ``frozen`` are the shares of closed years."""

    people: dict[int, Person]
    sessions: dict[int, Session]
    rules: dict[str, list[Rules]]
    annual_cap: dict[tuple[str, int], int | None]
    records: dict[tuple[int, int], Record] = field(default_factory=dict)
    closed: set[tuple[str, int]] = field(default_factory=set)
    frozen: dict[Lot, PlaceOf] = field(default_factory=dict)
    exchanged: Counter[tuple[int, str]] = field(default_factory=Counter)
    closing: set[tuple[str, int]] = field(default_factory=set)

    def arrived(self, person: int, session: int) -> None:
        """A record was made, unless it was there."""
        if (person, session) in self.records:
            return
        held = self.sessions[session]
        late = (held.programme, held.year) in self.closed
        self.records[person, session] = Record(held, waits=late)
        if late:
            self.frozen.setdefault((person, held.programme, held.year), {})[session] = 0

    def close(self, programme: str, year: int) -> None:
        """The year's shares stay as they are now."""
        for person in self.people:
            self.frozen[person, programme, year] = self._now(person).get((programme, year), {})
        self.closed.add((programme, year))

    def reopened(self, person: int, year: int) -> None:
        """A named act on one record counts that person's closed year again."""
        now = self._now(person)
        for programme, of in self.closed:
            if of == year:
                self.frozen[person, programme, year] = now.get((programme, year), {})

    def applied(self, person: int, programme: str, year: int) -> None:
        """A named correction of one programme's year counts it again."""
        self.frozen[person, programme, year] = self._now(person).get((programme, year), {})

    def waiting(self, person: int, year: int) -> set[int]:
        """Sessions of that year whose record overlaps another one."""
        return oracle.overlapping(
            [r for (who, _), r in self.records.items() if who == person and r.session.year == year]
        )

    def shares(self) -> dict[tuple[int, int], int]:
        """(person, session) → the share that must be stored."""
        found = {}
        for person in self.people:
            for (programme, year), some in self._now(person).items():
                if (programme, year) in self.closed:
                    some = self.frozen.get((person, programme, year), {})
                for session, points in some.items():
                    found[person, session] = points
        return found

    def _now(self, person: int) -> dict[tuple[str, int], PlaceOf]:
        """(programme, year) → shares as the pure function says today."""
        mine = [r for (who, _), r in self.records.items() if who == person]
        lots = {(r.session.programme, r.session.year) for r in mine}
        waits = {year: self.waiting(person, year) for _, year in lots}
        return {
            (programme, year): oracle.shares(
                [r for r in mine if (r.session.programme, r.session.year) == (programme, year)],
                self.people[person], self.rules[programme], self.annual_cap[programme, year],
                waits[year],
            )
            for programme, year in lots
        }
