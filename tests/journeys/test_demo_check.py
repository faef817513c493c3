"""The demo as a whole: a small city through every real operation, and the main job through it.

Slow: `bin/test -m slow tests/journeys/test_demo_check.py`.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from config.management.commands.demo_check import STEPS

ROOT = Path(__file__).resolve().parents[2]
ROLES = {
    "city_officer", "city_approver", "social_welfare_council", "group_leader",
    "neighbourhood_association", "welfare_commissioner_north", "welfare_commissioner_south",
    "volunteer", "shop", "care_manager", "scanner_device",
}


def demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {"PATH", "HOME", "LANG", "TMPDIR", "PIP_INDEX_URL", "PIP_CERT", "UV_INDEX_URL"}
    env = {name: value for name, value in os.environ.items() if name in kept}
    return subprocess.run(
        [str(ROOT / "bin/demo"), "--port", "0", *arguments],
        env={**env, "DATA_DIR": str(folder)}, capture_output=True, text=True, timeout=900,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_the_main_job_goes_through_twice_in_one_folder(tmp_path: Path) -> None:
    folder = tmp_path / "demo data"
    for attempt in (1, 2):
        done = demo(folder, "--check", *(["--people", "600"] if attempt == 1 else []))
        assert done.returncode == 0, done.stdout + done.stderr
        assert "NG" not in done.stdout and done.stdout.count("  OK ") == len(STEPS), done.stdout
    file = folder / "demo.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    accounts = json.loads(file.read_text(encoding="utf-8"))["accounts"]
    assert {one["role"] for one in accounts} == ROLES
    assert all(set(one) == {"role", "username", "password", "totp_secret", "token"}
               for one in accounts)
    assert all(one["token"] for one in accounts)
    secrets = {one["password"] for one in accounts if one["password"]}
    assert len(secrets) == len(accounts) - 1  # the device has none


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_a_step_that_does_not_hold_is_named_and_ends_with_1(tmp_path: Path) -> None:
    assert demo(tmp_path, "--check", "--people", "600").returncode == 0
    file = tmp_path / "demo.json"
    told = json.loads(file.read_text(encoding="utf-8"))
    officer = next(one for one in told["accounts"] if one["role"] == "city_officer")
    officer["token"] = "tg_forged"
    file.write_text(json.dumps(told), encoding="utf-8")
    done = demo(tmp_path, "--check")
    assert done.returncode == 1
    assert "NG  2 住民の取込" in done.stdout and "HTTP 401" in done.stdout
