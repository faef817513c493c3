"""Programmes, their dated rules and their years (ポイント事業・要領・年度).

Owns writing rules as data.  Refuses a rule set that would change the past, one that contradicts
its year, a year opened twice, and other terms for a year that has points (P2).  A rule set is
never changed: one that has not decided anything is withdrawn, and a new one is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

from django.db import IntegrityError, transaction

from points.domain.rules import (
    RuleSet,
    YearState,
    YearTerms,
    check_kinds,
    check_new,
    check_terms,
    fiscal_year,
    fiscal_year_span,
    pick,
)
from points.models import Group, Programme, ProgrammeYear, Session
from points.models import RuleSet as RuleSetRow
from points.operations.posting import open_city_accounts
from points.queries import rulebook
from points.queries.rulebook import Rules, rule_body, terms_body
from points.queries.rules import latest_award_on, used_rule_sets, year_has_points
from registry import access, audit
from registry.access import Scope
from registry.domain.errors import Conflict, NotFound, Refused
from registry.domain.roles import Permission
from registry.operations.staff import actor_id


class ProgrammeTaken(Conflict):
    """Another programme has this code."""

    code = "programme_taken"
    message = "この事業コードは使われています。"


class YearChanged(Conflict):
    """Somebody changed the terms in between."""

    code = "changed_meanwhile"
    message = "ほかの人が先に変更しました。読みなおしてから、もう一度お願いします。"


class YearOpened(Conflict):
    """The year of this programme is open already."""

    code = "year_opened"
    message = "この年度は、すでに開いています。"


@transaction.atomic
def create(
    *, code: str, name: str, short_name: str = "", is_sample: bool = False, by: Scope
) -> Programme:
    """Make a programme with the accounts of its own.

    Raises:
        Forbidden: without ``rules.manage``.
        Refused: ``bad_programme``: a code of other than 1–16 of a-z, 0-9, hyphen; no name.
        ProgrammeTaken: the code is in use.
    """
    by.require(Permission.RULES_MANAGE)
    wrong = {}
    if not re.fullmatch(r"[a-z0-9-]{1,16}", code):
        wrong["code"] = "小文字の英数字とハイフンで16文字までにしてください。"
    if not name.strip():
        wrong["name"] = "名称を入れてください。"
    if wrong:
        raise Refused("事業の登録内容を確かめてください。", code="bad_programme", fields=wrong)
    try:
        with transaction.atomic():
            made = Programme.objects.create(
                code=code, name=name.strip(), short_name=short_name or name.strip()[:24],
                is_sample=is_sample,
            )
    except IntegrityError as error:
        raise ProgrammeTaken from error
    with access.system(at=by.at, reason="open accounts") as wide:
        open_city_accounts(programme_id=made.pk, by=wide)
    audit.note(scope=by, kind="change", action="programmes.create", subject_kind="programme",
               subject_id=made.pk)
    return made


@transaction.atomic
def add_rules(*, rules: RuleSet, citation: str = "", reason: str = "", by: Scope) -> RuleSetRow:
    """Add a rule set that holds from its date until the next begins.

    Raises:
        Forbidden: without ``rules.manage``.
        NotFound: no such programme.
        Refused: as ``points.domain.rules.check_new`` and ``check_terms``; ``year_closed``.
    """
    by.require(Permission.RULES_MANAGE)
    programme = held(code=rules.programme)
    known = rulebook.load()
    judge(rules, known, by=by)
    return write(rules, programme, citation=citation, reason=reason, by=by)


@transaction.atomic
def withdraw_rules(*, rule_set_id: int, reason: str, by: Scope) -> RuleSetRow:
    """Withdraw a rule set that has not decided anything; the one before holds on.

    Raises:
        Forbidden: without ``rules.manage``.
        NotFound: no such rule set in force or to come.
        Refused: ``rules_used``: it has decided awards.  ``reason_missing``.  ``rules_needed``:
            nothing would hold in an open year.  As ``check_kinds`` and ``check_terms`` for the
            rule set that would hold on.
    """
    by.require(Permission.RULES_MANAGE)
    row = RuleSetRow.objects.filter(pk=rule_set_id, withdrawn_at__isnull=True).first()
    if row is None:
        raise NotFound
    programme = held(programme_id=row.programme_id)
    known = rulebook.load()
    withdrawn = take_back(rule_set_id, programme, known, reason=reason, by=by)
    rest = [one for one in known.book.rules[programme.code] if one.code != withdrawn.code]
    check_without(withdrawn, rest, programme, known)
    return RuleSetRow.objects.get(pk=rule_set_id)


@transaction.atomic
def open_year(
    *, terms: YearTerms, citation: str = "", reason: str = "", by: Scope
) -> ProgrammeYear:
    """Open a fiscal year with what belongs to the whole of it.

    Raises:
        Forbidden: without ``rules.manage``.
        NotFound: no such programme.
        YearOpened: it is open already.
        Refused: ``no_rules`` when no rule set is in force at its start, or as ``check_terms``.
    """
    by.require(Permission.RULES_MANAGE)
    programme = held(code=terms.programme)
    for one in _within(rulebook.load().book.rules[terms.programme], terms.fiscal_year):
        check_terms(one, terms)
    try:
        with transaction.atomic():
            made = ProgrammeYear.objects.create(
                programme=programme, fiscal_year=terms.fiscal_year, terms=terms_body(terms),
                state=YearState.OPEN, citation=citation.strip(), reason=reason.strip(),
            )
    except IntegrityError as error:
        raise YearOpened from error
    audit.note(scope=by, kind="change", action="programmes.open_year", subject_kind="programme",
               subject_id=programme.pk, detail={"fiscal_year": terms.fiscal_year})
    return made


@transaction.atomic
def change_year(
    *, terms: YearTerms, version: int, citation: str = "", reason: str, by: Scope
) -> ProgrammeYear:
    """Write other terms for a year that has no points yet.

    ``version`` is the one that was read.

    Raises:
        Forbidden: without ``rules.manage``.
        NotFound: no such programme or year.
        YearChanged: somebody changed it in between.
        Refused: ``year_has_points``; ``year_closed``; ``reason_missing``; as ``check_terms``.
    """
    by.require(Permission.RULES_MANAGE)
    programme = held(code=terms.programme)
    row = ProgrammeYear.objects.filter(programme=programme, fiscal_year=terms.fiscal_year).first()
    if row is None:
        raise NotFound
    if row.version != version:
        raise YearChanged
    if row.state == YearState.CLOSED:
        raise Refused("この年度はしめきられています。", code="year_closed")
    with access.system(at=by.at, reason="rules") as wide:
        if year_has_points(wide, programme_id=programme.pk, fiscal_year=terms.fiscal_year):
            raise Refused(
                "この年度にはもう付与があるため、定めは変えられません。", code="year_has_points"
            )
    _explained(reason)
    for one in _within(rulebook.load().book.rules[terms.programme], terms.fiscal_year):
        check_terms(one, terms)
    row.terms, row.version = terms_body(terms), row.version + 1
    row.citation, row.reason = citation.strip(), reason.strip()
    row.changed_at, row.changed_by_id = by.at, actor_id(by=by)
    row.save(update_fields=["terms", "version", "citation", "reason", "changed_at", "changed_by"])
    audit.note(scope=by, kind="change", action="programmes.change_year",
               subject_kind="programme", subject_id=programme.pk,
               detail={"fiscal_year": terms.fiscal_year, "version": row.version})
    return row


def held(*, code: str = "", programme_id: int | None = None) -> Programme:
    """The programme with its years, locked against awards until we are done.

    Whoever counts people holds the years with shared locks (``scanning``), and reads the rules
    after that: no award can slip in under rules that are just being changed.  The programme's
    key stays free, so that new accounts may still refer to it.
    Raises ``NotFound``.
    """
    wanted = Programme.objects.select_for_update(no_key=True)
    programme = wanted.filter(**({"code": code} if code else {"pk": programme_id})).first()
    if programme is None:
        raise NotFound
    years = ProgrammeYear.objects.select_for_update(no_key=True).filter(programme=programme)
    list(years.order_by("pk").values_list("pk", flat=True))
    return programme


def judge(rules: RuleSet, known: Rules, *, without: str = "", by: Scope) -> None:
    """Refuse rules that may not be added to those ``known`` (``without`` the one replaced).

    Raises ``Refused`` as ``check_new`` and ``check_terms``; ``year_closed``.
    """
    programme = known.id_of[rules.programme]
    with access.system(at=by.at, reason="rules") as wide:
        latest = latest_award_on(wide, programme_id=programme)
    every = [one for some in known.book.rules.values() for one in some if one.code != without]
    check_new(rules, every, latest)
    for (code, year), terms in known.book.terms.items():
        if code != rules.programme or rules.begins_on > fiscal_year_span(year)[1]:
            continue
        if terms.state is not YearState.CLOSED:
            check_terms(rules, terms)
        elif fiscal_year(rules.begins_on) == year:
            said = f"{year}年度はしめきられています。"
            raise Refused(said, code="year_closed", fields={"begins_on": said})


def write(
    rules: RuleSet, programme: Programme, *, citation: str, reason: str, by: Scope
) -> RuleSetRow:
    """Insert rules that were judged, and note it."""
    made = RuleSetRow.objects.create(
        programme=programme, code=rules.code, starts_on=rules.begins_on,
        citation=citation.strip(), reason=reason.strip(), body=rule_body(rules), made_at=by.at,
        made_by_id=actor_id(by=by),
    )
    audit.note(scope=by, kind="change", action="programmes.add_rules", subject_kind="programme",
               subject_id=programme.pk, detail={"rule_set": made.pk})
    return made


def take_back(
    rule_set_id: int, programme: Programme, known: Rules, *, reason: str, by: Scope
) -> RuleSet:
    """Mark an unused rule set as withdrawn and note it.

    Raises ``Refused``: ``rules_used``, ``reason_missing``.
    """
    _explained(reason)
    with access.system(at=by.at, reason="rules") as wide:
        if rule_set_id in used_rule_sets(wide, rule_set_ids=[rule_set_id]):
            raise Refused(
                "この要領でもう付与しているため、変えられません。新しい要領をつくってください。",
                code="rules_used",
            )
    RuleSetRow.objects.filter(pk=rule_set_id, withdrawn_at__isnull=True).update(
        withdrawn_at=by.at, withdrawn_by_id=actor_id(by=by), withdrawn_reason=reason.strip()
    )
    audit.note(scope=by, kind="change", action="programmes.withdraw_rules",
               subject_kind="programme", subject_id=programme.pk, detail={"rule_set": rule_set_id})
    code = known.rule_code[rule_set_id]
    return next(one for one in known.book.rules[programme.code] if one.code == code)


def check_without(
    gone: RuleSet, rest: list[RuleSet], programme: Programme, known: Rules
) -> None:
    """Refuse to leave days without rules, sessions without a rate, or a year contradicted.

    ``rest`` are the rule sets that hold when ``gone`` is away (a replacement among them).
    Raises ``Refused``: ``rules_needed``; as ``check_kinds`` and ``check_terms``.
    """
    later = [one.begins_on for one in known.book.rules[gone.programme]
             if one.begins_on > gone.begins_on]
    last = min(later) - timedelta(days=1) if later else date.max
    sessions = Session.objects.filter(
        programme=programme, held_on__range=(gone.begins_on, last), cancelled_at__isnull=True
    )
    groups = Group.objects.filter(
        programme=programme, fiscal_year__range=(fiscal_year(gone.begins_on), last.year)
    )
    kinds = {*sessions.values_list("activity_kind", flat=True),
             *groups.values_list("activity_kind", flat=True)}
    years = [
        terms for (code, year), terms in known.book.terms.items()
        if code == programme.code and terms.state is not YearState.CLOSED
        and fiscal_year_span(year)[1] >= gone.begins_on and fiscal_year_span(year)[0] <= last
    ]
    before = [one for one in rest if one.begins_on <= gone.begins_on]
    if not before and (years or kinds):
        said = "有効な要領のない日ができます。"
        raise Refused(said, code="rules_needed", fields={"begins_on": said})
    holding = [one for one in rest if gone.begins_on < one.begins_on <= last]
    if before:
        holding.append(pick(before, gone.begins_on))
    wanted = tuple(rate for rate in gone.rates if rate.kind in kinds)
    for one in holding:
        if wanted:
            check_kinds(replace(gone, rates=wanted), one)
        for terms in years:
            if one.begins_on <= fiscal_year_span(terms.fiscal_year)[1]:
                check_terms(one, terms)


def _within(rules: Iterable[RuleSet], year: int) -> list[RuleSet]:
    """The rule sets in force in a fiscal year; ``Refused`` (``no_rules``) when there is none."""
    first, last = fiscal_year_span(year)
    every = list(rules)
    inside = [one for one in every if first < one.begins_on <= last]
    if not inside or any(one.begins_on <= first for one in every):
        inside.append(pick(every, first))
    return inside


def _explained(reason: str) -> None:
    if not reason.strip():
        said = "わけを書いてください。"
        raise Refused(said, code="reason_missing", fields={"reason": said})
