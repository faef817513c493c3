"""Paper in a real browser: a sheet by keyboard and row QR, newcomers, queue, cards, practice."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from points import keys
from points.domain import tokens
from points.models import Attendance, Scan, WaitingRow
from points.operations import papers
from points.queries.sheets import sheet_of
from registry import access
from tests.factories import points as factory
from tests.journeys.browser import DESKTOP, PHONE, Pages, browser, follow, pages
from tests.journeys.test_points_journeys import name_people

__all__ = ["browser", "pages"]
pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("js", [False, True])
def test_a_leader_enters_a_sheet_with_a_scanner_and_settles_a_stranger(
    world: Any, pages: Pages, js: bool
) -> None:
    name_people(world)
    with access.scope(world.leader, at=factory.NOON) as by:
        papers.attendance_pages(session_id=world.session, by=by)
        rows = sheet_of(by, session_id=world.session).lines
    page = pages.open(PHONE, user=world.leader, js=js)
    page.goto(f"/host/sessions/{world.session}/sheet", timeout=60_000)  # the first page is slow
    pages.check(page, "host_sheet_entry")
    for text in (rows[1].code, "1 4"):
        page.get_by_label("順番の数字").fill(text)
        if js:
            page.get_by_label("順番の数字").press("Enter")  # what a scanner sends
        else:
            follow(page.get_by_role("button", name="しるしをつける"))
    for at in (1, 2, 4):
        expect(page.locator(f"#row_{at}")).to_be_checked()
    page.get_by_label("空いた行 1の氏名").fill("見学の人")
    page.get_by_label("空いた行 2の氏名").fill("高橋")
    page.get_by_label("来た人の数").fill("6")
    page.get_by_label("紙に署名した人").fill("見本　花子")
    follow(page.get_by_role("button", name="記録する"))
    pages.check(page, "host_sheet_newcomers")
    page.get_by_label("この中にいない").first.check()
    page.locator("#id_pick_2_0").check()  # 髙橋, found by 高橋
    follow(page.get_by_role("button", name="記録する"))
    assert page.title().startswith("エラー："), "five were entered, the paper says six"
    pages.check(page, "host_sheet_differs")
    page.get_by_label("人数がちがうわけ").fill("お茶だけの方が1人")
    follow(page.get_by_role("button", name="記録する"))
    pages.check(page, "host_waiting")
    assert Attendance.objects.unscoped().count() == 4
    follow(page.get_by_role("link", name="見学の人"))
    pages.check(page, "host_waiting_row")
    page.get_by_label("数えない理由").fill("見学だけの方")
    follow(page.get_by_role("button", name="数えない"))
    assert WaitingRow.objects.unscoped().get().state == "dismissed"
    page.goto(f"/host/sessions/{world.session}")
    expect(page.get_by_text("お茶だけの方が1人")).to_be_visible()
    pages.check(page, "host_session_paper")


def test_the_council_reads_a_list_and_keeps_its_prints(world: Any, pages: Pages) -> None:
    name_people(world)
    page = pages.open(DESKTOP, user=world.council)
    page.goto(f"/host/sessions/{world.session}/list")
    pages.check(page, "host_list")
    page.get_by_label("名簿のファイル").set_input_files({
        "name": "list.csv", "mimeType": "text/csv",
        "buffer": "氏名,かな\r\n見本　太郎,ミホン　タロウ\r\nしらない　人,\r\n".encode("cp932"),
    })
    follow(page.get_by_role("button", name="読みとる"))
    pages.check(page, "host_list_check")
    page.get_by_label("紙に署名した人").fill("見本　花子")
    follow(page.get_by_role("button", name="記録する"))
    follow(page.get_by_role("link", name="しらない"))
    pages.check(page, "council_waiting_row")
    page.goto(f"/council/volunteers/{world.people[0]}/card")
    pages.check(page, "council_card")
    with access.scope(world.council, at=factory.NOON) as by:
        papers.card_pages(volunteer_ids=world.people, by=by)
    page.goto("/council/prints")
    pages.check(page, "council_prints")
    follow(page.locator("a.row-link").first)
    pages.check(page, "council_print")


@pytest.mark.parametrize("js", [False, True])
def test_a_class_practises_without_an_account(world: Any, pages: Pages, js: bool) -> None:
    code = tokens.mint("practice", keys=keys.keyring()).code
    page = pages.open(PHONE, js=js)
    page.goto(f"/E/{code}")
    pages.check(page, "volunteer_practice")
    follow(page.get_by_role("link", name="受付する"))
    pages.check(page, "volunteer_practice_done")
    assert not Scan.objects.unscoped().exists()
