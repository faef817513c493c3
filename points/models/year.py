"""What happens to a fiscal year, and what a closed one waits for (年度の経過・特例・訂正), P1–P3.

Owns the history of a year (append-only, with its figures at the moment of closing), approved
exceptions to its terms (append-only; one is ended by another that names it), and the queue of
what would change a closed year: it waits for a named correction.  Refuses two open entries for
one volunteer and year, an exception without a reason, and a correction nobody signed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q

from registry.base import AppendOnly, Keep, Scoped, personal, plain

if TYPE_CHECKING:
    from registry.access import Scope


class YearEvent(AppendOnly):
    """One step of a year, once: しめきり前, しめきり, 失効ずみ.  ``by`` empty: the service."""

    class Kind(models.TextChoices):
        CLOSING = "closing", "しめきり前"
        CLOSED = "closed", "しめきり"
        LAPSED = "lapsed", "失効ずみ"

    year = plain(models.ForeignKey("points.ProgrammeYear", models.PROTECT, related_name="+"))
    kind = plain(models.CharField("できごと", max_length=8, choices=Kind.choices))
    at = plain(models.DateTimeField("日時"))
    by = plain(models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+"))
    reason = plain(models.CharField("理由", max_length=160, blank=True))
    figures = plain(models.JSONField("そのときの数字", default=dict))

    class Meta:
        verbose_name = "年度の経過"
        constraints = [
            models.UniqueConstraint(fields=["year", "kind"], name="year_event_each_step_once"),
        ]


class YearException(AppendOnly):
    """An approved exception to the terms of one year, as data with its reason (特例)."""

    class Kind(models.TextChoices):
        POSTPONE = "postpone", "期限をのばす"
        CARRY = "carry", "すべて次の年度へ繰り越す"
        END = "end", "特例を終える"

    year = plain(models.ForeignKey("points.ProgrammeYear", models.PROTECT, related_name="+"))
    kind = plain(models.CharField("種類", max_length=8, choices=Kind.choices))
    exchange_until = plain(models.DateField("交換のさいごの日", null=True))
    lapses_on = plain(models.DateField("失効日", null=True))
    ends = plain(
        models.OneToOneField("points.YearException", models.PROTECT, null=True, related_name="+")
    )
    reason = plain(models.CharField("理由", max_length=160))
    # 決裁: who decided on paper, and when; the system records, it does not decide.
    authority = plain(models.CharField("決裁", max_length=80))
    decided_on = plain(models.DateField("決裁日"))
    made_at = plain(models.DateTimeField("登録日時"))
    made_by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))

    class Meta:
        verbose_name = "年度の特例"
        constraints = [
            models.CheckConstraint(
                condition=~Q(reason="") & ~Q(authority=""), name="year_exception_says_why_and_who"
            ),
            models.CheckConstraint(
                condition=Q(kind="postpone", exchange_until__isnull=False,
                            lapses_on__isnull=False, ends__isnull=True)
                | Q(kind="carry", exchange_until__isnull=True, lapses_on__isnull=True,
                    ends__isnull=True)
                | Q(kind="end", exchange_until__isnull=True, lapses_on__isnull=True,
                    ends__isnull=False),
                name="year_exception_says_what_its_kind_needs",
            ),
        ]


class YearCorrection(Scoped):
    """Facts or records changed after the close: what would change waits for a word (訂正まち)."""

    class Outcome(models.TextChoices):
        WAITING = "waiting", "確認まち"
        APPLIED = "applied", "訂正した"
        KEPT = "kept", "そのままにした"
        GONE = "gone", "ちがいがなくなった"

    year = plain(models.ForeignKey("points.ProgrammeYear", models.PROTECT, related_name="+"))
    volunteer = personal(
        models.ForeignKey("registry.Volunteer", models.PROTECT, related_name="+"), Keep.VOLUNTEER
    )
    # The sum of shares as it stands, and as it would be.
    stands = plain(models.PositiveIntegerField("いまのポイント"))
    would_be = plain(models.PositiveIntegerField("数えなおしたポイント"))
    # Fingerprint of the changes that wait: what was kept is not asked again.
    content = plain(models.BinaryField("内容の照合値", max_length=32))
    noticed_at = plain(models.DateTimeField("見つけた日時"))
    outcome = plain(models.CharField("結果", max_length=8, choices=Outcome.choices))
    resolved_at = plain(models.DateTimeField("決めた日時", null=True))
    resolved_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )
    reason = plain(models.CharField("訂正の理由", max_length=160, blank=True))

    row_policy = "tsunagari_all_volunteers() OR volunteer_id = tsunagari_volunteer()"

    class Meta:
        verbose_name = "年度の訂正"
        constraints = [
            models.UniqueConstraint(
                fields=["year", "volunteer"], condition=Q(outcome="waiting"),
                name="year_correction_one_waits_per_volunteer",
            ),
            models.CheckConstraint(
                condition=Q(outcome="waiting", resolved_at__isnull=True,
                            resolved_by__isnull=True, reason="")
                | Q(outcome="gone", resolved_at__isnull=False, resolved_by__isnull=True)
                | (Q(outcome__in=["applied", "kept"], resolved_at__isnull=False,
                     resolved_by__isnull=False) & ~Q(reason="")),
                name="year_correction_is_signed_and_explained",
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        if scope.system or scope.sees_all_volunteers:
            return rows.all()
        return rows.filter(volunteer_id=scope.volunteer_id) if scope.volunteer_id else rows.none()
