"""The welfare council's first page and its list of sessions.

Owns ``/council`` (what waits today) and ``/council/sessions``.  Refuses nothing by itself: the
queries know whose sessions these are.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from points.queries import groups, waiting
from points.queries.sessions import SessionLine, sessions
from points.queries.sheets import waiting_count
from points.queries.years import years
from registry.access import Scope
from registry.domain.calendar import format_date
from registry.domain.roles import Permission
from registry.queries.cards import volunteers_without_card
from registry.queries.duplicates import how_many_pairs
from web.presenting import when_text
from web.templatetags.web_words import jdate
from web.views.base import Answer, Page, Reply

BACK = timedelta(days=30)


class Home(Page):
    """``/council``"""

    needs = {"get": Permission.VOLUNTEERS_MANAGE}
    section = "council-home"

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        every = [one for one in sessions(scope, first=scope.on - BACK, last=scope.on)
                 if one.cancelled_at is None]
        today = [one for one in every if one.held_on == scope.on]
        open_ends = [one for one in every if one.held_on < scope.on
                     and one.headcount != one.count]
        without = len(volunteers_without_card(scope))
        filed = groups.waiting(scope)
        listed = reverse("council-sessions")
        queues = [
            {"title": "きょうの開催回", "count": len(today), "unit": "回", "late": False,
             "detail": f"受付ずみ {sum(one.count for one in today)}人", "action": "一覧を見る",
             "url": f"{listed}?show=today"},
            {"title": "人数の確認", "count": len(open_ends), "unit": "回", "late": False,
             "detail": "人数が入っていないか、記録と合わない回です（30日以内）。",
             "action": "確かめる", "url": f"{listed}?show=open"},
            {"title": "重なりの確認", "count": waiting.how_many(scope), "unit": "件", "late": False,
             "detail": "同じ時間の二つの記録。確認するまで ポイントはつきません。",
             "action": "確認する", "url": reverse("council-waiting")},
            {"title": "二重の登録", "count": how_many_pairs(scope), "unit": "組", "late": False,
             "detail": "同じ方かもしれない記録です。", "action": "くらべる",
             "url": reverse("council-duplicates")},
            {"title": "カードのない方", "count": without, "unit": "人", "late": False,
             "detail": "登録は すんでいて、カードがまだの方です。", "action": "カードをつくる",
             "url": reverse("council-cards")},
            {"title": "紙の名前の確認", "count": waiting_count(scope), "unit": "人",
             "late": False, "detail": "紙に名前があり、登録が わからない方です。",
             "action": "確かめる", "url": reverse("host-waiting")},
            {"title": "団体の届け出・実績報告", "count": filed, "unit": "件", "late": False,
             "detail": "審査を まっています。", "action": "審査する",
             "url": reverse("council-groups") + "?show=waiting"},
        ]
        if scope.may(Permission.RULES_MANAGE):
            queues.append({
                "title": "年度の訂正まち", "count": sum(one.waiting for one in years(scope)),
                "unit": "件", "late": False,
                "detail": "しめきった年度に、あとから届いた記録や変わった事実です。",
                "action": "年度を見る", "url": reverse("council-years"),
            })
        return Reply("web/office/home.html", {
            "heading": "社協の仕事", "today_text": format_date(scope.on), "queues": queues,
            "recent": [], "search_hint": "名前・かな・手帳番号。",
            "search_url": reverse("council-volunteers"),
        })


class Sessions(Page):
    """``/council/sessions``: today's, those whose numbers do not agree, or a month's."""

    needs = {"get": Permission.RULES_MANAGE}
    section = "council-sessions"

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        show, on = request.GET.get("show", ""), scope.on
        if show == "today":
            found, said = sessions(scope), f"{jdate(on)}の開催回"
        elif show == "open":
            found = [one for one in sessions(scope, first=on - BACK, last=on - timedelta(days=1))
                     if one.cancelled_at is None and one.headcount != one.count]
            said = "人数を確かめる開催回（30日以内）"
        else:
            month = _month(request.GET.get("month", ""), on)
            last = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
            found, said = sessions(scope, first=month, last=last), f"{month.month}月の開催回"
        before = (_month(request.GET.get("month", ""), on) - timedelta(days=1)).replace(day=1)
        return Reply("web/office/list.html", {
            "heading": "開催回", "meta": f"{len(found)}回",
            "actions": [
                {"label": "きょう", "url": "?show=today", "kind": "secondary"},
                {"label": f"{before.month}月", "kind": "",
                 "url": "?" + urlencode({"month": f"{before:%Y-%m}"})},
            ],
            "caption": said, "headers": ["名称", "日時", "団体", "会場", "記録", "人数"],
            "rows": [_row(one) for one in found], "empty_text": "この期間の開催回は ありません。",
        })


def _row(one: SessionLine) -> dict[str, Any]:
    def cell(text: str, badge: str = "") -> dict[str, str]:
        return {"text": text, "badge_kind": badge}

    said = "中止" if one.cancelled_at else "－" if one.headcount is None else f"{one.headcount}人"
    wrong = one.headcount is not None and one.headcount != one.count
    return {
        "url": reverse("host-session", args=[one.id]), "label": one.title,
        "cells": [cell(when_text(one.starts_at, one.ends_at)), cell(one.group_name or "－"),
                  cell(one.place or "－"), cell(f"{one.count}人"),
                  cell(said, "bad" if wrong else "")],
    }


def _month(text: str, on: date) -> date:
    """The first day of ``2026-11``; this month for anything else."""
    year, _, month = text.partition("-")
    if year.isascii() and year.isdigit() and len(year) == 4 and month.isascii() \
            and month.isdigit() and 1 <= int(month) <= 12 and int(year) >= 2000:
        return date(int(year), int(month), 1)
    return on.replace(day=1)
