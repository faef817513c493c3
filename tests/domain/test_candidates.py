"""From the map to the network and back into words: radius, cost, tiers, ○△×, gaps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evacuation.domain.candidates import (
    Mark,
    Person,
    Settings,
    Supporter,
    build,
    reasons,
)
from evacuation.domain.matching import Shortage, resolve, solve

NAMES = st.sampled_from([None, "北町会", "南町会"])
ZONES = st.frozensets(st.sampled_from(["洪水", "土砂災害"]))
SKILLS = st.frozensets(st.sampled_from(["車いす", "手話"]))
METRES = st.floats(-900, 900).map(lambda value: round(value, 1))


@st.composite
def towns(draw: st.DrawFn) -> tuple[list[Person], list[Supporter]]:
    people = [
        Person(
            key=f"p{k}",
            x=draw(METRES),
            y=draw(METRES),
            wants=draw(st.integers(0, 2)),
            settled=draw(st.integers(0, 1)),
            urgency=draw(st.integers(0, 2)),
            uncertainty=draw(st.sampled_from([0.0, 250.0])),
            association=draw(NAMES),
            needs=draw(SKILLS),
            zones=draw(ZONES),
            excluded=draw(st.frozensets(st.sampled_from(["s0", "s1", "gone"]))),
        )
        for k in range(draw(st.integers(0, 6)))
    ]
    supporters = [
        Supporter(
            key=f"s{k}",
            x=draw(METRES),
            y=draw(METRES),
            places=draw(st.integers(0, 5)),
            age=draw(st.sampled_from([None, 40, 74, 75, 88])),
            uncertainty=draw(st.sampled_from([0.0, 250.0])),
            association=draw(NAMES),
            skills=draw(SKILLS),
            zones=draw(ZONES),
            day_only=draw(st.booleans()),
        )
        for k in range(draw(st.integers(0, 5)))
    ]
    return people, supporters


@settings(max_examples=150, deadline=None)
@given(towns())
def test_pairs_are_all_within_the_radius_and_cost_what_the_reasons_say(
    town: tuple[list[Person], list[Supporter]],
) -> None:
    people, supporters = town
    away = [math.dist((p.x, p.y), (s.x, s.y)) for p in people for s in supporters]
    assume(all(abs(metres - 800) > 1e-6 for metres in away))
    found = build(people, supporters)
    pairs = list(zip(found.network.person.tolist(), found.network.supporter.tolist(), strict=True))
    expected = [
        (i, j)
        for i, person in enumerate(people)
        for j, supporter in enumerate(supporters)
        if math.dist((person.x, person.y), (supporter.x, supporter.y)) <= 800
        and supporter.places > 0
        and supporter.key not in person.excluded
    ]
    assert pairs == expected
    for edge in range(len(pairs)):
        assert sum(r.tenths for r in found.reasons(edge)) == found.network.cost[edge]
    plan = solve(found.network)
    assert plan.verify()
    assert len(found.proposals(plan)) == plan.filled
    assert {gap.person for gap in found.gaps(plan)} == {
        person.key for person, open_ in zip(people, plan.unmet, strict=True) if open_
    }


def test_tiers_are_first_helpers_by_urgency_then_second_then_third() -> None:
    people = [
        Person("a", 0, 0, wants=3, urgency=2),
        Person("b", 0, 0, wants=1, urgency=0),
        Person("c", 0, 0, wants=2, urgency=1, settled=1),
    ]
    net = build(people, [Supporter("s", 1, 1)]).network
    ranks = [net.tiers[r] for r in net.slot_rank.tolist()]
    assert ranks == [2, 3, 4, 0, 3, 4]


def test_neighbours_on_one_town_point_are_never_zero_metres_apart() -> None:
    here = Person("p", 100, 100, uncertainty=300)
    near = Supporter("s", 100, 100, uncertainty=300)
    first = reasons(here, near, Settings())[0]
    assert first.mark is Mark.CARE and first.tenths > 0
    assert "±424 m" in first.words
    assert build([here], [near]).network.cost[0] >= first.tenths
    exact = reasons(Person("p", 0, 0), Supporter("s", 0, 0), Settings())[0]
    assert exact.mark is Mark.GOOD and exact.tenths == 0


def test_every_penalty_has_its_sign_and_words() -> None:
    person = Person(
        "p", 0, 0, association="北町会", needs=frozenset({"車いす"}), zones=frozenset({"洪水"})
    )
    worst = Supporter(
        "s", 200, 0, age=80, association="南町会", zones=frozenset({"洪水"}), day_only=True
    )
    told = {r.code: r for r in reasons(person, worst, Settings())}
    assert {code: r.mark.value for code, r in told.items()} == {
        "walk": "○",
        "same_zone": "×",
        "no_skill": "×",
        "aged": "△",
        "other_association": "△",
        "day_only": "△",
    }
    assert told["same_zone"].words == "同じ災害で同時に危険になります（洪水）"
    assert told["no_skill"].words == "必要な支援の経験がありません（車いす）"
    assert told["walk"].words == "徒歩 約4分（道のり 約260 m）"
    assert sum(r.tenths for r in told.values()) == 37 + 150 + 100 + 50 + 30 + 50
    best = Supporter(
        "t", 200, 0, age=40, association="北町会", skills=frozenset({"車いす", "手話"})
    )
    assert {r.mark for r in reasons(person, best, Settings())} == {Mark.GOOD}


def test_gaps_say_what_can_be_done() -> None:
    people = [
        Person("遠い", 5000, 0),
        Person("二人目", 0, 3000, wants=2),
        Person("先", 0, 0, urgency=0),
        Person("後", 0, 10, urgency=1),
    ]
    supporters = [Supporter("s", 0, 20, places=1), Supporter("t", 0, 3010, places=2)]
    found = build(people, supporters)
    gaps = {gap.person: gap for gap in found.gaps(solve(found.network))}
    assert set(gaps) == {"遠い", "二人目", "後"}
    assert gaps["遠い"].kind is Shortage.NOBODY
    assert gaps["遠い"].words == (
        "半径800 m以内に、引き受けられる支援者がいません。いちばん近い支援者は約5,000 m先です。"
    )
    assert gaps["二人目"].kind is Shortage.TOO_FEW and gaps["二人目"].missing == 1
    assert gaps["後"].kind is Shortage.ALL_FULL
    assert gaps["後"].people == ("先", "後") and gaps["後"].supporters == ("s",)


def test_a_bottleneck_names_the_people_and_the_places_they_share() -> None:
    people = [Person("a", 0, 0), Person("b", 700, 0), Person("c", 1400, 0)]
    supporters = [Supporter("s", 350, 0), Supporter("t", 1050, 0)]
    found = build(people, supporters, Settings(radius=400))
    (gap,) = found.gaps(solve(found.network))
    assert gap.kind is Shortage.BOTTLENECK
    assert gap.people == ("a", "b", "c") and (gap.wanted, gap.places) == (3, 2)
    assert gap.words == ("3人が、2人の支援者の2人分を分け合っています。あと1人分足りません。")


def test_no_supporters_at_all() -> None:
    found = build([Person("a", 0, 0)], [Supporter("s", 0, 0, places=0)])
    (gap,) = found.gaps(solve(found.network))
    assert gap.kind is Shortage.NOBODY and gap.nearest is None
    assert gap.words == "半径800 m以内に、引き受けられる支援者がいません。"


def test_helpers_are_numbered_after_those_already_settled() -> None:
    found = build(
        [Person("p", 0, 0, wants=2, settled=1, excluded=frozenset({"s0"}))],
        [Supporter(f"s{k}", 100.0 * (3 - k), 0) for k in range(3)],
    )
    plan = solve(found.network)
    assert [(p.supporter, p.order) for p in found.proposals(plan)] == [("s2", 2), ("s1", 3)]


def test_existing_pairs_are_found_again_for_a_new_solve() -> None:
    people = [Person(f"p{k}", 50.0 * k, 0) for k in range(4)]
    supporters = [Supporter(f"s{k}", 50.0 * k, 40) for k in range(4)]
    found = build(people, supporters, Settings(radius=120))
    settled = found.edges_of([("p0", "s1"), ("p1", "s0"), ("p3", "s0"), ("x", "s1")])
    names = [
        (people[found.network.person[e]].key, supporters[found.network.supporter[e]].key)
        for e in settled
    ]
    assert names == [("p0", "s1"), ("p1", "s0")]
    kept = resolve(found.network, settled, 100)
    assert set(settled) <= set(kept.solution.edges.tolist())


def test_memory_grows_with_pairs_not_with_people_times_supporters() -> None:
    rng = np.random.default_rng(1)
    at = rng.uniform(0, 3e5, (6000, 4)).tolist()
    people = [Person(str(k), x, y) for k, (x, y, _, _) in enumerate(at)]
    supporters = [Supporter(str(k), x, y) for k, (_, _, x, y) in enumerate(at)]
    assert len(build(people, supporters).network) < 6000


@pytest.mark.parametrize(
    ("people", "supporters", "names"),
    [
        ([Person("a", 0, 0), Person("a", 1, 1)], [], r"people\[1\]: key 'a'"),
        ([Person("a", math.nan, 0)], [], r"people\[0\]: coordinates"),
        ([Person("a", 0, 0, wants=4)], [], r"people\[0\]: asks"),
        ([Person("a", 0, 0, wants=2, settled=2)], [], r"people\[0\]: asks"),
        ([Person("a", 0, 0, urgency=-1)], [], r"people\[0\]: urgency"),
        ([Person("a", 0, 0, uncertainty=-1)], [], r"people\[0\]: uncertainty"),
        ([], [Supporter("s", 0, 0, places=6)], r"supporters\[0\]: places"),
        ([], [Supporter("s", math.inf, 0)], r"supporters\[0\]: coordinates"),
    ],
)
def test_bad_rows_name_list_and_index(
    people: list[Person], supporters: list[Supporter], names: str
) -> None:
    with pytest.raises(ValueError, match=names):
        build(people, supporters)


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="settings"):
        build([], [], Settings(speed=0))
