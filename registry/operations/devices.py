"""Phones bound to a volunteer: prove the card and the birthday, get a revocable token.

Owns binding, its rate limit and revocation.  Refuses with one and the same answer whether the
code, the birthday or the card's state was wrong; shows no name before it (P4, P6).  The 手帳番号
only identifies and binds nothing.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from registry import access, audit
from registry.access import Scope
from registry.codes import code_digest, device_digest
from registry.domain.errors import NotFound, Refused
from registry.domain.roles import Permission
from registry.models import BindingAttempt, BoundDevice, Card, LogKind, User, Volunteer
from registry.queries.devices import MOST_WRONG_PER_CODE, WINDOW, wrong_tries
from registry.sealing import digest

__all__ = [
    "MOST_DEVICES", "MOST_WRONG_PER_CLIENT", "MOST_WRONG_PER_CODE", "WINDOW", "BindingLimited",
    "BindingRefused", "BoundPhone", "CardReplaced", "TooManyDevices", "bind_device",
    "forget_attempts", "lift_lockout", "revoke_device",
]
MOST_DEVICES = 3
MOST_WRONG_PER_CLIENT = 30


class BindingRefused(Refused):
    """Code and birthday do not prove the person; one answer for every reason."""

    code = "binding_refused"
    message = "カードのコードか誕生日がちがいます。カードを見て、もう一度入れてください。"


class BindingLimited(Refused):
    """Too many wrong tries for this code or from this place within an hour."""

    code = "binding_limited"
    message = (
        "まちがいが続いたため、登録を止めています。1時間後に もう一度どうぞ。"
        "お急ぎのときは、社会福祉協議会に言えば、すぐに できるようになります。"
    )


class CardReplaced(Refused):
    """The card was replaced; only who knows its code and the birthday is told (P6)."""

    code = "card_replaced"
    message = "このカードは、新しいカードに かわっています。新しいカードのコードを入れてください。"


class TooManyDevices(Refused):
    """Three phones are bound; one must be revoked first."""

    code = "too_many_devices"
    message = (
        "登録できるスマートフォンは3台までです。登録ずみのスマホの「カードを見る」で"
        "古いものを はずすか、社会福祉協議会に言ってください。"
    )


@dataclass(frozen=True)
class BoundPhone:
    """``token`` goes into the device's cookie; it is shown this once."""

    device_id: int
    volunteer_id: int
    user_id: int
    token: str


def bind_device(
    *, code: str, birth_month: int, birth_day: int, client: str, at: datetime,
    instead_of: str = "",
) -> BoundPhone:
    """Bind a phone to the volunteer of a card.

    ``instead_of`` is the token that this very phone had: the same person's is revoked, so that
    a phone that is bound again does not count twice.

    Opens its own transaction, because a refused try must stay on record while the answer is an
    error; call it outside any scope.  ``client`` is what the rate limit knows of the caller (an
    address); only its digest is kept.

    Raises:
        BindingRefused: unknown card, ended registration, or wrong birthday.
        CardReplaced: the birthday is right, and the card was the person's once.
        BindingLimited: more than 5 wrong tries for the code or 30 from the client in an hour.
        TooManyDevices: three phones are bound.
    """
    with (
        transaction.atomic(durable=True),
        access.system(at=at, reason="bind a phone") as wide,
    ):
        answer = _try(wide, code_digest(code), digest(client, purpose="client"),
                      (birth_month, birth_day), device_digest(instead_of))
    if isinstance(answer, Refused):
        raise answer
    return answer


def _try(
    wide: Scope, code: bytes, client: bytes, birthday: tuple[int, int], before: bytes
) -> BoundPhone | Refused:
    # The card's row is the lock: tries for one card are counted one after the other.
    card: Card | None = (
        Card.objects.visible_to(wide)
        .select_for_update(of=("self",))
        .filter(digest=code)
        .first()
    )
    wrong = BindingAttempt.objects.filter(at__gt=wide.at - WINDOW, worked=False)
    if (
        wrong.filter(code_digest=code).count() >= MOST_WRONG_PER_CODE
        or wrong.filter(client_digest=client).count() >= MOST_WRONG_PER_CLIENT
    ):
        return BindingLimited()
    volunteer = None if card is None else _person(wide, card)
    knows = (
        volunteer is not None
        and (volunteer.left_on is None or volunteer.left_on > wide.on)
        and (volunteer.born_on.month, volunteer.born_on.day) == birthday
    )
    worked = knows and card is not None and card.cancelled_at is None
    BindingAttempt.objects.create(
        code_digest=code, client_digest=client, at=wide.at, worked=worked
    )
    if volunteer is None or not knows:
        return BindingRefused()
    if not worked:
        return CardReplaced()
    devices = BoundDevice.objects.visible_to(wide).filter(volunteer=volunteer)
    devices.filter(digest=before, revoked_at__isnull=True).update(revoked_at=wide.at)
    if devices.filter(revoked_at__isnull=True).count() >= MOST_DEVICES:
        return TooManyDevices()
    return _bound(wide, volunteer)


def _person(wide: Scope, card: Card) -> Volunteer | None:
    """Whose card it is, read after the lock; a united record's leads to the survivor (P8)."""
    rows = Volunteer.objects.visible_to(wide).select_related("merged_into")
    row: Volunteer | None = rows.filter(pk=card.volunteer_id).first()
    return row.merged_into if row is not None and row.merged_into is not None else row


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


@transaction.atomic
def lift_lockout(*, volunteer_id: int, by: Scope) -> int:
    """Let a volunteer try again at once; the number of wrong tries that no longer count.

    Also forgets what the same addresses tried within the hour: a salon's one line may have been
    stopped by several people's mistakes.

    Raises:
        Forbidden: without ``volunteers.manage``.  NotFound: not visible.
    """
    by.require(Permission.VOLUNTEERS_MANAGE)
    if not Volunteer.objects.visible_to(by).filter(pk=volunteer_id).exists():
        raise NotFound
    wrong = wrong_tries(by, volunteer_id=volunteer_id)
    clients = list(wrong.values_list("client_digest", flat=True))
    count = wrong.delete()[0]
    BindingAttempt.objects.filter(
        client_digest__in=clients, worked=False, at__gt=by.at - WINDOW
    ).delete()
    audit.note(scope=by, kind=LogKind.CHANGE, action="devices.lift_lockout",
               subject_kind="volunteer", subject_id=volunteer_id, detail={"tries": count})
    return count


def forget_attempts(*, before: datetime) -> int:
    """Drop tries older than an instant (they serve the rate limit only)."""
    return BindingAttempt.objects.filter(at__lt=before).delete()[0]
