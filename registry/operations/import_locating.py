"""Where an imported person lives: coordinates of the file, else the town's point.

Owns the source and the stated uncertainty of each place.  Refuses to overwrite a place that
staff confirmed on the map (``survey``) unless the address changed.  evacuation.md, "Locations".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.conf import settings

from registry.domain.gazetteer import Gazetteer, Match, TownEntry
from registry.domain.geo import to_plane
from registry.domain.importing.fields import Field, Value
from registry.models import LocationSource, Person, TownPoint

FILE_UNCERTAINTY_M = 25  # 住所の緯度経度は建物のおよその位置


class Locator:
    """Places people on the plane of ``PLANE_ZONE``."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._gazetteer = gazetteer
        self._seen: dict[tuple[str, str, str], Match | None] = {}

    @classmethod
    def load(cls) -> Locator:
        """With the town points in the database."""
        rows = TownPoint.objects.values_list("town", "koaza", "longitude", "latitude")
        entries = [TownEntry(*row) for row in rows]
        return cls(Gazetteer(entries, city=settings.CITY_NAME, zone=settings.PLANE_ZONE))

    def place(self, people: Sequence[tuple[Person, Mapping[Field, Value], bool]]) -> None:
        """Set the location columns; each item is (person, the row's values, has it moved)."""
        for person, values, moved in people:
            longitude, latitude = values.get(Field.LONGITUDE), values.get(Field.LATITUDE)
            if isinstance(longitude, float) and isinstance(latitude, float):
                if moved or person.location_source != LocationSource.SURVEY:
                    _set(person, longitude, latitude, LocationSource.IMPORT, FILE_UNCERTAINTY_M)
            elif moved or person.location_source == LocationSource.NONE:
                self._by_town(person)
        placed = [p for p, _, _ in people if p.longitude is not None and p.latitude is not None]
        if placed:
            plane = to_plane([p.longitude or 0.0 for p in placed],
                             [p.latitude or 0.0 for p in placed], settings.PLANE_ZONE)
            for person, north, east in zip(
                placed, plane.north_m.tolist(), plane.east_m.tolist(), strict=True
            ):
                person.north_m, person.east_m = north, east

    def _by_town(self, person: Person) -> None:
        key = (person.town, person.koaza, person.address)
        if key not in self._seen:
            if len(self._seen) >= 50_000:
                self._seen.clear()  # memory stays flat on any file
            self._seen[key] = self._gazetteer.find(
                town=person.town, koaza=person.koaza, address=person.address
            )
        match = self._seen[key]
        if match is None:
            person.longitude = person.latitude = person.east_m = person.north_m = None
            person.location_source, person.location_uncertainty_m = LocationSource.NONE, 0
            return
        _set(person, match.longitude, match.latitude, LocationSource.TOWN, match.uncertainty_m)


def _set(
    person: Person, longitude: float, latitude: float, source: LocationSource, metres: int
) -> None:
    person.longitude, person.latitude = longitude, latitude
    person.location_source, person.location_uncertainty_m = source, metres
