"""Writing one chunk of judged rows: people, households, places, welfare facts, events.

Owns the upserts of an import, set-based on both engines, and which events they leave.  Refuses
to write what has become doubtful since staging, and to move a place that staff confirmed on the
map unless the address changed.  Only ``imports.apply`` uses it.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from registry import audit, bulk
from registry.access import Scope
from registry.domain.calendar import DatedValue, Precision
from registry.domain.identity import fold_kana, fold_name
from registry.domain.importing.classifying import Judgement, Verdict
from registry.domain.importing.consequences import EventKind, consequences
from registry.domain.importing.fields import Field, Value, from_plain
from registry.domain.importing.parsing import ParsedRow
from registry.domain.importing.profile import Profile
from registry.importing.judging import (
    WELFARE,
    Areas,
    compared,
    people_by_number,
    welfare_of,
)
from registry.models import (
    Household,
    ImportBatch,
    ImportRow,
    Person,
    PersonEvent,
    Sex,
    WelfareRecord,
)
from registry.operations.import_locating import Locator

_TEXTS = (
    Field.NAME, Field.KANA, Field.SEX, Field.POSTCODE, Field.ADDRESS, Field.BUILDING, Field.TOWN,
    Field.KOAZA, Field.SECTION, Field.PHONE, Field.FACILITY_NAME,
)
_DAYS = (
    Field.MOVED_IN_ON, Field.MOVED_OUT_ON, Field.DIED_ON, Field.FACILITY_SINCE,
    Field.PROTECTED_UNTIL,
)


class Applier:
    """Applies the rows of one batch, chunk after chunk; ``events`` counts what was noticed."""

    def __init__(
        self, *, batch: ImportBatch, profile: Profile, by: Scope, wide: Scope, first_load: bool
    ) -> None:
        self._batch, self._profile, self._by, self._wide = batch, profile, by, wide
        self._first_load = first_load
        self._areas = Areas.load()
        self._locator = Locator.load()
        self.events = 0

    def apply(self, rows: Sequence[ImportRow]) -> Counter[Verdict]:
        """Judge again, write, note; returns the verdicts as they turned out."""
        parsed = [ParsedRow(r.row_number, r.key, from_plain(r.values), tuple(r.raw)) for r in rows]
        people = people_by_number([row.key for row in parsed], self._wide)
        welfare = welfare_of([one.pk for one in people.values()], self._profile, self._wide)
        judgements = compared(parsed, self._profile, areas=self._areas, wide=self._wide,
                              people=people, welfare=welfare, alone=self._first_load)
        self._keep_doubts(rows, judgements)
        wanted = [each for each in judgements if each.verdict in (Verdict.NEW, Verdict.CHANGED)]
        self._write_people(wanted, people)
        ids = dict(
            Person.objects.visible_to(self._wide)
            .filter(number__in=[_parsed(each).key for each in wanted])
            .values_list("number", "pk")
        )
        self._write_welfare(wanted, ids, welfare)
        self._note(wanted, ids)
        return Counter(each.verdict for each in judgements)

    def _keep_doubts(self, rows: Sequence[ImportRow], judgements: Sequence[Judgement]) -> None:
        """Rows that have become doubtful or settled since staging say so."""
        changed = []
        for row, each in zip(rows, judgements, strict=True):
            if each.verdict.value != row.verdict:
                row.verdict, row.code, row.reason = each.verdict.value, each.code, each.reason
                changed.append(row)
        if changed:
            ImportRow.objects.unscoped().bulk_update(
                changed, ["verdict", "code", "reason"], batch_size=100
            )

    def _write_people(self, wanted: Sequence[Judgement], people: Mapping[str, Person]) -> None:
        if not set(self._profile.written) - set(WELFARE):
            return
        homes = self._households(wanted)
        rows: list[Person] = []
        to_place: list[tuple[Person, Mapping[Field, Value], bool]] = []
        for each in wanted:
            before = people.get(_parsed(each).key)
            changed = {change.field for change in each.changes} - set(WELFARE)
            if before is not None and not changed:
                continue
            row = Person(number=_parsed(each).key) if before is None else copy.copy(before)
            row.pk = None  # the number decides: insert, or update on conflict
            self._fill(row, each, homes, new=before is None)
            moved = before is None or bool(changed & _PLACED)
            to_place.append((row, _parsed(each).values, moved))
            rows.append(row)
        self._locator.place(to_place)
        bulk.upsert(rows, unique="number")

    def _fill(
        self, row: Person, each: Judgement, homes: Mapping[str, int], *, new: bool
    ) -> None:
        changes = {change.field: change.after for change in each.changes}
        for field in _TEXTS:
            if field in changes:
                setattr(row, field.value, changes[field] or "")
        for field in _DAYS:
            if field in changes:
                setattr(row, field.value, changes[field])
        if Field.HOUSEHOLD_NUMBER in changes:
            number = changes[Field.HOUSEHOLD_NUMBER]
            row.household_id = homes[str(number)] if number else None
        born = changes.get(Field.BORN_ON)
        if Field.BORN_ON in changes:
            dated = born if isinstance(born, DatedValue) else None
            row.born_on = None if dated is None else dated.first
            row.born_precision = (Precision.DAY if dated is None else dated.precision).value
        if Field.AREA_CODE in changes or Field.AREA_NAME in changes:
            area = self._areas.of(_parsed(each).values)
            row.area_id = area[0] if area else None
        if new:
            row.sex = row.sex or Sex.UNKNOWN
        row.name_key, row.kana_key = fold_name(row.name), fold_kana(row.kana)[:200]
        row.updated_at, row.updated_by_id = self._by.at, self._by.user_id
        row.version = 1 if new else row.version + 1

    def _households(self, wanted: Sequence[Judgement]) -> dict[str, int]:
        numbers = {
            str(change.after)
            for each in wanted for change in each.changes
            if change.field is Field.HOUSEHOLD_NUMBER and change.after
        }
        rows = Household.objects.visible_to(self._wide).filter(number__in=numbers)
        found = dict(rows.values_list("number", "pk"))
        missing = sorted(numbers - set(found))
        if missing:
            Household.objects.unscoped().bulk_create(
                [Household(number=number) for number in missing], ignore_conflicts=True
            )
            found = dict(rows.all().values_list("number", "pk"))
        return found

    def _write_welfare(
        self, wanted: Sequence[Judgement], ids: Mapping[str, int],
        before: Mapping[int, WelfareRecord],
    ) -> None:
        rows = []
        for each in wanted:
            changes = {c.field: c.after for c in each.changes if c.field in WELFARE}
            if not changes:
                continue
            person = ids[_parsed(each).key]
            row = copy.copy(before[person]) if person in before else WelfareRecord()
            row.pk, row.person_id, row.updated_at = None, person, self._by.at
            for field, value in changes.items():
                setattr(row, field.value, _stored(field, value))
            rows.append(row)
        bulk.upsert(rows, unique="person")

    def _note(self, wanted: Sequence[Judgement], ids: Mapping[str, int]) -> None:
        """Events for those who follow up, and a change record for each person changed."""
        events: list[PersonEvent] = []
        for each in wanted:
            number = _parsed(each).key
            events += [
                PersonEvent(person_id=ids[number], kind=one.kind.value, noticed_at=self._by.at,
                            happened_on=one.happened_on, batch=self._batch)
                for one in consequences(each, on=self._by.on)
                if not (self._first_load and one.kind is EventKind.MOVED_IN)
            ]
        PersonEvent.objects.unscoped().bulk_create(events, ignore_conflicts=True)
        self.events += len(events)
        audit.changed(
            scope=self._by, action="imports.apply",
            people=[
                (ids[_parsed(each).key], sorted(c.field.value for c in each.changes))
                for each in wanted if each.verdict is Verdict.CHANGED
            ],
        )


_PLACED = frozenset({
    Field.ADDRESS, Field.TOWN, Field.KOAZA, Field.LONGITUDE, Field.LATITUDE,
})


def _parsed(each: Judgement) -> ParsedRow:
    assert isinstance(each.row, ParsedRow)  # noqa: S101  # rejected rows are never applied
    return each.row


def _stored(field: Field, value: Value) -> Any:
    if field in (Field.PHYSICAL_PARTS, Field.NEEDS):
        return list(value) if isinstance(value, tuple) else []
    if field is Field.INTRACTABLE_DISEASE:
        return bool(value)
    if field in (Field.CARE_LEVEL, Field.INTELLECTUAL_LABEL):
        return value or ""
    return value
