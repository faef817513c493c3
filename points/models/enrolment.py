"""Yearly registration with a programme (年度登録), P2.

Owns who was registered with which programme in which fiscal year, from which day.  Refuses a
second one in force for the same year, by constraint.  Only programmes whose rules ask for it
look here; the card and the wallet belong to the volunteer, whatever the year.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q

from registry.base import Keep, Scoped, personal, plain

if TYPE_CHECKING:
    from registry.access import Scope


class Enrolment(Scoped):
    """年度登録: counts for activities from ``starts_on`` to the end of the fiscal year."""

    volunteer = personal(
        models.ForeignKey("registry.Volunteer", models.PROTECT, related_name="+"), Keep.VOLUNTEER
    )
    programme = plain(models.ForeignKey("points.Programme", models.PROTECT, related_name="+"))
    fiscal_year = plain(models.PositiveSmallIntegerField("年度"))
    starts_on = plain(models.DateField("登録日"))
    made_at = plain(models.DateTimeField("記録日時"))
    made_by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))
    cancelled_at = plain(models.DateTimeField("取消日時", null=True))
    cancelled_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )
    cancel_reason = plain(models.CharField("取消の理由", max_length=160, blank=True))

    row_policy = "tsunagari_all_volunteers() OR volunteer_id = tsunagari_volunteer()"

    class Meta:
        verbose_name = "年度登録"
        constraints = [
            models.UniqueConstraint(
                fields=["volunteer", "programme", "fiscal_year"],
                condition=Q(cancelled_at__isnull=True), name="enrolment_once_a_year",
            ),
            models.CheckConstraint(
                condition=Q(cancelled_at__isnull=True, cancelled_by__isnull=True,
                            cancel_reason="")
                | (Q(cancelled_at__isnull=False, cancelled_by__isnull=False)
                   & ~Q(cancel_reason="")),
                name="enrolment_cancel_is_signed_and_explained",
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        if scope.system or scope.sees_all_volunteers:
            return rows.all()
        return rows.filter(volunteer_id=scope.volunteer_id) if scope.volunteer_id else rows.none()
