"""The roster of one recipient as a spreadsheet, where the recipient may have one.

Owns: two sheets (名簿, 説明) with notice, holder and copy number above the table, in the page
header and in the file's properties (R9); the same rows and words as the printed booklet.
Refuses: formulas, links and numbers made from text (every cell is a string, so a name such as
``=1+1`` stays a name); columns that no person of this edition carries (R8).
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import xlsxwriter

from evacuation.documents.booklet import contact_line
from evacuation.documents.values import HOLDER_DUTIES, BookletHeader, BookletPerson
from registry.documents import clean_text

_Column = tuple[str, float, Callable[[BookletPerson], str]]
_CELL = 32_767  # characters; the limit of the file format

COLUMNS: tuple[_Column, ...] = (
    ("変更", 6, lambda p: p.mark),
    ("名簿番号", 12, lambda p: p.number),
    ("氏名", 18, lambda p: p.name),
    ("ふりがな", 18, lambda p: p.kana),
    ("優先", 6, lambda p: p.priority),
    ("生年月日", 16, lambda p: p.birth),
    ("年齢", 7, lambda p: p.age),
    ("性別", 6, lambda p: p.sex),
    ("世帯", 14, lambda p: p.household),
    ("班", 8, lambda p: p.group),
    ("住所・居所", 34, lambda p: p.address),
    ("建物・寝室", 20, lambda p: p.whereabouts),
    ("電話番号", 16, lambda p: p.phone),
    ("その他の連絡先", 22, lambda p: p.other_contact),
    ("必要な理由", 24, lambda p: p.reason),
    ("必要なこと", 32, lambda p: "、".join(p.needs)),
    ("機器（電源）", 20, lambda p: "、".join(p.devices)),
    ("話の伝え方", 20, lambda p: p.communication),
    (
        "手伝う人",
        32,
        lambda p: "\n".join(contact_line(c) for c in p.supporters) or p.supporters_note,
    ),
    ("避難先", 22, lambda p: p.destination),
    ("緊急連絡先", 34, lambda p: "\n".join(contact_line(c) for c in p.contacts)),
    ("民生委員", 16, lambda p: p.commissioner),
)


def columns_of(people: Sequence[BookletPerson]) -> list[_Column]:
    """Return the columns that at least one person carries, then the further items by label."""
    kept = [column for column in COLUMNS if any(column[2](person) for person in people)]
    labels = dict.fromkeys(label for person in people for label, _ in person.extra)

    def further(label: str) -> Callable[[BookletPerson], str]:
        return lambda person: "\n".join(v for name, v in person.extra if name == label)

    return kept + [(label, 24, further(label)) for label in labels]


def _page_text(text: str) -> str:
    """Escape text for a page header, where ``&`` starts a code."""
    return clean_text(text).replace("\n", " ").replace("&", "&&")[:80]


def _frame(sheet: Any, header: BookletHeader, last: int) -> None:
    """Set paper, page header and footer of a sheet."""
    sheet.set_paper(9)  # A4
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.9, bottom=0.7)
    sheet.set_header(
        f"&L&14&B取扱注意&C{_page_text(header.title)}&R副本番号 {_page_text(header.copy_number)}"
    )
    sheet.set_footer(f"&L{_page_text(header.notice)}&C{_page_text(header.holder)}&R&P/&Nページ")
    sheet.repeat_rows(0, last)


def booklet_xlsx(
    header: BookletHeader, people: Sequence[BookletPerson], *, created_at: datetime
) -> bytes:
    """Return the spreadsheet of one copy; equal input gives equal bytes.

    Rows are written through a private temporary folder (mode 0700) that is gone on return.
    Raises ``ValueError`` if ``created_at`` has no time zone.
    """
    if created_at.tzinfo is None:
        raise ValueError("created_at must carry its time zone")
    out = io.BytesIO()
    with tempfile.TemporaryDirectory(prefix="roster-") as folder:
        book = xlsxwriter.Workbook(
            out,
            {
                "constant_memory": True,
                "tmpdir": folder,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        made = created_at.astimezone(UTC).replace(tzinfo=None)
        book.set_properties(
            {
                "title": f"{header.title} {header.recipient} 副本番号 {header.copy_number}",
                "author": header.office,
                "company": header.municipality,
                "comments": header.notice,
                "created": made,
            }
        )
        font = {"font_name": "BIZ UDPゴシック", "font_size": 12, "valign": "top"}
        body = book.add_format({**font, "text_wrap": True, "border": 1, "num_format": "@"})
        plain = book.add_format(font)
        strong = book.add_format({**font, "bold": True})
        band = book.add_format(
            {**font, "bold": True, "font_size": 16, "font_color": "white", "bg_color": "black"}
        )
        head = book.add_format({**font, "bold": True, "border": 1, "bg_color": "#D9D9D9"})

        columns = columns_of(people)
        sheet = book.add_worksheet("名簿")
        _frame(sheet, header, 4)
        sheet.freeze_panes(5, 0)
        for x, (_, width, _value) in enumerate(columns):
            sheet.set_column(x, x, width)
        edition = f"{header.municipality} {header.title} {header.edition}"
        custody = f"提供先 {header.recipient}　保管者 {header.holder}　区域 {header.area}"
        lead = (
            ("取扱注意　" + ("見本" if header.sample else ""), band),
            (header.notice, strong),
            (
                f"{edition} {header.as_of}　副本番号 {header.copy_number}",
                strong,
            ),
            (
                f"{custody}　{header.issued_on} 発行 {header.office} {header.phone}",
                plain,
            ),
        )
        for y, (text, look) in enumerate(lead):
            sheet.write_string(y, 0, clean_text(text), look)
        for x, (label, _, _value) in enumerate(columns):
            sheet.write_string(4, x, clean_text(label), head)
        for y, person in enumerate(people, start=5):
            for x, (_, _, value) in enumerate(columns):
                sheet.write_string(y, x, clean_text(value(person))[:_CELL], body)
        _explain(book, header, people, strong, plain, band)
        book.close()
    return out.getvalue()


def _explain(
    book: xlsxwriter.Workbook,
    header: BookletHeader,
    people: Sequence[BookletPerson],
    strong: Any,
    plain: Any,
    band: Any,
) -> None:
    """Write the sheet 説明: what this file is, who holds it, what its holder promised."""
    sheet = book.add_worksheet("説明")
    _frame(sheet, header, 1)
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 90)
    rows = [
        ("副本番号", header.copy_number),
        ("市町村", header.municipality),
        ("名称", header.title),
        ("版", header.edition),
        ("基準日", header.as_of),
        ("発行日", header.issued_on),
        ("提供先", header.recipient),
        ("提供先の区分", header.recipient_kind),
        ("保管する人", header.holder),
        ("保管場所", header.storage),
        ("対象の区域", header.area),
        ("提供の根拠", header.ground),
        ("照合符号", header.check_code),
        ("発行した部署", header.office),
        ("電話", header.phone),
        ("人数", f"{len(people)}人"),
        *(("お守りいただくこと", duty) for duty in HOLDER_DUTIES),
        ("空らん", "この版にのせない項目、または記入のない項目です。"),
    ]
    sheet.write_string(0, 0, "取扱注意", band)
    sheet.write_string(1, 0, clean_text(header.notice), strong)
    for y, (label, text) in enumerate(rows, start=3):
        sheet.write_string(y, 0, label, strong)
        sheet.write_string(y, 1, clean_text(text), plain)
