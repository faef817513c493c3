"""Proposals of supporters (支援者の案): ask for a run, compute it, remove one.

Owns runs and their results.  The solver is exact (``evacuation.domain.matching``): as many
first helpers as possible, the most urgent first, then second, then third, then the least cost;
existing assignments stay, and the last run's pairs stay unless a better plan is worth the
change.  It proposes; it never assigns and never contacts.  The computation runs in a worker,
between a reading and a writing transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from evacuation.domain.candidates import Candidates, Gap, Person, Settings, Supporter, build
from evacuation.domain.candidates import Proposal as Found
from evacuation.domain.matching import resolve
from evacuation.domain.matching.solution import Certificate
from evacuation.domain.shortages import gaps
from evacuation.models import Proposal, ProposalGap, ProposalRun
from evacuation.queries.matching_inputs import NO_PLACE, last_pairs, people_to_match, pool_to_match
from registry import access, audit, outbox
from registry.access import Scope
from registry.domain.errors import NotFound, Refused
from registry.domain.roles import Permission
from registry.operations import staff
from registry.queries import areas as area_queries

WORTH_TENTHS = 30  # a change of one settled pair must save three minutes


class MatchingRefused(Refused):
    """The run cannot be asked for."""

    code = "matching_invalid"
    message = "対象の区域を確認してください。"


def settings_in_use() -> Settings:
    """Radius, speed and penalties, from the service's settings."""
    return Settings(radius=float(settings.MATCH_RADIUS_M))


def wanted_in_use() -> int:
    """Helpers wanted per person (1–3)."""
    return max(1, min(3, int(settings.SUPPORTERS_WANTED)))


@dataclass(frozen=True)
class Computed:
    """What a run found, before it is written."""

    candidates: Candidates
    proposals: list[Found]
    gaps: list[Gap]
    placeless: dict[int, int]  # person id → helpers missing
    kept: int
    cost: int
    proven: bool


@transaction.atomic
def propose(*, areas: Iterable[int] | None, by: Scope) -> ProposalRun:
    """Ask for proposals for the listed people of some areas, or of the whole city.

    Outbox ``evacuation.propose`` computes them.  Raises ``Forbidden``, ``MatchingRefused``.
    """
    by.require(Permission.SUPPORTERS_PROPOSE)
    wanted = sorted(set(areas)) if areas is not None else None
    if wanted is not None:
        known = {one.id for one in area_queries.areas(by)}
        if not wanted or set(wanted) - known:
            raise MatchingRefused(fields={"areas": "区域を選んでください。"})
    run = ProposalRun.objects.create(
        state=ProposalRun.State.WAITING, areas=wanted, asked_at=by.at,
        asked_by_id=staff.actor_id(by=by),
        settings={**asdict(settings_in_use()), "wanted": wanted_in_use(), "worth": WORTH_TENTHS},
    )
    audit.note(scope=by, kind="change", action="matching.propose", subject_kind="proposal_run",
               subject_id=run.pk)
    outbox.put(kind="evacuation.propose", subject_id=run.pk, at=by.at,
               dedupe_key=f"propose:{run.pk}")
    return run


def compute(*, run_id: int, at: datetime) -> Computed | None:
    """Read everybody and solve, outside any transaction of writing; None when already done."""
    with access.system(at=at, reason="supporter proposals") as wide:
        run = ProposalRun.objects.filter(pk=run_id).first()
        if run is None:
            raise NotFound
        if run.state == ProposalRun.State.DONE:
            return None
        within = _within(wide, run.areas)
        found, placeless = people_to_match(wide, areas=within, wanted=int(run.settings["wanted"]))
        pool = pool_to_match(wide)
        settled = last_pairs(wide)
        chosen = Settings(**{k: v for k, v in run.settings.items() if k not in ("wanted", "worth")})
        worth = int(run.settings["worth"])
    return solved(people=found, supporters=pool, settled=settled, settings=chosen, worth=worth,
                  placeless=placeless)


def solved(
    *, people: Sequence[Person], supporters: Sequence[Supporter],
    settled: Iterable[tuple[str, str]], settings: Settings, worth: int,
    placeless: dict[int, int] | None = None,
) -> Computed:
    """The optimum with reasons, from plain values: no database, no clock."""
    candidates = build(people, supporters, settings)
    revision = resolve(candidates.network, candidates.edges_of(settled), worth)
    certificate: Certificate = revision.solution.certificate()
    return Computed(
        candidates, candidates.proposals(revision.solution), gaps(candidates, revision.solution),
        placeless or {}, len(revision.kept), revision.cost, certificate.holds,
    )


def _within(scope: Scope, areas: list[int] | None) -> frozenset[int] | None:
    if areas is None:
        return None
    return frozenset().union(
        *(area_queries.neighbourhoods_within(scope, one) | {one} for one in areas)
    )


@transaction.atomic
def store(*, run_id: int, computed: Computed, by: Scope) -> ProposalRun:
    """Write a computed run, whole; a run that is done stays as it is."""
    run = ProposalRun.objects.select_for_update().filter(pk=run_id).first()
    if run is None:
        raise NotFound
    if run.state == ProposalRun.State.DONE:
        return run
    Proposal.objects.visible_to(by).bulk_create(
        [
            Proposal(run=run, person_id=int(p.person), supporter_id=int(p.supporter),
                     position=p.order, tenths=p.tenths,
                     reasons=[[r.mark.value, r.code, r.words] for r in p.reasons])
            for p in computed.proposals
        ],
        batch_size=1_000,
    )
    ProposalGap.objects.visible_to(by).bulk_create(
        [*(_gap(run, gap) for gap in computed.gaps),
         *(ProposalGap(run=run, person_id=person, missing=missing, kind=NO_PLACE,
                       words="住まいの位置が分かりません。地図で位置を確かめてください。")
           for person, missing in computed.placeless.items())],
        batch_size=1_000,
    )
    network = computed.candidates.network
    run.state, run.done_at = ProposalRun.State.DONE, by.at
    run.people = sum(1 for d in network.demand.tolist() if d > 0) + len(computed.placeless)
    run.supporters = sum(1 for c in network.capacity.tolist() if c > 0)
    run.wanted = int(network.demand.sum()) + sum(computed.placeless.values())
    run.filled, run.kept = len(computed.proposals), computed.kept
    run.cost_tenths, run.proven = computed.cost, computed.proven
    run.save()
    return run


def _gap(run: ProposalRun, gap: Gap) -> ProposalGap:
    return ProposalGap(
        run=run, person_id=int(gap.person), missing=gap.missing, kind=gap.kind.value,
        words=gap.words[:240], people=[int(one) for one in gap.people],
        supporters=[int(one) for one in gap.supporters], wanted=gap.wanted, places=gap.places,
        nearest_m=None if gap.nearest is None else round(gap.nearest),
    )


def carry_out(claimed: outbox.Claimed, at: datetime) -> None:
    """The worker's part of ``evacuation.propose``: read, solve, write and finish.

    Safe to run twice; a worker that lost its lease writes nothing.
    """
    run_id = claimed.subject_id or 0
    computed = compute(run_id=run_id, at=at)
    with access.system(at=at, reason="supporter proposals") as wide:
        if computed is not None:
            store(run_id=run_id, computed=computed, by=wide)
        claimed.finish(at)


def propose_now(*, areas: Iterable[int] | None, by: Scope) -> ProposalRun:
    """Ask and compute at once, inside the caller's transaction: for commands and small cities."""
    run = propose(areas=areas, by=by)
    computed = compute(run_id=run.pk, at=by.at)
    with access.system(at=by.at, reason="supporter proposals") as wide:
        return store(run_id=run.pk, computed=computed, by=wide) if computed else run


@transaction.atomic
def remove(*, proposal_id: int, by: Scope) -> Proposal:
    """「候補から外す」: the person does not want this one; later runs leave the pair out."""
    by.require(Permission.SUPPORTERS_PROPOSE)
    row: Proposal | None = (
        Proposal.objects.visible_to(by).select_for_update().filter(pk=proposal_id).first()
    )
    if row is None:
        raise NotFound
    if row.removed_at is None:
        row.removed_at, row.removed_by_id = by.at, staff.actor_id(by=by)
        row.save(update_fields=["removed_at", "removed_by"])
        audit.note(scope=by, kind="change", action="matching.remove", subject_kind="proposal",
                   subject_id=row.pk, person_id=row.person_id)
    return row
