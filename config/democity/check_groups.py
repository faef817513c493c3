"""The check of groups: list and warnings, a member in and out, the leader's walls, the report.

Owns the steps over ``points/groups`` and the pages of the leader and the council (P9).  Refuses a
warning that is silent, another group's page, and a report whose figures are not attendance's.
"""

from __future__ import annotations

import io

from python_calamine import CalamineWorkbook

from config.democity.checking import Check, expect, must


def groups(check: Check) -> str:
    """The council sees what waits and who is short of members; the leader the own group alone."""
    council, leader = check.by("social_welfare_council"), check.by("group_leader")
    year = check.now.year - (check.now.month < 4)
    every = expect(council("GET", f"points/groups?fiscal_year={year}"))
    states = [one["state"] for one in every]
    few = [one for one in every if one["warning"] and one["state"] == "registered"
           and one["counted"] == 4]
    must(states.count("registered") >= 30, f"登録は{states.count('registered')}団体")
    must("returned" in states and "submitted" in states, f"状態 {sorted(set(states))}")
    must(few and all("4人" in one["warning"] for one in few), "4人の団体に知らせがありません")
    own = expect(leader("GET", f"points/groups?fiscal_year={year}"))
    must([one["id"] for one in own] == [check.group], f"代表者に{len(own)}団体")
    foreign = next(one["id"] for one in every if one["id"] != check.group)
    for path in ("", "/report", "/report/file"):
        denied = leader("GET", f"points/groups/{foreign}{path}")
        must(denied.status == 404, f"ほかの団体{path}に HTTP {denied.status}")
    return (f"{len(every)}件（登録 {states.count('registered')}・審査まち "
            f"{states.count('submitted')}・差しもどし {states.count('returned')}）、"
            f"4人の団体「{few[0]['warning'][:17]}…」、代表者は1団体だけ")


def members(check: Check) -> str:
    """A person hands the card to the leader and is a member; then leaves; the history says so."""
    leader = check.by("group_leader")
    person, card = check.volunteers[0], check.cards[check.volunteers[0]]
    path = f"points/groups/{check.group}"
    before = expect(leader("GET", path))["line"]["members"]
    named = leader("POST", f"{path}/members", {"volunteer": person}, once=True)
    must(named.status == 403, f"代表者が名前で会員を入れて HTTP {named.status}")
    bad = leader("POST", f"{path}/members", {"code": "ABCDE"}, once=True)
    must(bad.status == 422 and bad.json["code"] == "bad_card", f"偽のカード: {bad.told()}")
    joined = expect(leader("POST", f"{path}/members", {"code": card}, once=True), 201)
    must(joined["members"] == before + 1, f"{before}人から{joined['members']}人")
    shown = expect(leader("GET", path))
    mine = next(one for one in shown["members"] if one["volunteer_id"] == person)
    left = expect(leader("POST", f"{path}/members/leave", {"volunteer": person}, once=True))
    kinds = [one["kind"] for one in expect(leader("GET", path))["events"]][-2:]
    must(kinds == ["joined", "left"], f"経過 {kinds}")
    must(mine["counts"], f"数えられない: {mine['sentence']}")
    return (f"会員 {before}人→{joined['members']}人（カードで入会）、退会の日を入れて"
            f"きょうは{left['members']}人、名前や番号では入れられない")


def report(check: Check) -> str:
    """Last year's report: the figures of the screen, the workbook and the PDF are the same."""
    leader = check.by("group_leader")
    year = check.now.year - (check.now.month < 4)
    last = expect(leader("GET", f"points/groups?fiscal_year={year - 1}"))[0]
    found = expect(leader("GET", f"points/groups/{last['id']}/report"))
    total = found["figures"]["total"]
    lines = found["figures"]["lines"]
    must(total["attendances"] == sum(one["attendances"] for one in lines) > 0, f"合計 {total}")
    book = leader("GET", f"points/groups/{last['id']}/report/file?kind=xlsx")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(book.body)).get_sheet_by_name("data")
    must(rows.to_python()[-1][2:] == [total[name] for name in
         ("sessions", "people", "attendances", "points")], "表計算の合計がちがいます")
    page = check.visit("group_leader")
    printed = page.get(f"/host/groups/{last['id']}/report/pdf")
    must(printed.body.startswith(b"%PDF"), f"PDF: HTTP {printed.status}")
    return (f"{year - 1}年度 開催{total['sessions']}回・実{total['people']}人・"
            f"のべ{total['attendances']}人・{total['points']}ポイント、状態 {found['state']}")
