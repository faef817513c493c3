"""The welfare council's pages: volunteers, cards, statistics with files, sessions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from points.operations import attendance
from registry import access
from registry.models import Card, LogEntry
from registry.operations import cards
from tests.factories import points as factory
from tests.web.conftest import signed_in

PAGES = ("", "/volunteers", "/cards", "/sessions", "/sessions?show=today", "/statistics",
         "/statistics/export")


@pytest.fixture
def council(world: Any) -> Client:
    return signed_in(world.council)


def test_pages_open_for_the_council_and_for_nobody_else(world: Any, council: Client) -> None:
    others = {"leader": signed_in(world.leader), "shop": signed_in(world.shopkeeper)}
    for path in PAGES:
        assert council.get(f"/council{path}").status_code == 200, path
        for name, other in others.items():
            assert other.get(f"/council{path}").status_code == 403, (path, name)
        assert Client().get(f"/council{path}").status_code == 302, path


def test_list_pages_by_cursor_and_leaves_a_record(world: Any, council: Client) -> None:
    before = LogEntry.objects.unscoped().filter(action="volunteers.search").count()
    page = council.post("/council/volunteers", {"q": "みほん"})
    assert len(page.context["rows"]) == 3
    after = LogEntry.objects.unscoped().filter(action="volunteers.search").count()
    assert after == before + 1
    assert council.post("/council/volunteers", {"after": "x"}).status_code == 422


def test_cards_are_made_for_those_without_and_printed(world: Any, council: Client) -> None:
    with access.system(at=world.at, reason="test") as by:
        cards.cancel_card(volunteer_id=world.people[0], by=by)
    page = council.get("/council/cards")
    assert "カードのない方 1人" in page.content.decode()
    answer = council.post("/council/cards", {"count": "10"})
    assert answer.content.startswith(b"%PDF-") and "attachment" in answer["Content-Disposition"]
    in_force = Card.objects.unscoped().filter(volunteer_id=world.people[0],
                                              cancelled_at__isnull=True)
    assert in_force.count() == 1
    none_left = council.post("/council/cards", {"count": "10"})
    assert none_left.status_code == 422
    assert "カードのない方は いません" in none_left.content.decode()
    assert council.post("/council/cards", {"count": "９９９"}).status_code == 422


def test_P6_reissue_kills_the_old_card(world: Any, council: Client) -> None:
    path = f"/council/volunteers/{world.people[0]}"
    assert council.get(path).status_code == 200
    old = world.card(0)
    given = {"act": "reissue", "reason": "紛失", "form": "card10"}
    assert council.post(f"{path}/card", given).content.startswith(b"%PDF-")
    with access.system(at=world.at, reason="test") as by:
        (answer,) = attendance.record(scans=[world.scan(0, code=old)], by=by).results
    assert answer.result == "cancelled_card"


@pytest.fixture
def counted(world: Any) -> Any:
    """Six visits in two months and one last year."""
    with access.system(at=world.at, reason="test") as by:
        for days, number in ((0, 0), (0, 1), (40, 0), (41, 1), (42, 2), (70, 0)):
            session = factory.hold(world, start=world.at - timedelta(days=days, hours=1 + number))
            attendance.record(scans=[world.scan(number, session)], by=by)
    return world


def test_P10_statistics_say_the_finding_and_the_same_numbers(counted: Any) -> None:
    page = signed_in(counted.council).get("/council/statistics")
    html = page.content.decode()
    assert page.context["figures"][0]["value"] == "6"
    assert page.context["figures"][1]["value"] == "3"
    months = page.context["months"]
    assert [(bar.label, bar.value) for bar in months.bars if bar.value] == [
        ("9月", 1), ("10月", 3), ("11月", 2)
    ]
    assert months.bars[-1].unfinished and "10月が今年度で最も多く" in html
    assert page.context["table"]["total"][1] == "6"
    assert 'style="' not in html and "<svg" in html


def test_P10_filters_narrow_and_unknown_ones_do_not_break(counted: Any) -> None:
    council = signed_in(counted.council)
    none = council.get("/council/statistics", {"activity_kind": "support"})
    assert none.context["figures"][0]["value"] == "0"
    last_year = council.get("/council/statistics", {"fiscal_year": "2025"})
    assert last_year.context["figures"][0]["value"] == "0"
    assert council.get("/council/statistics", {"fiscal_year": "x"}).status_code == 200


def test_P10_an_export_needs_a_reason_and_is_logged(counted: Any) -> None:
    council = signed_in(counted.council)
    path = "/council/statistics/export?fiscal_year=2026"
    given = {"group_by": ["month"], "format": "csv", "reason": ""}
    wrong = council.post(path, given)
    assert wrong.status_code == 422 and "理由を入れてください" in wrong.content.decode()
    for form, start in (("csv", b"\xef\xbb\xbf"), ("xlsx", b"PK"), ("csv_cp932", b"\x94N")):
        answer = council.post(path, given | {"reason": "理事会の資料", "format": form})
        assert answer.status_code == 200 and answer.content.startswith(start), form
    entries = LogEntry.objects.unscoped().filter(action="statistics.export")
    assert [one.detail["reason"] for one in entries] == ["理事会の資料"] * 3
