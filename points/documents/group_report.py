"""A group's annual report on paper and as a workbook (実績報告), P9.

Owns the layout: totals first, then month by month, the leader's words, the state.  Refuses names:
a report holds numbers of people, never who they are.  A text that a spreadsheet would compute is
neutralised (P10).
"""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass
from datetime import datetime

import xlsxwriter

from points.documents.cards import TEMPLATES
from registry.documents import Missing, render

HEADERS = ("月", "活動の種類", "開催回数", "参加実人数", "参加のべ人数", "ポイント")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True, kw_only=True)
class ReportLine:
    """One line of figures."""

    month: str
    kind: str
    sessions: int
    people: int
    attendances: int
    points: int


@dataclass(frozen=True, kw_only=True)
class GroupReportPaper:
    """What the report prints."""

    municipality: str
    programme: str
    group: str
    fiscal_year: str
    area: str
    state: str
    made_at: str
    members: int
    counted: int
    text: str
    lines: tuple[ReportLine, ...]
    kinds: tuple[ReportLine, ...]
    total: ReportLine
    sample: bool = False


def report_pages(paper: GroupReportPaper, *, created_at: datetime) -> bytes:
    """The report as PDF/A-2b; a character without a glyph prints 〓."""
    return render(
        TEMPLATES / "group_report.typ", {**asdict(paper), "maker": paper.municipality},
        created_at=created_at, missing=Missing.MARK,
    )


def report_book(paper: GroupReportPaper, *, created_at: datetime) -> bytes:
    """The report as xlsx: a ``data`` sheet of months and kinds, a ``説明`` sheet."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {
        "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
        "strings_to_numbers": False,
    })
    book.set_properties({"created": created_at.replace(tzinfo=None)})
    data = book.add_worksheet("data")
    data.write_row(0, 0, HEADERS)
    for number, one in enumerate((*paper.lines, *paper.kinds, paper.total), 1):
        data.write_row(number, 0, [_neutral(one.month), _neutral(one.kind), one.sessions,
                                   one.people, one.attendances, one.points])
    about = book.add_worksheet("説明")
    told = (
        ("団体", paper.group), ("事業", paper.programme), ("年度", paper.fiscal_year),
        ("区域", paper.area), ("状態", paper.state), ("つくった日時", paper.made_at),
        ("会員", f"{paper.members}人（うち数えられる会員 {paper.counted}人）"),
        ("参加実人数", "その区分で1回以上参加した方の数（同じ方は1人）。月の和ではありません。"),
        ("参加のべ人数", "取り消していない参加記録の数（中止の回をのぞく）"),
        ("ふりかえり", paper.text),
    )
    for number, (name, text) in enumerate(told):
        about.write_row(number, 0, [name, _neutral(text)])
    book.close()
    return target.getvalue()


def _neutral(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
