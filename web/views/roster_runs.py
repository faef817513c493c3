"""The statutory roster for staff: the list, unanswered people, the difference of a run.

Owns the pages of 名簿の更新.  Refuses to apply what was not shown: the difference is a page of
its own, and applying judges everybody once more (R10, R15).
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from evacuation.operations import criteria, roster
from evacuation.queries import roster as roster_queries
from evacuation.queries import sharing as queries
from registry.access import Scope
from registry.domain.roles import Permission
from web.views import blocks
from web.views.base import Answer, Reply
from web.views.office_page import PAGE, OfficePage

CHANGES = {
    "new": "新しく登載",
    "gone": "非該当",
    "reason": "理由の変更",
    "unsure": "情報不足・要確認",
}
RUN_STATES = {
    "previewed": ("確認まち", "caution"),
    "applied": ("反映ずみ", "good"),
    "discarded": ("取りやめ", "soft"),
}
URGENT = {0: "bad", 1: "bad", 2: "caution", 3: "soft"}


class RosterPage(OfficePage):
    section = "office-roster"
    work = "work.roster"


class Listed(RosterPage):
    """Everybody on the roster, by list number."""

    needs = {"get": Permission.ROSTER_VIEW}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        counts = roster_queries.counts(scope)
        page = roster_queries.roster(scope, cursor=request.GET.get("after") or None, limit=PAGE)
        actions = [
            {"label": "名簿の更新", "url": reverse("office-runs"), "kind": "primary"},
            {"label": "未回答の方", "url": reverse("office-unanswered"), "kind": ""},
        ]
        return Reply(
            "web/office/list.html",
            {
                "heading": "避難行動要支援者名簿",
                "meta": f"{counts['listed']}人（同意 {counts['agreed']}・"
                f"希望しない {counts['refused']}・未回答 {counts['unanswered']}）",
                "actions": actions if scope.may(Permission.ROSTER_MANAGE) else [],
                "caption": "名簿番号の順",
                "headers": [
                    "氏名",
                    "名簿番号",
                    "町内会・班",
                    "手助けが必要なこと",
                    "優先度",
                    "平常時の提供",
                    "注意",
                ],
                "rows": [_line(one) for one in page.items],
                "next_url": blocks.link("office-roster", after=page.next) if page.next else None,
                "empty_text": "まだ だれも のっていません。"
                "「名簿の更新」で差分をつくってください。",
                "note": "希望しない方も、名簿にはのります。ふだんの提供からだけ除かれます。",
            },
        )


class Unanswered(RosterPage):
    """Listed people who have not answered about sharing yet."""

    needs = {"get": Permission.CONSENT_RECORD}
    work = "work.consent"

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        page = roster_queries.roster(
            scope, answered=False, limit=PAGE, cursor=request.GET.get("after") or None
        )
        return Reply(
            "web/office/list.html",
            {
                "heading": "同意が未回答の方",
                "meta": "名前をおすと、答えの記録に進みます",
                "actions": [],
                "caption": "名簿番号の順",
                "headers": [
                    "氏名",
                    "名簿番号",
                    "町内会・班",
                    "手助けが必要なこと",
                    "優先度",
                    "平常時の提供",
                    "注意",
                ],
                "rows": [_line(one, "office-consent") for one in page.items],
                "next_url": blocks.link("office-unanswered", after=page.next)
                if page.next
                else None,
                "empty_text": "未回答の方は いません。",
            },
        )


class Runs(RosterPage):
    """The runs of the criteria; a button makes the difference."""

    needs = {"get": Permission.ROSTER_VIEW, "post": Permission.ROSTER_MANAGE}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        sets = queries.criteria(scope)
        manage = scope.may(Permission.ROSTER_MANAGE)
        return Reply(
            "web/office/detail.html",
            {
                "heading": "名簿の更新",
                "meta": "要件で全員を見なおし、違いを確かめてから反映します",
                "actions": [
                    blocks.action(
                        "差分をつくる", reverse("office-runs"), kind="primary", method="post"
                    )
                ]
                if manage and sets
                else [],
                "notices": []
                if sets
                else [
                    {
                        "kind": "caution",
                        "text": "登載要件がまだ ありません。"
                        "下の例から選ぶか、要件を登録してください。",
                    }
                ],
                "tables": [
                    blocks.table(
                        "これまでの更新",
                        [
                            "基準日",
                            "状態",
                            "要件の版",
                            "対象",
                            "新しく登載",
                            "非該当",
                            "理由の変更",
                            "要確認",
                            "つくった日時",
                        ],
                        [_run(one) for one in queries.roster_runs(scope)],
                        "まだ ありません。「差分をつくる」をおしてください。",
                    ),
                    blocks.table(
                        "登載要件",
                        ["版", "名称", "根拠", "適用日"],
                        [
                            blocks.row(
                                one.version, one.title, one.citation, blocks.day(one.in_force_on)
                            )
                            for one in sets
                        ],
                        "登録された要件は ありません。",
                    ),
                    *(
                        [
                            blocks.table(
                                "登載要件の例（見本）",
                                ["例", "根拠", "手続き"],
                                [
                                    blocks.row(
                                        rules.title,
                                        rules.source,
                                        post=blocks.action(
                                            "この例を使う",
                                            reverse("office-criteria"),
                                            method="post",
                                            name=rules.code,
                                        ),
                                    )
                                    for rules, _ in criteria.examples()
                                ],
                            )
                        ]
                        if manage and not sets
                        else []
                    ),
                ],
                "back_url": reverse("office-roster"),
            },
        )

    def post(self, request: HttpRequest, scope: Scope) -> Answer:
        run = roster.rebuild_preview(by=scope)
        return HttpResponseRedirect(reverse("office-run", args=[run.pk]))


class Criteria(RosterPage):
    """Take one of the shipped examples of criteria into use."""

    needs = {"post": Permission.ROSTER_MANAGE}

    def post(self, request: HttpRequest, scope: Scope) -> Answer:
        made = criteria.load_example(name=request.POST.get("name", ""), by=scope)
        messages.success(request, f"登載要件「{made.title}」を登録しました。")
        return HttpResponseRedirect(reverse("office-runs"))


class Run(RosterPage):
    """The difference of one run: who is new, gone, listed for other reasons, or unsure."""

    needs = {"get": Permission.ROSTER_VIEW}

    def get(self, request: HttpRequest, scope: Scope, run_id: int) -> Answer:
        run = queries.roster_runs(scope, run_id=run_id)[0]
        wanted = request.GET.get("show", "")
        change = wanted if wanted in CHANGES else None
        page = queries.roster_changes(
            scope, run_id=run_id, change=change, limit=PAGE, cursor=request.GET.get("after") or None
        )
        labels = _labels(scope, run.criteria_version)
        return Reply("web/office/detail.html", _difference(scope, run, change, page, labels))


class ApplyRun(RosterPage):
    """Write the shown difference; everybody is judged once more."""

    needs = {"post": Permission.ROSTER_MANAGE}

    def post(self, request: HttpRequest, scope: Scope, run_id: int) -> Answer:
        done = roster.apply(run_id=run_id, by=scope)
        messages.success(
            request, f"名簿に反映しました（新しく{done.new_count}人・非該当{done.gone_count}人）。"
        )
        return HttpResponseRedirect(reverse("office-run", args=[run_id]))


class DiscardRun(RosterPage):
    """Give a shown difference up."""

    needs = {"post": Permission.ROSTER_MANAGE}

    def post(self, request: HttpRequest, scope: Scope, run_id: int) -> Answer:
        roster.discard(run_id=run_id, by=scope)
        messages.success(request, "取りやめました。名簿は変わっていません。")
        return HttpResponseRedirect(reverse("office-runs"))


def _line(one: roster_queries.RosterLine, route: str = "office-person") -> blocks.Block:
    query = {"purpose": "roster"} if route == "office-person" else {}
    kind = {"同意あり": "good", "未回答": "caution"}.get(one.consent_label, "soft")
    return blocks.row(
        one.name,
        one.number,
        f"{one.area_name}　{one.section}班" if one.section else one.area_name,
        "、".join(one.needs),
        blocks.cell(one.urgency_label, URGENT.get(one.urgency, "soft")),
        blocks.cell(one.consent_label, kind),
        blocks.cell("支援措置", "bad") if one.protected else "",
        url=blocks.link(route, one.person_id, **query),
    )


def _run(one: queries.RosterRunFact) -> blocks.Block:
    word, kind = RUN_STATES[one.state]
    return blocks.row(
        blocks.day(one.reference_on),
        blocks.cell(word, kind),
        one.criteria_version,
        *map(str, (one.examined, one.new, one.gone, one.reason_changed, one.unsure)),
        blocks.moment(one.made_at),
        url=reverse("office-run", args=[one.id]),
    )


def _labels(scope: Scope, version: str) -> dict[str, str]:
    for one in queries.criteria(scope):
        if one.version == version:
            return {each["code"]: each["label"] for each in one.body["criteria"]}
    return {}


def _difference(
    scope: Scope,
    run: queries.RosterRunFact,
    change: str | None,
    page: Any,
    labels: dict[str, str],
) -> dict[str, Any]:
    word, kind = RUN_STATES[run.state]
    here = reverse("office-run", args=[run.id])
    actions = (
        [
            blocks.action(
                "反映する",
                reverse("office-run-apply", args=[run.id]),
                kind="primary",
                method="post",
            ),
            blocks.action(
                "取りやめる",
                reverse("office-run-discard", args=[run.id]),
                kind="danger",
                method="post",
            ),
        ]
        if run.state == "previewed" and scope.may(Permission.ROSTER_MANAGE)
        else []
    )

    def words(codes: tuple[str, ...]) -> str:
        return "、".join(labels.get(code, code) for code in codes) or "（なし）"

    return {
        "heading": "名簿の差分",
        "meta": f"基準日 {blocks.day(run.reference_on)}　{run.criteria_version}",
        "badges": [{"label": word, "kind": kind}],
        "actions": actions,
        "figures": [
            {"label": "対象", "value": run.examined, "unit": "人", "note": "市に住む全員"},
            {"label": "新しく登載", "value": run.new, "unit": "人", "note": ""},
            {"label": "非該当", "value": run.gone, "unit": "人", "note": "写しの削除依頼も出ます"},
            {"label": "理由の変更", "value": run.reason_changed, "unit": "人", "note": ""},
            {"label": "変更なし", "value": run.same, "unit": "人", "note": ""},
            {
                "label": "情報不足・要確認",
                "value": run.unsure,
                "unit": "人",
                "note": "登載しません",
            },
        ],
        "tabs": [{"label": "すべて", "url": here, "current": change is None}]
        + [
            {"label": label, "url": f"{here}?show={code}", "current": change == code}
            for code, label in CHANGES.items()
        ],
        "tables": [
            blocks.table(
                "違いのある方",
                ["氏名", "よみ", "変更", "前の要件", "後の要件"],
                [
                    blocks.row(
                        one.name,
                        one.kana,
                        blocks.cell(CHANGES[one.change], _KIND[one.change]),
                        words(one.before),
                        words(one.after),
                        url=blocks.link("office-person", one.person_id, purpose="roster"),
                    )
                    for one in page.items
                ],
                "違いのある方は いません。",
            )
        ],
        "next_url": blocks.link("office-run", run.id, show=change, after=page.next)
        if page.next
        else None,
        "back_url": reverse("office-runs"),
    }


_KIND = {"new": "good", "gone": "bad", "reason": "caution", "unsure": "caution"}
