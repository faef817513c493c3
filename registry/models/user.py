"""Accounts, API tokens and remembered answers.

Owns who can sign in and with what.  Refuses a super-user, a staff flag and the admin: rights
come only from appointments with dates.  Tokens are stored as digests.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from registry.base import Keep, personal, plain, sensitive


class UserManager(BaseUserManager["User"]):
    """Finds accounts by user name; makes no super-users."""

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(username=username)


class User(AbstractBaseUser):
    """An account (利用者): staff, office holder, leader, shop, device or volunteer."""

    username = plain(models.CharField("利用者ID", max_length=64, unique=True), Keep.ACCOUNT)
    password = sensitive(models.CharField("パスワード", max_length=128), Keep.ACCOUNT)
    last_login = plain(models.DateTimeField("最終サインイン", null=True, blank=True), Keep.ACCOUNT)
    display_name = personal(models.CharField("表示名", max_length=120), Keep.ACCOUNT)
    is_active = plain(models.BooleanField("有効", default=True))
    is_device = plain(models.BooleanField("端末", default=False))
    created_at = plain(models.DateTimeField("作成日時"))

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        verbose_name = "利用者"

    def __str__(self) -> str:
        return self.username

    # Django's own permission machinery is unused; allauth and DRF only ask these two.
    @property
    def is_staff(self) -> bool:
        return False

    @property
    def is_superuser(self) -> bool:
        return False

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return False

    def has_module_perms(self, app_label: str) -> bool:
        return False


class ApiToken(models.Model):
    """A bearer token of a device or an integrator (APIトークン)."""

    user = plain(models.ForeignKey(User, models.PROTECT, related_name="+"))
    name = plain(models.CharField("名称", max_length=80))
    digest = plain(models.BinaryField("照合値", max_length=32, unique=True))
    scopes = plain(models.JSONField("権限の範囲", default=list))
    created_at = plain(models.DateTimeField("作成日時"))
    expires_at = plain(models.DateTimeField("有効期限"))
    revoked_at = plain(models.DateTimeField("取り消した日時", null=True))
    key_version = plain(models.PositiveSmallIntegerField("鍵の版", default=1))

    class Meta:
        verbose_name = "APIトークン"


class RememberedAnswer(models.Model):
    """The first answer to a request with an Idempotency-Key (同じ依頼の記録)."""

    user = plain(models.ForeignKey(User, models.PROTECT, related_name="+"))
    route = plain(models.CharField("経路", max_length=80))
    key = plain(models.CharField("依頼の鍵", max_length=80))
    request_digest = plain(models.BinaryField("依頼内容の照合値", max_length=32))
    status = plain(models.PositiveSmallIntegerField("状態"))
    sealed_body = sensitive(models.BinaryField("暗号化した答え"), Keep.STAGING)
    at = plain(models.DateTimeField("日時"))

    class Meta:
        verbose_name = "同じ依頼の記録"
        constraints = [
            models.UniqueConstraint(fields=["user", "route", "key"], name="answer_given_once"),
        ]
