"""The scope of one declared disaster, as far as disclosure needs it.

Owns: what an officer must state to release without consent, the confirmation by a second
officer, and the instant at which access is open or closed.  Refuses: a release without officer,
reason, area, items, recipients, start and end; a confirmation by the declarer; anything longer
than 72 hours at a time.  Never made from weather data: there is no such input.
Source: 災害対策基本法 第49条の11③, 第49条の15③; rules R6, R11.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from evacuation.domain.recipients import Column, RecipientKind
from registry.domain.errors import Refused

CONFIRM_WITHIN = timedelta(minutes=15)
LONGEST = timedelta(hours=72)


class EmergencyRefused(Refused):
    """The declaration or its confirmation is not complete."""

    code = "emergency_incomplete"
    message = "災害時の提供を始めるために必要な項目が足りません。"


@dataclass(frozen=True, slots=True)
class EmergencyScope:
    """One ``Emergency`` (災害対応): who declared what, for whom, from when to when."""

    key: str
    declared_by: str
    declared_at: datetime
    reason: str
    areas: frozenset[str]
    kinds: frozenset[RecipientKind]
    columns: frozenset[Column]
    starts_at: datetime
    ends_at: datetime
    confirmed_by: str | None = None
    confirmed_at: datetime | None = None
    confirm_first: bool = False

    def open_at(self, at: datetime) -> bool:
        """True while access is released: declared, inside its term, and confirmed in time.

        Unconfirmed, it stays open for 15 minutes after the declaration, or not at all where
        ``confirm_first`` is set.  A later confirmation does not reopen what was recalled.
        """
        if not max(self.starts_at, self.declared_at) <= at < self.ends_at:
            return False
        if self._confirmed_by(at):
            return True
        return not self.confirm_first and at < self.declared_at + CONFIRM_WITHIN

    def _confirmed_by(self, at: datetime) -> bool:
        if self.confirmed_at is None or self.confirmed_by in (None, "", self.declared_by):
            return False
        in_time = self.confirm_first or self.confirmed_at < self.declared_at + CONFIRM_WITHIN
        return in_time and self.confirmed_at <= at


def declared(scope: EmergencyScope) -> EmergencyScope:
    """Return ``scope`` if it is complete; raise ``EmergencyRefused`` naming each gap (R6)."""
    missing: dict[str, str] = {}
    if not scope.declared_by.strip():
        missing["declared_by"] = "宣言する職員を記録してください。"
    if not scope.reason.strip():
        missing["reason"] = "同意なしで提供する理由を入力してください。"
    if not scope.areas:
        missing["areas"] = "対象の地区を選んでください。"
    if not scope.kinds:
        missing["kinds"] = "提供先を選んでください。"
    if not scope.columns:
        missing["columns"] = "提供する項目を選んでください。"
    times = (scope.declared_at, scope.starts_at, scope.ends_at)
    if any(t.tzinfo is None for t in times):
        missing["starts_at"] = "日時には時差の情報が必要です。"
    elif scope.ends_at <= scope.starts_at:
        missing["ends_at"] = "終わりの日時は始まりより後にしてください。"
    elif scope.ends_at - scope.starts_at > LONGEST:
        missing["ends_at"] = "一度に72時間をこえることはできません。延長は後で行えます。"
    if missing:
        raise EmergencyRefused(fields=missing)
    return scope


def confirmed(scope: EmergencyScope, *, by: str, at: datetime) -> EmergencyScope:
    """The same scope, confirmed by a second officer; the declarer may not confirm."""
    if not by.strip() or by == scope.declared_by:
        raise EmergencyRefused(
            "宣言した職員とは別の職員が確認してください。", code="emergency_same_officer"
        )
    if not scope.confirm_first and at >= scope.declared_at + CONFIRM_WITHIN:
        raise EmergencyRefused(
            "15分以内に確認がなく、すでに閉じています。あらためて宣言してください。",
            code="emergency_confirm_late",
        )
    if at < scope.declared_at:
        raise EmergencyRefused("確認は宣言より後に行ってください。", code="emergency_too_early")
    return replace(scope, confirmed_by=by, confirmed_at=at)


def extended(scope: EmergencyScope, *, until: datetime, at: datetime) -> EmergencyScope:
    """The same scope with a later end, at most 72 hours from ``at``; not after its end."""
    if at >= scope.ends_at:
        raise EmergencyRefused("すでに終わっています。あらためて宣言してください。",
                               code="emergency_ended")
    if not scope.ends_at < until <= at + LONGEST:
        raise EmergencyRefused("延長は、いまから72時間以内の日時にしてください。",
                               code="emergency_too_long")
    return replace(scope, ends_at=until)
