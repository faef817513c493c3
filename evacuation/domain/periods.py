"""Sharing periods: which period a date belongs to, per kind of recipient.

Owns the calendar of editions (by default twice a year, April and October) and the period key
such as ``2026-10`` that makes issuing idempotent.  Refuses: an empty calendar, a month outside
1–12, a key that is no first month of a period.  Pure functions of a date: no clock.
Source: 取組指針 (定期的な更新); rule "Sharing and custody" of the evacuation rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from evacuation.domain.recipients import RecipientKind
from registry.domain.errors import Refused

DEFAULT_MONTHS: tuple[int, ...] = (4, 10)
_KEY = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])\Z", re.ASCII)


class PeriodRefused(Refused):
    """The sharing calendar or a period key is not usable."""

    code = "sharing_period_invalid"
    message = "名簿を渡す時期の設定が正しくありません。月は1から12までで指定してください。"


@dataclass(frozen=True, slots=True)
class SharingCalendar:
    """Months in which a new edition is made: a default, and exceptions per kind.

    Raises ``PeriodRefused`` when a list is empty, repeats a month or leaves 1–12.
    """

    months: tuple[int, ...] = DEFAULT_MONTHS
    by_kind: Mapping[RecipientKind, tuple[int, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )

    def __post_init__(self) -> None:
        for months in (self.months, *self.by_kind.values()):
            if not months or len(set(months)) != len(months):
                raise PeriodRefused
            if any(not 1 <= month <= 12 for month in months):
                raise PeriodRefused

    def months_for(self, kind: RecipientKind) -> tuple[int, ...]:
        """The starting months of this kind, ascending."""
        return tuple(sorted(self.by_kind.get(kind, self.months)))


def starts_on(key: str) -> date:
    """First day of the period named by ``key`` (``YYYY-MM``); raises ``PeriodRefused``."""
    found = _KEY.match(key)
    if not found or int(found[1]) == 0:
        raise PeriodRefused("時期の指定が正しくありません。「2026-10」のように書いてください。")
    return date(int(found[1]), int(found[2]), 1)


def period_key(on: date, kind: RecipientKind, calendar: SharingCalendar) -> str:
    """Key of the period that contains ``on``: the latest starting month not after it."""
    months = calendar.months_for(kind)
    earlier = [month for month in months if month <= on.month]
    year, month = (on.year, earlier[-1]) if earlier else (on.year - 1, months[-1])
    return f"{year:04d}-{month:02d}"


def next_start(on: date, kind: RecipientKind, calendar: SharingCalendar) -> date:
    """First day of the period after the one that contains ``on``; always later than ``on``."""
    months = calendar.months_for(kind)
    later = [month for month in months if month > on.month]
    return date(on.year, later[0], 1) if later else date(on.year + 1, months[0], 1)


def due_periods(
    on: date, kinds: Iterable[RecipientKind], calendar: SharingCalendar
) -> tuple[tuple[RecipientKind, str], ...]:
    """One (kind, key) per kind for ``on``, in the order of ``RecipientKind``.

    Asking again gives the same answer, so a late or repeated run finds its editions made.
    """
    wanted = set(kinds)
    return tuple((k, period_key(on, k, calendar)) for k in RecipientKind if k in wanted)
