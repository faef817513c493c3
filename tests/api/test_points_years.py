"""``points/years`` by the machine face: preview, close, exceptions, corrections (P1–P3)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from registry import access
from registry.operations import volunteers
from tests.factories import points as make
from tests.operations.test_points_year_corrections import YOUNG, person, told
from tests.operations.test_points_years import AFTER, held, lapse, scan, verified

API = "/api/v1/points"
WHERE = "years/tsunagari/2025"
WHY = {"reason": "感染症のため", "authority": "会長決裁（見本）", "decided_on": "2026-04-01"}


@pytest.fixture
def world(db: None) -> Iterator[make.World]:
    made = make.build(minimum_age=13)
    told(made.at)
    with time_machine.travel(AFTER, tick=False):
        yield made


@pytest.fixture
def council(world: make.World) -> APIClient:
    made = APIClient(raise_request_exception=False)
    made.force_login(world.council)
    return made


def asked(client: APIClient, method: str, path: str, body: Any = None, status: int = 200,
          version: int | None = None, key: str = "") -> Any:
    extra = {} if version is None else {"HTTP_IF_MATCH": f'"{version}"'}
    if key:
        extra["HTTP_IDEMPOTENCY_KEY"] = key
    answer = getattr(client, method)(f"{API}/{path}", body, format="json", **extra)
    assert answer.status_code == status, answer.content.decode()
    return answer.json() if answer.content else None


def close(client: APIClient) -> Any:
    asked(client, "post", f"{WHERE}/begin-closing")
    shown = asked(client, "get", f"{WHERE}/preview")
    return asked(client, "post", f"{WHERE}/close", {"reason": "年度が終わった"},
                 version=shown["version"])


def test_P1_a_year_from_preview_to_lapse(world: make.World, council: APIClient) -> None:
    scan(world, held(world, 31), 0)
    listed = {one["fiscal_year"]: one for one in asked(council, "get", "years")}
    assert (listed[2025]["step"], listed[2025]["not_yet"]) == ("closing", "")
    assert listed[2026]["not_yet"]
    assert asked(council, "post", f"{WHERE}/close", {"reason": "x"}, 409, version=1)["code"] == (
        "year_state")
    began = asked(council, "post", f"{WHERE}/begin-closing", key="once")
    assert asked(council, "post", f"{WHERE}/begin-closing", key="once") == began
    asked(council, "post", f"{WHERE}/begin-closing", None, 409)
    shown = asked(council, "get", f"{WHERE}/preview")
    assert shown["figures"]["carry"] == 2 and shown["year"]["step"] == "close"
    asked(council, "post", f"{WHERE}/close", {"reason": "x"}, 428)
    scan(world, held(world, 30), 0, at=AFTER)
    stale = asked(council, "post", f"{WHERE}/close", {"reason": "x"}, 412, version=shown["version"])
    assert stale["code"] == "changed_meanwhile"
    shown = asked(council, "get", f"{WHERE}/preview")
    asked(council, "post", f"{WHERE}/close", {"reason": ""}, 400, version=shown["version"])
    done = asked(council, "post", f"{WHERE}/close", {"reason": "年度が終わった"},
                 version=shown["version"])
    assert (done["state"], [one["kind"] for one in done["events"]]) == (
        "closed", ["closing", "closed"])
    lapse()
    whole = asked(council, "get", WHERE)
    assert (whole["step"], whole["events"][-1]["figures"]["carried"]) == ("", 4)
    asked(council, "get", "years/tsunagari/1999", None, 404)
    asked(council, "get", "years/none/2025/preview", None, 404)
    verified()


def test_P1_what_a_closed_year_waits_for(world: make.World, council: APIClient) -> None:
    session = held(world, 31)
    scan(world, session, 0, 1)
    close(council)
    late = scan(world, session, 2, at=AFTER)[0].attendance
    for number, who in enumerate((0, 1)):
        at = AFTER + timedelta(seconds=number)
        with access.scope(world.council, at=at) as by:
            volunteers.change(volunteer_id=world.people[who], volunteer=person(YOUNG), by=by)
        told(at)
    found = asked(council, "get", f"{WHERE}/waiting")
    assert [one["attendance_id"] for one in found["late"]] == [late]
    first, second = found["corrections"]
    assert "name" not in str(found) and (first["stands"], first["would_be"]) == (2, 0)
    said = {"reason": "紙の名簿がとどいたため"}
    assert asked(council, "post", f"attendances/{late}/correct", said)["correction"]
    asked(council, "post", f"attendances/{late}/correct", said, 409)
    done = asked(council, "post", f"year-corrections/{first['id']}/apply", said)
    assert done["outcome"] == "applied"
    kept = asked(council, "post", f"year-corrections/{second['id']}/keep", said)
    assert kept["outcome"] == "kept"
    asked(council, "post", f"year-corrections/{second['id']}/apply", said, 409)
    assert asked(council, "get", f"{WHERE}/waiting") == {
        "late": [], "corrections": [], "more": False}
    verified()


def test_P2_exceptions_by_the_machine_face(world: make.World, council: APIClient) -> None:
    where = f"{WHERE}/exceptions"
    wrong = asked(council, "post", where, WHY | {"kind": "postpone"}, 422)
    assert wrong["code"] == "exception_dates"
    asked(council, "post", where, WHY | {"kind": "end"}, 400)
    made = asked(council, "post", where, WHY | {
        "kind": "postpone", "exchange_until": "2026-12-31", "lapses_on": "2027-01-01"}, 201)
    assert made["terms"]["lapses_on"] == "2027-01-01"
    [one] = made["exceptions"]
    ended = asked(council, "post", f"year-exceptions/{one['id']}/end", WHY, 201)
    assert ended["terms"]["lapses_on"] == "2026-07-01"
    assert [one["in_force"] for one in ended["exceptions"]] == [False, False]
    asked(council, "post", f"year-exceptions/{one['id']}/end", WHY, 422)
