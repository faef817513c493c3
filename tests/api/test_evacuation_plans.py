"""evacuation/plans and their neighbours by the machine face: versions, walls, files, proposals."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from evacuation.operations import matching, supporters
from evacuation.operations.supporters import SupporterInput
from registry import access, outbox
from registry.models import LogEntry
from tests.cast import Cast
from tests.factories import plans as made

ROOT = "/api/v1/evacuation/"
pytestmark = pytest.mark.django_db


def client(user: Any) -> APIClient:
    found = APIClient(raise_request_exception=False)
    found.force_login(user)
    return found


@pytest.fixture
def world(cast: Cast) -> made.World:
    with access.system(at=cast.at, reason="test") as by:
        made.listed(by, cast.hanako_id, cast.ichiro_id, cast.yuki_id)
        made.consents(by, cast.hanako_id, "plan_making")
        return made.world(by)


def sent(answer: Any, status: int) -> Any:
    assert answer.status_code == status, answer.content.decode()
    return answer.json()


def drafted(cast: Cast, world: made.World) -> tuple[int, str]:
    officer = client(cast.sato)
    body = sent(officer.post(ROOT + "plans", {"person_id": cast.hanako_id}, format="json"), 201)
    tag = f'"{body["edit_version"]}"'
    steps = {**made.ANSWERS, 4: made.destination(world.school),
             5: {"no_supporter_reason": "さがしている"}}
    for step, values in steps.items():
        answer = officer.patch(f"{ROOT}plans/{body['plan_id']}", {"step": step, "values": values},
                               format="json", HTTP_IF_MATCH=tag)
        sent(answer, 200)
        tag = answer["ETag"]
    return body["plan_id"], tag


def test_a_plan_from_start_to_the_approved_sheet(cast: Cast, world: made.World) -> None:
    plan, tag = drafted(cast, world)
    url = f"{ROOT}plans/{plan}"
    done = client(cast.sato).post(f"{url}/submit", HTTP_IF_MATCH=tag)
    assert sent(done, 200)["state"] == "submitted"
    assert client(cast.sato).post(f"{url}/approve", HTTP_IF_MATCH=done["ETag"]).status_code == 403
    approved = client(cast.takada).post(f"{url}/approve", HTTP_IF_MATCH=done["ETag"])
    assert sent(approved, 200)["state"] == "approved"
    sheet = client(cast.takada).get(f"{url}/sheet.pdf", HTTP_X_PURPOSE="承認の確認")
    assert sheet.status_code == 200 and sheet["Content-Type"] == "application/pdf"
    assert sheet.content.startswith(b"%PDF") and sheet["Cache-Control"] == "no-store"
    with access.system(at=cast.at, reason="test") as by:
        view = LogEntry.objects.visible_to(by).filter(
            action="plans.sheet", person_id=cast.hanako_id, user_id=cast.takada.pk).first()
        assert view is not None and view.purpose == "承認の確認"
    refused = client(cast.sato).get(f"{url}/sheet.pdf", {"kind": "neighbourhood"})
    assert sent(refused, 422)["code"] == "plan_not_for_recipient"


def test_changes_need_the_version_and_a_stale_one_is_told(cast: Cast, world: made.World) -> None:
    plan, tag = drafted(cast, world)
    officer, url = client(cast.sato), f"{ROOT}plans/{plan}"
    step = {"step": 2, "values": {"communication": "筆談"}}
    assert sent(officer.patch(url, step, format="json"), 428)["code"] == "if_match_required"
    stale = officer.patch(url, step, format="json", HTTP_IF_MATCH='"1"')
    assert sent(stale, 412)["code"] == "plan_step_conflict"
    assert "左から" not in stale.content.decode()  # values never stand in an error
    bad = officer.patch(url, {"step": 2, "values": {"needs": ["x"]}}, format="json",
                        HTTP_IF_MATCH=tag)
    assert sent(bad, 422)["errors"][0]["field"] == "needs"
    for act in ("submit", "approve", "return"):
        user = cast.sato if act == "submit" else cast.takada
        answer = client(user).post(f"{url}/{act}", {"reason": "x"}, format="json")
        assert answer.status_code == 428
    assert client(cast.sato).post(f"{url}/submit", HTTP_IF_MATCH='"99"').status_code == 412


def test_missing_items_stop_the_submission(cast: Cast, world: made.World) -> None:
    officer = client(cast.sato)
    body = sent(officer.post(ROOT + "plans", {"person_id": cast.hanako_id}, format="json"), 201)
    assert body["done_count"] < 7 and any(step["gaps"] for step in body["steps"])
    answer = officer.post(f"{ROOT}plans/{body['plan_id']}/submit", HTTP_IF_MATCH='"1"')
    assert sent(answer, 422)["code"] == "plan_items_missing"


def test_not_yours_and_not_there_answer_alike_in_bytes(cast: Cast, world: made.World) -> None:
    with cast.scope(cast.sato) as by:
        from evacuation.operations import plans

        hidden = plans.start(person_id=cast.ichiro_id, by=by).pk
    manager = client(cast.care_manager)
    for tail in ("", "/map", "/history", "/sheet.pdf", "/destinations?hazard=flood",
                 "/assignments"):
        answers = [manager.get(f"{ROOT}plans/{one}{tail}") for one in (hidden, 987654)]
        assert {a.status_code for a in answers} == {404}
        assert answers[0].content == answers[1].content
    listed = sent(manager.get(ROOT + "plans"), 200)["results"]
    assert [row["person_id"] for row in listed] == [cast.hanako_id]


def test_R11_the_protected_person_is_in_no_list_of_a_care_manager(
    cast: Cast, world: made.World
) -> None:
    from registry.operations import people

    with access.system(at=cast.at, reason="test") as by:
        people.look_after(person_id=cast.yuki_id, user_id=cast.care_manager.pk,
                          starts_on=by.on, by=by)
    assert "見本　雪" not in client(cast.care_manager).get(ROOT + "plans").content.decode()
    assert "見本　雪" in client(cast.sato).get(ROOT + "plans").content.decode()


def test_destinations_map_and_hazards(cast: Cast, world: made.World) -> None:
    plan, _ = drafted(cast, world)
    officer, url = client(cast.sato), f"{ROOT}plans/{plan}"
    options = sent(officer.get(f"{url}/destinations", {"hazard": "flood"}), 200)["results"]
    assert [(o["name"], bool(o["refused"])) for o in options] == [
        ("見本小学校", False), ("南公民館", True)]
    assert options[0]["checked"] and {r["mark"] for r in options[0]["reasons"]} <= {"○", "△", "×"}
    shown = sent(officer.get(f"{url}/map"), 200)
    kinds = [f["properties"]["kind"] for f in shown["data"]["features"]]
    assert {"flood-mid", "home", "shelter", "route"} <= set(kinds)
    assert shown["text"].startswith("自宅は洪水 0.5〜3.0mの区域。")
    assert "水害のとき：見本小学校まで北東へ約690m（直線）" in shown["text"]
    assert "区域の中" in shown["text"] and "見本" in shown["source"]
    at = sent(officer.get(ROOT + "hazards/at", {"lon": 139.93, "lat": 37.495}), 200)
    assert [z["rank"] for z in at["results"]] == [2] and at["covered"] == ["flood"]
    assert officer.get(ROOT + "hazards/at", {"lon": 37.5, "lat": 89}).status_code == 422
    assert officer.get(ROOT + "hazards/at", {"lon": "x"}).status_code == 400
    shelter = officer.get(f"{ROOT}shelters/{world.school}")
    assert sent(shelter, 200)["taken"]["flood"] == 1
    changed = officer.patch(f"{ROOT}shelters/{world.school}", {"capacity": 20}, format="json",
                            HTTP_IF_MATCH=shelter["ETag"])
    assert sent(changed, 200)["capacity"] == 20
    again = officer.patch(f"{ROOT}shelters/{world.school}", {"capacity": 1}, format="json",
                          HTTP_IF_MATCH=shelter["ETag"])
    assert again.status_code == 412


def test_proposals_by_the_worker_then_assignment_and_answer(
    cast: Cast, world: made.World
) -> None:
    plan, _ = drafted(cast, world)
    officer = client(cast.sato)
    with cast.scope(cast.sato) as by:
        near = supporters.register(by=by, supporter=SupporterInput(
            "見本 近", phone="1", longitude=139.9303, latitude=37.4951, capacity=2)).pk
    run = sent(officer.post(ROOT + "plans/proposals", {}, format="json"), 202)
    assert run["state"] == "waiting"
    from django.utils import timezone

    at = timezone.now() + timedelta(minutes=1)
    for claimed in outbox.claim(at=at, lease=timedelta(minutes=1), limit=99):
        if claimed.kind == "evacuation.propose":
            matching.carry_out(claimed, at)
    page = sent(officer.get(f"{ROOT}plans/proposals/{run['id']}"), 200)
    assert page["run"]["proven"] and page["proposals"][0]["reasons"][0]["code"] == "walk"
    assert page["gaps"][0]["words"]
    mine = sent(officer.get(f"{ROOT}plans/{plan}/proposals"), 200)
    assert mine["results"][0]["supporter"]["id"] == near and mine["results"][0]["proposed"]
    url = f"{ROOT}plans/{plan}/assignments"
    key = {"HTTP_IDEMPOTENCY_KEY": "k1"}
    one = sent(officer.post(url, {"supporter_id": near}, format="json", **key), 201)
    assert sent(officer.post(url, {"supporter_id": near}, format="json", **key), 201) == one
    helper = one["results"][0]
    assert (helper["state"], helper["agreed"]) == ("assigned", False)
    act = f"{url}/{helper['assignment_id']}"
    assert sent(officer.post(act, {"act": "ask"}, format="json"), 200)
    after = sent(officer.post(act, {"act": "consent"}, format="json"), 200)["results"][0]
    assert (after["state"], after["agreed"]) == ("consented", True)
    assert client(cast.care_manager).post(act, {"act": "ask"}, format="json").status_code == 403
    other = f"{ROOT}plans/{plan}/assignments/987654"
    assert officer.post(other, {"act": "ask"}, format="json").status_code == 404


def test_supporters_are_registered_one_way_at_a_time(cast: Cast) -> None:
    officer = client(cast.sato)
    url = ROOT + "supporters"
    assert officer.post(url, {"name": "x", "volunteer_id": 1}, format="json").status_code == 400
    assert officer.post(url, {"volunteer_id": cast.taro_id}, format="json").status_code == 404
    made_one = sent(officer.post(url, {"name": "見本 長女", "phone": "1"}, format="json"), 201)
    assert made_one["kind"] == "person"
    consent = officer.post(f"{url}/{made_one['id']}/consent", {"agreed": True}, format="json")
    assert sent(consent, 200)["consented_at"]
    assert len(sent(officer.get(url), 200)["results"]) == 1
    assert json.dumps(sent(client(cast.suzuki).get(url), 403))  # 社協 never sees supporters
