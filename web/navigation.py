"""Where each user group begins, and the menu on top of staff pages.

Owns the two tables role → first page and permission → menu entry.  A page that this process
does not serve (setting ``FACES``) is left out.  Refuses to decide rights: it hides what would
be refused anyway.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from registry.access import Scope
from registry.domain.roles import ROLES, Permission, Role
from registry.queries import accounts


@dataclass(frozen=True)
class Landing:
    """The first page of a role: a button on the chooser."""

    route: str
    label: str


LANDINGS: dict[Role, Landing] = {
    Role.CITY_OFFICER: Landing("office-home", "市の仕事"),
    Role.CITY_APPROVER: Landing("office-home", "計画の承認"),
    Role.SOCIAL_WELFARE_COUNCIL: Landing("council-home", "社協の仕事"),
    Role.GROUP_LEADER: Landing("host-home", "団体の受付"),
    Role.NEIGHBOURHOOD_ASSOCIATION: Landing("roster", "町内会の名簿"),
    Role.WELFARE_COMMISSIONER: Landing("roster", "担当区域の名簿"),
    Role.VOLUNTEER: Landing("my-points", "わたしのポイント"),
    Role.SHOP: Landing("shop", "利用券を受けとる"),
    Role.CARE_MANAGER: Landing("office-home", "担当する方の計画"),
    Role.SCANNER_DEVICE: Landing("host-home", "受付"),
}

#: label, route, the permission that its page needs.
MENU: tuple[tuple[str, str, Permission], ...] = (
    ("やること", "council-home", Permission.VOLUNTEERS_MANAGE),
    ("ボランティア", "council-volunteers", Permission.VOLUNTEERS_MANAGE),
    ("開催回", "council-sessions", Permission.RULES_MANAGE),
    ("受付端末", "host-kiosks", Permission.RULES_MANAGE),
    ("団体", "council-groups", Permission.GROUPS_DECIDE),
    ("要領", "council-rules", Permission.RULES_MANAGE),
    ("年度", "council-years", Permission.RULES_MANAGE),
    ("統計", "council-statistics", Permission.STATISTICS_VIEW),
    ("やること", "office-home", Permission.PLAN_VIEW),
    ("名簿", "office-roster", Permission.ROSTER_VIEW),
    ("計画", "office-plans", Permission.PLAN_VIEW),
    ("提供と写し", "office-custody", Permission.CUSTODY_MANAGE),
    ("避難所", "office-places", Permission.PLACES_VIEW),
    ("取りこみ", "office-imports", Permission.PEOPLE_IMPORT),
)


def url(route: str) -> str | None:
    """The path of a route, or None where this process does not serve it."""
    try:
        return reverse(route)
    except NoReverseMatch:
        return None


def landings(scope: Scope) -> list[dict[str, str]]:
    """The first pages of the roles held today, each once, in the order of the table."""
    found: dict[str, dict[str, str]] = {}
    for role, landing in LANDINGS.items():
        path = url(landing.route) if role in scope.roles else None
        if path is not None and path not in found:
            found[path] = {"url": path, "label": landing.label, "role": ROLES[role].label}
    return list(found.values())


def frame(scope: Scope, request: HttpRequest, section: str) -> dict[str, Any]:
    """Context of ``base_office.html``: menu, who is signed in, sign-out."""
    if scope.user_id is None:
        return {}
    menu = [
        {"label": label, "url": path, "current": route == section}
        for label, route, permission in MENU
        if scope.may(permission) and (path := url(route)) is not None
    ]
    user: Any = request.user
    name = getattr(user, "display_name", "") if getattr(user, "pk", None) == scope.user_id else (
        accounts.display_names({scope.user_id}).get(scope.user_id, "")
    )
    return {"nav": menu, "user_label": name, "sign_out_url": reverse("sign-out")}
