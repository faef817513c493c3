"""The kiosk's page, worker and pairing; the host's register of tablets; reconciliation words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client

from registry import access
from registry.operations import kiosks
from tests.factories import points as make
from web.views.host_kiosks import clock_words
from web.views.host_records import ranges

STATIC = Path(__file__).resolve().parents[2] / "web" / "static"


@pytest.fixture
def world(db: None) -> Any:
    made = make.build()
    with time_machine.travel(made.at, tick=False):
        yield made


def signed_in(user: Any) -> Client:
    made = Client(raise_request_exception=False)
    made.force_login(user)
    return made


def kept(client: Client) -> tuple[str, list[str]]:
    text = client.get("/kiosk/sw.js").content.decode()
    version = re.search(r'^const VERSION = "(\w+)";', text)
    shell = re.search(r"^const SHELL = (\[.*\]);$", text, re.MULTILINE)
    assert version and shell
    return version[1], json.loads(shell[1])


def test_P5_the_worker_keeps_the_program_and_nothing_else(world: make.World) -> None:
    version, shell = kept(Client())
    assert shell[:2] == ["/kiosk/", "/kiosk/manifest.webmanifest"]
    assert all(one.startswith("/static/web/") for one in shell[2:])
    assert len(shell) == len(set(shell))
    modules = {one for one in shell if re.search(r"\.m?js$", one)}
    for one in modules - {x for x in shell if "ponyfill" in x or "focus-errors" in x}:
        source = (STATIC / one.removeprefix("/static/")).read_text(encoding="utf-8")
        for named in re.findall(r'^import .* from "(\.[^"]+)"', source, re.MULTILINE):
            path = (STATIC / one.removeprefix("/static/")).parent / named
            assert f"/static/{path.resolve().relative_to(STATIC)}" in shell, f"{one}: {named}"
    assert kept(signed_in(world.leader)) == (version, shell), "the same for everybody"
    worker = Client().get("/kiosk/sw.js")
    assert worker["Content-Type"].startswith("text/javascript")
    assert "no-store" in worker["Cache-Control"]


def test_P5_the_kept_page_is_the_same_for_everybody(world: make.World) -> None:
    page = Client().get("/kiosk/")
    assert page.content == signed_in(world.leader).get("/kiosk/").content
    assert "sessionid" not in page.cookies and "csrftoken" not in page.cookies
    assert "'wasm-unsafe-eval'" in page["Content-Security-Policy"]
    manifest = Client().get("/kiosk/manifest.webmanifest").json()
    assert manifest["scope"] == manifest["start_url"] == "/kiosk/"


def test_P5_another_program_gets_another_version(world: make.World, settings: Any) -> None:
    before, _ = kept(Client())
    settings.HELP_PHONE = "0242-99-9999"
    assert kept(Client())[0] != before


@pytest.mark.parametrize("sent", [
    b"", b"{", b"[]", b'{"code": 7}', b'{"code": "A", "holds": "x"}', b'{"code": null}',
])
def test_bad_pairing_is_refused_with_a_code(world: make.World, sent: bytes) -> None:
    answer = Client().post("/kiosk/pair", sent, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")


def test_P5_a_code_from_the_hosts_page_pairs_a_tablet_once(world: make.World) -> None:
    desk = signed_in(world.leader)
    assert desk.post("/host/kiosks", {"organisation": world.organisation, "name": ""}
                     ).status_code == 422
    shown = desk.post("/host/kiosks", {"organisation": world.organisation, "name": "受付 1"})
    code = re.search(r"<strong>([0-9A-Z]{4}-[0-9A-Z]{4})</strong>", shown.content.decode())
    assert code, "the pairing code is on the page that answers the button"

    def typed(text: str, **more: Any) -> Any:
        return Client(enforce_csrf_checks=True).post(
            "/kiosk/pair", json.dumps({"code": text, **more}), content_type="application/json")

    held = typed(code[1], holds=987654)
    assert (held.status_code, held.json()["code"]) == (409, "other_kiosk_held")
    told = typed(f" {code[1].lower()} ")
    assert told.status_code == 200 and told.json()["token"].startswith("tg_")
    again = typed(code[1])
    assert (again.status_code, again.json()["code"]) == (422, "pairing_refused")
    form = Client(enforce_csrf_checks=True).post("/kiosk/pair", {"code": code[1]})
    assert form.status_code == 400, "a form of another site cannot pair"


def test_P9_a_leader_registers_for_the_own_group_only(world: make.World) -> None:
    desk = signed_in(world.leader)
    answer = desk.post("/host/kiosks", {"organisation": world.other, "name": "受付"})
    assert answer.status_code == 422
    with access.scope(world.other_leader, at=world.at) as by:
        other = kiosks.register(organisation_id=world.other, name="よその端末", by=by)
    assert desk.get(f"/host/kiosks/{other.kiosk_id}").status_code == 404
    assert "よその端末" not in desk.get("/host/kiosks").content.decode()
    assert "よその端末" in signed_in(world.council).get("/host/kiosks").content.decode()
    answer = desk.post(f"/host/kiosks/{other.kiosk_id}", {"act": "revoke"})
    assert answer.status_code == 404


def test_a_code_of_a_revoked_kiosk_is_refused_on_its_page(world: make.World) -> None:
    with access.scope(world.leader, at=world.at) as by:
        made = kiosks.register(organisation_id=world.organisation, name="受付", by=by)
        kiosks.revoke(kiosk_id=made.kiosk_id, by=by)
    desk = signed_in(world.leader)
    answer = desk.post(f"/host/kiosks/{made.kiosk_id}", {"act": "code"})
    assert answer.status_code == 409 and "また使う" in answer.content.decode()
    assert desk.post(f"/host/kiosks/{made.kiosk_id}", {"act": "?"}).status_code == 404


def test_words_of_clocks_and_counters() -> None:
    assert clock_words(None) == ""
    assert clock_words(-420_000) == "7分0秒 すすんでいます"
    assert clock_words(31_000) == "31秒 おくれています"
    assert clock_words(900) == "合っています"
    assert ranges((3, 5, 6, 7, 9)) == ["3", "5〜7", "9"] and ranges(()) == []
