"""A volunteer's points: the one number, the way to the next voucher, and why (P3, P8).

Owns ``my_points`` and the statement.  The statement shows every attendance with the share it has
now, in P1's order, and whatever else moved the year's points, each with its sentence and the
balance after it.  Refuses (not found) somebody else's without ``statements.view``; reading
somebody else's leaves a record.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

from django.db.models import Q, Sum

from points.domain.accounts import AccountKind, CauseKind
from points.domain.awards import Limit
from points.domain.rules import fiscal_year, fiscal_year_span, pick
from points.models import (
    Account,
    AwardDecision,
    Exchange,
    Merge,
    Passbook,
    Transfer,
    Voucher,
)
from points.queries import rulebook
from points.queries.records import in_years
from points.queries.rulebook import Rules
from points.queries.year_notes import exception_lines
from registry import access, audit
from registry.access import JAPAN, Scope
from registry.domain.errors import NotFound
from registry.domain.roles import Permission


@dataclass(frozen=True)
class MyPoints:
    """One programme.  ``progress`` (0 to 1) and ``to_next`` lead to the next voucher.

    ``vouchers_now`` could be exchanged on the scope's day (0 outside the window).
    """

    programme: str
    name: str
    short_name: str
    fiscal_year: int
    balance: int
    owed: int
    total_this_year: int
    points_per_voucher: int
    yen_per_voucher: int
    to_next: int
    progress: Fraction
    vouchers_now: int
    exchange_from: date | None
    exchange_until: date | None


@dataclass(frozen=True)
class Line:
    """One line: ``points`` moved (0 is a line too), the balance after it, and why.

    ``state``: ``waiting`` (確認まち: staff look at it), ``void`` (取り消し) or "".
    """

    on: date
    sentence: str
    points: int
    balance: int
    kind: str
    attendance_id: int | None = None
    state: str = ""


@dataclass(frozen=True)
class Part:
    """One programme's lines; ``wallet`` and ``owed`` are what the accounts hold."""

    programme: str
    name: str
    lines: tuple[Line, ...]
    balance: int
    wallet: int
    owed: int


@dataclass(frozen=True)
class Statement:
    """One volunteer and fiscal year, every programme (一人一冊, P8)."""

    volunteer_id: int
    fiscal_year: int
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class VoucherLine:
    """A voucher of a volunteer, without its code."""

    id: int
    serial: str
    programme: str
    yen: int
    state: str
    valid_until: date
    exchange_id: UUID


@dataclass(frozen=True)
class ExchangeFact:
    """An exchange (交換) with its vouchers."""

    id: UUID
    volunteer_id: int
    programme: str
    count: int
    points: int
    at: datetime
    undone_at: datetime | None
    vouchers: tuple[VoucherLine, ...]


ONE_DAY = timedelta(days=1)
_VOUCHER = ("pk", "serial", "programme__code", "yen", "state", "valid_until", "exchange_id")


def my_points(scope: Scope, *, volunteer_id: int | None = None) -> list[MyPoints]:
    """Points per programme, one's own or (``statements.view``) somebody's.  Six queries.

    Raises ``NotFound`` without a volunteer, or for somebody else's.
    """
    person = _whose(scope, volunteer_id, "points.view")
    rules = rulebook.load()
    year = fiscal_year(scope.on)
    with access.system(at=scope.at, reason="points") as wide:
        wallets, owed = _held(person, wide)
        awarded = dict(
            AwardDecision.objects.visible_to(wide)
            .filter(in_years([year], "attendance__session__held_on"),
                    attendance__volunteer_id=person)
            .order_by().values_list("attendance__session__programme_id")
            .annotate(total=Sum("change"))
        )
    found = []
    for number, code in sorted(rules.code_of.items(), key=lambda pair: pair[1]):
        started = [one for one in rules.book.rules[code] if one.begins_on <= scope.on]
        if not started:
            continue
        rule = pick(started, scope.on)
        mine = {y: b for (programme, y), b in wallets.items() if programme == number}
        balance, price = sum(mine.values()), rule.points_per_voucher
        window = rules.book.terms.get((code, year))
        open_now = sum(
            points for y, points in mine.items()
            if (t := rules.book.terms.get((code, y))) is not None and t.in_window(scope.on)
        )
        found.append(MyPoints(
            code, rules.name_of[code], rules.short_of[code], year, balance,
            owed.get(number, 0), awarded.get(number, 0), price, rule.yen_per_voucher,
            price - balance % price, Fraction(balance % price, price), open_now // price,
            window.exchange_from if window else None, window.exchange_until if window else None,
        ))
    return found


def statement(scope: Scope, *, volunteer_id: int, fiscal_year: int) -> Statement:
    """The year's points of a volunteer, line by line.  Constant queries.

    Raises ``NotFound`` for somebody else's without ``statements.view``.
    """
    person = _whose(scope, volunteer_id, "statement.view")
    rules = rulebook.load()
    with access.system(at=scope.at, reason="statement") as wide:
        wallets, owed = _held(person, wide)
        entries = _attended(person, fiscal_year, wide)
        for programme, more in _moved(person, fiscal_year, wide).items():
            entries.setdefault(programme, []).extend(more)
        for programme, notes in exception_lines(fiscal_year).items():
            if programme in entries:
                entries[programme].extend(
                    ((on, 2, at, pk), on, said, 0, "exception", None, "")
                    for on, at, pk, said in notes
                )
        for merged in _merged(person, fiscal_year, wide):
            for some in entries.values():
                some.append(merged)
    parts = [
        _part(number, rules, entries.get(number, []), wallets.get((number, fiscal_year), 0),
              owed.get(number, 0))
        for number in sorted(rules.code_of, key=lambda n: rules.code_of[n])
        if entries.get(number) or (number, fiscal_year) in wallets
    ]
    return Statement(person, fiscal_year, tuple(parts))


def vouchers_of(scope: Scope, *, volunteer_id: int) -> list[VoucherLine]:
    """A volunteer's vouchers, newest first.  Raises ``NotFound``."""
    person = _whose(scope, volunteer_id, "vouchers.view")
    rows = Voucher.objects.visible_to(scope).filter(volunteer_id=person).order_by("-pk")
    return [
        VoucherLine(*row)
        for row in rows.values_list(*_VOUCHER)
    ]


def exchange_fact(scope: Scope, *, exchange_id: UUID) -> ExchangeFact:
    """An exchange with its vouchers.  Raises ``NotFound``."""
    row = (
        Exchange.objects.visible_to(scope).filter(id=exchange_id).select_related("programme").first()
    )
    if row is None:
        raise NotFound
    rows = Voucher.objects.visible_to(scope).filter(exchange_id=exchange_id).order_by("pk")
    papers = tuple(VoucherLine(*one) for one in rows.values_list(*_VOUCHER))
    return ExchangeFact(row.id, row.volunteer_id, row.programme.code, row.count, row.points,
                        row.at, row.undone_at, papers)


def _whose(scope: Scope, volunteer_id: int | None, action: str) -> int:
    person = scope.volunteer_id if volunteer_id is None else volunteer_id
    if person is None or not 0 < person < 1 << 63:
        raise NotFound
    if person != scope.volunteer_id:
        if not scope.may(Permission.STATEMENTS_VIEW):
            raise NotFound
        audit.note(scope=scope, kind="view", action=action, subject_kind="volunteer",
                   subject_id=person, fields=["points"])
    return person


def _held(person: int, wide: Scope) -> tuple[dict[tuple[int, int], int], dict[int, int]]:
    """(programme, year) → wallet; programme → owed."""
    wallets: dict[tuple[int, int], int] = {}
    owed: dict[int, int] = {}
    rows = Account.objects.visible_to(wide).filter(volunteer_id=person)
    for kind, programme, year, balance in rows.values_list(
        "kind", "programme_id", "fiscal_year", "balance"
    ):
        if kind == AccountKind.WALLET:
            wallets[programme, year] = balance
        else:
            owed[programme] = -balance
    return wallets, owed


_Entry = tuple[tuple[Any, ...], date, str, int, str, int | None, str]
#: The last decision's code → what the line says besides its points.
_STATES = {Limit.OVERLAP_WAITING: "waiting", Limit.YEAR_CLOSED: "waiting", Limit.VOID: "void"}


def _attended(person: int, year: int, wide: Scope) -> dict[int, list[_Entry]]:
    """programme → one entry per attendance, with its latest decision."""
    latest: dict[int, tuple[Any, ...]] = {}
    rows = AwardDecision.objects.visible_to(wide).filter(
        in_years([year], "attendance__session__held_on"), attendance__volunteer_id=person
    )
    for row in rows.order_by("pk").values_list(
        "attendance_id", "share", "sentence", "attendance__session__held_on",
        "attendance__session__starts_at", "attendance__session_id",
        "attendance__session__programme_id", "code",
    ):
        latest[row[0]] = row
    found: dict[int, list[_Entry]] = {}
    for attendance, share, sentence, on, starts, session, programme, code in latest.values():
        found.setdefault(programme, []).append(
            ((on, 0, starts, session), on, sentence, share, "attendance", attendance,
             _STATES.get(Limit(code), ""))
        )
    return found


def _moved(person: int, year: int, wide: Scope) -> dict[int, list[_Entry]]:
    """programme → exchanges, returns and lapses of the year's points.

    Those of records that were united with this one (P8) are the person's, too; the merge's own
    transfers move points from hand to hand and are no line.
    """
    passbooks = Passbook.objects.visible_to(wide).filter(moved_to_id=person)
    people = [person, *passbooks.values_list("volunteer_id", flat=True)]
    rows = Transfer.objects.visible_to(wide).filter(
        volunteer_id__in=people, fiscal_year=year, unit="POINT"
    ).exclude(cause=CauseKind.MERGE).filter(
        ~Q(cause=CauseKind.ATTENDANCE) | Q(debit__kind=AccountKind.EXPIRED)
    ).exclude(
        credit__kind=AccountKind.SHORTFALL  # pays what was owed: points and debt fall alike
    )
    found: dict[int, list[_Entry]] = {}
    for pk, at, sentence, amount, cause, debit, programme, credit_year in rows.order_by(
        "pk"
    ).values_list("pk", "at", "sentence", "amount", "cause", "debit__kind",
                  "debit__programme_id", "credit__fiscal_year"):
        into = credit_year == year and debit != AccountKind.WALLET
        signed = amount if into or debit == AccountKind.EXPIRED else -amount
        on = at.astimezone(JAPAN).date()
        found.setdefault(programme, []).append(
            ((on, 1, at, pk), on, sentence, signed, cause, None, ""))
    # A remainder carried into this year was posted under the year it came from.
    carried = Transfer.objects.visible_to(wide).filter(
        volunteer_id__in=people, credit__fiscal_year=year, debit__kind=AccountKind.WALLET
    ).exclude(fiscal_year=year)
    for pk, at, sentence, amount, programme in carried.values_list(
        "pk", "at", "sentence", "amount", "debit__programme_id"
    ):
        on = at.astimezone(JAPAN).date()
        found.setdefault(programme, []).append(
            ((on, 1, at, pk), on, sentence, amount, "carry", None, ""))
    return found


def _merged(person: int, year: int, wide: Scope) -> list[_Entry]:
    """A line without points for each record that was united with this one in the year."""
    first, last = fiscal_year_span(year)
    rows = Merge.objects.visible_to(wide).filter(
        merged__merged_into_id=person, made_at__date__range=(first - ONE_DAY, last + ONE_DAY)
    ).select_related("merged").order_by("pk")
    return [
        ((on, 2, row.made_at, row.pk), on,
         f"手帳番号 {row.merged.number} の記録を、この記録とまとめました", 0, "merge", None, "")
        for row in rows if first <= (on := row.made_at.astimezone(JAPAN).date()) <= last
    ]


def _part(
    number: int, rules: Rules, entries: list[_Entry], wallet: int, owed: int
) -> Part:
    lines, balance = [], 0
    for _, on, sentence, points, kind, attendance, state in sorted(entries, key=lambda e: e[0]):
        balance += points
        lines.append(Line(on, sentence, points, balance, kind, attendance, state))
    code = rules.code_of[number]
    return Part(code, rules.name_of[code], tuple(lines), balance, wallet, owed)
