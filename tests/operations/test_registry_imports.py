"""Imports in two steps: totals, consequences, repetition, bad files, rows handed back."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from registry.domain.errors import Forbidden, NotFound, Refused
from registry.domain.importing.reading import Limits
from registry.models import (
    Household,
    ImportBatch,
    ImportRow,
    LogEntry,
    OutboxMessage,
    Person,
    PersonEvent,
    WelfareRecord,
)
from registry.operations import areas, imports, people
from registry.queries import imports as read
from registry.queries import roster
from tests.cast import PEOPLE, Cast

HEADER = PEOPLE.splitlines()[0]


def _file(*changes: tuple[str, str], encoding: str = "utf-8") -> bytes:
    text = PEOPLE
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return text.encode(encoding)


def _stage(by: Any, source: bytes | Path, profile: str = "residents", **more: Any) -> ImportBatch:
    return imports.stage(source=source, profile=profile, file_name="見本.csv", by=by, **more)


def _totals(batch: ImportBatch) -> dict[str, int]:
    names = ("new", "changed", "same", "ambiguous", "rejected")
    found = {name: getattr(batch, f"{name}_count") for name in names}
    assert sum(found.values()) == batch.row_count
    return {name: count for name, count in found.items() if count}


def _snapshot(system: Any) -> list[tuple[Any, ...]]:
    return list(
        Person.objects.visible_to(system).order_by("number").values_list(
            "number", "name", "kana_key", "born_on", "address", "area_id", "household_id",
            "location_source", "east_m", "moved_out_on", "died_on", "protected_until", "phone",
        )
    )


def test_staging_changes_nothing_and_applying_twice_is_applying_once(
    cast: Cast, system: Any
) -> None:
    before = _snapshot(system)
    batch = _stage(system, _file(("0242-00-0001", "0242-00-9999")))
    assert _totals(batch) == {"changed": 1, "same": 4}
    assert _snapshot(system) == before
    imports.apply(batch_id=batch.pk, by=system)
    after = _snapshot(system)
    assert after != before
    again = imports.apply(batch_id=batch.pk, by=system)
    assert again.applied_at == system.at and _snapshot(system) == after
    assert OutboxMessage.objects.filter(dedupe_key=f"import_applied:{batch.pk}").count() == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_the_same_file_again_is_the_same_in_every_encoding(
    cast: Cast, system: Any, encoding: str
) -> None:
    assert _totals(_stage(system, _file(encoding=encoding))) == {"same": 5}


def test_households_areas_places_and_birth_dates_are_understood(
    cast: Cast, system: Any
) -> None:
    found = {one.id: one for (chunk,) in [roster.people_for_roster(system)] for one in chunk}
    hanako = found[cast.hanako_id]
    assert hanako.born_on == date(1938, 5, 3) and hanako.area_id == cast.north_id
    assert len(hanako.household_births) == 2 and hanako.household_number == "501"
    assert hanako.location_source == "import" and hanako.location_uncertainty_m > 0
    assert abs(hanako.east_m or 0) > 1_000
    assert found[cast.yuki_id].protected_until == date(2027, 3, 31)
    assert Household.objects.visible_to(system).count() == 4


def test_deaths_moves_and_facilities_become_events_never_deletions(
    cast: Cast, system: Any
) -> None:
    changed = _file(
        ("139.9305,37.4952,,,,", "139.9305,37.4952,,,令和8年11月1日,"),
        ("見本町1番1号,,N1,1,0242-00-0001", "南見本町9番9号,,S1,1,0242-00-0001"),
        ("139.9200,37.4800,,,,", "139.9200,37.4800,,2026-10-01,,"),
    )
    batch = imports.apply(batch_id=_stage(system, changed).pk, by=system)
    assert _totals(batch) == {"changed": 3, "same": 2}
    events = {(e.person_id, e.kind): e.happened_on for e in
              roster.events_of_batch(system, batch_id=batch.pk)}
    assert events[cast.ichiro_id, "died"] == date(2026, 11, 1)
    assert events[cast.minami_id, "moved_out"] == date(2026, 10, 1)
    assert events[cast.hanako_id, "moved_within"] == system.on
    assert (cast.hanako_id, "area_changed") in events
    assert Person.objects.visible_to(system).count() == 5
    alive = {p.id for chunk in roster.people_for_roster(system) for p in chunk}
    assert alive == {cast.hanako_id, cast.yuki_id, cast.taro_person_id}
    entry = LogEntry.objects.visible_to(system).get(
        person_id=cast.ichiro_id, action="imports.apply")
    assert entry.fields == ["died_on"]


def test_the_first_load_is_no_wave_of_people_moving_in_but_a_newcomer_is(
    cast: Cast, system: Any
) -> None:
    assert PersonEvent.objects.visible_to(system).count() == 0
    extra = PEOPLE + ("1006,506,新　来,シン　ライ,H1.1.8,1,965-0001,会津若松市見本町3番,,N1,1,"
                      ",,,令和8年11月1日,,,\n")
    batch = imports.apply(batch_id=_stage(system, extra.encode()).pk, by=system)
    (event,) = roster.events_of_batch(system, batch_id=batch.pk)
    assert (event.kind, event.happened_on) == ("moved_in", date(2026, 11, 1))


def test_care_levels_reach_known_people_only(cast: Cast, system: Any) -> None:
    text = ("宛名番号,氏名,生年月日,要介護状態区分コード\n"
            "0000001001,見本　花子,昭和13年5月3日,24\n"
            "9999,見本　誰か,昭和13年5月3日,21\n"
            "1002,別　人,H10.1.1,21\n")
    batch = imports.apply(batch_id=_stage(system, text.encode(), "care").pk, by=system)
    assert _totals(batch) == {"changed": 1, "ambiguous": 2}
    assert WelfareRecord.objects.visible_to(system).get().care_level == "24"
    codes = set(ImportRow.objects.visible_to(system).filter(batch=batch,
                verdict="ambiguous").values_list("code", flat=True))
    assert codes == {"row_unknown_number", "row_other_person"}
    assert {e.kind for e in roster.events_of_batch(system, batch_id=batch.pk)} == {"care_changed"}
    assert _totals(_stage(system, text.encode(), "care")) == {"same": 1, "ambiguous": 2}


def test_an_unknown_neighbourhood_waits_and_nothing_of_the_row_is_applied(
    cast: Cast, system: Any
) -> None:
    changed = _file(("N1,1,0242-00-0001", "N9,1,0242-00-7777"))
    batch = imports.apply(batch_id=_stage(system, changed).pk, by=system)
    assert _totals(batch) == {"ambiguous": 1, "same": 4}
    row = ImportRow.objects.visible_to(system).get(batch=batch)
    assert row.code == "row_unknown_area" and row.row_number == 2
    assert Person.objects.visible_to(system).get(pk=cast.hanako_id).phone == "0242-00-0001"


def test_a_place_confirmed_on_the_map_stays_until_the_address_changes(
    cast: Cast, system: Any
) -> None:
    hanako = people.confirm_place(person_id=cast.hanako_id, longitude=139.94, latitude=37.5,
                                  version=1, by=system)
    with pytest.raises(people.PersonChanged):
        people.confirm_place(person_id=cast.hanako_id, longitude=139.94, latitude=37.5,
                             version=1, by=system)
    assert _totals(_stage(system, _file())) == {"same": 5}
    moved = _file(("見本町1番1号,,N1,1,0242-00-0001", "見本町7番7号,,N1,1,0242-00-0001"))
    imports.apply(batch_id=_stage(system, moved).pk, by=system)
    again = Person.objects.visible_to(system).get(pk=cast.hanako_id)
    assert (again.location_source, again.longitude) == ("import", 139.93)
    assert hanako.location_source == "survey"


def test_a_town_level_match_states_its_uncertainty(cast: Cast, system: Any) -> None:
    areas.load_towns(towns=[areas.TownFacts("城前町", "", 139.95, 37.49),
                            areas.TownFacts("城前町", "北", 139.955, 37.49)], by=system)
    text = HEADER + ("\n2001,601,町　人,マチ　ヒト,S30.1.1,1,,会津若松市城前町大字北1番,,N1,1,"
                     ",,,,,,"
                     "\n2002,602,町　衆,マチ　シュウ,S31.1.1,1,,会津若松市どこか2番,,N1,1,,,,,,,\n")
    imports.apply(batch_id=_stage(system, text.encode()).pk, by=system)
    rows = {p.number: p for p in Person.objects.visible_to(system)}
    assert rows["2001"].location_source == "town"
    assert rows["2001"].longitude == 139.955 and rows["2001"].location_uncertainty_m >= 80
    assert (rows["2002"].location_source, rows["2002"].east_m) == ("none", None)


@pytest.mark.parametrize(("content", "code"), [
    (b"", "file_empty"),
    ("あ,い\n1,2\n".encode(), "file_columns_missing"),
    (b"%PDF-1.4\n\x80\x81\xff\xfe\n", "text_undecodable"),
    (PEOPLE.encode() + "9,9,混ぜた,マゼタ\n".encode("cp932"), "text_mixed"),
    ((HEADER + '\n1,"x\n').encode(), "file_quote"),
    (b"PK\x03\x04nothing", "file_spreadsheet"),
    (b"\xd0\xcf\x11\xe0old", "file_spreadsheet"),
    (PEOPLE.encode("utf-16"), "text_utf16"),
])
def test_a_bad_file_is_refused_and_leaves_nothing(
    cast: Cast, system: Any, content: bytes, code: str
) -> None:
    before = (ImportBatch.objects.count(), _snapshot(system))
    with pytest.raises(Refused) as refused:
        _stage(system, content)
    assert refused.value.code == code and refused.value.message
    assert (ImportBatch.objects.count(), _snapshot(system)) == before


def _my_number(start: int) -> str:
    digits = f"{start:011d}"
    weights = (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
    rest = sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11
    return digits + str(0 if rest <= 1 else 11 - rest)


def test_R13_a_column_of_personal_numbers_is_refused(cast: Cast, system: Any) -> None:
    head, *lines = PEOPLE.splitlines()
    lines = [f"{line},{_my_number(12345678901 + n)}" for n, line in enumerate(lines)]
    with pytest.raises(Refused) as refused:
        _stage(system, "\n".join([head + ",メモ", *lines]).encode())
    assert refused.value.code == "file_my_number" and "メモ" in refused.value.fields
    assert ImportRow.objects.visible_to(system).filter(raw__icontains="12345678901").count() == 0


def test_too_many_rows_are_refused(cast: Cast, system: Any) -> None:
    with pytest.raises(Refused) as refused:
        _stage(system, _file(), limits=Limits(rows=4))
    assert refused.value.code == "file_too_many_rows"
    _stage(system, _file(), limits=Limits(rows=5))


BAD_ROWS = ("\n3001,701,悪い　行,ワルイ,平成99年1月1日,1,,どこか,,N1,1,,,,,,,"
            "\n,702,番号　なし,バンゴウ,S30.1.1,1,,どこか,,N1,1,,,,,,,\n")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_rejected_rows_come_back_in_the_files_own_format_and_can_be_mended(
    cast: Cast, system: Any, encoding: str
) -> None:
    source = (HEADER + BAD_ROWS).encode(encoding)
    batch = _stage(system, source)
    assert _totals(batch) == {"rejected": 2}
    name, content = read.rejected_file(system, batch_id=batch.pk)
    head, *rows = csv.reader(io.StringIO(content.decode(encoding)))
    assert name.endswith(".csv") and head == ["行番号", "項目", "理由", *HEADER.split(",")]
    assert [row[0] for row in rows] == ["2", "3"] and rows[0][1] == "生年月日"
    assert all(row[2] for row in rows) and rows[0][3:6] == ["3001", "701", "悪い　行"]
    mended = content.decode(encoding).replace("平成99年1月1日", "平成9年1月1日").encode(encoding)
    assert _totals(_stage(system, mended)) == {"new": 1, "rejected": 1}


def test_a_spreadsheet_is_read_and_handed_back_as_one(cast: Cast, system: Any) -> None:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for place, row in enumerate(csv.reader(io.StringIO(PEOPLE + "9,1,=2+3,x,?,1,,x,,N1,1"))):
            for column, cell in enumerate(row):
                sheet.write_string(place, column, cell)
    batch = _stage(system, target.getvalue())
    assert _totals(batch) == {"same": 5, "rejected": 1}
    name, content = read.rejected_file(system, batch_id=batch.pk)
    book_back = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    assert name.endswith(".xlsx") and book_back.to_python()[1][5] == "=2+3"


def test_a_preview_shows_before_and_after_and_leaves_a_record(cast: Cast) -> None:
    with cast.scope(cast.sato) as by:
        batch = _stage(by, _file(("0242-00-0001", "0242-00-9999")))
        shown = read.preview(by, batch_id=batch.pk)
        (row,) = shown.rows
        assert row.changes == (("電話番号", "0242-00-0001", "0242-00-9999"),)
        assert shown.batch.rows == 5 and shown.next is None
        assert LogEntry.objects.visible_to(by).filter(
            action="imports.preview", person_id=cast.hanako_id).count() == 1
        with pytest.raises(NotFound):
            read.rejected_file(by, batch_id=batch.pk)


def test_G7_somebody_known_in_a_file_of_rejected_rows_was_seen(cast: Cast) -> None:
    with cast.scope(cast.sato) as by:
        hanako = next(line for line in PEOPLE.splitlines() if "花子" in line)
        batch = _stage(by, _file((hanako.split(",")[4], "平成99年1月1日")))
        read.rejected_file(by, batch_id=batch.pk)
        seen = LogEntry.objects.visible_to(by).filter(action="imports.rejected_file", kind="view")
        assert [row.person_id for row in seen] == [cast.hanako_id]


@pytest.mark.parametrize("who", ["takada", "suzuki", "mori", "care_manager", "nobody"])
def test_only_the_officer_imports(cast: Cast, who: str) -> None:
    with cast.scope(cast.sato) as by:
        batch = _stage(by, _file())
    with cast.scope(getattr(cast, who)) as by:
        for act in (
            lambda: _stage(by, _file()), lambda: imports.apply(batch_id=batch.pk, by=by),
            lambda: imports.discard(batch_id=batch.pk, by=by),
            lambda: read.preview(by, batch_id=batch.pk), lambda: read.batches(by),
            lambda: read.rejected_file(by, batch_id=batch.pk),
        ):
            with pytest.raises(Forbidden):
                act()


def test_an_older_file_does_not_overtake_a_newer_one(cast: Cast, now: Any) -> None:
    from datetime import timedelta

    from registry import access

    with access.system(at=now, reason="test") as by:
        old = _stage(by, _file(("0242-00-0001", "0242-00-1111")))
    with access.system(at=now + timedelta(days=1), reason="test") as by:
        new = _stage(by, _file(("0242-00-0001", "0242-00-2222")))
        imports.apply(batch_id=new.pk, by=by)
        with pytest.raises(imports.BatchOvertaken):
            imports.apply(batch_id=old.pk, by=by)
        imports.discard(batch_id=old.pk, by=by)
        with pytest.raises(imports.BatchClosed):
            imports.apply(batch_id=old.pk, by=by)
        with pytest.raises(imports.BatchClosed):
            imports.discard(batch_id=new.pk, by=by)


def test_what_became_doubtful_since_staging_waits(cast: Cast, system: Any) -> None:
    other = _file(("0242-00-0001", "0242-00-1111"))
    first = _stage(system, other)
    second = _stage(system, _file(("令和9年3月31日", "令和10年3月31日")))
    later = _stage(system, _file(("令和9年3月31日", "令和9年12月31日")))
    imports.apply(batch_id=second.pk, by=system)
    done = imports.apply(batch_id=later.pk, by=system)
    assert _totals(done) == {"ambiguous": 1, "same": 4}
    person = Person.objects.visible_to(system).get(pk=cast.yuki_id)
    assert person.protected_until == date(2028, 3, 31)
    assert _totals(imports.apply(batch_id=first.pk, by=system)) == {"changed": 1, "same": 4}


def test_a_path_is_read_like_bytes(cast: Cast, system: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(_file())
    assert _totals(_stage(system, path)) == {"same": 5}


def test_an_interrupted_apply_leaves_nothing_and_the_next_one_gives_the_same(
    cast: Cast, system: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = _stage(system, _file(("0242-00-0001", "0242-00-9999")))
    before = _snapshot(system)

    def killed(place: str) -> None:
        if place == "import.apply.before_commit":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(imports, "hit", killed)
        with pytest.raises(KeyboardInterrupt):
            imports.apply(batch_id=batch.pk, by=system)
    assert _snapshot(system) == before
    assert ImportBatch.objects.get(pk=batch.pk).state == "staged"
    assert not OutboxMessage.objects.filter(dedupe_key=f"import_applied:{batch.pk}").exists()
    assert _totals(imports.apply(batch_id=batch.pk, by=system)) == {"changed": 1, "same": 4}
