"""What a staged file would do, and the rows that go back to the sender.

Owns the batch's figures, its preview with before and after, and the file of rejected rows in
the input's own format.  Refuses everybody without ``people.import``; a preview shows people, so
it leaves view records.  evacuation.md, "Import".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from registry import audit
from registry.access import Scope
from registry.domain.errors import NotFound
from registry.domain.importing.classifying import Verdict
from registry.domain.importing.fields import LABELS
from registry.domain.importing.parsing import RejectedRow
from registry.domain.importing.returning import returned_rows
from registry.domain.roles import Permission
from registry.importing.files import Form, written
from registry.importing.judging import Areas, compared, parsed_row
from registry.importing.profiles import find_profile
from registry.models import ImportBatch, ImportRow, LogKind, Person
from registry.queries.pages import size


@dataclass(frozen=True)
class BatchFact:
    """One import with its totals; new + changed + same + ambiguous + rejected = rows."""

    id: int
    profile: str
    file_name: str
    state: str
    rows: int
    new: int
    changed: int
    same: int
    ambiguous: int
    rejected: int
    staged_at: datetime
    applied_at: datetime | None


@dataclass(frozen=True)
class RowFact:
    """One row of the preview; ``changes`` are (項目, before, after) in words."""

    row_number: int
    verdict: str
    number: str
    name: str
    column: str
    code: str
    reason: str
    changes: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Preview:
    """The totals and some rows of one verdict; ``next`` is the last row number, or None."""

    batch: BatchFact
    rows: tuple[RowFact, ...]
    next: int | None


_COLUMNS = (
    "pk", "profile", "file_name", "state", "row_count", "new_count", "changed_count",
    "same_count", "ambiguous_count", "rejected_count", "staged_at", "applied_at",
)


def batches(scope: Scope, *, limit: int = 50) -> list[BatchFact]:
    """The latest imports, newest first.  Raises ``Forbidden`` without ``people.import``."""
    scope.require(Permission.PEOPLE_IMPORT)
    rows = ImportBatch.objects.order_by("-pk").values_list(*_COLUMNS)[: size(limit)]
    return [BatchFact(*row) for row in rows]


def batch(scope: Scope, *, batch_id: int) -> BatchFact:
    """One import.  Raises ``Forbidden``, ``NotFound``."""
    scope.require(Permission.PEOPLE_IMPORT)
    row = ImportBatch.objects.filter(pk=batch_id).values_list(*_COLUMNS).first()
    if row is None:
        raise NotFound
    return BatchFact(*row)


def preview(
    scope: Scope, *, batch_id: int, verdict: str | None = None, after: int = 0, limit: int = 50
) -> Preview:
    """Totals, and rows after a row number with what would change; leaves view records.

    Rows that would change nothing are counted, not kept.

    Raises:
        Forbidden: without ``people.import``.
        NotFound: no such batch.
    """
    found = batch(scope, batch_id=batch_id)
    wanted = size(limit)
    rows = ImportRow.objects.visible_to(scope).filter(batch_id=batch_id, row_number__gt=after)
    if verdict is not None:
        rows = rows.filter(verdict=verdict)
    some = list(rows.order_by("row_number")[: wanted + 1])
    shown = some[:wanted]
    changes = _changes(scope, found, shown)
    facts = tuple(
        RowFact(row.row_number, row.verdict, row.key, str(row.values.get("name", "")),
                row.column, row.code, row.reason, changes.get(row.row_number, ()))
        for row in shown
    )
    _log(scope, found, shown)
    return Preview(found, facts, shown[-1].row_number if len(some) > wanted else None)


def rejected_file(scope: Scope, *, batch_id: int) -> tuple[str, bytes]:
    """(file name, content) of the rows that went back: same columns, delimiter and encoding,
    with row number, column and reason in front; ambiguous rows are in it too.

    Raises:
        Forbidden: without ``people.import``.
        NotFound: no such batch, or nothing to hand back.
    """
    scope.require(Permission.PEOPLE_IMPORT)
    kept = ImportBatch.objects.filter(pk=batch_id).first()
    rows = ImportRow.objects.visible_to(scope).filter(
        batch_id=batch_id, verdict__in=[Verdict.REJECTED.value, Verdict.AMBIGUOUS.value]
    )
    if kept is None or not rows.exists():
        raise NotFound
    form = Form(**kept.layout)
    content, _ = written(returned_rows(kept.header, _rejected(rows)), form)
    audit.note(scope=scope, kind=LogKind.EXPORT, action="imports.rejected_file",
               subject_kind="import", subject_id=batch_id, fields=kept.header,
               detail={"rows": rows.count()})
    _known_viewed(scope, "imports.rejected_file", rows.exclude(key=""), kept.header)
    return f"取込不可_{batch_id}.{form.kind}", content


def _rejected(rows: QuerySet[ImportRow]) -> Iterator[RejectedRow]:
    for row in rows.order_by("row_number").iterator(chunk_size=2_000):
        yield RejectedRow(row.row_number, row.column, row.code, row.reason, tuple(row.raw))


def _changes(
    scope: Scope, found: BatchFact, shown: Sequence[ImportRow]
) -> dict[int, tuple[tuple[str, str, str], ...]]:
    """row number → changes in words, judged against the register of this moment."""
    rows = [parsed_row(row) for row in shown if row.verdict != Verdict.REJECTED.value]
    if not rows or found.state != "staged":
        return {}
    judgements = compared(rows, find_profile(found.profile), areas=Areas.load(), wide=scope)
    return {
        each.row.row_number: tuple(
            (LABELS[change.field], _word(change.before), _word(change.after))
            for change in each.changes
        )
        for each in judgements
    }


def _word(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return "、".join(map(str, value))
    first = getattr(value, "first", None)
    return str(value if first is None else first)


def _log(scope: Scope, found: BatchFact, shown: Sequence[ImportRow]) -> None:
    audit.note(scope=scope, kind=LogKind.VIEW, action="imports.preview", subject_kind="import",
               subject_id=found.id, fields=["name"], detail={"rows": len(shown)})
    pks = [row.pk for row in shown if row.key]
    _known_viewed(scope, "imports.preview",
                  ImportRow.objects.visible_to(scope).filter(pk__in=pks), ["name"])


def _known_viewed(
    scope: Scope, action: str, rows: QuerySet[ImportRow], fields: Sequence[str]
) -> None:
    """Whoever of these rows stands in the register already was seen by name (trust.md G7)."""
    known = Person.objects.visible_to(scope).filter(number__in=rows.values("key"))
    if not scope.system:
        audit.viewed(scope=scope, action=action, fields=fields,
                     people=list(known.values_list("pk", flat=True)))
