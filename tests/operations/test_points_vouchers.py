"""P7: exchange once per request, a voucher used once, and every yen accounted for."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from points.domain.codes import BadCode
from points.models import Account, Exchange, Transfer, Voucher
from points.operations import attendance, ledger, vouchers
from registry import access
from registry.domain.errors import Conflict, Forbidden, NotFound, Refused
from registry.sealing import unseal
from tests.factories import points as make


@pytest.fixture
def world(db: None) -> make.World:
    """Person 0 has 9 points: three days of three."""
    made = make.build(phones=True)
    scans = []
    for day in range(3):
        start = made.at - timedelta(days=day + 1)
        session = make.hold(made, start=start, hours=3, kind="hourly", group=made.other_group)
        second = make.hold(made, start=start + timedelta(hours=4), hours=3, kind="hourly")
        scans += [made.scan(0, session), made.scan(0, second)]
    with access.scope(made.council, at=made.at) as by:
        answers = attendance.record(scans=scans, by=by).results
    assert answers[-1].balance == 9
    return made


def exchange(world: make.World, count: int = 1, user: Any = None, **more: Any) -> Exchange:
    given = {"volunteer_id": world.people[0], "programme": "tsunagari",
             "request_id": uuid4()} | more
    at = given.pop("at", world.at)
    with access.scope(user or world.council, at=at) as by:
        return vouchers.exchange(count=count, by=by, **given)


def code_of(world: make.World, exchange_id: UUID) -> str:
    with access.system(at=world.at, reason="look") as by:
        row = Voucher.objects.visible_to(by).filter(exchange_id=exchange_id).first()
        return unseal(bytes(row.sealed_code), context=f"voucher:{row.serial}").decode()


def verified(world: make.World) -> ledger.LedgerVerdict:
    with access.system(at=world.at, reason="verify") as by:
        found = ledger.verify(by=by)
    assert found.intact, found.differences
    return found


def balances(world: make.World) -> dict[str, int]:
    with access.system(at=world.at, reason="look") as by:
        rows = Account.objects.visible_to(by).filter(balance__isnull=False)
        return {kind: balance for kind, balance in rows.values_list("kind", "balance") if balance}


def test_P7_points_become_vouchers_once_per_request(world: make.World) -> None:
    request = uuid4()
    made = exchange(world, request_id=request)
    assert (made.points, made.count) == (5, 1)
    assert exchange(world, request_id=request).pk == made.pk
    assert balances(world) == {"wallet": 4, "voucher": 500}
    for name, other in (("volunteer", {"volunteer_id": world.people[1]}),
                        ("count", {"count": 2})):
        with pytest.raises(vouchers.RequestReused) as refusal:
            exchange(world, **({"request_id": request} | other))
        assert list(refusal.value.fields) == [name]
    assert verified(world).vouchers == 1


def test_P7_a_volunteer_exchanges_only_their_own(world: make.World) -> None:
    mine = world.users[world.people[0]]
    assert exchange(world, user=mine).points == 5
    with pytest.raises(Forbidden):
        exchange(world, user=mine, volunteer_id=world.people[1])
    with pytest.raises(Forbidden):
        exchange(world, user=world.leader)
    with pytest.raises(NotFound):
        exchange(world, programme="nothing")


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("not_enough_points", {"count": 2}), ("no_vouchers", {"count": 0}),
        ("vouchers_limit", {"count": 11}),
    ],
)
def test_P7_an_exchange_that_the_rules_refuse_leaves_nothing(
    world: make.World, code: str, change: dict[str, Any]
) -> None:
    before = balances(world)
    with pytest.raises(Refused) as refusal:
        exchange(world, **change)
    assert refusal.value.code == code
    assert balances(world) == before
    verified(world)


def test_P7_outside_the_window_nothing_is_exchanged(world: make.World) -> None:
    with pytest.raises(Refused, match="exchange_closed"):
        exchange(world, at=world.at.replace(year=2027, month=8))


def test_P7_a_voucher_is_used_once_and_the_second_shop_hears_when_and_where(
    world: make.World,
) -> None:
    code = code_of(world, exchange(world).pk)
    request = uuid4()
    with access.scope(world.shopkeeper, at=world.at) as by:
        used = vouchers.redeem(code=code.lower(), request_id=request, by=by)
        assert (used.state, used.shop_id) == ("used", world.shop)
        assert vouchers.redeem(code=code, request_id=request, by=by).pk == used.pk
        with pytest.raises(Refused) as refusal:
            vouchers.redeem(code=code, request_id=uuid4(), by=by)
    assert refusal.value.code == "voucher_used"
    assert refusal.value.message == "2026年11月23日 12時00分に「見本商店」で使われました。"
    assert balances(world) == {"wallet": 4, "shop_used": 500}
    verified(world)


def test_P7_strangers_codes_and_late_vouchers_are_refused(world: make.World) -> None:
    code = code_of(world, exchange(world).pk)
    with access.scope(world.shopkeeper, at=world.at) as by:
        with pytest.raises(BadCode):
            vouchers.redeem(code=world.card(0), request_id=uuid4(), by=by)
        with pytest.raises(Refused, match="bad_voucher"):
            from points.domain.vouchers import mint_code

            vouchers.redeem(code=mint_code().code, request_id=uuid4(), by=by)
    with access.scope(world.shopkeeper, at=world.at.replace(year=2027, month=7, day=2)) as by, \
            pytest.raises(Refused, match="voucher_past"):
        vouchers.redeem(code=code, request_id=uuid4(), by=by)
    with access.scope(world.leader, at=world.at) as by, pytest.raises(Forbidden):
        vouchers.redeem(code=code, request_id=uuid4(), by=by)


def test_P7_one_request_id_takes_one_voucher(world: make.World) -> None:
    first = code_of(world, exchange(world).pk)
    with access.scope(world.council, at=world.at) as by:
        extra = make.hold(world, start=world.at - timedelta(days=9), hours=3, kind="hourly")
        attendance.record(scans=[world.scan(0, extra)], by=by)
    second = code_of(world, exchange(world).pk)
    request = uuid4()
    with access.scope(world.shopkeeper, at=world.at) as by:
        vouchers.redeem(code=first, request_id=request, by=by)
        with pytest.raises(vouchers.RequestReused):
            vouchers.redeem(code=second, request_id=request, by=by)


def test_P1_a_void_after_the_exchange_leaves_a_shortfall_that_later_awards_pay(
    world: make.World,
) -> None:
    exchange(world)
    with access.system(at=world.at, reason="look") as by:
        ids = list(
            attendance.Attendance.objects.visible_to(by).order_by("pk").values_list("pk", flat=True)
        )
    with access.scope(world.council, at=world.at) as by:
        for one in ids[:4]:
            attendance.void(attendance_id=one, reason="人ちがい", by=by)
    assert balances(world) == {"shortfall": -2, "voucher": 500}
    verified(world)
    with access.scope(world.council, at=world.at) as by:
        answer = attendance.record(scans=[world.scan(0)], by=by).results[0]
    assert (answer.result, answer.points, answer.balance) == ("granted", 1, 0)
    assert balances(world) == {"shortfall": -1, "voucher": 500}
    verified(world)


def test_P7_an_exchange_can_be_undone_until_a_voucher_is_used(world: make.World) -> None:
    made = exchange(world)
    with access.scope(world.council, at=world.at) as by:
        vouchers.undo_exchange(exchange_id=made.pk, reason="まちがい", by=by)
        with pytest.raises(Conflict, match="already_undone"):
            vouchers.undo_exchange(exchange_id=made.pk, reason="まちがい", by=by)
    assert balances(world) == {"wallet": 9}
    verified(world)
    second = exchange(world)
    with access.scope(world.shopkeeper, at=world.at) as by:
        vouchers.redeem(code=code_of(world, second.pk), request_id=uuid4(), by=by)
    with access.scope(world.council, at=world.at) as by, pytest.raises(Refused) as refusal:
        vouchers.undo_exchange(exchange_id=second.pk, reason="まちがい", by=by)
    assert refusal.value.code == "voucher_used"
    verified(world)


def test_P3_every_transfer_says_why_and_the_points_sum_to_zero(world: make.World) -> None:
    exchange(world)
    with access.system(at=world.at, reason="look") as by:
        rows = list(Transfer.objects.visible_to(by).values_list("sentence", "unit", "amount"))
    assert all(sentence for sentence, _, _ in rows)
    assert "利用券1枚と交換（2026年度のポイントから5ポイント）" in [row[0] for row in rows]


def test_P7_a_voucher_is_good_as_long_as_its_points_were(world: make.World) -> None:
    made = exchange(world)
    with access.system(at=world.at, reason="look") as by:
        row = Voucher.objects.visible_to(by).get(exchange_id=made.pk)
    assert (row.valid_until, row.serial) == (date(2027, 6, 30), "26-000001")
