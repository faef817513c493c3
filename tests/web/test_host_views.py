"""The host's and the shop's pages: own sessions only, the code's picture, paper, vouchers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from points.models import Attendance, Voucher
from points.operations import attendance, vouchers
from registry import access
from registry.sealing import unseal
from tests.factories import points as factory
from tests.web.conftest import signed_in

RECEPTION = ("reception", "code.svg")
STAFF_ONLY = ("search", "sheet", "sheet.pdf", "")


@pytest.fixture
def host(world: Any) -> Client:
    return signed_in(world.leader)


def test_home_shows_the_own_sessions_of_today(world: Any, host: Client) -> None:
    page = host.get("/host")
    assert [one["id"] for one in page.context["today"]] == [world.session]
    assert signed_in(world.other_leader).get("/host").context["today"] == []


def test_a_role_with_one_page_lands_there(world: Any, host: Client) -> None:
    assert host.get("/")["Location"] == "/host"
    assert signed_in(world.shopkeeper).get("/")["Location"] == "/shop"
    assert signed_in(world.council).get("/")["Location"] == "/council"


def test_P9_another_groups_session_is_not_found_on_any_page(world: Any) -> None:
    other = signed_in(world.other_leader)
    for name in RECEPTION + STAFF_ONLY:
        path = f"/host/sessions/{world.session}/{name}".rstrip("/")
        assert other.get(path).status_code == 404, path
    assert other.post(f"/host/sessions/{world.session}", {"headcount": "3"}).status_code == 404
    gone = f"/host/sessions/{world.session}/records/1/void"
    assert other.get(gone).status_code == 404
    assert other.post(gone, {"reason": "x"}).status_code == 404


def test_the_scanner_receives_and_sees_no_names(world: Any) -> None:
    scanner = signed_in(world.scanner)
    for name in RECEPTION:
        assert scanner.get(f"/host/sessions/{world.session}/{name}").status_code == 200
    for name in STAFF_ONLY:
        path = f"/host/sessions/{world.session}/{name}".rstrip("/")
        assert scanner.get(path).status_code == 403, path


def test_only_the_reception_may_compile_wasm(world: Any, host: Client) -> None:
    reception = host.get(f"/host/sessions/{world.session}/reception")
    assert "'wasm-unsafe-eval'" in reception["Content-Security-Policy"]
    for path in ("/host", f"/host/sessions/{world.session}/search", "/me"):
        assert "wasm" not in host.get(path)["Content-Security-Policy"], path
        assert "unsafe-inline" not in host.get(path)["Content-Security-Policy"], path


def test_P4_the_code_changes_with_its_step_and_only_near_the_present(
    world: Any, host: Client
) -> None:
    step = int(world.at.timestamp()) // 30
    path = f"/host/sessions/{world.session}/code.svg?step="
    now, following = host.get(f"{path}{step}"), host.get(f"{path}{step + 1}")
    assert now["Content-Type"] == "image/svg+xml" and now.content != following.content
    assert now["Cache-Control"] == "no-store"
    assert host.get(f"{path}{step + 10}").status_code == 404


def test_P4_name_search_counts_once_however_often_it_is_sent(world: Any, host: Client) -> None:
    path = f"/host/sessions/{world.session}/search"
    page = host.post(path, {"q": "みほん"})
    assert [row["done"] for row in page.context["results"]] == [False] * 3
    given = {"volunteer": world.people[0], "token": page.context["token"]}
    for _ in range(2):
        assert host.post(f"{path}/accept", given).status_code == 302
    with access.system(at=world.at, reason="test"):
        row = Attendance.objects.unscoped().get()
    assert (row.volunteer_id, row.method) == (world.people[0], "name_search")
    assert host.post(path, {"q": "みほん"}).context["results"][0]["done"]
    assert host.post(f"{path}/accept", given | {"token": "forged"}).status_code == 422


def test_P9_search_finds_members_of_the_own_group_only(world: Any) -> None:
    other = signed_in(world.other_leader)
    session = factory.hold(world, group=world.other_group)
    assert other.post(f"/host/sessions/{session}/search", {"q": "みほん"}).context["results"] == []


def test_a_typed_code_works_without_scripts(world: Any, host: Client) -> None:
    page = host.get(f"/host/sessions/{world.session}/reception")
    given = {"mark": page.context["mark"], "code": world.card(0)}
    path = f"/host/sessions/{world.session}/entry"
    answer = host.post(path, given, follow=True)
    assert "受付しました（＋1ポイント）" in answer.content.decode()
    assert Attendance.objects.unscoped().count() == 1
    wrong = host.post(path, given | {"code": "000000000000"}, follow=True)
    assert "読みとれません" in wrong.content.decode()


def test_P5_reconciliation_and_a_void_with_its_reason(world: Any, host: Client) -> None:
    with access.scope(world.leader, at=world.at) as by:
        attendance.record(scans=[world.scan(0)], by=by)
    page = host.get(f"/host/sessions/{world.session}")
    assert (page.context["sent"].sent, page.context["counted"]) == (1, 1)
    (row,) = page.context["rows"]
    assert host.post(row["void_url"], {"reason": ""}).status_code == 422
    assert host.post(row["void_url"], {"reason": "まちがい"}).status_code == 302
    again = host.get(f"/host/sessions/{world.session}")
    assert again.context["counted"] == 0 and "まちがい" in again.content.decode()
    assert host.post(row["void_url"], {"reason": "もう一度"}).status_code == 409


@pytest.fixture
def voucher_code(world: Any) -> str:
    with access.system(at=world.at, reason="test") as by:
        for day in range(1, 4):
            for hour in (2, 5):
                session = factory.hold(world, start=world.at - timedelta(days=day, hours=hour))
                attendance.record(scans=[world.scan(0, session)], by=by)
        vouchers.exchange(volunteer_id=world.people[0], programme="tsunagari", count=1,
                          request_id=factory.request_id(), by=by)
        row = Voucher.objects.unscoped().get()
        return unseal(bytes(row.sealed_code), context=f"voucher:{row.serial}").decode()


def test_P7_a_voucher_is_taken_once(world: Any, voucher_code: str) -> None:
    shop = signed_in(world.shopkeeper)
    page = shop.get("/shop")
    given = {"code": voucher_code, "token": page.context["token"]}
    first = shop.post("/shop", given)
    assert first.status_code == 200 and first.context["outcome"]["yen"] == "500"
    assert first.context["today"] == {"count": 1, "yen": "500"}
    again = shop.post("/shop", given)
    assert again.context["outcome"]["title"] == "受けとりました", "the same request again"
    twice = shop.post("/shop", {"code": voucher_code, "token": first.context["token"]})
    assert twice.status_code == 422
    assert "見本商店" in twice.context["outcome"]["detail"], "says where it was used"
    assert voucher_code in twice.content.decode(), "what was typed stays"
    assert len(shop.get("/shop/uses").context["rows"]) == 1


def test_P7_unreadable_code_and_a_vouchers_address(world: Any, voucher_code: str) -> None:
    shop = signed_in(world.shopkeeper)
    assert shop.post("/shop", {"code": "なに"}).status_code == 422
    to = shop.get(f"/V/{voucher_code}")
    assert to.status_code == 302 and to["Location"].startswith("/shop?code=")
    stranger = Client().get(f"/V/{voucher_code}")
    assert stranger.status_code == 200 and "500" not in stranger.content.decode()
