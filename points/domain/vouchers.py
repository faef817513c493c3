"""Vouchers (利用券): the code, the steps and who may take the next one.

Owns: ``issued → used → claimed → paid``, or ``void``, ``lapsed``; the code with its check
character; the serial number; the identity issued = used + outstanding + void + lapsed.
Refuses: a step that does not follow, a second use (it says when and where the first was),
another shop's claim, use after the last day, lapse before it.
Source: P7, P6 (alphabet), ``transfers.plan_voucher`` for the yen of each step.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum

from points.domain import codes, tokens
from registry.domain.errors import Refused

CODE_LENGTH = 12
_JST = timezone(timedelta(hours=9))


class State(StrEnum):
    """利用券の状態."""

    ISSUED = "issued"
    USED = "used"
    CLAIMED = "claimed"
    PAID = "paid"
    VOID = "void"
    LAPSED = "lapsed"


class Step(StrEnum):
    """利用, 請求, 支払い, 無効, 期限切れ."""

    USE = "use"
    CLAIM = "claim"
    PAY = "pay"
    VOID = "void"
    LAPSE = "lapse"


STEPS: Mapping[tuple[State, Step], State] = {
    (State.ISSUED, Step.USE): State.USED,
    (State.USED, Step.CLAIM): State.CLAIMED,
    (State.CLAIMED, Step.PAY): State.PAID,
    (State.ISSUED, Step.VOID): State.VOID,
    (State.ISSUED, Step.LAPSE): State.LAPSED,
}


@dataclass(frozen=True, slots=True)
class Voucher:
    """``last_on`` is the last day of use; ``shop`` and ``used_at`` are set by the use."""

    serial: str
    yen: int
    last_on: date
    state: State = State.ISSUED
    shop: str = ""
    shop_name: str = ""
    used_at: datetime | None = None


def advance(
    voucher: Voucher, step: Step, *, at: datetime, shop: str = "", shop_name: str = ""
) -> Voucher:
    """The voucher after ``step``; ``at`` is an aware time, days are counted in Japan.

    Raises ``Refused``: voucher_used, voucher_void, voucher_lapsed, voucher_past,
    voucher_not_due, voucher_other_shop, voucher_step; ``ValueError`` for a naive time.
    """
    if at.tzinfo is None:
        raise ValueError("time must be aware (with a time zone)")
    after = STEPS.get((voucher.state, step))
    if after is None:
        raise _refusal(voucher, step)
    past = at.astimezone(_JST).date() > voucher.last_on
    if step is Step.USE:
        if past:
            said = f"この利用券は{_day(voucher.last_on)}までです。"
            raise Refused(said, code="voucher_past", fields={"code": said})
        if not shop:
            raise ValueError("advance: use needs a shop")
        return replace(voucher, state=after, shop=shop, shop_name=shop_name, used_at=at)
    if step is Step.LAPSE and not past:
        raise Refused("まだ期限が過ぎていません。", code="voucher_not_due")
    if step in (Step.CLAIM, Step.PAY) and shop != voucher.shop:
        raise Refused("ほかの店で使われた利用券です。", code="voucher_other_shop")
    return replace(voucher, state=after)


def mint_code(
    *,
    host: str | None = None,
    scheme: str = "HTTPS",
    entropy: Callable[[int], bytes] = secrets.token_bytes,
) -> tokens.Minted:
    """An unguessable code (55 random bits and a check) and its URL ``/V/``, ≤ 38 characters."""
    body = codes.random_characters(CODE_LENGTH - 1, entropy(CODE_LENGTH - 1))
    code = body + codes.check_character(body, tokens.VOUCHER_FAMILY)
    return tokens.Minted(code, tokens.card_url(scheme, host, "V", code))


def read_code(text: str, *, host: str | None = None) -> str:
    """The code in what a shop scanned or typed; raises ``BadCode`` (``bad_voucher``)."""
    try:
        code = codes.clean(tokens.path_code(text, host, folders=("V",)))
        return codes.checked(code, CODE_LENGTH, tokens.VOUCHER_FAMILY)
    except codes.BadCode as wrong:
        raise codes.BadCode(wrong.detail, wrong.message, code="bad_voucher") from wrong


def serial_number(fiscal_year: int, number: int) -> str:
    """券番号: fiscal year and a running number, ``26-000123``; it proves nothing."""
    if number < 1:
        raise ValueError("serial_number: from 1")
    return f"{fiscal_year % 100:02d}-{number:06d}"


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts or yen: issued = used + outstanding + void + lapsed; owed = claimed - paid.

    ``used`` and ``claimed`` are cumulative: a paid voucher was claimed and used.
    """

    issued: int
    used: int
    claimed: int
    paid: int
    outstanding: int
    void: int
    lapsed: int

    @property
    def owed(self) -> int:
        """Owed to shops."""
        return self.claimed - self.paid

    @property
    def holds(self) -> bool:
        """P7's identity."""
        return self.issued == self.used + self.outstanding + self.void + self.lapsed


def tally(vouchers: Iterable[tuple[State, int]]) -> Tally:
    """Sum ``(state, yen)`` pairs (or ``(state, 1)`` for counts)."""
    sums: Counter[State] = Counter()
    issued = 0
    for state, amount in vouchers:
        sums[state] += amount
        issued += amount
    claimed = sums[State.CLAIMED] + sums[State.PAID]
    return Tally(
        issued=issued,
        used=sums[State.USED] + claimed,
        claimed=claimed,
        paid=sums[State.PAID],
        outstanding=sums[State.ISSUED],
        void=sums[State.VOID],
        lapsed=sums[State.LAPSED],
    )


def _refusal(voucher: Voucher, step: Step) -> Refused:
    if voucher.state is State.VOID:
        return Refused("この利用券は無効になっています。", code="voucher_void")
    if voucher.state is State.LAPSED:
        return Refused("この利用券は期限が切れています。", code="voucher_lapsed")
    if voucher.state is State.ISSUED:
        return Refused("この利用券はまだ使われていません。", code="voucher_step")
    if step in (Step.USE, Step.VOID, Step.LAPSE) and voucher.used_at is not None:
        at = voucher.used_at.astimezone(_JST)
        when = f"{_day(at.date())} {at.hour}時{at.minute:02d}分"
        said = f"{when}に「{voucher.shop_name}」で使われました。"
        return Refused(said, code="voucher_used", fields={"code": said})
    return Refused("この利用券は、その手続きの順番ではありません。", code="voucher_step")


def _day(on: date) -> str:
    return f"{on.year}年{on.month}月{on.day}日"
