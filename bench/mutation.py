"""`bin/bench mutation [--only awards,rules] [--report FILE]`: would the tests notice an error?

Owns the mutation testing of ``points/domain``: each mutant of ``bench/mutants.py`` (our own, small
mutator) is put in the place of its module in a process of its own, and the pure tests of the
domain run until the first one fails.  Killed: a test failed, or the time was up.  Survived: all
passed.  Needs no database and no Django.  Exit code 1 below ``--least`` percent.

Why not mutmut: it leaves out properties and everything outside functions (our tables of caps,
legs, codes), and its trampolines make the property tests five times slower.
"""

from __future__ import annotations

import argparse
import ast
import importlib.abc
import importlib.util
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from bench.mutants import Mutant, mutants

ROOT = Path(__file__).resolve().parent.parent
DOMAIN = ROOT / "points" / "domain"
PATIENCE = 60  # seconds for one mutant: a loop without an end is noticed, too
#: The first test file to try for a module; all other pure ones follow.
FIRST = {
    "eligibility": "rules", "recount": "awards", "overlaps": "awards", "accounts": "transfers",
    "codes": "tokens", "keyring": "tokens",
}


class _Planted(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the mutant instead of the module."""

    def __init__(self, name: str, path: Path, mutant: Mutant) -> None:
        self.name, self.path = name, path
        self.code = compile(mutant.tree, str(path), "exec")

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != self.name:
            return None
        return importlib.util.spec_from_loader(name, self, origin=str(self.path))

    def exec_module(self, module: Any) -> None:
        module.__file__ = str(self.path)
        exec(self.code, module.__dict__)  # the mutant itself


def pure_tests(module: str) -> list[str]:
    """The test files that load a module and no Django, its own first.

    A test that does not load the mutant cannot notice it.
    """
    found = []
    for path in sorted((ROOT / "tests" / "domain").glob("test_points_*.py")):
        text = path.read_text("utf-8")
        if "points.queries" not in text and module in _loaded(text):
            found.append(path)
    first = FIRST.get(module, module)
    found.sort(key=lambda path: (not path.stem.startswith(f"test_points_{first}"), path.name))
    return [str(path.relative_to(ROOT)) for path in found]


def _loaded(text: str) -> set[str]:
    """Modules of the domain that a source imports, with all that they import."""
    found: set[str] = set()
    waiting = [text]
    while waiting:
        for node in ast.walk(ast.parse(waiting.pop())):
            if not isinstance(node, ast.ImportFrom) or not node.module:
                continue
            names = [one.name for one in node.names] if node.module == "points.domain" else [
                node.module.removeprefix("points.domain.")]
            for name in names:
                path = DOMAIN / f"{name}.py"
                if path.is_file() and name not in found:
                    found.add(name)
                    waiting.append(path.read_text("utf-8"))
    return found


def run(module: str, mutant: Mutant | None) -> str:
    """``killed``, ``time`` or ``survived``; without a mutant: whether the tests pass at all."""
    child = os.fork()
    if child == 0:
        os._exit(_child(module, mutant))
    begun, status = time.monotonic(), None
    while status is None:
        done, found = os.waitpid(child, os.WNOHANG)
        if done:
            status = found
        elif time.monotonic() - begun > PATIENCE:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "time"
        else:
            time.sleep(0.005)
    return "survived" if os.waitstatus_to_exitcode(status) == 0 else "killed"


def _child(module: str, mutant: Mutant | None) -> int:
    import pytest
    from hypothesis import Phase, settings

    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    settings.register_profile(
        "mutation", max_examples=40, derandomize=True, database=None, deadline=None,
        phases=(Phase.explicit, Phase.generate),  # found is enough, it need not be small
    )
    settings.load_profile("mutation")
    without = ("django", "cacheprovider", "xdist", "socket", "schemathesis")
    plugins = [word for one in without for word in ("-p", f"no:{one}")]
    try:
        if mutant is not None:
            name = f"points.domain.{module}"
            sys.meta_path.insert(0, _Planted(name, DOMAIN / f"{module}.py", mutant))
        # No assertion about time may decide: the machine may be busy.
        return int(pytest.main([
            "-x", "-q", "--no-header", "-o", "addopts=-p tests.environment", *plugins,
            "-k", "not under_a_millisecond", *pure_tests(module),
        ]))
    except BaseException:  # noqa: BLE001  # a mutant that cannot even be imported is noticed
        return 3


def main(argv: list[str]) -> int:
    """Run the mutants, print each survivor, then the score."""
    parser = argparse.ArgumentParser(prog="bin/bench mutation", allow_abbrev=False)
    parser.add_argument("--only", default="", help="modules of points/domain, by commas")
    parser.add_argument("--report", type=Path, default=ROOT / "var" / "mutation.json")
    parser.add_argument("--again", action="store_true", help="only those that survived last time")
    parser.add_argument("--least", type=float, default=95.0, help="percent; exit 1 below")
    given = parser.parse_args(argv)
    import hypothesis  # noqa: F401  # before the forks: imported once
    import pytest  # noqa: F401

    every = [path.stem for path in sorted(DOMAIN.glob("*.py")) if path.stem != "__init__"]
    wanted = [one for one in given.only.split(",") if one] or every
    known = json.loads(given.report.read_text()) if given.report.is_file() else {}
    for module in wanted:
        if run(module, None) != "survived":
            print(f"{module}: the tests fail without any mutant")
            return 1
        source = (DOMAIN / f"{module}.py").read_text("utf-8")
        last = {(s["line"], s["what"]) for s in known.get(module, {}).get("survivors", [])}
        found: dict[str, Any] = {"killed": 0, "time": 0, "survivors": []}
        if given.again:
            found["killed"], found["time"] = known[module]["killed"], known[module]["time"]
        for mutant in mutants(source):
            if given.again and (mutant.line, mutant.what) not in last:
                continue
            outcome = run(module, mutant)
            if outcome == "survived":
                text = source.splitlines()[mutant.line - 1].strip()
                found["survivors"].append(
                    {"line": mutant.line, "what": mutant.what, "text": text})
                print(f"  {module}.py:{mutant.line}: {mutant.what}    {text}", flush=True)
            else:
                found[outcome] += 1
        known[module] = found
        given.report.parent.mkdir(parents=True, exist_ok=True)
        given.report.write_text(json.dumps(known, ensure_ascii=False, indent=1))
        print(_line(module, [found]), flush=True)
    print(_line("together", [known[one] for one in wanted]))
    return 0 if _score([known[one] for one in wanted]) >= given.least else 1


def _score(found: list[dict[str, Any]]) -> float:
    killed: int = sum(one["killed"] + one["time"] for one in found)
    return 100 * killed / max(1, killed + sum(len(one["survivors"]) for one in found))


def _line(name: str, found: list[dict[str, Any]]) -> str:
    killed = sum(one["killed"] + one["time"] for one in found)
    lived = sum(len(one["survivors"]) for one in found)
    return f"{name}: {killed} of {killed + lived} killed, {_score(found):.1f} %"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
