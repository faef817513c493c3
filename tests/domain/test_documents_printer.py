"""The printer: every character present, no value becomes code, equal input gives equal bytes."""

from __future__ import annotations

import io
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evacuation.documents.booklet import acknowledgement, booklet
from registry import fonts
from registry.documents import (
    ROOT,
    Missing,
    MissingGlyphs,
    clean_text,
    join,
    lock,
    page_count,
    qr_svg,
    render,
)
from tests.domain.documents_samples import AT, HEADER, person, text_of

TEMPLATE = ROOT / "evacuation" / "documents" / "templates" / "acknowledgement.typ"


def test_fonts_hold_the_hard_kanji_and_miss_what_they_miss() -> None:
    assert fonts.missing_glyphs("髙﨑𠮷邉槗齋－〓□あア①㈱") == ()
    assert fonts.missing_glyphs("花\U0001f600子\U0001f600") == ("\U0001f600",)
    regular = fonts.coverage(fonts.FILES[0])
    assert regular.has(ord("髙")) and not regular.has(ord("𠮷"))


def test_variation_sequences_are_told_apart() -> None:
    known, unknown = "葛\U000e0100", "辻\U000e01ef"
    assert fonts.missing_variants(known + "城" + unknown) == (unknown,)
    assert fonts.missing_variants("葛城") == ()


def test_fallback_draws_only_what_the_first_font_lacks() -> None:
    for shape in fonts.fallback_variants("葛\U000e0100邉\U000e0101辻\U000e0101"):
        assert (ord(shape[0]), ord(shape[1])) not in fonts.variants(fonts.FILES[0])


def test_every_name_is_found_in_the_printed_text() -> None:
    names = ["髙橋 正夫", "﨑山 キヨ", "𠮷田 ミツ", "渡邉 正", "土槗 武", "葛\U000e0100城 フミ"]
    people = [person(i, name=name) for i, name in enumerate(names)]
    text = text_of(booklet(HEADER, people, created_at=AT))
    for name in names:
        assert re.sub(r"\s", "", name) in text


@pytest.mark.parametrize(
    "hostile",
    ["#panic()", "*太字*", "$x$", "`raw`", '"; #eval("1")', "#read(\"/etc/passwd\")", "= 見出し",
     "// 注", "<a>", "@ref", "\\", "http://a.example/b", "]#[", "-- --- ~"],
)  # fmt: skip
def test_no_value_is_read_as_code(hostile: str) -> None:
    text = text_of(booklet(HEADER, [person(1, name=hostile, address=hostile)], created_at=AT))
    assert text.count(re.sub(r"\s", "", hostile)) >= 2


def test_templates_neither_evaluate_nor_load() -> None:
    files = [*ROOT.glob("*/documents/templates/*.typ"), ROOT / "registry" / "documents.typ"]
    assert len(files) >= 9
    for file in files:
        source = file.read_text(encoding="utf-8")
        for word in ("eval(", "@preview", "read(", "plugin("):
            assert word not in source, f"{file.name}: {word}"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_clean_text_is_stable_and_prints(text: str) -> None:
    cleaned = clean_text(text)
    assert clean_text(cleaned) == cleaned
    assert not any(ord(c) < 0x20 and c != "\n" for c in cleaned)
    cleaned.encode("utf-8")


def test_clean_text_keeps_registered_kanji() -> None:
    registered = "\ufa19\ufa11葛\U000e0100\U00020bb7"  # NFC would exchange the first
    assert clean_text(registered) == registered
    assert clean_text("a\u202eb\tc\r\nd\ud800") == "ab c\nd〓"


@settings(max_examples=12, deadline=None)
@given(st.text(min_size=1, max_size=40))
def test_any_text_prints_or_is_marked(text: str) -> None:
    pdf = booklet(HEADER, [person(1, address=text)], created_at=AT)
    assert pdf.startswith(b"%PDF-")


def test_a_missing_character_is_refused_or_marked_never_dropped() -> None:
    bad = HEADER.__class__(**{**HEADER.__dict__, "holder": "花\U0001f600子"})
    with pytest.raises(MissingGlyphs) as refusal:
        acknowledgement(bad, people=1, reply_by="x", created_at=AT)
    assert refusal.value.code == "missing_glyphs"
    assert refusal.value.characters == ("\U0001f600",)
    assert "U+1F600" in refusal.value.message
    text = text_of(booklet(HEADER, [person(1, name="花\U0001f600子")], created_at=AT))
    assert "花〓子" in text and "U+1F600" in text


def test_equal_input_gives_equal_bytes_in_and_out_of_a_child() -> None:
    people = [person(i) for i in range(4)]
    here = booklet(HEADER, people, created_at=AT)
    assert here == booklet(HEADER, people, created_at=AT)
    assert here == booklet(HEADER, people, created_at=AT, isolated=True)
    later = AT.replace(year=2027)
    assert here != booklet(HEADER, people, created_at=later)


def test_time_needs_its_zone_and_template_its_place() -> None:
    with pytest.raises(ValueError, match="time zone"):
        render(TEMPLATE, {}, created_at=datetime(2026, 1, 1))
    with pytest.raises(ValueError, match="not in the subpath"):
        render(Path("/tmp/x.typ"), {}, created_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert Missing("mark") is Missing.MARK


def test_fonts_are_embedded_and_the_file_says_pdf_a() -> None:
    pdf = booklet(HEADER, [person(1, name="𠮷田")], created_at=AT)
    listed = subprocess.run(["pdffonts", "-"], input=pdf, capture_output=True, check=True).stdout
    rows = listed.decode().splitlines()[2:]
    assert any("BIZUDPGothic" in row for row in rows) and any("NotoSansCJKjp" in r for r in rows)
    assert all(re.search(r"\byes\s+yes\s+yes\b", row) for row in rows)
    with pikepdf.open(io.BytesIO(pdf)) as opened, opened.open_metadata() as metadata:
        assert metadata.pdfa_status == "2B"


def test_lock_opens_with_the_password_only() -> None:
    pdf = booklet(HEADER, [person(1)], created_at=AT)
    locked = lock(pdf, password="つながり2026")
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(io.BytesIO(locked))
    with pikepdf.open(io.BytesIO(locked), password="つながり2026") as opened:
        assert opened.encryption.R == 6 and opened.encryption.bits == 256
        assert len(opened.pages) == page_count(pdf)
    assert "齋藤".encode() not in locked
    with pytest.raises(ValueError, match="password"):
        lock(pdf, password="")


def test_join_keeps_order_and_bytes() -> None:
    one = booklet(HEADER, [person(1, name="一番目")], created_at=AT)
    two = booklet(HEADER, [person(2, name="二番目")], created_at=AT)
    both = join([one, two])
    assert page_count(both) == page_count(one) + page_count(two)
    text = text_of(both)
    assert text.index("一番目") < text.index("二番目")
    assert both == join([one, two])


def test_qr_drawing_is_the_matrix() -> None:
    import qrcode

    text = "HTTPS://T.EXAMPLE/C/ABCDEFGH01234567"
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=4)
    code.add_data(text, optimize=0)
    code.make(fit=True)
    drawn = {
        (int(x) + i, int(y))
        for x, y, n in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", qr_svg(text))
        for i in range(int(n))
    }
    matrix = code.get_matrix()
    assert code.version == 2
    assert drawn == {(x, y) for y, row in enumerate(matrix) for x, on in enumerate(row) if on}
    assert min(x for x, _ in drawn) == 4 and text not in qr_svg(text)
