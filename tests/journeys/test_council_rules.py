"""The welfare council changes a rule from a date, on a desktop and on a phone (P2)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from points.models import RuleDraft
from points.models import RuleSet as RuleSetRow
from points.operations import attendance
from registry import access
from tests.factories import points as factory
from tests.journeys.browser import DESKTOP, PHONE, Pages, browser, follow, pages

__all__ = ["browser", "pages"]
pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]


def visits(world: Any) -> None:
    """A month of salons: enough for a preview to say something."""
    with access.system(at=factory.NOON, reason="test") as by:
        for day in range(1, 40, 3):
            session = factory.hold(world, start=world.at - timedelta(days=day, hours=2))
            attendance.record(scans=[world.scan(n, session) for n in range(1 + day % 4)], by=by)


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("size", "suffix"), [(DESKTOP, ""), (PHONE, "_phone")])
def test_the_council_changes_a_rule_from_a_date(
    world: Any, pages: Pages, size: tuple[int, int], suffix: str
) -> None:
    visits(world)
    page = pages.open(size, user=world.council)
    page.goto("/council")
    follow(page.get_by_role("link", name="要領", exact=True))
    pages.check(page, f"council_rules{suffix}")
    follow(page.get_by_role("link", name="つながりづくりポイント（見本）"))
    pages.check(page, f"council_programme{suffix}")
    follow(page.get_by_role("button", name="要領の案をつくる"))
    page.get_by_label("適用開始日").fill("２０２６年１１月１日")
    page.get_by_label("根拠").fill("見本決裁 第12号")
    page.get_by_label("1日の上限（ポイント）", exact=True).fill("たくさん")
    expect(page.locator("[data-autosave-status]")).to_contain_text("自動で保存しました")
    assert RuleDraft.objects.get().form["citation"] == "見本決裁 第12号"
    follow(page.get_by_role("button", name="たしかめる"))
    assert page.title().startswith("エラー：")
    expect(page.locator("[data-error-summary]")).to_be_focused()
    pages.check(page, f"council_rule_wrong{suffix}")
    page.get_by_label("1日の上限（ポイント）", exact=True).fill("４")
    page.get_by_label("ポイント", exact=True).first.fill("2")
    follow(page.get_by_role("button", name="たしかめる"))
    expect(page.locator("[data-error-summary]")).to_contain_text("付与があります")
    page.get_by_label("適用開始日").fill("令和8年12月1日")
    pages.check(page, f"council_rule_draft{suffix}")
    follow(page.get_by_role("button", name="たしかめる"))
    expect(page.get_by_text("この案：1回の参加で2ポイント。")).to_be_visible()
    pages.check(page, f"council_rule_check{suffix}")
    follow(page.get_by_role("button", name="定める"))
    assert page.title().startswith("エラー：") and RuleSetRow.objects.count() == 1
    page.get_by_label("わけ").fill("参加をふやすため")
    follow(page.get_by_role("button", name="定める"))
    expect(page.get_by_text("要領を 定めました。")).to_be_visible()
    assert RuleSetRow.objects.count() == 2
    follow(page.get_by_role("link", name="くわしく見る").first)
    pages.check(page, f"council_rule_set{suffix}")


def test_two_editors_see_both_versions(world: Any, pages: Pages) -> None:
    one, other = (pages.open(DESKTOP, user=world.council) for _ in range(2))
    one.goto("/council/rules/programmes/tsunagari")
    follow(one.get_by_role("button", name="要領の案をつくる"))
    other.goto(one.url)
    other.get_by_label("根拠").fill("見本決裁 第2号")
    follow(other.get_by_role("button", name="保存する"))
    one.get_by_label("根拠").fill("見本決裁 第1号")
    expect(one.locator("[data-autosave-status]")).to_contain_text("ほかの人が先に保存しました")
    follow(one.get_by_role("button", name="保存する"))
    expect(one.get_by_text("あなた：見本決裁 第1号")).to_be_visible()
    pages.check(one, "council_rule_conflict")
    follow(one.get_by_role("button", name="保存する"))
    assert RuleDraft.objects.get().form["citation"] == "見本決裁 第1号"


def test_the_council_opens_a_year_and_registers_for_it(world: Any, pages: Pages) -> None:
    page = pages.open(DESKTOP, user=world.council)
    page.goto("/council/rules/programmes/tsunagari")
    follow(page.get_by_role("link", name="年度をひらく"))
    page.get_by_label("わけ").fill("新しい年度のため")
    pages.check(page, "council_year_open")
    follow(page.get_by_role("button", name="ひらく"))
    follow(page.get_by_role("link", name="2027年度"))
    pages.check(page, "council_year_terms")
    page.goto("/council/rules/programmes/tsunagari/enrolments/2026")
    page.get_by_label("手帳番号").fill("P00001")
    follow(page.get_by_role("button", name="登録する"))
    expect(page.get_by_text("年度の登録を しました。")).to_be_visible()
    pages.check(page, "council_enrolments")
    follow(page.get_by_role("link", name="取り消す"))
    page.get_by_label("わけ").fill("ご本人の申し出")
    pages.check(page, "council_enrolment_cancel")
    follow(page.get_by_role("button", name="取り消す"))
    expect(page.get_by_text("登録している方は いません。")).to_be_visible()
