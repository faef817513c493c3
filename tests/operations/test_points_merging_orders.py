"""Whatever the order of arrivals and merges: the shares of the union, the same every time (P1, P8);
and a process killed in the middle of a merge leaves nothing half merged."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from points.models import Account, Attendance, Merge, Transfer
from points.operations import attendance, merging
from registry import access, failpoints
from registry.models import Volunteer
from tests.factories import points as factory
from tests.operations.test_points_merging import assert_pure, balances, intact

pytestmark = pytest.mark.django_db

#: (person, session): person 2 never merges; some are at one session with two cards.
VISITS = [(0, 0), (1, 0), (0, 1), (1, 2), (1, 3), (2, 3), (0, 4), (1, 4), (1, 5)]


@given(order=st.permutations([*VISITS, "merge"]))
@settings(max_examples=6, deadline=None, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_P1_any_order_of_arrivals_and_the_merge_gives_the_same(db: None, order: Any) -> None:
    from django.db import transaction

    with transaction.atomic():
        world = factory.build(year={"annual_cap": 4})
        held = [factory.hold(world, start=world.at - timedelta(days=n, hours=1))
                for n in range(1, 7)]
        for one in order:
            with access.scope(world.council, at=world.at) as by:
                if one == "merge":
                    merging.merge(survivor_id=world.people[0], merged_id=world.people[1],
                                  reason="同じ方", by=by)
                else:
                    attendance.record(scans=[world.scan(one[0], held[one[1]])], by=by)
        assert balances(world, 0) == {"tsunagari": 4} and balances(world, 2) == {"tsunagari": 1}
        assert_pure(world, 0)
        intact(world)
        with access.system(at=world.at, reason="test") as by:
            mine = Attendance.objects.visible_to(by).filter(
                volunteer_id=world.people[0], voided_at__isnull=True)
            assert set(mine.values_list("session_id", flat=True)) == set(held)
        transaction.set_rollback(True)


class Killed(BaseException):
    """As sudden as a kill: no handler of ours catches it."""


@pytest.mark.parametrize("place", [
    "merging.attendances_moved", "merging.points_moved", "merging.before_commit",
])
def test_P8_killed_at_any_place_nothing_is_half_merged(
    db: None, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    world = factory.build()
    sessions = [factory.hold(world, start=world.at - timedelta(days=n, hours=1)) for n in (1, 2)]
    with access.system(at=world.at, reason="test") as by:
        attendance.record(scans=[world.scan(n, s) for n in (0, 1) for s in sessions], by=by)
    before = snapshot(world)

    def die(name: str) -> None:
        if name == place:
            raise Killed

    monkeypatch.setattr(failpoints, "hit", die)
    with pytest.raises(Killed), access.scope(world.council, at=world.at) as by:
        merging.merge(survivor_id=world.people[0], merged_id=world.people[1], reason="x", by=by)
    assert snapshot(world) == before
    monkeypatch.undo()
    with access.scope(world.council, at=world.at) as by:
        merging.merge(survivor_id=world.people[0], merged_id=world.people[1], reason="x", by=by)
    assert balances(world, 0) == {"tsunagari": 2}
    intact(world)


def snapshot(world: Any) -> list[Any]:
    with access.system(at=world.at, reason="test") as by:
        return [
            list(model.objects.visible_to(by).order_by("pk").values())
            for model in (Volunteer, Attendance, Account, Transfer, Merge)
        ]
