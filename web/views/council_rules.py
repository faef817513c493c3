"""Programmes and their rules on the screen: the list, one programme, a new one.

Owns ``/council/rules`` and ``…/programmes/<code>``: rules as sentences, the history of rule
sets, drafts and years.  Refuses nothing by itself: ``points.operations`` does.  P2.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from points.domain.rule_sentences import sentences, terms_sentences
from points.domain.rules import RuleSet, fiscal_year
from points.operations import programmes, rules
from points.queries import rules as written
from points.queries.rulebook import programmes as every_programme
from points.queries.rules import ProgrammeHistory, RuleSetFact
from registry.access import Scope
from registry.domain.errors import TsunagariError
from registry.domain.roles import Permission
from web.forms.rules import ProgrammeForm
from web.views.base import Answer, Page, Reply
from web.views.blocks import Block, action, cell, day, fact, link, moment, row, table

STANDING = {
    "planned": ("これから", "caution"), "in_force": ("いま有効", "good"),
    "ended": ("終わった", "soft"), "withdrawn": ("取りやめ", "soft"),
}


class RulesPage(Page):
    """What the pages of rules have in common."""

    section = "council-rules"


class Programmes(RulesPage):
    """``/council/rules``"""

    needs = {"get": Permission.RULES_MANAGE}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        found = every_programme(scope)
        return Reply("web/office/list.html", {
            "heading": "ポイント事業と要領", "meta": f"{len(found)}事業",
            "actions": [{"label": "事業をつくる", "url": reverse("council-programme-new"),
                         "kind": ""}],
            "caption": "ポイント事業", "headers": ["名称", "いまの要領", "適用開始日"],
            "rows": [
                row(one.name, in_short(one.rule) if one.rule else "いま有効な要領は ありません。",
                    day(one.rule.begins_on) if one.rule else "－",
                    url=reverse("council-programme", args=[one.code]))
                for one in found
            ],
            "empty_text": "ポイント事業は まだ ありません。",
        })


class NewProgramme(RulesPage):
    """``/council/rules/new``"""

    needs = {"get": Permission.RULES_MANAGE, "post": Permission.RULES_MANAGE}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        return self._form(ProgrammeForm())

    def post(self, request: HttpRequest, scope: Scope) -> Answer:
        """Make it; its first draft comes next."""
        given = request.POST
        made = programmes.create(code=given.get("code", ""), name=given.get("name", "")[:80],
                                 short_name=given.get("short_name", "")[:24], by=scope)
        messages.success(request, "事業を つくりました。つぎに 要領の案を つくってください。")
        return HttpResponseRedirect(reverse("council-programme", args=[made.code]))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or not scope.may(Permission.RULES_MANAGE):
            return None
        form = ProgrammeForm(request.POST)
        for name, said in (error.fields or {"": error.message}).items():
            form.add_error(name if name in form.fields else None, said)
        return self._form(form, 409 if error.code == "programme_taken" else 422)

    @staticmethod
    def _form(form: ProgrammeForm, status: int = 200) -> Reply:
        return Reply("web/office/form.html", {
            "heading": "ポイント事業をつくる", "form": form, "submit_label": "つくる",
            "action": reverse("council-programme-new"), "back_url": reverse("council-rules"),
        }, status=status)


class Programme(RulesPage):
    """``/council/rules/programmes/<code>``; a post begins a draft."""

    needs = {"get": Permission.RULES_MANAGE, "post": Permission.RULES_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, code: str) -> Answer:
        found, today = written.history(scope, code=code), scope.on
        here = reverse("council-programme", args=[code])
        shown = [one for one in found.rule_sets if one.standing(today) in ("planned", "in_force")]
        year = fiscal_year(today)
        terms = next((one for one in found.years if one.terms.fiscal_year == year), None)
        sections = [_section(one, today, found) for one in reversed(shown)]
        if terms is not None:
            sections.append({
                "title": f"{year}年度の定め", "note": "", "actions": [],
                "rows": [fact(line.label, line.text) for line in terms_sentences(terms.terms)],
            })
        return Reply("web/office/detail.html", {
            "heading": found.name, "meta": "要領と年度の定め",
            "actions": [
                action("要領の案をつくる", here, kind="primary", method="post",
                       based_on=shown[0].id if shown else ""),
                action("年度をひらく", reverse("council-year-open", args=[code])),
                action("年度登録", reverse("council-enrolments", args=[code, year])),
            ],
            "notices": [] if shown else [{
                "text": "いま有効な要領が ありません。案をつくって 定めてください。",
                "kind": "caution"}],
            "sections": sections,
            "tables": [_drafts(found), _history(found, today), _years(found)],
            "back_url": reverse("council-rules"),
        })

    def post(self, request: HttpRequest, scope: Scope, code: str) -> Answer:
        """Begin a draft: empty, a copy, or to take the place of an unused rule set."""
        text = request.POST.get("based_on", "")
        based_on = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
        made = rules.begin(programme=code, based_on=based_on,
                           replace=request.POST.get("replace") == "yes", by=scope)
        return HttpResponseRedirect(reverse("council-rule-draft", args=[made.pk]))


def in_short(one: RuleSet) -> str:
    """The rates and the daily cap in one line."""
    lines = sentences(one)
    told = [f"{line.label}：{line.text}" for line in lines if line.topic.startswith("rate:")]
    return "".join([*told, *(line.text for line in lines if line.topic == "daily_cap")])


def _section(one: RuleSetFact, today: Any, found: ProgrammeHistory) -> Block:
    words, _ = STANDING[one.standing(today)]
    return {
        "title": f"{words}の要領（{day(one.rules.begins_on)}から）",
        "note": f"根拠：{one.citation or '（記録なし）'}", "actions": [
            action("くわしく見る", reverse("council-rule-set", args=[found.code, one.id])),
        ],
        "rows": [fact(line.label, line.text) for line in sentences(one.rules)],
    }


def _drafts(found: ProgrammeHistory) -> Block:
    return table("作成中の案", ["案", "保存した日時", "保存した人"], [
        row(f"案 {one.id}", moment(one.saved_at), one.saved_by,
            url=reverse("council-rule-draft", args=[one.id]))
        for one in found.drafts
    ], "作成中の案は ありません。")


def _history(found: ProgrammeHistory, today: Any) -> Block:
    rows = []
    for one in found.rule_sets:
        words, badge = STANDING[one.standing(today)]
        ends = day(one.ends_on) if one.ends_on else "－"
        rows.append(row(
            day(one.rules.begins_on), ends, cell(words, badge),
            "あり" if one.used else "なし", in_short(one.rules), one.citation or "－",
            url=reverse("council-rule-set", args=[found.code, one.id]),
        ))
    return table("要領のうつりかわり",
                 ["適用開始日", "さいごの日", "状態", "付与", "おもな内容", "根拠"], rows,
                 "要領は まだ ありません。")


def _years(found: ProgrammeHistory) -> Block:
    rows = []
    for one in found.years:
        cap = terms_sentences(one.terms)[0].text
        rows.append(row(
            f"{one.terms.fiscal_year}年度", cap, day(one.terms.exchange_until),
            day(one.terms.lapses_on),
            cell("変えられません", "soft") if one.fixed else cell("変えられます", "good"),
            url=link("council-year-terms", found.code, one.terms.fiscal_year),
        ))
    return table("年度の定め", ["年度", "年間の上限", "交換のさいごの日", "失効日", "定め"], rows,
                 "ひらいた年度は まだ ありません。")
