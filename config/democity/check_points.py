"""The check, third part: event → scans → statement → exchange → voucher → statistics → audits.

Owns three new volunteers of each run with cards, and 太郎 with a phone.  The event code is read
off the picture on the host's screen and the voucher's code off the printed paper, as people do.
Refuses a second attendance, a second use, and any difference in ledger, custody or log.
"""

from __future__ import annotations

import io
import json
import re
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.core.management import CommandError, call_command
from python_calamine import CalamineWorkbook

from config.democity.calling import Person
from config.democity.checking import Check, StepFailed, expect, must
from config.democity.reading import pdf_pages, qr_text

_COUNTED = ("granted", "cap_reached", "overlap_waiting", "already")


def open_event(check: Check) -> str:
    """The leader opens today's session; the council registers three people and issues cards."""
    leader, council = check.by("group_leader"), check.by("social_welfare_council")
    year = check.now.year - (check.now.month < 4)
    groups = expect(leader("GET", f"points/groups?fiscal_year={year}"))
    must(len(groups) == 1, f"代表者に {len(groups)} 団体が見えます")
    check.group = groups[0]["id"]
    midnight = check.now.replace(hour=0, minute=0, second=0, microsecond=0)
    starts = max(midnight, check.now - timedelta(minutes=10)).replace(microsecond=0)
    ends = min(starts + timedelta(minutes=90), midnight + timedelta(hours=24))
    made = expect(leader("POST", "points/sessions", {
        "title": "確認のサロン（見本）", "starts_at": starts.isoformat(), "place": "見本会館",
        "ends_at": ends.isoformat(), "group": check.group,
    }, once=True), 201, what="開催回")
    check.session = made["id"]
    for at in (1, 2, 3):
        row = expect(council("POST", "registry/volunteers", {
            "number": f"K{check.run:04}{at}", "name": f"見本　確認{at}", "kana": "ミホン　カクニン",
            "born_on": "1955-05-05",
        }, once=True), 201, what="ボランティア登録")
        card = expect(council("POST", "registry/cards", {"volunteer": row["id"]}, once=True), 201)
        check.volunteers.append(row["id"])
        check.cards[row["id"]] = card["url"]
    found = expect(council("POST", "registry/volunteers/search", {"text": "V00001"}))["results"]
    must(len(found) == 1, "太郎がいません")
    check.taro = found[0]["id"]
    return f"開催回 {made['id']}、カード3枚"


def scan_online(check: Check) -> str:
    """A card at the reception; the same request again gives the same answer."""
    device, check.counter = check.by("scanner_device"), check.counter + 1
    scan = _scan(check, 0, check.counter)
    first = expect(device("POST", "points/scans", scan), what="読みとり")
    must(first["result"] == "granted" and first["points"] >= 1, f"結果 {first}")
    again = device("POST", "points/scans", scan)
    must(again.json == first, "同じ依頼にちがう答え")
    other = device("POST", "points/scans", {**scan, "code": check.cards[check.volunteers[1]]})
    must(other.status == 409, f"番号の使いまわしに HTTP {other.status}")
    return f"{first['points']}ポイント「{first['reason']}」、再送は同じ答え"


def scan_event_code(check: Check) -> str:
    """太郎's phone reads the code on the host's screen; a forged one is refused."""
    host = check.visit("group_leader")
    page = host.get(f"/host/sessions/{check.session}/reception")
    must(page.status == 200, f"受付の画面: HTTP {page.status}")
    picture = host.get(f"/host/sessions/{check.session}/code.svg")
    must(picture.status == 200, f"QRコード: HTTP {picture.status}")
    code = qr_text(picture.body.decode())
    must(len(code) <= 90, f"URLが{len(code)}字")
    taro = check.by("volunteer")
    got = expect(taro("POST", "points/scans", _phone(check, code)), what="スマホの読みとり")
    must(got["result"] in _COUNTED, f"結果 {got}")
    last = code[-1]
    forged = code[:-1] + ("A" if last != "A" else "B")
    bad = expect(taro("POST", "points/scans", _phone(check, forged)))
    must(bad["result"] == "bad_card" and bad["attendance"] is None, f"偽のコードに {bad}")
    return f"{len(code)}字のURL、結果 {got['result']}、偽のコードは bad_card"


def scan_batch(check: Check) -> str:
    """A tablet that was offline: a new person, a duplicate, rubbish, and a lost number."""
    device, base = check.by("scanner_device"), check.counter
    second = _scan(check, 1, base + 1)
    scans = [second, _scan(check, 0, base + 2), {**_scan(check, 2, base + 4), "code": "ABC"},
             {"id": "x"}, _scan(check, 2, base + 5), second]
    check.counter = base + 5
    got = expect(device("POST", "points/scans/batch", {
        "device_time": check.now.isoformat(), "scans": scans,
    }), what="一括")
    results = [one["result"] for one in got["results"]]
    must(results == ["granted", "already", "bad_card", "invalid", "granted", "granted"],
         f"結果 {results}")
    must(got["results"][0] == got["results"][5], "同じ依頼にちがう答え")
    must(got["missing_counters"] == [base + 3], f"欠けた番号 {got['missing_counters']}")
    rows = expect(check.by("group_leader")("GET", f"points/attendances?session={check.session}"))
    count = len({row["volunteer_id"] for row in rows})
    must(count == len(rows) == 4, f"参加記録 {len(rows)}件・{count}人")
    check.remember()
    return f"{len(scans)}件、欠けた番号 1、参加記録は{count}人で{len(rows)}件"


def read_statement(check: Check) -> str:
    """Every line has a sentence; the lines add up to the balance; others' are not found."""
    taro, year = check.by("volunteer"), check.now.year - (check.now.month < 4)
    body = expect(taro("GET", f"points/volunteers/{check.taro}/statement?fiscal_year={year}"))
    lines = [line for part in body["parts"] for line in part["lines"]]
    must(lines and all(line["sentence"] for line in lines), "文のない行があります")
    for part in body["parts"]:
        if part["lines"]:
            must(part["lines"][-1]["balance"] == part["balance"], "明細の残高が合いません")
    other = taro("GET", f"points/volunteers/{check.volunteers[0]}/statement?fiscal_year={year}")
    must(other.status == 404, f"ほかの人の明細に HTTP {other.status}")
    return f"{len(lines)}行、残高 {sum(part['wallet'] for part in body['parts'])}"


def exchange(check: Check) -> str:
    """太郎 turns points into a voucher and prints it; more than there is is refused."""
    taro, number = check.by("volunteer"), str(uuid.uuid4())
    wanted = {"id": number, "volunteer": check.taro, "programme": "tsunagari", "count": 1}
    made = expect(taro("POST", "points/exchanges", wanted), 201, what="交換")
    must(expect(taro("POST", "points/exchanges", wanted), 201) == made, "同じ依頼にちがう答え")
    much = taro("POST", "points/exchanges", {**wanted, "id": str(uuid.uuid4()), "count": 90})
    must(much.status == 422, f"多すぎる交換に HTTP {much.status}")
    person = Person(check.wire)
    must(person.sign_in(check.accounts["volunteer"]).status == 302, "太郎がサインインできません")
    paper = person.get(f"/me/exchange/{number}/vouchers.pdf")
    must(paper.status == 200, f"利用券の印刷: HTTP {paper.status}")
    found = re.search(r"(?:[0-9A-Z]{4}-){2,}[0-9A-Z]{1,4}", "".join(pdf_pages(paper.body)))
    if found is None:
        raise StepFailed("印刷された利用券にコードがありません")
    check.voucher = found[0]
    serial = made["vouchers"][0]["serial"]
    return f"{made['points']}ポイント → 利用券 {serial} {made['vouchers'][0]['yen']}円、印刷1枚"


def use_voucher(check: Check) -> str:
    """A shop takes it; the second time it says when and where it was used."""
    shop = check.by("shop")
    first = expect(shop("POST", "points/vouchers/redeem",
                        {"id": str(uuid.uuid4()), "code": check.voucher}), what="利用券")
    must(first["state"] == "used", f"状態 {first['state']}")
    again = shop("POST", "points/vouchers/redeem",
                 {"id": str(uuid.uuid4()), "code": check.voucher})
    must(again.status == 422 and again.json["code"] == "voucher_used", f"2回目: {again.told()}")
    must("見本商店" in again.json["detail"], f"どこで使ったか: {again.json['detail']}")
    return f"{first['yen']}円、2回目は「{again.json['detail']}」"


def export_statistics(check: Check) -> str:
    """The council takes the year's table as a spreadsheet; a leader may not."""
    council, year = check.by("social_welfare_council"), check.now.year - (check.now.month < 4)
    asked = {"fiscal_year": year, "group_by": "district,month", "format": "xlsx",
             "reason": "確認（見本）"}
    table = expect(council("GET", f"points/statistics?fiscal_year={year}&group_by=district,month"))
    answer = council("POST", "points/statistics/export", asked)
    must(answer.status == 200, f"書き出し: {answer.told()}")
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.body))
    must({"data", "説明"} <= set(book.sheet_names), f"シート {book.sheet_names}")
    rows = book.get_sheet_by_name("data").to_python()
    must(len(rows) > len(table["rows"]) > 0, f"{len(rows)}行、表は{len(table['rows'])}行")
    denied = check.by("group_leader")("POST", "points/statistics/export", asked)
    must(denied.status == 403, f"代表者に HTTP {denied.status}")
    figures = table["total"]["figures"]
    return (f"{len(rows) - 1:,}行、開催{figures.get('sessions', 0):,}回・"
            f"のべ{figures.get('attendances', 0):,}人")


def verify(check: Check) -> str:
    """Ledger, custody and log, recomputed by the service's own commands."""
    ledger, custody, log = (_command(name) for name in
                            ("verify_ledger", "verify_custody", "verify_log"))
    must(not ledger["differences"], f"台帳 {ledger['differences'][:3]}")
    must(not custody["broken"], f"副本 {custody['broken'][:3]}")
    must(not log["broken"], f"記録 {log['broken'][:3]}")
    parts = sum(custody[name] for name in ("held", "returned", "destroyed", "lost"))
    must(custody["issued"] == parts, f"副本 {custody}")
    return (f"台帳 {ledger['transfers']:,}仕訳・差0、副本 {custody['issued']}＝手もと"
            f"{custody['held']}＋返却{custody['returned']}＋廃棄{custody['destroyed']}＋紛失"
            f"{custody['lost']}、記録 {log['entries'] + log['unsealed']:,}件・封印{log['seals']}")


def _command(name: str) -> dict[str, Any]:
    """What one of the service's own commands says with ``--json``."""
    said = io.StringIO()
    try:
        call_command(name, "--json", stdout=said)
    except (CommandError, SystemExit) as failed:
        raise StepFailed(f"{name}: {failed} {said.getvalue()[-300:]}") from failed
    body: dict[str, Any] = json.loads(said.getvalue())
    return body


def _scan(check: Check, who: int, counter: int) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "code": check.cards[check.volunteers[who]],
            "session": check.session, "scanned_at": check.now.isoformat(), "counter": counter}


def _phone(check: Check, code: str) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "code": code,
            "scanned_at": datetime.now(check.now.tzinfo).isoformat()}
