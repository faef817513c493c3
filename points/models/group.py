"""What a registered group files (登録団体の届け出): contact, leader, plan, history, report.  P9.

Owns the yearly filing around ``Group``.  A leader sees the rows of the own organisation and no
other (the manager and the database both say so).  Refuses, in the database: two leaders without
an end, a changed history, a changed report after it was accepted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, Q

from registry.base import AppendOnly, Keep, Scoped, personal, plain
from registry.domain.roles import Permission

if TYPE_CHECKING:
    from registry.access import Scope

_OF_GROUP = (
    "tsunagari_all_volunteers() OR EXISTS (SELECT 1 FROM points_group g"
    " WHERE g.id = group_id AND g.organisation_id = ANY(tsunagari_organisations()))"
)


class _OfGroup(Scoped):
    """A row of one group's filing: the council's, or the own leader's."""

    row_policy = _OF_GROUP

    class Meta:
        abstract = True

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        if scope.system or scope.sees_all_volunteers:
            return rows.all()
        if scope.may(Permission.GROUPS_KEEP):
            return rows.filter(group__organisation_id__in=scope.organisations)
        return rows.none()


class GroupContact(_OfGroup):
    """連絡先 of a group for one year: whom the council calls."""

    group = plain(models.OneToOneField("points.Group", models.PROTECT, related_name="+"))
    name = personal(models.CharField("連絡する人", max_length=80), Keep.VOLUNTEER)
    phone = personal(models.CharField("電話番号", max_length=24, blank=True), Keep.VOLUNTEER)
    address = personal(models.CharField("送り先", max_length=200, blank=True), Keep.VOLUNTEER)

    class Meta:
        verbose_name = "団体の連絡先"


class GroupLeader(Scoped):
    """代表者: a member leads the organisation from a day until before another.

    ``appointment``: the term of the account that signs in for the group, where there is one.
    """

    organisation = plain(
        models.ForeignKey("registry.Organisation", models.PROTECT, related_name="+")
    )
    volunteer = personal(
        models.ForeignKey("registry.Volunteer", models.PROTECT, related_name="+"), Keep.VOLUNTEER
    )
    appointment = plain(
        models.ForeignKey("registry.Appointment", models.PROTECT, null=True, related_name="+")
    )
    starts_on = plain(models.DateField("就任日"))
    ends_on = plain(models.DateField("退任日（この日から不在）", null=True))

    row_policy = (
        "tsunagari_all_volunteers() OR organisation_id = ANY(tsunagari_organisations())"
    )

    class Meta:
        verbose_name = "団体の代表者"
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gt=F("starts_on")),
                name="group_leader_ends_after_the_start",
            ),
            models.UniqueConstraint(
                fields=["organisation"], condition=Q(ends_on__isnull=True),
                name="group_leader_one_without_an_end",
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        if scope.system or scope.sees_all_volunteers:
            return rows.all()
        if scope.may(Permission.GROUPS_KEEP):
            return rows.filter(organisation_id__in=scope.organisations)
        return rows.none()


class GroupPlan(_OfGroup):
    """活動計画: one kind of activity, how often, where, for whom."""

    class Every(models.TextChoices):
        WEEK = "week", "週"
        MONTH = "month", "月"
        YEAR = "year", "年"

    group = plain(models.ForeignKey("points.Group", models.PROTECT, related_name="+"))
    position = plain(models.PositiveSmallIntegerField("並び順"))
    activity_kind = plain(models.CharField("活動の種類", max_length=24))
    every = plain(models.CharField("どのくらい", max_length=8, choices=Every.choices))
    times = plain(models.PositiveSmallIntegerField("回数"))
    place = plain(models.CharField("会場", max_length=120))
    audience = plain(models.CharField("だれと・だれのために", max_length=120))
    expected = plain(models.PositiveSmallIntegerField("見こみの人数", null=True))

    class Meta:
        verbose_name = "活動計画"
        constraints = [
            models.UniqueConstraint(
                fields=["group", "position"], name="group_plan_one_line_a_position"
            ),
            models.CheckConstraint(
                condition=Q(times__gte=1) & Q(times__lte=366),
                name="group_plan_happens_at_least_once",
            ),
        ]


class GroupEvent(_OfGroup, AppendOnly):
    """経過: what happened to a filing, by whom, when, with the reason given."""

    group = plain(models.ForeignKey("points.Group", models.PROTECT, related_name="+"))
    kind = plain(models.CharField("できごと", max_length=16))
    at = plain(models.DateTimeField("日時"))
    by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))
    volunteer = personal(
        models.ForeignKey("registry.Volunteer", models.PROTECT, null=True, related_name="+"),
        Keep.VOLUNTEER,
    )
    on = plain(models.DateField("その日から", null=True))
    note = plain(models.CharField("理由・メモ", max_length=200, blank=True))
    # 会員数と数えられる人数 at that moment: what the decision was taken on.
    members = plain(models.PositiveIntegerField("会員数", null=True))
    counted = plain(models.PositiveIntegerField("数えられる会員", null=True))

    class Meta:
        verbose_name = "届け出の経過"
        indexes = [models.Index(fields=["group", "id"], name="group_event_of_group")]


class GroupReport(_OfGroup, AppendOnly):
    """実績報告 of a group's year; the figures are kept when the council accepts it."""

    append_only = "OLD.state = 'accepted'"

    class State(models.TextChoices):
        DRAFT = "draft", "作成中"
        SUBMITTED = "submitted", "提出ずみ"
        RETURNED = "returned", "差しもどし"
        ACCEPTED = "accepted", "受理"

    group = plain(models.OneToOneField("points.Group", models.PROTECT, related_name="+"))
    state = plain(models.CharField("状態", max_length=10, choices=State.choices))
    text = plain(models.TextField("ふりかえり", blank=True, max_length=2000))
    reason = plain(models.CharField("差しもどしの理由", max_length=200, blank=True))
    figures = plain(models.JSONField("実績の数字", null=True))
    version = plain(models.PositiveIntegerField("版", default=1))
    submitted_at = plain(models.DateTimeField("提出日時", null=True))
    submitted_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )
    accepted_at = plain(models.DateTimeField("受理日時", null=True))
    accepted_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )

    class Meta:
        verbose_name = "実績報告"
        constraints = [
            models.CheckConstraint(
                condition=Q(submitted_at__isnull=True, submitted_by__isnull=True)
                | Q(submitted_at__isnull=False, submitted_by__isnull=False),
                name="group_report_submitted_at_and_by_together",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True, accepted_by__isnull=True)
                | Q(accepted_at__isnull=False, accepted_by__isnull=False),
                name="group_report_accepted_at_and_by_together",
            ),
            models.CheckConstraint(
                condition=Q(state="accepted", accepted_at__isnull=False, figures__isnull=False)
                | (~Q(state="accepted") & Q(accepted_at__isnull=True)),
                name="group_report_accepted_keeps_its_figures",
            ),
        ]
