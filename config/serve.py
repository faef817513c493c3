"""`bin/serve`: production start from the environment; one part, or all under one supervisor.

Owns the check before the start (required variables, Django's deployment checks, no unapplied
migration) and the health question that containers ask. Refuses unsafe settings: it prints what is
wrong and exits 2 without starting anything. Source: interfaces.md "Commands", trust.md "Data".

    bin/serve [all]              web + worker + beat in the foreground, logs on the output
    bin/serve web|worker|beat    one part, in place of this process (for containers)
    bin/serve migrate            migrations, as DATABASE_OWNER_URL where set
    bin/serve check              only the check
    bin/serve health URL         exit 0 when GET URL answers 200 (HEALTHCHECK of containers)
    bin/serve secrets [FOLDER]   makes missing secrets as files (default var/secrets)
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from config import programs, secretfiles
from config.supervisor import ChildFailed, Program, Stopped, Supervisor, stop_on_signals

REQUIRED = {
    "DATABASE_URL": "postgres://tsunagari_app:…@host:5432/tsunagari(または DATABASE_URL_FILE)",
    "REDIS_URL": "redis://host:6379/0",
    "SECRET_KEY_FILE": "32 バイト以上の秘密の値のファイル(または SECRET_KEY)",
    "DATA_KEY_FILE": "データを封じる鍵のファイル(または DATA_KEY)",
    "ALLOWED_HOSTS": "tsunagari.city.example.jp",
    "PUBLIC_URL": "https://tsunagari.city.example.jp",
}
PARTS = ("web", "worker", "beat")


def say(text: str) -> None:
    """Messages go to the error output; a supervisor of services collects it."""
    print(text, file=sys.stderr, flush=True)


def missing(given: Mapping[str, str]) -> list[str]:
    """Required variables that are not set. `NAME_FILE` may be given as `NAME`."""
    return [
        name
        for name in REQUIRED
        if not given.get(name) and not given.get(name.removesuffix("_FILE"))
    ]


def listen(given: Mapping[str, str]) -> tuple[str, int]:
    """(host, port) of the web part, from WEB_HOST and WEB_PORT."""
    return given.get("WEB_HOST") or "127.0.0.1", int(given.get("WEB_PORT") or "8000")


def command(part: str, given: Mapping[str, str]) -> list[str]:
    """The command line of one part."""
    if part == "web":
        host, port = listen(given)
        return programs.web(given, host=host, port=port)
    if part == "worker":
        return programs.worker(given)
    folder = Path(tempfile.gettempdir()) / f"tsunagari-beat-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return programs.beat(folder / "schedule")


def safe(env: Mapping[str, str], *, migrated: bool) -> bool:
    """Print and refuse what must not run in production."""
    absent = missing(env)
    for name in absent:
        say(f"E-SETTING: {name} がありません / is missing. 例 / e.g. {REQUIRED[name]}")
    if absent:
        say("docs/howto/run.md, docs/settings.md")
        return False
    steps = [programs.management("check", "--deploy", "--fail-level", "ERROR")]
    if migrated:
        steps.append(programs.management("migrate", "--check"))
    for step in steps:
        done = subprocess.run(
            step, env=dict(env), cwd=programs.ROOT, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            say(f"E-UNSAFE: {' '.join(step[3:])} → {done.returncode}")
            say(f"{done.stdout}{done.stderr}".strip())
            if step[3] == "migrate":
                say("データベースの変更が未適用です / unapplied migrations: bin/serve migrate")
            return False
    return True


def all_parts(env: dict[str, str]) -> int:
    """Web, worker and beat under one supervisor until a signal comes."""
    supervisor = Supervisor(log_dir=None, cwd=programs.ROOT, say=say)
    try:
        with stop_on_signals():
            try:
                for part in ("worker", "beat", "web"):
                    supervisor.start(Program(part, command(part, env), env, stop_seconds=30.0))
                while True:
                    time.sleep(0.5)
                    supervisor.watch()
            finally:
                supervisor.stop()
    except Stopped:
        return 0
    except ChildFailed as failure:
        say(f"E-START: {failure}")
        return 1


def health(url: str, given: Mapping[str, str]) -> int:
    """Ask as the proxy in front would: with an allowed host name, over what counts as HTTPS."""
    parts = urlsplit(url)
    host = (given.get("ALLOWED_HOSTS") or "127.0.0.1").split(",")[0].strip().lstrip(".*")
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=5)
    try:
        connection.request(
            "GET", parts.path or "/", headers={"Host": host, "X-Forwarded-Proto": "https"}
        )
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        say(f"{url}: {error}")
        return 1
    finally:
        connection.close()
    say(f"{url}: {status}")
    return 0 if status == 200 else 1


def main(argv: Sequence[str]) -> int:
    """Exit codes: 0 ended on request or fine · 1 failed · 2 usage or unsafe settings."""
    part = argv[0] if argv else "all"
    if part == "health" and len(argv) == 2:
        return health(argv[1], os.environ)
    if part == "secrets" and len(argv) <= 2:
        folder = Path(argv[1] if len(argv) == 2 else programs.ROOT / "var" / "secrets")
        say(f"{folder}: {', '.join(secretfiles.make(folder)) or '作るものはありません / complete'}")
        return 0
    if len(argv) > 1 or part not in {*PARTS, "all", "migrate", "check"}:
        say(__doc__ or "")
        return 0 if part in {"-h", "--help"} else 2
    try:
        env = secretfiles.read(programs.environment(os.environ, PRODUCTION="1"))
    except OSError as error:
        say(f"E-SECRET: {error.filename}: {error.strerror}")
        return 2
    env.pop("DEMO", None)
    if not safe(env, migrated=part in {"all", "web", "worker", "beat"}):
        return 2
    if part == "check":
        say("設定は安全です / settings are safe")
        return 0
    os.chdir(programs.ROOT)
    if part == "all":
        return all_parts(env)
    if part == "migrate":
        line, env = programs.management("migrate", "--no-input"), programs.owner(env)
    else:
        line = command(part, env)
    sys.stderr.flush()
    # Replaces this process, so that a container's signals reach the part itself.
    return os.execve(line[0], line, env)  # noqa: S606


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
