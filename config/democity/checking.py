"""The frame of the main-job check: who asks, what is remembered, one line per step.

Owns the context that the steps share, the device memory between runs (``demo_check.json``), and
the printing.  Refuses to go on after a step that failed: the step is named with its reason.
interfaces.md, `bin/demo --check`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from config.demo_folder import Account, Folder
from config.democity.calling import Answer, Person, Program, Wire

MEMORY = "demo_check.json"
Say = Callable[[str], None]


class StepFailed(Exception):
    """A step did not give what it must; the message says what came instead."""


@dataclass
class Check:
    """What the steps know.  ``now`` is aware; ids are those of the running service."""

    folder: Path
    wire: Wire
    accounts: dict[str, Account]
    now: datetime
    run: int = 1
    counter: int = 0
    shared_with: str = ""  # the period that was shared after this check's people had come
    people: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    area: int = 0
    area_code: str = ""
    south_code: str = ""
    offices: dict[str, int] = field(default_factory=dict)
    period: str = ""
    fresh_run: bool = True
    editions: list[dict[str, Any]] = field(default_factory=list)
    plan: int = 0
    supporter: str = ""
    session: int = 0
    group: int = 0
    volunteers: list[int] = field(default_factory=list)
    cards: dict[int, str] = field(default_factory=dict)
    taro: int = 0
    exchange: str = ""
    voucher: str = ""
    visitors: dict[str, Person] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path, *, now: datetime) -> Check:
        """Read ``demo.json`` and the memory of earlier runs.

        Raises:
            StepFailed: there is no demo in this folder.
        """
        try:
            url = json.loads((folder / "demo.json").read_text(encoding="utf-8"))["url"]
        except (OSError, ValueError, KeyError) as error:
            words = "demo.json がありません。先に bin/demo を動かしてください。"
            raise StepFailed(words) from error
        accounts = {one.role: one for one in Folder(folder).accounts()}
        found = cls(folder, Wire(url), accounts, now)
        try:
            memory = json.loads((folder / MEMORY).read_text(encoding="utf-8"))
            found.run, found.counter = int(memory["run"]) + 1, int(memory["counter"])
            found.shared_with = str(memory.get("shared_with", ""))
        except (OSError, ValueError, KeyError):
            pass  # the first run
        return found

    def remember(self) -> None:
        """Keep the run's number and the device's counter, as a tablet would."""
        handle = os.open(self.folder / MEMORY, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as target:
            memory = {"run": self.run, "counter": self.counter, "shared_with": self.shared_with}
            json.dump(memory, target)

    def by(self, role: str) -> Program:
        """Somebody with the token of a role."""
        if role not in self.accounts:
            raise StepFailed(f"demo.json に {role} がありません")
        return Program(self.wire, self.accounts[role])

    def visit(self, role: str) -> Person:
        """Somebody with a browser, signed in once: a second code within 30 s is refused."""
        if role not in self.accounts:
            raise StepFailed(f"demo.json に {role} がありません")
        if role not in self.visitors:
            for _ in range(2):
                person = Person(self.wire)
                if person.sign_in(self.accounts[role]).status == 302:
                    self.visitors[role] = person
                    break
                time.sleep(31 - time.time() % 30)  # another step may just have used the code
            else:
                raise StepFailed(f"{role} がサインインできません")
        return self.visitors[role]


def expect(answer: Answer, *wanted: int, what: str = "") -> Any:
    """The JSON of an answer with one of the statuses (200 when none is named)."""
    if answer.status not in (wanted or (200,)):
        raise StepFailed(f"{what or '応答'}: {answer.told()}")
    return answer.json


def must(holds: object, words: str) -> None:
    """Raise ``StepFailed`` with the words unless it holds."""
    if not holds:
        raise StepFailed(words)


def waited(look: Callable[[], Any], *, seconds: float, words: str, pause: float = 0.3) -> Any:
    """The first true value of ``look``; ``StepFailed`` after so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(pause)
    raise StepFailed(f"{words}（{seconds:.0f}秒待ちました）")


Step = tuple[str, Callable[[Check], str]]


def carry_out(check: Check, steps: Sequence[Step], say: Say) -> bool:
    """All steps in order, one line each with its figures; False at the first that fails."""
    begun = time.monotonic()
    for number, (name, work) in enumerate(steps, start=1):
        started = time.monotonic()
        try:
            figures = work(check)
        except StepFailed as failure:
            say(f"  NG {number:2} {name}: {failure}")
            return False
        except (OSError, KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            say(f"  NG {number:2} {name}: {type(error).__name__} {error}")
            return False
        say(f"  OK {number:2} {name}  {figures}  ({time.monotonic() - started:.1f} s)")
    say(f"すべて確かめました / all {len(steps)} steps passed  {time.monotonic() - begun:.1f} s")
    return True
