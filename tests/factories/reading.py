"""What anybody could read in an answer or a file: the text of HTML, JSON, PDF, xlsx and CSV.

"Not in the file" is proven only with an extractor that finds the people who must be in it:
everything is compared NFKC-normalised, names without white space, after undoing the escapes of
HTML, JavaScript and URLs.
"""

from __future__ import annotations

import html
import io
import re
import subprocess
import unicodedata
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from python_calamine import CalamineWorkbook

from tests.domain.documents_samples import squeeze

#: What identifies each of the cast's people of the north, numbers stand alone.
PEOPLE: dict[str, tuple[str, ...]] = {
    "hanako": ("花子", "ハナコ", "はなこ", "0242-00-0001", "0242000001"),
    "ichiro": ("一郎", "イチロウ", "いちろう", "見本町1番2号", "0242-00-0002", "0242000002"),
    "yuki": ("見本雪", "ミホンユキ", "みほんゆき", "見本町1番3号"),
    "minami": ("見本南", "ミホンミナミ", "南見本町2番1号"),
}
#: Hanako's address is Tarō's too: he may see his own.
HOUSE = "見本町1番1号"
NUMBERS = {"hanako": "1001", "ichiro": "1002", "yuki": "1003", "minami": "1004"}

_ALONE = {
    who: re.compile(rf"(?<![\w.,:/#-]){number}(?![\w.,:-])", re.ASCII)
    for who, number in NUMBERS.items()
}


def body_of(response: Any) -> bytes:
    """The bytes of an answer, streamed or not."""
    if getattr(response, "streaming", False):
        return b"".join(response.streaming_content)
    return bytes(response.content)


def text(body: bytes) -> str:
    """The text that a reader finds, NFKC-normalised."""
    if body.startswith(b"%PDF"):
        done = subprocess.run(["pdftotext", "-", "-"], input=body, capture_output=True, check=True)
        said = done.stdout.decode()
    elif body.startswith(b"PK"):
        book = CalamineWorkbook.from_filelike(io.BytesIO(body))
        said = "\n".join(
            str(cell) for name in book.sheet_names
            for row in book.get_sheet_by_name(name).to_python() for cell in row
        )
    else:
        said = _escapes_undone(body)
    return unicodedata.normalize("NFKC", said)


def _escapes_undone(body: bytes) -> str:
    try:
        said = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        said = body.decode("cp932", errors="replace")
    said = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m.group(1), 16)), said)
    return html.unescape(said) + "\n" + unquote(html.unescape(said))


def named(found: str, who: str) -> list[str]:
    """The marks of a person that stand in a text."""
    tight = squeeze(found)
    marks = [mark for mark in PEOPLE[who] if squeeze(mark) in tight]
    if NUMBERS[who] in found and _ALONE[who].search(found):
        marks.append(f"宛名番号 {NUMBERS[who]}")
    return marks


@lru_cache(maxsize=4096)
def everybody(body: bytes) -> tuple[str, ...]:
    """``who: mark`` of each of the cast's people in an answer's body (the same is read once)."""
    told = text(body)
    return tuple(f"{who}: {mark}" for who in PEOPLE for mark in named(told, who))
