"""What a rule set would change, counted over the recorded attendances; nothing is written.

Owns reading the attendances of the fiscal years in question in blocks of volunteers and counting
each twice: by the rules as they are, and as if the new one had held from a day (P1's function
both times).  Refuses those without ``rules.manage``, a period that has not begun, and a rule
set that forgets a kind of activity.  What leaves are sums; no name, no id.
Source: P1, P2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from points.domain import recount
from points.domain.awards import Share
from points.domain.recount import Person, Record
from points.domain.rule_preview import Preview, Tally, period, rehearsed
from points.domain.rules import RuleSet, check_kinds, fiscal_year
from points.models import Attendance
from points.queries import records, rulebook
from registry import access, audit
from registry.access import Scope
from registry.domain.errors import NotFound, Refused
from registry.domain.roles import Permission

BLOCK = 1_000
LONGEST = timedelta(days=3 * 366)


def preview(
    scope: Scope, *, rules: RuleSet, since: date | None = None, until: date | None = None,
    replaces: str = "",
) -> Preview:
    """How the points of ``since``…``until`` would differ under ``rules``.

    Without ``since``: the same period of the last year in which it is past.  ``replaces`` is
    the code of the unused rule set whose place it would take.

    Raises:
        Forbidden: without ``rules.manage``.
        NotFound: no such programme.
        Refused: ``period_not_past``; ``period_too_long``; ``kind_lost``.
    """
    scope.require(Permission.RULES_MANAGE)
    known = rulebook.load()
    if rules.programme not in known.id_of:
        raise NotFound
    first, last = period(rules.begins_on, scope.on) if since is None else (since, scope.on)
    last = min(last, until or last, scope.on)
    if first > last:
        raise Refused("期間は、きょうまでの日にしてください。", code="period_not_past",
                      fields={"since": "きょうまでの日にしてください。"})
    if last - first > LONGEST:
        raise Refused("期間は3年までにしてください。", code="period_too_long",
                      fields={"since": "3年以内の日にしてください。"})
    existing = [one for one in known.book.rules[rules.programme] if one.code != replaces]
    then = rehearsed(existing, rules, first, last)
    with access.system(at=scope.at, reason="rules preview") as wide:
        mine = Attendance.objects.visible_to(wide).filter(
            session__programme_id=known.id_of[rules.programme]
        )
        inside = mine.filter(session__held_on__range=(first, last))
        kinds = set(inside.values_list("session__activity_kind", flat=True).distinct())
        for one in existing:
            wanted = tuple(rate for rate in one.rates if rate.kind in kinds)
            if wanted:
                check_kinds(replace(one, rates=wanted), rules)
        tally = Tally(first, last, {
            rate.kind: rate.label for some in (*existing, rules) for rate in some.rates
        })
        people = sorted(set(inside.values_list("volunteer_id", flat=True).distinct()))
        years = range(fiscal_year(first), fiscal_year(last) + 1)
        now = {**known.book.rules, rules.programme: existing}
        books = (
            recount.Rulebook(now, known.book.terms),
            recount.Rulebook({**now, rules.programme: then}, known.book.terms),
        )
        for some, person in _blocks(wide, known, people, years):
            tally.add(_pairs(some, person, books, rules.programme, first))
        ahead = mine.filter(session__held_on__gte=rules.begins_on).count()
    audit.note(scope=scope, kind="view", action="rules.preview", subject_kind="programme",
               subject_id=known.id_of[rules.programme],
               detail={"since": first.isoformat(), "until": last.isoformat()})
    return tally.result(ahead=ahead)


def _blocks(
    wide: Scope, known: rulebook.Rules, people: list[int], years: range
) -> Iterator[tuple[list[Record], Person]]:
    """Each volunteer's records of the years, with their facts."""
    for start in range(0, len(people), BLOCK):
        block = people[start : start + BLOCK]
        facts = records.people(wide, volunteer_ids=block)
        found = records.records(wide, known, volunteer_ids=block, years=years)
        for volunteer, some in found.items():
            yield some, facts[volunteer]


def _pairs(
    some: list[Record], person: Person, books: tuple[recount.Rulebook, recount.Rulebook],
    programme: str, first: date,
) -> Iterator[tuple[str, Share, Share]]:
    """(activity kind, share now, share then) of the programme's attendances since the day."""
    now, then = ({
        share.attendance: share
        for (code, _), shares in recount.count(some, person, book).shares.items()
        if code == programme for share in shares
    } for book in books)
    for one in some:
        if one.programme == programme and one.on >= first:
            yield one.kind, now[one.attendance], then[one.attendance]
