"""Imports in two steps: stage a file and see what it would do, then apply it.

Owns ``stage``, ``apply`` and ``discard``.  Refuses a bad file before anything is stored (R13
included), and a batch that a newer one of the same form has overtaken.  Each step is one
transaction: interrupted, it leaves nothing, and running it again gives the same result.
evacuation.md, "Import".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from django.db import transaction

from registry import access, audit, bulk, outbox
from registry.access import Scope
from registry.domain.errors import Conflict, NotFound, Refused
from registry.domain.importing.classifying import Judgement, Verdict
from registry.domain.importing.fields import to_plain
from registry.domain.importing.parsing import ParsedRow
from registry.domain.importing.reading import LIMITS, Limits, inspect
from registry.domain.roles import Permission
from registry.failpoints import hit
from registry.importing.files import Source, form_of, rows_of
from registry.importing.judging import Areas, judged
from registry.importing.profiles import find_profile
from registry.models import BatchState, ImportBatch, ImportRow, LogKind, Person
from registry.operations.import_applying import Applier
from registry.operations.staff import actor_id

_COUNTED = tuple(Verdict)


class BatchClosed(Conflict):
    """The batch was applied or discarded before."""

    code = "import_closed"
    message = "この取込は、すでに反映したか取りやめています。"


class BatchOvertaken(Refused):
    """A file of the same form that was staged later is applied: this one is older."""

    code = "import_overtaken"
    message = "これより新しいファイルが反映ずみです。最新のファイルを読みこみなおしてください。"


@transaction.atomic
def stage(
    *, source: bytes | Path, profile: str, file_name: str, by: Scope, limits: Limits = LIMITS
) -> ImportBatch:
    """Read a file, judge every row, keep what would change.  Nothing reaches the register.

    ``profile`` is a code (``import_profiles``).  Rows that would change nothing are counted and
    not kept.  Staging the same content again replaces an unapplied batch of it.

    Raises:
        Forbidden: without ``people.import``.
        NotFound: ``profile_unknown``.
        TextRefused, FileRefused: the file as a whole (encoding, columns, 個人番号, limits).
    """
    by.require(Permission.PEOPLE_IMPORT)
    mapping, file = find_profile(profile), Source(source)
    form = form_of(file, mapping)
    inspection = inspect(rows_of(file, form, limits=limits), mapping)
    digest = file.digest()
    ImportBatch.objects.filter(
        profile=mapping.code, digest=digest, state=BatchState.STAGED
    ).update(state=BatchState.DISCARDED)
    batch = ImportBatch.objects.create(
        profile=mapping.code, file_name=file_name[:160], digest=digest, encoding=form.encoding,
        layout=asdict(form), state=BatchState.STAGED, header=list(inspection.layout.header),
        staged_at=by.at, staged_by_id=actor_id(by=by),
    )
    totals: Counter[Verdict] = Counter()
    rows = rows_of(file, form, limits=limits)
    next(rows)  # the header
    with access.system(at=by.at, reason="import") as wide:
        areas = Areas.load()
        for judgements in judged(rows, inspection, mapping, areas=areas, wide=wide):
            totals.update(each.verdict for each in judgements)
            bulk.insert(
                [_row(batch, each) for each in judgements if each.verdict is not Verdict.SAME]
            )
    _count(batch, totals)
    audit.note(scope=by, kind=LogKind.CHANGE, action="imports.stage", subject_kind="import",
               subject_id=batch.pk, detail=_figures(totals))
    hit("import.stage.before_commit")
    return batch


@transaction.atomic
def apply(*, batch_id: int, by: Scope) -> ImportBatch:
    """Write a staged batch into the register; an applied one is returned as it is.

    Every row is judged once more against the register of this moment: what has become the same
    is skipped, what has become doubtful waits, and the totals follow.  Deaths, moves and the
    like become events; the outbox gets ``registry.import_applied`` once.

    Raises:
        Forbidden: without ``people.import``.
        NotFound: no such batch.
        BatchClosed: it was discarded.
        BatchOvertaken: a newer file of the same form is applied.
    """
    by.require(Permission.PEOPLE_IMPORT)
    batch = ImportBatch.objects.select_for_update().filter(pk=batch_id).first()
    if batch is None:
        raise NotFound
    if batch.state == BatchState.APPLIED:
        return batch
    if batch.state != BatchState.STAGED:
        raise BatchClosed
    if ImportBatch.objects.filter(
        profile=batch.profile, state=BatchState.APPLIED, staged_at__gt=batch.staged_at
    ).exists():
        raise BatchOvertaken
    profile = find_profile(batch.profile)
    with access.system(at=by.at, reason="import") as wide:
        # The first load of a city is no wave of people moving in.
        first = profile.creates_people and not Person.objects.visible_to(wide).exists()
        applier = Applier(batch=batch, profile=profile, by=by, wide=wide, first_load=first)
        totals = Counter({Verdict.SAME: batch.same_count, Verdict.REJECTED: batch.rejected_count,
                          Verdict.AMBIGUOUS: batch.ambiguous_count})
        for some in _waiting(batch):
            totals.update(applier.apply(some))
            hit("import.apply.chunk")
    batch.state, batch.applied_at, batch.applied_by_id = (
        BatchState.APPLIED, by.at, actor_id(by=by)
    )
    _count(batch, totals)
    audit.note(scope=by, kind=LogKind.CHANGE, action="imports.apply", subject_kind="import",
               subject_id=batch.pk, detail=_figures(totals) | {"events": applier.events})
    outbox.put(kind="registry.import_applied", subject_id=batch.pk, at=by.at,
               dedupe_key=f"import_applied:{batch.pk}")
    hit("import.apply.before_commit")
    return batch


@transaction.atomic
def discard(*, batch_id: int, by: Scope) -> ImportBatch:
    """Give a staged batch up and forget its rows.  Again is no error.

    Raises:
        Forbidden: without ``people.import``.
        NotFound: no such batch.
        BatchClosed: it was applied.
    """
    by.require(Permission.PEOPLE_IMPORT)
    batch = ImportBatch.objects.select_for_update().filter(pk=batch_id).first()
    if batch is None:
        raise NotFound
    if batch.state == BatchState.APPLIED:
        raise BatchClosed
    if batch.state == BatchState.STAGED:
        batch.state = BatchState.DISCARDED
        batch.save(update_fields=["state"])
        audit.note(scope=by, kind=LogKind.CHANGE, action="imports.discard",
                   subject_kind="import", subject_id=batch.pk)
    with access.system(at=by.at, reason="import") as wide:
        ImportRow.objects.visible_to(wide).filter(batch=batch).delete()
    return batch


def _waiting(batch: ImportBatch) -> Iterator[list[ImportRow]]:
    """The rows to apply, in the file's order, in chunks; flat memory."""
    rows = (
        ImportRow.objects.unscoped()
        .filter(batch=batch, verdict__in=[Verdict.NEW.value, Verdict.CHANGED.value])
        .order_by("row_number")
    )
    last = 0
    while some := list(rows.filter(row_number__gt=last)[:2_000]):
        yield some
        last = some[-1].row_number


def _row(batch: ImportBatch, each: Judgement) -> ImportRow:
    """What is kept of a judged row; raw cells only of those that may be handed back."""
    row, column = each.row, ""
    handed_back = each.verdict in (Verdict.AMBIGUOUS, Verdict.REJECTED)
    if isinstance(row, ParsedRow):
        key, values = row.key, to_plain(row.values)
    else:
        key, values, column = row.key, {}, row.column
    return ImportRow(
        batch=batch, row_number=row.row_number, verdict=each.verdict.value, key=key[:20],
        values=values, raw=list(row.raw) if handed_back else [], column=column[:80],
        code=each.code, reason=each.reason[:240],
    )


def _count(batch: ImportBatch, totals: Counter[Verdict]) -> None:
    batch.row_count = sum(totals.values())
    for verdict in _COUNTED:
        setattr(batch, f"{verdict.value}_count", totals[verdict])
    batch.save()


def _figures(totals: Counter[Verdict]) -> dict[str, int]:
    return {verdict.value: totals[verdict] for verdict in _COUNTED}
