"""The file of an import, read as often as needed without holding it: CSV or XLSX.

Owns opening, sniffing and re-reading a source (bytes or a path) in chunks, and handing rows back
in the file's own format.  Refuses a spreadsheet that unpacks to more than 400 MB, one without a
readable sheet, and passwords.  The rules of content are ``registry.domain.importing``'s.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import xlsxwriter
from python_calamine import CalamineError, CalamineWorkbook

from registry.domain.importing.profile import Profile
from registry.domain.importing.reading import (
    LIMITS,
    FileRefused,
    Limits,
    RawRow,
    check_encoding,
    records,
    sheet_rows,
)
from registry.domain.textcodec import Encoding, Loss, decode, detect, encode_rows

CHUNK = 1 << 18
MOST_UNPACKED = 400 * 1024 * 1024
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True)
class Source:
    """An import's file: its bytes, or where they lie."""

    content: bytes | Path

    def chunks(self) -> Iterator[bytes]:
        """The bytes, 256 KiB at a time; may be called again."""
        if isinstance(self.content, bytes):
            for start in range(0, len(self.content), CHUNK):
                yield self.content[start : start + CHUNK]
            return
        with self.content.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk

    def head(self) -> bytes:
        return next(self.chunks(), b"")[:8]

    def digest(self) -> str:
        """SHA-256 of the bytes, in hexadecimal."""
        running = hashlib.sha256()
        for chunk in self.chunks():
            running.update(chunk)
        return running.hexdigest()


@dataclass(frozen=True)
class Form:
    """How the file is written; enough to write one like it."""

    kind: str  # csv, xlsx
    encoding: str
    delimiter: str = ","


def form_of(source: Source, profile: Profile) -> Form:
    """CSV with its encoding, or XLSX.

    Raises:
        TextRefused, FileRefused: mixed or unexpected encoding, an old or locked spreadsheet.
    """
    head = source.head()
    if head.startswith(_OLE):
        raise FileRefused(
            "古い形式（.xls）かパスワードつきです。.xlsx かCSVで保存しなおしてください。",
            code="file_spreadsheet",
        )
    if head.startswith(_ZIP):
        return Form("xlsx", "xlsx")
    encoding = detect(source.chunks())
    check_encoding(encoding, profile)
    return Form("csv", encoding.value, profile.delimiter)


def rows_of(source: Source, form: Form, *, limits: Limits = LIMITS) -> Iterator[RawRow]:
    """Every record, header included; may be called again for another pass."""
    if form.kind == "csv":
        text = decode(source.chunks(), Encoding(form.encoding))
        return records(text, delimiter=form.delimiter, limits=limits)
    return _sheet(source, limits)


def _sheet(source: Source, limits: Limits) -> Iterator[RawRow]:
    content = source.content
    try:
        with zipfile.ZipFile(io.BytesIO(content) if isinstance(content, bytes) else content) as z:
            if sum(entry.file_size for entry in z.infolist()) > MOST_UNPACKED:
                raise FileRefused("表が大きすぎます。ファイルを分けてください。",
                                  code="file_too_many_rows")
        book = CalamineWorkbook.from_object(
            io.BytesIO(content) if isinstance(content, bytes) else str(content)
        )
        sheet = book.get_sheet_by_index(0)
    except (zipfile.BadZipFile, CalamineError, IndexError) as error:
        raise FileRefused("表計算ファイルとして読めません。", code="file_spreadsheet") from error
    for row in sheet_rows(sheet.iter_rows()):
        if row.number > limits.rows + 1:
            raise FileRefused(f"{limits.rows:,}行をこえています。ファイルを分けてください。",
                              code="file_too_many_rows")
        if len(row.cells) > limits.columns:
            raise FileRefused(f"{row.number}行目の列が{limits.columns}をこえています。",
                              code="file_too_many_columns")
        if any(len(cell) > limits.cell for cell in row.cells):
            raise FileRefused(f"{row.number}行目に{limits.cell:,}字をこえる項目があります。",
                              code="file_cell_too_long")
        yield row


def written(
    rows: Iterable[Sequence[str]], form: Form
) -> tuple[bytes, list[Loss]]:
    """A file in the same form, and what its encoding could not carry."""
    losses: list[Loss] = []
    if form.kind == "csv":
        lines = encode_rows(rows, Encoding(form.encoding), report=losses.append,
                            delimiter=form.delimiter)
        return b"".join(lines), losses
    target = io.BytesIO()
    options = {"in_memory": True, "constant_memory": True, "strings_to_formulas": False,
               "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(target, options) as book:
        sheet = book.add_worksheet("取込不可")
        for number, cells in enumerate(rows):
            for place, cell in enumerate(cells):
                sheet.write_string(number, place, cell)
    return target.getvalue(), losses
