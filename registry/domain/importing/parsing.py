"""One record → typed values, or a rejected row that says what is wrong with which column.

Owns the reading of every cell by the profile and the checks within a row.  Refuses guesses: a
row with one wrong core cell is rejected whole and goes back to the sender.  Contact details that
cannot be read do not keep a person out: they are kept as they came, with a note.
Source: "Import" in the evacuation rules; R13.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from registry.domain.calendar import DatedValue, DateRefused, age_at, parse_date
from registry.domain.errors import Refused
from registry.domain.geo import in_japan
from registry.domain.identity import (
    half_width,
    normalise_municipality,
    normalise_number,
    normalise_phone,
    normalise_postcode,
)
from registry.domain.importing.fields import (
    DATES,
    GRADES,
    KEPT_WHEN_BLANK,
    LABELS,
    LENGTHS,
    CellRefused,
    Field,
    Value,
    coded,
    coded_list,
    grade,
)
from registry.domain.importing.profile import Column, Profile
from registry.domain.importing.reading import Layout, RawRow
from registry.domain.textcodec import private_characters

OLDEST = 130
FAR = date(9999, 12, 31)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_KANA = re.compile(r"[\u3041-\u30ff　=\-.A-Z]*")


@dataclass(frozen=True, slots=True)
class Note:
    """Something staff should look at; the row is taken all the same."""

    column: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class ParsedRow:
    """A row that was read.  ``values`` has the fields that this row tells about: a field left
    out is unknown to the sender, ``None`` or "" means that there is none."""

    row_number: int
    key: str
    values: Mapping[Field, Value]
    raw: tuple[str, ...]
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that goes back: column name, stable code, reason in Japanese, cells as they came.

    ``key`` is whose row it is where that could be read: returning it shows somebody's data.
    """

    row_number: int
    column: str
    code: str
    reason: str
    raw: tuple[str, ...]
    key: str = ""


def parse_row(row: RawRow, found: Layout, profile: Profile, *, on: date) -> ParsedRow | RejectedRow:
    """Read one record; the first wrong cell rejects it.  ``on`` is the day of the import.

    Never raises for what is in the row.
    """
    if len(row.cells) != len(found.header):
        return RejectedRow(
            row.number, "", "row_cell_count",
            f"項目の数が見出しとちがいます（見出し{len(found.header)}、この行{len(row.cells)}）。",
            row.cells,
        )
    values: dict[Field, Value] = {}
    notes: list[Note] = []
    names = {column.field: column.name for column, _ in found.places}
    for column, place in found.places:
        cell = row.cells[place].strip()
        try:
            if not cell and column.field in KEPT_WHEN_BLANK and not column.needed:
                continue
            if not cell and column.needed:
                raise CellRefused(f"{LABELS[column.field]}が空です。", code="cell_empty")
            if _CONTROL.search(cell):
                raise CellRefused("改行や制御文字が入っています。", code="cell_control")
            values[column.field] = _value(column, cell, profile, notes)
        except Refused as refused:
            return _rejected(row, column.name, refused, _key(row, found, profile))
        outside = private_characters(cell)
        if outside:
            notes.append(Note(column.name, "note_gaiji", "外字です。字形を確かめてください。"))
    try:
        _check_row(values, on)
    except _Wrong as wrong:
        return _rejected(row, names[wrong.field], wrong, str(values[Field.NUMBER]))
    return ParsedRow(row.number, str(values[Field.NUMBER]), values, row.cells, tuple(notes))


def _key(row: RawRow, found: Layout, profile: Profile) -> str:
    """The number of a row that is wrong elsewhere; "" when the number is not readable."""
    for column, place in found.places:
        if column.field == Field.NUMBER:
            try:
                return str(_value(column, row.cells[place].strip(), profile, []))
            except Refused:
                break
    return ""


def _rejected(row: RawRow, column: str, refused: Refused, key: str) -> RejectedRow:
    return RejectedRow(row.number, column, refused.code, refused.message, row.cells, key)


class _Wrong(CellRefused):
    def __init__(self, field: Field, message: str, code: str) -> None:
        self.field = field
        super().__init__(message, code=code)


def _value(column: Column, cell: str, profile: Profile, notes: list[Note]) -> Value:
    field = column.field
    if field is Field.NUMBER:
        return normalise_number(cell, width=profile.number_width)
    if field is Field.HOUSEHOLD_NUMBER:
        return normalise_number(cell) if cell else None
    if field is Field.MUNICIPALITY:
        return _municipality(cell, profile)
    if field is Field.BORN_ON:
        return _date(column, cell, profile, expiry=False)
    if field in DATES:
        return _day(column, cell, profile, notes)
    if field in (Field.LONGITUDE, Field.LATITUDE):
        return _degrees(field, cell)
    if field in (Field.PHONE, Field.POSTCODE):
        return _contact(column, cell, profile, notes)
    if field in (Field.SEX, Field.CARE_LEVEL):
        return coded(field, cell, column.codes) if cell or field is Field.SEX else ""
    if field is Field.INTRACTABLE_DISEASE:
        return bool(cell) and coded(field, cell, column.codes) == "yes"
    if field in (Field.PHYSICAL_PARTS, Field.NEEDS):
        return coded_list(field, cell, column.codes) if cell else ()
    if field in GRADES:
        return grade(field, cell) if cell else None
    text = _kana(column, cell, notes) if field is Field.KANA else cell
    if len(text) > LENGTHS[field]:
        raise CellRefused(f"{LABELS[field]}が{LENGTHS[field]}字をこえています。",
                          code="cell_too_long")
    return text


def _municipality(cell: str, profile: Profile) -> str:
    code = normalise_municipality(cell) if cell else ""
    if profile.municipality and code != profile.municipality:
        raise CellRefused("この市町村の行ではありません。", code="cell_other_municipality")
    return code


def _date(column: Column, cell: str, profile: Profile, *, expiry: bool) -> DatedValue | None:
    plain = half_width(cell)
    if not plain or plain in profile.blank_dates:
        return None
    if plain in profile.open_dates:
        return DatedValue.of(FAR)
    try:
        return parse_date(cell, style=column.style, allow_overrun=expiry)
    except DateRefused as refused:
        if refused.code == "date_empty" and not column.needed:
            return None
        raise


def _day(column: Column, cell: str, profile: Profile, notes: list[Note]) -> date | None:
    """A day to act on: of an expiry the last possible day, of an event the first."""
    expiry = column.field is Field.PROTECTED_UNTIL
    value = _date(column, cell, profile, expiry=expiry)
    if value is None:
        return None
    if value.day is None:
        notes.append(Note(column.name, "note_day_unknown", "日が分からない日付です。"))
    return value.last if expiry else value.first


def _degrees(field: Field, cell: str) -> float:
    try:
        return float(half_width(cell))
    except ValueError as error:
        raise CellRefused(f"{LABELS[field]}は度の小数で書いてください。",
                          code="cell_degrees") from error


def _contact(column: Column, cell: str, profile: Profile, notes: list[Note]) -> str:
    if not cell:
        return ""
    try:
        if column.field is Field.PHONE:
            return normalise_phone(cell, area_code=profile.phone_area_code)
        return normalise_postcode(cell)
    except Refused as refused:
        notes.append(Note(column.name, "note_" + refused.code, refused.message))
        return cell[: LENGTHS[column.field]]


def _kana(column: Column, cell: str, notes: list[Note]) -> str:
    """Full-width kana with one kind of space; other letters are noted."""
    text = "　".join(unicodedata.normalize("NFKC", cell).split())
    if not _KANA.fullmatch(text):
        notes.append(Note(column.name, "note_kana", "かな以外の文字が入っています。"))
    return text


def _check_row(values: Mapping[Field, Value], on: date) -> None:
    """Facts that cannot be together; raises ``_Wrong`` naming the field."""
    lon, lat = values.get(Field.LONGITUDE), values.get(Field.LATITUDE)
    if (lon is None) != (lat is None):
        raise _Wrong(Field.LONGITUDE, "経度と緯度の片方しかありません。", "row_half_location")
    if isinstance(lon, float) and isinstance(lat, float) and not in_japan(lon, lat):
        swapped = in_japan(lat, lon)
        reason = "経度と緯度が逆です。" if swapped else "位置が日本の範囲にありません。"
        raise _Wrong(Field.LONGITUDE, reason, "row_location_swapped" if swapped else "geo_range")
    born = values.get(Field.BORN_ON)
    if isinstance(born, DatedValue):
        if born.first > on:
            raise _Wrong(Field.BORN_ON, "生年月日が取込の日より後です。", "row_born_in_future")
        if age_at(born.last, on) > OLDEST:
            raise _Wrong(Field.BORN_ON, f"{OLDEST}歳をこえています。", "row_too_old")
    died = values.get(Field.DIED_ON)
    if isinstance(died, date):
        if died > on:
            raise _Wrong(Field.DIED_ON, "死亡日が取込の日より後です。", "row_died_in_future")
        if isinstance(born, DatedValue) and died < born.first:
            raise _Wrong(Field.DIED_ON, "死亡日が生年月日より前です。", "row_died_before_birth")
    moved_in, moved_out = values.get(Field.MOVED_IN_ON), values.get(Field.MOVED_OUT_ON)
    if isinstance(born, DatedValue) and isinstance(moved_in, date) and moved_in < born.first:
        raise _Wrong(Field.MOVED_IN_ON, "転入日が生年月日より前です。", "row_moved_before_birth")
    if isinstance(born, DatedValue) and isinstance(moved_out, date) and moved_out < born.first:
        raise _Wrong(Field.MOVED_OUT_ON, "転出日が生年月日より前です。", "row_moved_before_birth")
