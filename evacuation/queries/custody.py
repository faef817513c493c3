"""Copies, strike-outs, losses and letters as holders and custody staff may see them.

Owns ``my_copies``, ``copies``, ``copy_page``, the overview with what is overdue, and the bytes of
letters.  Names of people appear in strike-outs only, to the office that holds the copy.  R5, R9.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import QuerySet

from evacuation.domain.custody import HELD_STATES, Act, CopyState
from evacuation.models import Copy, CopyEvent, CopyLoss, EditionRow, Letter, StrikeOut
from evacuation.queries.sealed_rows import opened
from registry import access, audit, sealing
from registry.access import Scope
from registry.domain.errors import NotFound
from registry.domain.roles import Permission
from registry.queries import accounts, offices

HELD = sorted(state.value for state in HELD_STATES)
_ACTS = {
    Act.ISSUE: "発行", Act.RECEIVE: "受領", Act.CHECK: "所在確認", Act.HAND_OVER: "引き継ぎ",
    Act.RECALL: "返却のお願い", Act.RETURN: "返却", Act.DESTROY: "廃棄", Act.LOSE: "紛失",
    Act.FIND: "発見",
}


@dataclass(frozen=True)
class CopyFact:
    """One numbered copy.  ``check_overdue``: the six-monthly check is due; ``holder_current``:
    the holder still holds the office; ``version`` is for If-Match."""

    id: int
    number: str
    medium: str
    medium_label: str
    state: str
    state_label: str
    state_at: datetime
    office_id: int
    office_name: str
    holder_name: str
    holder_current: bool
    edition_id: int
    edition_number: str
    period: str
    people: int
    next_check_on: date | None
    check_overdue: bool
    version: int


@dataclass(frozen=True)
class EventFact:
    """One thing that happened to a copy."""

    sequence: int
    act: str
    word: str
    at: datetime
    by_name: str
    office_name: str
    note: str


@dataclass(frozen=True)
class StrikeOutFact:
    """Strike this person out of this copy; ``position`` in the booklet.  No reason is given."""

    id: int
    copy_id: int
    copy_number: str
    position: int
    number: str
    name: str
    sentence: str
    made_at: datetime
    done_at: datetime | None
    letter_id: int | None


@dataclass(frozen=True)
class LossFact:
    """A reported loss with its due dates; ``letters`` made of ``people``."""

    copy_id: int
    copy_number: str
    office_name: str
    discovered_on: date
    circumstances: str
    malicious: bool
    people: int
    letters: int
    first_target_on: date
    first_due_on: date
    final_due_on: date
    reported_at: datetime


@dataclass(frozen=True)
class LetterFact:
    """A letter ready to print."""

    id: int
    kind: str
    label: str
    number: str
    copy_number: str
    made_at: datetime


@dataclass(frozen=True)
class Overview:
    """The sums of custody and what somebody must do."""

    issued: int
    held: int
    returned: int
    destroyed: int
    lost: int
    waiting_receipt: tuple[CopyFact, ...]
    checks_overdue: tuple[CopyFact, ...]
    recalled: tuple[CopyFact, ...]
    former_holders: tuple[CopyFact, ...]
    strike_outs_open: int
    losses: tuple[LossFact, ...]


def my_copies(scope: Scope) -> list[CopyFact]:
    """The copies of the offices held today that are in their hands, by number.

    Raises:
        Forbidden: without ``edition.hold``.
    """
    scope.require(Permission.EDITION_HOLD)
    rows = Copy.objects.visible_to(scope).filter(office_id__in=scope.offices, state__in=HELD)
    return _facts(scope, rows)


def copies(
    scope: Scope, *, office_id: int | None = None, state: str | None = None,
    period: str | None = None,
) -> list[CopyFact]:
    """Copies of one's own offices, or all for custody staff, by number.

    Raises:
        Forbidden: without ``copies.record``.
    """
    scope.require(Permission.COPIES_RECORD)
    rows = Copy.objects.visible_to(scope)
    if office_id is not None:
        rows = rows.filter(office_id=office_id)
    if state is not None:
        rows = rows.filter(state=state)
    if period is not None:
        rows = rows.filter(edition__run__period=period)
    return _facts(scope, rows)


def copy_fact(scope: Scope, *, copy_id: int) -> CopyFact:
    """One copy.  Raises ``Forbidden``, ``NotFound``."""
    scope.require(Permission.COPIES_RECORD)
    found = _facts(scope, Copy.objects.visible_to(scope).filter(pk=copy_id))
    if not found:
        raise NotFound
    return found[0]


def copy_events(scope: Scope, *, copy_id: int) -> list[EventFact]:
    """What happened to a copy, oldest first.  Raises ``Forbidden``, ``NotFound``."""
    copy_fact(scope, copy_id=copy_id)
    rows = list(
        CopyEvent.objects.visible_to(scope).filter(copy_id=copy_id)
        .select_related("to_office").order_by("sequence")
    )
    names = accounts.display_names({row.by_id for row in rows if row.by_id is not None})
    return [
        EventFact(row.sequence, row.event, _ACTS[Act(row.event)], row.at,
                  names.get(row.by_id or 0, "システム"),
                  row.to_office.name if row.to_office else "", row.note)
        for row in rows
    ]


def strike_outs(
    scope: Scope, *, copy_id: int | None = None, open_only: bool = True
) -> list[StrikeOutFact]:
    """Whom to strike out, of one's own copies or, for custody staff, of all; view records.

    Raises:
        Forbidden: without ``copies.record``.
    """
    scope.require(Permission.COPIES_RECORD)
    rows = StrikeOut.objects.visible_to(scope).select_related("copy").order_by("copy_id",
                                                                                "position")
    if copy_id is not None:
        rows = rows.filter(copy_id=copy_id)
    if open_only:
        rows = rows.filter(done_at__isnull=True, copy__state__in=HELD)
    found = list(rows)
    with access.system(at=scope.at, reason="custody.strike_outs") as wide:
        named = {
            (row.edition_id, row.person_id): opened(row)
            for row in EditionRow.objects.visible_to(wide).select_related("edition").filter(
                edition_id__in={one.copy.edition_id for one in found},
                person_id__in={one.person_id for one in found},
            )
        }
    if found and not scope.system:
        audit.viewed(scope=scope, action="custody.strike_outs", fields=("name",),
                     people=sorted({one.person_id for one in found}))
    facts = []
    for one in found:
        values = named.get((one.copy.edition_id, one.person_id))
        facts.append(StrikeOutFact(
            one.pk, one.copy_id, one.copy.number, one.position,
            values.number if values else "", values.name if values else "",
            f"副本{one.copy.number}の{one.position}番目の方を、線で消してください。",
            one.made_at, one.done_at, one.letter_id,
        ))
    return facts


def overview(scope: Scope) -> Overview:
    """Sums and to-do lists for custody staff.  Raises ``Forbidden`` without ``custody.manage``."""
    scope.require(Permission.CUSTODY_MANAGE)
    every = _facts(scope, Copy.objects.visible_to(scope))
    states = Counter(one.state for one in every)
    held = [one for one in every if one.state in HELD]
    return Overview(
        issued=len(every), held=len(held), returned=states[CopyState.RETURNED.value],
        destroyed=states[CopyState.DESTROYED.value], lost=states[CopyState.LOST.value],
        waiting_receipt=tuple(one for one in held if one.state == CopyState.ISSUED.value),
        checks_overdue=tuple(one for one in held if one.check_overdue),
        recalled=tuple(one for one in held if one.state == CopyState.RECALLED.value),
        former_holders=tuple(one for one in held if not one.holder_current),
        strike_outs_open=StrikeOut.objects.visible_to(scope).filter(
            done_at__isnull=True, copy__state__in=HELD
        ).count(),
        losses=tuple(losses(scope)),
    )


def losses(scope: Scope) -> list[LossFact]:
    """Reported losses of one's own offices, or all for custody staff, newest first."""
    scope.require(Permission.COPIES_RECORD)
    rows = list(
        CopyLoss.objects.visible_to(scope).select_related("copy", "office").order_by("-pk")
    )
    with access.system(at=scope.at, reason="custody.losses") as wide:
        letters = Counter(
            Letter.objects.visible_to(wide).filter(
                kind=Letter.Kind.LOSS, copy_id__in=[row.copy_id for row in rows]
            ).values_list("copy_id", flat=True)
        )
    return [
        LossFact(
            row.copy_id, row.copy.number, row.office.name, row.discovered_on, row.circumstances,
            row.malicious, row.people_count, letters[row.copy_id], row.first_target_on,
            row.first_due_on, row.final_due_on, row.reported_at,
        )
        for row in rows
    ]


def letters(scope: Scope, *, copy_id: int | None = None) -> list[LetterFact]:
    """Letters to print: all for custody staff; an office sees the orders made to it."""
    scope.require(Permission.COPIES_RECORD)
    rows = Letter.objects.visible_to(scope).select_related("copy").order_by("pk")
    if copy_id is not None:
        rows = rows.filter(copy_id=copy_id)
    return [
        LetterFact(row.pk, row.kind, Letter.Kind(row.kind).label, row.number, row.copy.number,
                   row.made_at)
        for row in rows
    ]


def letter_file(scope: Scope, *, letter_id: int) -> tuple[str, bytes]:
    """(file name, PDF) of one letter; on record as an export.

    Raises:
        Forbidden, NotFound.
    """
    scope.require(Permission.COPIES_RECORD)
    row = Letter.objects.visible_to(scope).filter(pk=letter_id).first()
    if row is None:
        raise NotFound
    audit.note(scope=scope, kind="export", action="custody.letter", subject_kind="letter",
               subject_id=row.pk, person_id=row.person_id)
    return f"tsuuchi-{row.number}.pdf", sealing.fetch(row.address, context="letter")


def _facts(scope: Scope, rows: QuerySet[Copy]) -> list[CopyFact]:
    visible = list(rows.values_list("pk", flat=True))
    # A copy that was handed over belongs to an edition of another office: read its number here.
    with access.system(at=scope.at, reason="custody.copies") as wide:
        found = list(
            Copy.objects.visible_to(wide).filter(pk__in=visible)
            .select_related("edition__run", "office", "holder").order_by("number")
        )
        now = offices.holders(wide, office_ids={row.office_id for row in found})
    return [
        CopyFact(
            row.pk, row.number, row.medium, Copy.Medium(row.medium).label, row.state,
            CopyState(row.state).label, row.state_at, row.office_id, row.office.name,
            row.holder.display_name if row.holder else "",
            row.holder_id in {one.user_id for one in now.get(row.office_id, [])},
            row.edition_id, row.edition.number, row.edition.run.period, row.edition.row_count,
            row.next_check_on,
            row.state in HELD and row.next_check_on is not None and row.next_check_on <= scope.on,
            row.version,
        )
        for row in found
    ]
