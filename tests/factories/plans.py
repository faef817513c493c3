"""A small world for plans: the cast on the roster, two shelters, a flooded river bank (見本)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from evacuation.domain.recipients import RecipientKind
from evacuation.models import Consent, CriteriaSet, RosterEntry, Shelter
from evacuation.operations import hazards, places
from registry import access
from registry.operations import staff

ALL = [kind.value for kind in RecipientKind]


def square(west: float, south: float, size: float = 0.002) -> list[list[list[float]]]:
    east, north = west + size, south + size
    return [[[west, south], [west, north], [east, north], [east, south], [west, south]]]


def flood(*zones: tuple[float, float, int]) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"A31a_205": rank},
         "geometry": {"type": "Polygon", "coordinates": square(west, south)}}
        for west, south, rank in zones
    ]}).encode()


@dataclass(frozen=True)
class World:
    """Ids of the shelters: ``school`` outside every zone, ``hall`` in the flood zone."""

    school: int
    hall: int


def points(kind: str, rows: list[dict[str, Any]]) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [row["lon"], row["lat"]]},
         "properties": {"共通ID": f"{kind}{n}", "施設・場所名": row["name"],
                        "住所": "会津若松市見本町", **row.get("more", {})}}
        for n, row in enumerate(rows, start=1)
    ]}).encode()


def world(by: access.Scope) -> World:
    """Shelters and zones; Hanako's home (139.93, 37.495) lies in the flood zone, rank 2."""
    spots = [
        {"name": "見本小学校", "lon": 139.9360, "lat": 37.4990, "more": {"洪水": "1", "地震": "1"}},
        {"name": "南公民館", "lon": 139.9301, "lat": 37.4960, "more": {"洪水": "1"}},
    ]
    places.import_gsi(sites=points("E", spots), shelters=points("S", spots), by=by)
    hazards.import_zones(file=flood((139.9290, 37.4945, 2)), kind="flood", name="見本",
                         is_sample=True, by=by)
    ids = dict(Shelter.objects.values_list("name", "pk"))
    return World(ids["見本小学校"], ids["南公民館"])


def listed(by: access.Scope, *person_ids: int, needs: tuple[str, ...] = ("wheelchair",),
           urgency: int = 0) -> None:
    """Put people on the roster."""
    rules, _ = CriteriaSet.objects.get_or_create(version="test", defaults={
        "title": "見本", "citation": "見本", "body": {}, "in_force_on": by.on,
        "made_at": by.at, "made_by_id": staff.actor_id(by=by),
    })
    for person in person_ids:
        RosterEntry(
            person_id=person, number=f"07-{person:05d}", state="listed", criteria=[],
            criteria_set=rules, needs=list(needs), communication="耳が遠い",
            contact_name="見本 長女", contact_relation="長女", contact_phone="090-0000-0000",
            bedroom="平屋・南側", urgency=urgency, listed_at=by.at, updated_at=by.at,
        ).save(force_insert=True)


def consents(by: access.Scope, person_id: int, purpose: str, answer: str = "agreed",
             kinds: list[str] | None = None, minutes: int = 60) -> None:
    """Record an answer, ``minutes`` before the scope's time."""
    Consent(
        person_id=person_id, purpose=purpose, answer=answer, means="paper",
        answered_at=by.at - timedelta(minutes=minutes), kinds=ALL if kinds is None else kinds,
        form_version="1", explained_normal=True, explained_disaster=True,
        recorded_at=by.at, recorded_by_id=staff.actor_id(by=by),
    ).save(force_insert=True)


#: Steps 1, 2, 3, 6, 7 answered; 4 and 5 depend on the world.
ANSWERS: dict[int, dict[str, Any]] = {
    1: {"phone": "0242-00-0001", "emergency_contacts": [
        {"name": "見本 長女", "relation": "長女", "phone": "090-0000-0000"}]},
    2: {"needs": ["wheelchair"], "communication": "左から大きな声で", "power_device": False},
    3: {"building": "木造平屋", "bedroom": "南側", "hazards_checked": True},
    6: {"trigger_level": 3, "carry": ["くすり", "めがね"]},
    7: {"written_way": "professional", "read_back_to_person": True, "read_back_with": "本人"},
}


def destination(shelter_id: int, hazard: str = "flood") -> dict[str, Any]:
    return {"destinations": [{
        "hazard": hazard, "shelter_id": shelter_id, "route": "北東へ。川ぞいは通らない。",
        "transport": "車いすを押す", "minutes": 14,
    }]}
