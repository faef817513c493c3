"""The door: two steps, limits, a new session, safe addresses, designed errors."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client

from registry import access
from registry.operations import sign_in, staff
from tests.cast import TOTP_SECRET, Cast

PASSWORD = "mihon-no-nagai-kotoba-7"


@pytest.fixture
def sato(cast: Cast, now: datetime) -> Any:
    """The city officer with a password and an authenticator app, at the cast's time."""
    with access.system(at=now, reason="test") as by:
        staff.set_password(user_id=cast.sato.pk, password=PASSWORD, by=by)
        staff.enrol_totp(user=cast.sato, secret=TOTP_SECRET, by=by)
    cast.sato.refresh_from_db()
    with time_machine.travel(now, tick=False):
        yield cast.sato


def digits(at: datetime, steps: int = 0) -> str:
    return format_hotp_value(hotp_value(TOTP_SECRET, int(at.timestamp()) // 30 + steps))


def password(client: Client, name: str = "sato", word: str = PASSWORD, **more: str) -> Any:
    return client.post("/sign-in", {"username": name, "password": word, **more})


def test_password_alone_opens_nothing(client: Client, sato: Any) -> None:
    answer = password(client)
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/code")
    assert client.get("/").context["known"] is False


def test_two_steps_open_the_session_under_a_new_key(
    client: Client, sato: Any, now: datetime
) -> None:
    password(client, next="/?all")
    before = client.session.session_key
    answer = client.post("/sign-in/code", {"code": digits(now)})
    assert (answer.status_code, answer["Location"]) == (302, "/?all")
    assert client.session.session_key != before
    assert client.session["_auth_user_id"] == str(sato.pk)


def test_a_code_is_accepted_once_and_full_width_digits_are_fine(
    client: Client, sato: Any, now: datetime
) -> None:
    password(client)
    wide = digits(now).translate({ord("0") + n: "０１２３４５６７８９"[n] for n in range(10)})
    assert client.post("/sign-in/code", {"code": wide}).status_code == 302
    other = Client()
    password(other)
    again = other.post("/sign-in/code", {"code": digits(now)})
    assert again.status_code == 422
    assert other.post("/sign-in/code", {"code": digits(now, 1)}).status_code == 302


def test_unknown_account_and_wrong_password_answer_alike(client: Client, sato: Any) -> None:
    wrong = password(client, word="chigau-kotoba-desu")
    unknown = password(Client(), name="dare", word="chigau-kotoba-desu")
    assert wrong.status_code == unknown.status_code == 422
    said = sign_in.SignInRefused.message
    assert said in wrong.content.decode() and said in unknown.content.decode()
    assert "エラー：" in wrong.content.decode()
    assert 'value="sato"' in wrong.content.decode(), "what was typed stays"
    assert "chigau" not in wrong.content.decode(), "but never the password"


def test_five_wrong_tries_lock_the_account_for_a_quarter_of_an_hour(
    client: Client, sato: Any, now: datetime
) -> None:
    for _ in range(sign_in.MOST_WRONG_PER_ACCOUNT):
        assert password(client, word="chigau-kotoba-desu").status_code == 422
    assert password(client).status_code == 429
    with time_machine.travel(now + timedelta(minutes=16), tick=False):
        assert password(client).status_code == 302


def test_wrong_digits_count_like_wrong_passwords(client: Client, sato: Any) -> None:
    password(client)
    for _ in range(sign_in.MOST_WRONG_PER_ACCOUNT):
        assert client.post("/sign-in/code", {"code": "000000"}).status_code == 422
    assert client.post("/sign-in/code", {"code": "000000"}).status_code == 429


def test_a_role_that_needs_the_second_factor_cannot_go_without(client: Client, cast: Cast) -> None:
    with access.system(at=cast.at, reason="test") as by:
        staff.set_password(user_id=cast.mori.pk, password=PASSWORD, by=by)
    with time_machine.travel(cast.at, tick=False):
        answer = password(client, name="mori")
    assert answer.status_code == 422
    assert sign_in.FactorMissing.message in answer.content.decode()


def test_next_never_leaves_the_site(client: Client, sato: Any, now: datetime) -> None:
    for address in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        visitor = Client()
        password(visitor, next=address)
        with time_machine.travel(now, tick=False):
            sign_in.Authenticator.objects.update(data=_unspent())
            answer = visitor.post("/sign-in/code", {"code": digits(now)})
        assert answer["Location"] == "/"


def _unspent() -> dict[str, Any]:
    row = sign_in.Authenticator.objects.get()
    return {key: value for key, value in row.data.items() if key != "spent"}


def test_closed_account_is_out_with_its_next_request(
    client: Client, sato: Any, now: datetime
) -> None:
    client.force_login(sato)
    assert client.get("/?all").context["known"] is True
    with access.system(at=now, reason="test") as by:
        staff.deactivate(user_id=sato.pk, by=by)
    assert client.get("/?all").context["known"] is False


def test_somebody_without_a_term_reads_why(client: Client, cast: Cast) -> None:
    client.force_login(cast.former)
    with time_machine.travel(cast.at, tick=False):
        answer = client.get("/")
    assert answer.status_code == 200
    assert "担当の登録が ありません" in answer.content.decode()


def test_signing_out_takes_a_post(client: Client, sato: Any) -> None:
    client.force_login(sato)
    assert client.get("/sign-out").status_code == 405
    assert client.post("/sign-out").status_code == 302
    assert "_auth_user_id" not in client.session


def test_pages_are_never_kept(client: Client, db: None) -> None:
    for path in ("/", "/sign-in", "/bind"):
        assert client.get(path)["Cache-Control"] == "no-store"


def test_unknown_address_and_missing_csrf_have_designed_pages(client: Client, db: None) -> None:
    assert "ページが 見つかりません" in client.get("/nai").content.decode()
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post("/sign-in", {"username": "a", "password": "b"})
    assert answer.status_code == 403
    assert "csrf_failed" in answer.content.decode()
