"""What a plan must hold before it is submitted, step by step.

Owns the draft's shape for the seven steps of the screen and the messages for what is missing.
Refuses nothing itself: it lists gaps, and ``planning.move`` refuses to submit while any remain.
Source: 災害対策基本法 第49条の14③ (避難支援等実施者, 避難場所, 避難経路), 取組指針の様式例.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import IntEnum, StrEnum


class PlanStep(IntEnum):
    """The seven steps (手順)."""

    PERSON = 1
    NEEDS = 2
    HOME = 3
    DESTINATION = 4
    SUPPORTERS = 5
    SIGNAL = 6
    SUBMIT = 7

    @property
    def label(self) -> str:
        """Heading of the step."""
        return (
            "対象の方と同意",
            "心身の状況・必要な支援",
            "住まいと災害リスク",
            "避難先・避難路",
            "避難支援をする人",
            "避難の合図・持ち物",
            "確認と承認へ提出",
        )[self.value - 1]


class PlanHazard(StrEnum):
    """Hazard a destination is chosen for (水害・土砂災害・地震)."""

    FLOOD = "flood"
    LANDSLIDE = "landslide"
    EARTHQUAKE = "earthquake"

    @property
    def label(self) -> str:
        """Japanese word."""
        return {"flood": "水害", "landslide": "土砂災害", "earthquake": "地震"}[self.value]


@dataclass(frozen=True, slots=True)
class PlanDestination:
    """避難先 for one hazard. ``outside_zone`` None: not checked against the map yet."""

    hazard: PlanHazard
    place: str
    route: str
    transport: str = ""
    minutes: int | None = None
    outside_zone: bool | None = None


@dataclass(frozen=True, slots=True)
class PlanSupporter:
    """避難支援等実施者: a person or an organisation, in order of asking."""

    name: str
    phone: str
    role: str
    agreed: bool


@dataclass(frozen=True, slots=True)
class PlanDraft:
    """The answers of the seven steps. Empty and None mean not answered.

    ``hazards_at_home``: the hazards whose zone the home lies in; None is not checked.
    ``no_supporter_reason``: why nobody is named yet (a plan without one still counts).
    """

    making_agreed_on: date | None = None
    phone: str = ""
    emergency_contacts: tuple[str, ...] = ()
    needs_answered: bool = False
    communication: str = ""
    power_device: bool = False
    power_minutes: int | None = None
    building: str = ""
    bedroom: str = ""
    hazards_at_home: frozenset[PlanHazard] | None = None
    destinations: tuple[PlanDestination, ...] = ()
    supporters: tuple[PlanSupporter, ...] = ()
    no_supporter_reason: str = ""
    trigger_level: int | None = None
    carry: tuple[str, ...] = ()
    author: str = ""
    read_back_to_person: bool = False


@dataclass(frozen=True, slots=True)
class Missing:
    """One gap: the step it belongs to, a stable code (also the field) and what to do."""

    step: PlanStep
    code: str
    message: str


def _destination_gaps(draft: PlanDraft) -> list[Missing]:
    gaps: list[Missing] = []
    wanted = draft.hazards_at_home or frozenset()
    have = {d.hazard for d in draft.destinations if d.place.strip()}
    if not have:
        gaps.append(
            Missing(PlanStep.DESTINATION, "destination", "避難先をひとつ以上選んでください。")
        )
    for hazard in PlanHazard:
        code = f"destination_{hazard.value}"
        if hazard in wanted and have and hazard not in have:
            words = f"自宅が区域の中です。{hazard.label}のときの避難先を選んでください。"
            gaps.append(Missing(PlanStep.DESTINATION, code, words))
    for one in draft.destinations:
        if not one.place.strip():
            continue
        if not one.route.strip():
            words = f"{one.hazard.label}のときの避難路をことばで書いてください。"
            gaps.append(Missing(PlanStep.DESTINATION, f"route_{one.hazard.value}", words))
        if one.outside_zone is False:
            words = f"{one.hazard.label}のときの避難先が、その災害の区域の中にあります。"
            gaps.append(Missing(PlanStep.DESTINATION, f"in_zone_{one.hazard.value}", words))
        elif one.outside_zone is None and one.hazard is not PlanHazard.EARTHQUAKE:
            words = f"{one.hazard.label}のときの避難先を地図で確かめてください。"
            gaps.append(Missing(PlanStep.DESTINATION, f"unchecked_{one.hazard.value}", words))
    return gaps


def _supporter_gaps(draft: PlanDraft) -> list[Missing]:
    if not draft.supporters:
        if draft.no_supporter_reason.strip():
            return []
        words = "避難支援をする人を選ぶか、まだいない理由を書いてください。"
        return [Missing(PlanStep.SUPPORTERS, "supporters", words)]
    gaps: list[Missing] = []
    if not all(s.name.strip() and s.phone.strip() for s in draft.supporters):
        words = "避難支援をする人の名前と電話番号を入力してください。"
        gaps.append(Missing(PlanStep.SUPPORTERS, "supporter_contact", words))
    if not all(s.agreed for s in draft.supporters):
        words = "避難支援をする人の承諾を記録してください。"
        gaps.append(Missing(PlanStep.SUPPORTERS, "supporter_agreed", words))
    return gaps


_Rule = tuple[PlanStep, str, str, Callable[[PlanDraft], bool]]
#: (step, code, message, present?)
_RULES: tuple[_Rule, ...] = (
    (PlanStep.PERSON, "making_agreed_on", "計画を作ることへの同意を記録してください。",
     lambda d: d.making_agreed_on is not None),
    (PlanStep.PERSON, "phone", "電話番号その他の連絡先を入力してください。",
     lambda d: bool(d.phone.strip())),
    (PlanStep.PERSON, "emergency_contacts", "緊急連絡先をひとつ以上入力してください。",
     lambda d: any(c.strip() for c in d.emergency_contacts)),
    (PlanStep.NEEDS, "needs", "必要な支援を選んでください（ない場合も「ない」を選びます）。",
     lambda d: d.needs_answered),
    (PlanStep.NEEDS, "communication", "意思の伝え方を入力してください。",
     lambda d: bool(d.communication.strip())),
    (PlanStep.NEEDS, "power_minutes", "電源が必要な機械が、電源なしで動く時間を入力してください。",
     lambda d: not d.power_device or d.power_minutes is not None),
    (PlanStep.HOME, "building", "建物の種類と階を入力してください。",
     lambda d: bool(d.building.strip())),
    (PlanStep.HOME, "bedroom", "寝室の位置を入力してください。",
     lambda d: bool(d.bedroom.strip())),
    (PlanStep.HOME, "hazards_at_home", "自宅の災害リスクを地図で確かめてください。",
     lambda d: d.hazards_at_home is not None),
    (PlanStep.SIGNAL, "trigger_level",
     "避難を始める警戒レベルを選んでください（高齢者等避難は警戒レベル3です）。",
     lambda d: d.trigger_level is not None),
    (PlanStep.SIGNAL, "trigger_too_late",
     "避難を始めるのは警戒レベル3までにしてください。レベル4では間に合わないおそれがあります。",
     lambda d: d.trigger_level is None or 1 <= d.trigger_level <= 3),
    (PlanStep.SIGNAL, "carry", "持ち物をひとつ以上入力してください。",
     lambda d: any(c.strip() for c in d.carry)),
    (PlanStep.SUBMIT, "author", "作成した人を入力してください。",
     lambda d: bool(d.author.strip())),
    (PlanStep.SUBMIT, "read_back_to_person", "内容を本人か家族に読んで確かめてください。",
     lambda d: d.read_back_to_person),
)


def missing(draft: PlanDraft) -> tuple[Missing, ...]:
    """Everything that must be filled in before submitting, in the order of the steps."""
    gaps = [Missing(step, code, words) for step, code, words, ok in _RULES if not ok(draft)]
    gaps += _destination_gaps(draft) + _supporter_gaps(draft)
    return tuple(sorted(gaps, key=lambda gap: gap.step))


def steps_done(draft: PlanDraft) -> frozenset[PlanStep]:
    """Steps without a gap, for the hub (「手順 3／7 入力ずみ」)."""
    return frozenset(PlanStep) - {gap.step for gap in missing(draft)}
