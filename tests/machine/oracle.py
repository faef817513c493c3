"""What the points must be: P1's formula written down once more, as simply as it reads.

Owns a second, independent reading of P1, P2 and P8 over plain facts.  It imports nothing of
``points``: an error there cannot repeat itself here.  A share is defined as the growth of the
formula's total when the record joins those before it in the order (date, start, session), so that
no cap is ever counted down.  Slow, and that is fine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

PlaceOf = dict[int, int]  # session → points


@dataclass(frozen=True)
class Rules:
    """One rule set: kind → (points, by the started hour); None is no cap, no age."""

    begins_on: date
    rates: dict[str, tuple[int, bool]]
    sources: frozenset[str]
    group_day_cap: int | None = None
    daily_cap: int | None = None
    minimum_age: int | None = None
    resident: bool = False
    member: bool = False
    enrolled: bool = False


@dataclass
class Session:
    """One session as it was opened."""

    id: int
    programme: str
    organisation: int
    group: int | None
    kind: str
    source: str
    on: date
    starts_at: datetime
    ends_at: datetime
    cancelled: bool = False

    @property
    def year(self) -> int:
        """The fiscal year: April to March."""
        return self.on.year if self.on.month >= 4 else self.on.year - 1


@dataclass
class Record:
    """One person at one session.  ``waits``: came after the year was closed, uncorrected."""

    session: Session
    void: bool = False
    cleared: bool = False
    waits: bool = False


@dataclass
class Person:
    """The facts as they are known now.

    ``members``: (organisation, first day, first day out); ``enrolled``: (programme, year) → first
    day of the yearly registration.
    """

    born_on: date
    resident: bool
    registered_on: date
    left_on: date | None = None
    members: list[tuple[int, date, date | None]] = field(default_factory=list)
    enrolled: dict[tuple[str, int], date] = field(default_factory=dict)


def rules_on(rules: list[Rules], day: date) -> Rules:
    """The rule set that began last."""
    return sorted((one for one in rules if one.begins_on <= day), key=lambda r: r.begins_on)[-1]


def eligible(person: Person, session: Session, rules: Rules) -> bool:
    """Whether the rules in force on the session's day let the person have points."""
    day = session.on
    if day < person.registered_on or (person.left_on is not None and day >= person.left_on):
        return False
    if rules.enrolled:
        first = person.enrolled.get((session.programme, session.year))
        if first is None or day < first:
            return False
    if session.source not in rules.sources or (rules.resident and not person.resident):
        return False
    if rules.minimum_age is not None:
        # An age is reached at the end of the day before the birthday, 31 March still counts.
        last_birthday = date(session.year + 1 - rules.minimum_age, 4, 1)
        if person.born_on > last_birthday:
            return False
    return not rules.member or any(
        organisation == session.organisation and begun <= day and (out is None or day < out)
        for organisation, begun, out in person.members
    )


def overlapping(records: list[Record]) -> set[int]:
    """Sessions whose record waits for staff: it overlaps one that counts and began before."""
    here: list[Session] = []
    waits = set()
    for one in sorted(records, key=lambda r: (r.session.starts_at, r.session.id)):
        mine = one.session
        if one.void or one.waits or mine.cancelled:
            continue
        clash = any(mine.starts_at < o.ends_at and o.starts_at < mine.ends_at for o in here)
        if clash and not one.cleared:
            waits.add(mine.id)
        else:
            here.append(mine)
    return waits


def formula(
    sessions: list[Session], rules: list[Rules], annual_cap: int | None
) -> int:
    """P1: min(annual cap, Σ dates min(daily cap, Σ groups min(group-day cap, Σ points)))."""
    year = 0
    for day in {one.on for one in sessions}:
        ruled = rules_on(rules, day)
        today = [one for one in sessions if one.on == day]
        of_day = 0
        for group in {one.group for one in today}:
            points = [worth(one, ruled) for one in today if one.group == group]
            of_day += sum(points) if group is None else _least(ruled.group_day_cap, sum(points))
        year += _least(ruled.daily_cap, of_day)
    return _least(annual_cap, year)


def worth(session: Session, rules: Rules) -> int:
    """Points of one attendance before any cap."""
    points, hourly = rules.rates[session.kind]
    if not hourly:
        return points
    minutes = (session.ends_at - session.starts_at).total_seconds() / 60
    started = 0
    while started * 60 < minutes:
        started += 1
    return points * started


def shares(
    records: list[Record], person: Person, rules: list[Rules], annual_cap: int | None,
    waiting: set[int],
) -> PlaceOf:
    """Session → share, for the records of one programme and fiscal year."""
    counting: list[Session] = []
    found = {}
    for one in sorted(records, key=lambda r: (r.session.on, r.session.starts_at, r.session.id)):
        mine = one.session
        found[mine.id] = 0
        if one.void or one.waits or mine.cancelled or mine.id in waiting:
            continue
        if eligible(person, mine, rules_on(rules, mine.on)):
            before = formula(counting, rules, annual_cap)
            counting.append(mine)
            found[mine.id] = formula(counting, rules, annual_cap) - before
    return found


def _least(cap: int | None, points: int) -> int:
    return points if cap is None else min(cap, points)
