"""From stored records to shares: one volunteer and fiscal year, all programmes together.

Owns: how standing, overlap, eligibility and allocation follow each other.  Recording, voiding,
corrected facts and the audit of the ledger all count through this one function, so that they
cannot disagree.
Refuses: guessing; a record without terms of its year is an error of the caller (``KeyError``).
Source: P1, P2, P8.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from points.domain import awards, eligibility
from points.domain.awards import Share, Standing
from points.domain.eligibility import Decision, Facts
from points.domain.overlaps import Stay, waiting
from points.domain.rules import RuleSet, Source, YearTerms, fiscal_year, pick
from registry.domain.residence import Move, Residence


@dataclass(frozen=True, slots=True)
class Record:
    """参加記録 with its session.  ``closed_wait``: came after the year was closed, uncorrected."""

    attendance: int
    volunteer: int
    session: int
    programme: str
    organisation: int
    group: int | None
    kind: str
    source: Source
    title: str
    on: date
    starts_at: datetime
    ends_at: datetime
    minutes: int
    void: bool = False
    closed_wait: bool = False
    cleared: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """A membership: from ``starts_on`` until before ``ends_on``."""

    organisation: int
    starts_on: date
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A yearly registration (年度登録): from ``starts_on`` to the end of the fiscal year."""

    programme: str
    fiscal_year: int
    starts_on: date


@dataclass(frozen=True, slots=True)
class Person:
    """The facts about one volunteer.  ``left_on`` is the first day without registration.

    ``resident`` holds until the first of ``moves``, which are by day.
    """

    born_on: date | None
    resident: bool | None
    registered_on: date
    left_on: date | None
    members: tuple[Member, ...] = ()
    enrolled: tuple[Enrolled, ...] = ()
    moves: tuple[Move, ...] = ()

    def on(self, day: date, organisation: int, programme: str = "") -> Facts:
        """The facts in force on the activity's day (P1)."""
        return Facts(
            birth_on=self.born_on,
            registered=self.registered_on <= day and (self.left_on is None or day < self.left_on),
            resident=None if self.resident is None
            else Residence(self.resident, self.moves).on(day),
            member=any(
                one.organisation == organisation
                and one.starts_on <= day
                and (one.ends_on is None or day < one.ends_on)
                for one in self.members
            ),
            enrolled=any(
                one.programme == programme and one.starts_on <= day
                and one.fiscal_year == fiscal_year(day)
                for one in self.enrolled
            ),
        )


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The rules of every programme: rule sets by programme code, terms by (code, year)."""

    rules: Mapping[str, Sequence[RuleSet]] = field(default_factory=dict)
    terms: Mapping[tuple[str, int], YearTerms] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Counted:
    """Shares by (programme, fiscal year), in P1's order; eligibility by attendance."""

    shares: Mapping[tuple[str, int], tuple[Share, ...]]
    eligibility: Mapping[int, Decision]


def count(records: Iterable[Record], person: Person, book: Rulebook) -> Counted:
    """Every share of one volunteer, from **all** their records of the fiscal years given.

    Raises as ``awards.allocate``; ``KeyError`` for a year without terms.
    """
    every = list(records)
    waits = waiting(
        Stay(
            one.attendance,
            one.session,
            one.starts_at,
            one.ends_at,
            one.void or one.closed_wait,
            one.cleared,
        )
        for one in every
    )
    decided: dict[int, Decision] = {}
    lots: dict[tuple[str, int], list[awards.Attendance]] = {}
    for one in every:
        rules = pick(book.rules[one.programme], one.on)
        said = eligibility.decide(
            rules, person.on(one.on, one.organisation, one.programme), on=one.on, source=one.source
        )
        decided[one.attendance] = said
        lots.setdefault((one.programme, fiscal_year(one.on)), []).append(
            awards.Attendance(
                one.attendance,
                one.session,
                one.on,
                one.starts_at,
                one.group,
                one.kind,
                one.title,
                one.minutes,
                _standing(one, waits),
                said.clause,
            )
        )
    return Counted(
        {
            lot: awards.allocate(some, book.rules[lot[0]], book.terms[lot])
            for lot, some in lots.items()
        },
        decided,
    )


def _standing(one: Record, waits: frozenset[int]) -> Standing:
    if one.void:
        return Standing.VOID
    if one.closed_wait:
        return Standing.YEAR_CLOSED
    return Standing.OVERLAP_WAITING if one.attendance in waits else Standing.VALID
