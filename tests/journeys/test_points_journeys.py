"""The points side in a real browser: phone without scripts, reception, shop, council."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from points.domain.codes import grouped
from points.models import Attendance, Voucher
from points.operations import attendance, vouchers
from points.queries.sessions import event_code
from registry import access
from registry.operations import volunteers
from registry.sealing import unseal
from tests.factories import points as factory
from tests.journeys.browser import (
    DESKTOP,
    PHONE,
    TABLET,
    Pages,
    before_camera,
    browser,
    follow,
    pages,
    shot,
)

__all__ = ["browser", "pages"]
pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]


def code_of(world: Any, back: timedelta = timedelta(0)) -> str:
    with access.scope(world.leader, at=factory.NOON) as scope:
        return event_code(scope, session_id=world.session, at=factory.NOON - back).code


def name_people(world: Any) -> None:
    """Names a neighbour would have, all invented."""
    names = [("見本　花子", "ミホン　ハナコ"), ("見本　太郎", "ミホン　タロウ"),
             ("髙橋　見本", "タカハシ　ミホン"), ("渡邉　見本", "ワタナベ　ミホン"),
             ("見本　すみれ", "ミホン　スミレ"), ("見本　菊", "ミホン　キク")]
    with access.system(at=factory.NOON, reason="test") as by:
        from registry.queries.volunteers import volunteer_facts

        facts = volunteer_facts(by, volunteer_ids=world.people)
        for one, (name, kana) in zip(world.people, names, strict=True):
            volunteers.change(volunteer_id=one, volunteer=volunteers.VolunteerInput(
                number=facts[one].number, name=name, kana=kana, born_on=facts[one].born_on,
                registered_on=facts[one].registered_on,
            ), by=by)


def visits(world: Any, number: int, days: int) -> None:
    """Two visits a day on so many days before."""
    with access.system(at=factory.NOON, reason="test") as by:
        for day in range(1, days + 1):
            for hour in (2, 5):
                session = factory.hold(world, start=world.at - timedelta(days=day, hours=hour))
                attendance.record(scans=[world.scan(number, session)], by=by)


@pytest.mark.parametrize("js", [False, True])
def test_a_volunteer_binds_is_counted_and_exchanges(world: Any, pages: Pages, js: bool) -> None:
    name_people(world)
    visits(world, 0, 3)
    page = pages.open(PHONE, js=js)
    page.goto(f"/e/{code_of(world)}")
    pages.check(page, "volunteer_bind")
    assert "花子" not in page.content(), "no name before the phone is bound"
    page.get_by_label("カードのコード").fill(grouped(world.card(0)).lower())
    page.get_by_label("誕生日の月").fill("５")
    page.get_by_label("誕生日の日").fill("6")
    follow(page.get_by_role("button", name="登録する"))
    pages.check(page, "volunteer_bind_wrong")
    page.get_by_label("誕生日の日").fill("5")
    follow(page.get_by_role("button", name="登録する"))
    pages.check(page, "volunteer_confirm")
    expect(page.get_by_text("花子").first).to_be_visible()
    follow(page.get_by_role("button", name="受付する"))
    expect(page.locator("[data-result=granted]")).to_be_visible()
    pages.check(page, "volunteer_granted")
    assert Attendance.objects.unscoped().filter(session_id=world.session).count() == 1
    page.goto(f"/E/{code_of(world)}")
    follow(page.get_by_role("button", name="受付する"))
    expect(page.locator("[data-result=already]")).to_be_visible()
    pages.check(page, "volunteer_already")
    follow(page.get_by_role("link", name="記録を見る"))
    pages.check(page, "volunteer_points")
    follow(page.get_by_role("link", name="交換する"))
    pages.check(page, "volunteer_exchange")
    follow(page.get_by_role("button", name="つぎへ"))
    assert page.title().startswith("エラー："), "nothing chosen"
    pages.check(page, "volunteer_exchange_empty")
    page.get_by_label("1枚").check()
    follow(page.get_by_role("button", name="つぎへ"))
    pages.check(page, "volunteer_exchange_check")
    follow(page.get_by_role("button", name="交換する"))
    pages.check(page, "volunteer_exchange_done")
    assert Voucher.objects.unscoped().count() == 1
    page.goto("/me/card")
    pages.check(page, "volunteer_card")
    follow(page.get_by_role("link", name="カードをなくした"))
    pages.check(page, "volunteer_card_lost")
    page.goto("/me/supporter")
    pages.check(page, "volunteer_supporter")
    page.goto("/me/card")
    follow(page.get_by_role("button", name="はずす"))
    page.goto("/me")
    assert "/bind" in page.url


def test_late_unknown_and_foreign_codes_have_their_pages(world: Any, pages: Pages) -> None:
    page = pages.open(PHONE)
    page.goto(f"/E/{code_of(world, timedelta(minutes=5))}")
    expect(page.locator("[data-result=expired]")).to_be_visible()
    pages.check(page, "volunteer_expired")
    page.goto("/E/AAAA")
    expect(page.locator("[data-result=bad_card]")).to_be_visible()
    pages.check(page, "volunteer_bad_code")
    page.goto(f"/C/{world.card(0)}")
    pages.check(page, "card_scanned")
    page.goto("/V/0123456789AB")
    pages.check(page, "voucher_scanned")
    page.goto("/nai")
    pages.check(page, "not_found")


def test_reception_reads_a_card_by_camera_scanner_and_name(world: Any, pages: Pages) -> None:
    name_people(world)
    before_camera(f"HTTPS://TG.EXAMPLE.JP/C/{world.card(0)}")
    pages.clock = factory.NOON
    page = pages.open(TABLET, user=world.leader)
    page.goto("/")
    assert page.url.endswith("/host")
    pages.check(page, "host_home")
    follow(page.get_by_role("link", name="受付をする"))
    banner = page.locator("[data-kiosk-banner]")
    page.wait_for_function(
        "() => document.querySelector('[data-kiosk-count]').textContent === '1'", timeout=30_000
    )
    expect(banner).to_have_class(re.compile("state-success"))
    page.wait_for_function("() => document.querySelector('[data-kiosk-qr-image]').dataset.url")
    pages.check(page, "host_reception")
    page.keyboard.type(world.card(1) + "\n", delay=5)
    page.wait_for_function("() => document.querySelector('[data-kiosk-count]').textContent === '2'")
    page.get_by_label("読みとり機・番号の入力").fill("000000000000")
    page.get_by_label("読みとり機・番号の入力").press("Enter")
    page.wait_for_function(
        "() => document.querySelector('[data-kiosk-banner]').className.includes('state-error')"
    )
    pages.check(page, "host_reception_bad")
    page.locator("[data-kiosk-recent] button").first.click()
    page.wait_for_function("() => document.querySelector('[data-kiosk-count]').textContent === '1'")
    expect(page.locator("[data-kiosk-chip]")).to_have_attribute("data-state", "sent")
    assert Attendance.objects.unscoped().filter(voided_at__isnull=False).count() == 1
    follow(page.get_by_role("link", name="カードを忘れた方"))
    page.get_by_label("名前か、かな").fill("たかはし")
    follow(page.get_by_role("button", name="さがす"))
    pages.check(page, "host_search")
    follow(page.get_by_role("button", name="受付する"))
    expect(page.get_by_text("受付しました")).to_be_visible()
    rows = Attendance.objects.unscoped().filter(voided_at__isnull=True)
    assert sorted(row.method for row in rows) == ["card", "name_search"]


def test_reception_without_a_network_keeps_and_sends_later(world: Any, pages: Pages) -> None:
    before_camera("nothing of ours")
    pages.clock = factory.NOON
    page = pages.open(TABLET, user=world.leader)
    page.goto(f"/host/sessions/{world.session}/reception")
    page.wait_for_function("() => document.querySelector('[data-kiosk-qr-image]').dataset.url")
    page.wait_for_selector("[data-kiosk-camera][data-camera=on]")
    page.context.set_offline(True)
    for number in (2, 3):
        page.get_by_label("読みとり機・番号の入力").fill(world.card(number))
        page.get_by_label("読みとり機・番号の入力").press("Enter")
        page.wait_for_function(
            "n => document.querySelector('[data-kiosk-chip-words]').textContent.includes(n)",
            arg=f"送信まち {number - 1}件",
        )
    assert Attendance.objects.unscoped().count() == 0
    shot(page, "host_reception_offline")
    page.context.set_offline(False)
    page.wait_for_function(
        "() => document.querySelector('[data-kiosk-chip]').dataset.state === 'sent'", timeout=30_000
    )
    assert Attendance.objects.unscoped().count() == 2


def test_the_host_enters_paper_and_agrees_the_numbers(world: Any, pages: Pages) -> None:
    name_people(world)
    page = pages.open(PHONE, user=world.leader, js=False)
    page.goto("/host")
    pages.check(page, "host_home_phone")
    follow(page.get_by_role("link", name="紙から入力"))
    page.get_by_label("花子").check()
    page.get_by_label("太郎").check()
    page.get_by_label("紙に署名した人").fill("見本　花子")
    page.get_by_label("来た人の数").fill("3")
    follow(page.get_by_role("button", name="記録する"))
    pages.check(page, "host_sheet_wrong")
    page.get_by_label("来た人の数").fill("2")
    follow(page.get_by_role("button", name="記録する"))
    expect(page.get_by_text("人数 2人。合っています")).to_be_visible()
    pages.check(page, "host_session")
    follow(page.get_by_role("link", name="取り消す").first)
    pages.check(page, "host_void")


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_a_shop_takes_a_voucher_once(world: Any, pages: Pages, size: tuple[int, int]) -> None:
    visits(world, 0, 3)
    with access.system(at=factory.NOON, reason="test") as by:
        vouchers.exchange(volunteer_id=world.people[0], programme="tsunagari", count=1,
                          request_id=factory.request_id(), by=by)
        row = Voucher.objects.unscoped().get()
        code = unseal(bytes(row.sealed_code), context=f"voucher:{row.serial}").decode()
    name = "phone" if size == PHONE else "desktop"
    page = pages.open(size, user=world.shopkeeper, js=size != PHONE)
    page.goto("/shop")
    pages.check(page, f"shop_{name}")
    for expected in ("受けとりました", "受けとれません"):
        page.get_by_label("利用券のコード").fill(grouped(code))
        follow(page.get_by_role("button", name="受けとる"))
        expect(page.get_by_text(expected)).to_be_visible()
        pages.check(page, f"shop_{'taken' if expected.endswith('た') else 'refused'}_{name}")
    follow(page.get_by_role("link", name="一覧を見る"))
    pages.check(page, f"shop_uses_{name}")


def test_the_council_reads_its_statistics(world: Any, pages: Pages) -> None:
    name_people(world)
    with access.system(at=factory.NOON, reason="test") as by:
        for days in range(0, 200, 6):
            session = factory.hold(world, start=world.at - timedelta(days=days, hours=3))
            attendance.record(
                scans=[world.scan(number, session) for number in range(1 + days % 5)], by=by
            )
    page = pages.open(DESKTOP, user=world.council)
    page.goto("/")
    assert page.url.endswith("/council")
    pages.check(page, "council_home")
    follow(page.get_by_role("link", name="統計"))
    pages.check(page, "council_statistics")
    page.get_by_label("活動の種類").select_option("support")
    follow(page.get_by_role("button", name="表示する"))
    assert page.locator(".figure-card").first.inner_text().count("0")
    follow(page.get_by_role("link", name="条件を元にもどす"))
    follow(page.get_by_role("link", name="ファイルに保存"))
    follow(page.get_by_role("button", name="書き出す"))
    pages.check(page, "council_export_wrong")
    page.get_by_label("書き出す理由").fill("理事会の資料")
    with page.expect_download() as coming:
        page.get_by_role("button", name="書き出す").click()
    assert coming.value.suggested_filename.endswith(".xlsx")
    follow(page.get_by_role("link", name="ボランティア"))
    pages.check(page, "council_volunteers")
    follow(page.get_by_role("link", name="見本　花子"))
    pages.check(page, "council_volunteer")
    page.goto("/council/sessions")
    pages.check(page, "council_sessions")
    page.goto("/council/cards")
    pages.check(page, "council_cards")
