"""The life of an individual evacuation plan (個別避難計画): states, who may, versions, reviews.

Owns the table of transitions, the rule that the approver is not the author, version numbers,
review causes with due dates, and the sentences every print carries (R14).  Refuses: a step that
does not follow, a step by the wrong role, approval by the author, a change to an approved
version, a print without both sentences.
Source: 災害対策基本法 第49条の14–17; 取組指針; rules R3, R14, R15.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from evacuation.domain.custody import plus_months
from registry.domain.errors import Forbidden, Refused


class PlanState(StrEnum):
    """計画の状態."""

    NOT_STARTED = "not_started"
    CONSENT_ASKED = "consent_asked"
    CONSENTED = "consented"
    ASSIGNED = "assigned"
    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    APPROVED = "approved"
    SHARED = "shared"
    REVIEW_DUE = "review_due"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        """Word for a screen."""
        return _STATE_LABELS[self]


_STATE_LABELS: Mapping[PlanState, str] = {
    PlanState.NOT_STARTED: "計画なし",
    PlanState.CONSENT_ASKED: "作成の同意を確認中",
    PlanState.CONSENTED: "作成に同意",
    PlanState.ASSIGNED: "担当者が決定",
    PlanState.DRAFT: "下書き",
    PlanState.SUBMITTED: "承認待ち",
    PlanState.RETURNED: "差し戻し",
    PlanState.APPROVED: "承認ずみ",
    PlanState.SHARED: "共有ずみ",
    PlanState.REVIEW_DUE: "見直しの時期",
    PlanState.WITHDRAWN: "取り下げ",
}


class PlanAct(StrEnum):
    """計画の手続き."""

    ASK_CONSENT = "ask_consent"
    RECORD_CONSENT = "record_consent"
    ASSIGN = "assign"
    BEGIN = "begin"
    SUBMIT = "submit"
    RETURN = "return"
    APPROVE = "approve"
    SHARE = "share"
    FALL_DUE = "fall_due"
    REVISE = "revise"
    WITHDRAW = "withdraw"
    REOPEN = "reopen"


class PlanRole(StrEnum):
    """Who acts, as the plan sees them. ``SYSTEM`` is the calendar and the import."""

    AUTHOR = "author"
    OFFICER = "officer"
    APPROVER = "approver"
    SYSTEM = "system"


class PlanRefused(Refused):
    """The step is not possible now."""

    code = "plan_step_refused"
    message = "この計画では、いまこの手続きはできません。"


class PlanForbidden(Forbidden):
    """This role may not take the step."""

    code = "plan_role_forbidden"
    message = "この手続きをする権限がありません。"


_S, _A, _R = PlanState, PlanAct, PlanRole
_WRITERS = frozenset({_R.AUTHOR, _R.OFFICER})
_CITY = frozenset({_R.OFFICER})

#: (from, act) → (to, who may). What is not here does not happen.
TRANSITIONS: Mapping[tuple[PlanState, PlanAct], tuple[PlanState, frozenset[PlanRole]]] = {
    (_S.NOT_STARTED, _A.ASK_CONSENT): (_S.CONSENT_ASKED, _WRITERS),
    (_S.CONSENT_ASKED, _A.RECORD_CONSENT): (_S.CONSENTED, _WRITERS),
    (_S.CONSENTED, _A.ASSIGN): (_S.ASSIGNED, _CITY),
    (_S.ASSIGNED, _A.ASSIGN): (_S.ASSIGNED, _CITY),
    (_S.ASSIGNED, _A.BEGIN): (_S.DRAFT, _WRITERS),
    (_S.DRAFT, _A.SUBMIT): (_S.SUBMITTED, _WRITERS),
    (_S.SUBMITTED, _A.RETURN): (_S.RETURNED, frozenset({_R.APPROVER})),
    (_S.RETURNED, _A.BEGIN): (_S.DRAFT, _WRITERS),
    (_S.SUBMITTED, _A.APPROVE): (_S.APPROVED, frozenset({_R.APPROVER})),
    (_S.APPROVED, _A.SHARE): (_S.SHARED, _CITY | {_R.SYSTEM}),
    **{
        (state, _A.FALL_DUE): (_S.REVIEW_DUE, _CITY | {_R.SYSTEM})
        for state in (_S.APPROVED, _S.SHARED)
    },
    (_S.REVIEW_DUE, _A.REVISE): (_S.DRAFT, _WRITERS),
    **{
        (state, _A.REVISE): (_S.DRAFT, _WRITERS) for state in (_S.APPROVED, _S.SHARED)
    },
    **{
        (state, _A.WITHDRAW): (_S.WITHDRAWN, _CITY)
        for state in PlanState
        if state not in (_S.WITHDRAWN, _S.NOT_STARTED)
    },
    (_S.WITHDRAWN, _A.REOPEN): (_S.CONSENT_ASKED, _CITY),
}


@dataclass(frozen=True, slots=True)
class Step:
    """What a transition needs to know.

    ``author``: who wrote the version; ``actor``: who acts; ``making_agreed``: consent to making
    is in force (R3); ``gaps``: how many required items are missing; ``reason``: for RETURN and
    WITHDRAW.
    """

    actor: str
    role: PlanRole
    author: str = ""
    making_agreed: bool = False
    gaps: int = 0
    reason: str = ""


def move(state: PlanState, act: PlanAct, step: Step) -> PlanState:
    """The state after ``act``.

    Raises ``PlanRefused`` (step does not follow, self-approval, gaps, no consent to making, no
    reason) or ``PlanForbidden`` (role).
    """
    found = TRANSITIONS.get((state, act))
    if found is None:
        raise PlanRefused(f"「{state.label}」の計画では、この手続きはできません。")
    after, roles = found
    if step.role not in roles:
        raise PlanForbidden
    if not step.actor.strip():
        raise PlanRefused("手続きをした人の記録が必要です。", code="plan_actor_missing")
    if act in (PlanAct.APPROVE, PlanAct.RETURN) and not step.author.strip():
        raise PlanRefused("作成者の記録がありません。", code="plan_author_missing")
    if act is PlanAct.APPROVE and step.actor == step.author:
        raise PlanRefused(
            "作成した人は承認できません。別の人が承認してください。", code="plan_self_approval"
        )
    needs_consent = (PlanAct.RECORD_CONSENT, PlanAct.SUBMIT, PlanAct.APPROVE)
    if act in needs_consent and not step.making_agreed:
        raise PlanRefused("計画を作ることへの本人の同意がありません。", code="plan_no_consent")
    if act in (PlanAct.SUBMIT, PlanAct.APPROVE) and step.gaps:
        raise PlanRefused(
            f"入力が必要な項目が{step.gaps}つ残っています。", code="plan_items_missing"
        )
    if act in (PlanAct.RETURN, PlanAct.WITHDRAW) and not step.reason.strip():
        raise PlanRefused("理由を入力してください。", code="plan_reason_missing")
    return after


def may(state: PlanState, role: PlanRole) -> frozenset[PlanAct]:
    """The acts a role could take now, for showing buttons; ``move`` still decides."""
    return frozenset(
        act for (at, act), (_, roles) in TRANSITIONS.items() if at is state and role in roles
    )


def next_version(approved: Iterable[int]) -> int:
    """Number of the next version: 1, 2, 3 …; ``ValueError`` when the given ones have a gap."""
    numbers = sorted(approved)
    if numbers != list(range(1, len(numbers) + 1)):
        raise ValueError("approved versions must be 1..n without gaps")
    return len(numbers) + 1


class ReviewCause(StrEnum):
    """見直しのきっかけ."""

    ANNUAL = "annual"
    MOVED = "moved"
    CARE_LEVEL_CHANGED = "care_level_changed"
    FACILITY = "facility"
    SUPPORTER_WITHDREW = "supporter_withdrew"
    SHELTER_CLOSED = "shelter_closed"
    NEW_HAZARD_MAP = "new_hazard_map"
    DRILL_FINDING = "drill_finding"
    DISASTER_USE = "disaster_use"

    @property
    def label(self) -> str:
        """Word for a screen."""
        return {
            ReviewCause.ANNUAL: "前回の承認から1年",
            ReviewCause.MOVED: "転居",
            ReviewCause.CARE_LEVEL_CHANGED: "要介護度の変更",
            ReviewCause.FACILITY: "施設への入所・入院",
            ReviewCause.SUPPORTER_WITHDREW: "避難支援等実施者の辞退",
            ReviewCause.SHELTER_CLOSED: "避難先の廃止・休止",
            ReviewCause.NEW_HAZARD_MAP: "ハザードマップの改定",
            ReviewCause.DRILL_FINDING: "訓練で分かったこと",
            ReviewCause.DISASTER_USE: "災害での使用",
        }[self]


@dataclass(frozen=True, slots=True)
class Review:
    """A review that falls due on ``due_on`` because of ``cause``."""

    cause: ReviewCause
    due_on: date

    @property
    def sentence(self) -> str:
        """「要介護度の変更のため、4月2日から見直しの時期です」."""
        day = f"{self.due_on.month}月{self.due_on.day}日"
        return f"{self.cause.label}のため、{day}から見直しの時期です"


def reviews_due(
    approved_on: date, events: Iterable[tuple[ReviewCause, date]], *, on: date
) -> tuple[Review, ...]:
    """Reviews due on or before ``on``, earliest first.

    A year after the approval, and at once on each event after the approval (an event of the
    approval day itself counts: the author may not have known).
    """
    due = [Review(ReviewCause.ANNUAL, plus_months(approved_on, 12))]
    due += [
        Review(cause, day)
        for cause, day in events
        if cause is not ReviewCause.ANNUAL and day >= approved_on
    ]
    order = list(ReviewCause)
    hits = {r for r in due if r.due_on <= on}
    return tuple(sorted(hits, key=lambda r: (r.due_on, order.index(r.cause))))


def next_review_on(approved_on: date, events: Iterable[tuple[ReviewCause, date]]) -> date:
    """The earliest day a review is due; never later than a year after the approval."""
    days = [day for cause, day in events if cause is not ReviewCause.ANNUAL and day >= approved_on]
    return min([plus_months(approved_on, 12), *days])


#: R14: on every plan print, word for word.
NO_GUARANTEE = "この計画は、災害のときに必ず助けが来ることを保証するものではありません。"
NO_LIABILITY = (
    "支援する方は、ご自身と家族の安全を第一に、できる範囲で手助けをします。"
    "助けられなかったときも、法的な責任や義務を負いません。"
)
PRINT_SENTENCES: tuple[str, str] = (NO_GUARANTEE, NO_LIABILITY)


def require_print_sentences(text: str) -> None:
    """Raise ``PlanRefused`` unless the text of a print holds both sentences (R14).

    White space is ignored, because a PDF breaks lines anywhere.
    """
    squeezed = "".join(text.split())
    if any("".join(sentence.split()) not in squeezed for sentence in PRINT_SENTENCES):
        raise PlanRefused(
            "計画書に必要な注意書きがありません。", code="plan_print_sentence_missing"
        )


def board_label(state: PlanState | None) -> str:
    """Word for the disaster board; whoever has no usable plan reads 「計画なし」 (R15)."""
    usable = (PlanState.APPROVED, PlanState.SHARED, PlanState.REVIEW_DUE)
    if state in usable:
        return "計画あり"
    return PlanState.NOT_STARTED.label
