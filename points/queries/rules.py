"""The history of a programme's rules for those who write them: used or not, drafts, years.

Owns what the screens and the machine face of rules read: rule sets with their standing, who
made them and why, drafts with what still keeps them from being adopted, years with whether
their terms may still change.  Constant numbers of queries.  Refuses those without
``rules.manage``; there is nothing about anybody here.
Source: P2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Max

from points.domain.rule_forms import Form
from points.domain.rules import RuleSet, YearTerms
from points.models import Account, AwardDecision, Programme, ProgrammeYear, RuleDraft
from points.models import RuleSet as RuleSetRow
from points.queries.rulebook import rule_from, terms_from
from registry import access
from registry.access import Scope
from registry.domain.errors import NotFound
from registry.domain.roles import Permission
from registry.queries.accounts import display_names


@dataclass(frozen=True)
class RuleSetFact:
    """One rule set.  ``ends_on`` is the last day it holds; None while no other follows."""

    id: int
    rules: RuleSet
    citation: str
    reason: str
    ends_on: date | None
    used: bool
    made_at: datetime
    made_by: str
    withdrawn_at: datetime | None
    withdrawn_by: str
    withdrawn_reason: str

    def standing(self, on: date) -> str:
        """``withdrawn``, ``planned``, ``ended`` or ``in_force`` on a day."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        if on < self.rules.begins_on:
            return "planned"
        return "ended" if self.ends_on is not None and on > self.ends_on else "in_force"


@dataclass(frozen=True)
class DraftFact:
    """One draft that is being written; ``version`` is what a save must name."""

    id: int
    programme: str
    form: Form
    version: int
    based_on: int | None
    replaces: int | None
    made_at: datetime
    saved_at: datetime
    saved_by: str
    outcome: str


@dataclass(frozen=True)
class YearFact:
    """One fiscal year.  ``fixed``: it has points, so its terms stay."""

    terms: YearTerms
    version: int
    citation: str
    reason: str
    fixed: bool
    changed_at: datetime | None


@dataclass(frozen=True)
class ProgrammeHistory:
    """A programme with all its rule sets (latest first), open drafts and years (latest first)."""

    id: int
    code: str
    name: str
    rule_sets: tuple[RuleSetFact, ...]
    drafts: tuple[DraftFact, ...]
    years: tuple[YearFact, ...]
    latest_award_on: date | None

    def rule_set(self, number: int) -> RuleSetFact:
        """One of them.  Raises ``NotFound``."""
        for one in self.rule_sets:
            if one.id == number:
                return one
        raise NotFound

    def year(self, fiscal_year: int) -> YearFact:
        """One year.  Raises ``NotFound``."""
        for one in self.years:
            if one.terms.fiscal_year == fiscal_year:
                return one
        raise NotFound

    def in_force(self, on: date) -> RuleSetFact | None:
        """The rule set of a day."""
        return next((one for one in self.rule_sets if one.standing(on) == "in_force"), None)


def history(scope: Scope, *, code: str) -> ProgrammeHistory:
    """Everything about a programme's rules.  Raises ``Forbidden``, ``NotFound``."""
    scope.require(Permission.RULES_MANAGE)
    programme = Programme.objects.filter(code=code).first()
    if programme is None:
        raise NotFound
    rows = list(RuleSetRow.objects.filter(programme=programme).order_by("-starts_on", "-pk"))
    drafts = list(
        RuleDraft.objects.filter(programme=programme, outcome=RuleDraft.Outcome.OPEN)
        .order_by("-pk")
    )
    names = display_names({
        user for row in rows for user in (row.made_by_id, row.withdrawn_by_id) if user is not None
    } | {row.saved_by_id for row in drafts})
    with access.system(at=scope.at, reason="rules history") as wide:
        used = used_rule_sets(wide, rule_set_ids=[row.pk for row in rows])
        latest = latest_award_on(wide, programme_id=programme.pk)
        wallets = Account.objects.visible_to(wide).filter(programme=programme, kind="wallet")
        paid = set(wallets.values_list("fiscal_year", flat=True).distinct())
    years = ProgrammeYear.objects.filter(programme=programme).order_by("-fiscal_year")
    begins = sorted(row.starts_on for row in rows if row.withdrawn_at is None)
    return ProgrammeHistory(
        programme.pk, programme.code, programme.name,
        tuple(_rule_set(row, begins, row.pk in used, names) for row in rows),
        tuple(_draft(row, programme.code, names) for row in drafts),
        tuple(
            YearFact(terms_from(row.terms, row.state), row.version, row.citation, row.reason,
                     row.fiscal_year in paid, row.changed_at)
            for row in years
        ),
        latest,
    )


def draft(scope: Scope, *, draft_id: int) -> DraftFact:
    """One draft, a closed one too.  Raises ``Forbidden``, ``NotFound``."""
    scope.require(Permission.RULES_MANAGE)
    row = RuleDraft.objects.select_related("programme").filter(pk=draft_id).first()
    if row is None:
        raise NotFound
    return _draft(row, row.programme.code, display_names({row.saved_by_id}))


def used_rule_sets(scope: Scope, *, rule_set_ids: Iterable[int]) -> set[int]:
    """Those that have decided something, be it 0 points.  One query, an index look-up each."""
    decided = AwardDecision.objects.visible_to(scope).filter(rule_set_id__in=list(rule_set_ids))
    return set(decided.values_list("rule_set_id", flat=True).distinct())


def latest_award_on(scope: Scope, *, programme_id: int) -> date | None:
    """The latest activity day of the programme that has a decision."""
    decided = AwardDecision.objects.visible_to(scope).filter(
        attendance__session__programme_id=programme_id
    )
    found: date | None = decided.aggregate(latest=Max("attendance__session__held_on"))["latest"]
    return found


def year_has_points(scope: Scope, *, programme_id: int, fiscal_year: int) -> bool:
    """Whether anybody has a wallet of this year: its terms are then fixed."""
    wallets = Account.objects.visible_to(scope).filter(
        programme_id=programme_id, fiscal_year=fiscal_year, kind="wallet"
    )
    return wallets.exists()


def _rule_set(
    row: RuleSetRow, begins: list[date], used: bool, names: dict[int, str]
) -> RuleSetFact:
    later = [one for one in begins if one > row.starts_on]
    ends = date.fromordinal(later[0].toordinal() - 1) if later else None
    by: Any = row.withdrawn_by_id
    return RuleSetFact(
        row.pk, rule_from(row.body), row.citation, row.reason,
        None if row.withdrawn_at else ends, used, row.made_at, names.get(row.made_by_id, ""),
        row.withdrawn_at, names.get(by, ""), row.withdrawn_reason,
    )


def _draft(row: RuleDraft, programme: str, names: dict[int, str]) -> DraftFact:
    return DraftFact(
        row.pk, programme, row.form, row.version, row.based_on_id, row.replaces_id, row.made_at,
        row.saved_at, names.get(row.saved_by_id, ""), row.outcome,
    )
