"""Many QR symbols at once: version 2, level M, alphanumeric, as the cards carry (P6).

Owns drawing up to thousands of card codes as linear algebra: data bits → Reed-Solomon bits by one
matrix over GF(2), cells by one permutation, the mask with the least penalty chosen per symbol.
Refuses text that version 2 does not hold (38 characters of ISO/IEC 18004 table 5).
Source: ISO/IEC 18004:2015, 7.4 (data), 7.5 (error correction), 7.8 (masks), 7.9 (format).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

SIZE, CAPACITY = 25, 38
_DATA, _CHECK, _ALIGNMENT = 28, 16, 18
_ALPHANUMERIC = {c: n for n, c in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")}
_TOGETHER = 256  # symbols of one pass: the eight masks of all of them stay in the cache
Cells = NDArray[np.uint8]


def symbols(texts: Sequence[str]) -> Cells:
    """Cells of each text's symbol, 1 is dark: an array (texts, 25, 25) without quiet zone.

    Raises ``ValueError`` naming the index for a text that is empty, over 38 characters or outside
    the alphanumeric set.
    """
    found = np.empty((len(texts), SIZE, SIZE), np.uint8)
    for start in range(0, len(texts), _TOGETHER):
        some = texts[start : start + _TOGETHER]
        data = np.stack([_bits(text, start + at) for at, text in enumerate(some)])
        found[start : start + len(some)] = _best(_plain(data))
    return found


def drawing(cells: Cells, border: int = 4) -> str:
    """One symbol as an SVG of one path with a quiet zone of ``border`` cells."""
    padded = np.zeros((SIZE, SIZE + 2), np.int8)
    padded[:, 1:-1] = cells
    change = np.diff(padded, axis=1)
    ys, starts = np.nonzero(change == 1)
    ends = np.nonzero(change == -1)[1]
    runs = "".join([
        f"M{x} {y}h{n}v1h-{n}z"
        for x, y, n in zip((starts + border).tolist(), (ys + border).tolist(),
                           (ends - starts).tolist(), strict=True)
    ])
    side = SIZE + 2 * border
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}">'
        f'<rect width="{side}" height="{side}" fill="#fff"/><path d="{runs}"/></svg>'
    )


def _bits(text: str, at: int) -> Cells:
    """The 224 data bits: mode, count, pairs of characters, terminator, padding."""
    if not 0 < len(text) <= CAPACITY:
        raise ValueError(f"texts[{at}] has {len(text)} characters, 1 to {CAPACITY} fit")
    try:
        values = [_ALPHANUMERIC[character] for character in text]
    except KeyError:
        raise ValueError(f"texts[{at}] holds a character outside the alphanumeric set") from None
    number, length = 2 << 9 | len(values), 13
    for one, other in zip(values[::2], values[1::2], strict=False):
        number, length = number << 11 | one * 45 + other, length + 11
    if len(values) % 2:
        number, length = number << 6 | values[-1], length + 6
    end = min(length + 4, 8 * _DATA)
    end += -end % 8
    number <<= end - length
    for filler in range((8 * _DATA - end) // 8):
        number = number << 8 | (0x11 if filler % 2 else 0xEC)
    return np.unpackbits(np.frombuffer(number.to_bytes(_DATA, "big"), np.uint8))


def _plain(data: Cells) -> Cells:
    """Cells before masking: data and check bits at their places, the fixed patterns drawn."""
    check = (data.astype(np.float32) @ _generator()).astype(np.int32) & 1
    cells = np.broadcast_to(_fixed(), (len(data), SIZE * SIZE)).copy()
    order = _order()
    cells[:, order[: 8 * _DATA]] = data
    cells[:, order[8 * _DATA : 8 * (_DATA + _CHECK)]] = check
    return cells.reshape(-1, SIZE, SIZE)


def _best(plain: Cells) -> Cells:
    """Each symbol under the mask of least penalty (7.8.3), with its format information."""
    free = np.zeros(SIZE * SIZE, np.uint8)
    free[_order()] = 1
    masked = plain[:, None] ^ (_masks() * free.reshape(SIZE, SIZE))[None]
    for mask in range(8):
        for (y, x), bit in _format(mask):
            masked[:, mask, y, x] = bit
    flat = masked.reshape(-1, SIZE, SIZE)
    scores = _penalty(flat).reshape(len(plain), 8)
    best: Cells = masked[np.arange(len(plain)), scores.argmin(axis=1)]
    return best


def _penalty(cells: Cells) -> NDArray[np.int32]:
    """N1 to N4 of table 11 for each symbol."""
    score = np.zeros(len(cells), np.int32)
    for lines in (cells, cells.transpose(0, 2, 1)):
        total = lines.cumsum(axis=2, dtype=np.int8)
        total = np.concatenate([np.zeros_like(total[:, :, :1]), total], axis=2)
        five = total[:, :, 5:] - total[:, :, :-5]
        same = (five == 0) | (five == 5)
        # A run of n cells is n - 4 windows of five: n - 2 points are the windows and 2 a run.
        begins = same.copy()
        begins[:, :, 1:] &= ~same[:, :, :-1]  # neighbouring windows share four cells
        score += same.sum(axis=(1, 2)) + 2 * begins.sum(axis=(1, 2))
        word = np.zeros((*lines.shape[:2], SIZE - 10), np.int16)
        for at in range(11):
            word = word << 1 | lines[:, :, at : SIZE - 10 + at]
        score += 40 * ((word == 0b10111010000) | (word == 0b00001011101)).sum(axis=(1, 2))
    block = cells[:, :-1, :-1] + cells[:, 1:, :-1] + cells[:, :-1, 1:] + cells[:, 1:, 1:]
    score += 3 * ((block == 0) | (block == 4)).sum(axis=(1, 2), dtype=np.int32)
    dark = cells.sum(axis=(1, 2), dtype=np.int32)
    score += 10 * (np.abs(20 * dark - 10 * SIZE * SIZE) // (SIZE * SIZE))
    return score


@cache
def _masks() -> Cells:
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    found = [
        (y + x) % 2, y % 2, x % 3, (y + x) % 3, (y // 2 + x // 3) % 2, y * x % 2 + y * x % 3,
        (y * x % 2 + y * x % 3) % 2, ((y + x) % 2 + y * x % 3) % 2,
    ]
    return np.stack([(one == 0).astype(np.uint8) for one in found])


def _format(mask: int) -> list[tuple[tuple[int, int], int]]:
    """Both copies of the format information of level M with a mask, and the dark cell."""
    value = rest = mask << 10  # level M is 00
    for shift in range(4, -1, -1):
        if rest >> 10 + shift & 1:
            rest ^= 0x537 << shift
    word = (value | rest) ^ 0x5412
    one = [(8, n) for n in (0, 1, 2, 3, 4, 5, 7, 8)] + [(n, 8) for n in (7, 5, 4, 3, 2, 1, 0)]
    two = [(SIZE - 1 - n, 8) for n in range(7)] + [(8, SIZE - 8 + n) for n in range(8)]
    bits = [word >> 14 - at & 1 for at in range(15)]
    return [*zip(one, bits, strict=True), *zip(two, bits, strict=True), ((SIZE - 8, 8), 1)]


@cache
def _fixed() -> Cells:
    """Finder, alignment and timing patterns of version 2, flat."""
    cells = np.zeros((SIZE, SIZE), np.uint8)
    cells[6, 8 : SIZE - 8 : 2] = cells[8 : SIZE - 8 : 2, 6] = 1
    ring = np.ones((7, 7), np.uint8)
    ring[1:6, 1:6] = 0
    ring[2:5, 2:5] = 1
    for y, x in ((0, 0), (0, SIZE - 7), (SIZE - 7, 0)):
        cells[y : y + 7, x : x + 7] = ring
    small = np.ones((5, 5), np.uint8)
    small[1:4, 1:4] = 0
    small[2, 2] = 1
    cells[_ALIGNMENT - 2 : _ALIGNMENT + 3, _ALIGNMENT - 2 : _ALIGNMENT + 3] = small
    return cells.reshape(-1)


@cache
def _order() -> NDArray[np.intp]:
    """Flat indices of the data cells in the order of the bits; the last seven stay light."""
    taken = np.zeros((SIZE, SIZE), bool)
    taken[:9, :9] = taken[:9, -8:] = taken[-8:, :9] = True
    taken[6, :] = taken[:, 6] = True
    taken[_ALIGNMENT - 2 : _ALIGNMENT + 3, _ALIGNMENT - 2 : _ALIGNMENT + 3] = True
    found, up = [], True
    for right in (24, 22, 20, 18, 16, 14, 12, 10, 8, 5, 3, 1):
        for y in range(SIZE - 1, -1, -1) if up else range(SIZE):
            found += [y * SIZE + x for x in (right, right - 1) if not taken[y, x]]
        up = not up
    return np.array(found, np.intp)


@cache
def _generator() -> NDArray[np.float32]:
    """Data bit → check bits: the Reed-Solomon code of 28 + 16 codewords as one linear map."""
    exponent, logarithm = [0] * 512, [0] * 256
    value = 1
    for power in range(255):
        exponent[power] = exponent[power + 255] = value
        logarithm[value] = power
        value = value << 1 ^ (0x11D if value & 128 else 0)
    divisor = [1]
    for power in range(_CHECK):
        longer = [*divisor, 0]
        for at, factor in enumerate(divisor):
            longer[at + 1] ^= exponent[logarithm[factor] + power]
        divisor = longer
    rows = np.zeros((8 * _DATA, 8 * _CHECK), np.float32)
    for bit in range(8 * _DATA):
        left = [0] * (_DATA + _CHECK)
        left[bit // 8] = 128 >> bit % 8
        for at in range(_DATA):
            lead = left[at]
            for place, factor in enumerate(divisor if lead else ()):
                left[at + place] ^= exponent[logarithm[lead] + logarithm[factor]]
        rows[bit] = np.unpackbits(np.array(left[_DATA:], np.uint8))
    return rows
