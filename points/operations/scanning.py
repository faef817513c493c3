"""From what was scanned, typed or ticked to a person at a session.

Owns reading a set of scan requests: codes, sessions, cards and staff's own entries, with a
constant number of look-ups for any number of requests.  A request that cannot be counted gets a
refusal of its own (``Unread``); one bad item never blocks the rest.  Refuses to say whether a
session that is not yours exists.  Source: P4, P5, P6; ``points.domain.tokens``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from points import keys
from points.domain import codes, tokens
from points.domain.codes import BadCode
from points.domain.keyring import Keyring
from points.domain.results import Result
from points.domain.rules import Source, fiscal_year
from points.domain.tokens import CardCode, FormToken
from registry import rows
from registry.access import Scope
from registry.domain.roles import Permission
from registry.queries.cards import cards_by_code
from registry.queries.volunteers import volunteer_facts

STAFF_METHODS = ("name_search", "paper")
FIELDS = ("code", "session", "scanned_at", "counter", "volunteer", "method")
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """One request to be counted.  ``id`` is the client's UUID; a repeat gets the first answer.

    Either ``code`` (a card's needs ``session_id``; an event's takes the person from the bound
    phone), or staff's own entry: ``volunteer_id`` with ``session_id`` and ``method``
    (name_search, paper).  ``scanned_at`` is the device's clock, aware.
    """

    id: UUID
    scanned_at: datetime
    code: str = ""
    session_id: int | None = None
    counter: int | None = None
    volunteer_id: int | None = None
    method: str = ""
    note: str = ""
    # A form token that was verified already (``attendance.record_by_form``), never from outside.
    form: tokens.EventCode | None = None

    def content(self, digester: Callable[[str], bytes]) -> bytes:
        """Eight keyed bytes for each of ``FIELDS``: 48 in all."""
        at = self.scanned_at.astimezone(UTC).isoformat(timespec="microseconds")
        values = (self.code, self.session_id, at, self.counter, self.volunteer_id, self.method)
        return b"".join(digester(f"{n}:{v}") for n, v in zip(FIELDS, values, strict=True))


@dataclass(frozen=True, slots=True)
class SessionFact:
    """What counting needs to know of a session."""

    id: int
    programme_id: int
    organisation_id: int
    held_on: date
    starts_at: datetime
    ends_at: datetime
    cancelled: bool
    group_id: int | None = None
    kind: str = ""
    source: Source = Source.GROUP
    title: str = ""

    @property
    def minutes(self) -> int:
        """Its length, for kinds that are paid by the hour."""
        return int((self.ends_at - self.starts_at).total_seconds() // 60)

    @property
    def fiscal_year(self) -> int:
        """年度 of the activity."""
        return fiscal_year(self.held_on)


@dataclass(frozen=True, slots=True)
class Target:
    """A person at a session: may be counted."""

    session: SessionFact
    volunteer_id: int
    method: str


@dataclass(frozen=True, slots=True)
class Unread:
    """Why a request cannot be counted."""

    result: Result
    reason: str
    session_id: int | None = None
    volunteer_id: int | None = None


def differing(one: bytes, other: bytes) -> str:
    """The name of the first field in which two contents differ ("" when none does)."""
    for place, name in enumerate(FIELDS):
        if one[place * 8 : place * 8 + 8] != other[place * 8 : place * 8 + 8]:
            return name
    return ""


def corrected_clock(device: datetime, skew: timedelta, *, arrived: datetime) -> datetime:
    """When it happened by our clock: the device's time plus its skew, never after arrival."""
    if device.astimezone(UTC) < _EARLIEST or abs(skew) > timedelta(days=36_500):
        return arrived
    return min(device + skew, arrived)


def may_use(session: SessionFact, by: Scope) -> bool:
    """Whether the actor may count people in at the session: the council, or its host's own."""
    wide = by.system or by.sees_all_volunteers
    return wide or session.organisation_id in by.organisations


def resolve(
    asked: Sequence[tuple[ScanRequest, Scope]], *, known: Mapping[int, SessionFact], wide: Scope
) -> list[Target | Unread]:
    """The target or refusal of each request and who sent it, in order.

    ``known`` are the sessions of ``mentioned``, held.  One look-up per 1,000 cards, and one for
    each sender who names people.
    """
    ring, host = keys.keyring(), keys.code_host()

    def hours(session: int) -> tuple[datetime, datetime] | None:
        found = known.get(session)
        return None if found is None else (found.starts_at, found.ends_at)

    tokens_read = [_token(request, ring, host, by, hours) for request, by in asked]
    cards = cards_by_code(wide, {t.code for t in tokens_read if isinstance(t, CardCode)})
    people = _named(asked)
    found: list[Target | Unread] = []
    for (request, by), token in zip(asked, tokens_read, strict=True):
        if isinstance(token, Unread):
            found.append(replace(token, session_id=_own(known, token.session_id, by)))
        elif isinstance(token, CardCode):
            card = cards.get(token.code)
            if card is None:
                found.append(Unread(Result.BAD_CARD, BadCode.message,
                                    _own(known, request.session_id, by)))
            elif card.cancelled_at is not None:
                found.append(Unread(Result.CANCELLED_CARD, "このカードは無効になっています。",
                                    _own(known, request.session_id, by), card.volunteer_id))
            else:
                found.append(_at(known, request.session_id, card.volunteer_id, "card", by))
        elif token is None:
            volunteer = people[by.user_id].get(request.volunteer_id or 0)
            if volunteer is None:
                found.append(Unread(Result.BAD_CARD, "この方は見つかりません。",
                                    _own(known, request.session_id, by)))
            else:
                found.append(_at(known, request.session_id, volunteer, request.method, by))
        elif by.volunteer_id is None:
            found.append(Unread(Result.UNKNOWN_DEVICE, Result.UNKNOWN_DEVICE.face.advice,
                                _own(known, token.session, by)))
        else:
            # The code itself proves that the person stands at the session.
            found.append(_at(known, token.session, by.volunteer_id, token.via.value, None, by.on))
    return found


def _own(known: Mapping[int, SessionFact], session: int | None, by: Scope) -> int | None:
    """The session for the record: only one that exists and is the actor's to use."""
    fact = None if session is None else known.get(session)
    return session if fact is not None and may_use(fact, by) else None


def _named(
    asked: Sequence[tuple[ScanRequest, Scope]]
) -> dict[int | None, dict[int, int]]:
    """user id → those named by them whom they may see, each with the record that counts today.

    A sheet may name a record that was united with another since (P8).  Leaves a record.
    """
    typed: dict[int | None, set[int]] = {}
    senders: dict[int | None, Scope] = {}
    for request, by in asked:
        if request.volunteer_id is not None:
            typed.setdefault(by.user_id, set()).add(request.volunteer_id)
            senders[by.user_id] = by
    return {
        user: {
            pk: one.merged_into or pk for pk, one in volunteer_facts(
                senders[user], volunteer_ids=ids, action="attendance.entry").items()
        }
        for user, ids in typed.items()
    }


def mentioned(requests: Iterable[ScanRequest]) -> list[int]:
    """Ids of the sessions that the requests speak of, proven or not, in order."""
    named = set()
    for request in requests:
        if request.session_id is not None:
            named.add(request.session_id)
        if request.form is not None:
            named.add(request.form.session)
        elif len(request.code) >= tokens.EVENT_LENGTH:
            named |= {one for one in [_mentioned(request.code)] if one is not None}
    return sorted(one for one in named if 0 <= one < 1 << 63)


def hold_statements(ids: list[int]) -> list[rows.Statement]:
    """Read the sessions for ``facts_of`` and let nobody cancel them or close their years until
    we are done: on PostgreSQL by shared locks, so that scans do not wait for each other."""
    among, wanted = rows.among("id"), rows.listed(ids)
    held = " FOR SHARE" if connection.vendor == "postgresql" else ""
    years = (
        "SELECT y.id FROM points_programmeyear y WHERE y.programme_id IN"  # noqa: S608
        f" (SELECT programme_id FROM points_session WHERE {among}) ORDER BY y.id{held}"
    )
    sessions = f"SELECT {_FACTS} FROM points_session WHERE {among} ORDER BY id{held}"  # noqa: S608
    return [(sessions, [wanted]), (years, [wanted])]


_FACTS = (
    "id, programme_id, organisation_id, held_on, starts_at, ends_at, cancelled_at, group_id,"
    " activity_kind, source, title"
)


def facts_of(read: Iterable[tuple[Any, ...]]) -> dict[int, SessionFact]:
    """id → what counting needs, from the rows of ``_FACTS``."""
    return {
        row[0]: SessionFact(
            row[0], row[1], row[2], row[3], rows.moment(row[4]), rows.moment(row[5]),
            row[6] is not None, row[7], row[8], Source(row[9]), row[10],
        )
        for row in read
    }


def sessions_by_id(ids: set[int]) -> dict[int, SessionFact]:
    """id → what counting needs.  One query."""
    wanted = rows.listed(i for i in ids if 0 <= i < 1 << 63)
    text = f"SELECT {_FACTS} FROM points_session WHERE {rows.among('id')}"  # noqa: S608
    return facts_of(rows.fetch((text, [wanted]))[0])


def _at(
    known: Mapping[int, SessionFact], session_id: int | None, volunteer: int, method: str,
    by: Scope | None, on: date | None = None,
) -> Target | Unread:
    session = None if session_id is None else known.get(session_id)
    if session is None or (by is not None and not may_use(session, by)):
        return Unread(Result.NOT_OPEN, "この開催回は見つかりません。", None, volunteer)
    if session.cancelled:
        return Unread(Result.NOT_OPEN, "この開催回は中止になりました。", session.id, volunteer)
    # "Today" is the activity's day: nobody can have been at a session of a later day.
    if (on or (by.on if by is not None else session.held_on)) < session.held_on:
        said = f"この開催回は{session.held_on.month}月{session.held_on.day}日です。"
        return Unread(Result.NOT_OPEN, said, session.id, volunteer)
    return Target(session, volunteer, method)


def _token(
    request: ScanRequest, ring: Keyring, host: str, by: Scope,
    hours: Callable[[int], tuple[datetime, datetime] | None],
) -> tokens.EventCode | CardCode | Unread | None:
    """What the code says; None for staff's own entry."""
    if request.form is not None:
        return request.form
    if request.volunteer_id is not None:
        if not by.may(Permission.SCANS_RECORD) or not by.may(Permission.SESSIONS_MANAGE):
            return Unread(Result.BAD_CARD, "お名前での受付は、係の人が行います。")
        if request.method not in STAFF_METHODS:
            return Unread(Result.BAD_CARD, "受付のしかたが正しくありません。")
        return None
    try:
        token = tokens.read(request.code, keys=ring, at=by.at, hours=hours, host=host)
    except BadCode as wrong:
        return Unread(Result(wrong.code), wrong.message, request.session_id)
    if isinstance(token, FormToken):
        return Unread(Result.BAD_CARD, "この受付票は、スマホの画面から送ってください。")
    if isinstance(token, CardCode) and not by.may(Permission.SCANS_RECORD):
        return Unread(Result.BAD_CARD, "カードの読みとりは、受付の端末で行います。")
    return token


def _mentioned(code: str) -> int | None:
    """The session a signed code speaks of, unproven: only to look up its hours beforehand."""
    try:
        cleaned = codes.clean(tokens.path_code(code, None, folders=("C", "E")))
        if len(cleaned) != tokens.EVENT_LENGTH:
            return None
        return int(struct.unpack(">q", codes.decode(cleaned)[2:10])[0])
    except BadCode:
        return None
