"""What the check reads with its own eyes: QR pictures as drawn, text and names in PDF files.

Owns a reader for the service's own clean QR drawings (a phone's part in the check) and a PDF
text extractor over the embedded fonts' ToUnicode tables.  Refuses damaged symbols: there is no
error correction here, a wrong picture must fail.  Source: ISO/IEC 18004 (versions 1–6, level M);
ISO 32000-1, 9.10 (ToUnicode).
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable, Iterator

import pikepdf

_ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
# Version → (blocks, data codewords in each) at level M; equal blocks only.
_BLOCKS = {1: (1, 16), 2: (1, 28), 3: (1, 44), 4: (2, 32), 5: (2, 43), 6: (4, 27)}
_MASKS: tuple[Callable[[int, int], bool], ...] = (
    lambda y, x: (y + x) % 2 == 0,
    lambda y, x: y % 2 == 0,
    lambda y, x: x % 3 == 0,
    lambda y, x: (y + x) % 3 == 0,
    lambda y, x: (y // 2 + x // 3) % 2 == 0,
    lambda y, x: y * x % 2 + y * x % 3 == 0,
    lambda y, x: (y * x % 2 + y * x % 3) % 2 == 0,
    lambda y, x: ((y + x) % 2 + y * x % 3) % 2 == 0,
)
Cells = list[list[bool]]


def qr_text(svg: str) -> str:
    """The text of a QR code as the service draws it.  Raises ``ValueError`` for anything else."""
    return cells_text(_cells(svg))


def cells_text(cells: Cells) -> str:
    """The text of a symbol's cells, without quiet zone.  Raises ``ValueError``."""
    size = len(cells)
    version = (size - 17) // 4
    if size != version * 4 + 17 or version not in _BLOCKS:
        raise ValueError(f"no QR code of versions 1 to 6: {size} cells")
    form = 0
    around = [(8, 0), (8, 1), (8, 2), (8, 3), (8, 4), (8, 5), (8, 7), (8, 8),
              (7, 8), (5, 8), (4, 8), (3, 8), (2, 8), (1, 8), (0, 8)]
    for y, x in around:
        form = form << 1 | cells[y][x]
    mask = _MASKS[(form ^ 0x5412) >> 10 & 7]
    bits = [cells[y][x] ^ mask(y, x) for y, x in _path(size)]
    blocks, length = _BLOCKS[version]
    words = [
        sum(bit << 7 - at for at, bit in enumerate(bits[n * 8 : n * 8 + 8]))
        for n in range(blocks * length)
    ]
    ordered = [words[at * blocks + block] for block in range(blocks) for at in range(length)]
    return _decoded("".join(f"{word:08b}" for word in ordered))


def _cells(svg: str) -> Cells:
    """The dark cells of the drawing, without its quiet zone."""
    size = re.search(r'viewBox="0 0 (\d+) \1"', svg)
    runs = [tuple(map(int, run)) for run in re.findall(r"M(\d+) (\d+)h(\d+)v1", svg)]
    if size is None or not runs:
        raise ValueError("no QR drawing")
    dark = {(y, x + at) for x, y, width in runs for at in range(width)}
    border = min(x for _, x in dark)
    side = int(size[1]) - 2 * border
    return [[(y + border, x + border) in dark for x in range(side)] for y in range(side)]


def _path(size: int) -> Iterator[tuple[int, int]]:
    """The data cells in their order: pairs of columns from the right, up and down."""
    middle, up = size - 7, True
    for right in (x if x > 6 else x - 1 for x in range(size - 1, 0, -2)):
        for step in range(size):
            y = size - 1 - step if up else step
            for x in (right, right - 1):
                corner = (y < 9 and (x < 9 or x > size - 9)) or (y > size - 9 and x < 9)
                alignment = size > 21 and abs(y - middle) < 3 and abs(x - middle) < 3
                if not (corner or 6 in (y, x) or alignment):
                    yield y, x
        up = not up


def _decoded(bits: str) -> str:
    at = 0

    def take(count: int) -> int:
        nonlocal at
        at += count
        return int(bits[at - count : at], 2)

    mode = take(4)
    if mode == 4:
        return bytes(take(8) for _ in range(take(8))).decode()
    if mode != 2:
        raise ValueError(f"QR mode {mode}")
    text, left = "", take(9)
    while left >= 2:
        pair = take(11)
        text, left = text + _ALPHANUMERIC[pair // 45] + _ALPHANUMERIC[pair % 45], left - 2
    return text + (_ALPHANUMERIC[take(6)] if left else "")


def pdf_pages(content: bytes) -> list[str]:
    """The text of each page, spaces left out, NFKC: fit to look for names."""
    with pikepdf.open(io.BytesIO(content)) as file:
        return [plain("".join(_page(page.obj, {}))) for page in file.pages]


def plain(text: str) -> str:
    """One spelling for searching: NFKC, no white space, no variation selectors."""
    flat = unicodedata.normalize("NFKC", text)
    return "".join(
        c for c in flat if not c.isspace() and not 0xE0100 <= ord(c) <= 0xE01EF
        and not 0xFE00 <= ord(c) <= 0xFE0F
    )


def _page(holder: pikepdf.Object, fonts: dict[str, dict[int, str]]) -> Iterator[str]:
    resources = holder.get("/Resources", pikepdf.Dictionary())
    known = dict(fonts)
    for name, font in resources.get("/Font", pikepdf.Dictionary()).items():
        known[name] = _unicode(font)
    inner = resources.get("/XObject", pikepdf.Dictionary())
    table: dict[int, str] = {}
    for step in pikepdf.parse_content_stream(holder):
        operands, word = step.operands, str(step.operator)
        if word == "Tf":
            table = known.get(str(operands[0]), {})
        elif word in ("Tj", "'", '"'):
            yield _shown(bytes(operands[-1]), table)
        elif word == "TJ":
            for part in operands[0]:
                if isinstance(part, pikepdf.String):
                    yield _shown(bytes(part), table)
        elif word == "Do":
            form = inner.get(str(operands[0]))
            if form is not None and form.get("/Subtype") == "/Form":
                yield from _page(form, known)


def _shown(raw: bytes, table: dict[int, str]) -> str:
    codes = (int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2))
    return "".join(table.get(code, "") for code in codes)


def _unicode(font: pikepdf.Object) -> dict[int, str]:
    """Two-byte code → text, from the font's ToUnicode table."""
    stream = font.get("/ToUnicode")
    if stream is None:
        return {}
    text, table = stream.read_bytes().decode("latin-1"), {}
    for block in re.findall(r"beginbfchar(.*?)endbfchar", text, re.S):
        for code, value in re.findall(r"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f ]+)>", block):
            table[int(code, 16)] = _utf16(value)
    for block in re.findall(r"beginbfrange(.*?)endbfrange", text, re.S):
        row = r"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*(?:<([0-9A-Fa-f]+)>|\[(.*?)\])"
        for first, last, value, several in re.findall(row, block, re.S):
            low, high = int(first, 16), int(last, 16)
            if several:
                for at, one in enumerate(re.findall(r"<([0-9A-Fa-f]+)>", several)):
                    table[low + at] = _utf16(one)
                continue
            head = _utf16(value)
            for code in range(low, high + 1):
                table[code] = head[:-1] + chr(ord(head[-1]) + code - low)
    return table


def _utf16(value: str) -> str:
    return bytes.fromhex(value.replace(" ", "")).decode("utf-16-be")
