"""The audit of single rows: transfers, vouchers and exchanges (part of ``ledger.verify``).

Owns: each transfer against its keyed mark and the domain's rules for legs, each voucher against
its account and its exchange.  Refuses nothing; whatever differs is noted.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Sum

from points import keys
from points.domain import vouchers as domain
from points.domain.accounts import Account, AccountKind, Cause, CauseKind, Transfer
from points.domain.vouchers import State
from points.models import Account as AccountRow
from points.models import AwardDecision, Exchange, Merge, Voucher
from points.models import Transfer as TransferRow
from points.operations.posting import transfer_values
from points.queries.rulebook import Rules
from registry.access import Scope

if TYPE_CHECKING:
    from points.operations.ledger import LedgerVerdict


def check_transfers(verdict: LedgerVerdict, rules: Rules, by: Scope) -> None:
    """Every transfer, streamed: unaltered, allowed by the domain, and caused by something."""
    mark = keys.marker("transfer")
    awarded = AwardDecision.objects.visible_to(by)
    caused: dict[int, tuple[int, int]] = {
        pk: (attendance, volunteer)
        for pk, attendance, volunteer in awarded.values_list(
            "pk", "attendance_id", "volunteer_id"
        ).iterator(chunk_size=5_000)
    }
    merged = {
        str(pk): frozenset(two)
        for pk, *two in Merge.objects.visible_to(by).values_list("pk", "survivor_id", "merged_id")
    }
    rows = TransferRow.objects.visible_to(by).select_related("debit", "credit").order_by("pk")
    for row in rows.iterator(chunk_size=2_000):
        verdict.transfers += 1
        where = f"仕訳 {row.pk}"
        if mark(transfer_values(row)) != bytes(row.mark):
            verdict.add("transfer_altered", where, "記録したあとで書きかえられています")
        try:
            _as_domain(row, rules)
        except (ValueError, KeyError) as wrong:
            verdict.add("transfer_not_allowed", where, str(wrong))
        owners = {leg.volunteer_id for leg in (row.debit, row.credit)} - {None}
        if owners - {row.volunteer_id} and not (
            row.cause == CauseKind.MERGE and owners <= merged.get(row.ref, frozenset())
        ):
            verdict.add("transfer_of_other", where, "勘定とボランティアが合いません")
        if row.cause == CauseKind.ATTENDANCE and caused.get(row.decision_id or 0) != (
            int(row.ref), row.volunteer_id
        ):
            verdict.add("transfer_without_cause", where, "付与の決定がありません")


def _as_domain(row: Any, rules: Rules) -> Transfer:
    """The row as the domain's transfer; raises ``ValueError`` for what no rule allows."""
    if row.unit != row.debit.unit or row.unit != row.credit.unit:
        raise ValueError("transfer: unit differs from its accounts")
    return Transfer(
        _account(row.debit, rules), _account(row.credit, rules), row.amount,
        Cause(CauseKind(row.cause), row.ref), row.sentence,
        "" if row.corrects_id is None else str(row.corrects_id),
    )


def _account(row: Any, rules: Rules) -> Account:
    owner = next((str(o) for o in (row.volunteer_id, row.voucher_id, row.shop_id) if o), "")
    return Account(AccountKind(row.kind), rules.code_of[row.programme_id], owner, row.fiscal_year)


_SPENT = {State.ISSUED: None, State.VOID: AccountKind.VOUCHER_VOID,
          State.LAPSED: AccountKind.VOUCHER_LAPSED}


def check_vouchers(verdict: LedgerVerdict, rules: Rules, by: Scope) -> None:
    """Every voucher: its yen, where its account's money went, its exchange's count."""
    left: dict[int, int] = {}
    accounts = AccountRow.objects.visible_to(by).filter(voucher__isnull=False)
    for voucher, balance in accounts.values_list("voucher_id", "balance").iterator():
        left[voucher] = balance
    issued, gone = _moves(by)
    per_exchange: dict[UUID, int] = defaultdict(int)
    states = []
    rows = Voucher.objects.visible_to(by).order_by("pk")
    for pk, serial, state, yen, shop, exchange in rows.values_list(
        "pk", "serial", "state", "yen", "shop_id", "exchange_id"
    ).iterator():
        verdict.vouchers += 1
        per_exchange[exchange] += 1
        states.append((State(state), yen))
        where = f"利用券 {serial}"
        if issued.get(pk) != yen:
            verdict.add("voucher_yen", where, f"{yen}円は、発行の仕訳と合いません")
        if left.get(pk) != (yen if state == State.ISSUED else 0):
            verdict.add("voucher_balance", where, f"状態 {state} と残高が合いません")
        expected = _SPENT.get(State(state), AccountKind.SHOP_USED)
        if gone.get(pk) != (None if expected is None else (expected, shop, yen)):
            verdict.add("voucher_state", where, f"状態 {state} と仕訳が合いません")
    if not domain.tally(states).holds:
        verdict.add("voucher_tally", "利用券", "発行と、利用・未使用・無効・失効の和が合いません")
    _check_exchanges(per_exchange, verdict, by)


def _moves(
    by: Scope,
) -> tuple[dict[int, int], dict[int, tuple[AccountKind, int | None, int]]]:
    """voucher id → yen issued; voucher id → (where it went, shop, yen)."""
    rows = TransferRow.objects.visible_to(by).order_by()
    issued: dict[int, int] = {}
    for voucher, total in rows.filter(credit__voucher__isnull=False).values_list(
        "credit__voucher_id"
    ).annotate(total=Sum("amount")):
        issued[voucher] = total
    gone = {}
    for voucher, kind, shop, amount in rows.filter(debit__voucher__isnull=False).values_list(
        "debit__voucher_id", "credit__kind", "credit__shop_id", "amount"
    ).iterator():
        gone[voucher] = (AccountKind(kind), shop, amount)
    return issued, gone


def _check_exchanges(per_exchange: dict[UUID, int], verdict: LedgerVerdict, by: Scope) -> None:
    spent: dict[UUID, int] = {}
    rows = TransferRow.objects.visible_to(by).filter(
        cause=CauseKind.EXCHANGE, credit__kind=AccountKind.REDEEMED
    ).order_by()
    for exchange, total in rows.values_list("exchange_id").annotate(total=Sum("amount")):
        spent[exchange] = total
    known = set()
    for pk, count, points in Exchange.objects.visible_to(by).values_list("id", "count", "points"):
        known.add(pk)
        if per_exchange.get(pk, 0) != count or spent.get(pk, 0) != points:
            verdict.add("exchange_differs", f"交換 {pk}", "枚数かポイントが、券や仕訳と合いません")
    for pk in sorted((set(spent) | set(per_exchange)) - known, key=str):
        verdict.add("exchange_missing", f"交換 {pk}", "交換の記録がありません")
