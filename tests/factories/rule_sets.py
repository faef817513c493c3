"""Any rule set and any year's terms, drawn by hypothesis; nothing but the domain is loaded."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import strategies as st

from points.domain.rules import (
    Below,
    Per,
    Rate,
    Remainder,
    RuleSet,
    Source,
    YearTerms,
    fiscal_year_span,
)

DAYS = st.dates(date(2021, 4, 1), date(2035, 3, 31))
SMALL = st.integers(1, 40)


@st.composite
def rule_sets(draw: st.DrawFn) -> RuleSet:
    """Any rule set that can be applied: every field drawn."""
    kinds = draw(st.lists(st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True), min_size=1,
                          max_size=4, unique=True))
    labels = draw(st.lists(st.text("支援型参加見学除雪あいう", min_size=1, max_size=8),
                           min_size=len(kinds), max_size=len(kinds), unique=True))
    rates = tuple(
        Rate(kind, label, draw(st.integers(0, 9)), draw(st.sampled_from(Per)))
        for kind, label in zip(kinds, labels, strict=True)
    )
    sources = frozenset(draw(st.sets(st.sampled_from(Source), min_size=1)))
    daily = draw(st.none() | SMALL)
    grouped = Source.GROUP in sources
    group_cap = draw(st.none() | st.integers(1, daily or 40)) if grouped else None
    minimum = draw(st.none() | st.integers(1, 20)) if grouped else None
    return RuleSet(
        code="p-1", programme="p", begins_on=draw(DAYS), rates=rates, sources=sources,
        points_per_voucher=draw(SMALL), yen_per_voucher=draw(st.sampled_from((100, 500, 1_000))),
        group_day_cap=group_cap, daily_cap=daily, vouchers_per_year=draw(st.none() | SMALL),
        minimum_age=draw(st.none() | st.integers(1, 120)), residence_required=draw(st.booleans()),
        membership_required=sources == {Source.GROUP} and draw(st.booleans()),
        remainder=draw(st.sampled_from(Remainder)), enrolment_required=draw(st.booleans()),
        group_minimum=minimum,
        group_counts_eligible=minimum is not None and draw(st.booleans()),
        group_below=draw(st.sampled_from(Below)),
    )


@st.composite
def years(draw: st.DrawFn) -> YearTerms:
    """Any terms of a year."""
    year = draw(st.integers(2021, 2034))
    first, last = fiscal_year_span(year)
    begins = draw(st.dates(first, last))
    until = draw(st.dates(begins, last + timedelta(days=200)))
    grace = last + timedelta(days=draw(st.integers(1, 90)))
    return YearTerms("p", year, draw(SMALL), begins, until, grace,
                     max(grace, until) + timedelta(days=draw(st.integers(1, 300))),
                     draw(st.none() | SMALL))
