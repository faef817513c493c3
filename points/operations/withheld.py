"""What would change a closed year, kept until somebody says why it should (訂正まち), P1.

Owns the queue: when a fact was corrected, or a record of another programme changed, and shares
of a closed year would follow, the shares stay and one entry per volunteer and year waits.  An
entry whose reason has gone (the fact was put right again, or the year was counted again under a
named correction) ends by itself.  Refuses a second entry, and to ask again what was kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from points.domain.awards import Change, Share
from points.domain.years import content
from points.models import ProgrammeYear, YearCorrection
from points.queries.rulebook import Rules
from registry.access import Scope

_Outcome = YearCorrection.Outcome


@dataclass(frozen=True)
class Lot:
    """One volunteer's shares of a closed year: as they stand, and what would change."""

    volunteer: int
    programme: str
    year: int
    stands: int
    changes: tuple[Change, ...] = ()

    @classmethod
    def of(
        cls, volunteer: int, programme: str, year: int, known: Iterable[Share],
        changes: Sequence[Change],
    ) -> Lot:
        """``changes`` are the withheld ones, none when the year was just counted again."""
        return cls(volunteer, programme, year, sum(one.points for one in known), tuple(changes))

    @property
    def would_be(self) -> int:
        """The points after the changes."""
        return self.stands + sum(change.difference for change in self.changes)


def note(*, lots: Sequence[Lot], rules: Rules, by: Scope) -> int:
    """Bring the queue in line with what was just counted; how many entries are new.

    The passbooks of the volunteers are locked, so nobody else decides about the same lot.
    A constant number of statements.
    """
    if not lots:
        return 0
    rows = ProgrammeYear.objects.filter(fiscal_year__in={lot.year for lot in lots})
    year_of = {
        (rules.code_of[programme], year): pk
        for pk, programme, year in rows.values_list("pk", "programme_id", "fiscal_year")
    }
    entries = YearCorrection.objects.visible_to(by).filter(
        Q(outcome=_Outcome.WAITING) | Q(outcome=_Outcome.KEPT),
        volunteer_id__in={lot.volunteer for lot in lots}, year_id__in=set(year_of.values()),
    )
    waiting: dict[tuple[int, int], Any] = {}
    kept: dict[tuple[int, int], Any] = {}
    for row in entries.order_by("pk"):
        place = waiting if row.outcome == _Outcome.WAITING else kept
        place[row.year_id, row.volunteer_id] = row
    new, other, gone = [], [], []
    for lot in lots:
        key = (year_of[lot.programme, lot.year], lot.volunteer)
        known, said = waiting.get(key), content(lot.changes)
        if not lot.changes or (key in kept and bytes(kept[key].content) == said):
            if known is not None:
                gone.append(known.pk)
        elif known is None:
            new.append(YearCorrection(
                year_id=key[0], volunteer_id=key[1], stands=lot.stands, would_be=lot.would_be,
                content=said, noticed_at=by.at, outcome=_Outcome.WAITING,
            ))
        elif bytes(known.content) != said or known.stands != lot.stands:
            known.stands, known.would_be, known.content = lot.stands, lot.would_be, said
            other.append(known)
    manager = YearCorrection.objects.visible_to(by)
    if gone:
        manager.filter(pk__in=gone).update(outcome=_Outcome.GONE, resolved_at=by.at)
    if other:
        manager.bulk_update(other, ["stands", "would_be", "content"])
    manager.bulk_create(new)
    return len(new)
