"""Card prints of the welfare council: the record of them, one card again, reissue with a reason.

Owns ``/council/prints`` and ``/council/volunteers/<id>/card``.  Refuses a code on a screen and a
reissue without a reason; the old code dies, points stay (P6).
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from points.domain import tokens
from points.operations import papers
from points.queries.prints import PrintLine, print_of, prints
from registry.access import Scope
from registry.domain.errors import NotFound
from registry.domain.roles import Permission
from registry.operations import cards
from registry.queries.cards import cards_of
from registry.queries.volunteers import volunteer_facts
from web.forms.council import CardForm
from web.views import blocks
from web.views.base import Answer, Page, Reply
from web.views.council_volunteers import formats, printed

PAGE = 50


class Prints(Page):
    """``/council/prints``: who printed how many cards when."""

    needs = {"get": Permission.CARDS_ISSUE}
    section = "council-volunteers"

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        found = prints(scope, before=blocks.whole_number(request, "before") or None, limit=PAGE)
        more = len(found) == PAGE
        return Reply("web/office/list.html", {
            "heading": "カードの印刷の記録", "meta": f"この画面 {len(found)}回",
            "actions": [{"label": "練習用のQR", "url": reverse("host-practice"), "kind": ""},
                        {"label": "ボランティア", "url": reverse("council-volunteers"),
                         "kind": ""}],
            "caption": "新しい順", "headers": ["日時", "わけ", "用紙", "枚数", "印刷した人"],
            "rows": [blocks.row(blocks.moment(one.printed_at), one.why, _form(one),
                                f"{one.cards:,}枚", one.printed_by,
                                url=reverse("council-print", args=[one.id])) for one in found],
            "empty_text": "まだ印刷していません。",
            "next_url": blocks.link("council-prints", before=found[-1].id) if more else None,
        })


class OnePrint(Page):
    """``/council/prints/<id>``: which cards stood on the paper."""

    needs = {"get": Permission.CARDS_ISSUE}
    section = "council-volunteers"

    def get(self, request: HttpRequest, scope: Scope, print_id: int) -> Answer:
        head, lines = print_of(scope, print_id=print_id)
        return Reply("web/office/list.html", {
            "heading": f"{blocks.moment(head.printed_at)}の印刷",
            "meta": f"{head.why}・{_form(head)}・{head.cards:,}枚・{head.printed_by}",
            "actions": [{"label": "記録の一覧", "url": reverse("council-prints"), "kind": ""}],
            "caption": "紙の順", "headers": ["氏名", "手帳番号", "コードの末尾", "いま"],
            "rows": [blocks.row(one.name, one.number, one.tail,
                                blocks.cell("無効", "caution") if one.cancelled
                                else blocks.cell("使えます", "good"),
                                url=reverse("council-volunteer", args=[one.volunteer_id]))
                     for one in lines],
            "note": "この一覧を開いた記録は残ります。コードは画面に出ません。",
        })


class CardOf(Page):
    """One volunteer's card: issue, print again, reissue."""

    needs = {"get": Permission.CARDS_ISSUE, "post": Permission.CARDS_ISSUE}
    section = "council-volunteers"

    def get(self, request: HttpRequest, scope: Scope, volunteer_id: int) -> Answer:
        return self._drawn_form(scope, volunteer_id, CardForm(
            initial={"act": "reprint"}, formats=formats()))

    def post(self, request: HttpRequest, scope: Scope, volunteer_id: int) -> Answer:
        form = CardForm(request.POST, formats=formats())
        if not form.is_valid():
            return self._drawn_form(scope, volunteer_id, form, 422)
        given: dict[str, Any] = form.cleaned_data
        if given["act"] == "reprint" and cards_of(scope, volunteer_ids=[volunteer_id]):
            return printed(scope, [volunteer_id], form=given["form"])
        first = not cards_of(scope, volunteer_ids=[volunteer_id])
        cards.reissue_card(volunteer_id=volunteer_id, code=tokens.mint("card").code, by=scope,
                           reason=given["reason"])
        return printed(scope, [volunteer_id], form=given["form"],
                       why="new" if first else "reissue")

    @staticmethod
    def _drawn_form(
        scope: Scope, volunteer_id: int, form: CardForm, status: int = 200
    ) -> Reply:
        one = volunteer_facts(scope, volunteer_ids=[volunteer_id]).get(volunteer_id)
        if one is None:
            raise NotFound
        held = cards_of(scope, volunteer_ids=[volunteer_id]).get(volunteer_id)
        return Reply("web/office/form.html", {
            "heading": "カードの印刷・再発行", "meta": f"{one.name}さん（{one.number}）",
            "form": form, "action": reverse("council-card", args=[volunteer_id]),
            "lead": (f"いまのカード：末尾 {held.tail}" if held
                     else "使えるカードがありません。新しいカードをつくります。"),
            "warning": "再発行すると、前のカードは すぐに使えなくなります。"
                       "ポイントは そのままです。",
            "submit_label": "印刷する",
            "back_url": reverse("council-volunteer", args=[volunteer_id]),
        }, status=status)


def _form(one: PrintLine) -> str:
    return papers.formats().get(one.sheet_format, one.sheet_format)
