"""The printed plan: the two-page sheet after 内閣府's form, and the 18 pt fridge sheet.

Owns: the order and official terms of the items; the map; the R14 sentence on every print.
Refuses: an item that is withheld from this reader (R2, R8); a plan print without notice,
number and page x/y (R9); a character that cannot be printed.
Sources: 災害対策基本法 第49条の14・15・17, 内閣府 取組指針 (2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime

from evacuation.documents.booklet import TEMPLATES, contact_line
from evacuation.documents.map_drawing import HIGHEST, LOWEST, draw
from evacuation.documents.plan_values import FridgeSheet, PlanSheet
from evacuation.documents.values import NO_GUARANTEE
from registry.documents import Value, page_count, qr_svg, render

# (field, official term); the order of the form.
_PERSON = (
    ("birth", "生年月日"),
    ("sex", "性別"),
    ("address", "住所・居所"),
    ("phone", "電話番号"),
    ("other_contact", "その他の連絡先"),
    ("neighbourhood", "町内会・班"),
    ("commissioner", "担当民生委員"),
    ("household", "世帯"),
    ("care_manager", "ケアマネジャー等"),
    ("reason", "避難支援等を必要とする事由"),
    ("needs", "必要な支援"),
    ("communication", "意思の伝え方"),
    ("equipment", "機器・電源"),
    ("medicines", "くすり"),
    ("allergy", "アレルギー"),
    ("building", "建物"),
    ("bedroom", "寝室"),
    ("daytime", "日中いる場所"),
    ("hazards", "自宅の危険"),
    ("carry", "持ち物"),
    ("consent", "同意"),
    ("remarks", "特記事項"),
)
# Short items share a line of the form, two by two.
_SHORT = frozenset(
    {"birth", "sex", "phone", "other_contact", "neighbourhood", "commissioner", "household",
     "care_manager", "medicines", "allergy", "building", "bedroom"}
)  # fmt: skip
_SHORT_LENGTH = 14.0  # full-width characters of 12 pt in a half line


def _wide(text: str) -> float:
    """Return the width of text in full-width characters."""
    return sum(1.0 if ord(char) > 0x2E7F else 0.62 for char in text)


def _lines(text: str, width: float) -> int:
    return int(_wide(text) // width) + 1 if text else 0


def _map_height(sheet: PlanSheet) -> float:
    """Return the millimetres that page 2 leaves for the map below its tables."""
    rows = 0.0
    for helper in sheet.supporters if "supporters" not in sheet.withheld else ():
        columns = (
            _lines(helper.name + helper.relation, 9),
            _lines(helper.role, 10) + _lines(helper.hours, 10),
            _lines(helper.address, 11),
        )
        rows += 3.2 + 5.4 * max(columns)
    for goal in sheet.destinations if "destinations" not in sheet.withheld else ():
        columns = (
            _lines(goal.place, 12) + _lines(goal.address, 15) + _lines(goal.trigger, 15),
            _lines(goal.transport, 6) + _lines(goal.minutes, 6),
            _lines(goal.route, 20) + _lines(goal.care, 17),
        )
        rows += 3.2 + 5.4 * max(columns)
    words = 5.0 * _lines(sheet.map.text if sheet.map else "", 54)
    return 196.0 - rows - words - 6.0 * _lines(sheet.trigger, 38)


def _cells(sheet: PlanSheet) -> list[dict[str, Value]]:
    """Return the items of the person as {label, value, wide}; two narrow ones fill a line."""
    cells: list[dict[str, Value]] = []
    for name, label in _PERSON:
        if name in sheet.withheld:
            continue
        value = getattr(sheet, name)
        text = "、".join(value) if isinstance(value, tuple) else value
        if name == "birth" and sheet.age and "age" not in sheet.withheld:
            text = f"{text}（{sheet.age}）" if text else sheet.age
        wide = name not in _SHORT or _wide(text) > _SHORT_LENGTH
        cells.append({"label": label, "value": text, "wide": wide})
    alone: int | None = None  # a narrow cell that still looks for its neighbour
    for i, cell in enumerate(cells):
        if cell["wide"]:
            if alone is not None:
                cells[alone]["wide"] = True
            alone = None
        else:
            alone = i if alone is None else None
    if alone is not None:
        cells[alone]["wide"] = True
    return cells


def _rows(values: Sequence[object], withheld: bool) -> list[Value]:
    return [] if withheld else [asdict(value) for value in values]  # type: ignore[call-overload]


def plan_sheet(sheet: PlanSheet, *, created_at: datetime) -> bytes:
    """Return the plan as a tagged PDF/UA-1: page 1 person and needs, page 2 helpers and way.

    Very long entries make page 1 run on; nothing is cut.  Raises
    ``registry.documents.MissingGlyphs``, and ``ValueError`` for an unknown name in ``withheld``
    or a map without any place.
    """
    unknown = set(sheet.withheld) - {field.name for field in fields(sheet)}
    if unknown:
        raise ValueError(f"unknown items in withheld: {', '.join(sorted(unknown))}")
    hidden = set(sheet.withheld)
    shown: dict[str, Value] = {
        name: getattr(sheet, name)
        for name in ("municipality", "plan_number", "version", "state", "made_on", "author",
                     "approved_on", "next_review", "drill", "holder", "copy_number", "office",
                     "phone_office", "check_code", "printed_on", "notice", "sample", "name",
                     "kana", "trigger")
        if name not in hidden
    }  # fmt: skip
    cells = _cells(sheet)
    values: dict[str, Value] = {
        "name": "",
        "kana": "",
        "trigger": "",
        **shown,
        "maker": sheet.office,
        "qr": qr_svg(sheet.check_code) if sheet.check_code else "",
        "no_guarantee": NO_GUARANTEE,
        "cells": cells,
        "roomy": sum(len(str(value)) for cell in cells for value in cell.values()) < 700,
        "contacts": None
        if "contacts" in hidden
        else [contact_line(contact) for contact in sheet.contacts],
        "supporters": _rows(sheet.supporters, "supporters" in hidden),
        "show_supporters": "supporters" not in hidden,
        "destinations": _rows(sheet.destinations, "destinations" in hidden),
        "show_destinations": "destinations" not in hidden,
    }
    height = _map_height(sheet)
    while True:
        has_map = sheet.map is not None and "map" not in hidden
        drawn: Value = draw(sheet.map, height) if sheet.map is not None and has_map else None
        pdf = render(
            TEMPLATES / "plan_sheet.typ",
            {**values, "map": drawn},
            created_at=created_at,
            tagged=True,
        )
        # The height is an estimate: a map that fell onto a third page is drawn lower.
        if not has_map or height <= LOWEST or page_count(pdf) <= 2:
            return pdf
        height = min(height, HIGHEST) - 14.0


def fridge_sheet(sheet: FridgeSheet, *, created_at: datetime) -> bytes:
    """Return the one-page 18 pt summary いつ・だれと・どこへ as a tagged PDF/UA-1 (R14)."""
    return render(
        TEMPLATES / "fridge_sheet.typ",
        {
            **asdict(sheet),
            "maker": sheet.office,
            "who": [contact_line(contact) for contact in sheet.who],
            "emergency": [contact_line(contact) for contact in sheet.emergency],
            "no_guarantee": NO_GUARANTEE,
        },
        created_at=created_at,
        tagged=True,
    )
