"""Every page of the city and of the holders, for everybody of the cast: generated.

A page answers 200 (or leads on) to a role that may, 403 to one that may not, 404 for what is not
there, asks visitors to sign in, and never falls over.  Katō finds nobody of the north anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import URLPattern

from registry.domain.roles import Permission
from tests.cast import Cast
from tests.factories import evacuation as factory
from web import urls_community, urls_office

USERS = (
    "sato",
    "takada",
    "suzuki",
    "mori",
    "kato",
    "association",
    "leader",
    "shop",
    "care_manager",
    "scanner",
    "taro",
    "nobody",
    "former",
)
PATTERNS: list[URLPattern] = [*urls_office.urlpatterns, *urls_community.urlpatterns]


@pytest.fixture
def city(cast: Cast) -> Iterator[Cast]:
    with time_machine.travel(cast.at, tick=False):
        factory.build(cast)
        factory.share(cast)
        yield cast


def path_of(pattern: URLPattern, number: str = "987654321") -> str:
    made = re.sub(r"<int:\w+>", number, str(pattern.pattern))
    return "/" + re.sub(r"<(?:\w+:)?\w+>", "none", made)


@pytest.mark.timeout(240)
def test_every_page_of_the_matrix(cast: Cast) -> None:
    wrong = []
    with time_machine.travel(cast.at, tick=False):
        for who in (None, *USERS):
            client, held = Client(raise_request_exception=False), _permissions(cast, who)
            if who:
                client.force_login(getattr(cast, who))
            for pattern, method in product(PATTERNS, ("get", "post")):
                view = pattern.callback.view_class  # type: ignore[attr-defined]
                path = path_of(pattern)
                status = getattr(client, method)(path).status_code
                if status not in _expected(view.needs.get(method), who, held):
                    wrong.append((path, who, method, status))
    assert not wrong, wrong


def _permissions(cast: Cast, who: str | None) -> frozenset[Permission]:
    if who is None:
        return frozenset()
    with cast.scope(getattr(cast, who)) as scope:
        return frozenset(scope.permissions)


def _expected(need: Any, who: str | None, held: frozenset[Permission]) -> set[int]:
    if need is None:
        return {405}
    if who is None:
        return {302}
    return {200, 302, 404, 409, 422} if need in held else {403}


def listed_pages() -> list[str]:
    """Pages without a number in the address."""
    return sorted({path_of(p) for p in PATTERNS if "<" not in str(p.pattern)})


@pytest.mark.parametrize("who", ["sato", "takada", "care_manager", "mori", "kato", "association"])
def test_pages_with_people_open_and_are_never_kept(city: Cast, who: str) -> None:
    client = Client()
    client.force_login(getattr(city, who))
    for path in listed_pages():
        answer = client.get(path)
        assert answer.status_code in {200, 302, 403, 404, 405}, (path, answer.status_code)
        assert answer.status_code == 405 or answer["Cache-Control"] == "no-store", path
        words = answer.content.decode()
        assert "style=" not in words, path
        if who == "kato":
            assert not any(name in words for name in ("花子", "一郎", "雪", "ハナコ")), path
        if who == "care_manager":
            assert not any(name in words for name in ("一郎", "雪", "南　", "イチロウ")), path


def test_R7_kato_finds_nobody_of_the_north_by_any_number(city: Cast) -> None:
    client = Client()
    client.force_login(city.kato)
    for pattern in urls_community.urlpatterns:
        if "<int" not in str(pattern.pattern):
            continue
        for number in range(1, 12):
            for method in ("get", "post"):
                answer: Any = getattr(client, method)(path_of(pattern, str(number)))
                words = answer.content.decode()
                assert not any(name in words for name in ("花子", "一郎", "雪", "ハナコ")), pattern


def test_office_home_counts_what_waits(city: Cast) -> None:
    client = Client()
    client.force_login(city.sato)
    queues = {one["title"]: one["count"] for one in client.get("/office/").context["queues"]}
    assert queues["同意が未回答"] == 0 and queues["計画がない方"] == 4
    assert queues["受領を待つ写し"] == len(factory.copies(city.at, state="issued")) > 0
    client.force_login(city.care_manager)
    own = {one["title"]: one["count"] for one in client.get("/office/").context["queues"]}
    assert own["計画がない方"] == 1 and "同意が未回答" not in own and "取りこみの確認" not in own
