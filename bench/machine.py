"""`bin/bench machine --steps 200000 [--database sqlite|postgresql]`: order never matters, long run.

Owns the campaign of ``tests.machine``: blocks of lives, each from its own seed, in several
processes; steps truly executed are counted where they are done.  Work is kept in ``--state`` and
goes on where it was broken off, as long as the sources are the same.  ``--controls`` plays the
builds that are broken on purpose first and says after how many steps each was found.
Refuses to call a run good that found anything, or a control that was not found (exit code 1).

Every step is compared with the oracle and with sums in SQL; ``verify_ledger`` runs after every
``--verify-every`` steps and at the end of each life (rows are append-only: what it would have
found earlier is still there).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

ROOT = Path(__file__).resolve().parent.parent
LIVES, LENGTH = 60, 40  # a block: at most 2,400 steps
SOURCES = ("points", "registry", "tests/machine")


def main(argv: list[str]) -> int:
    """Parse, run, print; the exit code."""
    given = _parser().parse_args(argv)
    if given.worker is not None:
        return _work(given)
    with ExitStack() as stack:
        env = dict(os.environ)
        if given.database == "postgresql":
            from tests import pgcluster

            env |= stack.enter_context(pgcluster.cluster(fsync=False)).environment(role="owner")
        else:
            env.pop("DATABASE_URL", None)
        if given.controls and not _controls(given, env):
            return 1
        return _campaign(given, env)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bin/bench machine", allow_abbrev=False)
    parser.add_argument("--steps", type=int, default=200_000, help="0: only what else is asked")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1, help="the first block's seed")
    parser.add_argument("--verify-every", type=int, default=10)
    parser.add_argument("--state", type=Path, help="default var/machine-DATABASE.json")
    parser.add_argument("--fresh", action="store_true", help="forget earlier blocks")
    parser.add_argument("--controls", action="store_true", help="first find the broken builds")
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    return parser


def fingerprint() -> str:
    """A digest of the sources that the steps run through."""
    found = hashlib.sha256()
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            found.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return found.hexdigest()[:16]


def _campaign(given: argparse.Namespace, env: dict[str, str]) -> int:
    path = given.state or ROOT / "var" / f"machine-{given.database}.json"
    state = _read(path, given.fresh)
    done: dict[str, Any] = state["blocks"]
    earlier = sum(block["steps"] for block in done.values())
    if earlier:
        print(f"{earlier:,} steps of {len(done)} blocks are kept from before ({path})", flush=True)
    lock, seeds = threading.Lock(), iter(range(given.seed, 1 << 31))
    failed: list[dict[str, Any]] = []
    begun = time.monotonic()

    def total() -> int:
        return sum(block["steps"] for block in done.values())

    def drive(number: int) -> None:
        with _worker(number, given, env) as worker:
            assert worker.stdin and worker.stdout
            while True:
                with lock:
                    if failed or total() >= given.steps:
                        break
                    seed = next(s for s in seeds if str(s) not in done)
                answer = _ask(worker.stdin, worker.stdout, {"seed": seed})
                with lock:
                    if answer["failure"]:
                        failed.append(answer)
                        break
                    done[str(seed)] = {"steps": answer["steps"], "kinds": answer["kinds"]}
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(json.dumps(state))
                    _progress(total(), total() - earlier, begun, len(done))
            worker.stdin.close()

    threads = [threading.Thread(target=drive, args=(n,)) for n in range(given.processes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in failed:
        print(f"\nFAILED: seed {one['seed']} after {one['steps']} steps of its block\n"
              f"again: bin/bench machine --database {given.database} --processes 1 "
              f"--seed {one['seed']} --steps 1 --fresh\n{one['failure']}")
    kinds = sum((Counter(block["kinds"]) for block in done.values()), Counter[str]())
    for kind, count in kinds.most_common():
        print(f"  {count:>9,}  {kind}")
    enough = total() >= given.steps
    print(f"{given.database}: {total():,} steps executed, {len(done)} blocks, "
          f"{'no difference' if not failed else 'A DIFFERENCE'} "
          f"({(total() - earlier) / max(0.001, time.monotonic() - begun):.0f} steps/s this time, "
          f"sources {state['sources']})", flush=True)
    return 1 if failed or not enough else 0


def _read(path: Path, fresh: bool) -> dict[str, Any]:
    sources = fingerprint()
    if path.is_file() and not fresh:
        known: dict[str, Any] = json.loads(path.read_text())
        if known["sources"] == sources:
            return known
        print(f"the sources changed since {path}: counting from zero", flush=True)
    return {"sources": sources, "blocks": {}}


def _progress(total: int, now: int, begun: float, blocks: int) -> None:
    if blocks % 5 == 0:
        rate = now / max(0.001, time.monotonic() - begun)
        print(f"{total:,} steps, {blocks} blocks, {rate:.0f} steps/s", flush=True)


def _controls(given: argparse.Namespace, env: dict[str, str]) -> bool:
    """Whether every broken build was found."""
    from tests.machine import CONTROLS

    good = True
    with _worker(0, given, env) as worker:
        assert worker.stdin and worker.stdout
        for name in CONTROLS:
            steps, found = 0, False
            for seed in range(given.seed, given.seed + 20):
                answer = _ask(worker.stdin, worker.stdout, {"seed": seed, "broken": name})
                steps, found = steps + answer["steps"], bool(answer["failure"])
                if found:
                    break
            said = f"found after {steps:,} steps" if found else f"NOT FOUND in {steps:,} steps"
            print(f"control {name}: {said}", flush=True)
            good = good and found
        worker.stdin.close()
    return good


def _worker(number: int, given: argparse.Namespace, env: dict[str, str]) -> Any:
    command = [sys.executable, "-m", "bench.machine", "--worker", str(number),
               "--verify-every", str(given.verify_every), "--database", given.database]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                            env=env, cwd=ROOT)


def _ask(stdin: TextIO, stdout: TextIO, what: dict[str, Any]) -> dict[str, Any]:
    stdin.write(json.dumps(what) + "\n")
    stdin.flush()
    line = stdout.readline()
    if not line:
        raise RuntimeError("a worker ended; its message is above")
    answer: dict[str, Any] = json.loads(line)
    return answer


def _work(given: argparse.Namespace) -> int:
    """A process of its own: one database, one world, a block for each line read."""
    from tests.machine import database

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else is printed must not mix with the answers
    with database.opened(given.worker):
        from tests.machine import blocks

        player = blocks.Player(given.verify_every, lives=LIVES, length=LENGTH)
        for line in sys.stdin:
            answer = player.play(**json.loads(line))
            answers.write(json.dumps(answer) + "\n")
            answers.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
