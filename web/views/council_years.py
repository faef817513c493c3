"""Fiscal years on the screen: where each stands, what comes next, and what waits.

Owns ``/council/years`` and below, as far as one reads; the acts are ``council_year_acts``.
Refuses nothing by itself: the queries ask for ``rules.manage``.  P1–P3.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from points.queries import years as reading
from points.queries.years import EventFact, ExceptionFact, Preview, YearFact
from registry.access import Scope
from registry.domain.roles import Permission
from registry.queries.volunteers import volunteer_facts
from web.views.base import Answer, Page, Reply
from web.views.blocks import Block, action, cell, day, fact, moment, row, table

STATES = {"open": ("受付中", "good"), "closing": ("しめきり前", "caution"),
          "closed": ("しめきり", "soft")}
STEPS = {"closing": "しめきり前にする", "close": "しめきる", "lapse": "失効を待つ"}
EVENTS = {"closing": "しめきり前にした", "closed": "しめきった", "lapsed": "失効した"}
KINDS = {"postpone": "期限をのばす", "carry": "すべて繰り越す", "end": "特例を終える"}
METHODS = {
    "card": "カード", "event_qr": "会場のQR", "printed_qr": "印刷したQR",
    "name_search": "お名前", "paper": "紙の名簿",
}


class YearsPage(Page):
    """What the pages of years have in common."""

    section = "council-years"


class Years(YearsPage):
    """``/council/years``"""

    needs = {"get": Permission.RULES_MANAGE}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        found = reading.years(scope)
        due = sum(one.step in ("closing", "close") and not one.not_yet for one in found)
        return Reply("web/office/list.html", {
            "heading": "年度のしめきり",
            "meta": f"手つづきの時期になった年度 {due}件" if due else "",
            "actions": [], "caption": "年度",
            "headers": ["年度", "状態", "つぎの手つづき", "失効日", "訂正まち"],
            "rows": [_listed(one) for one in found],
            "empty_text": "ひらいた年度は まだ ありません。",
        })


class Year(YearsPage):
    """``/council/years/<code>/<year>``"""

    needs = {"get": Permission.RULES_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, code: str, fiscal_year: int) -> Answer:
        seen = reading.preview(scope, programme=code, fiscal_year=fiscal_year)
        one, (words, badge) = seen.year, STATES[seen.year.state]
        return Reply("web/office/detail.html", {
            "heading": f"{one.fiscal_year}年度", "meta": one.name,
            "badges": [{"label": words, "kind": badge}],
            "actions": _actions(one), "notices": notices(seen), "figures": figures(seen),
            "sections": [{"title": "期日", "note": "", "actions": [], "rows": dates(one)}],
            "tables": [_exceptions(one.exceptions, open_=one.lapsed_at is None),
                       _history(one.events)],
            "back_url": reverse("council-years"),
        })


class Waiting(YearsPage):
    """``/council/years/<code>/<year>/waiting``: late records and changed facts."""

    needs = {"get": Permission.RULES_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, code: str, fiscal_year: int) -> Answer:
        one = reading.year(scope, programme=code, fiscal_year=fiscal_year)
        found = reading.waiting(scope, programme=code, fiscal_year=fiscal_year)
        names = _names(scope, {x.volunteer_id for x in found.late}
                       | {x.volunteer_id for x in found.corrections})
        late = [
            row(names.get(x.volunteer_id, "－"), f"{day(x.held_on)} {x.session_title}",
                METHODS.get(x.method, x.method), moment(x.recorded_at),
                url=reverse("council-year-late", args=[x.attendance_id]))
            for x in found.late
        ]
        held = [
            row(names.get(x.volunteer_id, "－"), f"{x.stands}ポイント", f"{x.would_be}ポイント",
                moment(x.noticed_at), url=reverse("council-year-correction", args=[x.id]))
            for x in found.corrections
        ]
        return Reply("web/office/detail.html", {
            "heading": "訂正まち", "meta": f"{one.name} {fiscal_year}年度",
            "notices": [{"kind": "", "text": "しめきった年度のポイントは、わけを書いて決めるまで "
                                             "変わりません。"}],
            "tables": [
                table("しめきりのあとに届いた記録",
                      ["氏名", "開催回", "数え方", "届いた日時"], late,
                      "しめきりのあとに届いた記録は ありません。"),
                table("しめきりのあとに変わった事実",
                      ["氏名", "いま", "数えなおすと", "見つけた日時"], held,
                      "しめきりのあとに変わった事実は ありません。"),
            ],
            "note": "この一覧を開いた記録は残ります。"
                    + ("ほかにもあります。決めると つぎが出ます。" if found.more else ""),
            "back_url": reverse("council-year", args=[code, fiscal_year]),
        })


def dates(one: YearFact) -> list[Block]:
    """The days of a year as they hold, exceptions included."""
    terms = one.terms
    return [
        fact("おくれた記録を数えるのは", f"{day(terms.grace_until)}まで"),
        fact("交換", f"{day(terms.exchange_from)}から {day(terms.exchange_until)}まで"),
        fact("失効日", day(terms.lapses_on)),
        fact("のこり", "すべて次の年度へ繰り越す（特例）" if one.carries_all else "要領のとおり"),
    ]


def notices(seen: Preview) -> list[Block]:
    """What somebody should know before going on."""
    one, found = seen.year, []
    if one.not_yet:
        found.append({"kind": "", "text": one.not_yet})
    if seen.carry and not seen.next_year_open:
        found.append({"kind": "caution", "text": f"{one.fiscal_year + 1}年度が ひらかれるまで、"
                                                 "失効と繰り越しを待ちます。"})
    if one.state != "closed" and seen.overlaps:
        found.append({"kind": "caution", "text": f"重なりの確認まちが {seen.overlaps}件あります。"
                                                 "しめきる前に 確かめてください。"})
    if one.state != "closed" and seen.empty_sessions:
        found.append({"kind": "caution", "text": f"記録のない開催回が {seen.empty_sessions}回"
                                                 "あります。紙の名簿が のこっていませんか。"})
    if one.waiting:
        found.append({"kind": "caution", "text": f"訂正まちが {one.waiting}件あります。"})
    return found


def figures(seen: Preview) -> list[Block]:
    """The preview: what there is, and what the day of lapse will do."""
    when = day(seen.year.terms.lapses_on)
    shown = [
        ("参加記録", seen.attendances, "件", f"{seen.volunteers:,}人・{seen.sessions:,}回"),
        ("付与", seen.awarded, "ポイント", ""),
        ("のこっているポイント", seen.points, "ポイント", f"{seen.wallets:,}人"),
    ]
    if seen.year.lapsed_at is None:
        shown += [("失効する見とおし", seen.lapse, "ポイント",
                   f"{when}。それまでの交換で へります。"),
                  ("繰り越す見とおし", seen.carry, "ポイント", "次の年度へ")]
    return [{"label": label, "value": f"{value:,}", "unit": unit, "note": note}
            for label, value, unit, note in shown]


def _listed(one: YearFact) -> Block:
    words, badge = STATES[one.state]
    step = "おわりました" if not one.step else one.not_yet or STEPS[one.step]
    ready = one.step in ("closing", "close") and not one.not_yet
    return row(
        f"{one.fiscal_year}年度 {one.name}", cell(words, badge),
        cell(step, "caution" if ready else ""), day(one.terms.lapses_on),
        cell(f"{one.waiting}件", "caution" if one.waiting else ""),
        url=reverse("council-year", args=[one.programme, one.fiscal_year]),
    )


def _actions(one: YearFact) -> list[Block]:
    where = [one.programme, one.fiscal_year]
    found = []
    if one.step == "closing" and not one.not_yet:
        found.append(action(STEPS["closing"], reverse("council-year-begin", args=where),
                            kind="primary"))
    if one.step == "close" and not one.not_yet:
        found.append(action(STEPS["close"], reverse("council-year-close", args=where),
                            kind="primary"))
    if one.state == "closed":
        found.append(action("訂正まち", reverse("council-year-waiting", args=where)))
    if one.lapsed_at is None:
        found.append(action("特例をつくる", reverse("council-year-exception", args=where)))
    return found


def _exceptions(every: tuple[ExceptionFact, ...], *, open_: bool) -> Block:
    rows = []
    for one in every:
        ends = f"{day(one.exchange_until)}まで交換、{day(one.lapses_on)}に失効" if (
            one.lapses_on) else "－"
        standing = cell("いま有効", "good") if one.in_force else cell(
            "記録" if one.kind == "end" else "終わった", "soft")
        rows.append(row(
            KINDS[one.kind], standing, ends, one.reason, f"{one.authority}\n{day(one.decided_on)}",
            f"{one.made_by} {moment(one.made_at)}",
            post=action("終える", reverse("council-year-exception-end", args=[one.id]))
            if one.in_force and open_ else None,
        ))
    return table("特例", ["種類", "状態", "期日", "わけ", "決裁", "登録した人", ""], rows,
                 "この年度の特例は ありません。")


def _history(events: tuple[EventFact, ...]) -> Block:
    return table("これまで", ["できごと", "日時", "した人", "わけ", "そのときの数字"], [
        row(EVENTS[one.kind], f"{day(one.at)} {moment(one.at).partition(' ')[2]}",
            one.by or "自動", one.reason or "－", _told(one.figures))
        for one in events
    ], "この年度の手つづきは まだ ありません。")


def _told(given: dict[str, Any]) -> str:
    if "lost" in given:
        return (f"失効 {given['lost']:,}ポイント（{given['lost_of']:,}人）\n"
                f"繰り越し {given['carried']:,}ポイント（{given['carried_of']:,}人）")
    if "attendances" in given:
        return (f"参加記録 {given['attendances']:,}件・{given['volunteers']:,}人\n"
                f"付与 {given['awarded']:,}ポイント・のこり {given['points']:,}ポイント")
    return "－"


def _names(scope: Scope, ids: set[int]) -> dict[int, str]:
    found = volunteer_facts(scope, volunteer_ids=sorted(ids), action="years.waiting")
    return {number: one.name for number, one in found.items()}
