"""The statutory roster as city staff see it: list, one person, answers, differences.

Owns pages of the roster, the queues of unanswered people, a run's difference, corrections, and
why somebody is or is not in an office's edition.  Every answer with names leaves view records.
Refuses people outside the scope: protected people without the permission are not there.
R1, R4, R10, R11, R12.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from evacuation.domain.consent import Purpose, Standing, standing
from evacuation.domain.disclosure import decide
from evacuation.domain.needs import NeedTag, plain_words
from evacuation.domain.priority import Urgency
from evacuation.domain.recipients import RecipientKind
from evacuation.models import Consent, Correction, Edition, EditionRow, RosterEntry
from evacuation.queries.disclosing import (
    KIND_OF,
    AreaTree,
    as_fact,
    loaded,
    mode_setting,
    recipient,
)
from registry import access
from registry.access import Scope
from registry.domain.errors import NotFound
from registry.domain.roles import Permission
from registry.queries import accounts, offices, people
from registry.queries.pages import Page, after, cut, size

_TAGS = {tag.value: tag for tag in NeedTag}
STANDING_WORDS = {
    Standing.IN_FORCE: "同意あり", Standing.REFUSED: "希望しない", Standing.WITHDRAWN: "撤回",
    Standing.OUT_OF_SCOPE: "この提供先は同意の範囲外", Standing.NO_ANSWER: "未回答",
}


@dataclass(frozen=True)
class RosterLine:
    """One listed person.  ``consent`` per kind of recipient: standing codes; ``urgency`` 0–3."""

    person_id: int
    number: str
    name: str
    kana: str
    born_on: date | None
    area_id: int | None
    area_name: str
    section: str
    needs: tuple[str, ...]
    urgency: int
    urgency_label: str
    score: int
    consent: dict[str, str]
    consent_label: str
    protected: bool


@dataclass(frozen=True)
class AnswerFact:
    """One recorded answer (R4)."""

    id: int
    purpose: str
    purpose_label: str
    answer: str
    answered_at: datetime
    means: str
    kinds: tuple[str, ...]
    form_version: str
    explained_normal: bool
    explained_disaster: bool
    proxy_name: str
    proxy_relation: str
    proxy_reason: str
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True)
class RosterPage:
    """One person on the roster, with everything that put them there."""

    line: RosterLine
    state: str
    criteria: tuple[tuple[str, str], ...]  # code, label
    priority_reasons: tuple[str, ...]
    devices: tuple[str, ...]
    communication: str
    contact_name: str
    contact_relation: str
    contact_phone: str
    bedroom: str
    listed_at: datetime
    removed_at: datetime | None
    removal_reason: str
    answers: tuple[AnswerFact, ...]
    version: int


@dataclass(frozen=True)
class Explanation:
    """Why a person is, or is not, in what one office receives (every no is explained)."""

    office_id: int
    office_name: str
    include: bool
    code: str
    reason: str
    in_newest_edition: bool


@dataclass(frozen=True)
class CorrectionFact:
    """What a holder said; it changes nothing by itself (R12)."""

    id: int
    office_name: str
    person_id: int
    name: str
    sentence: str
    state: str
    state_label: str
    reported_at: datetime
    reported_by: str
    decided_at: datetime | None
    note: str


def roster(
    scope: Scope, *, area_ids: Iterable[int] | None = None, urgency: int | None = None,
    answered: bool | None = None, include_removed: bool = False, cursor: str | None = None,
    limit: int = 50,
) -> Page[RosterLine]:
    """The roster by list number; ``answered`` False is the queue for consent.

    Constant queries; each person shown leaves a view record.

    Raises:
        Forbidden: without ``roster.view``.  BadCursor.
    """
    scope.require(Permission.ROSTER_VIEW)
    visible = RosterEntry.objects.visible_to(scope)
    rows = visible if include_removed else visible.filter(state=RosterEntry.State.LISTED)
    if area_ids is not None:
        rows = rows.filter(person__area_id__in=list(area_ids))
    if urgency is not None:
        rows = rows.filter(urgency=urgency)
    if answered is not None:
        given = Exists(_sharing_answers(scope, OuterRef("person_id")))
        rows = rows.filter(given if answered else ~given)
    wanted = size(limit)
    found = list(after(rows, cursor, "number", visible=visible)[: wanted + 1])
    shown = found[:wanted]
    lines = _lines(scope, shown, "roster.list")
    page: Page[RosterEntry] = cut(found, [row.pk for row in found], wanted)
    return Page(tuple(lines[row.person_id] for row in shown), page.next)


def counts(scope: Scope) -> dict[str, int]:
    """listed, agreed, refused, unanswered: by the newest answer about sharing, for the page's
    head.  Four numbers, no people."""
    scope.require(Permission.ROSTER_VIEW)
    newest = Subquery(
        _sharing_answers(scope, OuterRef("person_id")).order_by("-answered_at", "-pk")
        .values("answer")[:1]
    )
    rows = (
        RosterEntry.objects.visible_to(scope).filter(state=RosterEntry.State.LISTED)
        .annotate(newest=newest).values_list("newest", flat=True)
    )
    answers = list(rows)
    return {
        "listed": len(answers), "agreed": answers.count("agreed"),
        "refused": answers.count("refused") + answers.count("withdrawn"),
        "unanswered": answers.count(None),
    }


def roster_page(scope: Scope, *, person_id: int) -> RosterPage:
    """One person of the roster, removed ones too.

    Raises:
        Forbidden.  NotFound: never listed, or not visible.
    """
    scope.require(Permission.ROSTER_VIEW)
    entry: RosterEntry | None = (
        RosterEntry.objects.visible_to(scope).select_related("criteria_set")
        .filter(person_id=person_id).first()
    )
    if entry is None:
        raise NotFound
    line = _lines(scope, [entry], "roster.page")[person_id]
    labels = {one["code"]: one["label"] for one in entry.criteria_set.body.get("criteria", [])}
    return RosterPage(
        line, entry.state,
        tuple((code, labels.get(code, "職員による登載")) for code in entry.criteria),
        tuple(entry.priority_reasons), tuple(entry.devices), entry.communication,
        entry.contact_name, entry.contact_relation, entry.contact_phone, entry.bedroom,
        entry.listed_at, entry.removed_at, entry.removal_reason,
        tuple(answers_of(scope, person_id=person_id)), entry.version,
    )


def answers_of(scope: Scope, *, person_id: int) -> list[AnswerFact]:
    """Every answer of one visible person, newest first (R3, R4).  The caller's page is logged."""
    rows = list(
        Consent.objects.visible_to(scope).filter(person_id=person_id)
        .order_by("-answered_at", "-pk")
    )
    names = accounts.display_names({row.recorded_by_id for row in rows})
    return [
        AnswerFact(
            row.pk, row.purpose, Purpose(row.purpose).label, row.answer, row.answered_at,
            row.means, tuple(row.kinds), row.form_version, row.explained_normal,
            row.explained_disaster, row.proxy_name, row.proxy_relation, row.proxy_reason,
            names.get(row.recorded_by_id, ""), row.recorded_at,
        )
        for row in rows
    ]


def explain(scope: Scope, *, person_id: int, office_id: int | None = None) -> list[Explanation]:
    """Why a visible person is or is not in the edition of one office, or of every office of the
    home's area; with the code and the sentence of the decision of this instant.

    Raises:
        Forbidden: without ``roster.view``.  NotFound: no such person or office.
    """
    scope.require(Permission.ROSTER_VIEW)
    if not people.visible_ids(scope, [person_id]):
        raise NotFound
    with access.system(at=scope.at, reason="roster.explain") as wide:
        tree = AreaTree.load(wide)
        subjects, facts, _ = loaded(wide, [person_id], tree)
        subject = subjects[person_id]
        seats = offices.offices(wide, ids=None if office_id is None else [office_id])
        if office_id is None:
            one = facts[person_id]
            homes = set(tree.chain(one.area_id))
            seats = [
                seat for seat in seats
                if seat.role in KIND_OF and homes & {area.area_id for area in seat.areas}
            ]
        elif not seats:
            raise NotFound
        holders = offices.holders(wide, office_ids=[seat.id for seat in seats])
        newest: dict[int, int] = {}
        for pk, office in Edition.objects.visible_to(wide).filter(
            office_id__in=[seat.id for seat in seats]
        ).order_by("pk").values_list("pk", "office_id"):
            newest[office] = pk
        named = set(
            EditionRow.objects.visible_to(wide)
            .filter(edition_id__in=newest.values(), person_id=person_id)
            .values_list("edition__office_id", flat=True)
        )
    found = []
    for seat in seats:
        to = recipient(seat, holder=next(iter(holders.get(seat.id, [])), None))
        if to is None:
            continue
        answer = decide(subject, to, mode=mode_setting(), at=scope.at)
        found.append(Explanation(seat.id, seat.name, answer.include, answer.code, answer.reason,
                                 seat.id in named))
    return found


def corrections(scope: Scope, *, waiting_only: bool = True) -> list[CorrectionFact]:
    """What holders said: all for staff (of visible people), one's own for an office; view records.

    Raises:
        Forbidden: neither ``roster.view`` nor ``edition.hold``.
    """
    if not scope.may(Permission.ROSTER_VIEW):
        scope.require(Permission.EDITION_HOLD)
    rows = Correction.objects.visible_to(scope).select_related("office").order_by("pk")
    if waiting_only:
        rows = rows.filter(state=Correction.State.WAITING)
    found = list(rows)
    names: dict[int, str] = {}
    if scope.may(Permission.ROSTER_VIEW):
        ids = sorted({row.person_id for row in found})
        names = {pk: one.name for pk, one in people.person_lines(
            scope, person_ids=ids, action="corrections.list").items()}
    users = accounts.display_names({row.reported_by_id for row in found})
    return [
        CorrectionFact(
            row.pk, row.office.name, row.person_id, names.get(row.person_id, ""), row.sentence,
            row.state, Correction.State(row.state).label, row.reported_at,
            users.get(row.reported_by_id, ""), row.decided_at, row.decision_note,
        )
        for row in found
    ]


def _sharing_answers(scope: Scope, person_id: OuterRef) -> QuerySet[Consent]:
    rows: QuerySet[Consent] = Consent.objects.visible_to(scope).filter(
        person_id=person_id, purpose=Purpose.ROSTER_SHARING.value
    )
    return rows


def _lines(scope: Scope, rows: list[RosterEntry], action: str) -> dict[int, RosterLine]:
    ids = [row.person_id for row in rows]
    known = people.person_lines(scope, person_ids=ids, action=action)
    facts: dict[int, list[Consent]] = {pk: [] for pk in ids}
    for one in Consent.objects.visible_to(scope).filter(
        person_id__in=ids, purpose=Purpose.ROSTER_SHARING.value
    ):
        facts[one.person_id].append(one)
    found = {}
    for row in rows:
        person = known[row.person_id]
        history = tuple(as_fact(one) for one in facts[row.person_id])
        now = {
            kind: standing(history, person=str(row.person_id), kind=kind, at=scope.at,
                           purpose=Purpose.ROSTER_SHARING)
            for kind in RecipientKind
        }
        found[row.person_id] = RosterLine(
            row.person_id, row.number, person.name, person.kana, person.born_on, person.area_id,
            person.area_name or "", person.section,
            plain_words(_TAGS[tag] for tag in row.needs if tag in _TAGS),
            row.urgency, Urgency(row.urgency).label, row.priority_score,
            {kind.value: value.value for kind, value in now.items()}, _label(set(now.values())),
            person.protected_until is not None and person.protected_until >= scope.on,
        )
    return found


def _label(values: set[Standing]) -> str:
    """One word for the list: the same for every kind, or 「一部に同意」."""
    if len(values) == 1:
        return STANDING_WORDS[next(iter(values))]
    return "一部に同意" if Standing.IN_FORCE in values else STANDING_WORDS[Standing.REFUSED]
