"""Cursor pages: what comes after a row, without numbers that shift.

Owns the cursor's form: the id of the last row shown, opaque to the caller.  Refuses a cursor
that is not one of ours.  The sort key is looked up in the database, so that no name stands in
an address bar or a log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Q, QuerySet

from registry.domain.errors import Refused

T = TypeVar("T")
LARGEST = 200


class BadCursor(Refused):
    """The cursor is unreadable or its row is gone."""

    code = "bad_cursor"
    message = "つづきの位置が分かりません。最初から表示しなおしてください。"


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some rows and the cursor of what follows (None at the end)."""

    items: tuple[T, ...]
    next: str | None


def after(
    rows: QuerySet[Any], cursor: str | None, key: str, *, visible: QuerySet[Any]
) -> QuerySet[Any]:
    """``rows`` ordered by (key, id), beginning after the cursor's row.  One small query.

    The cursor's row must be among ``visible``, so that a cursor tells nothing of other rows.
    """
    ordered = rows.order_by(key, "pk")
    if cursor is None:
        return ordered
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:
        raise BadCursor
    at = visible.filter(pk=int(cursor)).values_list(key, flat=True).first()
    if at is None:
        raise BadCursor
    return ordered.filter(Q(**{f"{key}__gt": at}) | Q(**{key: at, "pk__gt": int(cursor)}))


def cut(found: list[T], ids: list[int], limit: int) -> Page[T]:
    """A page of ``limit`` from limit + 1 rows read."""
    more = len(found) > limit
    return Page(tuple(found[:limit]), str(ids[limit - 1]) if more else None)


def size(limit: int) -> int:
    """A page size between 1 and 200."""
    return max(1, min(limit, LARGEST))
