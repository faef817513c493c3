"""The fiscal years of the programmes, for those who close them (年度のしめきり).

Owns the list of years with what may be done next, the preview of closing (every figure of a
whole city in a constant number of statements), and the list of what waits for a named
correction.  Refuses everybody without ``rules.manage``; reading names leaves a record.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, Sum

from points.domain import years as domain
from points.domain.accounts import AccountKind
from points.domain.awards import Limit
from points.domain.rules import Remainder, YearState, YearTerms, fiscal_year_span, pick
from points.domain.years import ExceptionKind
from points.models import (
    Account,
    Attendance,
    AwardDecision,
    ProgrammeYear,
    Session,
    YearCorrection,
    YearEvent,
    YearException,
)
from points.queries import rulebook
from points.queries.rulebook import Rules
from registry import access
from registry.access import Scope
from registry.domain.errors import NotFound, TsunagariError
from registry.domain.roles import Permission
from registry.queries.accounts import display_names


@dataclass(frozen=True)
class ExceptionFact:
    """特例; ``in_force`` until another one ends it."""

    id: int
    kind: str
    exchange_until: date | None
    lapses_on: date | None
    ends: int | None
    reason: str
    authority: str
    decided_on: date
    made_at: datetime
    made_by: str
    in_force: bool


@dataclass(frozen=True)
class EventFact:
    """One step of the year and its figures at that moment; ``by`` empty: the service."""

    kind: str
    at: datetime
    by: str
    reason: str
    figures: dict[str, Any]


@dataclass(frozen=True)
class YearFact:
    """A year: ``terms`` as they hold, exceptions included.

    ``step`` is what comes next (``closing``, ``close``, ``lapse`` or "" when all is done),
    ``not_yet`` why it cannot be done on the scope's day ("" when it can).
    """

    programme: str
    name: str
    fiscal_year: int
    state: str
    terms: YearTerms
    carries_all: bool
    closing_at: datetime | None
    closed_at: datetime | None
    lapsed_at: datetime | None
    step: str
    not_yet: str
    waiting: int
    events: tuple[EventFact, ...] = ()
    exceptions: tuple[ExceptionFact, ...] = ()


@dataclass(frozen=True)
class Preview:
    """What closing would leave behind.  ``version`` is another when a figure of it is.

    ``wallets`` hold ``points``; on the day of lapse ``lapse`` of them go and ``carry`` move to
    the next year, if nothing is exchanged until then.
    """

    year: YearFact
    sessions: int
    empty_sessions: int
    attendances: int
    volunteers: int
    awarded: int
    overlaps: int
    late: int
    corrections: int
    wallets: int
    points: int
    lapse: int
    carry: int
    next_year_open: bool
    version: int

    @property
    def figures(self) -> dict[str, int]:
        """The figures by name."""
        names = ("sessions", "empty_sessions", "attendances", "volunteers", "awarded", "overlaps",
                 "late", "corrections", "wallets", "points", "lapse", "carry")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class LateFact:
    """参加記録 that came after the close."""

    attendance_id: int
    volunteer_id: int
    session_title: str
    held_on: date
    method: str
    recorded_at: datetime


@dataclass(frozen=True)
class CorrectionFact:
    """A closed year that would change: the points as they stand and as they would be."""

    id: int
    volunteer_id: int
    stands: int
    would_be: int
    noticed_at: datetime


@dataclass(frozen=True)
class Waiting:
    """What waits for a named correction in one year, oldest first; ``more`` is cut off."""

    late: tuple[LateFact, ...]
    corrections: tuple[CorrectionFact, ...]
    more: bool


def years(scope: Scope) -> list[YearFact]:
    """Every year of every programme, newest first.  Raises ``Forbidden``."""
    scope.require(Permission.RULES_MANAGE)
    with access.system(at=scope.at, reason="years") as wide:
        rules = rulebook.load()
        rows = list(ProgrammeYear.objects.order_by("-fiscal_year", "programme__code"))
        waits = _waits(wide)
        return [_fact(row, rules, wide, waits.get(row.pk, 0)) for row in rows]


def year(scope: Scope, *, programme: str, fiscal_year: int) -> YearFact:
    """One year with its history.  Raises ``Forbidden``, ``NotFound`` (``year_not_opened``)."""
    scope.require(Permission.RULES_MANAGE)
    with access.system(at=scope.at, reason="years") as wide:
        row = row_of(programme=programme, fiscal_year=fiscal_year)
        return _whole(row, rulebook.load(), wide)


def preview(scope: Scope, *, programme: str, fiscal_year: int) -> Preview:
    """What closing this year would mean.  Raises as ``year``."""
    scope.require(Permission.RULES_MANAGE)
    with access.system(at=scope.at, reason="preview of closing") as wide:
        row, rules = row_of(programme=programme, fiscal_year=fiscal_year), rulebook.load()
        fact = _whole(row, rules, wide)
        counted = counts(row, wide)
        money = _remainder(row, rules, wide)
        waits = {"overlaps": _overlaps(row, wide), "late": _late(row, wide).count(),
                 "corrections": _corrections(row, wide).count()}
        seen = {**counted, **waits, "state": fact.state, "lapses_on": fact.terms.lapses_on,
                "carries_all": fact.carries_all}
        return Preview(
            year=fact, **counted, **waits, **money,
            next_year_open=(programme, fiscal_year + 1) in rules.book.terms,
            version=domain.version(seen),
        )


def waiting(
    scope: Scope, *, programme: str, fiscal_year: int, limit: int = 100
) -> Waiting:
    """Late records and withheld corrections of a year.  Raises as ``year``.

    Names come from ``registry.queries.volunteers.volunteer_facts``, which records the look.
    """
    scope.require(Permission.RULES_MANAGE)
    row = row_of(programme=programme, fiscal_year=fiscal_year)
    late = _late(row, scope).order_by("pk").values_list(
        "pk", "volunteer_id", "session__title", "session__held_on", "method", "recorded_at"
    )[: limit + 1]
    held = _corrections(row, scope).order_by("pk").values_list(
        "pk", "volunteer_id", "stands", "would_be", "noticed_at"
    )[: limit + 1]
    some, others = [LateFact(*one) for one in late], [CorrectionFact(*one) for one in held]
    return Waiting(tuple(some[:limit]), tuple(others[:limit]),
                   len(some) > limit or len(others) > limit)


def row_of(*, programme: str, fiscal_year: int) -> Any:
    """The row of a year.  Raises ``NotFound``."""
    row = ProgrammeYear.objects.filter(
        programme__code=programme, fiscal_year=fiscal_year
    ).first()
    if row is None:
        raise NotFound("この年度は、まだ開かれていません。", code="year_not_opened")
    return row


def counts(row: Any, wide: Scope) -> dict[str, int]:
    """Sessions, attendances, people and points of a year.  Three statements."""
    held = Session.objects.filter(
        programme_id=row.programme_id, held_on__range=fiscal_year_span(row.fiscal_year),
        cancelled_at__isnull=True,
    )
    here = Attendance.objects.visible_to(wide).filter(session_id=OuterRef("pk"))
    sessions = held.aggregate(every=Count("pk"), empty=Count("pk", filter=~Exists(here)))
    present = Attendance.objects.visible_to(wide).filter(
        _of(row, "session__"), voided_at__isnull=True, session__cancelled_at__isnull=True
    ).aggregate(records=Count("pk"), people=Count("volunteer_id", distinct=True))
    awarded = decisions_of(row, wide).aggregate(points=Sum("change"))["points"]
    return {
        "sessions": sessions["every"], "empty_sessions": sessions["empty"],
        "attendances": present["records"], "volunteers": present["people"],
        "awarded": awarded or 0,
    }


def decisions_of(row: Any, wide: Scope) -> Any:
    """Every award decision about the year's attendances."""
    return AwardDecision.objects.visible_to(wide).filter(_of(row, "attendance__session__"))


def exceptions_of(row: Any) -> list[domain.YearException]:
    """The year's exceptions as the domain knows them, ended ones too."""
    return [
        domain.YearException(pk, ExceptionKind(kind), until, lapses, ends)
        for pk, kind, until, lapses, ends in YearException.objects.filter(year=row)
        .order_by("pk").values_list("pk", "kind", "exchange_until", "lapses_on", "ends_id")
    ]


def _of(row: Any, path: str) -> Q:
    return Q(**{f"{path}programme_id": row.programme_id,
                f"{path}held_on__range": fiscal_year_span(row.fiscal_year)})


def _late(row: Any, scope: Scope) -> Any:
    return Attendance.objects.visible_to(scope).filter(
        _of(row, "session__"), after_close=True, correction="", voided_at__isnull=True,
        session__cancelled_at__isnull=True,
    )


def _corrections(row: Any, scope: Scope) -> Any:
    return YearCorrection.objects.visible_to(scope).filter(
        year=row, outcome=YearCorrection.Outcome.WAITING
    )


def _overlaps(row: Any, wide: Scope) -> int:
    """Records whose latest decision says that staff must look at an overlap (P8)."""
    later = AwardDecision.objects.visible_to(wide).filter(
        attendance_id=OuterRef("attendance_id"), pk__gt=OuterRef("pk")
    )
    found: int = decisions_of(row, wide).filter(
        ~Exists(later), code=Limit.OVERLAP_WAITING
    ).count()
    return found


def _remainder(row: Any, rules: Rules, wide: Scope) -> dict[str, int]:
    """What is in the wallets and what the day of lapse would do with it.  One statement."""
    code = rules.code_of[row.programme_id]
    ruled = pick(rules.book.rules[code], fiscal_year_span(row.fiscal_year)[1])
    found = Account.objects.visible_to(wide).filter(
        kind=AccountKind.WALLET, programme_id=row.programme_id, fiscal_year=row.fiscal_year,
        balance__gt=0,
    ).aggregate(wallets=Count("pk"), points=Sum("balance"),
                rest=Sum(F("balance") % ruled.points_per_voucher))
    points, rest = found["points"] or 0, found["rest"] or 0
    carry = rest if ruled.remainder is Remainder.CARRY else 0
    if row.exception.get("carries_all"):
        carry = points
    return {"wallets": found["wallets"], "points": points, "lapse": points - carry,
            "carry": carry}


def _waits(wide: Scope) -> dict[int, int]:
    """year id → what waits for a correction.  Two statements and one for the ids."""
    found = dict(
        YearCorrection.objects.visible_to(wide)
        .filter(outcome=YearCorrection.Outcome.WAITING).order_by()
        .values_list("year_id").annotate(count=Count("pk"))
    )
    late = Attendance.objects.visible_to(wide).filter(
        after_close=True, correction="", voided_at__isnull=True,
        session__cancelled_at__isnull=True,
    ).order_by().values_list("session__programme_id", "session__held_on").annotate(
        count=Count("pk")
    )
    ids = {(p, y): pk for pk, p, y in ProgrammeYear.objects.values_list(
        "pk", "programme_id", "fiscal_year")}
    for programme, on, count in late:
        pk = ids[programme, on.year - (on.month < 4)]
        found[pk] = found.get(pk, 0) + count
    return found


def _whole(row: Any, rules: Rules, wide: Scope) -> YearFact:
    events = list(YearEvent.objects.filter(year=row).order_by("pk"))
    every = list(YearException.objects.filter(year=row).order_by("pk"))
    names: dict[Any, str] = display_names(
        {one.by_id for one in events if one.by_id} | {one.made_by_id for one in every})
    valid = {one.id for one in domain.in_force(exceptions_of(row))}
    return _fact(
        row, rules, wide, _late(row, wide).count() + _corrections(row, wide).count(),
        tuple(EventFact(one.kind, one.at, names.get(one.by_id, ""), one.reason, one.figures)
              for one in events),
        tuple(
            ExceptionFact(one.pk, one.kind, one.exchange_until, one.lapses_on, one.ends_id,
                          one.reason, one.authority, one.decided_on, one.made_at,
                          names.get(one.made_by_id, ""), one.pk in valid)
            for one in every
        ),
    )


def _fact(
    row: Any, rules: Rules, wide: Scope, waits: int, events: tuple[EventFact, ...] = (),
    exceptions: tuple[ExceptionFact, ...] = (),
) -> YearFact:
    code = rules.code_of[row.programme_id]
    terms = rules.terms(code, row.fiscal_year)
    step, not_yet = _next(terms, row.lapsed_at is not None, wide.on)
    return YearFact(
        code, rules.name_of[code], row.fiscal_year, row.state, terms,
        bool(row.exception.get("carries_all")), row.closing_at, row.closed_at, row.lapsed_at,
        step, not_yet, waits, events, exceptions,
    )


def _next(terms: YearTerms, lapsed: bool, on: date) -> tuple[str, str]:
    if terms.state is YearState.CLOSED:
        day = terms.lapses_on
        soon = "" if on >= day else f"{day.year}年{day.month}月{day.day}日に失効します。"
        return ("", "") if lapsed else ("lapse", soon)
    step = "closing" if terms.state is YearState.OPEN else "close"
    check = domain.check_begin if step == "closing" else domain.check_close
    try:
        check(terms, on)
    except TsunagariError as refusal:
        return step, refusal.message
    return step, ""
