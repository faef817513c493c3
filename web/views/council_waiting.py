"""Records that wait because somebody, or an activity, was written down twice (P8).

Owns ``/council/waiting``: the queue, one record with all that is known of both sides, and the
word of staff.  Refuses to decide by itself: nothing leaves the queue without a reason.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from points.operations import overlaps
from points.queries import waiting
from points.queries.waiting import Claim, Evidence, Waiting
from registry.access import Scope
from registry.domain.errors import TsunagariError
from registry.domain.roles import Permission
from web.forms.unification import OverlapForm
from web.presenting import local
from web.views import blocks
from web.views.base import Answer, Page, Reply, status_of
from web.views.office_page import keeps

METHODS = {"card": "カード", "event": "会場のQR", "printed": "紙のQR",
           "name_search": "名前でさがす", "paper": "紙の名簿"}
KINDS = {"overlap": "時間の重なり", "double_claim": "二つの事業に届け出"}
DONE = {"count_this": "確認まちの記録を数え、重なっている記録を取り消しました。",
        "count_both": "両方の記録を数えました。", "void": "確認まちの記録を取り消しました。"}


class Queue(Page):
    """``/council/waiting``"""

    needs = {"get": Permission.STATEMENTS_VIEW}
    section = "council-home"

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        found, claims = waiting.overlaps(scope), waiting.double_claims(scope)
        return Reply("web/office/detail.html", {
            "heading": "重なりの確認", "meta": f"確認まち {len(found)}件",
            "notices": [{"kind": "", "text": "確認がすむまで、確認まちの記録のポイントは"
                                             "つきません。記録は 消えません。"}],
            "tables": [
                blocks.table("同じ人の 重なった記録",
                             ["氏名", "手帳番号", "種類", "確認まちの記録", "重なっている記録"],
                             [_line(one) for one in found],
                             "確認を待っている記録は ありません。"),
                blocks.table("同じ団体が 同じ時間に 二つの事業へ届け出た活動",
                             ["団体", "日時", "事業", "もう一方の事業", "人数", "両方にいる人"],
                             [_claim(one) for one in claims],
                             "二重の届け出は ありません。"),
            ],
            "note": "この一覧を開いた記録は残ります。", "back_url": reverse("council-home"),
        })


class One(Page):
    """``/council/waiting/<attendance>``: both records side by side, and the decision."""

    needs = {"get": Permission.STATEMENTS_VIEW, "post": Permission.STATEMENTS_VIEW}
    section = "council-home"

    def get(self, request: HttpRequest, scope: Scope, attendance_id: int) -> Answer:
        return _drawn(scope, attendance_id, OverlapForm())

    def post(self, request: HttpRequest, scope: Scope, attendance_id: int) -> Answer:
        form = OverlapForm(request.POST)
        if not form.is_valid():
            return _drawn(scope, attendance_id, form, 422)
        done = overlaps.decide(attendance_id=attendance_id, action=form.cleaned_data["action"],
                               reason=form.cleaned_data["reason"], by=scope)
        messages.success(request, DONE[done.action])
        return HttpResponseRedirect(reverse("council-waiting"))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        form = keeps(OverlapForm(request.POST), error)
        return _drawn(scope, path["attendance_id"], form, status_of(error))


def _drawn(scope: Scope, attendance_id: int, form: OverlapForm, status: int = 200) -> Reply:
    one = waiting.waiting_one(scope, attendance_id=attendance_id)
    sides = (one.this, *one.others)
    headers = ["", "確認まちの記録" if one.waits else "この記録",
               *(["重なっている記録"] * len(one.others))]
    return Reply("web/office/detail.html", {
        "heading": f"{one.name}さんの 重なりの確認", "meta": f"手帳番号 {one.number}",
        "badges": [{"label": KINDS[one.kind], "kind": "caution"}],
        "notices": [] if one.waits else [{"kind": "", "text": "この記録は、確認がすんでいます。"}],
        "tables": [blocks.table("二つの記録", headers, _rows(sides))],
        "form": form if one.waits else None, "form_title": "確認して決める",
        "form_action": reverse("council-waiting-one", args=[attendance_id]),
        "form_submit": "決める",
        "form_lead": "決めると、この方の1年のポイントを すぐに数えなおします。",
        "back_url": reverse("council-waiting"),
    }, status=status)


def _rows(sides: tuple[Evidence, ...]) -> list[blocks.Block]:
    told = {
        "活動": [one.title for one in sides],
        "事業": [one.programme_name for one in sides],
        "団体": [one.organisation_name for one in sides],
        "日時": [_time(one) for one in sides],
        "会場": [one.place for one in sides],
        "数え方": [METHODS.get(one.method, one.method) for one in sides],
        "受付した時刻": [blocks.moment(one.attended_at) for one in sides],
        "記録がとどいた時刻": [blocks.moment(one.recorded_at) for one in sides],
        "記録した人": [one.recorded_by or "－" for one in sides],
        "団体が申告した人数": ["－" if one.headcount is None else f"{one.headcount}人"
                               for one in sides],
    }
    return [blocks.row(word, *cells) for word, cells in told.items()]


def _time(one: Evidence) -> str:
    start, end = local(one.starts_at), local(one.ends_at)
    return f"{start.month}月{start.day}日 {start:%H:%M}〜{end:%H:%M}"


def _line(one: Waiting) -> blocks.Block:
    def told(record: Evidence) -> str:
        return f"{_time(record)} {record.title}（{record.programme_name}）"

    return blocks.row(
        one.name, one.number, blocks.cell(KINDS[one.kind], "caution"), told(one.this),
        "、".join(told(other) for other in one.others),
        url=reverse("council-waiting-one", args=[one.this.attendance_id]),
    )


def _claim(one: Claim) -> blocks.Block:
    return blocks.row(
        one.first.organisation_name, _time(one.first),
        f"{one.first.programme_name}（{one.first.title}）",
        f"{one.second.programme_name}（{one.second.title}）",
        f"{one.at_first}人と{one.at_second}人", f"{one.at_both}人",
        url=reverse("host-session", args=[one.second.session_id]),
    )
