"""What holders reported, waiting for an officer (R12), and what only people can tell.

Owns the review queue of 変更の申出, the roster facts by hand, nominations, and the release of a
protected person.  Refuses to put a report straight in: the officer changes the record and says so.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from evacuation.operations import corrections, roster
from evacuation.queries import roster as queries
from registry.access import Scope
from registry.domain.errors import NotFound, TsunagariError
from registry.domain.roles import Permission
from web.forms.custody import DecisionForm, DescribeForm
from web.views import blocks
from web.views.base import Answer, Reply, status_of
from web.views.office_page import OfficePage, form_again, form_reply


class CorrectionPage(OfficePage):
    section = "office-roster"
    work = "work.correction"


class Corrections(CorrectionPage):
    """What waits, oldest first."""

    needs = {"get": Permission.ROSTER_MANAGE}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        return Reply(
            "web/office/list.html",
            {
                "heading": "変更の申出",
                "meta": "町内会・民生委員が知らせたこと",
                "actions": [],
                "caption": "確認まち",
                "headers": ["対象の方", "申出の内容", "役職", "知らせた人", "日時"],
                "rows": [
                    blocks.row(
                        one.name,
                        one.sentence,
                        one.office_name,
                        one.reported_by,
                        blocks.moment(one.reported_at),
                        url=reverse("office-correction", args=[one.id]),
                    )
                    for one in queries.corrections(scope)
                ],
                "empty_text": "確認まちの申出は ありません。",
                "note": "ここに書かれたことは、確かめるまで名簿に入りません。",
            },
        )


class Correction(CorrectionPage):
    """One report: look, change the record where it belongs, then say what was done."""

    needs = {"get": Permission.ROSTER_MANAGE, "post": Permission.ROSTER_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, correction_id: int) -> Answer:
        return _correction(_found(scope, correction_id), DecisionForm())

    def post(self, request: HttpRequest, scope: Scope, correction_id: int) -> Answer:
        form = DecisionForm(request.POST)
        if not form.is_valid():
            return _correction(_found(scope, correction_id), form, 422)
        corrections.decide(
            correction_id=correction_id,
            accepted=form.cleaned_data["decision"] == "accepted",
            note=form.cleaned_data["note"],
            by=scope,
        )
        messages.success(request, "申出を確認ずみにしました。")
        return HttpResponseRedirect(reverse("office-corrections"))


class Describe(CorrectionPage):
    """Emergency contact, bedroom and the way to communicate, by hand."""

    needs = {"get": Permission.ROSTER_MANAGE, "post": Permission.ROSTER_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, person_id: int) -> Answer:
        page = queries.roster_page(scope, person_id=person_id)
        names = [name for name in DescribeForm.base_fields if name != "version"]
        form = DescribeForm(
            initial={name: getattr(page, name) for name in names} | {"version": page.version}
        )
        return form_reply(form, **_words(page))

    def post(self, request: HttpRequest, scope: Scope, person_id: int) -> Answer:
        form = DescribeForm(request.POST)
        if not form.is_valid():
            return form_reply(
                form, status=422, **_words(queries.roster_page(scope, person_id=person_id))
            )
        values = dict(form.cleaned_data)
        version = values.pop("version")
        roster.describe(person_id=person_id, values=values, version=version, by=scope)
        messages.success(request, "名簿の内容を直しました。")
        return HttpResponseRedirect(blocks.link("office-person", person_id, purpose="roster"))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        page = queries.roster_page(scope, person_id=path["person_id"])
        return form_again(DescribeForm(request.POST), error, **_words(page))


class ListingForm(forms.Form):
    """A nomination, or an officer's word, with its reason."""

    kind = forms.ChoiceField(
        label="種類",
        widget=forms.RadioSelect,
        error_messages={"required": "種類を選んでください。"},
        choices=(
            ("self_nominated", "本人の申出"),
            ("third_party", "関係者からの申出"),
            ("manual_include", "職権による登載"),
            ("manual_exclude", "職権による除外"),
        ),
    )
    reason = forms.CharField(
        label="理由",
        max_length=240,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "理由を入力してください。"},
    )


class Listing(CorrectionPage):
    """Nominate somebody, or include or exclude with a reason; the next run reads it."""

    needs = {"get": Permission.ROSTER_MANAGE, "post": Permission.ROSTER_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, person_id: int) -> Answer:
        return form_reply(ListingForm(), **_listing(person_id))

    def post(self, request: HttpRequest, scope: Scope, person_id: int) -> Answer:
        form = ListingForm(request.POST)
        if not form.is_valid():
            return form_reply(form, status=422, **_listing(person_id))
        roster.request_listing(person_id=person_id, by=scope, **form.cleaned_data)
        messages.success(request, "記録しました。つぎの「名簿の更新」で反映します。")
        return HttpResponseRedirect(blocks.link("office-person", person_id, purpose="roster"))


class Why(CorrectionPage):
    """Why this person is, or is not, in what each office receives: every no is explained."""

    needs = {"get": Permission.ROSTER_VIEW}
    work = "work.explain"

    def get(self, request: HttpRequest, scope: Scope, person_id: int) -> Answer:
        page = queries.roster_page(scope, person_id=person_id)
        found = queries.explain(scope, person_id=person_id)
        return Reply(
            "web/office/detail.html",
            {
                "heading": f"{page.line.name}さんは どの名簿に のるか",
                "meta": "いまの同意・区域・支援措置で決めた答えです",
                "tables": [
                    blocks.table(
                        "提供先ごとの答え",
                        ["提供先", "答え", "理由", "いまの版"],
                        [
                            blocks.row(
                                one.office_name,
                                blocks.cell(
                                    "のる" if one.include else "のらない",
                                    "good" if one.include else "caution",
                                ),
                                one.reason,
                                "のっています" if one.in_newest_edition else "のっていません",
                            )
                            for one in found
                        ],
                        "この方の区域を受け持つ提供先が ありません。",
                    )
                ],
                "back_url": blocks.link("office-person", person_id, purpose="roster"),
            },
        )


def _found(scope: Scope, correction_id: int) -> queries.CorrectionFact:
    for one in queries.corrections(scope, waiting_only=False):
        if one.id == correction_id:
            return one
    raise NotFound


def _correction(one: queries.CorrectionFact, form: DecisionForm, status: int = 200) -> Reply:
    waiting = one.state == "waiting"
    return Reply(
        "web/office/detail.html",
        {
            "heading": f"{one.name}さんの変更の申出",
            "badges": [{"label": one.state_label, "kind": "caution" if waiting else "soft"}],
            "meta": blocks.moment(one.reported_at),
            "actions": [
                blocks.action(
                    "この方を開く",
                    blocks.link("office-person", one.person_id, purpose="holder_inquiry"),
                ),
                blocks.action("名簿を直す", reverse("office-describe", args=[one.person_id])),
            ],
            "sections": [
                {
                    "title": "申出",
                    "rows": [
                        blocks.fact("内容", one.sentence),
                        blocks.fact("知らせた人", one.reported_by),
                        blocks.fact("役職", one.office_name),
                        *([blocks.fact("確認の結果", one.note)] if not waiting else []),
                    ],
                }
            ],
            "form": form if waiting else None,
            "form_title": "確認の結果",
            "form_lead": "先に台帳か名簿を直してから、結果を記録します。",
            "form_action": reverse("office-correction", args=[one.id]),
            "form_submit": "確認ずみにする",
            "back_url": reverse("office-corrections"),
        },
        status=status,
    )


def _words(page: queries.RosterPage) -> dict[str, Any]:
    return {
        "heading": f"{page.line.name}さんの名簿の内容",
        "submit": "保存する",
        "url": reverse("office-describe", args=[page.line.person_id]),
        "back": blocks.link("office-person", page.line.person_id, purpose="roster"),
    }


def _listing(person_id: int) -> dict[str, Any]:
    return {
        "heading": "申出・職権の記録",
        "submit": "記録する",
        "lead": "要件にあてはまらない方も、申出や職権でのせられます。理由が残ります。",
        "url": reverse("office-listing", args=[person_id]),
        "back": blocks.link("office-person", person_id, purpose="roster"),
    }
