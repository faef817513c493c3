"""Individual evacuation plans (個別避難計画), supporters and who was asked.

Owns plans, their numbered versions, supporters and assignments.  Approved versions are frozen
by the database; the approver is not the author, by constraint.  R2, R3, R14.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q

from evacuation.models.roster import THROUGH_PERSON, through_person
from registry.base import AppendOnly, Keep, Scoped, personal, plain, sensitive

_THROUGH_PLAN = "EXISTS (SELECT 1 FROM evacuation_plan q WHERE q.id = plan_id)"


class Supporter(Scoped):
    """避難支援等実施者: somebody, or an organisation, who helps one to five people."""

    volunteer = personal(
        models.OneToOneField("registry.Volunteer", models.PROTECT, null=True, related_name="+"),
        Keep.VOLUNTEER,
    )
    organisation = plain(
        models.OneToOneField("registry.Organisation", models.PROTECT, null=True, related_name="+")
    )
    name = personal(models.CharField("氏名・名称", max_length=120))
    kana = personal(models.CharField("よみ", max_length=160, blank=True))
    address = personal(models.CharField("住所", max_length=240, blank=True))
    phone = personal(models.CharField("電話番号", max_length=24, blank=True))
    area = personal(
        models.ForeignKey("registry.Area", models.PROTECT, null=True, related_name="+")
    )
    born_on = personal(models.DateField("生年月日", null=True))
    east_m = personal(models.FloatField("平面直角座標 Y（東、m）", null=True))
    north_m = personal(models.FloatField("平面直角座標 X（北、m）", null=True))
    location_uncertainty_m = plain(models.PositiveIntegerField("位置の誤差（m）", default=0))
    capacity = plain(models.PositiveSmallIntegerField("受け持てる人数", default=1))
    availability = personal(models.CharField("動ける時間", max_length=16, default="always"))
    skills = personal(models.JSONField("できること", default=list))
    consented_at = personal(models.DateTimeField("計画に名前を載せる同意", null=True))
    left_on = plain(models.DateField("やめた日", null=True))
    updated_at = plain(models.DateTimeField("更新日時"))

    row_policy = (
        "tsunagari_all_people() OR EXISTS (SELECT 1 FROM evacuation_assignment a"
        " WHERE a.supporter_id = evacuation_supporter.id)"
    )

    class Meta:
        verbose_name = "避難支援等実施者"
        constraints = [
            models.CheckConstraint(
                condition=Q(capacity__gte=1, capacity__lte=5),
                name="supporter_takes_one_to_five_people",
            ),
            models.CheckConstraint(
                condition=Q(volunteer__isnull=True) | Q(organisation__isnull=True),
                name="supporter_is_a_person_or_an_organisation",
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Any) -> models.QuerySet[Any]:
        if scope.system or scope.sees_all_people:
            return rows.all()
        return rows.filter(
            pk__in=Assignment.objects.visible_to(scope).values("supporter_id")
        )


class Plan(Scoped):
    """One person's plan, whatever its version (個別避難計画)."""

    person = sensitive(models.OneToOneField("registry.Person", models.PROTECT, related_name="+"))
    state = sensitive(models.CharField("状態", max_length=16, db_index=True))
    review_due_on = plain(models.DateField("見直しの期限", null=True))
    review_cause = plain(models.CharField("見直しの理由", max_length=32, blank=True))
    drafter = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+",
                          verbose_name="作成を受け持つ人")
    )
    updated_at = plain(models.DateTimeField("更新日時"))
    version = plain(models.PositiveIntegerField("版（楽観ロック）", default=1))

    row_policy = THROUGH_PERSON
    visible = staticmethod(through_person)  # type: ignore[assignment]

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
    sheet_address = plain(models.CharField("計画書の保管番号", max_length=64, blank=True))
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


class Assignment(Scoped):
    """A supporter for a person: proposed, asked, consented or declined (支援者の割り当て)."""

    class State(models.TextChoices):
        ASSIGNED = "assigned", "お願いする人に決めた"
        CONSENTED = "consented", "引き受けた"
        DECLINED = "declined", "ことわった"
        ENDED = "ended", "終わった"

    person = sensitive(models.ForeignKey("registry.Person", models.PROTECT, related_name="+"))
    supporter = sensitive(models.ForeignKey(Supporter, models.PROTECT, related_name="+"))
    position = plain(models.PositiveSmallIntegerField("順位（1〜3）"))
    role = plain(models.CharField("役割", max_length=40, blank=True))
    state = sensitive(models.CharField("状態", max_length=12, choices=State.choices))
    minutes = plain(models.PositiveSmallIntegerField("徒歩のめやす（分）", null=True))
    reasons = sensitive(models.JSONField("提案の理由", default=list))
    assigned_at = plain(models.DateTimeField("割り当て日時"))
    assigned_by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))
    answered_at = plain(models.DateTimeField("返事の日時", null=True))
    answered_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+",
                          verbose_name="返事を記録した人")
    )

    row_policy = THROUGH_PERSON
    visible = staticmethod(through_person)  # type: ignore[assignment]

    class Meta:
        verbose_name = "支援者の割り当て"
        constraints = [
            models.CheckConstraint(
                condition=Q(position__gte=1, position__lte=3),
                name="assignment_first_to_third",
            ),
            models.UniqueConstraint(
                fields=["person", "supporter"],
                condition=Q(state__in=["assigned", "consented"]),
                name="assignment_pair_once",
            ),
            models.UniqueConstraint(
                fields=["person", "position"],
                condition=Q(state__in=["assigned", "consented"]),
                name="assignment_position_held_once",
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, answered_by__isnull=True)
                | Q(answered_at__isnull=False, answered_by__isnull=False),
                name="assignment_answered_at_and_by_together",
            ),
        ]
