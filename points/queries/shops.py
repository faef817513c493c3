"""A shop's vouchers: what it took, when, and what is owed (P7).

Owns the shop's list.  A shop sees the vouchers it took itself, never who used them; the
council sees every shop's.  Refuses the rest (not found).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from points.models import Voucher
from registry.access import JAPAN, Scope
from registry.domain.errors import NotFound
from registry.domain.roles import Permission


@dataclass(frozen=True)
class VoucherUse:
    """One voucher taken; no name of who used it."""

    serial: str
    yen: int
    used_at: datetime
    state: str
    programme: str


@dataclass(frozen=True)
class ShopUses:
    """A shop's vouchers from ``first`` to ``last``; newest first."""

    shop_id: int
    first: date
    last: date
    uses: tuple[VoucherUse, ...]
    yen: int


def voucher_uses(
    scope: Scope, *, first: date, last: date, shop_id: int | None = None
) -> ShopUses:
    """Vouchers a shop took in a period (its own one by default).  One query.

    Raises ``NotFound`` for another shop, or without any.
    """
    shop = shop_id
    if shop is None and len(scope.organisations) == 1:
        shop = next(iter(scope.organisations))
    own = scope.may(Permission.VOUCHERS_REDEEM) and shop in scope.organisations
    if shop is None or not (own or scope.may(Permission.STATEMENTS_VIEW)):
        raise NotFound
    begins = datetime.combine(first, time(), JAPAN)
    ends = datetime.combine(last + timedelta(days=1), time(), JAPAN)
    rows = Voucher.objects.visible_to(scope).filter(
        shop_id=shop, used_at__gte=begins, used_at__lt=ends
    )
    uses = tuple(
        VoucherUse(*row)
        for row in rows.order_by("-used_at", "-pk").values_list(
            "serial", "yen", "used_at", "state", "programme__code"
        )
    )
    return ShopUses(shop, first, last, uses, sum(one.yen for one in uses))
