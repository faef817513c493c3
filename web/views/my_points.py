"""The volunteer's points: one number, the history, exchanging them, and the supporter's word.

Owns ``/me``, ``/me/exchange`` (choose, check, done), the print of an exchange's vouchers and
``/me/supporter``.  Everything works without JavaScript.  Refuses nothing by itself: what may be
exchanged is said by the operation.
"""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from points.domain.rules import fiscal_year
from points.operations import papers, vouchers
from points.queries.statements import MyPoints, exchange_fact, my_points, statement
from registry.access import Scope
from registry.domain.errors import NotFound, Refused, TsunagariError
from registry.domain.roles import Permission
from registry.operations import volunteers
from registry.queries.volunteers import volunteer_facts
from web.forms.volunteer import ExchangeForm, SupporterForm
from web.presenting import balance, local, person, until_text, year_text
from web.views.base import Answer, Reply, file_response
from web.views.family import shared
from web.views.my_card import own_id
from web.views.phone import PhonePage


class MyPointsPage(PhonePage):
    """``/me``"""

    needs = {"get": Permission.OWN_POINTS}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        me, this_year = own_id(scope), fiscal_year(scope.on)
        facts = volunteer_facts(scope, volunteer_ids=[me], action="points.own")[me]
        year = _year(request.GET.get("year", ""), this_year)
        mine = my_points(scope)
        shown = [one for one in mine if one.balance or one.total_this_year] or mine[:1]
        parts = statement(scope, volunteer_id=me, fiscal_year=year).parts
        codes = {one.programme for one in parts}
        wanted = request.GET.get("programme", "")
        wanted = wanted if wanted in codes else ""
        lines: list[dict[str, Any]] = [
            {"at": line.on, "sentence": line.sentence, "points": line.points,
             "programme": part.name, "cancelled": line.state == "void",
             "waiting": line.state == "waiting"}
            for part in parts if wanted in ("", part.programme)
            for line in reversed(part.lines)
        ]
        lines.sort(key=lambda line: line["at"], reverse=True)
        return Reply("web/volunteer/my_points.html", {
            "person": person(facts),
            "balances": [
                {"programme": one.name, "fiscal_year": year_text(one.fiscal_year),
                 "balance": balance(one), "lapse_text": until_text(one), "owed": one.owed}
                for one in shown
            ],
            "lines": lines, "several": len(parts) > 1, "year_text": year_text(year),
            "filters": [
                {"label": label, "current": code == wanted,
                 "url": f"?year={year}" + (f"&programme={code}" if code else "")}
                for code, label in [("", "ぜんぶ"), *((one.programme, one.name) for one in parts)]
            ] if len(parts) > 1 else [],
            "waiting": any(line["waiting"] for line in lines),
            "people_url": reverse("my-people") if shared(request) else None,
            "older_url": f"?year={year - 1}" if fiscal_year(facts.registered_on) < year else None,
            "newer_url": "?" if year != this_year else None,
            "card_url": reverse("my-card"), "supporter_url": reverse("my-supporter"),
            "exchange_url": reverse("exchange") if any(o.vouchers_now for o in mine) else None,
        })


class Exchange(PhonePage):
    """``/me/exchange``: the question, then the check page, then the deed."""

    needs = {"get": Permission.OWN_POINTS, "post": Permission.OWN_POINTS}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        mine = my_points(scope)
        return self._choose(mine, ExchangeForm(mine=mine))

    def post(self, request: HttpRequest, scope: Scope) -> Answer:
        token = request.POST.get("token", "")
        if token:
            return self._do(request, scope, token)
        mine = my_points(scope)
        form = ExchangeForm(request.POST, mine=mine)
        if not form.is_valid():
            return self._choose(mine, form, 422)
        programme, count = form.chosen
        one = next(one for one in mine if one.programme == programme)
        return Reply("web/volunteer/exchange.html", {
            "step": "confirm", "count": count, "choice": form.cleaned_data["count"],
            "yen": f"{count * one.yen_per_voucher:,}", "points": count * one.points_per_voucher,
            "left": one.balance - count * one.points_per_voucher, "token": uuid.uuid4().hex,
            "action": reverse("exchange"), "back_url": reverse("exchange"),
        })

    def _do(self, request: HttpRequest, scope: Scope, token: str) -> Answer:
        programme, _, count = request.POST.get("count", "").rpartition(":")
        try:
            number, wanted = uuid.UUID(hex=token), int(count)
        except ValueError as error:
            raise Refused("画面を開きなおして、もう一度えらんでください。",
                          code="bad_request") from error
        made = vouchers.exchange(
            volunteer_id=own_id(scope), programme=programme, count=wanted, request_id=number,
            by=scope,
        )
        return HttpResponseRedirect(reverse("exchange-done", args=[made.pk]))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: object
    ) -> Answer | None:
        if not isinstance(error, Refused) or scope.volunteer_id is None:
            return None
        mine = my_points(scope)
        form = ExchangeForm({"count": ""}, mine=mine)
        form.errors.clear()
        form.add_error(None, error.message)
        return self._choose(mine, form, 422)

    @staticmethod
    def _choose(mine: list[MyPoints], form: ExchangeForm, status: int = 200) -> Reply:
        offered = [one for one in mine if one.vouchers_now]
        first = (offered or mine)[0] if mine else None
        return Reply("web/volunteer/exchange.html", {
            "step": "choose", "form": form, "none": not offered,
            "balance": {"total": sum(one.balance for one in offered)},
            "offer": first and {
                "points_per_voucher": first.points_per_voucher,
                "yen": f"{first.yen_per_voucher:,}", "window_text": until_text(first),
            },
            "action": reverse("exchange"), "back_url": reverse("my-points"),
        }, status=status)


class ExchangeDone(PhonePage):
    """``/me/exchange/<id>``: what it became; the vouchers can be printed from here again."""

    needs = {"get": Permission.OWN_POINTS}

    def get(self, request: HttpRequest, scope: Scope, exchange_id: uuid.UUID) -> Answer:
        row = exchange_fact(scope, exchange_id=exchange_id)
        if row.volunteer_id != scope.volunteer_id:
            raise NotFound
        made = row.vouchers
        left = sum(one.balance for one in my_points(scope) if one.programme == row.programme)
        unused = [one for one in made if one.state == "issued"]
        return Reply("web/volunteer/exchange.html", {
            "step": "done", "count": row.count, "yen": f"{sum(one.yen for one in made):,}",
            "left": left, "at": local(row.at),
            "vouchers": [{"serial": one.serial, "yen": f"{one.yen:,}"} for one in made],
            "print_url": reverse("exchange-print", args=[exchange_id]) if unused else None,
            "pickup_text": "印刷できないときは、社会福祉協議会の窓口で 紙の利用券を受けとれます。",
            "back_url": reverse("my-points"),
        })


class ExchangePrint(PhonePage):
    """The vouchers of an exchange as PDF; only their owner's."""

    needs = {"get": Permission.OWN_POINTS}

    def get(self, request: HttpRequest, scope: Scope, exchange_id: uuid.UUID) -> Answer:
        body = papers.exchange_pages(exchange_id=exchange_id, by=scope)
        return file_response(body, name=f"vouchers-{exchange_id.hex[:8]}.pdf",
                             kind="application/pdf")


class Supporter(PhonePage):
    """``/me/supporter``: the own, revocable word (P11)."""

    needs = {"get": Permission.OWN_POINTS, "post": Permission.OWN_POINTS}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        me = own_id(scope)
        facts = volunteer_facts(scope, volunteer_ids=[me], action="supporter.own")[me]
        return self._question(SupporterForm(initial={"answer": "yes" if facts.opted_in else "no"}))

    def post(self, request: HttpRequest, scope: Scope) -> Answer:
        form = SupporterForm(request.POST)
        if not form.is_valid():
            return self._question(form, 422)
        yes = form.cleaned_data["answer"] == "yes"
        verb = volunteers.opt_in if yes else volunteers.opt_out
        verb(volunteer_id=own_id(scope), by=scope)
        chosen = "使ってよい" if yes else "使わない"
        messages.success(request, f"「{chosen}」にしました。")
        return HttpResponseRedirect(reverse("my-points"))

    @staticmethod
    def _question(form: SupporterForm, status: int = 200) -> Reply:
        return Reply("web/volunteer/form.html", {
            "question": "災害のとき 手伝える方を さがしています",
            "lead": "ひとりで逃げられない方の避難を、いっしょに手伝う方です。"
                    "名前・電話・町内会・動ける時間だけを、市の担当者が見ます。"
                    "いつでも やめられます。",
            "form": form, "action": reverse("my-supporter"), "submit_label": "きめる",
            "back_url": reverse("my-points"),
        }, status=status)


def _year(text: str, this_year: int) -> int:
    """A fiscal year of the last ten, else this one."""
    year = int(text) if text.isascii() and text.isdigit() and len(text) == 4 else this_year
    return year if date.min.year < this_year - 10 <= year <= this_year else this_year
