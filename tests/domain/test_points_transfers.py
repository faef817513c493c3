"""P3 (the ledger) and P1's 返還待ち: sums to zero, no wallet below zero, replays equal."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from points.domain.accounts import (
    LEGS,
    Account,
    AccountKind,
    Cause,
    CauseKind,
    Transfer,
    Unit,
    posted,
)
from points.domain.accounts import post as apply
from points.domain.awards import Limit, Share, change
from points.domain.rules import Rate, Remainder, RuleSet, Source, YearState, YearTerms
from points.domain.transfers import (
    Position,
    plan_awards,
    plan_exchange,
    plan_lapse,
    plan_undo_exchange,
    plan_voucher,
)
from points.domain.vouchers import Step
from registry.domain.errors import Refused

K = AccountKind
RULES = RuleSet(
    code="a",
    programme="p",
    begins_on=date(2025, 4, 1),
    rates=(Rate("join", "参加型", 1),),
    sources=frozenset({Source.GROUP}),
    points_per_voucher=3,
    yen_per_voucher=500,
    vouchers_per_year=12,
)


def terms_of(year: int, yen: int = 500, state: YearState = YearState.OPEN) -> YearTerms:
    """Both years may be exchanged in April to June 2027."""
    return YearTerms(
        "p", year, yen, date(year + 1, 2, 1), date(2027, 6, 30), date(2027, 4, 20),
        date(2027, 7, 1), None, state,
    )  # fmt: skip


TERMS = {year: terms_of(year) for year in (2025, 2026)}
ON = date(2027, 4, 5)


def position_of(balances, lapsed=None) -> Position:
    wallets = {a.fiscal_year: n for a, n in balances.items() if a.kind is K.WALLET}
    owed = -balances.get(Account(K.SHORTFALL, "p", "v"), 0)
    return Position("p", "v", wallets, owed, lapsed or {})


def share(attendance: int, points: int) -> Share:
    limit = Limit.NONE if points else Limit.VOID
    return Share(attendance, points, "a", limit, f"4月1日 サロン（参加型）{points}ポイント")


def code_of(call, *arguments, **named) -> str:
    with pytest.raises(Refused) as caught:
        call(*arguments, **named)
    return caught.value.code


class Ledger:
    """A person's whole ledger, run as the database would run it."""

    def __init__(self) -> None:
        self.rows: list[Transfer] = []
        self.balances: dict[Account, int] = {}
        self.shares: dict[int, dict[int, Share]] = {2025: {}, 2026: {}}
        self.lapsed = {2025: 0, 2026: 0}
        self.exchanges: dict[str, list[int]] = {}

    @property
    def position(self) -> Position:
        return position_of(self.balances, self.lapsed)

    def add(self, rows: list[Transfer]) -> None:
        self.balances = apply(self.balances, rows)
        for row in rows:
            if row.credit.kind is K.EXPIRED:
                self.lapsed[row.debit.fiscal_year] += row.amount
            if row.debit.kind is K.EXPIRED:
                self.lapsed[2025 if int(row.cause.ref) < 100 else 2026] -= row.amount
        self.rows += rows
        self.check()

    def check(self) -> None:
        for unit in Unit:
            assert sum(n for a, n in self.balances.items() if a.kind.unit is unit) == 0
        assert all(account.kind.allows(n) for account, n in self.balances.items())
        position = self.position
        assert not (position.owed and any(position.wallets.values()))
        assert apply({}, self.rows) == self.balances
        issued = posted(self.rows)
        for shares in self.shares.values():
            for known in shares.values():
                assert issued.get(str(known.attendance), 0) == known.points
        net = sum(position.wallets.values()) - position.owed
        out = sum(self.balances.get(Account(kind, "p"), 0) for kind in (K.REDEEMED, K.EXPIRED))
        assert net == sum(issued.values()) - out

    def award(self, year: int, number: int, points: int) -> None:
        attendance = number + (0 if year == 2025 else 100)
        before = list(self.shares[year].values())
        self.shares[year][attendance] = share(attendance, points)
        after = list(self.shares[year].values())
        self.add(plan_awards(self.position, change(before, after), fiscal_year=year))

    def exchange(self, count: int) -> None:
        name = f"x{len(self.exchanges)}"
        serials = [f"{name}-{number}" for number in range(count)]
        rows = plan_exchange(
            self.position, serials, exchange=name, rules=RULES, terms=TERMS, on=ON, taken=0
        )
        self.exchanges[name] = [len(self.rows) + number for number in range(len(rows))]
        self.add(rows)

    def undo(self) -> None:
        name, places = self.exchanges.popitem()
        originals = {str(place): self.rows[place] for place in places}
        rows = plan_undo_exchange(self.position, originals, void=f"undo-{name}")
        assert {row.corrects for row in rows if row.corrects} == set(originals)
        self.add(rows)

    def lapse(self, year: int, carry: bool) -> None:
        rules = replace(RULES, remainder=Remainder.CARRY if carry else Remainder.VOID)
        self.add(
            plan_lapse(
                self.position, year, expiry=f"e{len(self.rows)}", rules=rules, terms=TERMS[year],
                on=date(2027, 7, 1),
            )
        )  # fmt: skip
        assert self.balances.get(Account(K.WALLET, "p", "v", year), 0) == 0


steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("award"),
            st.sampled_from([2025, 2026]),
            st.integers(1, 6),
            st.one_of(st.integers(0, 5), st.just(0)),
        ),
        st.tuples(st.just("exchange"), st.integers(1, 3)),
        st.tuples(st.just("undo")),
        st.tuples(st.just("lapse"), st.sampled_from([2025, 2026]), st.booleans()),
    ),
    max_size=25,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_P3_any_history_sums_to_zero_keeps_wallets_above_zero_and_replays(history) -> None:
    ledger = Ledger()
    for name, *arguments in history:
        if name == "undo" and not ledger.exchanges:
            continue
        try:
            getattr(ledger, name)(*arguments)
        except Refused as refused:
            assert name == "exchange" and refused.code == "not_enough_points"
            # A remainder carried into 2027 has no terms yet and waits for its own window.
            points = sum(ledger.position.wallets.get(year, 0) for year in TERMS)
            assert points < arguments[0] * RULES.points_per_voucher


@given(st.lists(st.tuples(st.integers(1, 8), st.integers(0, 5)), max_size=8), st.randoms())
def test_P1_net_points_do_not_depend_on_the_order_of_awards_and_voids(entries, rng) -> None:
    final = dict(entries)
    one, other = Ledger(), Ledger()
    for number, points in final.items():
        one.award(2026, number, points)
    other.award(2026, 50, 5)
    for number, points in rng.sample(entries, len(entries)) + list(final.items()):
        other.award(2026, number, points)
        if rng.random() < 0.2 and other.position.wallets.get(2026, 0) >= 3:
            other.exchange(1)
    other.award(2026, 50, 0)
    while other.exchanges:
        other.undo()
    for ledger in (one, other):
        assert ledger.position.wallets.get(2026, 0) == sum(final.values())
        assert ledger.position.owed == 0


def test_P1_a_void_after_the_exchange_waits_and_later_awards_offset_it() -> None:
    ledger = Ledger()
    for number in (1, 2, 3):
        ledger.award(2025, number, 1)
    ledger.exchange(1)
    ledger.award(2025, 2, 0)
    assert ledger.position.owed == 1 and not any(ledger.position.wallets.values())
    assert ledger.rows[-1].sentence.startswith("取り消し -1ポイント：4月1日")
    assert ledger.rows[-1].sentence.endswith("（1ポイントは返還待ち）")
    ledger.award(2026, 1, 3)
    assert ledger.position.owed == 0 and ledger.position.wallets[2026] == 2
    assert ledger.rows[-1].sentence == "返還待ちの1ポイントに充てました（2026年度のポイントから）"


def test_P1_additions_are_posted_before_deductions() -> None:
    changes = change([share(1, 1)], [share(1, 0), share(2, 1)])
    rows = plan_awards(Position("p", "v", {2026: 0}), changes, fiscal_year=2026)
    assert [(row.debit.kind, row.credit.kind) for row in rows] == [
        (K.ISSUE, K.WALLET),
        (K.WALLET, K.ISSUE),
    ]
    assert plan_awards(Position("p", "v"), [], fiscal_year=2026) == []


def test_P1_what_is_owed_is_paid_from_the_oldest_year_first() -> None:
    position = Position("p", "v", {2027: 5, 2025: 2, 2026: 5})
    changes = change([share(1, 3)], [share(1, 0)])
    rows = plan_awards(position, changes, fiscal_year=2024)
    paid = [(r.debit.fiscal_year, r.amount) for r in rows if r.debit.kind is K.WALLET]
    assert paid == [(2025, 2), (2026, 1)]


def test_P1_points_that_lapsed_are_not_owed_when_voided() -> None:
    position = Position("p", "v", {2025: 1, 2026: 9}, lapsed={2025: 2})
    changes = change([share(1, 4)], [share(1, 0)])
    rows = plan_awards(position, changes, fiscal_year=2025)
    assert [(row.debit.kind, row.amount) for row in rows] == [
        (K.WALLET, 1), (K.EXPIRED, 2), (K.SHORTFALL, 1), (K.WALLET, 1),
    ]  # fmt: skip
    assert rows[-1].debit.fiscal_year == 2026


def exchange(position, count, *, terms=TERMS, on=ON, taken=0, rules=RULES):
    serials = [str(number) for number in range(count)]
    return plan_exchange(
        position, serials, exchange="x", rules=rules, terms=terms, on=on, taken=taken
    )


def test_P3_an_exchange_takes_the_oldest_year_in_its_window_first() -> None:
    position = Position("p", "v", {2025: 4, 2026: 5})
    rows = exchange(position, 2)
    assert [(r.debit.kind, r.debit.fiscal_year, r.amount) for r in rows] == [
        (K.WALLET, 2025, 4), (K.WALLET, 2026, 2), (K.BUDGET, None, 500), (K.BUDGET, None, 500),
    ]  # fmt: skip
    assert rows[0].sentence == "利用券2枚と交換（2025年度のポイントから4ポイント）"
    # Closed to records, not to exchange: its points are good until they lapse.
    closed = TERMS | {2025: terms_of(2025, state=YearState.CLOSED)}
    assert [r.debit.fiscal_year for r in exchange(position, 1, terms=closed)] == [2025, None]
    over = TERMS | {2025: replace(TERMS[2025], exchange_until=ON - timedelta(days=1))}
    assert [r.debit.fiscal_year for r in exchange(position, 1, terms=over)] == [2026, None]


def test_P7_years_with_another_value_never_share_a_voucher() -> None:
    terms = TERMS | {2025: terms_of(2025, yen=400)}
    rows = exchange(Position("p", "v", {2025: 5, 2026: 5}), 2, terms=terms)
    assert [(r.debit.fiscal_year, r.amount) for r in rows] == [
        (2025, 3), (2026, 3), (None, 400), (None, 500),
    ]  # fmt: skip
    assert code_of(exchange, Position("p", "v", {2025: 2, 2026: 5}), 2, terms=terms) == (
        "not_enough_points"
    )


def test_P7_an_exchange_is_refused_with_its_reason() -> None:
    rich = Position("p", "v", {2026: 99})
    assert code_of(exchange, rich, 0) == "no_vouchers"
    assert code_of(exchange, rich, 2, taken=11) == "vouchers_limit"
    assert exchange(rich, 1, taken=11)
    assert exchange(rich, 13, rules=replace(RULES, vouchers_per_year=None))
    assert code_of(exchange, rich, 1, on=date(2027, 7, 1)) == "exchange_closed"
    assert code_of(exchange, rich, 1, on=date(2026, 1, 31)) == "exchange_closed"
    assert code_of(exchange, Position("p", "v", {2026: 2}), 1) == "not_enough_points"
    with pytest.raises(Refused, match="no_vouchers"):
        plan_exchange(rich, ["1", "1"], exchange="x", rules=RULES, terms=TERMS, on=ON, taken=0)


def test_P2_the_remainder_carries_or_lapses() -> None:
    arguments = {"expiry": "e", "terms": TERMS[2025], "on": date(2027, 7, 1)}
    position = Position("p", "v", {2025: 10})
    carry = plan_lapse(position, 2025, rules=replace(RULES, remainder=Remainder.CARRY), **arguments)
    assert [(r.credit.kind, r.credit.fiscal_year, r.amount) for r in carry] == [
        (K.WALLET, 2026, 1), (K.EXPIRED, None, 9),
    ]  # fmt: skip
    void = plan_lapse(position, 2025, rules=RULES, **arguments)
    assert [(r.credit.kind, r.amount) for r in void] == [(K.EXPIRED, 10)]
    assert plan_lapse(Position("p", "v"), 2025, rules=RULES, **arguments) == []
    every = plan_lapse(position, 2025, rules=RULES, carries_all=True, **arguments)
    assert [(r.credit.kind, r.credit.fiscal_year, r.amount) for r in every] == [
        (K.WALLET, 2026, 10)
    ]  # fmt: skip
    assert every[0].sentence == "特例により、2025年度の10ポイントを2026年度に繰り越しました"
    arguments["on"] = date(2027, 6, 30)
    assert code_of(plan_lapse, position, 2025, rules=RULES, **arguments) == "lapse_not_due"


def test_P7_every_step_of_a_voucher_is_one_transfer_in_yen() -> None:
    named = {"programme": "p", "serial": "26-000001", "yen": 500}
    rows = exchange(Position("p", "v", {2026: 3}), 1)
    issued = replace(rows[-1], credit=Account(K.VOUCHER, "p", "26-000001"))
    balances = apply({}, [issued])
    for step in (Step.USE, Step.CLAIM, Step.PAY):
        row = plan_voucher(step, ref="1", shop="s", name="見本商店", **named)
        balances = apply(balances, [row])
        with pytest.raises(Refused, match="balance_guard"):
            apply(balances, [row])
        assert row.sentence.startswith("利用券 26-000001（500円）")
    assert balances == {
        Account(K.BUDGET, "p"): -500, Account(K.VOUCHER, "p", "26-000001"): 0,
        Account(K.SHOP_USED, "p", "s"): 0, Account(K.SHOP_PAYABLE, "p", "s"): 0,
        Account(K.PAID, "p"): 500,
    }  # fmt: skip
    for step, kind in ((Step.VOID, K.VOUCHER_VOID), (Step.LAPSE, K.VOUCHER_LAPSED)):
        after = apply(apply({}, [issued]), [plan_voucher(step, ref="1", **named)])
        assert after[Account(kind, "p")] == 500


def test_P7_an_exchange_with_a_used_voucher_cannot_be_undone() -> None:
    rows = exchange(Position("p", "v", {2026: 3}), 1)
    balances = apply({Account(K.WALLET, "p", "v", 2026): 3}, rows)
    used = plan_voucher(Step.USE, programme="p", serial="0", yen=500, ref="1", shop="s")
    balances = apply(balances, [used])
    undo = plan_undo_exchange(position_of(balances), {"1": rows[0], "2": rows[1]}, void="u")
    with pytest.raises(Refused, match="balance_guard"):
        apply(balances, undo)
    with pytest.raises(ValueError, match="not of an exchange"):
        plan_undo_exchange(position_of(balances), {"1": used}, void="u")


def test_P3_guards_refuse_a_wallet_below_and_a_shortfall_above_zero() -> None:
    wallet, shortfall = Position("p", "v").wallet(2026), Position("p", "v").shortfall
    cause = Cause(CauseKind.ATTENDANCE, "1")
    offset = Transfer(wallet, shortfall, 2, cause, "x")
    assert apply({wallet: 2, shortfall: -2}, [offset]) == {wallet: 0, shortfall: 0}
    for wrong in ({wallet: 1, shortfall: -2}, {wallet: 2, shortfall: -1}):
        assert code_of(apply, wrong, [offset]) == "balance_guard"


ISSUE, WALLET = Account(K.ISSUE, "p"), Account(K.WALLET, "p", "v", 2026)
AWARD = Cause(CauseKind.ATTENDANCE, "1")


@pytest.mark.parametrize(
    ("debit", "credit", "amount", "cause", "sentence"),
    [
        (ISSUE, WALLET, 0, AWARD, "x"),
        (ISSUE, WALLET, -1, AWARD, "x"),
        (ISSUE, WALLET, True, AWARD, "x"),
        (ISSUE, WALLET, 1.0, AWARD, "x"),
        (ISSUE, WALLET, 1, AWARD, " "),
        (ISSUE, WALLET, 1, Cause(CauseKind.ATTENDANCE, ""), "x"),
        (ISSUE, WALLET, 1, Cause(CauseKind.EXCHANGE, "1"), "x"),
        (WALLET, WALLET, 1, Cause(CauseKind.EXPIRY, "1"), "x"),
        (Account(K.BUDGET, "p"), WALLET, 1, AWARD, "x"),
        (Account(K.ISSUE, "q"), WALLET, 1, AWARD, "x"),
        (WALLET, Account(K.SHORTFALL, "p", "w"), 1, AWARD, "x"),
        (WALLET, Account(K.WALLET, "p", "w", 2027), 1, Cause(CauseKind.EXPIRY, "1"), "x"),
        (WALLET, Account(K.WALLET, "p", "v", 2025), 1, Cause(CauseKind.EXPIRY, "1"), "x"),
    ],
)
def test_P3_an_impossible_transfer_cannot_be_made(debit, credit, amount, cause, sentence) -> None:
    assert Transfer(ISSUE, WALLET, 1, AWARD, "x")
    with pytest.raises(ValueError, match="transfer"):
        Transfer(debit, credit, amount, cause, sentence)


def test_P3_legs_never_mix_units_and_accounts_name_their_owner() -> None:
    for pairs in LEGS.values():
        assert all(debit.unit is credit.unit for debit, credit in pairs)
    for arguments in ((K.ISSUE, "p", "v"), (K.WALLET, "p", "", 2026), (K.WALLET, "p", "v"),
                      (K.ISSUE, "p", "", 2026)):  # fmt: skip
        with pytest.raises(ValueError, match="account"):
            Account(*arguments)
