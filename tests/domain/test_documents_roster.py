"""The printed roster: R5, R8, R9, and the golden rule that no page mixes people or copies."""

from __future__ import annotations

import io
import re
import time
from dataclasses import replace

import pikepdf
import pytest
from python_calamine import CalamineWorkbook

from evacuation.documents.booklet import acknowledgement, booklet, difference_sheet, person_rows
from evacuation.documents.booklet_xlsx import booklet_xlsx
from evacuation.documents.notices import loss_notice, strike_out_notice
from evacuation.documents.values import (
    BookletPerson,
    ChangedLine,
    Contact,
    DifferenceLine,
    DifferenceSheet,
    LossNotice,
    StrikeOut,
)
from tests.domain.documents_samples import (
    AT,
    HEADER,
    LONG_ADDRESS,
    LONG_NAME,
    boxes_of,
    pages_of,
    person,
    squeeze,
    text_of,
)

A4 = (595.3, 841.9)


def test_R9_every_page_carries_notice_holder_copy_number_and_page() -> None:
    pages = pages_of(booklet(HEADER, [person(i) for i in range(10)], created_at=AT))
    assert len(pages) >= 4
    for n, page in enumerate(pages, start=1):
        for words in ("取扱注意", "第49条の13", "会長佐藤茂", "R8-2-0071", "K7Q2M9X4TA", "見本",
                      f"{n}/{len(pages)}ページ"):  # fmt: skip
            assert words in page, f"page {n} lacks {words}"


def test_golden_each_person_is_whole_on_one_page_in_order() -> None:
    people = [person(i) for i in range(1, 41)]
    pages = pages_of(booklet(HEADER, people, created_at=AT))
    order: list[int] = []
    for i in range(1, 41):
        tail = f"{i:04d}"
        own = (f"07-{tail}", f"見本{tail}", f"城東町{i}番", f"0242-11-{tail}", f"090-0000-{tail}")
        where = {n for n, page in enumerate(pages) if any(part in page for part in own)}
        assert len(where) == 1, f"person {i} is on pages {where}"
        (n,) = where
        assert all(part in pages[n] for part in own)
        order.append(n)
    assert order == sorted(order)
    held = [order.count(n) for n in set(order)]
    assert 3 <= max(held) <= 5 and min(held) >= 1


def test_golden_no_page_mixes_two_recipients() -> None:
    other = replace(HEADER, recipient="南町 町内会", holder="会長 加藤", copy_number="R8-2-0099")
    mine = pages_of(booklet(HEADER, [person(i) for i in range(6)], created_at=AT))
    theirs = pages_of(booklet(other, [person(i) for i in range(100, 106)], created_at=AT))
    assert "齋藤見本0003" in "".join(mine) and "齋藤見本0103" in "".join(theirs)
    for page in mine:
        assert "R8-2-0099" not in page and "南町" not in page and "見本010" not in page
    for page in theirs:
        assert "R8-2-0071" not in page and "城東町町内会" not in page and "見本000" not in page


@pytest.mark.parametrize("needs", [1, 20, 60])
def test_long_entries_stay_inside_the_page(needs: int) -> None:
    long = person(
        7,
        name=LONG_NAME,
        kana="じゅげむ" * 12,
        address=LONG_ADDRESS,
        other_contact="a-very-long-mail-address-of-somebody.with.many.parts@mail.example.jp" * 2,
        needs=tuple(f"必要な支援その{n}（ひとりで立てない）" for n in range(needs)),
        extra=(("備考", "冬は玄関の雪かきが必要。" * 12),),
    )
    pdf = booklet(HEADER, [person(1), long, person(2)], created_at=AT)
    for page in boxes_of(pdf):
        for left, top, right, bottom, word in page:
            assert left >= 30 and right <= A4[0] - 30, word
            assert top >= 20 and bottom <= A4[1] - 15, word
        # nothing of a person's block runs into the footer
        foot = min(top for _, top, _, _, word in page if "この名簿には" in word)
        assert all(b <= foot + 1 for _, top, _, b, _ in page if top < foot - 2)
    text = squeeze(text_of(pdf))
    assert squeeze(LONG_NAME) in text and squeeze(LONG_ADDRESS) in text
    assert f"その{needs - 1}(" in text
    pages = pages_of(pdf)
    assert sum("No.07-0007" in page for page in pages) == 1
    assert sum("雪かき" in page for page in pages) == 1


def test_R8_an_item_that_is_not_carried_is_not_printed() -> None:
    bare = BookletPerson(number="07-0001", name="齋藤 ヨシ", needs=("歩けない（車いす）",))
    assert person_rows(bare) == [("必要なこと", ("歩けない（車いす）",))]
    text = text_of(booklet(HEADER, [bare], created_at=AT))
    assert "歩けない（車いす）" in text
    for label in ("避難先", "手伝う人", "必要な理由", "緊急連絡先", "生年月日"):
        assert label not in text
    book = CalamineWorkbook.from_filelike(io.BytesIO(booklet_xlsx(HEADER, [bare], created_at=AT)))
    assert book.get_sheet_by_name("名簿").to_python()[4] == ["名簿番号", "氏名", "必要なこと"]


def test_supporter_row_says_open_only_when_told_so() -> None:
    told = person(1, supporters_note="未定")
    assert ("手伝う人", ("未定",)) in person_rows(told)
    named = person(1, supporters_note="未定", supporters=(Contact(name="佐藤 茂", relation="隣"),))
    assert ("手伝う人", ("佐藤 茂（隣）",)) in person_rows(named)


def test_forty_people_print_in_a_third_of_a_second() -> None:
    booklet(HEADER, [person(0)], created_at=AT)  # the fonts are read once a process
    people = [person(i) for i in range(2000, 2040)]
    times = []
    for shift in range(3):
        began = time.perf_counter()
        booklet(HEADER, [replace(p, group=f"{shift}班") for p in people], created_at=AT)
        times.append(time.perf_counter() - began)
    assert min(times) <= 0.3


def test_large_booklets_are_bound_in_volumes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evacuation.documents.booklet.VOLUME", 4)
    pdf = booklet(HEADER, [person(i) for i in range(10)], created_at=AT)
    pages = pages_of(pdf)
    covers = [page for page in pages if "お守りいただくこと" in page]
    assert [page[page.index("（この分冊") :][:8] for page in covers] == [
        "（この分冊4人）", "（この分冊4人）", "（この分冊2人）",
    ]  # fmt: skip
    assert all("のっている方10人" in page for page in covers)
    assert [page.count("/2ページ") for page in pages].count(1) == 6
    assert all("R8-2-0071" in page and "分冊／全3冊" in page for page in pages)
    found = re.findall(r"齋藤見本(\d{4})", "".join(pages))
    assert found == [f"{i:04d}" for i in range(10)]
    with pikepdf.open(io.BytesIO(pdf)) as opened, opened.open_metadata() as metadata:
        assert metadata.pdfa_status == "2B"
    assert pdf == booklet(HEADER, [person(i) for i in range(10)], created_at=AT)


def test_empty_booklet_is_a_cover() -> None:
    pages = pages_of(booklet(HEADER, [], created_at=AT))
    assert len(pages) == 1 and "のっている方0人" in pages[0]


def test_difference_sheet_says_new_changed_removed() -> None:
    sheet = DifferenceSheet(
        previous_edition="令和8年度 第1版",
        new=(DifferenceLine(number="07-0001", name="新見 花", address="城東町1"),),
        changed=(
            ChangedLine(number="07-0002", name="髙橋 正夫", changes=(("電話", "111", "222"),)),
        ),
        removed=(DifferenceLine(number="07-0003", name="﨑山 キヨ", note="転出"),),
        unchanged=9,
    )
    text = text_of(difference_sheet(HEADER, sheet, created_at=AT))
    marks = [text.index(w) for w in ("新しい方（1人）", "新見花", "変わった方（1人）",
                                     "髙橋正夫", "前：111", "今：222", "除かれた方（1人）",
                                     "﨑山キヨ")]  # fmt: skip
    assert marks == sorted(marks)
    empty = text_of(difference_sheet(HEADER, DifferenceSheet(previous_edition="x"), created_at=AT))
    assert empty.count("ありません。") == 3


def test_R9_receipt_slip_names_the_copy_and_nobody() -> None:
    pages = pages_of(acknowledgement(HEADER, people=12, reply_by="令和8年12月4日", created_at=AT))
    assert len(pages) == 1
    for words in ("受領書", "R8-2-0071", "12人", "氏名（自署）", "令和8年12月4日"):
        assert words in pages[0]


def test_R5_strike_out_notice_lists_people_and_no_reason() -> None:
    notice = StrikeOut(
        header=HEADER,
        persons=(
            DifferenceLine(number="07-0003", name="𠮷田 ミツ", address="言わない", note="2ページ"),
        ),
        notice_number="危第120号",
        sent_on="令和8年12月1日",
        reply_by="令和8年12月15日",
    )
    text = text_of(strike_out_notice(notice, created_at=AT))
    for words in ("𠮷田ミツ", "07-0003", "2ページ", "R8-2-0071", "会長佐藤茂様", "線引きの報告書"):
        assert words in text
    assert "言わない" not in text and "撤回" not in text
    many = replace(
        notice, persons=tuple(DifferenceLine(number=f"{i}", name=f"氏{i}") for i in range(80))
    )
    pages = pages_of(strike_out_notice(many, created_at=AT))
    assert len(pages) > 1 and all("R8-2-0071" in page for page in pages)


def test_loss_notice_is_one_page_to_one_person() -> None:
    letter = LossNotice(
        municipality="見本市", mayor="見本市長 見本 太郎", letter_number="危第121号",
        sent_on="令和8年12月1日", addressee=LONG_NAME, address=LONG_ADDRESS,
        postal_code="965-0000", happened="冊子1冊をなくしました。", lost_items=("氏名", "住所"),
        done=("警察に届けました。",), advice=("心当たりのない電話に出ないでください。",),
        office="危機管理課", phone="0242-00-0000", sample=True,
    )  # fmt: skip
    pages = pages_of(loss_notice(letter, created_at=AT))
    assert len(pages) == 1
    assert LONG_NAME + "様" in pages[0] and "氏名、住所" in pages[0]


def test_spreadsheet_keeps_names_as_text_and_says_what_it_is() -> None:
    people = [
        person(1, name="=1+1", needs=("-2", "+3")),
        person(2, name="𠮷田 葛\U000e0100", phone="0242", address="http://a.example/ &P"),
        person(3, name="@SUM(A1)", extra=(("備考", "&Pその他"),)),
    ]
    header = replace(HEADER, holder="A&B 会長")
    data = booklet_xlsx(header, people, created_at=AT)
    assert data == booklet_xlsx(header, people, created_at=AT)
    assert b"<f>" not in data and b"hyperlink" not in data
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    assert book.sheet_names == ["名簿", "説明"]
    rows = [[str(cell) for cell in row] for row in book.get_sheet_by_name("名簿").to_python()]
    assert rows[0][0].startswith("取扱注意") and "見本" in rows[0][0]
    assert "第49条の13" in rows[1][0] and "R8-2-0071" in rows[2][0] and "A&B 会長" in rows[3][0]
    at = {label: x for x, label in enumerate(rows[4])}
    assert [row[at["氏名"]] for row in rows[5:]] == ["=1+1", "𠮷田 葛\U000e0100", "@SUM(A1)"]
    assert rows[6][at["電話番号"]] == "0242" and rows[7][at["備考"]] == "&Pその他"
    said = {row[0]: row[1] for row in book.get_sheet_by_name("説明").to_python()[3:]}
    assert said["副本番号"] == "R8-2-0071" and said["人数"] == "3人"


def test_spreadsheet_prints_its_marks_on_paper_too() -> None:
    import zipfile

    with zipfile.ZipFile(io.BytesIO(booklet_xlsx(HEADER, [person(1)], created_at=AT))) as parts:
        for name in ("xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"):
            xml = parts.read(name).decode()
            assert "取扱注意" in xml and "R8-2-0071" in xml and "第49条の13" in xml
            assert "<f>" not in xml
