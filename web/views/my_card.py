"""The volunteer's card on the phone, the phones bound to it, and a card that a stranger reads.

Owns ``/me/card``, taking a phone off, losing the card, and ``/C/<code>``.  Refuses a name to
whoever opens a card's address (P6); the card of a bound phone shows it to its owner only.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe

from points import keys
from points.domain import tokens
from points.domain.codes import grouped
from registry import access
from registry.access import Scope, day_of
from registry.documents import qr_svg
from registry.domain.errors import NotFound
from registry.domain.roles import Permission
from registry.operations import devices
from registry.queries.cards import cards_by_code, cards_of, codes_for_printing
from registry.queries.devices import phones
from registry.queries.volunteers import volunteer_facts
from web.forms.sign_in import BindForm
from web.presenting import person
from web.views.base import Answer, Open, Reply
from web.views.door import Door
from web.views.phone import (
    FAMILY_COOKIE,
    PHONE_COOKIE,
    PHONE_LIFE,
    PhonePage,
    card_code,
    draw,
    family_tokens,
    holder,
    keep,
)


def own_id(scope: Scope) -> int:
    """The volunteer who is looking.  Raises ``NotFound`` for an account that is none."""
    if scope.volunteer_id is None:
        raise NotFound
    return scope.volunteer_id


class MyCard(PhonePage):
    """``/me/card``"""

    needs = {"get": Permission.OWN_POINTS}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        me = own_id(scope)
        facts = volunteer_facts(scope, volunteer_ids=[me], action="card.own")[me]
        card = cards_of(scope, volunteer_ids=[me]).get(me)
        code = codes_for_printing(scope, volunteer_ids=[me]).get(me)
        here = holder(request)
        bound = [
            {"label": f"{number}台目のスマホ", "bound_on": day_of(one.bound_at),
             "current": here is not None and here.device_id == one.id,
             "remove_url": reverse("phone-remove", args=[one.id])}
            for number, one in enumerate(phones(scope, volunteer_id=me), start=1)
        ]
        context: dict[str, Any] = {
            "person": person(facts), "phones": bound, "lost_url": reverse("card-lost"),
            "back_url": reverse("my-points"), "people_url": reverse("my-people"),
        }
        if card is not None and code is not None:
            url = tokens.card_url(keys.code_scheme(), keys.code_host(), "C", code)
            context["card"] = {
                "number": facts.number, "code": grouped(code), "issued_on": day_of(card.issued_at),
                # Drawn here from a code of ours: modules only, never text.
                "qr_svg": mark_safe(qr_svg(url, least_version=2)),  # noqa: S308
            }
        return Reply("web/volunteer/my_card.html", context)


def _is_of(code: str, volunteer_id: int) -> bool:
    """Whether a card is the one of who is looking; everybody else's opens the same page."""
    with access.system(at=timezone.now(), reason="card address") as wide:
        card = cards_by_code(wide, [code]).get(code)
    return card is not None and card.volunteer_id == volunteer_id


class RemovePhone(PhonePage):
    """Take one phone off; the phone's next request finds nobody."""

    needs = {"post": Permission.OWN_POINTS}

    def post(self, request: HttpRequest, scope: Scope, device_id: int) -> Answer:
        devices.revoke_device(device_id=device_id, by=scope)
        here = holder(request)
        response: HttpResponseBase
        if here is not None and here.device_id == device_id:
            rest = family_tokens(request)
            response = HttpResponseRedirect(reverse("my-people" if rest else "home"))
            response.delete_cookie(PHONE_COOKIE)
            if rest:  # the next of the family
                keep(response, PHONE_COOKIE, rest[0], PHONE_LIFE)
                keep(response, FAMILY_COOKIE, ".".join(rest[1:]), PHONE_LIFE)
            messages.success(request, "このスマホの登録を はずしました。")
        else:
            response = HttpResponseRedirect(reverse("my-card"))
            messages.success(request, "スマホの登録を はずしました。")
        return response


class CardLost(PhonePage):
    """What to do when the paper card is lost: the office makes a new one, points stay."""

    needs = {"get": Open.ANYONE}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        return Reply("web/volunteer/card_lost.html", {
            "steps": ["下の電話番号に かける", "なくしたことを つたえる", "新しいカードを受けとる"],
            "back_url": reverse("my-card") if scope.volunteer_id else reverse("home"),
        })


class CardAddress(Door):
    """``/C/<code>``: what a card's QR opens.  The same page for every code, real or not."""

    needs = {"get": Open.ANYONE}

    def get(self, request: HttpRequest, code: str) -> HttpResponseBase:
        read = card_code(code)
        here = holder(request)
        if here is not None and _is_of(read, here.volunteer_id):
            return HttpResponseRedirect(reverse("my-card"))
        return draw(request, BindForm(initial={"code": grouped(read)}), "", known_code=True)
