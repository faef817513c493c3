"""Places and hazards: shelters, emergency sites and the zones they must lie outside of.

Owns public facts only; nobody's home is here.  Refuses a place without a position.
Source: 国土地理院 指定緊急避難場所・指定避難所, 国土数値情報 A31・A33.
"""

from __future__ import annotations

from django.db import models

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
    source = plain(models.CharField("出典", max_length=160))

    class Meta:
        verbose_name = "指定緊急避難場所"


class Shelter(models.Model):
    """指定避難所; with 受入対象者 it is a 指定福祉避難所."""

    source_id = plain(models.CharField("共通ID", max_length=24, unique=True))
    name = plain(models.CharField("名称", max_length=160))
    address = plain(models.CharField("住所", max_length=240, blank=True))
    longitude = plain(models.FloatField("経度"))
    latitude = plain(models.FloatField("緯度"))
    east_m = plain(models.FloatField("平面直角座標 Y（東、m）"))
    north_m = plain(models.FloatField("平面直角座標 X（北、m）"))
    is_welfare = plain(models.BooleanField("指定福祉避難所", default=False))
    admits = plain(models.JSONField("受入対象者", default=list))
    site = plain(
        models.ForeignKey(EmergencySite, models.PROTECT, null=True, related_name="+",
                          verbose_name="同じ場所の指定緊急避難場所")
    )
    join_state = plain(models.CharField("対応づけの状態", max_length=12, default="none"))
    safe_for = plain(models.JSONField("使える災害", default=list))
    capacity = plain(models.PositiveIntegerField("要配慮者の枠（人）", null=True))
    special_places = plain(models.JSONField("特別な枠（車いす・電源・ベッド）", default=dict))
    capacity_is_sample = plain(models.BooleanField("枠は見本", default=False))
    direct_evacuation = plain(models.BooleanField("直接避難の取り決め", default=False))
    closed_on = plain(models.DateField("閉鎖日", null=True))
    source = plain(models.CharField("出典", max_length=160))

    class Meta:
        verbose_name = "指定避難所"


class HazardZone(models.Model):
    """One hazard area (災害リスクのある区域), geometry as GeoJSON in longitude and latitude."""

    kind = plain(models.CharField("災害の種類", max_length=16))
    rank = plain(models.PositiveSmallIntegerField("ランク"))
    label = plain(models.CharField("表示", max_length=80))
    source = plain(models.CharField("出典", max_length=160))
    source_code = plain(models.CharField("原典の属性と値", max_length=40))
    is_sample = plain(models.BooleanField("見本", default=False))
    geometry = plain(models.JSONField("区域（GeoJSON）"))

    class Meta:
        verbose_name = "災害リスクのある区域"
        indexes = [models.Index(fields=["kind", "rank"], name="hazard_kind_rank")]
