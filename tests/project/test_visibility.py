"""Katō finds nobody of the north on any address, list, file or export.

Every GET address of the machine face and of the pages, read from the resolvers, with every id
that exists, asked as each of the cast who must not see the north's people.  The extractor is
proven on the same sweep: Mori's finds Hanako.  mission.md, R1, R7, R11, P11; trust.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver

from points.models import Attendance
from registry.domain.roles import Permission
from tests.factories import addresses, living, reading
from tests.factories.addresses import Known, Route
from tests.factories.living import City

# Every page and file for every member of the cast: more than a minute in all.
pytestmark = [pytest.mark.timeout(900)]

NORTH = ("hanako", "ichiro", "yuki")
WORDS = ("?q=見本&text=見本&show=changed&all=1&fiscal_year=2026&year=2026&month=2026-11"
         "&group_by=district&limit=100&purpose=visit")
FORMATS = ("?format=pdf&", "?format=xlsx&", "?format=difference&")
ASKED = ("person", "person_id", "volunteer_id", "edition_id", "office", "office_id", "area_id",
         "session", "session_id", "device_id", "copy_id")
#: POSTs that only read: searches keep names out of addresses.
SEARCHES = ("/api/v1/registry/people/search", "/api/v1/registry/volunteers/search")
PAGE_SEARCHES = (
    "office-people", "office-plans", "office-plan-supporters", "council-volunteers", "host-search",
)


@dataclass
class Sweep:
    """What one of the cast was told: address → whose marks stood in the answer."""

    seen: dict[str, list[str]] = field(default_factory=dict)
    statuses: dict[int, int] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)

    def of(self, *people: str) -> dict[str, list[str]]:
        return {url: found for url, found in self.seen.items()
                if any(one.split(":")[0] in people for one in found)}


def sweep(city: City, who: str, *, widely: bool = False) -> Sweep:
    """Ask every GET address there is as one of the cast.

    Each with the ids that it may name; ``widely``: where the role may ask at all, with every id
    of every table, in the path and in the query.
    """
    client, known = Client(raise_request_exception=False), addresses.known(city)
    client.force_login(getattr(city.cast, who))
    with city.cast.scope(getattr(city.cast, who)) as scope:
        may = scope.permissions
    done = Sweep()
    for route in addresses.routes():
        need = route.needs.get("get")
        several = need if isinstance(need, tuple) else (need,)
        open_to = any(not isinstance(n, Permission) or n in may for n in several)
        for url in _asked(route, known, widely and open_to):
            _note(done, re.sub(r"[?&]purpose=visit$", "", url),
                  client.get(url, HTTP_X_PURPOSE="visit"))
    for url in SEARCHES:
        for text in ("見本", "花子", "一郎", "雪"):
            answer = client.post(url, {"text": text, "q": text}, content_type="application/json")
            _note(done, f"POST {url} {text}", answer)
    for url in _page_searches(known):
        for text in ("見本", "みほん", "花", "一"):  # a page repeats what it was asked
            answer = client.post(url, {"q": text}, headers={"X-Purpose": "visit"})
            _note(done, f"POST {url} {text}", answer)
    return done


def _page_searches(known: Known) -> Iterator[str]:
    for name in PAGE_SEARCHES:
        (pattern,) = (found for found in get_resolver().reverse_dict.getlist(name))
        ((path, parameters),) = pattern[0]
        ids = known.values("int", parameters[0], widely=False) if parameters else [""]
        for one in ids:
            yield "/" + path % ({parameters[0]: one} if parameters else {})


def _asked(route: Route, known: Known, widely: bool) -> Iterator[str]:
    if route.parameters:
        for url in known.addresses(route, widely=widely):
            for more in FORMATS if route.api and "file" in route.pattern else ("?",):
                yield f"{url}{more}purpose=visit"
        return
    yield route.pattern
    yield route.pattern + WORDS
    for number in known.every if widely else ():
        yield route.pattern + "?" + "&".join(f"{name}={number}" for name in ASKED)


def _note(done: Sweep, url: str, response: Any) -> None:
    done.statuses[response.status_code] = done.statuses.get(response.status_code, 0) + 1
    assert response.status_code < 500, f"{url} answers {response.status_code}"
    body = reading.body_of(response)
    if response.status_code == 200 and body[:4] in (b"%PDF", b"PK\x03\x04"):
        done.files.add(url)
    head = "\n".join(f"{name}: {value}" for name, value in response.headers.items()
                     if name not in {"Content-Length", "Content-Security-Policy"})
    found = [*reading.everybody(_same_page(body)), *reading.everybody(head.encode())]
    if found:
        done.seen[url] = found


def test_kato_finds_nobody_of_the_north_with_any_id_on_any_address(city: City) -> None:
    done = sweep(city, "kato", widely=True)
    assert not done.of(*NORTH), f"shown to the south: {done.of(*NORTH)}"
    # The sweep reads what it should: Katō's own person, on the page, in the API and in files.
    own = done.of("minami")
    assert "/roster/" in own and "/api/v1/evacuation/editions/mine" in own, sorted(own)
    assert any(url in own for url in done.files), sorted(done.files)
    plan = [url for url in done.files if "plan" in url]
    assert not plan, f"a plan's sheet is not for the south: {plan}"


@pytest.mark.parametrize(
    "who", ["former", "nobody", "leader", "shop", "scanner", "taro", "suzuki"]
)
def test_who_holds_no_roster_finds_nobody_of_it(city: City, who: str) -> None:
    done = sweep(city, who)
    assert not done.of(*NORTH, "minami"), f"shown to {who}: {done.of(*NORTH, 'minami')}"
    assert done.statuses.get(200, 0) >= 1, done.statuses


def test_the_care_manager_finds_the_own_clients_alone(city: City) -> None:
    done = sweep(city, "care_manager")
    others = done.of("ichiro", "yuki", "minami")
    assert not others, f"not the care manager's: {others}"
    assert done.of("hanako"), "the extractor finds the client"
    assert "POST /office/people/ 見本" in done.of("hanako"), "a search by name finds the client"


@pytest.mark.parametrize(("who", "office", "closed"), [
    ("mori", "O-MORI", ()), ("association", "O-NORTH", ("pdf",)),  # its booklet is lost
])
def test_holders_of_the_north_find_hanako_never_ichiro_or_yuki(
    city: City, who: str, office: str, closed: tuple[str, ...]
) -> None:
    done = sweep(city, who)
    hidden = done.of("ichiro", "yuki", "minami")
    assert not hidden, f"refused, protected or of the south, shown to {who}: {hidden}"
    own = done.of("hanako")
    edition = city.edition[office]
    files = [form.format(edition, kind) for kind in ("pdf", "xlsx") for form in (
        "/roster/editions/{}/{}", "/api/v1/evacuation/editions/{}/file?format={}")]
    for url in ("/roster/", "/api/v1/evacuation/editions/mine", *files):
        assert (url in own) is not url.endswith(closed or "-"), f"Hanako in {url}"
    foreign = [url for url in done.files for code, other in city.edition.items()
               if code != office and re.search(rf"editions/{other}/", url)]
    assert not foreign, f"another office's files: {foreign}"


def test_ichiro_and_yuki_are_in_no_normal_time_file_and_hanako_in_each_of_hers(city: City) -> None:
    files = living.office_files(city)
    hers = {office for office, kind in files if kind == "xlsx"} & {"O-MORI", "O-NORTH"}
    assert hers == {"O-MORI", "O-NORTH"}
    for (office, kind), body in files.items():
        told = reading.text(body)
        for hidden in ("ichiro", "yuki"):
            assert not reading.named(told, hidden), f"{hidden} in {office} {kind}"
        north = office in hers
        assert bool(reading.named(told, "hanako")) is north, f"{office} {kind}"
        assert bool(reading.named(told, "minami")) is (not north), f"{office} {kind}"


def test_every_file_in_the_store_has_a_name_and_none_names_who_refused(city: City) -> None:
    offices, others = living.office_files(city), living.other_files(city)
    assert len(living.stored()) == len(offices) + len(others), "a file that no row accounts for"
    assert any(name.startswith("plan") for name in others)
    assert any(name.startswith("letter") for name in others)
    for name, body in others.items():
        told = reading.text(body)
        assert reading.named(told, "hanako"), f"the extractor must find Hanako in {name}"
        assert not reading.named(told, "ichiro") and not reading.named(told, "yuki"), name
    for path in living.stored():
        raw = path.read_bytes().decode("utf-8", errors="replace")
        assert "花子" not in raw and not raw.startswith(("%PDF", "PK")), "stored in the clear"


def _same_page(body: bytes) -> bytes:
    """A body without what differs between any two answers to one address: the form's token."""
    return re.sub(rb'(csrfmiddlewaretoken" value=|X-CSRFToken": ?)"\w+"', b"", body)


@pytest.mark.parametrize("who", ["kato", "leader", "care_manager", "taro"])
def test_not_yours_and_not_there_answer_the_same_bytes(city: City, who: str) -> None:
    client, known = Client(raise_request_exception=False), addresses.known(city)
    client.force_login(getattr(city.cast, who))
    with city.cast.scope(getattr(city.cast, who)) as scope:
        may = scope.permissions
    own = {f"/me/records/{pk}/undo" for pk in Attendance.objects.unscoped().filter(
        volunteer_id=scope.volunteer_id).values_list("pk", flat=True)}  # theirs, but too late
    compared, unlike = 0, []
    for route in addresses.routes():
        need = route.needs.get("get")
        several = need if isinstance(need, tuple) else (need,)
        if not route.parameters or not any(isinstance(n, Permission) and n in may for n in several):
            continue
        absent = client.get(route.missing() + "?purpose=visit")
        for url in known.addresses(route):
            there = client.get(url + "?purpose=visit")
            if there.status_code < 400 or url in own:
                continue  # their own
            compared += 1
            if (there.status_code, _same_page(reading.body_of(there)), there["Content-Type"]) != (
                absent.status_code, _same_page(reading.body_of(absent)), absent["Content-Type"]
            ):
                unlike.append(f"{url}: {there.status_code}, absent: {absent.status_code}")
    assert not unlike, unlike
    assert compared >= 1 or who == "taro", f"{who} compared nothing"
