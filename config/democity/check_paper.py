"""The check, counting by paper: sheet, late sheet, printed QR, name search, rows that wait.

Owns four sessions of each run, made by the leader, and what the pages say about them.  The
printed code is read off its picture, as 太郎's phone does.  Refuses a doubled entry, a guessed
name and a headcount nobody confirmed.
"""

from __future__ import annotations

import html
import re
import uuid
from datetime import datetime, timedelta
from typing import Any

from config.democity.calling import Answer, Person
from config.democity.checking import Check, expect, must
from config.democity.reading import qr_text

_NAME = re.compile(r'name="people" value="(\d+)"[^>]*data-sheet-position="(\d+)"'
                   r' data-sheet-code="([^"]*)"')


def paper_sheet(check: Check) -> str:
    """Print, tick by row number and by row QR, be refused for a wrong count, enter, enter again."""
    host = check.visit("group_leader")
    session = _session(check, "紙の確認", check.now - timedelta(minutes=30))
    pdf = host.get(f"/host/sessions/{session}/sheet.pdf")
    must(pdf.status == 200 and pdf.body.startswith(b"%PDF-"), f"名簿の印刷 {pdf.told()}")
    path = f"/host/sessions/{session}/sheet"
    rows = _rows(host.get(path))
    must(len(rows) >= 3 and all(len(code) == 12 for _, code in rows.values()), f"{len(rows)}行")
    ticked = _post(host, path, act="mark", marks=rows[2][1])
    must(ticked.status == 200 and ticked.body.decode().count(" checked") == 1, "行のQRコード")
    people = [rows[at][0] for at in (1, 2, 3)]
    given = {"act": "enter", "people": people, "signed_name": "見本　代表", "headcount": "4"}
    wrong = _post(host, path, **given)
    must(wrong.status == 422 and wrong.body.decode().count(" checked") == 3,
         f"合わない人数に HTTP {wrong.status}")
    given["headcount"] = "3"
    for at in (1, 2):
        sent = _post(host, path, **given)
        must(sent.status == 302, f"{at}回目の入力 HTTP {sent.status}")
    count = _count(check, session)
    must(count == 3, f"2回入力して {count}人")
    return f"名簿{len(rows)}行、人数がちがうと422、2回入力しても{count}人"


def late_sheet(check: Check) -> str:
    """A sheet of three weeks ago lands on its own day; a name nobody knows waits for a human."""
    host = check.visit("group_leader")
    session = _session(check, "おくれた紙の確認", check.now - timedelta(days=21))
    path = f"/host/sessions/{session}/sheet"
    rows = _rows(host.get(path))
    stranger = f"見本　新入{check.run}"
    given: dict[str, Any] = {
        "act": "enter", "people": [rows[1][0]], "signed_name": "見本　代表", "headcount": "2",
        "new_1": stranger, "pick_1": "wait",
    }
    sent = _post(host, path, **given)
    must(sent.status == 302 and sent.headers["location"].endswith("/host/waiting"),
         f"おくれた紙 HTTP {sent.status}")
    listed = expect(check.by("group_leader")("GET", f"points/attendances?session={session}"))
    must(len(listed) == 1, f"参加記録 {len(listed)}件")
    day = datetime.fromisoformat(listed[0]["attended_at"]).astimezone(check.now.tzinfo).date()
    must(day == (check.now - timedelta(days=21)).date(), f"参加の日 {day}")
    queue = host.get("/host/waiting").body.decode()
    row = re.search(r'href="(/host/waiting/\d+)">確かめる<span[^>]*>：'
                    + re.escape(html.escape(stranger)), queue)
    must(row is not None, "確かめる行がありません")
    where = row[1] if row else ""
    must(host.post(where, act="dismiss", reason="").status == 422, "理由なしで決められた")
    done = host.post(where, act="dismiss", reason="確認（見本）")
    must(done.status == 302 and host.get(where).status == 404, f"数えない HTTP {done.status}")
    return f"参加の日 {day}、知らない名前1件は確認まち→理由つきで数えない"


def printed_code(check: Check) -> str:
    """太郎 reads the code on the poster; until the leader counts heads it is unconfirmed."""
    host = check.visit("group_leader")
    session = _session(check, "紙のQRの確認", check.now - timedelta(minutes=20))
    poster = host.get(f"/host/sessions/{session}/poster.pdf")
    must(poster.status == 200 and poster.body.startswith(b"%PDF-"), f"紙のQR {poster.told()}")
    picture = host.get(f"/host/sessions/{session}/poster.svg")
    must(picture.status == 200, f"紙のQRの絵 HTTP {picture.status}")
    code = qr_text(picture.body.decode())
    got = expect(check.by("volunteer")("POST", "points/scans", {
        "id": str(uuid.uuid4()), "code": code, "scanned_at": check.now.isoformat()}))
    must(got["attendance"] is not None, f"紙のQR {got}")
    path = f"/host/sessions/{session}"
    must("data-unconfirmed" in host.get(path).body.decode(), "確認まちと出ない")
    must(host.post(path, headcount="1").status == 302, "人数")
    must("data-unconfirmed" not in host.get(path).body.decode(), "人数を入れても確認まち")
    return f"{got['result']}、人数を入れるまで確認まち"


def name_search(check: Check) -> str:
    """Somebody without a card is found by name and received; once."""
    host = check.visit("group_leader")
    session = _session(check, "名前の確認", check.now - timedelta(minutes=10))
    path = f"/host/sessions/{session}/search"
    rows = _rows(host.get(f"/host/sessions/{session}/sheet"))
    page = host.get(f"/host/sessions/{session}/sheet").body.decode()
    name = re.search(r"<span>1　([^（]+)（", page)
    must(name is not None, "名簿の1行目")
    found = host.post(path, q=html.unescape(name[1]) if name else "")
    body = found.body.decode()
    hidden = {name: html.unescape(value) for name, value in re.findall(
        r'name="(token|csrfmiddlewaretoken)" value="([^"]+)"', body)}
    must(found.status == 200 and f'value="{rows[1][0]}"' in body and "token" in hidden,
         "名前で見つからない")
    for _ in range(2):
        sent = host.post(path + "/accept", volunteer=rows[1][0], **hidden)
        must(sent.status == 302, f"名前で受付 HTTP {sent.status}")
    count = _count(check, session)
    must(count == 1, f"名前で2回 {count}人")
    return "名前で1人、2回おしても1人"


def _session(check: Check, title: str, starts: datetime) -> int:
    """A session of the leader's group within one day."""
    midnight = starts.replace(hour=0, minute=0, second=0, microsecond=0)
    begins = max(midnight, starts).replace(microsecond=0)
    ends = min(begins + timedelta(minutes=60), midnight + timedelta(hours=24))
    made = expect(check.by("group_leader")("POST", "points/sessions", {
        "title": f"{title}（見本）", "starts_at": begins.isoformat(), "ends_at": ends.isoformat(),
        "place": "見本会館", "group": check.group,
    }, once=True), 201, what=title)
    return int(made["id"])


def _rows(page: Answer) -> dict[int, tuple[str, str]]:
    """position → (volunteer, row code) of an entry page."""
    return {int(at): (one, code) for one, at, code in _NAME.findall(page.body.decode())}


def _post(host: Person, path: str, **fields: Any) -> Answer:
    """The entry page filled in; its own mark stays, so that a repeat is a repeat."""
    page = host.get(path).body.decode()
    token = re.search(r'name="token" value="([^"]+)"', page)
    return host.post(path, **{"token": html.unescape(token[1]) if token else "", **fields})


def _count(check: Check, session: int) -> int:
    rows = expect(check.by("group_leader")("GET", f"points/attendances?session={session}"))
    return len({row["volunteer_id"] for row in rows})

