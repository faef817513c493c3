"""Groups, sessions and attendances (登録団体・開催回・参加記録), P4, P9.

Owns who was counted where, when and how, and the record of each scan with its first answer.
Refuses a second attendance of one volunteer at one session, by constraint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, Q

from registry.base import Keep, Scoped, personal, plain
from registry.domain.roles import Permission

if TYPE_CHECKING:
    from registry.access import Scope

BY_VOLUNTEER = (
    "tsunagari_all_volunteers() OR volunteer_id = tsunagari_volunteer()"
    " OR EXISTS (SELECT 1 FROM points_session s"
    " WHERE s.id = session_id AND s.organisation_id = ANY(tsunagari_organisations()))"
)


class Group(models.Model):
    """登録団体: an organisation registered with a programme for one fiscal year.

    The filing goes draft → submitted → registered, or returned with a reason; ``withdrawn`` ends
    it.  Names of people are in ``group.py``, behind a scope.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "作成中"
        SUBMITTED = "submitted", "審査まち"
        REGISTERED = "registered", "登録"
        RETURNED = "returned", "差しもどし"
        WITHDRAWN = "withdrawn", "とりやめ"

    organisation = plain(
        models.ForeignKey("registry.Organisation", models.PROTECT, related_name="+")
    )
    programme = plain(models.ForeignKey("points.Programme", models.PROTECT, related_name="+"))
    fiscal_year = plain(models.PositiveSmallIntegerField("年度"))
    name = plain(models.CharField("団体名", max_length=120))
    activity_kind = plain(models.CharField("活動の種類", max_length=24))
    area = plain(models.ForeignKey("registry.Area", models.PROTECT, null=True, related_name="+"))
    state = plain(
        models.CharField("状態", max_length=10, choices=State.choices, default=State.REGISTERED)
    )
    # 差しもどし・とりやめの理由.
    reason = plain(models.CharField("理由", max_length=200, blank=True))
    # 人数が足りないまま登録したわけ (an approved exception, as data).
    exception = plain(models.CharField("少人数で認めた理由", max_length=200, blank=True))
    version = plain(models.PositiveIntegerField("版", default=1))
    submitted_at = plain(models.DateTimeField("届け出日時", null=True))
    submitted_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )
    registered_at = plain(models.DateTimeField("登録日時", null=True))
    registered_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )

    class Meta:
        verbose_name = "登録団体"
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "programme", "fiscal_year"],
                condition=~Q(state="withdrawn"), name="group_registered_once_a_year",
            ),
            models.CheckConstraint(
                condition=Q(submitted_at__isnull=True, submitted_by__isnull=True)
                | Q(submitted_at__isnull=False, submitted_by__isnull=False),
                name="group_submitted_at_and_by_together",
            ),
            models.CheckConstraint(
                condition=Q(registered_at__isnull=True, registered_by__isnull=True)
                | Q(registered_at__isnull=False, registered_by__isnull=False),
                name="group_registered_at_and_by_together",
            ),
            models.CheckConstraint(
                condition=~Q(state="registered") | Q(registered_at__isnull=False),
                name="group_registration_is_signed",
            ),
            models.CheckConstraint(
                condition=(Q(state__in=["returned", "withdrawn"]) & ~Q(reason=""))
                | (~Q(state__in=["returned", "withdrawn"]) & Q(reason="")),
                name="group_no_is_explained",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Session(models.Model):
    """開催回: one date, time and place."""

    # 主催: the group's organisation, or the council for a centre's or city's event.
    organisation = plain(
        models.ForeignKey("registry.Organisation", models.PROTECT, related_name="+")
    )
    group = plain(models.ForeignKey(Group, models.PROTECT, null=True, related_name="+"))
    programme = plain(models.ForeignKey("points.Programme", models.PROTECT, related_name="+"))
    title = plain(models.CharField("名称", max_length=120))
    activity_kind = plain(models.CharField("活動の種類", max_length=24))
    source = plain(models.CharField("活動の出どころ", max_length=8, default="group"))
    place = plain(models.CharField("会場", max_length=120))
    area = plain(models.ForeignKey("registry.Area", models.PROTECT, null=True, related_name="+"))
    held_on = plain(models.DateField("開催日", db_index=True))
    starts_at = plain(models.DateTimeField("開始"))
    ends_at = plain(models.DateTimeField("終了"))
    headcount = plain(models.PositiveIntegerField("申告の人数", null=True))
    cancelled_at = plain(models.DateTimeField("中止日時", null=True))
    cancelled_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )
    made_at = plain(models.DateTimeField("登録日時"))
    made_by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))

    class Meta:
        verbose_name = "開催回"
        indexes = [models.Index(fields=["organisation", "held_on"], name="session_host_day")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="session_ends_after_it_starts"
            ),
            models.CheckConstraint(
                condition=Q(source="group", group__isnull=False)
                | (~Q(source="group") & Q(group__isnull=True)),
                name="session_of_a_group_names_it",
            ),
            models.CheckConstraint(
                condition=Q(cancelled_at__isnull=True, cancelled_by__isnull=True)
                | Q(cancelled_at__isnull=False, cancelled_by__isnull=False),
                name="session_cancelled_at_and_by_together",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Attendance(Scoped):
    """参加記録: one volunteer at one session, once."""

    session = plain(models.ForeignKey(Session, models.PROTECT, related_name="+"))
    volunteer = personal(
        models.ForeignKey("registry.Volunteer", models.PROTECT, related_name="+"), Keep.VOLUNTEER
    )
    method = plain(models.CharField("数え方", max_length=16))
    attended_at = plain(models.DateTimeField("参加時刻"))
    minutes = plain(models.PositiveIntegerField("時間（分）"))
    recorded_at = plain(models.DateTimeField("記録日時"))
    recorded_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )
    # 代理入力: who stands behind the entry besides the one who typed it.
    proxy_note = plain(models.CharField("代理入力のわけ", max_length=160, blank=True))
    # Arrived after the year was closed: waits until a named correction says why it counts (P1).
    after_close = plain(models.BooleanField("しめきり後の記録", default=False))
    correction = plain(models.CharField("訂正の理由", max_length=160, blank=True))
    corrected_at = plain(models.DateTimeField("訂正日時", null=True))
    corrected_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )
    # 重なりの確認: staff saw the overlap and let both count (P8).
    cleared_at = plain(models.DateTimeField("重なり確認日時", null=True))
    cleared_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )
    voided_at = plain(models.DateTimeField("取消日時", null=True))
    voided_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )
    void_reason = plain(models.CharField("取消の理由", max_length=160, blank=True))

    row_policy = BY_VOLUNTEER

    class Meta:
        verbose_name = "参加記録"
        indexes = [models.Index(fields=["volunteer", "session"], name="attendance_volunteer")]
        constraints = [
            models.UniqueConstraint(
                fields=["session", "volunteer"], name="attendance_once_per_session"
            ),
            models.CheckConstraint(
                condition=Q(voided_at__isnull=True, voided_by__isnull=True, void_reason="")
                | (Q(voided_at__isnull=False, voided_by__isnull=False) & ~Q(void_reason="")),
                name="attendance_void_is_signed_and_explained",
            ),
            models.CheckConstraint(
                condition=Q(corrected_at__isnull=True, corrected_by__isnull=True, correction="")
                | (Q(corrected_at__isnull=False, corrected_by__isnull=False,
                     after_close=True) & ~Q(correction="")),
                name="attendance_correction_is_signed_and_explained",
            ),
            models.CheckConstraint(
                condition=Q(cleared_at__isnull=True, cleared_by__isnull=True)
                | Q(cleared_at__isnull=False, cleared_by__isnull=False),
                name="attendance_cleared_at_and_by_together",
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        if scope.system or scope.sees_all_volunteers:
            return rows.all()
        if scope.may(Permission.SESSIONS_VIEW):
            return rows.filter(session__organisation_id__in=scope.organisations)
        return rows.filter(volunteer_id=scope.volunteer_id) if scope.volunteer_id else rows.none()


class Scan(Scoped):
    """One request to be counted, with the first answer it got (読みとり).

    ``id`` is the client's UUID: a repeat of it gets the same answer, other content a conflict.
    """

    id = plain(models.UUIDField("依頼の番号", primary_key=True))
    # Eight bytes for each field of the request, to name the one that differs.
    content = plain(models.BinaryField("内容の照合値", max_length=64))
    session = plain(models.ForeignKey(Session, models.PROTECT, null=True, related_name="+"))
    volunteer = personal(
        models.ForeignKey("registry.Volunteer", models.PROTECT, null=True, related_name="+"),
        Keep.VOLUNTEER,
    )
    attendance = plain(models.ForeignKey(Attendance, models.PROTECT, null=True, related_name="+"))
    user = plain(models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+"))
    counter = plain(models.BigIntegerField("端末の通し番号", null=True))
    scanned_at = plain(models.DateTimeField("端末の時刻"))
    received_at = plain(models.DateTimeField("受信時刻"))
    skew_ms = plain(models.BigIntegerField("端末の時計のずれ（ミリ秒）", default=0))
    result = plain(models.CharField("結果", max_length=24))
    points = plain(models.IntegerField("ポイント", default=0))
    reason = plain(models.CharField("理由", max_length=320))
    balance = plain(models.IntegerField("残高", null=True))

    row_policy = (
        "tsunagari_all_volunteers() OR volunteer_id = tsunagari_volunteer()"
        " OR user_id = tsunagari_user()"
    )

    class Meta:
        verbose_name = "読みとり"
        indexes = [models.Index(fields=["user", "counter"], name="scan_device_counter")]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        if scope.system or scope.sees_all_volunteers:
            return rows.all()
        return rows.filter(user_id=scope.user_id) if scope.user_id else rows.none()
