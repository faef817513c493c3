"""Sessions (開催回): one date, time and place.

Owns opening and cancelling.  Refuses a session for which no rule, rate or year exists, one that
spans midnight, and another group's.  A cancelled session takes its points back (P1).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import transaction

from points.domain.groups import State
from points.domain.rules import Below, Source, YearState, fiscal_year, pick, require_open
from points.models import Attendance, Group, Headcount, Programme, Session
from points.operations.attendance import resettle
from points.operations.scanning import may_use, sessions_by_id
from points.queries import rulebook
from points.queries.groups import count_groups, rules_of
from registry import access, audit
from registry.access import JAPAN, Scope
from registry.domain.errors import Conflict, NotFound, Refused
from registry.domain.roles import Permission
from registry.operations.staff import actor_id
from registry.queries.organisations import organisations

LONGEST = timedelta(hours=16)


@transaction.atomic
def open(
    *,
    title: str,
    starts_at: datetime,
    ends_at: datetime,
    place: str = "",
    group_id: int | None = None,
    organisation_id: int | None = None,
    programme: str = "",
    activity_kind: str = "",
    source: Source = Source.GROUP,
    by: Scope,
) -> Session:
    """Open a session of a group (``group_id``), or of a host without one (``organisation_id``,
    ``programme`` code, ``activity_kind`` and ``source`` centre or event).

    Raises:
        Forbidden: without ``sessions.manage``.
        NotFound: no such group or host, or not one's own; the year was not opened.
        Refused: ``bad_session`` (``fields`` names the input), ``no_rules``, ``unknown_kind``,
            ``year_closed``; ``group_not_registered``, ``too_few_members`` (P9).
    """
    by.require(Permission.SESSIONS_MANAGE)
    group: Group | None = None
    if group_id is not None:
        group = Group.objects.filter(pk=group_id).select_related("programme").first()
        if group is None:
            raise NotFound
        organisation_id, source = group.organisation_id, Source.GROUP
        programme = group.programme.code
        activity_kind = activity_kind or group.activity_kind
    own = by.system or by.sees_all_volunteers or organisation_id in by.organisations
    if organisation_id is None or not own or not organisations(by, ids=[organisation_id]):
        raise NotFound
    _check(title, starts_at, ends_at, group, source)
    if group is not None:
        _check_group(group, starts_at.astimezone(JAPAN).date(), by)
    held_on = starts_at.astimezone(JAPAN).date()
    row = Programme.objects.filter(code=programme).first()
    if row is None:
        raise NotFound
    known = rulebook.load()
    require_open(known.terms(programme, fiscal_year(held_on)))
    pick(known.book.rules[programme], held_on).rate(activity_kind)
    made = Session.objects.create(
        organisation_id=organisation_id, group=group, programme=row, title=title.strip(),
        activity_kind=activity_kind, source=source, place=place.strip(),
        area_id=group.area_id if group else organisations(by, ids=[organisation_id])[0].area_id,
        held_on=held_on, starts_at=starts_at, ends_at=ends_at, made_at=by.at,
        made_by_id=actor_id(by=by),
    )
    audit.note(scope=by, kind="change", action="sessions.open", subject_kind="session",
               subject_id=made.pk)
    return made


def _check_group(group: Group, on: date, by: Scope) -> None:
    """P9: only a registered group; where the rule says so, only with enough members that day."""
    if group.state != State.REGISTERED:
        raise Refused("この年度に登録されていない団体です。", code="group_not_registered")
    known = rulebook.load()
    rules = rules_of(group, known, on)
    if rules.group_below is Below.NO_SESSIONS and not group.exception:
        judged = count_groups([group], known, by, on=on)[group.pk]
        if judged.stops_sessions:
            raise Refused(judged.warning, code="too_few_members")


def _check(
    title: str, starts_at: datetime, ends_at: datetime, group: Group | None, source: Source
) -> None:
    wrong = {}
    if not title.strip() or len(title) > 120:
        wrong["title"] = "名称を1〜120文字で入れてください。"
    if starts_at.tzinfo is None or ends_at.tzinfo is None:
        raise ValueError("times must be aware")
    if not timedelta(0) < ends_at - starts_at <= LONGEST:
        wrong["ends_at"] = "終わりの時刻は、始まりより後で16時間以内にしてください。"
    elif starts_at.astimezone(JAPAN).date() != (
        ends_at - timedelta(seconds=1)
    ).astimezone(JAPAN).date():
        wrong["ends_at"] = "日をまたぐ活動は、日ごとに分けてください。"
    if group is None and source is Source.GROUP:
        wrong["group_id"] = "登録団体をえらんでください。"
    if group is not None and group.fiscal_year != fiscal_year(starts_at.astimezone(JAPAN).date()):
        wrong["starts_at"] = f"この団体の登録は{group.fiscal_year}年度のものです。"
    if wrong:
        raise Refused("開催回の内容を確かめてください。", code="bad_session", fields=wrong)


@transaction.atomic
def declare_headcount(
    *, session_id: int, headcount: int, by: Scope, reason: str = ""
) -> Session:
    """The leader says how many were there (printed QR and paper, P4.3, P4.5).

    Each declaration is kept beside what was counted at that moment; ``reason`` says why they
    differ.

    Raises:
        Forbidden: without ``sessions.manage``.  NotFound: not one's own.
        Refused: ``bad_headcount`` outside 0–5,000.
    """
    row = _own(session_id, by)
    if not 0 <= headcount <= 5_000:
        raise Refused("人数は0〜5,000で入れてください。", code="bad_headcount")
    row.headcount = headcount
    row.save(update_fields=["headcount"])
    with access.system(at=by.at, reason="headcount") as wide:
        counted = Attendance.objects.visible_to(wide).filter(
            session_id=row.pk, voided_at__isnull=True).count()
        Headcount.objects.visible_to(wide).create(
            session_id=row.pk, heads=headcount, counted=counted, reason=reason.strip()[:200],
            declared_at=by.at, declared_by_id=actor_id(by=by),
        )
    audit.note(scope=by, kind="change", action="sessions.headcount", subject_kind="session",
               subject_id=row.pk, detail={"headcount": headcount, "counted": counted})
    return row


@transaction.atomic
def cancel(*, session_id: int, by: Scope) -> Session:
    """Cancel a session; whoever was counted there is counted again without it.

    Raises:
        Forbidden: without ``sessions.manage``.  NotFound: not one's own.
        Conflict: ``already_cancelled``.
        Refused: ``year_closed``: the year is closed.
    """
    row = _own(session_id, by)
    if row.cancelled_at is not None:
        raise Conflict("この開催回は、すでに中止になっています。", code="already_cancelled")
    year = fiscal_year(row.held_on)
    known = rulebook.load()
    if known.terms(known.code_of[row.programme_id], year).state is YearState.CLOSED:
        raise Refused("年度がしめきられているため、中止にできません。", code="year_closed")
    row.cancelled_at, row.cancelled_by_id = by.at, actor_id(by=by)
    row.save(update_fields=["cancelled_at", "cancelled_by"])
    with access.system(at=by.at, reason="cancel session") as wide:
        people = list(
            Attendance.objects.visible_to(wide).filter(session_id=row.pk)
            .values_list("volunteer_id", flat=True)
        )
        if people:
            resettle(volunteer_ids=people, years=[year], wide=wide)
    audit.note(scope=by, kind="change", action="sessions.cancel", subject_kind="session",
               subject_id=row.pk, detail={"attendances": len(people)})
    return row


def _own(session_id: int, by: Scope) -> Session:
    by.require(Permission.SESSIONS_MANAGE)
    fact = sessions_by_id({session_id}).get(session_id)
    if fact is None or not may_use(fact, by):
        raise NotFound
    return Session.objects.select_for_update().get(pk=session_id)
