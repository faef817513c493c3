"""The periodic sharing for staff: every recipient's state, and why one is held back.

Owns the pages of 定期提供.  Refuses nothing itself; a recipient who still has the old copy gets
the new one only with a written reason (R7, R9, "Sharing and custody").  No person's name here.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from evacuation.domain.disclosure import Ground
from evacuation.domain.recipients import RecipientKind
from evacuation.operations import sharing
from evacuation.queries import editions
from evacuation.queries import sharing as queries
from registry.access import Scope
from registry.domain.errors import NotFound, TsunagariError
from registry.domain.roles import Permission
from web.forms.custody import ReasonForm
from web.views import blocks
from web.views.base import Answer, Reply, file_response, status_of
from web.views.office_page import OfficePage, form_again, form_reply

KINDS = {"waiting": "caution", "issued": "good", "held_back": "bad"}


class SharingPage(OfficePage):
    section = "office-custody"
    work = "work.sharing"


class SharingRuns(SharingPage):
    """The sharings so far, and the one that can be begun now."""

    needs = {"get": Permission.SHARING_RUN, "post": Permission.SHARING_RUN}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        runs = queries.sharing_runs(scope)
        begun = {one.period for one in runs}
        return Reply(
            "web/office/detail.html",
            {
                "heading": "定期提供",
                "meta": "年に2回、町内会・民生委員ごとに版をつくります",
                "actions": [
                    blocks.action(
                        f"{_period(period)}を{'確かめる' if period in begun else '始める'}",
                        reverse("office-sharing"),
                        kind="primary",
                        method="post",
                        period=period,
                    )
                    for period in sharing.current_periods(scope.at)
                ],
                "tables": [
                    blocks.table(
                        "これまでの提供",
                        ["時期", "提供先", "発行ずみ", "作成まち", "保留", "のべ人数", "根拠"],
                        [
                            blocks.row(
                                _period(one.period),
                                str(one.recipients),
                                str(one.issued),
                                str(one.waiting),
                                blocks.cell(one.held_back, "bad") if one.held_back else "0",
                                str(one.people),
                                one.citation,
                                url=reverse("office-sharing-run", args=[one.period]),
                            )
                            for one in runs
                        ],
                        "まだ ありません。",
                    )
                ],
                "back_url": reverse("office-custody"),
            },
        )

    def post(self, request: HttpRequest, scope: Scope) -> Answer:
        run = sharing.open_run(period=request.POST.get("period", ""), by=scope)
        messages.success(request, "提供を始めました。版は順に できあがります。")
        return HttpResponseRedirect(reverse("office-sharing-run", args=[run.period]))


class SharingRun(SharingPage):
    """One sharing: who has an edition, who waits, who is held back and why."""

    needs = {"get": Permission.SHARING_RUN}

    def get(self, request: HttpRequest, scope: Scope, period: str) -> Answer:
        run = queries.sharing_runs(scope, period=period)[0]
        wanted = request.GET.get("show", "")
        state = wanted if wanted in KINDS else None
        here = reverse("office-sharing-run", args=[period])
        labels = {"issued": "発行ずみ", "waiting": "作成まち", "held_back": "保留"}
        counts = {"issued": run.issued, "waiting": run.waiting, "held_back": run.held_back}
        return Reply(
            "web/office/detail.html",
            {
                "heading": _period(period),
                "meta": f"基準日 {blocks.day(run.as_of)}",
                "notices": [
                    {
                        "kind": "caution",
                        "text": f"保留が{run.held_back}件あります。理由を見て、直してください。",
                    }
                ]
                if run.held_back
                else [],
                "figures": [
                    {"label": "提供先", "value": run.recipients, "unit": "か所", "note": ""},
                    *(
                        {"label": labels[code], "value": count, "unit": "か所", "note": ""}
                        for code, count in counts.items()
                    ),
                    {"label": "のべ人数", "value": run.people, "unit": "人", "note": run.citation},
                ],
                "tabs": [{"label": "すべて", "url": here, "current": state is None}]
                + [
                    {
                        "label": f"{label} {counts[code]}",
                        "url": f"{here}?show={code}",
                        "current": state == code,
                    }
                    for code, label in labels.items()
                ],
                "tables": [
                    blocks.table(
                        "提供先",
                        [
                            "提供先",
                            "種別",
                            "状態",
                            "人数",
                            "のせなかった人数",
                            "保留の理由",
                            "手続き",
                        ],
                        [_task(one) for one in queries.tasks(scope, period=period, state=state)],
                    )
                ],
                "back_url": reverse("office-sharing"),
            },
        )


class Retry(SharingPage):
    """Try a recipient held back once more."""

    needs = {"post": Permission.SHARING_RUN}

    def post(self, request: HttpRequest, scope: Scope, task_id: int) -> Answer:
        task = sharing.retry(task_id=task_id, by=scope)
        messages.success(request, "もう一度 つくります。")
        return HttpResponseRedirect(reverse("office-sharing-run", args=[task.run.period]))


class Despite(SharingPage):
    """Issue although the old copy is not back: only with a reason."""

    needs = {"get": Permission.CUSTODY_MANAGE, "post": Permission.CUSTODY_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, task_id: int) -> Answer:
        return form_reply(_form(), **_words(task_id))

    def post(self, request: HttpRequest, scope: Scope, task_id: int) -> Answer:
        form = _form(request)
        if not form.is_valid():
            return form_reply(form, status=422, **_words(task_id))
        task = sharing.issue_despite_outstanding(
            task_id=task_id, reason=form.cleaned_data["reason"], by=scope
        )
        messages.success(request, "先に渡す理由を記録しました。新しい版をつくります。")
        return HttpResponseRedirect(reverse("office-sharing-run", args=[task.run.period]))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        return form_again(_form(request), error, **_words(path["task_id"]))


class EditionFile(SharingPage):
    """The booklet, the spreadsheet or the difference sheet of one edition, for printing."""

    needs = {"get": Permission.CUSTODY_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, edition_id: int, file: str) -> HttpResponse:
        if file not in ("pdf", "xlsx", "difference"):
            raise NotFound
        found = editions.edition_file(scope, edition_id=edition_id, file=file)
        return file_response(found.body, name=found.name, kind=found.content_type)


def _form(request: HttpRequest | None = None) -> ReasonForm:
    words = {
        "label": "先に渡す理由",
        "hint": "前の副本が戻らないまま渡すわけを、あとの人が分かるように書きます。",
    }
    return ReasonForm(request.POST, **words) if request else ReasonForm(**words)


def _words(task_id: int) -> dict[str, Any]:
    return {
        "heading": "前の副本が戻らないまま渡す",
        "submit": "記録して渡す",
        "submit_kind": "danger-fill",
        "url": reverse("office-sharing-despite", args=[task_id]),
        "back": reverse("office-sharing"),
        "warning": "ふつうは、前の副本の返却を確かめてから渡します。",
    }


def _period(period: str) -> str:
    year, _, month = period.partition("-")
    return f"{year}年{int(month)}月の定期提供" if month.isdigit() else period


def _task(one: queries.TaskFact) -> blocks.Block:
    post = None
    if one.state == "held_back":
        post = (
            blocks.action("先に渡す", reverse("office-sharing-despite", args=[one.id]))
            if (one.code == "custody_old_copy_outstanding")
            else blocks.action(
                "もう一度", reverse("office-sharing-retry", args=[one.id]), method="post"
            )
        )
    elif one.edition_id is not None:
        post = blocks.action(
            "冊子（PDF）", reverse("office-edition-file", args=[one.edition_id, "pdf"])
        )
    return blocks.row(
        one.office_name,
        RecipientKind(one.recipient_kind).label,
        blocks.cell(one.state_label, KINDS[one.state]),
        f"{one.people}人" if one.edition_id else "",
        _withheld(one.withheld),
        one.reason or one.override_reason,
        post=post or blocks.action("詳しく", reverse("office-custody")),
    )


def _withheld(counts: dict[str, int]) -> str:
    labels = {ground.value: _GROUNDS.get(ground, ground.value) for ground in Ground}
    return "\n".join(f"{labels.get(code, code)} {count}人" for code, count in counts.items())


_GROUNDS = {
    Ground.NO_ANSWER: "未回答",
    Ground.REFUSED: "希望しない",
    Ground.WITHDRAWN: "撤回",
    Ground.OUT_OF_SCOPE: "同意の範囲外",
    Ground.PROTECTED: "支援措置",
    Ground.OUT_OF_AREA: "区域の外",
    Ground.AREA_UNKNOWN: "町内会が不明",
    Ground.NOTICE_PENDING: "通知の期限前",
    Ground.NOT_ON_ROSTER: "名簿にない",
    Ground.MODE_NOT_IN_FORCE: "根拠が施行前",
}
