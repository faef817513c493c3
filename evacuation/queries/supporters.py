"""Supporters as planners see them: the pool, candidates for one person, the newest proposals.

Owns reading supporters, proposals and gaps for screens.  Refuses everybody without
``supporters.propose``.  Of a volunteer only what P11 allows is here; nothing tells what anybody
did with whom.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from evacuation.domain.candidates import Settings, build
from evacuation.models import Assignment, Proposal, ProposalGap, ProposalRun, Supporter
from evacuation.queries.matching_inputs import people_to_match, pool_to_match
from evacuation.queries.plan_drafts import HOURS, LIVE
from registry import audit
from registry.access import Scope
from registry.domain.errors import NotFound
from registry.domain.roles import Permission
from registry.queries import areas, people

Reasons = tuple[tuple[str, str, str], ...]  # (○△×, code, words)


@dataclass(frozen=True)
class SupporterLine:
    """One supporter.  ``load`` people of ``capacity``; ``kind`` volunteer|organisation|person."""

    id: int
    kind: str
    name: str
    kana: str
    address: str
    phone: str
    area_id: int | None
    area_name: str
    capacity: int
    load: int
    availability: str
    hours: str
    skills: tuple[str, ...]
    consented_at: datetime | None
    left_on: str | None
    located: bool

    @property
    def places(self) -> int:
        """People the supporter can still take."""
        return max(0, self.capacity - self.load)


@dataclass(frozen=True)
class Candidate:
    """A candidate for one person.  ``state`` is "" until somebody decides (assigned …)."""

    supporter: SupporterLine
    reasons: Reasons
    tenths: int | None
    proposed: bool
    proposal_id: int | None
    assignment_id: int | None
    position: int | None
    state: str
    state_label: str


@dataclass(frozen=True)
class GapFact:
    """Why somebody stays without: words, and who shares the places (those one may see)."""

    person_id: int
    person_name: str
    area_name: str
    missing: int
    kind: str
    words: str
    people: tuple[str, ...]
    supporters: tuple[str, ...]
    wanted: int
    places: int
    nearest_m: int | None


@dataclass(frozen=True)
class RunFact:
    """One run and its figures."""

    id: int
    state: str
    state_label: str
    areas: tuple[int, ...] | None
    asked_at: datetime
    done_at: datetime | None
    people: int
    supporters: int
    wanted: int
    filled: int
    kept: int
    cost_tenths: int
    proven: bool


@dataclass(frozen=True)
class ProposalLine:
    """One proposed pair."""

    id: int
    person_id: int
    person_name: str
    area_name: str
    supporter_id: int
    supporter_name: str
    position: int
    minutes: int
    reasons: Reasons
    removed: bool


def pool(
    scope: Scope, *, area_ids: Iterable[int] | None = None, text: str = "",
    ids: Iterable[int] | None = None, include_left: bool = False,
) -> list[SupporterLine]:
    """Supporters by reading, with their load; leaves one record.  Raises ``Forbidden``."""
    scope.require(Permission.SUPPORTERS_PROPOSE)
    rows = Supporter.objects.visible_to(scope)
    if ids is not None:
        rows = rows.filter(pk__in=list(ids))
    if area_ids is not None:
        rows = rows.filter(area_id__in=list(area_ids))
    if text.strip():
        rows = rows.filter(Q(name__contains=text.strip()) | Q(kana__startswith=text.strip()))
    if not include_left:
        rows = rows.filter(Q(left_on__isnull=True) | Q(left_on__gt=scope.on))
    load = Counter(
        Assignment.objects.visible_to(scope).filter(state__in=LIVE)
        .values_list("supporter_id", flat=True)
    )
    names = {one.id: one.name for one in areas.areas(scope)}
    found = [
        SupporterLine(
            row.pk,
            "volunteer" if row.volunteer_id else "organisation" if row.organisation_id
            else "person",
            row.name, row.kana, row.address, row.phone, row.area_id,
            names.get(row.area_id or 0, ""), row.capacity, load[row.pk], row.availability,
            HOURS.get(row.availability, row.availability), tuple(row.skills), row.consented_at,
            row.left_on.isoformat() if row.left_on else None, row.east_m is not None,
        )
        for row in rows.order_by("kana", "name", "pk")
    ]
    if found and not scope.system:
        audit.note(scope=scope, kind="view", action="supporters.pool", subject_kind="supporter",
                   fields=["name", "phone", "address", "place"],
                   detail={"supporters": [one.id for one in found]})
    return found


def candidates(scope: Scope, *, person_id: int, nearest: int = 8) -> list[Candidate]:
    """Who could help one person: decided ones, the newest proposals, then others in reach.

    The reasons ○△× are those of today.  Empty for somebody without a place on the map, except
    for those decided already.  Raises ``Forbidden``, ``NotFound``.
    """
    scope.require(Permission.SUPPORTERS_PROPOSE)
    if person_id not in people.visible_ids(scope, [person_id]):
        raise NotFound
    run = latest_run(scope)
    assigned = {
        row.supporter_id: row for row in Assignment.objects.visible_to(scope).filter(
            person_id=person_id, state__in=[*LIVE, Assignment.State.DECLINED])
    }
    proposed = {
        row.supporter_id: row for row in Proposal.objects.visible_to(scope).filter(
            run_id=run.id, person_id=person_id, removed_at__isnull=True)
    } if run is not None else {}
    near = _near(scope, person_id, nearest)
    wanted = [*assigned, *proposed, *(one for one in near)]
    lines = {one.id: one for one in pool(scope, ids=set(wanted), include_left=True)}
    found: list[Candidate] = []
    for one in dict.fromkeys(wanted):
        if one not in lines:
            continue
        mine, idea = assigned.get(one), proposed.get(one)
        tenths, reasons = near.get(one, (None, ()))
        if not reasons and idea is not None:
            tenths, reasons = idea.tenths, _reasons(idea.reasons)
        if not reasons and mine is not None:
            reasons = _reasons(mine.reasons)
        found.append(Candidate(
            lines[one], reasons, tenths, idea is not None, idea.pk if idea else None,
            mine.pk if mine else None,
            mine.position if mine else idea.position if idea else None,
            mine.state if mine else "", Assignment.State(mine.state).label if mine else "",
        ))
    return found


def _near(scope: Scope, person_id: int, most: int) -> dict[int, tuple[int | None, Reasons]]:
    from django.conf import settings

    found, _ = people_to_match(scope, wanted=3, person_ids=[person_id])
    if not found:
        return {}
    radius = Settings(radius=float(settings.MATCH_RADIUS_M))
    network = build(found, pool_to_match(scope), radius)
    edges = sorted(range(len(network.network)), key=lambda e: (int(network.network.cost[e]), e))
    return {
        int(network.supporters[int(network.network.supporter[e])].key): (
            int(network.network.cost[e]),
            tuple((r.mark.value, r.code, r.words) for r in network.reasons(e)),
        )
        for e in edges[:most]
    }


def latest_run(scope: Scope) -> RunFact | None:
    """The newest run that is done."""
    return _run(ProposalRun.objects.filter(state=ProposalRun.State.DONE).order_by("-pk").first(),
                scope)


def run(scope: Scope, *, run_id: int) -> RunFact:
    """One run.  Raises ``Forbidden``, ``NotFound``."""
    found = _run(ProposalRun.objects.filter(pk=run_id).first(), scope)
    if found is None:
        raise NotFound
    return found


def _run(row: ProposalRun | None, scope: Scope) -> RunFact | None:
    scope.require(Permission.SUPPORTERS_PROPOSE)
    if row is None:
        return None
    return RunFact(
        row.pk, row.state, ProposalRun.State(row.state).label,
        tuple(row.areas) if row.areas is not None else None, row.asked_at, row.done_at, row.people,
        row.supporters, row.wanted, row.filled, row.kept, row.cost_tenths, row.proven,
    )


def proposals(
    scope: Scope, *, run_id: int, person_ids: Iterable[int] | None = None, start: int = 0,
    limit: int = 200,
) -> list[ProposalLine]:
    """Proposed pairs of a run, by person and position.  Leaves view records.  Four queries."""
    scope.require(Permission.SUPPORTERS_PROPOSE)
    rows = Proposal.objects.visible_to(scope).filter(run_id=run_id).select_related("supporter")
    if person_ids is not None:
        rows = rows.filter(person_id__in=list(person_ids))
    found = list(rows.order_by("person_id", "position")[start : start + min(limit, 1_000)])
    lines = people.person_lines(scope, person_ids=list({row.person_id for row in found}),
                                action="supporters.proposals")
    return [
        ProposalLine(
            row.pk, row.person_id, lines[row.person_id].name,
            lines[row.person_id].area_name or "", row.supporter_id, row.supporter.name,
            row.position, max(1, round(row.tenths / 10)), _reasons(row.reasons),
            row.removed_at is not None,
        )
        for row in found if row.person_id in lines
    ]


def gaps(
    scope: Scope, *, run_id: int, person_ids: Iterable[int] | None = None, start: int = 0,
    limit: int = 200,
) -> list[GapFact]:
    """Who stays without, with the nearest reason one can act on; leaves view records."""
    scope.require(Permission.SUPPORTERS_PROPOSE)
    rows = ProposalGap.objects.visible_to(scope).filter(run_id=run_id)
    if person_ids is not None:
        rows = rows.filter(person_id__in=list(person_ids))
    found = list(rows.order_by("-missing", "person_id")[start : start + min(limit, 1_000)])
    named = {row.person_id for row in found} | {one for row in found for one in row.people[:20]}
    lines = people.person_lines(scope, person_ids=list(named), action="supporters.gaps")
    helpers = dict(
        Supporter.objects.visible_to(scope)
        .filter(pk__in={one for row in found for one in row.supporters[:20]})
        .values_list("pk", "name")
    )
    return [
        GapFact(
            row.person_id, lines[row.person_id].name, lines[row.person_id].area_name or "",
            row.missing, row.kind, row.words,
            tuple(lines[one].name for one in row.people[:20] if one in lines),
            tuple(helpers[one] for one in row.supporters[:20] if one in helpers), row.wanted,
            row.places, row.nearest_m,
        )
        for row in found if row.person_id in lines
    ]


def gap_counts(scope: Scope, *, run_id: int) -> dict[int | None, int]:
    """町内会 id → missing helpers, for the map and the list; counts of those one may see."""
    scope.require(Permission.SUPPORTERS_PROPOSE)
    found: Counter[int | None] = Counter()
    rows = ProposalGap.objects.visible_to(scope).filter(run_id=run_id)
    for area, missing in rows.values_list("person__area_id", "missing"):
        found[area] += missing
    return dict(found)


def _reasons(stored: list[list[str]]) -> Reasons:
    return tuple((mark, code, words) for mark, code, words in stored)
