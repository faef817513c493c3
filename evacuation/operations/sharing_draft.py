"""What an edition would hold: loaded set-based, decided, compared with the last one.

Owns ``load``: one office of one run → a ``Draft`` or the reason why nothing is issued.  Constant
queries whatever the number of people.  Holds no lock and writes nothing; ``stamps`` let the
issuing transaction see whether anything moved meanwhile.  R1, R2, R7, R8, R10, R11.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from evacuation.domain.custody import HELD_STATES
from evacuation.domain.disclosure import Decision, Ground, Mode, ModeSetting, decide_plan
from evacuation.domain.editions import edition_rows
from evacuation.domain.parties import Recipient, Subject
from evacuation.domain.recipients import RecipientKind
from evacuation.models import Copy, Edition, EditionRow, RosterEntry, SharingTask
from evacuation.operations import edition_headers
from evacuation.operations.sharing_values import Surroundings, card
from evacuation.queries import sealed_rows
from evacuation.queries.disclosing import (
    AreaTree,
    listed_in,
    mode_setting,
    recipient,
    subjects,
)
from evacuation.queries.plan_cards import PlanCard, card_facts
from evacuation.queries.sealed_rows import CardValues
from registry.access import Scope, day_of
from registry.domain.roles import Role
from registry.queries import offices, people
from registry.queries.facts import PersonFacts
from registry.queries.offices import Holder, OfficeFact

_NOT_COUNTED = {Ground.OUT_OF_AREA, Ground.NOT_ON_ROSTER, Ground.AREA_UNKNOWN}


@dataclass(frozen=True)
class HeldBack:
    """Why nothing is issued now: a stable code and a sentence."""

    code: str
    reason: str


@dataclass(frozen=True)
class Row:
    """One person of the draft, in printing order."""

    person_id: int
    decision: Decision
    values: CardValues
    change: str  # new | changed | same
    changed: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Draft:
    """Everything that an edition needs, without a connection to the database."""

    task_id: int
    office: OfficeFact
    holder: Holder
    kind: RecipientKind
    number: str
    rows: tuple[Row, ...]
    removed: tuple[tuple[int, CardValues], ...]
    withheld: Mapping[str, int]
    previous_id: int | None
    previous_number: str
    stamps: Mapping[int, tuple[int, int]]
    with_file: bool

    @property
    def digest(self) -> str:
        """Of the content alone: the same people and words give the same, whenever it is built."""
        body = [
            self.number, self.kind.value,
            [[row.person_id, sealed_rows.digest(row.values), row.decision.ground.value]
             for row in self.rows],
        ]
        return hashlib.sha256(json.dumps(body).encode()).hexdigest()

    @property
    def holder_name(self) -> str:
        return f"{self.office.name} {self.holder.display_name}"


def load(wide: Scope, task: SharingTask, *, at: datetime) -> Draft | HeldBack:
    """The draft for one office, or why it is held back (``task.run`` loaded)."""
    office = offices.offices(wide, ids=[task.office_id])[0]
    if not office.areas:
        return HeldBack("no_area", "担当区域が登録されていません。担当区域を登録してください。")
    holder = next(iter(offices.holders(wide, office_ids=[office.id]).get(office.id, [])), None)
    if holder is None:
        return HeldBack("vacant_office", "この役職は空席です。委嘱・任命のあとに作成します。")
    to = recipient(office, holder=holder)
    if to is None:
        return HeldBack("recipient_not_in_plan", "地域防災計画に定めた提供先ではありません。")
    tree = AreaTree.load(wide)
    entries = listed_in(wide, tree.within(one.area_id for one in office.areas))
    facts = people.person_facts(wide, person_ids=list(entries), action="sharing.draft")
    found = subjects(wide, facts, entries, tree)
    mode = ModeSetting(Mode(task.run.mode), task.run.citation, mode_setting().in_force_from)
    ordered = sorted(
        found.values(),
        key=lambda s: (*_order(facts[int(s.person)], tree), int(s.person)),
    )
    cards = card_facts(wide, person_ids=list(entries), at=at)
    plans = {s.person: _plan(s, to, at, cards.get(int(s.person))) for s in ordered}
    decided = edition_rows(ordered, to, mode=mode, at=at, plans=plans)
    withheld = Counter(
        d.ground.value for _, d in decided.withheld if d.ground not in _NOT_COUNTED
    )
    if not decided.rows:
        return HeldBack("nobody_to_list", "いまこの提供先に載せる方がいないため、発行しません。")
    waiting = outstanding(wide, office.id)
    if waiting and not task.override_reason:
        numbers = "、".join(waiting[:4])
        sentence = f"前の副本（{numbers}）がまだ戻っていません。返却か廃棄を確認してください。"
        return HeldBack("custody_old_copy_outstanding", sentence)
    around = Surroundings(
        on=day_of(task.run.as_of), tree=tree, plans=cards, commissioners=_commissioners(wide),
    )
    previous = (
        Edition.objects.visible_to(wide).filter(office_id=office.id).exclude(run=task.run_id)
        .order_by("-pk").first()
    )
    before = _before(wide, previous)
    rows = []
    for person, decision in decided.rows:
        pk = int(person)
        values = card(facts[pk], entries[pk], decision.columns, to.kind, around)
        rows.append(_row(pk, decision, values, before))
    now = {row.person_id for row in rows}
    removed = tuple((pk, values) for pk, values in before.items() if pk not in now)
    return Draft(
        task_id=task.pk, office=office, holder=holder, kind=to.kind,
        number=edition_headers.edition_number(task.run.period, office.id),
        rows=tuple(rows), removed=removed, withheld=dict(sorted(withheld.items())),
        previous_id=previous.pk if previous else None,
        previous_number=previous.number if previous else "",
        stamps={pk: (entries[pk].version, facts[pk].version) for pk in now},
        with_file=to.kind.value in settings.SHARING_FILE_KINDS,
    )


def outstanding(wide: Scope, office_id: int) -> list[str]:
    """Numbers of paper copies of the office that somebody must still account for."""
    return list(
        Copy.objects.visible_to(wide).order_by("number").filter(
            office_id=office_id, medium=Copy.Medium.PAPER,
            state__in=[state.value for state in HELD_STATES],
        ).values_list("number", flat=True)
    )


def stamps_now(wide: Scope, person_ids: Iterable[int]) -> dict[int, tuple[int, int]]:
    """person id → versions of entry and register, with the entries locked until the commit."""
    ids = sorted(person_ids)
    entries = dict(
        RosterEntry.objects.visible_to(wide).select_for_update().order_by("pk")
        .filter(person_id__in=ids, state=RosterEntry.State.LISTED)
        .values_list("person_id", "version")
    )
    register = dict(
        RosterEntry.objects.visible_to(wide).filter(person_id__in=ids)
        .values_list("person_id", "person__version")
    )
    return {pk: (entries[pk], register[pk]) for pk in entries}


def _order(one: PersonFacts, tree: AreaTree) -> tuple[str, str, str]:
    return (tree.name(one.area_id), one.section, one.kana)


def _plan(subject: Subject, to: Recipient, at: datetime, plan: PlanCard | None) -> Decision:
    """R2: the person and every named supporter, or nothing of the plan."""
    named = plan.named if plan is not None else ()
    return decide_plan(subject, named, to, at=at, approved=plan is not None)


def _row(
    pk: int, decision: Decision, values: CardValues, before: Mapping[int, CardValues]
) -> Row:
    old = before.get(pk)
    if old is None:
        return Row(pk, decision, values, "new")
    changed = sealed_rows.changes(old, values)
    return Row(pk, decision, values, "changed" if changed else "same", changed)


def _before(wide: Scope, previous: Edition | None) -> dict[int, CardValues]:
    if previous is None:
        return {}
    rows = EditionRow.objects.visible_to(wide).filter(edition=previous).order_by("position")
    found = {}
    for row in rows:
        row.edition = previous
        found[row.person_id] = sealed_rows.opened(row)
    return found


def _commissioners(wide: Scope) -> dict[str, str]:
    """area key → 「民生委員 森 花子」 of the seats that somebody holds today.  Three queries."""
    seats = offices.offices(wide, role=Role.WELFARE_COMMISSIONER)
    holders = offices.holders(wide, office_ids=[seat.id for seat in seats])
    found: dict[str, str] = {}
    for seat in seats:
        for holder in holders.get(seat.id, [])[:1]:
            for one in seat.areas:
                key = f"area:{one.area_id}/{one.section}" if one.section else f"area:{one.area_id}"
                found.setdefault(key, holder.display_name)
    return found
