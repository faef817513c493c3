"""The first page: who are you, or straight to the own work.

Owns the way from a role to its first page; a user with several roles chooses.  Refuses nobody:
an account without a term of office reads why it sees nothing.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseRedirect

from registry.access import Scope
from web import navigation
from web.views.base import Answer, Open, Page, Reply
from web.views.phone import phone_user


class Home(Page):
    """``/``"""

    needs = {"get": Open.ANYONE}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        choices = navigation.landings(scope)
        if len(choices) == 1 and "all" not in request.GET:
            return HttpResponseRedirect(choices[0]["url"])
        known = scope.user_id is not None
        return Reply("web/home.html", {
            "choices": choices, "known": known, "elsewhere": bool(scope.roles) and not choices,
            "volunteer_url": navigation.url("my-points"),
            "bound": not known and phone_user(request) is not None,
            "sign_in_url": navigation.url("sign-in"),
        })
