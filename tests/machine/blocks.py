"""Blocks of lives from a seed: the same seed plays the same programs.

Owns one world for all blocks of a process (each life rolls back), the count of steps, and the
smallest failing program when there is one.
"""

from __future__ import annotations

import gc
import io
import traceback
from collections import Counter
from contextlib import ExitStack, redirect_stdout
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.machine.broken import broken as build
from tests.machine.machine import Machine
from tests.machine.world import build as build_world


class Player:
    """Plays blocks of ``lives`` lives with at most ``length`` steps each."""

    def __init__(self, verify_every: int, *, lives: int, length: int) -> None:
        self.world, self.verify_every = build_world(), verify_every
        self.settings = settings(
            max_examples=lives, stateful_step_count=length, deadline=None, database=None,
            suppress_health_check=list(HealthCheck), phases=(Phase.generate,), print_blob=False,
        )
        gc.collect()
        gc.freeze()  # what is there now stays; only the lives are looked through

    def play(self, seed: int, broken: str = "") -> dict[str, Any]:
        """One block: its steps by kind, and the failure (with the smallest program) or ""."""
        with ExitStack() as stack:
            if broken:
                stack.enter_context(build(broken))
            steps, failure = self._run(seed, self.settings)
            if failure and not broken:
                smaller = settings(self.settings, phases=(Phase.generate, Phase.shrink))
                _, shrunk = self._run(seed, smaller)
                failure = shrunk or failure
        return {"seed": seed, "steps": sum(steps.values()), "kinds": dict(steps),
                "failure": failure}

    def _run(self, number: int, run: settings) -> tuple[Counter[str], str]:
        steps: Counter[str] = Counter()
        given = {"world": self.world, "steps": steps, "verify_every": self.verify_every}
        played = seed(number)(type("Played", (Machine,), given))
        said = io.StringIO()
        try:
            with redirect_stdout(said):
                run_state_machine_as_test(played, settings=run)
        except Exception as error:  # noqa: BLE001  # whatever it was, it is the finding
            notes = "\n".join(getattr(error, "__notes__", []))
            text = "".join(traceback.format_exception(error, limit=-4))
            return steps, f"{text}\n{notes}\n{said.getvalue()}"
        return steps, ""
