"""Paper attendance sheets: their codes, what is ticked, and whether the count agrees (P4.5).

Owns: the random code of a printed sheet, the opaque code of each row (a MAC, nothing personal),
reading row numbers and row codes typed or scanned on the entry page, the columns of a group's
own list, and the rule that the entered count equals the paper's headcount.
Refuses: a count that differs without an explanation, a row that is not on the sheet, a list
without a column of names.  Source: P4.5, P6.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from points.domain import codes
from points.domain.codes import BadCode
from points.domain.keyring import Keyring, mac
from registry.domain.errors import Refused
from registry.domain.identity import fold_kana, fold_name

LENGTH = 12  # eleven characters of 5 bits and a check: 55 bits
SHEET_FAMILY, ROW_FAMILY = 9, 10
MOST_ROWS = 500
_HEADERS = {
    "number": ("手帳番号", "番号", "会員番号", "カード番号"),
    "name": ("氏名", "名前", "お名前", "参加者", "なまえ"),
    "kana": ("かな", "カナ", "ふりがな", "フリガナ", "よみ", "氏名かな", "氏名カナ"),
}


class HeadsDiffer(Refused):
    """The entered count is not the paper's; a reason may explain it."""

    code = "headcount_differs"


class BadList(Refused):
    """A group's list that cannot be read as one."""

    code = "bad_attendance_list"


@dataclass(frozen=True)
class Listed:
    """One row of a paper or a group's list: what was written there."""

    line: int
    name: str
    kana: str = ""
    number: str = ""


def mint_sheet(entropy: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """A new sheet's code."""
    body = codes.random_characters(LENGTH - 1, entropy(LENGTH - 1))
    return body + codes.check_character(body, SHEET_FAMILY)


def read_sheet(text: str) -> str:
    """The code of a sheet as typed or scanned.  Raises ``BadCode``."""
    return codes.checked(codes.clean(text), LENGTH, SHEET_FAMILY)


def row_code(keys: Keyring, key_id: int, sheet: str, position: int) -> str:
    """The opaque code of one row: which row it is, only the sheet's own page can tell."""
    key = keys.derive(key_id, "sheet-row", sheet.encode())
    body = codes.random_characters(LENGTH - 1, mac(key, position.to_bytes(4, "big"), LENGTH - 1))
    return body + codes.check_character(body, ROW_FAMILY)


def row_codes(keys: Keyring, key_id: int, sheet: str, count: int) -> dict[str, int]:
    """code → position for the rows 1 … ``count``; empty when the key is no longer listed."""
    if not keys.has(key_id):
        return {}
    return {row_code(keys, key_id, sheet, n): n for n in range(1, count + 1)}


def marked(text: str, rows: dict[str, int], count: int) -> set[int]:
    """Positions meant by row numbers (「1 3 5-9」) or one scanned row code.

    Raises ``BadCode``: another sheet's row, a number beyond the sheet, anything else.
    """
    flat = unicodedata.normalize("NFKC", text).strip()
    if not flat:
        return set()
    numbers = re.fullmatch(r"[\d\s,、.\-~〜ー–]+", flat)
    if numbers is None:
        code = codes.checked(codes.clean(flat), LENGTH, ROW_FAMILY)
        if code not in rows:
            raise BadCode("other_sheet", "この用紙の行ではありません。用紙をたしかめてください。")
        return {rows[code]}
    found: set[int] = set()
    for part in re.split(r"[\s,、.]+", flat.strip(" ,、.")):
        span = re.fullmatch(r"(\d{1,4})(?:[\-~〜ー–](\d{1,4}))?", part)
        first, last = (int(span[1]), int(span[2] or span[1])) if span else (0, 0)
        if not 1 <= first <= last <= count:
            told = f"「{part[:20]}」という行はありません。1〜{count}で入れてください。"
            raise BadCode("row", told)
        found.update(range(first, last + 1))
    return found


def agree(*, heads: int, known: int, waiting: int, reason: str) -> str:
    """The explanation to keep ("" when nothing differs).

    Raises ``HeadsDiffer`` when the count differs and nobody says why.
    """
    entered, said = known + waiting, reason.strip()
    if entered == heads:
        return ""
    if said:
        return said[:200]
    told = (f"入力は{entered}人、紙の人数は{heads}人です。紙をたしかめるか、"
            "ちがうわけを書いてください。")
    raise HeadsDiffer(told, fields={"headcount": told})


def read_list(rows: Sequence[Sequence[str]]) -> list[Listed]:
    """The people of a group's own list; its header is the first row that names a column 氏名.

    Raises ``BadList``: no such header within ten rows, nobody below it, or over 500 rows.
    """
    heads = [(at, places) for at, row in enumerate(rows[:10])
             if "name" in (places := _columns(row))]
    if not heads:
        raise BadList("「氏名」という見出しの列がありません。見出しをつけてください。")
    at, places = heads[0]
    found = []
    for line, row in enumerate(rows[at + 1 :], start=at + 2):
        told = {key: row[place].strip() if place < len(row) else ""
                for key, place in places.items()}
        if told["name"] or told.get("number"):
            found.append(Listed(line, told["name"][:120], told.get("kana", "")[:160],
                                told.get("number", "")[:24]))
    if not found:
        raise BadList("見出しの下に、参加した方がいません。")
    if len(found) > MOST_ROWS:
        raise BadList(f"一度に読めるのは{MOST_ROWS}人までです。分けてください。")
    return found


def _columns(header: Sequence[str]) -> dict[str, int]:
    flat = [re.sub(r"\s", "", unicodedata.normalize("NFKC", cell)) for cell in header]
    words = {unicodedata.normalize("NFKC", w): key for key, ws in _HEADERS.items() for w in ws}
    places: dict[str, int] = {}
    for at, cell in enumerate(flat):
        if cell in words:
            places.setdefault(words[cell], at)
    return places


def same_person(one: Listed, *, number: str, name: str, kana: str) -> bool:
    """Whether a written row can be this volunteer: every part that was written agrees.

    Variant kanji and kana spellings are folded (髙 高, ｶﾅ かな).
    """
    if one.number and one.number.strip().upper() != number.upper():
        return False
    if one.name and fold_name(one.name) != fold_name(name) and (
        fold_kana(one.name) != fold_kana(kana)
    ):
        return False
    return not one.kana or fold_kana(one.kana) == fold_kana(kana)
