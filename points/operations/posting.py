"""The open ledger of some volunteers: locked, read once, written once.

Owns the only writers of passbooks, accounts and transfers.  Everything about a volunteer's
points locks their passbook first, in the order of ids, so that two batches can wait for one
another but never in a circle.  Refuses (the database does) a balance on the wrong side of zero.
Source: P3; the plans come from ``points.domain.transfers``.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, Sum

from points import keys
from points.domain.accounts import Account, AccountKind, Transfer
from points.domain.transfers import Position
from points.models import Account as AccountRow
from points.models import Passbook
from points.models import Transfer as TransferRow
from points.queries.rulebook import Rules
from registry.access import Scope

CITY = (
    AccountKind.ISSUE, AccountKind.REDEEMED, AccountKind.EXPIRED, AccountKind.BUDGET,
    AccountKind.PAID, AccountKind.VOUCHER_VOID, AccountKind.VOUCHER_LAPSED,
)
_PEOPLE = (AccountKind.WALLET, AccountKind.SHORTFALL)


def lock(*, volunteer_ids: Collection[int], by: Scope) -> None:
    """Lock the passbooks, made where missing, in the order of volunteer ids."""
    wanted = sorted(set(volunteer_ids))
    rows = Passbook.objects.visible_to(by).filter(volunteer_id__in=wanted)
    have = set(rows.values_list("volunteer_id", flat=True))
    missing = [Passbook(volunteer_id=one, opened_at=by.at) for one in wanted if one not in have]
    if missing:
        Passbook.objects.visible_to(by).bulk_create(missing, ignore_conflicts=True)
    list(rows.select_for_update().order_by("volunteer_id").values_list("pk", flat=True))


def open_city_accounts(*, programme_id: int, by: Scope) -> None:
    """The programme's own accounts, once; they hold no balance."""
    AccountRow.objects.visible_to(by).bulk_create(
        [AccountRow(kind=kind, unit=kind.unit, programme_id=programme_id) for kind in CITY]
    )


class Ledger:
    """Accounts of locked volunteers, the plans posted so far, and one write at the end."""

    def __init__(self, *, rules: Rules, volunteer_ids: Collection[int], by: Scope) -> None:
        self.rules, self.by = rules, by
        self.ids: dict[Account, int] = {}
        self.balances: dict[Account, int] = {}
        self._volunteers = list(volunteer_ids)
        self._lapsed: dict[tuple[int, str], dict[int, int]] | None = None
        self._posted: list[tuple[Transfer, TransferRow]] = []
        self._new: dict[Account, AccountRow] = {}
        rows = AccountRow.objects.visible_to(by).filter(
            Q(volunteer_id__in=self._volunteers)
            | Q(volunteer__isnull=True, voucher__isnull=True, shop__isnull=True)
        )
        for pk, kind, programme, volunteer, year, balance in rows.values_list(
            "pk", "kind", "programme_id", "volunteer_id", "fiscal_year", "balance"
        ):
            owner = "" if volunteer is None else str(volunteer)
            self.know(Account(AccountKind(kind), rules.code_of[programme], owner, year),
                      pk, balance or 0)
        self._wallets: dict[tuple[str, str], list[Account]] = defaultdict(list)
        for account in self.ids:
            if account.kind is AccountKind.WALLET:
                self._wallets[account.owner, account.programme].append(account)

    def know(self, account: Account, pk: int, balance: int) -> None:
        """An account that exists."""
        self.ids[account], self.balances[account] = pk, balance

    def create(self, account: Account, **owner: Any) -> None:
        """An account to be made by ``write``; ``owner`` names its foreign key."""
        self.balances[account] = 0
        self._new[account] = AccountRow(
            kind=account.kind, unit=account.kind.unit, balance=0, fiscal_year=account.fiscal_year,
            programme_id=self.rules.id_of[account.programme], **owner,
        )
        if account.kind is AccountKind.WALLET:
            self._wallets[account.owner, account.programme].append(account)

    def position(self, volunteer: int, programme: str, *, lapsed: bool = True) -> Position:
        """What the volunteer has in the programme, everything posted so far included."""
        owner = str(volunteer)
        wallets = {
            account.fiscal_year or 0: self.balances[account]
            for account in self._wallets[owner, programme]
        }
        owed = -self.balances.get(Account(AccountKind.SHORTFALL, programme, owner), 0)
        gone = self._gone().get((volunteer, programme), {}) if lapsed else {}
        return Position(programme, owner, wallets, owed, dict(gone))

    def balance(self, volunteer: int, programme: str) -> int:
        """Points there are, of every year."""
        return sum(self.balances[a] for a in self._wallets[str(volunteer), programme])

    def post(
        self,
        transfers: Iterable[Transfer],
        *,
        volunteer_id: int | None,
        fiscal_year: int | None = None,
        decisions: Mapping[str, Any] | None = None,
        exchange_id: UUID | None = None,
        corrects: bool = False,
    ) -> None:
        """Take a plan in; ``decisions`` by the cause's reference (the attendance's id)."""
        for one in transfers:
            for account in (one.debit, one.credit):
                if account not in self.balances and account.kind in _PEOPLE:
                    self.create(account, volunteer_id=int(account.owner))
            if one.debit.kind.guarded:
                self.balances[one.debit] -= one.amount
            if one.credit.kind.guarded:
                self.balances[one.credit] += one.amount
            year = next(
                (a.fiscal_year for a in (one.debit, one.credit) if a.fiscal_year is not None),
                fiscal_year if one.debit.kind.unit == "POINT" else None,
            )
            row = TransferRow(
                amount=one.amount, unit=one.debit.kind.unit, volunteer_id=volunteer_id,
                fiscal_year=year, cause=one.cause.kind, ref=one.cause.ref,
                decision=(decisions or {}).get(one.cause.ref), exchange_id=exchange_id,
                corrects_id=int(one.corrects) if corrects and one.corrects else None,
                sentence=one.sentence, at=self.by.at,
            )
            self._posted.append((one, row))

    def write(self) -> int:
        """Insert accounts and transfers, move the balances; the number of transfers."""
        if not self._posted:
            return 0
        manager = AccountRow.objects.visible_to(self.by)
        made = manager.bulk_create(list(self._new.values()))
        for account, row in zip(self._new, made, strict=True):
            self.ids[account] = row.pk
        mark = keys.marker("transfer")
        deltas: Counter[int] = Counter()
        for one, row in self._posted:
            row.debit_id, row.credit_id = self.ids[one.debit], self.ids[one.credit]
            row.mark = mark(transfer_values(row))
            if one.debit.kind.guarded:
                deltas[row.debit_id] -= one.amount
            if one.credit.kind.guarded:
                deltas[row.credit_id] += one.amount
        rows = [row for _, row in self._posted]
        TransferRow.objects.visible_to(self.by).bulk_create(rows)
        move_balances(deltas)
        self._posted, self._new = [], {}
        return len(rows)

    def _gone(self) -> dict[tuple[int, str], dict[int, int]]:
        """Points that lapsed and were not taken back since, by (volunteer, programme), year."""
        if self._lapsed is None:
            self._lapsed = defaultdict(dict)
            rows = TransferRow.objects.visible_to(self.by).filter(
                volunteer_id__in=self._volunteers
            )
            for path, sign in (("credit", 1), ("debit", -1)):
                sums = rows.filter(**{f"{path}__kind": AccountKind.EXPIRED}).values_list(
                    "volunteer_id", "debit__programme_id", "fiscal_year"
                ).annotate(total=Sum("amount"))
                for volunteer, programme, year, total in sums.order_by():
                    years = self._lapsed[volunteer, self.rules.code_of[programme]]
                    years[year] = years.get(year, 0) + sign * total
        return self._lapsed


def transfer_values(row: TransferRow) -> list[Any]:
    """What the keyed mark of a transfer covers: every column but the id and the mark."""
    return [
        row.debit_id, row.credit_id, row.amount, str(row.unit), row.volunteer_id,
        row.fiscal_year, str(row.cause), row.ref, row.decision_id,
        None if row.exchange_id is None else str(row.exchange_id), row.corrects_id, row.sentence,
        instant(row.at),
    ]


def instant(at: datetime) -> str:
    """An instant as the marks write it, the same from every engine."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def move_balances(deltas: Mapping[int, int]) -> None:
    """Add to stored balances, one statement for any number of accounts, in the order of ids."""
    pairs = [[pk, delta] for pk, delta in sorted(deltas.items()) if delta]
    if not pairs:
        return
    with connection.cursor() as cursor:
        cursor.execute(_MOVE[connection.vendor], [json.dumps(pairs)])


_MOVE = {
    "postgresql": (
        "UPDATE points_account SET balance = balance + v.d FROM (SELECT (j->>0)::bigint AS i,"
        " (j->>1)::bigint AS d FROM jsonb_array_elements(%s::jsonb) j) v"
        " WHERE points_account.id = v.i"
    ),
    "sqlite": (
        "UPDATE points_account SET balance = balance + v.d FROM (SELECT"
        " json_extract(value, '$[0]') AS i, json_extract(value, '$[1]') AS d"
        " FROM json_each(%s)) v WHERE points_account.id = v.i"
    ),
}
