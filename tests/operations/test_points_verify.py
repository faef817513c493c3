"""P3: verify_ledger recomputes everything and finds any planted difference."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection

from points.models import (
    Account,
    Attendance,
    AwardDecision,
    Exchange,
    RuleSet,
    Session,
    Transfer,
    Voucher,
)
from points.operations import attendance, ledger, vouchers
from registry import access, database
from registry.sealing import unseal
from tests.factories import points as make


@pytest.fixture
def world(db: None) -> make.World:
    """Two people with points, a void, an exchange and a used voucher."""
    made = make.build(points_per_voucher=2)
    sessions = [made.session] + [
        make.hold(made, start=made.at - timedelta(days=day), kind="support") for day in (1, 2)
    ]
    with access.scope(made.council, at=made.at) as by:
        answers = attendance.record(
            scans=[made.scan(n, s) for n in (0, 1) for s in sessions], by=by
        ).results
        attendance.void(attendance_id=answers[-1].attendance or 0, reason="人ちがい", by=by)
        done = vouchers.exchange(volunteer_id=made.people[0], programme="tsunagari", count=2,
                                 request_id=uuid4(), by=by)
    with access.system(at=made.at, reason="look") as by:
        paper = Voucher.objects.visible_to(by).filter(exchange_id=done.pk).first()
        code = unseal(bytes(paper.sealed_code), context=f"voucher:{paper.serial}").decode()
    with access.scope(made.shopkeeper, at=made.at) as by:
        vouchers.redeem(code=code, request_id=uuid4(), by=by)
    return made


def plant(change: Callable[[Any], Any], at: Any) -> list[str]:
    """Change rows behind the database's back, verify, and say which kinds were found."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")
    with access.system(at=at, reason="plant") as by:
        with database.history_open():
            change(by)
        return sorted({one.kind for one in ledger.verify(by=by).differences})


def test_an_untouched_ledger_is_intact(world: make.World) -> None:
    with access.system(at=world.at, reason="verify") as by:
        found = ledger.verify(by=by)
    assert found.differences == []
    assert (found.attendances, found.vouchers, found.volunteers) == (6, 2, 2)
    assert found.points == 5 + 3


def first(model: Any, by: Any, **wanted: Any) -> Any:
    rows = getattr(model.objects, "visible_to", lambda _: model.objects.all())(by)
    number = rows.filter(**wanted).order_by("pk").values_list("pk", flat=True)[0]
    return rows.filter(pk=number)


PLANTED: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "a balance raised": ("balance_differs", lambda by: first(
        Account, by, kind="wallet").update(balance=99)),
    "a transfer's amount": ("transfer_altered", lambda by: first(
        Transfer, by, cause="attendance").update(amount=2000)),
    "a transfer's sentence": ("transfer_altered", lambda by: first(
        Transfer, by).update(sentence="うその説明")),
    "a transfer's time": ("transfer_altered", lambda by: first(
        Transfer, by).update(at="2020-01-01T00:00:00Z")),
    "a transfer removed": ("posting_differs", lambda by: first(
        Transfer, by, cause="attendance").delete()),
    "a decision's share": ("decision_altered", lambda by: first(
        AwardDecision, by).update(share=7)),
    "a decision's sentence": ("decision_altered", lambda by: first(
        AwardDecision, by).update(sentence="うその説明")),
    "a void forgotten": ("share_differs", lambda by: first(
        Attendance, by, voided_at__isnull=False).update(
            voided_at=None, voided_by=None, void_reason="")),
    "an attendance moved to another session": ("share_differs", lambda by: (
        first(Attendance, by, voided_at__isnull=False).delete
        and first(Session, by, activity_kind="support").update(activity_kind="join"))),
    "the rules rewritten": ("share_differs", lambda by: [
        RuleSet.objects.filter(pk=one.pk).update(body={**one.body, "daily_cap": 1,
                                                       "group_day_cap": 1})
        for one in RuleSet.objects.all()]),
    "a voucher's state": ("voucher_state", lambda by: first(
        Voucher, by, state="issued").update(state="void")),
    "a voucher's yen": ("voucher_yen", lambda by: first(Voucher, by).update(yen=10_000)),
    "an exchange's points": ("exchange_differs", lambda by: first(
        Exchange, by).update(points=1)),
    "legs that no rule knows": ("transfer_not_allowed", lambda by: first(
        Transfer, by, cause="use").update(cause="expiry")),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_P3_verify_ledger_finds_a_planted_difference(world: make.World, planted: str) -> None:
    kind, change = PLANTED[planted]
    assert kind in plant(change, world.at)


def test_P3_a_whole_invented_award_is_found(world: make.World) -> None:
    def forge(by: Any) -> None:
        real = Transfer.objects.visible_to(by).filter(cause="attendance").order_by("pk")[0]
        real.pk = None
        real.amount = 1
        real.save(force_insert=True)
        Account.objects.visible_to(by).filter(pk=real.credit_id).update(balance=1_000)

    assert "transfer_altered" in plant(forge, world.at)


def test_the_command_fails_when_something_differs(world: make.World) -> None:
    out = StringIO()
    call_command("verify_ledger", "--json", stdout=out)
    assert json.loads(out.getvalue())["differences"] == []
    plant(PLANTED["a balance raised"][1], world.at)
    with pytest.raises(SystemExit) as ended:
        call_command("verify_ledger", stdout=StringIO())
    assert ended.value.code == 1


def test_P1_a_corrected_birth_date_counts_the_points_again(db: None) -> None:
    from datetime import date

    from registry import outbox
    from registry.operations import volunteers
    from workers import relay

    world = make.build(minimum_age=65)
    with access.scope(world.council, at=world.at) as by:
        attendance.record(scans=[world.scan(0)], by=by)
        volunteers.change(volunteer_id=world.people[0], by=by, volunteer=volunteers.VolunteerInput(
            number="P00000", name="見本　0", kana="ミホン　0", born_on=date(1980, 5, 5)))
    with access.system(at=world.at, reason="verify") as by:
        assert {one.kind for one in ledger.verify(by=by).differences} >= {"share_differs"}
    claimed = [one for one in outbox.claim(limit=10, lease=timedelta(minutes=1), at=world.at)
               if one.kind == "registry.volunteer_changed"]
    assert [one.subject_id for one in claimed].count(world.people[0]) == 1
    for one in claimed:
        relay.HANDLERS[one.kind](one, world.at)
    with access.system(at=world.at, reason="verify") as by:
        found = ledger.verify(by=by)
    assert (found.differences, found.points) == ([], 0)
