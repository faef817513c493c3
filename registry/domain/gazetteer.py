"""From a town and 小字, or a written address, to a point with a stated uncertainty.

Owns the look-up on town points (町丁・小字の代表点) and how far off such a point may be.  Refuses
a guess: an address that begins with no known town has no place.  The uncertainty is the distance
to the nearest other point (a 小字) or the reach of the town, so that two neighbours on the same
point are never taken to be at distance 0.  Source: evacuation.md, "Places and hazards".
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from math import hypot

from registry.domain.geo import to_plane

LEAST_KOAZA_M, LEAST_TOWN_M, MOST_M = 80, 200, 5_000
_DIGITS = str.maketrans("0123456789", "〇一二三四五六七八九")


@dataclass(frozen=True, slots=True)
class TownEntry:
    """One point of the gazetteer, degrees; ``koaza`` empty for the town as a whole."""

    town: str
    koaza: str
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class Match:
    """A point and how far off it may be, in metres."""

    longitude: float
    latitude: float
    uncertainty_m: int


class Gazetteer:
    """Town points ready for look-up.  ``city`` is cut from the head of addresses."""

    def __init__(self, entries: Iterable[TownEntry], *, city: str, zone: int) -> None:
        self._city = _key(city)
        self._towns: dict[str, dict[str, Match]] = {}
        grouped: dict[str, list[TownEntry]] = defaultdict(list)
        for one in entries:
            grouped[_key(one.town)].append(one)
        for town, members in grouped.items():
            self._towns[town] = _matches(members, zone)
        self._longest = max((len(town) for town in self._towns), default=0)

    def __len__(self) -> int:
        return len(self._towns)

    def find(self, *, town: str = "", koaza: str = "", address: str = "") -> Match | None:
        """The 小字 if known, else the town; from the address when no town is named."""
        if town:
            found = self._in_town(_key(town), _key(koaza))
            if found is not None:
                return found
        return self._in_address(address) if address else None

    def _in_town(self, town: str, rest: str) -> Match | None:
        koazas = self._towns.get(town)
        if koazas is None:
            return None
        for length in range(len(rest), 0, -1):
            if rest[:length] in koazas:
                return koazas[rest[:length]]
        return koazas[""]

    def _in_address(self, address: str) -> Match | None:
        plain = _key(address)
        if self._city:
            _, found, rest = plain.partition(self._city)
            plain = rest if found else plain
        for length in range(min(self._longest, len(plain)), 0, -1):
            if plain[:length] in self._towns:
                return self._in_town(plain[:length], plain[length:])
        return None


def _matches(members: list[TownEntry], zone: int) -> dict[str, Match]:
    """小字 → match; "" is the town: its own point, or the middle of its 小字."""
    plane = to_plane([m.longitude for m in members], [m.latitude for m in members], zone)
    points = list(zip(plane.east_m.tolist(), plane.north_m.tolist(), strict=True))
    found: dict[str, Match] = {}
    for index, (one, (x, y)) in enumerate(zip(members, points, strict=True)):
        others = [hypot(x - a, y - b) for i, (a, b) in enumerate(points) if i != index]
        near = min((d for d in others if d > 0), default=float(LEAST_TOWN_M))
        if one.koaza:
            found[_key(one.koaza)] = Match(one.longitude, one.latitude,
                                           _bounded(near, LEAST_KOAZA_M))
    whole = next((i for i, one in enumerate(members) if not one.koaza), None)
    if whole is None:
        middle = (sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points))
        whole = min(range(len(points)), key=lambda i: hypot(points[i][0] - middle[0],
                                                           points[i][1] - middle[1]))
    reach = max(hypot(x - points[whole][0], y - points[whole][1]) for x, y in points)
    found[""] = Match(members[whole].longitude, members[whole].latitude,
                      _bounded(reach, LEAST_TOWN_M))
    return found


def _bounded(metres: float, least: int) -> int:
    return min(MOST_M, max(least, round(metres)))


def _key(text: str) -> str:
    """One spelling: no spaces, no 大字/字, 1丁目 as 一丁目, ケ/ヶ/が alike."""
    plain = unicodedata.normalize("NFKC", text).replace(" ", "")
    plain = plain.replace("大字", "").replace("字", "").translate(_SMALL)
    head, found, tail = plain.partition("丁目")
    if found and head and head[-1].isdigit():
        cut = len(head.rstrip("0123456789"))
        plain = head[:cut] + _kanji(head[cut:]) + found + tail
    return plain


_SMALL = str.maketrans({"ヶ": "ケ", "ヵ": "カ", "が": "ケ"})


def _kanji(digits: str) -> str:
    """1–99 as in 十二丁目."""
    value = int(digits)
    if not 1 <= value <= 99:
        return digits
    tens, ones = divmod(value, 10)
    head = "" if tens == 0 else ("十" if tens == 1 else str(tens).translate(_DIGITS) + "十")
    return head + (str(ones).translate(_DIGITS) if ones else "")
