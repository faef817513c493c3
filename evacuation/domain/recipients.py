"""Who receives the roster, and which columns each kind may see.

Owns the kinds of recipient (避難支援等関係者), the columns of an edition and the table that
joins the two, each row with its ground.  Refuses: a kind without a row (nothing is shared with
it) and, outside the city's own officers and rescue services, every column that tells a
diagnosis, a handbook grade or a care level.
Source: 災害対策基本法 第49条の10②, 第49条の11②, 内閣府 取組指針（令和3年5月改定）; rules R7, R8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class RecipientKind(StrEnum):
    """避難支援等関係者の種別. The city's 地域防災計画 decides which of them exist (R7)."""

    FIRE = "fire"
    POLICE = "police"
    COMMISSIONER = "commissioner"
    WELFARE_COUNCIL = "welfare_council"
    VOLUNTARY_DISASTER_GROUP = "voluntary_disaster_group"
    NEIGHBOURHOOD = "neighbourhood"
    CARE_OFFICE = "care_office"

    @property
    def label(self) -> str:
        """Official Japanese term."""
        return _KIND_LABELS[self]


_KIND_LABELS: Mapping[RecipientKind, str] = MappingProxyType(
    {
        RecipientKind.FIRE: "消防機関",
        RecipientKind.POLICE: "警察",
        RecipientKind.COMMISSIONER: "民生委員・児童委員",
        RecipientKind.WELFARE_COUNCIL: "社会福祉協議会",
        RecipientKind.VOLUNTARY_DISASTER_GROUP: "自主防災組織",
        RecipientKind.NEIGHBOURHOOD: "町内会",
        RecipientKind.CARE_OFFICE: "地域包括支援センター・居宅介護支援事業所",
    }
)


class Column(StrEnum):
    """Columns of an edition (名簿の項目)."""

    NAME = "name"
    KANA = "kana"
    BIRTH_DATE = "birth_date"
    AGE = "age"
    GENDER = "gender"
    ADDRESS = "address"
    PHONE = "phone"
    EMERGENCY_CONTACT = "emergency_contact"
    NEIGHBOURHOOD = "neighbourhood"
    COMMISSIONER = "commissioner"
    HOUSEHOLD = "household"
    BEDROOM = "bedroom"
    NEEDS_PLAIN = "needs_plain"
    NEEDS_INTERNAL = "needs_internal"
    REASON_DETAIL = "reason_detail"
    DEVICES = "devices"
    COMMUNICATION = "communication"
    PRIORITY = "priority"
    SUPPORTER = "supporter"
    DESTINATION = "destination"
    PLAN = "plan"

    @property
    def label(self) -> str:
        """Official Japanese term for a heading."""
        return _COLUMN_LABELS[self]


_COLUMN_LABELS: Mapping[Column, str] = MappingProxyType(
    {
        Column.NAME: "氏名",
        Column.KANA: "ふりがな",
        Column.BIRTH_DATE: "生年月日",
        Column.AGE: "年齢",
        Column.GENDER: "性別",
        Column.ADDRESS: "住所・居所",
        Column.PHONE: "電話番号",
        Column.EMERGENCY_CONTACT: "緊急連絡先",
        Column.NEIGHBOURHOOD: "町内会・班",
        Column.COMMISSIONER: "担当民生委員",
        Column.HOUSEHOLD: "世帯",
        Column.BEDROOM: "建物・寝室の位置",
        Column.NEEDS_PLAIN: "手助けが必要なこと",
        Column.NEEDS_INTERNAL: "心身の状況（専門用語）",
        Column.REASON_DETAIL: "避難支援等を必要とする事由（手帳・要介護度）",
        Column.DEVICES: "電源が必要な医療機器",
        Column.COMMUNICATION: "意思の伝え方",
        Column.PRIORITY: "優先度",
        Column.SUPPORTER: "避難支援等実施者",
        Column.DESTINATION: "避難先",
        Column.PLAN: "個別避難計画",
    }
)

#: Columns that come from the individual plan: only with R2's consent, whatever the recipient.
PLAN_COLUMNS: frozenset[Column] = frozenset({Column.SUPPORTER, Column.DESTINATION, Column.PLAN})

#: Columns that can reveal a diagnosis, a handbook grade or a care level (R8).
CLINICAL_COLUMNS: frozenset[Column] = frozenset({Column.NEEDS_INTERNAL, Column.REASON_DETAIL})

_BASE = frozenset(
    {
        Column.NAME,
        Column.KANA,
        Column.AGE,
        Column.GENDER,
        Column.ADDRESS,
        Column.PHONE,
        Column.EMERGENCY_CONTACT,
        Column.NEIGHBOURHOOD,
        Column.HOUSEHOLD,
        Column.BEDROOM,
        Column.NEEDS_PLAIN,
        Column.COMMUNICATION,
        Column.PRIORITY,
    }
)
_CARD = frozenset({Column.SUPPORTER, Column.DESTINATION})


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """What one kind of recipient sees, with the ground for it.

    ``normal`` and ``emergency`` never contain a column the kind has no need for; plan columns
    in them appear on a row only where R2 allows.
    """

    normal: frozenset[Column]
    emergency: frozenset[Column]
    citation: str


def _rule(normal: frozenset[Column], more: frozenset[Column], citation: str) -> ColumnRule:
    return ColumnRule(normal, normal | more, citation)


_LAW = "災害対策基本法第49条の10第2項・第49条の11第2項"
_NONE: frozenset[Column] = frozenset()

#: The default table. A city overrides it as data, through ``checked_columns``.
COLUMN_RULES: Mapping[RecipientKind, ColumnRule] = MappingProxyType(
    {
        RecipientKind.FIRE: _rule(
            _BASE | _CARD | {Column.PLAN, Column.BIRTH_DATE, Column.DEVICES, Column.NEEDS_INTERNAL},
            frozenset({Column.REASON_DETAIL}),
            f"{_LAW}。救出救護に必要な心身の状況を含む（取組指針）",
        ),
        RecipientKind.POLICE: _rule(
            _BASE | _CARD | {Column.BIRTH_DATE},
            frozenset({Column.PLAN, Column.DEVICES}),
            f"{_LAW}。避難誘導と安否確認に必要な範囲（取組指針）",
        ),
        RecipientKind.COMMISSIONER: _rule(
            _BASE | _CARD | {Column.PLAN, Column.BIRTH_DATE, Column.COMMISSIONER, Column.DEVICES},
            _NONE,
            f"{_LAW}。守秘義務は民生委員法第15条",
        ),
        RecipientKind.WELFARE_COUNCIL: _rule(
            _BASE | _CARD | {Column.BIRTH_DATE, Column.COMMISSIONER},
            frozenset({Column.PLAN, Column.DEVICES}),
            f"{_LAW}。見守りと安否確認に必要な範囲（取組指針）",
        ),
        RecipientKind.VOLUNTARY_DISASTER_GROUP: _rule(
            _BASE | _CARD | {Column.COMMISSIONER},
            frozenset({Column.DEVICES}),
            f"{_LAW}。必要最小限の項目にしぼる（取組指針）",
        ),
        RecipientKind.NEIGHBOURHOOD: _rule(
            _BASE | _CARD | {Column.COMMISSIONER},
            _NONE,
            f"{_LAW}。必要最小限の項目にしぼり、病名・手帳の等級を出さない（取組指針）",
        ),
        RecipientKind.CARE_OFFICE: _rule(
            _BASE | _CARD | {Column.PLAN, Column.BIRTH_DATE, Column.COMMISSIONER, Column.DEVICES},
            frozenset({Column.NEEDS_INTERNAL}),
            f"{_LAW}。福祉専門職の参画（取組指針）",
        ),
    }
)

#: Kinds run by neighbours: no clinical column may ever be configured for them (R8).
NEIGHBOUR_KINDS: frozenset[RecipientKind] = frozenset(
    {RecipientKind.NEIGHBOURHOOD, RecipientKind.VOLUNTARY_DISASTER_GROUP}
)
