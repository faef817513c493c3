"""The check, a tablet without network: pairing, a day's clock, a missing counter, a lost tablet.

Owns a kiosk of its own for each run and three new people.  Everything goes over HTTP as the
tablet sends it (docs/flows/kiosk.md): check-in, one batch with the device's clock seven minutes
fast, an undo, the reconciliation.  Refuses a silent gap: the counter that never came is named.
"""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

from config.demo_folder import Account
from config.democity.calling import Program
from config.democity.checking import Check, expect, must

FAST = timedelta(minutes=7)


def sync_offline(check: Check) -> str:
    """Five cards read without network; number 3 never arrives, number 4 was taken back."""
    leader, council = check.by("group_leader"), check.by("social_welfare_council")
    cards = []
    for at in (4, 5, 6):
        row = expect(council("POST", "registry/volunteers", {
            "number": f"K{check.run:04}{at}", "name": f"見本　確認{at}", "kana": "ミホン　カクニン",
            "born_on": "1955-05-05",
        }, once=True), 201, what="ボランティア登録")
        cards.append(expect(council("POST", "registry/cards", {"volunteer": row["id"]},
                                    once=True), 201)["url"])
    home = expect(leader("GET", f"points/sessions/{check.session}"))["organisation_id"]
    made = expect(leader("POST", "points/kiosks", {
        "organisation": home, "name": f"確認のタブレット {check.run}"}, once=True), 201)
    tablet = _pair(check, made["code"])
    told = expect(tablet("POST", "points/kiosk/check-in", _hello(check, 0)), what="端末の連絡")
    mine = [one for one in told["sessions"] if one["id"] == check.session]
    must(len(mine) == 1 and mine[0]["key"], "端末に開催回と鍵が届きません")
    must("見本　" not in json.dumps(told, ensure_ascii=False), "端末に氏名が届いています")

    scans = [_scan(check, n, card) for n, card in ((1, cards[0]), (2, cards[1]), (5, cards[2]))]
    batch = {"device_time": (check.now + FAST).isoformat(), "scans": scans}
    got = expect(tablet("POST", "points/scans/batch", batch), what="端末の一括送信")
    results = [one["result"] for one in got["results"]]
    must(results == ["granted"] * 3, f"結果 {results}")
    again = expect(tablet("POST", "points/scans/batch", batch))
    must(again["results"] == got["results"], "送りなおしに ちがう答え")
    taken = {"id": str(uuid.uuid4()), "session": check.session, "counter": 4,
             "scanned_at": scans[0]["scanned_at"], "withdrawn_at": batch["device_time"]}
    expect(tablet("POST", "points/kiosk/check-in", _hello(check, 5, [taken])))
    undone = expect(tablet("POST", f"points/scans/{scans[2]['id']}/undo",
                           {"undone_at": batch["device_time"]}), what="端末での取り消し")
    found = expect(leader("GET", f"points/sessions/{check.session}/reconciliation"))
    device = next(one for one in found["devices"] if one["kiosk"] == made["kiosk"])
    must(device["missing"] == [3], f"届いていない番号 {device['missing']}")
    must(device["withdrawn"] == [4], f"取り下げた番号 {device['withdrawn']}")
    off = abs(device["skew_ms"] + FAST.total_seconds() * 1000)
    must(off < 120_000, f"時計のずれ {device['skew_ms']} ミリ秒")
    must(found["voided"] >= 1 and undone["voided_at"], "取り消しが記録されていません")
    expect(leader("POST", f"points/kiosks/{made['kiosk']}/revoke"), what="端末の取り消し")
    dead = tablet("POST", "points/kiosk/check-in", _hello(check, 5))
    must(dead.status == 401, f"取り消した端末に HTTP {dead.status}")
    return (f"3件を一括、欠けた番号 3、取り下げ 4、取り消し1件、時計は"
            f"{round(-device['skew_ms'] / 60_000)}分すすみ、なくした端末は 401")


def _pair(check: Check, code: str) -> Program:
    """Type the code on the tablet; it works once."""
    def typed() -> Any:
        return check.wire.send("POST", "/kiosk/pair", body=json.dumps({"code": code}).encode(),
                               headers={"Content-Type": "application/json"})

    told = expect(typed(), what="端末の登録")
    second = typed()
    must(second.status == 422, f"登録コードの2回目に HTTP {second.status}")
    return Program(check.wire, Account("kiosk", "", "", "", told["token"]))


def _hello(check: Check, counter: int, withdrawn: list[Any] | None = None) -> dict[str, Any]:
    return {"device_time": (check.now + FAST).isoformat(), "last_counter": counter,
            "waiting": 0, "withdrawn": withdrawn or []}


def _scan(check: Check, counter: int, card: str) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "code": card, "session": check.session, "counter": counter,
            "scanned_at": (check.now + FAST - timedelta(minutes=5 - counter)).isoformat()}
