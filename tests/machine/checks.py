"""What must hold after every step, asked of the database in plain SQL.

Owns the comparison: each stored share with the model's, the sum of decisions and of transfers
with the share, each balance with its transfers, points or shortfall but never both, units and the
zero of the ledger, and ``verify_ledger`` itself.  Reads no query or model of the product for the
first five.  Raises ``AssertionError`` that names what differs.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection

from points.operations import ledger
from registry import access
from tests.machine.facts import Facts

_SHARES = """
SELECT a.volunteer_id, a.session_id,
  (SELECT d.share FROM points_awarddecision d WHERE d.attendance_id = a.id
    ORDER BY d.id DESC LIMIT 1),
  (SELECT SUM(d.change) FROM points_awarddecision d WHERE d.attendance_id = a.id),
  (SELECT SUM(CASE WHEN x.kind = 'issue' THEN t.amount WHEN y.kind = 'issue' THEN -t.amount
    ELSE 0 END) FROM points_transfer t JOIN points_account x ON x.id = t.debit_id
    JOIN points_account y ON y.id = t.credit_id
    WHERE t.cause = 'attendance' AND t.ref = CAST(a.id AS varchar(20)))
FROM points_attendance a"""
_BALANCES = """
SELECT a.id, a.kind, a.unit, a.balance, a.volunteer_id, p.code,
  COALESCE((SELECT SUM(t.amount) FROM points_transfer t WHERE t.credit_id = a.id), 0)
  - COALESCE((SELECT SUM(t.amount) FROM points_transfer t WHERE t.debit_id = a.id), 0)
FROM points_account a JOIN points_programme p ON p.id = a.programme_id"""
_LAPSED = """
SELECT t.volunteer_id, p.code, SUM(CASE WHEN y.kind = 'expired' THEN t.amount ELSE -t.amount END)
FROM points_transfer t JOIN points_account x ON x.id = t.debit_id
JOIN points_account y ON y.id = t.credit_id JOIN points_programme p ON p.id = x.programme_id
WHERE x.kind = 'expired' OR y.kind = 'expired' GROUP BY t.volunteer_id, p.code"""
_STORED = {"wallet", "shortfall", "voucher", "shop_used", "shop_payable"}


def check(facts: Facts, at: datetime, *, verify: bool = True) -> None:
    """Compare everything; ``verify`` also runs the product's own audit."""
    with access.system(at=at, reason="check") as by:
        shares(facts)
        balances(facts)
        if verify:
            found = ledger.verify(by=by)
            assert found.intact, f"verify_ledger: {found.differences}"


def shares(facts: Facts) -> None:
    """Stored shares, sums of changes and postings equal the pure function."""
    wanted = facts.shares()
    stored = {}
    for person, session, share, changed, posted in _rows(_SHARES):
        assert share is not None, f"no decision for {person} at {session}"
        assert int(changed) == share, f"the chain of {person} at {session}: {changed} != {share}"
        assert int(posted or 0) == share, f"posted for {person} at {session}: {posted} != {share}"
        stored[person, session] = share
    different = {key: (wanted.get(key), stored.get(key)) for key in {*wanted, *stored}
                 if wanted.get(key) != stored.get(key)}
    assert not different, f"(person, session): (must be, is) {different}"


def balances(facts: Facts) -> None:
    """Balances are sums of transfers, none on the wrong side of zero, units sum to zero."""
    zero = {"POINT": 0, "JPY": 0}
    held: dict[tuple[int, str], int] = {}
    rich: set[tuple[int, str]] = set()
    owing: set[tuple[int, str]] = set()
    for pk, kind, unit, balance, person, programme, moved in _rows(_BALANCES):
        moved = int(moved)
        zero[unit] += moved
        assert (balance is not None) == (kind in _STORED), f"account {pk} {kind}: {balance}"
        assert balance in (None, moved), f"account {pk} {kind}: {balance} != {moved}"
        assert kind not in _STORED or (moved <= 0 if kind == "shortfall" else moved >= 0), kind
        if person is not None and moved:
            held[person, programme] = held.get((person, programme), 0) + moved
            (owing if kind == "shortfall" else rich).add((person, programme))
    assert zero == {"POINT": 0, "JPY": 0}, f"the ledger does not sum to zero: {zero}"
    assert not rich & owing, f"points and shortfall at once: {rich & owing}"
    earned: dict[tuple[int, str], int] = {}
    for (person, session), share in facts.shares().items():
        lot = person, facts.sessions[session].programme
        earned[lot] = earned.get(lot, 0) + share
    lapsed = {(person, programme): int(points) for person, programme, points in _rows(_LAPSED)}
    assert all(points >= 0 for points in lapsed.values()), f"more came back than lapsed: {lapsed}"
    for lot in {*earned, *held, *facts.exchanged, *lapsed}:
        left = earned.get(lot, 0) - facts.exchanged[lot] - lapsed.get(lot, 0)
        assert held.get(lot, 0) == left, f"{lot}: has {held.get(lot, 0)}, must have {left}"


def _rows(sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())
