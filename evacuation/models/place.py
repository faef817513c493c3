"""Places and hazards: shelters, emergency sites and the zones they must lie outside of.

Owns public facts only; nobody's home is here.  A place that disappears from the file is closed
with a date, never deleted, because plans name it.  Refuses a place without a position.
Source: 国土地理院 指定緊急避難場所・指定避難所, 国土数値情報 A31・A33.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from registry.base import plain


class EmergencySite(models.Model):
    """指定緊急避難場所: where one escapes to, per hazard."""

    source_id = plain(models.CharField("共通ID", max_length=24, unique=True))
    name = plain(models.CharField("名称", max_length=160))
    address = plain(models.CharField("住所", max_length=240, blank=True))
    longitude = plain(models.FloatField("経度"))
    latitude = plain(models.FloatField("緯度"))
    east_m = plain(models.FloatField("平面直角座標 Y（東、m）"))
    north_m = plain(models.FloatField("平面直角座標 X（北、m）"))
    hazards = plain(models.JSONField("対応する災害", default=list))
    closed_on = plain(models.DateField("廃止日", null=True))
    source = plain(models.CharField("出典", max_length=160))

    class Meta:
        verbose_name = "指定緊急避難場所"


class Shelter(models.Model):
    """指定避難所; with 受入対象者 it is a 指定福祉避難所."""

    class Join(models.TextChoices):
        SURE = "sure", "自動で対応づけ"
        DOUBTFUL = "doubtful", "確認まち"
        ALONE = "alone", "相手なし"
        CONFIRMED = "confirmed", "職員が確認"

    class Confirmation(models.TextChoices):
        NONE = "none", "未確認"
        ASKED = "asked", "施設へ確認中"
        CONFIRMED = "confirmed", "施設が確認ずみ"

    source_id = plain(models.CharField("共通ID", max_length=24, unique=True))
    name = plain(models.CharField("名称", max_length=160))
    address = plain(models.CharField("住所", max_length=240, blank=True))
    longitude = plain(models.FloatField("経度"))
    latitude = plain(models.FloatField("緯度"))
    east_m = plain(models.FloatField("平面直角座標 Y（東、m）"))
    north_m = plain(models.FloatField("平面直角座標 X（北、m）"))
    is_welfare = plain(models.BooleanField("指定福祉避難所", default=False))
    admits = plain(models.JSONField("受入対象者", default=list))
    admits_text = plain(models.CharField("受入対象者（原文）", max_length=240, blank=True))
    site = plain(
        models.ForeignKey(EmergencySite, models.PROTECT, null=True, related_name="+",
                          verbose_name="同じ場所の指定緊急避難場所")
    )
    join_state = plain(
        models.CharField("対応づけの状態", max_length=12, choices=Join.choices, default=Join.ALONE)
    )
    join_candidates = plain(models.JSONField("対応づけの候補", default=list))
    # None: nobody knows; the national shelter file does not say.
    safe_for = plain(models.JSONField("使える災害", null=True))
    capacity = plain(models.PositiveIntegerField("要配慮者の枠（人）", null=True))
    special_places = plain(models.JSONField("特別な枠（車いす・電源・ベッド）", default=dict))
    companions = plain(models.PositiveSmallIntegerField("付きそいの人数（1人あたり）", default=0))
    capacity_is_sample = plain(models.BooleanField("枠は見本", default=False))
    direct_evacuation = plain(models.BooleanField("直接避難の取り決め", default=False))
    confirmation = plain(
        models.CharField("受入れの確認", max_length=12, choices=Confirmation.choices,
                         default=Confirmation.NONE)
    )
    closed_on = plain(models.DateField("閉鎖日", null=True))
    source = plain(models.CharField("出典", max_length=160))
    version = plain(models.PositiveIntegerField("版", default=1))

    class Meta:
        verbose_name = "指定避難所"
        constraints = [
            models.CheckConstraint(
                condition=Q(join_state="sure", site__isnull=False)
                | Q(join_state__in=["doubtful", "alone"], site__isnull=True)
                | Q(join_state="confirmed"),
                name="shelter_join_state_fits_the_site",
            ),
        ]


class HazardDataset(models.Model):
    """One imported file of zones; the newest per group is what is in force (災害区域の取込)."""

    class Group(models.TextChoices):
        FLOOD = "flood", "洪水浸水想定区域"
        LANDSLIDE = "landslide", "土砂災害警戒区域"

    group = plain(models.CharField("区分", max_length=12, choices=Group.choices))
    name = plain(models.CharField("ファイル名", max_length=160))
    digest = plain(models.CharField("照合値", max_length=64))
    source = plain(models.CharField("出典", max_length=160))
    is_sample = plain(models.BooleanField("見本", default=False))
    rows = plain(models.PositiveIntegerField("行数"))
    rejected = plain(models.JSONField("取りこめない行（番号・理由コード）", default=list))
    imported_at = plain(models.DateTimeField("取込日時"))
    imported_by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))

    class Meta:
        verbose_name = "災害区域の取込"


class HazardZone(models.Model):
    """One hazard area (災害リスクのある区域), geometry as GeoJSON in longitude and latitude."""

    dataset = plain(models.ForeignKey(HazardDataset, models.PROTECT, related_name="+"))
    group = plain(models.CharField("区分", max_length=12, choices=HazardDataset.Group.choices))
    key = plain(models.CharField("区域の照合値", max_length=64))
    kind = plain(models.CharField("災害の種類", max_length=16))
    rank = plain(models.PositiveSmallIntegerField("ランク"))
    label = plain(models.CharField("表示", max_length=80))
    designated = plain(models.BooleanField("指定ずみ", default=True))
    source = plain(models.CharField("出典", max_length=160))
    is_sample = plain(models.BooleanField("見本", default=False))
    geometry = plain(models.JSONField("区域（GeoJSON）"))

    class Meta:
        verbose_name = "災害リスクのある区域"
        indexes = [models.Index(fields=["kind", "rank"], name="hazard_kind_rank")]
        constraints = [
            models.UniqueConstraint(fields=["group", "key"], name="hazard_zone_once"),
        ]
