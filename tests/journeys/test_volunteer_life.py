"""A volunteer's phone in a real browser: a family's phone, undo; the council decides and unites."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from points.operations import attendance
from registry import access
from registry.models import Volunteer
from tests.factories import points as factory
from tests.journeys.browser import DESKTOP, PHONE, Pages, browser, follow, pages
from tests.journeys.test_points_journeys import code_of, name_people

__all__ = ["browser", "pages"]
pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def six(db: None) -> Any:
    """Six people with names of neighbours, at the factory's noon."""
    import time_machine

    made = factory.build(count=6, phones=True)
    name_people(made)
    with time_machine.travel(made.at, tick=True):
        yield made


def bind(page: Any, world: Any, number: int) -> None:
    page.get_by_label("カードのコード").fill(world.card(number))
    page.get_by_label("誕生日の月").fill("5")
    page.get_by_label("誕生日の日").fill("5")
    follow(page.get_by_role("button", name="登録する"))


def test_a_family_shares_a_phone_and_one_takes_back_the_own_reception(
    six: Any, pages: Pages
) -> None:
    page = pages.open(PHONE, js=False)
    page.goto("/bind", timeout=90_000)  # a fresh server compiles every page
    bind(page, six, 0)
    follow(page.get_by_role("link", name="カードを見る"))
    follow(page.get_by_role("link", name="家族もつかう"))
    pages.check(page, "volunteer_people_one")
    follow(page.get_by_role("link", name="家族を登録"))
    bind(page, six, 1)
    expect(page.get_by_role("heading", level=1)).to_contain_text("太郎")
    page.goto(f"/E/{code_of(six)}")
    pages.check(page, "volunteer_confirm_family")
    follow(page.get_by_role("link", name="ちがう人です"))
    pages.check(page, "volunteer_people")
    follow(page.get_by_role("button", name="この人にする"))
    expect(page.get_by_text("花子").first).to_be_visible()
    follow(page.get_by_role("button", name="受付する"))
    expect(page.locator("[data-result=granted]")).to_be_visible()
    follow(page.get_by_role("link", name="まちがえたので、取り消す"))
    pages.check(page, "volunteer_undo")
    follow(page.get_by_role("button", name="取り消す"))
    expect(page.get_by_text("受付を 取り消しました")).to_be_visible()
    pages.check(page, "volunteer_points_undone")


def test_the_council_decides_an_overlap_and_unites_two_records(six: Any, pages: Pages) -> None:
    twin = factory.hold(six, start=six.at - timedelta(minutes=30), title="みまもり")
    with access.system(at=six.at, reason="test") as by:
        attendance.record(scans=[six.scan(0), six.scan(0, twin), six.scan(5)], by=by)
        for row in Volunteer.objects.visible_to(by).filter(pk__in=[six.people[0], six.people[5]]):
            row.kana_key = "みほん"
            row.save(update_fields=["kana_key"])
    page = pages.open(DESKTOP, user=six.council)
    page.goto("/council/waiting", timeout=90_000)
    pages.check(page, "council_waiting")
    follow(page.locator("a.row-link").first)
    pages.check(page, "council_waiting_one")
    follow(page.get_by_role("button", name="決める"))
    pages.check(page, "council_waiting_wrong")
    page.get_by_label("両方とも数える").check()
    page.get_by_label("理由").fill("両方にいたことを団体に確かめた")
    follow(page.get_by_role("button", name="決める"))
    expect(page.get_by_text("両方の記録を数えました")).to_be_visible()
    page.goto("/council/duplicates")
    pages.check(page, "council_duplicates")
    follow(page.locator("a.row-link").first)
    pages.check(page, "council_compare")
    page.get_by_label("同じ人：手帳番号 P00000").check()
    page.get_by_label("理由").fill("窓口で本人に確かめた")
    follow(page.get_by_role("button", name="決める"))
    expect(page.get_by_text("この記録にまとめました")).to_be_visible()
