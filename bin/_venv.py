"""Make `.venv` hold exactly the locked packages; used by every command under `bin/`.

Owns: the virtual environment, its stamp, and the lock that lets two first starts run at once.
Refuses: packages whose hash is not in the committed lock, and a `.venv` of another user that is
out of date and cannot be written. Standard library only; the installer itself is brought along:
`bin/vendor/` carries pip's wheel (a machine without pip, venv's ensurepip or uv is enough), pip
fetches uv by hash, and uv installs the rest; where uv does not run, pip does it alone (slower).

    _venv.py ROOT runtime|dev        exit 0 ready · 1 could not be made (the reason is printed)
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

LOCKS = {"runtime": "requirements.lock", "dev": "requirements-dev.lock"}
STAMP = "tsunagari-stamp.json"


class Failed(Exception):
    """The environment could not be made; the text says why and what to do, in two languages."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def stamp_of(home: Path) -> dict[str, str]:
    """What was installed last: {lock file name: sha256}. Empty when unknown or damaged."""
    try:
        stamp = json.loads((home / STAMP).read_text())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def executes(python: Path) -> bool:
    """A `.venv` outlives the Python it points to; only running it tells."""
    test = "import sys, encodings; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))"
    try:
        return subprocess.run([python, "-I", "-c", test], capture_output=True).returncode == 0
    except OSError:
        return False


def current(root: Path, kind: str) -> bool:
    home, lock = root / ".venv", LOCKS[kind]
    return stamp_of(home).get(lock) == digest(root / lock) and executes(home / "bin" / "python")


def create(home: Path) -> None:
    """An empty environment, without pip: Debian ships `venv` without `ensurepip`."""
    if home.is_symlink():
        raise Failed(
            f"E-VENV: {home} はリンクです。削除してください / is a symbolic link; remove it."
        )
    if home.exists() and not ((home / "pyvenv.cfg").exists() and executes(home / "bin/python")):
        shutil.rmtree(home)
    if not home.exists():
        say("[1/3] 仮想環境を作成 / creating .venv")
        # When this runs under a virtual environment's Python, the new one hangs on the real one.
        python = getattr(sys, "_base_executable", None) or sys.executable
        subprocess.run([python, "-I", "-m", "venv", "--without-pip", str(home)], check=True)


def environment(home: Path) -> dict[str, str]:
    """The caller's settings for the package index, said in uv's words too."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    env["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    env["PIP_NO_INPUT"] = "1"
    env["PIP_ROOT_USER_ACTION"] = "ignore"
    if "PIP_INDEX_URL" in env:
        env.setdefault("UV_DEFAULT_INDEX", env["PIP_INDEX_URL"])
    if "PIP_CERT" in env:
        env.setdefault("SSL_CERT_FILE", env["PIP_CERT"])
    env.setdefault("UV_SYSTEM_CERTS", "1")
    env.setdefault("UV_HTTP_TIMEOUT", "60")
    env.setdefault("UV_NO_CONFIG", "1")
    # A user without a home (a service account) still needs somewhere to unpack.
    cache_root = Path(env.get("XDG_CACHE_HOME") or Path(env.get("HOME") or "/nonexistent"))
    if not os.access(cache_root, os.W_OK):
        env.setdefault("UV_CACHE_DIR", str(home / "cache"))
        env.setdefault("PIP_CACHE_DIR", str(home / "cache"))
    return env


def install(root: Path, home: Path, lock: str) -> None:
    python, uv = home / "bin" / "python", home / "bin" / "uv"
    env = environment(home)
    vendor = root / "bin" / "vendor"
    [wheel] = vendor.glob("pip-*.whl")
    pip = [python, "-I", f"{wheel}/pip", "install", "--quiet", "--require-hashes"]

    def run(command: list[object]) -> bool:
        return subprocess.run([str(c) for c in command], env=env, stdin=subprocess.DEVNULL,
                              stdout=sys.stderr).returncode == 0

    with_uv = os.environ.get("TSUNAGARI_INSTALLER", "uv") != "pip"
    if with_uv and not uv.exists():
        say("[2/3] インストーラー uv を準備 / fetching the installer")
        run([*pip, "--only-binary", ":all:", "-r", vendor / "uv.lock"])
    say(f"[3/3] {lock} の部品をインストール / installing the locked packages")
    if with_uv and uv.exists():
        command = [uv, "pip", "install", "--quiet", "--python", python, "--require-hashes"]
        if run([*command, "-r", root / lock]):
            return
        say("uv で失敗したため pip で続けます / uv failed, going on with pip")
    if not run([*pip, "-r", root / lock]):
        raise Failed(
            "E-INSTALL: 部品を取得できませんでした。ネットワークと、必要なら PIP_INDEX_URL・"
            "PIP_CERT・HTTPS_PROXY を確認して、もう一度実行してください。\n"
            "E-INSTALL: the packages could not be fetched. Check the network and, where needed, "
            "PIP_INDEX_URL, PIP_CERT or HTTPS_PROXY, and run the command again."
        )


def make(root: Path, kind: str) -> None:
    home, lock = root / ".venv", LOCKS[kind]
    if not os.access(home if home.exists() else root, os.W_OK):
        raise Failed(
            f"E-WRITE: {root} に書き込めません(.venv の更新が必要です)。所有者で実行するか、"
            f"自分のフォルダーに取り直してください。\n"
            f"E-WRITE: {root} cannot be written and .venv is not up to date. Run as its owner or "
            "make your own checkout."
        )
    started = time.monotonic()
    create(home)
    before = stamp_of(home)
    (home / STAMP).unlink(missing_ok=True)
    install(root, home, lock)
    stamp = {name: value for name, value in before.items() if name == LOCKS["dev"]}
    # The development lock contains the runtime lock with equal versions (tested), so it serves
    # both; a changed runtime lock makes the development stamp doubtful.
    if kind == "dev":
        stamp = {name: digest(root / name) for name in LOCKS.values()}
    else:
        same = before.get(lock) == digest(root / lock)
        stamp = {**(stamp if same else {}), lock: digest(root / lock)}
    scratch = home / (STAMP + ".new")
    scratch.write_text(json.dumps(stamp))
    scratch.replace(home / STAMP)
    say(f"準備完了 / ready: {time.monotonic() - started:.0f} s")


def main(argv: list[str]) -> int:
    if len(argv) != 2 or argv[1] not in LOCKS:
        say(__doc__ or "")
        return 2
    root, kind = Path(argv[0]), argv[1]
    if current(root, kind):
        return 0
    # The folder itself is the lock: it needs no right to write and leaves nothing behind.
    handle = os.open(root / "bin", os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("別の起動の準備を待っています / waiting for another start to finish preparing")
            fcntl.flock(handle, fcntl.LOCK_EX)
        if not current(root, kind):
            make(root, kind)
    except Failed as failure:
        say(str(failure))
        return 1
    except (OSError, subprocess.CalledProcessError) as failure:
        say(f"E-VENV: .venv を作成できません / could not be made: {failure}")
        return 1
    finally:
        os.close(handle)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
