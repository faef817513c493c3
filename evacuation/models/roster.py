"""The statutory roster (避難行動要支援者名簿), its criteria, consents and corrections.

Owns who is listed and why, every answer about consent, and what neighbours say should be
corrected.  Refuses: a listed person without a reason; an answer that changes (answers are
appended); a correction that goes straight in (R12).  災害対策基本法 第49条の10, 11.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q

from registry.base import AppendOnly, Keep, Scoped, personal, plain, sensitive
from registry.domain.roles import Permission

if TYPE_CHECKING:
    from registry.access import Scope

THROUGH_PERSON = "EXISTS (SELECT 1 FROM registry_person p WHERE p.id = person_id)"


def through_person(rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
    """Rows of the people that the scope may see.  Office holders see none: they hold editions."""
    from registry.queries.people import visible_people

    if scope.system:
        return rows.all()
    return rows.filter(person_id__in=visible_people(scope))


class CriteriaSet(models.Model):
    """A version of the listing criteria (登載要件), as data with its citation."""

    version = plain(models.CharField("版", max_length=40, unique=True))
    title = plain(models.CharField("名称", max_length=120))
    citation = plain(models.CharField("根拠", max_length=240))
    body = plain(models.JSONField("要件"))
    in_force_on = plain(models.DateField("適用日"))
    made_at = plain(models.DateTimeField("登録日時"))
    made_by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))

    class Meta:
        verbose_name = "登載要件"


class ListingRequest(AppendOnly, Scoped):
    """A nomination, or an officer's inclusion or exclusion with a reason (本人申出・職権)."""

    class Kind(models.TextChoices):
        SELF = "self_nominated", "本人の申出"
        THIRD_PARTY = "third_party", "関係者からの申出"
        INCLUDE = "manual_include", "職権による登載"
        EXCLUDE = "manual_exclude", "職権による除外"

    person = sensitive(models.ForeignKey("registry.Person", models.PROTECT, related_name="+"))
    kind = sensitive(models.CharField("種類", max_length=16, choices=Kind.choices))
    reason = sensitive(models.CharField("理由", max_length=240))
    at = plain(models.DateTimeField("日時"))
    by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))
    ends_on = plain(models.DateField("この日から無効", null=True))

    row_policy = THROUGH_PERSON
    visible = staticmethod(through_person)

    class Meta:
        verbose_name = "申出・職権"
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="listing_request_has_a_reason"),
        ]


class RosterEntry(Scoped):
    """One listed person (名簿登載者), with the criteria that put them there."""

    class State(models.TextChoices):
        LISTED = "listed", "登載"
        REMOVED = "removed", "除外"

    person = sensitive(models.OneToOneField("registry.Person", models.PROTECT, related_name="+"))
    number = personal(models.CharField("名簿番号", max_length=16, unique=True), Keep.LISTED)
    state = sensitive(models.CharField("状態", max_length=8, choices=State.choices))
    criteria = sensitive(models.JSONField("該当した要件", default=list))
    criteria_set = plain(models.ForeignKey(CriteriaSet, models.PROTECT, related_name="+"))
    needs = sensitive(models.JSONField("手助けが必要なこと", default=list))
    devices = sensitive(models.JSONField("電源が必要な医療機器", default=list))
    communication = sensitive(models.CharField("意思の伝え方", max_length=120, blank=True))
    contact_name = personal(models.CharField("緊急連絡先の氏名", max_length=120, blank=True))
    contact_relation = personal(models.CharField("続柄", max_length=24, blank=True))
    contact_phone = personal(models.CharField("緊急連絡先の電話", max_length=24, blank=True))
    bedroom = personal(models.CharField("建物・寝室の位置", max_length=120, blank=True))
    priority_score = sensitive(models.PositiveSmallIntegerField("優先度の点", default=0))
    urgency = sensitive(models.PositiveSmallIntegerField("優先度の区分（0が最も急ぐ）", default=3))
    priority_reasons = sensitive(models.JSONField("優先度の理由", default=list))
    listed_at = plain(models.DateTimeField("登載日時"))
    removed_at = plain(models.DateTimeField("除外日時", null=True))
    removed_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )
    removal_reason = sensitive(models.CharField("除外の理由", max_length=120, blank=True))
    updated_at = plain(models.DateTimeField("更新日時"))
    version = plain(models.PositiveIntegerField("版", default=1))

    row_policy = THROUGH_PERSON
    visible = staticmethod(through_person)

    class Meta:
        verbose_name = "名簿登載者"
        indexes = [models.Index(fields=["state", "urgency"], name="roster_state_urgency")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="removed", removed_at__isnull=False, removed_by__isnull=False)
                | Q(state="listed", removed_at__isnull=True, removed_by__isnull=True),
                name="roster_removal_is_dated_and_signed",
            ),
        ]


class RosterRun(models.Model):
    """A run of the criteria over everybody: first the difference, then the apply (名簿の更新)."""

    class State(models.TextChoices):
        PREVIEWED = "previewed", "確認まち"
        APPLIED = "applied", "反映ずみ"
        DISCARDED = "discarded", "取りやめ"

    criteria_set = plain(models.ForeignKey(CriteriaSet, models.PROTECT, related_name="+"))
    state = plain(models.CharField("状態", max_length=12, choices=State.choices))
    reference_on = plain(models.DateField("基準日"))
    examined = plain(models.PositiveIntegerField("対象人数", default=0))
    new_count = plain(models.PositiveIntegerField("新規", default=0))
    gone_count = plain(models.PositiveIntegerField("非該当", default=0))
    changed_count = plain(models.PositiveIntegerField("理由の変更", default=0))
    same_count = plain(models.PositiveIntegerField("変更なし", default=0))
    unsure_count = plain(models.PositiveIntegerField("情報不足で要確認", default=0))
    made_at = plain(models.DateTimeField("作成日時"))
    made_by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))
    applied_at = plain(models.DateTimeField("反映日時", null=True))
    applied_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )

    class Meta:
        verbose_name = "名簿の更新"
        constraints = [
            models.CheckConstraint(
                condition=Q(applied_at__isnull=True, applied_by__isnull=True)
                | Q(applied_at__isnull=False, applied_by__isnull=False),
                name="roster_run_applied_at_and_by_together",
            ),
        ]


class RosterChange(Scoped):
    """What a run would do with one person (名簿の差分)."""

    run = plain(models.ForeignKey(RosterRun, models.PROTECT, related_name="+"))
    person = sensitive(models.ForeignKey("registry.Person", models.PROTECT, related_name="+"))
    change = sensitive(models.CharField("変更", max_length=8))  # new | gone | reason | unsure
    before = sensitive(models.JSONField("前の要件", default=list))
    after = sensitive(models.JSONField("後の要件", default=list))

    row_policy = THROUGH_PERSON
    visible = staticmethod(through_person)

    class Meta:
        verbose_name = "名簿の差分"
        constraints = [
            models.UniqueConstraint(fields=["run", "person"], name="roster_change_once_per_run"),
            models.CheckConstraint(
                condition=Q(change__in=["new", "gone", "reason", "unsure"]),
                name="roster_change_is_new_gone_reason_or_unsure",
            ),
        ]


class Consent(AppendOnly, Scoped):
    """One answer about sharing or planning (同意の記録, R3, R4).  Never changed, only followed."""

    person = sensitive(models.ForeignKey("registry.Person", models.PROTECT, related_name="+"))
    purpose = sensitive(models.CharField("何への同意か", max_length=16))
    answer = sensitive(models.CharField("答え", max_length=12))
    answered_at = sensitive(models.DateTimeField("答えた日時"))
    means = sensitive(models.CharField("方法", max_length=12))
    kinds = sensitive(models.JSONField("提供先の種別", default=list))
    form_version = plain(models.CharField("同意書の版", max_length=24))
    explained_normal = sensitive(models.BooleanField("ふだんの提供を説明した", default=False))
    explained_disaster = sensitive(models.BooleanField("災害時の提供を説明した", default=False))
    proxy_name = sensitive(models.CharField("代理人の氏名", max_length=120, blank=True))
    proxy_relation = sensitive(models.CharField("続柄", max_length=24, blank=True))
    proxy_reason = sensitive(models.CharField("代理の理由", max_length=120, blank=True))
    recorded_at = plain(models.DateTimeField("記録日時"))
    recorded_by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))

    row_policy = THROUGH_PERSON
    visible = staticmethod(through_person)

    class Meta:
        verbose_name = "同意の記録"
        indexes = [models.Index(fields=["person", "purpose", "answered_at"], name="consent_person")]
        constraints = [
            models.CheckConstraint(
                condition=Q(proxy_name="", proxy_relation="", proxy_reason="")
                | (~Q(proxy_name="") & ~Q(proxy_relation="") & ~Q(proxy_reason="")),
                name="consent_proxy_is_whole",
            ),
            models.CheckConstraint(
                condition=~Q(answer="agreed")
                | Q(explained_normal=True, explained_disaster=True),
                name="consent_agreed_only_after_explanation",
            ),
        ]


class ConsentNotice(Scoped):
    """The written notice behind presumed consent (事前通知, R1)."""

    person = sensitive(models.ForeignKey("registry.Person", models.PROTECT, related_name="+"))
    form_version = plain(models.CharField("通知の版", max_length=24))
    sent_on = plain(models.DateField("発送日"))
    answer_by = plain(models.DateField("回答期限"))
    undelivered_at = plain(models.DateTimeField("返戻の日時", null=True))

    row_policy = THROUGH_PERSON
    visible = staticmethod(through_person)

    class Meta:
        verbose_name = "事前通知"


class ProtectionRelease(AppendOnly, Scoped):
    """An officer lets one protected person be shared, with a reason (R11)."""

    person = sensitive(models.ForeignKey("registry.Person", models.PROTECT, related_name="+"))
    kinds = sensitive(models.JSONField("提供先の種別", default=list))
    reason = sensitive(models.CharField("理由", max_length=240))
    at = plain(models.DateTimeField("日時"))
    by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))

    row_policy = THROUGH_PERSON
    visible = staticmethod(through_person)

    class Meta:
        verbose_name = "要照会の方の提供承認"
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="release_has_a_reason"),
        ]


class Correction(Scoped):
    """What a holder says has changed; it waits for an officer (変更の申出, R12)."""

    class State(models.TextChoices):
        WAITING = "waiting", "確認まち"
        ACCEPTED = "accepted", "反映した"
        DECLINED = "declined", "反映しない"

    office = plain(models.ForeignKey("registry.Office", models.PROTECT, related_name="+"))
    person = sensitive(models.ForeignKey("registry.Person", models.PROTECT, related_name="+"))
    sentence = sensitive(models.CharField("申出の内容", max_length=500))
    state = plain(models.CharField("状態", max_length=8, choices=State.choices))
    reported_at = plain(models.DateTimeField("申出日時"))
    reported_by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))
    decided_at = plain(models.DateTimeField("確認日時", null=True))
    decided_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )
    decision_note = sensitive(models.CharField("確認の結果", max_length=240, blank=True))

    row_policy = f"office_id = ANY(tsunagari_offices()) OR {THROUGH_PERSON}"

    class Meta:
        verbose_name = "変更の申出"
        constraints = [
            models.CheckConstraint(
                condition=Q(state="waiting", decided_at__isnull=True, decided_by__isnull=True)
                | (~Q(state="waiting") & Q(decided_at__isnull=False, decided_by__isnull=False)),
                name="correction_decided_at_and_by_together",
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        if scope.may(Permission.ROSTER_VIEW):
            return through_person(rows, scope)
        if scope.may(Permission.EDITION_HOLD):
            return rows.filter(office_id__in=scope.offices)
        return rows.none()
