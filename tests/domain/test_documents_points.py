"""Cards, vouchers and attendance sheets: measures on paper, codes, order."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest
import qrcode
from PIL import Image

from config.democity.reading import cells_text, qr_text
from points.documents.attendance_sheet import attendance_sheet
from points.documents.cards import card_sheets, qr_box
from points.documents.label_formats import CARD_10, FORMATS, QR_BOX_MM, QR_MODULES_MM, LabelFormat
from points.documents.symbols import drawing, symbols
from points.documents.values import (
    AttendanceMember,
    AttendanceSheet,
    Card,
    CardSheet,
    VoucherIssuer,
    VoucherPaper,
)
from points.documents.vouchers import voucher_pages
from registry.documents import MissingGlyphs
from tests.domain.documents_samples import AT, LONG_NAME, boxes_of, pages_of

WORDS = CardSheet(
    title="つなポン カード", municipality="見本市", finder="ひろった方は 社協 0242-00-0000 へ",
    sample=True,
)  # fmt: skip
DPI = 254  # ten dots a millimetre


def _card(i: int, **fields: object) -> Card:
    values: dict[str, object] = {
        "code": f"HTTPS://T.EXAMPLE/C/ABCDEFGHJ{i:04d}",
        "number": f"204 {i:03d}",
        "name": f"髙橋 {i:03d}",
        "kana": "たかはし",
        "programmes": ("支え合いポイント",),
    }
    return Card(**{**values, **fields})  # type: ignore[arg-type]


def _picture(pdf: bytes, page: int = 1) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    import io

    png = subprocess.run(
        ["pdftoppm", "-r", str(DPI), "-gray", "-f", str(page), "-l", str(page), "-"],
        input=pdf, capture_output=True, check=True,
    ).stdout  # fmt: skip
    return np.asarray(Image.open(io.BytesIO(png))) < 128


def test_ten_cards_a_sheet_in_order_each_with_its_own_code() -> None:
    cards = [_card(i) for i in range(23)]
    pdf = card_sheets(WORDS, cards, created_at=AT)
    pages = pages_of(pdf)
    assert [page.count("手帳の番号") for page in pages] == [10, 10, 3]
    assert all("髙橋019" in page for page in pages[1:2]) and "支え合いポイント" in pages[0]
    assert all(page.count("見本") >= 3 for page in pages)
    assert [_read(pdf, CARD_10, i) for i in range(23)] == [card.code for card in cards]


def _read(pdf: bytes, form: LabelFormat, index: int) -> str:
    """What a reader that knows only the paper sees: the rendered picture of one label's QR.

    Asserts 30 mm of modules and four light cells around them.
    """
    page, left, top = form.place(index)
    dark = _picture(pdf, page + 1)
    dot, cell = DPI / 25.4, QR_MODULES_MM / 25
    left, top = left + form.qr_x, top + form.qr_y
    box = dark[round(top * dot) : round((top + QR_BOX_MM) * dot),
               round(left * dot) : round((left + QR_BOX_MM) * dot)]
    rows, columns = np.nonzero(box.any(axis=1))[0], np.nonzero(box.any(axis=0))[0]
    margin = round(4 * cell * dot)
    for seen in (rows, columns):
        assert abs(seen[0] - margin) <= 2, "the quiet zone is not four cells"
        assert abs(seen[-1] + 1 - seen[0] - QR_MODULES_MM * dot) <= 2, "not 30 mm of modules"
    at = [round((4 + n + 0.5) * cell * dot) for n in range(25)]
    return cells_text([[bool(box[y, x]) for x in at] for y in at])


@pytest.mark.parametrize("form", FORMATS.values(), ids=lambda form: form.code)
def test_P6_every_format_prints_codes_that_an_independent_reader_reads(form: LabelFormat) -> None:
    count = form.each + 1  # and one on the next page
    cards = [_card(i, code_text=f"ABCD-{i:04d}-QPVX") for i in range(count)]
    pdf = card_sheets(WORDS, cards, created_at=AT, form=form)
    pages = pages_of(pdf)
    assert [page.count("手帳の番号") for page in pages] == [form.each, 1]
    for i in (0, form.each // 2, form.each - 1, form.each):
        assert _read(pdf, form, i) == cards[i].code
        assert cards[i].code_text in pages[i // form.each], "the typed code"
    long = card_sheets(WORDS, [_card(1, name=LONG_NAME, code_text="ABCD-EFGH-JKMN",
                                     number="204 118 226 334")], created_at=AT, form=form)
    assert "ABCD-EFGH-JKMN" in pages_of(long)[0]
    _, x, y = form.place(0)
    for left, top, right, bottom, word in boxes_of(long)[0]:
        assert left >= x / 25.4 * 72 - 0.1 and top >= y / 25.4 * 72 - 0.1, word
        assert right <= (x + form.width) / 25.4 * 72 + 0.1, word
        assert bottom <= (y + form.height) / 25.4 * 72 + 0.1, word


def test_symbols_equal_another_encoders_under_the_same_mask() -> None:
    texts = [f"HTTPS://T.EXAMPLE/C/{'0123456789ABCDEFGH'[:n]}" for n in range(19)]
    texts += ["A", "AB", "-$ %*+./:", "Z" * 38]
    for text, cells in zip(texts, symbols(texts), strict=True):
        same = []
        for mask in range(8):
            code = qrcode.QRCode(version=2, error_correction=qrcode.ERROR_CORRECT_M, border=0,
                                 mask_pattern=mask)
            code.add_data(text, optimize=0)
            code.make(fit=False)
            same.append(bool((np.array(code.get_matrix()) == cells).all()))
        assert sum(same) == 1, text
        assert qr_text(drawing(cells)) == text
    for wrong in ("", "a", "Z" * 39, "é"):
        with pytest.raises(ValueError, match=r"texts\[1\]"):
            symbols(["A", wrong])


def test_card_holds_long_names_and_refuses_bad_ones() -> None:
    long = _card(1, name=LONG_NAME, kana="じゅげむ" * 8, number="204 118 226 334")
    pdf = card_sheets(WORDS, [long], created_at=AT)
    assert LONG_NAME in pages_of(pdf)[0]
    for left, top, right, bottom, word in boxes_of(pdf)[0]:
        assert left >= 39.6 and right <= (14 + 91) / 25.4 * 72, word
        assert top >= 31 and bottom <= (11 + 55) / 25.4 * 72, word
    with pytest.raises(MissingGlyphs):
        card_sheets(WORDS, [_card(1, name="\U0001f600")], created_at=AT)
    for code in ("", "X" * 39):
        with pytest.raises(ValueError, match=r"cards\[0\]\.code"):
            card_sheets(WORDS, [_card(1, code=code)], created_at=AT)


def test_card_says_sample_only_when_flagged() -> None:
    real = CardSheet(title="カード", municipality="市", finder="届け先")
    assert "見本" not in pages_of(card_sheets(real, [_card(1)], created_at=AT))[0]


def test_qr_of_a_full_length_card_code_is_version_two() -> None:
    box = qr_box("HTTPS://T.EXAMPLE/C/" + "0" * 18)
    assert 'viewBox="0 0 33 33"' in str(box["svg"]) and box["mm"] == 30.0 * 33 / 25


def test_one_voucher_a_page_with_serial_and_code() -> None:
    vouchers = [
        VoucherPaper(
            serial=f"2026-{i:04d}", code=f"HTTPS://T.EXAMPLE/V/ABC{i}", code_text=f"ABCD-{i}",
            yen="1,000円", programme="支え合いポイント", holder=f"𠮷田 {i}",
            valid_until="令和9年3月31日", usable_at=("見本商店",),
        )
        for i in range(3)
    ]  # fmt: skip
    issuer = VoucherIssuer(municipality="見本市", office="社協", phone="0242", sample=True)
    pdf = voucher_pages(issuer, vouchers, created_at=AT)
    pages = pages_of(pdf)
    assert len(pages) == 3
    for i, page in enumerate(pages):
        for words in (f"2026-{i:04d}", f"ABCD-{i}", f"𠮷田{i}様", "1,000円", "見本", f"{i + 1}/3"):
            assert words in page
        assert f"2026-{(i + 1) % 3:04d}" not in page
    assert pdf == voucher_pages(issuer, vouchers, created_at=AT)
    with pytest.raises(ValueError, match=r"vouchers\[0\]"):
        voucher_pages(issuer, [VoucherPaper(serial="1", code="", code_text="", yen="", programme="",
                                            holder="")], created_at=AT)  # fmt: skip


def test_attendance_sheet_keeps_the_order_and_marks_strange_signs() -> None:
    members = tuple(
        AttendanceMember(order=i, number=f"N{i:03d}", name="花\U0001f600" if i == 3 else f"氏{i}")
        for i in range(1, 31)
    )
    sheet = AttendanceSheet(
        sheet_number="A-1", municipality="見本市", programme="支え合い", group="サロン",
        activity="体操", held_on="11月23日", time="10時", place="集会所", members=members,
        empty_lines=5, return_to="社協", code="A1", sample=True,
    )  # fmt: skip
    pages = pages_of(attendance_sheet(sheet, created_at=AT))
    whole = "".join(pages)
    places = [whole.index(f"N{i:03d}") for i in range(1, 31)]
    assert places == sorted(places) and "花〓" in whole and "35" in pages[-1]
    assert all("A-1" in page for page in pages) and "参加した人の数" in pages[0]
    with pytest.raises(ValueError, match="numbered"):
        attendance_sheet(
            AttendanceSheet(**{**sheet.__dict__, "members": members[::-1]}), created_at=AT
        )
