"""Rows as plain values: for what is written too often, or too many at once, for objects.

Owns ``insert`` (any number of rows, one statement on PostgreSQL, prepared once on SQLite),
``new_ids`` and ``fetch`` (several statements, one round trip on PostgreSQL).  Refuses nothing
itself: constraints, triggers and row-level security hold as for every other writer.  Who reads
with it, reads in the scope that is open; first wall and second are the caller's to keep.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import connection, models

Statement = tuple[str, Sequence[Any]]


def fetch(*statements: Statement) -> list[list[tuple[Any, ...]]]:
    """The rows of each statement, in order; each sees what the ones before it wrote."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            texts, values = zip(*statements, strict=True)
            cursor.execute("; ".join(texts), list(chain.from_iterable(values)))
            found = [cursor.fetchall() if cursor.description else []]
            while cursor.nextset():
                found.append(cursor.fetchall() if cursor.description else [])
            return found
        found = []
        for text, given in statements:
            cursor.execute(text, given)
            found.append(cursor.fetchall() if cursor.description else [])
        return found


def among(column: str, type_: str = "bigint") -> str:
    """The condition that a column is one of ``listed`` values."""
    if connection.vendor == "postgresql":
        return f"{column} = ANY(%s::{type_}[])"
    return column + " IN (SELECT value FROM json_each(%s))"  # noqa: S608  # a column's name


def listed(values: Iterable[Any]) -> Any:
    """The parameter of ``among``: numbers, texts or UUIDs."""
    if connection.vendor == "postgresql":
        return list(values)
    return json.dumps([one.hex if isinstance(one, UUID) else one for one in values])


def moment(value: Any) -> Any:
    """An instant as read by either engine, aware (None stays None)."""
    if value is None or (isinstance(value, datetime) and value.tzinfo is not None):
        return value
    read = datetime.fromisoformat(value) if isinstance(value, str) else value
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read


def new_ids(*wanted: tuple[type[models.Model], int]) -> list[list[int]]:
    """Fresh ascending ids for each (model, count).  Unused ones are lost, which harms nobody."""
    asked = [id_statement(model, count) for model, count in wanted if count]
    found = iter(fetch(*asked) if asked else [])
    return [ids_of(next(found), count) if count else [] for _, count in wanted]


def id_statement(model: type[models.Model], count: int) -> Statement:
    """The statement behind ``new_ids``, to be sent together with others."""
    table = model._meta.db_table
    if connection.vendor == "postgresql":
        return (
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [table, count],
        )
    # One writer at a time: nobody draws a number between this and the insert.
    text = (
        "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = %s), 0),"  # noqa: S608
        f" coalesce((SELECT max(id) FROM {table}), 0))"  # our own table's name
    )
    return text, [table]


def ids_of(rows: list[tuple[Any, ...]], count: int) -> list[int]:
    """The ids in the answer to ``id_statement``."""
    if connection.vendor == "postgresql":
        return [row[0] for row in rows]
    return [rows[0][0] + one for one in range(1, count + 1)]


def insert(model: type[models.Model], names: tuple[str, ...], rows: Sequence[Any]) -> None:
    """Insert tuples in the order of ``names`` (attribute names, ``id`` included where given)."""
    if not rows:
        return
    if connection.vendor == "postgresql":
        fetch(insert_statement(model, names, rows))
        return
    text, turned, rest = _sqlite(model, names)
    values = [[turn(value) if turn and value is not None else value
               for turn, value in zip(turned, row, strict=True)] + rest for row in rows]
    with connection.cursor() as cursor:
        cursor.executemany(text, values)


def insert_statement(
    model: type[models.Model], names: tuple[str, ...], rows: Sequence[Any]
) -> Statement:
    """PostgreSQL: one statement for any number of rows (at least one), to be sent with others."""
    text, rest = _postgres(model, names)
    return text, [*rest, *(list(column) for column in zip(*rows, strict=True))]


Table = tuple[type[models.Model], tuple[str, ...], Sequence[Any]]


def write(
    tables: Sequence[Table], *, first: Sequence[Statement] = (), also: Sequence[Statement] = ()
) -> None:
    """``first``, insert into several tables in order, ``also``; one round trip on PostgreSQL."""
    some = [table for table in tables if table[2]]
    if connection.vendor == "postgresql":
        asked = [*first, *(insert_statement(*table) for table in some), *also]
        if asked:
            fetch(*asked)
        return
    if first:
        fetch(*first)
    for table in some:
        insert(*table)
    if also:
        fetch(*also)


@lru_cache
def _postgres(model: type[models.Model], names: tuple[str, ...]) -> tuple[str, list[Any]]:
    fields = [_field(model, name) for name in names]
    rest = _defaults(model, fields)
    # Without its length: a cast to varchar(16) would cut silently, the column refuses.
    types = [str(field.db_type(connection)).split("(")[0] for field in fields]
    columns = ", ".join(f'"{field.column}"' for field in [*fields, *rest])
    fixed = "".join(f", %s::{str(f.db_type(connection)).split('(')[0]}" for f in rest)
    arrays = ", ".join(f"%s::{one}[]" for one in types)
    return (f'INSERT INTO "{model._meta.db_table}" ({columns})'  # noqa: S608  # our own names
            f" SELECT u.*{fixed} FROM unnest({arrays}) u"), list(rest.values())


@lru_cache
def _sqlite(
    model: type[models.Model], names: tuple[str, ...]
) -> tuple[str, tuple[Callable[[Any], Any] | None, ...], list[Any]]:
    fields = [_field(model, name) for name in names]
    rest = _defaults(model, fields)
    columns = ", ".join(f'"{field.column}"' for field in [*fields, *rest])
    marks = ", ".join(["%s"] * (len(fields) + len(rest)))
    text = f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES ({marks})'  # noqa: S608
    turned = tuple(_TURNED.get((field.remote_field and field.target_field or field)
                               .get_internal_type()) for field in fields)
    return text, turned, list(rest.values())


def _defaults(model: type[models.Model], given: list[Any]) -> dict[Any, Any]:
    """The columns that are not given and have a default, with its value in the database."""
    return {
        field: field.get_db_prep_save(value, connection)
        for field in model._meta.concrete_fields
        if field not in given and not field.primary_key
        and (value := field.get_default()) is not None
    }


def _field(model: type[models.Model], name: str) -> Any:
    return next(f for f in model._meta.concrete_fields if name in (f.attname, f.name))


def _instant(value: datetime) -> str:
    return str(value.astimezone(UTC).replace(tzinfo=None))


_TURNED: dict[str, Callable[[Any], Any]] = {
    "DateTimeField": _instant, "UUIDField": lambda one: one.hex, "DateField": str,
}
