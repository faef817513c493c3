"""From people and supporters on a map to the network that is solved, and back into words.

Owns: who is a candidate for whom (all within a radius), what a pair costs and why, in which
order slots matter, and the sentence that a planner reads for every proposal and every gap.
Rule: evacuation.md, "Matching supporters".  Coordinates are metres in the city's plane
rectangular system (平面直角座標系), never degrees.  Refuses: repeated keys, coordinates that
are not numbers, more than three helpers or five people; never contacts anyone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from evacuation.domain.candidates_costs import (
    Mark,
    Person,
    Reason,
    Settings,
    Supporter,
    pair_costs,
    places,
    reasons,
)
from evacuation.domain.matching import Explainer, Network, Shortage, Solution

__all__ = [
    "Candidates",
    "Gap",
    "Mark",
    "Person",
    "Proposal",
    "Reason",
    "Settings",
    "Supporter",
    "build",
    "reasons",
]

Indices = npt.NDArray[np.int64]
MOST_HELPERS, MOST_PEOPLE = 3, 5
_CHUNK = 4096  # people whose neighbourhood is looked up at once


@dataclass(frozen=True, slots=True)
class Proposal:
    """案: ``supporter`` as helper number ``order`` of ``person``; nobody has been asked yet."""

    person: str
    supporter: str
    order: int
    edge: int
    tenths: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """A person who stays ``missing`` helpers short, and the nearest reason one can act on."""

    person: str
    missing: int
    kind: Shortage
    words: str
    people: tuple[str, ...]  # who share the places
    supporters: tuple[str, ...]  # whose places they are
    wanted: int
    places: int
    nearest: float | None  # metres to the nearest supporter with a place, whoever holds it


@dataclass(frozen=True, eq=False)
class Candidates:
    """The network over all pairs within the radius, and the way back from edges to words."""

    people: tuple[Person, ...]
    supporters: tuple[Supporter, ...]
    settings: Settings
    network: Network
    _tree: Any = field(repr=False)
    _able: Indices = field(repr=False)

    def reasons(self, edge: int) -> tuple[Reason, ...]:
        """Why this pair, ○△×; the ``tenths`` add up to the cost of the edge."""
        person = self.people[int(self.network.person[edge])]
        supporter = self.supporters[int(self.network.supporter[edge])]
        return reasons(person, supporter, self.settings)

    def proposals(self, solution: Solution) -> list[Proposal]:
        """The chosen pairs by person; within a person the cheapest is the first helper."""
        cost = self.network.cost
        chosen = sorted(
            solution.edges.tolist(), key=lambda e: (int(self.network.person[e]), int(cost[e]), e)
        )
        result: list[Proposal] = []
        for edge in chosen:
            person = self.people[int(self.network.person[edge])]
            supporter = self.supporters[int(self.network.supporter[edge])]
            again = bool(result) and result[-1].person == person.key
            order = result[-1].order + 1 if again else person.settled + 1
            why = reasons(person, supporter, self.settings)
            result.append(Proposal(person.key, supporter.key, order, edge, int(cost[edge]), why))
        return result

    def gaps(self, solution: Solution, people: Iterable[int] | None = None) -> list[Gap]:
        """Everybody who stays short (or the given indices of them), with the reason."""
        explainer = Explainer(solution)
        short = np.flatnonzero(solution.unmet > 0).tolist() if people is None else people
        return [self._gap(explainer, index) for index in short]

    def edges_of(self, pairs: Iterable[tuple[str, str]]) -> list[int]:
        """Edges of (person key, supporter key) pairs, ascending; pairs out of reach are left out.

        For ``matching.resolve``.
        """
        person = {p.key: i for i, p in enumerate(self.people)}
        supporter = {s.key: j for j, s in enumerate(self.supporters)}
        found = []
        for one, other in pairs:
            i, j = person.get(one), supporter.get(other)
            if i is None or j is None:
                continue
            first, last = np.searchsorted(self.network.person, [i, i + 1])
            at = first + np.searchsorted(self.network.supporter[first:last], j)
            if at < last and self.network.supporter[at] == j:
                found.append(int(at))
        return sorted(found)

    def _gap(self, explainer: Explainer, index: int) -> Gap:
        told = explainer.explain(index)
        person, block = self.people[index], told.bottleneck
        away = float(self._tree.query((person.x, person.y))[0]) if len(self._able) else None
        radius = f"半径{self.settings.radius:,.0f} m以内"
        if told.kind is Shortage.NOBODY:
            words = f"{radius}に、引き受けられる支援者がいません。"
            if away is not None and away > self.settings.radius:
                words += f"いちばん近い支援者は約{away:,.0f} m先です。"
        elif told.kind is Shortage.TOO_FEW:
            words = (
                f"{radius}の支援者{len(told.in_reach)}人は、すでに全員この方を担当する案です。"
                f"あと{told.missing}人足りません。"
            )
        elif told.kind is Shortage.ALL_FULL:
            words = f"{radius}の支援者{len(told.in_reach)}人は、みな定員まで引き受けています。"
        else:
            words = (
                f"{len(block.people)}人が、{len(block.supporters)}人の支援者の"
                f"{block.places}人分を分け合っています。あと{block.missing}人分足りません。"
            )
        return Gap(
            person=person.key,
            missing=told.missing,
            kind=told.kind,
            words=words,
            people=tuple(self.people[i].key for i in block.people),
            supporters=tuple(self.supporters[j].key for j in block.supporters),
            wanted=block.wanted,
            places=block.places,
            nearest=away,
        )


def build(
    people: Sequence[Person], supporters: Sequence[Supporter], settings: Settings | None = None
) -> Candidates:
    """All pairs within the radius as a ``Network``; memory grows with the pairs, not with n x m.

    Tiers: first helpers by urgency class, then second helpers, then third.  Whether a pair is
    within the radius is judged on the stated coordinates; its cost adds the uncertainty of
    both, so that two people placed on one town point are never 0 m apart.
    ``ValueError`` names the list and the index.
    """
    settings = settings or Settings()
    _check(people, supporters, settings)
    able = np.array([j for j, s in enumerate(supporters) if s.places > 0], np.int64)
    tree = cKDTree(places([supporters[j] for j in able.tolist()])) if len(able) else None
    one, other = _within(places(people), tree, able, settings.radius)
    cost = pair_costs(people, supporters, one, other, settings)
    allowed = _allowed(people, supporters, one, other)
    classes = max((p.urgency for p in people), default=0) + 1
    tiers = [
        [p.urgency if k == 0 else classes + k - 1 for k in range(p.settled, p.settled + p.wants)]
        for p in people
    ]
    network = Network(
        [p.wants for p in people],
        [s.places for s in supporters],
        one[allowed],
        other[allowed],
        cost[allowed],
        tiers,
    )
    return Candidates(tuple(people), tuple(supporters), settings, network, tree, able)


def _check(people: Sequence[Person], supporters: Sequence[Supporter], settings: Settings) -> None:
    both: tuple[tuple[str, Sequence[Person | Supporter]], ...] = (
        ("people", people),
        ("supporters", supporters),
    )
    for name, rows in both:
        seen: set[str] = set()
        for index, row in enumerate(rows):
            if row.key in seen:
                raise ValueError(f"{name}[{index}]: key {row.key!r} is given twice")
            seen.add(row.key)
            if not (isfinite(row.x) and isfinite(row.y)):
                raise ValueError(f"{name}[{index}]: coordinates are not numbers")
            if not (isfinite(row.uncertainty) and row.uncertainty >= 0):
                raise ValueError(f"{name}[{index}]: uncertainty {row.uncertainty} is not possible")
    for index, person in enumerate(people):
        if person.wants < 0 or person.settled < 0 or person.wants + person.settled > MOST_HELPERS:
            raise ValueError(f"people[{index}]: asks for more than {MOST_HELPERS} or less than 0")
        if person.urgency < 0:
            raise ValueError(f"people[{index}]: urgency {person.urgency} is negative")
    for index, supporter in enumerate(supporters):
        if not 0 <= supporter.places <= MOST_PEOPLE:
            raise ValueError(f"supporters[{index}]: places are not in 0..{MOST_PEOPLE}")
    if not (settings.radius > 0 and settings.speed > 0 and settings.detour >= 1):
        raise ValueError("settings: radius and speed must be positive, detour at least 1")


def _within(
    spots: npt.NDArray[np.float64], tree: Any, able: Indices, radius: float
) -> tuple[Indices, Indices]:
    """Pairs (person, supporter) within ``radius``, ordered."""
    ones, others = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for start in range(0, len(spots) if tree is not None else 0, _CHUNK):
        near = cKDTree(spots[start : start + _CHUNK]).sparse_distance_matrix(
            tree, radius, output_type="ndarray"
        )
        order = np.lexsort((near["j"], near["i"]))
        ones.append(near["i"][order].astype(np.int64) + start)
        others.append(able[near["j"][order]])
    return np.concatenate(ones), np.concatenate(others)


def _allowed(
    people: Sequence[Person],
    supporters: Sequence[Supporter],
    one: Indices,
    other: Indices,
) -> npt.NDArray[np.bool_]:
    allowed: npt.NDArray[np.bool_] = np.ones(len(one), bool)
    place = {s.key: j for j, s in enumerate(supporters)}
    for index, person in enumerate(people):
        if person.excluded:
            first, last = np.searchsorted(one, [index, index + 1])
            barred = [place[key] for key in person.excluded if key in place]
            allowed[first:last] &= ~np.isin(other[first:last], barred)
    return allowed
