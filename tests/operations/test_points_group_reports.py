"""実績報告 (P9): figures from attendance, words, handing in, acceptance that keeps the figures."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from python_calamine import CalamineWorkbook

from points.models import Attendance, GroupReport
from points.operations import attendance, group_reports
from points.queries import group_figures
from points.queries import group_reports as reports
from registry import access
from registry.access import JAPAN
from registry.domain.errors import Conflict, Forbidden, NotFound, Refused
from tests.factories import points as world_of
from tests.factories.points import World

pytestmark = pytest.mark.django_db
AFTER = datetime(2027, 4, 2, 10, tzinfo=JAPAN)


def by(world: World, who: str = "council", at: datetime | None = None) -> Any:
    return access.scope(getattr(world, who), at=at or world.at)


def lived() -> World:
    """Three people in October, two of them and support in November, one void record."""
    world = world_of.build(count=3, group_day_cap=None, daily_cap=None)
    october = world_of.hold(world, start=world.at - timedelta(days=33))
    support = world_of.hold(world, start=world.at - timedelta(hours=5), kind="support")
    with by(world, "leader") as scope:
        attendance.record(scans=[world.scan(n, october) for n in range(3)], by=scope)
        attendance.record(scans=[world.scan(n, support) for n in range(2)], by=scope)
        kept = attendance.record(scans=[world.scan(n) for n in (0, 2)], by=scope).results
        attendance.void(attendance_id=kept[1].attendance, reason="まちがい", by=scope)
    return world


def test_P9_figures_come_from_attendance_by_month_and_kind() -> None:
    world = lived()
    with by(world, "leader") as scope:
        found = group_figures.figures(scope, group_id=world.group)
    assert [(one.month, one.kind, one.sessions, one.people, one.attendances, one.points)
            for one in found.lines] == [
        ("2026-10", "join", 1, 3, 3, 3), ("2026-11", "join", 1, 1, 1, 1),
        ("2026-11", "support", 1, 2, 2, 4),
    ]
    total = found.total
    assert (total.sessions, total.people, total.attendances, total.points) == (3, 3, 6, 8)
    assert group_figures.figures_from(found.body()) == found
    with by(world, "other_leader") as scope, pytest.raises(NotFound):
        group_figures.figures(scope, group_id=world.group)


def test_P9_a_report_is_written_handed_in_mended_and_kept_on_acceptance() -> None:
    world = lived()
    group = world.group
    with by(world, "leader") as scope:
        group_reports.write(group_id=group, text="楽しい1年でした", by=scope)
        with pytest.raises(Refused) as early:
            group_reports.submit(group_id=group, by=scope)
        assert early.value.code == "year_not_over"
    with by(world, "leader", AFTER) as scope:
        with pytest.raises(Conflict):
            group_reports.submit(group_id=group, version=99, by=scope)
        group_reports.submit(group_id=group, version=1, by=scope)
        with pytest.raises(Refused) as done:
            group_reports.write(group_id=group, text="やっぱり", by=scope)
        assert done.value.code == "not_in_this_state"
        with pytest.raises(Forbidden):
            group_reports.accept(group_id=group, by=scope)
    with by(world, at=AFTER) as scope:
        group_reports.hand_back(group_id=group, reason="会場のことも書いてください", by=scope)
    with by(world, "leader", AFTER) as scope:
        group_reports.write(group_id=group, text="楽しい1年でした。見本会館です。", by=scope)
        group_reports.submit(group_id=group, by=scope)
    with by(world, at=AFTER) as scope:
        group_reports.accept(group_id=group, by=scope)
        shown = reports.report(scope, group_id=group)
    assert shown.state == "accepted" and shown.figures.total.attendances == 6
    assert not shown.changed_since
    with by(world, at=AFTER) as scope:  # a record is taken back after acceptance
        row = Attendance.objects.visible_to(scope).filter(voided_at=None).first()
        attendance.void(attendance_id=row.pk, reason="まちがい", by=scope)
        after = reports.report(scope, group_id=group)
    assert after.changed_since
    assert (after.figures.total.attendances, after.now.total.attendances) == (6, 5)


def test_P9_an_accepted_report_is_frozen_in_the_database() -> None:
    world = lived()
    with by(world, "leader", AFTER) as scope:
        group_reports.write(group_id=world.group, text="楽しい1年でした", by=scope)
        group_reports.submit(group_id=world.group, by=scope)
    with by(world, at=AFTER) as scope:
        kept = group_reports.accept(group_id=world.group, by=scope)
    with (pytest.raises(DatabaseError), transaction.atomic(),
          access.system(at=AFTER, reason="test")):
        GroupReport.objects.unscoped().filter(pk=kept.pk).update(text="別のこと")


def test_P9_an_empty_report_is_not_handed_in() -> None:
    world = lived()
    with by(world, "leader", AFTER) as scope, pytest.raises(Refused) as empty:
        group_reports.submit(group_id=world.group, by=scope)
    assert empty.value.code == "text_missing"


def test_P9_the_report_as_pdf_and_workbook_holds_numbers_and_nobodys_name() -> None:
    world = lived()
    with by(world, "leader") as scope:
        group_reports.write(group_id=world.group, text="=1+1 楽しい", by=scope)
        pdf = group_reports.as_file(group_id=world.group, format="pdf", by=scope)
        book = group_reports.as_file(group_id=world.group, format="xlsx", by=scope)
        with pytest.raises(Refused):
            group_reports.as_file(group_id=world.group, format="doc", by=scope)
    assert pdf.content.startswith(b"%PDF")
    opened = CalamineWorkbook.from_filelike(io.BytesIO(book.content))
    rows = opened.get_sheet_by_name("data").to_python()
    assert rows[1] == ["2026-10", "参加型", 1, 3, 3, 3] and rows[-1][3:] == [3, 6, 8]
    told = dict(opened.get_sheet_by_name("説明").to_python())
    assert told["ふりかえり"] == "'=1+1 楽しい"
    assert not any("ミホン" in str(cell) or "P0000" in str(cell) for row in rows for cell in row)


def test_P9_a_report_of_another_group_is_not_found() -> None:
    world = lived()
    with by(world, "other_leader") as scope:
        for call in (
            lambda: reports.report(scope, group_id=world.group),
            lambda: group_reports.write(group_id=world.group, text="x", by=scope),
            lambda: group_reports.submit(group_id=world.group, by=scope),
            lambda: group_reports.as_file(group_id=world.group, by=scope),
        ):
            with pytest.raises(NotFound):
                call()
