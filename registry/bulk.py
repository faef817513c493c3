"""Many rows of one model at once: what imports write by the hundred thousand.

Owns ``insert`` and ``upsert``.  They do what ``bulk_create`` does, without building one SQL text
per few rows (SQLite's limit of 999 values makes that 30 people a statement), which halves the
time.  Refuses nothing itself: constraints, triggers and row-level security hold as always.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, models

_ROWS = 500


def insert(rows: Sequence[models.Model]) -> None:
    """Insert new rows of one model; their ids stay unset."""
    _execute(rows, "")


def upsert(rows: Sequence[models.Model], *, unique: str) -> None:
    """Insert, or update every other column where the ``unique`` column has the value already."""
    if rows:
        quote = connection.ops.quote_name
        target = next(f.column for f in _fields(rows[0]) if f.name == unique)
        changes = ", ".join(
            f"{quote(field.column)} = excluded.{quote(field.column)}"
            for field in _fields(rows[0]) if field.column != target
        )
        _execute(rows, f" ON CONFLICT ({quote(target)}) DO UPDATE SET {changes}")


def _fields(row: models.Model) -> list[Any]:
    """The columns but the id."""
    return [field for field in row._meta.concrete_fields if not field.primary_key]


def _execute(rows: Sequence[models.Model], tail: str) -> None:
    if not rows:
        return
    fields = _fields(rows[0])
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields)
    marks = "(" + ", ".join(["%s"] * len(fields)) + ")"
    table = quote(rows[0]._meta.db_table)
    head = f"INSERT INTO {table} ({columns}) VALUES "  # noqa: S608  # our own names
    values = [
        [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
        for row in rows
    ]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.executemany(head + marks + tail, values)
            return
        # PostgreSQL plans the policies of every statement anew: few statements with many rows.
        for start in range(0, len(values), _ROWS):
            some = values[start : start + _ROWS]
            flat = [value for row in some for value in row]
            cursor.execute(head + ", ".join([marks] * len(some)) + tail, flat)
