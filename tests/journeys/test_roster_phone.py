"""A commissioner on a phone: the own people, a change to report, copies; the south sees nobody."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.journeys.browser import DESKTOP, PHONE, Pages, browser, follow, pages
from tests.journeys.office_world import Office, fill, office

__all__ = ["browser", "office", "pages"]
pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]
NORTH = ("花子", "一郎", "雪", "はなこ", "ハナコ")


@pytest.mark.parametrize("js", [True, False])
def test_commissioner_reads_reports_and_acknowledges(
    office: Office, pages: Pages, js: bool
) -> None:
    page = pages.open(PHONE, user=office.cast.mori, js=js)
    page.goto("/roster/")
    expect(page.get_by_role("heading", name="花子")).to_be_visible()
    assert "一郎" not in page.content() and "雪" not in page.content()
    expect(page.get_by_text("森（見本）")).to_be_visible()
    pages.check(page, "roster_phone")
    follow(page.get_by_role("link", name="変わった方"))
    expect(page.get_by_text("はじめての名簿です")).to_be_visible()
    pages.check(page, "roster_changed")
    page.goto("/roster/")
    follow(page.get_by_role("link", name="変わったことを知らせる"))
    follow(page.get_by_role("button", name="知らせる"))
    expect(page.get_by_text("ひとことで書いてください").first).to_be_visible()
    pages.check(page, "roster_report_wrong")
    fill(page, sentence="先週から長女の家にいます。")
    follow(page.get_by_role("button", name="知らせる"))
    expect(page.get_by_text("市へ知らせました")).to_be_visible()
    pages.check(page, "roster_reports")
    page.goto("/roster/")
    follow(page.get_by_role("link", name="名簿を受けとったことを知らせる"))
    pages.check(page, "roster_copies")
    follow(page.get_by_role("button", name="受けとった").first)
    expect(page.get_by_text("受けとりを記録しました")).to_be_visible()
    follow(page.get_by_role("link", name="引き継ぐ").first)
    pages.check(page, "roster_hand_over")
    page.go_back()
    follow(page.get_by_role("link", name="なくした").first)
    pages.check(page, "roster_lost")


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_R7_the_south_sees_nobody_of_the_north(office: Office, pages: Pages, size: Any) -> None:
    page = pages.open(size, user=office.cast.kato)
    for path in ("/roster/", "/roster/?show=changed", "/roster/copies/", "/roster/reports"):
        page.goto(path)
        assert not any(name in page.content() for name in NORTH), path
    page.goto("/roster/")
    expect(page.get_by_role("heading", name="南").first).to_be_visible()
    for path in ("/office/", "/office/people/", "/office/plans/", "/office/roster/"):
        assert page.goto(path).status == 403
        assert not any(name in page.content() for name in NORTH), path


def test_association_reads_the_roster_of_its_neighbourhood(office: Office, pages: Pages) -> None:
    page = pages.open(PHONE, user=office.cast.association)
    page.goto("/roster/")
    expect(page.get_by_role("heading", name="花子")).to_be_visible()
    assert "要介護" not in page.content() and "手帳" not in page.content(), "R8"
