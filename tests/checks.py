"""`bin/check`: every rule about the source that needs no test run, one line per step.

Owns the list of steps and their commands. All run even when one fails; the output of a failed
step follows its line. Arguments name steps (`bin/check types imports`). Exit 0 all good · 1 a
step failed · 2 no such step. Source: interfaces.md "Commands".

ruff's formatter is not enforced: tables and argument lists aligned by hand read better.
"""

from __future__ import annotations

import difflib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from config.programs import ROOT, environment, management
from tests import doclinks

PACKAGES = ("registry", "points", "evacuation", "api", "web", "workers", "config")
OPENAPI = ROOT / "docs" / "openapi.yaml"
Result = tuple[bool, str]


def _env(folder: str) -> dict[str, str]:
    """Settings that need nothing and leave nothing: the checks open no real database."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE_", "REDIS_"))}
    for name in ("DEMO", "PRODUCTION", "FACES"):
        clean.pop(name, None)
    # Fixed keys: nothing is made in var/, and nothing is encrypted with them.
    return environment(clean, DATA_DIR=folder, SECRET_KEY="check-" * 8, DATA_KEY="check-" * 8)


def _run(*command: str) -> Result:
    with tempfile.TemporaryDirectory(prefix="tsunagari-check-") as folder:
        done = subprocess.run(
            command, cwd=ROOT, env=_env(folder), stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    return done.returncode == 0, done.stdout.strip()


def _module(name: str, *arguments: str) -> Result:
    return _run(sys.executable, "-m", name, *arguments)


def style() -> Result:
    """ruff with the rules of ruff.toml."""
    return _module("ruff", "check", "--no-fix", ".")


def types() -> Result:
    """mypy --strict on the seven packages (mypy.ini)."""
    return _module("mypy")


def imports() -> Result:
    """The contracts of .importlinter (house.md, "Who may import whom")."""
    code = "from importlinter.cli import lint_imports_command as c; c()"
    return _run(sys.executable, "-c", code)


def migrations() -> Result:
    """Models and migrations agree."""
    return _run(*management("makemigrations", "--check", "--dry-run"))


def openapi() -> Result:
    """docs/openapi.yaml is what the service says of itself today."""
    with tempfile.TemporaryDirectory(prefix="tsunagari-openapi-") as folder:
        made = Path(folder) / "openapi.yaml"
        command = management("spectacular", "--validate", "--fail-on-warn", "--file", str(made))
        good, said = _run(*command)
        if not good or not made.exists():
            return False, said
        new = made.read_text().splitlines()
    old = OPENAPI.read_text().splitlines() if OPENAPI.exists() else []
    difference = list(difflib.unified_diff(old, new, "docs/openapi.yaml", "now", lineterm="", n=2))
    if not difference:
        return True, ""
    remedy = "write it anew: bin/tsunagari spectacular --file docs/openapi.yaml"
    return False, "\n".join([*difference[:40], remedy])


def docs() -> Result:
    """Links, anchors and commands named in the documents exist."""
    wrong = doclinks.problems(ROOT)
    return not wrong, "\n".join(wrong)


def containers() -> Result:
    """docker-compose.yml and Dockerfile against schema, commands, variables and addresses."""
    quiet = ("-q", "--tb=line", "-p", "no:cacheprovider")
    return _module("pytest", *quiet, "tests/project/test_compose.py")


STEPS: dict[str, Callable[[], Result]] = {
    step.__name__: step for step in (style, types, imports, migrations, openapi, docs, containers)
}


def main(argv: Sequence[str]) -> int:
    if unknown := [name for name in argv if name not in STEPS]:
        print(f"no such step: {', '.join(unknown)}; steps: {', '.join(STEPS)}", file=sys.stderr)
        return 2
    failed = []
    for name in argv or STEPS:
        begun = time.monotonic()
        good, said = STEPS[name]()
        first = (STEPS[name].__doc__ or "").splitlines()[0]
        mark = "ok  " if good else "FAIL"
        print(f"{mark} {name:11} {time.monotonic() - begun:5.1f} s  {first}", flush=True)
        if not good:
            failed.append(name)
            print("\n".join(f"     {line}" for line in said.splitlines()[-60:]), flush=True)
    print(f"bin/check: {'failed: ' + ', '.join(failed) if failed else 'all good'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
