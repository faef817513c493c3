"""The alphabet of every printed code, its check character, and tolerant reading.

Owns: base 32 without I, L, O, U (Crockford, capitals), the check character, and the
cleaning of what people type: small letters, full-width letters, hyphens, O for 0, I or L
for 1.
Refuses: any other character; a code whose check character does not fit; guessing (U is
refused, not turned into V).
Source: P6; the alphabet of Douglas Crockford, "Base 32". The check is ours: a sum over
GF(32) with a different power of a primitive element at each place, so **every** single
wrong character and **every** swap of two places is found (codes up to 31 characters).
"""

from __future__ import annotations

import unicodedata

from registry.domain.errors import Refused

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_FOLD = str.maketrans("OIL", "011")
# Hyphens and dashes of ASCII, of Japanese keyboards (ー after NFKC of ｰ) and of typesetting.
_DROPPED = dict.fromkeys(map(ord, " \t\r\n-_‐‑‒–—―−ー"))
LONGEST_INPUT = 512
LONGEST_CHECKED = 31


class BadCode(Refused):
    """The code cannot be read. ``detail`` says why; ``code`` stays ``bad_card``."""

    code = "bad_card"
    message = "コードを読みとれません。もう一度読みとるか、係の人につたえてください。"

    def __init__(self, detail: str, message: str | None = None, *, code: str | None = None) -> None:
        super().__init__(message, code=code, fields={"code": message or type(self).message})
        self.detail = detail


def _powers() -> tuple[int, ...]:
    """alpha^1 … alpha^31 in GF(32) = GF(2)[x]/(x^5+x^2+1): 31 different, none zero."""
    powers = []
    value = 1
    for _ in range(LONGEST_CHECKED):
        value <<= 1
        if value & 32:
            value ^= 0b100101
        powers.append(value)
    return tuple(powers)


def _times(left: int, right: int) -> int:
    product = 0
    while right:
        if right & 1:
            product ^= left
        left <<= 1
        if left & 32:
            left ^= 0b100101
        right >>= 1
    return product


_POWERS = _powers()
# Every value times every power: a card is checked at each scan.
_PRODUCTS = tuple(tuple(_times(value, power) for value in range(32)) for power in _POWERS)


def clean(text: str) -> str:
    """What was typed or scanned as bare capitals; folds O to 0 and I, L to 1.

    Raises ``BadCode`` (``too_long``, ``empty``, ``character``).
    """
    if len(text) > LONGEST_INPUT:
        raise BadCode("too_long", "コードが長すぎます。")
    folded = unicodedata.normalize("NFKC", text).translate(_DROPPED)
    if not folded:
        raise BadCode("empty", "コードを入れてください。")
    if not folded.isascii():
        raise BadCode("character", "コードに使えない文字が入っています。英数字で入れてください。")
    folded = folded.upper().translate(_FOLD)
    if any(character not in _VALUE for character in folded):
        raise BadCode("character", "コードに使えない文字が入っています。英数字で入れてください。")
    return folded


def encode(data: bytes) -> str:
    """Bytes, a multiple of 5, as base 32 without padding: 5 bytes are 8 characters."""
    if len(data) % 5:
        raise ValueError("encode: length must be a multiple of 5 bytes")
    number = int.from_bytes(data, "big")
    length = len(data) // 5 * 8
    return "".join(ALPHABET[number >> 5 * place & 31] for place in range(length - 1, -1, -1))


def decode(cleaned: str) -> bytes:
    """The inverse of ``encode`` for cleaned text; raises ``BadCode`` (``length``)."""
    if len(cleaned) % 8:
        raise BadCode("length", "コードの文字の数がちがいます。")
    number = 0
    for character in cleaned:
        number = number << 5 | _VALUE[character]
    return number.to_bytes(len(cleaned) // 8 * 5, "big")


def random_characters(count: int, entropy: bytes) -> str:
    """``count`` characters of 5 random bits each from at least ``count`` random bytes."""
    if len(entropy) < count:
        raise ValueError(f"random_characters: {count} random bytes needed")
    return "".join(ALPHABET[byte & 31] for byte in entropy[:count])


def check_character(body: str, family: int) -> str:
    """The check for ``body`` (at most 30 characters) within a ``family`` of codes (0-31).

    The family is added to the sum, so that a card code is never a voucher code.
    """
    if not 0 < len(body) < LONGEST_CHECKED:
        raise ValueError("check_character: 1 to 30 characters")
    total = family
    for place, character in enumerate(body):
        total ^= _PRODUCTS[place][_VALUE[character]]
    # The check's own weight is alpha^31 = 1, which no place of the body has.
    return ALPHABET[total]


def checked(cleaned: str, length: int, family: int) -> str:
    """``cleaned`` when it has ``length`` characters and its check fits the ``family``.

    Raises ``BadCode`` (``length``, ``check``).
    """
    if len(cleaned) != length:
        raise BadCode("length", f"コードは{length}文字です。もう一度たしかめてください。")
    if check_character(cleaned[:-1], family) != cleaned[-1]:
        raise BadCode("check", "コードの文字がちがうようです。1文字ずつたしかめてください。")
    return cleaned


def grouped(code: str, size: int = 4) -> str:
    """The code in groups for people: ``ABCD-EFGH-JKMN``."""
    return "-".join(code[start : start + size] for start in range(0, len(code), size))
