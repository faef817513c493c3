"""Programmes, sessions, statements, exchanges, vouchers and statistics by the machine face."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import python_calamine
import time_machine
from rest_framework.test import APIClient

from points.models import Voucher
from points.operations import attendance
from registry import access
from registry.models import LogEntry
from registry.sealing import unseal
from tests.factories import points as make

API = "/api/v1/points"


@pytest.fixture
def world(db: None) -> Any:
    made = make.build(phones=True, points_per_voucher=2)
    sessions = [made.session, make.hold(made, start=made.at - timedelta(days=40), kind="support")]
    with access.scope(made.council, at=made.at) as by:
        attendance.record(scans=[made.scan(n, s) for n in (0, 1) for s in sessions], by=by)
    with time_machine.travel(made.at, tick=False):
        yield made


def client(user: Any) -> APIClient:
    made = APIClient(raise_request_exception=False)
    made.force_login(user)
    return made


def test_a_programme_grows_by_dated_rules(world: make.World) -> None:
    council = client(world.council)
    made = council.post(f"{API}/programmes", {"code": "kamukamu", "name": "カムカム（見本）"},
                        format="json")
    assert made.status_code == 201, made.json()
    rules = {
        "code": "kamukamu-1", "begins_on": "2026-04-01", "sources": ["centre"],
        "rates": [{"kind": "visit", "label": "訪問", "points": 1}],
        "points_per_voucher": 10, "yen_per_voucher": 1000,
    }
    answer = council.post(f"{API}/programmes/kamukamu/rule-sets", rules, format="json")
    assert answer.json()["rules"][0]["rates"][0]["per"] == "attendance", answer.json()
    again = council.post(f"{API}/programmes/kamukamu/rule-sets", rules, format="json")
    assert again.status_code == 422
    year = {"fiscal_year": 2026, "yen_value": 1000, "exchange_from": "2026-04-01",
            "exchange_until": "2027-06-30", "grace_until": "2027-04-20",
            "lapses_on": "2027-07-01"}
    answer = council.post(f"{API}/programmes/kamukamu/years", year, format="json")
    assert answer.json()["years"][0]["state"] == "open", answer.json()
    assert council.post(f"{API}/programmes/none/rule-sets", rules, format="json").status_code == 404
    early = rules | {"code": "x-1", "begins_on": "2026-11-23"}
    refused = council.post(f"{API}/programmes/tsunagari/rule-sets", early, format="json")
    assert refused.json()["code"] == "begins_before_awards"


def test_P9_a_leader_opens_only_their_own_sessions(world: make.World) -> None:
    leader = client(world.leader)
    sent = {"title": "見本の会", "group": world.group,
            "starts_at": "2026-11-24T10:00:00+09:00", "ends_at": "2026-11-24T11:00:00+09:00"}
    assert leader.post(f"{API}/sessions", sent, format="json").status_code == 201
    foreign = leader.post(f"{API}/sessions", sent | {"group": world.other_group}, format="json")
    assert foreign.status_code == 404
    backwards = leader.post(f"{API}/sessions", sent | {"ends_at": sent["starts_at"]},
                            format="json")
    assert (backwards.status_code, backwards.json()["code"]) == (422, "bad_session")
    groups = leader.get(f"{API}/groups?fiscal_year=2026").json()
    assert [one["id"] for one in groups] == [world.group]
    day = leader.get(f"{API}/sessions?on=2026-11-24").json()
    assert [one["title"] for one in day] == ["見本の会"]
    assert leader.get(f"{API}/sessions/{2**70}").status_code == 404


def test_a_record_is_seen_and_voided_by_its_group_only(world: make.World) -> None:
    leader = client(world.leader)
    lines = leader.get(f"{API}/attendances?session={world.session}").json()
    assert [one["name"] for one in lines] == ["見本　0", "見本　1"]
    url = f"{API}/attendances/{lines[0]['id']}/void"
    assert client(world.other_leader).post(url, {"reason": "x"}, format="json").status_code == 404
    gone = leader.post(url, {"reason": "人ちがい"}, format="json")
    assert gone.json()["voided_at"] and gone.json()["points"] == 0
    assert leader.post(url, {"reason": "人ちがい"}, format="json").status_code == 409


def test_a_statement_is_ones_own(world: make.World) -> None:
    me = client(world.users[world.people[0]])
    found = me.get(f"{API}/volunteers/{world.people[0]}/statement").json()
    assert [(line["points"], line["balance"]) for line in found["parts"][0]["lines"]] == [
        (2, 2), (1, 3)]
    assert me.get(f"{API}/volunteers/{world.people[1]}/statement").status_code == 404
    assert me.get(f"{API}/volunteers/{2**70}/statement").status_code == 404
    assert client(world.leader).get(
        f"{API}/volunteers/{world.people[0]}/statement").status_code == 403


def test_P7_an_exchange_and_a_voucher_by_the_machine_face(world: make.World) -> None:
    me, shop = client(world.users[world.people[0]]), client(world.shopkeeper)
    sent = {"id": str(uuid4()), "volunteer": world.people[0], "programme": "tsunagari", "count": 1}
    made = me.post(f"{API}/exchanges", sent, format="json")
    assert made.status_code == 201 and made.json()["points"] == 2, made.json()
    assert me.post(f"{API}/exchanges", sent, format="json").json() == made.json()
    assert "code" not in made.json()["vouchers"][0]
    with access.system(at=world.at, reason="look") as by:
        row = Voucher.objects.visible_to(by).get()
        code = unseal(bytes(row.sealed_code), context=f"voucher:{row.serial}").decode()
    taken = shop.post(f"{API}/vouchers/redeem", {"id": str(uuid4()), "code": code}, format="json")
    assert taken.json()["state"] == "used", taken.json()
    again = shop.post(f"{API}/vouchers/redeem", {"id": str(uuid4()), "code": code}, format="json")
    assert (again.status_code, again.json()["code"]) == (422, "voucher_used")


def test_P10_statistics_and_their_export_leave_a_record(world: make.World) -> None:
    council = client(world.council)
    found = council.get(f"{API}/statistics?fiscal_year=2026&group_by=month").json()
    assert [(r["key"], r["figures"]["attendances"]) for r in found["rows"]] == [
        (["2026-10"], 2), (["2026-11"], 2)]
    assert found["total"]["figures"]["people"] == 2
    bad = council.get(f"{API}/statistics?fiscal_year=2026&group_by=shoe_size")
    assert (bad.status_code, bad.json()["code"]) == (422, "bad_dimension")
    url = f"{API}/statistics/export"
    assert council.post(url, {"fiscal_year": 2026}, format="json").status_code == 400
    file = council.post(url, {"fiscal_year": 2026, "group_by": "month", "reason": "理事会"},
                        format="json")
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(file.content))
    assert book.sheet_names == ["data", "説明"]
    with access.system(at=world.at, reason="look") as by:
        entry = LogEntry.objects.visible_to(by).get(action="statistics.export")
    assert (entry.kind, entry.detail["reason"]) == ("export", "理事会")
    assert client(world.leader).get(f"{API}/statistics?fiscal_year=2026").status_code == 403
