"""The authorisation matrix of the pages: every page × method × member of the cast, generated.

Without signing in one is asked to; a role that never may is refused (403) or told that it is
not there (404); nobody ever meets a server error.  What may be open is listed with its reason.
Every page forbids keeping (``no-store``), carries its policy (CSP) and no inline style or
script.  screens.md, "Security headers"; trust.md, "People and access".
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from registry.domain.roles import ROLES, Permission, Role
from tests.cast import Cast
from tests.factories import addresses, reading
from tests.factories.addresses import Route
from tests.factories.living import City

METHODS = ("get", "post", "put", "patch", "delete")
USERS = (
    "sato", "takada", "suzuki", "mori", "kato", "association", "leader", "shop",
    "care_manager", "scanner", "taro", "nobody", "former",
)
#: Answered without a declared need, and why.
BESIDE = {"healthz": "says that the process lives", "readyz": "says whether the database answers"}
#: Open without signing in, and why.
PUBLIC = {
    "home": "the first page: where to sign in",
    "sign-in": "the door", "sign-in-code": "the door's second step", "sign-out": "leaving",
    "bind": "a phone without an account is tied to a card here",
    "event": "what an event's QR opens: says what to do, shows nobody",
    "event-small": "the same in small letters",
    "card": "what a card's QR opens: the same page for every code",
    "card-small": "the same in small letters",
    "card-lost": "advice without data: who lost the card cannot sign in with it",
    "kiosk": "the tablet's page: the same bytes for everybody, nobody's data",
    "kiosk-worker": "the tablet's service worker", "kiosk-manifest": "its name and picture",
    "kiosk-pair": "a one-time code for a token that may only scan; guesses are counted",
    "voucher": "what a voucher's QR opens: sends a shop to the till, tells others nothing",
}
#: Not found without a query, and why.
ASKS = {"roster-report": "asks which card: ?person="}
PAGES = [r for r in addresses.routes() if not r.api and r.name not in BESIDE]


def _open(need: Any) -> bool:
    return getattr(need, "value", "") == "anyone"


def test_every_page_declares_its_needs() -> None:
    assert len(PAGES) > 50
    for route in PAGES:
        assert route.needs, f"{route.pattern} declares nothing in `needs`"
        for method in METHODS:
            wrote = getattr(route.view, method, None) is not None
            assert not wrote or method in route.needs, f"{route.pattern} {method}"


def test_what_is_open_is_listed_with_its_reason() -> None:
    found = {r.name for r in PAGES if any(_open(need) for need in r.needs.values())}
    assert found == set(PUBLIC), "list a page open to everybody here, with its reason"


@pytest.mark.parametrize("route", PAGES, ids=lambda r: r.pattern)
def test_every_cell_of_the_pages_matrix(route: Route, cast: Cast) -> None:
    wrong: list[str] = []
    for username in (None, *USERS):
        client = Client(raise_request_exception=False)
        permissions: frozenset[Permission] = frozenset()
        if username is not None:
            client.force_login(getattr(cast, username))
            with cast.scope(getattr(cast, username)) as scope:
                permissions = scope.permissions
        for method in METHODS:
            answer = getattr(client, method)(route.missing())
            fault = _fault(route, method, username, permissions, answer)
            if fault:
                wrong.append(f"{username or 'nobody signed in'} {method}: {fault}")
            if route.name == "sign-out" and method == "post" and username:
                client.force_login(getattr(cast, username))
    assert not wrong, f"{route.pattern}: {wrong}"


def _fault(
    route: Route, method: str, username: str | None, permissions: frozenset[Permission],
    answer: Any,
) -> str:
    status, need = answer.status_code, route.needs.get(method)
    if status >= 500:
        return f"server error {status}"
    if status == 405 or need is None:
        return "" if status == 405 and need is None else f"{status} for a method nobody wrote"
    if "no-store" not in answer.get("Cache-Control", ""):
        return "may be kept by a browser or proxy"
    if _open(need):
        return "" if status != 403 else "403 on a page open to everybody"
    if username is None:
        asked = status == 302 and re.match(r"/(sign-in|bind)(\?|$)", answer["Location"])
        return "" if asked else f"{status} without signing in"
    if isinstance(need, Permission) and need not in permissions:
        return "" if status in {403, 404} else f"{status} for a role that never may"
    if method == "get" and not route.parameters and status >= 400 and route.name not in ASKS:
        return f"{status} although the role may and nothing was named"
    return "" if status != 403 else "403 although the role may"


@pytest.mark.parametrize("who", [None, *USERS])
def test_every_page_forbids_keeping_and_inline_code(city: City, who: str | None) -> None:
    client, known = Client(raise_request_exception=False), addresses.known(city)
    if who is not None:
        client.force_login(getattr(city.cast, who))
    wrong, drawn = [], 0
    for route in PAGES:
        if "get" not in route.needs:
            continue
        for url in known.addresses(route):
            answer = client.get(url + "?purpose=visit")
            if answer.status_code >= 500:
                wrong.append(f"{url}: {answer.status_code}")
            if not answer.get("Content-Type", "").startswith("text/html"):
                continue
            body = reading.body_of(answer).decode()
            drawn += bool(body)
            wrong += [f"{url}: {one}" for one in _careless(answer, body)]
    assert not wrong, wrong[:20]
    assert drawn >= len(PUBLIC), "no page was drawn"


def _careless(answer: Any, body: str) -> list[str]:
    found = []
    if "no-store" not in answer.get("Cache-Control", ""):
        found.append("may be kept")
    policy = answer.get("Content-Security-Policy", "")
    if "default-src" not in policy or "unsafe-inline" in policy or "'unsafe-eval'" in policy:
        found.append(f"policy: {policy[:80]!r}")
    if re.search(r"<[^>]+\sstyle\s*=", body):
        found.append("an inline style")
    if re.search(r"<[^>]+\son[a-z]+\s*=", body):
        found.append("an inline handler")
    if re.search(r"<style[\s>]", body):
        found.append("a style element")
    for tag in re.findall(r"<script\b[^>]*>", body):
        if "src=" not in tag and 'type="application/json"' not in tag:
            found.append(f"an inline script {tag}")
    if re.search(r"(?:src|href)=\"(?:https?:)?//", body):
        found.append("something from another place")
    return found


def test_every_role_and_permission_is_in_the_glossary() -> None:
    glossary = (Path(__file__).resolve().parents[2] / "docs/glossary.md").read_text("utf-8")
    missing = [one.value for one in (*Permission, *Role) if f"| `{one.value}` | " not in glossary]
    assert not missing, f"add to docs/glossary.md: {missing}"
    for role, rule in ROLES.items():
        assert f"| `{role.value}` | {rule.label} | {rule.why} |" in glossary, role
