"""Sharing: runs, editions, their rows, and every numbered copy.

Owns what was made for whom, and where each copy is.  Editions and their rows are frozen; a
copy's history is a list of events and its state is the last of them.  Refuses: two editions for
one (office, period, medium set); a copy number twice; a row seen by another office.  R1, R5, R7–R9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, Q

from registry.base import AppendOnly, Scoped, personal, plain, sensitive
from registry.domain.roles import Permission

if TYPE_CHECKING:
    from registry.access import Scope

# An office's own rows, or everything for the staff of the municipality.
BY_OFFICE = "tsunagari_all_people() OR office_id = ANY(tsunagari_offices())"
BY_EDITION = "EXISTS (SELECT 1 FROM evacuation_edition e WHERE e.id = edition_id)"


def by_office(rows: models.QuerySet[Any], scope: Scope, path: str) -> models.QuerySet[Any]:
    """Rows of the offices held today, or all for custody staff."""
    if scope.system or scope.may(Permission.CUSTODY_MANAGE):
        return rows.all()
    if scope.may(Permission.EDITION_HOLD):
        return rows.filter(**{f"{path}__in": scope.offices})
    return rows.none()


class SharingRun(models.Model):
    """One periodic sharing (定期提供): unique per period."""

    period = plain(models.CharField("期", max_length=24, unique=True))
    as_of = plain(models.DateTimeField("基準日時"))
    opened_at = plain(models.DateTimeField("開始日時"))
    recipients = plain(models.PositiveIntegerField("提供先の数", default=0))
    mode = plain(models.CharField("提供の根拠", max_length=24))
    citation = plain(models.CharField("根拠の条文", max_length=120))

    class Meta:
        verbose_name = "定期提供"


class SharingTask(models.Model):
    """One recipient of a run: waiting, issued, or held back with the reason (提供先ごとの作業)."""

    class State(models.TextChoices):
        WAITING = "waiting", "作成まち"
        ISSUED = "issued", "発行ずみ"
        HELD_BACK = "held_back", "保留"

    run = plain(models.ForeignKey(SharingRun, models.PROTECT, related_name="+"))
    office = plain(models.ForeignKey("registry.Office", models.PROTECT, related_name="+"))
    recipient_kind = plain(models.CharField("提供先の種別", max_length=32))
    state = plain(models.CharField("状態", max_length=10, choices=State.choices))
    code = plain(models.CharField("理由コード", max_length=40, blank=True))
    reason = plain(models.CharField("理由", max_length=240, blank=True))
    attempt = plain(models.PositiveSmallIntegerField("作成の回", default=1))
    decided_at = plain(models.DateTimeField("発行または保留の日時", null=True))
    override_reason = plain(models.CharField("先に渡す理由", max_length=240, blank=True))
    override_at = plain(models.DateTimeField("先に渡すと決めた日時", null=True))
    override_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+",
                          verbose_name="先に渡すと決めた人")
    )

    class Meta:
        verbose_name = "提供先ごとの作業"
        constraints = [
            models.UniqueConstraint(fields=["run", "office"], name="sharing_task_once_per_office"),
            models.CheckConstraint(
                condition=~Q(state="held_back") | ~Q(reason=""),
                name="sharing_held_back_says_why",
            ),
            models.CheckConstraint(
                condition=Q(override_at__isnull=True, override_by__isnull=True, override_reason="")
                | (Q(override_at__isnull=False, override_by__isnull=False)
                   & ~Q(override_reason="")),
                name="sharing_override_is_signed_with_a_reason",
            ),
        ]


class Edition(AppendOnly, Scoped):
    """One roster made for one office in one period (版).  Frozen."""

    run = plain(models.ForeignKey(SharingRun, models.PROTECT, related_name="+"))
    office = plain(models.ForeignKey("registry.Office", models.PROTECT, related_name="+"))
    recipient_kind = plain(models.CharField("提供先の種別", max_length=32))
    number = plain(models.CharField("版番号", max_length=32, unique=True))
    holder_name = personal(models.CharField("受領者", max_length=120))
    row_count = plain(models.PositiveIntegerField("人数"))
    withheld = plain(models.JSONField("載せなかった人数（理由コード別）", default=dict))
    content_digest = plain(models.CharField("内容の照合値", max_length=64))
    previous = plain(
        models.ForeignKey("evacuation.Edition", models.PROTECT, null=True, related_name="+")
    )
    pdf_address = plain(models.CharField("冊子の保管番号", max_length=64))
    xlsx_address = plain(models.CharField("表の保管番号", max_length=64, blank=True))
    difference_address = plain(models.CharField("差分表の保管番号", max_length=64, blank=True))
    issued_at = plain(models.DateTimeField("発行日時"))

    row_policy = BY_OFFICE

    class Meta:
        verbose_name = "版"
        constraints = [
            models.UniqueConstraint(fields=["run", "office"], name="edition_once_per_run_office"),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        return by_office(rows, scope, "office_id")


class EditionRow(AppendOnly, Scoped):
    """One person as this office was told (版の行): already filtered values, sealed."""

    edition = plain(models.ForeignKey(Edition, models.PROTECT, related_name="+"))
    position = plain(models.PositiveIntegerField("並び順"))
    person = sensitive(models.ForeignKey("registry.Person", models.PROTECT, related_name="+"))
    change = plain(models.CharField("前の版との差", max_length=8))  # new | changed | same
    changed_columns = plain(models.JSONField("変わった項目", default=list))
    ground = plain(models.CharField("提供の根拠", max_length=24))
    columns = plain(models.JSONField("渡した項目", default=list))
    values_digest = plain(models.CharField("内容の照合値", max_length=64))
    sealed_values = sensitive(models.BinaryField("暗号化した内容"))

    row_policy = BY_EDITION

    class Meta:
        verbose_name = "版の行"
        constraints = [
            models.UniqueConstraint(
                fields=["edition", "person"], name="edition_names_a_person_once"
            ),
            models.UniqueConstraint(
                fields=["edition", "position"], name="edition_position_used_once"
            ),
        ]
        indexes = [models.Index(fields=["person"], name="edition_row_person")]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        return by_office(rows, scope, "edition__office_id")


class EditionRemoval(AppendOnly, Scoped):
    """A person of the previous edition who is not in this one (除かれた方)."""

    edition = plain(models.ForeignKey(Edition, models.PROTECT, related_name="+"))
    person = sensitive(models.ForeignKey("registry.Person", models.PROTECT, related_name="+"))
    sealed_name = sensitive(models.BinaryField("暗号化した氏名"))

    row_policy = BY_EDITION

    class Meta:
        verbose_name = "除かれた方"
        constraints = [
            models.UniqueConstraint(
                fields=["edition", "person"], name="edition_removes_a_person_once"
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        return by_office(rows, scope, "edition__office_id")


class Copy(Scoped):
    """One numbered paper or file (副本).  Its state follows its events."""

    class Medium(models.TextChoices):
        PAPER = "paper", "冊子"
        FILE = "file", "電子データ"

    edition = plain(models.ForeignKey(Edition, models.PROTECT, related_name="+"))
    office = plain(models.ForeignKey("registry.Office", models.PROTECT, related_name="+"))
    number = plain(models.CharField("副本番号", max_length=32, unique=True))
    medium = plain(models.CharField("媒体", max_length=8, choices=Medium.choices))
    state = plain(models.CharField("状態", max_length=16))
    holder = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+",
                          verbose_name="保持者")
    )
    state_at = plain(models.DateTimeField("状態の日時"))
    next_check_on = plain(models.DateField("次の所在確認", null=True))
    version = plain(models.PositiveIntegerField("版", default=1))

    row_policy = BY_OFFICE

    class Meta:
        verbose_name = "副本"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["issued", "received", "recalled", "returned", "destroyed",
                                       "lost"]),
                name="copy_state_is_known",
            ),
            models.UniqueConstraint(
                fields=["edition", "medium"], name="edition_has_one_copy_per_medium"
            ),
        ]
        indexes = [models.Index(fields=["office", "state"], name="copy_office_state")]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        return by_office(rows, scope, "office_id")


class CopyEvent(AppendOnly, Scoped):
    """One thing that happened to a copy (副本の記録)."""

    copy = plain(models.ForeignKey(Copy, models.PROTECT, related_name="+"))
    sequence = plain(models.PositiveIntegerField("順番"))
    event = plain(models.CharField("できごと", max_length=16))
    at = plain(models.DateTimeField("日時"))
    by = plain(models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+"))
    from_office = plain(
        models.ForeignKey("registry.Office", models.PROTECT, null=True, related_name="+")
    )
    to_office = plain(
        models.ForeignKey("registry.Office", models.PROTECT, null=True, related_name="+")
    )
    note = plain(models.CharField("備考", max_length=240, blank=True))

    row_policy = "EXISTS (SELECT 1 FROM evacuation_copy c WHERE c.id = copy_id)"

    class Meta:
        verbose_name = "副本の記録"
        constraints = [
            models.UniqueConstraint(fields=["copy", "sequence"], name="copy_event_in_order"),
            models.UniqueConstraint(
                fields=["copy"], condition=Q(event="issue"), name="copy_issued_once"
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        return by_office(rows, scope, "copy__office_id")


class CopyLoss(Scoped):
    """A reported loss (紛失): due dates of the two reports and when they were made."""

    copy = plain(models.OneToOneField(Copy, models.PROTECT, related_name="+"))
    office = plain(models.ForeignKey("registry.Office", models.PROTECT, related_name="+"))
    discovered_on = plain(models.DateField("気づいた日"))
    circumstances = plain(models.CharField("気づいた状況", max_length=500))
    malicious = plain(models.BooleanField("盗難など不正の目的のおそれ", default=False))
    people_count = plain(models.PositiveIntegerField("対象の人数"))
    first_target_on = plain(models.DateField("速報の目標日"))
    first_due_on = plain(models.DateField("速報の期限"))
    final_due_on = plain(models.DateField("確報の期限"))
    reported_at = plain(models.DateTimeField("届出日時"))
    reported_by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))

    row_policy = BY_OFFICE

    class Meta:
        verbose_name = "紛失の届"
        constraints = [
            models.CheckConstraint(
                condition=Q(first_target_on__lte=F("first_due_on"))
                & Q(first_due_on__lte=F("final_due_on"))
                & Q(discovered_on__lte=F("first_target_on")),
                name="loss_dates_follow_each_other",
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        return by_office(rows, scope, "office_id")


class Letter(AppendOnly, Scoped):
    """A letter made by a worker: a strike-out notice or a loss notice (通知文)."""

    class Kind(models.TextChoices):
        STRIKE_OUT = "strike_out", "削除依頼"
        LOSS = "loss", "紛失のお知らせ"

    kind = plain(models.CharField("種類", max_length=12, choices=Kind.choices))
    copy = plain(models.ForeignKey(Copy, models.PROTECT, related_name="+"))
    office = plain(models.ForeignKey("registry.Office", models.PROTECT, related_name="+"))
    person = sensitive(
        models.ForeignKey("registry.Person", models.PROTECT, null=True, related_name="+",
                          verbose_name="宛先の方")
    )
    number = plain(models.CharField("文書番号", max_length=48, unique=True))
    address = plain(models.CharField("保管番号", max_length=64))
    made_at = plain(models.DateTimeField("作成日時"))

    # A letter to a person is the municipality's; the office sees the orders made to it.
    row_policy = (
        "tsunagari_all_people() OR (kind = 'strike_out' AND office_id = ANY(tsunagari_offices()))"
    )

    class Meta:
        verbose_name = "通知文"
        constraints = [
            models.UniqueConstraint(
                fields=["copy", "person"], condition=Q(kind="loss"),
                name="loss_letter_once_per_person",
            ),
            models.CheckConstraint(
                condition=Q(kind="loss", person__isnull=False)
                | Q(kind="strike_out", person__isnull=True),
                name="letter_of_loss_names_its_person",
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        found = by_office(rows, scope, "office_id")
        if scope.system or scope.may(Permission.CUSTODY_MANAGE):
            return found
        return found.filter(kind="strike_out")


class StrikeOut(Scoped):
    """A request to strike one person out of a circulating copy (削除依頼, R5)."""

    copy = plain(models.ForeignKey(Copy, models.PROTECT, related_name="+"))
    office = plain(models.ForeignKey("registry.Office", models.PROTECT, related_name="+"))
    person = sensitive(models.ForeignKey("registry.Person", models.PROTECT, related_name="+"))
    position = plain(models.PositiveIntegerField("冊子の何番目か"))
    reason = plain(models.CharField("理由", max_length=120))
    made_at = plain(models.DateTimeField("作成日時"))
    letter = plain(models.ForeignKey(Letter, models.PROTECT, null=True, related_name="+",
                                     verbose_name="通知文"))
    done_at = plain(models.DateTimeField("実施日時", null=True))
    done_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )

    row_policy = BY_OFFICE

    class Meta:
        verbose_name = "削除依頼"
        constraints = [
            models.UniqueConstraint(fields=["copy", "person"], name="strike_out_once_per_copy"),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True, done_by__isnull=True)
                | Q(done_at__isnull=False, done_by__isnull=False),
                name="strike_out_done_at_and_by_together",
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        return by_office(rows, scope, "office_id")
