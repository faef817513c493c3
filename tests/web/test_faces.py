"""FACES mounts only the named trees: what is not served is not there, for anybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.urls import Resolver404, URLPattern, URLResolver
from django.urls.resolvers import RegexPattern

from config.urls import API_FACES, FACES, tree
from web import urls, urls_community, urls_office
from web.views.base import Open, Page
from web.views.door import Door

OWN = {
    "public": ["/me", "/bind", "/E/ABC", "/C/ABC", "/api/v1/points/scans"],
    "community": ["/host", "/shop", "/council", "/council/statistics", "/roster/",
                  "/api/v1/points/scans", "/api/v1/registry/areas"],
    "office": ["/office/imports/", "/api/v1/registry/areas", "/api/v1/evacuation/criteria"],
}
EVERYWHERE = ["/", "/sign-in", "/sign-in/code", "/sign-out", "/healthz", "/readyz"]


def served(faces: set[str], address: str) -> bool:
    try:
        URLResolver(RegexPattern(r"^/"), tree(faces)).resolve(address)  # type: ignore[arg-type]
    except Resolver404:
        return False
    return True


@pytest.mark.parametrize("face", sorted(FACES))
def test_a_face_serves_its_own_and_nothing_of_the_others(face: str) -> None:
    for address in EVERYWHERE + OWN[face]:
        assert served({face}, address), address
    for other in FACES - {face}:
        for address in set(OWN[other]) - set(OWN[face]):
            assert not served({face}, address), address


def test_a_closed_network_has_no_phone_and_the_internet_no_roster() -> None:
    assert not served({"office"}, "/me") and not served({"office"}, "/api/v1/points/scans")
    for address in ("/roster/", "/office/people/", "/api/v1/evacuation/criteria",
                    "/api/v1/registry/people"):
        assert not served({"public"}, address), address


@pytest.mark.parametrize("faces", [set(), {"publik"}, {"public", "admin"}])
def test_an_unknown_face_stops_the_process(faces: set[str]) -> None:
    with pytest.raises(ImproperlyConfigured, match="FACES"):
        tree(faces)


def test_every_part_of_the_api_is_given_to_a_face() -> None:
    from api.urls import urlpatterns

    parts = {str(one.pattern) for one in urlpatterns if isinstance(one, URLResolver)}
    assert parts <= set(API_FACES), "a new part belongs into config.urls.API_FACES"


def every_page() -> Iterator[Any]:
    tables = (urls.shared, urls.public, urls.community, urls_office.urlpatterns,
              urls_community.urlpatterns)
    for table in tables:
        for one in table:
            assert isinstance(one, URLPattern)
            yield pytest.param(one.callback.view_class, id=str(one.name))  # type: ignore[attr-defined]


@pytest.mark.parametrize("view", list(every_page()))
def test_every_page_declares_what_it_needs(view: Any) -> None:
    assert issubclass(view, (Page, Door)), "a page opens its scope through Page"
    handlers = {name for name in ("get", "post", "put", "patch", "delete") if hasattr(view, name)}
    assert handlers and handlers == set(view.needs)
    if issubclass(view, Door):
        assert set(view.needs.values()) == {Open.ANYONE}
