"""G1, the long version: duplicate scans with new ids, from many processes and over HTTP.

Every process scans the same 100 cards at the same sessions in an order of its own, each scan
with an id of its own.  Whatever comes, each pair is counted once: as many attendances as pairs,
the points that the rules give, and ``verify_ledger`` finds no difference.  The control beside it
is DELIBERATELY BROKEN (it looks, then inserts, in two transactions without lock or constraint,
in a table of this benchmark's own) and has to count more than a thousand too many.

    bin/bench duplicates [--quick] [--scans 1000000] [--http 100000] [--processes 16]

Exit code 1 when anything was counted twice, or when the control was not.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import _contenders as who
from bench import _load
from bench._contenders import Ours
from tests.pgcluster import ROOT, Cluster, cluster

CARDS = 100


def order(number: int, cards: list[str], sessions: list[int], count: int) -> Iterator[
        tuple[str, int]]:
    """What one process scans: all pairs, round after round, each round shuffled anew."""
    pairs = [(card, session) for session in sessions for card in cards]
    chance = random.Random(number)
    while count > 0:
        chance.shuffle(pairs)
        yield from pairs[:count]
        count -= len(pairs)


def pairs_of(
    first: int, processes: int, cards: list[str], sessions: list[int], each: list[int]
) -> int:
    """How many different pairs the processes send: what must be counted, exactly."""
    return len({pair for n in range(processes)
                for pair in order(first + n, cards, sessions, each[n])})


def _child(number: int, start: Any, answers: Any, given: dict[str, Any]) -> None:
    """One process: ``each`` scans in batches through the operation, as the application's role."""
    from django.utils import timezone

    from points.operations import attendance
    from points.operations.scanning import ScanRequest
    from registry import access
    from registry.queries.accounts import active_user_by_id

    user: Any = active_user_by_id(given["council"])
    heard: Counter[str] = Counter()
    work = list(order(number, given["cards"], given["sessions"], given["each"]))
    start.wait()
    for begin in range(0, len(work), given["batch"]):
        at = timezone.now()
        scans = [ScanRequest(uuid.uuid4(), at, code=card, session_id=session)
                 for card, session in work[begin : begin + given["batch"]]]
        with access.scope(user, at=at) as by:
            heard.update(one.result for one in attendance.record(scans=scans, by=by).results)
    answers.put((number, dict(heard)))


def _broken(number: int, start: Any, answers: Any, given: dict[str, Any]) -> None:
    """DELIBERATELY BROKEN control: looks, then inserts, without lock and constraint."""
    from django.db import connection

    work = list(order(number, given["cards"], given["sessions"], given["each"]))
    start.wait()
    inserted = 0
    for begin in range(0, len(work), given["batch"]):
        with connection.cursor() as cursor:
            cursor.execute("SELECT card, session_id FROM broken_control")
            new = set(work[begin : begin + given["batch"]]) - set(cursor.fetchall())
        time.sleep(0.002)
        with connection.cursor() as cursor:
            for card, session in new:
                cursor.execute("INSERT INTO broken_control VALUES (%s, %s)", [session, card])
        inserted += len(new)
    answers.put((number, {"inserted": inserted}))


def in_processes(work: Any, count: int, given: dict[str, Any]) -> tuple[Counter[str], float]:
    """Run it in ``count`` processes that begin together; what they heard, and the seconds."""
    os.environ.update(given["env"], DJANGO_SETTINGS_MODULE="config.settings")
    import django

    django.setup()  # once; no connection is open when the processes begin
    from points.operations import attendance

    del attendance
    context = multiprocessing.get_context("fork")
    start, answers = context.Barrier(count + 1), context.Queue()
    running = [context.Process(target=work, args=(n, start, answers, given), daemon=True)
               for n in range(count)]
    for one in running:
        one.start()
    start.wait(timeout=600)
    begun = time.perf_counter()
    total: Counter[str] = Counter()
    for _ in running:
        while True:
            try:
                _, heard = answers.get(timeout=20)
                break
            except Exception:  # noqa: BLE001  # queue.Empty: look whether they still live
                if any(one.exitcode not in (None, 0) for one in running):
                    raise SystemExit("a process died") from None
        total.update(heard)
    for one in running:
        one.join()
    return total, time.perf_counter() - begun


CHECK = """
import json
import django; django.setup()
from django.utils import timezone
from points.models import Account, Attendance, Scan
from points.operations import ledger
from registry import access
with access.system(at=timezone.now(), reason="bench") as by:
    wallets = Account.objects.visible_to(by).filter(kind="wallet")
    found = ledger.verify(by=by)
    print(json.dumps({
        "attendances": Attendance.objects.visible_to(by).count(),
        "scans": Scan.objects.visible_to(by).count(),
        "balance": sum(wallets.values_list("balance", flat=True)),
        "points": found.points, "differences": len(found.differences),
    }))
"""


def checked(env: dict[str, str]) -> dict[str, int]:
    """What is in the database, and how many differences verify_ledger finds."""
    done = subprocess.run([sys.executable, "-c", CHECK], cwd=ROOT, check=True, text=True,
                          env=env | {"DJANGO_SETTINGS_MODULE": "config.settings"},
                          stdout=subprocess.PIPE)
    answer: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return answer


def verdict(title: str, found: dict[str, int], expected: dict[str, int]) -> bool:
    """Print what was found and expected; whether they agree."""
    wrong = {key: (found[key], value) for key, value in expected.items() if found[key] != value}
    print(f"{title}: {found} {'as expected' if not wrong else f'WRONG {wrong}'}", flush=True)
    return not wrong


def shares(count: int, processes: int) -> list[int]:
    """The scans of each process."""
    return [count // processes + (number < count % processes) for number in range(processes)]


def over_http(ours: Ours, sessions: list[int], count: int, processes: int) -> Counter[str]:
    """The same over HTTP: ``processes`` generators with four connections each."""
    cards = ours.world["cards"]
    pipes = []
    for number in range(processes):
        out, into = os.pipe()
        if os.fork() == 0:
            os.close(out)
            each = shares(count, processes)[number]
            heard: Counter[str] = Counter()
            with contextlib.suppress(Exception):
                sent = (
                    _load.post("/api/v1/points/scans", json.dumps({
                        "id": str(uuid.uuid4()), "code": card, "session": session,
                        "scanned_at": ours.world["at"],
                    }).encode(), ours.headers(number))
                    for card, session in order(1_000 + number, cards, sessions, each)
                )
                done = _load.run(sent, port=ours.port, clients=4, keep=True)
                heard.update(f"HTTP {code}" for code in done.statuses.elements() if code != 200)
                heard.update(json.loads(body).get("result", "problem") for body in done.bodies)
            os.write(into, json.dumps(heard).encode())
            os._exit(0)
        os.close(into)
        pipes.append(out)
    total: Counter[str] = Counter()
    for out in pipes:
        with os.fdopen(out, "rb") as read:
            total.update(json.loads(read.read() or b"{}"))
    return total


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20,000 and 2,000")
    parser.add_argument("--scans", type=int, default=1_000_000)
    parser.add_argument("--http", type=int, default=100_000)
    parser.add_argument("--control", type=int, default=40_000)
    parser.add_argument("--processes", type=int, default=16)
    parser.add_argument("--sessions", type=int, default=8)
    parser.add_argument("--batch", type=int, default=100)
    given = parser.parse_args()
    if given.quick:
        given.scans, given.http = 20_000, 2_000
    with cluster(fsync=True) as made, tempfile.TemporaryDirectory() as folder:
        print(who.machine(made))
        ours = Ours(made, Path(folder), CARDS, 2 * given.sessions, given.processes, "2")
        first, second = (ours.world["sessions"][: given.sessions],
                         ours.world["sessions"][given.sessions :])
        app = ours.env | {"DATABASE_URL": made.url("app")}
        task = {"env": app, "cards": ours.world["cards"], "sessions": first,
                "council": ours.world["council"], "each": given.scans // given.processes,
                "batch": given.batch}
        cards = ours.world["cards"]
        sent = task["each"] * given.processes
        pairs = pairs_of(0, given.processes, cards, first, [task["each"]] * given.processes)
        print(f"{sent:,} scans of {pairs:,} pairs, {given.processes} processes, batches of "
              f"{given.batch}", flush=True)
        heard, seconds = in_processes(_child, given.processes, task)
        print(f"  {seconds:.0f} s, {sent / seconds:,.0f}/s: {dict(heard)}", flush=True)
        # One session a day, one point each: every pair is worth a point.
        expected = {"attendances": pairs, "scans": sent, "balance": pairs, "points": pairs,
                    "differences": 0}
        good = verdict("operations", checked(ours.env), expected)
        good &= heard["already"] == sent - pairs and heard["granted"] == pairs
        ours.start()
        begun = time.perf_counter()
        web = over_http(ours, second, given.http, given.processes)
        seconds = time.perf_counter() - begun
        ours.stop()
        print(f"HTTP: {given.http:,} scans, {given.http / seconds:,.0f}/s: {dict(web)}")
        more = pairs_of(1_000, given.processes, cards, second,
                        shares(given.http, given.processes))
        both = pairs + more
        good &= verdict("HTTP", checked(ours.env), {
            "attendances": both, "scans": sent + given.http, "balance": both,
            "points": both, "differences": 0})
        good &= web["granted"] == more and web["already"] == given.http - more
        good &= _control(made, given, task)
    print("everybody was counted once" if good else "WRONG: see above")
    return 0 if good else 1


def _control(made: Cluster, given: argparse.Namespace, task: dict[str, Any]) -> bool:
    """The deliberately broken control: it must count more than a thousand too many."""
    made.psql("-c", "CREATE TABLE broken_control (session_id bigint, card varchar(16));"
              "GRANT ALL ON broken_control TO tsunagari_app", database="tsunagari")
    heard, _ = in_processes(_broken, given.processes, task | {
        "sessions": list(range(1, 41)), "each": given.control // given.processes, "batch": 400})
    pairs = int(made.psql("-c", "SELECT count(*) FROM (SELECT DISTINCT * FROM broken_control) d",
                          database="tsunagari"))
    extra = heard["inserted"] - pairs
    print(f"DELIBERATELY BROKEN control: {heard['inserted']:,} counted for {pairs:,} pairs, "
          f"{extra:,} too many", flush=True)
    return extra > 1_000


if __name__ == "__main__":
    raise SystemExit(main())
