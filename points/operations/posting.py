"""The open ledger of some volunteers: locked, read once, written once.

Owns the only writers of passbooks, accounts and transfers.  Everything about a volunteer's
points locks their passbook first, in the order of ids, so that two batches can wait for one
another but never in a circle.  Refuses (the database does) a balance on the wrong side of zero.
Source: P3; the plans come from ``points.domain.transfers``.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Sum

from points import keys
from points.domain.accounts import Account, AccountKind, Transfer
from points.domain.transfers import Position
from points.models import Account as AccountRow
from points.models import Passbook
from points.models import Transfer as TransferRow
from points.queries.rulebook import Rules
from registry import rows
from registry.access import Scope
from registry.domain.errors import Conflict

CITY = (
    AccountKind.ISSUE, AccountKind.REDEEMED, AccountKind.EXPIRED, AccountKind.BUDGET,
    AccountKind.PAID, AccountKind.VOUCHER_VOID, AccountKind.VOUCHER_LAPSED,
)
_PEOPLE = (AccountKind.WALLET, AccountKind.SHORTFALL)
_KINDS = {kind.value: kind for kind in AccountKind}


class Locked(NamedTuple):
    """``moved``: records that were united with another; ``united``: those that took one in."""

    moved: frozenset[int] = frozenset()
    united: frozenset[int] = frozenset()

    def current(self) -> Locked:
        """Raise ``PassbookMoved`` where one was united with another meanwhile (P8)."""
        if self.moved:
            raise PassbookMoved
        return self


class PassbookMoved(Conflict):
    """The record was united with another one: everything goes on there (P8)."""

    code = "record_merged"
    message = "この方の記録は、もう一つの記録とまとめられました。画面を開きなおしてください。"


def lock(*, volunteer_ids: Collection[int], by: Scope) -> Locked:
    """Lock the passbooks, made where missing, in the order of volunteer ids."""
    wanted = sorted(set(volunteer_ids))
    if not wanted:
        return Locked()
    mine, ids = rows.among("volunteer_id"), rows.listed(wanted)
    if connection.vendor == "postgresql":
        # What was united is read by a statement of its own, after the locks are held.
        *_, joined = rows.fetch((_OPEN, [by.at, ids]), (_LOCK, [ids]), _joined(wanted))
        return _locked(joined, wanted)
    # One writer at a time: it is the lock.
    have, joined = rows.fetch(
        (f"SELECT volunteer_id FROM points_passbook WHERE {mine}", [ids]), _joined(wanted)  # noqa: S608
    )
    known = {row[0] for row in have}
    rows.insert(Passbook, ("volunteer_id", "opened_at"),
                [(one, by.at) for one in wanted if one not in known])
    return _locked(joined, wanted)


def _joined(wanted: list[int]) -> rows.Statement:
    text = (
        "SELECT volunteer_id, moved_to_id FROM points_passbook WHERE moved_to_id IS NOT NULL"  # noqa: S608
        f" AND ({rows.among('volunteer_id')} OR {rows.among('moved_to_id')})"
    )
    return text, [rows.listed(wanted), rows.listed(wanted)]


def _locked(joined: list[tuple[Any, ...]], wanted: list[int]) -> Locked:
    return Locked(frozenset(gone for gone, _ in joined) & frozenset(wanted),
                  frozenset(kept for _, kept in joined) & frozenset(wanted))


_OPEN = (
    "INSERT INTO points_passbook (volunteer_id, opened_at) SELECT w.v, %s FROM"
    " (SELECT unnest(%s::bigint[]) AS v) w WHERE NOT EXISTS"
    " (SELECT 1 FROM points_passbook p WHERE p.volunteer_id = w.v) ORDER BY w.v"
    " ON CONFLICT DO NOTHING"
)
_LOCK = (
    "SELECT id FROM points_passbook WHERE volunteer_id = ANY(%s::bigint[])"
    " ORDER BY volunteer_id FOR UPDATE"
)


def open_city_accounts(*, programme_id: int, by: Scope) -> None:
    """The programme's own accounts, once; they hold no balance."""
    AccountRow.objects.visible_to(by).bulk_create(
        [AccountRow(kind=kind, unit=kind.unit, programme_id=programme_id) for kind in CITY]
    )


class Ledger:
    """Accounts of locked volunteers, the plans posted so far, and one write at the end."""

    def __init__(
        self, *, rules: Rules, volunteer_ids: Collection[int], by: Scope,
        read: list[tuple[Any, ...]] | None = None,
    ) -> None:
        """``read`` are the rows of ``accounts_statement``, where they were asked already."""
        self.rules, self.by = rules, by
        #: Volunteers whose record took another one in (P8), where ``lock`` told it.
        self.united: frozenset[int] = frozenset()
        self.ids: dict[Account, int] = {}
        self.balances: dict[Account, int] = {}
        self._volunteers = list(volunteer_ids)
        self._lapsed: dict[tuple[int, str], dict[int, int]] | None = None
        self._posted: list[tuple[Transfer, _Row]] = []
        self._new: dict[Account, dict[str, Any]] = {}
        self._spent: dict[Account, int] = {}
        self._wallets: dict[tuple[str, str], list[Account]] = defaultdict(list)
        if read is None:
            [read] = rows.fetch(accounts_statement(self._volunteers))
        for pk, kind, programme, volunteer, year, balance, spent in read:
            owner = "" if volunteer is None else str(volunteer)
            account = Account(_KINDS[kind], rules.code_of[programme], owner, year)
            self.know(account, pk, balance or 0)
            if account.kind is AccountKind.WALLET:
                self._wallets[owner, account.programme].append(account)
                self._spent[account] = int(spent)

    def know(self, account: Account, pk: int, balance: int) -> None:
        """An account that exists."""
        self.ids[account], self.balances[account] = pk, balance

    def create(self, account: Account, **owner: Any) -> None:
        """An account to be made by ``write``; ``owner`` names its foreign key."""
        self.balances[account] = 0
        self._new[account] = owner
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

    def awarded_at_most(self, volunteer: int, programme: str, year: int) -> int:
        """No more than this was awarded for the year before this ledger: what the wallet holds
        and all that ever left it (when read; points that came back are counted twice)."""
        if volunteer in self.united:
            return 1 << 62  # points of another record came in, without what was spent of them
        wallet = Account(AccountKind.WALLET, programme, str(volunteer), year)
        return self.balances.get(wallet, 0) + self._spent.get(wallet, 0)

    def post(
        self,
        transfers: Iterable[Transfer],
        *,
        volunteer_id: int | None,
        fiscal_year: int | None = None,
        decisions: Mapping[str, int] | None = None,
        exchange_id: UUID | None = None,
        corrects: bool = False,
    ) -> None:
        """Take a plan in; ``decisions``: ids by the cause's reference (the attendance's id)."""
        for one in transfers:
            debit, credit = one.debit, one.credit
            for account in (debit, credit):
                if account not in self.balances and account.kind in _PEOPLE:
                    self.create(account, volunteer_id=int(account.owner))
            if debit.kind.guarded:
                self.balances[debit] -= one.amount
            if credit.kind.guarded:
                self.balances[credit] += one.amount
            unit = debit.kind.unit.value
            year = debit.fiscal_year if debit.fiscal_year is not None else credit.fiscal_year
            if year is None and unit == "POINT":
                year = fiscal_year
            self._posted.append((one, _Row(
                unit, volunteer_id, year, (decisions or {}).get(one.cause.ref), exchange_id,
                int(one.corrects) if corrects and one.corrects else None,
            )))

    def write(self, *, before: Sequence[rows.Table] = (), after: Sequence[rows.Table] = ()) -> int:
        """Insert accounts and transfers, move the balances; the number of transfers.

        ``before`` and ``after`` are tables to write around it, in the same round trip
        (attendances and decisions; scans).
        """
        if not self._posted:
            rows.write([*before, *after])
            return 0
        [numbers] = rows.new_ids((AccountRow, len(self._new)))
        self.ids.update(zip(self._new, numbers, strict=True))
        mark, at = keys.marker("transfer"), instant(self.by.at)
        deltas: Counter[int] = Counter()
        written = []
        for one, row in self._posted:
            debit, credit, cause = self.ids[one.debit], self.ids[one.credit], one.cause
            values = [
                debit, credit, one.amount, row.unit, row.volunteer, row.year, cause.kind.value,
                cause.ref, row.decision, None if row.exchange is None else str(row.exchange),
                row.corrects, one.sentence,
            ]
            sealed = mark([*values, at])
            values[9] = row.exchange
            written.append((*values, self.by.at, sealed))
            if one.debit.kind.guarded:
                deltas[debit] -= one.amount
            if one.credit.kind.guarded:
                deltas[credit] += one.amount
        opened = [
            (self.ids[account], account.kind.value, account.kind.unit.value,
             deltas.pop(self.ids[account], 0), account.fiscal_year,
             self.rules.id_of[account.programme], owner.get("volunteer_id"),
             owner.get("voucher_id"), owner.get("shop_id"))
            for account, owner in self._new.items()
        ]
        rows.write(
            [*before, (AccountRow, _ACCOUNT, opened), (TransferRow, _TRANSFER, written), *after],
            also=_moves(deltas),
        )
        self._posted, self._new = [], {}
        return len(written)

    def _gone(self) -> dict[tuple[int, str], dict[int, int]]:
        """Points that lapsed and were not taken back since, by (volunteer, programme), year."""
        if self._lapsed is None:
            self._lapsed = defaultdict(dict)
            into = dict(Passbook.objects.visible_to(self.by).filter(
                moved_to_id__in=self._volunteers
            ).values_list("volunteer_id", "moved_to_id"))
            found = TransferRow.objects.visible_to(self.by).filter(
                volunteer_id__in=[*self._volunteers, *into]
            )
            for path, sign in (("credit", 1), ("debit", -1)):
                sums = found.filter(**{f"{path}__kind": AccountKind.EXPIRED}).values_list(
                    "volunteer_id", "debit__programme_id", "fiscal_year"
                ).annotate(total=Sum("amount"))
                for volunteer, programme, year, total in sums.order_by():
                    owner = into.get(volunteer, volunteer)
                    years = self._lapsed[owner, self.rules.code_of[programme]]
                    years[year] = years.get(year, 0) + sign * total
        return self._lapsed


class _Row(NamedTuple):
    """What a transfer's row has besides the transfer itself."""

    unit: str
    volunteer: int | None
    year: int | None
    decision: int | None
    exchange: UUID | None
    corrects: int | None


_ACCOUNT = ("id", "kind", "unit", "balance", "fiscal_year", "programme_id", "volunteer_id",
            "voucher_id", "shop_id")
_TRANSFER = ("debit_id", "credit_id", "amount", "unit", "volunteer_id", "fiscal_year", "cause",
             "ref", "decision_id", "exchange_id", "corrects_id", "sentence", "at", "mark")


def accounts_statement(volunteer_ids: Collection[int]) -> rows.Statement:
    """The volunteers' accounts, with what ever left each wallet, and the city's own."""
    columns = "a.id, a.kind, a.programme_id, a.volunteer_id, a.fiscal_year, a.balance"
    text = (
        f"SELECT {columns}, CASE WHEN a.kind = 'wallet' THEN coalesce((SELECT sum(t.amount)"  # noqa: S608
        " FROM points_transfer t WHERE t.debit_id = a.id), 0) ELSE 0 END"
        f" FROM points_account a WHERE {rows.among('a.volunteer_id')} UNION ALL"
        f" SELECT {columns}, 0 FROM points_account a WHERE a.volunteer_id IS NULL"
        " AND a.shop_id IS NULL AND a.voucher_id IS NULL"
    )
    return text, [rows.listed(set(volunteer_ids))]


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


def _moves(deltas: Mapping[int, int]) -> list[rows.Statement]:
    """Add to stored balances, one statement for any number of accounts, in the order of ids."""
    pairs = [[pk, delta] for pk, delta in sorted(deltas.items()) if delta]
    return [(_MOVE[connection.vendor], [json.dumps(pairs)])] if pairs else []


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
