"""API tokens of devices and integrators: issued once in the clear, kept as digests.

Owns issue, revocation and the check at the door.  Refuses a token that says more than its holder
may: its scopes only ever narrow the own permissions (``access.scope(limited_to=)``).
interfaces.md, "Auth"; trust.md, revocation within a second: every request looks here.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from registry import audit
from registry.access import Scope
from registry.domain.errors import NotFound, Refused
from registry.domain.roles import Permission
from registry.models import ApiToken, LogKind, User
from registry.sealing import digest

LONGEST_LIFE = timedelta(days=400)
_PREFIX = "tg_"
_PURPOSE = "api-token"
_PERMISSIONS = {one.value: one for one in Permission}


class BadToken(Refused):
    """Unknown, revoked, expired, or its account is closed: one answer for all (HTTP 401)."""

    code = "bad_token"
    message = "このトークンは使えません。発行者にお問い合わせください。"


@transaction.atomic
def issue_token(
    *, user_id: int, name: str, scopes: Iterable[str], expires_at: datetime, by: Scope
) -> tuple[ApiToken, str]:
    """Make a token; the second value is the token itself, shown this once.

    Raises:
        Forbidden: without ``staff.manage``.
        NotFound: no such account.
        Refused: ``bad_token_scope`` an unknown permission or none; ``bad_token_life`` an
            expiry in the past or more than 400 days away.
    """
    by.require(Permission.STAFF_MANAGE)
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        raise NotFound
    asked = sorted(set(scopes))
    if not asked or not set(asked) <= {one.value for one in Permission}:
        raise Refused("トークンの権限の範囲が正しくありません。", code="bad_token_scope",
                      fields={"scopes": "権限の名前を1つ以上えらんでください。"})
    if not by.at < expires_at <= by.at + LONGEST_LIFE:
        raise Refused("有効期限は、いまから400日以内にしてください。", code="bad_token_life",
                      fields={"expires_at": "いまから400日以内にしてください。"})
    plain = _PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user, name=name, digest=digest(plain, purpose=_PURPOSE), scopes=asked,
        created_at=by.at, expires_at=expires_at,
    )
    audit.note(scope=by, kind=LogKind.ACCESS, action="tokens.issue", subject_kind="user",
               subject_id=user_id, fields=asked, detail={"token": token.pk})
    return token, plain


@transaction.atomic
def revoke_token(*, token_id: int, by: Scope) -> ApiToken:
    """Kill a token; the next request with it is refused.  Again is no error.

    Raises:
        Forbidden: neither one's own token nor ``staff.manage``.
        NotFound: no such token.
    """
    token = ApiToken.objects.select_for_update().filter(pk=token_id).first()
    if token is None or token.user_id != by.user_id:
        by.require(Permission.STAFF_MANAGE)
    if token is None:
        raise NotFound
    if token.revoked_at is None:
        token.revoked_at = by.at
        token.save(update_fields=["revoked_at"])
        audit.note(scope=by, kind=LogKind.ACCESS, action="tokens.revoke", subject_kind="user",
                   subject_id=token.user_id, detail={"token": token.pk})
    return token


def authenticate_token(*, token: str, at: datetime) -> tuple[User, frozenset[Permission]]:
    """Whose token this is and how far it goes.  Needs no scope: the digest is the proof.

    Raises:
        BadToken: unknown, revoked, expired, or the account is closed.
    """
    found = authenticate_tokens(tokens=[token], at=at)
    if token not in found:
        raise BadToken
    return found[token]


def authenticate_tokens(
    *, tokens: Iterable[str], at: datetime
) -> dict[str, tuple[User, frozenset[Permission]]]:
    """As ``authenticate_token`` for callers who come together; bad ones are left out."""
    asked = {
        digest(one, purpose=_PURPOSE): one
        for one in set(tokens) if one.startswith(_PREFIX) and len(one) <= 100
    }
    if not asked:
        return {}
    rows = ApiToken.objects.select_related("user").filter(
        digest__in=list(asked), revoked_at__isnull=True, expires_at__gt=at, user__is_active=True
    )
    return {
        asked[bytes(row.digest)]: (row.user, frozenset(
            _PERMISSIONS[one] for one in row.scopes if one in _PERMISSIONS
        ))
        for row in rows
    }
