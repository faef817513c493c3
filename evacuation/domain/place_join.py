"""Joining shelters to emergency sites, because their identifiers never agree.

Owns the join by coordinates and name, and the queue of doubtful pairs that a person decides.
Refuses to guess: same place but other name, same name but other place, or two equally good
partners is a doubt, and each shelter and each site is in at most one sure pair.
Source: 国土地理院 指定緊急避難場所・指定避難所データ (共通ID differ between the two files).
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from evacuation.domain.hazards import metres_per_degree
from evacuation.domain.places import Shelter, Site

SURE_METRES = 100.0
DOUBT_METRES = 150.0
SAME_NAME_METRES = 2_000.0
SIMILAR = 0.6


class Doubt(StrEnum):
    """Why a pair waits for a person."""

    NAME_DIFFERS = "name_differs"
    FAR_APART = "far_apart"
    SEVERAL = "several"

    @property
    def label(self) -> str:
        """Sentence for the queue."""
        return {
            Doubt.NAME_DIFFERS: "場所は同じですが名前が違います",
            Doubt.FAR_APART: "名前は同じですが場所が離れています",
            Doubt.SEVERAL: "あてはまる相手が複数あります",
        }[self]


@dataclass(frozen=True, slots=True)
class Pair:
    """Indices into the two lists, the distance in metres and the likeness of names 0–1.

    ``doubt`` None is a sure pair.
    """

    shelter: int
    site: int
    distance_m: float
    likeness: float
    doubt: Doubt | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """``sure`` pairs, ``doubtful`` pairs for the queue, shelters without any candidate."""

    sure: tuple[Pair, ...]
    doubtful: tuple[Pair, ...]
    alone: tuple[int, ...]


_PARTS = re.compile(
    r"体育館|校庭|グラウンド|運動場|駐車場|園庭|敷地|[（(].*?[)）]|市立|町立|村立|県立"
)


def plain_name(name: str) -> str:
    """A name for comparing: NFKC, without spaces, brackets and words for parts of a site."""
    text = unicodedata.normalize("NFKC", name).casefold()
    short = "".join(_PARTS.sub("", text).split())
    return short or "".join(text.split())


def metres_between(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Distance in metres on the ellipsoid's local plane; good to 0.1 % below 20 km."""
    north, east = metres_per_degree((lat1 + lat2) / 2)
    return math.hypot((lon2 - lon1) * east, (lat2 - lat1) * north)


def _likeness(a: str, b: str) -> float:
    if a == b:
        return 1.0
    return SequenceMatcher(None, min(a, b), max(a, b), False).ratio()


def _judge(shelter: Shelter, site: Site, i: int, j: int) -> Pair | None:
    metres = metres_between(shelter.lon, shelter.lat, site.lon, site.lat)
    if metres > SAME_NAME_METRES:
        return None
    one, two = plain_name(shelter.name), plain_name(site.name)
    like = _likeness(one, two)
    same = one == two
    if metres <= SURE_METRES and same:
        return Pair(i, j, metres, like)
    if same:
        return Pair(i, j, metres, like, Doubt.FAR_APART)
    close = metres <= DOUBT_METRES
    if close and (like >= SIMILAR or one in two or two in one or metres < 1.0):
        return Pair(i, j, metres, like, Doubt.NAME_DIFFERS)
    return None


def join(shelters: Sequence[Shelter], sites: Sequence[Site]) -> Joined:
    """Join the two lists. Independent of their order, up to the indices.

    A sure pair has equal plain names within 100 m and no rival on either side; what else is near
    or alike goes to the queue, unless one of the two already has its sure partner.
    """
    found = [
        pair
        for i, shelter in enumerate(shelters)
        for j, site in enumerate(sites)
        if (pair := _judge(shelter, site, i, j)) is not None
    ]
    clear = [p for p in found if p.doubt is None]
    rivals_shelter = {p.shelter: sum(q.shelter == p.shelter for q in clear) for p in clear}
    rivals_site = {p.site: sum(q.site == p.site for q in clear) for p in clear}
    sure = [p for p in clear if rivals_shelter[p.shelter] == 1 and rivals_site[p.site] == 1]
    taken_shelters = {p.shelter for p in sure}
    taken_sites = {p.site for p in sure}
    doubtful = [
        p if p.doubt else Pair(p.shelter, p.site, p.distance_m, p.likeness, Doubt.SEVERAL)
        for p in found
        if p.shelter not in taken_shelters and p.site not in taken_sites
    ]
    named = taken_shelters | {p.shelter for p in doubtful}
    alone = tuple(i for i in range(len(shelters)) if i not in named)
    return Joined(
        tuple(sorted(sure, key=lambda p: p.shelter)),
        tuple(sorted(doubtful, key=lambda p: (p.shelter, p.distance_m, p.site))),
        alone,
    )
