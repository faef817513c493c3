"""P8: two records of one person become one, and the ledger says where everything went."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from points.domain import recount
from points.models import Account, Attendance, Merge, MergeLine, Transfer, Voucher
from points.operations import attendance, ledger, merging, vouchers
from points.queries import records, rulebook
from points.queries.statements import my_points, statement
from registry import access
from registry.domain.errors import Conflict, Forbidden, NotFound, Refused
from registry.models import BoundDevice, Card, Membership, Volunteer
from registry.operations import cards, devices, uniting, volunteers
from registry.queries.cards import cards_by_code
from registry.queries.volunteers import volunteer_of_device
from tests.factories import points as factory

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> Any:
    return factory.build(phones=True)


def scan(world: Any, number: int, session: int, **more: Any) -> str:
    with access.scope(world.scanner, at=world.at) as by:
        done = attendance.record(scans=[world.scan(number, session, **more)], by=by)
    return done.results[0].result


def merge(world: Any, kept: int = 0, gone: int = 1, reason: str = "同じ方です") -> Merge:
    with access.scope(world.council, at=world.at) as by:
        return merging.merge(survivor_id=world.people[kept], merged_id=world.people[gone],
                             reason=reason, by=by)


def intact(world: Any) -> None:
    with access.system(at=world.at, reason="test") as by:
        verdict = ledger.verify(by=by)
        assert verdict.intact, verdict.differences
        for one in Volunteer.objects.visible_to(by).filter(merged_into__isnull=False):
            rest = Account.objects.visible_to(by).filter(volunteer_id=one.pk)
            assert not any(rest.values_list("balance", flat=True)), "points were left behind"


def balances(world: Any, number: int) -> dict[str, int]:
    with access.scope(world.council, at=world.at) as by:
        return {one.programme: one.balance for one in
                my_points(by, volunteer_id=world.people[number])}


def days(world: Any, count: int) -> list[int]:
    return [factory.hold(world, start=world.at - timedelta(days=n, hours=1))
            for n in range(1, count + 1)]


def test_P8_attendances_points_and_vouchers_follow_and_every_transfer_is_traceable(
    world: Any,
) -> None:
    held = days(world, 7)
    for session in held[:2]:
        scan(world, 0, session)
    for session in held[2:]:
        scan(world, 1, session)
    with access.scope(world.council, at=world.at) as by:
        made = vouchers.exchange(volunteer_id=world.people[1], programme="tsunagari", count=1,
                                 request_id=uuid4(), by=by)
    with access.system(at=world.at, reason="test") as by:
        before = list(Transfer.objects.visible_to(by).order_by("pk").values())
    done = merge(world)
    intact(world)
    assert balances(world, 0) == {"tsunagari": 2}  # 7 counted, 5 exchanged
    with access.system(at=world.at, reason="test") as by:
        rows = list(Transfer.objects.visible_to(by).order_by("pk").values())
        assert rows[: len(before)] == before, "history was rewritten"
        assert not [r for r in rows[len(before):] if r["cause"] not in ("merge", "attendance")]
        lines = MergeLine.objects.visible_to(by).filter(merge=done)
        assert sorted(lines.values_list("outcome", flat=True)) == ["moved"] * 5
        assert set(Voucher.objects.visible_to(by).values_list("volunteer_id", flat=True)) == {
            world.people[0]}
    with access.scope(world.council, at=world.at) as by:
        part = statement(by, volunteer_id=world.people[0], fiscal_year=2026).parts[0]
        assert part.balance == part.wallet - part.owed == 2
        assert [line.points for line in part.lines].count(1) == 7
        vouchers.undo_exchange(exchange_id=made.pk, reason="まちがい", by=by)
    assert balances(world, 0) == {"tsunagari": 7}
    intact(world)


def test_P8_points_that_were_not_exchanged_move_by_a_transfer_that_names_the_merge(
    world: Any,
) -> None:
    for number, session in enumerate(days(world, 3)):
        scan(world, min(number, 1), session)
    done = merge(world)
    with access.system(at=world.at, reason="test") as by:
        [row] = Transfer.objects.visible_to(by).filter(cause="merge")
    assert (row.ref, row.amount, row.volunteer_id) == (str(done.pk), 2, world.people[0])
    assert "記録の統合" in row.sentence and "P00001" in row.sentence
    intact(world)


def test_P8_of_two_records_at_one_session_one_stays_and_the_other_names_it(world: Any) -> None:
    [session] = days(world, 1)
    assert [scan(world, n, session) for n in (0, 1)] == ["granted", "granted"]
    merge(world)
    assert balances(world, 0) == {"tsunagari": 1}
    with access.system(at=world.at, reason="test") as by:
        rows = Attendance.objects.visible_to(by).filter(session_id=session)
        kept = rows.get(volunteer_id=world.people[0])
        gone = rows.get(volunteer_id=world.people[1])
        assert kept.voided_at is None and str(kept.pk) in gone.void_reason
        line = MergeLine.objects.visible_to(by).get()
        assert (line.outcome, line.stays_id) == ("duplicate", kept.pk)
    intact(world)


def test_P8_a_record_voided_on_one_side_counts_if_the_other_side_counts(world: Any) -> None:
    [session] = days(world, 1)
    for number in (0, 1):
        scan(world, number, session)
    with access.scope(world.council, at=world.at) as by:
        own = Attendance.objects.visible_to(by).get(session_id=session,
                                                    volunteer_id=world.people[0])
        attendance.void(attendance_id=own.pk, reason="ふたつあったので", by=by)
    merge(world)
    assert balances(world, 0) == {"tsunagari": 1}
    with access.system(at=world.at, reason="test") as by:
        line = MergeLine.objects.visible_to(by).get()
        assert (line.outcome, line.note) == ("restored", "ふたつあったので")
    intact(world)


def test_P1_the_caps_hold_over_the_union(db: None) -> None:
    world = factory.build(year={"annual_cap": 5})
    held = days(world, 8)
    for number, session in enumerate(held):
        scan(world, number % 2, session)
    assert (balances(world, 0), balances(world, 1)) == ({"tsunagari": 4}, {"tsunagari": 4})
    merge(world)
    assert balances(world, 0) == {"tsunagari": 5}
    intact(world)
    # A later scan of the united person meets the cap, too (the bound of fast counting).
    assert scan(world, 0, world.session) in ("cap_reached", "granted")
    assert balances(world, 0) == {"tsunagari": 5}
    intact(world)


def test_P1_the_cap_is_met_although_the_other_record_had_exchanged_its_points(db: None) -> None:
    world = factory.build(year={"annual_cap": 6})
    held = days(world, 6)
    for session in held[:5]:
        scan(world, 1, session)
    with access.scope(world.council, at=world.at) as by:
        vouchers.exchange(volunteer_id=world.people[1], programme="tsunagari", count=1,
                          request_id=uuid4(), by=by)
    merge(world)
    assert scan(world, 0, held[5]) == "granted"
    scan(world, 0, world.session)
    assert balances(world, 0) == {"tsunagari": 1}, "5 exchanged + 1 = the cap of 6"
    intact(world)


def test_P8_a_shortfall_is_the_persons_and_is_paid_from_the_other_record(world: Any) -> None:
    held = days(world, 8)
    for session in held[:5]:
        scan(world, 1, session)
    for session in held[5:]:
        scan(world, 0, session)
    with access.scope(world.council, at=world.at) as by:
        vouchers.exchange(volunteer_id=world.people[1], programme="tsunagari", count=1,
                          request_id=uuid4(), by=by)
        row = Attendance.objects.visible_to(by).filter(volunteer_id=world.people[1]).first()
        attendance.void(attendance_id=row.pk, reason="いなかった", by=by)
    merge(world)
    assert balances(world, 0) == {"tsunagari": 2}
    intact(world)


def test_P8_the_old_card_leads_to_the_survivor_and_a_reissue_kills_both(world: Any) -> None:
    old = world.card(1)
    merge(world)
    assert scan(world, 1, world.session) == "granted"
    assert scan(world, 0, world.session) == "already"
    assert balances(world, 0) == {"tsunagari": 1}
    with access.scope(world.council, at=world.at) as by:
        assert cards_by_code(by, [old])[old].volunteer_id == world.people[0]
        cards.reissue_card(volunteer_id=world.people[0], code="ABCDEFGHJKM4", by=by)
        assert not Card.objects.visible_to(by).filter(
            cancelled_at__isnull=True).exclude(tail="KM4").filter(
                volunteer_id__in=world.people[:2]).exists()
    assert scan(world, 1, days(world, 1)[0]) == "cancelled_card"
    intact(world)


def test_P8_a_survivor_without_a_card_takes_the_others(world: Any) -> None:
    code = world.card(1)
    with access.scope(world.council, at=world.at) as by:
        cards.cancel_card(volunteer_id=world.people[0], by=by)
    merge(world)
    with access.scope(world.council, at=world.at) as by:
        from registry.queries.cards import codes_for_printing
        assert codes_for_printing(by, volunteer_ids=[world.people[0]]) == {world.people[0]: code}


def test_P4_a_sheet_that_names_the_old_record_counts_the_survivor(world: Any) -> None:
    merge(world)
    with access.scope(world.council, at=world.at) as by:
        done = attendance.record(scans=[attendance.ScanRequest(
            uuid4(), world.at, session_id=world.session, volunteer_id=world.people[1],
            method="paper")], by=by)
    assert done.results[0].result == "granted"
    with access.system(at=world.at, reason="test") as by:
        assert Attendance.objects.visible_to(by).get().volunteer_id == world.people[0]


def test_P8_phones_are_bound_anew_and_the_newest_three_stay(world: Any) -> None:
    tokens = []
    for minute, number in enumerate((0, 0, 1, 1)):
        tokens.append(devices.bind_device(
            code=world.card(number), birth_month=5, birth_day=5, client="test",
            at=world.at + timedelta(minutes=minute)).token)
    merge(world)
    found = [volunteer_of_device(token=one, at=world.at) for one in tokens]
    assert found[0] is None, "the oldest of four is closed"
    assert {one.volunteer_id for one in found[1:] if one} == {world.people[0]}
    with access.scope(world.users[world.people[0]], at=world.at) as by:
        assert by.volunteer_id == world.people[0]
        assert BoundDevice.objects.visible_to(by).filter(revoked_at__isnull=True).count() == 3
    with access.scope(world.users[world.people[1]], at=world.at) as by:
        assert by.volunteer_id is None and not by.permissions, "the old account sees nothing"


def test_P9_memberships_are_united_and_a_member_stands_once(world: Any) -> None:
    with access.scope(world.council, at=world.at) as by:
        from registry.operations import memberships
        memberships.join(organisation_id=world.other, volunteer_id=world.people[1],
                         starts_on=date(2026, 4, 1), by=by)
    merge(world)
    with access.system(at=world.at, reason="test") as by:
        rows = Membership.objects.visible_to(by).filter(ends_on__isnull=True)
        own = rows.filter(volunteer_id=world.people[0])
        assert sorted(own.values_list("organisation_id", flat=True)) == sorted(
            [world.organisation, world.other])
        assert not rows.filter(volunteer_id=world.people[1]).exists()


@pytest.mark.parametrize(("kept", "gone", "after"), [
    ("yes", "never", True), ("yes", "yes", True), ("yes", "no", False),
    ("never", "yes", False), ("no", "yes", False),
])
def test_P11_nobodys_word_is_carried_over(world: Any, kept: str, gone: str, after: bool) -> None:
    with access.scope(world.council, at=world.at) as by:
        for number, word in enumerate((kept, gone)):
            if word != "never":
                volunteers.opt_in(volunteer_id=world.people[number], by=by)
            if word == "no":
                volunteers.opt_out(volunteer_id=world.people[number], by=by)
    merge(world)
    with access.system(at=world.at, reason="test") as by:
        rows = {row.pk: row for row in Volunteer.objects.visible_to(by)}
        stands = rows[world.people[0]]
        assert (stands.supporter_optin_on is not None
                and stands.supporter_optout_on is None) is after
        gone_row = rows[world.people[1]]
        assert gone_row.supporter_optin_on is None or gone_row.supporter_optout_on is not None


def test_who_may_merge_and_what_is_refused(world: Any) -> None:
    for user in (world.leader, world.scanner, world.shopkeeper, world.users[world.people[0]]):
        with access.scope(user, at=world.at) as by, pytest.raises(Forbidden):
            merging.merge(survivor_id=world.people[0], merged_id=world.people[1], reason="x",
                          by=by)
    for kept, gone, reason, error, code in (
        (0, 1, "  ", Refused, "reason_missing"), (0, 0, "x", Refused, "same_record"),
    ):
        with pytest.raises(error) as said:
            merge(world, kept, gone, reason)
        assert said.value.code == code
    with access.scope(world.council, at=world.at) as by, pytest.raises(NotFound):
        merging.merge(survivor_id=world.people[0], merged_id=987654321, reason="x", by=by)
    with access.scope(world.council, at=world.at) as by:
        volunteers.end(volunteer_id=world.people[0], left_on=by.on, by=by)
    with pytest.raises(Refused) as said:
        merge(world)
    assert said.value.code == "survivor_left"
    merge(world, 1, 0)
    with pytest.raises(Conflict) as again:
        merge(world, 2, 0)
    assert again.value.code == "already_merged"
    intact(world)


def test_P8_a_survivor_may_be_united_again_and_the_chain_leads_to_the_last(world: Any) -> None:
    held = days(world, 3)
    for number, session in enumerate(held):
        scan(world, number, session)
    merge(world, 1, 0)
    merge(world, 2, 1)
    assert balances(world, 2) == {"tsunagari": 3}
    assert scan(world, 0, world.session) == "granted"
    assert balances(world, 2) == {"tsunagari": 4}
    with access.system(at=world.at, reason="test") as by:
        rows = Volunteer.objects.visible_to(by).filter(merged_into__isnull=False)
        assert set(rows.values_list("merged_into_id", flat=True)) == {world.people[2]}
    intact(world)


def test_two_people_are_said_once(world: Any) -> None:
    with access.scope(world.council, at=world.at) as by:
        one = uniting.say_distinct(one_id=world.people[1], other_id=world.people[0],
                                   reason="親子です", by=by)
        again = uniting.say_distinct(one_id=world.people[0], other_id=world.people[1],
                                     reason="ちがう", by=by)
        assert one.pk == again.pk and again.reason == "親子です"


def test_P1_the_shares_are_the_pure_function_of_the_union(world: Any) -> None:
    for number, session in enumerate(days(world, 6)):
        scan(world, number % 3, session)
        scan(world, (number + 1) % 3, session)
    merge(world, 0, 1)
    assert_pure(world, 0)


def assert_pure(world: Any, number: int) -> None:
    """Every share of a person is what counting the records from nothing gives."""
    person = world.people[number]
    with access.system(at=world.at, reason="test") as by:
        rules = rulebook.load()
        mine = records.records(by, rules, volunteer_ids=[person], years=None)[person]
        facts = records.people(by, volunteer_ids=[person], rules=rules)[person]
        counted = recount.count(mine, facts, rules.book)
        decided = records.decisions(by, rules, volunteer_ids=[person], years=None)
        for shares in counted.shares.values():
            for share in shares:
                assert decided[share.attendance] == share
