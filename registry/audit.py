"""Write the access log in the caller's transaction, seal it in batches, verify it.

Owns the only writers of ``LogEntry`` and ``LogSeal``.  No log, no data: the callers write here
before they answer.  Refuses to chain in the request path; ``seal`` runs in a worker.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import OperationalError, connection, transaction

from registry import access, rows
from registry.access import Scope
from registry.base import UnscopedAccess
from registry.domain.errors import Conflict
from registry.models import LogEntry, LogKind, LogSeal

SEAL_SIZE = 5_000
# Writers share this advisory lock until they commit; sealing takes it alone for a moment.
_LOCK = 0x7453_4C4F
_PATIENCE = "400ms"


class SealBusy(Conflict):
    """A long transaction is writing the log; sealing tries again later, nobody waits for it."""

    code = "seal_busy"
    message = "記録を書いている処理があるため、封印はあとで行います。"


def _insert(entries: list[LogEntry]) -> None:
    """Write entries.  Their numbers are drawn under the shared lock, so that none can appear
    later below a sealed one."""
    if not entries:
        return
    written = [
        (one.at, str(one.kind), one.action, one.user_id, one.office_id, one.subject_kind,
         one.subject_id, one.person_id, json.dumps(one.fields, ensure_ascii=False), one.purpose,
         json.dumps(one.detail, ensure_ascii=False), one.salt)
        for one in entries
    ]
    lock: list[rows.Statement] = []
    if connection.vendor == "postgresql":
        lock = [("SELECT pg_advisory_xact_lock_shared(%s)", [_LOCK])]
    rows.write([(LogEntry, _COLUMNS, written)], first=lock)


_COLUMNS = ("at", "kind", "action", "user_id", "office_id", "subject_kind", "subject_id",
            "person_id", "fields", "purpose", "detail", "salt")


def _alone() -> None:
    """Wait until no writer is between number and commit, at most a moment.

    Raises:
        SealBusy: somebody is (an import); the table's owner alone could lock the table.
    """
    if connection.vendor != "postgresql":
        return  # one writer at a time
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_PATIENCE])
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    except OperationalError as error:
        raise SealBusy from error


def note(
    *,
    scope: Scope,
    kind: str,
    action: str,
    subject_kind: str,
    subject_id: int | None = None,
    person_id: int | None = None,
    fields: Sequence[str] = (),
    detail: dict[str, Any] | None = None,
) -> None:
    """One entry: ``scope`` did ``action`` to a subject.  ``detail`` holds counts and codes only."""
    _insert([_entry(scope, kind, action, subject_kind, subject_id, person_id, fields, detail)])


def notes(
    *, details: Iterable[tuple[Scope, dict[str, Any]]], kind: str, action: str, subject_kind: str
) -> None:
    """As ``note``, for several actors who did the same thing in one transaction."""
    _insert([
        _entry(scope, kind, action, subject_kind, None, None, (), detail)
        for scope, detail in details
    ])


def viewed(
    *, scope: Scope, action: str, people: Iterable[int], fields: Sequence[str]
) -> None:
    """One view entry for each person shown, in the transaction that read them."""
    _insert(
        [
            _entry(scope, LogKind.VIEW, action, "person", person, person, fields, None)
            for person in people
        ]
    )


def changed(
    *, scope: Scope, action: str, people: Iterable[tuple[int, Sequence[str]]]
) -> None:
    """One change entry for each person changed, naming the fields, in their transaction."""
    _insert(
        [
            _entry(scope, LogKind.CHANGE, action, "person", person, person, fields, None)
            for person, fields in people
        ]
    )


def released(
    *, scope: Scope, action: str, people: Iterable[tuple[int, Sequence[str]]],
    subject_kind: str, subject_id: int, detail: dict[str, Any] | None = None,
) -> None:
    """One release entry for each person handed on, naming the fields, in the transaction."""
    _insert(
        [
            _entry(
                scope, LogKind.RELEASE, action, subject_kind, subject_id, person, fields, detail
            )
            for person, fields in people
        ]
    )


def _entry(
    scope: Scope,
    kind: str,
    action: str,
    subject_kind: str,
    subject_id: int | None,
    person_id: int | None,
    fields: Sequence[str],
    detail: dict[str, Any] | None,
) -> LogEntry:
    return LogEntry(
        at=scope.at, kind=kind, action=action, user_id=scope.user_id, office_id=scope.office_id,
        subject_kind=subject_kind, subject_id=subject_id, person_id=person_id,
        fields=list(fields), purpose=scope.purpose or scope.reason, detail=detail or {},
        salt=secrets.token_bytes(16),
    )


def leaf(entry: LogEntry) -> bytes:
    """The salted digest of one entry (32 bytes); erasing an entry may keep this alone."""
    body = json.dumps(
        [
            entry.pk, entry.at.astimezone(UTC).isoformat(timespec="microseconds"), entry.kind,
            entry.action, entry.user_id, entry.office_id, entry.subject_kind, entry.subject_id,
            entry.person_id, entry.fields, entry.purpose, entry.detail,
        ],
        ensure_ascii=False, sort_keys=True, separators=(",", ":"),
    )
    return hashlib.sha256(bytes(entry.salt) + body.encode()).digest()


def _chained(previous: bytes, entries: Iterable[LogEntry]) -> tuple[bytes, int]:
    running, count = hashlib.sha256(previous), 0
    for entry in entries:
        running.update(leaf(entry))
        count += 1
    return running.digest(), count


def seal(*, at: datetime) -> int:
    """Seal what is not sealed yet; returns the number of entries sealed.

    Raises:
        SealBusy: a long transaction is writing; what was sealed so far stays.
    """
    sealed = 0
    while True:
        # The whole log, not what the caller may see: a seal over a part would be no seal.
        with access.system(at=at, reason="seal the log"):
            _alone()
            last = LogSeal.objects.order_by("-last_entry").first()
            after = last.last_entry if last else 0
            rows = list(
                LogEntry.objects.unscoped().filter(pk__gt=after).order_by("pk")[:SEAL_SIZE]
            )
            if not rows:
                return sealed
            previous = bytes(last.digest) if last else bytes(32)
            value, count = _chained(previous, rows)
            LogSeal.objects.create(
                first_entry=rows[0].pk, last_entry=rows[-1].pk, entries=count,
                previous=previous, digest=value, sealed_at=at,
            )
            sealed += count


@dataclass(frozen=True)
class LogVerdict:
    """What ``verify`` found: counts, and the seals that do not fit (empty = intact)."""

    entries: int
    seals: int
    unsealed: int
    broken: tuple[str, ...]
    head: str


def verify() -> LogVerdict:
    """Recompute every seal.  Finds an entry changed, removed, inserted or moved.

    Needs the service's own scope: whoever sees a part of the log cannot verify it.

    Raises:
        UnscopedAccess: called in any other scope.
    """
    looking = access.current()
    if looking is None or not looking.system:
        raise UnscopedAccess("audit.verify() needs access.system(...)")
    broken: list[str] = []
    previous, entries, before = bytes(32), 0, 0
    seals = list(LogSeal.objects.order_by("last_entry"))
    for one in seals:
        rows = (
            LogEntry.objects.unscoped()
            .filter(pk__gt=before, pk__lte=one.last_entry)
            .order_by("pk")
        )
        value, count = _chained(previous, rows.iterator(chunk_size=2_000))
        if bytes(one.previous) != previous or value != bytes(one.digest) or count != one.entries:
            broken.append(f"封印 {one.pk}（記録 {before + 1}〜{one.last_entry}）が合いません")
        previous, entries, before = bytes(one.digest), entries + count, one.last_entry
    unsealed = LogEntry.objects.unscoped().filter(pk__gt=before).count()
    return LogVerdict(entries, len(seals), unsealed, tuple(broken), previous.hex())
