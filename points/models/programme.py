"""Programmes and their dated rules (ポイント事業・要領), P2.

Owns rule sets and the one record per programme and fiscal year.  Refuses: a rule set that
changes after it awarded points (the operation) and two beginning on one day (the database).
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from registry.base import plain


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


class RuleSet(models.Model):
    """要領: holds from a date until the next begins; the activity's date picks it."""

    programme = plain(models.ForeignKey(Programme, models.PROTECT, related_name="+"))
    code = plain(models.CharField("要領の記号", max_length=40, unique=True))
    starts_on = plain(models.DateField("適用開始日"))
    citation = plain(models.CharField("根拠", max_length=160))
    body = plain(models.JSONField("規則"))
    made_at = plain(models.DateTimeField("登録日時"))
    made_by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))

    class Meta:
        verbose_name = "要領"
        constraints = [
            models.UniqueConstraint(
                fields=["programme", "starts_on"], name="rule_set_one_begins_on_a_day"
            ),
        ]


class ProgrammeYear(models.Model):
    """What belongs to a whole fiscal year: cap, yen value, exchange window, lapse, state."""

    class State(models.TextChoices):
        OPEN = "open", "受付中"
        CLOSING = "closing", "締め切り前"
        CLOSED = "closed", "締め切り"

    programme = plain(models.ForeignKey(Programme, models.PROTECT, related_name="+"))
    fiscal_year = plain(models.PositiveSmallIntegerField("年度"))
    terms = plain(models.JSONField("年度のきまり"))
    state = plain(models.CharField("状態", max_length=8, choices=State.choices))
    closed_at = plain(models.DateTimeField("締め切り日時", null=True))
    closed_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )

    class Meta:
        verbose_name = "事業年度"
        constraints = [
            models.UniqueConstraint(
                fields=["programme", "fiscal_year"], name="programme_year_once"
            ),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False, closed_by__isnull=False)
                | (~Q(state="closed") & Q(closed_at__isnull=True, closed_by__isnull=True)),
                name="programme_year_closed_at_and_by_together",
            ),
        ]
