"""What people do with a plan as a whole: start, hand to a drafter, approve, return, revise.

Owns those buttons and their forms, asking for supporters' proposals and choosing another
supporter by name.  Refuses nothing itself: a refusal is said on the hub, nothing is lost.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect, QueryDict
from django.urls import reverse

from evacuation.operations import assignments, matching, plans
from evacuation.queries import plans as queries
from evacuation.queries import supporters
from registry.access import Scope
from registry.domain.errors import TsunagariError
from registry.domain.roles import Permission
from registry.queries import accounts
from registry.queries.people import caseload
from web.forms.custody import ReasonForm
from web.views import blocks
from web.views.base import Answer, Reply, status_of
from web.views.office_page import form_again, form_reply
from web.views.plans import PlanPage, draw_hub


class ActPage(PlanPage):
    """A button of the hub; a refusal is said there."""

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if "plan_id" not in path or status_of(error) not in (409, 422):
            return None
        said = [error.message, *error.fields.values()]
        return draw_hub(scope, path["plan_id"], "　".join(dict.fromkeys(said)), status_of(error))


class Start(PlanPage):
    """Open a plan, or go on as far as the facts allow (R3: not without consent)."""

    needs = {"post": Permission.PLAN_DRAFT}

    def post(self, request: HttpRequest, scope: Scope, person_id: int) -> Answer:
        plan = plans.start(person_id=person_id, by=scope)
        return HttpResponseRedirect(reverse("office-plan", args=[plan.pk]))


class Approve(ActPage):
    """The approver is not the author."""

    needs = {"post": Permission.PLAN_APPROVE}

    def post(self, request: HttpRequest, scope: Scope, plan_id: int) -> Answer:
        plans.approve(plan_id=plan_id, version=_version(request), by=scope)
        messages.success(request, "計画を承認しました。計画書は まもなく できあがります。")
        return HttpResponseRedirect(reverse("office-plan", args=[plan_id]))


class Revise(ActPage):
    """Open the next version of an approved plan."""

    needs = {"post": Permission.PLAN_DRAFT}

    def post(self, request: HttpRequest, scope: Scope, plan_id: int) -> Answer:
        plans.revise(plan_id=plan_id, by=scope)
        messages.success(request, "新しい版をつくりました。前の版の内容から始まります。")
        return HttpResponseRedirect(reverse("office-plan", args=[plan_id]))


class Return(PlanPage):
    """Send it back with a reason."""

    needs = {"get": Permission.PLAN_APPROVE, "post": Permission.PLAN_APPROVE}

    def get(self, request: HttpRequest, scope: Scope, plan_id: int) -> Answer:
        hub = queries.hub(scope, plan_id=plan_id)
        return form_reply(_reason(), token=None, **_return_words(hub))

    def post(self, request: HttpRequest, scope: Scope, plan_id: int) -> Answer:
        hub = queries.hub(scope, plan_id=plan_id)
        form = _reason(request)
        if not form.is_valid():
            return form_reply(form, status=422, **_return_words(hub))
        plans.return_(
            plan_id=plan_id, reason=form.cleaned_data["reason"], version=hub.edit_version, by=scope
        )
        messages.success(request, "差し戻しました。")
        return HttpResponseRedirect(reverse("office-plan", args=[plan_id]))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        hub = queries.hub(scope, plan_id=path["plan_id"])
        return form_again(_reason(request), error, **_return_words(hub))


class DrafterForm(forms.Form):
    """Who writes the plan."""

    drafter_id = forms.TypedChoiceField(
        label="作成を受け持つ人",
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={
            "required": "受け持つ人を選んでください。",
            "invalid_choice": "受け持つ人を選んでください。",
        },
    )

    def __init__(self, *given: Any, choices: list[tuple[int, str]], **more: Any) -> None:
        super().__init__(*given, **more)
        field = self.fields["drafter_id"]
        if isinstance(field, forms.TypedChoiceField):
            field.choices = choices


class Assign(ActPage):
    """The officer oneself, or a care professional who looks after the person."""

    needs = {"get": Permission.SUPPORTERS_PROPOSE, "post": Permission.SUPPORTERS_PROPOSE}

    def get(self, request: HttpRequest, scope: Scope, plan_id: int) -> Answer:
        hub = queries.hub(scope, plan_id=plan_id)
        return form_reply(DrafterForm(choices=_drafters(scope, hub)), **_drafter_words(hub))

    def post(self, request: HttpRequest, scope: Scope, plan_id: int) -> Answer:
        hub = queries.hub(scope, plan_id=plan_id)
        form = DrafterForm(request.POST, choices=_drafters(scope, hub))
        if not form.is_valid():
            return form_reply(form, status=422, **_drafter_words(hub))
        plans.start(person_id=hub.person.id, drafter_id=form.cleaned_data["drafter_id"], by=scope)
        messages.success(request, "作成を受け持つ人を決めました。")
        return HttpResponseRedirect(reverse("office-plan", args=[plan_id]))


class Propose(PlanPage):
    """Ask for proposals of supporters; nobody is contacted."""

    needs = {"post": Permission.SUPPORTERS_PROPOSE}

    def post(self, request: HttpRequest, scope: Scope) -> Answer:
        matching.propose(areas=None, by=scope)
        messages.success(request, "支援者の案を作っています。できあがると、この画面に出ます。")
        return HttpResponseRedirect(reverse("office-supporters"))


class FindSupporter(ActPage):
    """Choose a supporter by name, outside the proposals."""

    needs = {"get": Permission.SUPPORTERS_PROPOSE, "post": Permission.SUPPORTERS_PROPOSE}

    def get(self, request: HttpRequest, scope: Scope, plan_id: int) -> Answer:
        return self._found(scope, plan_id, QueryDict())

    def post(self, request: HttpRequest, scope: Scope, plan_id: int) -> Answer:
        """A search changes nothing; it is posted so that no name stands in an address."""
        return self._found(scope, plan_id, request.POST)

    @staticmethod
    def _found(scope: Scope, plan_id: int, asked: QueryDict) -> Reply:
        hub = queries.hub(scope, plan_id=plan_id)
        text = asked.get("q", "").strip()[:60]
        found = supporters.pool(scope, text=text)[:100] if text else []
        return Reply(
            "web/office/detail_list.html",
            {
                "heading": "ほかの人をさがす",
                "meta": f"{hub.person.name}さんの避難支援をする人",
                "filter_form": FindForm(asked),
                "filter_method": "post",
                "filter_action": reverse("office-plan-supporters", args=[plan_id]),
                "actions": [],
                "tables": [
                    blocks.table(
                        "見つかった人・団体",
                        ["氏名・名称", "町内会", "動ける時間", "受け持ち", "手続き"],
                        [
                            blocks.row(
                                one.name,
                                one.area_name,
                                one.hours,
                                f"{one.load}人（{one.capacity}人まで）",
                                post=blocks.action(
                                    "お願いする人にする",
                                    reverse("office-plan-supporter-add", args=[plan_id]),
                                    method="post",
                                    supporter=one.id,
                                ),
                            )
                            for one in found
                        ],
                        "名前を入れて「表示する」をおしてください。"
                        if not text
                        else "見つかりませんでした。",
                    )
                ],
                "back_url": reverse("office-plan-step", args=[plan_id, 5]),
            },
        )


class AddSupporter(ActPage):
    """Ask one of those found by name."""

    needs = {"post": Permission.SUPPORTERS_PROPOSE}

    def post(self, request: HttpRequest, scope: Scope, plan_id: int) -> Answer:
        hub = queries.hub(scope, plan_id=plan_id)
        chosen = request.POST.get("supporter", "")
        assignments.assign(
            person_id=hub.person.id, by=scope, supporter_id=int(chosen) if chosen.isdigit() else 0
        )
        messages.success(request, "お願いする人に加えました。まだ連絡していません。")
        return HttpResponseRedirect(reverse("office-plan-step", args=[plan_id, 5]))


class FindForm(forms.Form):
    """A name to look for."""

    q = forms.CharField(
        label="氏名・名称・よみ",
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


def _version(request: HttpRequest) -> int:
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _reason(request: HttpRequest | None = None) -> ReasonForm:
    words = {
        "label": "差し戻す理由",
        "hint": "書いた人が、どこをどう直せばよいか分かるように書きます。",
    }
    return ReasonForm(request.POST, **words) if request else ReasonForm(**words)


def _return_words(hub: queries.PlanHub) -> dict[str, Any]:
    return {
        "heading": f"{hub.person.name}さんの計画を差し戻す",
        "submit": "差し戻す",
        "submit_kind": "danger-fill",
        "url": reverse("office-plan-return", args=[hub.plan_id]),
        "back": reverse("office-plan", args=[hub.plan_id]),
    }


def _drafters(scope: Scope, hub: queries.PlanHub) -> list[tuple[int, str]]:
    care = [one.user_id for one in caseload(scope) if one.person_id == hub.person.id]
    names = accounts.display_names({*care, scope.user_id or 0})
    found = [(pk, f"{names[pk]}（担当の福祉専門職）") for pk in care if pk in names]
    own = scope.user_id or 0
    return [(own, f"{names.get(own, '')}（自分）"), *found]


def _drafter_words(hub: queries.PlanHub) -> dict[str, Any]:
    return {
        "heading": f"{hub.person.name}さんの計画の受け持ち",
        "submit": "決める",
        "url": reverse("office-plan-assign", args=[hub.plan_id]),
        "back": reverse("office-plan", args=[hub.plan_id]),
    }
