"""Accounts and transfers: one row is both legs, so the ledger sums to zero by construction.

Owns: the kinds of account with their unit and guard, the transfer, which cause may move
what, and the running of transfers over balances.
Refuses: an amount that is not a positive integer, two units or programmes in one transfer,
legs that no rule knows, a transfer without a sentence, a balance beyond its guard.
Source: P3; the shape follows the transfer of TigerBeetle.  An amount moves from ``debit``
to ``credit``: balance = Σ credited - Σ debited.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from registry.domain.errors import Refused


class Unit(StrEnum):
    """POINT ポイント, JPY 円."""

    POINT = "POINT"
    JPY = "JPY"


class AccountKind(StrEnum):
    """勘定の種類. Guarded kinds store a balance under a constraint; the rest are sums."""

    WALLET = "wallet"  # volunteer x programme x fiscal year: the lot
    SHORTFALL = "shortfall"  # 返還待ち: volunteer x programme, never above zero
    ISSUE = "issue"
    REDEEMED = "redeemed"
    EXPIRED = "expired"
    BUDGET = "budget"
    VOUCHER = "voucher"  # one voucher; 未使用 = the sum of these
    SHOP_USED = "shop_used"  # shop: taken, not yet claimed
    SHOP_PAYABLE = "shop_payable"  # shop: claimed, not yet paid
    PAID = "paid"
    VOUCHER_VOID = "voucher_void"
    VOUCHER_LAPSED = "voucher_lapsed"

    @property
    def unit(self) -> Unit:
        """The account's only unit."""
        return Unit.POINT if self in _POINT_KINDS else Unit.JPY

    @property
    def guarded(self) -> bool:
        """Whether a balance is stored and may not pass zero."""
        return self in _OWNED

    def allows(self, balance: int) -> bool:
        """The database constraint: wallets, vouchers, shops ≥ 0; 返還待ち ≤ 0."""
        if self is AccountKind.SHORTFALL:
            return balance <= 0
        return balance >= 0 or not self.guarded


_K = AccountKind
_POINT_KINDS = frozenset({_K.WALLET, _K.SHORTFALL, _K.ISSUE, _K.REDEEMED, _K.EXPIRED})
_OWNED = frozenset({_K.WALLET, _K.SHORTFALL, _K.VOUCHER, _K.SHOP_USED, _K.SHOP_PAYABLE})


class CauseKind(StrEnum):
    """What made a transfer: 参加記録, 交換, 利用, 換金, 取消, 失効, 記録の統合."""

    ATTENDANCE = "attendance"
    EXCHANGE = "exchange"
    USE = "use"
    SETTLEMENT = "settlement"
    VOID = "void"
    EXPIRY = "expiry"
    MERGE = "merge"  # two records of one person (P8)


LEGS: Mapping[CauseKind, frozenset[tuple[AccountKind, AccountKind]]] = {
    CauseKind.ATTENDANCE: frozenset(
        {
            (_K.ISSUE, _K.WALLET),
            (_K.WALLET, _K.ISSUE),
            (_K.EXPIRED, _K.ISSUE),
            (_K.SHORTFALL, _K.ISSUE),
            (_K.WALLET, _K.SHORTFALL),
        }
    ),
    CauseKind.EXCHANGE: frozenset({(_K.WALLET, _K.REDEEMED), (_K.BUDGET, _K.VOUCHER)}),
    CauseKind.USE: frozenset({(_K.VOUCHER, _K.SHOP_USED)}),
    CauseKind.SETTLEMENT: frozenset({(_K.SHOP_USED, _K.SHOP_PAYABLE), (_K.SHOP_PAYABLE, _K.PAID)}),
    CauseKind.VOID: frozenset(
        {(_K.VOUCHER, _K.VOUCHER_VOID), (_K.REDEEMED, _K.WALLET), (_K.WALLET, _K.SHORTFALL)}
    ),
    CauseKind.EXPIRY: frozenset(
        {(_K.WALLET, _K.EXPIRED), (_K.WALLET, _K.WALLET), (_K.VOUCHER, _K.VOUCHER_LAPSED)}
    ),
    CauseKind.MERGE: frozenset(
        {(_K.WALLET, _K.WALLET), (_K.SHORTFALL, _K.SHORTFALL), (_K.WALLET, _K.SHORTFALL)}
    ),
}


@dataclass(frozen=True, slots=True)
class Account:
    """``owner``: volunteer, voucher serial or shop; "" for the programme's own accounts."""

    kind: AccountKind
    programme: str
    owner: str = ""
    fiscal_year: int | None = None

    def __post_init__(self) -> None:
        if bool(self.owner) != self.kind.guarded:
            raise ValueError(f"account {self.kind}: owner given or missing")
        if (self.fiscal_year is not None) != (self.kind is AccountKind.WALLET):
            raise ValueError(f"account {self.kind}: only a wallet has a fiscal year")


@dataclass(frozen=True, slots=True)
class Cause:
    """``ref`` is the id of the attendance, exchange, settlement … that made the transfer."""

    kind: CauseKind
    ref: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """``amount`` > 0 moves from ``debit`` to ``credit``. ``corrects`` names a mistaken row."""

    debit: Account
    credit: Account
    amount: int
    cause: Cause
    sentence: str
    corrects: str = ""

    def __post_init__(self) -> None:
        debit, credit = self.debit, self.credit
        if type(self.amount) is not int or self.amount < 1:
            raise ValueError("transfer: amount must be a positive integer")
        if debit.kind.unit is not credit.kind.unit:
            raise ValueError("transfer: two units")
        if debit.programme != credit.programme or debit == credit:
            raise ValueError("transfer: two programmes, or one account twice")
        if (debit.kind, credit.kind) not in LEGS[self.cause.kind]:
            raise ValueError(
                f"transfer: {self.cause.kind} does not move {debit.kind} to {credit.kind}"
            )
        if not self.cause.ref or not self.sentence.strip():
            raise ValueError("transfer: cause and sentence are needed")
        if {debit.kind, credit.kind} <= {AccountKind.WALLET, AccountKind.SHORTFALL}:
            self._check_person()

    def _check_person(self) -> None:
        """Points stay with a person and in their year, but for a remainder that is carried.

        A merge moves like to like: between two records of one person, within the year.
        """
        debit, credit = self.debit, self.credit
        merges = self.cause.kind is CauseKind.MERGE and debit.kind is credit.kind
        if merges == (debit.owner == credit.owner):
            raise ValueError("transfer: points never move between persons")
        if credit.kind is not AccountKind.WALLET or debit.kind is not AccountKind.WALLET:
            return
        if merges and credit.fiscal_year != debit.fiscal_year:
            raise ValueError("transfer: a merge keeps points in their year")
        if not merges and (credit.fiscal_year or 0) <= (debit.fiscal_year or 0):
            raise ValueError("transfer: a remainder is carried to a later year only")


def post(balances: Mapping[Account, int], transfers: Iterable[Transfer]) -> dict[Account, int]:
    """Balances after ``transfers`` in order; missing accounts are 0.

    Raises ``Refused`` (``balance_guard``) where the database constraint would.
    """
    after = dict(balances)
    for transfer in transfers:
        after[transfer.debit] = after.get(transfer.debit, 0) - transfer.amount
        after[transfer.credit] = after.get(transfer.credit, 0) + transfer.amount
        for account in (transfer.debit, transfer.credit):
            if not account.kind.allows(after[account]):
                raise Refused("残高が足りません。", code="balance_guard")
    return after


def posted(transfers: Iterable[Transfer]) -> dict[str, int]:
    """Net points issued per attendance id: what ``verify_ledger`` compares with the shares."""
    net: dict[str, int] = {}
    for transfer in transfers:
        if transfer.cause.kind is CauseKind.ATTENDANCE:
            sign = (transfer.debit.kind is AccountKind.ISSUE) - (
                transfer.credit.kind is AccountKind.ISSUE
            )
            net[transfer.cause.ref] = net.get(transfer.cause.ref, 0) + sign * transfer.amount
    return net
