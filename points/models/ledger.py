"""The ledger: passbooks, accounts, award decisions and transfers (P1, P3).

Owns every movement of points and yen.  A transfer is one row with both legs, a positive amount
and one unit; decisions and transfers are append-only and carry a keyed mark over their content,
so that a row changed behind the database's back is found.  Guarded balances keep to their side
of zero, by constraint.  A volunteer's passbook is the one row that everything about their
points locks.  Refuses a city-wide row that every scan would lock: those accounts are sums.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, Q

from registry.base import AppendOnly, Keep, Scoped, personal, plain

if TYPE_CHECKING:
    from registry.access import Scope

_OWN = "tsunagari_all_volunteers() OR volunteer_id = tsunagari_volunteer()"
_OWNED = Q(kind__in=["wallet", "voucher", "shop_used", "shop_payable"])


class Unit(models.TextChoices):
    POINT = "POINT", "ポイント"
    JPY = "JPY", "円"


def _own(rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
    if scope.system or scope.sees_all_volunteers:
        return rows.all()
    return rows.filter(volunteer_id=scope.volunteer_id) if scope.volunteer_id else rows.none()


class Passbook(Scoped):
    """One per volunteer: the row that is locked before anything about their points changes."""

    volunteer = personal(
        models.OneToOneField("registry.Volunteer", models.PROTECT, related_name="+"),
        Keep.VOLUNTEER,
    )
    opened_at = plain(models.DateTimeField("作成日時"))
    # P8: this record was united with another; nothing is counted here any more.
    moved_to = personal(
        models.ForeignKey("registry.Volunteer", models.PROTECT, null=True, related_name="+",
                          verbose_name="まとめた先の記録"),
        Keep.VOLUNTEER,
    )

    row_policy = _OWN

    class Meta:
        verbose_name = "ポイント通帳"

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        return _own(rows, scope)


class Account(Scoped):
    """One account (``points.domain.accounts``).  ``balance`` is kept only where it is guarded."""

    kind = plain(models.CharField("種別", max_length=16))
    unit = plain(models.CharField("単位", max_length=5, choices=Unit.choices))
    programme = plain(models.ForeignKey("points.Programme", models.PROTECT, related_name="+"))
    fiscal_year = plain(models.PositiveSmallIntegerField("年度", null=True))
    volunteer = personal(
        models.ForeignKey("registry.Volunteer", models.PROTECT, null=True, related_name="+"),
        Keep.VOLUNTEER,
    )
    voucher = plain(
        models.ForeignKey("points.Voucher", models.PROTECT, null=True, related_name="+")
    )
    shop = plain(
        models.ForeignKey("registry.Organisation", models.PROTECT, null=True, related_name="+")
    )
    balance = plain(models.BigIntegerField("残高", null=True))

    row_policy = (
        f"{_OWN} OR shop_id = ANY(tsunagari_organisations())"
        " OR (volunteer_id IS NULL AND shop_id IS NULL)"
    )

    class Meta:
        verbose_name = "勘定"
        constraints = [
            models.UniqueConstraint(
                fields=["volunteer", "programme", "fiscal_year"],
                condition=Q(kind="wallet"), name="account_one_wallet_a_year",
            ),
            models.UniqueConstraint(
                fields=["volunteer", "programme"], condition=Q(kind="shortfall"),
                name="account_one_shortfall",
            ),
            models.UniqueConstraint(
                fields=["voucher"], condition=Q(kind="voucher"), name="account_one_per_voucher"
            ),
            models.UniqueConstraint(
                fields=["shop", "programme", "kind"], condition=Q(shop__isnull=False),
                name="account_one_of_a_kind_per_shop",
            ),
            models.UniqueConstraint(
                fields=["programme", "kind"],
                condition=Q(volunteer__isnull=True, shop__isnull=True, voucher__isnull=True),
                name="account_one_of_a_kind_per_programme",
            ),
            models.CheckConstraint(
                condition=~_OWNED | Q(balance__isnull=False, balance__gte=0),
                name="account_never_below_zero",
            ),
            models.CheckConstraint(
                condition=~Q(kind="shortfall") | Q(balance__isnull=False, balance__lte=0),
                name="account_shortfall_never_above_zero",
            ),
            models.CheckConstraint(
                condition=_OWNED | Q(kind="shortfall") | Q(balance__isnull=True),
                name="account_of_the_city_is_a_sum",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["wallet", "shortfall"], volunteer__isnull=False,
                            voucher__isnull=True, shop__isnull=True)
                | Q(kind="voucher", volunteer__isnull=True, voucher__isnull=False,
                    shop__isnull=True)
                | Q(kind__in=["shop_used", "shop_payable"], volunteer__isnull=True,
                    voucher__isnull=True, shop__isnull=False)
                | (~Q(kind__in=["wallet", "shortfall", "voucher", "shop_used", "shop_payable"])
                   & Q(volunteer__isnull=True, voucher__isnull=True, shop__isnull=True)),
                name="account_has_the_owner_of_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(kind="wallet", fiscal_year__isnull=False)
                | (~Q(kind="wallet") & Q(fiscal_year__isnull=True)),
                name="account_only_a_wallet_has_a_year",
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        if scope.organisations and not (scope.system or scope.sees_all_volunteers):
            return rows.filter(shop_id__in=scope.organisations)
        return _own(rows, scope)


class AwardDecision(AppendOnly, Scoped):
    """What an attendance is worth, decided again whenever it changes (付与の決定)."""

    attendance = plain(models.ForeignKey("points.Attendance", models.PROTECT, related_name="+"))
    volunteer = personal(
        models.ForeignKey("registry.Volunteer", models.PROTECT, related_name="+"), Keep.VOLUNTEER
    )
    share = plain(models.PositiveIntegerField("配分ポイント"))
    change = plain(models.IntegerField("前の決定との差"))
    code = plain(models.CharField("理由コード", max_length=24))
    sentence = plain(models.CharField("説明", max_length=320))
    rule_set = plain(models.ForeignKey("points.RuleSet", models.PROTECT, related_name="+"))
    at = plain(models.DateTimeField("決定日時"))
    mark = plain(models.BinaryField("改ざん検知の印", max_length=32))

    row_policy = _OWN

    class Meta:
        verbose_name = "付与の決定"
        indexes = [models.Index(fields=["volunteer", "id"], name="decision_volunteer")]
        constraints = [
            models.CheckConstraint(condition=~Q(sentence=""), name="decision_says_why"),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        return _own(rows, scope)


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
    # The year of the lot it is about; empty for yen.
    fiscal_year = plain(models.PositiveSmallIntegerField("年度", null=True))
    cause = plain(models.CharField("原因", max_length=16))
    ref = plain(models.CharField("原因の番号", max_length=40))
    decision = plain(models.ForeignKey(AwardDecision, models.PROTECT, null=True, related_name="+"))
    exchange = plain(
        models.ForeignKey("points.Exchange", models.PROTECT, null=True, related_name="+")
    )
    corrects = plain(
        models.ForeignKey("points.Transfer", models.PROTECT, null=True, related_name="+")
    )
    sentence = plain(models.CharField("説明", max_length=400))
    at = plain(models.DateTimeField("日時"))
    mark = plain(models.BinaryField("改ざん検知の印", max_length=32))

    row_policy = f"{_OWN} OR volunteer_id IS NULL"

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
        return _own(rows, scope)
