"""An officer drafts a plan through to approval by another person, in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from registry.operations import people
from tests.journeys.browser import DESKTOP, PHONE, Pages, browser, follow, pages
from tests.journeys.office_world import Office, fill, office

__all__ = ["browser", "office", "pages"]
pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]


def begin(page: Any) -> None:
    page.goto("/office/plans/")
    follow(page.get_by_role("row").filter(has_text="花子").get_by_role("button", name="始める"))
    expect(page.get_by_role("link", name="つづきを書く")).to_be_visible()
    follow(page.get_by_role("link", name="対象の方と同意").first)


def write_all(page: Any, pages: Pages) -> None:
    """Steps 1 to 6, one after the other, each looked at."""
    nxt = page.get_by_role("button", name="次へ")
    fill(page, phone="0242-00-0001", household="ひとり暮らし")
    expect(page.locator("[name=contact_0_name]")).to_have_value("見本　長女")
    pages.check(page, "plan_person")
    follow(nxt)
    page.get_by_label("車いす").first.check()
    fill(page, communication="左から大きな声で")
    pages.check(page, "plan_needs")
    follow(nxt)
    fill(page, building="木造平屋", bedroom="1階の南側")
    page.get_by_label("自宅の災害リスクを地図で確かめた").check()
    pages.check(page, "plan_home")
    follow(nxt)
    expect(page.get_by_role("heading", name="避難先（水害のとき）")).to_be_visible()
    page.wait_for_selector("[data-map-ready]")
    pages.check(page, "plan_destination")
    page.get_by_label("見本小学校").check()
    fill(page, route="北東へ。川ぞいは通らない。", transport="車いすを押す", minutes="１４分")
    follow(nxt)
    expect(page.get_by_role("heading", name="5. 避難支援をする人")).to_be_visible()


def choose_helper(page: Any, pages: Pages) -> None:
    if page.locator("[name=supporters]").count():
        pages.check(page, "plan_supporters")
    page.get_by_label("見本　茂").check()
    follow(page.get_by_role("button", name="次へ"))
    follow(page.get_by_role("button", name="お願いした"))
    follow(page.get_by_role("button", name="引き受けた"))
    expect(page.get_by_text("引き受けた", exact=True)).to_be_visible()
    pages.check(page, "plan_supporters_named")
    follow(page.get_by_role("button", name="次へ"))


def test_officer_drafts_and_another_person_approves(office: Office, pages: Pages) -> None:
    cast = office.cast
    page = pages.open(DESKTOP, user=cast.sato)
    begin(page)
    write_all(page, pages)
    choose_helper(page, pages)
    fill(page, trigger_level="4", carry="くすり\nめがね")
    pages.check(page, "plan_signal")
    follow(page.get_by_role("button", name="次へ"))
    expect(page.get_by_text("警戒レベル3までにしてください")).to_be_visible()
    expect(page.get_by_role("button", name="提出する")).to_be_disabled()
    follow(page.get_by_role("link", name="6. 避難を始めるのは"))
    fill(page, trigger_level="3")
    follow(page.get_by_role("button", name="次へ"))
    follow(page.get_by_role("button", name="提出する"))
    expect(page.locator("[data-error-summary]")).to_be_visible()
    page.get_by_label("内容を本人か家族に読んで確かめた").check()
    pages.check(page, "plan_check")
    follow(page.get_by_role("button", name="提出する"))
    expect(page.get_by_text("承認待ち").first).to_be_visible()
    pages.check(page, "plan_hub_submitted")
    assert page.get_by_role("button", name="承認する").count() == 0, "the author never approves"

    boss = pages.open(DESKTOP, user=cast.takada)
    boss.goto("/office/")
    follow(boss.get_by_role("link", name="承認を待つ計画"))
    follow(boss.get_by_role("row").filter(has_text="花子").get_by_role("link", name="開く"))
    follow(boss.get_by_role("link", name="差し戻す"))
    pages.check(boss, "plan_return")
    follow(boss.get_by_role("button", name="差し戻す"))
    expect(boss.locator("[data-error-summary]")).to_be_focused()
    fill(boss, reason="避難路をもう少しくわしく。")
    follow(boss.get_by_role("button", name="差し戻す"))
    expect(boss.get_by_text("差し戻しました")).to_be_visible()

    page.goto(page.url)
    expect(page.get_by_text("避難路をもう少しくわしく。")).to_be_visible()
    follow(page.get_by_role("link", name="4. 避難先・避難路"))
    fill(page, route="北東へ、小学校の正門まで。川ぞいは通らない。")
    follow(page.get_by_role("button", name="保存して一覧へ"))
    follow(page.get_by_role("link", name="7. 確認と承認へ提出"))
    follow(page.get_by_role("button", name="提出する"))

    boss.reload()
    follow(boss.get_by_role("button", name="承認する"))
    expect(boss.get_by_text("計画を承認しました")).to_be_visible()
    pages.check(boss, "plan_hub_approved")
    sheet = boss.request.get(boss.url + "/sheet.pdf")
    assert sheet.ok and sheet.body().startswith(b"%PDF")
    assert sheet.headers["cache-control"] == "no-store"


def test_two_editors_of_one_step_see_both_sides(office: Office, pages: Pages) -> None:
    cast = office.cast
    with cast.scope(cast.sato) as by:  # a second officer would do as well
        people.look_after(
            person_id=cast.ichiro_id, user_id=cast.care_manager.pk, starts_on=by.on, by=by
        )
    one = pages.open(DESKTOP, user=cast.sato)
    begin(one)
    address = one.url
    two = pages.open(DESKTOP, user=cast.care_manager)
    two.goto(address)
    fill(one, household="ひとり暮らし")
    follow(one.get_by_role("button", name="保存して一覧へ"))
    fill(two, household="長女と2人")
    expect(two.locator("[data-autosave-status]")).to_contain_text("先に保存", timeout=10_000)
    follow(two.get_by_role("button", name="保存して一覧へ"))
    expect(two.get_by_text("ほかの人が 先に保存しました")).to_be_visible()
    expect(two.locator("[name=household]")).to_have_value("長女と2人")
    pages.check(two, "plan_conflict")
    two.get_by_label("相手：ひとり暮らし").check()
    follow(two.get_by_role("button", name="保存して一覧へ"))
    two.goto(address)
    expect(two.locator("[name=household]")).to_have_value("ひとり暮らし")


def test_autosave_says_when_and_keeps_what_is_typed(office: Office, pages: Pages) -> None:
    page = pages.open(DESKTOP, user=office.cast.sato)
    begin(page)
    fill(page, household="ひとり暮らし")
    expect(page.locator("[data-autosave-status]")).to_contain_text("自動で保存", timeout=10_000)
    page.goto(page.url)
    expect(page.locator("[name=household]")).to_have_value("ひとり暮らし")


def test_care_manager_on_a_phone_sees_the_own_caseload_only(office: Office, pages: Pages) -> None:
    page = pages.open(PHONE, user=office.cast.care_manager)
    page.goto("/office/plans/")
    expect(page.get_by_role("rowheader", name="見本　花子")).to_be_visible()
    assert "一郎" not in page.content() and "見本　南" not in page.content()
    pages.check(page, "plan_list_care_manager")


def test_without_scripts_a_step_is_saved_all_the_same(office: Office, pages: Pages) -> None:
    page = pages.open(DESKTOP, user=office.cast.sato, js=False)
    begin(page)
    fill(page, household="ひとり暮らし")
    follow(page.get_by_role("button", name="次へ"))
    follow(page.get_by_role("link", name="対象の方と同意"))
    expect(page.locator("[name=household]")).to_have_value("ひとり暮らし")
