"""No page takes or makes a personal name in an address.

Addresses stand in histories, proxies' logs and bookmarks.  A search by name is a posted form,
also for its next page; a GET with a name finds nobody that a GET without it does not find.
screens.md, trust.md ("canary values planted in test data must appear in no log").
"""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from django.test import Client

from tests.factories import addresses, reading
from tests.factories.addresses import Route
from tests.factories.living import City

#: Every spelling of a given name of the cast that an address could hold.
NAMES = ("花子", "ハナコ", "はなこ", "太郎", "タロウ", "たろう", "見本", "ミホン", "みほん")
#: A text field of a GET form that asks for something else than a person.
OTHER_TEXT = {"/office/places/": "a shelter's name"}
SEARCHES = (
    ("suzuki", "/council/volunteers", "太郎"), ("sato", "/office/people/", "花子"),
    ("sato", "/office/plans/", "花子"), ("leader", "/host/sessions/{session}/search", "太郎"),
    ("sato", "/office/plans/{plan}/supporters", "太郎"),
)
FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
WORDS = re.compile(r'<input\b(?![^>]*type="(?:hidden|radio|checkbox|number|submit|month|date)")')


def signed_in(city: City, who: str) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(getattr(city.cast, who))
    return client


def _told(body: str) -> str:
    """A page without what differs from one drawing to the next."""
    return re.sub(r'name="(?:csrfmiddlewaretoken|token|mark|request_id)" value="[^"]*"', "", body)


def _pages(city: City) -> list[tuple[Route, str]]:
    known = addresses.known(city)
    return [(route, url) for route in addresses.routes()
            if not route.api and "get" in route.needs for url in known.addresses(route)]


@pytest.mark.parametrize("who", ["suzuki", "sato", "leader", "taro", "mori", "care_manager"])
def test_no_page_makes_an_address_or_a_get_form_with_a_name(city: City, who: str) -> None:
    client, wrong, seen = signed_in(city, who), [], 0
    for route, url in _pages(city):
        answer = client.get(url + "?purpose=visit")
        if not answer.get("Content-Type", "").startswith("text/html"):
            continue
        body = reading.body_of(answer).decode()
        seen += answer.status_code == 200
        for address in [*re.findall(r'(?:href|action|src)="([^"]*)"', body),
                        answer.get("Location", "")]:
            wrong += [f"{url}: {name} in {address}" for name in NAMES if name in unquote(address)]
        for attributes, inside in FORM.findall(body):
            to_address = 'method="post"' not in attributes and WORDS.search(inside)
            if to_address and route.pattern not in OTHER_TEXT:
                wrong.append(f"{url}: a form puts words into an address")
    assert seen >= 2 and not wrong, wrong


@pytest.mark.parametrize(("who", "path", "somebody"), SEARCHES)
def test_a_name_in_an_address_finds_nobody_a_posted_one_does(
    city: City, who: str, path: str, somebody: str
) -> None:
    client = signed_in(city, who)
    url = path.format(session=city.session, plan=city.plan)
    plain = _told(client.get(url).content.decode())
    for field in ("q", "text", "name"):
        said = client.get(url, {field: "ぬるぽ見つからない"})
        assert _told(said.content.decode()) == plain, f"{url}?{field}= is looked at"
    found = client.post(url, {"q": "見本"})
    nobody = client.post(url, {"q": "ぬるぽ見つからない"})
    assert found.status_code == nobody.status_code == 200
    assert somebody in found.content.decode(), f"{url}: the posted search finds nobody"
    assert somebody not in nobody.content.decode()


def test_the_next_page_of_a_search_is_a_button_that_posts_it_on(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    from web.views import council_volunteers, people, plans

    for module in (council_volunteers, people, plans):
        monkeypatch.setattr(module, "PAGE", 1)
    for who, url in (("suzuki", "/council/volunteers"), ("sato", "/office/people/"),
                     ("sato", "/office/plans/")):
        client = signed_in(city, who)
        given, pages = {"q": "ミホン"}, []
        for _ in range(2):
            answer = client.post(url, given)
            pages.append(_told(answer.content.decode()))
            step = answer.context["next_page"]
            if len(pages) == 1:
                assert step["method"] == "post" and step["url"] == url
                given = {key: str(value) for key, value in step["fields"].items()}
                assert given["q"] == "ミホン"
        assert answer.status_code == 200 and pages[0] != pages[1], url
