"""Everybody signs in: password, six digits, the own first page, out again; in a real browser."""

from __future__ import annotations

import time
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.utils import timezone
from playwright.sync_api import expect

from registry import access
from registry.operations import staff
from tests import cast as members
from tests.cast import TOTP_SECRET
from tests.journeys.browser import DESKTOP, PHONE, Pages, browser, follow, pages

__all__ = ["browser", "pages"]
pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]
PASSWORD = "mihon-no-nagai-kotoba-7"


@pytest.fixture
def sato(transactional_db: None) -> Any:
    cast = members.build(timezone.now())
    with access.system(at=timezone.now(), reason="test") as by:
        staff.set_password(user_id=cast.former.pk, password=PASSWORD, by=by)
        staff.enrol_totp(user=cast.former, secret=TOTP_SECRET, by=by)
    return cast.former


def code(steps: int = 0) -> str:
    return format_hotp_value(hotp_value(TOTP_SECRET, int(time.time()) // 30 + steps))


@pytest.mark.parametrize(("size", "js"), [(PHONE, True), (DESKTOP, False)])
def test_sign_in_with_the_second_factor(
    sato: Any, pages: Pages, size: tuple[int, int], js: bool
) -> None:
    page = pages.open(size, js=js)
    kind = "phone" if size == PHONE else "desktop"
    page.goto("/")
    pages.check(page, f"home_{kind}")
    follow(page.get_by_role("link", name="サインイン"))
    pages.check(page, f"sign_in_{kind}")
    page.get_by_label("利用者ID").fill("former")
    page.get_by_label("パスワード").fill("chigau")
    follow(page.get_by_role("button", name="次へ"))
    assert page.title().startswith("エラー：")
    pages.check(page, f"sign_in_wrong_{kind}")
    if js:
        assert page.evaluate("document.activeElement.matches('[data-error-summary]')")
    assert page.get_by_label("利用者ID").input_value() == "former"
    page.get_by_label("パスワード").fill(PASSWORD)
    follow(page.get_by_role("button", name="次へ"))
    pages.check(page, f"sign_in_code_{kind}")
    page.get_by_label("確認コード").fill(code())
    follow(page.get_by_role("button", name="サインイン"))
    page.wait_for_url("**/")
    pages.check(page, f"no_term_{kind}")
    follow(page.get_by_role("button", name="サインアウト"))
    expect(page.get_by_role("link", name="サインイン")).to_be_visible()
