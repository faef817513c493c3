"""The rules as stored, and back: a lossless JSON form of rule sets and year terms.

Owns reading programmes with their dated rules (P2).  Refuses nothing; what is stored was judged
at entry (``operations.programmes``), and reading builds the domain objects again, which judge
themselves.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from django.db import connection

from points.domain.recount import Rulebook
from points.domain.rules import (
    Below,
    Per,
    Rate,
    Remainder,
    RuleSet,
    Source,
    YearState,
    YearTerms,
    pick,
)
from points.domain.years import with_exception
from points.models import Programme
from registry import rows
from registry.access import Scope
from registry.domain.errors import NotFound


@dataclass(frozen=True)
class Rules:
    """Everything about the programmes: ids beside the codes that the domain uses."""

    book: Rulebook
    code_of: dict[int, str]  # programme id → code
    id_of: dict[str, int]  # programme code → id
    name_of: dict[str, str]
    short_of: dict[str, str]
    rule_id: dict[str, int]  # rule set code → id
    rule_code: dict[int, str]

    @property
    def ask_enrolment(self) -> bool:
        """Whether any rule set asks for a yearly registration."""
        return any(one.enrolment_required for some in self.book.rules.values() for one in some)

    @property
    def ask_residence(self) -> bool:
        """Whether any rule set asks where somebody lived."""
        return any(one.residence_required for some in self.book.rules.values() for one in some)

    def terms(self, programme: str, year: int) -> YearTerms:
        """The terms of a year.  Raises ``NotFound`` when the year was not opened."""
        found = self.book.terms.get((programme, year))
        if found is None:
            raise NotFound(f"{year}年度の定めがまだありません。", code="year_not_opened")
        return found


@dataclass(frozen=True)
class ProgrammeFact:
    """A programme with the rule in force on the scope's day and its years."""

    id: int
    code: str
    name: str
    short_name: str
    is_sample: bool
    rule: RuleSet | None
    rules: tuple[RuleSet, ...]
    years: tuple[YearTerms, ...]


_ROWS = (
    "SELECT id, code, name, short_name FROM points_programme ORDER BY id",
    (
        "SELECT id, programme_id, {body} FROM points_ruleset WHERE withdrawn_at IS NULL"
        " ORDER BY starts_on, id"
    ),
    (
        "SELECT programme_id, fiscal_year, {terms}, state, {exception} FROM points_programmeyear"
        " ORDER BY id"
    ),
)
# The rules as read last, with the rows they were made from.
_known: tuple[list[list[tuple[Any, ...]]], Rules] | None = None


def statements() -> list[rows.Statement]:
    """What ``made_of`` needs to know, to be sent together with other questions."""
    cast = "::text" if connection.vendor == "postgresql" else ""
    columns = {name: name + cast for name in ("body", "terms", "exception")}
    return [(text.format(**columns), ()) for text in _ROWS]


def load() -> Rules:
    """Every programme, rule set and year; one round trip, these tables are small."""
    return made_of(rows.fetch(*statements()))


def made_of(read: list[list[tuple[Any, ...]]]) -> Rules:
    """The rules in the answers to ``statements``.

    The rows are read each time, so nothing here can be out of date; only the making of objects
    is spared while they are the same as last time.
    """
    global _known  # one value, replaced whole
    last = _known
    if last is not None and last[0] == read:
        return last[1]
    made = _made(*read)
    _known = (read, made)
    return made


def _made(
    programmes: list[tuple[Any, ...]], rule_sets: list[tuple[Any, ...]],
    years: list[tuple[Any, ...]],
) -> Rules:
    code_of = {row[0]: row[1] for row in programmes}
    by_code: dict[str, list[RuleSet]] = {code: [] for code in code_of.values()}
    rule_id: dict[str, int] = {}
    for number, programme, body in rule_sets:
        one = rule_from(json.loads(body))
        by_code[code_of[programme]].append(one)
        rule_id[one.code] = number
    terms = {
        (code_of[programme], year): with_exception(
            terms_from(json.loads(body), state), json.loads(changed)
        )
        for programme, year, body, state, changed in years
    }
    book = Rulebook(
        MappingProxyType({code: tuple(some) for code, some in by_code.items()}),
        MappingProxyType(terms),
    )
    return Rules(
        book, code_of, {code: number for number, code in code_of.items()},
        {row[1]: row[2] for row in programmes}, {row[1]: row[3] for row in programmes},
        rule_id, {number: code for code, number in rule_id.items()},
    )


def programmes(scope: Scope) -> list[ProgrammeFact]:
    """Every programme by code.  Rules are public facts; any scope may read them."""
    known = load()
    sample = dict(Programme.objects.values_list("code", "is_sample"))
    return [
        ProgrammeFact(
            known.id_of[code], code, known.name_of[code], known.short_of[code], sample[code],
            _in_force(known.book.rules[code], scope.on), tuple(known.book.rules[code]),
            tuple(t for (owner, _), t in sorted(known.book.terms.items()) if owner == code),
        )
        for code in sorted(known.id_of)
    ]


def programme(scope: Scope, *, code: str) -> ProgrammeFact:
    """One programme.  Raises ``NotFound``."""
    for one in programmes(scope):
        if one.code == code:
            return one
    raise NotFound


def _in_force(rules: Sequence[RuleSet], on: date) -> RuleSet | None:
    return pick(rules, on) if any(one.begins_on <= on for one in rules) else None


def rule_body(rules: RuleSet) -> dict[str, Any]:
    """A rule set as JSON; ``rule_from`` is its inverse."""
    return {
        "code": rules.code, "programme": rules.programme, "begins_on": rules.begins_on.isoformat(),
        "rates": [[r.kind, r.label, r.points, r.per.value] for r in rules.rates],
        "sources": sorted(s.value for s in rules.sources),
        "points_per_voucher": rules.points_per_voucher,
        "yen_per_voucher": rules.yen_per_voucher, "group_day_cap": rules.group_day_cap,
        "daily_cap": rules.daily_cap, "vouchers_per_year": rules.vouchers_per_year,
        "minimum_age": rules.minimum_age, "residence_required": rules.residence_required,
        "membership_required": rules.membership_required, "remainder": rules.remainder.value,
        "enrolment_required": rules.enrolment_required, "group_minimum": rules.group_minimum,
        "group_counts_eligible": rules.group_counts_eligible,
        "group_below": rules.group_below.value,
    }


def rule_from(body: dict[str, Any]) -> RuleSet:
    """The rule set of a JSON body; raises ``Refused`` when it cannot be applied."""
    given = dict(body)
    given["begins_on"] = date.fromisoformat(given["begins_on"])
    given["rates"] = tuple(Rate(k, label, p, Per(per)) for k, label, p, per in given["rates"])
    given["sources"] = frozenset(map(Source, given["sources"]))
    given["remainder"] = Remainder(given.get("remainder", "void"))
    given["group_below"] = Below(given.get("group_below", "warn"))
    return RuleSet(**given)


def terms_body(terms: YearTerms) -> dict[str, Any]:
    """Year terms as JSON without the state, which is a column of its own."""
    dates = ("exchange_from", "exchange_until", "grace_until", "lapses_on")
    return {
        "programme": terms.programme, "fiscal_year": terms.fiscal_year,
        "yen_value": terms.yen_value, "annual_cap": terms.annual_cap,
        **{name: getattr(terms, name).isoformat() for name in dates},
    }


def terms_from(body: dict[str, Any], state: str = "open") -> YearTerms:
    """The year terms of a JSON body."""
    given = dict(body)
    for name in ("exchange_from", "exchange_until", "grace_until", "lapses_on"):
        given[name] = date.fromisoformat(given[name])
    return YearTerms(**given, state=YearState(state))
