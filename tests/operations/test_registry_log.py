"""The access log: sealed in batches; every kind of tampering is found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from registry import audit, database
from registry.models import LogEntry, LogSeal


@pytest.fixture
def entries(system: Any) -> list[LogEntry]:
    for n in range(12):
        audit.note(scope=system, kind="change", action=f"a{n}", subject_kind="person",
                   subject_id=n, person_id=n, fields=["name"], detail={"n": n})
        if n in (3, 7):
            audit.seal(at=system.at)
    audit.seal(at=system.at)
    return list(LogEntry.objects.visible_to(system).order_by("pk"))


def test_an_untouched_log_verifies(entries: list[LogEntry], system: Any) -> None:
    audit.note(scope=system, kind="view", action="late", subject_kind="person")
    found = audit.verify()
    assert (found.entries, found.seals, found.unsealed, found.broken) == (12, 3, 1, ())
    assert audit.seal(at=system.at) == 1 and audit.seal(at=system.at) == 0
    assert audit.verify().head != found.head


_FIELDS = ("at", "kind", "action", "user_id", "office_id", "subject_kind", "subject_id",
           "person_id", "fields", "purpose", "detail", "salt")


def _other(entry: LogEntry, field: str) -> Any:
    value = getattr(entry, field)
    if field == "at":
        return value + timedelta(microseconds=1)
    if field == "salt":
        return bytes(value)[:-1] + bytes([bytes(value)[-1] ^ 1])
    if field == "fields":
        return [*value, "phone"]
    if field == "detail":
        return {**value, "x": 1}
    return value + "x" if isinstance(value, str) else (value or 0) + 1


def _as_owner(change: Callable[[], object]) -> None:
    """Tamper as somebody with the tables' owner's powers and the triggers out of the way."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")
        with database.history_open():
            change()
        return
    with database.history_open():
        change()


@pytest.mark.parametrize("field", _FIELDS)
@pytest.mark.parametrize("place", [0, 5, 11])
def test_a_changed_entry_is_found(
    entries: list[LogEntry], system: Any, field: str, place: int
) -> None:
    entry = entries[place]
    _as_owner(lambda: LogEntry.objects.unscoped().filter(pk=entry.pk).update(
        **{field: _other(entry, field)}))
    assert audit.verify().broken


def _remove(entries: list[LogEntry]) -> None:
    rows = LogEntry.objects.unscoped().filter(pk=entries[5].pk)
    rows._raw_delete(rows.db)


def _remove_the_last_with_its_seal(entries: list[LogEntry]) -> None:
    rows = LogEntry.objects.unscoped().filter(pk__gt=entries[7].pk)
    rows._raw_delete(rows.db)


def _insert(entries: list[LogEntry]) -> None:
    rows = LogEntry.objects.unscoped().filter(pk=entries[5].pk)
    rows._raw_delete(rows.db)
    entry = entries[4]
    LogEntry.objects.unscoped().bulk_create([LogEntry(
        pk=entries[5].pk, at=entry.at, kind=entry.kind, action=entry.action,
        subject_kind="person", salt=bytes(16))])


def _swap(entries: list[LogEntry]) -> None:
    one, other = entries[4], entries[5]
    for entry, source in ((one, other), (other, one)):
        LogEntry.objects.unscoped().filter(pk=entry.pk).update(
            action=source.action, detail=source.detail, salt=bytes(source.salt))


def _drop_a_seal(entries: list[LogEntry]) -> None:
    middle = LogSeal.objects.order_by("pk")[1]
    rows = LogSeal.objects.filter(pk=middle.pk)
    rows._raw_delete(rows.db)


def _change_a_seal(entries: list[LogEntry]) -> None:
    LogSeal.objects.filter(last_entry=entries[7].pk).update(digest=bytes(32))


@pytest.mark.parametrize("tamper", [
    _remove, _remove_the_last_with_its_seal, _insert, _swap, _drop_a_seal, _change_a_seal,
])
def test_removed_inserted_moved_and_unsealed_entries_are_found(
    entries: list[LogEntry], system: Any, tamper: Callable[[list[LogEntry]], None]
) -> None:
    _as_owner(lambda: tamper(entries))
    assert audit.verify().broken


@pytest.mark.postgres
@pytest.mark.parametrize("write", ["note", "viewed", "changed", "released"])
def test_every_writer_of_the_log_holds_back_the_seal(system: Any, write: str) -> None:
    """Without the shared lock an entry could be numbered below a seal and appear after it."""
    given: dict[str, Any] = {"scope": system, "action": "test"}
    if write == "note":
        audit.note(**given, kind="view", subject_kind="person")
    elif write == "viewed":
        audit.viewed(**given, people=[1], fields=["name"])
    elif write == "changed":
        audit.changed(**given, people=[(1, ["name"])])
    else:
        audit.released(**given, people=[(1, ["name"])], subject_kind="edition", subject_id=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = "
                       "'ShareLock' AND pid = pg_backend_pid()")
        assert cursor.fetchone() == (1,)
