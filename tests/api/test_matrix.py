"""The authorisation matrix: every route × method × member of the cast, generated.

It grows by itself with every endpoint.  A cell says what may come back: 401 without signing in,
403 for a role that never may, 404 for what is not there (or not visible) to one who may, and
never a server error.  An endpoint that declares nothing cannot be imported (``api/base.py``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from api.base import METHODS, Endpoint
from registry.domain.roles import Permission
from tests.cast import Cast

USERS = (
    "sato", "takada", "suzuki", "mori", "kato", "association", "leader", "shop",
    "care_manager", "scanner", "taro", "nobody", "former",
)
OPEN = {"schema", "docs"}  # the description of the interface holds no data


@dataclass(frozen=True)
class Route:
    path: str
    view: type[Any]
    name: str


def routes(prefix: str = "", resolver: Any = None) -> Iterator[Route]:
    """Every endpoint under /api/v1/, with path parameters filled by ids that do not exist."""
    resolver = resolver or get_resolver()
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(path, entry)
        elif isinstance(entry, URLPattern) and path.startswith("api/v1/"):
            view = getattr(entry.callback, "view_class", None) or getattr(
                entry.callback, "cls", None
            )
            yield Route("/" + _filled(path), view, entry.name or path)


def _filled(path: str) -> str:
    path = re.sub(r"<int:\w+>", "987654321", path)
    path = re.sub(r"<uuid:\w+>", "00000000-0000-4000-8000-000000000000", path)
    return re.sub(r"<(?:\w+:)?\w+>", "none", path)


ROUTES = [r for r in routes() if r.name not in OPEN]


def test_every_route_is_an_endpoint_with_declared_needs() -> None:
    assert ROUTES, "no endpoint is mounted"
    for route in ROUTES:
        assert route.view is not None and issubclass(route.view, Endpoint), route.path
        for method in METHODS:
            if hasattr(route.view, method):
                needed = route.view.needs.get(method)
                several = needed if isinstance(needed, tuple) else (needed,)
                assert several and all(isinstance(p, Permission) for p in several), route.path


@pytest.mark.parametrize("route", ROUTES, ids=lambda r: r.path)
def test_every_cell_of_the_matrix(route: Route, cast: Cast) -> None:
    wrong: list[str] = []
    for username in (None, *USERS):
        for method in METHODS:
            answer = _asked(route, method, username, cast)
            may = username is not None and _may(route, method, username, cast)
            fault = _fault(route, method, username, may, answer.status_code)
            if fault:
                wrong.append(f"{username or 'nobody signed in'} {method}: {fault}")
    assert not wrong, f"{route.path}: {wrong}"


def _asked(route: Route, method: str, username: str | None, cast: Cast) -> Any:
    client = APIClient(raise_request_exception=False)
    if username is not None:
        client.force_login(getattr(cast, username))
    body = {} if method in {"post", "put", "patch"} else None
    return getattr(client, method)(route.path, body, format="json")


def _may(route: Route, method: str, username: str, cast: Cast) -> bool:
    needed = route.view.needs.get(method)
    if needed is None:
        return False
    with cast.scope(getattr(cast, username)) as scope:
        several = needed if isinstance(needed, tuple) else (needed,)
        return any(scope.may(one) for one in several)


def _fault(route: Route, method: str, username: str | None, may: bool, status: int) -> str:
    if status >= 500:
        return f"server error {status}"
    if username is None:
        return "" if status == 401 else f"{status} without signing in"
    if method not in route.view.needs:
        return "" if status == 405 else f"{status} for a method nobody wrote"
    if not may:
        return "" if status == 403 else f"{status} for a role that never may"
    return "" if status not in {401, 403} else f"{status} although the role may"
