"""A tablet's batch of 5,000 scans in one request, beside a loop that writes row by row.

Both run in turns on the same database; medians of at least five.  The loop is the same work
done as one first writes it: for each scan ORM objects in a transaction of its own (look up the
card, the session, what is there; insert attendance, decision, transfer, scan, log; move the
balance).  It does less than ours: no rights, no idempotence, no keyed marks, no eligibility.

    bin/bench sync [--quick] [--runs 5] [--scans 5000] [--rows 300] [--database both]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

from bench import _contenders as who
from bench import _load
from bench._contenders import Ours
from bench.scans import judge
from tests.pgcluster import ROOT, Cluster, cluster

LOOP = """
import json, os, sys, time
import django; django.setup()
from uuid import uuid4
from django.db import transaction
from django.utils import timezone
from points.models import Account, Attendance, AwardDecision, Scan, Session, Transfer
from registry import access
from registry.models import Card, LogEntry
from registry.codes import code_digest
given = json.load(sys.stdin)
with access.system(at=timezone.now(), reason="bench") as wide:
    issue = Account.objects.visible_to(wide).get(kind="issue")
begun, cpu = time.perf_counter(), time.process_time()
for code in given["cards"]:
    with access.system(at=timezone.now(), reason="bench") as wide:
        card = Card.objects.visible_to(wide).select_related("volunteer").get(
            digest=code_digest(code))
        session = Session.objects.get(pk=given["session"])
        wallet = Account.objects.visible_to(wide).select_for_update().get(
            kind="wallet", volunteer=card.volunteer)
        there = list(Attendance.objects.visible_to(wide).filter(
            volunteer=card.volunteer, session__held_on=session.held_on))
        now = timezone.now()
        attended = Attendance(session=session, volunteer=card.volunteer, method="card",
                              attended_at=now, minutes=90, recorded_at=now)
        attended.save()
        decision = AwardDecision(attendance=attended, volunteer=card.volunteer, share=1, change=1,
                                 code="none", sentence="1", rule_set_id=given["rule"], at=now,
                                 mark=b"m" * 32)
        decision.save()
        Transfer(debit=issue, credit=wallet, amount=1, unit="POINT", volunteer=card.volunteer,
                 fiscal_year=wallet.fiscal_year, cause="attendance", ref=str(attended.pk),
                 decision=decision, sentence="1", at=now, mark=b"m" * 32).save()
        wallet.balance += 1
        wallet.save(update_fields=["balance"])
        Scan(id=uuid4(), content=b"c" * 48, session=session, volunteer=card.volunteer,
             attendance=attended, scanned_at=now, received_at=now, result="granted", points=1,
             reason="1", balance=wallet.balance).save(force_insert=True)
        LogEntry(at=now, kind="change", action="bench", subject_kind="session", salt=b"s" * 16
                 ).save()
print(json.dumps([time.perf_counter() - begun, time.process_time() - cpu]))
"""


def batch(ours: Ours, session: int, cards: list[str]) -> _load.Outcome:
    """One request with all cards at one session."""
    scans = [{"id": str(uuid.uuid4()), "code": card, "session": session, "counter": n + 1,
              "scanned_at": ours.world["at"]} for n, card in enumerate(cards)]
    body = json.dumps({"device_time": ours.world["at"], "scans": scans}).encode()
    request = _load.post("/api/v1/points/scans/batch", body, ours.headers(0))
    out = _load.run(iter([request]), port=ours.port, clients=1, watch=ours.watched, keep=True)
    answers = json.loads(out.bodies[0])["results"]
    wrong = [one for one in answers if one["result"] != "granted"]
    if out.statuses[200] != 1 or wrong:
        raise SystemExit(f"batch: {out.statuses}, {wrong[:2]}")
    return out


def loop(ours: Ours, session: int, cards: list[str]) -> tuple[float, float]:
    """Seconds and own processor seconds of the loop for these cards."""
    given = {"cards": cards, "session": session, "rule": 1}
    done = subprocess.run(
        [sys.executable, "-c", LOOP], env=ours.env | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        cwd=ROOT, input=json.dumps(given), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-600:])
    wall, cpu = json.loads(done.stdout.splitlines()[-1])
    return wall, cpu


def run(made: Cluster | None, given: argparse.Namespace) -> None:
    """One engine."""
    print(f"\n{'PostgreSQL' if made else 'SQLite'}: {given.scans:,} scans in one request, "
          f"{given.rows} rows in the loop, {given.runs} runs in turns", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        # A session for everybody's wallet, then two for each run.
        ours = Ours(made, Path(folder), given.scans, 1 + 2 * given.runs, 1, "1")
        try:
            ours.start()
            cards, sessions = ours.world["cards"], iter(ours.world["sessions"])
            batch(ours, next(sessions), cards)
            whole, each = [], []
            for number in range(given.runs):
                out = batch(ours, next(sessions), cards)
                wall, _ = loop(ours, next(sessions), cards[: given.rows])
                whole.append(out.seconds)
                each.append((wall / given.rows) / (out.seconds / given.scans))
                print(f"  {number + 1}: batch {out.seconds:6.2f} s (processors "
                      f"{out.server_cpu:5.2f} s)   loop {given.rows / wall:6.0f} rows/s"
                      f"   ratio {each[-1]:6.1f}", flush=True)
        finally:
            ours.stop()
    judge("seconds for one batch (median)", statistics.median(whole), 2 * given.scans / 5_000,
          most=True)
    judge("rate ÷ row by row (median)", statistics.median(each), 100)


def main() -> int:
    """Run it; 0 whatever the figures say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three runs of 1,000")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--scans", type=int, default=5_000)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--database", choices=["postgresql", "sqlite", "both"], default="both")
    given = parser.parse_args()
    if given.quick:
        given.runs, given.scans, given.rows = 3, 1_000, 100
    begun = time.perf_counter()
    with contextlib.ExitStack() as stack:
        made = None
        if given.database != "sqlite":
            made = stack.enter_context(cluster(fsync=True))
        print(who.machine(made))
        if made is not None:
            run(made, given)
        if given.database != "postgresql":
            run(None, given)
    print(f"\n{time.perf_counter() - begun:.0f} s in all")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
