"""Volunteers' own sign-in walked through: lost phone, a family's phone, a new card, undo (P4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from points.models import Attendance
from points.operations import attendance
from registry import access
from registry.models import BoundDevice
from registry.operations import cards, devices, volunteers
from tests.factories import points as factory
from tests.web.conftest import PHONE_COOKIE, phone_of, shown_code, signed_in

BIRTHDAY = {"birth_month": "5", "birth_day": "5"}


def bind(client: Client, world: Any, number: int, **more: Any) -> Any:
    return client.post("/bind", {"code": world.card(number), **BIRTHDAY, **more})


def name_on(client: Client) -> str:
    return str(client.get("/me").context["person"]["name"])


def standing() -> list[int]:
    rows = Attendance.objects.unscoped().filter(voided_at__isnull=True).order_by("volunteer_id")
    return list(rows.values_list("volunteer_id", flat=True))


def test_lost_phone_another_binds_and_takes_the_old_one_off(world: Any) -> None:
    lost, new = phone_of(world, 0), Client()
    assert bind(new, world, 0).status_code == 302
    page = new.get("/me/card")
    [old] = [one for one in page.context["phones"] if not one["current"]]
    assert new.post(old["remove_url"]).status_code == 302
    assert lost.get("/me").status_code == 302 and new.get("/me").status_code == 200


def test_lost_phone_is_taken_off_by_the_council(world: Any) -> None:
    lost = phone_of(world, 0)
    council = signed_in(world.council)
    page = council.get(f"/council/volunteers/{world.people[0]}")
    council.post(page.context["phones"][0]["url"])
    assert lost.get("/me").status_code == 302


def test_binding_again_on_the_same_phone_is_one_phone(world: Any) -> None:
    phone = Client()
    for _ in range(4):
        assert bind(phone, world, 0).status_code == 302
    in_force = BoundDevice.objects.unscoped().filter(revoked_at__isnull=True)
    assert in_force.count() == 1 and name_on(phone) == "見本　0"


def test_a_familys_phone_changes_over_without_showing_the_others_points(world: Any) -> None:
    phone = Client()
    bind(phone, world, 0)
    with access.system(at=world.at, reason="test") as by:
        attendance.record(scans=[world.scan(0)], by=by)
    assert bind(phone, world, 1).status_code == 302
    assert name_on(phone) == "見本　1"
    people = phone.get("/me/people")
    said = people.content.decode()
    assert "見本　0" in said and "見本　1" in said and "ポイント</p>" not in said
    other = next(one for one in people.context["people"] if not one["current"])
    moved = phone.post("/me/people", {"device": other["device"]})
    assert moved["Location"] == "/me" and name_on(phone) == "見本　0"
    assert phone.post("/me/people", {"device": "987654321"}).status_code == 404


def test_counting_says_whose_name_and_counts_nobody_else(world: Any) -> None:
    phone = Client()
    bind(phone, world, 0)
    bind(phone, world, 1)
    page = phone.get(f"/E/{shown_code(world)}")
    assert page.context["person"]["name"] == "見本　1" and "ちがう人です" in page.content.decode()
    given = {"token": page.context["token"], "person": str(page.context["person_id"])}
    other = next(one for one in phone.get(page.context["people_url"]).context["people"]
                 if not one["current"])
    back = phone.post("/me/people", {"device": other["device"], "next": page.context["action"]})
    assert back["Location"] == page.context["action"]
    # The form drawn for the first one is sent after the change: nobody is counted.
    asked = phone.post(page.context["action"], given)
    assert asked.status_code == 409 and "お名前が かわりました" in asked.content.decode()
    assert asked.context["person"]["name"] == "見本　0" and standing() == []
    nameless = phone.post(page.context["action"], {"token": given["token"]})
    assert nameless.status_code == 409 and standing() == []
    done = phone.post(page.context["action"], given | {"person": str(asked.context["person_id"])})
    assert done.context["result"] == "granted" and standing() == [world.people[0]]


def test_taking_oneself_off_a_familys_phone_leaves_the_other(world: Any) -> None:
    phone = Client()
    bind(phone, world, 0)
    bind(phone, world, 1)
    [mine] = phone.get("/me/card").context["phones"]
    phone.post(mine["remove_url"])
    assert name_on(phone) == "見本　0"
    assert [one["current"] for one in phone.get("/me/people").context["people"]] == [True]


def test_a_card_of_the_family_opens_the_same_page_as_a_strangers(world: Any) -> None:
    phone = phone_of(world, 0)
    assert phone.get(f"/C/{world.card(0)}")["Location"] == "/me/card"
    assert "はじめの登録" in phone.get(f"/C/{world.card(1)}").content.decode()


def test_P6_a_replaced_card_says_so_to_its_owner_and_the_phone_stays(world: Any) -> None:
    old, phone = world.card(0), phone_of(world, 0)
    with access.system(at=world.at, reason="test") as by:
        cards.reissue_card(volunteer_id=world.people[0], code="ABCDEFGHJKM4", by=by)
    stranger = Client()
    kind = stranger.post("/bind", {"code": old, **BIRTHDAY})
    assert kind.status_code == 422 and "新しいカードに かわっています" in kind.content.decode()
    wrong = stranger.post("/bind", {"code": old, "birth_month": "6", "birth_day": "1"})
    assert "新しいカードに かわっています" not in wrong.content.decode()
    assert stranger.post("/bind", {"code": "ABCDEFGHJKM4", **BIRTHDAY}).status_code == 302
    assert phone.get("/me").status_code == 200, "the phone was not lost"


def test_a_new_name_stands_on_phone_and_card_stays(world: Any) -> None:
    phone = phone_of(world, 0)
    with access.scope(world.council, at=world.at) as by:
        from registry.queries.volunteers import volunteer_facts
        one = volunteer_facts(by, volunteer_ids=[world.people[0]])[world.people[0]]
        volunteers.change(volunteer_id=one.id, by=by, volunteer=volunteers.VolunteerInput(
            number=one.number, name="見本　改姓", kana="ミホン　カイセイ", born_on=one.born_on))
    assert name_on(phone) == "見本　改姓"
    assert bind(Client(), world, 0).status_code == 302


def test_staff_lift_a_lock_out_at_once(world: Any) -> None:
    phone = Client()
    for _ in range(devices.MOST_WRONG_PER_CODE):
        phone.post("/bind", {"code": world.card(0), "birth_month": "6", "birth_day": "1"})
    stopped = bind(phone, world, 0)
    assert stopped.status_code == 429 and "社会福祉協議会に言えば" in stopped.content.decode()
    council = signed_in(world.council)
    page = council.get(f"/council/volunteers/{world.people[0]}")
    assert "登録のまちがいが5回" in page.content.decode() and page.context["stopped"]
    assert signed_in(world.leader).post(page.context["lift_url"]).status_code == 403
    assert council.post(page.context["lift_url"]).status_code == 302
    assert bind(phone, world, 0).status_code == 302


def counted(world: Any) -> tuple[Client, Any]:
    phone = phone_of(world, 0)
    page = phone.get(f"/E/{shown_code(world)}")
    answer = phone.post(page.context["action"], {
        "token": page.context["token"], "person": str(page.context["person_id"])})
    return phone, answer


def test_P4_a_volunteer_undoes_the_own_reception_within_ten_minutes(world: Any) -> None:
    phone, answer = counted(world)
    url = answer.context["undo_url"]
    with time_machine.travel(world.at + timedelta(minutes=9), tick=False):
        page = phone.get(url)
        assert "もう一度 受付できません" in page.content.decode()
        assert standing() == [world.people[0]], "a GET changes nothing"
        assert phone_of(world, 1).post(url).status_code == 404, "somebody else's"
        assert phone.post(url).status_code == 302 and standing() == []
        assert phone.post(url).status_code == 409
        mine = phone.get("/me")
        assert "取り消しました" in mine.content.decode()
        assert mine.context["balances"][0]["balance"]["total"] == 0


def test_P4_after_ten_minutes_or_by_card_staff_undo_it(world: Any) -> None:
    phone, answer = counted(world)
    with time_machine.travel(world.at + timedelta(minutes=10), tick=False):
        late = phone.post(answer.context["undo_url"])
        assert late.status_code == 422 and "10分" in late.content.decode()
        assert phone.get(answer.context["undo_url"]).status_code == 422
    session = factory.hold(world, start=world.at - timedelta(hours=3))
    with access.system(at=world.at, reason="test") as by:
        row = attendance.record(scans=[world.scan(0, session)], by=by).results[0]
    assert phone.post(f"/me/records/{row.attendance}/undo").status_code == 422
    assert len(standing()) == 2


def test_already_says_when_the_first_one_was(world: Any) -> None:
    phone, _ = counted(world)
    with time_machine.travel(world.at + timedelta(minutes=5), tick=False):
        page = phone.get(f"/E/{shown_code(world, at=world.at + timedelta(minutes=5))}")
        again = phone.post(page.context["action"], {
            "token": page.context["token"], "person": str(page.context["person_id"])})
    assert again.context["result"] == "already"
    assert "午後0時に、受付しました。" in again.content.decode().replace(" ", "")


def test_P8_a_record_that_waits_says_so_and_the_list_can_be_filtered(world: Any) -> None:
    phone = phone_of(world, 0)
    twin = factory.hold(world, start=world.at - timedelta(minutes=30))
    with access.system(at=world.at, reason="test") as by:
        done = attendance.record(scans=[world.scan(0), world.scan(0, twin)], by=by)
    assert done.results[1].result == "overlap_waiting"
    said = phone.get("/me").content.decode()
    assert "確認まち" in said and "係の人が たしかめています" in said
    assert phone.get("/me?programme=nonsense").status_code == 200


def test_without_a_phone_everything_goes_by_card(world: Any) -> None:
    with access.system(at=world.at, reason="test") as by:
        done = attendance.record(scans=[world.scan(2)], by=by)
    assert done.results[0].result == "granted"
    assert not BoundDevice.objects.unscoped().exists()
    page = signed_in(world.council).get(f"/council/volunteers/{world.people[2]}")
    assert page.status_code == 200


def test_the_cookies_are_out_of_reach_of_scripts(world: Any) -> None:
    phone = Client()
    bind(phone, world, 0)
    answer = bind(phone, world, 1)
    for name in (PHONE_COOKIE, "tsunagari_family"):
        cookie = answer.cookies[name]
        assert cookie["httponly"] and cookie["samesite"] == "Lax"


@pytest.mark.parametrize("cookie", ["", "....", "x" * 900, "あ" * 30])
def test_a_broken_family_cookie_is_nobody(world: Any, cookie: str) -> None:
    phone = phone_of(world, 0)
    phone.cookies["tsunagari_family"] = cookie.encode().decode("latin-1")
    assert phone.get("/me").context["people_url"] is None
    assert len(phone.get("/me/people").context["people"]) == 1
