"""Where somebody lived on a day, from the changes that were recorded (居住の変更).

Owns the reading of the history: rows in the order in which they were recorded.  A row that says
the same as the one before corrects its day; one that says the other is a new move; a move dated
before earlier ones takes their place.  Refuses nothing.  Source: P1 (facts of the activity's day).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Move:
    """From ``on`` a person lives in the city (``resident``) or does not."""

    on: date
    resident: bool


@dataclass(frozen=True, slots=True)
class Residence:
    """``first`` until the first of the ``moves``, which are by day."""

    first: bool
    moves: tuple[Move, ...] = ()

    def on(self, day: date) -> bool:
        """Whether the person lived in the city that day."""
        found = self.first
        for move in self.moves:
            if move.on <= day:
                found = move.resident
        return found


def history(now: bool, rows: Iterable[tuple[date, bool, bool]]) -> Residence:
    """``rows``: (from, resident, was), as recorded; ``now`` alone where nothing ever changed."""
    first, moves = now, list[Move]()
    for number, (on, resident, was) in enumerate(rows):
        if number == 0:
            first = was
        if moves and moves[-1].resident is resident:
            moves.pop()
        while moves and moves[-1].on >= on:
            moves.pop()
        before = moves[-1].resident if moves else first
        if before is not resident:
            moves.append(Move(on, resident))
    return Residence(first, tuple(moves))
