"""The values of an edition's rows: sealed JSON ↔ what a card, a booklet and a sheet show.

Owns the form of the sealed values and their digest.  Refuses to open a row under another
edition or position: the context is authenticated.  Nothing here decides who may see (R8 was
applied before sealing).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from evacuation.documents.values import BookletPerson, Contact
from evacuation.models import EditionRow
from registry import sealing


@dataclass(frozen=True, kw_only=True)
class CardValues:
    """One person as one office was told, in plain words.  Empty: not for this recipient."""

    number: str
    name: str
    kana: str = ""
    sex: str = ""
    birth: str = ""
    age: str = ""
    household: str = ""
    group: str = ""
    address: str = ""
    whereabouts: str = ""
    phone: str = ""
    reason: str = ""
    needs: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    communication: str = ""
    commissioner: str = ""
    contacts: tuple[tuple[str, str, str], ...] = ()  # name, relation, phone
    supporters: str = ""
    destination: str = ""
    priority: str = ""
    internal: tuple[str, ...] = ()

    def printed(self, mark: str = "") -> BookletPerson:
        """The same for the printer; ``mark`` is 新 or 変."""
        plain = {name: getattr(self, name) for name in _SAME}
        return BookletPerson(
            **plain, mark=mark,
            contacts=tuple(Contact(name=n, relation=r, phone=p) for n, r, p in self.contacts),
            supporters_note=self.supporters,
            extra=(("心身の状況", "、".join(self.internal)),) if self.internal else (),
        )


_SAME = (
    "number", "name", "kana", "sex", "birth", "age", "household", "group", "address",
    "whereabouts", "phone", "reason", "needs", "devices", "communication", "commissioner",
    "destination", "priority",
)
#: Words for the difference sheet; the age is left out, it changes by itself.
COMPARED: Mapping[str, str] = {
    "name": "氏名", "kana": "ふりがな", "sex": "性別", "birth": "生年月日", "household": "世帯",
    "group": "町内会・班", "address": "住所", "whereabouts": "建物・寝室", "phone": "電話",
    "reason": "必要な理由", "needs": "必要なこと", "devices": "機器（電源）",
    "communication": "話の伝え方", "commissioner": "民生委員", "contacts": "緊急連絡先",
    "supporters": "手伝う人", "destination": "避難先", "priority": "優先度",
    "internal": "心身の状況",
}


def encoded(values: CardValues) -> bytes:
    """Canonical JSON: equal values give equal bytes."""
    return json.dumps(
        asdict(values), ensure_ascii=False, sort_keys=True, separators=(",", ":")
    ).encode()


def digest(values: CardValues) -> str:
    """SHA-256 of the canonical form, hexadecimal."""
    return hashlib.sha256(encoded(values)).hexdigest()


def decoded(raw: bytes) -> CardValues:
    """The inverse of ``encoded``."""
    data: dict[str, Any] = json.loads(raw)
    for name in ("needs", "devices", "internal"):
        data[name] = tuple(data[name])
    data["contacts"] = tuple((c[0], c[1], c[2]) for c in data["contacts"])
    return CardValues(**data)


def context(edition_number: str, position: int) -> str:
    """What a row's seal is bound to."""
    return f"edition-row:{edition_number}:{position}"


def opened(row: EditionRow) -> CardValues:
    """The values of one stored row (reads ``row.edition`` when it is not loaded).

    Raises:
        CannotOpen: the row was altered or moved.
    """
    return decoded(
        sealing.unseal(row.sealed_values, context=context(row.edition.number, row.position))
    )


def changes(before: CardValues, after: CardValues) -> tuple[tuple[str, str, str], ...]:
    """(item, before, after) in words, of the items that differ."""
    return tuple(
        (label, words(getattr(before, name)), words(getattr(after, name)))
        for name, label in COMPARED.items()
        if getattr(before, name) != getattr(after, name)
    )


def words(value: Any) -> str:
    """A value as one line; 「（なし）」 for nothing."""
    if isinstance(value, tuple):
        value = "、".join(" ".join(p for p in v if p) if isinstance(v, tuple) else v for v in value)
    return str(value) or "（なし）"
