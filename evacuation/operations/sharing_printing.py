"""From a draft to stored, sealed files: booklet, spreadsheet, difference sheet.

Owns the rendering between two transactions: no connection, no lock.  Equal drafts of one run
give equal bytes and so equal addresses; a killed worker leaves at most a file nobody names.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evacuation.documents.booklet import booklet, difference_sheet
from evacuation.documents.booklet_xlsx import booklet_xlsx
from evacuation.documents.values import (
    BookletHeader,
    BookletPerson,
    ChangedLine,
    DifferenceLine,
    DifferenceSheet,
)
from evacuation.models import Copy, SharingRun
from evacuation.operations import edition_headers
from evacuation.operations.sharing_draft import Draft
from evacuation.queries.sealed_rows import CardValues
from registry import sealing

MARKS = {"new": "新", "changed": "変", "same": ""}
CONTEXT = "edition-file"


@dataclass(frozen=True)
class Files:
    """Addresses in the store; empty where the edition has no such file."""

    pdf: str
    xlsx: str
    difference: str


def render(draft: Draft, run: SharingRun) -> Files:
    """Print and store everything of one edition.

    Raises:
        PrintFailed: the printer's process died; the row comes back.
    """
    made: datetime = run.as_of
    paper = _header(draft, run, Copy.Medium.PAPER)
    marked = draft.previous_id is not None
    printed = [row.values.printed(MARKS[row.change] if marked else "") for row in draft.rows]
    pdf = booklet(paper, printed, created_at=made, summary=_summary(draft))
    xlsx = _spreadsheet(draft, run, printed, made) if draft.with_file else ""
    difference = ""
    if marked:
        sheet = difference_sheet(paper, _difference(draft), created_at=made)
        difference = sealing.store(sheet, context=CONTEXT)
    return Files(sealing.store(pdf, context=CONTEXT), xlsx, difference)


def _spreadsheet(
    draft: Draft, run: SharingRun, printed: list[BookletPerson], made: datetime
) -> str:
    header = _header(draft, run, Copy.Medium.FILE)
    return sealing.store(booklet_xlsx(header, printed, created_at=made), context=CONTEXT)


def _header(draft: Draft, run: SharingRun, medium: str) -> BookletHeader:
    return edition_headers.header(
        run=run, office=draft.office, kind=draft.kind, holder_name=draft.holder_name,
        edition=draft.number, copy=edition_headers.copy_number(draft.number, medium),
        issued_at=run.as_of,
    )


def _summary(draft: Draft) -> str:
    if draft.previous_id is None:
        return "はじめての版です。"
    counts = [sum(row.change == change for row in draft.rows) for change in ("new", "changed")]
    return (
        f"前の版から　新しい方{counts[0]}人、変わった方{counts[1]}人、"
        f"除かれた方{len(draft.removed)}人"
    )


def _difference(draft: Draft) -> DifferenceSheet:
    return DifferenceSheet(
        previous_edition=f"版{draft.previous_number}",
        new=tuple(_line(row.values) for row in draft.rows if row.change == "new"),
        changed=tuple(
            ChangedLine(number=row.values.number, name=row.values.name, kana=row.values.kana,
                        changes=row.changed)
            for row in draft.rows if row.change == "changed"
        ),
        # Whoever left is named, nothing more: why is not the holder's business.
        removed=tuple(
            DifferenceLine(number=values.number, name=values.name, kana=values.kana)
            for _, values in draft.removed
        ),
        unchanged=sum(row.change == "same" for row in draft.rows),
    )


def _line(values: CardValues) -> DifferenceLine:
    return DifferenceLine(number=values.number, name=values.name, kana=values.kana,
                          address=values.address)
