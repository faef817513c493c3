"""One rule set on the screen: what it says, where it differs from another, its withdrawal.

Owns ``/council/rules/programmes/<code>/sets/<id>``.  Refuses to offer what cannot be: a used
rule set has no button but the copy.  P2.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from points.domain.rule_sentences import difference, sentences
from points.operations import programmes
from points.queries import rules as written
from points.queries.rules import ProgrammeHistory, RuleSetFact
from registry.access import Scope
from registry.domain.errors import TsunagariError
from registry.domain.roles import Permission
from web.forms.rules import ReasonForm
from web.views.base import Answer, Reply, status_of
from web.views.blocks import Block, action, day, fact, link, moment, row, table
from web.views.council_rules import STANDING, RulesPage


class OneRuleSet(RulesPage):
    """What it says; ``?with=`` another one to compare with (the one before it without)."""

    needs = {"get": Permission.RULES_MANAGE, "post": Permission.RULES_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, code: str, rule_set_id: int) -> Answer:
        return self._page(request, scope, code, rule_set_id, ReasonForm())

    def post(self, request: HttpRequest, scope: Scope, code: str, rule_set_id: int) -> Answer:
        """Withdraw it, with a reason."""
        written.history(scope, code=code).rule_set(rule_set_id)
        form = ReasonForm(request.POST)
        if not form.is_valid():
            return self._page(request, scope, code, rule_set_id, form, 422)
        programmes.withdraw_rules(rule_set_id=rule_set_id, reason=form.cleaned_data["reason"],
                                  by=scope)
        messages.success(request, "要領を 取りやめました。")
        return HttpResponseRedirect(reverse("council-programme", args=[code]))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        form = ReasonForm(request.POST)
        form.add_error(None, error.message)
        return self._page(request, scope, path["code"], path["rule_set_id"], form,
                          status_of(error))

    @staticmethod
    def _page(
        request: HttpRequest, scope: Scope, code: str, rule_set_id: int, form: ReasonForm,
        status: int = 200,
    ) -> Reply:
        found = written.history(scope, code=code)
        one = found.rule_set(rule_set_id)
        other = _other(found, one, request.GET.get("with", ""))
        words, badge = STANDING[one.standing(scope.on)]
        here = reverse("council-rule-set", args=[code, one.id])
        gone = one.withdrawn_at is not None
        actions = [] if gone else [
            action("写して新しい案", reverse("council-programme", args=[code]), method="post",
                   based_on=one.id),
        ]
        if not gone and not one.used:
            actions.append(action("なおす", reverse("council-programme", args=[code]),
                                  kind="primary", method="post", based_on=one.id, replace="yes"))
        context: Block = {
            "heading": f"{day(one.rules.begins_on)}からの要領", "meta": found.name,
            "badges": [{"label": words, "kind": badge}], "actions": actions,
            "notices": _notices(one), "sections": [_said(one), _facts(one)],
            "tables": [_compared(one, other), _others(found, one)],
            "back_url": reverse("council-programme", args=[code]),
        }
        if not gone and not one.used:
            context |= {
                "form": form, "form_title": "取りやめる", "form_action": here,
                "form_submit": "取りやめる", "form_kind": "danger",
                "form_lead": "まだ付与していない要領だけ 取りやめられます。前の要領が つづきます。",
            }
        return Reply("web/office/detail.html", context, status=status)


def _other(found: ProgrammeHistory, one: RuleSetFact, text: str) -> RuleSetFact | None:
    """The rule set to compare with: as asked, or the one in force before."""
    if text.isascii() and text.isdigit() and len(text) < 19:
        return found.rule_set(int(text))
    return next((other for other in found.rule_sets if other.withdrawn_at is None
                 and other.rules.begins_on < one.rules.begins_on), None)


def _notices(one: RuleSetFact) -> list[Block]:
    if one.withdrawn_at is not None:
        said = f"{moment(one.withdrawn_at)}に {one.withdrawn_by}さんが取りやめました。"
        return [{"text": f"{said}わけ：{one.withdrawn_reason}", "kind": "caution"}]
    if one.used:
        return [{"text": "この要領でもう付与しているため、変えられません。変えるときは、"
                         "写して 新しい案をつくってください。", "kind": ""}]
    return []


def _said(one: RuleSetFact) -> Block:
    return {"title": "きまり", "note": "", "actions": [],
            "rows": [fact(line.label, line.text) for line in sentences(one.rules)]}


def _facts(one: RuleSetFact) -> Block:
    ends = day(one.ends_on) if one.ends_on else "つぎの要領が はじまるまで"
    return {"title": "記録", "note": "", "actions": [], "rows": [
        fact("使う期間", f"{day(one.rules.begins_on)}から {ends}"),
        fact("根拠", one.citation), fact("わけ", one.reason),
        fact("定めた日時", moment(one.made_at)), fact("定めた人", one.made_by),
        fact("要領の記号", one.rules.code),
    ]}


def _compared(one: RuleSetFact, other: RuleSetFact | None) -> Block:
    if other is None:
        return table("前の要領とのちがい", [], [], "くらべる要領が ありません。")
    parts = difference(sentences(other.rules), sentences(one.rules))
    return table(
        f"{day(other.rules.begins_on)}からの要領とのちがい", ["項目", "そちら", "この要領"],
        [row(part.label, part.was or "（なし）", part.becomes or "（なし）") for part in parts],
        "ちがいは ありません。",
    )


def _others(found: ProgrammeHistory, one: RuleSetFact) -> Block:
    return table("ほかの要領とくらべる", ["適用開始日", "根拠"], [
        row(day(other.rules.begins_on), other.citation or "－",
            url=link("council-rule-set", found.code, one.id, **{"with": other.id}))
        for other in found.rule_sets if other.id != one.id
    ], "ほかの要領は ありません。")
