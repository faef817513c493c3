"""Judging the rows of a file against the register, a chunk at a time.

Owns the set-based answer to "who holds this number, and is there a namesake", and the meaning of
町内会 names.  Refuses an area that is not registered: such a row waits (``row_unknown_area``).
The verdicts themselves are ``registry.domain.importing.classifying``'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from typing import Any, TypeVar

from registry.access import Scope
from registry.domain.calendar import DatedValue, Precision
from registry.domain.identity import fold_name
from registry.domain.importing.classifying import (
    Judgement,
    Known,
    Neighbours,
    Verdict,
    classify,
    keys_of,
    same_value,
)
from registry.domain.importing.fields import Field, Value, from_plain
from registry.domain.importing.parsing import ParsedRow, RejectedRow, parse_row
from registry.domain.importing.profile import Profile
from registry.domain.importing.reading import Inspection, RawRow
from registry.models import Area, AreaKind, ImportRow, LocationSource, Person, WelfareRecord

CHUNK = 2_000
T = TypeVar("T")
WELFARE = (
    Field.CARE_LEVEL, Field.PHYSICAL_GRADE, Field.PHYSICAL_PARTS, Field.PHYSICAL_CLASS,
    Field.INTELLECTUAL_LABEL, Field.MENTAL_GRADE, Field.INTRACTABLE_DISEASE, Field.NEEDS,
)
_SUFFIXES = ("町内会", "自治会", "区会", "町会")


@dataclass(frozen=True)
class Areas:
    """町内会 by code and by name (with and without 町内会); ambiguous names are left out."""

    by_code: Mapping[str, tuple[int, str, str]]
    by_name: Mapping[str, tuple[int, str, str]]

    @classmethod
    def load(cls) -> Areas:
        rows = list(
            Area.objects.filter(kind=AreaKind.NEIGHBOURHOOD).values_list("pk", "code", "name")
        )
        names = Counter(_plain(name) for _, _, name in rows)
        return cls(
            {row[1]: row for row in rows},
            {_plain(row[2]): row for row in rows if names[_plain(row[2])] == 1},
        )

    def of(self, values: Mapping[Field, Value]) -> tuple[int, str, str] | None:
        """(id, code, name) of what a row names; the code counts before the name."""
        code = str(values.get(Field.AREA_CODE) or "")
        name = str(values.get(Field.AREA_NAME) or "")
        return self.by_code.get(code) if code else self.by_name.get(_plain(name))

    @staticmethod
    def named(values: Mapping[Field, Value]) -> bool:
        """Whether the row says anything about a 町内会."""
        return bool(values.get(Field.AREA_CODE) or values.get(Field.AREA_NAME))


def _plain(name: str) -> str:
    key = fold_name(name)
    for suffix in _SUFFIXES:
        key = key.removesuffix(suffix)
    return key


def chunked(rows: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """Lists of ``size``, the last one shorter."""
    stream = iter(rows)
    while some := list(islice(stream, size)):
        yield some


def judged(
    rows: Iterable[RawRow], inspection: Inspection, profile: Profile, *, areas: Areas, wide: Scope
) -> Iterator[list[Judgement]]:
    """One judgement for each record, in the file's order, in chunks of 2,000."""
    alone = not Person.objects.visible_to(wide).exists()
    for some in chunked(rows):
        read = [parse_row(raw, inspection.layout, profile, on=wide.on) for raw in some]
        parsed = [row for row in read if isinstance(row, ParsedRow)]
        known = iter(
            compared(parsed, profile, areas=areas, wide=wide, repeated=inspection.repeated,
                     alone=alone)
        )
        yield [
            Judgement(Verdict.REJECTED, row, code=row.code, reason=row.reason)
            if isinstance(row, RejectedRow) else next(known)
            for row in read
        ]


def compared(
    rows: Sequence[ParsedRow],
    profile: Profile,
    *,
    areas: Areas,
    wide: Scope,
    repeated: frozenset[str] = frozenset(),
    people: Mapping[str, Person] | None = None,
    welfare: Mapping[int, WelfareRecord] | None = None,
    alone: bool = False,
) -> list[Judgement]:
    """Judge parsed rows against the register as it is now: three queries for a chunk.

    ``alone``: the register was empty before this file, so that nobody can be a namesake.
    """
    if people is None:
        people = people_by_number([row.key for row in rows], wide)
    if welfare is None:
        welfare = welfare_of([one.pk for one in people.values()], profile, wide)
    new = [row for row in rows if row.key not in people and profile.creates_people]
    namesakes = {} if alone else _namesakes(new, wide)
    found = []
    for row in rows:
        person = people.get(row.key)
        known = None if person is None else Known(known_values(person, welfare.get(person.pk)))
        named = areas.of(row.values) if areas.named(row.values) else None
        if named is not None:
            row = replace(row, values=_canonical(row.values, named))
        if person is not None and person.location_source == LocationSource.SURVEY:
            row = _without_place(row, person)
        near = Neighbours(known, namesakes.get(row.key, 0))
        judgement = classify(row, near, profile, on=wide.on, repeated=row.key in repeated)
        if (
            named is None and areas.named(row.values)
            and judgement.verdict in (Verdict.NEW, Verdict.CHANGED)
        ):
            judgement = Judgement(Verdict.AMBIGUOUS, row, judgement.changes, "row_unknown_area",
                                  "この町内会は登録されていません。区域を登録してから取りこんでください。")
        found.append(judgement)
    return found


def _canonical(
    values: Mapping[Field, Value], area: tuple[int, str, str]
) -> Mapping[Field, Value]:
    """The row with the area's registered code and name, where the row gives them."""
    own = {Field.AREA_CODE: area[1], Field.AREA_NAME: area[2]}
    return {field: own.get(field, value) for field, value in values.items()}


def _without_place(row: ParsedRow, person: Person) -> ParsedRow:
    """A place confirmed on the map outweighs the file's, unless the address changed."""
    if not same_value(Field.ADDRESS, person.address, row.values.get(Field.ADDRESS, "")):
        return row
    kept: dict[Field, Value] = {
        f: v for f, v in row.values.items() if f not in (Field.LONGITUDE, Field.LATITUDE)
    }
    return replace(row, values=kept)


def people_by_number(numbers: Sequence[str], wide: Scope) -> dict[str, Person]:
    """宛名番号 → person with household and area, in one query."""
    rows = (
        Person.objects.visible_to(wide)
        .filter(number__in=numbers)
        .select_related("household", "area")
    )
    return {one.number: one for one in rows}


def welfare_of(ids: Sequence[int], profile: Profile, wide: Scope) -> dict[int, WelfareRecord]:
    """person id → welfare record; nothing is read when the file says nothing of it."""
    if not set(profile.written) & set(WELFARE) or not ids:
        return {}
    rows = WelfareRecord.objects.visible_to(wide).filter(person_id__in=ids)
    return {one.person_id: one for one in rows}


def _namesakes(rows: Sequence[ParsedRow], wide: Scope) -> dict[str, int]:
    """number → how many others have the same folded name and birth date (day known)."""
    wanted: dict[tuple[str, date], list[str]] = {}
    for row in rows:
        name, _, born = keys_of(row)
        if name and born is not None and born.precision is Precision.DAY:
            wanted.setdefault((name, born.first), []).append(row.key)
    if not wanted:
        return {}
    found: Counter[str] = Counter()
    there = (
        Person.objects.visible_to(wide)
        .filter(born_on__in={born for _, born in wanted}, born_precision=Precision.DAY)
        .exclude(updated_at=wide.at)  # who came with this very file is no stranger
        .values_list("name_key", "born_on")
    )
    for key in there.iterator(chunk_size=2_000):
        found.update(wanted.get(key, ()))
    return dict(found)


def known_values(person: Person, welfare: WelfareRecord | None) -> dict[Field, Value]:
    """What is stored about a person, in the importer's terms."""
    born = None if person.born_on is None else DatedValue.of(person.born_on, person.born_precision)
    values: dict[Field, Value] = {
        Field.NUMBER: person.number,
        Field.HOUSEHOLD_NUMBER: person.household.number if person.household else None,
        Field.NAME: person.name, Field.KANA: person.kana, Field.BORN_ON: born,
        Field.SEX: person.sex, Field.POSTCODE: person.postcode, Field.ADDRESS: person.address,
        Field.BUILDING: person.building, Field.TOWN: person.town, Field.KOAZA: person.koaza,
        Field.AREA_CODE: person.area.code if person.area else None,
        Field.AREA_NAME: person.area.name if person.area else None,
        Field.SECTION: person.section, Field.PHONE: person.phone,
        Field.LONGITUDE: person.longitude if person.location_source == "import" else None,
        Field.LATITUDE: person.latitude if person.location_source == "import" else None,
        Field.MOVED_IN_ON: person.moved_in_on, Field.MOVED_OUT_ON: person.moved_out_on,
        Field.DIED_ON: person.died_on, Field.FACILITY_SINCE: person.facility_since,
        Field.FACILITY_NAME: person.facility_name, Field.PROTECTED_UNTIL: person.protected_until,
    }
    if welfare is not None:
        for field in WELFARE:
            stored: Any = getattr(welfare, field.value)
            values[field] = tuple(stored) if isinstance(stored, list) else stored
    return values


def parsed_row(row: ImportRow) -> ParsedRow:
    """A kept row as it was read."""
    return ParsedRow(row.row_number, row.key, from_plain(row.values), tuple(row.raw))
