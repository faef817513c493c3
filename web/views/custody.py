"""Where every copy is, for the staff who manage custody.

Owns the overview, one copy with its history, the steps staff record, and the letters.  Refuses
nothing itself: ``domain.custody`` judges each step (R5, R9).
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from evacuation.domain.custody import Act
from evacuation.operations import custody
from evacuation.queries import custody as queries
from registry.access import Scope
from registry.domain.errors import TsunagariError
from registry.domain.roles import Permission
from web.forms.custody import CustodyForm
from web.views import blocks
from web.views.base import Answer, Reply, file_response, status_of
from web.views.office import vacant_offices
from web.views.office_page import OfficePage, keeps

STATES = {
    "issued": "caution",
    "received": "good",
    "recalled": "bad",
    "returned": "soft",
    "destroyed": "soft",
    "lost": "bad",
}
#: What staff can record of a copy in each state (the domain judges once more).
POSSIBLE = {
    "issued": {"receive", "recall", "return"},
    "received": {"check", "recall", "return", "destroy"},
    "recalled": {"check", "return", "destroy"},
    "returned": {"destroy"},
    "lost": {"find"},
    "destroyed": set(),
}


class CustodyPage(OfficePage):
    section = "office-custody"
    work = "work.custody"


class Custody(CustodyPage):
    """Sums that must add up, and what is overdue."""

    needs = {"get": Permission.CUSTODY_MANAGE}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        now = queries.overview(scope)
        vacant = vacant_offices(scope)
        notices = [
            {
                "kind": "bad",
                "text": f"紛失 副本{one.copy_number}（{one.people}人）："
                f"速報は{blocks.short_day(one.first_due_on)}まで、"
                f"確報は{blocks.short_day(one.final_due_on)}まで。",
            }
            for one in now.losses
        ]
        if vacant:
            notices.append({"kind": "caution", "text": f"欠員の役職：{'、'.join(vacant)}"})
        actions = (
            [blocks.action("定期提供", reverse("office-sharing"), kind="primary")]
            if (scope.may(Permission.SHARING_RUN))
            else []
        )
        return Reply(
            "web/office/detail.html",
            {
                "heading": "提供と写し",
                "meta": "発行 ＝ 保管中 ＋ 返却 ＋ 廃棄 ＋ 紛失",
                "actions": actions,
                "notices": notices,
                "figures": [
                    {"label": label, "value": value, "unit": "冊", "note": ""}
                    for label, value in (
                        ("発行", now.issued),
                        ("保管中", now.held),
                        ("返却", now.returned),
                        ("廃棄", now.destroyed),
                        ("紛失", now.lost),
                        ("消し込みまち", now.strike_outs_open),
                    )
                ],
                "tables": [
                    *(
                        _copies(caption, found)
                        for caption, found in (
                            ("所在の確認が期限すぎ", now.checks_overdue),
                            ("任期が終わった方の手元", now.former_holders),
                            ("返却をお願い中", now.recalled),
                            ("受領まち", now.waiting_receipt),
                        )
                        if found
                    ),
                    _copies("すべての写し", tuple(queries.copies(scope))),
                ],
                "back_url": reverse("office-home"),
            },
        )


class OneCopy(CustodyPage):
    """One copy: its state, its history, and the next step."""

    needs = {"get": Permission.CUSTODY_MANAGE, "post": Permission.CUSTODY_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, copy_id: int) -> Answer:
        return _one(scope, queries.copy_fact(scope, copy_id=copy_id), None)

    def post(self, request: HttpRequest, scope: Scope, copy_id: int) -> Answer:
        copy = queries.copy_fact(scope, copy_id=copy_id)
        form = _form(copy, request)
        if not form.is_valid():
            return _one(scope, copy, form, 422)
        custody.act(
            copy_id=copy_id,
            what=Act(form.cleaned_data["act"]),
            by=scope,
            note=form.cleaned_data["note"],
            version=int(request.POST.get("version") or copy.version),
        )
        messages.success(request, f"副本{copy.number}の手続きを記録しました。")
        return HttpResponseRedirect(reverse("office-copy", args=[copy_id]))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        copy = queries.copy_fact(scope, copy_id=path["copy_id"])
        form = keeps(_form(copy, request), error)
        return _one(scope, copy, form, status_of(error))


class Letter(CustodyPage):
    """A strike-out order or a loss notice, for printing; on record as an export."""

    needs = {"get": Permission.CUSTODY_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, letter_id: int) -> HttpResponse:
        name, body = queries.letter_file(scope, letter_id=letter_id)
        return file_response(body, name=name, kind="application/pdf")


def _copies(caption: str, found: tuple[queries.CopyFact, ...]) -> blocks.Block:
    return blocks.table(
        caption,
        ["副本", "種類", "役職", "持っている方", "状態", "つぎの確認", "人数"],
        [
            blocks.row(
                one.number,
                one.medium_label,
                one.office_name,
                one.holder_name
                + ("" if one.holder_current or not one.holder_name else "（任期が終わった方）"),
                blocks.cell(one.state_label, STATES[one.state]),
                blocks.cell(
                    blocks.short_day(one.next_check_on), "bad" if one.check_overdue else ""
                ),
                f"{one.people}人",
                url=reverse("office-copy", args=[one.id]),
            )
            for one in found
        ],
        "ありません。",
    )


def _form(copy: queries.CopyFact, request: HttpRequest | None = None) -> CustodyForm:
    possible = frozenset(POSSIBLE[copy.state])
    return (
        CustodyForm(request.POST, possible=possible) if request else CustodyForm(possible=possible)
    )


def _one(
    scope: Scope, copy: queries.CopyFact, form: CustodyForm | None, status: int = 200
) -> Reply:
    possible = bool(POSSIBLE[copy.state])
    return Reply(
        "web/office/detail.html",
        {
            "heading": f"副本 {copy.number}",
            "meta": f"{copy.office_name}　{copy.medium_label}",
            "badges": [{"label": copy.state_label, "kind": STATES[copy.state]}],
            "actions": [
                blocks.action(
                    "冊子（PDF）" if copy.medium == "paper" else "表（XLSX）",
                    reverse(
                        "office-edition-file",
                        args=[copy.edition_id, "pdf" if copy.medium == "paper" else "xlsx"],
                    ),
                )
            ],
            "sections": [
                {
                    "title": "この写し",
                    "rows": [
                        blocks.fact("版", copy.edition_number),
                        blocks.fact("人数", f"{copy.people}人"),
                        blocks.fact("持っている方", copy.holder_name),
                        blocks.fact("つぎの確認", blocks.day(copy.next_check_on)),
                        blocks.fact("いまの状態から", blocks.moment(copy.state_at)),
                    ],
                }
            ],
            "form": (form or _form(copy)) if possible else None,
            "form_title": "手続きを記録する",
            "form_action": reverse("office-copy", args=[copy.id]),
            "form_submit": "記録する",
            "form_hidden": {"version": copy.version},
            "tables": [
                blocks.table(
                    "これまでの記録",
                    ["順番", "できごと", "日時", "記録した人", "役職", "備考"],
                    [
                        blocks.row(
                            str(one.sequence),
                            one.word,
                            blocks.moment(one.at),
                            one.by_name,
                            one.office_name,
                            one.note,
                        )
                        for one in queries.copy_events(scope, copy_id=copy.id)
                    ],
                ),
                blocks.table(
                    "消し込みのお願い",
                    ["番号", "何番目", "お願いした日時", "実施"],
                    [
                        blocks.row(
                            one.number,
                            f"{one.position}番目",
                            blocks.moment(one.made_at),
                            blocks.moment(one.done_at) or "まだ",
                        )
                        for one in queries.strike_outs(scope, copy_id=copy.id, open_only=False)
                    ],
                    "ありません。",
                ),
                blocks.table(
                    "通知文",
                    ["文書番号", "種類", "作成"],
                    [
                        blocks.row(
                            one.number,
                            one.label,
                            blocks.moment(one.made_at),
                            url=reverse("office-letter", args=[one.id]),
                        )
                        for one in queries.letters(scope, copy_id=copy.id)
                    ],
                    "ありません。",
                ),
            ],
            "back_url": reverse("office-custody"),
        },
        status=status,
    )
