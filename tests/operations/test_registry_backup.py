"""Commands: backup and restore from outside, the others in this process; exit codes."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.cast import PEOPLE, Cast

ROOT = Path(__file__).resolve().parent.parent.parent
Run = Callable[..., tuple[int, Any]]


def _database(name: str) -> dict[str, str]:
    """The URLs of an empty database; made anew on PostgreSQL."""
    url = os.environ.get("DATABASE_OWNER_URL", "")
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        return {"DATABASE_URL": ""}
    import psycopg

    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(f'DROP DATABASE IF EXISTS "{name}"')
        owner.execute(f'CREATE DATABASE "{name}"')

    def to(variable: str) -> str:
        head, _, tail = os.environ[variable].rpartition("/")
        _, mark, query = tail.partition("?")
        return f"{head}/{name}{mark}{query}"

    return {
        "DATABASE_URL": to("DATABASE_APP_URL"), "DATABASE_OWNER_URL": to("DATABASE_OWNER_URL"),
        "DATABASE_BACKUP_URL": to("DATABASE_BACKUP_URL"),
    }


def _installation(folder: Path, name: str) -> Run:
    """An installation of its own: folder, database, the test's keys."""
    folder.mkdir()
    given = {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE", "PG"))}
    extra = {k: v for k, v in _database(name).items() if v}
    env = {**given, **extra, "DATA_DIR": str(folder), "BELL": "0", "PYTHONPATH": os.pathsep.join(
        [str(ROOT), os.environ.get("PYTHONPATH", "")])}

    def run(*arguments: str, owner: bool = False, stdin: str = "", **more: str) -> tuple[int, Any]:
        chosen = {**env, **more}
        if owner and "DATABASE_OWNER_URL" in env:
            chosen["DATABASE_URL"] = env["DATABASE_OWNER_URL"]
        done = subprocess.run([sys.executable, "-m", "config.cli", *arguments], env=chosen,
                              cwd=ROOT, capture_output=True, text=True, input=stdin, timeout=120)
        text = done.stdout.strip()
        parsed = json.loads(text) if text.startswith("{") else text + done.stderr
        return done.returncode, parsed

    return run


@pytest.fixture
def filled(tmp_path: Path) -> tuple[Run, Path]:
    """An installation with five residents and one sealed log."""
    run = _installation(tmp_path / "old", "backup_old")
    code, said = run("migrate", "--verbosity", "0", owner=True)
    assert code == 0, said
    (tmp_path / "people.csv").write_text(PEOPLE.replace(",N1,", ",,").replace(",S1,", ",,"))
    code, said = run("import_people", str(tmp_path / "people.csv"), "--apply", "--json")
    assert (code, said["new"]) == (0, 5), said
    return run, tmp_path


def test_backup_and_restore_into_an_empty_installation(filled: tuple[Run, Path]) -> None:
    run, folder = filled
    archive = folder / "x.backup"
    code, said = run("backup", str(archive), "--json")
    assert code == 0, said
    content = archive.read_bytes()
    assert "花子".encode() not in content and b"SQLite format" not in content
    assert archive.stat().st_mode & 0o077 == 0

    new = _installation(folder / "new", "backup_new")
    code, said = new("restore", str(archive), "--apply", "--json")
    assert (code, said["log_broken"]) == (0, []), said
    code, said = new("import_people", str(folder / "people.csv"), "--json")
    assert (code, said["same"]) == (0, 5), said
    code, said = new("restore", str(archive), "--apply", "--json")
    assert (code, said["error"]) == (1, "database_not_empty")


def test_an_altered_cut_or_foreign_archive_opens_for_nobody(
    tmp_path: Path, settings: Any
) -> None:
    from config import archive

    (tmp_path / "database").write_bytes(os.urandom(3_000_000))
    store = tmp_path / "files" / "ab"
    store.mkdir(parents=True)
    (store / ("ab" * 32)).write_bytes(b"sealed file")
    target = tmp_path / "x.backup"
    made = archive.Manifest("sqlite", "2026-11-23", ["registry.0001"], "00")
    archive.write(target, manifest=made, database=tmp_path / "database",
                  files=tmp_path / "files")
    good = target.read_bytes()
    assert archive.read(target, tmp_path / "out") == made
    assert (tmp_path / "out/database").read_bytes() == (tmp_path / "database").read_bytes()
    assert (tmp_path / "out/files/ab" / ("ab" * 32)).read_bytes() == b"sealed file"
    flipped = [good[:n] + bytes([good[n] ^ 1]) + good[n + 1 :]
               for n in (0, 30, len(good) // 2, len(good) - 1)]
    first = len(archive.MAGIC) + 5 + int.from_bytes(good[19:23], "big")
    for bad in (*flipped, good[:-40], good[:first], good + b"x", b""):
        target.write_bytes(bad)
        with pytest.raises(archive.BadArchive):
            archive.read(target, tmp_path / "bad")
    target.write_bytes(good)
    settings.DATA_KEYS = {1: b"x" * 32}
    with pytest.raises(archive.BadArchive):
        archive.read(target, tmp_path / "bad")


def _call(*arguments: str) -> tuple[int, Any]:
    """A command in this process: (exit code, its JSON or text)."""
    out, code = io.StringIO(), 0
    try:
        call_command(*arguments, stdout=out, stderr=io.StringIO())
    except CommandError as error:
        code = error.returncode
    except SystemExit as error:
        code = int(error.code or 0)
    text = out.getvalue().strip()
    return code, json.loads(text) if text.startswith("{") else text


def test_commands_try_first_name_wrong_use_and_report_rejected_rows(
    cast: Cast, tmp_path: Path
) -> None:
    assert _call("import_people", str(tmp_path / "none.csv"))[0] == 2
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("あ,い\n1,2\n")
    code, said = _call("import_people", str(wrong), "--json")
    assert (code, said["error"]) == (1, "file_columns_missing")
    mixed, back = tmp_path / "mixed.csv", tmp_path / "back.csv"
    mixed.write_text(PEOPLE.replace("0242-00-0001", "0242-00-5555")
                     + "x,1,悪い,ワルイ,S1,1,,住所,,,,,,,,,,\n")
    code, said = _call("import_people", str(mixed), "--json", "--rejected", str(back))
    assert (code, said["changed"], said["rejected"], said["applied"]) == (3, 1, 1, False)
    assert "悪い" in back.read_text()
    code, said = _call("import_people", str(mixed), "--json", "--apply", "--by", "sato")
    assert (code, said["changed"]) == (3, 1)  # the trial had left nothing
    assert _call("import_people", str(mixed), "--json", "--by", "mori")[1]["error"] == "forbidden"
    assert _call("import_people", str(mixed), "--by", "unknown")[0] == 2
    assert _call("create_staff", "x", "--name", "見本", "--office", "NONE")[0] == 2
    code, said = _call("create_staff", "x", "--name", "見本", "--office", "O-CITY", "--json")
    assert (code, said["applied"]) == (0, False)
    code, said = _call("create_staff", "x", "--name", "見本", "--office", "O-CITY", "--json",
                       "--apply")
    assert code == 0 and len(said["password"]) >= 20 and said["totp_secret"]
    assert _call("create_staff", "x", "--name", "見本", "--office", "O-CITY", "--json",
                 "--apply")[1]["error"] == "username_taken"
    assert _call("issue_cards", "--json")[1] == {"issued": 0, "files": 0, "applied": False}
    assert _call("verify_log", "--json")[1]["broken"] == []
