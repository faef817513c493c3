"""points/kiosks, points/kiosk/check-in, points/scans/<id>/undo and the reconciliation (P5)."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from rest_framework.test import APIClient

from points import keys
from points.domain import tokens
from registry.operations import kiosks
from tests.factories import points as make

API = "/api/v1/points"
FAST = timedelta(minutes=7)


@pytest.fixture
def world(db: None) -> Any:
    made = make.build()
    with time_machine.travel(made.at, tick=False):
        yield made


def host(user: Any) -> APIClient:
    made = APIClient(raise_request_exception=False)
    made.force_login(user)
    return made


def tablet(world: make.World) -> tuple[APIClient, int]:
    made = host(world.leader).post(
        f"{API}/kiosks", {"organisation": world.organisation, "name": "受付"}, format="json"
    )
    assert made.status_code == 201, made.json()
    told = kiosks.pair(code=made.json()["code"], client="10.0.0.1", at=world.at)
    device = APIClient(raise_request_exception=False)
    device.credentials(HTTP_AUTHORIZATION=f"Bearer {told.token}")
    return device, told.kiosk_id


def hello(world: make.World, **changes: Any) -> dict[str, Any]:
    return {"device_time": (world.at + FAST).isoformat(), "last_counter": 0, "waiting": 0,
            "withdrawn": []} | changes


def test_P5_a_check_in_gives_what_a_tablet_needs_without_network(world: make.World) -> None:
    device, number = tablet(world)
    make.hold(world, start=world.at + timedelta(days=3), title="来週のサロン")
    told = device.post(f"{API}/kiosk/check-in", hello(world), format="json")
    assert told.status_code == 200, told.json()
    body = told.json()
    assert (body["kiosk"], body["name"], body["last_counter"]) == (number, "受付", 0)
    assert [one["id"] for one in body["sessions"]] == [world.session], "today's and tomorrow's"
    mine = body["sessions"][0]
    code = tokens.event_code(mine["key_id"], base64.b64decode(mine["key"]), world.session,
                             world.at)
    assert tokens.read(code, keys=keys.keyring(), at=world.at)
    assert host(world.scanner).post(f"{API}/kiosk/check-in", hello(world), format="json"
                                    ).status_code == 404, "an account that is no kiosk"


def test_P5_what_the_tablet_did_is_reconciled(world: make.World) -> None:
    device, number = tablet(world)
    scans = [
        {"id": str(uuid4()), "code": world.card(at), "session": world.session, "counter": counter,
         "scanned_at": (world.at + FAST).isoformat()}
        for at, counter in ((0, 1), (1, 3))
    ]
    sent = {"device_time": (world.at + FAST).isoformat(), "scans": scans}
    assert device.post(f"{API}/scans/batch", sent, format="json").json()["missing_counters"] == [2]
    taken = {"id": str(uuid4()), "session": world.session, "counter": 4,
             "scanned_at": sent["device_time"], "withdrawn_at": sent["device_time"]}
    told = device.post(f"{API}/kiosk/check-in",
                       hello(world, last_counter=4, withdrawn=[taken]), format="json")
    assert told.json()["withdrawn"] == [taken["id"]]
    for _ in range(2):
        undone = device.post(f"{API}/scans/{scans[1]['id']}/undo",
                             {"undone_at": sent["device_time"]}, format="json")
        assert undone.status_code == 200, undone.json()
    late = device.post(f"{API}/scans/{scans[0]['id']}/undo", {
        "undone_at": (world.at + FAST + timedelta(minutes=11)).isoformat()}, format="json")
    assert (late.status_code, late.json()["code"]) == (422, "undo_too_late")
    found = host(world.leader).get(f"{API}/sessions/{world.session}/reconciliation").json()
    assert (found["sent"], found["accepted"], found["voided"], found["withdrawn"]) == (2, 2, 1, 1)
    assert found["devices"] == [{
        "name": "受付", "kiosk": number, "sent": 2, "first_counter": 1, "last_counter": 4,
        "missing": [2], "withdrawn": [4], "waiting": 0, "skew_ms": -420_000,
    }]
    assert device.get(f"{API}/sessions/{world.session}/reconciliation").status_code == 403
    other = host(world.other_leader).get(f"{API}/sessions/{world.session}/reconciliation")
    assert other.status_code == 404


def test_P5_a_revoked_tablet_is_turned_away_with_a_code(world: make.World) -> None:
    device, number = tablet(world)
    desk = host(world.leader)
    assert desk.get(f"{API}/kiosks").json()[0]["revoked_at"] is None
    assert desk.post(f"{API}/kiosks/{number}/revoke").json()["revoked_at"]
    answer = device.post(f"{API}/kiosk/check-in", hello(world), format="json")
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_token")
    refused = desk.post(f"{API}/kiosks/{number}/code")
    assert (refused.status_code, refused.json()["code"]) == (409, "kiosk_revoked")
    again = desk.post(f"{API}/kiosks/{number}/reinstate")
    assert again.status_code == 200 and again.json()["kiosk"] == number


@pytest.mark.parametrize("changes", [
    {"device_time": "きのう"}, {"last_counter": -1}, {"last_counter": 1 << 63}, {"waiting": -1},
    {"withdrawn": [{"id": "x"}]}, {"withdrawn": 7}, {"withdrawn": [{}] * 501},
])
def test_bad_check_ins_are_refused_with_fields(world: make.World, changes: dict[str, Any]) -> None:
    device, _ = tablet(world)
    answer = device.post(f"{API}/kiosk/check-in", hello(world, **changes), format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")
    assert next(iter(changes)) in answer.json()["errors"][0]["field"]
