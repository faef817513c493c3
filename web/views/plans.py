"""Plans: the list, the hub of one plan, its history and its sheet.

Owns the reading pages of 個別避難計画.  Refuses nobody's plan to be opened outside the visitor's
rows: a care manager sees the own caseload, others are not there.  R2, R14, R15.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.urls import reverse

from evacuation.domain.planning import PlanAct, PlanState
from evacuation.operations.plan_sheets import rendered
from evacuation.queries import plan_sheets
from evacuation.queries import plans as queries
from registry.access import Scope
from registry.domain.roles import Permission
from web.views import blocks, plan_words
from web.views.base import Answer, Reply, file_response
from web.views.office_page import PAGE, OfficePage

BADGE = {
    PlanState.NOT_STARTED: "soft",
    PlanState.SUBMITTED: "caution",
    PlanState.RETURNED: "bad",
    PlanState.APPROVED: "good",
    PlanState.SHARED: "good",
    PlanState.REVIEW_DUE: "bad",
}
#: What a filter of the list means: a queue may hold several states.
GROUPS: Mapping[str, tuple[PlanState, ...]] = {
    "not_started": (PlanState.NOT_STARTED, PlanState.CONSENT_ASKED),
    "draft": (PlanState.CONSENTED, PlanState.ASSIGNED, PlanState.DRAFT),
    "returned": (PlanState.RETURNED,),
    "submitted": (PlanState.SUBMITTED,),
    "approved": (PlanState.APPROVED, PlanState.SHARED),
    "review_due": (PlanState.REVIEW_DUE,),
    "withdrawn": (PlanState.WITHDRAWN,),
}
LABELS = {
    "not_started": "計画なし",
    "draft": "書きかけ",
    "returned": "差し戻し",
    "submitted": "承認待ち",
    "approved": "承認ずみ",
    "review_due": "見直しの時期",
    "withdrawn": "取り下げ",
}


class PlanFilter(forms.Form):
    """What the list shows."""

    state = forms.ChoiceField(
        label="状態", required=False, choices=(("", "すべて"), *LABELS.items())
    )
    q = forms.CharField(
        label="名前・よみ・名簿番号",
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class PlanPage(OfficePage):
    section = "office-plans"
    work = "work.plan"


class Plans(PlanPage):
    """Everybody on the roster with the state of the plan, those without one too (R15)."""

    needs = {"get": Permission.PLAN_VIEW, "post": Permission.PLAN_VIEW}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        """The queue that a link names by its state."""
        asked = QueryDict(mutable=True)
        asked["state"] = request.GET.get("state", "")
        return self._found(scope, asked)

    def post(self, request: HttpRequest, scope: Scope) -> Answer:
        """A search changes nothing; it is posted so that no name stands in an address."""
        return self._found(scope, request.POST)

    @staticmethod
    def _found(scope: Scope, asked: QueryDict) -> Reply:
        form = PlanFilter(asked)
        form.is_valid()
        state, text = form.cleaned_data.get("state", ""), form.cleaned_data.get("q", "")
        page = queries.plan_list(
            scope,
            states=GROUPS.get(state),
            text=text,
            limit=PAGE,
            cursor=asked.get("after") or None,
        )
        supporters = scope.may(Permission.SUPPORTERS_PROPOSE)
        return Reply(
            "web/office/detail_list.html",
            {
                "heading": "個別避難計画",
                "meta": "名簿にのっている方",
                "actions": [blocks.action("足りない支援者", blocks.link("office-supporters"))]
                if supporters
                else [],
                "filter_form": form,
                "filter_method": "post",
                "filter_action": reverse("office-plans"),
                "reset_url": blocks.link("office-plans"),
                "tables": [
                    blocks.table(
                        "名簿番号の順",
                        [
                            "氏名",
                            "名簿番号",
                            "町内会",
                            "状態",
                            "見直し",
                            "受け持ち",
                            "更新",
                            "計画",
                        ],
                        [_line(scope, one) for one in page.items],
                        "あてはまる方は いません。",
                    )
                ],
                "next_page": blocks.action(
                    "つぎの一覧",
                    reverse("office-plans"),
                    method="post",
                    state=state,
                    q=text,
                    after=page.next,
                )
                if page.next
                else None,
            },
        )


class Hub(PlanPage):
    """All steps of one plan, where it stands, and what can be done."""

    needs = {"get": Permission.PLAN_VIEW}

    def get(self, request: HttpRequest, scope: Scope, plan_id: int) -> Answer:
        return draw_hub(scope, plan_id)


def draw_hub(scope: Scope, plan_id: int, error: str = "", status: int = 200) -> Reply:
    """The hub, with a refusal said on top."""
    hub = queries.hub(scope, plan_id=plan_id)
    return Reply(
        "web/plan/hub.html",
        {
            **plan_words.frame(scope, hub),
            "actions": plan_words.acts(scope, hub),
            "errors": [{"href": "", "message": error}] if error else [],
            "state_text": plan_words.NEXT.get(hub.state, ""),
            "answers": plan_words.answers(hub),
            "facts": [
                blocks.fact("版", f"第{hub.version_number}版" if hub.version_number else "まだ"),
                blocks.fact("受け持ち", hub.drafter),
                blocks.fact("書いた人", hub.author),
                blocks.fact(
                    "提出",
                    " ".join(filter(None, (blocks.moment(hub.submitted_at), hub.submitted_by))),
                ),
                blocks.fact(
                    "承認",
                    " ".join(filter(None, (blocks.moment(hub.approved_at), hub.approved_by))),
                ),
                blocks.fact(
                    "見直しの期限",
                    " ".join(filter(None, (blocks.day(hub.review_due_on), hub.review_label))),
                ),
            ],
            "returned": {"text": hub.return_reason, "by": "", "at_text": ""}
            if hub.return_reason
            else None,
            "has_sheet": hub.version_number > 0,
        },
        status=status,
    )


class History(PlanPage):
    """What happened to the plan, newest first."""

    needs = {"get": Permission.PLAN_VIEW}

    def get(self, request: HttpRequest, scope: Scope, plan_id: int) -> Answer:
        names = {
            PlanAct.ASK_CONSENT: "同意の確認を始めた",
            PlanAct.RECORD_CONSENT: "同意を確かめた",
            PlanAct.ASSIGN: "受け持ちを決めた",
            PlanAct.BEGIN: "書きはじめた",
            PlanAct.SUBMIT: "提出",
            PlanAct.RETURN: "差し戻し",
            PlanAct.APPROVE: "承認",
            PlanAct.SHARE: "提供",
            PlanAct.FALL_DUE: "見直しの時期",
            PlanAct.REVISE: "新しい版",
            PlanAct.WITHDRAW: "取り下げ",
            PlanAct.REOPEN: "再開",
        }
        labels = {act.value: word for act, word in names.items()}
        return Reply(
            "web/office/detail.html",
            {
                "heading": "計画の記録",
                "tables": [
                    blocks.table(
                        "新しい順",
                        ["日時", "できごと", "そのあとの状態", "だれが", "備考"],
                        [
                            blocks.row(
                                blocks.moment(one.at),
                                labels.get(one.event, one.event),
                                one.state_label,
                                one.by,
                                one.note,
                            )
                            for one in queries.history(scope, plan_id=plan_id)
                        ],
                    )
                ],
                "back_url": blocks.link("office-plan", plan_id),
            },
        )


class _SheetLater(HttpResponse):
    """Carries the values out of the transaction; rendering holds no lock."""

    def __init__(self, sheet: plan_sheets.Sheet) -> None:
        super().__init__()
        self.sheet = sheet


class Sheet(PlanPage):
    """The two-page sheet as a PDF; a draft says that it is one (R14 is on every print)."""

    needs = {"get": Permission.PLAN_VIEW}

    def get(self, request: HttpRequest, scope: Scope, plan_id: int) -> Answer:
        return _SheetLater(plan_sheets.sheet(scope, plan_id=plan_id))

    def _drawn(
        self, request: HttpRequest, answer: Answer, frame: Mapping[str, Any]
    ) -> HttpResponseBase:
        if not isinstance(answer, _SheetLater):
            return super()._drawn(request, answer, frame)
        sheet = answer.sheet
        return file_response(
            rendered(sheet),
            kind="application/pdf",
            name=f"keikaku-{sheet.values.plan_number}-v{sheet.version}.pdf",
        )


def _line(scope: Scope, one: queries.PlanLine) -> blocks.Block:
    if one.plan_id is not None:
        post = blocks.action("開く", blocks.link("office-plan", one.plan_id))
    elif scope.may(Permission.PLAN_DRAFT):
        post = blocks.action(
            "始める", blocks.link("office-plan-start", one.person_id), method="post"
        )
    else:
        post = blocks.action("この方", blocks.link("office-person", one.person_id, purpose="plan"))
    return blocks.row(
        one.name,
        one.roster_number,
        one.area_name,
        blocks.cell(one.state_label, BADGE.get(PlanState(one.state), "soft")),
        " ".join(filter(None, (blocks.short_day(one.review_due_on), one.review_label))),
        one.drafter,
        blocks.moment(one.updated_at),
        post=post,
    )
