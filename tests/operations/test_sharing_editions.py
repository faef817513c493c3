"""Editions: who is in them, for whom, with which words, and exactly once (R1, R5, R7–R11)."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook

from evacuation.documents.values import ROSTER_NOTICE
from evacuation.domain.consent import Answer, Purpose
from evacuation.domain.recipients import RecipientKind
from evacuation.models import Copy, Edition, EditionRow, SharingTask, StrikeOut
from evacuation.operations import consents, roster, sharing, sharing_draft
from evacuation.queries import editions as reading
from evacuation.queries.sealed_rows import CardValues, opened
from registry import access
from registry.operations import imports, staff
from tests.cast import Cast
from tests.domain.documents_samples import pages_of, squeeze, text_of
from tests.factories import evacuation as city

CLINICAL = ("要介護", "手帳", "級", "下肢", "care")


def rows_of(cast: Cast, office: str) -> dict[int, CardValues]:
    with access.system(at=cast.at, reason="test") as wide:
        edition = city.editions(cast.at)[office]
        return {
            row.person_id: opened(row)
            for row in EditionRow.objects.visible_to(wide).select_related("edition")
            .filter(edition=edition)
        }


def files_of(cast: Cast, office: str) -> tuple[str, str]:
    """The text of the booklet and of the spreadsheet of one office, without white space."""
    edition = city.editions(cast.at)[office]
    with cast.scope(cast.sato) as by:
        pdf = reading.edition_file(by, edition_id=edition.pk, file="pdf").body
        xlsx = reading.edition_file(by, edition_id=edition.pk, file="xlsx").body
    return squeeze(text_of(pdf)), sheet_text(xlsx)


def sheet_text(xlsx: bytes) -> str:
    book = CalamineWorkbook.from_filelike(io.BytesIO(xlsx))
    cells = [
        str(cell) for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python()
        for cell in row
    ]
    return squeeze("\n".join(cells))


def test_R1_only_consent_in_force_for_the_kind_opens_a_row(cast: Cast) -> None:
    city.build(cast)
    city.share(cast)
    assert set(rows_of(cast, "O-MORI")) == {cast.hanako_id}
    assert set(rows_of(cast, "O-NORTH")) == {cast.hanako_id}


def test_R1_consent_for_another_kind_is_none_for_this_one(cast: Cast) -> None:
    with cast.scope(cast.sato, at=cast.at - timedelta(days=1)) as by:
        city.load_facts(by)
        city.list_everybody(by)
        city.answer(cast.hanako_id, Answer.AGREED, by,
                    kinds=frozenset({RecipientKind.COMMISSIONER}))
    run = city.share(cast)
    assert set(rows_of(cast, "O-MORI")) == {cast.hanako_id}
    task = city.tasks(run)["O-NORTH"]
    assert (task.state, task.code) == ("held_back", "nobody_to_list")


def test_R1_the_ordinance_mode_opens_silence_never_refusal(cast: Cast, settings: Any) -> None:
    settings.CONSENT_MODE = "ordinance_no_consent"
    settings.CONSENT_CITATION = "見本市条例第5条"
    with cast.scope(cast.sato, at=cast.at - timedelta(days=1)) as by:
        city.load_facts(by)
        city.list_everybody(by)
        city.answer(cast.ichiro_id, Answer.REFUSED, by)
    city.share(cast)
    assert set(rows_of(cast, "O-MORI")) == {cast.hanako_id}
    pdf, _ = files_of(cast, "O-MORI")
    assert "見本市条例第5条" in pdf


def test_R1_presumed_consent_needs_a_delivered_notice_and_a_passed_deadline(
    cast: Cast, settings: Any
) -> None:
    settings.CONSENT_MODE = "presumed_consent"
    settings.CONSENT_CITATION = "見本市条例第6条"
    before = cast.at - timedelta(days=60)
    with cast.scope(cast.sato, at=before) as by:
        city.load_facts(by)
        city.list_everybody(by)
        consents.notify(person_ids=[cast.hanako_id, cast.ichiro_id], form_version="通知第1版",
                        sent_on=by.on, answer_by=by.on + timedelta(days=30), by=by)
        consents.mark_undelivered(person_id=cast.ichiro_id, by=by)
    city.share(cast)
    assert set(rows_of(cast, "O-MORI")) == {cast.hanako_id}


def test_R3_consent_to_making_a_plan_shares_nothing(cast: Cast) -> None:
    with cast.scope(cast.sato, at=cast.at - timedelta(days=1)) as by:
        city.load_facts(by)
        city.list_everybody(by)
        for purpose in (Purpose.PLAN_MAKING, Purpose.PLAN_SHARING):
            city.answer(cast.hanako_id, Answer.AGREED, by, purpose=purpose)
    run = city.share(cast)
    assert {task.code for task in city.tasks(run).values()} == {"nobody_to_list"}


def test_R7_nobody_receives_outside_the_area_and_kato_gets_the_south_alone(cast: Cast) -> None:
    city.build(cast)
    city.share(cast)
    assert set(rows_of(cast, "O-KATO")) == {cast.minami_id}
    pdf, xlsx = files_of(cast, "O-KATO")
    for text in (pdf, xlsx):
        assert squeeze("見本　南") in text
        for north in ("花子", "一郎", "雪", "見本町1番"):
            assert north not in text.replace("南見本町", "")


def test_R7_a_section_of_a_neighbourhood_is_an_area_of_its_own(cast: Cast) -> None:
    from registry.operations import organisations
    from registry.operations.organisations import OfficeFacts

    city.build(cast)
    with cast.scope(cast.sato) as by:
        ids = organisations.load_offices(offices=[OfficeFacts(
            "welfare_commissioner", "O-SEC2", "民生委員（北2班）", "MINSEI", (("N1", "2"),)
        )], by=by)
        staff.appoint(office_id=ids["O-SEC2"], user_id=cast.nobody.pk, starts_on=by.on, by=by)
        roster.release_protection(person_id=cast.yuki_id, by=by, reason="本人の申出",
                                  kinds=frozenset({RecipientKind.COMMISSIONER}))
    city.share(cast)
    assert set(rows_of(cast, "O-SEC2")) == {cast.yuki_id}


def test_R8_R9_the_files_speak_plain_words_and_name_holder_and_copy(cast: Cast) -> None:
    city.build(cast)
    city.share(cast)
    for office in ("O-NORTH", "O-MORI"):
        pdf, xlsx = files_of(cast, office)
        for text, copy in ((pdf, "P1"), (xlsx, "F1")):
            assert squeeze("見本　花子") in text and squeeze("歩けない（車いす）") in text
            assert f"{city.editions(cast.at)[office].number}-{copy}" in text
            assert squeeze(ROSTER_NOTICE)[:40] in text
            for word in CLINICAL:
                assert word not in text, word
    edition = city.editions(cast.at)["O-NORTH"]
    with cast.scope(cast.sato) as by:
        pages = pages_of(reading.edition_file(by, edition_id=edition.pk, file="pdf").body)
    assert all("北町内会長" in page and "取扱注意" in page for page in pages)


def test_R8_the_association_gets_no_birth_date_and_revealing_free_text_is_withheld(
    cast: Cast,
) -> None:
    city.build(cast)
    with cast.scope(cast.sato) as by:
        roster.describe(person_id=cast.hanako_id, by=by, values={
            "communication": "認知症のため短いことばで", "bedroom": "平屋の南側",
        })
    city.share(cast)
    told, mori = rows_of(cast, "O-NORTH"), rows_of(cast, "O-MORI")
    assert told[cast.hanako_id].birth == "" and mori[cast.hanako_id].birth != ""
    assert told[cast.hanako_id].communication == "（市にお問い合わせください）"
    assert told[cast.hanako_id].whereabouts == "平屋の南側"
    assert "認知症" not in "".join(files_of(cast, "O-NORTH"))


def test_R10_ichiro_is_in_no_file_and_hanako_in_each_of_hers(cast: Cast) -> None:
    city.build(cast)
    city.share(cast)
    found = 0
    for office in city.editions(cast.at):
        for text in files_of(cast, office):
            assert "一郎" not in text and "イチロウ" not in text
            found += squeeze("見本　花子") in text
    assert found == 4  # two offices of the north, booklet and spreadsheet


def test_R11_a_protected_person_is_in_no_edition_without_release(cast: Cast) -> None:
    city.build(cast)
    city.share(cast)
    for office in city.editions(cast.at):
        assert cast.yuki_id not in rows_of(cast, office)
        assert all("雪" not in text for text in files_of(cast, office))


def test_R11_a_release_opens_the_kinds_it_names_and_no_other(cast: Cast) -> None:
    city.build(cast)
    with cast.scope(cast.sato) as by:
        roster.release_protection(person_id=cast.yuki_id, by=by, reason="本人の希望と面談",
                                  kinds=frozenset({RecipientKind.COMMISSIONER}))
    city.share(cast)
    assert cast.yuki_id in rows_of(cast, "O-MORI")
    assert cast.yuki_id not in rows_of(cast, "O-NORTH")


def test_again_changes_nothing_and_the_digest_is_of_the_content_alone(cast: Cast) -> None:
    city.build(cast)
    city.share(cast)
    before = {code: (e.pk, e.content_digest) for code, e in city.editions(cast.at).items()}
    city.share(cast, at=cast.at + timedelta(days=3))
    after = {code: (e.pk, e.content_digest) for code, e in city.editions(cast.at).items()}
    assert after == before
    with access.system(at=cast.at + timedelta(days=9), reason="test") as wide:
        task = SharingTask.objects.select_related("run").get(office__code="O-MORI")
        Copy.objects.visible_to(wide).update(state="returned")
        draft = sharing_draft.load(wide, task, at=wide.at)
    assert isinstance(draft, sharing_draft.Draft)
    assert draft.digest == before["O-MORI"][1]


def test_the_database_itself_refuses_a_second_edition_for_the_same_office_and_run(
    cast: Cast,
) -> None:
    city.build(cast)
    city.share(cast)
    edition = city.editions(cast.at)["O-MORI"]
    edition.pk, edition.number = None, "other"
    with access.system(at=cast.at, reason="test"), pytest.raises(
        IntegrityError, match="edition_once_per_run_office|evacuation_edition.run_id"
    ), transaction.atomic():
        edition.save(force_insert=True)


def test_a_withdrawal_during_rendering_is_seen(cast: Cast, monkeypatch: Any) -> None:
    from evacuation.operations import sharing_issuing, sharing_printing

    city.build(cast)
    original = sharing_printing.render
    done: list[int] = []

    def rendered(draft: Any, run: Any) -> Any:
        files = original(draft, run)
        if not done and any(row.person_id == cast.hanako_id for row in draft.rows):
            done.append(1)
            with cast.scope(cast.sato) as by:
                city.answer(cast.hanako_id, Answer.WITHDRAWN, by)
        return files

    monkeypatch.setattr(sharing_printing, "render", rendered)
    with pytest.raises(sharing_issuing.MovedMeanwhile):
        city.share(cast)
    city.work(cast.at + timedelta(seconds=70))
    for office in city.editions(cast.at):
        assert cast.hanako_id not in rows_of(cast, office)


def test_held_back_with_a_reason_and_tried_again_when_it_is_gone(cast: Cast) -> None:
    from tests.cast import end_term_of

    city.build(cast)
    with cast.scope(cast.sato) as by:
        end_term_of(cast, cast.mori, on=by.on, by=by)
    run = city.share(cast)
    task = city.tasks(run)["O-MORI"]
    assert (task.state, task.code) == ("held_back", "vacant_office") and task.reason
    with cast.scope(cast.sato) as by:
        staff.appoint(office_id=cast.offices["O-MORI"], user_id=cast.nobody.pk,
                      starts_on=by.on, by=by)
    city.share(cast)
    assert city.tasks(run)["O-MORI"].state == "issued"


def _next_period(cast: Cast) -> Any:
    """Half a year later: the second run, with the first copies as they are."""
    later = cast.at + timedelta(days=160)
    return later, city.share(cast, at=later, period="2027-04")


def test_no_new_edition_while_the_old_copy_is_out_unless_an_officer_says_why(cast: Cast) -> None:
    city.build(cast)
    city.share(cast)
    later, run = _next_period(cast)
    task = city.tasks(run)["O-MORI"]
    assert task.code == "custody_old_copy_outstanding" and "-P1" in task.reason
    with cast.scope(cast.sato, at=later) as by:
        with pytest.raises(Exception, match="reason_missing"):
            sharing.issue_despite_outstanding(task_id=task.pk, reason=" ", by=by)
        sharing.issue_despite_outstanding(task_id=task.pk, reason="大雨の前に渡すため", by=by)
    city.work(later)
    task = city.tasks(run)["O-MORI"]
    assert (task.state, task.override_reason) == ("issued", "大雨の前に渡すため")


def test_the_returned_copy_lets_the_next_edition_go_with_its_difference(cast: Cast) -> None:
    from evacuation.operations import custody

    city.build(cast)
    with cast.scope(cast.sato) as by:
        city.answer(cast.ichiro_id, Answer.AGREED, by)
    city.share(cast)
    with cast.scope(cast.sato) as by:
        city.answer(cast.ichiro_id, Answer.WITHDRAWN, by)
        roster.describe(person_id=cast.hanako_id, by=by, values={"bedroom": "2階の東"})
    later, run = _next_period(cast)
    with cast.scope(cast.sato, at=later) as by:
        for copy in city.copies(later, office__code="O-MORI"):
            custody.return_copy(copy_id=copy.pk, by=by)
    city.work(later)
    assert city.tasks(run)["O-MORI"].state == "issued"
    edition = city.editions(later)["O-MORI"]
    with cast.scope(cast.mori, at=later) as by:
        told = reading.difference(by, edition_id=edition.pk)
        assert [one.name for one in told.removed] == ["見本　一郎"]
        assert [one.values.name for one in told.changed] == ["見本　花子"]
        sheet = text_of(reading.edition_file(by, edition_id=edition.pk, file="difference").body)
        assert squeeze("見本　一郎") in sheet and "2階の東" in sheet
        # Yuki consents, and her protection ended with the 31st of March.
        assert [one.values.name for one in told.new] == ["見本　雪"]
    assert set(rows_of(cast, "O-MORI")) == {cast.hanako_id, cast.yuki_id}


def test_each_person_released_is_on_record_in_the_same_transaction(cast: Cast) -> None:
    from registry.models import LogEntry

    city.build(cast)
    city.share(cast)
    with access.system(at=cast.at, reason="test") as wide:
        seen = LogEntry.objects.visible_to(wide).filter(kind="release", action="sharing.issue")
        rows = EditionRow.objects.visible_to(wide).count()
        assert seen.count() == rows == 3
        assert all(entry.fields for entry in seen)


def test_the_cost_of_an_edition_in_queries_does_not_grow_with_its_people(cast: Cast) -> None:
    from django.db import connection

    city.build(cast)
    with cast.scope(cast.sato) as by:
        run = sharing.open_run(period=city.PERIOD, by=by)
    counted: list[int] = []
    for people in (1, 2):
        with access.system(at=cast.at, reason="test") as wide:
            task = SharingTask.objects.select_related("run").get(
                run=run, office__code="O-MORI"
            )
            with CaptureQueriesContext(connection) as queries:
                draft = sharing_draft.load(wide, task, at=wide.at)
            assert isinstance(draft, sharing_draft.Draft) and len(draft.rows) == people
        counted.append(len(queries))
        if people == 1:
            with cast.scope(cast.sato) as by:
                city.answer(cast.ichiro_id, Answer.AGREED, by)
    assert counted[0] == counted[1] <= 22, counted


def test_an_import_that_starts_protection_strikes_out_and_hides_at_once(cast: Cast) -> None:
    from tests.operations.test_evacuation_roster import _changed

    city.build(cast)
    city.share(cast)
    text = _changed("1001", "支援措置終了年月日", "令和9年3月31日")
    with cast.scope(cast.sato) as by:
        batch = imports.stage(source=text.encode(), profile="residents", file_name="x.csv", by=by)
        imports.apply(batch_id=batch.pk, by=by)
    with cast.scope(cast.mori) as by:  # before any worker has done anything
        assert [one.cards for one in reading.my_roster(by)] == [()]
    city.work(cast.at)
    with access.system(at=cast.at, reason="test") as wide:
        assert StrikeOut.objects.visible_to(wide).filter(person_id=cast.hanako_id).count() == 4
        assert Edition.objects.visible_to(wide).count() == 3


def test_R2_supporter_and_destination_stand_on_a_card_only_where_the_plan_may_go(
    cast: Cast,
) -> None:
    """Person and every supporter consent, for this kind: the commissioner, not the association."""
    from evacuation.operations import assignments, supporters
    from tests.factories import plans as made
    from tests.operations.test_evacuation_plans import approved

    city.build(cast)
    with access.system(at=cast.at, reason="test") as by:
        made.consents(by, cast.hanako_id, "plan_making")
        places = made.world(by)
    with cast.scope(cast.sato) as by:
        helper = supporters.register(
            supporter=supporters.SupporterInput("見本 茂", phone="0242-00-0009"), by=by)
        one = assignments.assign(person_id=cast.hanako_id, supporter_id=helper.pk, by=by)
        assignments.record_answer(assignment_id=one.pk, agreed=True, by=by)
    approved(cast, places)
    with access.system(at=cast.at, reason="test") as by:
        made.consents(by, cast.hanako_id, "plan_sharing", kinds=["commissioner"])
    city.share(cast)
    mori, north = rows_of(cast, "O-MORI"), rows_of(cast, "O-NORTH")
    assert "見本 茂" in mori[cast.hanako_id].supporters
    assert "見本小学校" in mori[cast.hanako_id].destination
    assert north[cast.hanako_id].supporters == north[cast.hanako_id].destination == ""
    assert "茂" in files_of(cast, "O-MORI")[0]
    assert "茂" not in "".join(files_of(cast, "O-NORTH"))
