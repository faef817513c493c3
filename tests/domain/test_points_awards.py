"""P1: points are a pure function of attendance; P3: a sentence each."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from points.domain.awards import Attendance, Limit, Standing, allocate, change, total
from points.domain.results import Result
from points.domain.rules import Per, Rate, RuleSet, Source, YearTerms
from registry.domain.errors import Refused

FIRST = date(2026, 4, 1)
caps = st.one_of(st.none(), st.integers(1, 6))


def rule_set(code: str, begins_on: date, group_cap, day_cap, rates=(2, 1, 1)) -> RuleSet:
    if group_cap and day_cap:
        group_cap = min(group_cap, day_cap)
    return RuleSet(
        code=code,
        programme="p",
        begins_on=begins_on,
        rates=(
            Rate("help", "支援型", rates[0]),
            Rate("join", "参加型", rates[1]),
            Rate("hour", "手伝い", rates[2], Per.STARTED_HOUR),
            Rate("none", "会議", 0),
        ),
        sources=frozenset({Source.GROUP, Source.CENTRE}),
        points_per_voucher=10,
        yen_per_voucher=500,
        group_day_cap=group_cap,
        daily_cap=day_cap,
    )


def year_terms(annual_cap: int | None) -> YearTerms:
    return YearTerms(
        "p", 2026, 500, date(2027, 2, 1), date(2027, 4, 30), date(2027, 4, 20), date(2027, 5, 1),
        annual_cap,
    )  # fmt: skip


@st.composite
def programmes(draw):
    sets = [rule_set("a", FIRST, draw(caps), draw(caps))]
    if draw(st.booleans()):
        sets.append(rule_set("b", date(2026, 4, 3), draw(caps), draw(caps), (3, 2, 1)))
    return sets, year_terms(draw(st.one_of(st.none(), st.integers(1, 25))))


@st.composite
def records(draw, most: int = 14):
    made = []
    for number in range(draw(st.integers(0, most))):
        on = FIRST + timedelta(days=draw(st.integers(0, 4)))
        made.append(
            Attendance(
                attendance=1000 - number,
                session=draw(st.integers(1, 20)) if draw(st.booleans()) else 100 + number,
                on=on,
                starts_at=datetime(on.year, on.month, on.day, draw(st.integers(0, 3)), tzinfo=UTC),
                group=draw(st.one_of(st.none(), st.integers(1, 3))),
                kind=draw(st.sampled_from(["help", "join", "hour", "none"])),
                title="サロン",
                minutes=draw(st.integers(0, 200)),
                standing=draw(st.sampled_from([Standing.VALID] * 4 + list(Standing))),
                clause=draw(st.sampled_from(["", "", "", "この年度の登録がないため"])),
            )
        )
    return made


def formula(made, sets, terms) -> int:
    """P1 written again, straight from the text, with infinite caps as numbers."""
    ordered = sorted(made, key=lambda r: (r.on, r.starts_at, r.session, r.attendance))
    sessions, dates = set(), defaultdict(lambda: defaultdict(int))
    for r in ordered:
        if r.standing != "valid" or r.clause or r.session in sessions:
            continue
        sessions.add(r.session)
        rules = max((s for s in sets if s.begins_on <= r.on), key=lambda s: s.begins_on)
        rate = {x.kind: x for x in rules.rates}[r.kind]
        points = rate.points * ((r.minutes + 59) // 60 if rate.per == "started_hour" else 1)
        dates[r.on][r.group if r.group is not None else f"alone-{r.session}"] += points
    result = 0
    for on, groups in dates.items():
        rules = max((s for s in sets if s.begins_on <= on), key=lambda s: s.begins_on)
        day = sum(
            min(rules.group_day_cap or 10**9, n) if isinstance(g, int) else n
            for g, n in groups.items()
        )
        result += min(rules.daily_cap or 10**9, day)
    return min(terms.annual_cap or 10**9, result)


@given(records(), programmes())
def test_P1_the_shares_add_up_to_the_formula(made, programme) -> None:
    sets, terms = programme
    shares = allocate(made, sets, terms)
    assert sum(share.points for share in shares) == total(made, sets, terms)
    assert total(made, sets, terms) == formula(made, sets, terms)
    assert sorted(share.attendance for share in shares) == sorted(r.attendance for r in made)


@given(records(), programmes(), st.randoms(use_true_random=False))
def test_P1_order_and_repeats_change_nothing(made, programme, rng) -> None:
    sets, terms = programme
    sent = made + rng.sample(made, len(made) // 2)
    rng.shuffle(sent)
    shuffled = rng.sample(sets, len(sets))
    assert allocate(sent, shuffled, terms) == allocate(made, sets, terms)
    assert total(sent, shuffled, terms) == total(made, sets, terms)


@given(records(), programmes())
def test_P1_no_cap_is_ever_passed_and_only_counted_records_get_points(made, programme) -> None:
    sets, terms = programme
    by_id = {r.attendance: r for r in made}
    days, groups, year = defaultdict(int), defaultdict(int), 0
    for share in allocate(made, sets, terms):
        record = by_id[share.attendance]
        rules = max((s for s in sets if s.begins_on <= record.on), key=lambda s: s.begins_on)
        assert share.rule_set == rules.code and share.points >= 0
        if share.points:
            assert record.standing is Standing.VALID and not record.clause
        days[record.on] += share.points
        year += share.points
        assert days[record.on] <= (rules.daily_cap or 10**9)
        if record.group is not None:
            groups[record.on, record.group] += share.points
            assert groups[record.on, record.group] <= (rules.group_day_cap or 10**9)
    assert year <= (terms.annual_cap or 10**9)


@settings(max_examples=60, deadline=None)
@given(records(10), programmes(), st.randoms(use_true_random=False))
def test_P1_posting_each_arrival_and_void_equals_from_scratch(made, programme, rng) -> None:
    """Each record arrives valid, in any order, some are voided later, some are sent twice."""
    sets, terms = programme
    events = [replace(r, standing=Standing.VALID) for r in made] * 2
    rng.shuffle(events)
    for record in made:
        if record.standing is not Standing.VALID:
            arrived = events.index(replace(record, standing=Standing.VALID))
            events.insert(rng.randint(arrived + 1, len(events)), record)
    state, before, posted = {}, (), defaultdict(int)
    for event in events:
        known = state.get(event.attendance)
        if known is None or known.standing is Standing.VALID:
            state[event.attendance] = event
        after = allocate(state.values(), sets, terms)
        for entry in change(before, after):
            posted[entry.attendance] += entry.difference
        before = after
    expected = {share.attendance: share.points for share in allocate(made, sets, terms)}
    assert dict(posted) == expected
    assert sum(posted.values()) == total(made, sets, terms)


@given(records(), records(), programmes())
def test_P1_change_is_exactly_the_difference(one, other, programme) -> None:
    sets, terms = programme
    before, after = allocate(one, sets, terms), allocate(other, sets, terms)
    entries = change(before, after)
    old = {s.attendance: s for s in before}
    new = {s.attendance: s for s in after}
    for entry in entries:
        assert old.get(entry.attendance) != entry.share
        assert entry.first == (entry.attendance not in old)
        if entry.attendance in old:
            old[entry.attendance] = entry.share
    gone = {s.attendance: s.points for s in old.values() if s.attendance not in new}
    assert not any(gone.values())
    known = old | {entry.attendance: entry.share for entry in entries}
    assert {k: v for k, v in known.items() if k in new} == new
    assert change(after, after) == ()


def record(number: int, **fields) -> Attendance:
    base = Attendance(
        number, number, date(2026, 11, 23), datetime(2026, 11, 23, number % 24, tzinfo=UTC), 1,
        "join", "ふれあいサロン", 60,
    )  # fmt: skip
    return replace(base, **fields)


def shares(made, group_cap=None, day_cap=None, annual=None):
    return allocate(made, [rule_set("a", FIRST, group_cap, day_cap)], year_terms(annual))


def test_P3_sentences_a_person_can_read() -> None:
    assert shares([record(1)])[0].sentence == "11月23日 ふれあいサロン（参加型）1ポイント"
    second = shares([record(1), record(2, group=2)], day_cap=1)[1]
    assert second.sentence == "11月23日 ふれあいサロン（参加型）は、1日の上限に達したため0ポイント"
    assert second.reason == "1日の上限に達したため0ポイント"
    assert second.result is Result.CAP_REACHED
    part = shares([record(1, kind="help")], annual=1)[0]
    assert (
        part.sentence
        == "11月23日 ふれあいサロン（支援型）1ポイント（2ポイントのうち、年間の上限まで）"
    )
    assert part.reason == "1ポイント" and part.result is Result.GRANTED


@pytest.mark.parametrize(
    ("changed", "limit", "result"),
    [
        ({"standing": Standing.VOID}, Limit.VOID, Result.NOT_ELIGIBLE),
        ({"standing": Standing.OVERLAP_WAITING}, Limit.OVERLAP_WAITING, Result.OVERLAP_WAITING),
        ({"standing": Standing.YEAR_CLOSED}, Limit.YEAR_CLOSED, Result.YEAR_CLOSED),
        ({"clause": "この団体の会員として登録がないため"}, Limit.INELIGIBLE, Result.NOT_ELIGIBLE),
        ({"kind": "none"}, Limit.NO_POINTS, Result.NOT_ELIGIBLE),
        ({"session": 1}, Limit.DUPLICATE, Result.ALREADY),
    ],
)
def test_P3_every_zero_says_why(changed, limit, result) -> None:
    share = shares([record(1), record(2, **changed)])[1]
    assert (share.points, share.limit) == (0, limit)
    assert share.reason.endswith("ため0ポイント") and share.reason in share.sentence
    assert share.result is result


def test_P3_the_widest_cap_that_binds_is_named() -> None:
    made = [record(1), record(2), record(3)]
    assert [s.limit for s in shares(made, group_cap=1)] == ["none", "group_day", "group_day"]
    assert [s.limit for s in shares(made, 1, 1)] == ["none", "daily", "daily"]
    assert [s.limit for s in shares(made, 1, 1, 1)] == ["none", "annual", "annual"]
    assert "この団体の1日の上限に達したため0ポイント" in shares(made, group_cap=1)[1].sentence


def test_P1_the_order_is_date_then_start_then_session() -> None:
    late, early = record(1), record(2)
    late, early = replace(late, starts_at=early.starts_at), replace(early, starts_at=late.starts_at)
    assert [s.attendance for s in shares([late, early], day_cap=1) if s.points] == [2]
    same = [record(1), replace(record(2), starts_at=record(1).starts_at)]
    same[0] = replace(same[0], attendance=3)  # entered last, but the earlier session id
    assert [s.attendance for s in shares(same[::-1], day_cap=1) if s.points] == [3]
    day_after = replace(record(1), on=date(2026, 11, 24))
    assert [s.attendance for s in shares([day_after, record(2)], annual=1) if s.points] == [2]


def test_P1_a_void_in_the_middle_moves_the_share_to_the_next() -> None:
    made = [record(1), record(2), record(3)]
    before = shares(made, day_cap=2)
    after = shares([made[0], replace(made[1], standing=Standing.VOID), made[2]], day_cap=2)
    entries = change(before, after)
    assert [(e.attendance, e.difference) for e in entries] == [(2, -1), (3, 1)]
    gone = change(before, before[:1])
    assert [(e.attendance, e.difference, e.share.limit) for e in gone] == [
        (2, -1, Limit.VOID),
        (3, 0, Limit.VOID),
    ]


def test_P1_contradictory_records_are_programming_errors() -> None:
    for other in (record(1, minutes=5), record(1, standing=Standing.YEAR_CLOSED)):
        with pytest.raises(ValueError, match="has two"):
            shares([record(1), other])
    void = record(1, standing=Standing.VOID)
    for pair in ([void, record(1)], [record(1), void], [record(1), void, record(1)]):
        assert [share.limit for share in shares(pair)] == [Limit.VOID]
    with pytest.raises(ValueError, match="is not of 2026"):
        shares([record(1, on=date(2027, 4, 1))])
    with pytest.raises(Refused) as caught:
        shares([record(1, kind="unknown")])
    assert caught.value.code == "unknown_kind"
