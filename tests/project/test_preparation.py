"""What every command does first: finding a Python, and making `.venv` from the locks.

Making a whole environment needs the package index, so that is shown by CI's stranger (`.ci/run`);
here is everything around it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import doclinks, parts

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "bin" / "vendor"


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)", (ROOT / lock).read_text(), re.M))


def hashed(path: Path) -> bool:
    """Does every requirement carry a hash?"""
    wanted = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", path.read_text(), flags=re.M).strip())
    return bool(wanted) and all("--hash=sha256:" in one for one in wanted)


def test_the_development_lock_contains_the_runtime_lock() -> None:
    runtime, dev = pins("requirements.lock"), pins("requirements-dev.lock")
    assert len(runtime) > 20
    assert {name: dev.get(name) for name in runtime} == runtime


@pytest.mark.parametrize(
    "lock", ["requirements.lock", "requirements-dev.lock", "bin/vendor/uv.lock"]
)
def test_every_locked_package_has_hashes_and_no_address(lock: str) -> None:
    assert hashed(ROOT / lock)
    assert "://" not in re.sub(r"#.*", "", (ROOT / lock).read_text())


def test_the_vendored_installer_is_the_one_its_readme_names() -> None:
    [wheel] = VENDOR.glob("pip-*.whl")
    said = (VENDOR / "README.md").read_text()
    assert wheel.name in said
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() in said
    done = subprocess.run([sys.executable, "-I", f"{wheel}/pip", "--version"], capture_output=True)
    assert done.returncode == 0


def find(path: str, tmp_path: Path, **extra: str) -> str:
    """What bin/_python would choose with this PATH."""
    script = f'ROOT="{tmp_path}"; . "{ROOT}/bin/_python"; _find_python'
    env = {"PATH": path, "HOME": str(tmp_path), **extra}
    done = subprocess.run(["/bin/sh", "-c", script], env=env, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_dead_shim_does_not_hide_a_working_python(tmp_path: Path) -> None:
    shims, good = tmp_path / "dead shims", tmp_path / "good one"
    for folder in (shims, good):
        folder.mkdir()
    (shims / "python3").write_text("#!/bin/sh\necho 'command not found' >&2\nexit 127\n")
    (shims / "python3").chmod(0o755)
    (good / "python3").symlink_to(Path(sys.executable).resolve())
    assert find(f"{shims}:{good}", tmp_path) == f"{good}/python3"
    named = find(str(shims), tmp_path, PYTHON=f"{good}/python3")
    assert named == f"{good}/python3"


def test_without_any_python_the_message_says_what_to_do(tmp_path: Path) -> None:
    script = f'ROOT="{tmp_path}"; . "{ROOT}/bin/_python"; _works() {{ return 1; }}; prepare runtime'
    done = subprocess.run(["/bin/sh", "-c", script], env={"PATH": "/bin:/usr/bin"},
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 1
    assert "E-PYTHON" in done.stderr
    assert "apt-get install python3" in done.stderr


def test_an_environment_that_is_current_costs_nothing_and_a_damaged_one_is_noticed(
    tmp_path: Path,
) -> None:
    house = tmp_path / "見本 の 家"
    (house / "bin" / "vendor").mkdir(parents=True)
    shutil.copy(ROOT / "bin" / "_venv.py", house / "bin")
    for lock in ("requirements.lock", "requirements-dev.lock", "bin/vendor/uv.lock"):
        (house / lock).write_text("")  # nothing to fetch
    shutil.copy(next(VENDOR.glob("pip-*.whl")), house / "bin" / "vendor")

    def prepare(kind: str) -> tuple[int, str]:
        env = {**os.environ, "TSUNAGARI_INSTALLER": "pip", "PIP_NO_INDEX": "1"}
        done = subprocess.run([sys.executable, "-I", house / "bin" / "_venv.py", house, kind],
                              env=env, capture_output=True, text=True)  # fmt: skip
        return done.returncode, done.stderr

    assert prepare("runtime")[0] == 0
    assert (house / ".venv" / "bin" / "python").exists()
    assert prepare("runtime") == (0, "")
    assert "requirements-dev.lock" in prepare("dev")[1]
    assert prepare("runtime") == (0, "")
    (house / "requirements.lock").write_text("# changed\n")
    assert "requirements.lock" in prepare("runtime")[1]
    assert "requirements-dev.lock" in prepare("dev")[1]  # doubtful after that, so made again
    python = house / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nonexistent/python3")
    assert "[1/3]" in prepare("runtime")[1]
    (house / "requirements.lock").write_text("no-such-package==1 --hash=sha256:" + "0" * 64 + "\n")
    code, said = prepare("runtime")
    assert (code, "E-INSTALL" in said) == (1, True)


def test_arguments_of_bin_test_are_told_apart() -> None:
    everything, wanted, marks, rest = parts.split(
        ["--all", "--part", "chromium", "-m", "slow", "-k", "x", "tests/web"]
    )
    assert (everything, wanted, marks) == (True, {"chromium"}, "slow")
    assert rest == ["-k", "x", "tests/web"]
    with pytest.raises(ValueError, match="no such part"):
        parts.split(["--part", "oracle"])


@pytest.mark.parametrize(
    ("outcomes", "everything", "code"),
    [
        ([parts.Outcome("embedded", passed=3)], False, 0),
        ([parts.Outcome("embedded", passed=3, failed=1)], False, 1),
        ([parts.Outcome("embedded", passed=3, code=2)], False, 1),
        ([parts.Outcome("embedded")], False, 1),  # nothing ran: not good
        ([parts.Outcome("embedded", passed=3), parts.Outcome("chromium", why="none")], False, 0),
        ([parts.Outcome("embedded", passed=3), parts.Outcome("chromium", why="none")], True, 1),
        ([parts.Outcome("embedded", passed=3, skipped=1)], True, 1),
        ([parts.Outcome("embedded", passed=3, skipped=1)], False, 0),
    ],
)
def test_closing_line_and_exit_code(
    outcomes: list[parts.Outcome], everything: bool, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert parts.close(outcomes, everything) == code
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert re.fullmatch(r"\d+ passed, \d+ failed, \d+ skipped", last)


def test_untrue_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(
        "# 使い方\n[a](missing.md) [b](#使い方) [c](#nowhere) ![d](x.png)\n`bin/nothing`\n"
    )
    assert [line.split(": ")[1] for line in doclinks.problems(tmp_path)] == [
        "no such file", "no such heading", "no such file", "no such command",
    ]  # fmt: skip
