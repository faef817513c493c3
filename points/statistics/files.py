"""Statistics as files: xlsx in long format, CSV in UTF-8 with BOM or CP932 (P10).

Owns the shape of the files: a ``data`` sheet with one figure a line, and a ``説明`` sheet with
definitions, filters and time.  Neutralises what a spreadsheet would take for a formula.
Refuses to lose characters silently: CP932 gives the list of what it replaced.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime

import xlsxwriter

from points.statistics.tables import DEFINITIONS, DIMENSIONS, MEASURES, Table, month_shift
from registry.access import JAPAN
from registry.domain.textcodec import Encoding, encode_rows

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def neutral(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would compute."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def header(made: Table) -> list[str]:
    """年度, the dimensions, 指標, 値, 前年同期."""
    return ["年度", *(DIMENSIONS[name] for name in made.group_by), "指標", "値", "前年同期"]


def lines(made: Table) -> Iterator[list[str | int | None]]:
    """One figure a line; a figure that does not apply is left out."""
    for row in made.rows or (made.total,):
        before = made.before.get(month_shift(row.key, made.group_by), {}) if row.key \
            else made.total_before
        for measure, label in MEASURES.items():
            value = row.figures[measure]
            if value is not None:
                yield [made.fiscal_year, *map(neutral, row.key), label, value,
                       before.get(measure) or 0]


def explanation(made: Table, *, at: datetime, maker: str) -> list[tuple[str, str]]:
    """What the reader must know: time, maker, period, filters, definitions."""
    filters = "・".join(f"{DIMENSIONS[k]}＝{v}" for k, v in made.filters.items()) or "なし"
    return [
        ("つくった日時", f"{at.astimezone(JAPAN):%Y-%m-%d %H:%M}"), ("つくった人", maker),
        ("年度", str(made.fiscal_year)), ("集計した日まで", made.until.isoformat()),
        ("しぼりこみ", filters), ("前年同期", "前の年度の同じ日までの値"),
        ("取扱い", "内部用。少ない人数の区分をふくむため、そのまま公表しないでください。"),
        *((MEASURES[name], text) for name, text in DEFINITIONS.items()),
    ]


def as_xlsx(made: Table, *, at: datetime, maker: str) -> bytes:
    """The workbook; formulas and links are never written."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {
        "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
        "strings_to_numbers": False,
    })
    book.set_properties({"created": at.astimezone(JAPAN).replace(tzinfo=None)})
    data = book.add_worksheet("data")
    data.write_row(0, 0, header(made))
    for number, line in enumerate(lines(made), 1):
        data.write_row(number, 0, line)
    about = book.add_worksheet("説明")
    for number, (name, text) in enumerate(explanation(made, at=at, maker=maker)):
        about.write_row(number, 0, [name, neutral(text)])
    book.close()
    return target.getvalue()


def as_csv(made: Table) -> bytes:
    """UTF-8 with BOM, CRLF."""
    return b"".join(encode_rows(_cells(made), Encoding.UTF8_BOM, report=lambda _: None))


def as_cp932(made: Table) -> tuple[bytes, tuple[str, ...]]:
    """CP932 as Windows writes it, with the characters that had to be replaced."""
    lost: set[str] = set()
    content = b"".join(
        encode_rows(_cells(made), Encoding.CP932, report=lambda loss: lost.add(loss.character))
    )
    return content, tuple(sorted(lost))


def _cells(made: Table) -> Iterator[list[str]]:
    yield header(made)
    for line in lines(made):
        yield ["" if value is None else str(value) for value in line]
