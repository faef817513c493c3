"""The check, second part: plan draft → supporters proposed → consent → approval → plan PDF.

Owns 花子's individual evacuation plan of this run, written step by step with If-Match as two
editors would.  Refuses an approval by the writer and a sheet without the supporter's name.
"""

from __future__ import annotations

from typing import Any

from config.democity.checking import Check, expect, must, waited
from config.democity.reading import pdf_pages, plain

_STEPS: tuple[tuple[int, dict[str, Any]], ...] = (
    (1, {"phone": "0242-00-9001", "household": "ひとり暮らし（見本）",
         "emergency_contacts": [{"name": "見本　家族", "relation": "長男",
                                 "phone": "090-0000-9001"}]}),
    (2, {"needs": ["wheelchair"], "communication": "ゆっくり話せば分かる（見本）",
         "power_device": False}),
    (3, {"building": "木造2階建ての1階", "bedroom": "玄関の右の和室", "hazards_checked": True}),
    (6, {"trigger_level": 3, "trigger_note": "民生委員の電話（見本）",
         "carry": ["くすり", "保険証", "めがね"]}),
    (7, {"written_way": "community", "read_back_to_person": True,
         "read_back_with": "見本　家族"}),
)


def draft(check: Check) -> str:
    """Open 花子's plan and write it, a step at a time; a stale version is refused."""
    officer = check.by("city_officer")
    path = "evacuation/plans"
    made = officer("POST", path, {"person_id": check.people["hanako"]}, once=True)
    body = expect(made, 201, what="計画の開始")
    must(body["state"] == "draft", f"状態 {body['state']}")
    check.plan = body["plan_id"]
    refused = officer("POST", path, {"person_id": check.people["ichiro"]})
    must(refused.status == 201 and refused.json["state"] == "consent_asked",
         f"同意のない計画: {refused.told()}")
    for number, values in _STEPS:
        _write(check, number, values)
    return f"計画 {body['number']}、{len(_STEPS)}手順、同意のない人は「同意まち」"


def _write(check: Check, number: int, values: dict[str, Any]) -> None:
    officer, path = check.by("city_officer"), f"evacuation/plans/{check.plan}"
    tag = officer("GET", path).tag
    given = {"step": number, "values": values}
    must(officer("PATCH", path, given).status == 428, "If-Match なしで書けました")
    expect(officer("PATCH", path, given, match=tag), what=f"手順{number}")


def choose_places(check: Check) -> str:
    """A destination for each hazard, from the list; none that is refused."""
    officer, chosen = check.by("city_officer"), []
    for hazard in ("flood", "landslide", "earthquake"):
        rows = expect(officer(
            "GET", f"evacuation/plans/{check.plan}/destinations?hazard={hazard}"
        ))["results"]
        good = [one for one in rows if not one["refused"]]
        must(good, f"{hazard} の避難先がありません")
        chosen.append((hazard, good[0]))
    _write(check, 4, {
        "destinations": [
            {"hazard": hazard, "shelter_id": one["shelter_id"], "transport": "車いすを押す",
             "minutes": one["minutes"], "route": f"見本通りを{one['name']}まで"}
            for hazard, one in chosen
        ],
        "reason": "いちばん近く、区域の外（見本）",
    })
    nearest = min(one["metres"] for _, one in chosen)
    return f"3つの災害、いちばん近い避難先 {nearest:,.0f} m"


def propose(check: Check) -> str:
    """Ask for proposals; the worker solves; reasons stand beside each one."""
    officer = check.by("city_officer")
    run = expect(officer("POST", "evacuation/plans/proposals", {"areas": [check.area]}), 202,
                 what="支援者さがし")

    def done() -> Any:
        page = expect(officer("GET", f"evacuation/plans/proposals/{run['id']}?limit=500"))
        return page if page["run"]["state"] == "done" else None

    page = waited(done, seconds=90, words="作業者が支援者の案を出しません")
    facts = page["run"]
    must(facts["proven"] is True, "最適だと確かめられていません")
    must(all(one["reasons"] for one in page["proposals"]), "理由のない案があります")
    return (f"{facts['people']}人に{facts['filled']}/{facts['wanted']}枠、支援者"
            f"{facts['supporters']}、理由つき{len(page['proposals'])}組")


def assign(check: Check) -> str:
    """Decide, ask, and record two words: to help, and to stand in shared plans."""
    officer, path = check.by("city_officer"), f"evacuation/plans/{check.plan}"
    found = expect(officer("GET", f"{path}/proposals"))["results"]
    free = [one for one in found if one["state"] == "" or one["proposed"]]
    must(free, "候補がいません")
    best = next((one for one in free if one["proposed"]), free[0])["supporter"]
    check.supporter = best["name"]
    rows = expect(officer("POST", f"{path}/assignments",
                          {"supporter_id": best["id"], "role": "声かけと付きそい"}, once=True), 201,
                  what="割り当て")["results"]
    mine = next(one for one in rows if one["supporter_id"] == best["id"])
    for act in ("ask", "consent"):
        expect(officer("POST", f"{path}/assignments/{mine['assignment_id']}", {"act": act}),
               what=act)
    word = {"agreed": True, "phone": best["phone"] or "090-0000-9002",
            "address": best["address"] or "会津若松市（見本）"}
    expect(officer("POST", f"evacuation/supporters/{best['id']}/consent", word),
           what="支援者の同意")
    proposed = sum(one["proposed"] for one in found)
    return f"候補{len(found)}（案{proposed}）から{best['name']}、引き受けと掲載の同意"


def approve(check: Check) -> str:
    """Handed in by the officer, refused to the officer, approved by another person."""
    officer, approver = check.by("city_officer"), check.by("city_approver")
    path = f"evacuation/plans/{check.plan}"
    now = officer("GET", path)
    gaps = [gap["code"] for step in now.json["steps"] for gap in step["gaps"]]
    must(not gaps, f"足りない項目: {gaps}")
    handed = officer("POST", f"{path}/submit", match=now.tag)
    must(expect(handed, what="提出")["state"] == "submitted", "提出になりません")
    own = officer("POST", f"{path}/approve", match=handed.tag)
    must(own.status == 403, f"作った人の承認に HTTP {own.status}")
    done = approver("POST", f"{path}/approve", match=approver("GET", path).tag)
    body = expect(done, what="承認")
    must(body["state"] in ("approved", "shared"), f"状態 {body['state']}")
    must(body["approved_by"] != body["submitted_by"], "同じ人が承認しています")
    return f"提出 {body['submitted_by']} → 承認 {body['approved_by']}、作った人の承認は403"


def print_sheet(check: Check) -> str:
    """The two-page sheet with 花子 and the supporter on it; 加藤 gets no plan."""
    answer = check.by("city_officer")("GET", f"evacuation/plans/{check.plan}/sheet.pdf")
    must(answer.status == 200 and answer.body.startswith(b"%PDF"), f"計画書: {answer.told()}")
    pages = pdf_pages(answer.body)
    must(len(pages) == 2, f"{len(pages)}ページ")
    text = "".join(pages)
    for name in ("見本花子", plain(check.supporter)):
        must(name in text, f"計画書に {name} がありません")
    stranger = check.by("welfare_commissioner_south")("GET", f"evacuation/plans/{check.plan}")
    must(stranger.status == 403, f"加藤に HTTP {stranger.status}")
    return f"2ページ、{len(answer.body) // 1024} KB、花子と{check.supporter}の名前あり"
