"""The printer of the house: values and a template in, PDF bytes out, and nothing else.

Owns: the typst run (own fonts only, no packages, no network), the cleaning of text, the check
that every character can be printed, the child process for large prints, QR drawings, joining
and locking of PDF files.
Refuses: text as source.  Templates receive values as one JSON string and never see them as
code, so no name can change a document; a character without a glyph is refused or marked 〓,
never dropped.  Equal input gives equal bytes: the time is an argument.
Rules: R8/R9 of the evacuation design (what a sheet shows), PDF/A-2b and PDF/UA-1 (ISO 19005-2,
ISO 14289-1).
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TypeAlias

import pikepdf
import qrcode
import typst

from registry import fonts
from registry.domain.errors import Refused

Value: TypeAlias = "str | int | float | bool | None | Sequence[Value] | Mapping[str, Value]"

ROOT = Path(__file__).resolve().parent.parent  # holds the packages; templates lie inside them
GETA = "〓"  # the printers' mark for a sort that is not in the case
CHILD_SECONDS = 600
_BIDI = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


class Missing(StrEnum):
    """What to do with a character that no font of ours can show."""

    REFUSE = "refuse"  # letters and plans: somebody corrects the text first
    MARK = "mark"  # rosters: printed as 〓 with a note, a roster must not fail for one sign


class MissingGlyphs(Refused):
    """Some characters have no glyph; ``characters`` holds them."""

    code = "missing_glyphs"

    def __init__(self, characters: Sequence[str]) -> None:
        self.characters = tuple(characters)
        shown = "、".join(f"U+{ord(char):04X}" for char in self.characters)
        super().__init__(f"印刷できない文字があります（{shown}）。別の文字に直してください。")


class PrintFailed(Refused):
    """The child process gave no document (killed, out of memory or time)."""

    code = "print_failed"
    message = "印刷物を作れませんでした。もう一度ためしてください。"


def clean_text(text: str) -> str:
    """Return ``text`` without control and direction marks; names keep every variant selector.

    Line ends become ``\\n``, tabs and other controls a space, lone surrogates 〓.  Nothing is
    normalised: NFC would exchange registered kanji for others.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isprintable():
        return text
    kept: list[str] = []
    for char in text:
        code = ord(char)
        if char in _BIDI:
            continue
        if 0xD800 <= code <= 0xDFFF:
            kept.append(GETA)
        elif char != "\n" and (code < 0x20 or 0x7F <= code < 0xA0 or code in (0x2028, 0x2029)):
            kept.append(" ")
        else:
            kept.append(char)
    return "".join(kept)


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, Sequence):
        for item in value:
            yield from _texts(item)


def _mapped(value: Value, table: Mapping[int, str]) -> Value:
    if isinstance(value, str):
        text = clean_text(value)
        return text.translate(table) if table else text
    if isinstance(value, Mapping):
        return {key: _mapped(item, table) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_mapped(item, table) for item in value]
    return value


def _payload(data: Mapping[str, Value], missing: Missing) -> str:
    """Clean, check and serialise; adds ``fonts``, ``variants`` and ``unprintable``."""
    cleaned = {key: _mapped(value, {}) for key, value in data.items()}
    text = "\n".join(_texts(cleaned))
    lost = fonts.missing_glyphs(text)
    if lost and missing is Missing.REFUSE:
        raise MissingGlyphs(lost)
    if lost:
        table = {ord(char): GETA for char in lost}
        cleaned = {key: _mapped(value, table) for key, value in cleaned.items()}
    marks = [f"U+{ord(char):04X}" for char in lost]
    marks += [f"U+{ord(pair[0]):04X}（異体字）" for pair in fonts.missing_variants(text)]
    return json.dumps(
        {
            **cleaned,
            "fonts": list(fonts.FAMILIES),
            "variants": list(fonts.fallback_variants(text)),
            "unprintable": marks,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(fonts.FOLDER), str(fonts.FALLBACK_FILE.parent)],
    )


def _compile(template: str, payload: str, created: int, tagged: bool) -> bytes:
    pdf = typst.compile(
        str(ROOT / template),
        root=str(ROOT),
        font_paths=_fonts(),
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"data": payload},
        pdf_standards=["ua-1"] if tagged else ["a-2b"],
        pdf_tags=tagged,
        timestamp=created,
    )
    if not isinstance(pdf, bytes):  # pragma: no cover - a list only for other formats
        raise PrintFailed
    return pdf


def _compile_in_child(template: str, payload: str, created: int, tagged: bool) -> bytes:
    """Render in a fresh interpreter, so that the memory of a large print is given back."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    order = json.dumps([template, payload, created, tagged])
    try:
        done = subprocess.run(
            [sys.executable, "-m", "registry.documents"],
            input=order.encode(),
            capture_output=True,
            timeout=CHILD_SECONDS,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise PrintFailed from late
    if done.returncode != 0 or not done.stdout.startswith(b"%PDF-"):
        raise PrintFailed
    return done.stdout


def render(
    template: Path,
    data: Mapping[str, Value],
    *,
    created_at: datetime,
    tagged: bool = False,
    missing: Missing = Missing.REFUSE,
    isolated: bool = False,
) -> bytes:
    """Fill a ``.typ`` file of one of our packages with values and return the PDF.

    ``data`` holds text, numbers, sequences and mappings; the template reads it from
    ``/registry/documents.typ``.  ``created_at`` (aware) becomes the creation date in the file.
    ``tagged`` gives PDF/UA-1 (letters and plans), else PDF/A-2b without tags (rosters, which
    tags would slow down twelvefold).  ``isolated`` renders in a child process.
    Raises :class:`MissingGlyphs`, :class:`PrintFailed`; ``ValueError`` for a naive time or a
    template outside our packages.
    """
    if created_at.tzinfo is None:
        raise ValueError("created_at must carry its time zone")
    place = template.resolve().relative_to(ROOT).as_posix()
    payload = _payload(data, missing)
    work = _compile_in_child if isolated else _compile
    return work(place, payload, int(created_at.timestamp()), tagged)


def qr_svg(text: str, *, border: int = 4, least_version: int = 1) -> str:
    """Draw a QR code (level M, quiet zone of ``border`` cells) as one SVG path.

    The picture holds modules only, never the text; ``least_version`` keeps sizes alike.
    Source: ISO/IEC 18004.
    """
    code = qrcode.QRCode(
        version=least_version, error_correction=qrcode.ERROR_CORRECT_M, border=border
    )
    code.add_data(text, optimize=0)
    code.make(fit=True)
    rows: list[list[bool]] = code.get_matrix()
    runs: list[str] = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            end = x
            while end < len(row) and row[end]:
                end += 1
            if end > x:
                runs.append(f"M{x} {y}h{end - x}v1h{x - end}z")
            x = end + 1
    size = len(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}">'
        f'<rect width="{size}" height="{size}" fill="#fff"/><path d="{"".join(runs)}"/></svg>'
    )


def join(files: Sequence[bytes]) -> bytes:
    """Put untagged PDF files one after another; title and PDF/A mark are those of the first.

    Equal input gives equal bytes.  Raises ``ValueError`` for no file.
    """
    if not files:
        raise ValueError("nothing to join")
    if len(files) == 1:
        return files[0]
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(files[0])) as whole:
        for file in files[1:]:
            with pikepdf.open(io.BytesIO(file)) as part:
                whole.pages.extend(part.pages)
        whole.save(out, deterministic_id=True)
    return out.getvalue()


def page_count(pdf: bytes) -> int:
    """Return the number of pages of a PDF."""
    with pikepdf.open(io.BytesIO(pdf)) as whole:
        return len(whole.pages)


def lock(pdf: bytes, *, password: str) -> bytes:
    """Return the PDF encrypted with AES-256; it opens only with ``password``.

    Encryption draws random numbers, so two locked copies differ.  PDF/A forbids encryption:
    the locked copy is for carrying, the plain one for keeping.
    Raises ``ValueError`` for an empty password.
    """
    if not password:
        raise ValueError("password must not be empty")
    allow = pikepdf.Permissions(extract=False, modify_other=False, modify_assembly=False)
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as whole:
        whole.save(
            out,
            encryption=pikepdf.Encryption(
                user=password, owner=os.urandom(24).hex(), R=6, aes=True, allow=allow
            ),
        )
    return out.getvalue()


def _child() -> int:
    template, payload, created, tagged = json.load(sys.stdin)
    sys.stdout.buffer.write(_compile(template, payload, created, tagged))
    return 0


if __name__ == "__main__":
    raise SystemExit(_child())
