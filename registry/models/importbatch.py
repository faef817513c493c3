"""Imports in two steps: a staged file, its judged rows, then the apply.

Owns the batch and its rows.  Refuses guesses: an ambiguous row waits, a rejected row keeps
its raw cells so that it can be handed back in the file's own format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, Q

from registry.base import Keep, Scoped, plain, sensitive
from registry.domain.roles import Permission

if TYPE_CHECKING:
    from registry.access import Scope


class BatchState(models.TextChoices):
    STAGED = "staged", "読みこみずみ"
    APPLIED = "applied", "反映ずみ"
    DISCARDED = "discarded", "取りやめ"


class Verdict(models.TextChoices):
    NEW = "new", "新規"
    CHANGED = "changed", "変更"
    SAME = "same", "変更なし"
    AMBIGUOUS = "ambiguous", "要確認"
    REJECTED = "rejected", "取込不可"


class ImportBatch(models.Model):
    """One file brought in (取込)."""

    profile = plain(models.CharField("取込の形式", max_length=40))
    file_name = plain(models.CharField("ファイル名", max_length=160))
    digest = plain(models.CharField("ファイルの照合値", max_length=64))
    encoding = plain(models.CharField("文字コード", max_length=16))
    # What it takes to hand rows back in the file's own format: csv with its delimiter, or xlsx.
    layout = plain(models.JSONField("ファイルの形", default=dict))
    state = plain(models.CharField("状態", max_length=12, choices=BatchState.choices))
    header = plain(models.JSONField("見出し", default=list))
    row_count = plain(models.PositiveIntegerField("行数", default=0))
    new_count = plain(models.PositiveIntegerField("新規", default=0))
    changed_count = plain(models.PositiveIntegerField("変更", default=0))
    same_count = plain(models.PositiveIntegerField("変更なし", default=0))
    ambiguous_count = plain(models.PositiveIntegerField("要確認", default=0))
    rejected_count = plain(models.PositiveIntegerField("取込不可", default=0))
    staged_at = plain(models.DateTimeField("読みこみ日時"))
    staged_by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))
    applied_at = plain(models.DateTimeField("反映日時", null=True))
    applied_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )

    class Meta:
        verbose_name = "取込"
        constraints = [
            models.CheckConstraint(
                condition=Q(applied_at__isnull=True, applied_by__isnull=True)
                | Q(applied_at__isnull=False, applied_by__isnull=False),
                name="import_applied_at_and_by_together",
            ),
            models.CheckConstraint(
                condition=Q(
                    row_count=F("new_count") + F("changed_count") + F("same_count")
                    + F("ambiguous_count") + F("rejected_count")
                ),
                name="import_totals_add_up_to_the_rows",
            ),
        ]


class ImportRow(Scoped):
    """One row of the file with its verdict (取込の行)."""

    batch = plain(models.ForeignKey(ImportBatch, models.PROTECT, related_name="+"))
    row_number = plain(models.PositiveIntegerField("行番号"))
    verdict = plain(models.CharField("判定", max_length=12, choices=Verdict.choices))
    key = sensitive(models.CharField("宛名番号", max_length=20, blank=True), Keep.STAGING)
    values = sensitive(models.JSONField("読みとった値", default=dict), Keep.STAGING)
    raw = sensitive(models.JSONField("もとの行", default=list), Keep.STAGING)
    column = plain(models.CharField("項目", max_length=80, blank=True))
    code = plain(models.CharField("理由コード", max_length=40, blank=True))
    reason = plain(models.CharField("理由", max_length=240, blank=True))

    row_policy = "tsunagari_all_people()"

    class Meta:
        verbose_name = "取込の行"
        constraints = [
            models.UniqueConstraint(fields=["batch", "row_number"], name="import_row_once"),
        ]
        indexes = [models.Index(fields=["batch", "verdict", "row_number"], name="import_verdict")]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        allowed = scope.system or scope.may(Permission.PEOPLE_IMPORT)
        return rows.all() if allowed else rows.none()
