"""Bad input gets the designed answer, in Japanese with a stable code, and changes nothing.

The list of the house: a wrong, forged, expired or foreign code; a file that is no CSV, has the
wrong columns, mixed encodings, a 個人番号 column, too many rows; an id that does not exist or is
not yours.  Every case counts all rows of all tables before and after.  trust.md, "Bad input".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from points import keys
from points.domain import tokens
from points.domain.keyring import Keyring
from registry import access, database
from tests.cast import PEOPLE, Cast
from tests.factories import living
from tests.factories.living import City

SCANS, REDEEM = "/api/v1/points/scans", "/api/v1/points/vouchers/redeem"
IMPORTS = "/api/v1/registry/imports"
#: What a refusal may add: who asked for what, and the first answer to a scan's id (P3).
NOTED = {"LogEntry", "Scan", "RememberedAnswer"}
JAPANESE = re.compile("[ぁ-ん]")


def client(user: Any) -> APIClient:
    made = APIClient(raise_request_exception=False)
    made.force_login(user)
    return made


def counts(cast: Cast) -> dict[str, int]:
    """How many rows every table holds."""
    with access.system(at=cast.at, reason="test"):
        return {
            model._meta.label: (
                model.objects.unscoped() if hasattr(model, "visible")  # type: ignore[attr-defined]
                else model._default_manager.all()
            ).count()
            for model in database.our_models() if model.__name__ not in NOTED
        }


@contextmanager
def unchanged(cast: Cast) -> Iterator[None]:
    before = counts(cast)
    yield
    after = counts(cast)
    assert after == before, {k: (before[k], n) for k, n in after.items() if n != before[k]}


def refused(answer: Any, status: int, code: str) -> None:
    """The problem body of a refusal, as interfaces.md fixes it."""
    told = answer.json()
    assert (answer.status_code, told["code"]) == (status, code), told
    assert answer["Content-Type"].startswith("application/problem+json"), answer["Content-Type"]
    assert JAPANESE.search(told["detail"]), told


def tampered(code: str) -> str:
    """The code with its last characters changed, still of the alphabet."""
    return code[:-2] + "".join("0" if c != "0" else "1" for c in code[-2:])


def events(city: City) -> dict[str, tuple[str, str]]:
    """Name of the fault → (code, result) for codes that an event's QR might say."""
    cast, ring = city.cast, keys.keyring()
    mint = {"session": city.session, "at": cast.at}
    stranger = Keyring(dict.fromkeys(ring.keys, b"x" * 32), ring.current)
    url = tokens.mint("event", keys=ring, **mint).url or ""
    return {
        "no code": ("こんにちは", "bad_card"), "too long": ("A" * 3000, "bad_card"),
        "forged": (tampered(city.event), "bad_card"),
        "another key": (tokens.mint("event", keys=stranger, **mint).code, "bad_card"),
        "expired": (tokens.mint("event", keys=ring, session=city.session,
                                at=cast.at - timedelta(minutes=30)).code, "expired"),
        "of the future": (tokens.mint("event", keys=ring, session=city.session,
                                      at=cast.at + timedelta(hours=2)).code, "expired"),
        "no such session": (tokens.mint("event", keys=ring, session=987654321,
                                        at=cast.at).code, "not_open"),
        "another place's address": (
            re.sub(r"//[^/]+/", "//ELSEWHERE.EXAMPLE/", url) or "HTTPS://ELSEWHERE.EXAMPLE/E/X",
            "bad_card"),
    }


def test_a_wrong_forged_expired_or_foreign_event_code_counts_nobody(city: City) -> None:
    phone = client(city.cast.taro)
    for fault, (code, result) in events(city).items():
        with unchanged(city.cast):
            answer = phone.post(SCANS, {
                "id": str(uuid4()), "code": code, "scanned_at": city.cast.at.isoformat(),
            }, format="json")
        if answer.status_code == 400:  # too long to be any code
            refused(answer, 400, "invalid_input")
            continue
        told = answer.json()
        assert (answer.status_code, told["result"]) == (200, result), (fault, told)
        assert JAPANESE.search(told["reason"]) and told["points"] == 0, (fault, told)


def test_a_wrong_forged_or_foreign_card_counts_nobody(city: City) -> None:
    device, at = client(city.cast.scanner), city.cast.at.isoformat()
    cases = {
        "forged": (tampered(city.card), city.session), "unknown": (
            tokens.mint("card").code, city.session),
        "an event's": (city.event, city.session), "a voucher's": (
            city.voucher_codes[1], city.session),
        "session not there": (city.card, 987654321),
        "session of others": (city.card, city.other_session),
    }
    told = {}
    for fault, (code, session) in cases.items():
        with unchanged(city.cast):
            answer = device.post(SCANS, {"id": str(uuid4()), "code": code, "session": session,
                                         "scanned_at": at}, format="json")
        told[fault] = answer.json()
        assert answer.status_code == 200, (fault, told[fault])
        assert told[fault]["result"] not in {"granted", "already"}, (fault, told[fault])
        assert JAPANESE.search(told[fault]["reason"]) and told[fault]["points"] == 0, fault
    drop = {"id"}
    absent, foreign = (
        {k: v for k, v in told[f"session {one}"].items() if k not in drop}
        for one in ("not there", "of others")
    )
    assert absent == foreign, "a session of others answers as one that is not there"


def test_a_wrong_forged_used_or_foreign_voucher_pays_nothing(city: City) -> None:
    shop = client(city.cast.shop)
    for code in ("ちがいます", tampered(city.voucher_codes[1]), city.card, city.event):
        with unchanged(city.cast):
            answer = shop.post(REDEEM, {"id": str(uuid4()), "code": code}, format="json")
        assert answer.status_code in {404, 422}, (code, answer.json())
        refused(answer, answer.status_code, answer.json()["code"])
    with unchanged(city.cast):
        again = shop.post(REDEEM, {"id": str(uuid4()), "code": city.voucher_codes[0]},
                          format="json")
    assert again.status_code in {409, 422} and "見本商店" in again.content.decode(), again.json()
    with unchanged(city.cast):
        other = shop.post(REDEEM, {"id": str(uuid4()), "code": city.voucher_codes[1],
                                   "shop": city.cast.group_id}, format="json")
    assert other.status_code in {403, 404, 422}, other.json()


HEAD, FIRST = PEOPLE.splitlines()[0], PEOPLE.splitlines()[1]
#: Fault → (file, code)
FILES: dict[str, tuple[bytes, str]] = {
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, "text_undecodable"),
    "a PDF": (b"%PDF-1.7\n1 0 obj<<>>endobj\n", "file_columns_missing"),
    "empty": (b"\n", "file_empty"),
    "wrong columns": (b"a,b,c\n1,2,3\n", "file_columns_missing"),
    "the header twice": ((HEAD + ",氏名\n" + FIRST + ",x\n").encode(), "file_columns_twice"),
    "mixed encodings": (
        f"{HEAD}\n{FIRST}\n".encode() + FIRST.replace("1001", "2001").encode("cp932") + b"\n",
        "text_mixed"),
    "UTF-16": (PEOPLE.encode("utf-16"), "text_utf16"),
    "個人番号": (f"{HEAD},個人番号\n{FIRST},123456789018\n".encode(), "file_my_number"),
    "個人番号 without saying so": (
        "\n".join([f"{HEAD},メモ", *(f"{FIRST},12345678{n}" for n in (
            "9018",) * 40)]).encode(), "file_my_number"),
    "a broken quotation": (f'{HEAD}\n"{FIRST}\n'.encode(), "file_quote"),
    "a NUL": (f"{HEAD}\n{FIRST}\0\n".encode(), "file_nul"),
    "too many columns": (f"{HEAD}{',x' * 300}\n".encode(), "file_too_many_columns"),
    "a cell too long": (f"{HEAD}\n{FIRST}{'あ' * 5000}\n".encode(), "file_cell_too_long"),
}


def upload(cast: Cast, content: bytes, name: str = "住民.csv") -> Any:
    file = SimpleUploadedFile(name, content, content_type="text/csv")
    return client(cast.sato).post(IMPORTS, {"file": file}, format="multipart")


@pytest.mark.parametrize("fault", FILES)
def test_a_bad_file_is_refused_whole(cast: Cast, fault: str) -> None:
    content, code = FILES[fault]
    with unchanged(cast):
        refused(upload(cast, content), 422, code)


def test_a_file_of_more_than_a_million_rows_is_refused(cast: Cast) -> None:
    with unchanged(cast):
        answer = upload(cast, f"{HEAD}\n".encode() + b"1\n" * 1_000_001)
        refused(answer, 422, "file_too_many_rows")


#: Reading and acting on what is not there or not theirs: (who, method, address, not theirs).
def _elsewhere(city: City) -> list[tuple[str, str, str, int]]:
    root, rows = "/api/v1/evacuation", living.rows_of(city)
    mori = city.edition["O-MORI"]
    with access.system(at=city.cast.at, reason="test"):
        from evacuation.models import Copy

        copy = Copy.objects.unscoped().filter(edition_id=mori)[0].pk
    return [
        ("kato", "get", f"{root}/editions/{{}}", mori),
        ("kato", "get", f"{root}/editions/{{}}/file?format=pdf", mori),
        ("kato", "get", f"{root}/editions/{{}}/difference", mori),
        ("kato", "get", f"{root}/editions/mine/cards/{{}}", rows["O-MORI"][0]),
        ("kato", "get", f"{root}/copies/{{}}", copy),
        ("kato", "post", f"{root}/copies/{{}}/receipt", copy),
        ("kato", "post", f"{root}/copies/{{}}/check", copy),
        ("care_manager", "get", "/api/v1/registry/people/{}", city.cast.ichiro_id),
        ("leader", "get", "/api/v1/registry/volunteers/{}", city.cast.natsu_id),
        ("leader", "get", "/api/v1/points/sessions/{}", city.other_session),
        ("leader", "post", "/api/v1/points/sessions/{}/cancel", city.other_session),
        ("taro", "get", "/api/v1/points/volunteers/{}/statement", city.cast.natsu_id),
    ]


#: A body that is right in shape, so that the address alone decides.
BODY: dict[str, dict[str, str] | None] = {"get": None, "post": {}}


def test_not_there_and_not_yours_are_both_not_found_and_alike(city: City) -> None:
    for who, method, address, foreign in _elsewhere(city):
        asked = client(getattr(city.cast, who))
        with unchanged(city.cast):
            answers = [
                getattr(asked, method)(address.format(number), BODY[method],
                                       format="json", HTTP_IF_MATCH='"1"')
                for number in (foreign, 987654321)
            ]
        for answer in answers:
            assert answer.status_code == 404, (who, address, answer.json())
            refused(answer, 404, answers[0].json()["code"])
        assert answers[0].content == answers[1].content, (who, address)


def test_a_body_that_is_no_json_or_names_nothing_is_said_so(city: City) -> None:
    phone = client(city.cast.taro)
    with unchanged(city.cast):
        refused(phone.post(SCANS, "{", content_type="application/json"), 400, "unreadable")
        refused(phone.post(SCANS, "<x/>", content_type="text/xml"), 415, "unsupported_media_type")
        refused(phone.post(SCANS, {}, format="json"), 400, "invalid_input")
        refused(phone.post(SCANS, {"id": "x", "code": 7, "scanned_at": "きのう"}, format="json"),
                400, "invalid_input")
