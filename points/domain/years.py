"""What may happen to a fiscal year, and what an approved exception changes of its terms.

Owns: when a year may be made しめきり前 and しめきり, the effect of exceptions (特例) on exchange
and lapse, and the number by which a preview is recognised again.  A closed year takes no record
by itself; its points can be exchanged inside their window until they lapse.
Refuses: closing before the grace date is over, an exception after the points are gone, one
without reason or decision, one that shortens what was promised.
Source: P1 (year states), P2 (lapse belongs to the year), P3 (expiry closes a year).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from points.domain.awards import Change
from points.domain.rules import YearState, YearTerms, fiscal_year_span
from registry.domain.errors import Conflict, Refused

Effect = Mapping[str, Any]


class ExceptionKind(StrEnum):
    """期限をのばす, すべて次の年度へ繰り越す, 特例を終える."""

    POSTPONE = "postpone"
    CARRY = "carry"
    END = "end"


@dataclass(frozen=True, slots=True)
class YearException:
    """特例 of one year, in the order of ``id``; ``ends`` is the id of the one it ends."""

    id: int
    kind: ExceptionKind
    exchange_until: date | None = None
    lapses_on: date | None = None
    ends: int | None = None


def in_force(exceptions: Iterable[YearException]) -> list[YearException]:
    """Those that no other one has ended, oldest first."""
    every = sorted(exceptions, key=lambda one: one.id)
    ended = {one.ends for one in every if one.kind is ExceptionKind.END}
    return [
        one for one in every if one.kind is not ExceptionKind.END and one.id not in ended
    ]


def effect(exceptions: Iterable[YearException]) -> dict[str, Any]:
    """What they change, as JSON: the latest postponement, and whether everything is carried."""
    found: dict[str, Any] = {}
    for one in in_force(exceptions):
        if one.kind is ExceptionKind.CARRY:
            found["carries_all"] = True
        elif one.exchange_until is not None and one.lapses_on is not None:
            found["exchange_until"] = one.exchange_until.isoformat()
            found["lapses_on"] = one.lapses_on.isoformat()
    return found


def with_exception(terms: YearTerms, changed: Effect) -> YearTerms:
    """The terms as they hold.  Raises ``Refused`` (``year_terms_invalid``)."""
    if "lapses_on" not in changed:
        return terms
    return replace(terms, exchange_until=date.fromisoformat(changed["exchange_until"]),
                   lapses_on=date.fromisoformat(changed["lapses_on"]))


def check_begin(terms: YearTerms, on: date) -> None:
    """Refuse しめきり前 before the year is over (``year_not_over``) or twice (``year_state``)."""
    if terms.state is not YearState.OPEN:
        raise Conflict(f"{terms.fiscal_year}年度は、もう受付中ではありません。", code="year_state")
    last = fiscal_year_span(terms.fiscal_year)[1]
    if on <= last:
        said = f"{terms.fiscal_year}年度は{_day(last)}までです。終わってからにしてください。"
        raise Refused(said, code="year_not_over")


def check_close(terms: YearTerms, on: date) -> None:
    """Refuse しめきり before the grace date is over, or without しめきり前 first.

    Raises ``Conflict`` (``already_closed``, ``year_state``), ``Refused`` (``grace_not_over``).
    """
    if terms.state is YearState.CLOSED:
        raise Conflict(f"{terms.fiscal_year}年度は、すでにしめきられています。",
                       code="already_closed")
    if terms.state is YearState.OPEN:
        raise Conflict("先に「しめきり前」にしてください。", code="year_state")
    if on <= terms.grace_until:
        first = terms.grace_until + timedelta(days=1)
        said = (f"おくれた記録を{_day(terms.grace_until)}まで受けつけます。"
                f"{_day(first)}からしめきれます。")
        raise Refused(said, code="grace_not_over")


def lapse_due(terms: YearTerms, on: date) -> bool:
    """Whether the year's points lapse on or before that day: closed, and the date has come."""
    return terms.state is YearState.CLOSED and on >= terms.lapses_on


def check_exception(
    new: YearException, existing: Iterable[YearException], terms: YearTerms, *,
    on: date, lapsed: bool, next_year_open: bool,
) -> None:
    """Refuse an exception that cannot be applied as it reads.

    ``terms`` are the year's own, without exceptions.  Raises ``Refused``: ``year_lapsed``,
    ``exception_dates``, ``exception_twice``, ``next_year_missing``, ``exception_unknown``,
    ``exception_overdue`` (ending it would let points lapse this very day).
    """
    if lapsed:
        raise Refused("この年度のポイントは、すでに失効しています。", code="year_lapsed")
    known = list(existing)
    now = with_exception(terms, effect(known))
    if new.kind is ExceptionKind.POSTPONE:
        _check_postponed(new, now, on)
    elif new.kind is ExceptionKind.CARRY:
        if any(one.kind is ExceptionKind.CARRY for one in in_force(known)):
            raise Refused("繰り越しの特例は、すでにあります。", code="exception_twice")
        if not next_year_open:
            said = f"先に{terms.fiscal_year + 1}年度を開いてください。"
            raise Refused(said, code="next_year_missing")
    else:
        if new.ends not in {one.id for one in in_force(known)}:
            raise Refused("終える特例が見つかりません。", code="exception_unknown")
        if with_exception(terms, effect([*known, new])).lapses_on <= on:
            raise Refused("この特例を終えると、きょうのうちに失効します。"
                          "期限をのばす特例を先に作ってください。", code="exception_overdue")


def _check_postponed(new: YearException, now: YearTerms, on: date) -> None:
    wrong = {}
    until, lapses = new.exchange_until, new.lapses_on
    if until is None or until < now.exchange_until:
        wrong["exchange_until"] = f"いまの期限（{_day(now.exchange_until)}）より前にはできません。"
    if lapses is None or lapses <= now.lapses_on or lapses <= on:
        wrong["lapses_on"] = f"いまの失効日（{_day(now.lapses_on)}）より後にしてください。"
    elif until is not None and lapses <= until:
        wrong["lapses_on"] = "失効日は、交換の期間より後にしてください。"
    if wrong:
        raise Refused("特例の日付をたしかめてください。", code="exception_dates", fields=wrong)


def version(figures: Mapping[str, Any]) -> int:
    """A number (48 bits) that is another as soon as a figure of the preview is."""
    text = json.dumps(figures, sort_keys=True, default=str, ensure_ascii=False)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")


def content(changes: Iterable[Change]) -> bytes:
    """What would change in a closed year, as 32 bytes; the order does not matter."""
    told = sorted(
        (c.share.attendance, c.share.points, c.share.rule_set, c.share.limit.value,
         c.share.sentence)
        for c in changes
    )
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).digest()


def _day(on: date) -> str:
    return f"{on.year}年{on.month}月{on.day}日"
