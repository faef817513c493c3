"""P3: each account has one unit, and no transfer mixes units, persons or years."""

from __future__ import annotations

import pytest

from points.domain.accounts import Account, AccountKind, Cause, CauseKind, Transfer, Unit

K = AccountKind


def wallet(year: int, owner: str = "1") -> Account:
    return Account(K.WALLET, "p", owner, year)


def move(debit: Account, credit: Account, cause: CauseKind) -> Transfer:
    return Transfer(debit, credit, 1, Cause(cause, "1"), "説明")


def test_P3_points_and_yen_are_kept_apart() -> None:
    points = {K.WALLET, K.SHORTFALL, K.ISSUE, K.REDEEMED, K.EXPIRED}
    assert {kind: kind.unit for kind in K} == {
        kind: Unit.POINT if kind in points else Unit.JPY for kind in K}
    with pytest.raises(ValueError, match="two units"):
        move(Account(K.ISSUE, "p"), Account(K.VOUCHER, "p", "s"), CauseKind.EXCHANGE)


def test_P2_a_remainder_goes_to_a_later_year_only() -> None:
    assert move(wallet(2025), wallet(2026), CauseKind.EXPIRY).amount == 1
    for debit, credit in ((2026, 2025), (2026, 2026)):
        with pytest.raises(ValueError):
            move(wallet(debit), wallet(credit), CauseKind.EXPIRY)


def test_P8_a_merge_keeps_points_in_their_year() -> None:
    assert move(wallet(2025), wallet(2025, "2"), CauseKind.MERGE).amount == 1
    with pytest.raises(ValueError, match="merge keeps points in their year"):
        move(wallet(2025), wallet(2026, "2"), CauseKind.MERGE)
