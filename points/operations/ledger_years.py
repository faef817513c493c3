"""The audit of fiscal years (part of ``ledger.verify``): closing, lapse, exceptions, corrections.

Owns: each closed year against what was written down when it was closed; whatever a new count of
a closed year would change against the queue of corrections; each lapse against the day and the
rule it needs; each year's exceptions against the terms in use.  Refuses nothing; whatever differs
is noted.  Wallets filled again after the lapse (a late correction) have until the job of the next
day.  Source: P1, P3 (a planted difference is found).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Max, Min

from points.domain import awards
from points.domain import years as domain
from points.domain.accounts import AccountKind, CauseKind
from points.domain.awards import Share
from points.domain.rules import YearState
from points.models import Account, ProgrammeYear, Transfer, YearCorrection, YearEvent
from points.operations.lapsing import carries, moved
from points.operations.years import closing_sums
from points.queries import years as reading
from points.queries.rulebook import Rules
from registry.access import Scope, day_of

if TYPE_CHECKING:
    from points.operations.ledger import LedgerVerdict

_Outcome = YearCorrection.Outcome
#: The job runs once a day; a wallet may be full for that long after the year lapsed.
PATIENCE = timedelta(hours=36)


class Corrections:
    """What waits, or was kept, for some volunteers; asked for each closed lot."""

    def __init__(self, *, volunteer_ids: Iterable[int], rules: Rules, by: Scope) -> None:
        self._rows: dict[tuple[int, str, int], list[Any]] = {}
        self._seen: set[int] = set()
        rows = YearCorrection.objects.visible_to(by).filter(
            volunteer_id__in=list(volunteer_ids), outcome__in=[_Outcome.WAITING, _Outcome.KEPT]
        ).select_related("year").order_by("pk")
        for row in rows:
            key = (row.volunteer_id, rules.code_of[row.year.programme_id], row.year.fiscal_year)
            self._rows.setdefault(key, []).append(row)

    def check(
        self, volunteer: int, programme: str, year: int, shares: Iterable[Share],
        latest: Mapping[int, Share], verdict: LedgerVerdict,
    ) -> None:
        """A closed lot differs from a new count only by what somebody was asked about."""
        after = list(shares)
        known = [latest[s.attendance] for s in after if s.attendance in latest]
        changes = [one for one in awards.change(known, after) if not one.first]
        where = f"ボランティア {volunteer} {programme} {year}年度"
        rows = self._rows.get((volunteer, programme, year), [])
        waiting = [row for row in rows if row.outcome == _Outcome.WAITING]
        self._seen.update(row.pk for row in waiting)
        said = domain.content(changes)
        if changes and said not in {bytes(row.content) for row in rows}:
            verdict.add("closed_year_differs", where,
                        "しめきった年度が数えなおしとちがい、訂正まちにもありません")
        for row in waiting:
            if not changes or bytes(row.content) != said:
                verdict.add("correction_stale", where, "訂正まちの内容が、数えなおしと合いません")

    def rest(self, verdict: LedgerVerdict) -> None:
        """Entries of volunteers who have no such lot at all."""
        for rows in self._rows.values():
            for row in rows:
                if row.outcome == _Outcome.WAITING and row.pk not in self._seen:
                    verdict.add("correction_stale", f"訂正まち {row.pk}", "参加記録がありません")


def check_years(verdict: LedgerVerdict, rules: Rules, by: Scope) -> None:
    """Every year: a constant number of statements for each."""
    for row in ProgrammeYear.objects.order_by("pk"):
        where = f"{rules.code_of[row.programme_id]} {row.fiscal_year}年度"
        events = {one.kind: one for one in YearEvent.objects.filter(year=row)}
        if row.exception != domain.effect(reading.exceptions_of(row)):
            verdict.add("exception_differs", where, "使われている特例が、決裁の記録と合いません")
        for kind, there in (
            (YearEvent.Kind.CLOSING, row.closing_at is not None),
            (YearEvent.Kind.CLOSED, row.state == YearState.CLOSED),
            (YearEvent.Kind.LAPSED, row.lapsed_at is not None),
        ):
            if (kind in events) != there:
                verdict.add("year_event_differs", where,
                            f"「{kind.label}」の記録と状態が合いません")
        if YearEvent.Kind.CLOSED in events:
            _check_closing(row, events[YearEvent.Kind.CLOSED], where, verdict, by)
        _check_lapse(row, events.get(YearEvent.Kind.LAPSED), where, rules, verdict, by)


def _check_closing(row: Any, event: Any, where: str, verdict: LedgerVerdict, by: Scope) -> None:
    """Nothing that was decided before the close has vanished since.

    A decision of another programme's scan may have been under way at that moment, below the last
    number: more of them is no difference.
    """
    then = event.figures
    now = closing_sums(row=row, wide=by, last=then["last_decision"])
    fewer = now["decisions"] < then["decisions"]
    other = now["decisions"] == then["decisions"] and now["decided"] != then["decided"]
    if fewer or other:
        verdict.add("closed_year_altered", where,
                    f"しめきりのとき決定{then['decisions']}件・{then['decided']}ポイントでした")


def _check_lapse(
    row: Any, event: Any, where: str, rules: Rules, verdict: LedgerVerdict, by: Scope
) -> None:
    terms = rules.terms(rules.code_of[row.programme_id], row.fiscal_year)
    rows = Transfer.objects.visible_to(by).filter(
        cause=CauseKind.EXPIRY, unit="POINT", fiscal_year=row.fiscal_year,
        debit__kind=AccountKind.WALLET, debit__programme_id=row.programme_id,
    ).order_by()
    first = rows.aggregate(first=Min("at"))["first"]
    if first is not None and (
        row.state != YearState.CLOSED or day_of(first) < terms.lapses_on
    ):
        verdict.add("lapse_too_early", where, f"失効日は{terms.lapses_on:%Y-%m-%d}です")
    carried = rows.filter(credit__kind=AccountKind.WALLET)
    if not carries(row, rules) and carried.exists():
        verdict.add("carry_not_allowed", where, "この年度のポイントは繰り越せません")
    if carried.exclude(credit__fiscal_year=row.fiscal_year + 1).exists():
        verdict.add("carry_to_other_year", where, "次の年度ではない繰り越しがあります")
    if event is not None:
        if moved(row=row, wide=by, until=event.at) != event.figures:
            verdict.add("lapse_differs", where,
                        "失効と繰り越しの合計が、そのときの記録と合いません")
        _check_emptied(row, where, verdict, by)


def _check_emptied(row: Any, where: str, verdict: LedgerVerdict, by: Scope) -> None:
    """Wallets of a lapsed year are empty, but for what came back since the last daily job."""
    full = list(
        Account.objects.visible_to(by).filter(
            kind=AccountKind.WALLET, programme_id=row.programme_id,
            fiscal_year=row.fiscal_year, balance__gt=0,
        ).values_list("pk", flat=True)[:1_000]
    )
    if not full:
        return
    filled = dict(
        Transfer.objects.visible_to(by).filter(credit_id__in=full).order_by()
        .values_list("credit_id").annotate(last=Max("at"))
    )
    old = [pk for pk in full if pk not in filled or filled[pk] < by.at - PATIENCE]
    if old:
        verdict.add("lapse_missing", where, f"失効日を過ぎた残高が{len(old)}件あります")
