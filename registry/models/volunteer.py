"""Volunteers, their cards and their phones.

Owns: who collects points, the cards that stand for them, the devices bound to them, and the
tries to bind one.
Refuses to name anybody to a stranger: a card is known by the digest of a random code, a
device by the digest of its token.  P6, P11.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q

from registry.base import AppendOnly, Keep, Scoped, personal, plain
from registry.domain.roles import Permission

if TYPE_CHECKING:
    from registry.access import Scope

_THROUGH_VOLUNTEER = "EXISTS (SELECT 1 FROM registry_volunteer v WHERE v.id = volunteer_id)"


class Volunteer(Scoped):
    """Somebody who takes part and collects points (ボランティア)."""

    number = personal(models.CharField("手帳番号", max_length=12, unique=True), Keep.VOLUNTEER)
    name = personal(models.CharField("氏名", max_length=120), Keep.VOLUNTEER)
    kana = personal(models.CharField("氏名かな", max_length=160), Keep.VOLUNTEER)
    name_key = personal(models.CharField("検索キー（漢字）", max_length=160), Keep.VOLUNTEER)
    kana_key = personal(models.CharField("検索キー（かな）", max_length=200), Keep.VOLUNTEER)
    born_on = personal(models.DateField("生年月日"), Keep.VOLUNTEER)
    area = personal(
        models.ForeignKey("registry.Area", models.PROTECT, null=True, related_name="+",
                          verbose_name="住んでいる区域"),
        Keep.VOLUNTEER,
    )
    resident = personal(models.BooleanField("市内に住所", default=True), Keep.VOLUNTEER)
    address = personal(models.CharField("住所", max_length=240, blank=True), Keep.VOLUNTEER)
    phone = personal(models.CharField("電話番号", max_length=24, blank=True), Keep.VOLUNTEER)
    has_phone = plain(models.BooleanField("スマートフォンを使う", default=False), Keep.VOLUNTEER)
    longitude = personal(models.FloatField("経度", null=True), Keep.VOLUNTEER)
    latitude = personal(models.FloatField("緯度", null=True), Keep.VOLUNTEER)
    east_m = personal(models.FloatField("平面直角座標 Y（東、m）", null=True), Keep.VOLUNTEER)
    north_m = personal(models.FloatField("平面直角座標 X（北、m）", null=True), Keep.VOLUNTEER)
    location_uncertainty_m = plain(models.PositiveIntegerField("位置の誤差（m）", default=0))
    user = plain(
        models.OneToOneField("registry.User", models.PROTECT, null=True, related_name="+",
                             verbose_name="利用者")
    )
    person = personal(
        models.ForeignKey("registry.Person", models.PROTECT, null=True, related_name="+",
                          verbose_name="住民"),
        Keep.VOLUNTEER,
    )
    registered_on = plain(models.DateField("登録日"))
    left_on = plain(models.DateField("登録終了日", null=True))
    # P11: the volunteer's own, dated, revocable word.
    supporter_optin_on = personal(models.DateField("支援者さがしへの同意日", null=True),
                                  Keep.VOLUNTEER)
    supporter_optout_on = personal(models.DateField("支援者さがしの同意を取り消した日", null=True),
                                   Keep.VOLUNTEER)
    availability = personal(models.CharField("動ける時間", max_length=16, default="always"),
                            Keep.VOLUNTEER)
    skills = personal(models.JSONField("できること", default=list), Keep.VOLUNTEER)
    # P8: two records of one person were united; everything goes on under the other one.
    merged_into = plain(
        models.ForeignKey("self", models.PROTECT, null=True, related_name="+",
                          verbose_name="まとめた先の記録")
    )
    merged_at = plain(models.DateTimeField("まとめた日時", null=True))
    merged_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )

    row_policy = (
        "tsunagari_all_volunteers() OR id = tsunagari_volunteer()"
        " OR user_id = tsunagari_user()"
        " OR EXISTS (SELECT 1 FROM registry_membership m"
        " WHERE m.volunteer_id = registry_volunteer.id"
        " AND m.organisation_id = ANY(tsunagari_organisations()))"
        " OR (tsunagari_all_people() AND supporter_optin_on IS NOT NULL"
        " AND supporter_optout_on IS NULL)"
    )

    class Meta:
        verbose_name = "ボランティア"
        indexes = [models.Index(fields=["kana_key", "id"], name="volunteer_kana")]
        constraints = [
            models.CheckConstraint(
                condition=Q(supporter_optout_on__isnull=True)
                | Q(supporter_optin_on__isnull=False),
                name="volunteer_optout_needs_an_optin",
            ),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True, merged_at__isnull=True,
                            merged_by__isnull=True)
                | Q(merged_into__isnull=False, merged_at__isnull=False,
                    merged_by__isnull=False, left_on__isnull=False),
                name="volunteer_merged_into_at_and_by_together",
            ),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | ~Q(merged_into=models.F("pk")),
                name="volunteer_is_not_merged_into_itself",
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        if scope.system or scope.sees_all_volunteers:
            return rows.all()
        if scope.may(Permission.VOLUNTEERS_VIEW):
            return rows.filter(
                pk__in=_memberships().filter(organisation_id__in=scope.organisations)
                .filter(starts_on__lte=scope.on)
                .filter(Q(ends_on__isnull=True) | Q(ends_on__gt=scope.on))
                .values("volunteer_id")
            )
        return rows.filter(pk=scope.volunteer_id) if scope.volunteer_id else rows.none()

    def __str__(self) -> str:
        return f"ボランティア {self.number}"


def _memberships() -> models.QuerySet[Any]:
    from registry.models.organisation import Membership  # the two nouns name each other

    return Membership.objects.unscoped()


class ResidenceChange(AppendOnly, Scoped):
    """From a day on, a volunteer lives in the city or no longer does (居住の変更).

    ``was`` held before; of two rows from the same day the later one counts (a correction).
    """

    volunteer = personal(models.ForeignKey(Volunteer, models.PROTECT, related_name="+"),
                         Keep.VOLUNTEER)
    from_on = personal(models.DateField("いつから"), Keep.VOLUNTEER)
    resident = personal(models.BooleanField("市内に住所"), Keep.VOLUNTEER)
    was = personal(models.BooleanField("それまで市内に住所"), Keep.VOLUNTEER)
    recorded_at = plain(models.DateTimeField("記録日時"))
    recorded_by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))

    row_policy = _THROUGH_VOLUNTEER

    class Meta:
        verbose_name = "居住の変更"
        indexes = [models.Index(fields=["volunteer"], name="residence_volunteer")]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        if scope.system:
            return rows.all()
        return rows.filter(volunteer_id__in=Volunteer.objects.visible_to(scope).values("pk"))


class Card(Scoped):
    """A card or 手帳 with a random code (カード).  Reissue kills the old code; points stay."""

    volunteer = personal(models.ForeignKey(Volunteer, models.PROTECT, related_name="+"),
                         Keep.VOLUNTEER)
    digest = plain(models.BinaryField("コードの照合値", max_length=32, unique=True))
    sealed_code = plain(models.BinaryField("暗号化したコード"))
    tail = plain(models.CharField("コードの末尾3文字", max_length=3))
    issued_at = plain(models.DateTimeField("発行日時"))
    issued_by = plain(models.ForeignKey("registry.User", models.PROTECT, related_name="+"))
    cancelled_at = plain(models.DateTimeField("無効にした日時", null=True))
    cancelled_by = plain(
        models.ForeignKey("registry.User", models.PROTECT, null=True, related_name="+")
    )
    cancel_reason = plain(models.CharField("無効にした理由", max_length=80, blank=True))

    row_policy = _THROUGH_VOLUNTEER

    class Meta:
        verbose_name = "カード"
        constraints = [
            models.CheckConstraint(
                condition=Q(cancelled_at__isnull=True, cancelled_by__isnull=True)
                | Q(cancelled_at__isnull=False, cancelled_by__isnull=False),
                name="card_cancelled_at_and_by_together",
            ),
            models.UniqueConstraint(
                fields=["volunteer"], condition=Q(cancelled_at__isnull=True),
                name="card_one_in_force_per_volunteer",
            ),
        ]

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        if scope.system:
            return rows.all()
        return rows.filter(volunteer_id__in=Volunteer.objects.visible_to(scope).values("pk"))


class BoundDevice(Scoped):
    """A phone that a volunteer bound with the card's code (端末)."""

    volunteer = personal(models.ForeignKey(Volunteer, models.PROTECT, related_name="+"),
                         Keep.VOLUNTEER)
    digest = plain(models.BinaryField("端末の照合値", max_length=32, unique=True))
    bound_at = plain(models.DateTimeField("結びつけた日時"))
    revoked_at = plain(models.DateTimeField("取り消した日時", null=True))

    row_policy = _THROUGH_VOLUNTEER

    class Meta:
        verbose_name = "端末"

    @classmethod
    def visible(cls, rows: models.QuerySet[Any], scope: Scope) -> models.QuerySet[Any]:
        if scope.system:
            return rows.all()
        return rows.filter(volunteer_id__in=Volunteer.objects.visible_to(scope).values("pk"))


class BindingAttempt(models.Model):
    """One try to bind a phone, kept for the rate limit: digests only (結びつけの試行)."""

    code_digest = plain(models.BinaryField("コードの照合値", max_length=32), Keep.STAGING)
    client_digest = plain(models.BinaryField("接続元の照合値", max_length=32), Keep.STAGING)
    at = plain(models.DateTimeField("日時"), Keep.STAGING)
    worked = plain(models.BooleanField("成功"), Keep.STAGING)

    class Meta:
        verbose_name = "結びつけの試行"
        indexes = [
            models.Index(fields=["code_digest", "at"], name="binding_by_code"),
            models.Index(fields=["client_digest", "at"], name="binding_by_client"),
        ]
