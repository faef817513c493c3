"""One phone for a family: who is looking now, the others who bound it, and changing over.

Owns the second cookie (tokens of the others on this phone; each is looked up like the first and
revoked like it) and ``/me/people``.  Refuses to show anybody's points while changing: only the
names of those who bound this very phone stand there, and a form drawn for one of them counts
nobody else.  P4; trust.md (device-bound sessions).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from registry import access
from registry.access import Scope
from registry.domain.errors import NotFound
from registry.domain.roles import Permission
from registry.queries.volunteers import PhoneHolder, volunteer_facts, volunteer_of_device
from web.presenting import person
from web.views.base import Answer, Reply
from web.views.phone import (
    FAMILY_COOKIE,
    PHONE_COOKIE,
    PHONE_LIFE,
    PhonePage,
    family_tokens,
    holder,
    keep,
)
from web.views.sign_in import safe_next


@dataclass(frozen=True)
class Other:
    """Somebody else who bound this phone."""

    token: str
    holder: PhoneHolder


def others(request: HttpRequest) -> list[Other]:
    """Those on this phone besides who is looking; revoked ones and doubles are left out."""
    here = holder(request)
    seen = set() if here is None else {here.volunteer_id}
    found = []
    for token in family_tokens(request):
        one = volunteer_of_device(token=token, at=timezone.now())
        if one is not None and one.volunteer_id not in seen:
            seen.add(one.volunteer_id)
            found.append(Other(token, one))
    return found


def shared(request: HttpRequest) -> bool:
    """Whether somebody else bound this phone, too."""
    return bool(others(request))


def remember(response: HttpResponse, tokens: list[str]) -> None:
    """The cookie of the others; no cookie when there is nobody."""
    if tokens:
        keep(response, FAMILY_COOKIE, ".".join(tokens), PHONE_LIFE)
    else:
        response.delete_cookie(FAMILY_COOKIE)


class People(PhonePage):
    """``/me/people``: 「だれの記録を見ますか」"""

    needs = {"get": Permission.OWN_POINTS, "post": Permission.OWN_POINTS}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        here = safe_next(request, request.GET.get("next", ""))
        return Reply("web/volunteer/people.html", {
            "people": self._named(request, scope), "action": reverse("my-people"), "next": here,
            "bind_url": reverse("bind"), "back_url": here or reverse("my-points"),
        })

    def post(self, request: HttpRequest, scope: Scope) -> Answer:
        """Change over.  Goes on where the visitor was, else to the other's points."""
        chosen = request.POST.get("device", "")
        there = safe_next(request, request.POST.get("next", ""))
        some, here = others(request), holder(request)
        now = next((one for one in some if str(one.holder.device_id) == chosen), None)
        if now is None:
            if here is not None and str(here.device_id) == chosen:
                return HttpResponseRedirect(there or reverse("my-points"))
            raise NotFound
        rest = [one.token for one in some if one is not now]
        if here is not None:
            rest.insert(0, request.COOKIES.get(PHONE_COOKIE, ""))
        response = HttpResponseRedirect(there or reverse("my-points"))
        keep(response, PHONE_COOKIE, now.token, PHONE_LIFE)
        remember(response, rest)
        messages.success(request, "かわりました。画面の上の お名前を たしかめてください。")
        return response

    @staticmethod
    def _named(request: HttpRequest, scope: Scope) -> list[dict[str, Any]]:
        """Names of those who bound this phone: each proved it with the own card."""
        here, some = holder(request), others(request)
        now = [] if here is None else [here]
        ids = [one.volunteer_id for one in (*now, *(other.holder for other in some))]
        with access.system(at=scope.at, reason="people of a phone") as wide:
            facts = volunteer_facts(wide, volunteer_ids=ids, action="phone.people")
        return [
            {"person": person(facts[one.volunteer_id]), "device": one.device_id,
             "current": here is not None and one.device_id == here.device_id}
            for one in (*now, *(other.holder for other in some)) if one.volunteer_id in facts
        ]
