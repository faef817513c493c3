"""Consent as facts, and what stands for one purpose, one kind of recipient, one instant.

Owns the consent record (R4), the separation of making a plan from sharing it (R3), the reading
of a history into one standing, the written notice behind presumed consent (R1), and the
strike-out notices that a withdrawal sends to holders (R5).
Refuses: a consent without who, when, how, form version and explanation; a proxy without a
relation; a date without a zone.  Where facts collide, the more protective one wins.
Source: 災害対策基本法 第49条の11②, 第49条の14, 第49条の15②; rules R1, R3, R4, R5.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from evacuation.domain.recipients import RecipientKind
from registry.domain.errors import Refused


class Purpose(StrEnum):
    """What is consented to. Three separate facts, never one box (R3)."""

    ROSTER_SHARING = "roster_sharing"
    PLAN_MAKING = "plan_making"
    PLAN_SHARING = "plan_sharing"

    @property
    def label(self) -> str:
        """Official Japanese term."""
        return {
            Purpose.ROSTER_SHARING: "名簿情報の平常時の提供",
            Purpose.PLAN_MAKING: "個別避難計画の作成",
            Purpose.PLAN_SHARING: "個別避難計画情報の平常時の提供",
        }[self]


class Answer(StrEnum):
    """同意・不同意・撤回."""

    AGREED = "agreed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Means(StrEnum):
    """How it was given (R4): 書面・口頭・電子."""

    PAPER = "paper"
    ORAL = "oral"
    ELECTRONIC = "electronic"


class Standing(StrEnum):
    """What the history amounts to for one purpose and kind."""

    IN_FORCE = "in_force"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    OUT_OF_SCOPE = "out_of_scope"
    NO_ANSWER = "no_answer"


class ConsentRefused(Refused):
    """The record lacks something R4 asks for; ``fields`` names each input."""

    code = "consent_incomplete"
    message = "同意の記録に足りない項目があります。"


ALL_KINDS: frozenset[RecipientKind] = frozenset(RecipientKind)


@dataclass(frozen=True, slots=True)
class Proxy:
    """代理人: who answered for the person, in which relation, and why."""

    name: str
    relation: str
    reason: str


@dataclass(frozen=True, slots=True)
class ConsentFact:
    """One answer, never changed afterwards (R4).

    ``scope`` is the kinds of recipient the answer speaks about; for ``PLAN_MAKING`` it is
    ignored.  A new ``AGREED`` form replaces the old one: a kind it leaves out is out of scope.
    """

    person: str
    purpose: Purpose
    answer: Answer
    at: datetime
    means: Means
    recorded_by: str
    form_version: str
    explained_normal: bool = False
    explained_disaster: bool = False
    scope: frozenset[RecipientKind] = ALL_KINDS
    proxy: Proxy | None = None


def checked(fact: ConsentFact) -> ConsentFact:
    """Return ``fact`` if it holds all that R4 asks for; raise ``ConsentRefused`` otherwise."""
    missing: dict[str, str] = {}
    if not fact.person.strip():
        missing["person"] = "だれの同意かを選んでください。"
    if fact.at.tzinfo is None:
        missing["at"] = "同意した日時を入力してください（時差の情報が必要です）。"
    if not fact.recorded_by.strip():
        missing["recorded_by"] = "受け付けた職員の記録が必要です。"
    if not fact.form_version.strip():
        missing["form_version"] = "同意書の版を入力してください。"
    if fact.answer is Answer.AGREED:
        if not fact.explained_normal:
            missing["explained_normal"] = "ふだんの提供についての説明を確認してください。"
        if not fact.explained_disaster:
            missing["explained_disaster"] = "災害時の提供についての説明を確認してください。"
    if fact.purpose is not Purpose.PLAN_MAKING and not fact.scope:
        missing["scope"] = "提供先をひとつ以上選んでください。"
    if fact.proxy is not None:
        parts = (fact.proxy.name, fact.proxy.relation, fact.proxy.reason)
        if not all(part.strip() for part in parts):
            missing["proxy"] = "代理人の氏名・続柄・代理の理由を入力してください。"
    if missing:
        raise ConsentRefused(fields=missing)
    return fact


#: At one and the same instant the later entry of this list wins: protection first.
_AT_SAME_INSTANT = (Answer.AGREED, Answer.REFUSED, Answer.WITHDRAWN)


def standing(
    facts: Iterable[ConsentFact],
    *,
    person: str,
    purpose: Purpose,
    kind: RecipientKind | None,
    at: datetime,
) -> Standing:
    """What ``person``'s history amounts to at ``at`` for ``purpose`` and ``kind``.

    ``kind`` is None for ``PLAN_MAKING`` only.  Order of arrival does not matter.  Facts of other
    people, other purposes or later instants are not read.
    """
    if (kind is None) != (purpose is Purpose.PLAN_MAKING):
        raise ValueError("kind is required except for PLAN_MAKING, where it must be None")
    mine = [f for f in facts if f.person == person and f.purpose is purpose and f.at <= at]
    mine.sort(key=lambda f: (f.at, _AT_SAME_INSTANT.index(f.answer)))
    now = Standing.NO_ANSWER
    for fact in mine:
        if kind is None or kind in fact.scope:
            now = _TO_STANDING[fact.answer]
        elif fact.answer is Answer.AGREED and now in (Standing.IN_FORCE, Standing.NO_ANSWER):
            now = Standing.OUT_OF_SCOPE
    return _guard_ties(mine, kind, now)


_TO_STANDING = {
    Answer.AGREED: Standing.IN_FORCE,
    Answer.REFUSED: Standing.REFUSED,
    Answer.WITHDRAWN: Standing.WITHDRAWN,
}


def _guard_ties(
    mine: list[ConsentFact], kind: RecipientKind | None, now: Standing
) -> Standing:
    """Two agreements of the same instant, one leaving the kind out: the narrower one holds."""
    if now is not Standing.IN_FORCE or kind is None:
        return now
    last = mine[-1].at
    if any(f.at == last and kind not in f.scope and f.answer is Answer.AGREED for f in mine):
        return Standing.OUT_OF_SCOPE
    return now


@dataclass(frozen=True, slots=True)
class Notice:
    """書面による事前通知: silence counts only after it, and only past its deadline (R1)."""

    person: str
    sent_on: date
    answer_by: date
    form_version: str
    returned_undelivered: bool = False

    def silence_counts(self, on: date) -> bool:
        """True when the letter arrived, gave time to answer, and that time is over."""
        return (
            not self.returned_undelivered
            and bool(self.form_version.strip())
            and self.sent_on < self.answer_by < on
        )


@dataclass(frozen=True, slots=True)
class CirculatingCopy:
    """A numbered copy outside, with the people in it."""

    copy_no: str
    office: str
    kind: RecipientKind
    people: frozenset[str]


@dataclass(frozen=True, slots=True)
class StrikeOut:
    """削除依頼: tell ``office`` to strike ``person`` out of copy ``copy_no`` (R5)."""

    copy_no: str
    office: str
    person: str
    sentence: str


def strike_outs(
    withdrawal: ConsentFact, copies: Iterable[CirculatingCopy]
) -> tuple[StrikeOut, ...]:
    """One notice per copy in circulation that names the person, for the kinds withdrawn (R5).

    Answers other than a withdrawal or a refusal give none.
    """
    if withdrawal.answer is Answer.AGREED or withdrawal.purpose is Purpose.PLAN_MAKING:
        return ()
    return tuple(
        StrikeOut(
            copy.copy_no,
            copy.office,
            withdrawal.person,
            f"副本{copy.copy_no}の1名について提供を取りやめました。該当の欄を線で消してください。",
        )
        for copy in sorted(copies, key=lambda c: c.copy_no)
        if withdrawal.person in copy.people and copy.kind in withdrawal.scope
    )
