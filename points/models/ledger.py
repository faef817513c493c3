"""The ledger: accounts, award decisions and transfers (P1, P3).

Owns every movement of points and yen.  A transfer is one row with both legs, a positive amount
and one unit; decisions and transfers are append-only; guarded balances never fall below zero,
by constraint.  Refuses a city-wide row that every scan would lock: those accounts are sums.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, Q

from registry.base import AppendOnly, Keep, Scoped, personal, plain

if TYPE_CHECKING:
    from registry.access import Scope

_MINE = "tsunagari_all_volunteers() OR volunteer_id IS NULL OR volunteer_id = tsunagari_volunteer()"


class Unit(models.TextChoices):
    POINT = "POINT", "ポイント"
    JPY = "JPY", "円"


def _own(rows: models.QuerySet[Any], scope: Scope, path: str) -> models.QuerySet[Any]:
    if scope.system or scope.sees_all_volunteers:
        return rows.all()
    return rows.filter(**{path: scope.volunteer_id}) if scope.volunteer_id else rows.none()


class Account(Scoped):
    """One account.  ``balance`` is kept only where it is guarded; elsewhere it is NULL."""

    kind = plain(models.CharField("種別", max_length=24))
    unit = plain(models.CharField("単位", max_length=5, choices=Unit.choices))
    programme = plain(models.ForeignKey("points.Programme", models.PROTECT, related_name="+"))
    fiscal_year = plain(models.PositiveSmallIntegerField("年度"))
    volunteer = personal(
        models.ForeignKey("registry.Volunteer", models.PROTECT, null=True, related_name="+"),
        Keep.VOLUNTEER,
    )
    shop = plain(
        models.ForeignKey("registry.Organisation", models.PROTECT, null=True, related_name="+")
    )
    balance = plain(models.BigIntegerField("残高", null=True))

    row_policy = _MINE

    class Meta:
        verbose_name = "勘定"
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "programme", "fiscal_year", "volunteer"],
                condition=Q(volunteer__isnull=False), name="account_of_a_volunteer_once",
            ),
            models.UniqueConstraint(
                fields=["kind", "programme", "fiscal_year", "shop"],
                condition=Q(shop__isnull=False), name="account_of_a_shop_once",
            ),
            models.UniqueConstraint(
                fields=["kind", "programme", "fiscal_year"],
                condition=Q(volunteer__isnull=True, shop__isnull=True),
                name="account_of_the_programme_once",
            ),
            models.CheckConstraint(
                condition=Q(balance__isnull=True) | Q(balance__gte=0),
                name="account_never_below_zero",
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        return _own(rows, scope, "volunteer_id")


class AwardDecision(AppendOnly, Scoped):
    """What an attendance is worth, decided again whenever it changes (付与の決定)."""

    attendance = plain(
        models.ForeignKey("points.Attendance", models.PROTECT, related_name="+")
    )
    volunteer = personal(
        models.ForeignKey("registry.Volunteer", models.PROTECT, related_name="+"), Keep.VOLUNTEER
    )
    share = plain(models.PositiveIntegerField("配分ポイント"))
    change = plain(models.IntegerField("前の決定との差"))
    code = plain(models.CharField("理由コード", max_length=32))
    sentence = plain(models.CharField("説明", max_length=240))
    rule_set = plain(models.ForeignKey("points.RuleSet", models.PROTECT, null=True,
                                       related_name="+"))
    at = plain(models.DateTimeField("決定日時"))

    row_policy = "tsunagari_all_volunteers() OR volunteer_id = tsunagari_volunteer()"

    class Meta:
        verbose_name = "付与の決定"
        indexes = [models.Index(fields=["attendance", "id"], name="decision_attendance")]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        return _own(rows, scope, "volunteer_id")


class Transfer(AppendOnly, Scoped):
    """One movement from ``debit`` to ``credit`` (仕訳).  It says why in one sentence."""

    debit = plain(models.ForeignKey(Account, models.PROTECT, related_name="+"))
    credit = plain(models.ForeignKey(Account, models.PROTECT, related_name="+"))
    amount = plain(models.PositiveBigIntegerField("数量"))
    unit = plain(models.CharField("単位", max_length=5, choices=Unit.choices))
    volunteer = personal(
        models.ForeignKey("registry.Volunteer", models.PROTECT, null=True, related_name="+"),
        Keep.VOLUNTEER,
    )
    cause = plain(models.CharField("原因", max_length=16))
    decision = plain(models.ForeignKey(AwardDecision, models.PROTECT, null=True, related_name="+"))
    voucher = plain(models.ForeignKey("points.Voucher", models.PROTECT, null=True,
                                      related_name="+"))
    exchange = plain(models.ForeignKey("points.Exchange", models.PROTECT, null=True,
                                       related_name="+"))
    corrects = plain(models.ForeignKey("points.Transfer", models.PROTECT, null=True,
                                       related_name="+"))
    sentence = plain(models.CharField("説明", max_length=240))
    at = plain(models.DateTimeField("日時"))

    row_policy = _MINE

    class Meta:
        verbose_name = "仕訳"
        indexes = [models.Index(fields=["volunteer", "id"], name="transfer_volunteer")]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="transfer_amount_is_positive"),
            models.CheckConstraint(
                condition=~Q(debit=F("credit")), name="transfer_moves_between_two_accounts"
            ),
            models.CheckConstraint(condition=~Q(sentence=""), name="transfer_says_why"),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        return _own(rows, scope, "volunteer_id")
