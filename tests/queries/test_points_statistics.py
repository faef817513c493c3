"""P10: definitions, the same period of last year, files, and the face for publication."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import python_calamine

from points.operations import attendance, exports, vouchers
from points.statistics import files
from points.statistics.publication import published
from points.statistics.tables import BadDimension, table
from registry import access
from registry.access import JAPAN
from registry.domain.errors import Forbidden, Refused
from tests.factories import points as make


@pytest.fixture
def world(db: None) -> make.World:
    """Two people at two sessions this year; one at one session last year in time, one later."""
    made = make.build(points_per_voucher=2)
    october = make.hold(made, start=made.at - timedelta(days=40), kind="support", title="秋の会",
                        group=made.other_group)
    with access.scope(made.council, at=made.at) as by:
        attendance.record(scans=[made.scan(n, s) for n in (0, 1)
                                 for s in (made.session, october)], by=by)
        vouchers.exchange(volunteer_id=made.people[0], programme="tsunagari", count=1,
                          request_id=uuid4(), by=by)
        gone = attendance.record(scans=[made.scan(2)], by=by).results[0]
        attendance.void(attendance_id=gone.attendance or 0, reason="人ちがい", by=by)
        for start in (datetime(2025, 11, 10, 10, tzinfo=JAPAN),
                      datetime(2025, 12, 10, 10, tzinfo=JAPAN)):
            earlier = make.hold(made, start=start, title="去年の会", kind="join",
                                organisation_id=made.organisation, programme="tsunagari",
                                source=make.Source.EVENT)
            attendance.record(scans=[made.scan(0, earlier)], by=by)
    return made


def test_P10_each_figure_has_one_definition(world: make.World) -> None:
    with access.scope(world.council, at=world.at) as scope:
        found = table(scope, fiscal_year=2026)
    assert dict(found.total.figures) == {
        "sessions": 2, "attendances": 4, "people": 2, "points_awarded": 6,
        "points_exchanged": 2, "vouchers_used": 0, "yen_used": 0,
    }
    assert found.total_before["attendances"] == 1, "last December is not yet comparable"


def test_P10_by_month_with_the_same_period_of_last_year(world: make.World) -> None:
    with access.scope(world.council, at=world.at) as scope:
        found = table(scope, fiscal_year=2026, group_by=["month"])
        lines = [line for line in files.lines(found) if line[2] == "参加のべ人数"]
    assert lines == [[2026, "2026-10", "参加のべ人数", 2, 0],
                     [2026, "2026-11", "参加のべ人数", 2, 1]]


def test_P10_dimensions_and_filters_combine(world: make.World) -> None:
    with access.scope(world.council, at=world.at) as scope:
        found = table(scope, fiscal_year=2026, group_by=["activity_kind", "group"],
                      filters={"method": "card"})
        assert [(row.key, row.figures["points_awarded"]) for row in found.rows] == [
            (("join", "ふれあいサロン（見本）"), 2), (("support", "みまもり会（見本）"), 4)]
        assert {row.figures["points_exchanged"] for row in found.rows} == {None}
        assert table(scope, fiscal_year=2026, filters={"method": "paper"}).total.figures[
            "attendances"] == 0
        bands = table(scope, fiscal_year=2026, group_by=["age_band", "district"])
        assert [row.key for row in bands.rows] == [("75〜84歳", "不明")]
        with pytest.raises(BadDimension):
            table(scope, fiscal_year=2026, group_by=["month", "month"])
    with access.scope(world.leader, at=world.at) as scope, pytest.raises(Forbidden):
        table(scope, fiscal_year=2026)


def test_P10_files_carry_definitions_and_no_formula(world: make.World) -> None:
    from points.models import Group

    Group.objects.filter(pk=world.group).update(name="=HYPERLINK(\"http://x\",\"髙𠮷\")")
    with access.scope(world.council, at=world.at) as by:
        wanted: dict[str, Any] = {"fiscal_year": 2026, "group_by": ["group"], "by": by,
                                  "reason": "理事会の資料"}
        book = exports.statistics(**wanted)
        utf8 = exports.statistics(**wanted, format="csv")
        cp932 = exports.statistics(**wanted, format="csv_cp932")
        with pytest.raises(Refused, match="reason_missing"):
            exports.statistics(fiscal_year=2026, reason=" ", by=by)
        with pytest.raises(Refused, match="bad_format"):
            exports.statistics(**wanted, format="pdf")
    sheets = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(book.content))
    data = sheets.get_sheet_by_name("data").to_python()
    assert data[0] == ["年度", "登録団体", "指標", "値", "前年同期"]
    assert any(str(row[1]).startswith("'=HYPERLINK") for row in data[1:])
    about = dict(sheets.get_sheet_by_name("説明").to_python())
    assert about["参加実人数"].startswith("その区分で") and about["つくった人"] == "p-user0"
    assert utf8.content.startswith(b"\xef\xbb\xbf") and "'=HYPERLINK" in utf8.content.decode()
    assert cp932.replaced == ("𠮷",) and b"\xfb\xfc" in cp932.content


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "＝1"])
def test_formulas_are_neutralised(text: str) -> None:
    assert files.neutral(text) == "'" + text


def test_P10_the_face_for_publication_hides_small_cells_and_refuses_free_filters(
    db: None,
) -> None:
    world = make.build(count=12)
    october = make.hold(world, start=world.at - timedelta(days=40), kind="support", title="秋の会")
    with access.scope(world.council, at=world.at) as by:
        scans = [world.scan(n) for n in range(12)] + [world.scan(n, october) for n in range(3)]
        attendance.record(scans=scans, by=by)
        found = published(by, fiscal_year=2026, dimensions=("district", "activity_kind"))
        assert (found.rows, found.columns) == (("不明",), ("join", "support"))
        assert found.cells[0][1] == "x", "three people are not shown"
        assert "x" in (found.cells[0][0], found.cells[0][2]), "nor worked out from the total"
        with pytest.raises(BadDimension):
            published(by, fiscal_year=2026, dimensions=("group", "method"))


def test_the_command_writes_a_file_and_a_record(world: make.World, tmp_path: Any) -> None:
    from django.core.management import call_command

    from registry.models import LogEntry

    target = tmp_path / "out.csv"
    call_command("export_statistics", "2026", "--to", str(target), "--reason", "理事会",
                 "--group-by", "month", "--format", "csv", stdout=io.StringIO())
    assert target.read_bytes().startswith(b"\xef\xbb\xbf")
    with access.system(at=world.at, reason="look") as by:
        assert LogEntry.objects.visible_to(by).filter(action="statistics.export").count() == 1
