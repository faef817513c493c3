"""Maps from our own data: GeoJSON for the screen, the same in words, the same for paper.

Owns the features of one plan's map (home, shelters, route, zones, supporters who consented) and
of the city's gaps.  Words and picture come from the same values.  No tiles from outside: their
requests would tell where listed people live.  The route is a straight line until somebody
describes the way; it says so.  Contract of the features: head of ``web/static/web/js/map.js``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import shapely
from django.conf import settings
from shapely.geometry import LineString, box, mapping

from evacuation.documents.plan_values import MapPlace, MapZone, Pattern, PlanMap
from evacuation.domain.destinations import bearing, far
from evacuation.domain.hazards import HazardArea, HazardKind, metres_per_degree
from evacuation.domain.plan_items import PlanHazard, PlanStep
from evacuation.models import Supporter
from evacuation.queries.hazards import Hazards, in_force
from evacuation.queries.plan_choices import DestinationOption
from evacuation.queries.plan_drafts import helpers, part
from evacuation.queries.plans import shown_version, visible_plan
from registry.access import Scope
from registry.domain import geo
from registry.domain.roles import Permission
from registry.queries import people
from registry.queries.facts import Place

MOST_ZONES = 400
MARGIN_M = 500.0


@dataclass(frozen=True)
class Layer:
    """One checkbox of the legend; ``pattern`` is a name of map.js."""

    id: str
    label: str
    checked: bool
    pattern: str


@dataclass(frozen=True)
class MapData:
    """A map: FeatureCollection, legend, the same in words, and where it comes from."""

    data: dict[str, Any]
    layers: tuple[Layer, ...]
    text: str
    source: str


def pattern_of(area: HazardArea) -> str:
    """The pattern on the screen: depth or kind, never colour alone."""
    if area.kind is HazardKind.FLOOD:
        return "flood-low" if area.rank == 1 else "flood-mid" if area.rank == 2 else "flood-deep"
    return "debris" if area.kind is HazardKind.DEBRIS_FLOW else "landslide"


_PAPER: dict[str, Pattern] = {
    "flood-low": "waves", "flood-mid": "lines", "flood-deep": "dots", "landslide": "steep",
    "debris": "cross",
}


def plan_map(
    scope: Scope, *, plan_id: int, options: list[DestinationOption] | None = None,
    hazard: str | None = None,
) -> MapData:
    """The map beside step 4: home, the options by rank, zones, the chosen way, supporters.

    Supporters appear only with their consent and for those who may look for supporters.
    Leaves a view record for the home.  Raises ``Forbidden``, ``NotFound``.
    """
    plan = visible_plan(scope, plan_id)
    shown = shown_version(scope, plan)
    chosen = part(shown.steps if shown else {}, PlanStep.DESTINATION).get("destinations", [])
    mine = [one for one in chosen if hazard in (None, one["hazard"])]
    home = people.places(scope, person_ids=[plan.person_id], action="plans.map").get(
        plan.person_id)
    hazards = in_force()
    goals = _goals(options, mine)
    zones = _zones_near(hazards, home, goals)
    features = [_zone_feature(area) for area in zones]
    features += [_route(home, one) for one in mine if home is not None and "longitude" in one]
    features += [_point(lon, lat, "shelters", "shelter", label=name, rank=str(rank), full=full)
                 for lon, lat, name, rank, full in goals]
    if home is not None:
        features.append(_point(home.longitude, home.latitude, "home", "home", label="自宅"))
    helping = _supporters(scope, plan.person_id)
    features += helping
    layers = {
        area.label: Layer(_layer(area), area.label, True, pattern_of(area)) for area in zones
    }
    found = list(layers.values())
    if helping:
        found.append(Layer("supporters", "支援者の家（同意者）", False, "supporters"))
    return MapData(
        {"type": "FeatureCollection", "features": features}, tuple(found),
        words(home, hazards, mine), _source(hazards),
    )


def _goals(
    options: list[DestinationOption] | None, mine: list[dict[str, Any]]
) -> list[tuple[float, float, str, int, bool]]:
    if options is not None:
        return [(o.longitude, o.latitude, o.name, o.rank, bool(o.refused)) for o in options]
    return [(one["longitude"], one["latitude"], one["place"], at, False)
            for at, one in enumerate(mine, start=1) if "longitude" in one]


def _zones_near(
    hazards: Hazards, home: Place | None, goals: list[tuple[float, float, str, int, bool]]
) -> list[HazardArea]:
    points = [(g[0], g[1]) for g in goals]
    points += [(home.longitude, home.latitude)] if home is not None else []
    if not points:
        return []
    north, east = metres_per_degree(points[0][1])
    frame = box(
        min(p[0] for p in points) - MARGIN_M / east, min(p[1] for p in points) - MARGIN_M / north,
        max(p[0] for p in points) + MARGIN_M / east, max(p[1] for p in points) + MARGIN_M / north,
    )
    return [area for area in hazards.index.areas if area.geometry.intersects(frame)][:MOST_ZONES]


def _layer(area: HazardArea) -> str:
    return f"{area.kind.value}-{area.rank}"


def _zone_feature(area: HazardArea) -> dict[str, Any]:
    return {
        "type": "Feature", "geometry": mapping(area.geometry),
        "properties": {"layer": _layer(area), "kind": pattern_of(area), "zone": area.label},
    }


def _point(
    lon: float, lat: float, layer: str, kind: str, *, label: str = "", rank: str = "",
    full: bool = False,
) -> dict[str, Any]:
    properties: dict[str, Any] = {"layer": layer, "kind": kind, "label": label}
    if rank:
        properties["rank"] = rank
    if full:
        properties["full"] = True
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": [lon, lat]},
            "properties": properties}


def _route(home: Place, one: dict[str, Any]) -> dict[str, Any]:
    line = [[home.longitude, home.latitude], [one["longitude"], one["latitude"]]]
    return {"type": "Feature", "geometry": {"type": "LineString", "coordinates": line},
            "properties": {"layer": "route", "kind": "route"}}


def _supporters(scope: Scope, person_id: int) -> list[dict[str, Any]]:
    if not scope.may(Permission.SUPPORTERS_PROPOSE):
        return []
    ids = [one.supporter_id for one in helpers(scope, person_ids=[person_id]).get(person_id, [])
           if one.agreed]
    rows = Supporter.objects.visible_to(scope).filter(
        pk__in=ids, consented_at__isnull=False, east_m__isnull=False)
    found = []
    for name, east, north in rows.order_by("pk").values_list("name", "east_m", "north_m"):
        at = geo.to_geographic(north, east, settings.PLANE_ZONE)
        found.append(_point(float(at.longitude), float(at.latitude), "supporters", "supporter",
                            label=name))
    return found


def words(home: Place | None, hazards: Hazards, chosen: list[dict[str, Any]]) -> str:
    """The map in sentences: what lies at home, how far and where to, through which zones."""
    if home is None:
        return "住まいの位置が分かりません。地図で位置を確かめてください。"
    here = hazards.index.worst(
        home.longitude, home.latitude, uncertainty_m=home.uncertainty_m
    )
    said = ["自宅は" + "・".join(area.label for area in here.values()) + "の区域。"
            if here else "自宅は区域の外。" if hazards.covered else "自宅の区域は未確認。"]
    if home.uncertainty_m:
        said.append(f"住まいの位置には ±{home.uncertainty_m:,}m の幅があります。")
    for one in chosen:
        if "longitude" in one:
            said.append(_way(home, hazards, one))
    return "".join(said)


def _way(home: Place, hazards: Hazards, one: dict[str, Any]) -> str:
    north, east = metres_per_degree(home.latitude)
    dx = (one["longitude"] - home.longitude) * east
    dy = (one["latitude"] - home.latitude) * north
    length = (dx * dx + dy * dy) ** 0.5
    hazard = PlanHazard(one["hazard"])
    said = f"{hazard.label}のとき：{one['place']}まで{bearing(dx, dy)}へ約{far(length)}（直線）"
    line = LineString([(home.longitude, home.latitude), (one["longitude"], one["latitude"])])
    zones = [a.geometry for a in hazards.index.areas
             if a.kind.plan_hazard is hazard and a.geometry.intersects(line)]
    if not zones:
        return said + ("、直線は区域の外。" if hazard in hazards.covered else "。")
    inside = shapely.union_all(zones).intersection(line)
    share = inside.length / line.length if line.length else 1.0
    return said + f"、直線のうち約{far(length * share)}が区域の中。"


def _source(hazards: Hazards) -> str:
    said = "出典：" + "、".join((*hazards.sources, "国土地理院 指定緊急避難場所・指定避難所データ"))
    return said + ("（区域は見本）" if hazards.is_sample else "")


def paper_map(home: Place | None, chosen: list[dict[str, Any]]) -> PlanMap | None:
    """The same map for the printed sheet; None without a home and without a destination."""
    places = [one for one in chosen if "longitude" in one]
    if home is None or not places:
        return None
    hazards = in_force()
    goals = [(one["longitude"], one["latitude"], one["place"], at, False)
             for at, one in enumerate(places, start=1)]
    unique: dict[tuple[float, float], MapPlace] = {}
    for lon, lat, name, at, _ in goals:
        unique.setdefault((lon, lat), MapPlace(at=(lon, lat), label=name, kind="destination",
                                               number=str(at)))
    return PlanMap(
        text=words(home, hazards, chosen),
        places=(MapPlace(at=(home.longitude, home.latitude), label="自宅", kind="home"),
                *unique.values()),
        route=((home.longitude, home.latitude),
               (places[0]["longitude"], places[0]["latitude"])),
        zones=tuple(
            MapZone(label=area.label, pattern=_PAPER[pattern_of(area)], polygons=_rings(area))
            for area in _zones_near(hazards, home, goals)
        ),
        source=_source(hazards),
    )


def _rings(area: HazardArea) -> tuple[tuple[tuple[tuple[float, float], ...], ...], ...]:
    return tuple(
        tuple(
            tuple((float(x), float(y)) for x, y in ring.coords)
            for ring in (shape.exterior, *shape.interiors)
        )
        for shape in shapely.get_parts(area.geometry) if shape.geom_type == "Polygon"
    )
