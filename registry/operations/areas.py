"""Areas and town points, created and updated as sets.

Owns writing the tree municipality → district → 町内会 and the gazetteer of town points
(町丁・小字の代表点).  Refuses a parent that is neither in the set nor in the database, and a
tree of more than three levels.  Running the same set again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from registry import audit
from registry.access import Scope
from registry.domain.errors import Refused
from registry.domain.roles import Permission
from registry.models import Area, AreaKind, LogKind, TownPoint

_PARENT_OF = {
    AreaKind.MUNICIPALITY: None,
    AreaKind.DISTRICT: AreaKind.MUNICIPALITY,
    AreaKind.NEIGHBOURHOOD: AreaKind.DISTRICT,
}


class BadArea(Refused):
    """An area's kind, code or parent does not fit the tree; ``fields`` names the code."""

    code = "bad_area"
    message = "区域の上下関係が正しくありません。"


@dataclass(frozen=True)
class AreaFacts:
    """One area as it should be.  ``parent`` is a code; degrees WGS 84."""

    kind: str
    code: str
    name: str
    kana: str = ""
    parent: str | None = None
    longitude: float | None = None
    latitude: float | None = None


@dataclass(frozen=True)
class TownFacts:
    """The point that stands for a 町丁 (``koaza`` empty) or a 小字, in degrees."""

    town: str
    koaza: str
    longitude: float
    latitude: float


@transaction.atomic
def load_areas(*, areas: Iterable[AreaFacts], by: Scope) -> dict[str, int]:
    """Create or update areas by code; returns code → id of those named.

    Raises:
        Forbidden: without ``staff.manage``.
        BadArea: unknown kind, missing or wrong parent, the same code twice.
    """
    by.require(Permission.STAFF_MANAGE)
    wanted: dict[str, AreaFacts] = {}
    for one in areas:
        if one.kind not in AreaKind.values or one.code in wanted:
            raise BadArea(fields={one.code: "種別が正しくないか、コードが二重です。"})
        wanted[one.code] = one
    ids: dict[str, int] = {}
    kinds: dict[str, str] = {}
    for code, pk, kind in Area.objects.values_list("code", "pk", "kind"):
        ids[code], kinds[code] = pk, kind
    kinds.update({code: one.kind for code, one in wanted.items()})
    for level in AreaKind.values:
        rows = [
            Area(
                kind=one.kind, code=one.code, name=one.name, kana=one.kana,
                parent_id=_parent(one, ids, kinds), longitude=one.longitude,
                latitude=one.latitude,
            )
            for one in wanted.values()
            if one.kind == level
        ]
        Area.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["code"], batch_size=500,
            update_fields=["kind", "name", "kana", "parent", "longitude", "latitude"],
        )
        ids.update(Area.objects.filter(kind=level).values_list("code", "pk"))
    audit.note(scope=by, kind=LogKind.CHANGE, action="areas.load", subject_kind="area",
               detail={"areas": len(wanted)})
    return {code: ids[code] for code in wanted}


def _parent(one: AreaFacts, ids: dict[str, int], kinds: dict[str, str]) -> int | None:
    expected = _PARENT_OF[AreaKind(one.kind)]
    if expected is None:
        if one.parent is not None:
            raise BadArea(fields={one.code: "市区町村に上位区域はありません。"})
        return None
    if one.parent is None or one.parent not in ids or kinds.get(one.parent) != expected:
        raise BadArea(fields={one.code: f"上位は{expected.label}のコードにしてください。"})
    return ids[one.parent]


@transaction.atomic
def load_towns(*, towns: Iterable[TownFacts], by: Scope) -> int:
    """Create or update town points by (town, koaza); returns how many the gazetteer now has.

    Raises:
        Forbidden: without ``staff.manage``.
        BadArea: an empty town, or a point outside Japan.
    """
    by.require(Permission.STAFF_MANAGE)
    rows: dict[tuple[str, str], TownPoint] = {}
    for one in towns:
        if not one.town or not (122 <= one.longitude <= 154 and 20 <= one.latitude <= 46):
            raise BadArea("町丁の名前か位置が正しくありません。", code="bad_town",
                          fields={one.town or "町丁": "名前と位置を確かめてください。"})
        rows[one.town, one.koaza] = TownPoint(
            town=one.town, koaza=one.koaza, longitude=one.longitude, latitude=one.latitude
        )
    TownPoint.objects.bulk_create(
        rows.values(), update_conflicts=True, unique_fields=["town", "koaza"], batch_size=500,
        update_fields=["longitude", "latitude"],
    )
    audit.note(scope=by, kind=LogKind.CHANGE, action="areas.load_towns", subject_kind="town",
               detail={"towns": len(rows)})
    return TownPoint.objects.count()
