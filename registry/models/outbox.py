"""The outbox: everything that must happen after a transaction, and the heartbeat of workers.

Owns the rows; ``registry/outbox.py`` owns the rules.  A row carries a kind, a subject's id and
a dedupe key, never personal data.  Periodic jobs are rows too: unique per (job, period).
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from registry.base import plain


class OutboxMessage(models.Model):
    """One piece of work waiting to be done (送信箱)."""

    kind = plain(models.CharField("種類", max_length=48))
    subject_id = plain(models.BigIntegerField("対象", null=True))
    dedupe_key = plain(models.CharField("重複防止の鍵", max_length=120, unique=True))
    created_at = plain(models.DateTimeField("作成日時"))
    run_after = plain(models.DateTimeField("この時刻から"))
    lease_token = plain(models.UUIDField("担当札", null=True))
    lease_until = plain(models.DateTimeField("担当の期限", null=True))
    attempts = plain(models.PositiveIntegerField("試行回数", default=0))
    done_at = plain(models.DateTimeField("完了日時", null=True))
    dead_at = plain(models.DateTimeField("断念日時", null=True))
    last_error = plain(models.CharField("最後のエラー", max_length=240, blank=True))

    class Meta:
        verbose_name = "送信箱"
        indexes = [
            models.Index(
                fields=["run_after", "id"], name="outbox_waiting",
                condition=Q(done_at__isnull=True, dead_at__isnull=True),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(lease_token__isnull=True, lease_until__isnull=True)
                | Q(lease_token__isnull=False, lease_until__isnull=False),
                name="outbox_lease_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True) | Q(dead_at__isnull=True),
                name="outbox_not_done_and_dead",
            ),
        ]


class Heartbeat(models.Model):
    """The last time that a worker did real work (生存確認)."""

    name = plain(models.CharField("名前", max_length=48, unique=True))
    at = plain(models.DateTimeField("日時"))

    class Meta:
        verbose_name = "生存確認"
