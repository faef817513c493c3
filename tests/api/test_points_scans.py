"""POST points/scans and scans/batch as interfaces.md fixes them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from rest_framework.test import APIClient

from points import keys
from points.domain import tokens
from points.models import Attendance
from registry import access
from registry.operations import tokens as access_tokens
from tests.factories import points as make


@pytest.fixture
def world(db: None) -> Any:
    made = make.build(phones=True)
    with time_machine.travel(made.at, tick=False):
        yield made


def client(user: Any) -> APIClient:
    made = APIClient(raise_request_exception=False)
    made.force_login(user)
    return made


def body(world: make.World, number: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()), "code": world.card(number), "session": world.session,
        "scanned_at": world.at.isoformat(), "counter": number + 1,
    } | changes


def test_a_scan_is_answered_as_the_interface_says_and_repeated(world: make.World) -> None:
    scanner, sent = client(world.scanner), body(world)
    first = scanner.post("/api/v1/points/scans", sent, format="json")
    assert first.status_code == 200
    assert set(first.json()) == {"id", "result", "points", "reason", "attendance", "balance"}
    assert first.json() | {"attendance": 0} == {
        "id": sent["id"], "result": "granted", "points": 1, "attendance": 0, "balance": 1,
        "reason": "11月23日 ふれあいサロン（参加型）1ポイント",
    }
    assert scanner.post("/api/v1/points/scans", sent, format="json").json() == first.json()
    other = scanner.post("/api/v1/points/scans", sent | {"counter": 9}, format="json")
    assert (other.status_code, other.json()["errors"][0]["field"]) == (409, "counter")


def test_P5_the_leader_can_thank_a_member_by_name_and_a_device_cannot(world: make.World) -> None:
    named = client(world.leader).post("/api/v1/points/scans", body(world), format="json").json()
    assert named["result"] == "granted" and named["name"]
    device = client(world.scanner).post("/api/v1/points/scans", body(world, 1), format="json")
    assert "name" not in device.json()


def test_P5_a_batch_answers_each_item_in_order(world: make.World) -> None:
    scans = [
        body(world, 0), body(world, 0), body(world, 1, code="こわれた"), {"id": "x"}, 7,
        body(world, 2, counter=8), body(world, 1, scanned_at="きのう"),
    ]
    answer = client(world.scanner).post("/api/v1/points/scans/batch", {
        "device_time": (world.at + timedelta(minutes=5)).isoformat(), "scans": scans,
    }, format="json")
    assert answer.status_code == 200, answer.json()
    results = answer.json()["results"]
    assert [one["result"] for one in results] == [
        "granted", "already", "bad_card", "invalid", "invalid", "granted", "invalid",
    ]
    assert results[0]["id"] == scans[0]["id"]  # type: ignore[index]
    assert results[3]["errors"], "says what was wrong"
    assert answer.json()["missing_counters"] == [3, 4, 5, 6, 7]


@pytest.mark.parametrize("sent", [
    [], {"scans": []}, {"device_time": "2026-11-23T12:00:00", "scans": []},
    {"device_time": "2026-11-23T12:00:00+09:00", "scans": "x"},
])
def test_a_body_that_is_no_batch_is_refused(world: make.World, sent: Any) -> None:
    answer = client(world.scanner).post("/api/v1/points/scans/batch", sent, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")


def test_P4_2_a_bound_phone_scans_the_events_code(world: make.World) -> None:
    code = tokens.mint("event", keys=keys.keyring(), session=world.session, at=world.at).code
    me = client(world.users[world.people[1]])
    sent = {"id": str(uuid4()), "code": code, "scanned_at": world.at.isoformat()}
    assert me.post("/api/v1/points/scans", sent, format="json").json()["result"] == "granted"
    card = me.post("/api/v1/points/scans", body(world, 0), format="json")
    assert card.json()["result"] == "bad_card"


def test_a_scanners_token_scans_its_own_organisation_only(world: make.World) -> None:
    foreign = make.hold(world, group=world.other_group, title="よその回")
    with access.system(at=world.at, reason="token") as by:
        _, token = access_tokens.issue_token(
            user_id=world.scanner.pk, name="受付", scopes=["scans.record"],
            expires_at=world.at + timedelta(days=30), by=by)
    device = APIClient(raise_request_exception=False)
    device.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    own = device.post("/api/v1/points/scans", body(world), format="json")
    assert own.json()["result"] == "granted"
    other = device.post("/api/v1/points/scans", body(world, 1, session=foreign), format="json")
    assert (other.status_code, other.json()["result"]) == (200, "not_open")
    seen = device.get("/api/v1/points/sessions").json()
    assert [one["id"] for one in seen] == [world.session]
    assert device.get(f"/api/v1/points/sessions/{foreign}").status_code == 404
    assert device.get(f"/api/v1/points/attendances?session={world.session}").status_code == 403
    with access.system(at=world.at, reason="look") as by:
        assert Attendance.objects.visible_to(by).count() == 1
