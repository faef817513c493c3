"""Imports by hand: upload, look, apply, fetch what came back; errors keep what was typed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.cast import Cast

HEADER = (
    "宛名番号,世帯番号,氏名,氏名_フリガナ,生年月日,性別,郵便番号,住所,方書,行政区コード,班,電話番号,"
    "経度,緯度,転入年月日,転出年月日,死亡年月日,支援措置終了年月日"
)
REST = ",1,965-0001,会津若松市見本町3番,,N1,1,,139.93,37.495,,,,"
NEW = "2001,601,見本　新,ミホン　シン,昭和15年1月2日" + REST
BAD = "2002,602,見本　誤,ミホン　ゴ,昭和99年9月9日" + REST


@pytest.fixture
def sato(client: Client, cast: Cast) -> Iterator[Client]:
    with time_machine.travel(cast.at, tick=False):
        client.force_login(cast.sato)
        yield client


def sent(*rows: str, name: str = "住民.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, ("\r\n".join([HEADER, *rows]) + "\r\n").encode("cp932"))


def upload(client: Client, *rows: str) -> Any:
    return client.post("/office/imports/new", {"profile": "residents", "file": sent(*rows)})


def test_upload_shows_what_would_happen_and_changes_nothing(sato: Client) -> None:
    answer = upload(sato, NEW, BAD)
    assert answer.status_code == 302, answer.content.decode()
    page = sato.get(answer["Location"])
    words = page.content.decode()
    assert page.status_code == 200 and page["Cache-Control"] == "no-store"
    assert "確認まち" in words and "3行目" in words and "取りこめない行が1件" in words
    figures = {each["label"]: each["value"] for each in page.context["figures"]}
    assert figures.pop("ファイルの行") == sum(figures.values()) == 2
    found = sato.post("/office/people/", {"q": "ミホン シン"}).content.decode()
    assert "見つかりませんでした" in found


def test_apply_writes_the_good_rows_and_hands_the_bad_one_back(sato: Client) -> None:
    here = upload(sato, NEW, BAD)["Location"]
    back = sato.get(f"{here}/rejected")
    assert back.status_code == 200 and back["Cache-Control"] == "no-store"
    text = back.content.decode("cp932")
    assert "2002" in text and "2001" not in text and "3" in text.splitlines()[1]
    answer = sato.post(f"{here}/apply", follow=True)
    assert "反映しました" in answer.content.decode()
    assert "見本　新" in sato.post("/office/people/", {"q": "ミホン シン"}).content.decode()


def test_a_whole_file_that_is_refused_keeps_the_choice_and_says_why(sato: Client) -> None:
    wrong = SimpleUploadedFile("別.csv", "ほかの列,でたらめ\r\n1,2\r\n".encode())
    answer = sato.post("/office/imports/new", {"profile": "residents", "file": wrong})
    words = answer.content.decode()
    assert answer.status_code == 422 and "エラー：" in words
    assert 'value="residents" required' in words or 'value="residents"' in words
    assert "checked" in words


def test_R13_a_file_with_my_numbers_is_refused_in_words(sato: Client) -> None:
    def my_number(eleven: str) -> str:
        total = sum(
            int(d) * (n + 1 if n <= 6 else n - 5) for n, d in enumerate(reversed(eleven), start=1)
        )
        return eleven + str(0 if total % 11 <= 1 else 11 - total % 11)

    rows = [
        NEW.replace("2001", str(3000 + n)) + "," + my_number(f"{12345678900 + n}") for n in range(4)
    ]
    body = "\n".join([HEADER + ",番号", *rows]).encode()
    file = SimpleUploadedFile("x.csv", body)
    answer = sato.post("/office/imports/new", {"profile": "residents", "file": file})
    assert answer.status_code == 422
    assert "個人番号" in "".join(answer.context["form"].errors["__all__"])


def test_nothing_chosen_names_each_field(sato: Client) -> None:
    answer = sato.post("/office/imports/new", {})
    words = answer.content.decode()
    assert answer.status_code == 422
    assert "ファイルの種類を選んでください。" in words and "ファイルを選んでください。" in words


def test_discarded_file_is_listed_as_given_up(sato: Client) -> None:
    here = upload(sato, NEW)["Location"]
    sato.post(f"{here}/discard")
    assert "取りやめ" in sato.get("/office/imports/").content.decode()
    assert sato.post(f"{here}/apply").status_code == 409


@pytest.mark.parametrize("who", ["mori", "suzuki", "care_manager", "takada", "nobody"])
def test_imports_are_the_officers_alone(client: Client, cast: Cast, who: str) -> None:
    client.force_login(getattr(cast, who))
    with time_machine.travel(cast.at, tick=False):
        assert client.get("/office/imports/").status_code == 403
        assert client.post("/office/imports/new", {}).status_code == 403
