"""The welfare council closes a year, and decides what came too late (P1–P3)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from points.models import ProgrammeYear
from points.operations import attendance, lapsing
from registry import access
from registry.operations import volunteers
from tests.factories import points as factory
from tests.journeys.browser import DESKTOP, PHONE, Pages, browser, follow, pages
from tests.operations.test_points_year_corrections import told
from tests.operations.test_points_years import MARCH

__all__ = ["browser", "pages"]
pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]


def held(world: Any, day: int) -> int:
    return factory.hold(world, start=MARCH.replace(day=day), kind="support", title="年度末の会",
                        organisation_id=world.organisation, source="event",
                        programme="tsunagari")


def scan(world: Any, session: int, *people: int) -> None:
    with access.system(at=factory.NOON, reason="test") as by:
        attendance.record(scans=[world.scan(n, session) for n in people], by=by)


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("size", "suffix"), [(DESKTOP, ""), (PHONE, "_phone")])
def test_the_council_closes_a_year(
    world: Any, pages: Pages, size: tuple[int, int], suffix: str
) -> None:
    late = held(world, 31)
    for day in (28, 29, 30):
        scan(world, held(world, day), *range(5))
    told(factory.NOON)
    page = pages.open(size, user=world.council)
    page.goto("/council")
    follow(page.get_by_role("link", name="年度", exact=True))
    pages.check(page, f"council_years{suffix}")
    follow(page.get_by_role("link", name="2025年度"))
    follow(page.get_by_role("link", name="特例をつくる"))
    page.get_by_label("のこりを すべて次の年度へ繰り越す").check()
    page.get_by_label("わけ").fill("大雪で 活動できなかったため")
    page.get_by_label("決裁した人と番号").fill("会長決裁 第12号（見本）")
    page.get_by_label("決裁日").fill("R8.4.1")
    pages.check(page, f"council_year_exception{suffix}")
    follow(page.get_by_role("button", name="特例をつくる"))
    expect(page.get_by_text("すべて次の年度へ繰り越す（特例）")).to_be_visible()
    follow(page.get_by_role("link", name="しめきり前にする"))
    follow(page.get_by_role("button", name="しめきり前にする"))
    follow(page.get_by_role("link", name="しめきる", exact=True))
    expect(page.get_by_text("記録のない開催回が 1回あります")).to_be_visible()
    follow(page.get_by_role("button", name="しめきる"))
    assert page.title().startswith("エラー：")
    page.get_by_label("わけ").fill("年度が終わったため")
    pages.check(page, f"council_year_close{suffix}")
    follow(page.get_by_role("button", name="しめきる"))
    expect(page.get_by_text("2025年度を しめきりました。")).to_be_visible()
    assert ProgrammeYear.objects.get(fiscal_year=2025).state == "closed"

    scan(world, late, 0, 5)
    with access.scope(world.council, at=factory.NOON + timedelta(minutes=1)) as by:
        volunteers.end(volunteer_id=world.people[1], left_on=date(2026, 3, 29), by=by)
    told(factory.NOON + timedelta(minutes=2))
    follow(page.get_by_role("link", name="訂正まち"))
    pages.check(page, f"council_year_waiting{suffix}")
    follow(page.get_by_role("link", name="見本　5"))
    page.get_by_label("わけ").fill("紙の名簿が おくれて届いたため")
    pages.check(page, f"council_year_late{suffix}")
    follow(page.get_by_role("button", name="数える"))
    expect(page.get_by_text("おくれた記録を 数えました。")).to_be_visible()
    follow(page.get_by_role("link", name="見本　1"))
    expect(page.get_by_text("2ポイント", exact=True)).to_be_visible()
    page.get_by_label("訂正する（数えなおす）").check()
    page.get_by_label("わけ").fill("登録の終わりの日の 誤り")
    pages.check(page, f"council_year_correction{suffix}")
    follow(page.get_by_role("button", name="決める"))
    expect(page.get_by_text("訂正しました。")).to_be_visible()

    lapsing.lapse(programme="tsunagari", fiscal_year=2025, at=factory.NOON)
    page.goto("/council/years/tsunagari/2025")
    expect(page.get_by_text("失効した", exact=True)).to_be_visible()
    pages.check(page, f"council_year_done{suffix}")
