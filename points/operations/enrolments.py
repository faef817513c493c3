"""Yearly registration with a programme (年度登録).

Owns registering volunteers for a fiscal year and taking it back; both count their points again,
because eligibility looks at the facts of the activity's day (P1).  Refuses a second one for the
same year, a day outside it, and a year that is not open.
Source: P2 (カムカムボランティアポイント registers each year from 1 April).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from django.db import IntegrityError, transaction

from points.domain.rules import YearState, fiscal_year_span
from points.models import Enrolment
from points.operations.ledger import recompute
from points.queries import rulebook
from registry import access, audit
from registry.access import Scope
from registry.domain.errors import Conflict, NotFound, Refused
from registry.domain.roles import Permission
from registry.operations.staff import actor_id
from registry.queries.volunteers import volunteer_facts


class Enrolled(Conflict):
    """Somebody of these is registered for the year already; nothing was written."""

    code = "enrolled_already"
    message = "この年度の登録は、もうすんでいます。"


@transaction.atomic
def enrol(
    *, volunteer_ids: Collection[int], programme: str, fiscal_year: int,
    starts_on: date | None = None, by: Scope,
) -> list[Enrolment]:
    """Register volunteers with a programme (code) for a fiscal year, all or none.

    ``starts_on``: the day of the form; the first day of the year by default.

    Raises:
        Forbidden: without ``volunteers.manage``.
        NotFound: no such programme or year; a volunteer one may not see.
        Refused: ``outside_the_year``; ``year_closed``.
        Enrolled: one of them is registered already (``fields`` counts them).
    """
    by.require(Permission.VOLUNTEERS_MANAGE)
    known, ids = rulebook.load(), sorted(set(volunteer_ids))
    if programme not in known.id_of:
        raise NotFound
    if known.terms(programme, fiscal_year).state is YearState.CLOSED:
        raise Refused(f"{fiscal_year}年度はしめきられています。", code="year_closed")
    first, last = fiscal_year_span(fiscal_year)
    begins = starts_on or first
    if not first <= begins <= last:
        said = f"{fiscal_year}年度のなかの日にしてください。"
        raise Refused(said, code="outside_the_year", fields={"starts_on": said})
    if len(volunteer_facts(by, volunteer_ids=ids, action="enrolments.enrol")) < len(ids):
        raise NotFound
    with access.system(at=by.at, reason="enrolment") as wide:
        rows = Enrolment.objects.visible_to(wide)
        there = rows.filter(volunteer_id__in=ids, programme_id=known.id_of[programme],
                            fiscal_year=fiscal_year, cancelled_at__isnull=True).count()
        if there:
            raise Enrolled(fields={"volunteers": f"{there}人"})
        try:
            with transaction.atomic():
                made = rows.bulk_create([
                    Enrolment(volunteer_id=one, programme_id=known.id_of[programme],
                              fiscal_year=fiscal_year, starts_on=begins, made_at=by.at,
                              made_by_id=actor_id(by=by))
                    for one in ids
                ])
        except IntegrityError as error:
            raise Enrolled from error
        recompute(volunteer_ids=ids, by=wide)
    audit.note(scope=by, kind="change", action="enrolments.enrol", subject_kind="programme",
               subject_id=known.id_of[programme],
               detail={"fiscal_year": fiscal_year, "volunteers": ids})
    return list(made)


@transaction.atomic
def cancel(*, enrolment_id: int, reason: str, by: Scope) -> Enrolment:
    """Take a yearly registration back; what it made count is taken back too.

    Raises:
        Forbidden: without ``volunteers.manage``.
        NotFound: no such registration in force, or not visible.
        Refused: ``reason_missing``; ``year_closed``.
    """
    by.require(Permission.VOLUNTEERS_MANAGE)
    rows = Enrolment.objects.visible_to(by).select_for_update(no_key=True, of=("self",))
    row = rows.select_related("programme").filter(
        pk=enrolment_id, cancelled_at__isnull=True
    ).first()
    if row is None:
        raise NotFound
    if not reason.strip():
        said = "わけを書いてください。"
        raise Refused(said, code="reason_missing", fields={"reason": said})
    terms = rulebook.load().terms(row.programme.code, row.fiscal_year)
    if terms.state is YearState.CLOSED:
        raise Refused(f"{row.fiscal_year}年度はしめきられています。", code="year_closed")
    row.cancelled_at, row.cancelled_by_id = by.at, actor_id(by=by)
    row.cancel_reason = reason.strip()[:160]
    row.save(update_fields=["cancelled_at", "cancelled_by", "cancel_reason"])
    with access.system(at=by.at, reason="enrolment") as wide:
        recompute(volunteer_ids=[row.volunteer_id], by=wide)
    audit.note(scope=by, kind="change", action="enrolments.cancel", subject_kind="volunteer",
               subject_id=row.volunteer_id, detail={"enrolment": row.pk})
    found: Enrolment = row
    return found
