"""Needs of a person, in plain words for neighbours and in terms for professionals.

Owns the need tags, their two wordings and what each means for carrying, for judgement and for
electricity.  Refuses: free text that tells a diagnosis, a handbook grade or a care level, where
it would reach a neighbour (``revealing_terms``).
Source: rule R8 of the evacuation rules; 内閣府 取組指針（令和3年5月改定）on 必要最小限の項目.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class NeedTag(StrEnum):
    """支援の必要（タグ）."""

    WHEELCHAIR = "wheelchair"
    BEDRIDDEN = "bedridden"
    WALKS_WITH_HELP = "walks_with_help"
    WALKS_SLOWLY = "walks_slowly"
    DEAF = "deaf"
    HARD_OF_HEARING = "hard_of_hearing"
    BLIND = "blind"
    LOW_VISION = "low_vision"
    NO_SPEECH = "no_speech"
    JUDGEMENT = "judgement"
    NEEDS_EXPLANATION = "needs_explanation"
    ANXIOUS = "anxious"
    WANDERS = "wanders"
    OXYGEN = "oxygen"
    VENTILATOR = "ventilator"
    SUCTION = "suction"
    REGULAR_TREATMENT = "regular_treatment"
    TUBE_FEEDING = "tube_feeding"
    REFRIGERATED_MEDICINE = "refrigerated_medicine"
    TOILET_HELP = "toilet_help"
    PREGNANT_OR_INFANT = "pregnant_or_infant"
    FOREIGN_LANGUAGE = "foreign_language"


@dataclass(frozen=True, slots=True)
class Need:
    """``body``: 0 walks – 3 must be carried; ``judgement``: 0 decides alone – 3 cannot notice
    danger or decide; ``power``: a device stops without electricity."""

    plain: str
    internal: str
    body: int = 0
    judgement: int = 0
    power: bool = False


NEEDS: Mapping[NeedTag, Need] = MappingProxyType(
    {
        NeedTag.WHEELCHAIR: Need("歩けない（車いす）", "移動：車いす", body=2),
        NeedTag.BEDRIDDEN: Need("起き上がれない（寝たまま運ぶ）", "移動：臥床・担架搬送", body=3),
        NeedTag.WALKS_WITH_HELP: Need("手を引けば歩ける", "移動：要介助歩行", body=1),
        NeedTag.WALKS_SLOWLY: Need("歩くのに時間がかかる", "移動：歩行緩慢", body=1),
        NeedTag.DEAF: Need("耳が聞こえない（書いて伝える）", "聴覚：ろう・筆談等", judgement=2),
        NeedTag.HARD_OF_HEARING: Need("耳が遠い", "聴覚：難聴", judgement=1),
        NeedTag.BLIND: Need("目が見えない", "視覚：全盲", body=1, judgement=2),
        NeedTag.LOW_VISION: Need("目が見えにくい", "視覚：弱視・視野狭窄", judgement=1),
        NeedTag.NO_SPEECH: Need("声で返事ができない", "言語：発語困難", judgement=1),
        NeedTag.JUDGEMENT: Need(
            "自分で逃げる判断がむずかしい", "判断：認知機能低下", judgement=3
        ),
        NeedTag.NEEDS_EXPLANATION: Need(
            "短いことばでゆっくり伝える", "判断：知的障害等の配慮", judgement=2
        ),
        NeedTag.ANXIOUS: Need(
            "ひとりだと不安が強くなる（そばで声をかける）", "判断：精神障害等の配慮", judgement=1
        ),
        NeedTag.WANDERS: Need("ひとりで外へ出ることがある", "判断：徘徊", judgement=2),
        NeedTag.OXYGEN: Need("酸素の機械", "医療機器：在宅酸素療法", body=1, power=True),
        NeedTag.VENTILATOR: Need(
            "呼吸の機械（電源がいる）", "医療機器：人工呼吸器", body=3, power=True
        ),
        NeedTag.SUCTION: Need("吸引の機械（電源がいる）", "医療機器：吸引器", body=2, power=True),
        NeedTag.REGULAR_TREATMENT: Need("決まった日の通院を休めない", "医療：人工透析等"),
        NeedTag.TUBE_FEEDING: Need("食事に道具がいる", "医療：経管栄養", body=1),
        NeedTag.REFRIGERATED_MEDICINE: Need("冷やす薬がある", "医療：要冷所保存薬", power=True),
        NeedTag.TOILET_HELP: Need("トイレに手助けがいる", "生活：排泄介助・オストメイト等"),
        NeedTag.PREGNANT_OR_INFANT: Need(
            "おなかに子がいる・赤ちゃんがいる", "妊産婦・乳幼児", body=1
        ),
        NeedTag.FOREIGN_LANGUAGE: Need("日本語が分かりにくい", "言語：外国語", judgement=1),
    }
)


def plain_words(tags: Iterable[NeedTag]) -> tuple[str, ...]:
    """Plain words, most urgent to carry first, each once; safe for every recipient (R8)."""
    return tuple(NEEDS[tag].plain for tag in _ordered(tags))


def internal_words(tags: Iterable[NeedTag]) -> tuple[str, ...]:
    """Professional terms, same order; only where ``Column.NEEDS_INTERNAL`` is allowed."""
    return tuple(NEEDS[tag].internal for tag in _ordered(tags))


def needs_power(tags: Iterable[NeedTag]) -> bool:
    """True when a device or medicine of the person needs electricity."""
    return any(NEEDS[tag].power for tag in tags)


def body_level(tags: Iterable[NeedTag]) -> int:
    """0 walks alone … 3 must be carried lying; the heaviest tag decides."""
    return max((NEEDS[tag].body for tag in tags), default=0)


def judgement_level(tags: Iterable[NeedTag]) -> int:
    """0 notices and decides alone … 3 cannot; the heaviest tag decides."""
    return max((NEEDS[tag].judgement for tag in tags), default=0)


def _ordered(tags: Iterable[NeedTag]) -> list[NeedTag]:
    order = list(NeedTag)
    return sorted(
        set(tags),
        key=lambda t: (-(NEEDS[t].body + NEEDS[t].judgement), order.index(t)),
    )


_NUMBER = "[0-9一二三四五六七]"
_REVEALING = re.compile(
    rf"手帳|{_NUMBER}\s*級|第?\s*[1-2一二]\s*種|等級|要介護|要支援|介護度|療育|愛の手帳|みどりの手帳"
    rf"|障害|障がい|障碍|認知症|アルツハイマー|統合失調|うつ|鬱|双極|てんかん|自閉|発達障"
    rf"|パーキンソン|ALS|筋萎縮|難病|がん(?![ばこ])|癌|腫瘍|糖尿|脳梗塞|脳卒中|脳出血|脳性麻痺|脳性まひ"
    rf"|心不全|腎不全|透析|肝炎|HIV|エイズ|結核|ダウン症|リウマチ|人工呼吸器|人工肛門|ストーマ"
    rf"|[ァ-ヶー一-龠]{{1,8}}(?:症候群|病|症)(?!院|棟|室|気|人|床|状)",
    re.IGNORECASE,
)


def revealing_terms(text: str) -> tuple[str, ...]:
    """Words in free text that tell a diagnosis, grade or care level, in order of appearance.

    Text goes to a neighbour's edition only when this is empty; otherwise the cell is left to a
    person.  NFKC-normalised first, so 「１級」 and 「1級」 are the same.  A word list cannot
    be complete: it is a guard behind the column table, never the permission itself.
    """
    return tuple(m.group(0) for m in _REVEALING.finditer(unicodedata.normalize("NFKC", text)))
