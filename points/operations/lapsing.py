"""Points lapse on the day their year says (失効), or the remainder is carried (端数の繰り越し).

Owns emptying the wallets of closed years, in blocks that each are one transaction: a process
killed at any instant leaves whole blocks behind, and whoever comes next goes on.  A wallet that
was emptied has nothing left to lapse, so running it again, or twice at once, moves nothing more.
Refuses a year that is not closed, not due, or whose remainder has no next year to go to.
Source: P2 (when points lapse belongs to the year), P3; the plan is ``transfers.plan_lapse``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Max, Sum

from points.domain.accounts import AccountKind, CauseKind
from points.domain.rules import Remainder, YearState, YearTerms, fiscal_year_span, pick
from points.domain.transfers import plan_lapse
from points.domain.years import lapse_due
from points.models import Account, ProgrammeYear, Transfer, YearEvent
from points.operations.posting import Ledger, lock
from points.queries import rulebook
from points.queries.rulebook import Rules
from registry import access, audit, failpoints, outbox
from registry.access import Scope
from registry.domain.errors import NotFound, Refused

BLOCK = 1_000
_HOLD = (
    "SELECT y.id FROM points_programmeyear y JOIN points_programme p ON p.id = y.programme_id"
    " WHERE p.code = %s AND y.fiscal_year = %s FOR "
)


@dataclass(frozen=True)
class Lapsed:
    """What one run moved: wallets emptied, points lost and points carried."""

    programme: str
    fiscal_year: int
    wallets: int
    lost: int
    carried: int


def refuse_unless_due(*, row: Any, rules: Rules, by: Scope) -> YearTerms:
    """The terms of a year whose points lapse today or did before.

    Raises ``Refused``: ``year_not_closed``, ``lapse_not_due``, ``next_year_missing``.
    """
    terms = rules.terms(rules.code_of[row.programme_id], row.fiscal_year)
    if terms.state is not YearState.CLOSED:
        raise Refused("しめきっていない年度のポイントは失効しません。", code="year_not_closed")
    if not lapse_due(terms, by.on):
        day = terms.lapses_on
        said = f"失効日は{day.year}年{day.month}月{day.day}日です。"
        raise Refused(said, code="lapse_not_due")
    if carries(row, rules) and (terms.programme, terms.fiscal_year + 1) not in rules.book.terms:
        said = f"繰り越す先の{terms.fiscal_year + 1}年度が、まだ開かれていません。"
        raise Refused(said, code="next_year_missing")
    return terms


def carries(row: Any, rules: Rules) -> bool:
    """Whether anything of this year can be carried: by its last rule set, or by exception."""
    programme = rules.code_of[row.programme_id]
    last = fiscal_year_span(row.fiscal_year)[1]
    return bool(row.exception.get("carries_all")) or (
        pick(rules.book.rules[programme], last).remainder is Remainder.CARRY
    )


def lapse(
    *, programme: str, fiscal_year: int, at: datetime,
    told: Callable[[int], None] = lambda wallets: None,
) -> Lapsed:
    """Empty every wallet of a year that is due.  A service act: it opens its own scopes.

    Outside any transaction each block is committed by itself; ``told`` hears how many wallets
    there were so far.  Again is no error and moves nothing.

    Raises:
        NotFound: the year was not opened.
        Refused: ``year_not_closed``, ``lapse_not_due``, ``next_year_missing``.
    """
    wallets = lost = carried = after = 0
    while True:
        with access.system(at=at, reason="lapse") as wide:
            done = _block(programme, fiscal_year, after, wide)
        if done is None:
            break
        after = done[0]
        wallets, lost, carried = wallets + done[1], lost + done[2], carried + done[3]
        told(wallets)
    # A transaction of its own: two runs that hold the year shared must not both ask for it alone.
    with access.system(at=at, reason="lapse") as wide:
        _finish(programme, fiscal_year, wide)
    return Lapsed(programme, fiscal_year, wallets, lost, carried)


def lapse_due_years(*, at: datetime, told: Callable[[int], None] = lambda wallets: None
                    ) -> list[Lapsed]:
    """Every closed year whose day has come and that has points left; others wait.

    A year whose remainder has nowhere to go is left alone: the pages say so.
    """
    with access.system(at=at, reason="lapse") as wide:
        rules = rulebook.load()
        due = [
            (rules.code_of[row.programme_id], row.fiscal_year)
            for row in ProgrammeYear.objects.filter(state=YearState.CLOSED).order_by("pk")
            if lapse_due(rules.terms(rules.code_of[row.programme_id], row.fiscal_year), wide.on)
            and (row.lapsed_at is None or _full(row, wide).exists())
            and not (carries(row, rules) and (
                rules.code_of[row.programme_id], row.fiscal_year + 1) not in rules.book.terms)
        ]
    return [lapse(programme=code, fiscal_year=year, at=at, told=told) for code, year in due]


def day_began(claimed: outbox.Claimed, at: datetime) -> None:
    """Outbox ``points.lapse_due``, once a day.  Safe to run twice, and to be killed in between."""
    lapse_due_years(at=at)
    with transaction.atomic():
        claimed.finish(at)


def _block(
    programme: str, fiscal_year: int, after: int, wide: Scope
) -> tuple[int, int, int, int] | None:
    """The next wallets by volunteer: (last volunteer, wallets, lost, carried); None at the end."""
    row = held(programme=programme, fiscal_year=fiscal_year)
    rules = rulebook.load()
    terms = refuse_unless_due(row=row, rules=rules, by=wide)
    ids = list(_full(row, wide).filter(volunteer_id__gt=after).order_by("volunteer_id")
               .values_list("volunteer_id", flat=True)[:BLOCK])
    if not ids:
        return None
    lock(volunteer_ids=ids, by=wide)
    ledger = Ledger(rules=rules, volunteer_ids=ids, by=wide)
    ruled = pick(rules.book.rules[programme], fiscal_year_span(fiscal_year)[1])
    wallets = lost = carried = 0
    for volunteer in ids:
        plan = plan_lapse(
            ledger.position(volunteer, programme, lapsed=False), fiscal_year,
            expiry=f"{programme}:{fiscal_year}", rules=ruled, terms=terms, on=wide.on,
            carries_all=bool(row.exception.get("carries_all")),
        )
        ledger.post(plan, volunteer_id=volunteer, fiscal_year=fiscal_year)
        wallets += bool(plan)
        for one in plan:
            if one.credit.kind is AccountKind.EXPIRED:
                lost += one.amount
            else:
                carried += one.amount
    ledger.write()
    failpoints.hit("years.lapse_block")
    return ids[-1], wallets, lost, carried


def _finish(programme: str, fiscal_year: int, wide: Scope) -> None:
    """Write down, once, that the wallets were empty, with what had moved until then."""
    row = held(programme=programme, fiscal_year=fiscal_year, alone=True)
    if row.lapsed_at is not None or _full(row, wide).exists():
        return  # known already, or somebody's points came back meanwhile: the next run sees them
    figures = moved(row=row, wide=wide)
    # Another run, begun a little later, may have moved some of it.
    last = _expired(row, wide).aggregate(last=Max("at"))["last"]
    row.lapsed_at = max(wide.at, last or wide.at)
    row.save(update_fields=["lapsed_at"])
    YearEvent.objects.create(year=row, kind=YearEvent.Kind.LAPSED, at=row.lapsed_at,
                             figures=figures)
    audit.note(scope=wide, kind="change", action="years.lapse", subject_kind="programme",
               subject_id=row.programme_id, detail={"fiscal_year": fiscal_year, **figures})


def moved(*, row: Any, wide: Scope, until: datetime | None = None) -> dict[str, int]:
    """What lapsed and what was carried of a year, all runs together: points and persons."""
    rows = _expired(row, wide)
    if until is not None:
        rows = rows.filter(at__lte=until)
    found = {
        kind: (total, people)
        for kind, total, people in rows.values_list("credit__kind").annotate(
            total=Sum("amount"), people=Count("volunteer_id", distinct=True)
        )
    }
    lost, losers = found.get(AccountKind.EXPIRED.value, (0, 0))
    carried, carriers = found.get(AccountKind.WALLET.value, (0, 0))
    return {"lost": lost, "lost_of": losers, "carried": carried, "carried_of": carriers}


def held(*, programme: str, fiscal_year: int, alone: bool = False) -> Any:
    """The year, held so that nobody closes it or changes its exceptions meanwhile.

    Shared unless ``alone``: scans hold it shared too, and none waits for the other (PostgreSQL;
    SQLite has one writer).  Raises ``NotFound``.
    """
    rows = ProgrammeYear.objects.filter(programme__code=programme, fiscal_year=fiscal_year)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_HOLD + ("UPDATE OF y" if alone else "SHARE OF y"),
                           [programme, fiscal_year])
    row = rows.first()
    if row is None:
        raise NotFound("この年度は、まだ開かれていません。", code="year_not_opened")
    return row


def _expired(row: Any, wide: Scope) -> Any:
    return Transfer.objects.visible_to(wide).filter(
        cause=CauseKind.EXPIRY, unit="POINT", fiscal_year=row.fiscal_year,
        debit__programme_id=row.programme_id, debit__kind=AccountKind.WALLET,
    ).order_by()


def _full(row: Any, wide: Scope) -> Any:
    return Account.objects.visible_to(wide).filter(
        kind=AccountKind.WALLET, programme_id=row.programme_id, fiscal_year=row.fiscal_year,
        balance__gt=0,
    )
