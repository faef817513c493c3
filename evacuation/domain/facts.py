"""Facts about a person that the criteria of the roster read.

Owns their shapes and the spelling of handbook labels.  A birth date, a household, a facility
stay or a detail inside a handbook that is None is *unknown*, never "no": an unknown fact neither
admits nor excludes, it is listed for a person to look at.  A care level or handbook that is None
is one the person does not hold.
Source: 取組指針 (要件設定の例), 介護保険 要介護状態区分コード, 身体障害者福祉法施行規則 別表第5号.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class CareLevel(StrEnum):
    """要介護状態区分. The values are the codes of the insurers' files."""

    SUPPORT_1 = "12"
    SUPPORT_2 = "13"
    CARE_1 = "21"
    CARE_2 = "22"
    CARE_3 = "23"
    CARE_4 = "24"
    CARE_5 = "25"

    @property
    def label(self) -> str:
        """要支援1 … 要介護5."""
        return f"{'要支援' if self.value[0] == '1' else '要介護'}{_CARE_NUMBER[self.value]}"


_CARE_NUMBER = {"12": "1", "13": "2", "21": "1", "22": "2", "23": "3", "24": "4", "25": "5"}


class BodyPart(StrEnum):
    """身体障害の部位・種別."""

    SIGHT = "sight"
    HEARING = "hearing"
    BALANCE = "balance"
    SPEECH = "speech"
    UPPER_LIMB = "upper_limb"
    LOWER_LIMB = "lower_limb"
    TRUNK = "trunk"
    CEREBRAL_UPPER = "cerebral_upper"
    CEREBRAL_MOVEMENT = "cerebral_movement"
    HEART = "heart"
    KIDNEY = "kidney"
    RESPIRATORY = "respiratory"
    BLADDER_BOWEL = "bladder_bowel"
    SMALL_INTESTINE = "small_intestine"
    IMMUNE = "immune"
    LIVER = "liver"


@dataclass(frozen=True, slots=True)
class PartGrade:
    """One impairment with its own grade 1–7."""

    part: BodyPart
    grade: int


@dataclass(frozen=True, slots=True)
class PhysicalHandbook:
    """身体障害者手帳: ``grade`` 総合等級 1–6, ``kind`` 第1種/第2種, the parts. None: unknown."""

    grade: int | None
    kind: int | None = None
    parts: tuple[PartGrade, ...] | None = None


class FacilityStay(StrEnum):
    """施設入所・入院."""

    NONE = "none"
    SHORT = "short"
    LONG = "long"


class Nomination(StrEnum):
    """本人の申出・第三者の申出."""

    SELF = "self"
    THIRD_PARTY = "third_party"


class ManualVerdict(StrEnum):
    """職員による登載・除外."""

    INCLUDE = "include"
    EXCLUDE = "exclude"


@dataclass(frozen=True, slots=True)
class Manual:
    """A named officer's word on one person. Without reason or officer it does not count."""

    verdict: ManualVerdict
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """Everything the criteria may read about one person on the reference date.

    ``household_births``: birth dates of everyone in the household, the person included; an
    element None is a member of unknown age, the whole None an unknown household.
    ``facility`` None is unknown.  ``services``: names of welfare services in use.
    """

    person: str
    birth_on: date | None
    household_births: tuple[date | None, ...] | None = None
    care_level: CareLevel | None = None
    physical: PhysicalHandbook | None = None
    intellectual_label: str | None = None
    mental_grade: int | None = None
    intractable_disease: bool = False
    intractable_severe: bool = False
    services: frozenset[str] = frozenset()
    facility: FacilityStay | None = FacilityStay.NONE
    nominations: frozenset[Nomination] = frozenset()
    manual: Manual | None = None


def age_on(birth: date, on: date, *, day_before: bool = False) -> int:
    """満年齢 on ``on``. ``day_before`` counts as 年齢計算ニ関する法律: a year older on the eve.

    Born on 29 February, a person grows older on 1 March of a common year (on 28 February by
    the legal count).  A date before birth gives a negative number.
    """
    day = on + timedelta(days=1) if day_before else on
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


_ENCLOSED = {"Ⓐ": "○A", "Ⓑ": "○B", "Ⓒ": "○C", "ⓐ": "○A", "ⓑ": "○B", "ⓒ": "○C"}


def handbook_label(text: str) -> str:
    """One spelling for 療育手帳 labels: 「Ａの１」→「A1」, 「Ⓐ」「マルA」「〇Ａ」→「○A」.

    The ring is kept: in some prefectures ○A and A are different grades.
    """
    for ring, plain in _ENCLOSED.items():
        text = text.replace(ring, plain)
    text = unicodedata.normalize("NFKC", text).upper()
    for ring in ("マル", "丸", "〇", "◯", "⃝"):
        text = text.replace(ring, "○")
    return "".join(text.replace("の", "").split()).replace("-", "")
