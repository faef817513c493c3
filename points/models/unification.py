"""One volunteer, one card, one statement (P8): merges of two records, words on overlaps.

Owns what staff decided: which two records are one person, what became of each attendance, and
which of two overlapping records counts.  Append-only: a decision stands with its reason, the
person who took it and the time; another decision is another row.  Refuses a record that is
merged twice, by constraint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, Q

from registry.base import AppendOnly, Keep, Scoped, personal, plain

if TYPE_CHECKING:
    from registry.access import Scope


class Merge(AppendOnly, Scoped):
    """記録の統合: everything of ``merged`` goes on under ``survivor``.

    Transfers of cause ``merge`` carry its id as their reference.
    """

    survivor = personal(
        models.ForeignKey("registry.Volunteer", models.PROTECT, related_name="+"), Keep.VOLUNTEER
    )
    merged = personal(
        models.OneToOneField("registry.Volunteer", models.PROTECT, related_name="+"),
        Keep.VOLUNTEER,
    )
    reason = plain(models.CharField("まとめた理由", max_length=160), Keep.VOLUNTEER)
    # What was moved besides attendances: ids by kind (exchanges, phones, memberships …).
    moved = plain(models.JSONField("移したもの", default=dict))
    made_at = plain(models.DateTimeField("まとめた日時"))
    made_by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))

    row_policy = "tsunagari_all_volunteers() OR survivor_id = tsunagari_volunteer()"

    class Meta:
        verbose_name = "記録の統合"
        indexes = [models.Index(fields=["survivor"], name="merge_survivor")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(survivor=F("merged")), name="merge_is_of_two_records"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="merge_says_why"),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        if scope.system or scope.sees_all_volunteers:
            return rows.all()
        return rows.filter(survivor_id=scope.volunteer_id) if scope.volunteer_id else rows.none()


class MergeLine(AppendOnly, Scoped):
    """統合の明細: what became of one attendance of the merged record."""

    class Outcome(models.TextChoices):
        MOVED = "moved", "移した"
        DUPLICATE = "duplicate", "同じ開催回の記録があるので取り消した"
        RESTORED = "restored", "取り消されていた同じ開催回の記録を生かした"
        LEFT = "left", "取り消されたまま残した"

    merge = plain(models.ForeignKey(Merge, models.PROTECT, related_name="+"))
    attendance = plain(models.ForeignKey("points.Attendance", models.PROTECT, related_name="+"))
    # The survivor's record of the same session, where there is one.
    stays = plain(
        models.ForeignKey("points.Attendance", models.PROTECT, null=True, related_name="+")
    )
    outcome = plain(models.CharField("結果", max_length=12, choices=Outcome.choices))
    note = plain(models.CharField("前の取消の理由", max_length=160, blank=True), Keep.VOLUNTEER)

    row_policy = "EXISTS (SELECT 1 FROM points_merge m WHERE m.id = merge_id)"

    class Meta:
        verbose_name = "統合の明細"
        constraints = [
            models.UniqueConstraint(
                fields=["merge", "attendance"], name="merge_line_once_per_attendance"
            ),
            models.CheckConstraint(
                condition=Q(outcome="moved", stays__isnull=True)
                | (~Q(outcome="moved") & Q(stays__isnull=False)),
                name="merge_line_names_the_record_that_stays",
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        return rows.filter(merge_id__in=Merge.objects.visible_to(scope).values("pk"))


class OverlapDecision(AppendOnly, Scoped):
    """重なりの判断: what staff decided about a record that waited, and why."""

    class Action(models.TextChoices):
        COUNT_THIS = "count_this", "こちらを数える"
        COUNT_BOTH = "count_both", "両方数える"
        VOID = "void", "こちらを取り消す"

    attendance = plain(models.ForeignKey("points.Attendance", models.PROTECT, related_name="+"))
    # The records that it overlapped at that moment (ids), as the page showed them.
    others = plain(models.JSONField("重なっていた記録", default=list))
    action = plain(models.CharField("判断", max_length=12, choices=Action.choices))
    reason = plain(models.CharField("判断の理由", max_length=160), Keep.VOLUNTEER)
    decided_at = plain(models.DateTimeField("判断日時"))
    decided_by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))

    row_policy = "EXISTS (SELECT 1 FROM points_attendance a WHERE a.id = attendance_id)"

    class Meta:
        verbose_name = "重なりの判断"
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="overlap_decision_says_why"),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        return rows.all() if scope.system or scope.sees_all_volunteers else rows.none()
