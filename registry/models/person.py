"""People of the municipality's register (住民), their households and welfare facts.

Owns what the imports bring: identity, address, place, household, care and handbook facts.
Refuses 個人番号 (R13): the key is 宛名番号.  Refuses silent deletion: a death or a move is a
dated fact.  Location comes with its source and a stated uncertainty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, Q

from registry.base import Keep, Scoped, personal, plain, sensitive
from registry.domain.roles import Permission

if TYPE_CHECKING:
    from registry.access import Scope

_THROUGH_PERSON = "EXISTS (SELECT 1 FROM registry_person p WHERE p.id = person_id)"


class Sex(models.TextChoices):
    MALE = "male", "男"
    FEMALE = "female", "女"
    UNKNOWN = "unknown", "不明"


class LocationSource(models.TextChoices):
    NONE = "none", "位置なし"
    TOWN = "town", "町丁・小字の代表点"
    IMPORT = "import", "取込データの緯度経度"
    SURVEY = "survey", "職員が地図で確認"


class Household(Scoped):
    """A household (世帯) of the register."""

    number = personal(models.CharField("世帯番号", max_length=20, unique=True))

    row_policy = (
        "tsunagari_all_people() OR EXISTS"
        " (SELECT 1 FROM registry_person p WHERE p.household_id = registry_household.id)"
    )

    class Meta:
        verbose_name = "世帯"

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        if scope.system or scope.sees_all_people:
            return rows.all()
        return rows.filter(pk__in=Person.objects.visible_to(scope).values("household_id"))


class Person(Scoped):
    """One resident (住民).  The key is 宛名番号, never 個人番号."""

    number = personal(models.CharField("宛名番号", max_length=20, unique=True))
    household = personal(
        models.ForeignKey(Household, models.PROTECT, null=True, related_name="+",
                          verbose_name="世帯")
    )
    name = personal(models.CharField("氏名", max_length=120))
    kana = personal(models.CharField("氏名かな", max_length=160))
    name_key = personal(models.CharField("検索キー（漢字）", max_length=160))
    kana_key = personal(models.CharField("検索キー（かな）", max_length=200))
    born_on = personal(models.DateField("生年月日", null=True))
    born_precision = plain(models.CharField("生年月日の確かさ", max_length=8, default="day"))
    sex = personal(models.CharField("性別", max_length=8, choices=Sex.choices))
    postcode = personal(models.CharField("郵便番号", max_length=8, blank=True))
    address = personal(models.CharField("住所", max_length=240))
    building = personal(models.CharField("方書", max_length=120, blank=True))
    town = personal(models.CharField("町丁・大字", max_length=80, blank=True))
    koaza = personal(models.CharField("小字", max_length=80, blank=True))
    area = personal(
        models.ForeignKey("registry.Area", models.PROTECT, null=True, related_name="+",
                          verbose_name="町内会の区域")
    )
    section = personal(models.CharField("班", max_length=24, blank=True))
    phone = personal(models.CharField("電話番号", max_length=24, blank=True))
    longitude = personal(models.FloatField("経度", null=True))
    latitude = personal(models.FloatField("緯度", null=True))
    east_m = personal(models.FloatField("平面直角座標 Y（東、m）", null=True))
    north_m = personal(models.FloatField("平面直角座標 X（北、m）", null=True))
    location_source = plain(
        models.CharField("位置の出どころ", max_length=8, choices=LocationSource.choices,
                         default=LocationSource.NONE)
    )
    location_uncertainty_m = plain(models.PositiveIntegerField("位置の誤差（m）", default=0))
    moved_in_on = personal(models.DateField("転入日", null=True))
    moved_out_on = personal(models.DateField("転出日", null=True))
    died_on = personal(models.DateField("死亡日", null=True))
    facility_since = sensitive(models.DateField("施設入所日", null=True))
    facility_name = sensitive(models.CharField("施設名", max_length=120, blank=True))
    protected_until = sensitive(models.DateField("DV等支援措置の終期", null=True))
    updated_at = plain(models.DateTimeField("更新日時"))
    updated_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+",
                          verbose_name="更新者")
    )
    version = plain(models.PositiveIntegerField("版", default=1))

    row_policy = (
        "(tsunagari_all_people() OR EXISTS (SELECT 1 FROM registry_caseload c"
        " WHERE c.person_id = registry_person.id AND c.user_id = tsunagari_user()"
        " AND c.starts_on <= tsunagari_day()"
        " AND (c.ends_on IS NULL OR c.ends_on > tsunagari_day())))"
        " AND (tsunagari_sees_protected() OR protected_until IS NULL"
        " OR protected_until < tsunagari_day())"
    )

    class Meta:
        verbose_name = "住民"
        indexes = [
            models.Index(fields=["kana_key", "id"], name="person_kana"),
            models.Index(fields=["area", "kana_key"], name="person_area"),
            models.Index(fields=["household"], name="person_household"),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        if scope.system:
            return rows.all()
        if scope.sees_all_people:
            seen = rows.all()
        elif scope.may(Permission.PEOPLE_VIEW) and scope.user_id is not None:
            seen = rows.filter(
                pk__in=Caseload.objects.unscoped()
                .filter(user_id=scope.user_id, starts_on__lte=scope.on)
                .filter(Q(ends_on__isnull=True) | Q(ends_on__gt=scope.on))
                .values("person_id")
            )
        else:
            return rows.none()
        if scope.may(Permission.PEOPLE_PROTECTED):
            return seen
        return seen.filter(Q(protected_until__isnull=True) | Q(protected_until__lt=scope.on))

    def __str__(self) -> str:
        return f"住民 {self.pk}"


class WelfareRecord(Scoped):
    """Care and handbook facts of one person (介護・障がい情報)."""

    person = sensitive(models.OneToOneField(Person, models.PROTECT, related_name="+"))
    care_level = sensitive(models.CharField("要介護度", max_length=2, blank=True))
    physical_grade = sensitive(models.PositiveSmallIntegerField("身体障害者手帳の等級", null=True))
    physical_parts = sensitive(models.JSONField("障害の部位", default=list))
    physical_class = sensitive(models.PositiveSmallIntegerField("旅客運賃の種別", null=True))
    intellectual_label = sensitive(models.CharField("療育手帳の判定", max_length=16, blank=True))
    mental_grade = sensitive(models.PositiveSmallIntegerField("精神障害者保健福祉手帳の等級",
                                                              null=True))
    intractable_disease = sensitive(models.BooleanField("難病", default=False))
    needs = sensitive(models.JSONField("必要な配慮", default=list))
    updated_at = plain(models.DateTimeField("更新日時"))

    row_policy = _THROUGH_PERSON

    class Meta:
        verbose_name = "福祉情報"

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        if scope.system:
            return rows.all()
        return rows.filter(person_id__in=Person.objects.visible_to(scope).values("pk"))


class Caseload(Scoped):
    """A care professional looks after a person for a time (担当)."""

    person = personal(models.ForeignKey(Person, models.PROTECT, related_name="+"))
    user = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))
    starts_on = plain(models.DateField("担当開始日"))
    ends_on = plain(models.DateField("担当終了日", null=True, blank=True), Keep.REGISTERED)

    row_policy = "tsunagari_all_people() OR user_id = tsunagari_user()"

    class Meta:
        verbose_name = "担当"
        constraints = [
            models.UniqueConstraint(
                fields=["person", "user", "starts_on"], name="caseload_made_once"
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gt=F("starts_on")),
                name="caseload_ends_after_it_starts",
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        if scope.system or scope.sees_all_people:
            return rows.all()
        return rows.filter(user_id=scope.user_id) if scope.user_id else rows.none()


class PersonEvent(Scoped):
    """A consequence waiting for somebody: death, move, facility, care level (異動)."""

    person = personal(models.ForeignKey(Person, models.PROTECT, related_name="+"))
    kind = sensitive(models.CharField("異動の種類", max_length=32), Keep.REGISTERED)
    happened_on = personal(models.DateField("異動日（分からないときは把握した日）"))
    noticed_at = plain(models.DateTimeField("把握日時"))
    batch = plain(
        models.ForeignKey("registry.ImportBatch", models.PROTECT, null=True, related_name="+")
    )

    row_policy = _THROUGH_PERSON

    class Meta:
        verbose_name = "異動"
        constraints = [
            models.UniqueConstraint(
                fields=["person", "kind", "happened_on"], name="person_event_noticed_once"
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        if scope.system:
            return rows.all()
        return rows.filter(person_id__in=Person.objects.visible_to(scope).values("pk"))
