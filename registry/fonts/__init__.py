"""The typefaces of every printed page, and which characters they can show.

Owns: BIZ UDPGothic (vendored beside this file under the SIL Open Font License, ``OFL.txt``),
the fallback Noto Sans CJK JP (a package), and the reader of their character maps.
Refuses: a name that would print as an empty box without anybody noticing
(:func:`missing_glyphs`), or a variant of a kanji that would silently print as its base form
(:func:`missing_variants`).  Format of the maps: OpenType specification, table ``cmap``,
subtables 4, 12 and 14.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import noto_cjk_sans_jp_regular

FOLDER = Path(__file__).parent
FAMILIES = ("BIZ UDPGothic", "Noto Sans CJK JP")
FALLBACK_FILE = Path(str(noto_cjk_sans_jp_regular.FONT_PATH))
FILES = (FOLDER / "BIZUDPGothic-Regular.ttf", FOLDER / "BIZUDPGothic-Bold.ttf", FALLBACK_FILE)

# Characters that are instructions, not shapes: no font draws them and none has to.
_INVISIBLE = frozenset("\n\t\u200b\u200c\u200d\u2060")


def is_selector(char: str) -> bool:
    """True for a variation selector (VS1-16, and VS17-256 of the ideographic collections)."""
    code = ord(char)
    return 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF


@dataclass(frozen=True)
class Coverage:
    """What one font file can show: sorted code ranges and the holes in them."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]  # inclusive, parallel to ``starts``
    holes: frozenset[int]  # inside a range, but mapped to the missing glyph

    def has(self, code: int) -> bool:
        """True if the character with this code has a glyph of its own."""
        at = bisect_right(self.starts, code) - 1
        return at >= 0 and code <= self.ends[at] and code not in self.holes


def _unpack(layout: str, data: bytes, at: int) -> tuple[int, ...]:
    return struct.unpack_from(">" + layout, data, at)


def _segments_4(data: bytes, at: int) -> tuple[list[tuple[int, int]], set[int]]:
    """Read subtable format 4 (16-bit codes): ranges and the codes in them without a glyph."""
    (doubled,) = _unpack("H", data, at + 6)
    count = doubled // 2
    ends = _unpack(f"{count}H", data, at + 14)
    starts = _unpack(f"{count}H", data, at + 16 + doubled)
    deltas = _unpack(f"{count}H", data, at + 16 + 2 * doubled)
    offsets_at = at + 16 + 3 * doubled
    offsets = _unpack(f"{count}H", data, offsets_at)
    ranges: list[tuple[int, int]] = []
    holes: set[int] = set()
    for i in range(count):
        if starts[i] == 0xFFFF:
            continue
        ranges.append((starts[i], ends[i]))
        for code in range(starts[i], ends[i] + 1):
            glyph = code
            if offsets[i]:
                place = offsets_at + 2 * i + offsets[i] + 2 * (code - starts[i])
                (glyph,) = _unpack("H", data, place)
                if glyph == 0:
                    holes.add(code)
                    continue
            if (glyph + deltas[i]) & 0xFFFF == 0:
                holes.add(code)
    return ranges, holes


def _variants_14(data: bytes, at: int) -> set[tuple[int, int]]:
    """Read subtable format 14: every (base, selector) pair that the font supports."""
    pairs: set[tuple[int, int]] = set()
    (count,) = _unpack("I", data, at + 6)
    for i in range(count):
        record = at + 10 + 11 * i
        selector = int.from_bytes(data[record : record + 3], "big")
        default, other = _unpack("II", data, record + 3)
        if default:
            (ranges,) = _unpack("I", data, at + default)
            for j in range(ranges):
                place = at + default + 4 + 4 * j
                first = int.from_bytes(data[place : place + 3], "big")
                pairs.update((first + k, selector) for k in range(data[place + 3] + 1))
        if other:
            (mappings,) = _unpack("I", data, at + other)
            for j in range(mappings):
                place = at + other + 4 + 5 * j
                pairs.add((int.from_bytes(data[place : place + 3], "big"), selector))
    return pairs


def _subtables(data: bytes) -> dict[int, int]:
    """Return {format: offset} of the subtables of ``cmap``; the last of a format wins."""
    (tables,) = _unpack("H", data, 4)
    for i in range(tables):
        if data[12 + 16 * i : 16 + 16 * i] == b"cmap":
            (cmap,) = _unpack("I", data, 12 + 16 * i + 8)
            (count,) = _unpack("H", data, cmap + 2)
            places = [cmap + _unpack("I", data, cmap + 8 + 8 * j)[0] for j in range(count)]
            return {_unpack("H", data, place)[0]: place for place in places}
    raise ValueError("no character map in the font")


@cache
def coverage(path: Path) -> Coverage:
    """Read which characters an OpenType font can show.

    Raises ``ValueError`` if the file has no ``cmap`` table or no Unicode subtable.
    """
    data = path.read_bytes()
    kinds = _subtables(data)
    holes: set[int] = set()
    if 12 in kinds:
        (count,) = _unpack("I", data, kinds[12] + 12)
        groups = [_unpack("III", data, kinds[12] + 16 + 12 * i) for i in range(count)]
        ranges = [(first, last) for first, last, _ in groups]
        holes = {first for first, _, glyph in groups if glyph == 0}
    elif 4 in kinds:
        ranges, holes = _segments_4(data, kinds[4])
    else:
        raise ValueError(f"no Unicode character map in {path.name}")
    ranges.sort()
    starts, ends = tuple(first for first, _ in ranges), tuple(last for _, last in ranges)
    return Coverage(starts, ends, frozenset(holes))


@cache
def variants(path: Path) -> frozenset[tuple[int, int]]:
    """Read the (base, selector) pairs that an OpenType font draws, as code numbers."""
    data = path.read_bytes()
    kinds = _subtables(data)
    return frozenset(_variants_14(data, kinds[14])) if 14 in kinds else frozenset()


def missing_glyphs(text: str) -> tuple[str, ...]:
    """Return the characters of ``text`` that none of our fonts can show, each once, in order."""
    regular, fallback = coverage(FILES[0]), coverage(FALLBACK_FILE)
    return tuple(
        char
        for char in dict.fromkeys(text)
        if not (char in _INVISIBLE or is_selector(char))
        and not (regular.has(ord(char)) or fallback.has(ord(char)))
    )


def _sequences(text: str) -> dict[str, tuple[int, int]]:
    """Return the variation sequences in ``text``, each once, in order."""
    pairs = zip(text, text[1:], strict=False)
    return {a + b: (ord(a), ord(b)) for a, b in pairs if is_selector(b)}


def missing_variants(text: str) -> tuple[str, ...]:
    """Return the variation sequences of ``text`` that would print as their base form."""
    found = _sequences(text)
    known = variants(FILES[0]) | variants(FALLBACK_FILE) if found else frozenset()
    return tuple(shape for shape, pair in found.items() if pair not in known)


def fallback_variants(text: str) -> tuple[str, ...]:
    """Return the variation sequences of ``text`` that only the fallback font draws."""
    found = _sequences(text)
    known = variants(FALLBACK_FILE) - variants(FILES[0]) if found else frozenset()
    return tuple(shape for shape, pair in found.items() if pair in known)
