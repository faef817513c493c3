"""Rules are dated data: what a programme pays for, and what belongs to a whole year.

Owns: ``RuleSet`` (要領) and ``YearTerms`` (年度の定め), the choice of a rule set by the
activity's date, the fiscal year, and the refusal of combinations nobody defined.
Refuses: a rule set that cannot be applied without guessing, at entry and all at once
(``fields`` names each input); one that begins on or before a date that has awards.
Source: P2; fiscal year = 1 April to 31 March (地方自治法 第208条).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from registry.domain.errors import Refused


class Per(StrEnum):
    """What a rate is paid for: 1回ごと, はじまった1時間ごと."""

    ATTENDANCE = "attendance"
    STARTED_HOUR = "started_hour"


class Source(StrEnum):
    """Who arranged the activity: 登録団体, ボランティアセンター, 市・社協の催し."""

    GROUP = "group"
    CENTRE = "centre"
    EVENT = "event"


class Remainder(StrEnum):
    """端数 (points short of one voucher) when a year lapses: 繰り越す, 失効する."""

    CARRY = "carry"
    VOID = "void"


class Below(StrEnum):
    """A group has fewer members than its minimum: 知らせるだけ, 新しい開催回を止める."""

    WARN = "warn"
    NO_SESSIONS = "no_sessions"


class YearState(StrEnum):
    """年度の状態: 受付中, しめきり前, しめきり."""

    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Rate:
    """``points`` (≥ 0) for one activity kind, e.g. ``("join", "参加型", 1, ATTENDANCE)``."""

    kind: str
    label: str
    points: int
    per: Per = Per.ATTENDANCE

    def points_for(self, minutes: int) -> int:
        """Points of one attendance of ``minutes`` (> 0 when paid by the hour)."""
        if self.per is Per.ATTENDANCE:
            return self.points
        return self.points * max(0, -(-minutes // 60))


@dataclass(frozen=True, slots=True)
class RuleSet:
    """要領, from ``begins_on`` until the next begins. ``None`` for a cap means no cap.

    P9: a group needs ``group_minimum`` members, of whom ``group_counts_eligible`` counts only
    those whose attendance would count; ``group_below`` says what follows when there are fewer.

    Raises ``Refused`` (``rule_set_invalid``) on construction; ``fields`` names every input.
    """

    code: str
    programme: str
    begins_on: date
    rates: tuple[Rate, ...]
    sources: frozenset[Source]
    points_per_voucher: int
    yen_per_voucher: int
    group_day_cap: int | None = None
    daily_cap: int | None = None
    vouchers_per_year: int | None = None
    minimum_age: int | None = None
    residence_required: bool = False
    membership_required: bool = False
    remainder: Remainder = Remainder.VOID
    enrolment_required: bool = False
    group_minimum: int | None = None
    group_counts_eligible: bool = False
    group_below: Below = Below.WARN

    def __post_init__(self) -> None:
        if wrong := dict(_faults(self)):
            raise Refused(
                "要領に、このままでは使えない項目があります。",
                code="rule_set_invalid",
                fields=wrong,
            )

    def rate(self, kind: str) -> Rate:
        """The rate of an activity kind; raises ``Refused`` (``unknown_kind``)."""
        for rate in self.rates:
            if rate.kind == kind:
                return rate
        raise Refused("この要領にない活動の種類です。", code="unknown_kind", fields={"kind": kind})


@dataclass(frozen=True, slots=True)
class YearTerms:
    """年度の定め: one per programme and fiscal year. ``lapses_on`` is the first day without.

    ``yen_value`` is what one voucher from this year's points is worth.  Raises ``Refused``
    (``year_terms_invalid``) on construction.
    """

    programme: str
    fiscal_year: int
    yen_value: int
    exchange_from: date
    exchange_until: date
    grace_until: date
    lapses_on: date
    annual_cap: int | None = None
    state: YearState = YearState.OPEN

    def __post_init__(self) -> None:
        first, last = fiscal_year_span(self.fiscal_year)
        wrong = {}
        if self.yen_value < 1:
            wrong["yen_value"] = "1円以上にしてください。"
        if self.annual_cap is not None and self.annual_cap < 1:
            wrong["annual_cap"] = "1以上か、上限なしにしてください。"
        if not first <= self.exchange_from <= self.exchange_until:
            wrong["exchange_from"] = "交換の期間は年度のはじめより後で、始まりが終わりより前です。"
        if not last < self.grace_until:
            wrong["grace_until"] = "しめきり日は年度の終わりより後にしてください。"
        if not max(self.grace_until, self.exchange_until) < self.lapses_on:
            wrong["lapses_on"] = "失効日は、しめきり日と交換の期間より後にしてください。"
        if wrong:
            raise Refused(
                "年度の定めに、使えない項目があります。", code="year_terms_invalid", fields=wrong
            )

    def in_window(self, on: date) -> bool:
        """Whether this year's points may be exchanged ``on`` that day."""
        return self.exchange_from <= on <= self.exchange_until


def fiscal_year(on: date) -> int:
    """年度: the year in which the April before (or on) ``on`` lies."""
    return on.year - (on.month < 4)


def fiscal_year_span(year: int) -> tuple[date, date]:
    """First and last day of a fiscal year."""
    return date(year, 4, 1), date(year + 1, 3, 31)


def pick(rule_sets: Iterable[RuleSet], on: date) -> RuleSet:
    """The rule set in force on the **activity's** date; ``Refused`` (``no_rules``)."""
    started = [rules for rules in rule_sets if rules.begins_on <= on]
    if not started:
        raise Refused("この日に有効な要領がありません。", code="no_rules")
    return max(started, key=lambda rules: rules.begins_on)


def check_new(rules: RuleSet, existing: Sequence[RuleSet], latest_award_on: date | None) -> None:
    """Refuse a rule set that would change the past, or that a later one does not go on from.

    Raises ``Refused``: ``begins_before_awards``, ``begins_same_day``, ``code_taken``,
    ``label_twice``, ``kind_lost`` (an activity kind known until now, or of this rule set and
    not of the next, has no rate; give it 0 points instead).
    """
    if latest_award_on is not None and rules.begins_on <= latest_award_on:
        first = latest_award_on + timedelta(days=1)
        said = f"{_day(latest_award_on)}まで付与があります。{_day(first)}以後にしてください。"
        raise Refused(said, code="begins_before_awards", fields={"begins_on": said})
    mine = [other for other in existing if other.programme == rules.programme]
    if any(other.begins_on == rules.begins_on for other in mine):
        said = "同じ日にはじまる要領があります。"
        raise Refused(said, code="begins_same_day", fields={"begins_on": said})
    if any(other.code == rules.code for other in existing):
        raise Refused("この要領の記号は使われています。", code="code_taken")
    labels = [rate.label for rate in rules.rates]
    if len(set(labels)) < len(labels):
        said = "同じ名前の活動が2つあります。"
        raise Refused(said, code="label_twice", fields={"rates": said})
    before = [other for other in mine if other.begins_on < rules.begins_on]
    after = [other for other in mine if other.begins_on > rules.begins_on]
    if before:
        check_kinds(pick(before, rules.begins_on), rules)
    if after:
        check_kinds(rules, min(after, key=lambda other: other.begins_on))


def check_kinds(before: RuleSet, after: RuleSet) -> None:
    """Refuse (``kind_lost``) when ``after`` has no rate for a kind of ``before``."""
    lost = {rate.kind for rate in before.rates} - {rate.kind for rate in after.rates}
    if lost:
        names = "、".join(rate.label for rate in before.rates if rate.kind in lost)
        first = _day(after.begins_on)
        said = f"{names}がありません。{first}からの要領に0ポイントとして残してください。"
        raise Refused(said, code="kind_lost", fields={"rates": said})


def check_terms(rules: RuleSet, terms: YearTerms) -> None:
    """Refuse a rule set that contradicts the terms of a year in which it is in force.

    Raises ``Refused``: ``other_programme``, ``yen_differs``, ``cap_below_daily``.
    """
    if rules.programme != terms.programme:
        raise Refused("要領と年度の定めの事業がちがいます。", code="other_programme")
    if rules.yen_per_voucher != terms.yen_value:
        said = f"利用券の金額が、{terms.fiscal_year}年度の定め（{terms.yen_value}円）とちがいます。"
        raise Refused(said, code="yen_differs", fields={"yen_per_voucher": said})
    if terms.annual_cap is not None and (rules.daily_cap or 0) > terms.annual_cap:
        said = f"1日の上限が、{terms.fiscal_year}年度の上限（{terms.annual_cap}）をこえています。"
        raise Refused(said, code="cap_below_daily", fields={"daily_cap": said})


def require_open(terms: YearTerms, *, correction: str = "") -> None:
    """A closed year takes awards only under a named correction; ``Refused`` (``year_closed``)."""
    if terms.state is YearState.CLOSED and not correction.strip():
        raise Refused(
            f"{terms.fiscal_year}年度はしめきられています。訂正の理由を書いてください。",
            code="year_closed",
        )


def next_state(terms: YearTerms, on: date) -> YearState:
    """The state a year should have ``on`` a day; it never goes back."""
    if terms.state is YearState.CLOSED or on > terms.grace_until:
        return YearState.CLOSED
    if on > fiscal_year_span(terms.fiscal_year)[1]:
        return YearState.CLOSING
    return terms.state


def _day(on: date) -> str:
    return f"{on.year}年{on.month}月{on.day}日"


def _faults(rules: RuleSet) -> Iterable[tuple[str, str]]:
    kinds = [rate.kind for rate in rules.rates]
    if not kinds or len(set(kinds)) < len(kinds) or not all(kinds):
        yield "rates", "活動の種類を1つ以上、重ならないように入れてください。"
    if any(rate.points < 0 or not rate.label for rate in rules.rates):
        yield "rates", "ポイントは0以上、名前は空でないものにしてください。"
    if not rules.sources:
        yield "sources", "対象の活動を1つ以上えらんでください。"
    if rules.membership_required and rules.sources != {Source.GROUP}:
        yield "membership_required", "会員に限るのは、登録団体の活動だけのときです。"
    if rules.group_day_cap is not None and Source.GROUP not in rules.sources:
        yield "group_day_cap", "登録団体の活動がないときは使えません。"
    if rules.group_minimum is not None and Source.GROUP not in rules.sources:
        yield "group_minimum", "登録団体の活動がないときは使えません。"
    if rules.group_minimum is None and rules.group_counts_eligible:
        yield "group_counts_eligible", "団体の人数の定めがあるときだけ使えます。"
    for name in ("group_day_cap", "daily_cap", "vouchers_per_year", "group_minimum"):
        value = getattr(rules, name)
        if value is not None and value < 1:
            yield name, "1以上か、上限なしにしてください。"
    if (rules.group_day_cap or 0) > (rules.daily_cap or rules.group_day_cap or 0):
        yield "group_day_cap", "1日の上限をこえています。"
    if rules.minimum_age is not None and not 0 < rules.minimum_age <= 120:
        yield "minimum_age", "1から120までにしてください。"
    for name in ("points_per_voucher", "yen_per_voucher"):
        if getattr(rules, name) < 1:
            yield name, "1以上にしてください。"
    if not rules.code or not rules.programme:
        yield "code", "記号と事業を入れてください。"
