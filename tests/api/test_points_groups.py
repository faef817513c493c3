"""``points/groups`` by the machine face: versions, retries, walls, the report's files (P9)."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from points.operations import programmes
from registry import access
from tests.factories import points as factory
from tests.factories.points import World

pytestmark = pytest.mark.django_db
API = "/api/v1/points/groups"
PLAN = {"activity_kind": "join", "every": "month", "times": 2, "place": "見本会館",
        "audience": "地域の方（見本）"}
FILING = {"name": "ふれあいサロン（見本）", "activity_kind": "join", "contact_name": "見本　連絡",
          "plan": [PLAN]}


@pytest.fixture
def world() -> Any:
    with time_machine.travel(factory.NOON, tick=False):
        made = factory.build(count=5, group_minimum=5)
        with access.system(at=made.at, reason="test") as by:
            programmes.open_year(terms=factory.terms(2027), by=by)
        yield made


def client(user: Any) -> APIClient:
    made = APIClient()
    made.force_authenticate(user)
    return made


def test_P9_a_filing_goes_through_by_version_and_retries_are_the_same(world: World) -> None:
    leader, council = client(world.leader), client(world.council)
    body = {**FILING, "organisation": world.organisation, "programme": "tsunagari",
            "fiscal_year": 2027}
    first = leader.post(API, body, format="json", HTTP_IDEMPOTENCY_KEY="g-1")
    again = leader.post(API, body, format="json", HTTP_IDEMPOTENCY_KEY="g-1")
    assert first.status_code == again.status_code == 201 and first.json() == again.json()
    url = f"{API}/{first.json()['id']}"
    assert leader.post(f"{url}/submit").status_code == 428
    stale = leader.post(f"{url}/submit", HTTP_IF_MATCH='"9"')
    assert (stale.status_code, stale.json()["code"]) == (412, "changed_meanwhile")
    changed = leader.put(url, FILING, format="json", HTTP_IF_MATCH=first["ETag"])
    assert changed.status_code == 200 and changed["ETag"] == '"2"'
    sent = leader.post(f"{url}/submit", HTTP_IF_MATCH=changed["ETag"])
    assert sent.json()["state"] == "submitted"
    assert leader.post(f"{url}/register", {}, HTTP_IF_MATCH=sent["ETag"]).status_code == 403
    back = council.post(f"{url}/return", {"reason": ""}, format="json",
                        HTTP_IF_MATCH=sent["ETag"])
    assert (back.status_code, back.json()["code"]) == (422, "reason_missing")
    done = council.post(f"{url}/register", {}, format="json", HTTP_IF_MATCH=sent["ETag"])
    assert done.status_code == 200 and done.json()["state"] == "registered"
    whole = leader.get(url).json()
    assert whole["plan"][0]["place"] == "見本会館" and len(whole["members"]) == 5
    assert [one["kind"] for one in whole["events"]] == ["applied", "submitted", "registered"]
    listed = leader.get(f"{API}?fiscal_year=2027&state=registered").json()
    assert [one["members"] for one in listed] == [5]


def test_P9_members_by_card_and_a_plan_that_cannot_be(world: World) -> None:
    leader, url = client(world.leader), f"{API}/{world.group}"
    left = leader.post(f"{url}/members/leave",
                       {"volunteer": world.people[0], "ends_on": "2026-11-23"}, format="json")
    assert left.json()["counted"] == 4 and "5人以上" in left.json()["warning"]
    byname = leader.post(f"{url}/members", {"volunteer": world.people[0]}, format="json")
    assert byname.status_code == 403
    bad = leader.post(f"{url}/members", {"code": "NO"}, format="json")
    assert (bad.status_code, bad.json()["code"]) == (422, "bad_card")
    joined = leader.post(f"{url}/members", {"code": world.card(0)}, format="json")
    assert joined.status_code == 201 and joined.json()["warning"] == ""
    wrong = leader.put(url, {**FILING, "plan": [{**PLAN, "times": 0}]}, format="json",
                       HTTP_IF_MATCH='"1"')
    assert wrong.status_code == 400


def test_P9_the_report_and_its_files(world: World) -> None:
    leader, url = client(world.leader), f"{API}/{world.group}/report"
    shown = leader.get(url)
    assert shown.json()["state"] == "draft" and shown["ETag"] == '"0"'
    kept = leader.put(url, {"text": "よい年"}, format="json", HTTP_IF_MATCH=shown["ETag"])
    assert kept.json()["text"] == "よい年"
    early = leader.post(f"{url}/submit", HTTP_IF_MATCH=kept["ETag"])
    assert (early.status_code, early.json()["code"]) == (422, "year_not_over")
    assert leader.get(f"{url}/file").content.startswith(b"%PDF")
    assert leader.get(f"{url}/file?kind=xlsx").content.startswith(b"PK")
    assert leader.get(f"{url}/file?kind=doc").status_code == 400


@pytest.mark.parametrize("path", ["", "/report", "/report/file"])
def test_P9_another_groups_address_answers_like_none(world: World, path: str) -> None:
    leader = client(world.leader)
    foreign, none = (leader.get(f"{API}/{n}{path}") for n in (world.other_group, 987654321))
    assert foreign.status_code == none.status_code == 404
    assert foreign.json()["code"] == none.json()["code"]
    for who in (world.scanner, world.shopkeeper):
        assert client(who).get(f"{API}/{world.group}{path}").status_code == 403
