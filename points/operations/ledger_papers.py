"""The audit of exchanges and vouchers column by column (part of ``ledger.verify``).

Owns: each exchange against the transfers that carry its id (they are sealed by a mark), each
voucher against its exchange, its sealed code and the transfer of its use.  A row changed behind
the database's back differs from what was sealed.  Refuses nothing; whatever differs is noted.
Not judged: ``valid_until``, which an approved exception to a year may have moved.  Source: P3, P7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from points import keys
from points.domain.accounts import AccountKind, CauseKind
from points.domain.rules import fiscal_year
from points.models import Exchange, Merge, Voucher
from points.models import Transfer as TransferRow
from points.queries.rulebook import Rules
from registry.access import Scope, day_of
from registry.sealing import CannotOpen, unseal

if TYPE_CHECKING:
    from points.operations.ledger import LedgerVerdict


def check_papers(verdict: LedgerVerdict, rules: Rules, by: Scope) -> None:
    """Every exchange and every voucher, streamed; a constant number of statements."""
    one_person = _Merged(by)
    exchanges: dict[UUID, Any] = {}
    spent = _spent(by)
    for row in Exchange.objects.visible_to(by).order_by("id").iterator(chunk_size=2_000):
        exchanges[row.id] = row
        where = f"交換 {row.id}"
        sealed = spent.get((row.id, CauseKind.EXCHANGE))
        undone = spent.get((row.id, CauseKind.VOID))
        if sealed is not None and (
            not one_person.same(row.volunteer_id, sealed[0])
            or (row.programme_id, row.at) != sealed[1:]
            or row.fiscal_year != fiscal_year(day_of(row.at))
        ):
            verdict.add("exchange_altered", where, "交換の記録が、仕訳と合いません")
        if row.undone_at != (None if undone is None else undone[2]):
            verdict.add("exchange_undone", where, "取り消しの記録が、仕訳と合いません")
    used = _used(by)
    for row in Voucher.objects.visible_to(by).order_by("pk").iterator(chunk_size=2_000):
        where, made = f"利用券 {row.serial}", exchanges.get(row.exchange_id)
        if made is not None and (
            not one_person.same(row.volunteer_id, made.volunteer_id)
            or (row.programme_id, row.fiscal_year) != (made.programme_id, made.fiscal_year)
        ):
            verdict.add("voucher_altered", where, "利用券が、その交換と合いません")
        if not _opens(row):
            verdict.add("voucher_code", where, "券番号とコードが合いません")
        if (None if row.use_request is None else (str(row.use_request), row.used_at)) != used.get(
            row.pk
        ):
            verdict.add("voucher_use", where, "使われた記録が、仕訳と合いません")


class _Merged:
    """Records of one person: a merge moves what is owned, sealed rows keep the first owner."""

    def __init__(self, by: Scope) -> None:
        self._into = dict(
            Merge.objects.visible_to(by).order_by("pk").values_list("merged_id", "survivor_id")
        )

    def same(self, one: int | None, other: int | None) -> bool:
        """Whether both are the same person now."""
        return self._last(one) == self._last(other)

    def _last(self, one: int | None) -> int | None:
        while one in self._into:
            one = self._into[one]
        return one


def _spent(by: Scope) -> dict[tuple[UUID, str], tuple[int, int, Any]]:
    """(exchange, cause) → volunteer, programme and time of its transfers of points."""
    rows = TransferRow.objects.visible_to(by).filter(
        exchange__isnull=False, cause__in=[CauseKind.EXCHANGE, CauseKind.VOID], unit="POINT",
    ).order_by("pk")
    return {
        (exchange, cause): (volunteer, programme, at)
        for exchange, cause, volunteer, programme, at in rows.values_list(
            "exchange_id", "cause", "volunteer_id", "debit__programme_id", "at"
        ).iterator()
    }


def _used(by: Scope) -> dict[int, tuple[str, Any]]:
    """voucher → request and time of its use, as the transfer has them."""
    rows = TransferRow.objects.visible_to(by).filter(
        cause=CauseKind.USE, debit__kind=AccountKind.VOUCHER
    )
    return {voucher: (ref, at) for voucher, ref, at in rows.values_list(
        "debit__voucher_id", "ref", "at").iterator()}


def _opens(row: Any) -> bool:
    """Whether the sealed code belongs to this serial and gives this digest."""
    try:
        code = unseal(bytes(row.sealed_code), context=f"voucher:{row.serial}").decode()
    except CannotOpen:
        return False
    return keys.voucher_digest(code) == bytes(row.digest)
