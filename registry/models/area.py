"""Areas: municipality → district (地区) → neighbourhood (町内会), as data.

Owns the tree of areas and the gazetteer of town points (町丁・小字の代表点).  Refuses people: an
area holds no personal data and needs no scope.
Areas of *responsibility* are not a tree; they belong to offices (``organisation.py``).
"""

from __future__ import annotations

from django.db import models

from registry.base import plain


class AreaKind(models.TextChoices):
    MUNICIPALITY = "municipality", "市区町村"
    DISTRICT = "district", "地区"
    NEIGHBOURHOOD = "neighbourhood", "町内会"


class Area(models.Model):
    """One area of the municipality (区域)."""

    kind = plain(models.CharField("種別", max_length=16, choices=AreaKind.choices))
    code = plain(models.CharField("区域コード", max_length=24, unique=True))
    name = plain(models.CharField("名称", max_length=80))
    kana = plain(models.CharField("よみ", max_length=120, blank=True))
    parent = plain(
        models.ForeignKey(
            "registry.Area", models.PROTECT, null=True, blank=True, related_name="+",
            verbose_name="上位区域",
        )
    )
    longitude = plain(models.FloatField("経度", null=True, blank=True))
    latitude = plain(models.FloatField("緯度", null=True, blank=True))

    class Meta:
        verbose_name = "区域"
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="municipality", parent__isnull=True)
                | (~models.Q(kind="municipality") & models.Q(parent__isnull=False)),
                name="area_only_the_municipality_has_no_parent",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TownPoint(models.Model):
    """The point that stands for a 町丁・大字 or a 小字; a match states its uncertainty."""

    town = plain(models.CharField("町丁・大字", max_length=80))
    koaza = plain(models.CharField("小字", max_length=80, blank=True))
    longitude = plain(models.FloatField("経度"))
    latitude = plain(models.FloatField("緯度"))

    class Meta:
        verbose_name = "町丁・小字の代表点"
        ordering = ["town", "koaza"]
        constraints = [
            models.UniqueConstraint(fields=["town", "koaza"], name="town_point_once"),
        ]

    def __str__(self) -> str:
        return self.town + self.koaza
