"""Entering paper: order, headcount, late, twice, both identities, rows that wait (P4.5)."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
import xlsxwriter

from points.domain.sheets import BadList, HeadsDiffer, Listed
from points.models import Attendance, Headcount, SheetEntry, WaitingRow
from points.operations import papers, sessions, sheets, waiting_rows
from points.operations.sheets import SheetInput, SheetResult
from points.queries import sheets as queries
from points.queries.headcounts import headcount_report
from points.queries.statements import statement
from registry import access
from registry.domain.errors import Conflict, Forbidden, NotFound, Refused
from registry.domain.importing.reading import FileRefused
from registry.operations import memberships, volunteers
from registry.operations.volunteers import VolunteerInput
from tests.factories import points as factory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(db: None) -> factory.World:
    return factory.build(count=5)


def given(world: factory.World, *numbers: int, **changes: Any) -> SheetInput:
    values: dict[str, Any] = {
        "id": uuid4(), "session_id": world.session, "headcount": len(numbers),
        "volunteer_ids": tuple(world.people[n] for n in numbers), "signed_name": "見本　0",
    }
    return SheetInput(**(values | changes))


def enter(world: factory.World, entry: SheetInput, user: Any = None, **at: Any) -> SheetResult:
    with access.scope(user or world.leader, at=at.get("at", world.at)) as by:
        return sheets.enter(entry=entry, by=by)


def kept(model: Any) -> list[Any]:
    """Every row of a table, whoever may see it."""
    with access.system(at=factory.NOON, reason="test"):
        return list(model.objects.unscoped().order_by("pk"))


def there(session: int) -> list[int]:
    return sorted(row.volunteer_id for row in kept(Attendance)
                  if row.session_id == session and row.voided_at is None)


def test_P4_a_sheet_is_entered_once_and_the_same_paper_again_changes_nothing(
    world: factory.World,
) -> None:
    entry = given(world, 0, 2, 3)
    first = enter(world, entry)
    assert (first.recorded, first.already, first.waiting, first.again) == (3, 0, 0, False)
    for again in (entry, replace(entry, id=uuid4()), replace(
            entry, id=uuid4(), volunteer_ids=entry.volunteer_ids[::-1])):
        result = enter(world, again, world.council)
        assert result.again and result.entry_id == entry.id
    assert there(world.session) == sorted(entry.volunteer_ids)
    assert len(kept(SheetEntry)) == len(kept(Headcount)) == 1
    with pytest.raises(Conflict) as refused:
        enter(world, replace(entry, headcount=2, volunteer_ids=entry.volunteer_ids[:2]))
    assert refused.value.code == "entry_id_used"


def test_P4_both_identities_are_kept(world: factory.World) -> None:
    entry = given(world, 1, 4)
    enter(world, entry, world.council)
    (row,) = kept(SheetEntry)
    assert row.signed_name == "見本　0" and row.signed_by_id == world.people[0]
    assert row.entered_by_id == world.council.pk
    for one in kept(Attendance):
        assert one.method == "paper" and one.recorded_by_id == world.council.pk
        assert str(entry.id) in one.proxy_note
    other = enter(world, given(world, 0, signed_name="だれか"))
    assert {one.pk: one.signed_by_id for one in kept(SheetEntry)}[other.entry_id] is None


def test_P4_the_entered_count_equals_the_paper_or_is_explained(world: factory.World) -> None:
    with pytest.raises(HeadsDiffer):
        enter(world, given(world, 0, 1, headcount=3))
    assert there(world.session) == [] and not kept(SheetEntry)
    enter(world, given(world, 0, 1, headcount=3, reason="見学の方1人"))
    with access.scope(world.leader, at=world.at) as by:
        report = headcount_report(by, session_id=world.session)
    assert (report.headcount, report.counted, report.difference) == (3, 2, 1)
    assert report.reason == "見学の方1人" and report.by_method == {"paper": 2}


def test_P1_a_sheet_three_weeks_late_lands_on_the_activitys_day(world: factory.World) -> None:
    late = world.at + timedelta(days=21)
    enter(world, given(world, 0), at=late)
    (row,) = kept(Attendance)
    assert row.recorded_at == late and row.attended_at < world.at
    with access.scope(world.council, at=late) as by:
        lines = statement(by, volunteer_id=world.people[0], fiscal_year=2026)
        entries = queries.entries(by, session_id=world.session)
    assert "11月23日" in str(lines) and entries[0].late and entries[0].entered_by == "見本1"


@pytest.mark.parametrize(("change", "code"), [
    ({"signed_name": " "}, "signature_missing"), ({"headcount": -1}, "bad_headcount"),
    ({"volunteer_ids": (), "headcount": 0}, "nobody_entered"),
    ({"volunteer_ids": (987654321,)}, "unknown_volunteer"),
])
def test_what_is_wrong_is_refused_with_a_code(
    world: factory.World, change: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refused) as refused:
        enter(world, given(world, 0, **change))
    assert refused.value.code == code and there(world.session) == []


def test_another_groups_session_is_not_found_and_a_device_may_not(world: factory.World) -> None:
    with pytest.raises(NotFound):
        enter(world, given(world, 0), world.other_leader)
    with pytest.raises(Forbidden):
        enter(world, given(world, 0), world.scanner)
    later = factory.hold(world, start=world.at + timedelta(days=2))
    with pytest.raises(Refused) as refused:
        enter(world, given(world, 0, session_id=later))
    assert refused.value.code == "not_open"
    with access.scope(world.leader, at=world.at) as by:
        sessions.cancel(session_id=world.session, by=by)
    with pytest.raises(Refused) as refused:
        enter(world, given(world, 0))
    assert refused.value.code == "session_cancelled"


def test_P4_the_printed_order_stays_when_members_change(world: factory.World) -> None:
    with access.scope(world.leader, at=world.at) as by:
        assert queries.sheet_of(by, session_id=world.session).sheet_id is None
        assert papers.attendance_pages(session_id=world.session, by=by).startswith(b"%PDF")
        before = queries.sheet_of(by, session_id=world.session)
    assert [one.volunteer_id for one in before.lines] == world.people
    assert len(before.rows) == 5 and all(one.code for one in before.lines)
    with access.system(at=world.at, reason="test") as by:
        new = volunteers.register(volunteer=VolunteerInput(
            number="P09999", name="見本　新", kana="ミホン　アタラシ", born_on=date(1950, 1, 1),
        ), by=by).pk
        memberships.join_many(members=[
            memberships.MemberInput(world.organisation, new, date(2026, 4, 1))], by=by)
    with access.scope(world.leader, at=world.at) as by:
        assert queries.sheet_of(by, session_id=world.session) == before
        assert queries.session_of_sheet(by, code=before.code) == world.session
    with access.scope(world.other_leader, at=world.at) as by, pytest.raises(NotFound):
        queries.session_of_sheet(by, code=before.code)


def waiting(world: factory.World, *names: str) -> list[WaitingRow]:
    unknown = tuple((Listed(n, name, "", ""), "unknown") for n, name in enumerate(names, 1))
    enter(world, given(world, 0, unknown=unknown, headcount=1 + len(names)))
    return sorted(kept(WaitingRow), key=lambda row: row.line)


def test_unknown_rows_wait_and_a_human_matches_registers_or_dismisses(
    world: factory.World,
) -> None:
    rows = waiting(world, "見本　いち", "見本　に", "見学の人")
    assert there(world.session) == [world.people[0]], "nobody is guessed"
    with access.scope(world.leader, at=world.at) as by:
        assert [one.name for one in queries.waiting_rows(by)] == [
            "見本　いち", "見本　に", "見学の人"]
        answer = waiting_rows.match(row_id=rows[0].pk, volunteer_id=world.people[1], by=by)
        assert answer.result == "granted"
        with pytest.raises(Refused):
            waiting_rows.dismiss(row_id=rows[2].pk, reason=" ", by=by)
        waiting_rows.dismiss(row_id=rows[2].pk, reason="見学だけの方", by=by)
        with pytest.raises(Conflict):
            waiting_rows.match(row_id=rows[2].pk, volunteer_id=world.people[2], by=by)
    fresh = VolunteerInput(number="N1", name="見本　に", kana="ミホン　ニ",
                           born_on=date(1950, 1, 1))
    with access.scope(world.leader, at=world.at) as by, pytest.raises(Forbidden):
        waiting_rows.enlist(row_id=rows[1].pk, volunteer=fresh, by=by)
    with access.scope(world.council, at=world.at) as by:
        waiting_rows.enlist(row_id=rows[1].pk, volunteer=fresh, by=by)
        assert queries.waiting_rows(by) == [] and queries.waiting_count(by) == 0
    assert len(there(world.session)) == 3
    assert {row.state for row in kept(WaitingRow)} == {"matched", "registered", "dismissed"}


def test_another_groups_rows_are_not_there(world: factory.World) -> None:
    row = waiting(world, "だれか")[0]
    with access.scope(world.other_leader, at=world.at) as by:
        assert queries.waiting_rows(by) == []
        with pytest.raises(NotFound):
            waiting_rows.dismiss(row_id=row.pk, reason="x", by=by)
        with pytest.raises(NotFound):
            queries.waiting_rows(by, row_id=row.pk)


def test_a_groups_list_is_matched_and_what_does_not_fit_says_why(world: factory.World) -> None:
    book = io.BytesIO()
    with xlsxwriter.Workbook(book) as made:
        sheet = made.add_worksheet()
        for at, row in enumerate([
            ["氏名", "かな", "手帳番号"], ["見本　0", "みほん　0", "P00000"], ["見本1"],
            ["ちがう　人", "", "P00002"], ["見本　9"], ["見本　1"],
        ]):
            sheet.write_row(at, 0, row)
    for content in (book.getvalue(), "氏名,かな,手帳番号\r\n見本　0,ﾐﾎﾝ 0,P00000\r\n見本1\r\n"
                    "ちがう　人,,P00002\r\n見本　9\r\n見本　1\r\n".encode("cp932")):
        listed = sheets.read_upload(content)
        with access.scope(world.leader, at=world.at) as by:
            known, why = queries.matched(by, listed)
        assert {line: one.id for line, one in known.items()} == {
            2: world.people[0], 3: world.people[1]}
        assert why == {4: "mismatch", 5: "unknown", 6: "twice"}


def test_files_that_are_no_lists_are_refused() -> None:
    for content in (b"", b"\xd0\xcf\x11\xe0old", b"PK\x03\x04no", b"x" * (sheets.LARGEST_FILE + 1)):
        with pytest.raises(FileRefused):
            sheets.read_upload(content)
    with pytest.raises(BadList):
        sheets.read_upload("日付,場所\r\n1,2\r\n".encode())


def test_a_printed_code_stays_unconfirmed_until_heads_are_declared(world: factory.World) -> None:
    enter(world, given(world, 0))
    with access.system(at=world.at, reason="test"):
        Attendance.objects.unscoped().update(method="printed", recorded_at=world.at
                                             + timedelta(minutes=5))
    with access.scope(world.leader, at=world.at + timedelta(minutes=9)) as by:
        assert headcount_report(by, session_id=world.session).unconfirmed == 1
        sessions.declare_headcount(session_id=world.session, headcount=1, by=by)
        assert headcount_report(by, session_id=world.session).unconfirmed == 0
