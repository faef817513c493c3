"""P7: a voucher's life, its code, and issued = used + outstanding + void + lapsed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from points.domain import codes, tokens
from points.domain.vouchers import (
    STEPS,
    State,
    Step,
    Voucher,
    advance,
    mint_code,
    read_code,
    serial_number,
    tally,
)
from registry.domain.errors import Refused

AT = datetime(2026, 11, 23, 1, 5, tzinfo=UTC)  # 10:05 in Japan
FRESH = Voucher("26-000001", 500, date(2026, 11, 24))
entropy = st.binary(min_size=11, max_size=11).map(lambda raw: lambda size: raw[:size])


def refused(voucher, step, **arguments) -> Refused:
    with pytest.raises(Refused) as caught:
        advance(voucher, step, **({"at": AT, "shop": "s"} | arguments))
    assert caught.value.message.endswith("。")
    return caught.value


@given(st.lists(st.tuples(st.sampled_from(Step), st.integers(0, 3)), max_size=8))
def test_P7_only_the_steps_of_the_rule_ever_happen(path) -> None:
    voucher = FRESH
    for step, days in path:
        before = voucher.state
        try:
            voucher = advance(voucher, step, at=AT + timedelta(days=days), shop="s", shop_name="店")
        except Refused as no:
            assert no.code.startswith("voucher_")
            assert voucher.state is before
        else:
            assert STEPS[before, step] is voucher.state
            assert (voucher.used_at is not None) == (voucher.state in USED)


USED = {State.USED, State.CLAIMED, State.PAID}


def test_P7_used_twice_says_when_and_where() -> None:
    used = advance(FRESH, Step.USE, at=AT, shop="s", shop_name="見本商店")
    claimed = advance(used, Step.CLAIM, at=AT, shop="s")
    paid = advance(claimed, Step.PAY, at=AT, shop="s")
    assert paid.state is State.PAID
    for voucher in (used, claimed, paid):
        no = refused(voucher, Step.USE, shop="other")
        assert no.code == "voucher_used"
        assert no.message == "2026年11月23日 10時05分に「見本商店」で使われました。"
        assert refused(voucher, Step.VOID).code == "voucher_used"


def test_P7_every_refusal_has_its_code() -> None:
    used = advance(FRESH, Step.USE, at=AT, shop="s")
    void = advance(FRESH, Step.VOID, at=AT)
    lapsed = advance(FRESH, Step.LAPSE, at=AT + timedelta(days=2))
    assert refused(void, Step.USE).code == "voucher_void"
    assert refused(lapsed, Step.USE).code == "voucher_lapsed"
    assert refused(FRESH, Step.CLAIM).code == refused(FRESH, Step.PAY).code == "voucher_step"
    assert refused(used, Step.PAY).code == "voucher_step"
    assert refused(used, Step.CLAIM, shop="other").code == "voucher_other_shop"
    assert refused(FRESH, Step.LAPSE).code == "voucher_not_due"
    with pytest.raises(ValueError, match="shop"):
        advance(FRESH, Step.USE, at=AT)
    with pytest.raises(ValueError, match="aware"):
        advance(FRESH, Step.USE, at=AT.replace(tzinfo=None), shop="s")


def test_P7_the_last_day_ends_at_midnight_in_japan() -> None:
    last = datetime(2026, 11, 24, 14, 59, tzinfo=UTC)
    assert advance(FRESH, Step.USE, at=last, shop="s").state is State.USED
    assert refused(FRESH, Step.LAPSE, at=last).code == "voucher_not_due"
    past = last + timedelta(minutes=1)
    assert refused(FRESH, Step.USE, at=past).code == "voucher_past"
    assert advance(FRESH, Step.LAPSE, at=past).state is State.LAPSED


@given(entropy)
def test_P6_a_voucher_code_round_trips_and_is_never_a_card(source) -> None:
    made = mint_code(host="tsunagari.jp", entropy=source)
    assert len(made.url) <= tokens.CARD_URL_LIMIT
    for text in (made.url, made.url.lower(), made.code, codes.grouped(made.code).lower()):
        assert read_code(text, host="tsunagari.jp") == made.code
    for text in (made.url, made.code):
        with pytest.raises(codes.BadCode) as caught:
            tokens.read(text)
        assert caught.value.detail == "voucher"
    card = tokens.mint("card", host="tsunagari.jp", entropy=source)
    for text in (card.code, card.url):
        with pytest.raises(codes.BadCode) as caught:
            read_code(text)
        assert caught.value.code == "bad_voucher"


@given(st.lists(st.tuples(st.sampled_from(State), st.integers(1, 5000))))
def test_P7_issued_is_used_plus_outstanding_plus_void_plus_lapsed(vouchers) -> None:
    sums = tally(vouchers)
    assert sums.holds and sums.issued == sum(amount for _, amount in vouchers)
    assert sums.owed == sum(amount for state, amount in vouchers if state is State.CLAIMED)
    assert sums.used == sum(amount for state, amount in vouchers if state in USED)


def test_serial_numbers() -> None:
    assert serial_number(2026, 123) == "26-000123"
    with pytest.raises(ValueError, match="from 1"):
        serial_number(2026, 0)
