"""Organisations, offices, appointments and memberships: who stands for what, and when.

Owns: organisations (町内会, 登録団体, 協力店, 社協 …), offices (役職) with their areas of
responsibility, terms of office, and who belongs to which organisation.  An office, not a
person, holds roster copies (evacuation.md, custody).  Refuses open-ended power: every
appointment has a first day, and access follows the dates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, Q

from registry.base import Keep, Scoped, personal, plain
from registry.domain.roles import Permission, Role

if TYPE_CHECKING:
    from registry.access import Scope


class OrganisationKind(models.TextChoices):
    CITY = "city", "市"
    COUNCIL = "council", "社会福祉協議会"
    NEIGHBOURHOOD = "neighbourhood", "町内会・自主防災組織"
    GROUP = "group", "登録団体"
    SHOP = "shop", "協力店"
    CARE_OFFICE = "care_office", "居宅介護支援事業所"
    COMMISSIONERS = "commissioners", "民生委員児童委員協議会"
    FIRE = "fire", "消防"
    POLICE = "police", "警察"


class Organisation(models.Model):
    """One organisation.  Its name and address are public facts."""

    kind = plain(models.CharField("種別", max_length=16, choices=OrganisationKind.choices))
    code = plain(models.CharField("団体コード", max_length=24, unique=True))
    name = plain(models.CharField("名称", max_length=120))
    kana = plain(models.CharField("よみ", max_length=160, blank=True))
    area = plain(
        models.ForeignKey(
            "registry.Area", models.PROTECT, null=True, blank=True, related_name="+",
            verbose_name="区域",
        )
    )
    address = plain(models.CharField("所在地", max_length=200, blank=True))
    phone = plain(models.CharField("電話番号", max_length=24, blank=True))

    class Meta:
        verbose_name = "団体"
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Office(models.Model):
    """A seat that somebody holds for a term (役職): 民生委員, 町内会長, 担当職員 …"""

    role = plain(
        models.CharField("役割", max_length=32, choices=[(r.value, r.value) for r in Role])
    )
    code = plain(models.CharField("役職コード", max_length=32, unique=True))
    name = plain(models.CharField("役職名", max_length=120))
    organisation = plain(
        models.ForeignKey(
            Organisation, models.PROTECT, related_name="+", verbose_name="団体",
        )
    )
    areas = models.ManyToManyField(
        "registry.Area", through="registry.OfficeArea", related_name="+", verbose_name="担当区域"
    )
    storage_place = plain(models.CharField("保管場所", max_length=120, blank=True))

    class Meta:
        verbose_name = "役職"
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class OfficeArea(models.Model):
    """One piece of an office's area of responsibility: a 町内会, or only some 班 of it."""

    office = plain(models.ForeignKey(Office, models.PROTECT, related_name="+"))
    area = plain(models.ForeignKey("registry.Area", models.PROTECT, related_name="+"))
    section = plain(models.CharField("班", max_length=24, blank=True))

    class Meta:
        verbose_name = "担当区域"
        constraints = [
            models.UniqueConstraint(
                fields=["office", "area", "section"], name="office_area_named_once"
            ),
        ]


class Appointment(models.Model):
    """A user holds an office from a day until before another day (委嘱・任命)."""

    office = plain(models.ForeignKey(Office, models.PROTECT, related_name="+"))
    user = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))
    starts_on = plain(models.DateField("任期開始日"))
    ends_on = plain(models.DateField("任期終了日（この日から不在）", null=True, blank=True))

    class Meta:
        verbose_name = "任命"
        indexes = [models.Index(fields=["user", "starts_on"], name="appointment_user")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gt=F("starts_on")),
                name="appointment_ends_after_it_starts",
            ),
            models.UniqueConstraint(
                fields=["office", "user", "starts_on"], name="appointment_made_once"
            ),
        ]


class Membership(Scoped):
    """A volunteer belongs to an organisation for a time (会員)."""

    organisation = plain(models.ForeignKey(Organisation, models.PROTECT, related_name="+"))
    volunteer = personal(
        models.ForeignKey("registry.Volunteer", models.PROTECT, related_name="+"), Keep.VOLUNTEER
    )
    position = plain(models.PositiveIntegerField("並び順", default=0))
    starts_on = plain(models.DateField("入会日"))
    ends_on = plain(models.DateField("退会日", null=True, blank=True))

    row_policy = (
        "tsunagari_all_volunteers() OR organisation_id = ANY(tsunagari_organisations())"
        " OR volunteer_id = tsunagari_volunteer()"
    )

    class Meta:
        verbose_name = "会員"
        indexes = [models.Index(fields=["volunteer"], name="membership_volunteer")]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "volunteer", "starts_on"], name="membership_made_once"
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gt=F("starts_on")),
                name="membership_ends_after_it_starts",
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        if scope.system or scope.sees_all_volunteers:
            return rows.all()
        if scope.may(Permission.VOLUNTEERS_VIEW):
            return rows.filter(organisation_id__in=scope.organisations)
        return rows.filter(volunteer_id=scope.volunteer_id) if scope.volunteer_id else rows.none()
