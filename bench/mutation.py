"""`bin/bench mutation [--only awards,rules] [--report FILE]`: would the tests notice an error?

Owns the mutation testing of ``points/domain``: each mutant of ``bench/mutants.py`` (our own, small
mutator) is put in the place of its module in a process of its own, and the pure tests of the
domain run until the first one fails.  Killed: a test failed, or the time was up.  Survived: all
passed.  Needs no database and no Django.  Exit code 1 below ``--least`` percent, and when a module
has no pure test at all.

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
from collections.abc import Callable
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


def _outcome(act: Callable[[], int]) -> str:
    """Run ``act`` in a process of its own: ``killed``, ``time`` or ``survived`` (it gave 0)."""
    child = os.fork()
    if child == 0:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        try:
            os._exit(act())
        except BaseException:  # noqa: BLE001  # a mutant that cannot even be imported is noticed
            os._exit(3)
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
            time.sleep(0.01)
    return "survived" if os.waitstatus_to_exitcode(status) == 0 else "killed"


def _from_the_start(module: str, mutant: Mutant) -> int:
    """For what is outside functions: every module is loaded again, with the mutant."""
    import pytest

    for name in [one for one in sys.modules if one.startswith(("points.", "tests.domain"))]:
        del sys.modules[name]
    name = f"points.domain.{module}"
    sys.meta_path.insert(0, _Planted(name, DOMAIN / f"{module}.py", mutant))
    return int(pytest.main([*_words(), *pure_tests(module)]))


def _in_place(module: str, mutant: Mutant, items: list[Any], heard: _Loop) -> int:
    """For the body of a function: only its code is exchanged, the collected tests are run."""
    live: Any = sys.modules[f"points.domain.{module}"]
    for part in mutant.function.split("."):
        live = vars(live)[part] if isinstance(live, type) else getattr(live, part)
    live = getattr(live, "fget", None) or getattr(live, "__func__", live)
    live = getattr(live, "__wrapped__", live)
    waiting: list[Any] = [compile(mutant.tree, live.__code__.co_filename, "exec")]
    while waiting:
        code = waiting.pop()
        if code.co_qualname == mutant.function:
            live.__code__ = code
            break
        waiting += [one for one in code.co_consts if hasattr(one, "co_qualname")]
    else:
        raise LookupError(mutant.function)
    for place, item in enumerate(items):
        after = items[place + 1] if place + 1 < len(items) else None
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        if heard.failed:
            return 1
    return 0


class _Loop:
    """Instead of running the collected tests once: once for each mutant."""

    def __init__(self, given: argparse.Namespace, wanted: list[str]) -> None:
        self.given, self.wanted, self.failed = given, wanted, False
        self.known: dict[str, Any] = (
            json.loads(given.report.read_text()) if given.report.is_file() else {})

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.failed = self.failed or report.failed

    def pytest_runtestloop(self, session: Any) -> bool:
        # Examples before properties: most errors are noticed by an example, at once.
        every = sorted(session.items, key=lambda item: hasattr(item.obj, "hypothesis"))
        for module in self.wanted:
            places = [ROOT / path for path in pure_tests(module)]
            items = [item for place in places for item in every if item.path == place]
            items.sort(key=lambda item: hasattr(item.obj, "hypothesis"))
            self._module(module, items)
        return True

    def _module(self, module: str, items: list[Any]) -> None:
        source = (DOMAIN / f"{module}.py").read_text("utf-8")
        found: dict[str, Any] = {"killed": 0, "time": 0, "survivors": []}
        last = None
        if self.given.again and module in self.known:
            last = {(s["line"], s["what"]) for s in self.known[module]["survivors"]}
            found |= {name: self.known[module][name] for name in ("killed", "time")}
        for mutant in mutants(source):
            if last is not None and (mutant.line, mutant.what) not in last:
                continue
            if mutant.function:
                outcome = _outcome(lambda m=mutant: _in_place(module, m, items, self))  # type: ignore[misc]
            else:
                outcome = _outcome(lambda m=mutant: _from_the_start(module, m))  # type: ignore[misc]
            if outcome == "survived":
                text = source.splitlines()[mutant.line - 1].strip()
                found["survivors"].append(
                    {"line": mutant.line, "what": mutant.what, "text": text})
                print(f"  {module}.py:{mutant.line}: {mutant.what}    {text}", file=sys.stderr,
                      flush=True)
            else:
                found[outcome] += 1
        self.known[module] = found
        self.given.report.parent.mkdir(parents=True, exist_ok=True)
        self.given.report.write_text(json.dumps(self.known, ensure_ascii=False, indent=1))
        print(_line(module, [found]), file=sys.stderr, flush=True)


def _words() -> list[str]:
    without = ("django", "cacheprovider", "xdist", "socket", "schemathesis", "playwright",
               "timeout")
    plugins = [word for one in without for word in ("-p", f"no:{one}")]
    # No assertion about time may decide: the machine may be busy.
    return ["-x", "-q", "-s", "--no-header", "-o", "addopts=-p tests.environment", *plugins,
            "-k", "not under_a_millisecond"]


def main(argv: list[str]) -> int:
    """Run the mutants, print each survivor, then the score."""
    parser = argparse.ArgumentParser(prog="bin/bench mutation", allow_abbrev=False)
    parser.add_argument("--only", default="", help="modules of points/domain, by commas")
    parser.add_argument("--report", type=Path, default=ROOT / "var" / "mutation.json")
    parser.add_argument("--again", action="store_true", help="only those that survived last time")
    parser.add_argument("--least", type=float, default=95.0, help="percent; exit 1 below")
    given = parser.parse_args(argv)
    import pytest
    from hypothesis import Phase, settings

    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    settings.register_profile(
        "mutation", max_examples=40, derandomize=True, database=None, deadline=None,
        phases=(Phase.explicit, Phase.generate),  # found is enough, it need not be small
    )
    settings.load_profile("mutation")
    every = [path.stem for path in sorted(DOMAIN.glob("*.py")) if path.stem != "__init__"]
    wanted = [one for one in given.only.split(",") if one] or every
    without = [module for module in wanted if not pure_tests(module)]
    for module in without:
        print(f"{module}: no pure test loads it, not measured")
    wanted = [module for module in wanted if module not in without]
    paths = sorted({path for module in wanted for path in pure_tests(module)})
    if pytest.main([*_words(), *paths]) != 0:
        print("the tests fail without any mutant")
        return 1
    loop = _Loop(given, wanted)
    pytest.main([*_words(), *paths], plugins=[loop])
    print(_line("together", [loop.known[one] for one in wanted]))
    reached = _score([loop.known[one] for one in wanted]) >= given.least
    return 0 if reached and not without else 1


def _score(found: list[dict[str, Any]]) -> float:
    killed: int = sum(one["killed"] + one["time"] for one in found)
    return 100 * killed / max(1, killed + sum(len(one["survivors"]) for one in found))


def _line(name: str, found: list[dict[str, Any]]) -> str:
    killed = sum(one["killed"] + one["time"] for one in found)
    lived = sum(len(one["survivors"]) for one in found)
    return f"{name}: {killed} of {killed + lived} killed, {_score(found):.1f} %"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
