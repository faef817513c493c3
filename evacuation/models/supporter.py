"""Supporters (避難支援等実施者) and who was asked to help whom.

Owns supporters and assignments.  Refuses, by constraint: more than five people for one
supporter's capacity, a fourth helper, one pair twice, an answer without a date.  R2.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from evacuation.models.roster import THROUGH_PERSON, through_person
from registry.base import Keep, Scoped, personal, plain, sensitive


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
    # Of volunteers only this is known (P11).
    aged_75 = personal(models.BooleanField("75歳以上", null=True))
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


class Assignment(Scoped):
    """A supporter for a person: proposed, asked, consented or declined (支援者の割り当て)."""

    class State(models.TextChoices):
        ASSIGNED = "assigned", "お願いする人に決めた"
        ASKED = "asked", "返事まち"
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
    asked_at = plain(models.DateTimeField("お願いした日時", null=True))
    asked_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+",
                          verbose_name="お願いした人")
    )
    answered_at = plain(models.DateTimeField("返事の日時", null=True))
    answered_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+",
                          verbose_name="返事を記録した人")
    )

    ended_at = plain(models.DateTimeField("終わった日時", null=True))
    end_reason = sensitive(models.CharField("終わった理由", max_length=120, blank=True))

    row_policy = THROUGH_PERSON
    visible = staticmethod(through_person)

    class Meta:
        verbose_name = "支援者の割り当て"
        constraints = [
            models.CheckConstraint(
                condition=Q(position__gte=1, position__lte=3),
                name="assignment_first_to_third",
            ),
            models.UniqueConstraint(
                fields=["person", "supporter"],
                condition=Q(state__in=["assigned", "asked", "consented"]),
                name="assignment_pair_once",
            ),
            models.UniqueConstraint(
                fields=["person", "position"],
                condition=Q(state__in=["assigned", "asked", "consented"]),
                name="assignment_position_held_once",
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, answered_by__isnull=True)
                | Q(answered_at__isnull=False, answered_by__isnull=False),
                name="assignment_answered_at_and_by_together",
            ),
            models.CheckConstraint(
                condition=Q(asked_at__isnull=True, asked_by__isnull=True)
                | Q(asked_at__isnull=False, asked_by__isnull=False),
                name="assignment_asked_at_and_by_together",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["consented", "declined"]) | Q(answered_at__isnull=False),
                name="assignment_answer_is_dated",
            ),
        ]
