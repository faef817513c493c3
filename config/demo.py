"""`bin/demo`: the whole service with a demo city in the foreground, or one checked run of it.

Owns the order Valkey → migrate → seed → worker → beat → web → ready, the messages on the
terminal, and `--check`, which runs the main job through the running service (`demo_check`).
Refuses a second run in the same folder, a taken port (before anything starts) and production
settings. Standard library only. Source: interfaces.md "Commands", stack.md "Runtime".
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from config import broker, programs
from config.demo_folder import Folder, Refusal, sign_ins
from config.supervisor import ChildFailed, Program, Stopped, Supervisor, stop_on_signals

HOST, PORT, PEOPLE = "127.0.0.1", 8000, 3000
READY_SECONDS = 60.0


def say(text: str) -> None:
    """A line on the terminal, at once."""
    print(text, flush=True)


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/demo",
        description="デモの街でサービス全体を動かします / the whole service with a demo city",
        epilog="Ctrl-C で止まります。データは var/ に残り、次はすぐに始まります。",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--port", type=int, metavar="N", help=f"番号 {PORT}; 0 = 空いている番号 / any free one")
    add("--people", type=int, metavar="N", help=f"住民の数 / residents ({PEOPLE})")
    add("--fresh", action="store_true", help="前のデモのデータを捨てる / throw old data away")
    add("--check", action="store_true", help="主な仕事を通して確かめて終わる / run and verify")
    add("--codes", action="store_true", help="動いているデモのサインインを表示 / print sign-ins")
    given = parser.parse_args(argv)
    if given.port is not None and not 0 <= given.port <= 65535:
        parser.error("--port は 0〜65535 / must be 0 to 65535")
    if given.people is not None and not 1 <= given.people <= 1_000_000:
        parser.error("--people は 1〜1000000 / must be 1 to 1000000")
    return given


def free_port(port: int) -> int:
    """The port to use: `port` itself, or any free one for 0. Raises `Refusal` when it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise Refusal(
                f"E-PORT: ポート {port} は使えません({error.strerror})。"
                "--port で別の番号(0 = 空いている番号)を指定してください。\n"
                f"E-PORT: port {port} cannot be used; choose another one with --port."
            ) from error
        return int(probe.getsockname()[1])


def answers(port: int, path: str) -> int | None:
    """The HTTP status of a GET, or None when nobody answers."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


class Demo:
    """One run: `start`, then `check` or `stay`, and always `stop`."""

    def __init__(self, given: argparse.Namespace, folder: Folder, port: int) -> None:
        self.given, self.folder, self.port = given, folder, port
        self.url = f"http://{HOST}:{port}"
        self.supervisor = Supervisor(log_dir=folder.path / "log", cwd=programs.ROOT, say=say)
        self.scratch: Path | None = None
        self.env = programs.environment(
            os.environ, DEMO="1", DATA_DIR=str(folder.path), PUBLIC_URL=self.url
        )
        self.new_city = False
        database = os.environ.get("DATABASE_URL", "")
        self.database = hashlib.sha256(database.encode()).hexdigest() if database else "embedded"

    def start(self) -> None:
        """Everything up to a service that answers. Raises `ChildFailed`, `Refusal`, `NoServer`."""
        begun = time.monotonic()
        self._redis()
        migrate = programs.management("migrate", "--no-input")
        self._step("migrate", migrate, programs.owner(self.env))
        self._seed()
        run = self.supervisor.start
        run(Program("worker", programs.worker(self.env), self.env))
        schedule = self.folder.path / "beat-schedule"
        run(Program("beat", programs.beat(schedule), self.env))
        run(Program("web", programs.web(self.env, host=HOST, port=self.port), self.env))
        self._wait_ready()
        self.folder.say_address(self.url)
        say(f"準備ができました / ready  {time.monotonic() - begun:.1f} s")

    def check(self) -> int:
        """The main job through the running service; 0, or 1 with its own words printed."""
        self.supervisor.watch(restart=False)
        program = Program("demo_check", programs.management("demo_check"), self.env)
        # Its lines are for the terminal, not for a log.
        terminal = Supervisor(log_dir=None, cwd=programs.ROOT, say=say)
        try:
            terminal.run(program)
            self.supervisor.watch(restart=False)
        except ChildFailed as failure:
            say(f"E-CHECK: 確認に失敗しました / the check failed: {failure}")
            if failure.name == "demo_check":
                try:  # perhaps a dead worker is why
                    self.supervisor.watch(restart=False)
                except ChildFailed as cause:
                    say(str(cause))
            return 1
        return 0

    def share(self) -> None:
        """Open this period's sharing in a new city: 民生委員 find their roster from the start.

        The check does not want this: it opens the run itself, after its own people have come.
        """
        if self.new_city:
            command = programs.management("share_rosters", "--apply")
            self._step("share", command, self.env)

    def stay(self) -> None:
        """Keep everything alive until a signal (`Stopped`) or a child that keeps dying."""
        say(f"\n  {self.url}/    見本の街です。人はすべて架空です / invented people\n")
        say(sign_ins(self.folder.accounts(), time.time()))
        say("\n確認コードは30秒で変わります。新しいコード: bin/demo --codes")
        say(f"記録 / logs: {self.folder.path / 'log'}    止める / stop: Ctrl-C")
        while True:
            time.sleep(0.5)
            self.supervisor.watch()

    def stop(self) -> None:
        """Stop all in reverse order and leave nothing outside the data folder."""
        self.supervisor.stop()
        if self.scratch is not None:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def _redis(self) -> None:
        if self.env.get("REDIS_URL"):
            return
        server = broker.embedded(self.folder.path / "redis")
        self.scratch = server.scratch
        self.env["REDIS_URL"] = server.url
        self.supervisor.start(Program("redis", server.command, self.env, signal.SIGTERM, 5))
        if not broker.wait(server.socket):
            raise ChildFailed("redis", "応答しません / no answer", self.supervisor.tail("redis"))

    def _seed(self) -> None:
        people, seeded = self.given.people, self.folder.seeded()
        if seeded and seeded.get("database") == self.database:
            if people is not None and people != seeded.get("people"):
                raise Refusal(
                    f"E-PEOPLE: この街の住民は {seeded.get('people')} 人です。{people} 人の街は "
                    "--fresh を付けて作り直してください / add --fresh to build another city."
                )
            return
        people = people or PEOPLE
        self.folder.seeding()
        self._step("seed", programs.management("seed_demo", "--people", str(people)), self.env)
        for line in self.supervisor.tail("seed").splitlines():
            if line.startswith("  "):  # its own figures: times, numbers, peak memory
                self.supervisor.say("  " + line)
        self.folder.seed_done(people=people, database=self.database)
        self.new_city = True

    def _step(self, name: str, command: list[str], env: dict[str, str]) -> None:
        begun = time.monotonic()
        self.supervisor.run(Program(name, command, env))
        say(f"  {name:8} {time.monotonic() - begun:6.1f} s")

    def _wait_ready(self) -> None:
        until, status = time.monotonic() + READY_SECONDS, None
        while time.monotonic() < until:
            self.supervisor.watch(restart=False)
            status = answers(self.port, "/readyz")
            if status == 200:
                return
            time.sleep(0.1)
        raise ChildFailed(
            "web", f"/readyz が 200 になりません (last: {status})", self.supervisor.tail("web")
        )


def run(given: argparse.Namespace, folder: Folder) -> int:
    """One demo from lock to release; the exit code."""
    os.umask(0o077)  # sign-ins, keys and data are for this user's eyes only
    wanted = PORT if given.port is None else given.port
    folder.lock(f"http://{HOST}:{wanted}")
    try:
        port = free_port(wanted)
        if port != wanted:
            folder.release()
            folder.lock(f"http://{HOST}:{port}")
        if os.environ.get("DATABASE_URL") and (given.fresh or folder.half_seeded()):
            raise Refusal(
                "E-FRESH: DATABASE_URL のデータベースは消しません。ご自身で空にしてください / the "
                "database of DATABASE_URL is yours to empty.", 2,
            )  # fmt: skip
        if folder.half_seeded():
            say("前回の準備が途中で終わったため作り直します / the last load was broken off")
        if given.fresh or folder.half_seeded():
            folder.empty()
        demo = Demo(given, folder, port)
        try:
            demo.start()
            if given.check:
                return demo.check()
            demo.share()
            demo.stay()
        finally:
            say("停止しています / stopping")
            demo.stop()
    finally:
        folder.release()
    return 0


def main(argv: Sequence[str]) -> int:
    """Exit codes: 0 stopped on request or checked · 1 failed or refused · 2 usage."""
    given = arguments(argv)
    own = programs.ROOT / "var"
    path = Path(os.environ.get("DATA_DIR") or own).absolute()
    folder = Folder(path, ours=path == own)
    if given.codes:
        table = sign_ins(folder.accounts(), time.time())
        say(table or "デモのデータはまだありません / no demo yet")
        return 0
    if os.environ.get("PRODUCTION", "").lower() in {"1", "true", "on", "yes"}:
        say("E-PRODUCTION: 本番の設定では動かしません。bin/serve を使ってください / use bin/serve.")
        return 2
    try:
        with stop_on_signals():
            return run(given, folder)
    except Stopped:
        return 1 if given.check else 0  # a check that was cut short has not passed
    except Refusal as refusal:
        say(str(refusal))
        return refusal.code
    except (ChildFailed, broker.NoServer) as failure:
        say(f"E-START: {failure}")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
