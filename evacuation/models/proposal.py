"""What the matching proposed, run by run (支援者の案).

Owns runs, proposals and the reasons for gaps.  A run proposes and nothing else: a person
assigns, asks and records the answer.  Nobody is contacted before.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from evacuation.models.roster import THROUGH_PERSON, through_person
from evacuation.models.supporter import Supporter
from registry.base import Scoped, plain, sensitive


class ProposalRun(models.Model):
    """One computation over people and supporters (案の作成).  The newest done one is shown."""

    class State(models.TextChoices):
        WAITING = "waiting", "作成まち"
        DONE = "done", "できあがり"

    state = plain(models.CharField("状態", max_length=8, choices=State.choices))
    areas = plain(models.JSONField("対象の区域（なしは全市）", null=True))
    settings = plain(models.JSONField("設定", default=dict))
    asked_at = plain(models.DateTimeField("依頼日時"))
    asked_by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))
    done_at = plain(models.DateTimeField("できあがり日時", null=True))
    people = plain(models.PositiveIntegerField("支援者をさがす人数", default=0))
    supporters = plain(models.PositiveIntegerField("枠のある支援者の数", default=0))
    wanted = plain(models.PositiveIntegerField("必要な枠", default=0))
    filled = plain(models.PositiveIntegerField("うまった枠", default=0))
    kept = plain(models.PositiveIntegerField("前の案のままの組", default=0))
    cost_tenths = plain(models.PositiveBigIntegerField("合計（0.1分）", default=0))
    proven = plain(models.BooleanField("最適の証明がある", default=False))

    class Meta:
        verbose_name = "案の作成"
        constraints = [
            models.CheckConstraint(
                condition=Q(state="waiting", done_at__isnull=True)
                | Q(state="done", done_at__isnull=False),
                name="proposal_run_done_is_dated",
            ),
        ]


class Proposal(Scoped):
    """A supporter proposed for a person (案).  Nobody has been asked."""

    run = plain(models.ForeignKey(ProposalRun, models.PROTECT, related_name="+"))
    person = sensitive(models.ForeignKey("registry.Person", models.PROTECT, related_name="+"))
    supporter = sensitive(models.ForeignKey(Supporter, models.PROTECT, related_name="+"))
    position = plain(models.PositiveSmallIntegerField("順位（1〜3）"))
    tenths = plain(models.PositiveIntegerField("費用（0.1分）"))
    reasons = sensitive(models.JSONField("理由（印・コード・ことば）", default=list))
    removed_at = plain(models.DateTimeField("候補から外した日時", null=True))
    removed_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )

    row_policy = THROUGH_PERSON
    visible = staticmethod(through_person)

    class Meta:
        verbose_name = "支援者の案"
        constraints = [
            models.UniqueConstraint(
                fields=["run", "person", "supporter"], name="proposal_pair_once_per_run"
            ),
            models.CheckConstraint(
                condition=Q(position__gte=1, position__lte=3), name="proposal_first_to_third"
            ),
            models.CheckConstraint(
                condition=Q(removed_at__isnull=True, removed_by__isnull=True)
                | Q(removed_at__isnull=False, removed_by__isnull=False),
                name="proposal_removed_at_and_by_together",
            ),
        ]


class ProposalGap(Scoped):
    """Why somebody stays without (見つからない理由): the nearest reason one can act on."""

    run = plain(models.ForeignKey(ProposalRun, models.PROTECT, related_name="+"))
    person = sensitive(models.ForeignKey("registry.Person", models.PROTECT, related_name="+"))
    missing = plain(models.PositiveSmallIntegerField("足りない人数"))
    kind = plain(models.CharField("理由の種類", max_length=24))
    words = sensitive(models.CharField("理由", max_length=240))
    people = sensitive(models.JSONField("枠を分け合う方", default=list))
    supporters = sensitive(models.JSONField("その枠の支援者", default=list))
    wanted = plain(models.PositiveIntegerField("分け合う方の必要な枠", default=0))
    places = plain(models.PositiveIntegerField("分け合う枠", default=0))
    nearest_m = plain(models.PositiveIntegerField("いちばん近い支援者まで（m）", null=True))

    row_policy = THROUGH_PERSON
    visible = staticmethod(through_person)

    class Meta:
        verbose_name = "見つからない理由"
        constraints = [
            models.UniqueConstraint(fields=["run", "person"], name="proposal_gap_once_per_run"),
        ]
