"""Tablets that stand at a reception (受付端末): whose they are and whether they are in force.

Owns the registration of a kiosk with an organisation, its one-time pairing code, its revocation,
and what it last said of itself: how far its clock is off, how far it has counted, how much still
waits on it.  Its rights are those of its own account (role ``scanner_device``), its token is an
API token.  Refuses names of people and codes of cards: none is here.  P5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q

from registry.base import Keep, Scoped, plain
from registry.domain.roles import Permission

if TYPE_CHECKING:
    from registry.access import Scope


class Kiosk(Scoped):
    """A tablet registered for the receptions of one organisation (受付端末)."""

    organisation = plain(
        models.ForeignKey("registry.Organisation", models.PROTECT, related_name="+",
                          verbose_name="団体")
    )
    # The account in whose name it counts: its counters are its own, whoever holds the tablet.
    user = plain(
        models.OneToOneField("registry.User", models.PROTECT, related_name="+",
                             verbose_name="利用者")
    )
    name = plain(models.CharField("端末の名前", max_length=40))
    registered_at = plain(models.DateTimeField("登録日時"))
    registered_by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))
    # Only until it is used, or its time is over.
    pairing_digest = plain(
        models.BinaryField("登録コードの照合値", max_length=32, null=True, unique=True),
        Keep.STAGING,
    )
    pairing_until = plain(models.DateTimeField("登録コードの期限", null=True), Keep.STAGING)
    paired_at = plain(models.DateTimeField("結びつけた日時", null=True))
    revoked_at = plain(models.DateTimeField("取り消した日時", null=True))
    revoked_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )
    seen_at = plain(models.DateTimeField("最後の連絡", null=True))
    # Server minus device, as for a scan's ``skew_ms``.
    clock_offset_ms = plain(models.BigIntegerField("時計のずれ（ミリ秒）", null=True))
    last_counter = plain(models.BigIntegerField("端末の最後の通し番号", default=0))
    waiting = plain(models.PositiveIntegerField("端末にある送信まち", default=0))

    row_policy = (
        "tsunagari_all_volunteers() OR organisation_id = ANY(tsunagari_organisations())"
        " OR user_id = tsunagari_user()"
    )

    class Meta:
        verbose_name = "受付端末"
        constraints = [
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by__isnull=True)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="kiosk_revoked_at_and_by_together",
            ),
            models.CheckConstraint(
                condition=Q(pairing_digest__isnull=True, pairing_until__isnull=True)
                | Q(pairing_digest__isnull=False, pairing_until__isnull=False,
                    revoked_at__isnull=True),
                name="kiosk_pairing_code_has_an_end_and_is_not_of_a_revoked_one",
            ),
            models.CheckConstraint(
                condition=Q(last_counter__gte=0), name="kiosk_counter_is_not_negative"
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        if scope.system or scope.sees_all_volunteers:
            return rows.all()
        if scope.may(Permission.SESSIONS_MANAGE):
            return rows.filter(organisation_id__in=scope.organisations)
        return rows.filter(user_id=scope.user_id) if scope.user_id else rows.none()

    def __str__(self) -> str:
        return self.name
