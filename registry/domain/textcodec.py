"""Encodings of files that offices exchange: UTF-8 (with or without BOM) and CP932.

Owns detection, incremental decoding and CP932 as Windows writes it.  Refuses mixed files and
undecodable bytes (naming the row), UTF-16, and silent loss: a character that CP932 lacks is
written as 〓, a variation selector is dropped, and both are reported with row and column.
Memory does not grow with the file: everything works on chunks.
Source: Microsoft code page 932 (best fit: NEC row 13, then IBM rows FA–FC, never ED/EE).
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from registry.domain.errors import Refused

GETA = "〓"
MAX_LINE_BYTES = 1 << 20


class TextRefused(Refused):
    """Codes: ``text_mixed text_undecodable text_utf16 text_line_too_long``; ``row`` from 1."""

    code = "text_undecodable"

    def __init__(self, message: str, *, code: str, row: int | None = None) -> None:
        self.row = row
        super().__init__(message, code=code)


class Encoding(StrEnum):
    """The encodings we read and write; the values are stored with each import."""

    UTF8 = "utf-8"
    UTF8_BOM = "utf-8-sig"
    CP932 = "cp932"


_JAPANESE = re.compile(r"[\u3000-\u30ff\u3220-\u33ff\u4e00-\u9fff\uf900-\ufaff\uff01-\uff9f]")
_UNUSED = re.compile(r"[\x80\xa0\uf8f0-\uf8f3]")  # what the codec makes of bytes 80 A0 FD FE FF
_SELECTOR = re.compile(r"[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_MARKS = re.compile(r"[\u3041-\u30ff][\u3099\u309a]")
_PRIVATE = re.compile(r"[\ue000-\uf8ff\U000f0000-\U0010fffd]")


def detect(chunks: Iterable[bytes]) -> Encoding:
    """The one encoding of a whole file, read in chunks of any size.

    Every line is judged: a line may be plain ASCII, possible in one encoding, or in both (then
    it counts as UTF-8 only if that reading is Japanese throughout).  An ASCII file is UTF-8.
    Raises ``TextRefused``: ``text_mixed`` with the first row that disagrees with the majority,
    ``text_undecodable`` with the row, ``text_utf16``, ``text_line_too_long``.
    """
    count = {Encoding.UTF8: 0, Encoding.CP932: 0}
    first: dict[Encoding, int] = {}
    bom = False
    for row, line in enumerate(_byte_lines(chunks), start=1):
        if row == 1:
            if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise TextRefused(
                    "UTF-16（Unicodeテキスト）のファイルです。UTF-8かシフトJISで保存しなおしてください。",
                    code="text_utf16",
                )
            bom = line.startswith(codecs.BOM_UTF8)
            line = line.removeprefix(codecs.BOM_UTF8)
        if line.isascii():
            continue
        found = _encoding_of_line(line, row)
        if found is not None:
            count[found] += 1
            first.setdefault(found, row)
    if count[Encoding.CP932] and (bom or count[Encoding.UTF8]):
        odd = min(count, key=lambda each: count[each])
        row = first.get(odd, first[Encoding.CP932])
        raise TextRefused(
            f"{row}行目の文字コードがほかの行とちがいます（UTF-8とシフトJISの混在）。",
            code="text_mixed", row=row,
        )
    if bom:
        return Encoding.UTF8_BOM
    return Encoding.CP932 if count[Encoding.CP932] else Encoding.UTF8


def _encoding_of_line(line: bytes, row: int) -> Encoding | None:
    utf8, cp932 = _try(line, "utf-8"), _try(line, "cp932")
    if utf8 is None and cp932 is None:
        raise TextRefused(
            f"{row}行目に読みとれない文字があります。もとの仕組みから出しなおしてください。",
            code="text_undecodable", row=row,
        )
    if utf8 is None:
        return Encoding.CP932
    if cp932 is None:
        return Encoding.UTF8
    wide = [c for c in utf8 if not c.isascii()]
    japanese = sum(bool(_JAPANESE.match(c)) for c in wide)
    return Encoding.UTF8 if japanese >= 2 and japanese == len(wide) else None


def _try(line: bytes, encoding: str) -> str | None:
    try:
        text = line.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if encoding == "cp932" and _UNUSED.search(text) else text


def _byte_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines without their end; \\n and \\r are never part of a character in either encoding."""
    rest, row = b"", 1
    for chunk in chunks:
        lines = re.split(rb"\r\n|\n|\r(?!\Z)", rest + chunk)
        rest = lines.pop()
        yield from lines
        row += len(lines)
        if len(rest) > MAX_LINE_BYTES:
            raise TextRefused(f"{row}行目が長すぎます。CSVファイルか確かめてください。",
                              code="text_line_too_long", row=row)
    if rest:
        yield rest.removesuffix(b"\r")


def decode(chunks: Iterable[bytes], encoding: Encoding) -> Iterator[str]:
    """Text in pieces, one per chunk, whatever the chunk borders cut.  BOM removed.

    Raises ``TextRefused`` (``text_undecodable``, row) at the first byte that is not text.
    """
    decoder = codecs.getincrementaldecoder(encoding.value)("strict")
    row = 1
    for chunk in chunks:
        piece = _step(decoder, chunk, False, row)
        row += chunk.count(b"\n")
        if piece:
            yield piece
    last = _step(decoder, b"", True, row)
    if last:
        yield last


def _step(decoder: codecs.IncrementalDecoder, chunk: bytes, final: bool, row: int) -> str:
    try:
        return decoder.decode(chunk, final)
    except UnicodeDecodeError as error:
        at = row + error.object[: error.start].count(b"\n")
        raise TextRefused(f"{at}行目に読みとれない文字があります。",
                          code="text_undecodable", row=at) from error


def private_characters(text: str) -> str:
    """Characters of the private area (外字): their meaning belongs to the sending system."""
    return "".join(_PRIVATE.findall(text))


def strip_selectors(text: str) -> str:
    """Without variation selectors (異体字セレクタ)."""
    return _SELECTOR.sub("", text)


class LossKind(StrEnum):
    """What CP932 could not carry."""

    MISSING = "missing"  # written as 〓
    SELECTOR = "selector"  # dropped; the base form is written


@dataclass(frozen=True, slots=True)
class Loss:
    """One character lost: ``row`` from 1 (the header is row 1), ``column`` from 1."""

    row: int
    column: int
    character: str
    kind: LossKind


Report = Callable[[Loss], None]


def _windows_rows() -> dict[str, bytes]:
    """Characters that Python writes to the NEC-selected rows, with the bytes of Windows."""
    table: dict[str, bytes] = {}
    for lead in (0xFA, 0xFB, 0xFC):
        for trail in (*range(0x40, 0x7F), *range(0x80, 0xFD)):
            pair = bytes((lead, trail))
            character = _try(pair, "cp932")
            if character and character.encode("cp932")[0] in (0xED, 0xEE):
                table[character] = pair
    return table


_IBM = _windows_rows()
# Same mark, other code point; Windows writes them so and nobody calls it a loss.
_SAME = {"—": "―", "¥": "￥", "‾": "￣", "¦": "￤", "\u00a0": " ", "‑": "‐"}
_MOVED = re.compile(f"[{''.join(_IBM)}]")


def encode_cp932(text: str, *, row: int, column: int, report: Report) -> bytes:
    """One cell in CP932 as Windows writes it; every loss goes to ``report``, none is raised.

    髙 becomes FBFC (not EEE0); 𠮷 becomes 〓 and is reported; 葛󠄀 loses its selector and is
    reported.  Kana with separate voicing marks are composed first.
    """
    return _bytes(_writable(text, row, column, report))


def _writable(text: str, row: int, column: int, report: Report) -> str:
    """The same cell with only characters that CP932 has."""
    if text.isascii():
        return text
    text = _MARKS.sub(lambda found: unicodedata.normalize("NFC", found[0]), text)
    for selector in _SELECTOR.findall(text):
        report(Loss(row, column, selector, LossKind.SELECTOR))
    text = "".join(_SAME.get(character, character) for character in strip_selectors(text))
    try:
        text.encode("cp932")
        if not _UNUSED.search(text):
            return text
    except UnicodeEncodeError:
        pass
    written = []
    for character in text:
        if not _has(character):
            report(Loss(row, column, character, LossKind.MISSING))
        written.append(character if _has(character) else GETA)
    return "".join(written)


def _has(character: str) -> bool:
    try:
        character.encode("cp932")
    except UnicodeEncodeError:
        return False
    return not _UNUSED.match(character)


def _bytes(text: str) -> bytes:
    if not _MOVED.search(text):
        return text.encode("cp932")
    return b"".join(_IBM.get(character) or character.encode("cp932") for character in text)


def encode_rows(
    rows: Iterable[Sequence[str]],
    encoding: Encoding,
    *,
    report: Report,
    delimiter: str = ",",
) -> Iterator[bytes]:
    """CSV lines (CRLF, quoted where needed) in ``encoding``, one ``bytes`` a row.

    UTF-8 carries everything and reports nothing; a BOM comes before the first row if asked for.
    """
    if encoding is Encoding.UTF8_BOM:
        yield codecs.BOM_UTF8
    for number, cells in enumerate(rows, start=1):
        if encoding is not Encoding.CP932:
            yield _csv_line(cells, delimiter).encode("utf-8")
            continue
        cells = [_writable(cell, number, at, report) for at, cell in enumerate(cells, start=1)]
        yield _bytes(_csv_line(cells, delimiter))


def _csv_line(cells: Sequence[str], delimiter: str) -> str:
    line = io.StringIO()
    csv.writer(line, delimiter=delimiter, lineterminator="\r\n").writerow(cells)
    return line.getvalue()
