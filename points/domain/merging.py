"""Two records of one person: which attendances stay, and how the points move (P8).

Owns: the fate of each attendance of the record that goes, and the plan of transfers that empties
its accounts into those of the survivor.  A merge changes no share by itself: after it the
survivor's records are counted again as one person's.
Refuses: a merge of a record with itself; points that change their year or programme.
Source: P1 (a pure function of attendance), P3 (append-only, each transfer names its cause), P8.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from points.domain.accounts import Cause, CauseKind, Transfer
from points.domain.transfers import Position


class Outcome(StrEnum):
    """What becomes of an attendance of the record that goes."""

    MOVED = "moved"
    DUPLICATE = "duplicate"  # the survivor's stays, this one is voided and names it
    RESTORED = "restored"  # the survivor's was void, this one counted: the survivor's counts again
    LEFT = "left"  # it was void, and so it stays


@dataclass(frozen=True, slots=True)
class Held:
    """One attendance: its session, and whether it was voided."""

    attendance: int
    session: int
    void: bool


@dataclass(frozen=True, slots=True)
class Fate:
    """``stays``: the survivor's attendance at the same session, if there is one."""

    attendance: int
    outcome: Outcome
    stays: int | None = None


def fates(kept: Iterable[Held], gone: Iterable[Held]) -> list[Fate]:
    """One person was at a session or was not: a valid record of either side says that they were.

    In the order of sessions; whichever of the two records is the survivor, the same sessions
    count afterwards.
    """
    own = {one.session: one for one in kept}
    found = []
    for one in sorted(gone, key=lambda held: (held.session, held.attendance)):
        same = own.get(one.session)
        if same is None:
            found.append(Fate(one.attendance, Outcome.MOVED))
        elif one.void:
            found.append(Fate(one.attendance, Outcome.LEFT, same.attendance))
        else:
            outcome = Outcome.RESTORED if same.void else Outcome.DUPLICATE
            found.append(Fate(one.attendance, outcome, same.attendance))
    return found


def plan_merge(kept: Position, gone: Position, *, merge: str, number: str) -> list[Transfer]:
    """Empty the accounts of ``gone`` into those of ``kept``, year by year, what is owed as well.

    ``number`` is the 手帳番号 of the record that goes.  Afterwards the person has points or a
    shortfall, never both: what is owed is paid from the oldest year first.
    """
    if kept.volunteer == gone.volunteer or kept.programme != gone.programme:
        raise ValueError("a merge is of two records in one programme")
    cause = Cause(CauseKind.MERGE, merge)
    left: dict[int, int] = dict(kept.wallets)
    rows = []
    for year, points in sorted(gone.wallets.items()):
        if points:
            said = f"記録の統合：手帳番号 {number} の{year}年度の{points}ポイントを移しました"
            rows.append(Transfer(gone.wallet(year), kept.wallet(year), points, cause, said))
            left[year] = left.get(year, 0) + points
    if gone.owed:
        said = f"記録の統合：手帳番号 {number} の返還待ち{gone.owed}ポイントを移しました"
        rows.append(Transfer(kept.shortfall, gone.shortfall, gone.owed, cause, said))
    return rows + _offset(kept, left, kept.owed + gone.owed, cause)


def _offset(
    kept: Position, left: Mapping[int, int], owed: int, cause: Cause
) -> list[Transfer]:
    rows = []
    for year in sorted(left):
        amount = min(owed, left[year])
        if amount:
            said = f"返還待ちの{amount}ポイントに充てました（{year}年度のポイントから）"
            rows.append(Transfer(kept.wallet(year), kept.shortfall, amount, cause, said))
            owed -= amount
    return rows
