"""Who is on the statutory roster (避難行動要支援者名簿), and by which criteria.

Owns the versioned rule set, its reading from JSON, the evaluation that keeps *which* criteria
put a person there, and the difference between two runs.  Refuses: a rule set without version,
source or criteria, with repeated codes, or with a malformed tree.  Consent is not read here:
people who refuse stay on this roster (R10).
Source: 災害対策基本法 第49条の10①; 取組指針 (名簿に記載する者の範囲); rule R10.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from evacuation.domain.criterion import Context, CriteriaRefused, Node, parse, refuse
from evacuation.domain.facts import ManualVerdict, PersonFacts

SCHEMA = 1
MANUAL_INCLUDE = "manual_include"
MANUAL_EXCLUDE = "manual_exclude"


@dataclass(frozen=True, slots=True)
class Criterion:
    """要件: a stable code, the Japanese label people read, and its test."""

    code: str
    label: str
    test: Node


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A version of a municipality's criteria. ``exclusions`` outweigh ``criteria``."""

    code: str
    version: str
    title: str
    source: str
    source_url: str
    in_force_from: date
    criteria: tuple[Criterion, ...]
    exclusions: tuple[Criterion, ...]
    day_before: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """A criterion that applied."""

    code: str
    label: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result for one person. ``unsure``: criteria that an unknown fact leaves open."""

    person: str
    on_roster: bool
    matched: tuple[Match, ...]
    excluded: tuple[Match, ...]
    unsure: tuple[Match, ...]

    @property
    def reason(self) -> str:
        """One Japanese sentence with codes, for the person page."""
        if self.on_roster:
            return "登載：" + "、".join(f"{m.label}（{m.code}）" for m in self.matched)
        if self.excluded:
            return "対象外：" + "、".join(f"{m.label}（{m.code}）" for m in self.excluded)
        return "対象外：あてはまる要件がありません（no_criterion）"


def load(text: str) -> RuleSet:
    """Read a rule set from JSON text; raise ``CriteriaRefused`` in Japanese when it is wrong."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CriteriaRefused("JSONとして読めません。書き方を確認してください。",
                              code="criteria_not_json") from error
    return from_data(data)


def from_data(data: Any) -> RuleSet:
    """The same from parsed JSON."""
    if not isinstance(data, Mapping):
        raise refuse("$", "全体を { } で書いてください。")
    allowed = {"schema", "code", "version", "title", "source", "source_url", "in_force_from",
               "age_counting", "criteria", "exclusions", "notes"}
    extra = sorted(str(k) for k in set(data) - allowed)
    if extra:
        raise refuse("$", f"使えない項目があります：{'、'.join(extra)}")
    if data.get("schema") != SCHEMA or isinstance(data.get("schema"), bool):
        raise refuse("schema", f"schema は {SCHEMA} にしてください。")
    counting = data.get("age_counting", "birthday")
    if counting not in ("birthday", "day_before"):
        raise refuse("age_counting", "birthday か day_before を書いてください。")
    notes = data.get("notes", [])
    if not isinstance(notes, list) or not all(isinstance(n, str) for n in notes):
        raise refuse("notes", "文の並びで書いてください。")
    criteria = _criteria(data.get("criteria"), "criteria")
    if not criteria:
        raise refuse("criteria", "要件をひとつ以上書いてください。")
    exclusions = _criteria(data.get("exclusions", []), "exclusions")
    seen: set[str] = {MANUAL_INCLUDE, MANUAL_EXCLUDE}
    for one in (*criteria, *exclusions):
        if one.code in seen:
            raise refuse("criteria", f"コード「{one.code}」が重なっています。")
        seen.add(one.code)
    return RuleSet(
        code=_text(data, "code"),
        version=_text(data, "version"),
        title=_text(data, "title"),
        source=_text(data, "source"),
        source_url=_text(data, "source_url") if "source_url" in data else "",
        in_force_from=_date(data, "in_force_from"),
        criteria=criteria,
        exclusions=exclusions,
        day_before=counting == "day_before",
        notes=tuple(notes),
    )


def _text(data: Mapping[str, Any], key: str, path: str = "") -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value.strip():
        raise refuse(path or key, f"{key} を文字で書いてください。")
    return value


def _date(data: Mapping[str, Any], key: str) -> date:
    try:
        return date.fromisoformat(_text(data, key))
    except ValueError as error:
        raise refuse(key, "日付は「2026-04-01」のように書いてください。") from error


def _criteria(items: Any, path: str) -> tuple[Criterion, ...]:
    if not isinstance(items, list):
        raise refuse(path, "要件を [ ] に並べてください。")
    found: list[Criterion] = []
    for i, item in enumerate(items):
        here = f"{path}[{i}]"
        if not isinstance(item, Mapping) or set(item) != {"code", "label", "when"}:
            raise refuse(here, "code・label・when の3つを書いてください。")
        code, label = _text(item, "code", here), _text(item, "label", here)
        found.append(Criterion(code, label, parse(item["when"], f"{here}.when")))
    return tuple(found)


def evaluate(rules: RuleSet, facts: PersonFacts, *, on: date) -> Outcome:
    """Apply ``rules`` to one person on the reference date ``on``.

    An officer's manual include outweighs everything, a manual exclude everything but that; an
    exclusion outweighs the criteria.  Unknown facts match nothing and are listed in ``unsure``.
    """
    context = Context(on, rules.day_before)
    matched: list[Match] = []
    excluded: list[Match] = []
    unsure: list[Match] = []
    for group, into in ((rules.criteria, matched), (rules.exclusions, excluded)):
        for criterion in group:
            truth = criterion.test(facts, context)
            if truth is not False:
                hit = Match(criterion.code, criterion.label)
                (into if truth else unsure).append(hit)
    manual = facts.manual
    if manual is not None and manual.reason.strip() and manual.by.strip():
        if manual.verdict is ManualVerdict.INCLUDE:
            matched.append(Match(MANUAL_INCLUDE, f"職員による登載：{manual.reason}"))
            excluded.clear()
        else:
            excluded.append(Match(MANUAL_EXCLUDE, f"職員による除外：{manual.reason}"))
    return Outcome(facts.person, bool(matched) and not excluded, tuple(matched),
                   tuple(excluded), tuple(unsure))


class Change(StrEnum):
    """差分の種別."""

    NEW = "new"
    GONE = "gone"
    REASON_CHANGED = "reason_changed"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Difference:
    """People by what a re-run would change, each list sorted; the lists never overlap."""

    new: tuple[str, ...]
    gone: tuple[str, ...]
    reason_changed: tuple[str, ...]
    same: tuple[str, ...]


def difference(before: Iterable[Outcome], after: Iterable[Outcome]) -> Difference:
    """What applying ``after`` would change against ``before``, shown before it is applied.

    People on neither roster are not listed; a person missing from ``after`` is gone.  Raises
    ``ValueError`` when one side names a person twice.
    """
    old, new = _on_roster(before), _on_roster(after)
    groups: dict[Change, list[str]] = {change: [] for change in Change}
    for person in sorted(old.keys() | new.keys()):
        if person not in old:
            change = Change.NEW
        elif person not in new:
            change = Change.GONE
        else:
            change = Change.SAME if old[person] == new[person] else Change.REASON_CHANGED
        groups[change].append(person)
    return Difference(*(tuple(groups[c]) for c in Change))


def _on_roster(outcomes: Iterable[Outcome]) -> dict[str, frozenset[str]]:
    people: dict[str, frozenset[str]] = {}
    seen: set[str] = set()
    for outcome in outcomes:
        if outcome.person in seen:
            raise ValueError(f"person twice in one run: {outcome.person}")
        seen.add(outcome.person)
        if outcome.on_roster:
            people[outcome.person] = frozenset(m.code for m in outcome.matched)
    return people
