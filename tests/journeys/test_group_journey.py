"""A group's year in a real browser: the leader by phone without scripts, the council at a desk."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from points.models import Group
from points.operations import attendance, group_members, groups, programmes
from registry import access
from tests.factories import points as factory
from tests.journeys.browser import DESKTOP, PHONE, Pages, browser, follow, pages
from tests.journeys.test_points_journeys import name_people

__all__ = ["browser", "pages"]
pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]


def begun(world: Any) -> None:
    """A rule of five members from tomorrow's year, last year's attendance, a leader by name."""
    name_people(world)
    with access.system(at=factory.NOON, reason="test") as by:
        programmes.open_year(terms=factory.terms(2027), by=by)
        group_members.change_leader(
            group_id=world.group, volunteer_id=world.people[0], starts_on=by.on,
            username=world.leader.username, by=by)
        old = groups.register(organisation_id=world.organisation, programme="tsunagari",
                              fiscal_year=2025, activity_kind="join", by=by)
        last = factory.hold(world, start=world.at.replace(year=2025), group=old.pk)
        attendance.record(scans=[world.scan(n, last) for n in range(5)], by=by)
        attendance.record(scans=[world.scan(n) for n in range(3)], by=by)


def test_P9_a_leader_keeps_the_members_on_a_phone(world: Any, pages: Pages) -> None:
    begun(world)
    pages.clock = factory.NOON
    page = pages.open(PHONE, js=False, user=world.leader)
    page.goto("/host", timeout=60_000)  # the first answer of a fresh server
    follow(page.get_by_role("link", name="わたしの団体"))
    pages.check(page, "host_groups")
    page.goto(f"/host/groups/{world.group}")
    expect(page.get_by_text("前の年度")).to_be_visible()
    pages.check(page, "host_group")
    follow(page.get_by_role("link", name="会員を見る"))
    pages.check(page, "host_group_members")
    page.get_by_label("カードのコード").fill("00000000000")
    follow(page.get_by_role("button", name="会員にする"))
    expect(page.get_by_text("このカードは使えません").first).to_be_visible()
    pages.check(page, "host_group_members_bad_card")
    follow(page.locator("li", has_text="見本　菊").get_by_role("link"))
    pages.check(page, "host_group_leave")
    page.get_by_label("会員でなくなる日").fill("令和8年11月23日")
    follow(page.get_by_role("button", name="退会にする"))
    expect(page.get_by_text("見本　菊")).to_have_count(0)
    page.get_by_label("カードのコード").fill(world.card(5))
    follow(page.get_by_role("button", name="会員にする"))
    expect(page.get_by_text("見本　菊").first).to_be_visible()


def test_P9_a_leader_renews_the_group_on_a_phone(world: Any, pages: Pages) -> None:
    begun(world)
    pages.clock = factory.NOON
    page = pages.open(PHONE, js=False, user=world.leader)
    page.goto(f"/host/groups/{world.group}")
    follow(page.get_by_role("button", name="更新する"))
    follow(page.get_by_role("link", name="届け出を直す"))
    pages.check(page, "host_group_filing")
    page.get_by_label("連絡する人").fill("見本　花子")
    page.get_by_label("計画1の活動の種類").select_option("join")
    page.get_by_label("計画1のひん度").select_option("month")
    page.get_by_label("計画1の回数").fill("２")
    page.get_by_label("計画1の会場").fill("見本会館")
    follow(page.get_by_role("button", name="保存する"))
    assert page.title().startswith("エラー："), "for whom was left out"
    pages.check(page, "host_group_filing_error")
    page.get_by_label("計画1の参加する方").fill("地域の方")
    follow(page.get_by_role("button", name="保存する"))
    follow(page.get_by_role("button", name="社協へ出す"))
    expect(page.get_by_text("審査まち")).to_be_visible()


def test_P9_the_council_hands_back_and_registers_at_a_desk(world: Any, pages: Pages) -> None:
    begun(world)
    plan = groups.PlanInput("join", "month", 2, "見本会館", "地域の方（見本）", 20)
    with access.scope(world.leader, at=factory.NOON) as by:
        new = groups.renew(group_id=world.group, by=by)
        groups.change(group_id=new.pk, by=by, filing=groups.FilingInput(
            "ふれあいサロン（見本）", "join", "見本　花子", "0242-00-0000", "", (plan,)))
        groups.submit(group_id=new.pk, by=by)
    pages.clock = factory.NOON
    page = pages.open(PHONE, js=False, user=world.leader)
    desk = pages.open(DESKTOP, user=world.council)
    desk.goto("/council")
    follow(desk.get_by_role("link", name="審査する"))
    pages.check(desk, "council_groups")
    desk.goto(f"/council/groups/{new.pk}")
    pages.check(desk, "council_group")
    follow(desk.get_by_role("link", name="差しもどす"))
    desk.get_by_label("理由").fill("回数を確かめてください")
    pages.check(desk, "council_group_return")
    follow(desk.get_by_role("button", name="差しもどす"))
    page.goto(f"/host/groups/{new.pk}")
    expect(page.get_by_text("回数を確かめてください")).to_be_visible()
    pages.check(page, "host_group_returned")
    follow(page.get_by_role("button", name="社協へ出す"))
    desk.goto(f"/council/groups/{new.pk}/accept")
    follow(desk.get_by_role("button", name="登録する"))
    expect(desk.get_by_text("登録ずみ").first).to_be_visible()
    follow(desk.get_by_role("link", name="会員を入れる"))
    desk.get_by_label("名前・かな・手帳番号").fill("はなこ")
    follow(desk.get_by_role("button", name="さがす"))
    assert "hanako" not in desk.url and "%E" not in desk.url, "no name in an address"
    pages.check(desk, "council_group_find")
    desk.goto(f"/council/groups/{new.pk}/leader")
    pages.check(desk, "council_group_leader")
    desk.goto("/council/groups/new")
    pages.check(desk, "council_group_new")


def test_P9_a_leader_reports_a_year_and_the_council_accepts(world: Any, pages: Pages) -> None:
    begun(world)
    old = Group.objects.get(fiscal_year=2025)
    pages.clock = factory.NOON
    page = pages.open(PHONE, js=False, user=world.leader)
    page.goto(f"/host/groups/{old.pk}")
    follow(page.get_by_role("link", name="実績報告"))
    pages.check(page, "host_group_report")
    page.get_by_label("ふりかえり").fill("みんなで楽しくすごしました。")
    follow(page.get_by_role("button", name="社協へ出す"))
    expect(page.get_by_text("審査まち")).to_be_visible()
    desk = pages.open(DESKTOP, user=world.council)
    desk.goto(f"/council/groups/{old.pk}/report")
    pages.check(desk, "council_group_report")
    follow(desk.get_by_role("button", name="受理する"))
    expect(desk.get_by_text("受理ずみ").first).to_be_visible()
    page.goto(f"/host/groups/{old.pk}/report")
    expect(page.get_by_text("受理ずみ")).to_be_visible()
