"""Where every numbered copy is: steps, sums, strike-outs, losses (R4, R5, R9, R12)."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from evacuation.domain.consent import Answer, ConsentRefused, Means, Proxy
from evacuation.domain.custody import CustodyRefused
from evacuation.domain.loss import LossRefused
from evacuation.models import Consent, Copy, CopyEvent, Correction, Letter, RosterEntry, StrikeOut
from evacuation.operations import consents, corrections, custody, losses, roster, strikes
from evacuation.queries import custody as reading
from evacuation.queries import editions
from registry import access
from registry.domain.errors import Conflict, Forbidden, NotFound
from registry.operations import staff
from tests.cast import Cast, end_term_of
from tests.domain.documents_samples import squeeze, text_of
from tests.factories import evacuation as city


@pytest.fixture
def shared(cast: Cast) -> Cast:
    city.build(cast)
    city.share(cast)
    return cast


def paper(cast: Cast, office: str) -> Copy:
    return city.copies(cast.at, office__code=office, medium="paper")[0]


def verdict(cast: Cast, days: int = 0) -> custody.Verdict:
    with access.system(at=cast.at + timedelta(days=days), reason="test") as wide:
        return custody.verify(wide=wide)


def test_R4_a_consent_lacking_what_the_law_asks_is_refused_field_by_field(cast: Cast) -> None:
    with cast.scope(cast.sato) as by, pytest.raises(ConsentRefused) as refused:
        consents.record(by=by, given=consents.AnswerGiven(
            person_id=cast.hanako_id, purpose=consents.Purpose.ROSTER_SHARING,
            answer=Answer.AGREED, answered_at=by.at, means=Means.ORAL, form_version=" ",
            proxy=Proxy("見本　太郎", "", ""),
        ))
    assert set(refused.value.fields) == {
        "form_version", "explained_normal", "explained_disaster", "proxy",
    }


def test_R4_the_database_holds_answers_append_only_and_explained(cast: Cast) -> None:
    city.build(cast)
    with access.system(at=cast.at, reason="test") as wide:
        row = Consent.objects.visible_to(wide).filter(answer="agreed").first()
        row.pk, row.explained_disaster = None, False
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save(force_insert=True)
        with pytest.raises(DatabaseError), transaction.atomic():
            Consent.objects.visible_to(wide).update(answer="agreed")


def test_R5_a_withdrawal_strikes_out_of_every_copy_in_circulation(shared: Cast) -> None:
    with shared.scope(shared.sato) as by:
        consents.withdraw(person_id=shared.hanako_id, means=Means.ORAL, form_version="見本第1版",
                          by=by)
    city.work(shared.at)
    with access.system(at=shared.at, reason="test") as wide:
        struck = list(StrikeOut.objects.visible_to(wide).select_related("copy"))
        assert {row.copy.number[-2:] for row in struck} == {"P1", "F1"} and len(struck) == 4
        assert all(row.letter_id for row in struck)
        assert Letter.objects.visible_to(wide).filter(kind="strike_out").count() == 4
    with shared.scope(shared.mori) as by:
        mine = reading.strike_outs(by)
        assert {one.name for one in mine} == {"見本　花子"} and len(mine) == 2
        assert all("同意" not in one.sentence for one in mine)
        letter = next(one for one in reading.letters(by) if one.copy_number.endswith("P1"))
        _, body = reading.letter_file(by, letter_id=letter.id)
        assert squeeze("見本　花子") in squeeze(text_of(body))
        strikes.confirm(strike_out_id=mine[0].id, by=by)
        assert len(reading.strike_outs(by)) == 1
        assert [one.cards for one in editions.my_roster(by)] == [()]
        with pytest.raises(editions.FileClosed):
            editions.edition_file(by, edition_id=reading.copies(by)[0].edition_id, file="pdf")
    with shared.scope(shared.kato) as by:
        assert reading.strike_outs(by) == [] and reading.letters(by) == []
        with pytest.raises(NotFound):
            strikes.confirm(strike_out_id=mine[1].id, by=by)
        with pytest.raises(NotFound):
            reading.letter_file(by, letter_id=letter.id)


def test_R5_a_copy_that_came_back_gets_no_strike_out(shared: Cast) -> None:
    with shared.scope(shared.sato) as by:
        for copy in city.copies(shared.at, office__code="O-MORI"):
            custody.return_copy(copy_id=copy.pk, by=by)
        city.answer(shared.hanako_id, Answer.WITHDRAWN, by)
    with access.system(at=shared.at, reason="test") as wide:
        offices = {row.office_id for row in StrikeOut.objects.visible_to(wide)}
    assert offices == {shared.offices["O-NORTH"]}


def test_R5_who_leaves_the_roster_is_struck_out_too(shared: Cast) -> None:
    with shared.scope(shared.sato) as by:
        roster.request_listing(person_id=shared.hanako_id, kind="manual_exclude", reason="転居",
                               by=by)
        roster.apply(run_id=roster.rebuild_preview(by=by).pk, by=by)
    with access.system(at=shared.at, reason="test") as wide:
        assert StrikeOut.objects.visible_to(wide).count() == 4


def test_R9_receipt_check_return_and_the_sums(shared: Cast) -> None:
    copy = paper(shared, "O-MORI")
    with shared.scope(shared.mori) as by:
        after = custody.acknowledge_receipt(copy_id=copy.pk, by=by, version=1)
        assert (after.state, after.holder_id) == ("received", shared.mori.pk)
        with pytest.raises(Conflict):
            custody.check_possession(copy_id=copy.pk, by=by, version=1)
        with pytest.raises(CustodyRefused):
            custody.acknowledge_receipt(copy_id=copy.pk, by=by)
        with pytest.raises(Forbidden):
            custody.return_copy(copy_id=copy.pk, by=by)
    later = shared.at + timedelta(days=190)
    with shared.scope(shared.sato, at=later) as by:
        assert copy.number in {one.number for one in reading.overview(by).checks_overdue}
    with shared.scope(shared.mori, at=later) as by:
        custody.check_possession(copy_id=copy.pk, by=by)
        assert not reading.copy_fact(by, copy_id=copy.pk).check_overdue
    with shared.scope(shared.sato, at=later) as by:
        custody.return_copy(copy_id=copy.pk, by=by)
        custody.destroy(copy_id=copy.pk, by=by, note="溶解処理・立会 高田")
    found = verdict(shared, 200)
    assert found.balanced and (found.issued, found.held, found.destroyed) == (6, 5, 1)


@pytest.mark.parametrize("act", ["receive", "check", "lose", "destroy"])
def test_another_offices_copy_is_not_there(shared: Cast, act: str) -> None:
    copy = paper(shared, "O-MORI")
    for who in (shared.kato, shared.association, shared.former, shared.nobody):
        with shared.scope(who) as by, pytest.raises(NotFound) as theirs:
            custody.act(copy_id=copy.pk, what=custody.Act(act), by=by, note="x")
        with shared.scope(who) as by, pytest.raises(NotFound) as nothing:
            custody.act(copy_id=987_654_321, what=custody.Act(act), by=by, note="x")
        assert (theirs.value.code, theirs.value.message) == (
            nothing.value.code, nothing.value.message
        )
    assert verdict(shared).balanced


def test_hand_over_to_another_office_waits_for_its_receipt(shared: Cast) -> None:
    copy = paper(shared, "O-MORI")
    with shared.scope(shared.mori) as by:
        custody.acknowledge_receipt(copy_id=copy.pk, by=by)
        with pytest.raises(CustodyRefused):
            custody.hand_over(copy_id=copy.pk, by=by, to_office_id=shared.offices["O-SHOP"])
        custody.hand_over(copy_id=copy.pk, by=by, to_office_id=shared.offices["O-NORTH"])
        assert copy.number not in {one.number for one in reading.my_copies(by)}
    with shared.scope(shared.association) as by:
        assert copy.number in {one.number for one in reading.my_copies(by)}
        custody.acknowledge_receipt(copy_id=copy.pk, by=by)
    assert verdict(shared).balanced


def test_the_successor_takes_over_and_the_former_holder_sees_nothing_from_midnight(
    shared: Cast,
) -> None:
    copy = paper(shared, "O-MORI")
    with shared.scope(shared.mori) as by:
        custody.acknowledge_receipt(copy_id=copy.pk, by=by)
        assert [len(one.cards) for one in editions.my_roster(by)] == [1]
    tomorrow = shared.at + timedelta(days=1)
    with shared.scope(shared.sato) as by:
        end_term_of(shared, shared.mori, on=access.day_of(tomorrow), by=by)
        staff.appoint(office_id=shared.offices["O-MORI"], user_id=shared.nobody.pk,
                      starts_on=access.day_of(tomorrow), by=by)
    with shared.scope(shared.mori, at=tomorrow) as by, pytest.raises(Forbidden):
        editions.my_roster(by)
    with shared.scope(shared.sato, at=tomorrow) as by:
        assert copy.number in {one.number for one in reading.overview(by).former_holders}
        with pytest.raises(CustodyRefused):
            custody.hand_over(copy_id=copy.pk, by=by, to_user_id=shared.kato.pk)
        custody.hand_over(copy_id=copy.pk, by=by, to_user_id=shared.nobody.pk)
        assert copy.number not in {one.number for one in reading.overview(by).former_holders}
    with shared.scope(shared.nobody, at=tomorrow) as by:
        assert [len(one.cards) for one in editions.my_roster(by)] == [1]


def test_a_vacant_office_is_asked_for_its_copies_at_midnight(shared: Cast) -> None:
    with shared.scope(shared.sato) as by:
        end_term_of(shared, shared.mori, on=by.on + timedelta(days=1), by=by)
    city.work(shared.at + timedelta(days=1))
    assert {copy.state for copy in city.copies(shared.at, office__code="O-MORI")} == {"recalled"}
    assert {copy.state for copy in city.copies(shared.at, office__code="O-KATO")} == {"issued"}


def test_a_loss_takes_one_call_and_yields_people_dates_and_letters(shared: Cast) -> None:
    copy = paper(shared, "O-MORI")
    with shared.scope(shared.mori) as by:
        with pytest.raises(LossRefused):
            losses.report_loss(copy_id=copy.pk, discovered_on=date(2027, 1, 1),
                               circumstances="かばんごと", by=by)
        loss = losses.report_loss(copy_id=copy.pk, discovered_on=by.on,
                                  circumstances="かばんごとなくした", by=by)
        assert (loss.people_count, loss.first_due_on, loss.final_due_on) == (
            1, date(2026, 11, 27), date(2026, 12, 22)
        )
        with pytest.raises(CustodyRefused):
            losses.report_loss(copy_id=copy.pk, discovered_on=by.on, circumstances="x", by=by)
    city.work(shared.at)
    with shared.scope(shared.sato) as by:
        (fact,) = reading.losses(by)
        assert (fact.people, fact.letters) == (1, 1)
        letter = next(one for one in reading.letters(by) if one.kind == "loss")
        text = squeeze(text_of(reading.letter_file(by, letter_id=letter.id)[1]))
        assert squeeze("見本　花子") in text and "おわび" in text
    with shared.scope(shared.mori) as by, pytest.raises(NotFound):
        reading.letter_file(by, letter_id=letter.id)
    found = verdict(shared)
    assert found.balanced and found.lost == 1


def test_a_random_year_of_acts_always_balances(shared: Cast) -> None:
    chosen = random.Random(2026)
    numbers = city.copies(shared.at)
    done = 0
    for day in range(1, 120):
        copy = chosen.choice(numbers)
        what = chosen.choice(list(custody.Act))
        if what is custody.Act.ISSUE:
            continue
        with shared.scope(shared.sato, at=shared.at + timedelta(days=day)) as by:
            try:
                custody.act(copy_id=copy.pk, what=what, by=by, note="見本",
                            to_office_id=shared.offices[chosen.choice(["O-MORI", "O-KATO"])])
                done += 1
            except CustodyRefused:
                continue
    assert done > 10
    found = verdict(shared, 400)
    assert found.balanced and found.issued == 6


def test_verify_finds_a_copy_whose_state_or_events_were_changed(shared: Cast) -> None:
    copy = paper(shared, "O-MORI")
    with access.system(at=shared.at, reason="test") as wide:
        Copy.objects.visible_to(wide).filter(pk=copy.pk).update(state="returned")
        assert not custody.verify(wide=wide).balanced
        Copy.objects.visible_to(wide).filter(pk=copy.pk).update(state="issued")
        assert custody.verify(wide=wide).balanced
        CopyEvent.objects.unscoped().create(copy=copy, sequence=3, event="check", at=shared.at,
                                            to_office_id=copy.office_id)
        assert not custody.verify(wide=wide).balanced
        with pytest.raises(DatabaseError), transaction.atomic():
            CopyEvent.objects.visible_to(wide).delete()


def test_R12_a_correction_waits_for_an_officer_and_changes_nothing(shared: Cast) -> None:
    with shared.scope(shared.mori) as by:
        row = editions.my_roster(by)[0].cards[0].row_id
        corrections.report(edition_row_id=row, sentence="電話が変わりました", by=by)
        with pytest.raises(corrections.SentenceMissing):
            corrections.report(edition_row_id=row, sentence="  ", by=by)
    with shared.scope(shared.kato) as by:
        with pytest.raises(NotFound):
            corrections.report(edition_row_id=row, sentence="x", by=by)
        assert not Correction.objects.visible_to(by).exists()
    with shared.scope(shared.sato) as by:
        before = RosterEntry.objects.visible_to(by).get(person_id=shared.hanako_id).version
        waiting = Correction.objects.visible_to(by).get()
        corrections.decide(correction_id=waiting.pk, accepted=True, note="電話を直した", by=by)
        with pytest.raises(Conflict):
            corrections.decide(correction_id=waiting.pk, accepted=False, note="", by=by)
        assert RosterEntry.objects.visible_to(by).get(
            person_id=shared.hanako_id).version == before


def test_katos_scope_reads_no_row_of_the_north_in_any_table(shared: Cast) -> None:
    from evacuation.models import Edition, EditionRow

    with shared.scope(shared.sato) as by:
        city.answer(shared.hanako_id, Answer.WITHDRAWN, by)
    with shared.scope(shared.kato) as by:
        tables: list[Any] = [Edition, EditionRow, Copy, CopyEvent, StrikeOut, Letter, Consent,
                             RosterEntry, Correction]
        seen = {model.__name__: list(model.objects.visible_to(by)) for model in tables}
        assert {row.office_id for row in seen["Edition"]} == {shared.offices["O-KATO"]}
        assert {row.person_id for row in seen["EditionRow"]} == {shared.minami_id}
        assert {row.office_id for row in seen["Copy"]} == {shared.offices["O-KATO"]}
        assert {row.copy_id for row in seen["CopyEvent"]} == {row.pk for row in seen["Copy"]}
        for name in ("StrikeOut", "Letter", "Consent", "RosterEntry", "Correction"):
            assert seen[name] == [], name


@pytest.mark.postgres
def test_the_second_wall_hides_the_north_from_kato_even_without_a_filter(shared: Cast) -> None:
    from evacuation.models import Edition, EditionRow

    with shared.scope(shared.kato):
        assert {row.office_id for row in Edition.objects.unscoped()} == {shared.offices["O-KATO"]}
        assert {row.person_id for row in EditionRow.objects.unscoped()} == {shared.minami_id}
        assert {row.office_id for row in Copy.objects.unscoped()} == {shared.offices["O-KATO"]}
        assert not RosterEntry.objects.unscoped().exists()
        assert not Consent.objects.unscoped().exists()
