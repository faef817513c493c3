"""``points/programmes``: rules drafted, previewed and adopted by the machine face (P2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from points.operations import attendance, ledger
from registry import access
from tests.factories import points as make

API = "/api/v1/points"


@pytest.fixture
def world(db: None) -> Iterator[make.World]:
    made = make.build()
    with access.scope(made.scanner, at=made.at) as by:
        attendance.record(scans=[made.scan(n) for n in (0, 1)], by=by)
    with time_machine.travel(made.at, tick=False):
        yield made


@pytest.fixture
def council(world: make.World) -> APIClient:
    made = APIClient(raise_request_exception=False)
    made.force_login(world.council)
    return made


def asked(client: APIClient, method: str, path: str, body: Any = None, status: int = 200,
          version: int | None = None) -> Any:
    extra = {} if version is None else {"HTTP_IF_MATCH": f'"{version}"'}
    answer = getattr(client, method)(f"{API}/{path}", body, format="json", **extra)
    assert answer.status_code == status, answer.content.decode()
    return answer.json() if answer.content else None


def test_P2_a_rule_change_from_draft_to_effect(world: make.World, council: APIClient) -> None:
    (now,) = asked(council, "get", "programmes/tsunagari/rule-sets")
    assert now["standing"] == "in_force" and now["used"]
    told = {line["topic"]: line["text"] for line in now["sentences"]}
    assert told["daily_cap"] == "1日3ポイントまで。"
    draft = asked(council, "post", "programmes/tsunagari/rule-drafts", {"based_on": now["id"]}, 201)
    form = draft["form"] | {"begins_on": "令和8年12月1日", "citation": "見本決裁2号",
                            "daily_cap": "４", "group_day_cap": "4"}
    form["rates"][0]["points"] = "2"
    where = f"rule-drafts/{draft['id']}"
    asked(council, "put", where, form, 428)
    asked(council, "put", where, form, 412, version=9)
    saved = asked(council, "put", where, form, version=1)
    assert saved["version"] == 2 and saved["form"] == form
    seen = asked(council, "post", f"{where}/preview", {"since": "2026-11-01"})
    assert (seen["people"], seen["before"], seen["after"]) == (2, 2, 4)
    assert "見本" not in str(seen) and "name" not in str(seen)
    asked(council, "post", f"{where}/adopt", {"reason": "ふやす"}, 412, version=1)
    made = asked(council, "post", f"{where}/adopt", {"reason": "ふやす"}, 201, version=2)
    assert made["standing"] == "planned" and made["ends_on"] is None
    detail = asked(council, "get", f"programmes/tsunagari/rule-sets/{made['id']}")
    assert {"topic": "daily_cap", "label": "1日の上限", "was": "1日3ポイントまで。",
            "becomes": "1日4ポイントまで。"} in detail["difference"]
    assert asked(council, "get", "programmes/tsunagari/rule-drafts") == []
    withdrawn = asked(council, "post", f"programmes/tsunagari/rule-sets/{made['id']}/withdraw",
                      {"reason": "まちがい"})
    assert withdrawn["standing"] == "withdrawn"
    used = asked(council, "post", f"programmes/tsunagari/rule-sets/{now['id']}/withdraw",
                 {"reason": "x"}, 422)
    assert used["code"] == "rules_used"
    with access.system(at=world.at, reason="verify") as by:
        assert ledger.verify(by=by).intact


def test_P2_a_rule_nobody_knows_is_refused_not_dropped(council: APIClient) -> None:
    rules = {
        "code": "x-1", "begins_on": "2026-12-01", "sources": ["group"], "weekly_cap": 3,
        "rates": [{"kind": "join", "label": "参加型", "points": 1}],
        "points_per_voucher": 5, "yen_per_voucher": 500,
    }
    for path in ("programmes/tsunagari/rule-sets", "programmes/tsunagari/rule-sets/preview"):
        body = asked(council, "post", path, rules, 400)
        assert "weekly_cap" in str(body["errors"])
    draft = asked(council, "post", "programmes/tsunagari/rule-drafts", {}, 201)
    asked(council, "put", f"rule-drafts/{draft['id']}", {"bonus": "1"}, 400, version=1)
    broken = asked(council, "post", f"rule-drafts/{draft['id']}/adopt", {"reason": "x"}, 422,
                   version=1)
    assert broken["code"] == "rule_form_unreadable" and len(broken["errors"]) >= 3
    asked(council, "delete", f"rule-drafts/{draft['id']}", status=204)
    asked(council, "delete", f"rule-drafts/{draft['id']}", status=409)


def test_P2_a_years_terms_by_version(council: APIClient) -> None:
    (now, before) = asked(council, "get", "programmes/tsunagari/years")
    assert now["fixed"] and not before["fixed"]
    body = {k: v for k, v in before["terms"].items() if k not in ("fiscal_year", "state")}
    body |= {"annual_cap": 80, "reason": "見本"}
    where = "programmes/tsunagari/years/2025"
    asked(council, "put", where, body, 428)
    changed = asked(council, "put", where, body, version=1)
    assert changed["terms"]["annual_cap"] == 80 and changed["version"] == 2
    asked(council, "put", where, body, 412, version=1)
    fixed = asked(council, "put", "programmes/tsunagari/years/2026", body | {
        name: now["terms"][name] for name in ("exchange_from", "exchange_until", "grace_until",
                                              "lapses_on")}, 422, version=1)
    assert fixed["code"] == "year_has_points"
    asked(council, "get", "programmes/tsunagari/years/2030", status=404)


def test_P2_yearly_registrations_by_the_machine_face(
    world: make.World, council: APIClient
) -> None:
    body = {"volunteers": world.people[:2], "fiscal_year": 2026}
    made = asked(council, "post", "programmes/tsunagari/enrolments", body, 201)
    assert made["count"] == 2 and made["results"][0]["number"] == "P00000"
    assert asked(council, "post", "programmes/tsunagari/enrolments", body, 409)["code"] == (
        "enrolled_already")
    page = asked(council, "get", "programmes/tsunagari/enrolments?fiscal_year=2026&limit=1")
    assert len(page["results"]) == 1 and page["next"]
    rest = asked(council, "get", "programmes/tsunagari/enrolments?fiscal_year=2026&limit=1"
                                 f"&cursor={page['next']}")
    assert rest["next"] is None and len(rest["results"]) == 1
    number = made["results"][0]["id"]
    asked(council, "post", f"enrolments/{number}/cancel", {"reason": "本人の申し出"}, 204)
    asked(council, "post", f"enrolments/{number}/cancel", {"reason": "x"}, 404)


def test_P2_a_key_is_answered_once(world: make.World, council: APIClient) -> None:
    for key in ("a", "a"):
        answer = council.post(f"{API}/programmes/tsunagari/rule-drafts", {}, format="json",
                              HTTP_IDEMPOTENCY_KEY=key)
        assert answer.status_code == 201
    assert len(asked(council, "get", "programmes/tsunagari/rule-drafts")) == 1
    leader = APIClient()
    leader.force_login(world.leader)
    asked(leader, "get", "programmes/tsunagari/rule-sets", status=403)
    assert asked(leader, "get", "programmes/tsunagari")["years"]
