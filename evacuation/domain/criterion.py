"""One criterion (要件) as data: an AND/OR/NOT tree over facts, read from JSON and evaluated.

Owns the grammar of a criterion and its three-valued evaluation: yes, no, unknown.  Refuses:
unknown words, missing or superfluous keys, values outside their code lists, trees deeper than
20, each with the path of the node and a Japanese sentence.
Source: 取組指針 (要件の設定); the published criteria in ``evacuation/criteria``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from evacuation.domain.facts import (
    BodyPart,
    CareLevel,
    FacilityStay,
    Nomination,
    PersonFacts,
    age_on,
    handbook_label,
)
from registry.domain.errors import Refused

Truth = bool | None
DEEPEST = 20


class CriteriaRefused(Refused):
    """The rule set cannot be read; ``fields`` maps the node's path to what is wrong there."""

    code = "criteria_invalid"
    message = "要件の定義に誤りがあります。"


def refuse(path: str, sentence: str) -> CriteriaRefused:
    """The error for one node."""
    return CriteriaRefused(
        f"要件の定義に誤りがあります：{path}：{sentence}", fields={path: sentence}
    )


@dataclass(frozen=True, slots=True)
class Context:
    """What evaluation needs besides the facts: the reference date and the way to count ages."""

    on: date
    day_before: bool = False


Node = Callable[[PersonFacts, Context], Truth]


def all_of(values: Sequence[Truth]) -> Truth:
    """Kleene AND: one no decides; otherwise an unknown leaves it open."""
    if any(v is False for v in values):
        return False
    return None if any(v is None for v in values) else True


def any_of(values: Sequence[Truth]) -> Truth:
    """Kleene OR: one yes decides; otherwise an unknown leaves it open."""
    if any(v is True for v in values):
        return True
    return None if any(v is None for v in values) else False


def negated(value: Truth) -> Truth:
    """Kleene NOT."""
    return None if value is None else not value


def parse(node: Any, path: str = "when", depth: int = 0) -> Node:
    """Build the evaluator of a JSON node; raise ``CriteriaRefused`` naming the path."""
    if depth > DEEPEST:
        raise refuse(path, "入れ子が深すぎます。")
    if not isinstance(node, Mapping):
        raise refuse(path, "条件は { } で書いてください。")
    for word, join in (("all", all_of), ("any", any_of)):
        if word in node:
            _only(node, {word}, path)
            return _group(node[word], join, f"{path}.{word}", depth)
    if "not" in node:
        _only(node, {"not"}, path)
        inner = parse(node["not"], f"{path}.not", depth + 1)
        return lambda facts, context: negated(inner(facts, context))
    fact = node.get("fact")
    if not isinstance(fact, str) or fact not in _FACTS:
        raise refuse(path, f"知らない条件です。使えるのは {'、'.join(_FACTS)} です。")
    return _FACTS[fact](node, path)


def _group(
    items: Any, join: Callable[[Sequence[Truth]], Truth], path: str, depth: int
) -> Node:
    if not isinstance(items, list) or not items:
        raise refuse(path, "ひとつ以上の条件を [ ] に並べてください。")
    nodes = [parse(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(items)]
    return lambda facts, context: join([n(facts, context) for n in nodes])


def _only(node: Mapping[str, Any], allowed: set[str], path: str) -> None:
    extra = sorted(str(k) for k in set(node) - allowed)
    if extra:
        raise refuse(path, f"使えない項目があります：{'、'.join(extra)}")


def _number(node: Mapping[str, Any], key: str, path: str, low: int, high: int) -> int:
    value = node.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise refuse(path, f"{key} は {low} から {high} までの整数で書いてください。")
    return value


def _numbers(node: Mapping[str, Any], key: str, path: str, low: int, high: int) -> frozenset[int]:
    values = node.get(key)
    if not isinstance(values, list) or not values:
        raise refuse(path, f"{key} に数をひとつ以上並べてください。")
    return frozenset(_number({key: v}, key, path, low, high) for v in values)


def _words(
    node: Mapping[str, Any], key: str, path: str, known: Sequence[str] = ()
) -> frozenset[str]:
    values = node.get(key)
    if not isinstance(values, list) or not values or not all(
        isinstance(v, str) and v.strip() for v in values
    ):
        raise refuse(path, f"{key} に文字をひとつ以上並べてください。")
    wrong = [v for v in values if known and v not in known]
    if wrong:
        raise refuse(path, f"{key} に知らない値があります：{'、'.join(wrong)}")
    return frozenset(values)


def _age(node: Mapping[str, Any], path: str) -> Node:
    _only(node, {"fact", "at_least", "under"}, path)
    if not {"at_least", "under"} & set(node):
        raise refuse(path, "at_least か under を書いてください。")
    low = _number(node, "at_least", path, 0, 130) if "at_least" in node else 0
    high = _number(node, "under", path, 0, 130) if "under" in node else 999
    if low >= high:
        raise refuse(path, "at_least は under より小さくしてください。")

    def test(facts: PersonFacts, context: Context) -> Truth:
        if facts.birth_on is None:
            return None
        return low <= age_on(facts.birth_on, context.on, day_before=context.day_before) < high

    return test


def _household_alone(node: Mapping[str, Any], path: str) -> Node:
    _only(node, {"fact"}, path)

    def test(facts: PersonFacts, _context: Context) -> Truth:
        births = facts.household_births
        return None if births is None else len(births) <= 1

    return test


def _household_ages(node: Mapping[str, Any], path: str) -> Node:
    _only(node, {"fact", "at_least"}, path)
    low = _number(node, "at_least", path, 0, 130)

    def test(facts: PersonFacts, context: Context) -> Truth:
        if not facts.household_births:
            return None
        return all_of(
            [
                None if b is None else age_on(b, context.on, day_before=context.day_before) >= low
                for b in facts.household_births
            ]
        )

    return test


def _care(node: Mapping[str, Any], path: str) -> Node:
    _only(node, {"fact", "in"}, path)
    levels = _words(node, "in", path, [c.value for c in CareLevel])
    return lambda facts, _c: facts.care_level is not None and facts.care_level.value in levels


def _physical(node: Mapping[str, Any], path: str) -> Node:
    _only(node, {"fact", "grades", "kinds", "parts", "part_grades", "excluding_only"}, path)
    grades = _numbers(node, "grades", path, 1, 6) if "grades" in node else None
    kinds = _numbers(node, "kinds", path, 1, 2) if "kinds" in node else None
    part_names = [p.value for p in BodyPart]
    parts = _words(node, "parts", path, part_names) if "parts" in node else None
    own = _numbers(node, "part_grades", path, 1, 7) if "part_grades" in node else None
    only = _words(node, "excluding_only", path, part_names) if "excluding_only" in node else None
    if own is not None and parts is None:
        raise refuse(path, "part_grades は parts といっしょに書いてください。")

    def test(facts: PersonFacts, _context: Context) -> Truth:
        book = facts.physical
        if book is None:
            return False
        checks: list[Truth] = [True]
        if grades is not None:
            checks.append(None if book.grade is None else book.grade in grades)
        if kinds is not None:
            checks.append(None if book.kind is None else book.kind in kinds)
        if parts is not None:
            checks.append(
                None
                if book.parts is None
                else any(
                    p.part.value in parts and (own is None or p.grade in own) for p in book.parts
                )
            )
        if only is not None:
            checks.append(
                None if not book.parts else any(p.part.value not in only for p in book.parts)
            )
        return all_of(checks)

    return test


def _intellectual(node: Mapping[str, Any], path: str) -> Node:
    _only(node, {"fact", "labels"}, path)
    labels = frozenset(handbook_label(v) for v in _words(node, "labels", path))
    return lambda facts, _c: (
        facts.intellectual_label is not None and handbook_label(facts.intellectual_label) in labels
    )


def _mental(node: Mapping[str, Any], path: str) -> Node:
    _only(node, {"fact", "grades"}, path)
    grades = _numbers(node, "grades", path, 1, 3)
    return lambda facts, _c: facts.mental_grade in grades


def _intractable(node: Mapping[str, Any], path: str) -> Node:
    _only(node, {"fact", "severe_only"}, path)
    severe = node.get("severe_only", False)
    if not isinstance(severe, bool):
        raise refuse(path, "severe_only は true か false で書いてください。")
    return lambda facts, _c: facts.intractable_disease and (facts.intractable_severe or not severe)


def _service(node: Mapping[str, Any], path: str) -> Node:
    _only(node, {"fact", "any_of"}, path)
    wanted = _words(node, "any_of", path)
    return lambda facts, _c: bool(wanted & facts.services)


def _long_stay(node: Mapping[str, Any], path: str) -> Node:
    _only(node, {"fact"}, path)
    return lambda facts, _c: None if facts.facility is None else facts.facility is FacilityStay.LONG


def _nominated(node: Mapping[str, Any], path: str) -> Node:
    _only(node, {"fact", "by"}, path)
    wanted = _words(node, "by", path, [n.value for n in Nomination])
    return lambda facts, _c: any(n.value in wanted for n in facts.nominations)


_FACTS: Mapping[str, Callable[[Mapping[str, Any], str], Node]] = {
    "age": _age,
    "household_alone": _household_alone,
    "household_everyone": _household_ages,
    "care_level": _care,
    "physical_handbook": _physical,
    "intellectual_handbook": _intellectual,
    "mental_handbook": _mental,
    "intractable_disease": _intractable,
    "service": _service,
    "long_facility_stay": _long_stay,
    "nominated": _nominated,
}
