"""The check of fiscal years: a late sheet, a void, the close, a correction, and the lapse.

Owns one programme 「確認の年度（見本）」 for each run, with last year's terms of its own, so that
closing it touches nobody else.  太郎 is the one who takes part, on a day of last March of which
each run takes another.  Refuses points for a sheet that comes after the close, until somebody
says why; a close without its preview; points that lapse twice.  P1–P3.
"""

from __future__ import annotations

import io
import json
import uuid
from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.management import CommandError, call_command

from config.democity.calling import Program
from config.democity.checking import Check, StepFailed, expect, must

WHY = {"reason": "紙の名簿がおくれて届いたため（見本）"}


def close_a_year(check: Check) -> str:
    """Record → void → しめきり → a late sheet waits → named correction → lapse and carry."""
    council = check.by("social_welfare_council")
    year = check.now.year - (check.now.month < 4) - 1
    code, day = _programme(council, year)
    where = f"points/years/{code}/{year}"
    sessions = [_session(check, council, code, day, minutes) for minutes in (0, 20, 40)]
    _scan(check, council, sessions[0], "granted", 3)
    wrong = _scan(check, council, sessions[1], "granted", 3)
    expect(council("POST", f"points/attendances/{wrong}/void", {"reason": "別の方（見本）"}),
           what="取消")
    early = council("POST", f"{where}/close", WHY, match='"1"')
    must(early.status == 409, f"しめきり前のしめきりに HTTP {early.status}")
    expect(council("POST", f"{where}/begin-closing", once=True), what="しめきり前")
    shown = expect(council("GET", f"{where}/preview"), what="見とおし")
    told = shown["figures"]
    must((told["attendances"], told["awarded"], told["empty_sessions"]) == (1, 3, 1), f"{told}")
    if shown["year"]["not_yet"]:
        return f"{year}年度：{shown['year']['not_yet']}"
    unseen = council("POST", f"{where}/close", WHY)
    must(unseen.status == 428, f"見とおしを見ないしめきりに HTTP {unseen.status}")
    expect(council("POST", f"{where}/close", WHY, match=f'"{shown["version"]}"'), what="しめきり")
    late = _scan(check, council, sessions[2], "year_closed", 0)
    waits = expect(council("GET", f"{where}/waiting"))["late"]
    must([one["attendance_id"] for one in waits] == [late], f"訂正まち {waits}")
    expect(council("POST", f"points/attendances/{late}/correct", WHY, once=True), what="訂正")
    moved = _lapse(code, year)
    must((moved["lost"], moved["carried"]) == (5, 1), f"失効 {moved}")
    must(_lapse(code, year) is None, "もう一度の失効で動きました")
    said = [_lines(check, council, code, one)[-1]["sentence"] for one in (year, year + 1)]
    must(said == [f"{year}年度の5ポイントは期限が過ぎたため失効しました",
                  f"{year}年度の端数1ポイントを{year + 1}年度に繰り越しました"], f"明細 {said}")
    return f"{year}年度をしめきり、おくれた名簿は訂正で3ポイント、失効5・繰り越し1"


def _programme(council: Program, year: int) -> tuple[str, date]:
    """A new programme of this run, its two years, and the run's own day of last March."""
    known = {one["code"] for one in expect(council("GET", "points/programmes"))}
    number = next(n for n in range(1, 300) if f"nendo-{n}" not in known)
    code = f"nendo-{number}"
    expect(council("POST", "points/programmes", {"code": code, "name": "確認の年度（見本）"},
                   once=True), 201, what="事業")
    expect(council("POST", f"points/programmes/{code}/rule-sets", {
        "code": f"{code}-1", "begins_on": f"{year}-04-01", "sources": ["centre"],
        "rates": [{"kind": "help", "label": "手つだい", "points": 3}], "remainder": "carry",
        "points_per_voucher": 5, "yen_per_voucher": 500, "citation": "確認（見本）",
    }, once=True), 201, what="要領")
    for one in (year, year + 1):
        # The shortest grace there is, so that last year can be closed on any day but 1 April.
        expect(council("POST", f"points/programmes/{code}/years", {
            "fiscal_year": one, "yen_value": 500, "exchange_from": f"{one}-04-01",
            "exchange_until": f"{one + 1}-04-01", "grace_until": f"{one + 1}-04-01",
            "lapses_on": f"{one + 1}-04-02", "citation": "確認（見本）",
        }, once=True), 201, what="年度")
    return code, date(year + 1, 3, 31) - timedelta(days=number - 1)


def _session(check: Check, council: Program, code: str, on: date, minutes: int) -> int:
    homes = expect(council("GET", "registry/organisations?kind=council"))["results"]
    starts = datetime.combine(on, time(5, minutes), check.now.tzinfo)
    made = expect(council("POST", "points/sessions", {
        "title": "年度末の手つだい（見本）", "organisation": homes[0]["id"], "programme": code,
        "activity_kind": "help", "source": "centre", "place": "見本会館",
        "starts_at": starts.isoformat(), "ends_at": (starts + timedelta(minutes=15)).isoformat(),
    }, once=True), 201, what="開催回")
    return int(made["id"])


def _scan(check: Check, council: Program, session: int, result: str, points: int) -> int:
    """太郎 on the session's sheet; the attendance."""
    got = expect(council("POST", "points/scans", {
        "id": str(uuid.uuid4()), "session": session, "volunteer": check.taro, "method": "paper",
        "scanned_at": check.now.isoformat(),
    }), what="紙の記録")
    must((got["result"], got["points"]) == (result, points),
         f"{got['result']} {got['points']}ポイント「{got['reason']}」")
    return int(got["attendance"])


def _lapse(code: str, year: int) -> Any:
    """What the service's own command moved; None when there was nothing left."""
    said = io.StringIO()
    try:
        call_command("close_fiscal_year", str(year), "--programme", code, "--apply", "--json",
                     stdout=said)
    except (CommandError, SystemExit) as failed:
        raise StepFailed(f"close_fiscal_year: {failed} {said.getvalue()[-300:]}") from failed
    return json.loads(said.getvalue())["years"][0]["lapsed"]


def _lines(check: Check, council: Program, code: str, year: int) -> list[dict[str, Any]]:
    """The lines of 太郎's statement in the programme."""
    where = f"points/volunteers/{check.taro}/statement?fiscal_year={year}"
    parts = expect(council("GET", where), what="明細")["parts"]
    return [line for part in parts if part["programme"] == code for line in part["lines"]]
