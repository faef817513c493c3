"""Printing an approved plan: render outside the transaction, seal, then name the file.

Owns ``PlanPrint`` and the worker's part of ``evacuation.print_plan``.  Refuses to print twice.
The sentences of R14 are in the template; a test reads them from the file.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from evacuation.documents.plan_sheet import plan_sheet
from evacuation.models import PlanPrint
from evacuation.queries.plan_sheets import Sheet, print_context, sheet_of_version
from registry import access, outbox, sealing
from registry.documents import page_count


def rendered(sheet: Sheet) -> bytes:
    """The PDF of a sheet: the stored file, or rendered now.  Touches no database.

    Raises ``MissingGlyphs`` for a character that cannot be printed.
    """
    return sheet.pdf or plan_sheet(sheet.values, created_at=sheet.created_at)


def carry_out(claimed: outbox.Claimed, at: datetime) -> None:
    """Print one approved version.  Safe to run twice; a lost lease writes nothing."""
    version_id = claimed.subject_id or 0
    with access.system(at=at, reason="print plan") as wide:
        wanted = sheet_of_version(wide, version_id=version_id)
    address, pages = "", 0
    if wanted is not None:
        pdf = rendered(wanted)
        pages = page_count(pdf)
        address = sealing.store(pdf, context=print_context(version_id))
    with transaction.atomic(), access.system(at=at, reason="print plan") as wide:
        there = PlanPrint.objects.visible_to(wide).filter(version_id=version_id).exists()
        if wanted is not None and not there:
            PlanPrint(version_id=version_id, address=address, pages=pages, made_at=at).save(
                force_insert=True)
        claimed.finish(at)
