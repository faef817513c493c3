"""What a kiosk took back before it was sent (取り下げ), so that no counter is a riddle.

Owns the fact that a device used a counter and took the scan back itself.  Refuses the card's
code: it never left the device.  History: append-only.  Source: P5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, Q

from registry.base import AppendOnly, Scoped, plain

if TYPE_CHECKING:
    from registry.access import Scope


class WithdrawnScan(Scoped, AppendOnly):
    """A scan that was taken back on the device before it was sent (取り下げた読みとり)."""

    id = plain(models.UUIDField("依頼の番号", primary_key=True))
    user = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))
    session = plain(models.ForeignKey("points.Session", models.PROTECT, null=True,
                                      related_name="+"))
    counter = plain(models.BigIntegerField("端末の通し番号"))
    scanned_at = plain(models.DateTimeField("端末の時刻"))
    withdrawn_at = plain(models.DateTimeField("取り下げた端末の時刻"))
    received_at = plain(models.DateTimeField("受信時刻"))

    row_policy = "tsunagari_all_volunteers() OR user_id = tsunagari_user()"

    class Meta:
        verbose_name = "取り下げた読みとり"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "counter"], name="withdrawn_counter_once_per_device"
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__gte=F("scanned_at")),
                name="withdrawn_after_it_was_scanned",
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        if scope.system or scope.sees_all_volunteers:
            return rows.all()
        return rows.filter(user_id=scope.user_id) if scope.user_id else rows.none()
