"""One scan → points beside the database's own limit, a plain endpoint and a ledger package.

Every contender runs on the same cluster (fsync on), in turns, at least five times; the figures
are medians, the ratios are what counts.  The limit is pgbench with one data-modifying statement
that writes the rows of one scan (attendance, decision, transfer, balance, scan, log) into a copy
of our own tables, as the superuser: no rules, no rights, no HTTP.  Peers are installed into an
environment of their own; one that cannot be installed or run here is named, and left out.

    bin/bench scans [--quick] [--runs 5] [--seconds 3] [--clients 32] [--people 4000]
"""

from __future__ import annotations

import argparse
import contextlib
import re
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench import _contenders as who
from bench import _load
from bench._contenders import Missing, Ours, Plain, Served
from tests.pgcluster import DATABASE, Cluster, cluster

ONE_SCAN = """
\\set wait 0
WITH n AS (SELECT nextval('bench_n') AS n),
p AS (SELECT (SELECT s FROM bench_session WHERE i = n.n / {people} % {sessions}) AS session,
 b.v, b.wallet FROM n JOIN bench_person b ON b.i = n.n % {people}),
a AS (INSERT INTO points_attendance (session_id, volunteer_id, method, attended_at, minutes,
 recorded_at, proxy_note, after_close, correction, void_reason{extra_columns})
 SELECT session, v, 'card', now(), 90, now(), '', false, '', ''{extra_values} FROM p
 RETURNING id, volunteer_id, session_id),
d AS (INSERT INTO points_awarddecision (attendance_id, volunteer_id, share, change, code,
 sentence, rule_set_id, at, mark) SELECT id, volunteer_id, 1, 1, 'none', '{sentence}', {rule},
 now(), decode(repeat('ab', 32), 'hex') FROM a RETURNING id),
w AS (UPDATE points_account c SET balance = balance + 1 FROM p WHERE c.id = p.wallet
 RETURNING c.id),
t AS (INSERT INTO points_transfer (debit_id, credit_id, amount, unit, volunteer_id, fiscal_year,
 cause, ref, decision_id, sentence, at, mark) SELECT {issue}, w.id, 1, 'POINT', a.volunteer_id,
 2026, 'attendance', a.id::text, d.id, '{sentence}', now(), decode(repeat('ab', 32), 'hex')
 FROM a, d, w),
s AS (INSERT INTO points_scan (id, content, session_id, volunteer_id, attendance_id, scanned_at,
 received_at, skew_ms, result, points, reason, balance) SELECT gen_random_uuid(),
 decode(repeat('cd', 48), 'hex'), session_id, volunteer_id, id, now(), now(), 0, 'granted', 1,
 '{sentence}', 1 FROM a),
l AS (INSERT INTO registry_logentry (at, kind, action, subject_kind, fields, purpose, detail,
 salt) VALUES (now(), 'change', 'attendance.record', 'session', '[]', '', '{{}}',
 decode(repeat('ef', 16), 'hex')))
SELECT 1;
"""
_SENTENCE = "11月23日 見本の会（参加型）1ポイント"


class Limit:
    """pgbench on a copy of our database, one statement a scan."""

    name = "one statement (pgbench)"

    def __init__(self, made: Cluster, folder: Path, clients: int) -> None:
        self.cluster, self.script, self.clients = made, folder / "scan.sql", clients
        made.psql("-c", f"CREATE DATABASE bare TEMPLATE {DATABASE}")
        ask = lambda text: made.psql("-c", text, database="bare").strip()  # noqa: E731
        ask("CREATE SEQUENCE bench_n MINVALUE 0 START 0;"
            "CREATE TABLE bench_person AS SELECT row_number() OVER (ORDER BY id) - 1 AS i,"
            " volunteer_id AS v, id AS wallet FROM points_account WHERE kind = 'wallet';"
            "CREATE UNIQUE INDEX ON bench_person (i);"
            "CREATE TABLE bench_session AS SELECT row_number() OVER (ORDER BY s.id) - 1 AS i,"
            " s.id AS s FROM points_session s WHERE NOT EXISTS"
            " (SELECT 1 FROM points_attendance a WHERE a.session_id = s.id);"
            "CREATE UNIQUE INDEX ON bench_session (i); ANALYZE")
        rest = ask(
            "SELECT string_agg(column_name || ':' || data_type, ' ') FROM"
            " information_schema.columns WHERE table_name = 'points_attendance'"
            " AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'"
            " AND column_name NOT IN ('session_id', 'volunteer_id', 'method', 'attended_at',"
            " 'minutes', 'recorded_at', 'proxy_note', 'after_close', 'correction', 'void_reason')")
        if rest:
            raise Missing(f"{self.name}: unknown columns {rest}")
        self.script.write_text(ONE_SCAN.format(
            people=ask("SELECT count(*) FROM bench_person"),
            sessions=ask("SELECT count(*) FROM bench_session"),
            rule=ask("SELECT min(id) FROM points_ruleset"),
            issue=ask("SELECT min(id) FROM points_account WHERE kind = 'issue'"),
            sentence=_SENTENCE, extra_columns="", extra_values=""))

    def start(self) -> None:
        """Nothing to start."""

    def stop(self) -> None:
        """Nothing to stop."""

    def measure(self, *, clients: int, seconds: float) -> _load.Outcome:
        """One run of pgbench."""
        server = self.cluster._server
        watched = [server.pid] if server else []
        before = _load.cpu_seconds(watched)
        begun = time.perf_counter()
        done = subprocess.run(
            [self.cluster.bin / "pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", "2",
             "-T", str(max(1, round(seconds))), "-f", str(self.script), "-h", "127.0.0.1", "-p",
             str(self.cluster.port), "-U", "postgres", "bare"],
            env={"PGPASSWORD": self.cluster.passwords["superuser"], "PATH": "/usr/bin:/bin"},
            capture_output=True, text=True, check=False)
        out = _load.Outcome(seconds=time.perf_counter() - begun,
                            server_cpu=_load.cpu_seconds(watched) - before)
        found = re.search(r"actually processed: (\d+)", done.stdout)
        speed = re.search(r"tps = ([\d.]+)", done.stdout)
        late = re.search(r"latency average = ([\d.]+) ms", done.stdout)
        if done.returncode or not found:
            raise Missing(f"{self.name}: {done.stderr.strip()[-300:]}")
        out.statuses[200] = int(found[1])
        if speed and float(speed[1]):
            out.seconds = int(found[1]) / float(speed[1])
        out.latencies = [float(late[1]) / 1000] if late else []
        return out


@dataclass
class Result:
    """The runs of one contender."""

    name: str
    runs: list[_load.Outcome] = field(default_factory=list)

    def median(self, of: Callable[[_load.Outcome], float]) -> float:
        """The median over the runs."""
        return statistics.median(of(one) for one in self.runs)


def compete(
    contenders: list[Served | Limit], *, clients: int, seconds: float, runs: int
) -> dict[str, Result]:
    """Alternate between them; print each run and remember it."""
    found = {one.name: Result(one.name) for one in contenders}
    for one in list(contenders):
        warm = one.measure(clients=min(clients, 8), seconds=2)
        if not warm.statuses[200] and one.name != "ours":
            print(f"left out: {one.name} answers {dict(warm.statuses) or 'nothing'}")
            contenders.remove(one)
            found.pop(one.name)
    for number in range(runs):
        for one in contenders:
            out = one.measure(clients=clients, seconds=seconds)
            found[one.name].runs.append(out)
            print(f"  {number + 1}: {_load.summary(one.name, out)}", flush=True)
    return found


def judge(said: str, ratio: float, target: float, *, most: bool = False) -> None:
    """One line: the ratio, the target, met or not."""
    met = ratio <= target if most else ratio >= target
    sign = "≤" if most else "≥"
    print(f"{said:<58} {ratio:8.2f}   target {sign} {target:g}: {'met' if met else 'NOT met'}")


def report(found: dict[str, Result]) -> None:
    """The medians and the ratios with the targets of the design."""
    print("\nmedians")
    for one in found.values():
        late, cpu = one.median(lambda o: o.quantile(.99)), one.median(lambda o: o.cpu_each)
        print(f"  {one.name:<28} {one.median(lambda o: o.rate):8.0f}/s   p99 {late:8.1f} ms"
              f"   processor {cpu:7.3f} ms a scan")
    ours = found["ours"]
    rate, cpu = ours.median(lambda o: o.rate), ours.median(lambda o: o.cpu_each)
    print()
    for name, target in ((Limit.name, .4), ("plain DRF + ORM", 6), ("django-hordak + DRF", 8)):
        if name in found:
            peer = found[name]
            judge(f"rate ÷ {name}", rate / peer.median(lambda o: o.rate), target)
            print(f"{'  processor a scan: theirs ÷ ours':<58} "
                  f"{peer.median(lambda o: o.cpu_each) / cpu:8.2f}")
    judge("p99 in ms", ours.median(lambda o: o.quantile(.99)), 60, most=True)


def sqlite_raw(seconds: float) -> float:
    """Transactions a second of the same rows into SQLite (WAL, FULL), one writer, no rules."""
    with tempfile.TemporaryDirectory() as folder:
        raw = sqlite3.connect(Path(folder) / "raw.sqlite3", isolation_level=None)
        raw.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, s INT, v INT, t TEXT,"
            " UNIQUE (s, v)); CREATE INDEX av ON a (v, s);"
            "CREATE TABLE d (id INTEGER PRIMARY KEY AUTOINCREMENT, a INT, v INT, x TEXT, m BLOB);"
            "CREATE INDEX dv ON d (v, id); CREATE INDEX da ON d (a);"
            "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, d INT, c INT, v INT, x TEXT,"
            " m BLOB); CREATE INDEX tv ON t (v, id); CREATE INDEX tc ON t (c);"
            "CREATE INDEX td ON t (d); CREATE TABLE w (id INTEGER PRIMARY KEY, b INT);"
            "CREATE TABLE s (id TEXT PRIMARY KEY, c BLOB, v INT, x TEXT);"
            "CREATE TABLE l (id INTEGER PRIMARY KEY AUTOINCREMENT, x TEXT, salt BLOB);")
        raw.executemany("INSERT INTO w VALUES (?, 0)", [(n,) for n in range(1000)])
        number, begun = 0, time.perf_counter()
        while time.perf_counter() - begun < seconds:
            v = number % 1000
            raw.execute("BEGIN IMMEDIATE")
            raw.execute("INSERT INTO a (s, v, t) VALUES (?, ?, 'x')", (number // 1000, v))
            raw.execute("INSERT INTO d (a, v, x, m) VALUES (?, ?, ?, ?)",
                        (number, v, _SENTENCE, b"m" * 32))
            raw.execute("INSERT INTO t (d, c, v, x, m) VALUES (1, ?, ?, ?, ?)",
                        (v, v, _SENTENCE, b"m" * 32))
            raw.execute("UPDATE w SET b = b + 1 WHERE id = ?", (v,))
            raw.execute("INSERT INTO s VALUES (?, ?, ?, ?)",
                        (f"{number:032x}", b"c" * 48, v, _SENTENCE))
            raw.execute("INSERT INTO l (x, salt) VALUES ('{}', ?)", (b"s" * 16,))
            raw.execute("COMMIT")
            number += 1
        return number / (time.perf_counter() - begun)


def embedded(given: argparse.Namespace) -> None:
    """Ours over SQLite beside SQLite alone."""
    print("\nSQLite (WAL, synchronous=FULL)")
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(None, Path(folder), min(given.people, 2_000), 12, 8, "1")
        try:
            ours.start()
            ours.measure(clients=8, seconds=1)
            pairs = []
            for _ in range(given.runs):
                out = ours.measure(clients=given.clients, seconds=given.seconds)
                raw = sqlite_raw(given.seconds)
                pairs.append((out.rate, raw))
                print(f"  ours {out.rate:6.0f}/s   raw {raw:6.0f}/s", flush=True)
        finally:
            ours.stop()
    judge("rate ÷ SQLite raw", statistics.median(a / b for a, b in pairs), .25)


def main() -> int:
    """Run it all; 0 whatever the figures say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three short runs, fewer people")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--people", type=int, default=4_000)
    parser.add_argument("--sessions", type=int, default=40)
    parser.add_argument("--alone", action="store_true", help="without the peers")
    given = parser.parse_args()
    if given.quick:
        given.runs, given.seconds, given.people = 3, 1, 1_000
    with contextlib.ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        made = stack.enter_context(cluster(fsync=True))
        print(who.machine(made))
        print(f"{given.people:,} people, {given.sessions} sessions, {given.clients} clients, "
              f"{given.runs} runs of {given.seconds:g} s each, in turns", flush=True)
        ours = Ours(made, Path(folder), given.people, given.sessions, 16, "2")
        ours.start()
        stack.callback(ours.stop)
        # Everybody has a wallet before anything is measured or copied.
        every = _load.run(_first(ours), port=ours.port, clients=given.clients)
        print(f"wallets: {every.statuses[200]:,}")
        contenders: list[Served | Limit] = [ours]
        ours.stop()  # a database is copied only while nobody is connected
        try:
            contenders.append(Limit(made, Path(folder), given.clients))
        except (Missing, subprocess.CalledProcessError) as why:
            print(f"left out: {why}")
        skip = given.people
        ours.start()
        for _ in range(skip):
            next(ours.requests)
        for kind in () if given.alone else ("orm", "hordak"):
            try:
                peer = Plain(made, kind, given.people, given.sessions)
                peer.start()
                stack.callback(peer.stop)
                contenders.append(peer)
            except Missing as why:
                print(f"left out: {why}")
        print("left out: pretix check-in redeem is not run by this bench")
        made.psql("-c", "VACUUM ANALYZE", database=DATABASE)
        report(compete(contenders, clients=given.clients, seconds=given.seconds,
                       runs=given.runs))
    embedded(given)
    return 0


def _first(ours: Ours):  # type: ignore[no-untyped-def]
    """The scans of the first session: everybody once."""
    for _ in range(len(ours.world["cards"])):
        yield next(ours.requests)


if __name__ == "__main__":
    raise SystemExit(main())
