"""A rule set in sentences, and the difference between two of them.

Owns the words in which staff read what a rule set says: one sentence for each thing it decides,
so that two rule sets that decide differently never read alike (a property test holds it).
Refuses nothing: what is given was judged by ``rules``.
Source: P2; screens.md ("words a neighbour uses").
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from points.domain.rules import Below, Per, Rate, Remainder, RuleSet, Source, YearTerms

SOURCES: dict[Source, str] = {
    Source.GROUP: "登録団体の活動",
    Source.CENTRE: "ボランティアセンターが紹介した活動",
    Source.EVENT: "市・社協の催し",
}
PERS: dict[Per, str] = {
    Per.ATTENDANCE: "1回の参加で",
    Per.STARTED_HOUR: "はじまった1時間ごとに",
}
REMAINDERS: dict[Remainder, str] = {
    Remainder.CARRY: "失効日に利用券1枚に足りない分は、次の年度へ繰り越す。",
    Remainder.VOID: "失効日に利用券1枚に足りない分も、失効する。",
}


BELOW: dict[Below, str] = {
    Below.WARN: "足りないときは知らせる",
    Below.NO_SESSIONS: "足りないあいだは新しい開催回を登録できない",
}


class Line(NamedTuple):
    """One sentence.  ``topic`` is stable: ``rate:join``, ``daily_cap``, …"""

    topic: str
    label: str
    text: str


class Different(NamedTuple):
    """One topic in which two rule sets differ; "" where one of them does not know it."""

    topic: str
    label: str
    was: str
    becomes: str


def sentences(rules: RuleSet) -> tuple[Line, ...]:
    """What a rule set decides, in a fixed order; without its code and its first day."""
    return (
        *(Line(f"rate:{rate.kind}", rate.label, rate_sentence(rate)) for rate in rules.rates),
        Line("sources", "対象の活動", f"{_joined(rules.sources)}が対象。"),
        Line("minimum_age", "年齢", "年齢の定めなし。" if rules.minimum_age is None
             else f"その年度のうちに{rules.minimum_age}歳になる方から。"),
        Line("residence_required", "お住まい",
             "市内にお住まいの方だけ。" if rules.residence_required else "お住まいの定めなし。"),
        Line("membership_required", "会員",
             "その団体の会員だけ。" if rules.membership_required else "会員でなくてもよい。"),
        Line("enrolment_required", "年度登録",
             f"年度ごとの登録{'がいる' if rules.enrolment_required else 'はいらない'}。"),
        Line("group", "団体の人数", group_sentence(rules)),
        Line("daily_cap", "1日の上限", "1日の上限なし。" if rules.daily_cap is None
             else f"1日{rules.daily_cap}ポイントまで。"),
        Line("group_day_cap", "団体ごとの上限",
             "団体ごとの1日の上限なし。" if rules.group_day_cap is None
             else f"1つの団体では1日{rules.group_day_cap}ポイントまで。"),
        Line("voucher", "利用券",
             f"{rules.points_per_voucher}ポイントで{rules.yen_per_voucher:,}円の利用券1枚。"),
        Line("vouchers_per_year", "利用券の枚数",
             "1年度の枚数の上限なし。" if rules.vouchers_per_year is None
             else f"1年度に{rules.vouchers_per_year}枚まで。"),
        Line("remainder", "端数", REMAINDERS[rules.remainder]),
    )


def rate_sentence(rate: Rate) -> str:
    """「1回の参加で1ポイント。」"""
    said = f"{PERS[rate.per]}{rate.points}ポイント。"
    return said if rate.points else f"{said}参加の記録だけが残る。"


def group_sentence(rules: RuleSet) -> str:
    """「会員が5人以上。足りないときは知らせる。」"""
    if rules.group_minimum is None and rules.group_below is Below.WARN:
        return "団体の人数の定めなし。"
    if rules.group_minimum is None:  # nothing follows from it, and yet it is not the same
        return f"団体の人数の定めなし（{BELOW[rules.group_below]}）。"
    counted = "ポイントの対象になる方" if rules.group_counts_eligible else "会員"
    return f"{counted}が{rules.group_minimum}人以上。{BELOW[rules.group_below]}。"


def terms_sentences(terms: YearTerms) -> tuple[Line, ...]:
    """What belongs to a whole year."""
    return (
        Line("annual_cap", "年間の上限", "年間の上限なし。" if terms.annual_cap is None
             else f"1年度に{terms.annual_cap}ポイントまで。"),
        Line("yen_value", "利用券の金額", f"利用券1枚は{terms.yen_value:,}円。"),
        Line("exchange", "交換の期間",
             f"{day(terms.exchange_from)}から{day(terms.exchange_until)}まで交換できる。"),
        Line("grace_until", "記録のしめきり",
             f"{day(terms.grace_until)}までに届いた記録を数える。"),
        Line("lapses_on", "失効", f"{day(terms.lapses_on)}に失効する。"),
    )


def difference(old: Iterable[Line], new: Iterable[Line]) -> tuple[Different, ...]:
    """Where two lists of sentences differ, in the order of ``new``, then what is gone."""
    before = {line.topic: line for line in old}
    found = []
    for line in new:
        was = before.pop(line.topic, None)
        if was is None:
            found.append(Different(line.topic, line.label, "", line.text))
        elif was != line:
            renamed = was.label != line.label
            found.append(Different(
                line.topic, line.label, f"{was.label}：{was.text}" if renamed else was.text,
                f"{line.label}：{line.text}" if renamed else line.text,
            ))
    found += [Different(gone.topic, gone.label, gone.text, "") for gone in before.values()]
    return tuple(found)


def day(on: date) -> str:
    """「2027年4月1日」"""
    return f"{on.year}年{on.month}月{on.day}日"


def _joined(sources: frozenset[Source]) -> str:
    return "、".join(words for source, words in SOURCES.items() if source in sources)
