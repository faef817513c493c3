"""Programmes and their dated rules (ポイント事業・要領), P2.

Owns rule sets, their drafts and the one record per programme and fiscal year.  Refuses, in the
database itself: two rule sets beginning on one day, any change of a rule set but its withdrawal,
the withdrawal of one that decided an award, and other terms for a year that has points.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from registry.base import Guard, Guarded, plain

_SAME = " OR ".join(
    f"NEW.{name} <> OLD.{name}"
    for name in ("id", "programme_id", "code", "starts_on", "citation", "reason", "body",
                 "made_at", "made_by_id")
)
_DECIDED = "EXISTS (SELECT 1 FROM points_awarddecision d WHERE d.rule_set_id = OLD.id)"
_OTHER_TERMS = (
    "NEW.terms <> OLD.terms OR NEW.programme_id <> OLD.programme_id"
    " OR NEW.fiscal_year <> OLD.fiscal_year"
)
_PAID = (
    "EXISTS (SELECT 1 FROM points_account a WHERE a.kind = 'wallet'"
    " AND a.programme_id = OLD.programme_id AND a.fiscal_year = OLD.fiscal_year)"
)


class Programme(models.Model):
    """つながりづくりポイント, カムカムボランティアポイント …"""

    code = plain(models.CharField("事業コード", max_length=16, unique=True))
    name = plain(models.CharField("名称", max_length=80))
    short_name = plain(models.CharField("略称", max_length=24))
    is_sample = plain(models.BooleanField("見本", default=False))

    class Meta:
        verbose_name = "ポイント事業"
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class RuleSet(Guarded):
    """要領: holds from a date until the next begins; the activity's date picks it.

    What it says never changes.  One that has not decided anything may be withdrawn (取りやめ).
    """

    programme = plain(models.ForeignKey(Programme, models.PROTECT, related_name="+"))
    code = plain(models.CharField("要領の記号", max_length=40))
    starts_on = plain(models.DateField("適用開始日"))
    citation = plain(models.CharField("根拠", max_length=160))
    reason = plain(models.CharField("定めたわけ", max_length=200, blank=True, default=""))
    body = plain(models.JSONField("規則"))
    made_at = plain(models.DateTimeField("登録日時"))
    made_by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))
    withdrawn_at = plain(models.DateTimeField("取りやめ日時", null=True))
    withdrawn_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )
    withdrawn_reason = plain(models.CharField("取りやめのわけ", max_length=200, blank=True))

    guards = (
        Guard("rule_set_says_what_it_said", "UPDATE",
              f"{_SAME} OR OLD.withdrawn_at IS NOT NULL OR {_DECIDED}"),
        Guard("rule_set_is_never_deleted", "DELETE", "TRUE"),
    )

    class Meta:
        verbose_name = "要領"
        constraints = [
            models.UniqueConstraint(
                fields=["programme", "starts_on"], condition=Q(withdrawn_at__isnull=True),
                name="rule_set_one_begins_on_a_day",
            ),
            models.UniqueConstraint(
                fields=["code"], condition=Q(withdrawn_at__isnull=True),
                name="rule_set_one_of_a_code",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, withdrawn_by__isnull=True,
                            withdrawn_reason="")
                | (Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False)
                   & ~Q(withdrawn_reason="")),
                name="rule_set_withdrawal_is_signed_and_explained",
            ),
        ]


class RuleDraft(models.Model):
    """要領の案: the form as far as it is filled in; nothing counts by it.

    ``version`` grows with each save, so that two editors never overwrite each other.
    """

    class Outcome(models.TextChoices):
        OPEN = "open", "作成中"
        ADOPTED = "adopted", "定めた"
        DROPPED = "dropped", "やめた"

    programme = plain(models.ForeignKey(Programme, models.PROTECT, related_name="+"))
    form = plain(models.JSONField("入力"))
    version = plain(models.PositiveIntegerField("版", default=1))
    # The rule set it began as a copy of, and the unused one that it would take the place of.
    based_on = plain(models.ForeignKey(RuleSet, models.PROTECT, null=True, related_name="+"))
    replaces = plain(models.ForeignKey(RuleSet, models.PROTECT, null=True, related_name="+"))
    made_at = plain(models.DateTimeField("作成日時"))
    made_by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))
    saved_at = plain(models.DateTimeField("保存日時"))
    saved_by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))
    outcome = plain(models.CharField("なりゆき", max_length=8, choices=Outcome.choices,
                                     default=Outcome.OPEN))
    closed_at = plain(models.DateTimeField("終えた日時", null=True))
    closed_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )
    rule_set = plain(models.ForeignKey(RuleSet, models.PROTECT, null=True, related_name="+"))

    class Meta:
        verbose_name = "要領の案"
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="open", closed_at__isnull=True, closed_by__isnull=True)
                | (~Q(outcome="open") & Q(closed_at__isnull=False, closed_by__isnull=False)),
                name="rule_draft_closed_at_and_by_together",
            ),
            models.CheckConstraint(
                condition=Q(outcome="adopted", rule_set__isnull=False)
                | (~Q(outcome="adopted") & Q(rule_set__isnull=True)),
                name="rule_draft_adopted_names_its_rule_set",
            ),
        ]


class ProgrammeYear(Guarded):
    """What belongs to a whole fiscal year: cap, yen value, exchange window, lapse, state."""

    class State(models.TextChoices):
        OPEN = "open", "受付中"
        CLOSING = "closing", "締め切り前"
        CLOSED = "closed", "締め切り"

    programme = plain(models.ForeignKey(Programme, models.PROTECT, related_name="+"))
    fiscal_year = plain(models.PositiveSmallIntegerField("年度"))
    terms = plain(models.JSONField("年度のきまり"))
    state = plain(models.CharField("状態", max_length=8, choices=State.choices))
    closing_at = plain(models.DateTimeField("締め切り前にした日時", null=True))
    closing_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )
    closed_at = plain(models.DateTimeField("締め切り日時", null=True))
    closed_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )
    # When every wallet of the year had been emptied for the first time; the jobs go on looking.
    lapsed_at = plain(models.DateTimeField("失効ずみ日時", null=True))
    # What the exceptions in force change; derived from ``YearException``, and verified.
    exception = plain(models.JSONField("特例によるきまり", default=dict))
    citation = plain(models.CharField("根拠", max_length=160, blank=True, default=""))
    reason = plain(models.CharField("改めたわけ", max_length=200, blank=True, default=""))
    version = plain(models.PositiveIntegerField("版", default=1))
    changed_at = plain(models.DateTimeField("改めた日時", null=True))
    changed_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )

    guards = (
        Guard("programme_year_keeps_its_terms", "UPDATE", f"({_OTHER_TERMS}) AND {_PAID}"),
        Guard("programme_year_is_never_deleted", "DELETE", "TRUE"),
    )

    class Meta:
        verbose_name = "事業年度"
        constraints = [
            models.CheckConstraint(
                condition=Q(changed_at__isnull=True, changed_by__isnull=True)
                | Q(changed_at__isnull=False, changed_by__isnull=False),
                name="programme_year_changed_at_and_by_together",
            ),
            models.UniqueConstraint(
                fields=["programme", "fiscal_year"], name="programme_year_once"
            ),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False, closed_by__isnull=False)
                | (~Q(state="closed") & Q(closed_at__isnull=True, closed_by__isnull=True)),
                name="programme_year_closed_at_and_by_together",
            ),
            models.CheckConstraint(
                condition=Q(closing_at__isnull=True, closing_by__isnull=True)
                | (Q(closing_at__isnull=False, closing_by__isnull=False) & ~Q(state="open")),
                name="programme_year_closing_at_and_by_together",
            ),
            models.CheckConstraint(
                condition=Q(lapsed_at__isnull=True) | Q(state="closed"),
                name="programme_year_lapses_after_it_is_closed",
            ),
        ]
