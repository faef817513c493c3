"""`bin/test`: the suite in parts, on every database and browser found on this machine.

Owns which part runs with which environment, and the closing lines: what ran, what did not and
why, then one plain line of sums. `--all` refuses to call a run good when a part could not run or
a test was skipped (CI uses it). Everything else goes to pytest.

Parts: embedded (SQLite + embedded Valkey) · postgresql (PostgreSQL + Redis, as the owner who
becomes the application's role; pure-domain and project tests touch no database and are not
repeated) · chromium (embedded database, a real browser). Source: interfaces.md "Commands".
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from config.broker import NoServer
from config.programs import environment
from config.supervisor import Stopped, stop_on_signals, tie_to_parent
from tests import pgcluster, redisserver

ROOT = Path(__file__).resolve().parent.parent
HELP = """bin/test [--all] [--part embedded|postgresql|chromium]... [pytest arguments]
  --all    fail when a part cannot run here or a test was skipped
  --part   only this part (may be repeated)
  -m EXPR  is combined with each part's own choice; without it, slow tests are left out"""
NO_TESTS = 5  # pytest's exit code when nothing was selected
_DATABASE = ("DATABASE_", "REDIS_URL")


@dataclass
class Outcome:
    """What one part did. `why` is set when it could not run."""

    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    code: int = 0
    seconds: float = 0.0
    why: str = ""
    reasons: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Part:
    """`missing` says what this machine lacks ("" = nothing); `surroundings` gives variables."""

    name: str
    marks: str
    missing: Callable[[], str]
    surroundings: Callable[[], contextlib.AbstractContextManager[dict[str, str]]]
    not_repeated: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()  # where its tests lie; empty = anywhere


def chromium() -> str | None:
    """The browser's path, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    given = os.environ.get("CHROMIUM")
    return given or next((path for name in names if (path := shutil.which(name))), None)


@contextlib.contextmanager
def _embedded() -> Iterator[dict[str, str]]:
    with redisserver.redis(prefer="wheel") as server:
        yield {"REDIS_URL": server.url}


@contextlib.contextmanager
def _postgresql() -> Iterator[dict[str, str]]:
    with pgcluster.cluster(fsync=False) as made, redisserver.redis(prefer="path") as server:
        yield {**made.environment(role="owner"), "REDIS_URL": server.url}


@contextlib.contextmanager
def _browser() -> Iterator[dict[str, str]]:
    with _embedded() as found:
        yield {**found, "CHROMIUM": chromium() or ""}


def _no_redis(prefer: str) -> str:
    try:
        redisserver.binary(prefer)
    except NoServer:
        return "no Redis-protocol server (apt-get install redis-server)"
    return ""


def _no_postgresql() -> str:
    if pgcluster.binaries() is None:
        return "PostgreSQL 15+ is not installed (apt-get install postgresql)"
    return _no_redis("path")


def _no_chromium() -> str:
    return "" if chromium() else "Chromium is not installed (apt-get install chromium)"


PARTS = (
    Part("embedded", "not chromium and not postgres", lambda: _no_redis("wheel"), _embedded),
    Part("postgresql", "not chromium and not sqlite", _no_postgresql, _postgresql,
         ("tests/domain", "tests/project")),
    Part("chromium", "chromium", _no_chromium, _browser, folders=("tests/web", "tests/journeys")),
)  # fmt: skip


def split(argv: Sequence[str]) -> tuple[bool, set[str], str, list[str]]:
    """(--all?, wanted parts, -m expression, arguments for pytest). ValueError: wrong usage."""
    everything, wanted, marks, rest = False, set[str](), "", list[str]()
    words = iter(argv)
    for word in words:
        if word == "--all":
            everything = True
        elif word in {"--part", "-m"}:
            value = next(words, None)
            if value is None:
                raise ValueError(f"{word} needs a value")
            if word == "-m":
                marks = value
            else:
                wanted.add(value)
        else:
            rest.append(word)
    unknown = wanted - {part.name for part in PARTS}
    if unknown:
        raise ValueError(f"no such part: {', '.join(sorted(unknown))}")
    return everything, wanted or {part.name for part in PARTS}, marks, rest


def counts(report: Path, into: Outcome) -> None:
    """Add up pytest's own XML report; a report that is missing counts as one failure."""
    try:
        suites = ET.parse(report).getroot().iter("testsuite")
    except (OSError, ET.ParseError):
        into.failed += into.code != NO_TESTS
        return
    for suite in suites:
        total, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
        bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        into.failed += bad
        into.skipped += skipped
        into.passed += max(0, total - bad - skipped)
        for case in suite.iter("testcase"):
            for skip in case.iter("skipped"):
                into.reasons.append(f"{case.get('name')}: {skip.get('message')}")


def run(part: Part, marks: str, rest: Sequence[str], scratch: Path) -> Outcome:
    """One part to its end."""
    outcome, begun = Outcome(part.name), time.monotonic()
    report = scratch / f"{part.name}.xml"
    command = [
        sys.executable, "-m", "pytest", "-m", f"({marks or 'not slow'}) and ({part.marks})",
        f"--junitxml={report}",
        # The second keeps out what is named on the command line, too.
        *(f"--ignore={path}" for path in part.not_repeated),
        *(f"--deselect={path}/" for path in part.not_repeated),
    ]  # fmt: skip
    if not any((ROOT / word.split("::")[0]).exists() for word in rest):
        command += [path for path in part.folders if (ROOT / path).exists()]
    if not any(word.startswith(("-n", "--numprocesses", "--pdb")) for word in rest):
        command += ["-n", "2", "--dist", "worksteal"]
    clean = {k: v for k, v in os.environ.items() if not k.startswith(_DATABASE)}
    for name in ("DEMO", "PRODUCTION", "DATA_DIR", "FACES", "DJANGO_SETTINGS_MODULE"):
        clean.pop(name, None)
    with part.surroundings() as given:
        print(f"\n===== {part.name} =====", flush=True)
        child = subprocess.Popen(
            [*command, *rest], cwd=ROOT, env=environment(clean, **given), preexec_fn=tie_to_parent()
        )
        try:
            outcome.code = child.wait()
        except BaseException:
            child.terminate()
            child.wait()
            raise
    outcome.seconds = time.monotonic() - begun
    counts(report, outcome)
    if outcome.code == NO_TESTS:
        outcome.code = 0
    elif outcome.code and not outcome.failed:
        outcome.failed = 1  # a crash, a usage error, an interrupted session
    return outcome


def close(outcomes: Sequence[Outcome], everything: bool) -> int:
    """Print the closing lines; the exit code."""
    print("\n===== bin/test =====")
    for one in outcomes:
        if one.why:
            print(f"{one.name:11} did not run: {one.why}")
        elif not one.passed + one.failed + one.skipped:
            print(f"{one.name:11} nothing selected")
        else:
            sums = f"{one.passed} passed, {one.failed} failed, {one.skipped} skipped"
            print(f"{one.name:11} ran: {sums}, {one.seconds:.0f} s")
        if everything:
            print("".join(f"    skipped: {reason}\n" for reason in one.reasons), end="")
    passed, failed, skipped = (
        sum(getattr(one, name) for one in outcomes) for name in ("passed", "failed", "skipped")
    )
    good = not failed and passed > 0 and not any(one.code for one in outcomes)
    if everything and (skipped or any(one.why for one in outcomes)):
        print("--all: every part must run and no test may be skipped")
        good = False
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 0 if good else 1


def main(argv: Sequence[str]) -> int:
    """Exit codes: 0 all that ran passed · 1 otherwise · 2 usage · 130 interrupted."""
    if set(argv) & {"-h", "--help"}:
        print(HELP)
        return 0
    try:
        everything, wanted, marks, rest = split(argv)
    except ValueError as error:
        print(f"{error}\n{HELP}", file=sys.stderr)
        return 2
    outcomes: list[Outcome] = []
    try:
        with stop_on_signals(), tempfile.TemporaryDirectory(prefix="tsunagari-parts-") as folder:
            for part in PARTS:
                if part.name not in wanted:
                    why = "" if not everything else "left out by --part"
                    if why:
                        outcomes.append(Outcome(part.name, why=why))
                    continue
                if why := part.missing():
                    outcomes.append(Outcome(part.name, why=why))
                    continue
                outcomes.append(run(part, marks, rest, Path(folder)))
    except Stopped:
        close(outcomes, everything)
        return 130
    return close(outcomes, everything)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
