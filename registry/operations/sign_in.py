"""The door for people with a password: limits, lock-out, and the second factor.

Owns: counting wrong tries per account and per place, the check of a password and of the six
digits of an authenticator app (RFC 6238), each digit code once.  Refuses with one answer for an
unknown account, a closed one and a wrong password, in like time.  Sessions are made by the
interface.  Counting is durable and shared by all processes: a cache would forget it.
trust.md, "People and access".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import settings
from django.contrib.auth import authenticate
from django.db import transaction
from django.db.models import Max
from django.utils.crypto import constant_time_compare

from registry import access, audit
from registry.domain.errors import Refused
from registry.domain.roles import ROLES
from registry.models import BindingAttempt, LogKind, User
from registry.sealing import digest

WINDOW = timedelta(minutes=15)
MOST_WRONG_PER_ACCOUNT = 5
MOST_WRONG_PER_CLIENT = 50
PERIOD = 30  # seconds of one code


class SignInRefused(Refused):
    """Account and password do not fit; one answer for every reason."""

    code = "sign_in_refused"
    message = "利用者IDかパスワードがちがいます。もう一度入れてください。"


class CodeRefused(Refused):
    """The six digits are wrong, late, or were used already."""

    code = "totp_refused"
    message = "確認コードがちがいます。認証アプリの、いまの6けたを入れてください。"


class SignInLimited(Refused):
    """Too many wrong tries for this account or from this place within 15 minutes."""

    code = "sign_in_limited"
    message = "まちがいが続いたため、サインインを止めています。15分後にもう一度どうぞ。"
    http_status = 429


class FactorMissing(Refused):
    """A role that needs the second factor, and none is registered."""

    code = "second_factor_missing"
    message = "認証アプリの登録がまだのため、サインインできません。担当の係に知らせてください。"


@dataclass(frozen=True)
class Passed:
    """The password fits; ``second_factor`` says whether six digits must follow."""

    user: User
    second_factor: bool


def check_password(*, username: str, password: str, client: str, at: datetime) -> Passed:
    """Check an account's password.  Call it outside any scope: a wrong try stays on record.

    The hash is computed outside every transaction, so that nobody waits for it.

    Raises:
        SignInRefused: unknown or closed account, or wrong password.
        SignInLimited: 5 wrong tries for the account or 50 from the client in 15 minutes.
        FactorMissing: the account's roles need an authenticator app and it has none.
    """
    account, place = _account(username), digest(client, purpose="sign-in-client")
    _refuse_limited(account, place, at)
    user = authenticate(username=username.strip(), password=password)
    if not isinstance(user, User):
        _count(account, place, at, worked=False)
        raise SignInRefused
    enrolled = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists()
    with access.scope(user, at=at) as scope:
        needed = any(ROLES[role].needs_second_factor for role in scope.roles)
    if needed and not enrolled:
        raise FactorMissing
    if not enrolled:
        _admit(user, account, place, at)
    return Passed(user, second_factor=enrolled)


def check_code(*, user_id: int, code: str, client: str, at: datetime) -> User:
    """Check the six digits; each step's code is accepted once, on all processes.

    Raises:
        CodeRefused: wrong, too old, or used before.
        SignInLimited: as ``check_password``; wrong digits count like wrong passwords.
    """
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        raise CodeRefused
    account, place = _account(user.username), digest(client, purpose="sign-in-client")
    _refuse_limited(account, place, at)
    if not _spend(user, code, at):
        _count(account, place, at, worked=False)
        raise CodeRefused
    _admit(user, account, place, at)
    return user


def _spend(user: User, code: str, at: datetime) -> bool:
    digits = "".join(one for one in code if one.isdigit())
    now = int(at.timestamp()) // PERIOD
    tolerance = int(settings.MFA_TOTP_TOLERANCE)
    with transaction.atomic():
        row = (
            Authenticator.objects.select_for_update()
            .filter(user=user, type=Authenticator.Type.TOTP)
            .first()
        )
        if row is None:
            return False
        secret = get_adapter().decrypt(row.data["secret"])
        spent = row.data.get("spent", -1)
        for step in range(now - tolerance, now + tolerance + 1):
            right = format_hotp_value(hotp_value(secret, step))
            if step > spent and constant_time_compare(digits, right):
                row.data = {**row.data, "spent": step}
                row.last_used_at = at
                row.save(update_fields=["data", "last_used_at"])
                return True
    return False


def _account(username: str) -> bytes:
    return digest(username.strip(), purpose="sign-in")


def _refuse_limited(account: bytes, place: bytes, at: datetime) -> None:
    tries = BindingAttempt.objects.filter(at__gt=at - WINDOW)
    mine = tries.filter(code_digest=account)
    last = mine.filter(worked=True).aggregate(last=Max("at"))["last"]
    wrong = mine.filter(worked=False)
    if last is not None:
        wrong = wrong.filter(at__gt=last)
    if (
        wrong.count() >= MOST_WRONG_PER_ACCOUNT
        or tries.filter(client_digest=place, worked=False).count() >= MOST_WRONG_PER_CLIENT
    ):
        raise SignInLimited


def _count(account: bytes, place: bytes, at: datetime, *, worked: bool) -> None:
    BindingAttempt.objects.create(
        code_digest=account, client_digest=place, at=at, worked=worked
    )


def _admit(user: User, account: bytes, place: bytes, at: datetime) -> None:
    with access.scope(user, at=at) as scope:
        _count(account, place, at, worked=True)
        audit.note(scope=scope, kind=LogKind.ACCESS, action="sign_in", subject_kind="user",
                   subject_id=user.pk)
