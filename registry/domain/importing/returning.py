"""Rejected rows back as a file in the input's own format (取込不可の行).

Owns the added columns 行番号, 項目, 理由.  Refuses to change the sender's cells: the columns come
in the same order, delimiter and encoding, so that the file can be corrected and read again.
Source: "Import" in the evacuation rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from registry.domain.importing.parsing import RejectedRow
from registry.domain.importing.profile import Profile
from registry.domain.textcodec import Encoding, Report, encode_rows

ADDED = ("行番号", "項目", "理由")


def returned_rows(header: Sequence[str], rejected: Iterable[RejectedRow]) -> Iterator[list[str]]:
    """Header and rows with the added columns first; they survive rows of any length."""
    yield [*ADDED, *_own(header)]
    skip = _added_count(header)
    for row in rejected:
        yield [str(row.row_number), row.column, row.reason, *row.raw[skip:]]


def returned_file(
    header: Sequence[str],
    rejected: Iterable[RejectedRow],
    profile: Profile,
    encoding: Encoding,
    *,
    report: Report,
) -> Iterator[bytes]:
    """The same as bytes, a chunk a row; losses of CP932 go to ``report``."""
    rows = returned_rows(header, rejected)
    return encode_rows(rows, encoding, report=report, delimiter=profile.delimiter)


def _own(header: Sequence[str]) -> Sequence[str]:
    return header[_added_count(header):]


def _added_count(header: Sequence[str]) -> int:
    """3 when the file is itself one that came back, so that the columns are not added twice."""
    return len(ADDED) if tuple(header[: len(ADDED)]) == ADDED else 0
