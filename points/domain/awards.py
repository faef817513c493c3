"""Points are a pure function of attendance: the total, each share, and what to post.

Owns: P1 for one volunteer, programme and fiscal year.  The shares are filled in the order
(date, session start, session id) within the group-day, daily and annual caps, so neither
the total nor a single share depends on the order of arrival, repeats or voids.
Refuses: an attendance of another fiscal year, an unknown kind, one id with two contents.
Source: P1, P3 (one sentence each).  ``docs/algorithms/awards.md`` proves total = Σ shares.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from points.domain.results import Result
from points.domain.rules import RuleSet, YearTerms, fiscal_year, pick


class Standing(StrEnum):
    """How an attendance stands: 有効, 取消, 重なりの確認まち, しめきり後の確認まち."""

    VALID = "valid"
    VOID = "void"
    OVERLAP_WAITING = "overlap_waiting"
    YEAR_CLOSED = "year_closed"


class Limit(StrEnum):
    """What made a share smaller than the rate; ``NONE`` when nothing did."""

    NONE = "none"
    GROUP_DAY = "group_day"
    DAILY = "daily"
    ANNUAL = "annual"
    NO_POINTS = "no_points"
    INELIGIBLE = "ineligible"
    DUPLICATE = "duplicate"
    VOID = "void"
    OVERLAP_WAITING = "overlap_waiting"
    YEAR_CLOSED = "year_closed"

    @property
    def result(self) -> Result:
        """What a scan answers for this limit (an ineligible one has its own ``Decision``)."""
        return _RESULTS.get(self, Result.GRANTED)


_RESULTS = {
    Limit.NO_POINTS: Result.NOT_ELIGIBLE,
    Limit.INELIGIBLE: Result.NOT_ELIGIBLE,
    Limit.DUPLICATE: Result.ALREADY,
    Limit.VOID: Result.NOT_ELIGIBLE,
    Limit.OVERLAP_WAITING: Result.OVERLAP_WAITING,
    Limit.YEAR_CLOSED: Result.YEAR_CLOSED,
}
_CAPS = {
    Limit.GROUP_DAY: "この団体の1日の上限",
    Limit.DAILY: "1日の上限",
    Limit.ANNUAL: "年間の上限",
}
_WHY = {
    Limit.NO_POINTS: "ポイントのない活動のため",
    Limit.DUPLICATE: "同じ開催回の記録がすでにあるため",
    Limit.VOID: "記録を取り消したため",
    Limit.OVERLAP_WAITING: "同じ時間のほかの記録を確認しているため",
    Limit.YEAR_CLOSED: "年度のしめきり後の記録を確認しているため",
}
_NO_CAP = 1 << 62


@dataclass(frozen=True, slots=True)
class Attendance:
    """参加記録. ``clause`` is ``Decision.clause``: empty when the person is eligible.

    ``group`` None (no registered group) has no group-day cap. ``minutes`` pay hourly rates.
    """

    attendance: int
    session: int
    on: date
    starts_at: datetime
    group: int | None
    kind: str
    title: str
    minutes: int = 0
    standing: Standing = Standing.VALID
    clause: str = ""


class Share(NamedTuple):
    """付与の決定: one attendance's points, its rule set, and the sentence of the statement."""

    attendance: int
    points: int
    rule_set: str
    limit: Limit
    sentence: str

    @property
    def result(self) -> Result:
        """What a scan answers: ``granted`` with at least one point, else the reason."""
        if self.points:
            return Result.GRANTED
        return Result.CAP_REACHED if self.limit in _CAPS else self.limit.result

    @property
    def reason(self) -> str:
        """The sentence without date and title: 「1日の上限に達したため0ポイント」."""
        return self.sentence.rpartition("は、")[2] if not self.points else f"{self.points}ポイント"


class Change(NamedTuple):
    """A decision to append; ``difference`` is what to post (0: a decision, no transfer)."""

    attendance: int
    was: int
    share: Share
    first: bool

    @property
    def difference(self) -> int:
        """Points to add (positive) or take back (negative)."""
        return self.share.points - self.was


def total(records: Iterable[Attendance], rules: Sequence[RuleSet], terms: YearTerms) -> int:
    """P1's formula itself, independent of ``allocate``; arguments and errors as there."""
    days: dict[date, dict[object, int]] = {}
    seen: set[int] = set()
    for record in _ordered(records, terms):
        if record.standing is not Standing.VALID or record.clause or record.session in seen:
            continue
        seen.add(record.session)
        points = pick(rules, record.on).rate(record.kind).points_for(record.minutes)
        group = ("none", record.session) if record.group is None else record.group
        groups = days.setdefault(record.on, {})
        groups[group] = groups.get(group, 0) + points
    year = 0
    for on, groups in days.items():
        ruled = pick(rules, on)
        cap = _cap(ruled.group_day_cap)
        day = sum(
            points if type(group) is tuple else min(cap, points) for group, points in groups.items()
        )
        year += min(_cap(ruled.daily_cap), day)
    return min(_cap(terms.annual_cap), year)


def allocate(
    records: Iterable[Attendance], rules: Sequence[RuleSet], terms: YearTerms
) -> tuple[Share, ...]:
    """Every attendance's share, in the order (date, session start, session id).

    ``records``: all attendances of one volunteer, programme and fiscal year, repeats
    allowed; ``rules``: the programme's rule sets, any order.  Raises ``ValueError`` (other
    year, one id with two contents), ``Refused`` (``no_rules``, ``unknown_kind``).
    """
    shares: list[Share] = []
    seen: set[int] = set()
    year_left = _cap(terms.annual_cap)
    on: date | None = None
    for record in _ordered(records, terms):
        if record.on != on:
            on = record.on
            ruled = pick(rules, on)
            day_left = _cap(ruled.daily_cap)
            group_cap = _cap(ruled.group_day_cap)
            groups: dict[int, int] = {}
        rate = ruled.rate(record.kind)
        limit = _standing(record, seen)
        offered = points = 0
        if limit is Limit.NONE:
            seen.add(record.session)
            offered = rate.points_for(record.minutes)
            group_left = _NO_CAP
            if record.group is not None:
                group_left = groups.get(record.group, group_cap)
            points = min(offered, group_left, day_left, year_left)
            limit = _limit(offered, points, group_left, day_left, year_left)
            day_left -= points
            year_left -= points
            if record.group is not None:
                groups[record.group] = group_left - points
        said = _sentence(record, rate.label, offered, points, limit)
        shares.append(Share(record.attendance, points, ruled.code, limit, said))
    return tuple(shares)


def change(before: Iterable[Share], after: Iterable[Share]) -> tuple[Change, ...]:
    """What to append so that the decisions ``before`` become those ``after``.

    One entry for **every** attendance whose points, rule set or sentence differ, in the
    order of ``after``; an attendance that is gone is taken back in full.
    """
    old = {share.attendance: share for share in before}
    changes = []
    for share in after:
        known = old.pop(share.attendance, None)
        if known is None:
            changes.append(Change(share.attendance, 0, share, True))
        elif known != share:
            changes.append(Change(share.attendance, known.points, share, False))
    for gone in old.values():
        said = f"{gone.sentence}は、{_WHY[Limit.VOID]}0ポイント"
        if gone.limit is not Limit.VOID:
            share = gone._replace(points=0, limit=Limit.VOID, sentence=said)
            changes.append(Change(gone.attendance, gone.points, share, False))
    return tuple(changes)


def _ordered(records: Iterable[Attendance], terms: YearTerms) -> list[Attendance]:
    """One record per attendance id, in the order of P1; a void wins over its other states."""
    unique: dict[int, Attendance] = {}
    for record in records:
        known = unique.setdefault(record.attendance, record)
        if known is not record and known != record:
            if replace(known, standing=record.standing) != record:
                raise ValueError(f"attendance {record.attendance} has two contents")
            if Standing.VOID not in (known.standing, record.standing):
                raise ValueError(f"attendance {record.attendance} has two standings")
            unique[record.attendance] = replace(record, standing=Standing.VOID)
    for record in unique.values():
        if fiscal_year(record.on) != terms.fiscal_year:
            raise ValueError(f"attendance {record.attendance} is not of {terms.fiscal_year}")
    return sorted(unique.values(), key=lambda r: (r.on, r.starts_at, r.session, r.attendance))


def _standing(record: Attendance, seen: set[int]) -> Limit:
    if record.standing is not Standing.VALID:
        return Limit(record.standing.value)
    if record.clause:
        return Limit.INELIGIBLE
    return Limit.DUPLICATE if record.session in seen else Limit.NONE


def _limit(offered: int, points: int, group_left: int, day_left: int, year_left: int) -> Limit:
    """The cap that bound; the widest one when several bind alike."""
    if not offered:
        return Limit.NO_POINTS
    if points == offered:
        return Limit.NONE
    if points == year_left:
        return Limit.ANNUAL
    return Limit.DAILY if points == day_left else Limit.GROUP_DAY


def _sentence(record: Attendance, label: str, offered: int, points: int, limit: Limit) -> str:
    head = f"{record.on.month}月{record.on.day}日 {record.title}（{label}）"
    if limit is Limit.NONE:
        return f"{head}{points}ポイント"
    if points:
        return f"{head}{points}ポイント（{offered}ポイントのうち、{_CAPS[limit]}まで）"
    if limit in _CAPS:
        return f"{head}は、{_CAPS[limit]}に達したため0ポイント"
    why = record.clause if limit is Limit.INELIGIBLE else _WHY[limit]
    return f"{head}は、{why}0ポイント"


def _cap(cap: int | None) -> int:
    return _NO_CAP if cap is None else cap
