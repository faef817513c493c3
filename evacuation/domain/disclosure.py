"""Which fields of a person go to whom, on what ground: the one place that decides.

Owns ``decide`` (one row of a roster edition) and ``decide_plan`` (one plan).  Refuses by
default: whatever is unknown, out of area, out of the 地域防災計画, protected, refused,
withdrawn or merely unanswered stays, each time with a code and a sentence.
Source: 災害対策基本法 第49条の11②③, 第49条の15②③; rules R1, R2, R7, R8, R10, R11.
See ``docs/algorithms/disclosure.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from evacuation.domain.consent import ConsentFact, Purpose, Standing, standing
from evacuation.domain.emergency import EmergencyScope
from evacuation.domain.parties import NamedSupporter, Recipient, Subject, local_day
from evacuation.domain.recipients import (
    CLINICAL_COLUMNS,
    COLUMN_RULES,
    NEIGHBOUR_KINDS,
    PLAN_COLUMNS,
    Column,
    ColumnRule,
    RecipientKind,
)
from registry.domain.errors import Refused


class Mode(StrEnum):
    """提供の根拠（市町村の設定）."""

    OPT_IN = "opt_in"
    ORDINANCE_NO_CONSENT = "ordinance_no_consent"
    PRESUMED_CONSENT = "presumed_consent"


class DisclosureRefused(Refused):
    """A setting would disclose without ground."""

    code = "disclosure_setting_invalid"
    message = "名簿の提供の設定が正しくありません。"


@dataclass(frozen=True, slots=True)
class ModeSetting:
    """The mode, with the article it rests on and its first day.

    Raises ``DisclosureRefused`` without a citation: an ordinance nobody can name is none.
    """

    mode: Mode
    citation: str
    in_force_from: date = date.min

    def __post_init__(self) -> None:
        if not self.citation.strip():
            raise DisclosureRefused(
                "提供の根拠（条例名と条番号など）を入力してください。",
                fields={"citation": "根拠を入力してください。"},
            )


LAW_DEFAULT = ModeSetting(Mode.OPT_IN, "災害対策基本法第49条の11第2項本文")


class Ground(StrEnum):
    """Why, for or against. The value is the stable code."""

    CONSENT = "consent"
    ORDINANCE = "ordinance"
    PRESUMED = "presumed"
    EMERGENCY = "emergency"
    NOT_ON_ROSTER = "not_on_roster"
    RECIPIENT_NOT_IN_PLAN = "recipient_not_in_plan"
    NO_COLUMN_RULE = "no_column_rule"
    TERM_ENDED = "term_ended"
    AREA_UNKNOWN = "area_unknown"
    OUT_OF_AREA = "out_of_area"
    PROTECTED = "protected"
    MODE_NOT_IN_FORCE = "mode_not_in_force"
    NO_ANSWER = "no_answer"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    OUT_OF_SCOPE = "out_of_scope"
    NOTICE_PENDING = "notice_pending"
    PLAN_NOT_MADE = "plan_not_made"
    SUPPORTER_NO_CONSENT = "supporter_no_consent"
    SUPPORTER_PROTECTED = "supporter_protected"


#: The only grounds on which a row leaves.
INCLUDING: frozenset[Ground] = frozenset(
    {Ground.CONSENT, Ground.ORDINANCE, Ground.PRESUMED, Ground.EMERGENCY}
)

_SENTENCES: Mapping[Ground, str] = {
    Ground.CONSENT: "本人の同意があるため提供します",
    Ground.ORDINANCE: "条例の定めがあり、拒否の申出がないため提供します",
    Ground.PRESUMED: "書面で通知し、期限までに拒否の申出がないため提供します",
    Ground.EMERGENCY: "災害時の宣言により、同意によらず提供します",
    Ground.NOT_ON_ROSTER: "避難行動要支援者名簿に登載されていません",
    Ground.RECIPIENT_NOT_IN_PLAN: "地域防災計画に定めた提供先ではありません",
    Ground.NO_COLUMN_RULE: "この提供先に渡してよい項目が定められていません",
    Ground.TERM_ENDED: "提供先の任期が終わっているか、まだ始まっていません",
    Ground.AREA_UNKNOWN: "住まいの地区が分からないため提供できません",
    Ground.OUT_OF_AREA: "提供先の担当地区の外です",
    Ground.PROTECTED: "要照会です。職員が確認するまで提供できません",
    Ground.MODE_NOT_IN_FORCE: "提供の根拠となる定めがまだ施行されていません",
    Ground.NO_ANSWER: "同意の回答がありません",
    Ground.REFUSED: "提供を希望しないとの申出があります",
    Ground.WITHDRAWN: "同意が撤回されています",
    Ground.OUT_OF_SCOPE: "この提供先は同意の範囲にふくまれていません",
    Ground.NOTICE_PENDING: "書面の通知がまだか、回答の期限が過ぎていません",
    Ground.PLAN_NOT_MADE: "提供できる個別避難計画がありません",
    Ground.SUPPORTER_NO_CONSENT: "避難支援等実施者の同意がそろっていません",
    Ground.SUPPORTER_PROTECTED: "避難支援等実施者に要照会の方がいます",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """``include`` and the ground for it; ``columns`` is empty unless included.

    ``reason`` is one Japanese sentence that ends with the code, e.g.
    「提供先の担当地区の外です（out_of_area）」.  It names no person.
    """

    include: bool
    ground: Ground
    reason: str
    columns: frozenset[Column]

    @property
    def code(self) -> str:
        """The stable code."""
        return self.ground.value


def _answer(ground: Ground, columns: frozenset[Column] = frozenset(), note: str = "") -> Decision:
    include = ground in INCLUDING
    sentence = f"{_SENTENCES[ground]}{note}（{ground.value}）"
    return Decision(include, ground, sentence, columns if include else frozenset())


def checked_columns(
    rules: Mapping[RecipientKind, ColumnRule],
) -> Mapping[RecipientKind, ColumnRule]:
    """Return a city's own table if it keeps R8; raise ``DisclosureRefused`` otherwise."""
    for kind, rule in rules.items():
        if not rule.citation.strip():
            raise DisclosureRefused(f"{kind.label}に渡す項目の根拠を入力してください。")
        leaked = (rule.normal | rule.emergency) & CLINICAL_COLUMNS
        if kind in NEIGHBOUR_KINDS and leaked:
            names = "・".join(sorted(c.label for c in leaked))
            raise DisclosureRefused(
                f"{kind.label}には「{names}」を渡せません。", code="clinical_column_for_neighbours"
            )
    return rules


def _gate(
    subject: Subject,
    recipient: Recipient,
    rules: Mapping[RecipientKind, ColumnRule],
    at: datetime,
) -> Ground | None:
    """What no consent and no disaster overrides (R7)."""
    if not subject.on_roster:
        return Ground.NOT_ON_ROSTER
    if not recipient.in_plan:
        return Ground.RECIPIENT_NOT_IN_PLAN
    if recipient.kind not in rules:
        return Ground.NO_COLUMN_RULE
    if not recipient.in_term(local_day(at)):
        return Ground.TERM_ENDED
    if not subject.areas:
        return Ground.AREA_UNKNOWN
    if subject.areas.isdisjoint(recipient.areas):
        return Ground.OUT_OF_AREA
    return None


_AGAINST = {
    Standing.REFUSED: Ground.REFUSED,
    Standing.WITHDRAWN: Ground.WITHDRAWN,
    Standing.OUT_OF_SCOPE: Ground.OUT_OF_SCOPE,
}


def _normal(subject: Subject, recipient: Recipient, mode: ModeSetting, at: datetime) -> Ground:
    """Normal times: R1, R10, R11."""
    if subject.protected_for(recipient.kind, at, None):
        return Ground.PROTECTED
    now = standing(
        subject.facts,
        person=subject.person,
        purpose=Purpose.ROSTER_SHARING,
        kind=recipient.kind,
        at=at,
    )
    if now is Standing.IN_FORCE:
        return Ground.CONSENT
    if now in _AGAINST:
        return _AGAINST[now]
    if mode.mode is Mode.OPT_IN:
        return Ground.NO_ANSWER
    if local_day(at) < mode.in_force_from:
        return Ground.MODE_NOT_IN_FORCE
    if mode.mode is Mode.ORDINANCE_NO_CONSENT:
        return Ground.ORDINANCE
    notice = subject.notice
    if notice and notice.person == subject.person and notice.silence_counts(local_day(at)):
        return Ground.PRESUMED
    return Ground.NOTICE_PENDING


def _emergency_opens(
    subject: Subject, recipient: Recipient, at: datetime, emergency: EmergencyScope | None
) -> bool:
    return (
        emergency is not None
        and emergency.open_at(at)
        and recipient.kind in emergency.kinds
        and not subject.areas.isdisjoint(emergency.areas)
    )


def decide(
    subject: Subject,
    recipient: Recipient,
    *,
    mode: ModeSetting,
    at: datetime,
    emergency: EmergencyScope | None = None,
    plan: Decision | None = None,
    rules: Mapping[RecipientKind, ColumnRule] = COLUMN_RULES,
) -> Decision:
    """Whether one roster row goes to one recipient, with which columns (R1, R7, R8, R11).

    ``at`` is an aware instant in the city's zone.  ``emergency`` is the open disaster, if any.
    ``plan`` is the answer of ``decide_plan`` for the same person and recipient: supporter and
    destination appear only when it includes them (R2).  Never raises for a "no".
    """
    blocked = _gate(subject, recipient, rules, at)
    if blocked is not None:
        return _answer(blocked)
    rule = rules[recipient.kind]
    ground = _normal(subject, recipient, mode, at)
    opens = _emergency_opens(subject, recipient, at, emergency)
    columns: frozenset[Column] = frozenset()
    if ground in INCLUDING:
        columns = rule.normal
    if opens and emergency is not None:
        if not subject.protected_for(recipient.kind, at, emergency.key):
            columns |= rule.emergency & emergency.columns
            ground = ground if ground in INCLUDING else Ground.EMERGENCY
        elif ground not in INCLUDING:
            ground = Ground.PROTECTED
    columns -= PLAN_COLUMNS - (plan.columns if plan is not None else frozenset())
    note = f"：{mode.citation}" if ground in (Ground.ORDINANCE, Ground.PRESUMED) else ""
    return _answer(ground, columns, note)


def decide_plan(
    subject: Subject,
    supporters: Iterable[NamedSupporter],
    recipient: Recipient,
    *,
    at: datetime,
    approved: bool,
    emergency: EmergencyScope | None = None,
    rules: Mapping[RecipientKind, ColumnRule] = COLUMN_RULES,
) -> Decision:
    """Whether a whole plan goes to one recipient: the person and every supporter, or nothing (R2).

    The mode plays no part: R2 asks for consents also where an ordinance opens the roster.
    ``approved``: an approved version exists.  In an open emergency consent is not needed
    (第49条の15③), protection of the person or of a supporter still is.
    """
    blocked = _gate(subject, recipient, rules, at)
    if blocked is not None:
        return _answer(blocked)
    if not approved:
        return _answer(Ground.PLAN_NOT_MADE)
    named = tuple(supporters)
    rule = rules[recipient.kind]
    ground = _plan_normal(subject, named, recipient.kind, at)
    columns = rule.normal & PLAN_COLUMNS if ground is Ground.CONSENT else frozenset()
    if emergency is not None and _emergency_opens(subject, recipient, at, emergency):
        kept = _protection(subject, named, recipient.kind, at, emergency.key)
        if kept is None:
            columns |= rule.emergency & emergency.columns & PLAN_COLUMNS
        if ground is not Ground.CONSENT:
            ground = kept or Ground.EMERGENCY
    return _answer(ground, columns)


def _protection(
    subject: Subject,
    named: tuple[NamedSupporter, ...],
    kind: RecipientKind,
    at: datetime,
    emergency: str | None,
) -> Ground | None:
    if subject.protected_for(kind, at, emergency):
        return Ground.PROTECTED
    for one in named:
        as_subject = Subject(one.supporter, frozenset(), protections=one.protections)
        if as_subject.protected_for(kind, at, emergency):
            return Ground.SUPPORTER_PROTECTED
    return None


def _plan_normal(
    subject: Subject, named: tuple[NamedSupporter, ...], kind: RecipientKind, at: datetime
) -> Ground:
    kept = _protection(subject, named, kind, at, None)
    if kept is not None:
        return kept

    def of(person: str, facts: tuple[ConsentFact, ...]) -> Standing:
        return standing(facts, person=person, purpose=Purpose.PLAN_SHARING, kind=kind, at=at)

    own = of(subject.person, subject.facts)
    if own is not Standing.IN_FORCE:
        return _AGAINST.get(own, Ground.NO_ANSWER)
    if any(of(s.supporter, s.facts) is not Standing.IN_FORCE for s in named):
        return Ground.SUPPORTER_NO_CONSENT
    return Ground.CONSENT
