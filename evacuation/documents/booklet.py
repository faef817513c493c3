"""The printed roster (名簿の冊子) of one recipient, its difference sheet and its receipt slip.

Owns: the order and the words of the rows; A4, 14 pt, about three people a page.
Refuses: to split a person over two pages, to print a page without notice, holder, copy number
and page x/y (R9), to print an item the value does not carry (R8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from evacuation.documents.values import (
    HOLDER_DUTIES,
    BookletHeader,
    BookletPerson,
    Contact,
    DifferenceLine,
    DifferenceSheet,
)
from registry.documents import Missing, Value, join, qr_svg, render

TEMPLATES = Path(__file__).parent / "templates"
CHILD_FROM = 200  # people; a larger booklet is rendered in a child process
VOLUME = 500  # people in one volume (分冊); about 220 MB of memory while it is rendered
_LINE = 34  # full-width characters of 14 pt in the value column
_ROOM = 30  # lines of 14 pt that a page holds below a person's heading


def header_values(header: BookletHeader) -> dict[str, Value]:
    """Return the header as the templates want it: its fields and the drawn check code."""
    drawn = qr_svg(header.check_code) if header.check_code else ""
    return {**asdict(header), "qr": drawn}


def contact_line(contact: Contact) -> str:
    """Return 「佐藤 茂（となり）　090-0000-0000」."""
    relation = f"（{contact.relation}）" if contact.relation else ""
    return f"{contact.name}{relation}" + (f"　{contact.phone}" if contact.phone else "")


def person_rows(person: BookletPerson) -> list[tuple[str, tuple[str, ...]]]:
    """Return the rows of one person in printing order; items without a value are left out."""
    supporters = tuple(contact_line(c) for c in person.supporters)
    if not supporters and person.supporters_note:
        supporters = (person.supporters_note,)
    rows: list[tuple[str, tuple[str, ...]]] = [
        ("住所", (person.address, person.whereabouts)),
        ("電話", (person.phone, person.other_contact)),
        ("必要な理由", (person.reason,)),
        ("必要なこと", person.needs),
        ("機器（電源）", person.devices),
        ("話の伝え方", (person.communication,)),
        ("手伝う人", supporters),
        ("避難先", (person.destination,)),
        ("緊急連絡先", tuple(contact_line(c) for c in person.contacts)),
        ("民生委員", (person.commissioner,)),
        *((label, (value,)) for label, value in person.extra),
    ]
    kept = [(label, tuple(v for v in values if v)) for label, values in rows]
    return [(label, values) for label, values in kept if values]


def _scale(rows: Sequence[tuple[str, tuple[str, ...]]]) -> float:
    """Return the size factor that lets one person's block fit on one page."""
    for scale in (1.0, 0.85, 0.7, 0.6):
        width = _LINE / scale
        lines = sum(int(len(v) // width) + 1 for _, values in rows for v in values)
        if lines <= _ROOM / scale:
            return scale
    return 0.5


def _person(person: BookletPerson) -> dict[str, Value]:
    rows = person_rows(person)
    birth = f"{person.birth}生" if person.birth else ""
    profile = (birth, person.age, person.sex, person.household, person.group)
    marks = [person.mark] if person.mark else []
    marks += [f"優先 {person.priority}"] if person.priority else []
    return {
        "name": person.name,
        "kana": person.kana,
        "number": person.number,
        "profile": "・".join(part for part in profile if part),
        "marks": marks,
        "scale": _scale(rows),
        "rows": [
            {
                "label": label,
                "values": list(values),
                "pills": label == "必要なこと",
                "inline": label in ("住所", "電話", "機器（電源）"),
            }
            for label, values in rows
        ],
    }


def booklet(
    header: BookletHeader,
    people: Sequence[BookletPerson],
    *,
    created_at: datetime,
    summary: str = "",
    isolated: bool | None = None,
) -> bytes:
    """Return the booklet of one copy as PDF/A-2b, in the given order of people.

    ``summary`` is one sentence for the cover, e.g. 「前の版から 新しい方2人、除かれた方1人」.
    ``isolated`` forces (or forbids) the child process; by default it is used from 200 people.
    Over ``VOLUME`` people it is bound in volumes, each with a cover and its own page x/y.
    Characters without a glyph print as 〓 and are listed on the cover.
    Raises ``registry.documents.PrintFailed`` if the child process dies.
    """
    volumes = [people[i : i + VOLUME] for i in range(0, len(people), VOLUME)] or [people]
    alone = len(people) >= CHILD_FROM if isolated is None else isolated
    parts = [
        render(
            TEMPLATES / "booklet.typ",
            {
                "header": header_values(header),
                "maker": header.office,
                "sample": header.sample,
                "duties": HOLDER_DUTIES,
                "summary": summary,
                "volume": f"第{n}分冊／全{len(volumes)}冊" if len(volumes) > 1 else "",
                "total": len(people),
                "people": [_person(person) for person in volume],
            },
            created_at=created_at,
            missing=Missing.MARK,
            isolated=alone,
        )
        for n, volume in enumerate(volumes, start=1)
    ]
    return join(parts)


def _lines(lines: Sequence[DifferenceLine]) -> list[Value]:
    return [dict(asdict(line)) for line in lines]


def difference_sheet(
    header: BookletHeader, sheet: DifferenceSheet, *, created_at: datetime
) -> bytes:
    """Return the difference sheet (変更一覧): 新しい方, 変わった方, 除かれた方."""
    return render(
        TEMPLATES / "difference.typ",
        {
            "header": header_values(header),
            "maker": header.office,
            "sample": header.sample,
            "previous": sheet.previous_edition,
            "unchanged": sheet.unchanged,
            "new": _lines(sheet.new),
            "removed": _lines(sheet.removed),
            "changed": [
                {
                    "number": line.number,
                    "name": line.name,
                    "kana": line.kana,
                    "changes": [list(change) for change in line.changes],
                }
                for line in sheet.changed
            ],
        },
        created_at=created_at,
        missing=Missing.MARK,
    )


def acknowledgement(
    header: BookletHeader, *, people: int, reply_by: str, created_at: datetime
) -> bytes:
    """Return the receipt slip (受領書) that the holder signs and sends back (R9).

    It names the copy and how many people are on it, and nobody of them.
    """
    return render(
        TEMPLATES / "acknowledgement.typ",
        {
            "header": header_values(header),
            "maker": header.office,
            "sample": header.sample,
            "duties": HOLDER_DUTIES,
            "people": people,
            "reply_by": reply_by,
        },
        created_at=created_at,
    )
