"""Programmes, their dated rules and their years (ポイント事業・要領・年度).

Owns writing rules as data.  Refuses a rule set that would change the past, one that contradicts
its year, and a year opened twice (P2).  Rules are never changed: a new one is made.
"""

from __future__ import annotations

import re

from django.db import IntegrityError, transaction
from django.db.models import Max

from points.domain.rules import (
    RuleSet,
    YearState,
    YearTerms,
    check_new,
    check_terms,
    fiscal_year_span,
    pick,
)
from points.models import AwardDecision, Programme, ProgrammeYear
from points.models import RuleSet as RuleSetRow
from points.operations.posting import open_city_accounts
from points.queries import rulebook
from points.queries.rulebook import rule_body, terms_body
from registry import access, audit
from registry.access import Scope
from registry.domain.errors import Conflict, NotFound, Refused
from registry.domain.roles import Permission
from registry.operations.staff import actor_id


class ProgrammeTaken(Conflict):
    """Another programme has this code."""

    code = "programme_taken"
    message = "この事業コードは使われています。"


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
def add_rules(*, rules: RuleSet, citation: str = "", by: Scope) -> RuleSetRow:
    """Add a rule set that holds from its date until the next begins.

    Raises:
        Forbidden: without ``rules.manage``.
        NotFound: no such programme.
        Refused: as ``points.domain.rules.check_new`` and ``check_terms``.
    """
    by.require(Permission.RULES_MANAGE)
    programme = Programme.objects.select_for_update().filter(code=rules.programme).first()
    if programme is None:
        raise NotFound
    known = rulebook.load()
    with access.system(at=by.at, reason="rules") as wide:
        latest = AwardDecision.objects.visible_to(wide).filter(
            attendance__session__programme_id=programme.pk
        ).aggregate(latest=Max("attendance__session__held_on"))["latest"]
    check_new(rules, [one for some in known.book.rules.values() for one in some], latest)
    for (code, year), terms in known.book.terms.items():
        if code == rules.programme and rules.begins_on <= fiscal_year_span(year)[1] and (
            terms.state is not YearState.CLOSED
        ):
            check_terms(rules, terms)
    made = RuleSetRow.objects.create(
        programme=programme, code=rules.code, starts_on=rules.begins_on, citation=citation,
        body=rule_body(rules), made_at=by.at, made_by_id=actor_id(by=by),
    )
    audit.note(scope=by, kind="change", action="programmes.add_rules", subject_kind="programme",
               subject_id=programme.pk, detail={"rule_set": made.pk})
    return made


@transaction.atomic
def open_year(*, terms: YearTerms, by: Scope) -> ProgrammeYear:
    """Open a fiscal year with what belongs to the whole of it.

    Raises:
        Forbidden: without ``rules.manage``.
        NotFound: no such programme.
        YearOpened: it is open already.
        Refused: ``no_rules`` when no rule set is in force at its start, or as ``check_terms``.
    """
    by.require(Permission.RULES_MANAGE)
    programme = Programme.objects.select_for_update().filter(code=terms.programme).first()
    if programme is None:
        raise NotFound
    first, last = fiscal_year_span(terms.fiscal_year)
    rules = rulebook.load().book.rules[terms.programme]
    inside = [one for one in rules if first < one.begins_on <= last]
    if not inside or any(one.begins_on <= first for one in rules):
        inside.append(pick(rules, first))
    for one in inside:
        check_terms(one, terms)
    try:
        with transaction.atomic():
            made = ProgrammeYear.objects.create(
                programme=programme, fiscal_year=terms.fiscal_year, terms=terms_body(terms),
                state=YearState.OPEN,
            )
    except IntegrityError as error:
        raise YearOpened from error
    audit.note(scope=by, kind="change", action="programmes.open_year", subject_kind="programme",
               subject_id=programme.pk, detail={"fiscal_year": terms.fiscal_year})
    return made

