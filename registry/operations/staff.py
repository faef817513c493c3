"""Accounts and terms of office: who can sign in, and for what from when to when.

Owns users, passwords, second factors, appointments and the end of terms.  API tokens are in
``tokens.py``.  Refuses power without dates: rights come only from an appointment, and an ended
term sees nothing from that midnight (house.md).  trust.md, "People and access".
"""

from __future__ import annotations

import base64
import binascii
from datetime import date, datetime, time

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from registry import audit, outbox
from registry.access import JAPAN, Scope
from registry.domain.errors import Conflict, NotFound, Refused
from registry.domain.roles import Permission
from registry.models import ApiToken, Appointment, LogKind, Office, User
from registry.operations.tokens import BadToken, authenticate_token, issue_token, revoke_token

__all__ = [
    "BadSecret", "BadTerm", "BadToken", "UsernameTaken", "WeakPassword", "actor_id", "appoint",
    "authenticate_token", "create_user", "deactivate", "end_term", "enrol_totp", "issue_token",
    "revoke_token", "set_password",
]

SERVICE_ACCOUNT = "system"


class UsernameTaken(Conflict):
    """The user name belongs to another account."""

    code = "username_taken"
    message = "この利用者IDはすでに使われています。別のIDにしてください。"


class WeakPassword(Refused):
    """The password breaks the rules; ``fields["password"]`` says which."""

    code = "weak_password"
    message = "このパスワードは使えません。"


class BadSecret(Refused):
    """The TOTP secret is not base32 of at least 128 bits (RFC 4226, R6)."""

    code = "bad_totp_secret"
    message = "認証アプリの秘密鍵の形が正しくありません。"


class BadTerm(Refused):
    """The last day is not after the first, or the same term exists."""

    code = "bad_term"
    message = "任期の終わりは、始まりより後の日にしてください。"


def actor_id(*, by: Scope) -> int:
    """Who stands in a record that must name a user: the actor, or the service's own account.

    The service account cannot sign in: it is inactive and has no password.
    """
    if by.user_id is not None:
        return by.user_id
    account, _ = User.objects.get_or_create(
        username=SERVICE_ACCOUNT,
        defaults={"display_name": "システム", "is_active": False, "password": "!",
                  "created_at": by.at},
    )
    return account.pk


@transaction.atomic
def create_user(
    *,
    username: str,
    display_name: str,
    password: str | None = None,
    is_device: bool = False,
    by: Scope,
) -> User:
    """Make an account; without a password it can sign in only by a token.

    Raises:
        Forbidden: without ``staff.manage``.
        UsernameTaken: the name is in use.
        WeakPassword: the password breaks the rules.
    """
    by.require(Permission.STAFF_MANAGE)
    user = User(username=username.strip(), display_name=display_name.strip(),
                is_device=is_device, created_at=by.at)
    if not user.username or len(user.username) > 64:
        raise Refused("利用者IDは1〜64文字で入れてください。", code="bad_username",
                      fields={"username": "1〜64文字で入れてください。"})
    _set(user, password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        raise UsernameTaken from error
    audit.note(scope=by, kind=LogKind.CHANGE, action="staff.create_user",
               subject_kind="user", subject_id=user.pk)
    return user


@transaction.atomic
def set_password(*, user_id: int, password: str, by: Scope) -> User:
    """Give an account a new password; its other sessions end (the session's hash changes).

    Raises:
        Forbidden: neither one's own account nor ``staff.manage``.
        WeakPassword: the password breaks the rules.
    """
    if by.user_id != user_id:
        by.require(Permission.STAFF_MANAGE)
    user = _user(user_id)
    _set(user, password)
    user.save(update_fields=["password"])
    audit.note(scope=by, kind=LogKind.ACCESS, action="staff.set_password",
               subject_kind="user", subject_id=user.pk)
    return user


@transaction.atomic
def deactivate(*, user_id: int, by: Scope) -> User:
    """Close an account at once: sessions, tokens and scopes end with this transaction."""
    by.require(Permission.STAFF_MANAGE)
    user = _user(user_id)
    user.is_active = False
    user.save(update_fields=["is_active"])
    ApiToken.objects.filter(user_id=user_id, revoked_at__isnull=True).update(revoked_at=by.at)
    audit.note(scope=by, kind=LogKind.ACCESS, action="staff.deactivate",
               subject_kind="user", subject_id=user.pk)
    return user


@transaction.atomic
def enrol_totp(*, user: User, secret: str, by: Scope) -> None:
    """Give an account the second factor from a base32 secret; an older one is replaced.

    Raises:
        Forbidden: neither one's own account nor ``staff.manage``.
        BadSecret: no base32, or fewer than 16 bytes.
    """
    if by.user_id != user.pk:
        by.require(Permission.STAFF_MANAGE)
    try:
        raw = base64.b32decode(secret.encode("ascii"), casefold=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise BadSecret from error
    if len(raw) < 16:
        raise BadSecret
    Authenticator.objects.update_or_create(
        user=user, type=Authenticator.Type.TOTP,
        defaults={"data": {"secret": get_adapter().encrypt(secret)}, "created_at": by.at,
                  "last_used_at": None},
    )
    audit.note(scope=by, kind=LogKind.ACCESS, action="staff.enrol_totp",
               subject_kind="user", subject_id=user.pk)


@transaction.atomic
def appoint(
    *, office_id: int, user_id: int, starts_on: date, ends_on: date | None = None, by: Scope
) -> Appointment:
    """Let a user hold an office from ``starts_on`` until before ``ends_on``.

    Raises:
        Forbidden: without ``staff.manage``.
        NotFound: no such office or user.
        BadTerm: the end is not after the start, or the same term exists already.
    """
    by.require(Permission.STAFF_MANAGE)
    if not Office.objects.filter(pk=office_id).exists():
        raise NotFound
    _user(user_id)
    if ends_on is not None and ends_on <= starts_on:
        raise BadTerm(fields={"ends_on": BadTerm.message})
    try:
        with transaction.atomic():
            term = Appointment.objects.create(
                office_id=office_id, user_id=user_id, starts_on=starts_on, ends_on=ends_on
            )
    except IntegrityError as error:
        raise BadTerm("同じ任期がすでに登録されています。", code="term_exists") from error
    audit.note(scope=by, kind=LogKind.CHANGE, action="staff.appoint", subject_kind="office",
               subject_id=office_id, detail={"user": user_id, "appointment": term.pk})
    _announce(term, by.at)
    return term


@transaction.atomic
def end_term(*, appointment_id: int, ends_on: date, by: Scope) -> Appointment:
    """Set the first day on which the office is no longer held.

    Raises:
        Forbidden: without ``staff.manage``.
        NotFound: no such appointment.
        BadTerm: the end is not after the start.
    """
    by.require(Permission.STAFF_MANAGE)
    term = Appointment.objects.select_for_update().filter(pk=appointment_id).first()
    if term is None:
        raise NotFound
    if ends_on <= term.starts_on:
        raise BadTerm(fields={"ends_on": BadTerm.message})
    term.ends_on = ends_on
    term.save(update_fields=["ends_on"])
    audit.note(scope=by, kind=LogKind.CHANGE, action="staff.end_term", subject_kind="office",
               subject_id=term.office_id, detail={"user": term.user_id, "appointment": term.pk})
    _announce(term, by.at)
    return term


def _announce(term: Appointment, at: datetime) -> None:
    """Custody asks for hand-over at the midnight that ends the term; the handler looks again."""
    if term.ends_on is None:
        return
    midnight = datetime.combine(term.ends_on, time(), JAPAN)
    outbox.put(
        kind="registry.term_ended", subject_id=term.pk, at=at, run_after=max(midnight, at),
        dedupe_key=f"term_ended:{term.pk}:{term.ends_on.isoformat()}",
    )


def _user(user_id: int) -> User:
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise NotFound
    return user


def _set(user: User, password: str | None) -> None:
    if password is None:
        user.set_unusable_password()
        return
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise WeakPassword(fields={"password": " ".join(error.messages)}) from error
    user.set_password(password)
