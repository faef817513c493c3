"""The shop's pages: take a voucher, today's list, the month's list, and a voucher's address.

Owns ``/shop`` and ``/V/<code>``.  Refuses to say who a voucher belonged to.  P7.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from points.domain.codes import grouped
from points.domain.results import Colour, Layout
from points.operations import vouchers
from points.queries.shops import ShopUses, voucher_uses
from registry.access import Scope
from registry.domain.errors import Conflict, Refused, TsunagariError
from registry.domain.roles import Permission
from registry.queries.organisations import organisations
from web.forms.shop import VoucherForm
from web.presenting import local
from web.states import css
from web.views.base import Answer, Open, Page, Reply, status_of

STATES = {"used": "受けとりずみ", "claimed": "請求ずみ", "paid": "支払いずみ"}


class Take(Page):
    """``/shop``"""

    needs = {"get": Permission.VOUCHERS_REDEEM, "post": Permission.VOUCHERS_REDEEM}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        code = request.GET.get("code", "")[:200]
        return _shown(scope, VoucherForm(initial={"code": code}), None)

    def post(self, request: HttpRequest, scope: Scope) -> Answer:
        form = VoucherForm(request.POST)
        if not form.is_valid():
            return _shown(scope, form, None, 422)
        try:
            number = uuid.UUID(hex=request.POST.get("token", ""))
        except ValueError:
            number = uuid.uuid4()
        taken = vouchers.redeem(code=form.cleaned_data["code"], request_id=number, by=scope)
        return _shown(scope, VoucherForm(), {
            "css": css(Colour.SUCCESS, Layout.FILLED_BAND), "icon": "check",
            "title": "受けとりました", "yen": f"{taken.yen:,}",
            "detail": f"券番号 {taken.serial}。おつりは出ません。",
        })

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: object
    ) -> Answer | None:
        if request.method != "POST" or not isinstance(error, (Refused, Conflict)):
            return None
        return _shown(scope, VoucherForm({"code": request.POST.get("code", "")[:200]}), {
            "css": css(Colour.ERROR, Layout.TOP_RULE), "icon": "cross",
            "title": "受けとれません", "yen": None, "detail": error.message,
        }, status_of(error))


class Uses(Page):
    """``/shop/uses``: what this shop took in the last sixty days."""

    needs = {"get": Permission.VOUCHERS_REDEEM}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        taken = voucher_uses(scope, first=scope.on - timedelta(days=60), last=scope.on)
        return Reply("web/shop/uses.html", {
            "shop": _shop(scope), "yen": f"{taken.yen:,}", "count": len(taken.uses),
            "rows": [
                {"at": local(one.used_at), "serial": one.serial, "yen": f"{one.yen:,}",
                 "state": STATES.get(one.state, one.state)}
                for one in taken.uses
            ],
            "back_url": reverse("shop"),
        })


class VoucherAddress(Page):
    """``/V/<code>``: what a voucher's QR opens; it says nothing about the voucher."""

    needs = {"get": Open.ANYONE}

    def get(self, request: HttpRequest, scope: Scope, code: str) -> Answer:
        if scope.may(Permission.VOUCHERS_REDEEM):
            return HttpResponseRedirect(f"{reverse('shop')}?code={grouped(code[:40])}")
        return Reply("web/shop/voucher.html", {
            "sign_in_url": f"{reverse('sign-in')}?next={request.path}",
        })


def _shown(
    scope: Scope, form: VoucherForm, outcome: dict[str, Any] | None, status: int = 200
) -> Reply:
    taken: ShopUses = voucher_uses(scope, first=scope.on, last=scope.on)
    return Reply("web/shop/take_voucher.html", {
        "shop": _shop(scope), "form": form, "outcome": outcome, "action": reverse("shop"),
        "token": uuid.uuid4().hex, "undo_url": None,
        "today": {"count": len(taken.uses), "yen": f"{taken.yen:,}"},
        "claims_url": reverse("shop-uses"),
    }, status=status)


def _shop(scope: Scope) -> dict[str, str]:
    names = [one.name for one in organisations(scope, ids=scope.organisations)]
    return {"name": "・".join(names)}
