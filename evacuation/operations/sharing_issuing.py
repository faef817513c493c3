"""The one transaction that makes an edition exist.

Owns edition, sealed rows, removals, numbered copies with their first event, the release record
of each person and the task's end.  Refuses when anybody moved since the draft: a withdrawal of
the last second is seen (R5).  The unique constraints are the last word on "once".
"""

from __future__ import annotations

from datetime import datetime

from evacuation.domain.custody import CHECK_EVERY_MONTHS, Act, CopyState, plus_months
from evacuation.models import (
    Copy,
    CopyEvent,
    Edition,
    EditionRemoval,
    EditionRow,
    SharingTask,
)
from evacuation.operations import edition_headers, sharing_draft
from evacuation.operations.sharing_draft import Draft
from evacuation.operations.sharing_printing import Files
from evacuation.queries import sealed_rows
from registry import audit, sealing
from registry.access import Scope
from registry.domain.errors import Conflict


class MovedMeanwhile(Conflict):
    """Somebody's answer, entry or register facts changed while the edition was rendered."""

    code = "sharing_moved_meanwhile"
    message = "作成のあいだに情報が変わりました。つくりなおします。"


def issue(
    wide: Scope, task: SharingTask, draft: Draft, files: Files, *, at: datetime
) -> Edition:
    """Write the edition and its copies (``task`` is locked and waiting).

    Raises:
        MovedMeanwhile: build it again.
    """
    if sharing_draft.stamps_now(wide, draft.stamps) != dict(draft.stamps):
        raise MovedMeanwhile
    edition: Edition = Edition.objects.unscoped().create(
        run=task.run, office_id=draft.office.id, recipient_kind=draft.kind.value,
        number=draft.number, holder_name=draft.holder_name[:120], row_count=len(draft.rows),
        withheld=dict(draft.withheld), content_digest=draft.digest,
        previous_id=draft.previous_id, pdf_address=files.pdf, xlsx_address=files.xlsx,
        difference_address=files.difference, issued_at=at,
    )
    EditionRow.objects.unscoped().bulk_create(
        [
            EditionRow(
                edition=edition, position=position, person_id=row.person_id, change=row.change,
                changed_columns=[name for name, _, _ in row.changed],
                ground=row.decision.ground.value,
                columns=sorted(column.value for column in row.decision.columns),
                values_digest=sealed_rows.digest(row.values),
                sealed_values=sealing.seal(
                    sealed_rows.encoded(row.values),
                    context=sealed_rows.context(draft.number, position),
                ),
            )
            for position, row in enumerate(draft.rows, start=1)
        ],
        batch_size=500,
    )
    if draft.removed:
        EditionRemoval.objects.unscoped().bulk_create(
            [
                EditionRemoval(
                    edition=edition, person_id=person,
                    sealed_name=sealing.seal(
                        values.name.encode(), context=f"edition-removal:{draft.number}:{person}"
                    ),
                )
                for person, values in draft.removed
            ],
            batch_size=500,
        )
    _copies(wide, edition, draft, at)
    task.state, task.code, task.reason, task.decided_at = (
        SharingTask.State.ISSUED, "", "", at
    )
    task.save()
    audit.released(
        scope=wide, action="sharing.issue", subject_kind="edition", subject_id=edition.pk,
        people=[
            (row.person_id, sorted(c.value for c in row.decision.columns)) for row in draft.rows
        ],
        detail={"office": draft.office.id},
    )
    return edition


def _copies(wide: Scope, edition: Edition, draft: Draft, at: datetime) -> None:
    media = [Copy.Medium.PAPER, *([Copy.Medium.FILE] if draft.with_file else [])]
    copies = Copy.objects.unscoped().bulk_create([
        Copy(
            edition=edition, office_id=draft.office.id, medium=medium,
            number=edition_headers.copy_number(draft.number, medium),
            state=CopyState.ISSUED.value, holder_id=draft.holder.user_id, state_at=at,
            next_check_on=plus_months(wide.on, CHECK_EVERY_MONTHS),
        )
        for medium in media
    ])
    CopyEvent.objects.unscoped().bulk_create([
        CopyEvent(copy=copy, sequence=1, event=Act.ISSUE.value, at=at,
                  to_office_id=draft.office.id)
        for copy in copies
    ])
