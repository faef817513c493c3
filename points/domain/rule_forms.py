"""The form on which staff write a rule set: strings, as typed, and what they mean.

Owns the names of the inputs, reading them (full-width digits, 令和 and 西暦, blank = no cap) and
the way back, so that a draft holds exactly what was typed.  Refuses with one sentence for every
input that cannot be read; what reads but cannot be applied is refused by ``rules``.
Source: P2; screens.md, "Forms".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

from points.domain.rules import Below, Per, Rate, Remainder, RuleSet, Source, YearTerms
from registry.domain.calendar import DateRefused, Precision, parse_date
from registry.domain.errors import Refused

Form = dict[str, Any]  # str → str, or a list of str (sources), or of rows (rates)
RATES = 12  # rows that a form may have
_LARGEST = 1_000_000
CAPS = ("daily_cap", "group_day_cap", "vouchers_per_year", "minimum_age", "group_minimum")
YES, NO = "yes", "no"
FLAGS = ("residence_required", "membership_required", "enrolment_required",
         "group_counts_eligible")
TEXTS = ("begins_on", "citation", *CAPS, "points_per_voucher", "yen_per_voucher", "remainder",
         "group_below", *FLAGS)
TERM_DATES = ("exchange_from", "exchange_until", "grace_until", "lapses_on")
TERM_TEXTS = ("yen_value", "annual_cap", *TERM_DATES)


def empty() -> Form:
    """A form that says nothing yet."""
    return dict.fromkeys(TEXTS, "") | dict.fromkeys(FLAGS, NO) | {
        "remainder": Remainder.VOID.value, "group_below": Below.WARN.value, "sources": [],
        "rates": [],
    }


def to_form(rules: RuleSet, *, citation: str = "", begins_on: date | None = None) -> Form:
    """A rule set as the form; ``from_form`` gives it back.  ``begins_on`` None leaves it blank."""
    caps = {name: getattr(rules, name) for name in CAPS}
    return {
        "begins_on": "" if begins_on is None else begins_on.isoformat(), "citation": citation,
        **{name: "" if value is None else str(value) for name, value in caps.items()},
        "points_per_voucher": str(rules.points_per_voucher),
        "yen_per_voucher": str(rules.yen_per_voucher), "remainder": rules.remainder.value,
        "group_below": rules.group_below.value,
        **{name: YES if getattr(rules, name) else NO for name in FLAGS},
        "sources": [one.value for one in Source if one in rules.sources],
        "rates": [
            {"kind": r.kind, "label": r.label, "points": str(r.points), "per": r.per.value}
            for r in rules.rates
        ],
    }


def clean(form: Mapping[str, Any]) -> Form:
    """Only known inputs, as strings: what a draft may store.

    Raises ``Refused`` (``unknown_input``) for an input that no rule set has.
    """
    unknown = sorted(set(form) - {*TEXTS, "sources", "rates"})
    rows = form.get("rates") or []
    if not isinstance(rows, list | tuple) or len(rows) > RATES:
        raise Refused(f"活動の種類は{RATES}までです。", code="too_many_kinds",
                      fields={"rates": f"活動の種類は{RATES}までです。"})
    for row in rows:
        unknown += sorted(set(row) - {"kind", "label", "points", "per"})
    if unknown:
        raise Refused("要領にない項目があります。", code="unknown_input",
                      fields=dict.fromkeys(unknown, "要領にない項目です。"))
    kept: Form = {name: str(form.get(name) or "")[:200] for name in TEXTS}
    kept["sources"] = [str(one)[:24] for one in form.get("sources") or []][:8]
    kept["rates"] = [
        {name: str(row.get(name) or "")[:40] for name in ("kind", "label", "points", "per")}
        for row in rows
    ]
    return kept


def from_form(form: Mapping[str, Any], *, programme: str, code: str = "") -> RuleSet:
    """The rule set that a form means; ``code`` is made from the first day when not given.

    Raises ``Refused``: ``rule_form_unreadable`` with a sentence for each input that cannot be
    read; ``rule_set_invalid`` (as ``RuleSet``) for one that cannot be applied.
    """
    wrong: dict[str, str] = {}
    begins = _date(form, "begins_on", wrong)
    caps = {name: _number(form, name, wrong, blank=True) for name in CAPS}
    voucher = _number(form, "points_per_voucher", wrong)
    yen = _number(form, "yen_per_voucher", wrong)
    flags = {name: _flag(form, name, wrong) for name in FLAGS}
    remainder = _choice(Remainder, str(form.get("remainder") or ""), "remainder", wrong)
    below = _choice(Below, str(form.get("group_below") or Below.WARN), "group_below", wrong)
    sources = [_choice(Source, str(one), "sources", wrong) for one in form.get("sources") or []]
    rates = _rates(form.get("rates") or [], wrong)
    if wrong or begins is None or voucher is None or yen is None or remainder is None:
        raise Refused("入力を たしかめてください。", code="rule_form_unreadable", fields=wrong)
    return RuleSet(
        code=code or f"{programme}-{begins:%Y%m%d}", programme=programme, begins_on=begins,
        rates=rates, sources=frozenset(one for one in sources if one), remainder=remainder,
        points_per_voucher=voucher, yen_per_voucher=yen, daily_cap=caps["daily_cap"],
        group_day_cap=caps["group_day_cap"], vouchers_per_year=caps["vouchers_per_year"],
        minimum_age=caps["minimum_age"], residence_required=flags["residence_required"],
        membership_required=flags["membership_required"],
        enrolment_required=flags["enrolment_required"], group_minimum=caps["group_minimum"],
        group_counts_eligible=flags["group_counts_eligible"], group_below=below or Below.WARN,
    )


def terms_to_form(terms: YearTerms) -> dict[str, str]:
    """A year's terms as the form."""
    return {
        "yen_value": str(terms.yen_value),
        "annual_cap": "" if terms.annual_cap is None else str(terms.annual_cap),
        **{name: getattr(terms, name).isoformat() for name in TERM_DATES},
    }


def terms_from_form(form: Mapping[str, Any], *, programme: str, fiscal_year: int) -> YearTerms:
    """The terms that a form means; raises ``Refused`` as ``from_form`` and ``YearTerms``."""
    wrong: dict[str, str] = {}
    yen = _number(form, "yen_value", wrong)
    cap = _number(form, "annual_cap", wrong, blank=True)
    days = [_date(form, name, wrong) for name in TERM_DATES]
    first, until, grace, lapses = days
    if wrong or yen is None or first is None or until is None or grace is None or lapses is None:
        raise Refused("入力を たしかめてください。", code="rule_form_unreadable", fields=wrong)
    return YearTerms(programme, fiscal_year, yen, first, until, grace, lapses, cap)


def _rates(rows: Sequence[Mapping[str, Any]], wrong: dict[str, str]) -> tuple[Rate, ...]:
    """The rows that say something; a new one gets the next free ``kind-N``."""
    taken = {str(row.get("kind") or "") for row in rows}
    found, number = [], 0
    for at, row in enumerate(rows):
        kind, label = str(row.get("kind") or ""), _plain(row.get("label"))
        if not kind and not label and not _plain(row.get("points")):
            continue
        points = _number(row, "points", wrong, at=at)
        per = _choice(Per, str(row.get("per") or Per.ATTENDANCE), f"rates.{at}.per", wrong)
        if not label or len(label) > 24:
            wrong[f"rates.{at}.label"] = "活動の名前を24文字までで入れてください。"
        while not kind:
            number += 1
            kind = "" if f"kind-{number}" in taken else f"kind-{number}"
        taken.add(kind)
        if not re.fullmatch(r"[a-z0-9_-]{1,24}", kind):
            wrong[f"rates.{at}.kind"] = "種類の記号が正しくありません。"
        if points is not None and per is not None:
            found.append(Rate(kind, label, points, per))
    return tuple(found)


_E = TypeVar("_E", Below, Per, Source, Remainder)


def _choice(kind: type[_E], value: str, name: str, wrong: dict[str, str]) -> _E | None:
    try:
        return kind(value)
    except ValueError:
        wrong[name] = "1つえらんでください。"
        return None


def _flag(form: Mapping[str, Any], name: str, wrong: dict[str, str]) -> bool:
    value = form.get(name) or NO
    if value not in (YES, NO):
        wrong[name] = "どちらかをえらんでください。"
    return value == YES


def _number(
    form: Mapping[str, Any], name: str, wrong: dict[str, str], *, blank: bool = False,
    at: int | None = None,
) -> int | None:
    text = _plain(form.get(name)).replace(",", "")
    where = name if at is None else f"rates.{at}.{name}"
    if not text and blank:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 7 or int(text) > _LARGEST:
        wrong[where] = f"0から{_LARGEST:,}までの数字を入れてください。"
        return None
    return int(text)


def _date(form: Mapping[str, Any], name: str, wrong: dict[str, str]) -> date | None:
    try:
        found = parse_date(str(form.get(name) or ""))
    except DateRefused as error:
        wrong[name] = error.message
        return None
    if found.precision is not Precision.DAY or not 2000 <= found.year <= 2200:
        wrong[name] = "「2027年4月1日」のように年月日を入れてください。"
        return None
    return found.first


def _plain(value: Any) -> str:
    return unicodedata.normalize("NFKC", str(value or "")).strip()
