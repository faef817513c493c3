"""Plans as people see them: the list, the hub of seven steps, one step, the history.

Owns what screens read of a plan.  Every plan opened leaves a view record; not visible is not
found.  People without a plan are in the list too (R15).  Cards for rosters: ``plan_cards``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q

from evacuation.domain.plan_items import Missing, PlanStep, missing
from evacuation.domain.planning import PlanAct, PlanRole, PlanState, ReviewCause, may
from evacuation.models import Plan, PlanEvent, PlanVersion, RosterEntry
from evacuation.queries.plan_cards import CardSupporter, PlanCard, card_facts
from evacuation.queries.plan_consents import making_agreed
from evacuation.queries.plan_drafts import NamedHelp, draft_of, helpers, part
from registry import audit
from registry.access import Scope
from registry.domain.errors import NotFound
from registry.domain.roles import Permission
from registry.queries import accounts, people
from registry.queries.facts import PersonFacts
from registry.queries.pages import Page, after, cut, size

__all__ = [
    "CardSupporter", "EventLine", "PlanCard", "PlanHub", "PlanLine", "StepLine", "card_facts",
    "counts", "history", "hub", "plan_list", "plan_of", "shown_version", "visible_plan",
]

_WORDS = {"done": "入力ずみ", "started": "入力の途中", "todo": "まだ"}


@dataclass(frozen=True)
class PlanLine:
    """One listed person and the plan, if any (``plan_id`` None: 計画なし)."""

    person_id: int
    roster_number: str
    name: str
    kana: str
    area_name: str
    urgency: int
    plan_id: int | None
    number: str
    state: str
    state_label: str
    review_due_on: date | None
    review_label: str
    drafter: str
    updated_at: datetime | None


@dataclass(frozen=True)
class StepLine:
    """One step: ``state`` done | started | todo, what it says, what is missing."""

    number: int
    label: str
    state: str
    words: str
    gaps: tuple[Missing, ...]


@dataclass(frozen=True)
class PlanHub:
    """Everything of one plan that a screen shows.

    ``values`` maps the step number to its stored values; ``edit_version`` is what ``save_step``,
    ``submit``, ``return_`` and ``approve`` ask for (0 without a version).  ``acts`` are the acts
    possible for this actor now; ``may_write`` whether steps can be saved.
    """

    plan_id: int
    number: str
    person: PersonFacts
    roster_number: str
    state: str
    state_label: str
    version_number: int
    edit_version: int
    approved_versions: int
    in_work: bool
    may_write: bool
    acts: tuple[str, ...]
    steps: tuple[StepLine, ...]
    done_count: int
    gaps: tuple[Missing, ...]
    values: dict[int, dict[str, Any]]
    supporters: tuple[NamedHelp, ...]
    making_agreed_at: datetime | None
    author: str
    author_id: int | None
    saved_at: datetime | None
    submitted_at: datetime | None
    submitted_by: str
    approved_at: datetime | None
    approved_by: str
    return_reason: str
    review_due_on: date | None
    review_label: str
    drafter: str
    drafter_id: int | None


def plan_list(
    scope: Scope, *, states: Iterable[str] | None = None, area_ids: Iterable[int] | None = None,
    text: str = "", cursor: str | None = None, limit: int = 50,
) -> Page[PlanLine]:
    """Listed people by roster number with the state of their plan; leaves view records.

    ``states`` may hold ``not_started`` for those without a plan.  Five queries.
    Raises ``Forbidden``, ``BadCursor``.
    """
    scope.require(Permission.PLAN_VIEW)
    visible = RosterEntry.objects.visible_to(scope)
    rows = visible.filter(state=RosterEntry.State.LISTED)
    if area_ids is not None:
        rows = rows.filter(person__area_id__in=list(area_ids))
    if text.strip():
        found_people = people.search_people(scope, text=text, limit=200).items
        rows = rows.filter(
            Q(person_id__in=[one.id for one in found_people]) | Q(number=text.strip())
        )
    if states is not None:
        wanted = list(states)
        plans = Plan.objects.visible_to(scope)
        having = Q(person_id__in=plans.filter(state__in=wanted).values("person_id"))
        if PlanState.NOT_STARTED in wanted:
            having |= ~Q(person_id__in=plans.values("person_id"))
        rows = rows.filter(having)
    wanted_size = size(limit)
    ordered = after(rows, cursor, "number", visible=visible)
    found = list(ordered.values_list("pk", "person_id", "number", "urgency")[: wanted_size + 1])
    page = cut(found, [row[0] for row in found], wanted_size)
    return Page(tuple(_lines(scope, page.items)), page.next)


def _lines(scope: Scope, rows: tuple[Any, ...]) -> list[PlanLine]:
    ids = [row[1] for row in rows]
    plans = {one.person_id: one for one in Plan.objects.visible_to(scope).filter(
        person_id__in=ids)}
    names = people.person_lines(scope, person_ids=ids, action="plans.list")
    writers = accounts.display_names(
        {one.drafter_id for one in plans.values() if one.drafter_id is not None})
    found = []
    for _, person, number, urgency in rows:
        if person not in names:
            continue
        plan = plans.get(person)
        state = PlanState(plan.state) if plan else PlanState.NOT_STARTED
        found.append(PlanLine(
            person, number, names[person].name, names[person].kana,
            names[person].area_name or "", urgency, plan.pk if plan else None,
            plan.number if plan else "", state.value, state.label,
            plan.review_due_on if plan else None, _cause(plan),
            writers.get(plan.drafter_id or 0, "") if plan else "",
            plan.updated_at if plan else None,
        ))
    return found


def _cause(plan: Plan | None) -> str:
    return ReviewCause(plan.review_cause).label if plan and plan.review_cause else ""


def counts(scope: Scope) -> dict[str, int]:
    """state → listed people in it, 計画なし included (R15).  Two queries."""
    scope.require(Permission.PLAN_VIEW)
    listed = RosterEntry.objects.visible_to(scope).filter(state=RosterEntry.State.LISTED)
    found = {state.value: 0 for state in PlanState}
    for state in Plan.objects.visible_to(scope).filter(
        person_id__in=listed.values("person_id")
    ).values_list("state", flat=True):
        found[state] += 1
    found[PlanState.NOT_STARTED.value] += listed.count() - sum(found.values())
    return found


def plan_of(scope: Scope, *, person_id: int) -> int | None:
    """The id of a person's plan, if there is one and it is visible."""
    scope.require(Permission.PLAN_VIEW)
    found: int | None = (
        Plan.objects.visible_to(scope).filter(person_id=person_id)
        .values_list("pk", flat=True).first()
    )
    return found


def visible_plan(scope: Scope, plan_id: int) -> Plan:
    """The plan.  Raises ``Forbidden`` without ``plan.view``, ``NotFound`` when not visible."""
    scope.require(Permission.PLAN_VIEW)
    row: Plan | None = Plan.objects.visible_to(scope).filter(pk=plan_id).first()
    if row is None:
        raise NotFound
    return row


def shown_version(scope: Scope, plan: Plan, number: int | None = None) -> PlanVersion | None:
    """The version asked for; by default the one in work, else the newest."""
    rows = PlanVersion.objects.visible_to(scope).filter(plan=plan)
    if number is not None:
        rows = rows.filter(number=number)
    found: PlanVersion | None = rows.order_by("-number").first()
    return found


def hub(
    scope: Scope, *, plan_id: int, version: int | None = None, action: str = "plans.hub"
) -> PlanHub:
    """One plan with its seven steps; leaves a view record.  Raises ``Forbidden``, ``NotFound``.

    ``version`` shows an older numbered version instead of the newest.
    """
    plan = visible_plan(scope, plan_id)
    shown = shown_version(scope, plan, version)
    if version is not None and shown is None:
        raise NotFound
    person = people.person_page(scope, person_id=plan.person_id, action=action)
    entry = RosterEntry.objects.visible_to(scope).filter(person_id=plan.person_id).first()
    making = making_agreed(scope, person_ids=[plan.person_id]).get(plan.person_id)
    live = tuple(helpers(scope, person_ids=[plan.person_id]).get(plan.person_id, []))
    steps: dict[str, Any] = shown.steps if shown else {}
    named = part(steps, PlanStep.SUPPORTERS).get("supporters")
    if named is None or (shown is not None and shown.submitted_at is None):
        named = [one.stored() for one in live]
    who = accounts.display_names({
        one for one in (
            shown.author_id if shown else None, shown.submitted_by_id if shown else None,
            shown.approved_by_id if shown else None, plan.drafter_id,
        ) if one is not None
    })
    author = who.get(shown.author_id, "") if shown else ""
    gaps = missing(draft_of(steps, supporters=named, making_agreed_at=making, author=author))
    lines = tuple(_step(step, steps, gaps, live) for step in PlanStep)
    state = PlanState(plan.state)
    in_work = shown is not None and shown.approved_at is None
    return PlanHub(
        plan.pk, plan.number, person, entry.number if entry else "", state.value, state.label,
        shown.number if shown else 0, shown.edit_version if shown else 0,
        PlanVersion.objects.visible_to(scope).filter(
            plan=plan, approved_at__isnull=False).count(),
        in_work,
        in_work and scope.may(Permission.PLAN_DRAFT)
        and state in (PlanState.DRAFT, PlanState.RETURNED),
        tuple(sorted(act.value for act in _acts(scope, state))), lines,
        sum(line.state == "done" for line in lines), gaps,
        {step.value: dict(part(steps, step)) for step in PlanStep}, live, making, author,
        shown.author_id if shown else None, shown.saved_at if shown else None,
        shown.submitted_at if shown else None,
        who.get(shown.submitted_by_id or 0, "") if shown else "",
        shown.approved_at if shown else None,
        who.get(shown.approved_by_id or 0, "") if shown else "",
        shown.return_reason if shown else "", plan.review_due_on, _cause(plan),
        who.get(plan.drafter_id or 0, ""), plan.drafter_id,
    )


def _acts(scope: Scope, state: PlanState) -> frozenset[PlanAct]:
    found: frozenset[PlanAct] = frozenset()
    if scope.may(Permission.PLAN_APPROVE):
        found |= may(state, PlanRole.APPROVER)
    if scope.may(Permission.SUPPORTERS_PROPOSE):
        found |= may(state, PlanRole.OFFICER)
    elif scope.may(Permission.PLAN_DRAFT):
        found |= may(state, PlanRole.AUTHOR)
    return found


def _step(
    step: PlanStep, steps: dict[str, Any], gaps: tuple[Missing, ...], live: tuple[NamedHelp, ...]
) -> StepLine:
    mine = tuple(gap for gap in gaps if gap.step is step)
    values = part(steps, step)
    state = "done" if not mine else "started" if values else "todo"
    return StepLine(step.value, step.label, state, _say(step, values, live) or _WORDS[state], mine)


def _say(step: PlanStep, values: dict[str, Any], live: tuple[NamedHelp, ...]) -> str:
    """What the step says in a few words, for the list of steps."""
    if step is PlanStep.HOME and values.get("hazards_checked"):
        return "・".join(zone["label"] for zone in values.get("zones", [])) or "区域の外"
    if step is PlanStep.DESTINATION:
        return "・".join(dict.fromkeys(
            str(one.get("place", "")) for one in values.get("destinations", [])))
    if step is PlanStep.SUPPORTERS:
        return "・".join(one.name for one in live)
    if step is PlanStep.SIGNAL and values.get("trigger_level"):
        return f"警戒レベル{values['trigger_level']}"
    return ""


@dataclass(frozen=True)
class EventLine:
    """One thing that happened to the plan (変更の記録)."""

    at: datetime
    by: str
    event: str
    state_label: str
    note: str


def history(scope: Scope, *, plan_id: int) -> list[EventLine]:
    """The plan's life, newest first; leaves a view record."""
    plan = visible_plan(scope, plan_id)
    rows = list(PlanEvent.objects.visible_to(scope).filter(plan=plan).order_by("-at", "-pk"))
    who = accounts.display_names({row.by_id for row in rows})
    if not scope.system:
        audit.viewed(scope=scope, action="plans.history", people=[plan.person_id],
                     fields=["plan_events"])
    return [
        EventLine(row.at, who.get(row.by_id, ""), row.event, PlanState(row.state_after).label,
                  row.note)
        for row in rows
    ]

