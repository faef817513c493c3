"""What holders say has changed (変更の申出): a review queue, never straight in (R12).

Owns ``report`` by an office about a person of its own edition, and ``decide`` by staff.
Refuses a sentence about anybody whom the office was not told about: for it that person is not
there.
"""

from __future__ import annotations

from django.db import transaction

from evacuation.models import Correction, EditionRow
from registry import audit
from registry.access import Scope
from registry.domain.errors import Conflict, NotFound, Refused
from registry.domain.roles import Permission
from registry.operations.staff import actor_id

LONGEST = 500


class SentenceMissing(Refused):
    """Nothing was written."""

    code = "correction_empty"
    message = "変わったことを、ひとことで書いてください。"


@transaction.atomic
def report(*, edition_row_id: int, sentence: str, by: Scope) -> Correction:
    """Write down what a holder says of one person in the own edition; nothing else changes.

    Raises:
        Forbidden: no office.  NotFound: not a row of the own office.  SentenceMissing.
    """
    by.require(Permission.EDITION_HOLD)
    row = (
        EditionRow.objects.visible_to(by).select_related("edition")
        .filter(pk=edition_row_id, edition__office_id__in=by.offices).first()
    )
    if row is None:
        raise NotFound
    text = sentence.strip()
    if not text or len(text) > LONGEST:
        raise SentenceMissing(fields={"sentence": f"1文字から{LONGEST}文字で書いてください。"})
    correction = Correction(
        office_id=row.edition.office_id, person_id=row.person_id, sentence=text,
        state=Correction.State.WAITING, reported_at=by.at, reported_by_id=actor_id(by=by),
    )
    Correction.objects.unscoped().bulk_create([correction])
    audit.note(scope=by, kind="change", action="corrections.report", subject_kind="correction",
               subject_id=correction.pk, person_id=row.person_id)
    return correction


@transaction.atomic
def decide(*, correction_id: int, accepted: bool, note: str, by: Scope) -> Correction:
    """Close one: the officer put it into the register or roster, or not, with a note.

    Raises:
        Forbidden, NotFound.  Conflict ``correction_decided``: somebody was there first.
    """
    by.require(Permission.ROSTER_MANAGE)
    row: Correction | None = (
        Correction.objects.visible_to(by).select_for_update().filter(pk=correction_id).first()
    )
    if row is None:
        raise NotFound
    if row.state != Correction.State.WAITING:
        raise Conflict("この申出は、すでに確認ずみです。", code="correction_decided")
    row.state = Correction.State.ACCEPTED if accepted else Correction.State.DECLINED
    row.decided_at, row.decided_by_id = by.at, actor_id(by=by)
    row.decision_note = note.strip()[:240]
    row.save()
    audit.note(scope=by, kind="change", action="corrections.decide", subject_kind="correction",
               subject_id=row.pk, person_id=row.person_id)
    return row
