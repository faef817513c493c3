"""Individual evacuation plans (個別避難計画), their versions, destinations and prints.

Owns plans, numbered versions, the places that versions take at shelters, and printed sheets.
Approved versions are frozen by the database; the approver is not the author, by constraint.
R2, R3, R14.  Supporters are in ``supporter.py``.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q

from evacuation.models.roster import THROUGH_PERSON, through_person
from registry.base import AppendOnly, Scoped, plain, sensitive

_THROUGH_PLAN = "EXISTS (SELECT 1 FROM evacuation_plan q WHERE q.id = plan_id)"


class Plan(Scoped):
    """One person's plan, whatever its version (個別避難計画)."""

    person = sensitive(models.OneToOneField("registry.Person", models.PROTECT, related_name="+"))
    state = sensitive(models.CharField("状態", max_length=16, db_index=True))
    number = plain(models.CharField("計画番号", max_length=20, unique=True))
    review_due_on = plain(models.DateField("見直しの期限", null=True))
    review_cause = plain(models.CharField("見直しの理由", max_length=32, blank=True))
    drafter = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+",
                          verbose_name="作成を受け持つ人")
    )
    updated_at = plain(models.DateTimeField("更新日時"))
    version = plain(models.PositiveIntegerField("版（楽観ロック）", default=1))

    row_policy = THROUGH_PERSON
    visible = staticmethod(through_person)

    class Meta:
        verbose_name = "個別避難計画"


class PlanVersion(AppendOnly, Scoped):
    """One numbered version: a draft may change, an approved one never again (計画の版)."""

    append_only = "OLD.approved_at IS NOT NULL"

    plan = plain(models.ForeignKey(Plan, models.PROTECT, related_name="+"))
    number = plain(models.PositiveSmallIntegerField("版番号"))
    author = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))
    written_way = plain(models.CharField("作成の方法", max_length=16, default="professional"))
    steps = sensitive(models.JSONField("手順ごとの内容", default=dict))
    saved_at = plain(models.DateTimeField("保存日時"))
    submitted_at = plain(models.DateTimeField("提出日時", null=True))
    submitted_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )
    approved_at = plain(models.DateTimeField("承認日時", null=True))
    approved_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )
    return_reason = sensitive(models.CharField("差し戻しの理由", max_length=500, blank=True))
    edit_version = plain(models.PositiveIntegerField("版（楽観ロック）", default=1))

    row_policy = _THROUGH_PLAN

    class Meta:
        verbose_name = "計画の版"
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="plan_version_numbered_once"),
            models.UniqueConstraint(
                fields=["plan"], condition=Q(approved_at__isnull=True),
                name="plan_has_one_open_version",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("author")),
                name="plan_approver_is_not_the_author",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("submitted_by")),
                name="plan_approver_is_not_the_submitter",
            ),
            models.CheckConstraint(
                condition=Q(approved_at__isnull=True, approved_by__isnull=True)
                | Q(approved_at__isnull=False, approved_by__isnull=False,
                    submitted_at__isnull=False),
                name="plan_approved_at_and_by_together_after_submission",
            ),
            models.CheckConstraint(
                condition=Q(submitted_at__isnull=True, submitted_by__isnull=True)
                | Q(submitted_at__isnull=False, submitted_by__isnull=False),
                name="plan_submitted_at_and_by_together",
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Any) -> models.QuerySet[Any]:
        if scope.system:
            return rows.all()
        return rows.filter(plan_id__in=Plan.objects.visible_to(scope).values("pk"))


class PlanEvent(AppendOnly, Scoped):
    """A step of a plan's life (計画の記録)."""

    plan = plain(models.ForeignKey(Plan, models.PROTECT, related_name="+"))
    event = plain(models.CharField("できごと", max_length=24))
    state_after = plain(models.CharField("状態", max_length=16))
    at = plain(models.DateTimeField("日時"))
    by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))
    note = sensitive(models.CharField("備考", max_length=500, blank=True))

    row_policy = _THROUGH_PLAN

    class Meta:
        verbose_name = "計画の記録"

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Any) -> models.QuerySet[Any]:
        if scope.system:
            return rows.all()
        return rows.filter(plan_id__in=Plan.objects.visible_to(scope).values("pk"))


class PlanDestination(Scoped):
    """The place that a version takes at a shelter for one hazard (避難先の枠)."""

    plan = plain(models.ForeignKey(Plan, models.PROTECT, related_name="+"))
    version = plain(models.ForeignKey(PlanVersion, models.PROTECT, related_name="+"))
    hazard = plain(models.CharField("災害", max_length=12))
    shelter = plain(models.ForeignKey("evacuation.Shelter", models.PROTECT, related_name="+"))
    people = plain(models.PositiveSmallIntegerField("人数（付きそいをふくむ）", default=1))
    ended_at = plain(models.DateTimeField("枠を返した日時", null=True))

    row_policy = _THROUGH_PLAN

    class Meta:
        verbose_name = "避難先の枠"
        indexes = [models.Index(fields=["shelter", "hazard"], name="plan_destination_shelter")]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "hazard"], name="plan_destination_once_per_hazard"
            ),
            models.CheckConstraint(
                condition=Q(people__gte=1, people__lte=9), name="plan_destination_people"
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Any) -> models.QuerySet[Any]:
        if scope.system:
            return rows.all()
        return rows.filter(plan_id__in=Plan.objects.visible_to(scope).values("pk"))


class PlanPrint(AppendOnly, Scoped):
    """The sheet of an approved version, sealed in the file store (計画書)."""

    version = plain(models.OneToOneField(PlanVersion, models.PROTECT, related_name="+"))
    address = plain(models.CharField("計画書の保管番号", max_length=64))
    pages = plain(models.PositiveSmallIntegerField("ページ数"))
    made_at = plain(models.DateTimeField("作成日時"))

    row_policy = "EXISTS (SELECT 1 FROM evacuation_planversion v WHERE v.id = version_id)"

    class Meta:
        verbose_name = "計画書"

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Any) -> models.QuerySet[Any]:
        if scope.system:
            return rows.all()
        return rows.filter(version_id__in=PlanVersion.objects.visible_to(scope).values("pk"))
