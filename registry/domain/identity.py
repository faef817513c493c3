"""Finding the same person again: search keys, numbers, telephone and municipality codes.

Owns the folding of names for searching and the check digits.  Refuses 個人番号: a column that
looks like it is refused (R13), and the key of a person is 宛名番号.  Folded forms are keys, never
shown: names are stored as registered, with their own kanji and variation selectors.
Source: R13; 総務省令（平成26年第85号）5条 (check digit of 個人番号); 総務省 全国地方公共団体コード.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from registry.domain.errors import Refused
from registry.domain.kanji_variants import FOLD
from registry.domain.textcodec import strip_selectors


class IdentityRefused(Refused):
    """Codes: ``number_unreadable phone_unreadable postcode_unreadable municipality_unreadable
    municipality_check municipality_ambiguous``."""

    code = "number_unreadable"


_NOT_KEY = re.compile(r"[\s・･.,，．、'’\-‐‑‒–—―−]+")
_HYPHENS = re.compile(r"[‐‑‒–—―−ーｰ－]")
_TO_HIRAGANA = {k: k - 0x60 for k in range(0x30A1, 0x30F7)}
_SMALL = str.maketrans("ぁぃぅぇぉっゃゅょゎゕゖをぢづゐゑ", "あいうえおつやゆよわかけおじずいえ")
_VU = (("ゔぁ", "ば"), ("ゔぃ", "び"), ("ゔぇ", "べ"), ("ゔぉ", "ぼ"), ("ゔ", "ぶ"))
_ROWS = {
    "あ": "あかがさざただなはばぱまやらわ", "い": "いきぎしじちぢにひびぴみり",
    "う": "うくぐすずつづぬふぶぷむゆる", "え": "えけげせぜてでねへべぺめれ",
    "お": "おこごそぞとどのほぼぽもよろ",
}
_VOWEL = {kana: vowel for vowel, row in _ROWS.items() for kana in row}
_CONTINUES = {("お", "う"): "お", ("え", "い"): "え"}


def fold_kana(text: str) -> str:
    """Search key of a reading: hiragana, one form for one sound.

    Half-width, katakana, separate voicing marks, small kana and ヂ/ヅ/ヲ/ヴ fold together; a long
    vowel is the repeated vowel however it is written (オータ, オオタ, オウタ → おおた).  Spaces go.
    Letters that are not kana stay, lower-cased.
    """
    plain = text.replace("゛", "\u3099").replace("゜", "\u309a")
    plain = unicodedata.normalize("NFKC", _HYPHENS.sub("ー", plain)).casefold()
    plain = _NOT_KEY.sub("", strip_selectors(plain)).translate(_TO_HIRAGANA)
    for voiced, simple in _VU:
        plain = plain.replace(voiced, simple)
    key: list[str] = []
    for kana in plain.translate(_SMALL):
        before = _VOWEL.get(key[-1], "") if key else ""
        if kana == "ー":
            if before:
                key.append(before)
        else:
            key.append(_CONTINUES.get((before, kana), kana))
    return "".join(key)


def fold_name(text: str) -> str:
    """Search key of a written name: variant kanji folded (髙→高, 﨑→崎, 𠮷→吉), selectors and
    spaces gone, kana as in ``fold_kana`` without touching vowels, Latin letters lower-cased."""
    plain = _folded(text)
    plain = _NOT_KEY.sub("", plain.translate(FOLD))
    return _folded(plain.translate(_TO_HIRAGANA))


def _folded(text: str) -> str:
    """NFKC and lower case, without selectors; again until nothing changes (á after İ …)."""
    before = None
    while text != before:
        before = text
        text = unicodedata.normalize("NFKC", strip_selectors(text)).casefold()
        text = unicodedata.normalize("NFKC", text)
    return text


def bigrams(key: str) -> tuple[str, ...]:
    """The distinct pairs of neighbouring characters, in order; a single character is itself.

    For an index that finds parts of names: every bigram of a query is in the bigrams of each
    key that contains it.
    """
    if len(key) < 2:
        return (key,) if key else ()
    return tuple(dict.fromkeys(key[i : i + 2] for i in range(len(key) - 1)))


def half_width(text: str) -> str:
    """NFKC, trimmed, every hyphen and dash as ``-``: for codes and numbers, never for names."""
    return _HYPHENS.sub("-", unicodedata.normalize("NFKC", text)).strip()


def normalise_number(text: str, *, width: int = 0) -> str:
    """宛名番号 or 世帯番号: digits, without leading zeros or padded to ``width`` (at most 20).

    Systems pad the same number differently and spreadsheets drop the zeros, so that only the
    value counts.  Raises ``IdentityRefused`` (``number_unreadable``).
    """
    digits = re.sub(r"[\s\-]", "", half_width(text)).lstrip("0")
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 20:
        raise IdentityRefused("番号は20けたまでの数字で書いてください。", code="number_unreadable")
    return digits.zfill(width)


def normalise_phone(text: str, *, area_code: str = "") -> str:
    """A Japanese telephone number: digits in the groups as given, mobile numbers 3-4-4.

    +81 becomes 0; a local number gets ``area_code`` (市外局番) when one is set.  Raises
    ``IdentityRefused`` (``phone_unreadable``) for anything but 10 or 11 digits from 0.
    """
    plain = re.sub(r"[()\s.]+", "-", half_width(text)).strip("-")
    plain = re.sub(r"^\+81-?0?", "0", plain)
    plain = re.sub(r"-+", "-", plain)
    digits = plain.replace("-", "")
    if area_code and digits.isdecimal() and not digits.startswith("0") and 5 <= len(digits) <= 8:
        plain, digits = f"{area_code}-{plain}", area_code + digits
    if not re.fullmatch(r"0[0-9]{9,10}", digits):
        raise IdentityRefused("電話番号は市外局番から書いてください。", code="phone_unreadable")
    if len(digits) == 11 and digits[:3] in ("050", "060", "070", "080", "090"):
        return f"{digits[:3]}-{digits[3:7]}-{digits[7:]}"
    if len(digits) == 11 and digits[:4] != "0120" and digits[:4] != "0800":
        raise IdentityRefused("電話番号のけた数が合いません。", code="phone_unreadable")
    return plain


def normalise_postcode(text: str) -> str:
    """``965-0000``.  Raises ``IdentityRefused`` (``postcode_unreadable``) unless seven digits."""
    digits = re.sub(r"[\s\-〒]", "", half_width(text))
    if not re.fullmatch(r"[0-9]{7}", digits):
        raise IdentityRefused("郵便番号は7けたです。", code="postcode_unreadable")
    return f"{digits[:3]}-{digits[3:]}"


def municipality_check_digit(code: str) -> str:
    """検査数字 of a five-digit code: weights 6 5 4 3 2, modulus 11, last digit of the rest."""
    total = sum(int(d) * w for d, w in zip(code, (6, 5, 4, 3, 2), strict=True))
    return str((11 - total % 11) % 10)


def normalise_municipality(text: str) -> str:
    """全国地方公共団体コード as five digits, given with or without check digit (072028, 07202).

    A leading zero that a spreadsheet dropped is put back where only one reading is possible.
    Raises ``IdentityRefused``: ``municipality_check`` (wrong check digit),
    ``municipality_ambiguous``, ``municipality_unreadable``.
    """
    digits = re.sub(r"\s", "", half_width(text))
    if not re.fullmatch(r"[0-9]{4,6}", digits):
        raise IdentityRefused("団体コードは5けたか6けたの数字です。",
                              code="municipality_unreadable")
    if len(digits) == 6:
        if not _is_place(digits[:5]) or municipality_check_digit(digits[:5]) != digits[5]:
            raise IdentityRefused("団体コードの検査数字が合いません。", code="municipality_check")
        return digits[:5]
    readings = {c for c in (digits.zfill(5),) if _is_place(c)}
    if len(digits) == 5:
        longer = "0" + digits
        if _is_place(longer[:5]) and municipality_check_digit(longer[:5]) == longer[5]:
            readings.add(longer[:5])
    if len(readings) != 1:
        raise IdentityRefused(
            "団体コードを一つに決められません。6けたで書いてください。",
            code="municipality_ambiguous" if readings else "municipality_unreadable",
        )
    return readings.pop()


def _is_place(code: str) -> bool:
    """Prefecture 01–47 and a municipal part that is 000 (prefecture) or at least 100."""
    return 1 <= int(code[:2]) <= 47 and (code[2:] == "000" or int(code[2:]) >= 100)


def is_my_number(text: str) -> bool:
    """True when the text is twelve digits whose check digit is that of a 個人番号.

    Separators (spaces, hyphens) do not count.  By chance one number in eleven passes.
    """
    digits = _twelve(text)
    if digits is None:
        return False
    weights = (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
    rest = sum(int(d) * w for d, w in zip(digits[:11], weights, strict=True)) % 11
    return int(digits[11]) == (0 if rest <= 1 else 11 - rest)


def _twelve(text: str) -> str | None:
    if not 12 <= len(text) <= 24:
        return None
    digits = re.sub(r"[\s\-]", "", half_width(text))
    return digits if re.fullmatch(r"[0-9]{12}", digits) else None


class MyNumberProbe:
    """Counts one column's cells as they stream by; keeps no cell."""

    __slots__ = ("passing", "twelve")

    def __init__(self) -> None:
        self.twelve = 0
        self.passing = 0

    def see(self, cell: str) -> None:
        if _twelve(cell) is not None:
            self.twelve += 1
            self.passing += is_my_number(cell)

    @property
    def alarmed(self) -> bool:
        """More than half of the 12-digit cells pass the check digit (R13)."""
        return self.passing * 2 > self.twelve


def looks_like_my_number_column(values: Iterable[str]) -> bool:
    """R13: more than half of the column's 12-digit cells pass the check digit of 個人番号."""
    probe = MyNumberProbe()
    for value in values:
        probe.see(value)
    return probe.alarmed
