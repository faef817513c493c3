"""Encodings: detection, chunks, CP932 as Windows writes it, losses reported."""

from __future__ import annotations

import csv
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.textcodec import (
    Encoding,
    Loss,
    LossKind,
    TextRefused,
    decode,
    detect,
    encode_cp932,
    encode_rows,
    private_characters,
)

HIRAGANA = "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよ"
KANJI = "会津若松市佐藤鈴木高橋田中渡辺伊藤山本中村小林加藤花子太郎一箕町大字亀賀郷之原"
japanese = st.text(HIRAGANA + KANJI + "アイウエオ　、。０１２", min_size=4, max_size=24)
lines = st.lists(japanese, min_size=1, max_size=12)
sizes = st.integers(1, 9)


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[i : i + size] for i in range(0, len(data), size))


@given(lines, st.sampled_from(Encoding), sizes)
def test_the_encoding_is_found_whatever_the_chunks(
    rows: list[str], encoding: Encoding, size: int
) -> None:
    data = "\r\n".join(["番号,氏名", *rows]).encode(encoding.value)
    assert detect(cut(data, size)) is encoding
    assert "".join(decode(cut(data, size), encoding)) == "\r\n".join(["番号,氏名", *rows])


@given(lines, lines, japanese)
def test_a_mixed_file_is_refused_with_its_row(
    before: list[str], after: list[str], odd: str
) -> None:
    for main, other in (("utf-8", "cp932"), ("cp932", "utf-8")):
        rows = [r.encode(main) for r in [*before, *after, *before, *after]]
        rows.insert(len(before), odd.encode(other))
        with pytest.raises(TextRefused) as refused:
            detect([b"\n".join(rows)])
        assert refused.value.code in ("text_mixed", "text_undecodable")
        assert refused.value.row == len(before) + 1


def test_ascii_is_utf8_and_utf16_is_refused() -> None:
    assert detect([b"a,b\r\n1,2\r\n"]) is Encoding.UTF8
    assert detect([]) is Encoding.UTF8
    with pytest.raises(TextRefused) as refused:
        detect(["番号".encode("utf-16")])
    assert refused.value.code == "text_utf16"


def test_half_width_kana_that_could_be_utf8_is_cp932() -> None:
    # ﾃｱ is also the UTF-8 of ñ: such a line decides nothing, the others do.
    data = "番号,氏名\r\nﾃｱ\r\n佐藤".encode("cp932")
    assert detect([data]) is Encoding.CP932


@pytest.mark.parametrize("bad", [b"\x80", b"\xa0\xa0", b"\xfd\xfe", b"\xff"])
def test_bytes_of_no_encoding_are_refused_with_their_row(bad: bytes) -> None:
    with pytest.raises(TextRefused) as refused:
        detect([b"a\nb\n" + bad + b"\n"])
    assert (refused.value.code, refused.value.row) == ("text_undecodable", 3)


def test_decoding_stops_at_the_row_that_is_not_text() -> None:
    with pytest.raises(TextRefused) as refused:
        list(decode(cut("一\n二\n".encode() + b"\x83\n", 2), Encoding.UTF8))
    assert refused.value.row == 3


def test_a_file_without_line_ends_is_refused_not_swallowed() -> None:
    with pytest.raises(TextRefused) as refused:
        detect(b"x" * 65536 for _ in range(100))
    assert refused.value.code == "text_line_too_long"


def test_memory_stays_flat_over_a_big_file() -> None:
    line = "1234567890,佐藤 花子,サトウ ハナコ,S13.5.3\r\n".encode("cp932")
    chunk = line * 500

    def peak(count: int) -> int:
        tracemalloc.start()
        detect(chunk for _ in range(count))
        for _ in decode((chunk for _ in range(count)), Encoding.CP932):
            pass
        value = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return value

    assert peak(40) < peak(4) * 1.5 + 20_000


def lossless(text: str) -> tuple[bytes, list[Loss]]:
    losses: list[Loss] = []
    return encode_cp932(text, row=3, column=2, report=losses.append), losses


@pytest.mark.parametrize(
    ("text", "hexadecimal"),
    [("髙", "fbfc"), ("﨑", "fab1"), ("Ⅰ", "8754"), ("ⅰ", "fa40"), ("㈱", "878a"),
     ("￢", "81ca"), ("∵", "81e6"), ("〜", "8160"), ("～", "8160"), ("−", "817c"), ("—", "815c"),
     ("表", "955c"), ("か\u3099", "82aa"), ("\ue000", "f040")],
)
def test_bytes_are_those_of_windows(text: str, hexadecimal: str) -> None:
    written, losses = lossless(text)
    assert (written.hex(), losses) == (hexadecimal, [])


def test_nothing_is_ever_written_to_the_nec_selected_rows() -> None:
    for point in range(0x80, 0x10000):
        if 0xD800 <= point < 0xE000:
            continue
        written, _ = lossless(chr(point))
        assert written[:1] not in (b"\xed", b"\xee")


def test_losses_name_row_column_and_character() -> None:
    written, losses = lossless("𠮷田髙")
    assert written.decode("cp932") == "〓田髙"
    assert losses == [Loss(3, 2, "𠮷", LossKind.MISSING)]
    written, losses = lossless("葛\U000e0100城")
    assert written.decode("cp932") == "葛城"
    assert losses == [Loss(3, 2, "\U000e0100", LossKind.SELECTOR)]


@given(st.text(max_size=30))
def test_any_text_is_written_and_each_loss_is_one_character(text: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    written, losses = lossless(text)
    read = written.decode("cp932")
    missing = sum(loss.kind is LossKind.MISSING for loss in losses)
    assert read.count("〓") == missing + text.count("〓")
    again, none = lossless(read)
    assert (again, none) == (written, [])


cells = st.text(HIRAGANA + KANJI + '髙﨑",\n\r abc表ソ', max_size=8)
tables = st.lists(st.lists(cells, min_size=2, max_size=4), min_size=1, max_size=6)


@given(tables, st.sampled_from(Encoding), st.sampled_from([",", "\t"]))
def test_rows_read_back_as_written(
    rows: list[list[str]], encoding: Encoding, delimiter: str
) -> None:
    losses: list[Loss] = []
    data = b"".join(encode_rows(rows, encoding, report=losses.append, delimiter=delimiter))
    text = "".join(decode([data], encoding))
    assert list(csv.reader(text.splitlines(keepends=True), delimiter=delimiter)) == rows
    assert losses == []


def test_losses_in_rows_count_from_the_header() -> None:
    losses: list[Loss] = []
    rows = [["番号", "氏名"], ["1", "佐藤"], ["2", "𠮷田"]]
    list(encode_rows(rows, Encoding.CP932, report=losses.append))
    assert losses == [Loss(3, 2, "𠮷", LossKind.MISSING)]
    list(encode_rows(rows, Encoding.UTF8, report=losses.append))
    assert len(losses) == 1


def test_private_characters_are_found() -> None:
    assert private_characters("佐\ue000藤") == "\ue000"
    assert private_characters("佐藤髙") == ""
