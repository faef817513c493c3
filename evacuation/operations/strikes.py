"""Strike-outs: telling holders to strike somebody out of a copy in circulation (R5).

Owns when a copy outside names somebody whom its office may no longer know: withdrawal, refusal,
removal from the roster, address protection, a move to another area.  One rule for all of them:
the disclosure decision of this instant.  Refuses to tell the holder why.  R5, R7, R11.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from evacuation.documents.notices import strike_out_notice
from evacuation.documents.values import DifferenceLine
from evacuation.documents.values import StrikeOut as Notice
from evacuation.domain.custody import HELD_STATES
from evacuation.domain.disclosure import decide
from evacuation.models import Copy, EditionRow, Letter, RosterEntry, StrikeOut
from evacuation.operations import edition_headers
from evacuation.queries.disclosing import AreaTree, loaded, mode_setting, recipient
from evacuation.queries.sealed_rows import opened
from registry import access, audit, outbox, sealing
from registry.access import Scope
from registry.domain.errors import NotFound
from registry.domain.roles import Permission
from registry.operations.staff import actor_id
from registry.queries import offices

LETTER_CONTEXT = "letter"
REPLY_DAYS = 14
HELD = sorted(state.value for state in HELD_STATES)
STRUCK = "提供を取りやめました"


def strike_out(person_ids: Sequence[int], *, by: Scope, wide: Scope) -> list[StrikeOut]:
    """Make the strike-outs that are due for some people; those made before stay as they are.

    Locks the people's entries: an edition that is being issued waits or is seen.  Constant
    queries.  The outbox gets one letter per copy.
    """
    if not person_ids:
        return []
    list(
        RosterEntry.objects.visible_to(wide).select_for_update().order_by("pk")
        .filter(person_id__in=list(person_ids)).values_list("pk", flat=True)
    )
    copies = list(Copy.objects.visible_to(wide).filter(state__in=HELD).order_by("pk").filter(
        edition_id__in=EditionRow.objects.visible_to(wide)
        .filter(person_id__in=list(person_ids)).values("edition_id")
    ))
    if not copies:
        return []
    rows: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for edition, person, position in EditionRow.objects.visible_to(wide).filter(
        edition_id__in={one.edition_id for one in copies}, person_id__in=list(person_ids)
    ).values_list("edition_id", "person_id", "position"):
        rows[edition].append((person, position))
    there = set(StrikeOut.objects.visible_to(wide).filter(copy__in=copies)
                .values_list("copy_id", "person_id"))
    tree = AreaTree.load(wide)
    subjects, _, _ = loaded(wide, person_ids, tree)
    seats = {one.id: one for one in offices.offices(wide, ids={c.office_id for c in copies})}
    mode = mode_setting()
    made: list[StrikeOut] = []
    for copy in copies:
        to = recipient(seats[copy.office_id], terms=False)
        for person, position in rows[copy.edition_id]:
            kept = to is not None and decide(subjects[person], to, mode=mode, at=by.at).include
            if not kept and (copy.pk, person) not in there:
                made.append(StrikeOut(
                    copy=copy, office_id=copy.office_id, person_id=person, position=position,
                    reason=STRUCK, made_at=by.at,
                ))
    StrikeOut.objects.unscoped().bulk_create(made, batch_size=500)
    outbox.put_many(
        [("evacuation.strike_out_letter", pk, f"strike_out:{pk}:{by.at.timestamp():.6f}")
         for pk in sorted({one.copy_id for one in made})],
        at=by.at,
    )
    return made


def write_letter(claimed: outbox.Claimed, at: datetime) -> None:
    """Worker: print the strike-out notice of one copy and keep it, sealed.  Safe to run twice."""
    with access.system(at=at, reason="strike_outs.letter") as wide:
        copy = Copy.objects.visible_to(wide).select_related("edition", "edition__run").get(
            pk=claimed.subject_id
        )
        open_ones = list(_without_letter(wide, copy.pk))
        number = _number(wide, copy)
        header = edition_headers.of_copy(wide, copy)
        names = _names(wide, copy, [one.person_id for one in open_ones])
    address = ""
    if open_ones:
        due = access.day_of(at) + timedelta(days=REPLY_DAYS)
        sheet = strike_out_notice(
            Notice(
                header=header, notice_number=number, reply_by=edition_headers.day(due),
                sent_on=edition_headers.day(access.day_of(at)),
                persons=tuple(
                    DifferenceLine(number=names[one.person_id][0], name=names[one.person_id][1],
                                   kana=names[one.person_id][2], note=f"{one.position}番目")
                    for one in open_ones
                ),
            ),
            created_at=at,
        )
        address = sealing.store(sheet, context=LETTER_CONTEXT)
    with access.system(at=at, reason="strike_outs.letter") as wide:
        Copy.objects.visible_to(wide).select_for_update().get(pk=copy.pk)
        still = set(_without_letter(wide, copy.pk).values_list("pk", flat=True))
        wanted = [one.pk for one in open_ones if one.pk in still]
        if wanted:
            letter = Letter.objects.unscoped().create(
                kind=Letter.Kind.STRIKE_OUT, copy=copy, office_id=copy.office_id, number=number,
                address=address, made_at=at,
            )
            StrikeOut.objects.unscoped().filter(pk__in=wanted).update(letter=letter)
        claimed.finish(at)


@transaction.atomic
def confirm(*, strike_out_id: int, by: Scope) -> StrikeOut:
    """The holder struck the line out (or staff saw it).  Again is no error.

    Raises:
        NotFound: not of an office held today.  Forbidden: neither holder nor custody staff.
    """
    row: StrikeOut | None = StrikeOut.objects.visible_to(by).filter(pk=strike_out_id).first()
    if row is None:
        raise NotFound
    if not by.may(Permission.CUSTODY_MANAGE):
        by.require(Permission.EDITION_HOLD)
    if row.done_at is None:
        row.done_at, row.done_by_id = by.at, actor_id(by=by)
        row.save(update_fields=["done_at", "done_by"])
        audit.note(scope=by, kind="change", action="strike_outs.confirm",
                   subject_kind="strike_out", subject_id=row.pk, person_id=row.person_id)
    return row


def _without_letter(wide: Scope, copy_id: int) -> QuerySet[StrikeOut]:
    rows = StrikeOut.objects.visible_to(wide).filter(copy_id=copy_id, letter__isnull=True)
    return rows.order_by("position")


def _number(wide: Scope, copy: Copy) -> str:
    made = Letter.objects.visible_to(wide).filter(copy=copy).aggregate(
        made=Count("pk", filter=Q(kind=Letter.Kind.STRIKE_OUT))
    )["made"]
    return f"{copy.number}-S{made + 1}"


def _names(wide: Scope, copy: Copy, people: list[int]) -> dict[int, tuple[str, str, str]]:
    """As they stand in the copy: the register's name of today may be another."""
    rows = EditionRow.objects.visible_to(wide).filter(edition=copy.edition_id, person__in=people)
    found = {}
    for row in rows:
        values = opened(row)
        found[row.person_id] = (values.number, values.name, values.kana)
    return found
