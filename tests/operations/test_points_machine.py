"""P1, P3, P8: order never matters.  The short run; ``bin/bench machine`` is the long one."""

from __future__ import annotations

from collections import Counter

import pytest
from django.db import IntegrityError
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.machine import CONTROLS, world
from tests.machine.broken import BROKEN, RARE, broken
from tests.machine.machine import Machine

pytestmark = pytest.mark.timeout(600)
SHORT = settings(
    max_examples=12, stateful_step_count=30, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)
# A control needs to be found, not explained: without shrinking.
CONTROL = settings(SHORT, max_examples=150, phases=(Phase.generate,))


def play(run: settings, verify_every: int) -> Counter[str]:
    steps: Counter[str] = Counter()
    given = {"world": world.build(), "steps": steps, "verify_every": verify_every}
    run_state_machine_as_test(type("Played", (Machine,), given), settings=run)
    return steps


def test_P1_after_every_step_the_shares_are_the_pure_function(db: None) -> None:
    steps = play(SHORT, verify_every=1)
    assert sum(steps.values()) > 100, steps


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[pytest.mark.slow] if one in RARE else []) for one in BROKEN]
)
def test_P1_the_machine_finds_a_build_that_is_broken_on_purpose(db: None, name: str) -> None:
    # Either the comparison finds it, or a constraint of the database refuses it before.
    with broken(name), pytest.raises((AssertionError, IntegrityError)):
        play(CONTROL, verify_every=1_000)


def test_every_broken_build_is_listed_for_the_long_run() -> None:
    assert set(CONTROLS) == set(BROKEN)
