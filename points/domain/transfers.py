"""What moves in the ledger: plans of transfers, from balances to rows, nothing written here.

Owns: the posting of award changes (with 返還待ち), of an exchange, its undoing, of lapse and
of each step of a voucher.  After every plan a person has points **or** a shortfall, never
both, and no wallet is below zero.
Refuses: an exchange outside the window, beyond the year's vouchers or the points there are;
a lapse before its day; a step of a voucher that does not follow (``vouchers.py``).
Source: P1 (void after exchange), P3 (the fiscal year is the lot, oldest first), P7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from points.domain.accounts import Account, AccountKind, Cause, CauseKind, Transfer
from points.domain.awards import Change, Limit
from points.domain.rules import Remainder, RuleSet, YearTerms
from points.domain.vouchers import Step
from registry.domain.errors import Refused

_K = AccountKind


@dataclass(frozen=True, slots=True)
class Position:
    """One volunteer in one programme: points per fiscal year, points owed (返還待ち, ≥ 0).

    ``lapsed``: points of a year that expired, so that a later void is not owed twice.
    """

    programme: str
    volunteer: str
    wallets: Mapping[int, int] = field(default_factory=dict)
    owed: int = 0
    lapsed: Mapping[int, int] = field(default_factory=dict)

    def wallet(self, year: int) -> Account:
        """The account of one fiscal year's points."""
        return Account(_K.WALLET, self.programme, self.volunteer, year)

    @property
    def shortfall(self) -> Account:
        """返還待ち."""
        return Account(_K.SHORTFALL, self.programme, self.volunteer)


class _Plan:
    """A plan being made: rows so far, and what is left where."""

    def __init__(self, position: Position) -> None:
        self.position = position
        self.left = dict(position.wallets)
        self.lapsed = dict(position.lapsed)
        self.owed = position.owed
        self.rows: list[Transfer] = []

    def city(self, kind: AccountKind) -> Account:
        return Account(kind, self.position.programme)

    def move(self, debit: Account, credit: Account, amount: int, cause: Cause, said: str) -> None:
        if amount:
            self.rows.append(Transfer(debit, credit, amount, cause, said))

    def offset(self, cause: Cause) -> list[Transfer]:
        """Pay what is owed from whatever there is, oldest year first."""
        for year in sorted(self.left):
            amount = min(self.owed, self.left[year])
            self.owed -= amount
            self.left[year] -= amount
            said = f"返還待ちの{amount}ポイントに充てました（{year}年度のポイントから）"
            self.move(self.position.wallet(year), self.position.shortfall, amount, cause, said)
        return self.rows


def plan_awards(
    position: Position, changes: Sequence[Change], *, fiscal_year: int
) -> list[Transfer]:
    """Post the differences of one fiscal year: additions first, so little is ever owed.

    A deduction takes the year's wallet, then what of it lapsed, then other years, then 返還待ち.
    """
    plan = _Plan(position)
    issue, wallet = plan.city(_K.ISSUE), position.wallet(fiscal_year)
    plan.left.setdefault(fiscal_year, 0)
    last: Cause | None = None
    for change in (c for c in changes if c.difference > 0):
        last = Cause(CauseKind.ATTENDANCE, str(change.attendance))
        plan.left[fiscal_year] += change.difference
        plan.move(issue, wallet, change.difference, last, _award_sentence(change))
    for change in (c for c in changes if c.difference < 0):
        cause, said, rest = (
            Cause(CauseKind.ATTENDANCE, str(change.attendance)),
            _award_sentence(change),
            -change.difference,
        )
        last = last or cause
        own = min(rest, plan.left[fiscal_year])
        plan.left[fiscal_year] -= own
        plan.move(wallet, issue, own, cause, said)
        gone = min(rest - own, plan.lapsed.get(fiscal_year, 0))
        plan.lapsed[fiscal_year] = plan.lapsed.get(fiscal_year, 0) - gone
        plan.move(plan.city(_K.EXPIRED), issue, gone, cause, f"{said}（失効した分から）")
        rest -= own + gone
        plan.owed += rest
        plan.move(position.shortfall, issue, rest, cause, f"{said}（{rest}ポイントは返還待ち）")
    return plan.offset(last) if last else []


def plan_exchange(
    position: Position,
    serials: Sequence[str],
    *,
    exchange: str,
    rules: RuleSet,
    terms: Mapping[int, YearTerms],
    on: date,
    taken: int,
) -> list[Transfer]:
    """Turn points into ``len(serials)`` vouchers, oldest year in its window first.

    ``terms`` by fiscal year; ``taken``: vouchers already exchanged in this fiscal year, those
    voided not counted.  Years whose voucher is worth another amount never share one voucher.
    Raises ``Refused``: ``no_vouchers``, ``vouchers_limit``, ``exchange_closed``,
    ``not_enough_points``.
    """
    if not serials or len(set(serials)) < len(serials):
        raise Refused("利用券の枚数を入れてください。", code="no_vouchers")
    most = rules.vouchers_per_year
    if most is not None and taken + len(serials) > most:
        said = f"利用券は年に{most}枚までです。あと{max(0, most - taken)}枚交換できます。"
        raise Refused(said, code="vouchers_limit", fields={"count": said})
    lots = [year for year in sorted(terms) if _open(terms[year], on)]
    if not lots:
        raise Refused("いまは交換の期間ではありません。", code="exchange_closed")
    plan, cause = _Plan(position), Cause(CauseKind.EXCHANGE, exchange)
    price, waiting = rules.points_per_voucher, list(serials)
    spent: dict[int, int] = {}
    worth: list[tuple[str, int]] = []
    for yen in dict.fromkeys(terms[year].yen_value for year in lots):
        alike = [year for year in lots if terms[year].yen_value == yen]
        count = min(len(waiting), sum(plan.left.get(year, 0) for year in alike) // price)
        worth += [(serial, yen) for serial in waiting[:count]]
        del waiting[:count]
        need = count * price
        for year in alike:
            amount = min(need, plan.left.get(year, 0))
            need -= amount
            spent[year] = spent.get(year, 0) + amount
    if waiting:
        said = f"ポイントが足りません。いま交換できるのは{len(worth)}枚です。"
        raise Refused(said, code="not_enough_points", fields={"count": said})
    for year, amount in sorted(spent.items()):
        said = f"利用券{len(serials)}枚と交換（{year}年度のポイントから{amount}ポイント）"
        plan.move(position.wallet(year), plan.city(_K.REDEEMED), amount, cause, said)
    for serial, yen in worth:
        voucher = Account(_K.VOUCHER, position.programme, serial)
        plan.move(plan.city(_K.BUDGET), voucher, yen, cause, f"利用券 {serial}（{yen}円）を発行")
    return plan.rows


def plan_undo_exchange(
    position: Position, originals: Mapping[str, Transfer], *, void: str
) -> list[Transfer]:
    """Take back a whole exchange: its vouchers void, its points return to their years.

    ``originals``: the exchange's rows by id; each is named by its correction.  What is owed
    is paid from the points that return.  A used voucher stops it at its balance guard.
    """
    plan, cause = _Plan(position), Cause(CauseKind.VOID, void)
    for row_id, row in originals.items():
        if row.debit.kind is _K.WALLET:
            year = row.debit.fiscal_year or 0
            plan.left[year] = plan.left.get(year, 0) + row.amount
            said = f"交換を取り消し、{year}年度に{row.amount}ポイントを戻しました"
            back = Transfer(row.credit, row.debit, row.amount, cause, said, row_id)
        elif row.credit.kind is _K.VOUCHER:
            said = f"交換を取り消し、利用券 {row.credit.owner} を無効にしました"
            gone = plan.city(_K.VOUCHER_VOID)
            back = Transfer(row.credit, gone, row.amount, cause, said, row_id)
        else:
            raise ValueError(f"transfer {row_id} is not of an exchange")
        plan.rows.append(back)
    return plan.offset(cause)


def plan_lapse(
    position: Position, year: int, *, expiry: str, rules: RuleSet, terms: YearTerms, on: date,
    carries_all: bool = False,
) -> list[Transfer]:
    """Empty a year's wallet on its lapse day: the remainder carries over if the rule says so.

    ``carries_all``: an approved exception carries every point.  Raises ``Refused``
    (``lapse_not_due``).
    """
    if on < terms.lapses_on:
        raise Refused("失効日になっていません。", code="lapse_not_due")
    plan, cause = _Plan(position), Cause(CauseKind.EXPIRY, expiry)
    points = position.wallets.get(year, 0)
    carried = points % rules.points_per_voucher if rules.remainder is Remainder.CARRY else 0
    said = f"{year}年度の端数{carried}ポイントを{year + 1}年度に繰り越しました"
    if carries_all:
        carried = points
        said = f"特例により、{year}年度の{carried}ポイントを{year + 1}年度に繰り越しました"
    plan.move(position.wallet(year), position.wallet(year + 1), carried, cause, said)
    lost = points - carried
    said = f"{year}年度の{lost}ポイントは期限が過ぎたため失効しました"
    plan.move(position.wallet(year), plan.city(_K.EXPIRED), lost, cause, said)
    return plan.rows


def plan_voucher(
    step: Step, *, programme: str, serial: str, yen: int, ref: str, shop: str = "", name: str = ""
) -> Transfer:
    """The transfer of one step of a voucher (P7); ``shop`` for use, claim and pay.

    ``name`` is the shop's, for the sentence; ``ref`` the use, settlement, void or expiry.
    """
    debit, credit, cause, words = _STEPS[step]

    def account(kind: AccountKind) -> Account:
        owner = serial if kind is _K.VOUCHER else shop if kind.guarded else ""
        return Account(kind, programme, owner)

    said = f"利用券 {serial}（{yen}円）{words}" + (f"：{name}" if name else "")
    return Transfer(account(debit), account(credit), yen, Cause(cause, ref), said)


_STEPS: Mapping[Step, tuple[AccountKind, AccountKind, CauseKind, str]] = {
    Step.USE: (_K.VOUCHER, _K.SHOP_USED, CauseKind.USE, "を利用"),
    Step.CLAIM: (_K.SHOP_USED, _K.SHOP_PAYABLE, CauseKind.SETTLEMENT, "を請求"),
    Step.PAY: (_K.SHOP_PAYABLE, _K.PAID, CauseKind.SETTLEMENT, "を支払い"),
    Step.VOID: (_K.VOUCHER, _K.VOUCHER_VOID, CauseKind.VOID, "を無効に"),
    Step.LAPSE: (_K.VOUCHER, _K.VOUCHER_LAPSED, CauseKind.EXPIRY, "が期限切れ"),
}


def _open(terms: YearTerms, on: date) -> bool:
    """A closed year takes no records, but its points are good until they lapse (P3)."""
    return terms.in_window(on)


def _award_sentence(change: Change) -> str:
    if change.first and change.difference > 0:
        return change.share.sentence
    turn = "取り消し" if change.share.limit is Limit.VOID else "訂正"
    return f"{turn} {change.difference:+d}ポイント：{change.share.sentence}"
