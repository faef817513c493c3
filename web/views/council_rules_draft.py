"""Writing a rule set: the draft's form, autosave, the check page with preview, adopting.

Owns ``/council/rules/drafts/<id>`` and below.  A draft is saved as typed; the check page says
everything that keeps it from being adopted at the input concerned, or what it would change.
Refuses to overwrite what another editor saved: both are shown, nothing typed is lost.  P2.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect, JsonResponse
from django.urls import reverse

from points.domain.rule_forms import Form
from points.domain.rule_preview import Preview
from points.domain.rule_sentences import difference, sentences
from points.operations import rules
from points.queries import rule_preview
from points.queries import rules as written
from points.queries.rules import DraftFact, ProgrammeHistory
from registry.access import Scope
from registry.domain.calendar import DateRefused, parse_date
from registry.domain.errors import NotFound, Refused, TsunagariError
from registry.domain.roles import Permission
from web.forms.rules import LABELS, PeriodForm, ReasonForm, RuleDraftForm, typed
from web.presenting import local
from web.templatetags.web_words import jclock
from web.views.base import Answer, Reply, status_of
from web.views.blocks import Block, action, day
from web.views.council_rules import RulesPage


class Draft(RulesPage):
    """``/council/rules/drafts/<id>``: one thing per field."""

    needs = {"get": Permission.RULES_MANAGE, "post": Permission.RULES_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, draft_id: int) -> Answer:
        one = _open(scope, draft_id)
        return edit(scope, one, one.form)

    def post(self, request: HttpRequest, scope: Scope, draft_id: int) -> Answer:
        """Save; then stay or go to the check page."""
        saved = rules.save(draft_id=draft_id, form=typed(request.POST), version=_version(request),
                           by=scope)
        if request.POST.get("then") == "check":
            return HttpResponseRedirect(reverse("council-rule-check", args=[draft_id]))
        one = written.draft(scope, draft_id=draft_id)
        return edit(scope, one, saved.form,
                    saved_text=f"{jclock(local(scope.at))} 保存しました")

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        one = _open(scope, path["draft_id"])
        mine = typed(request.POST)
        if error.code == "draft_changed":
            return edit(scope, one, mine, status=409, conflict=_conflict(one, mine))
        return edit(scope, one, mine, errors=error.fields or {"": error.message},
                    status=status_of(error))


class Autosave(RulesPage):
    """The same without leaving the page; answers the new version."""

    needs = {"post": Permission.RULES_MANAGE}

    def post(self, request: HttpRequest, scope: Scope, draft_id: int) -> Answer:
        saved = rules.save(draft_id=draft_id, form=typed(request.POST), version=_version(request),
                           by=scope)
        return JsonResponse({
            "version": saved.version, "saved_text": f"{jclock(local(scope.at))} 自動で保存しました",
        })

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        status = status_of(error)
        if status not in (409, 422):
            return None
        words = error.message
        if error.code == "draft_changed":
            words = "ほかの人が先に保存しました。「保存する」をおすと、両方を見くらべられます。"
        return JsonResponse({"code": error.code, "message": words}, status=status)


class Check(RulesPage):
    """``…/check``: sentences, differences and what would change; a post adopts."""

    needs = {"get": Permission.RULES_MANAGE, "post": Permission.RULES_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, draft_id: int) -> Answer:
        return self._page(request, scope, draft_id, ReasonForm())

    def post(self, request: HttpRequest, scope: Scope, draft_id: int) -> Answer:
        """Adopt it."""
        code = _open(scope, draft_id).programme
        rules.adopt(draft_id=draft_id, version=_version(request),
                    reason=request.POST.get("reason", "")[:200], by=scope)
        messages.success(request, "要領を 定めました。")
        return HttpResponseRedirect(reverse("council-programme", args=[code]))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        status = status_of(error)
        if status not in (409, 422):
            return None
        one = _open(scope, path["draft_id"])
        if error.code in ("reason_missing", "draft_changed"):
            form = ReasonForm(request.POST)
            form.add_error("reason" if error.code == "reason_missing" else None, error.message)
            return self._page(request, scope, one.id, form, status)
        return edit(scope, one, one.form, errors=error.fields or {"": error.message},
                    status=status)

    @staticmethod
    def _page(
        request: HttpRequest, scope: Scope, draft_id: int, form: ReasonForm, status: int = 200
    ) -> Reply:
        one = _open(scope, draft_id)
        meant = rules.meant(draft_id=draft_id, by=scope)
        past = written.history(scope, code=one.programme)
        before = past.rule_set(one.replaces) if one.replaces else past.in_force(meant.begins_on)
        period = PeriodForm(request.GET or None)
        since = _since(request, period)
        replaces = past.rule_set(one.replaces).rules.code if one.replaces else ""
        found = None
        try:
            if not period.errors:
                found = rule_preview.preview(scope, rules=meant, since=since, replaces=replaces)
        except Refused as error:
            if "since" not in error.fields:
                raise
            period.add_error("since", error.message)
        if found is not None and not period.is_bound:
            period = PeriodForm(initial={"since": found.since.isoformat()})
        return Reply("web/council/rules_check.html", {
            "heading": "要領の案を たしかめる", "meta": past.name, "said": sentences(meant),
            "begins": day(meant.begins_on), "citation": one.form["citation"],
            "before": day(before.rules.begins_on) if before else "",
            "parts": difference(sentences(before.rules), sentences(meant)) if before else None,
            "preview": found, "figures": figures(found), "period": period,
            "since": day(found.since) if found else "", "until": day(found.until) if found else "",
            "replaces": bool(one.replaces), "version": one.version,
            "form": form, "action": reverse("council-rule-check", args=[one.id]),
            "edit_url": reverse("council-rule-draft", args=[one.id]),
        }, status=status)


class Drop(RulesPage):
    """Give a draft up."""

    needs = {"post": Permission.RULES_MANAGE}

    def post(self, request: HttpRequest, scope: Scope, draft_id: int) -> Answer:
        code = written.draft(scope, draft_id=draft_id).programme
        rules.drop(draft_id=draft_id, by=scope)
        messages.success(request, "案を やめました。")
        return HttpResponseRedirect(reverse("council-programme", args=[code]))


def edit(
    scope: Scope, one: DraftFact, form: Form, *, errors: dict[str, str] | None = None,
    conflict: list[Block] | None = None, saved_text: str = "", status: int = 200,
) -> Reply:
    """The form with what was typed."""
    drawn = RuleDraftForm(form, errors)
    past: ProgrammeHistory = written.history(scope, code=one.programme)
    latest = past.latest_award_on
    return Reply("web/council/rules_draft.html", {
        "heading": "要領の案", "meta": past.name, "other": one.saved_by,
        "form": drawn, "sections": drawn.sections(),
        "version": one.version, "conflict": conflict,
        "saved_text": saved_text or f"{jclock(local(one.saved_at))} に保存した内容です",
        "latest": day(latest) if latest else "",
        "action": reverse("council-rule-draft", args=[one.id]),
        "autosave_url": reverse("council-rule-autosave", args=[one.id]),
        "drop": action("案をやめる", reverse("council-rule-drop", args=[one.id]), kind="danger",
                       method="post"),
        "back_url": reverse("council-programme", args=[one.programme]),
    }, status=status)


def figures(found: Preview | None) -> list[Block]:
    """The preview in numbers."""
    if found is None:
        return []
    sign = "＋" if found.difference > 0 else ""
    return [
        {"label": "参加記録", "value": f"{found.attendances:,}", "unit": "件",
         "note": f"{found.people:,}人"},
        {"label": "いまの要領", "value": f"{found.before:,}", "unit": "ポイント", "note": ""},
        {"label": "この案", "value": f"{found.after:,}", "unit": "ポイント",
         "note": f"差 {sign}{found.difference:,}"},
        {"label": "ふえる方", "value": f"{found.more:,}", "unit": "人",
         "note": f"いちばん多い方で ＋{found.largest_gain:,}" if found.more else ""},
        {"label": "へる方", "value": f"{found.fewer:,}", "unit": "人",
         "note": f"いちばん多い方で −{found.largest_loss:,}" if found.fewer else ""},
        {"label": "かわらない方", "value": f"{found.same:,}", "unit": "人", "note": ""},
    ]


def _open(scope: Scope, draft_id: int) -> DraftFact:
    """A draft that is being written; a closed one is not found."""
    one = written.draft(scope, draft_id=draft_id)
    if one.outcome != "open":
        raise NotFound
    return one


def _since(request: HttpRequest, period: PeriodForm) -> Any:
    text = request.GET.get("since", "")
    if not text or not period.is_valid():
        return None
    try:
        return parse_date(text).first
    except DateRefused as error:
        period.add_error("since", error.message)
        return None


def _conflict(one: DraftFact, mine: Form) -> list[Block]:
    """Where what was typed differs from what somebody else saved."""
    found = []
    for name in sorted({*one.form, *mine} - {"rates"}):
        theirs, typed_ = one.form.get(name, ""), mine.get(name, "")
        if theirs != typed_:
            label = LABELS[name][0] if name in LABELS else "対象の活動"
            found.append({"label": label, "mine": _words(typed_), "theirs": _words(theirs)})
    if one.form.get("rates") != mine.get("rates"):
        found.append({"label": "活動の種類", "mine": _rates(mine), "theirs": _rates(one.form)})
    return found


def _words(value: Any) -> str:
    return "、".join(value) if isinstance(value, list) else str(value) or "（空）"


def _rates(form: Form) -> str:
    rows = [f"{one.get('label', '')} {one.get('points', '')}" for one in form.get("rates") or []]
    return "、".join(rows) or "（空）"


def _version(request: HttpRequest) -> int:
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
