"""What a pair costs and why: the same sum once in words, once for millions of pairs.

Owns the people and supporters as the matching sees them, the settings, and the cost of a pair
in tenths of a walking minute.  ``reasons`` and ``pair_costs`` add the same parts; a test holds
them equal.  Rule: evacuation.md, "Matching supporters".  Refuses: degrees, names, addresses;
rows carry keys and plane coordinates in metres only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Person:
    """要支援者: who needs ``wants`` more helpers beside the ``settled`` ones they have.

    ``urgency`` 0 is the most urgent class; ``uncertainty`` is the root mean square error of the
    location in metres (0 for a surveyed house, some hundred for a town-level match).
    ``excluded`` names supporters who must not be proposed (declined, already settled).
    """

    key: str
    x: float
    y: float
    wants: int = 1
    settled: int = 0
    urgency: int = 0
    uncertainty: float = 0.0
    association: str | None = None
    needs: frozenset[str] = frozenset()
    zones: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Supporter:
    """避難支援等実施者 who can take ``places`` more people; ``age`` None for organisations."""

    key: str
    x: float
    y: float
    places: int = 1
    age: int | None = None
    uncertainty: float = 0.0
    association: str | None = None
    skills: frozenset[str] = frozenset()
    zones: frozenset[str] = frozenset()
    day_only: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """Radius and walking in metres and minutes; penalties in minutes (evacuation.md)."""

    radius: float = 800.0
    detour: float = 1.3
    speed: float = 70.0  # metres a minute
    near: float = 5.0  # minutes that count as close by
    same_zone: float = 15.0
    aged: float = 5.0
    aged_from: int = 75
    other_association: float = 3.0
    no_skill: float = 10.0
    day_only: float = 5.0


class Mark(StrEnum):
    """The three signs of a reason."""

    GOOD = "○"
    CARE = "△"
    BAD = "×"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for or against a pair; ``tenths`` of a minute are its share of the cost."""

    mark: Mark
    code: str
    words: str
    tenths: int


def metres(dx: Floats, dy: Floats, blur: Floats) -> Floats:
    """Expected distance of two places whose offset has variance ``blur`` (root mean square)."""
    away: Floats = np.sqrt(dx * dx + dy * dy + blur)
    return away


def walk(away: Floats, settings: Settings) -> Indices:
    """Walking time over ``away`` metres as the crow flies, tenths of a minute, half up."""
    return (away * settings.detour / settings.speed * 10 + 0.5).astype(np.int64)


def tenths(minutes: float) -> int:
    """Minutes of a penalty as whole tenths."""
    return int(minutes * 10 + 0.5)


def reasons(person: Person, supporter: Supporter, settings: Settings) -> tuple[Reason, ...]:
    """Every reason for and against the pair, in the order of the proposal sheet."""
    variance = person.uncertainty * person.uncertainty
    variance += supporter.uncertainty * supporter.uncertainty
    away = metres(
        np.array([person.x - supporter.x]),
        np.array([person.y - supporter.y]),
        np.array([variance]),
    )
    minutes, blur = int(walk(away, settings)[0]), variance**0.5
    close = minutes <= tenths(settings.near)
    road = float(away[0]) * settings.detour
    words = f"徒歩 約{max(round(minutes / 10), 1)}分（道のり 約{road:,.0f} m）"
    if blur > 0:
        words += f"。住所の位置に ±{blur:,.0f} m の幅があります"
    found = [Reason(Mark.GOOD if close and not blur else Mark.CARE, "walk", words, minutes)]

    def add(wrong: bool, mark: Mark, code: str, bad: str, good: str, penalty: float) -> None:
        if wrong:
            found.append(Reason(mark, code, bad, tenths(penalty)))
        else:
            found.append(Reason(Mark.GOOD, code, good, 0))

    both = "、".join(sorted(person.zones & supporter.zones))
    add(
        bool(both),
        Mark.BAD,
        "same_zone",
        f"同じ災害で同時に危険になります（{both}）",
        "同じ危険区域にはいません",
        settings.same_zone,
    )
    lacking = "、".join(sorted(person.needs - supporter.skills))
    if person.needs:
        add(
            bool(lacking),
            Mark.BAD,
            "no_skill",
            f"必要な支援の経験がありません（{lacking}）",
            f"必要な支援ができます（{'、'.join(sorted(person.needs))}）",
            settings.no_skill,
        )
    if supporter.age is not None:
        add(
            supporter.age >= settings.aged_from,
            Mark.CARE,
            "aged",
            f"支援者が{settings.aged_from}歳以上です",
            f"支援者は{settings.aged_from}歳未満です",
            settings.aged,
        )
    add(
        _elsewhere(person, supporter),
        Mark.CARE,
        "other_association",
        "別の町内会です",
        "同じ町内会です",
        settings.other_association,
    )
    add(
        supporter.day_only,
        Mark.CARE,
        "day_only",
        "昼間だけ連絡がつきます",
        "昼も夜も連絡がつきます",
        settings.day_only,
    )
    return tuple(found)


def places(rows: Sequence[Person | Supporter]) -> Floats:
    """Plane coordinates, shape (len(rows), 2)."""
    return np.array([(row.x, row.y) for row in rows], np.float64).reshape(-1, 2)


def pair_costs(
    people: Sequence[Person],
    supporters: Sequence[Supporter],
    one: Indices,
    other: Indices,
    settings: Settings,
) -> Indices:
    """Tenths of minutes for every pair: the same sum as ``reasons``, all pairs at once."""
    gap = places(people)[one] - places(supporters)[other]
    blur = np.array([p.uncertainty * p.uncertainty for p in people], np.float64)[one]
    blur += np.array([s.uncertainty * s.uncertainty for s in supporters], np.float64)[other]
    cost = walk(metres(gap[:, 0], gap[:, 1], blur), settings)
    rows: list[Person | Supporter] = [*people, *supporters]
    zones = sorted({z for row in rows for z in row.zones})
    shared = _bits([p.zones for p in people], zones)[one]
    shared &= _bits([s.zones for s in supporters], zones)[other]
    cost += shared.any(axis=1) * tenths(settings.same_zone)
    skills = sorted({need for p in people for need in p.needs})
    lacking = _bits([p.needs for p in people], skills)[one]
    lacking &= ~_bits([s.skills for s in supporters], skills)[other]
    cost += lacking.any(axis=1) * tenths(settings.no_skill)
    aged = np.array([s.age is not None and s.age >= settings.aged_from for s in supporters], bool)
    cost += aged[other] * tenths(settings.aged)
    names = {
        name: k
        for k, name in enumerate(sorted({row.association for row in rows if row.association}))
    }
    mine = np.array([names.get(p.association or "", -1) for p in people], np.int64)[one]
    theirs = np.array([names.get(s.association or "", -1) for s in supporters], np.int64)[other]
    cost += ((mine != theirs) | (mine < 0)) * tenths(settings.other_association)
    day = np.array([s.day_only for s in supporters], bool)
    cost += day[other] * tenths(settings.day_only)
    return cost


def _elsewhere(person: Person, supporter: Supporter) -> bool:
    return not person.association or person.association != supporter.association


def _bits(sets: Sequence[frozenset[str]], names: Sequence[str]) -> Words:
    """One row of 64-bit words per set; the bit of ``names[k]`` is bit k."""
    place = {name: k for k, name in enumerate(names)}
    rows = np.zeros((len(sets), len(names) // 64 + 1), np.uint64)
    for index, members in enumerate(sets):
        for name in members:
            k = place.get(name)
            if k is not None:
                rows[index, k // 64] |= np.uint64(1 << (k % 64))
    return rows
