"""The check of rules: a change from a date, in a programme of the check's own.

Owns the programme 「確認の事業（見本）」.  Each run goes two days further through the past: a day
under the rules as they are, a change from the next day, a day under the new ones, and a late
record of the first day, which still counts by the old rules.  太郎 is the one who takes part.
Refuses a change that touches days with awards, a used rule set that is altered, and a rule that
nobody knows.  P2.
"""

from __future__ import annotations

import uuid
from datetime import date, datetime, time, timedelta
from typing import Any

from config.democity.calling import Program
from config.democity.checking import Check, expect, must

_TEXTS = {"points_per_voucher": 5, "yen_per_voucher": 500, "enrolment_required": True}


def change_rules(check: Check) -> str:
    """Draft → preview → adopt; the activity's date picks the rules, whenever it is recorded."""
    council = check.by("social_welfare_council")
    code, now, first = _programme(check, council)
    second = first + timedelta(days=1)
    _years(check, council, code, {first, second})
    old, new = now["rates"][0]["points"], 3 - now["rates"][0]["points"]
    _attend(check, council, code, first, 6, old)
    sets = expect(council("GET", f"points/programmes/{code}/rule-sets"))
    used = next(one for one in sets if one["standing"] != "withdrawn")
    kept = council("POST", f"points/programmes/{code}/rule-sets/{used['id']}/withdraw",
                   {"reason": "確認（見本）"}, once=True)
    must(kept.status == 422 and kept.json["code"] == "rules_used", f"使った要領: {kept.told()}")
    seen = _adopt(council, code, used["id"], first, second, new)
    must((seen["people"], seen["before"], seen["after"]) == (1, old, new), f"ためし計算 {seen}")
    _attend(check, council, code, second, 6, new)
    _attend(check, council, code, first, 8, old)
    found = expect(council("GET", f"points/programmes/{code}/rule-sets"))[0]
    must(found["used"] and found["rules"]["begins_on"] == second.isoformat(), f"要領 {found}")
    said = next(one["text"] for one in found["sentences"] if one["topic"] == "rate:help")
    return f"{second}から「{said}」、前の日の おくれた記録は{old}ポイントのまま"


def _adopt(
    council: Program, code: str, based_on: int, first: date, second: date, points: int
) -> dict[str, Any]:
    """Write the draft, refuse what must be refused, preview and adopt it; the preview."""
    draft = expect(council("POST", f"points/programmes/{code}/rule-drafts",
                           {"based_on": based_on}, once=True), 201, what="要領の案")
    where, form = f"points/rule-drafts/{draft['id']}", draft["form"]
    form["rates"][0]["points"], form["citation"] = str(points), "確認（見本）"
    unknown = council("PUT", where, {**form, "weekly_cap": "3"}, match='"1"')
    must(unknown.status == 400, f"知らない項目に HTTP {unknown.status}")
    expect(council("PUT", where, {**form, "begins_on": first.isoformat()}, match='"1"'))
    early = council("POST", f"{where}/adopt", {"reason": "確認（見本）"}, match='"2"')
    must(early.status == 422 and early.json["code"] == "begins_before_awards",
         f"付与のある日から: {early.told()}")
    late = council("PUT", where, form, match='"1"')
    must(late.status == 412, f"古い版の保存に HTTP {late.status}")
    expect(council("PUT", where, {**form, "begins_on": second.isoformat()}, match='"2"'))
    seen: dict[str, Any] = expect(council("POST", f"{where}/preview", {
        "since": first.isoformat(), "until": first.isoformat()}), what="ためし計算")
    expect(council("POST", f"{where}/adopt", {"reason": "確認（見本）"}, match='"3"', once=True),
           201, what="要領を定める")
    return seen


def _programme(check: Check, council: Program) -> tuple[str, dict[str, Any], date]:
    """The check's programme with room for two more days, its rules, and the next free day."""
    known = {one["code"]: one for one in expect(council("GET", "points/programmes"))}
    number = 1
    while True:
        code = f"kakunin-{number}"
        if code not in known:
            start = date(check.now.year - (check.now.month < 4) - 1, 4, 1)
            return code, _made(council, code, start), start
        last = max(known[code]["rules"], key=lambda one: str(one["begins_on"]))
        begins = date.fromisoformat(last["begins_on"])
        fresh = len(known[code]["rules"]) == 1
        first = begins if fresh else begins + timedelta(days=1)
        if first + timedelta(days=1) < check.now.date():
            return code, last, first
        number += 1


def _made(council: Program, code: str, start: date) -> dict[str, Any]:
    """A new programme with its first rules."""
    expect(council("POST", "points/programmes", {"code": code, "name": "確認の事業（見本）"},
                   once=True), 201, what="事業")
    body = expect(council("POST", f"points/programmes/{code}/rule-sets", {
        "code": f"{code}-1", "begins_on": start.isoformat(), "sources": ["centre"],
        "rates": [{"kind": "help", "label": "手つだい", "points": 1}], "citation": "確認（見本）",
        **_TEXTS,
    }, once=True), 201, what="要領")
    found: dict[str, Any] = body["rules"][0]
    return found


def _years(check: Check, council: Program, code: str, days: set[date]) -> None:
    """Open the years of the days, and register 太郎 for them."""
    years = expect(council("GET", f"points/programmes/{code}/years"))
    there = {one["terms"]["fiscal_year"] for one in years}
    for year in sorted({on.year - (on.month < 4) for on in days}):
        if year not in there:
            expect(council("POST", f"points/programmes/{code}/years", {
                "fiscal_year": year, "yen_value": 500, "exchange_from": f"{year}-04-01",
                "exchange_until": f"{year + 3}-03-01", "grace_until": f"{year + 3}-03-31",
                "lapses_on": f"{year + 3}-04-01", "citation": "確認（見本）",
            }, once=True), 201, what="年度")
        expect(council("POST", f"points/programmes/{code}/enrolments", {
            "volunteers": [check.taro], "fiscal_year": year,
        }, once=True), 201, 409, what="年度登録")


def _attend(
    check: Check, council: Program, code: str, on: date, hour: int, points: int
) -> None:
    """太郎 on a sheet of that day, recorded now; so many points."""
    homes = expect(council("GET", "registry/organisations?kind=council"))["results"]
    starts = datetime.combine(on, time(hour), check.now.tzinfo)
    session = expect(council("POST", "points/sessions", {
        "title": "確認の手つだい（見本）", "organisation": homes[0]["id"], "programme": code,
        "activity_kind": "help", "source": "centre", "place": "見本会館",
        "starts_at": starts.isoformat(), "ends_at": (starts + timedelta(minutes=30)).isoformat(),
    }, once=True), 201, what="開催回")
    got = expect(council("POST", "points/scans", {
        "id": str(uuid.uuid4()), "session": session["id"], "volunteer": check.taro,
        "method": "paper", "scanned_at": check.now.isoformat(),
    }), what="紙の記録")
    must(got["result"] == "granted" and got["points"] == points,
         f"{on}の記録に {got['result']} {got['points']}ポイント「{got['reason']}」")
