"""Builds that are wrong on purpose: each forgets one sentence of the rules.

Owns the controls of the machine.  They show that the comparison can fail: a machine that finds
none of them proves nothing.  Nothing here is ever imported by the product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from points.domain import awards, recount, transfers
from points.domain.accounts import AccountKind
from points.operations import awarding, ledger

_ORDERED, _CHANGE, _PLAN = awards._ordered, awards.change, transfers.plan_awards


def _as_they_arrived(*given: Any) -> Any:
    return sorted(_ORDERED(*given), key=lambda r: r.attendance)


def _only_the_record_itself(before: Any, after: Any) -> Any:
    return tuple(c for c in _CHANGE(before, after) if c.first or c.share.limit is awards.Limit.VOID)


def _newest(rule_sets: Any, on: Any) -> Any:
    return max(rule_sets, key=lambda rules: rules.begins_on)


def _first_come(stays: Any) -> frozenset[int]:
    here: list[Any] = []
    waits = set()
    for stay in sorted(stays, key=lambda s: s.attendance):
        clash = any(stay.starts_at < o.ends_at and o.starts_at < stay.ends_at for o in here)
        if stay.void:
            continue
        if clash and not stay.cleared:
            waits.add(stay.attendance)
        else:
            here.append(stay)
    return frozenset(waits)


def _forgiven(*given: Any, **more: Any) -> Any:
    return [row for row in _PLAN(*given, **more) if row.debit.kind is not AccountKind.SHORTFALL]


class _NeverClosed:
    CLOSED = object()


BROKEN: dict[str, tuple[str, Callable[[], Any]]] = {
    "arrival_order": ("points are given out in the order of arrival",
                      lambda: patch.object(awards, "_ordered", _as_they_arrived)),
    "void_alone": ("a void corrects its own record only",
                   lambda: patch.object(awards, "change", _only_the_record_itself)),
    "newest_rules": ("the newest rules count, not those of the activity's date",
                     lambda: patch.object(awards, "pick", _newest)),
    "overlap_by_arrival": ("of two that overlap, the later arrival waits",
                           lambda: patch.object(recount, "waiting", _first_come)),
    "facts_ignored": ("corrected facts are not counted again",
                      lambda: patch.object(ledger, "recompute", lambda **_: 0)),
    "shortfall_forgiven": ("what was exchanged already is not owed after a void",
                           lambda: patch.object(awarding, "plan_awards", _forgiven)),
    "closed_reopened": ("a closed year is counted again silently",
                        lambda: patch.object(awarding, "YearState", _NeverClosed)),
}
#: Found only after a thousand steps or so: an exchange, then a void; a close, then a fact.
RARE = frozenset({"shortfall_forgiven", "closed_reopened"})


@contextmanager
def broken(name: str) -> Iterator[str]:
    """Work with a broken build; gives what is wrong with it."""
    wrong, patched = BROKEN[name]
    with patched():
        yield wrong
