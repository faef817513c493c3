"""The fields of the seven steps: what may be written, in which shape, and how it is compared.

Owns the table of fields per step, the cleaning of what an editor sends, and the comparison that
two editors are shown when they wrote the same step.  Refuses an unknown field, a wrong type, a
text that is too long, a need or level that does not exist; ``fields`` names each input.
What a plan must hold before it is submitted is ``plan_items``.
Source: 災害対策基本法 第49条の14③, 取組指針の様式例.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from evacuation.domain.needs import NEEDS, NeedTag
from evacuation.domain.plan_items import PlanHazard, PlanStep
from registry.domain.errors import Refused

MOST_ROWS = 10


class StepRefused(Refused):
    """A value of a step cannot be kept; ``fields`` names each input."""

    code = "plan_values_invalid"
    message = "入力を確認してください。"


class Shape(StrEnum):
    """The shape of a field's value."""

    TEXT = "text"
    FLAG = "flag"
    NUMBER = "number"  # whole, 0 or more
    DATE = "date"
    TEXTS = "texts"
    NEEDS = "needs"
    CONTACTS = "contacts"
    CHOICE = "choice"
    DESTINATIONS = "destinations"


@dataclass(frozen=True, slots=True)
class Field:
    """One field: stored name, 項目名, shape, largest length or number, choices (value, label)."""

    name: str
    label: str
    shape: Shape = Shape.TEXT
    most: int = 200
    choices: tuple[tuple[str, str], ...] = ()


WAYS = (
    ("professional", "福祉専門職が作成"),
    ("community", "地域で作成"),
    ("person", "本人・家族が作成"),
)
_S = Shape
FIELDS: Mapping[PlanStep, tuple[Field, ...]] = {
    PlanStep.PERSON: (
        Field("phone", "電話番号", most=24),
        Field("other_contact", "その他の連絡先（ファクス・メール）", most=120),
        Field("emergency_contacts", "緊急連絡先", _S.CONTACTS, 4),
        Field("care_manager", "ケアマネジャー等", most=120),
        Field("household", "世帯のようす", most=120),
    ),
    PlanStep.NEEDS: (
        Field("needs", "必要な支援", _S.NEEDS),
        Field("needs_none", "必要な支援は「ない」", _S.FLAG),
        Field("communication", "意思の伝え方", most=200),
        Field("power_device", "電源が必要な機械がある", _S.FLAG),
        Field("power_minutes", "電源なしで動く時間（分）", _S.NUMBER, 10_080),
        Field("equipment", "機器の名前・予備", most=200),
        Field("medicines", "くすり", most=200),
        Field("allergy", "アレルギー", most=200),
        Field("care_note", "配慮すること", most=500),
    ),
    PlanStep.HOME: (
        Field("building", "建物の種類と階", most=120),
        Field("bedroom", "寝室の位置", most=120),
        Field("daytime", "日中いる場所", most=200),
        Field("hazards_checked", "自宅の災害リスクを地図で確かめた", _S.FLAG),
        Field("home_note", "自宅のまわりの危険（積雪・ブロック塀など）", most=300),
    ),
    PlanStep.DESTINATION: (
        Field("destinations", "避難先", _S.DESTINATIONS, 3),
        Field("reason", "選んだ理由", most=500),
        Field("route_care", "避難路の注意", most=500),
    ),
    PlanStep.SUPPORTERS: (
        Field("no_supporter_reason", "避難支援をする人がまだいない理由", most=300),
    ),
    PlanStep.SIGNAL: (
        Field("trigger_level", "避難を始める警戒レベル", _S.NUMBER, 5),
        Field("trigger_note", "合図の受けとり方", most=300),
        Field("carry", "持ち物", _S.TEXTS, 60),
        Field("drill_on", "訓練をした日", _S.DATE),
    ),
    PlanStep.SUBMIT: (
        Field("written_way", "作成の方法", _S.CHOICE, choices=WAYS),
        Field("read_back_to_person", "内容を本人か家族に読んで確かめた", _S.FLAG),
        Field("read_back_with", "読んで確かめた相手", most=120),
        Field("remarks", "特記事項", most=500),
    ),
}
#: The parts of one destination and of one emergency contact.
DESTINATION_FIELDS = (
    Field("route", "避難路", most=400), Field("transport", "移動の方法", most=80),
    Field("minutes", "かかる時間（分）", _S.NUMBER, 600), Field("care", "注意", most=300),
    Field("companions", "付きそいの人数", _S.NUMBER, 8),
)
CONTACT_FIELDS = (
    Field("name", "氏名", most=120), Field("relation", "続柄", most=24),
    Field("phone", "電話番号", most=24),
)


def cleaned(step: PlanStep, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a step as stored: JSON types only, texts trimmed, order as sent.

    Raises ``StepRefused`` with a sentence for each input that is wrong.  A field that is not
    sent is not touched.
    """
    known = {field.name: field for field in FIELDS[step]}
    wrong = {name: "この項目はありません。" for name in values if name not in known}
    kept: dict[str, Any] = {}
    for name, field in known.items():
        if name not in values:
            continue
        try:
            kept[name] = _value(field, values[name])
        except _Wrong as error:
            wrong[error.where or name] = error.words
    if wrong:
        raise StepRefused(fields=wrong)
    return kept


class _Wrong(Exception):
    def __init__(self, words: str, where: str = "") -> None:
        self.words, self.where = words, where


def _value(field: Field, value: Any) -> Any:
    if field.shape is Shape.TEXT:
        return _text(value, field.most)
    if field.shape is Shape.FLAG:
        if not isinstance(value, bool):
            raise _Wrong("「はい」か「いいえ」で答えてください。")
        return value
    if field.shape is Shape.NUMBER:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= field.most:
            raise _Wrong(f"0から{field.most:,}までの数字で入れてください。")
        return value
    if field.shape is Shape.DATE:
        if value in (None, ""):
            return None
        try:
            return date.fromisoformat(str(value)).isoformat()
        except ValueError:
            raise _Wrong("日付を確認してください。") from None
    if field.shape is Shape.CHOICE:
        if value not in [one for one, _ in field.choices]:
            raise _Wrong("選択肢から選んでください。")
        return value
    if field.shape is Shape.TEXTS:
        return [t for one in _rows(value, 30) if (t := _text(one, field.most))]
    if field.shape is Shape.NEEDS:
        known = {tag.value for tag in NeedTag}
        if any(not isinstance(one, str) or one not in known for one in _rows(value, len(known))):
            raise _Wrong("必要な支援を選択肢から選んでください。")
        return list(dict.fromkeys(value))
    if field.shape is Shape.CONTACTS:
        return [_parts(CONTACT_FIELDS, field, at, one) for at, one in
                enumerate(_rows(value, field.most))]
    return _destinations(field, value)


def _destinations(field: Field, value: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for at, one in enumerate(_rows(value, field.most)):
        kept = _parts(DESTINATION_FIELDS, field, at, one, extra=("hazard", "shelter_id"))
        hazard, shelter = one.get("hazard"), one.get("shelter_id")
        if hazard not in [h.value for h in PlanHazard] or any(f["hazard"] == hazard for f in found):
            raise _Wrong("災害をひとつずつ選んでください。", f"{field.name}[{at}].hazard")
        if isinstance(shelter, bool) or not isinstance(shelter, int):
            raise _Wrong("避難先を選んでください。", f"{field.name}[{at}].shelter_id")
        found.append({"hazard": hazard, "shelter_id": shelter, **kept})
    return found


def _parts(
    fields: Sequence[Field], parent: Field, at: int, value: Any, extra: Sequence[str] = ()
) -> dict[str, Any]:
    where = f"{parent.name}[{at}]"
    if not isinstance(value, Mapping):
        raise _Wrong("入力の形が正しくありません。", where)
    known = {field.name: field for field in fields}
    kept: dict[str, Any] = {}
    for name in value:
        if name not in known and name not in extra:
            raise _Wrong("この項目はありません。", f"{where}.{name}")
    for name, field in known.items():
        if name in value:
            try:
                kept[name] = _value(field, value[name])
            except _Wrong as error:
                raise _Wrong(error.words, f"{where}.{name}") from None
    return kept


def _rows(value: Any, most: int) -> Sequence[Any]:
    if not isinstance(value, (list, tuple)):
        raise _Wrong("一覧の形で送ってください。")
    if len(value) > most:
        raise _Wrong(f"{most}件までにしてください。")
    return value


def _text(value: Any, most: int) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _Wrong("文字で入れてください。")
    text = value.replace("\r\n", "\n").strip()
    if len(text) > most:
        raise _Wrong(f"{most}文字までにしてください（いま{len(text)}文字です）。")
    if any(ord(c) < 32 and c != "\n" for c in text):
        raise _Wrong("使えない文字がふくまれています。")
    return text


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that two editors wrote differently, both sides in words."""

    name: str
    label: str
    mine: str
    theirs: str


def differences(
    step: PlanStep, mine: Mapping[str, Any], theirs: Mapping[str, Any]
) -> tuple[Difference, ...]:
    """Fields of ``mine`` that differ from what is stored now, in the order of the step."""
    return tuple(
        Difference(field.name, field.label, words(field, mine[field.name]),
                   words(field, theirs.get(field.name)))
        for field in FIELDS[step]
        if field.name in mine and mine[field.name] != theirs.get(field.name, _empty(field))
    )


def _empty(field: Field) -> Any:
    if field.shape in (Shape.TEXTS, Shape.NEEDS, Shape.CONTACTS, Shape.DESTINATIONS):
        return []
    return "" if field.shape is Shape.TEXT else None


def words(field: Field, value: Any) -> str:
    """A stored value as a person reads it; 「（なし）」 when empty."""
    if value in (None, "", []):
        return "（なし）"
    if field.shape is Shape.FLAG:
        return "はい" if value else "いいえ"
    if field.shape is Shape.CHOICE:
        return dict(field.choices).get(value, str(value))
    if field.shape is Shape.NEEDS:
        return "、".join(NEEDS[NeedTag(one)].plain for one in value)
    if field.shape is Shape.CONTACTS:
        return "、".join(f"{c.get('name', '')}（{c.get('relation', '')}）{c.get('phone', '')}"
                        for c in value)
    if field.shape is Shape.DESTINATIONS:
        return "、".join(
            f"{PlanHazard(d['hazard']).label}：{d.get('place', d['shelter_id'])}" for d in value
        )
    if field.shape is Shape.TEXTS:
        return "、".join(value)
    return str(value)
