"""The check, the unification queue (P8): an overlap decided, two records of one person united.

Owns two new records of one invented person in each run, each with a card, and two sessions at
the same time.  Refuses a queue that lets anything go by itself, a decision without a reason, a
merge that loses or doubles a point, and an old card that finds nobody.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from config.democity.calling import Program
from config.democity.checking import Check, expect, must


def unify(check: Check) -> str:
    """The queue of overlaps, then the list of likely pairs, then one record with both cards."""
    council = check.by("social_welfare_council")
    salon, other = _session(check, "まとめるサロン"), _session(check, "まとめる見まもり")
    (first, card), (second, old) = (_record(check, council, at) for at in (1, 2))
    must(_scan(check, council, salon, card)["result"] == "granted", "1枚目のカード")
    must(_scan(check, council, salon, old)["result"] == "granted", "2枚目のカード")
    waits = _scan(check, council, other, card)
    must((waits["result"], waits["points"]) == ("overlap_waiting", 0), f"重なり {waits}")
    _decide(council, waits["attendance"], len(_queue(council)))
    signs = {(one["first"], one["second"]): one["signs"]
             for one in expect(council("GET", "points/duplicates"))}
    must("birth_kana" in signs.get((first, second), ()), "同じ人の記録が見つかりません")
    made = expect(council("POST", "points/merges", {
        "survivor": first, "merged": second, "reason": "窓口で確かめた（見本）"}, once=True), 201)
    again = council("POST", "points/merges", {
        "survivor": first, "merged": second, "reason": "もう一度（見本）"})
    must(again.status == 409, f"二度目の統合に HTTP {again.status}")
    must(_scan(check, council, salon, old)["result"] == "already", "前のカードの行き先")
    parts = expect(council("GET", f"points/volunteers/{first}/statement"))["parts"]
    lines = [line for part in parts for line in part["lines"] if line["kind"] == "attendance"]
    stand = [line for line in lines if not line["state"]]
    must(len(stand) == 1 and parts[0]["wallet"] == parts[0]["balance"] == stand[0]["points"],
         f"まとめたあとの明細 {parts}")
    return f"重なり1件を理由つきで確認、記録2つを統合 {made['id']}、前のカードも使えます"


def _queue(council: Program) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = expect(council("GET", "points/waiting"))
    return found


def _decide(council: Program, attendance: int, before: int) -> None:
    """Nothing without a reason; then the record that waits is voided, the other one counts."""
    mine = [one for one in _queue(council) if one["this"]["attendance_id"] == attendance]
    must(len(mine) == 1 and len(mine[0]["others"]) == 1, f"確認まち {mine}")
    address = f"points/waiting/{attendance}/decide"
    bare = council("POST", address, {"action": "void", "reason": ""})
    must(bare.status == 422 and len(_queue(council)) == before, f"理由なしに HTTP {bare.status}")
    expect(council("POST", address, {"action": "void", "reason": "本人に確かめた（見本）"},
                   once=True), 201, what="重なりの判断")
    must(len(_queue(council)) == before - 1, "確認まちの数が合いません")


def _session(check: Check, title: str) -> int:
    midnight = check.now.replace(hour=0, minute=0, second=0, microsecond=0)
    starts = max(midnight, check.now - timedelta(minutes=10)).replace(microsecond=0)
    made = expect(check.by("group_leader")("POST", "points/sessions", {
        "title": f"{title}（見本）", "starts_at": starts.isoformat(), "place": "見本会館",
        "ends_at": min(starts + timedelta(minutes=90), midnight + timedelta(hours=24)).isoformat(),
        "group": check.group,
    }, once=True), 201, what="開催回")
    return int(made["id"])


def _record(check: Check, council: Program, at: int) -> tuple[int, str]:
    """One person registered twice, with another spelling: the record and its card."""
    row = expect(council("POST", "registry/volunteers", {
        "number": f"U{check.run:04}{at}", "name": ("見本　髙田", "見本　高田")[at - 1],
        "kana": f"ミホン　タカダ{check.run}", "born_on": "1951-02-03",
    }, once=True), 201, what="ボランティア登録")
    card = expect(council("POST", "registry/cards", {"volunteer": row["id"]}, once=True), 201)
    return int(row["id"]), str(card["url"])


def _scan(check: Check, council: Program, session: int, card: str) -> dict[str, Any]:
    found: dict[str, Any] = expect(council("POST", "points/scans", {
        "id": str(uuid.uuid4()), "code": card, "session": session,
        "scanned_at": check.now.isoformat(),
    }), what="読みとり")
    return found
