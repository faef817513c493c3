"""P1 through the database: any arrival, repeat, batch and void gives the same shares."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from points.models import Attendance, AwardDecision
from points.operations import attendance, ledger
from points.operations.scanning import ScanRequest
from registry import access
from tests.factories import points as make

SESSIONS = 5


Arena = tuple[make.World, list[int], Iterator[int]]


@pytest.fixture
def arena(db: None) -> Arena:
    """A world, its sessions, and pairs of people nobody used yet."""
    world = make.build(count=120, year={"annual_cap": 6})
    return world, _sessions(world), itertools.count(step=2)


def _sessions(world: make.World) -> list[int]:
    """Five sessions: three of one day, two of them overlapping, and two of another day."""
    day = world.at - timedelta(days=3)
    return [
        make.hold(world, start=day, kind="support", title="一"),
        make.hold(world, start=day + timedelta(minutes=30), kind="support", title="二",
                  group=world.other_group),
        make.hold(world, start=day + timedelta(hours=3), kind="hourly", title="三"),
        make.hold(world, start=day + timedelta(days=1), kind="hourly", title="四", hours=4),
        make.hold(world, start=day + timedelta(days=1, hours=5), title="五"),
    ]


@settings(max_examples=25, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(range(SESSIONS)),
    repeats=st.lists(st.integers(0, SESSIONS - 1), max_size=4),
    voids=st.sets(st.integers(0, SESSIONS - 1), max_size=2),
    cut=st.integers(0, SESSIONS),
    void_at=st.integers(0, SESSIONS),
)
def test_P1_the_same_shares_whatever_the_order_of_arrival(
    arena: Arena, order: list[int], repeats: list[int], voids: set[int], cut: int, void_at: int
) -> None:
    world, held, numbers = arena
    shuffled = next(numbers)
    sorted_one = shuffled + 1
    arrivals = [*order, *repeats]

    def send(person: int, which: list[int]) -> None:
        scans = [ScanRequest(uuid4(), world.at, code=world.card(person), session_id=held[n])
                 for n in which]
        with access.scope(world.council, at=world.at) as by:
            attendance.record(scans=scans, by=by)

    def undo(person: int, which: set[int]) -> None:
        with access.scope(world.council, at=world.at) as by:
            rows = Attendance.objects.visible_to(by).filter(
                volunteer_id=world.people[person], voided_at__isnull=True,
                session_id__in=[held[n] for n in which],
            )
            for pk in list(rows.values_list("pk", flat=True)):
                attendance.void(attendance_id=pk, reason="人ちがい", by=by)

    for place, one in enumerate(arrivals[:cut]):
        send(shuffled, [one])
        if place == void_at:
            undo(shuffled, voids)
    send(shuffled, arrivals[cut:])
    undo(shuffled, voids)
    send(sorted_one, list(range(SESSIONS)))
    undo(sorted_one, voids)
    assert _shares(world, shuffled, held) == _shares(world, sorted_one, held)


def _shares(world: make.World, person: int, held: list[int]) -> list[tuple[int, str]]:
    """The latest decision of each session: share and sentence."""
    with access.system(at=world.at, reason="look") as by:
        found = {
            session: (share, sentence)
            for session, share, sentence in AwardDecision.objects.visible_to(by)
            .filter(volunteer_id=world.people[person]).order_by("pk")
            .values_list("attendance__session_id", "share", "sentence")
        }
        assert ledger.verify(by=by).differences == []
    return [found[session] for session in held]
