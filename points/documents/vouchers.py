"""Vouchers (利用券) on A4, one to a page: serial number, amount, QR and the same code to type.

Owns: the paper.  Refuses: to make numbers or codes (P7: serial and unguessable code come from
the exchange), to print two vouchers on one page (they are handed out singly).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from points.documents.cards import TEMPLATES, qr_box
from points.documents.values import VoucherIssuer, VoucherPaper
from registry.documents import render


def voucher_pages(
    issuer: VoucherIssuer, vouchers: Sequence[VoucherPaper], *, created_at: datetime
) -> bytes:
    """Return one A4 page a voucher as PDF/A-2b; page x/y counts within one holder's print.

    Raises ``ValueError`` for a voucher without code, ``registry.documents.MissingGlyphs``.
    """
    for position, voucher in enumerate(vouchers):
        if not voucher.code:
            raise ValueError(f"vouchers[{position}].code is empty")
    return render(
        TEMPLATES / "vouchers.typ",
        {
            **asdict(issuer),
            "maker": issuer.office,
            "vouchers": [{**asdict(v), "qr": qr_box(v.code, 40.0)} for v in vouchers],
        },
        created_at=created_at,
        isolated=len(vouchers) > 500,
    )
