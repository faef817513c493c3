"""Kiosks (受付端末): registered by the host, tied to one tablet by a code used once, revoked.

Owns registration, the pairing code (8 characters, 15 minutes, used once), the tie to a tablet,
what the tablet says of itself, revocation and taking a found tablet back into use.  A kiosk has
an account of its own with the role ``scanner_device`` and a token that may only scan.
Refuses another organisation's kiosk (not found), a wrong or late code with one answer, and
guessing: tries are counted.  A tablet that is paired anew silences the one before.  P5.
"""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from registry import access, audit
from registry.access import Scope
from registry.domain.errors import Conflict, NotFound, Refused
from registry.domain.roles import Permission, Role
from registry.models import ApiToken, BindingAttempt, Kiosk, LogKind, Organisation
from registry.operations import organisations, staff
from registry.operations.tokens import LONGEST_LIFE, issue_token
from registry.sealing import digest

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # no I, L, O, U
CODE_LENGTH = 8
CODE_LIFE = timedelta(minutes=15)
WINDOW = timedelta(hours=1)
MOST_WRONG_PER_CLIENT = 20
_FOLD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None, "‐": None, "−": None})


class PairingRefused(Refused):
    """Unknown, used, late or replaced code; one answer for every reason."""

    code = "pairing_refused"
    message = "登録コードがちがうか、時間が切れています。係の画面で 新しいコードを出してください。"


class PairingLimited(Refused):
    """Too many wrong codes from this place within an hour."""

    code = "pairing_limited"
    message = "まちがいが続いたため、しばらく登録を止めています。1時間後にもう一度どうぞ。"
    http_status = 429


class KioskRevoked(Conflict):
    """The kiosk was revoked; it must be taken back into use first."""

    code = "kiosk_revoked"
    message = "この端末の登録は 取り消されています。使うときは「また使う」をおしてください。"


class OtherKioskHeld(Conflict):
    """The tablet still holds unsent scans of another kiosk; their counters are that kiosk's."""

    code = "other_kiosk_held"
    message = (
        "この端末には、前の登録の送信まちが 残っています。"
        "前の端末を「また使う」にして、そのコードを入れてください。"
    )


@dataclass(frozen=True)
class PairingCode:
    """The code to type on the tablet, shown this once, and until when it works."""

    kiosk_id: int
    code: str
    until: datetime


@dataclass(frozen=True)
class Paired:
    """What the tablet keeps.  ``token`` is shown this once."""

    kiosk_id: int
    user_id: int
    name: str
    organisation: str
    token: str
    last_counter: int


@transaction.atomic
def register(*, organisation_id: int, name: str, by: Scope) -> PairingCode:
    """Register a tablet for an organisation's receptions and make its pairing code.

    Raises:
        Forbidden: without ``sessions.manage``.
        NotFound: no such organisation, or not one's own.
        Refused: ``bad_kiosk_name``.
    """
    by.require(Permission.SESSIONS_MANAGE)
    own = by.system or by.sees_all_volunteers or organisation_id in by.organisations
    home = Organisation.objects.filter(pk=organisation_id).first() if own else None
    if home is None:
        raise NotFound
    said = _name(name)
    with access.system(at=by.at, reason="register a kiosk") as wide:
        account = staff.create_user(
            username=f"kiosk-{secrets.token_hex(6)}", display_name=said, is_device=True, by=wide
        )
        code = f"KIOSK:{home.code}"
        seat = organisations.OfficeFacts(Role.SCANNER_DEVICE, code, "受付端末", home.code)
        office = organisations.load_offices(offices=[seat], by=wide)[code]
        staff.appoint(office_id=office, user_id=account.pk, starts_on=by.on, by=wide)
        kiosk = Kiosk(organisation=home, user=account, name=said, registered_at=by.at,
                      registered_by_id=staff.actor_id(by=by))
        kiosk.save(force_insert=True)
        made = _new_code(kiosk, by.at)
    audit.note(scope=by, kind=LogKind.ACCESS, action="kiosks.register", subject_kind="kiosk",
               subject_id=kiosk.pk)
    return made


@transaction.atomic
def new_code(*, kiosk_id: int, by: Scope) -> PairingCode:
    """A new pairing code; the one before is dead.  The paired tablet works until it is used.

    Raises:
        Forbidden: without ``sessions.manage``.  NotFound: not one's own.
        KioskRevoked: take it back into use first.
    """
    kiosk = _own(kiosk_id, by)
    if kiosk.revoked_at is not None:
        raise KioskRevoked
    made = _new_code(kiosk, by.at)
    audit.note(scope=by, kind=LogKind.ACCESS, action="kiosks.new_code", subject_kind="kiosk",
               subject_id=kiosk.pk)
    return made


@transaction.atomic
def revoke(*, kiosk_id: int, by: Scope) -> None:
    """Lost or returned: its token is dead with this transaction.  Again is no error.

    What it still holds stays on the tablet: card codes, no names.  It is sent when the tablet
    is found and taken back into use (``reinstate``).

    Raises:
        Forbidden: without ``sessions.manage``.  NotFound: not one's own.
    """
    kiosk = _own(kiosk_id, by)
    if kiosk.revoked_at is not None:
        return
    kiosk.pairing_digest = kiosk.pairing_until = None
    kiosk.revoked_at, kiosk.revoked_by_id = by.at, staff.actor_id(by=by)
    kiosk.save(update_fields=["pairing_digest", "pairing_until", "revoked_at", "revoked_by"])
    with access.system(at=by.at, reason="revoke a kiosk") as wide:
        staff.deactivate(user_id=kiosk.user_id, by=wide)
    audit.note(scope=by, kind=LogKind.ACCESS, action="kiosks.revoke", subject_kind="kiosk",
               subject_id=kiosk.pk)


@transaction.atomic
def reinstate(*, kiosk_id: int, by: Scope) -> PairingCode:
    """Take a revoked kiosk back into use: the same account, the same counters, a new code.

    Raises:
        Forbidden: without ``sessions.manage``.  NotFound: not one's own.
        Conflict: ``kiosk_in_use``: it is not revoked.
    """
    kiosk = _own(kiosk_id, by)
    if kiosk.revoked_at is None:
        raise Conflict("この端末は、取り消されていません。", code="kiosk_in_use")
    kiosk.revoked_at = kiosk.revoked_by = None
    kiosk.save(update_fields=["revoked_at", "revoked_by"])
    kiosk.user.is_active = True
    kiosk.user.save(update_fields=["is_active"])
    made = _new_code(kiosk, by.at)
    audit.note(scope=by, kind=LogKind.ACCESS, action="kiosks.reinstate", subject_kind="kiosk",
               subject_id=kiosk.pk)
    return made


def pair(*, code: str, client: str, at: datetime, holds: int | None = None) -> Paired:
    """Tie the tablet that says the code to its kiosk; the tablet before it is silenced.

    ``holds`` is the kiosk whose unsent scans the tablet still has.

    Opens its own transaction, because a refused try must stay on record; call it outside any
    scope.  ``client`` is the caller's address; only its digest is kept.

    Raises:
        PairingRefused: unknown, used, late or replaced code, or a revoked kiosk.
        PairingLimited: more than 20 wrong codes from the client in an hour.
        OtherKioskHeld: the code is another kiosk's than ``holds``; it stays good.
    """
    with (
        transaction.atomic(durable=True),
        access.system(at=at, reason="pair a kiosk") as wide,
    ):
        answer = _try(wide, code, digest(client, purpose="kiosk-client"), holds)
    if isinstance(answer, Refused | Conflict):
        raise answer
    return answer


@transaction.atomic
def check_in(
    *, device_time: datetime, last_counter: int, waiting: int, by: Scope
) -> tuple[int, str]:
    """Keep what the kiosk says of itself; returns its id and name.

    Raises:
        Forbidden: without ``scans.record``.
        NotFound: the caller is no kiosk.
    """
    by.require(Permission.SCANS_RECORD)
    kiosk = Kiosk.objects.visible_to(by).select_for_update().filter(user_id=by.user_id).first()
    if kiosk is None:
        raise NotFound
    kiosk.seen_at = by.at
    kiosk.clock_offset_ms = round((by.at - device_time).total_seconds() * 1000)
    kiosk.last_counter = max(kiosk.last_counter, last_counter)
    kiosk.waiting = waiting
    kiosk.save(update_fields=["seen_at", "clock_offset_ms", "last_counter", "waiting"])
    return kiosk.pk, kiosk.name


def _try(
    wide: Scope, code: str, client: bytes, holds: int | None
) -> Paired | Refused | Conflict:
    said = unicodedata.normalize("NFKC", code[:64]).upper().translate(_FOLD)
    key = digest(said, purpose="kiosk-code")
    wrong = BindingAttempt.objects.filter(
        at__gt=wide.at - WINDOW, worked=False, client_digest=client
    )
    if wrong.count() >= MOST_WRONG_PER_CLIENT:
        return PairingLimited()
    kiosk = (
        Kiosk.objects.visible_to(wide).select_for_update(of=("self",))
        .select_related("organisation")
        .filter(pairing_digest=key, pairing_until__gt=wide.at, revoked_at__isnull=True).first()
    )
    BindingAttempt.objects.create(
        code_digest=key, client_digest=client, at=wide.at, worked=kiosk is not None
    )
    if kiosk is None:
        return PairingRefused()
    if holds is not None and holds != kiosk.pk:
        return OtherKioskHeld()
    ApiToken.objects.filter(user_id=kiosk.user_id, revoked_at__isnull=True).update(
        revoked_at=wide.at
    )
    _, token = issue_token(
        user_id=kiosk.user_id, name=f"受付端末 {kiosk.pk}", by=wide,
        scopes=[Permission.SCANS_RECORD], expires_at=wide.at + LONGEST_LIFE,
    )
    kiosk.pairing_digest = kiosk.pairing_until = None
    kiosk.paired_at = wide.at
    kiosk.save(update_fields=["pairing_digest", "pairing_until", "paired_at"])
    audit.note(scope=wide, kind=LogKind.ACCESS, action="kiosks.pair", subject_kind="kiosk",
               subject_id=kiosk.pk)
    return Paired(kiosk.pk, kiosk.user_id, kiosk.name, kiosk.organisation.name, token,
                  kiosk.last_counter)


def _new_code(kiosk: Kiosk, at: datetime) -> PairingCode:
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    kiosk.pairing_digest, kiosk.pairing_until = digest(code, purpose="kiosk-code"), at + CODE_LIFE
    kiosk.save(update_fields=["pairing_digest", "pairing_until"])
    return PairingCode(kiosk.pk, f"{code[:4]}-{code[4:]}", kiosk.pairing_until)


def _own(kiosk_id: int, by: Scope) -> Kiosk:
    """One's own kiosk, its row locked."""
    by.require(Permission.SESSIONS_MANAGE)
    kiosk: Kiosk | None = (
        Kiosk.objects.visible_to(by).select_for_update(of=("self",)).select_related("user")
        .filter(pk=kiosk_id).first()
    )
    if kiosk is None:
        raise NotFound
    return kiosk


def _name(text: str) -> str:
    said = " ".join(text.split())
    if not said or len(said) > 40:
        told = "端末の名前を1〜40文字で入れてください。"
        raise Refused(told, code="bad_kiosk_name", fields={"name": told})
    return said
