"""Two records that look alike and are two people (別人の確認), P8.

Owns the word of staff that a pair of records is not one person, so that the list of likely
duplicates does not ask again.  Refuses a pair twice and in the other order, by constraint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, Q

from registry.base import AppendOnly, Keep, Scoped, personal, plain

if TYPE_CHECKING:
    from registry.access import Scope


class DistinctPair(AppendOnly, Scoped):
    """別人の確認: ``first`` and ``second`` (the lower id first) are two people."""

    first = personal(
        models.ForeignKey("registry.Volunteer", models.PROTECT, related_name="+"), Keep.VOLUNTEER
    )
    second = personal(
        models.ForeignKey("registry.Volunteer", models.PROTECT, related_name="+"), Keep.VOLUNTEER
    )
    reason = plain(models.CharField("別人と分かったわけ", max_length=160), Keep.VOLUNTEER)
    decided_at = plain(models.DateTimeField("確認日時"))
    decided_by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))

    row_policy = "tsunagari_all_volunteers()"

    class Meta:
        verbose_name = "別人の確認"
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="distinct_pair_said_once"),
            models.CheckConstraint(
                condition=Q(first__lt=F("second")), name="distinct_pair_lower_id_first"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="distinct_pair_says_why"),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        return rows.all() if scope.system or scope.sees_all_volunteers else rows.none()
