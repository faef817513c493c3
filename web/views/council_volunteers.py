"""The welfare council's volunteers: the list, one volunteer, new cards and their print.

Owns ``/council/volunteers`` and ``/council/cards``.  Refuses to show a card's code on a screen:
codes leave only on the printed sheet, and making it is logged (P6).
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect, QueryDict
from django.urls import reverse

from points.domain import tokens
from points.operations import papers
from registry.access import Scope
from registry.domain.calendar import age_at
from registry.domain.errors import NotFound, Refused, TsunagariError
from registry.domain.roles import Permission
from registry.operations import cards, devices
from registry.queries.areas import areas, neighbourhoods_within
from registry.queries.cards import cards_of, volunteers_without_card
from registry.queries.devices import phones, tries
from registry.queries.volunteers import VolunteerFacts, search_volunteers, volunteer_facts
from web.forms.council import CardsForm, VolunteerFilter
from web.presenting import local
from web.views import blocks
from web.views.base import Answer, Page, Reply, file_response

PAGE = 50


class Volunteers(Page):
    """``/council/volunteers``"""

    needs = {"get": Permission.VOLUNTEERS_MANAGE, "post": Permission.VOLUNTEERS_MANAGE}
    section = "council-volunteers"

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        return self._found(scope, QueryDict())

    def post(self, request: HttpRequest, scope: Scope) -> Answer:
        """A search changes nothing; it is posted so that no name stands in an address."""
        return self._found(scope, request.POST)

    def _found(self, scope: Scope, asked: QueryDict) -> Reply:
        places = areas(scope)
        districts = [one for one in places if one.kind == "district"]
        form = VolunteerFilter(asked, areas=districts)
        given: dict[str, Any] = form.cleaned_data if form.is_valid() else {"q": "", "area": None}
        within = neighbourhoods_within(scope, given["area"]) if given["area"] else None
        page = search_volunteers(
            scope, text=given["q"], area_ids=within, cursor=asked.get("after") or None,
            limit=PAGE,
        )
        held = cards_of(scope, volunteer_ids=[one.id for one in page.items])
        name_of = {one.id: one.name for one in places}
        here = reverse("council-volunteers")
        following = blocks.action("つぎの一覧", here, method="post", q=given["q"],
                                  area=given["area"] or "", after=page.next)
        return Reply("web/office/list.html", {
            "heading": "ボランティア", "meta": f"この画面 {len(page.items)}人",
            "actions": [{"label": "カードをつくる", "url": reverse("council-cards"),
                         "kind": "primary"},
                        {"label": "印刷の記録", "url": reverse("council-prints"), "kind": ""}],
            "filter_form": form, "filter_method": "post", "filter_action": here, "reset_url": here,
            "caption": "登録しているボランティア（かなの順）",
            "headers": ["氏名", "かな", "手帳番号", "年齢", "町内会", "カード", "支援者さがし"],
            "rows": [self._row(one, scope, name_of, one.id in held) for one in page.items],
            "empty_text": "あてはまる方は いません。",
            "next_page": following if page.next else None,
            "note": "この一覧を開いた記録は残ります。",
        })

    @staticmethod
    def _row(
        one: VolunteerFacts, scope: Scope, name_of: dict[int, str], held: bool
    ) -> dict[str, object]:
        def cell(text: object, badge: str = "") -> dict[str, str]:
            return {"text": str(text), "badge_kind": badge}

        return {
            "url": reverse("council-volunteer", args=[one.id]), "label": one.name,
            "cells": [
                cell(one.kana), cell(one.number), cell(f"{age_at(one.born_on, scope.on)}歳"),
                cell(name_of.get(one.area_id or 0, "－")),
                cell("あり", "good") if held else cell("なし", "caution"),
                cell("使ってよい" if one.opted_in else "－"),
            ],
        }


class Volunteer(Page):
    """``/council/volunteers/<id>``: facts, card and phones of one volunteer."""

    needs = {"get": Permission.VOLUNTEERS_MANAGE}
    section = "council-volunteers"

    def get(self, request: HttpRequest, scope: Scope, volunteer_id: int) -> Answer:
        one = volunteer_facts(scope, volunteer_ids=[volunteer_id]).get(volunteer_id)
        if one is None:
            raise NotFound
        if one.merged_into is not None:
            messages.info(request, f"手帳番号 {one.number} の記録は、この記録にまとめられました。")
            return HttpResponseRedirect(reverse("council-volunteer", args=[one.merged_into]))
        wrong, stopped = tries(scope, volunteer_id=one.id)
        card = cards_of(scope, volunteer_ids=[one.id]).get(one.id)
        bound = phones(scope, volunteer_id=one.id)
        born = f"{one.born_on:%Y年%-m月%-d日}（{age_at(one.born_on, scope.on)}歳）"
        return Reply("web/council/volunteer.html", {
            "one": one, "born": born, "card": card,
            "issued": local(card.issued_at) if card else None,
            "phones": [
                {"label": f"{n}台目", "bound": local(phone.bound_at),
                 "url": reverse("council-phone-remove", args=[phone.id])}
                for n, phone in enumerate(bound, start=1)
            ],
            "card_url": reverse("council-card", args=[one.id]),
            "wrong": wrong, "stopped": stopped,
            "lift_url": reverse("council-lift-lockout", args=[one.id]),
            "back_url": reverse("council-volunteers"),
        })


class RemovePhone(Page):
    """Take a lost phone off a volunteer."""

    needs = {"post": Permission.VOLUNTEERS_MANAGE}

    def post(self, request: HttpRequest, scope: Scope, device_id: int) -> Answer:
        device = devices.revoke_device(device_id=device_id, by=scope)
        messages.success(request, "スマホの登録を はずしました。")
        return HttpResponseRedirect(reverse("council-volunteer", args=[device.volunteer_id]))


class LiftLockout(Page):
    """Let a volunteer who mistyped too often bind a phone at once."""

    needs = {"post": Permission.VOLUNTEERS_MANAGE}

    def post(self, request: HttpRequest, scope: Scope, volunteer_id: int) -> Answer:
        devices.lift_lockout(volunteer_id=volunteer_id, by=scope)
        messages.success(request, "スマホの登録が、すぐに できるようになりました。")
        return HttpResponseRedirect(reverse("council-volunteer", args=[volunteer_id]))


class Cards(Page):
    """``/council/cards``: make cards for those who have none, and print them."""

    needs = {"get": Permission.CARDS_ISSUE, "post": Permission.CARDS_ISSUE}
    section = "council-volunteers"

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        waiting = len(volunteers_without_card(scope))
        form = CardsForm(initial={"count": min(waiting, 50) or None}, formats=formats())
        return self._drawn_form(scope, form, waiting)

    def post(self, request: HttpRequest, scope: Scope) -> Answer:
        form = CardsForm(request.POST, formats=formats())
        waiting = volunteers_without_card(scope)
        if not form.is_valid():
            return self._drawn_form(scope, form, len(waiting), 422)
        chosen = waiting[: form.cleaned_data["count"]]
        if not chosen:
            raise Refused("カードのない方は いません。", code="no_cards_to_print")
        cards.issue_cards(codes={one: tokens.mint("card").code for one in chosen}, by=scope)
        return printed(scope, chosen, form=form.cleaned_data["form"] or "card10", why="new")

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: object
    ) -> Answer | None:
        if request.method != "POST" or not scope.may(Permission.CARDS_ISSUE):
            return None
        form = CardsForm(request.POST, formats=formats())
        form.add_error(None, error.message)
        return self._drawn_form(scope, form, len(volunteers_without_card(scope)), 422)

    @staticmethod
    def _drawn_form(scope: Scope, form: CardsForm, waiting: int, status: int = 200) -> Reply:
        return Reply("web/office/form.html", {
            "heading": "カードをつくる", "meta": f"カードのない方 {waiting}人", "form": form,
            "lead": "カードのない方に、登録順にカードをつくり、名刺サイズのシートをPDFで出します。",
            "action": reverse("council-cards"), "submit_label": "つくって印刷",
            "back_url": reverse("council-volunteers"),
        }, status=status)


def formats() -> list[tuple[str, str]]:
    """The kinds of paper that cards are printed on."""
    return [*papers.formats().items()]


def printed(
    scope: Scope, volunteer_ids: list[int], *, form: str = "card10", why: str = "reprint"
) -> Answer:
    """The card sheet of some volunteers, drawn once the transaction is over."""
    ready = papers.cards_to_draw(volunteer_ids=volunteer_ids, by=scope, form=form, why=why)
    name = f"cards-{local(scope.at):%Y%m%d-%H%M}.pdf"
    return lambda: file_response(ready.draw(), name=name, kind="application/pdf")
