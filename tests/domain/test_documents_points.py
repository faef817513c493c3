"""Cards, vouchers and attendance sheets: measures on paper, codes, order."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest
import qrcode
from PIL import Image

from points.documents.attendance_sheet import attendance_sheet
from points.documents.cards import QR_MODULES_MM, card_sheets, qr_box
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
    dark = _picture(pdf)
    for i in range(10):
        left = 14 + 91 * (i % 2) + 1
        top = 11 + 55 * (i // 2) + 7.8
        _assert_code(dark, cards[i].code, left, top)


def _assert_code(
    dark: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], text: str, left: float, top: float
) -> None:
    """The picture at (left, top) mm is the code, 30 mm wide, with four white cells around."""
    code = qrcode.QRCode(version=2, error_correction=qrcode.ERROR_CORRECT_M, border=4)
    code.add_data(text, optimize=0)
    code.make(fit=True)
    matrix = np.array(code.get_matrix())
    cell = QR_MODULES_MM / (len(matrix) - 8)
    assert cell * (len(matrix) - 8) >= 30
    for y, row in enumerate(matrix):
        for x, on in enumerate(row):
            px = round((left + (x + 0.5) * cell) * DPI / 25.4)
            py = round((top + (y + 0.5) * cell) * DPI / 25.4)
            assert dark[py, px] == on, f"cell {x},{y}"
    edge = [round(v * DPI / 25.4) for v in (left + 0.3, left + 4 * cell - 0.3)]
    high = [round(v * DPI / 25.4) for v in (top + 0.3, top + (len(matrix)) * cell - 0.3)]
    assert not dark[high[0] : high[1], edge[0] : edge[1]].any()
    band = [round(v * DPI / 25.4) for v in (top + 0.3, top + 4 * cell - 0.3)]
    wide = [round(v * DPI / 25.4) for v in (left + 0.3, left + len(matrix) * cell - 0.3)]
    assert not dark[band[0] : band[1], wide[0] : wide[1]].any()


def test_card_holds_long_names_and_refuses_bad_ones() -> None:
    long = _card(1, name=LONG_NAME, kana="じゅげむ" * 8, number="204 118 226 334")
    pdf = card_sheets(WORDS, [long], created_at=AT)
    assert LONG_NAME in pages_of(pdf)[0]
    for left, top, right, bottom, word in boxes_of(pdf)[0]:
        assert left >= 39.6 and right <= (14 + 91) / 25.4 * 72, word
        assert top >= 31 and bottom <= (11 + 55) / 25.4 * 72, word
    with pytest.raises(MissingGlyphs):
        card_sheets(WORDS, [_card(1, name="\U0001f600")], created_at=AT)
    for code in ("", "X" * 61):
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
