"""Exchanges and vouchers (交換・利用券), P7.

Owns the paper that points become and its way to the shop.  The code is known by its digest;
a voucher used twice is refused by its state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q

from registry.base import Keep, Scoped, personal, plain
from registry.domain.roles import Permission

if TYPE_CHECKING:
    from registry.access import Scope


class SerialRun(models.Model):
    """The last running number given to a voucher of a fiscal year: one row, locked to count."""

    fiscal_year = plain(models.PositiveSmallIntegerField("年度", primary_key=True))
    last = plain(models.PositiveIntegerField("最後の番号"))

    class Meta:
        verbose_name = "券番号の通し"


class Exchange(Scoped):
    """Points turned into vouchers, once per request (交換)."""

    id = plain(models.UUIDField("依頼の番号", primary_key=True))
    volunteer = personal(
        models.ForeignKey("registry.Volunteer", models.PROTECT, related_name="+"), Keep.VOLUNTEER
    )
    programme = plain(models.ForeignKey("points.Programme", models.PROTECT, related_name="+"))
    fiscal_year = plain(models.PositiveSmallIntegerField("年度"))
    count = plain(models.PositiveSmallIntegerField("枚数"))
    points = plain(models.PositiveIntegerField("使ったポイント"))
    at = plain(models.DateTimeField("日時"))
    by = plain(models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+"))
    undone_at = plain(models.DateTimeField("取消日時", null=True))
    undone_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )
    undo_reason = plain(models.CharField("取消の理由", max_length=160, blank=True))

    row_policy = "tsunagari_all_volunteers() OR volunteer_id = tsunagari_volunteer()"

    class Meta:
        verbose_name = "交換"
        indexes = [models.Index(fields=["volunteer", "fiscal_year"], name="exchange_volunteer")]
        constraints = [
            models.CheckConstraint(
                condition=Q(undone_at__isnull=True, undone_by__isnull=True, undo_reason="")
                | (Q(undone_at__isnull=False, undone_by__isnull=False) & ~Q(undo_reason="")),
                name="exchange_undone_at_and_by_together",
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        if scope.system or scope.sees_all_volunteers:
            return rows.all()
        return rows.filter(volunteer_id=scope.volunteer_id) if scope.volunteer_id else rows.none()


class Voucher(Scoped):
    """One voucher (利用券)."""

    serial = plain(models.CharField("券番号", max_length=24, unique=True))
    digest = plain(models.BinaryField("コードの照合値", max_length=32, unique=True))
    sealed_code = plain(models.BinaryField("暗号化したコード"))
    exchange = plain(models.ForeignKey(Exchange, models.PROTECT, related_name="+"))
    volunteer = personal(
        models.ForeignKey("registry.Volunteer", models.PROTECT, related_name="+"), Keep.VOLUNTEER
    )
    programme = plain(models.ForeignKey("points.Programme", models.PROTECT, related_name="+"))
    fiscal_year = plain(models.PositiveSmallIntegerField("年度"))
    yen = plain(models.PositiveIntegerField("金額（円）"))
    state = plain(models.CharField("状態", max_length=8))
    valid_until = plain(models.DateField("有効期限"))
    issued_at = plain(models.DateTimeField("発行日時"))
    used_at = plain(models.DateTimeField("使われた日時", null=True))
    used_by = plain(models.ForeignKey("registry.User", models.PROTECT, null=True,
                                      related_name="+"))
    shop = plain(
        models.ForeignKey("registry.Organisation", models.PROTECT, null=True, related_name="+")
    )
    use_request = plain(models.UUIDField("使用の依頼番号", null=True, unique=True))

    row_policy = (
        "tsunagari_all_volunteers() OR volunteer_id = tsunagari_volunteer()"
        " OR shop_id = ANY(tsunagari_organisations())"
    )

    class Meta:
        verbose_name = "利用券"
        indexes = [models.Index(fields=["shop", "state"], name="voucher_shop_state")]
        constraints = [
            models.CheckConstraint(
                condition=Q(used_at__isnull=True, used_by__isnull=True, shop__isnull=True)
                | Q(used_at__isnull=False, used_by__isnull=False, shop__isnull=False),
                name="voucher_used_at_by_and_where_together",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["used", "claimed", "paid"]) | Q(used_at__isnull=False),
                name="voucher_used_states_know_their_use",
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        if scope.system or scope.sees_all_volunteers:
            return rows.all()
        if scope.may(Permission.VOUCHERS_REDEEM):
            return rows.filter(shop_id__in=scope.organisations)
        return rows.filter(volunteer_id=scope.volunteer_id) if scope.volunteer_id else rows.none()
