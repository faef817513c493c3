"""What one printed plan (個別避難計画) carries: frozen values that were filtered before.

Owns: the inputs of the two-page sheet, of the fridge sheet and of the map.
Refuses: to know why an item is absent.  An item named in ``PlanSheet.withheld`` is not printed
at all (this reader may not have it, R2/R8); any other empty item prints as 「－」, because a
plan shows what is still open.
Items: 災害対策基本法 第49条の14第3項; 内閣府 取組指針 (2021) 様式例.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from evacuation.documents.values import PLAN_NOTICE, Contact

Point = tuple[float, float]  # longitude, latitude in degrees (JGD2011, EPSG:6668)
Pattern = Literal["dots", "lines", "steep", "cross", "waves"]


@dataclass(frozen=True, kw_only=True)
class MapZone:
    """A hazard zone: polygons as (outer ring, hole, hole ...), drawn with a pattern."""

    label: str  # e.g. 洪水 0.5〜3.0m
    pattern: Pattern
    polygons: tuple[tuple[tuple[Point, ...], ...], ...]


@dataclass(frozen=True, kw_only=True)
class MapLine:
    """A road or river for orientation."""

    points: tuple[Point, ...]
    kind: Literal["road", "river"] = "road"
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class MapPlace:
    """A marked place: the home, the destinations (numbered), others."""

    at: Point
    label: str
    kind: Literal["home", "destination", "place"] = "place"
    number: str = ""


@dataclass(frozen=True, kw_only=True)
class PlanMap:
    """The map and its equivalent in words; both come from the same values."""

    text: str  # 地図の内容（文字）
    places: tuple[MapPlace, ...]
    route: tuple[Point, ...] = ()
    zones: tuple[MapZone, ...] = ()
    lines: tuple[MapLine, ...] = ()
    source: str = ""  # 出典


@dataclass(frozen=True, kw_only=True)
class PlanSupporter:
    """避難支援等実施者, in the order in which they are called."""

    order: str
    name: str
    relation: str = ""
    role: str = ""  # 役割
    address: str = ""
    phone: str = ""
    hours: str = ""  # 動ける時間


@dataclass(frozen=True, kw_only=True)
class PlanDestination:
    """Where to, for one hazard (避難場所・避難経路)."""

    hazard: str  # 洪水 / 土砂災害 / 地震 …
    place: str
    address: str = ""
    route: str = ""  # 経路, in words
    transport: str = ""  # 移動の方法
    minutes: str = ""
    trigger: str = ""  # いつ, e.g. 警戒レベル3 高齢者等避難
    care: str = ""  # 注意


@dataclass(frozen=True, kw_only=True)
class PlanSheet:
    """All items of a plan in words, one version, one printed copy."""

    # this print
    municipality: str
    plan_number: str
    version: str  # 版
    state: str = ""  # 下書き / 承認ずみ
    made_on: str = ""  # 作成日
    author: str = ""  # 作成者
    approved_on: str = ""
    next_review: str = ""  # 次の見直し
    drill: str = ""  # 訓練日
    holder: str = ""
    copy_number: str = ""
    office: str = ""
    phone_office: str = ""
    check_code: str = ""
    printed_on: str = ""
    notice: str = PLAN_NOTICE
    sample: bool = False
    # the person
    name: str = ""
    kana: str = ""
    birth: str = ""
    age: str = ""
    sex: str = ""
    address: str = ""
    phone: str = ""
    other_contact: str = ""
    neighbourhood: str = ""  # 町内会・班
    commissioner: str = ""  # 担当民生委員
    care_manager: str = ""
    household: str = ""
    reason: str = ""  # 避難支援等を必要とする事由
    needs: tuple[str, ...] = ()
    communication: str = ""
    equipment: str = ""  # 機器・電源
    medicines: str = ""
    allergy: str = ""
    building: str = ""  # 建物
    bedroom: str = ""
    daytime: str = ""  # 日中いる場所
    hazards: str = ""  # 自宅の危険
    carry: tuple[str, ...] = ()  # 持ち物
    consent: str = ""  # 同意, e.g. 令和8年10月2日 本人
    remarks: str = ""
    contacts: tuple[Contact, ...] = ()
    # how, with whom, where to
    trigger: str = ""  # いつ
    supporters: tuple[PlanSupporter, ...] = ()
    destinations: tuple[PlanDestination, ...] = ()
    map: PlanMap | None = None
    withheld: tuple[str, ...] = ()  # names of fields above that this reader may not have


@dataclass(frozen=True, kw_only=True)
class FridgeSheet:
    """The person's own summary for the refrigerator door: いつ・だれと・どこへ."""

    name: str
    when: tuple[str, ...]
    who: tuple[Contact, ...]
    where: tuple[tuple[str, str], ...]  # (hazard, place and way)
    carry: tuple[str, ...] = ()
    emergency: tuple[Contact, ...] = ()
    made_on: str = ""
    office: str = ""
    phone_office: str = ""
    sample: bool = False
