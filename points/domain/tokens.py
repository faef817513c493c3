"""Codes that count a person in: cards, event QR, printed event QR, form tokens.

Owns: ``mint`` and ``read`` (names fixed by ``interfaces.md``), the length limits of the QR
symbols, the MAC and the time rules.
Refuses: wrong, forged, expired, foreign and mistyped codes, each with its own sentence
(``BadCode``: ``code`` is a ``Result`` value, ``detail`` the exact reason); a host name that
would not fit the QR symbol; a naive time.  Nothing personal is in any code.
Source: P4.2, P4.3, P6; ISO/IEC 18004 table 7 (alphanumeric capacity at level M: version 2
= 38 characters, version 4 = 90).  ``docs/algorithms/tokens.md`` has the byte layout and
test vectors for the kiosk, which makes the rotating code offline (P5).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from points.domain import codes
from points.domain.codes import BadCode
from points.domain.keyring import Keyring, fits, mac
from points.domain.results import Result

STEP = 30  # seconds one event code is shown
STEPS_BACK, STEPS_DRIFT = 2, 1
PRINTED_MARGIN = timedelta(minutes=30)
FORM_LIFE = timedelta(minutes=15)
CARD_LENGTH, EVENT_LENGTH, FORM_LENGTH = 12, 40, 80
CARD_URL_LIMIT, EVENT_URL_LIMIT = 38, 90
CARD_FAMILY, VOUCHER_FAMILY = 3, 22
_EVENT, _PRINTED, _FORM, _PRACTICE = 0x45, 0x50, 0x46, 0x54
_EVENT_TAG, _FORM_TAG = 11, 18
_HOST = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:")
_IS_VOUCHER = "これは利用券のコードです。参加の受付には使えません。"
_IS_PRACTICE = "練習用のQRコードです。受付には使えません。"
_FOREIGN = "ここで使うコードではありません。もう一度たしかめてください。"
Hours = Callable[[int], "tuple[datetime, datetime] | None"]


class Kind(StrEnum):
    """What ``mint`` makes."""

    CARD = "card"
    EVENT = "event"
    PRINTED = "printed"
    FORM = "form"
    PRACTICE = "practice"  # smartphone classes: read like an event code, counts nobody


@dataclass(frozen=True, slots=True)
class Minted:
    """``code`` as read back; ``url`` in capitals for the QR symbol ("" without a host)."""

    code: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class CardCode:
    """A card's random code, 11 x 5 bits and a check; whose it is, only the database knows."""

    code: str


@dataclass(frozen=True, slots=True)
class EventCode:
    """A genuine code of ``session`` in its time; ``via`` is EVENT or PRINTED (``method``)."""

    session: int
    via: Kind
    key_id: int


@dataclass(frozen=True, slots=True)
class FormToken:
    """Permission to count one person in; ``nonce`` is the id that makes the POST idempotent."""

    session: int
    via: Kind
    nonce: UUID
    expires_at: datetime


Token = CardCode | EventCode | FormToken


def mint(
    kind: Kind | str,
    *,
    host: str | None = None,
    scheme: str = "HTTPS",
    keys: Keyring | None = None,
    session: int | None = None,
    at: datetime | None = None,
    via: Kind | str = Kind.EVENT,
    audience: str = "",
    entropy: Callable[[int], bytes] = secrets.token_bytes,
) -> Minted:
    """Make a code. ``card`` needs nothing; ``event`` keys, session, at; ``printed`` keys,
    session; ``form`` keys, session, at and how the person came (``via``);
    ``practice`` keys.

    ``audience`` binds a form token to one browser: ``read`` must be given the same text.
    Raises ``ValueError`` for a missing argument or a host too long for the QR symbol.
    """
    kind = Kind(kind)
    if kind is Kind.CARD:
        body = codes.random_characters(CARD_LENGTH - 1, entropy(CARD_LENGTH - 1))
        code = body + codes.check_character(body, CARD_FAMILY)
        return Minted(code, _url(scheme, host, "C", code, CARD_URL_LIMIT))
    if kind is Kind.PRACTICE:
        session = 0
    if keys is None or session is None:
        raise ValueError(f"mint {kind}: keys and session are needed")
    if kind in (Kind.PRINTED, Kind.PRACTICE):
        mark = _PRINTED if kind is Kind.PRINTED else _PRACTICE
        key = _key(keys, keys.current, mark, session)
        code = _event_code(mark, keys.current, key, session, 0)
        return Minted(code, _url(scheme, host, "E", code, EVENT_URL_LIMIT))
    if at is None:
        raise ValueError(f"mint {kind}: at is needed")
    if kind is Kind.EVENT:
        code = event_code(keys.current, session_key(keys, session), session, at)
        return Minted(code, _url(scheme, host, "E", code, EVENT_URL_LIMIT))
    expires = int(_aware(at).timestamp()) + int(FORM_LIFE.total_seconds())
    way = {Kind.EVENT: _EVENT, Kind.PRINTED: _PRINTED}[Kind(via)]
    head = bytes([_FORM, way, keys.current]) + _session(session) + expires.to_bytes(5, "big")
    head += UUID(bytes=entropy(16), version=4).bytes
    tag = mac(_key(keys, keys.current, _FORM, session), head + audience.encode(), _FORM_TAG)
    return Minted(codes.encode(head + tag))


def read(
    text: str,
    *,
    keys: Keyring | None = None,
    at: datetime | None = None,
    hours: Hours | None = None,
    host: str | None = None,
    audience: str = "",
) -> Token:
    """Read what was scanned or typed: a URL of ours or a bare code.

    ``hours(session)`` gives start and end for a printed code, or None when there is no such
    session; ``host``, when given, refuses URLs of other places.  Signed codes need ``keys``
    and ``at``.  Raises ``BadCode`` with ``code`` bad_card, expired or not_open (``detail``
    ``practice`` for a genuine practice code: nothing it opens may write) and
    ``ValueError`` when an argument that the code needs was not passed.
    """
    code = codes.clean(path_code(text, host, folders=("C", "E")))
    if len(code) not in (EVENT_LENGTH, FORM_LENGTH):
        return CardCode(_card(code))
    if keys is None or at is None:
        raise ValueError("read: keys and at are needed for a signed code")
    data, now = codes.decode(code), int(_aware(at).timestamp())
    if len(code) == FORM_LENGTH:
        return _read_form(data, keys, now, audience)
    kind, key_id, session = data[0], data[1], int.from_bytes(data[2:10], "big")
    if kind not in (_EVENT, _PRINTED, _PRACTICE):
        raise BadCode("kind")
    _verify(keys, key_id, kind, session, data[:-_EVENT_TAG], data[-_EVENT_TAG:])
    if kind == _PRACTICE:
        raise BadCode("practice", _IS_PRACTICE)
    step = int.from_bytes(data[10:14], "big")
    if kind == _EVENT:
        _in_step(step, now // STEP)
        return EventCode(session, Kind.EVENT, key_id)
    if hours is None:
        raise ValueError("read: hours is needed for a printed code")
    _in_hours(hours(session), at)
    return EventCode(session, Kind.PRINTED, key_id)


def session_key(keys: Keyring, session: int) -> bytes:
    """The 32-byte key with which a host's device makes one session's rotating code.

    A lost device can sign for that session only; the master key never leaves the server.
    """
    return _key(keys, keys.current, _EVENT, session)


def event_code(key_id: int, key: bytes, session: int, at: datetime) -> str:
    """The rotating code at ``at`` from a ``session_key``: what the kiosk computes itself."""
    return _event_code(_EVENT, key_id, key, session, int(_aware(at).timestamp()) // STEP)


def check_host(host: str, scheme: str = "HTTPS") -> None:
    """Raise ``ValueError`` naming the limit when card URLs of ``host`` would not fit (P6).

    For the start-up check: HTTPS leaves 15 characters for the host, HTTP 16.
    """
    _url(scheme, host, "C", "0" * CARD_LENGTH, CARD_URL_LIMIT)


def card_url(scheme: str, host: str | None, folder: str, code: str) -> str:
    """A URL for a version 2 QR symbol ("" without a host); ``ValueError`` when too long."""
    return _url(scheme, host, folder, code, CARD_URL_LIMIT)


def _url(scheme: str, host: str | None, folder: str, code: str, limit: int) -> str:
    if host is None:
        return ""
    host, scheme = host.upper(), scheme.upper()
    if not host or not set(host) <= _HOST or scheme not in ("HTTPS", "HTTP"):
        raise ValueError(f"host {host!r}: a bare host name, with a port if need be")
    url = f"{scheme}://{host}/{folder}/{code}"
    if len(url) > limit:
        most = limit - len(url) + len(host)
        raise ValueError(f"host {host!r} is too long for the QR symbol: {most} characters at most")
    return url


def path_code(text: str, host: str | None, *, folders: tuple[str, ...]) -> str:
    """The code in a URL of ours under one of ``folders``, or the text itself."""
    if len(text) > codes.LONGEST_INPUT:
        raise BadCode("too_long", "コードが長すぎます。")
    flat = text.replace("／", "/").replace("：", ":").strip()
    if "/" not in flat:
        return flat
    rest = flat.split("://", 1)[-1].split("?", 1)[0].split("#", 1)[0].rstrip("/")
    place, _, path = rest.partition("/")
    folder, _, code = path.partition("/")
    foreign = host is not None and place.upper() != host.upper()
    if folder.upper() == "V" and "V" not in folders and not foreign:
        raise BadCode("voucher", _IS_VOUCHER)
    if foreign or folder.upper() not in folders or "/" in code:
        raise BadCode("foreign", _FOREIGN)
    return code


def _card(code: str) -> str:
    try:
        return codes.checked(code, CARD_LENGTH, CARD_FAMILY)
    except BadCode as wrong:
        body = code[:-1]
        if len(code) == CARD_LENGTH and codes.check_character(body, VOUCHER_FAMILY) == code[-1]:
            raise BadCode("voucher", _IS_VOUCHER) from wrong
        raise


def _read_form(data: bytes, keys: Keyring, now: int, audience: str) -> FormToken:
    way = {_EVENT: Kind.EVENT, _PRINTED: Kind.PRINTED}.get(data[1])
    if data[0] != _FORM or way is None:
        raise BadCode("kind")
    session, expires = int.from_bytes(data[3:11], "big"), int.from_bytes(data[11:16], "big")
    head, tag = data[:-_FORM_TAG], data[-_FORM_TAG:]
    _verify(keys, data[2], _FORM, session, head + audience.encode(), tag)
    if now >= expires:
        raise BadCode(
            "form_expired",
            "時間が切れました。会場のQRコードを、もう一度読みとってください。",
            code=Result.EXPIRED,
        )
    return FormToken(session, way, UUID(bytes=data[16:32]), datetime.fromtimestamp(expires, UTC))


def _in_step(step: int, now: int) -> None:
    """Current and two previous steps, and one step of clock drift to either side."""
    if step < now - STEPS_BACK - STEPS_DRIFT:
        raise BadCode(
            "step_past",
            "QRコードの時間が切れています。会場の画面を、もう一度読みとってください。",
            code=Result.EXPIRED,
        )
    if step > now + STEPS_DRIFT:
        raise BadCode(
            "step_ahead",
            "会場の端末の時計がずれています。係の人につたえてください。",
            code=Result.EXPIRED,
        )


def _in_hours(hours: tuple[datetime, datetime] | None, at: datetime) -> None:
    if hours is None:
        raise BadCode("no_session", "この開催回はありません。係の人につたえてください。")
    starts_at, ends_at = hours
    if at < _aware(starts_at) - PRINTED_MARGIN:
        raise BadCode("too_early", "受付は開始の30分前からです。", code=Result.NOT_OPEN)
    if at > _aware(ends_at) + PRINTED_MARGIN:
        raise BadCode("too_late", "受付は終了の30分後までです。", code=Result.EXPIRED)


def _event_code(kind: int, key_id: int, key: bytes, session: int, step: int) -> str:
    head = bytes([kind, key_id]) + _session(session) + step.to_bytes(4, "big")
    return codes.encode(head + mac(key, head, _EVENT_TAG))


def _key(keys: Keyring, key_id: int, kind: int, session: int) -> bytes:
    return keys.derive(key_id, f"session-{chr(kind)}", _session(session))


def _verify(keys: Keyring, key_id: int, kind: int, session: int, head: bytes, tag: bytes) -> None:
    """MAC first: an unsigned text never reaches the time rules."""
    if not keys.has(key_id):
        raise BadCode("unknown_key", "古いコードです。会場の新しいQRコードを読みとってください。")
    if session >= 1 << 63 or not fits(_key(keys, key_id, kind, session), head, tag):
        raise BadCode("forged")


def _session(session: int) -> bytes:
    if not 0 <= session < 1 << 63:
        raise ValueError("session: 0 to 2**63 - 1")
    return session.to_bytes(8, "big")


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None or at.utcoffset() is None:
        raise ValueError("time must be aware (with a time zone)")
    return at
