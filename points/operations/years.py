"""Closing a fiscal year, exceptions to its terms, and the named corrections of a closed one.

Owns open → しめきり前 → しめきり (P1); each step is one short transaction, whatever the size of the
city: what happens to a hundred thousand wallets on the day of lapse is ``lapsing``.  A year never
goes back.  Refuses to close before the grace date is over, without a reason, or after other
figures than the preview showed; an exception without reason, decision and date; a correction of
what does not wait.  Source: P1, P2, P3; the rules are ``points.domain.years``.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Sum

from points.domain import years as domain
from points.domain.rules import YearState
from points.domain.years import ExceptionKind
from points.models import ProgrammeYear, YearCorrection, YearEvent, YearException
from points.operations.attendance import resettle
from points.operations.lapsing import held, moved
from points.operations.posting import lock
from points.queries import rulebook
from points.queries import years as reading
from registry import access, audit, failpoints
from registry.access import Scope
from registry.domain.errors import Conflict, NotFound, Refused
from registry.domain.roles import Permission
from registry.operations.staff import actor_id

_Outcome = YearCorrection.Outcome


class PreviewOutdated(Conflict):
    """The figures are no longer those of the preview."""

    code = "changed_meanwhile"
    message = "確かめたあとで数字が変わりました。もう一度、見なおしてください。"


@transaction.atomic
def begin_closing(*, programme: str, fiscal_year: int, by: Scope) -> ProgrammeYear:
    """The year is over: late records are taken until the grace date (しめきり前).

    Raises:
        Forbidden: without ``rules.manage``.
        NotFound: ``year_not_opened``.
        Refused: ``year_not_over``.
        Conflict: ``year_state``: it is not open any more.
    """
    by.require(Permission.RULES_MANAGE)
    row = held(programme=programme, fiscal_year=fiscal_year, alone=True)
    domain.check_begin(rulebook.load().terms(programme, fiscal_year), by.on)
    row.state, row.closing_at, row.closing_by_id = YearState.CLOSING, by.at, actor_id(by=by)
    row.save(update_fields=["state", "closing_at", "closing_by"])
    _happened(row, YearEvent.Kind.CLOSING, "", {}, by)
    return _year(row)


@transaction.atomic
def close(
    *, programme: str, fiscal_year: int, reason: str, seen: int | None = None, by: Scope
) -> ProgrammeYear:
    """Close the year: what arrives from now on is kept and waits for a named correction.

    ``seen`` is the ``version`` of the preview that somebody looked at.  Its points stay good
    until they lapse.  The figures at this moment are kept and compared ever after.

    Raises:
        Forbidden: without ``rules.manage``.
        NotFound: ``year_not_opened``.
        Refused: ``grace_not_over``, ``reason_missing``.
        Conflict: ``already_closed``, ``year_state`` (not しめきり前 yet).
        PreviewOutdated: the figures changed since the preview.
    """
    by.require(Permission.RULES_MANAGE)
    said = _reason(reason)
    row = held(programme=programme, fiscal_year=fiscal_year, alone=True)
    domain.check_close(rulebook.load().terms(programme, fiscal_year), by.on)
    shown = reading.preview(by, programme=programme, fiscal_year=fiscal_year)
    if seen is not None and seen != shown.version:
        raise PreviewOutdated
    with access.system(at=by.at, reason="close year") as wide:
        sums = closing_sums(row=row, wide=wide)
    row.state, row.closed_at, row.closed_by_id = YearState.CLOSED, by.at, actor_id(by=by)
    row.save(update_fields=["state", "closed_at", "closed_by"])
    _happened(row, YearEvent.Kind.CLOSED, said, {**shown.figures, **sums}, by)
    failpoints.hit("years.before_close_commit")
    return _year(row)


def closing_sums(*, row: Any, wide: Scope, last: int | None = None) -> dict[str, int]:
    """Number, sum and last id of the year's decisions (up to ``last``): what closing fixes."""
    rows = reading.decisions_of(row, wide)
    if last is not None:
        rows = rows.filter(pk__lte=last)
    found = rows.aggregate(count=Count("pk"), points=Sum("change"), last=Max("pk"))
    return {"decisions": found["count"], "decided": found["points"] or 0,
            "last_decision": found["last"] or 0}


@transaction.atomic
def approve_exception(
    *, programme: str, fiscal_year: int, kind: ExceptionKind, reason: str, authority: str,
    decided_on: date, exchange_until: date | None = None, lapses_on: date | None = None, by: Scope,
) -> YearException:
    """Record an approved exception to the terms of a year; it holds from now on.

    ``authority`` is who decided on paper (決裁), ``decided_on`` when.  Both dates for a
    postponement, none for carrying everything into the next year.

    Raises:
        Forbidden: without ``rules.manage``.
        NotFound: ``year_not_opened``.
        Refused: ``exception_incomplete``; others as ``domain.years.check_exception``.
    """
    new = domain.YearException(0, kind, exchange_until, lapses_on)
    if kind is ExceptionKind.END:
        raise ValueError("approve_exception: end_exception ends one")
    if kind is ExceptionKind.CARRY and (exchange_until or lapses_on):
        said = "繰り越しの特例に日付はありません。"
        raise Refused(said, code="exception_dates", fields={"lapses_on": said})
    return _except(programme, fiscal_year, new, reason, authority, decided_on, by)


@transaction.atomic
def end_exception(
    *, exception_id: int, reason: str, authority: str, decided_on: date, by: Scope
) -> YearException:
    """End an exception by another row that names it; what it promised until now stays promised.

    Raises:
        Forbidden: without ``rules.manage``.
        NotFound: no such exception.
        Refused: ``exception_incomplete``, ``exception_unknown`` (ended before),
            ``exception_overdue``, ``year_lapsed``.
    """
    by.require(Permission.RULES_MANAGE)
    row = YearException.objects.filter(pk=exception_id).select_related("year__programme").first()
    if row is None:
        raise NotFound
    new = domain.YearException(0, ExceptionKind.END, ends=row.pk)
    return _except(row.year.programme.code, row.year.fiscal_year, new, reason, authority,
                   decided_on, by)


def _except(
    programme: str, fiscal_year: int, new: domain.YearException, reason: str, authority: str,
    decided_on: date, by: Scope,
) -> YearException:
    by.require(Permission.RULES_MANAGE)
    wrong = {}
    if not 0 < len(reason.strip()) <= 160:
        wrong["reason"] = "理由を1〜160文字で書いてください。"
    if not 0 < len(authority.strip()) <= 80:
        wrong["authority"] = "だれの決裁かを1〜80文字で書いてください。"
    if decided_on > by.on:
        wrong["decided_on"] = "決裁日が未来の日です。"
    if wrong:
        raise Refused("特例の内容をたしかめてください。", code="exception_incomplete", fields=wrong)
    row = held(programme=programme, fiscal_year=fiscal_year, alone=True)
    known, rules = reading.exceptions_of(row), rulebook.load()
    with access.system(at=by.at, reason="exception") as wide:
        begun = any(moved(row=row, wide=wide).values())  # a run was broken off
    domain.check_exception(
        new, known, rulebook.terms_from(row.terms, row.state), on=by.on,
        lapsed=row.lapsed_at is not None or begun,
        next_year_open=(programme, fiscal_year + 1) in rules.book.terms,
    )
    made = YearException.objects.create(
        year=row, kind=new.kind, exchange_until=new.exchange_until, lapses_on=new.lapses_on,
        ends_id=new.ends, reason=reason.strip(), authority=authority.strip(),
        decided_on=decided_on, made_at=by.at, made_by_id=actor_id(by=by),
    )
    row.exception = domain.effect(reading.exceptions_of(row))
    row.save(update_fields=["exception"])
    audit.note(scope=by, kind="change", action="years.except", subject_kind="programme",
               subject_id=row.programme_id,
               detail={"fiscal_year": fiscal_year, "exception": made.pk, "kind": new.kind.value})
    return made


@transaction.atomic
def apply_correction(*, correction_id: int, reason: str, by: Scope) -> YearCorrection:
    """Count the volunteer's closed year again under a named correction (P1).

    Raises:
        Forbidden: without ``rules.manage``.
        NotFound: no such entry.
        Refused: ``reason_missing``.
        Conflict: ``not_waiting``.
    """
    row = _decided(correction_id, reason, _Outcome.APPLIED, by)
    rules = rulebook.load()
    with access.system(at=by.at, reason="named correction") as wide:
        settled = resettle(
            volunteer_ids=[row.volunteer_id], years=[row.year.fiscal_year], wide=wide,
            corrected=[(rules.code_of[row.year.programme_id], row.year.fiscal_year)],
        )
    audit.note(scope=by, kind="change", action="years.correct", subject_kind="volunteer",
               subject_id=row.volunteer_id,
               detail={"fiscal_year": row.year.fiscal_year, "decisions": settled.decisions})
    return _correction(row)


@transaction.atomic
def keep_as_closed(*, correction_id: int, reason: str, by: Scope) -> YearCorrection:
    """Leave the closed year as it stands, with the reason; it is not asked again for the same.

    A later correction of another record of this volunteer counts the whole year again.
    Raises as ``apply_correction``.
    """
    row = _decided(correction_id, reason, _Outcome.KEPT, by)
    audit.note(scope=by, kind="change", action="years.keep", subject_kind="volunteer",
               subject_id=row.volunteer_id, detail={"fiscal_year": row.year.fiscal_year})
    return _correction(row)


def _decided(correction_id: int, reason: str, outcome: str, by: Scope) -> Any:
    by.require(Permission.RULES_MANAGE)
    said = _reason(reason)
    seen = YearCorrection.objects.visible_to(by).filter(pk=correction_id)
    volunteer = seen.values_list("volunteer_id", flat=True).first()
    if volunteer is None:
        raise NotFound
    with access.system(at=by.at, reason="named correction") as wide:
        lock(volunteer_ids=[volunteer], by=wide)
        row = YearCorrection.objects.visible_to(wide).select_related("year").get(pk=correction_id)
        if row.outcome != _Outcome.WAITING:
            raise Conflict("この訂正は、もう決まっています。", code="not_waiting")
        row.outcome, row.reason = outcome, said
        row.resolved_at, row.resolved_by_id = by.at, actor_id(by=by)
        row.save(update_fields=["outcome", "reason", "resolved_at", "resolved_by"])
    return row


def _happened(row: Any, kind: str, reason: str, figures: dict[str, int], by: Scope) -> None:
    YearEvent.objects.create(year=row, kind=kind, at=by.at, by_id=actor_id(by=by), reason=reason,
                             figures=figures)
    audit.note(scope=by, kind="change", action=f"years.{kind}", subject_kind="programme",
               subject_id=row.programme_id, detail={"fiscal_year": row.fiscal_year, **figures})


def _reason(text: str) -> str:
    said = text.strip()
    if not 0 < len(said) <= 160:
        told = "理由を1〜160文字で書いてください。"
        raise Refused(told, code="reason_missing", fields={"reason": told})
    return said


def _year(row: Any) -> ProgrammeYear:
    saved: ProgrammeYear = row
    return saved


def _correction(row: Any) -> YearCorrection:
    saved: YearCorrection = row
    return saved
