"""The same request gets the same answer: Idempotency-Key of creating POSTs.

Owns the first answer to (user, route, key), sealed.  Refuses the same key with another body,
naming the header (HTTP 422), and a second request while the first is still being worked on.
interfaces.md, HTTP API; points.md P3.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from registry.access import Scope
from registry.domain.errors import Conflict, Forbidden, Refused
from registry.models import RememberedAnswer
from registry.sealing import seal, unseal

_HEADER = "Idempotency-Key"


class KeyReused(Refused):
    """The key came with another body (HTTP 422)."""

    code = "idempotency_key_reused"
    message = "同じ Idempotency-Key で、内容のちがう依頼が届きました。新しい鍵で送ってください。"


class StillWorking(Conflict):
    """The same request is being worked on right now; ask again in a moment."""

    code = "idempotency_in_progress"
    message = "同じ依頼を処理しています。少し待ってから送りなおしてください。"


@dataclass(frozen=True)
class Answer:
    """The first answer: HTTP status and body (a JSON value)."""

    status: int
    body: Any


def find(*, route: str, key: str, request_digest: bytes, by: Scope) -> Answer | None:
    """The first answer to this key, or None when it is new.

    ``request_digest`` is SHA-256 of the request's body and path; ``route`` names the endpoint.

    Raises:
        Forbidden: nobody is signed in.
        Refused: ``bad_idempotency_key`` when the key is empty or longer than 80 characters.
        KeyReused: the key was used with another body.
    """
    found = RememberedAnswer.objects.filter(
        user_id=_user(by), route=route, key=_checked(key)
    ).first()
    if found is None:
        return None
    if not hmac.compare_digest(bytes(found.request_digest), request_digest):
        raise KeyReused(fields={_HEADER: "この鍵は別の内容で使われています。"})
    body = unseal(bytes(found.sealed_body), context=_context(by, route, key))
    return Answer(found.status, json.loads(body))


@transaction.atomic
def remember(
    *, route: str, key: str, request_digest: bytes, status: int, body: Any, by: Scope
) -> Answer:
    """Keep the answer, sealed, in the transaction of its effect: both exist, or neither.

    Raises:
        StillWorking: another request with this key was first; roll back, then ``find``.
    """
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        with transaction.atomic():
            RememberedAnswer.objects.create(
                user_id=_user(by), route=route, key=_checked(key), request_digest=request_digest,
                status=status, sealed_body=seal(text, context=_context(by, route, key)), at=by.at,
            )
    except IntegrityError as error:
        raise StillWorking from error
    return Answer(status, body)


def forget_answers(*, before: datetime) -> int:
    """Drop answers given before an instant (90 days: ``Keep.STAGING``); returns how many."""
    return RememberedAnswer.objects.filter(at__lt=before).delete()[0]


def _user(by: Scope) -> int:
    if by.user_id is None:
        raise Forbidden
    return by.user_id


def _checked(key: str) -> str:
    if not key or len(key) > 80:
        raise Refused("Idempotency-Key は1〜80文字にしてください。", code="bad_idempotency_key",
                      fields={_HEADER: "1〜80文字にしてください。"})
    return key


def _context(by: Scope, route: str, key: str) -> str:
    return f"answer:{by.user_id}:{route}:{key}"
