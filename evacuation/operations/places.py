"""Shelters and emergency sites: import, join, capacity, confirmation.

Owns the writers of ``EmergencySite`` and ``Shelter``.  A re-import shows the difference, keeps
what people decided (joins, capacities), and closes what is gone with a date.  Refuses a file
without one usable row, a change of a capacity that somebody else changed, a join to a closed
site.  Source: 国土地理院 指定緊急避難場所・指定避難所データ; デジタル庁 標準データセット.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.conf import settings
from django.db import transaction

from evacuation.domain import place_join, places
from evacuation.domain.hazards import HazardRefused, RejectedRow
from evacuation.models import EmergencySite, Shelter
from registry import audit, outbox
from registry.access import Scope
from registry.domain import geo, textcodec
from registry.domain.errors import Conflict, NotFound, Refused
from registry.domain.roles import Permission

GSI = "国土地理院 指定緊急避難場所・指定避難所データ"
SPECIAL = {"wheelchair": "車いす", "power": "電源", "bed": "ベッド"}
T = TypeVar("T", EmergencySite, Shelter)


class PlaceRefused(Refused):
    """The file or the change cannot be used; ``fields`` names the input."""

    code = "place_invalid"
    message = "避難先の内容を確認してください。"


class ShelterChanged(Conflict):
    """Somebody changed the shelter in between."""

    code = "shelter_changed"
    message = "ほかの人が先に変更しました。読みなおしてから、もう一度お願いします。"


@dataclass(frozen=True)
class Difference:
    """What an import did with one kind of place; new + changed + same = usable rows."""

    new: int
    changed: int
    same: int
    closed: int
    rejected: tuple[RejectedRow, ...]


@dataclass(frozen=True)
class PlacesImported:
    """Differences, and how the shelters stand to the sites afterwards."""

    sites: Difference
    shelters: Difference
    welfare: int
    sure: int
    doubtful: int
    alone: int
    confirmed: int


@transaction.atomic
def import_gsi(
    *, sites: bytes, shelters: bytes, by: Scope, source: str = GSI
) -> PlacesImported:
    """Bring in both files (GeoJSON or CSV, UTF-8 or CP932), then join them.

    A repeat changes nothing.  Raises ``Forbidden``, ``PlaceRefused`` (``place_file_invalid``,
    ``place_file_empty``), ``textcodec.TextRefused`` for unreadable bytes.
    """
    by.require(Permission.PLACES_MANAGE)
    parsed_sites = places.parse_sites(_rows(sites))
    parsed_shelters = places.parse_shelters(_rows(shelters))
    if not parsed_sites.sites or not parsed_shelters.shelters:
        raise PlaceRefused("使える行がひとつもありません。", code="place_file_empty")
    one = _store(
        EmergencySite, parsed_sites.sites, parsed_sites.rejected, by,
        lambda s: {"hazards": sorted(h.value for h in s.hazards), "source": source},
    )
    two = _store(
        Shelter, parsed_shelters.shelters, parsed_shelters.rejected, by,
        lambda s: {
            "is_welfare": s.admits.welfare, "admits": sorted(g.value for g in s.admits.groups),
            "admits_text": s.admits.text[:240], "source": source,
        },
    )
    _join(parsed_sites.sites, parsed_shelters.shelters, by)
    states = list(Shelter.objects.filter(closed_on__isnull=True).values_list(
        "join_state", "is_welfare"))
    audit.note(scope=by, kind="change", action="places.import", subject_kind="shelter",
               detail={"sites": one.new + one.changed, "shelters": two.new + two.changed,
                       "closed": one.closed + two.closed})
    count = [state for state, _ in states].count
    return PlacesImported(
        one, two, sum(welfare for _, welfare in states), count(Shelter.Join.SURE),
        count(Shelter.Join.DOUBTFUL), count(Shelter.Join.ALONE), count(Shelter.Join.CONFIRMED),
    )


def _rows(raw: bytes) -> tuple[places.Row, ...]:
    try:
        if raw.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
            return places.geojson_rows(json.loads(raw.decode("utf-8-sig")))
        return places.csv_rows("".join(textcodec.decode([raw], textcodec.detect([raw]))))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PlaceRefused("GeoJSONとして読めません。", code="place_file_invalid") from error
    except HazardRefused as error:
        raise PlaceRefused(error.message, code=error.code) from error


def key_of(place: places.Site | places.Shelter) -> str:
    """共通ID, or a stable key from name and position where the file has none."""
    if place.key:
        return place.key[:24]
    text = f"{place.name}|{place.lon:.6f}|{place.lat:.6f}"
    return "P-" + hashlib.sha256(text.encode()).hexdigest()[:20]


def _store(
    model: type[T], given: Sequence[Any], rejected: Sequence[RejectedRow], by: Scope,
    more: Callable[[Any], Mapping[str, Any]],
) -> Difference:
    there = {row.source_id: row for row in model.objects.select_for_update()}
    bad, seen = list(rejected), set()
    new: list[T] = []
    changed: list[T] = []
    same = 0
    plane = geo.to_plane([p.lon for p in given], [p.lat for p in given], settings.PLANE_ZONE)
    for at, place in enumerate(given):
        key = key_of(place)
        if key in seen:
            bad.append(RejectedRow(at + 1, "place_key_twice", "同じ共通IDの行が前にあります。"))
            continue
        seen.add(key)
        columns = {
            "name": place.name[:160], "address": place.address[:240], "longitude": place.lon,
            "latitude": place.lat, "north_m": float(plane.north_m[at]),
            "east_m": float(plane.east_m[at]), "closed_on": None, **more(place),
        }
        row = there.get(key)
        if row is None:
            new.append(model(source_id=key, **columns))
        elif any(getattr(row, name) != value for name, value in columns.items()):
            for name, value in columns.items():
                setattr(row, name, value)
            row.save()
            changed.append(row)
        else:
            same += 1
    model.objects.bulk_create(new)
    gone = [row for key, row in there.items() if key not in seen and row.closed_on is None]
    for row in gone:
        row.closed_on = by.on
        row.save(update_fields=["closed_on"])
        if isinstance(row, Shelter):
            outbox.put(kind="evacuation.review_shelter", subject_id=row.pk, at=by.at,
                       dedupe_key=f"review_shelter:{row.pk}:{by.on.isoformat()}")
    return Difference(len(new), len(changed), same, len(gone), tuple(bad))


def _join(
    sites: Sequence[places.Site], shelters: Sequence[places.Shelter], by: Scope
) -> None:
    """Join by position and name; what a person confirmed stays confirmed."""
    joined = place_join.join(shelters, sites)
    rows = {row.source_id: row for row in Shelter.objects.filter(closed_on__isnull=True)}
    ids = {row.source_id: row for row in EmergencySite.objects.filter(closed_on__isnull=True)}
    sure = {pair.shelter: pair for pair in joined.sure}
    for at, place in enumerate(shelters):
        row = rows.get(key_of(place))
        if row is None or row.join_state == Shelter.Join.CONFIRMED:
            continue
        pair = sure.get(at)
        site = ids.get(key_of(sites[pair.site])) if pair is not None else None
        doubts = [
            {"site": key_of(sites[p.site]), "name": sites[p.site].name,
             "distance_m": round(p.distance_m), "likeness": round(p.likeness, 2),
             "doubt": p.doubt.value if p.doubt else ""}
            for p in joined.doubtful if p.shelter == at
        ]
        state = (Shelter.Join.SURE if site is not None
                 else Shelter.Join.DOUBTFUL if doubts else Shelter.Join.ALONE)
        _set_site(row, site, state, doubts)


def _set_site(
    row: Shelter, site: EmergencySite | None, state: str, doubts: list[dict[str, Any]]
) -> None:
    safe = sorted(site.hazards) if site is not None else None
    wanted = (site.pk if site is not None else None, state, doubts, safe)
    if (row.site_id, row.join_state, row.join_candidates, row.safe_for) != wanted:
        row.site, row.join_state, row.join_candidates, row.safe_for = site, state, doubts, safe
        row.version += 1
        row.save(update_fields=["site", "join_state", "join_candidates", "safe_for", "version"])


@transaction.atomic
def confirm_join(*, shelter_id: int, site_id: int | None, by: Scope) -> Shelter:
    """A person decides a doubtful pair: this site, or none (``site_id`` None).

    Raises ``Forbidden``, ``NotFound``, ``PlaceRefused`` for a closed site.
    """
    by.require(Permission.PLACES_MANAGE)
    row = _locked(shelter_id)
    site = None
    if site_id is not None:
        site = EmergencySite.objects.filter(pk=site_id, closed_on__isnull=True).first()
        if site is None:
            raise PlaceRefused(fields={"site_id": "使われている指定緊急避難場所を選んでください。"})
    _set_site(row, site, Shelter.Join.CONFIRMED, [])
    audit.note(scope=by, kind="change", action="places.confirm_join",
               subject_kind="shelter", subject_id=row.pk)
    return row


@transaction.atomic
def set_capacity(
    *, shelter_id: int, capacity: int | None, by: Scope,
    special_places: Mapping[str, int] | None = None, companions: int = 0,
    direct_evacuation: bool = False, confirmation: str = Shelter.Confirmation.NONE,
    is_sample: bool = False, version: int | None = None,
) -> Shelter:
    """How many people needing care a shelter takes (要配慮者の枠), and on what terms.

    ``capacity`` None is unknown, never zero.  ``special_places`` maps ``wheelchair``, ``power``,
    ``bed`` to places; a missing key is unknown, 0 is none.  ``version`` guards against a change
    in between.  Raises ``Forbidden``, ``NotFound``, ``ShelterChanged``, ``PlaceRefused``.
    """
    by.require(Permission.PLACES_MANAGE)
    row = _locked(shelter_id)
    if version is not None and row.version != version:
        raise ShelterChanged
    wrong: dict[str, str] = {}
    if capacity is not None and not 0 <= capacity <= 100_000:
        wrong["capacity"] = "人数を0以上で入れてください（分からないときは空にします）。"
    for name, number in (special_places or {}).items():
        if name not in SPECIAL or not 0 <= number <= 100_000:
            wrong[f"special_places.{name}"] = "車いす・電源・ベッドの数を0以上で入れてください。"
    if not 0 <= companions <= 8:
        wrong["companions"] = "付きそいは0〜8人で入れてください。"
    if confirmation not in Shelter.Confirmation.values:
        wrong["confirmation"] = "受入れの確認の状態を選んでください。"
    if wrong:
        raise PlaceRefused(fields=wrong)
    row.capacity, row.special_places = capacity, dict(special_places or {})
    row.companions, row.direct_evacuation = companions, direct_evacuation
    row.confirmation, row.capacity_is_sample = confirmation, is_sample
    row.version += 1
    row.save()
    audit.note(scope=by, kind="change", action="places.set_capacity",
               subject_kind="shelter", subject_id=row.pk,
               fields=["capacity", "special_places", "direct_evacuation", "confirmation"])
    return row


def shelter_ids(source_ids: Iterable[str]) -> dict[str, int]:
    """共通ID → id, for imports of capacities."""
    return dict(Shelter.objects.filter(source_id__in=list(source_ids)).values_list(
        "source_id", "pk"))


def _locked(shelter_id: int) -> Shelter:
    row = Shelter.objects.select_for_update().filter(pk=shelter_id).first()
    if row is None:
        raise NotFound
    return row
