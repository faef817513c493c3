"""Rows of a CSV file, one at a time: the header checked, limits kept, nothing held.

Owns splitting text into records, the limits, the header and the first pass over a file
(``inspect``).  Refuses the whole file — before anything is stored — for a NUL byte, a broken
quotation, too many rows or columns, missing columns (all of them named), or a column that holds
個人番号 (R13).  Row numbers are those a spreadsheet shows: the header is row 1.
Source: RFC 4180; R13.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from registry.domain.errors import Refused
from registry.domain.identity import IdentityRefused, MyNumberProbe, half_width, normalise_number
from registry.domain.importing.profile import Column, Profile
from registry.domain.textcodec import Encoding


class FileRefused(Refused):
    """Codes: ``file_empty file_columns_missing file_columns_twice file_too_many_rows
    file_too_many_columns file_cell_too_long file_nul file_quote file_my_number file_encoding``."""

    code = "file_quote"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may be: rows without header, columns, characters of a cell."""

    rows: int = 1_000_000
    columns: int = 200
    cell: int = 4_000


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class RawRow:
    """One record: its row number in a spreadsheet (header = 1) and its cells as they came."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each column of a profile is in this file's header."""

    header: tuple[str, ...]
    places: tuple[tuple[Column, int], ...]


@dataclass(frozen=True, slots=True)
class Inspection:
    """The first pass: row count without header, and 宛名番号 that occur more than once."""

    layout: Layout
    rows: int
    repeated: frozenset[str]


def text_lines(pieces: Iterable[str]) -> Iterator[str]:
    """Lines with their end, split only at CR, LF and CRLF, wherever the pieces are cut."""
    rest = ""
    for piece in pieces:
        *lines, rest = re.split(r"(?<=\n)|(?<=\r)(?![\n]|\Z)", rest + piece)
        yield from lines
    if rest:
        yield rest


def records(
    pieces: Iterable[str], *, delimiter: str = ",", limits: Limits = LIMITS
) -> Iterator[RawRow]:
    """Every record, header included, empty lines left out.

    Raises ``FileRefused`` for NUL, broken quotation, and each limit, naming the row.
    """
    number = 1
    reader = csv.reader(_checked(text_lines(pieces)), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if cells:
                yield from _within(cells, number, limits)
            number += 1
    except csv.Error as error:
        raise FileRefused(
            f"{number}行目の引用符（\"）が正しくありません。", code="file_quote"
        ) from error


def _within(cells: Sequence[str], number: int, limits: Limits) -> Iterator[RawRow]:
    if number > limits.rows + 1:
        raise FileRefused(f"{limits.rows:,}行をこえています。ファイルを分けてください。",
                          code="file_too_many_rows")
    if len(cells) > limits.columns:
        raise FileRefused(f"{number}行目の列が{limits.columns}をこえています。",
                          code="file_too_many_columns")
    if any(len(cell) > limits.cell for cell in cells):
        raise FileRefused(f"{number}行目に{limits.cell:,}字をこえる項目があります。",
                          code="file_cell_too_long")
    yield RawRow(number, tuple(cells))


def _checked(lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if "\0" in line:
            raise FileRefused(f"{number}行目に読みとれない文字（NUL）があります。", code="file_nul")
        yield line


def sheet_rows(rows: Iterable[Sequence[object]]) -> Iterator[RawRow]:
    """Records from a spreadsheet's typed cells: whole numbers without 「.0」, dates as ISO."""
    for number, cells in enumerate(rows, start=1):
        texts = tuple(cell_text(cell) for cell in cells)
        if any(texts):
            yield RawRow(number, texts)


def cell_text(cell: object) -> str:
    """One typed cell as a CSV of the same sheet would have it."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        midnight = (cell.hour, cell.minute, cell.second) == (0, 0, 0)
        return cell.date().isoformat() if midnight else cell.isoformat(" ")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def layout(header: Sequence[str], profile: Profile) -> Layout:
    """Find the profile's columns by name (width and outer spaces do not count).

    Raises ``FileRefused``: ``file_columns_missing`` listing every missing column,
    ``file_columns_twice``.  Columns the profile does not name are left alone.
    """
    names = [half_width(name) for name in header]
    wanted = [(column, half_width(column.name)) for column in profile.columns]
    missing = [c.name for c, name in wanted if name not in names and not c.optional]
    if missing:
        raise FileRefused(
            f"「{profile.title}」に必要な列がありません：{'、'.join(missing)}。",
            code="file_columns_missing", fields=dict.fromkeys(missing, "この列がありません。"),
        )
    twice = [c.name for c, name in wanted if names.count(name) > 1]
    if twice:
        raise FileRefused(f"同じ名前の列が二つあります：{'、'.join(twice)}。",
                          code="file_columns_twice")
    places = tuple((c, names.index(name)) for c, name in wanted if name in names)
    return Layout(tuple(header), places)


def check_encoding(encoding: Encoding, profile: Profile) -> None:
    """Raises ``FileRefused`` (``file_encoding``) when the profile does not expect it."""
    if encoding not in profile.encodings:
        raise FileRefused(
            f"文字コードが形式とちがいます（{encoding.value}）。", code="file_encoding"
        )


def inspect(rows: Iterator[RawRow], profile: Profile) -> Inspection:
    """The first pass over a whole file; keeps only the 宛名番号 seen.

    Raises ``FileRefused``: ``file_empty``, the header's refusals, and ``file_my_number`` when
    any column but the declared 宛名番号 column looks like 個人番号 (R13) or is named so.
    """
    head = next(rows, None)
    if head is None:
        raise FileRefused("ファイルが空です。", code="file_empty")
    found = layout(head.cells, profile)
    key = next(place for column, place in found.places if column.name == profile.number_column)
    probes = [MyNumberProbe() for _ in head.cells]
    filled = [False] * len(head.cells)
    seen: set[str] = set()
    repeated: set[str] = set()
    count = 0
    for row in rows:
        count += 1
        for place, cell in enumerate(row.cells):
            if place >= len(probes):
                probes.append(MyNumberProbe())
                filled.append(False)
            probes[place].see(cell)
            filled[place] = filled[place] or bool(cell.strip())
        try:
            number = normalise_number(row.cells[key] if key < len(row.cells) else "",
                                      width=profile.number_width)
        except IdentityRefused:
            continue  # the row will be rejected with its reason in the second pass
        (repeated if number in seen else seen).add(number)
    for place, probe in enumerate(probes):
        name = head.cells[place] if place < len(head.cells) else f"{place + 1}列目"
        called = bool(re.search("個人番号|マイナンバー", half_width(name))) and filled[place]
        if place != key and (probe.alarmed or called):
            raise FileRefused(
                f"列「{name}」は個人番号（マイナンバー）のようです。"
                "個人番号は取りこめません。この列をのぞいたファイルを出しなおしてください。",
                code="file_my_number", fields={name: "個人番号のようです。"},
            )
    return Inspection(found, count, frozenset(repeated))
