"""Priority of a person, as an explainable score, never a verdict.

Owns the three factors — hazard at home × body and judgement × isolation — their product, the
reasons in words and the urgency class that orders matching (0 is the most urgent).  Refuses to
hide: an unknown home counts in the middle and says so; nothing is dropped below a line.
Source: 取組指針（令和3年5月改定）on 優先度を踏まえた個別避難計画の作成.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from evacuation.domain.facts import CareLevel
from evacuation.domain.needs import NeedTag, body_level, judgement_level, needs_power


class Urgency(IntEnum):
    """緊急度. The value is the tier order for matching: 0 first."""

    HIGHEST = 0
    HIGH = 1
    MIDDLE = 2
    LOW = 3

    @property
    def label(self) -> str:
        """Word for a screen."""
        return ("最優先", "優先 高", "優先 中", "優先 低")[self.value]


@dataclass(frozen=True, slots=True)
class HomeHazard:
    """Hazard at home. ``known`` False: the place or the maps are missing.

    ``flood_rank`` 0 (outside) – 6 as A31a_205; ``collapse``: 家屋倒壊等氾濫想定区域.
    ``upper_floor``: the person can stay above the water.
    """

    known: bool
    flood_rank: int = 0
    landslide: bool = False
    landslide_special: bool = False
    collapse: bool = False
    upper_floor: bool = False


@dataclass(frozen=True, slots=True)
class Isolation:
    """世帯と周囲. ``helpers_near``: people who could come at once, None unknown."""

    alone: bool = False
    household_elderly_only: bool = False
    daytime_alone: bool = False
    helpers_near: int | None = None


@dataclass(frozen=True, slots=True)
class Priority:
    """``score`` = product of the three factors, each 1–4 (1–64); ``reasons`` say why."""

    hazard: int
    body: int
    isolation: int
    score: int
    urgency: Urgency
    reasons: tuple[str, ...]


def urgency_of(score: int) -> Urgency:
    """Class of a score 1–64; ``ValueError`` outside."""
    if not 1 <= score <= 64:
        raise ValueError("score must be 1..64")
    for limit, urgency in ((32, Urgency.HIGHEST), (16, Urgency.HIGH), (6, Urgency.MIDDLE)):
        if score >= limit:
            return urgency
    return Urgency.LOW


def assess(
    home: HomeHazard,
    needs: Iterable[NeedTag],
    isolation: Isolation,
    *,
    care_level: CareLevel | None = None,
) -> Priority:
    """Score one person. Worse facts never lower the score; order of ``needs`` is irrelevant.

    ``ValueError`` when ``flood_rank`` is outside 0–6.
    """
    if not 0 <= home.flood_rank <= 6:
        raise ValueError("flood_rank must be 0..6")
    tags = frozenset(needs)
    reasons: list[str] = []
    hazard = _hazard(home, reasons)
    body = _body(tags, care_level, reasons)
    alone = _isolation(isolation, reasons)
    score = hazard * body * alone
    return Priority(hazard, body, alone, score, urgency_of(score), tuple(reasons))


_FLOOD_WORDS = ("", "0.5m未満", "0.5〜3.0m", "3.0〜5.0m", "5.0〜10.0m", "10.0〜20.0m", "20.0m以上")


def _hazard(home: HomeHazard, reasons: list[str]) -> int:
    if not home.known:
        reasons.append("自宅の災害リスクは未確認です（中くらいとして計算）")
        return 2
    factor = 1
    if home.flood_rank:
        reasons.append(f"自宅は洪水{_FLOOD_WORDS[home.flood_rank]}の区域")
        flood = (1, 2, 3, 4, 4, 4, 4)[home.flood_rank]
        if home.upper_floor and home.flood_rank <= 2:
            flood -= 1
            reasons.append("水より高い階で過ごせる")
        factor = max(factor, flood)
    if home.collapse:
        reasons.append("家が流されるおそれのある区域")
        factor = 4
    if home.landslide_special:
        reasons.append("自宅は土砂災害特別警戒区域")
        factor = 4
    elif home.landslide:
        reasons.append("自宅は土砂災害警戒区域")
        factor = max(factor, 3)
    if factor == 1 and not reasons:
        reasons.append("自宅は想定区域の外")
    return factor


_CARE_BODY = {
    CareLevel.SUPPORT_1: 0,
    CareLevel.SUPPORT_2: 0,
    CareLevel.CARE_1: 1,
    CareLevel.CARE_2: 1,
    CareLevel.CARE_3: 2,
    CareLevel.CARE_4: 3,
    CareLevel.CARE_5: 3,
}


def _body(tags: frozenset[NeedTag], care: CareLevel | None, reasons: list[str]) -> int:
    body, judgement = body_level(tags), judgement_level(tags)
    if care is not None and _CARE_BODY[care] > body:
        body = _CARE_BODY[care]
        reasons.append("日ごろの介護の必要が大きい")
    if body:
        carry = ("", "歩くのに手助けがいる", "自分では歩けない", "運んでもらう必要がある")
        reasons.append(carry[body])
    if judgement:
        words = ("", "知らせ方に工夫がいる", "知らせと付きそいがいる", "自分では判断がむずかしい")
        reasons.append(words[judgement])
    power = needs_power(tags)
    if power:
        reasons.append("電源が必要な機械がある")
    both = 1 if body and judgement else 0
    return min(4, 1 + max(body, judgement) + max(both, int(power)))


def _isolation(facts: Isolation, reasons: list[str]) -> int:
    factor = 1
    if facts.alone:
        factor = 3
        reasons.append("ひとり暮らし")
    elif facts.household_elderly_only:
        factor = 2
        reasons.append("高齢者だけの世帯")
    elif facts.daytime_alone:
        factor = 2
        reasons.append("昼間はひとり")
    if facts.helpers_near == 0:
        factor += 1
        reasons.append("すぐ来られる人が近くにいない")
    return factor
