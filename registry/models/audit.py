"""The access log: who saw or changed whom, and the seals that make tampering visible.

Owns log entries and their seals.  Both are append-only in the database.  Refuses values: an
entry names fields, never what stood in them.  trust.md, "Access log".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from registry.base import AppendOnly, Keep, Scoped, personal, plain
from registry.domain.roles import Permission

if TYPE_CHECKING:
    from registry.access import Scope


class LogKind(models.TextChoices):
    VIEW = "view", "閲覧"
    CHANGE = "change", "変更"
    EXPORT = "export", "書き出し"
    RELEASE = "release", "提供"
    ACCESS = "access", "サインイン"


class LogEntry(Scoped, AppendOnly):
    """One thing that somebody saw or did (記録)."""

    at = plain(models.DateTimeField("日時", db_index=True), Keep.LOG)
    kind = plain(models.CharField("種類", max_length=8, choices=LogKind.choices), Keep.LOG)
    action = plain(models.CharField("操作", max_length=48), Keep.LOG)
    # Plain numbers, not foreign keys: the log outlives what it speaks of.
    user_id = plain(models.BigIntegerField("利用者", null=True), Keep.LOG)
    office_id = plain(models.BigIntegerField("役職", null=True), Keep.LOG)
    subject_kind = plain(models.CharField("対象の種類", max_length=32), Keep.LOG)
    subject_id = plain(models.BigIntegerField("対象", null=True), Keep.LOG)
    person_id = personal(models.BigIntegerField("見られた方", null=True), Keep.LOG)
    fields = plain(models.JSONField("項目", default=list), Keep.LOG)
    purpose = plain(models.CharField("目的", max_length=80, blank=True), Keep.LOG)
    detail = plain(models.JSONField("詳細", default=dict), Keep.LOG)
    salt = plain(models.BinaryField("塩", max_length=16), Keep.LOG)

    # One reads the log of others only with the permission; one's own rows come back on insert.
    row_policy = (
        "tsunagari_all_people() OR tsunagari_all_volunteers()"
        " OR user_id IS NOT DISTINCT FROM tsunagari_user()"
    )
    row_policy_insert = "TRUE"

    class Meta:
        verbose_name = "アクセス記録"
        indexes = [models.Index(fields=["person_id", "at"], name="log_person")]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        allowed = scope.system or scope.may(Permission.LOG_VIEW)
        return rows.all() if allowed else rows.none()


class LogSeal(AppendOnly):
    """A seal over a run of entries, chained to the one before (封印)."""

    first_entry = plain(models.BigIntegerField("最初の記録"))
    last_entry = plain(models.BigIntegerField("最後の記録", unique=True))
    entries = plain(models.PositiveIntegerField("件数"))
    previous = plain(models.BinaryField("前の封印", max_length=32))
    digest = plain(models.BinaryField("封印", max_length=32, unique=True))
    sealed_at = plain(models.DateTimeField("封印日時"))

    class Meta:
        verbose_name = "記録の封印"
