"""Editions as their holders and the custody staff may see them.

Owns the online view of an office (its newest edition, judged once more at this instant), one
card, the list of editions, the difference to the one before, and the files.  Refuses: an edition
of another office or of an ended term is not there; whoever may no longer be told about is left
out at once, long before the next edition (R5, R11).  Every card shown and every file handed out
is on record; no record, no data.  R1, R5, R7, R9, R11.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from evacuation.documents.values import ROSTER_NOTICE
from evacuation.domain.custody import CopyState
from evacuation.domain.recipients import RecipientKind
from evacuation.models import Copy, Edition, EditionRemoval, EditionRow, StrikeOut
from evacuation.queries.disclosing import AreaTree, decided, loaded, mode_setting, recipient
from evacuation.queries.sealed_rows import CardValues, opened
from registry import access, audit, sealing
from registry.access import Scope
from registry.domain.errors import NotFound, Refused
from registry.domain.roles import Permission
from registry.queries import accounts, offices

FILE_CONTEXT = "edition-file"
_OPEN = [CopyState.ISSUED.value, CopyState.RECEIVED.value]


class FileClosed(Refused):
    """The file may not be opened any more; the reason is said."""

    code = "edition_file_closed"
    message = "この名簿のファイルは、いまは開けません。"


@dataclass(frozen=True)
class Watermark:
    """What stands across every page of the online view: who looks, when, which edition (R9)."""

    holder: str
    edition: str
    shown_at: datetime
    notice: str
    sample: bool


@dataclass(frozen=True)
class PersonCard:
    """One person as the office was told.  ``mark`` is 新, 変 or empty; ``changed`` the items."""

    row_id: int
    position: int
    mark: str
    changed: tuple[str, ...]
    values: CardValues


@dataclass(frozen=True)
class EditionFact:
    """One edition without its people."""

    id: int
    number: str
    period: str
    office_id: int
    office_name: str
    recipient_kind: str
    recipient_label: str
    holder_name: str
    people: int
    as_of: datetime
    issued_at: datetime
    has_xlsx: bool
    has_difference: bool
    content_digest: str


@dataclass(frozen=True)
class OfficeRoster:
    """The newest edition of one office held today.  ``left_out``: how many of its rows may not
    be shown any more (withdrawn, removed, protected, moved away); their names are gone."""

    edition: EditionFact
    cards: tuple[PersonCard, ...]
    left_out: int
    watermark: Watermark


@dataclass(frozen=True)
class Removed:
    """A name of the last edition that is not in this one."""

    name: str


@dataclass(frozen=True)
class Difference:
    """Who is new, who changed and who is gone, against the edition before."""

    edition: EditionFact
    previous_number: str
    new: tuple[PersonCard, ...]
    changed: tuple[PersonCard, ...]
    removed: tuple[Removed, ...]
    unchanged: int


def my_roster(scope: Scope) -> tuple[OfficeRoster, ...]:
    """The newest edition of each office held today, by office.  An ended term sees nothing.

    Constant queries; each person shown leaves a view record.

    Raises:
        Forbidden: without ``edition.hold``.
    """
    scope.require(Permission.EDITION_HOLD)
    newest: dict[int, Edition] = {}
    rows = Edition.objects.visible_to(scope).filter(office_id__in=scope.offices)
    for edition in rows.select_related("run", "office").order_by("pk"):
        newest[edition.office_id] = edition
    return tuple(_roster(scope, newest[office]) for office in sorted(newest))


def card(scope: Scope, *, row_id: int) -> tuple[PersonCard, Watermark]:
    """One card of the newest edition of an office held today.

    Raises:
        Forbidden: without ``edition.hold``.
        NotFound: no such row, another office's, an older edition's, or not to be shown any more.
    """
    scope.require(Permission.EDITION_HOLD)
    row = (
        EditionRow.objects.visible_to(scope).select_related("edition__run", "edition__office")
        .filter(pk=row_id, edition__office_id__in=scope.offices).first()
    )
    if row is None:
        raise NotFound
    newer = Edition.objects.visible_to(scope).filter(
        office_id=row.edition.office_id, pk__gt=row.edition_id
    )
    if newer.exists() or row.person_id not in still_allowed(scope, row.edition, [row.person_id]):
        raise NotFound
    _viewed(scope, "editions.card", [row])
    return _card(row), _watermark(scope, row.edition)


def _roster(scope: Scope, edition: Edition) -> OfficeRoster:
    rows = list(EditionRow.objects.visible_to(scope).filter(edition=edition).order_by("position"))
    for row in rows:
        row.edition = edition
    allowed = still_allowed(scope, edition, [row.person_id for row in rows])
    shown = [row for row in rows if row.person_id in allowed]
    _viewed(scope, "editions.my_roster", shown)
    return OfficeRoster(
        _fact(edition), tuple(_card(row) for row in shown), len(rows) - len(shown),
        _watermark(scope, edition),
    )


def still_allowed(scope: Scope, edition: Edition, person_ids: Iterable[int]) -> frozenset[int]:
    """Of an edition's people, those whom its office may be told about at this instant."""
    ids = list(person_ids)
    with access.system(at=scope.at, reason="editions.still_allowed") as wide:
        struck = set(
            StrikeOut.objects.visible_to(wide)
            .filter(copy__edition=edition, person_id__in=ids).values_list("person_id", flat=True)
        )
        tree = AreaTree.load(wide)
        found, _, _ = loaded(wide, ids, tree)
        to = recipient(offices.offices(wide, ids=[edition.office_id])[0], terms=False)
    if to is None:
        return frozenset()
    now = decided(found.values(), to, mode=mode_setting(), at=scope.at)
    return frozenset(pk for pk, one in now.items() if one.include and pk not in struck)


def editions(
    scope: Scope, *, period: str | None = None, office_id: int | None = None
) -> list[EditionFact]:
    """Editions of one's own offices, or all for custody staff, newest first.  No people in it.

    Raises:
        Forbidden: without ``editions.view``.
    """
    scope.require(Permission.EDITIONS_VIEW)
    rows = Edition.objects.visible_to(scope).select_related("run", "office")
    if period is not None:
        rows = rows.filter(run__period=period)
    if office_id is not None:
        rows = rows.filter(office_id=office_id)
    return [_fact(row) for row in rows.order_by("-pk")]


def edition(scope: Scope, *, edition_id: int) -> EditionFact:
    """One edition.  Raises ``Forbidden``, ``NotFound``."""
    return _fact(_found(scope, edition_id))


def difference(scope: Scope, *, edition_id: int) -> Difference:
    """Against the edition before, for its holder or custody staff; leaves view records.

    Raises:
        Forbidden, NotFound.
    """
    found = _found(scope, edition_id)
    rows = list(
        EditionRow.objects.visible_to(scope).filter(edition=found).order_by("position")
    )
    allowed = still_allowed(scope, found, [row.person_id for row in rows])
    shown = []
    for row in rows:
        row.edition = found
        if row.person_id in allowed and row.change != "same":
            shown.append(row)
    _viewed(scope, "editions.difference", shown)
    removed = [
        (one.person_id, sealing.unseal(
            one.sealed_name, context=f"edition-removal:{found.number}:{one.person_id}"
        ).decode())
        for one in EditionRemoval.objects.visible_to(scope).filter(edition=found).order_by("pk")
    ]
    if removed:
        audit.viewed(scope=scope, action="editions.difference", fields=("name",),
                     people=[pk for pk, _ in removed])
    previous = Edition.objects.visible_to(scope).filter(pk=found.previous_id).first()
    return Difference(
        _fact(found), previous.number if previous else "",
        tuple(_card(row) for row in shown if row.change == "new"),
        tuple(_card(row) for row in shown if row.change == "changed"),
        tuple(Removed(name) for _, name in removed),
        sum(row.change == "same" for row in rows),
    )


@dataclass(frozen=True)
class EditionFile:
    """Bytes on their way out, once."""

    name: str
    content_type: str
    body: bytes


_TYPES = {
    "pdf": ("application/pdf", "pdf_address", Copy.Medium.PAPER),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
             "xlsx_address", Copy.Medium.FILE),
    "difference": ("application/pdf", "difference_address", Copy.Medium.PAPER),
}


def edition_file(scope: Scope, *, edition_id: int, file: str) -> EditionFile:
    """``pdf`` (booklet), ``xlsx``, or ``difference`` (sheet); each is on record as an export,
    and everybody in it as seen.

    The holder gets it only while the copy is in the office's hands, and only while everybody in
    it may still be shown; custody staff print it whenever they must.

    Raises:
        Forbidden: without ``editions.view``.  NotFound: not visible, or no such file.
        FileClosed: ``edition_file_closed``, ``edition_has_strike_outs``.
    """
    found = _found(scope, edition_id)
    if file not in _TYPES:
        raise NotFound
    content_type, column, medium = _TYPES[file]
    address = getattr(found, column)
    if not address:
        raise NotFound
    rows = list(
        EditionRow.objects.visible_to(scope).filter(edition=found)
        .only("person_id", "columns", "change")
    )
    people = [row.person_id for row in rows]
    if not scope.may(Permission.CUSTODY_MANAGE):
        copy = Copy.objects.visible_to(scope).filter(
            edition=found, medium=medium, state__in=_OPEN
        )
        if not copy.exists():
            raise FileClosed("この副本は返却・回収などの手続き中のため、ファイルを開けません。")
        if len(still_allowed(scope, found, people)) != len(people):
            raise FileClosed(
                "提供を取りやめた方がいるため、このファイルは開けません。"
                "画面の名簿をご覧になるか、市へお問い合わせください。",
                code="edition_has_strike_outs",
            )
    audit.note(scope=scope, kind="export", action=f"editions.file.{file}",
               subject_kind="edition", subject_id=found.pk, detail={"people": len(rows)})
    if file == "difference":  # only who is new, changed or gone stands in it
        rows = [row for row in rows if row.change != "same"]
        removed = EditionRemoval.objects.visible_to(scope).filter(edition=found)
        audit.viewed(scope=scope, action="editions.file.difference", fields=("name",),
                     people=removed.order_by("pk").values_list("person_id", flat=True))
    _viewed(scope, f"editions.file.{file}", rows)
    ending = "xlsx" if file == "xlsx" else "pdf"
    middle = "-sabun" if file == "difference" else ""
    return EditionFile(
        f"meibo-{found.number}{middle}.{ending}", content_type,
        sealing.fetch(address, context=FILE_CONTEXT),
    )


def _found(scope: Scope, edition_id: int) -> Edition:
    scope.require(Permission.EDITIONS_VIEW)
    row: Edition | None = (
        Edition.objects.visible_to(scope).select_related("run", "office")
        .filter(pk=edition_id).first()
    )
    if row is None:
        raise NotFound
    return row


def _fact(row: Edition) -> EditionFact:
    return EditionFact(
        row.pk, row.number, row.run.period, row.office_id, row.office.name, row.recipient_kind,
        RecipientKind(row.recipient_kind).label, row.holder_name, row.row_count, row.run.as_of,
        row.issued_at, bool(row.xlsx_address), bool(row.difference_address), row.content_digest,
    )


def _card(row: EditionRow) -> PersonCard:
    first = row.edition.previous_id is None
    mark = "" if first else {"new": "新", "changed": "変"}.get(row.change, "")
    return PersonCard(row.pk, row.position, mark, tuple(row.changed_columns), opened(row))


def _watermark(scope: Scope, edition: Edition) -> Watermark:
    return Watermark(
        f"{edition.office.name} {_own_name(scope)}", f"版{edition.number}", scope.at, ROSTER_NOTICE,
        settings.DEMO,
    )


def _own_name(scope: Scope) -> str:
    user = scope.user_id or 0
    return accounts.display_names({user}).get(user, scope.username)


def _viewed(scope: Scope, action: str, rows: list[EditionRow]) -> None:
    if rows and not scope.system:
        fields = sorted({name for row in rows for name in row.columns})
        audit.viewed(scope=scope, action=action, people=[row.person_id for row in rows],
                     fields=fields)
