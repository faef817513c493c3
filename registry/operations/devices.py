"""Phones bound to a volunteer: prove the card and the birthday, get a revocable token.

Owns binding, its rate limit and revocation.  Refuses with one and the same answer whether the
code, the birthday or the card's state was wrong; shows no name before it (P4, P6).  The 手帳番号
only identifies and binds nothing.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from registry import access, audit
from registry.access import Scope
from registry.codes import code_digest, device_digest
from registry.domain.errors import NotFound, Refused
from registry.domain.roles import Permission
from registry.models import BindingAttempt, BoundDevice, Card, LogKind, User, Volunteer
from registry.sealing import digest

MOST_DEVICES = 3
WINDOW = timedelta(hours=1)
MOST_WRONG_PER_CODE = 5
MOST_WRONG_PER_CLIENT = 30


class BindingRefused(Refused):
    """Code and birthday do not prove the person; one answer for every reason."""

    code = "binding_refused"
    message = "カードのコードか誕生日がちがいます。カードを見て、もう一度入れてください。"


class BindingLimited(Refused):
    """Too many wrong tries for this code or from this place within an hour."""

    code = "binding_limited"
    message = "まちがいが続いたため、しばらく受付を止めています。1時間後にもう一度どうぞ。"


class TooManyDevices(Refused):
    """Three phones are bound; one must be revoked first."""

    code = "too_many_devices"
    message = "登録できるスマートフォンは3台までです。窓口で古いものを取り消してください。"


@dataclass(frozen=True)
class BoundPhone:
    """``token`` goes into the device's cookie; it is shown this once."""

    device_id: int
    volunteer_id: int
    user_id: int
    token: str


def bind_device(
    *, code: str, birth_month: int, birth_day: int, client: str, at: datetime
) -> BoundPhone:
    """Bind a phone to the volunteer of a card.

    Opens its own transaction, because a refused try must stay on record while the answer is an
    error; call it outside any scope.  ``client`` is what the rate limit knows of the caller (an
    address); only its digest is kept.

    Raises:
        BindingRefused: unknown or cancelled card, ended registration, or wrong birthday.
        BindingLimited: more than 5 wrong tries for the code or 30 from the client in an hour.
        TooManyDevices: three phones are bound.
    """
    with (
        transaction.atomic(durable=True),
        access.system(at=at, reason="bind a phone") as wide,
    ):
        answer = _try(wide, code_digest(code), digest(client, purpose="client"),
                      (birth_month, birth_day))
    if isinstance(answer, Refused):
        raise answer
    return answer


def _try(
    wide: Scope, code: bytes, client: bytes, birthday: tuple[int, int]
) -> BoundPhone | Refused:
    # The card's row is the lock: tries for one card are counted one after the other.
    card: Card | None = (
        Card.objects.visible_to(wide)
        .select_for_update(of=("self",))
        .select_related("volunteer")
        .filter(digest=code)
        .first()
    )
    wrong = BindingAttempt.objects.filter(at__gt=wide.at - WINDOW, worked=False)
    if (
        wrong.filter(code_digest=code).count() >= MOST_WRONG_PER_CODE
        or wrong.filter(client_digest=client).count() >= MOST_WRONG_PER_CLIENT
    ):
        return BindingLimited()
    volunteer = card.volunteer if card is not None and card.cancelled_at is None else None
    worked = (
        volunteer is not None
        and (volunteer.left_on is None or volunteer.left_on > wide.on)
        and (volunteer.born_on.month, volunteer.born_on.day) == birthday
    )
    BindingAttempt.objects.create(
        code_digest=code, client_digest=client, at=wide.at, worked=worked
    )
    if volunteer is None or not worked:
        return BindingRefused()
    devices = BoundDevice.objects.visible_to(wide).filter(volunteer=volunteer)
    if devices.filter(revoked_at__isnull=True).count() >= MOST_DEVICES:
        return TooManyDevices()
    return _bound(wide, volunteer)


def _bound(wide: Scope, volunteer: Volunteer) -> BoundPhone:
    if volunteer.user_id is None:
        account = User(username=f"volunteer-{volunteer.pk}", display_name=volunteer.name,
                       created_at=wide.at)
        account.set_unusable_password()
        account.save()
        volunteer.user_id = account.pk
        volunteer.save(update_fields=["user"])
    token = secrets.token_urlsafe(32)
    device = BoundDevice(volunteer=volunteer, digest=device_digest(token), bound_at=wide.at)
    device.save()
    audit.note(scope=wide, kind=LogKind.ACCESS, action="devices.bind",
               subject_kind="volunteer", subject_id=volunteer.pk, detail={"device": device.pk})
    return BoundPhone(device.pk, volunteer.pk, volunteer.user_id, token)


@transaction.atomic
def revoke_device(*, device_id: int, by: Scope) -> BoundDevice:
    """Kill a bound phone; its next request finds nobody.  Again is no error.

    Raises:
        Forbidden: neither the volunteer nor ``volunteers.manage``.
        NotFound: not visible.
    """
    device: BoundDevice | None = (
        BoundDevice.objects.visible_to(by).select_for_update().filter(pk=device_id).first()
    )
    if device is None:
        raise NotFound
    if by.volunteer_id != device.volunteer_id:
        by.require(Permission.VOLUNTEERS_MANAGE)
    if device.revoked_at is None:
        device.revoked_at = by.at
        device.save(update_fields=["revoked_at"])
        audit.note(scope=by, kind=LogKind.ACCESS, action="devices.revoke",
                   subject_kind="volunteer", subject_id=device.volunteer_id,
                   detail={"device": device.pk})
    return device


def forget_attempts(*, before: datetime) -> int:
    """Drop tries older than an instant (they serve the rate limit only)."""
    return BindingAttempt.objects.filter(at__lt=before).delete()[0]
