"""Invented people (見本) and readers of printed files for the document tests."""

from __future__ import annotations

import re
import subprocess
import unicodedata
from datetime import datetime, timedelta, timezone

from evacuation.documents.values import BookletHeader, BookletPerson, Contact

AT = datetime(2026, 11, 20, 9, 0, tzinfo=timezone(timedelta(hours=9)))

HEADER = BookletHeader(
    municipality="見本市",
    recipient="城東町 町内会",
    recipient_kind="自主防災組織・町内会",
    holder="会長 佐藤 茂",
    storage="集会所の金庫",
    area="城東町1丁目〜3丁目",
    edition="令和8年度 第2版",
    copy_number="R8-2-0071",
    as_of="令和8年11月1日 現在",
    issued_on="令和8年11月20日",
    ground="災害対策基本法 第49条の11第2項（本人の同意）",
    office="危機管理課",
    phone="0242-00-0000",
    check_code="K7Q2M9X4TA",
    sample=True,
)

LONG_NAME = "寿限無寿限無五劫の擦り切れ海砂利水魚の水行末雲来末風来末食う寝る処に住む処藪ら柑子"
LONG_ADDRESS = (
    "福島県見本市城東町三丁目十二番地の三十四 城東ハイツ見本グリーンヒルズ第二別館 西棟七階"
    "七百十二号室（裏口のかぎはポストの中、犬がいます）"
)


def person(number: int, **fields: object) -> BookletPerson:
    """Return an invented person whose values all carry the number."""
    values: dict[str, object] = {
        "number": f"07-{number:04d}",
        "name": f"齋藤 見本{number:04d}",
        "kana": "さいとう みほん",
        "age": "88歳",
        "sex": "女性",
        "household": "ひとり暮らし",
        "address": f"城東町{number}番",
        "phone": f"0242-11-{number:04d}",
        "needs": ("歩けない（車いす）", "耳が遠い"),
        "contacts": (Contact(name="齋藤 一郎", relation="長男", phone=f"090-0000-{number:04d}"),),
        "destination": "鶴城小学校 体育館",
        "priority": "高",
    }
    return BookletPerson(**{**values, **fields})  # type: ignore[arg-type]


def squeeze(text: str) -> str:
    """NFKC and no white space: the form in which printed text is compared."""
    return re.sub(r"[\s\u200b]", "", unicodedata.normalize("NFKC", text))


def pages_of(pdf: bytes, *, raw: bool = False) -> list[str]:
    """Return the text of each page, as ``pdftotext`` reads it, without white space."""
    command = ["pdftotext", *(["-raw"] if raw else []), "-", "-"]
    done = subprocess.run(command, input=pdf, capture_output=True, check=True)
    pages = done.stdout.decode().split("\f")[:-1]
    return [re.sub(r"[\s\u200b]", "", page) for page in pages]


def text_of(pdf: bytes) -> str:
    """Return the whole text of a PDF without white space."""
    return "".join(pages_of(pdf))


def boxes_of(pdf: bytes) -> list[list[tuple[float, float, float, float, str]]]:
    """Return (left, top, right, bottom, word) in points for each page."""
    done = subprocess.run(
        ["pdftotext", "-bbox", "-", "-"], input=pdf, capture_output=True, check=True
    ).stdout.decode()
    found: list[list[tuple[float, float, float, float, str]]] = []
    for page in done.split("<page ")[1:]:
        words = re.findall(
            r'xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">([^<]*)<', page
        )
        found.append([(float(a), float(b), float(c), float(d), w) for a, b, c, d, w in words])
    return found
