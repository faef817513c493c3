"""P5 in a real Chromium: a reception whose network is cut, whose tab is closed, whose clock is
wrong; two tabs of one tablet; a lost tablet.  Nothing lost, nothing doubled, all accounted for."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from playwright.sync_api import expect

from points.domain import tokens
from points.models import Attendance, Scan, WithdrawnScan
from points.queries.reconciliation import reconciliation
from registry import access
from registry.operations import kiosks
from tests.factories import points as factory
from tests.journeys.browser import (
    CAMERA,
    PHONE,
    SCREENS,
    TABLET,
    Pages,
    browser,
    follow,
    pages,
    shot,
)

__all__ = ["browser", "pages"]
pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]
WRONG = timedelta(minutes=7)
CARDS = 60
COUNT = "[data-kiosk-count]"


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """A loaded machine may take its time; nothing here is measured."""
    expect.set_options(timeout=30_000)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture
def hall(transactional_db: None) -> Iterator[Any]:
    """A session with sixty people; the server's clock stands at noon and runs on."""
    # Nothing before the camera: plain grey, so that only the scanner reads.
    head, size = b"YUV4MPEG2 W320 H240 F10:1 Ip A1:1 C420\n", 320 * 240
    CAMERA.write_bytes(head + (b"FRAME\n" + b"\xb0" * size + b"\x80" * (size // 2)) * 5)
    with time_machine.travel(factory.NOON, tick=True):
        yield factory.build(count=CARDS)


def registered(world: Any, name: str = "集会所のタブレット") -> kiosks.PairingCode:
    with access.scope(world.leader, at=factory.NOON) as by:
        return kiosks.register(organisation_id=world.organisation, name=name, by=by)


def paired(world: Any, pages: Pages, size: tuple[int, int] = TABLET) -> Any:
    """A tablet whose clock is seven minutes fast, paired and ready to work without network."""
    made = registered(world)
    pages.clock = factory.NOON + WRONG
    page = pages.open(size)
    page.context.set_default_timeout(60_000)
    page.set_default_timeout(60_000)
    page.goto(f"/kiosk/#{made.code}")
    pages.check(page, "kiosk_pair")
    page.get_by_role("button", name="登録する").click()
    expect(page.get_by_role("button", name="受付をする")).to_be_visible()
    page.evaluate("navigator.serviceWorker.ready")
    return page


def begin(page: Any) -> None:
    page.get_by_role("button", name="受付をする").first.click()
    expect(page.locator("[data-kiosk-banner]")).to_be_visible()


def show_card(page: Any, code: str) -> None:
    """A keyboard-type scanner: all keys and Enter within a moment, whatever has the focus."""
    page.evaluate("""keys => keys.forEach(key => document.body.dispatchEvent(
        new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true})))""",
                  [*code, "Enter"])


def result(page: Any, code: str) -> None:
    expect(page.locator("[data-kiosk-banner]")).to_have_attribute("data-result", code)


def shown(page: Any, code: str) -> None:
    expect(page.locator("[data-kiosk-detail]")).to_contain_text(f"…{code[-3:]}")


def chip(page: Any, words: str) -> None:
    expect(page.locator("[data-kiosk-chip-words]")).to_have_text(words)


def forward(page: Any, to: datetime) -> None:
    """Set the tablet's clock, as a night set it."""
    page.clock.set_system_time(to)


def counted(world: Any) -> list[int]:
    rows = Attendance.objects.unscoped().filter(session_id=world.session, voided_at__isnull=True)
    return sorted(rows.values_list("volunteer_id", flat=True))


def report(world: Any, at: datetime) -> Any:
    with access.scope(world.leader, at=at) as scope:
        return reconciliation(scope, session_id=world.session)


def test_P5_a_reception_without_network_loses_and_doubles_nothing(
    hall: Any, pages: Pages
) -> None:
    page = paired(hall, pages)
    pages.check(page, "kiosk_start")
    begin(page)
    for number in range(5):
        show_card(page, hall.card(number))
        expect(page.locator(COUNT)).to_have_text(str(number + 1))
    result(page, "granted")
    chip(page, "送信ずみ")
    assert not re.search(r"見本[ 　]\d|さん", page.locator("main").inner_text()), "no name"
    pages.check(page, "kiosk_online")

    page.context.set_offline(True)
    chip(page, "電波なし")
    for number in range(5, 40):
        show_card(page, hall.card(number))
        expect(page.locator(COUNT)).to_have_text(str(number + 1))
    result(page, "queued")
    expect(page.locator("[data-kiosk-detail]")).to_contain_text(f"…{hall.card(39)[-3:]}")
    assert not page.locator("[data-kiosk-points]").is_visible(), "no points without network"
    chip(page, "電波なし・送信まち 35件")
    pages.check(page, "kiosk_offline")
    show_card(page, hall.card(2)[::-1])
    result(page, "bad_card")
    page.locator("[data-kiosk-recent] button").first.click()  # card 39 is taken back
    expect(page.locator("[data-kiosk-recent]")).to_contain_text("（取り消し）")
    chip(page, "電波なし・送信まち 34件")

    # The tab is closed and opened again, still without network.
    context = page.context
    page.close()
    page = context.new_page()
    page.goto("/kiosk/")
    expect(page.get_by_text("送信まち 34件（電波なし）")).to_be_visible()
    begin(page)
    url = page.locator("[data-kiosk-qr-image]")
    expect(url).to_have_attribute("data-url", re.compile("/E/"))
    code = (url.get_attribute("data-url") or "").rsplit("/", 1)[-1]
    from points import keys

    with access.system(at=factory.NOON, reason="test"):
        now = datetime.now(factory.NOON.tzinfo)
        read = tokens.read(code, keys=keys.keyring(), at=now)
    assert isinstance(read, tokens.EventCode) and read.session == hall.session, (
        "made by a tablet seven minutes fast, and good for the server all the same"
    )
    show_card(page, hall.card(6))
    result(page, "already")
    for number in range(40, CARDS):
        show_card(page, hall.card(number))
    chip(page, "電波なし・送信まち 54件")
    assert len(counted(hall)) == 5
    page.close()

    # A day later, with network: everything is sent by itself.
    tomorrow = factory.NOON + timedelta(days=1)
    with time_machine.travel(tomorrow, tick=True):
        context.set_offline(False)
        page = context.new_page()
        forward(page, tomorrow + WRONG)
        page.goto("/kiosk/")
        expect(page.locator("[data-app-waiting]")).to_have_text("送信ずみ", timeout=30_000)
        shot(page, "kiosk_sent")
        _all_is_there(hall, tomorrow)
        desk = pages.open(PHONE, user=hall.leader)
        desk.goto(f"/host/sessions/{hall.session}")
        desk.get_by_label("来た人の数").fill("60")
        follow(desk.get_by_role("button", name="保存する"))
        said = r"[67]分\d+秒 すすんで"
        for words in ("合っていません", "59件", "取り下げ", said, "後の日に届いた"):
            expect(desk.get_by_text(re.compile(words)).first).to_be_visible()
        pages.check(desk)
        desk.set_viewport_size({"width": PHONE[0], "height": 1700})  # sixty names follow
        if os.environ.get("WRITE_SCREENS"):
            desk.screenshot(path=str(SCREENS / "host_reconciliation.png"))


def _all_is_there(hall: Any, at: datetime) -> None:
    wanted = sorted(one for n, one in enumerate(hall.people) if n != 39)
    assert counted(hall) == wanted, "nothing lost, nothing doubled"
    rows = Scan.objects.unscoped()
    assert rows.count() == CARDS - 1 and set(rows.values_list("result", flat=True)) == {"granted"}
    used = {*rows.values_list("counter", flat=True),
            *WithdrawnScan.objects.unscoped().values_list("counter", flat=True)}
    assert used == set(range(1, CARDS + 1)), "no counter skipped, none shared"
    found = report(hall, at)
    device = found.devices[0]
    assert (found.sent, found.accepted, found.already, found.refused) == (59, 59, 0, {})
    assert (device.missing, len(device.withdrawn), found.late) == ((), 1, 54)
    assert abs(device.skew_ms + WRONG.total_seconds() * 1000) < 60_000
    first = Attendance.objects.unscoped().order_by("attended_at").first()
    assert first is not None and first.attended_at.astimezone(factory.NOON.tzinfo).date() == (
        factory.NOON.date()
    )


def test_P5_two_tabs_of_one_tablet_share_one_run_of_counters(hall: Any, pages: Pages) -> None:
    page = paired(hall, pages)
    begin(page)
    other = page.context.new_page()
    other.goto("/kiosk/")
    begin(other)
    page.context.set_offline(True)
    for number in range(0, 12, 2):
        show_card(page, hall.card(number))
        shown(page, hall.card(number))
        show_card(other, hall.card(number + 1))
        shown(other, hall.card(number + 1))
        show_card(other, hall.card(number))  # the same card in the other tab
        result(other, "already")
    chip(other, "電波なし・送信まち 12件")
    chip(page, "電波なし・送信まち 12件")
    page.context.set_offline(False)
    chip(page, "送信ずみ")
    chip(other, "送信ずみ")
    assert counted(hall) == sorted(hall.people[:12])
    rows = Scan.objects.unscoped()
    assert sorted(rows.values_list("counter", flat=True)) == list(range(1, 13))
    # What was sent is taken back through the server, once, from either tab.
    page.locator("[data-kiosk-recent] button").first.click()
    expect(other.locator("[data-kiosk-recent]")).to_contain_text("（取り消し）")
    expect(page.locator(COUNT)).to_have_text("11")
    chip(page, "送信ずみ")
    assert len(counted(hall)) == 11


def test_P5_a_lost_tablet_is_revoked_keeps_its_queue_and_sends_it_when_found(
    hall: Any, pages: Pages
) -> None:
    page = paired(hall, pages, PHONE)
    begin(page)
    page.context.set_offline(True)
    for number in range(3):
        show_card(page, hall.card(number))
    chip(page, "電波なし・送信まち 3件")
    desk = pages.open(PHONE, user=hall.leader)
    desk.goto("/host")
    follow(desk.get_by_role("link", name="受付端末"))
    pages.check(desk, "host_kiosks")
    follow(desk.get_by_role("link", name="くわしく"))
    follow(desk.get_by_role("button", name="取り消す"))
    pages.check(desk, "host_kiosk_revoked")
    page.context.set_offline(False)
    expect(page.get_by_text("この端末は いま使えません")).to_be_visible()
    pages.check(page, "kiosk_revoked")
    expect(page.locator("[data-app-left]")).to_have_text("3")
    assert counted(hall) == []
    # Another kiosk's code would send under the wrong counters: it is refused and stays good.
    other = registered(hall, "べつのタブレット")
    page.get_by_role("button", name="登録する").click()
    page.get_by_label("登録コード").fill(other.code)
    page.get_by_role("button", name="登録する").click()
    expect(page.get_by_text("前の登録の送信まちが")).to_be_visible()
    pages.check(page, "kiosk_other_held")
    page.clock.run_for(120_000)  # the tablet asks again meanwhile: the form stays
    expect(page.get_by_label("登録コード")).to_be_visible()
    follow(desk.get_by_role("button", name="また使う"))
    pages.check(desk, "host_kiosk_code")
    page.get_by_label("登録コード").fill(desk.locator(".pairing-code").inner_text())
    page.get_by_role("button", name="登録する").click()
    expect(page.locator("[data-app-waiting]")).to_have_text("送信ずみ")
    assert counted(hall) == sorted(hall.people[:3])
    assert report(hall, factory.NOON).missing == 0


def test_P5_only_the_kiosks_own_program_is_kept(hall: Any, pages: Pages) -> None:
    page = paired(hall, pages)
    begin(page)
    show_card(page, hall.card(0))
    result(page, "granted")
    kept = page.evaluate("""async () => {
      const names = await caches.keys();
      const urls = [];
      for (const name of names) for (const one of await (await caches.open(name)).keys())
        urls.push(new URL(one.url).pathname);
      return [names, urls.sort()];
    }""")
    assert len(kept[0]) == 1
    assert all(re.match(r"/(static/web/|kiosk/$|kiosk/manifest)", one) for one in kept[1]), kept
    other = page.context.new_page()
    loaded: list[str] = []
    other.on("request", lambda one: loaded.append(urlsplit(one.url).path))
    other.goto("/kiosk/")
    begin(other)
    expect(other.locator("[data-kiosk-camera]")).to_have_attribute("data-camera", "on")
    program = {one for one in loaded if one.startswith("/static/")}
    assert len(program) > 15 and program <= set(kept[1]), "what the page loads is kept, all of it"
    stored = page.evaluate("""async () => {
      const base = await new Promise(r => {
        const o = indexedDB.open('tsunagari-kiosk', 1); o.onsuccess = () => r(o.result); });
      const all = name => new Promise(r => {
        const q = base.transaction(name).objectStore(name).getAll();
        q.onsuccess = () => r(q.result); });
      return JSON.stringify([await all('scans'), await all('sessions')]);
    }""")
    assert hall.card(0) not in stored, "a card's code leaves the tablet when it is sent"
    assert "見本　0" not in stored
