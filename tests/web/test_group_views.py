"""The pages of groups (P9): what a leader and the council meet, and what they are refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.test import Client

from points.models import Group, GroupReport
from points.operations import programmes
from points.queries import groups as seen
from registry import access
from registry.access import JAPAN
from registry.operations import memberships
from tests.factories import points as factory
from tests.factories.points import World

pytestmark = pytest.mark.django_db
PLAN = {"kind_0": "join", "every_0": "month", "times_0": "２", "place_0": "見本会館",
        "audience_0": "地域の方", "expected_0": "20"}
FILING = {"name": "ふれあいサロン（見本）", "activity_kind": "join", "contact_name": "見本　連絡",
          "contact_phone": "0242-00-0000", **PLAN}


@pytest.fixture
def world() -> World:
    made = factory.build(count=6, group_minimum=5)
    with access.system(at=made.at, reason="test") as by:
        programmes.open_year(terms=factory.terms(2027), by=by)
    return made


def client(user: Any) -> Client:
    made = Client()
    made.force_login(user)
    return made


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with time_machine.travel(factory.NOON, tick=False):
        yield


def test_P9_a_leader_files_from_renewal_to_the_councils_word(world: World) -> None:
    leader, council = client(world.leader), client(world.council)
    assert "わたしの団体" in leader.get("/host").content.decode()
    page = leader.get(f"/host/groups/{world.group}").content.decode()
    assert "更新する" in page and "登録ずみ" in page
    renewed = leader.post(f"/host/groups/{world.group}/renew")
    new = Group.objects.get(fiscal_year=2027)
    assert renewed["Location"] == f"/host/groups/{new.pk}"
    short = leader.post(f"/host/groups/{new.pk}/submit")
    assert short.status_code == 422 and "連絡する人を入れてください" in short.content.decode()
    form = leader.get(f"/host/groups/{new.pk}/filing").content.decode()
    assert 'name="token" value="1"' in form
    assert leader.post(f"/host/groups/{new.pk}/filing", {**FILING, "token": "9"}).status_code == 409
    assert leader.post(f"/host/groups/{new.pk}/filing", {**FILING, "token": "1"}).status_code == 302
    assert leader.post(f"/host/groups/{new.pk}/submit").status_code == 302
    waiting = council.get("/council/groups?show=waiting").content.decode()
    assert "ふれあいサロン（見本）" in waiting and "審査まち" in waiting
    back = council.post(f"/council/groups/{new.pk}/return", {"reason": "会場は？", "token": "3"})
    assert back.status_code == 302
    assert "会場は？" in leader.get(f"/host/groups/{new.pk}").content.decode()
    leader.post(f"/host/groups/{new.pk}/filing", {**FILING, "token": "4"})
    leader.post(f"/host/groups/{new.pk}/submit")
    assert council.post(f"/council/groups/{new.pk}/accept", {"token": "6"}).status_code == 302
    assert Group.objects.get(pk=new.pk).state == "registered"
    told = council.get(f"/council/groups/{new.pk}").content.decode()
    assert all(word in told for word in ("月に2回", "見本会館", "差しもどし", "見本　連絡"))


def test_P9_a_form_keeps_what_was_typed_and_names_the_line(world: World) -> None:
    leader = client(world.leader)
    leader.post("/host/groups/new", {"organisation": world.organisation, "programme": "tsunagari",
                                     "fiscal_year": 2027})
    new = Group.objects.get(fiscal_year=2027)
    wrong = leader.post(f"/host/groups/{new.pk}/filing", {**FILING, "place_0": "", "token": "1"})
    said = wrong.content.decode()
    assert wrong.status_code == 422 and "会場を120文字までで入れてください" in said
    assert "見本　連絡" in said and 'href="#id_place_0"' in said
    again = leader.post("/host/groups/new", {
        "organisation": world.organisation, "programme": "tsunagari", "fiscal_year": 2027})
    assert again.status_code == 409 and "すでに届け出ています" in again.content.decode()
    foreign = leader.post("/host/groups/new", {
        "organisation": world.other, "programme": "tsunagari", "fiscal_year": 2027})
    assert foreign.status_code == 422


def test_P9_a_leader_adds_and_removes_a_member_and_has_no_search(world: World) -> None:
    leader, url = client(world.leader), f"/host/groups/{world.group}/members"
    person = world.people[0]
    gone = leader.post(f"{url}/{person}/leave", {"ends_on": "2026-11-23", "reason": "転居"})
    assert gone.status_code == 302
    page = leader.get(url).content.decode()
    assert "会員5人" in page and 'type="search"' not in page and "さがす" not in page
    bad = leader.post(url, {"code": "ABCDE", "starts_on": "2026-11-23"})
    assert bad.status_code == 422 and "このカードは使えません" in bad.content.decode()
    past = leader.post(url, {"code": world.card(0), "starts_on": "2026-11-01"})
    assert past.status_code == 422 and "会員届を社協へ" in past.content.decode()
    assert leader.post(url, {"code": world.card(0), "starts_on": "R8.11.23"}).status_code == 302
    assert "会員6人" in leader.get(url).content.decode()
    twice = leader.post(url, {"code": world.card(0), "starts_on": "2026-11-23"})
    assert twice.status_code == 409 and "すでに会員です" in twice.content.decode()


def test_P9_leaving_below_the_minimum_warns_at_once_and_stands_on_every_page(world: World) -> None:
    leader, council = client(world.leader), client(world.council)
    for person in world.people[:2]:
        leader.post(f"/host/groups/{world.group}/members/{person}/leave",
                    {"ends_on": "2026-11-23"})
    for page in (f"/host/groups/{world.group}", f"/host/groups/{world.group}/members",
                 "/host/groups"):
        assert "数えられる会員が4人です" in leader.get(page).content.decode(), page
    with access.scope(world.council, at=world.at) as by:
        assert seen.filing_line(by, group_id=world.group).warning
    assert "人数不足" in council.get("/council/groups").content.decode()


@pytest.mark.parametrize("page", [
    "", "/members", "/filing", "/report", "/report/pdf", "/report/xlsx",
])
def test_P9_another_groups_pages_are_not_found_and_a_former_leader_has_none(
    world: World, page: str
) -> None:
    leader = client(world.leader)
    assert leader.get(f"/host/groups/{world.other_group}{page}").status_code == 404
    assert leader.get(f"/host/groups/{world.group}{page}").status_code == 200
    with access.system(at=world.at, reason="test") as by:
        from registry.operations import own_members

        own_members.end_lead(organisation_id=world.organisation, ends_on=by.on, by=by)
    assert leader.get(f"/host/groups/{world.group}{page}").status_code in (403, 404)
    assert client(world.shopkeeper).get(f"/host/groups/{world.group}{page}").status_code == 403


def test_P9_the_council_enters_a_paper_form_and_changes_the_leader(world: World) -> None:
    council = client(world.council)
    person = world.people[5]
    with access.system(at=world.at, reason="test") as by:
        memberships.leave(organisation_id=world.organisation, volunteer_id=person,
                          ends_on=by.on, by=by)
    url = f"/council/groups/{world.group}"
    found = council.post(f"{url}/members", {"q": "P00005"}).content.decode()
    assert f"{url}/members/{person}" in found and "見本　5" in found
    assert council.post(f"{url}/members", {"q": ""}).status_code == 422
    joined = council.post(f"{url}/members/{person}", {"starts_on": "2026-11-23"})
    assert joined.status_code == 302
    changed = council.post(f"{url}/leader", {
        "volunteer": world.people[1], "starts_on": "2026-11-24", "username": ""})
    assert changed.status_code == 302
    told = council.get(url).content.decode()
    assert "代表者の交代" in told and "入会" in told
    wrong = council.post(f"{url}/leader", {
        "volunteer": world.people[2], "starts_on": "2026-11-24", "username": "nai"})
    assert wrong.status_code == 422


def test_P9_too_few_members_are_registered_only_with_a_reason(world: World) -> None:
    council = client(world.council)
    council.post("/council/groups/new", {"organisation": world.other, "programme": "tsunagari",
                                         "fiscal_year": 2027})
    new = Group.objects.get(fiscal_year=2027)
    council.post(f"/council/groups/{new.pk}/edit", {**FILING, "token": "1"})
    council.post(f"/council/groups/{new.pk}/submit")
    refused = council.post(f"/council/groups/{new.pk}/accept", {"token": "3"})
    assert refused.status_code == 422 and "認める理由" in refused.content.decode()
    done = council.post(f"/council/groups/{new.pk}/accept",
                        {"token": "3", "exception": "4月にふえる予定"})
    assert done.status_code == 302
    assert "4月にふえる予定" in council.get(f"/council/groups/{new.pk}").content.decode()


def test_P9_a_report_goes_from_the_leader_to_acceptance(world: World) -> None:
    url = f"/host/groups/{world.group}/report"
    early = client(world.leader).post(url, {"text": "よい年", "token": "0", "submit": "1"})
    assert early.status_code == 422 and "3月31日" in early.content.decode()
    with time_machine.travel(datetime(2027, 4, 2, 10, tzinfo=JAPAN), tick=False):
        leader, council = client(world.leader), client(world.council)
        assert leader.post(url, {"text": "よい年", "token": "0", "save": "1"}).status_code == 302
        assert leader.post(url, {"text": "", "token": "1", "submit": "1"}).status_code == 422
        assert leader.post(url, {"text": "よい年", "token": "1", "submit": "1"}).status_code == 302
        back = council.post(f"/council/groups/{world.group}/report",
                            {"reason": "会場も", "token": "3"})
        assert back.status_code == 302
        leader.post(url, {"text": "よい年。見本会館。", "token": "4", "submit": "1"})
        page = council.get(f"/council/groups/{world.group}/report").content.decode()
        assert "受理する" in page
        stale = council.post(f"/council/groups/{world.group}/report",
                             {"accept": "1", "token": "2"})
        assert stale.status_code == 409
        row = GroupReport.objects.unscoped().get()
        done = council.post(f"/council/groups/{world.group}/report",
                            {"accept": "1", "token": str(row.version)})
        assert done.status_code == 302
        pdf = council.get(f"/council/groups/{world.group}/report/pdf")
        assert pdf.content.startswith(b"%PDF")
        assert council.get(f"/council/groups/{world.group}/report/doc").status_code == 404
    row.refresh_from_db()
    assert row.state == "accepted" and row.figures is not None


def test_P9_withdrawing_asks_why(world: World) -> None:
    council, url = client(world.council), f"/council/groups/{world.other_group}/withdraw"
    assert council.post(url, {"reason": "", "token": "3"}).status_code == 422
    assert council.post(url, {"reason": "解散", "token": "3"}).status_code == 302
    assert "とりやめ" in council.get(f"/council/groups/{world.other_group}").content.decode()
