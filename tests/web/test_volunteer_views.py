"""The volunteer's phone: counted by a POST only, no name for a stranger, points, exchange."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import time_machine
from django.test import Client

from points.models import Attendance, Scan
from points.operations import attendance
from registry import access
from registry.models import BoundDevice
from registry.operations import cards, volunteers
from tests.factories import points as factory
from tests.web.conftest import PHONE_COOKIE, phone_of, shown_code, signed_in


def count(model: Any = Attendance) -> int:
    """Every row there is, seen by the service itself (row-level security hides the rest)."""
    with access.system(at=factory.NOON, reason="test"):
        return int(model.objects.unscoped().count())


def phones_in_force() -> list[int]:
    with access.system(at=factory.NOON, reason="test"):
        rows = BoundDevice.objects.unscoped().filter(revoked_at__isnull=True)
        return list(rows.values_list("pk", flat=True))


def token_of(page: Any) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page.content.decode())
    assert found
    return found.group(1)


def test_P4_opening_the_code_writes_nothing_and_the_button_counts(world: Any) -> None:
    phone = phone_of(world, 0)
    page = phone.get(f"/E/{shown_code(world)}")
    assert page.status_code == 200 and "この活動の 受付をします" in page.content.decode()
    assert (count(), count(Scan)) == (0, 0)
    answer = phone.post(page.context["action"], {"token": token_of(page)})
    assert answer.context["result"] == "granted"
    assert "ポイントが つきました" in answer.content.decode()
    assert count() == 1


def test_P3_the_same_form_again_gets_the_first_answer(world: Any) -> None:
    phone = phone_of(world, 0)
    page = phone.get(f"/E/{shown_code(world)}")
    first = phone.post(page.context["action"], {"token": token_of(page)})
    again = phone.post(page.context["action"], {"token": token_of(page)})
    assert (first.context["result"], again.context["result"]) == ("granted", "granted")
    second = phone.get(f"/E/{shown_code(world)}")
    already = phone.post(second.context["action"], {"token": token_of(second)})
    assert already.context["result"] == "already" and count() == 1


def test_P4_a_stranger_sees_no_name_and_counts_nobody(world: Any) -> None:
    stranger = Client()
    page = stranger.get(f"/E/{shown_code(world)}")
    assert "はじめの登録" in page.content.decode()
    assert "見本　0" not in page.content.decode()
    assert stranger.post(page.context["next"], {"token": "X"}).status_code == 302
    assert count() == 0


def test_P4_first_time_bind_then_counted_with_the_form_of_the_first_look(world: Any) -> None:
    stranger = Client()
    page = stranger.get(f"/E/{shown_code(world)}")
    with time_machine.travel(world.at + timedelta(minutes=10), tick=False):
        bound = stranger.post("/bind", {
            "code": world.card(1), "birth_month": "５月", "birth_day": "5",
            "next": page.context["next"],
        })
        assert bound.status_code == 302 and bound["Location"] == page.context["next"]
        cookie = bound.cookies[PHONE_COOKIE]
        assert cookie["httponly"] and cookie["samesite"] == "Lax"
        confirm = stranger.get(bound["Location"])
        assert "見本" in confirm.content.decode()
        answer = stranger.post(confirm.context["action"], {"token": token_of(confirm)})
    assert answer.context["result"] == "granted"


def test_P4_a_form_of_another_browser_counts_nobody(world: Any) -> None:
    page = phone_of(world, 0).get(f"/E/{shown_code(world)}")
    other = phone_of(world, 1)
    other.cookies["tsunagari_browser"] = "another-browser"
    answer = other.post(page.context["action"], {"token": token_of(page)})
    assert answer.status_code == 422 and answer.context["result"] == "bad_card"
    assert count() == 0


def test_P4_late_code_has_its_own_page(world: Any) -> None:
    code = shown_code(world, at=world.at - timedelta(minutes=3))
    answer = phone_of(world, 0).get(f"/E/{code}")
    assert answer.status_code == 422 and answer.context["result"] == "expired"
    assert "QRコードの時間が" in answer.content.decode()


def test_small_letters_lead_to_the_capitals(world: Any) -> None:
    answer = phone_of(world, 0).get("/e/ABC")
    assert (answer.status_code, answer["Location"]) == (302, "/E/ABC")


def test_P6_a_card_address_says_the_same_for_every_code(world: Any) -> None:
    from points.domain.tokens import mint

    real = Client().get(f"/C/{world.card(0)}").content.decode()
    false = Client().get(f"/C/{mint('card').code}").content.decode()
    assert "見本　0" not in real and "ミホン" not in real
    strip = re.compile(r'csrfmiddlewaretoken" value="[^"]+"|value="[0-9A-Z-]{14}"')
    assert strip.sub("", real) == strip.sub("", false)


def test_P4_wrong_birthday_keeps_what_was_typed_and_is_limited(world: Any) -> None:
    stranger = Client()
    given = {"code": world.card(0), "birth_month": "6", "birth_day": "7"}
    for _ in range(5):
        answer = stranger.post("/bind", given)
        assert answer.status_code == 422
        assert world.card(0) in answer.content.decode()
    right = stranger.post("/bind", given | {"birth_month": "5", "birth_day": "5"})
    assert right.status_code == 429
    assert count(BoundDevice) == 0


def test_impossible_birthday_is_refused_beside_the_field(world: Any) -> None:
    answer = Client().post("/bind", {"code": "X", "birth_month": "2", "birth_day": "30"})
    assert answer.status_code == 422
    assert "この月日はありません" in answer.content.decode()


def test_my_points_show_number_bar_and_sentence(world: Any) -> None:
    with access.system(at=world.at, reason="test") as by:
        attendance.record(scans=[world.scan(0)], by=by)
    page = phone_of(world, 0).get("/me")
    html = page.content.decode()
    assert page.context["balances"][0]["balance"]["total"] == 1
    assert "<progress" in html and "11月23日" in html and "ふれあいサロン" in html


def test_without_a_phone_the_way_leads_to_binding(db: None) -> None:
    answer = Client().get("/me")
    assert (answer.status_code, answer["Location"]) == (302, "/bind?next=%2Fme")


def test_a_revoked_phone_finds_nobody_at_once(world: Any) -> None:
    phone = phone_of(world, 0)
    card = phone.get("/me/card")
    assert "<svg" in card.content.decode() and world.card(0)[:4] in card.content.decode()
    (one,) = card.context["phones"]
    assert one["current"]
    lent = Client()
    lent.cookies[PHONE_COOKIE] = phone.cookies[PHONE_COOKIE].value
    assert phone.post(one["remove_url"]).status_code == 302
    assert lent.get("/me").status_code == 302


def test_another_persons_phone_cannot_be_taken_off(world: Any) -> None:
    phone_of(world, 0)
    (theirs,) = phones_in_force()
    answer = phone_of(world, 1).post(f"/me/phones/{theirs}/remove")
    assert answer.status_code == 404
    assert theirs in phones_in_force()


def rich(world: Any, number: int = 0) -> Client:
    """A phone of somebody with six points: five sessions on three days and one more."""
    with access.system(at=world.at, reason="test") as by:
        for day in range(1, 4):
            for hour in (2, 5):
                session = factory.hold(world, start=world.at - timedelta(days=day, hours=hour))
                attendance.record(scans=[world.scan(number, session)], by=by)
    return phone_of(world, number)


def test_P7_exchange_asks_checks_and_does_it_once(world: Any) -> None:
    phone = rich(world)
    asked = phone.get("/me/exchange")
    (choice, words), *more = asked.context["form"].fields["count"].choices
    assert "1枚" in words and not more
    check = phone.post("/me/exchange", {"count": choice})
    assert check.context["step"] == "confirm" and check.context["left"] == 1
    given = {"token": check.context["token"], "count": check.context["choice"]}
    done = phone.post("/me/exchange", given)
    again = phone.post("/me/exchange", given)
    assert done["Location"] == again["Location"]
    page = phone.get(done["Location"])
    assert "交換しました" in page.content.decode() and len(page.context["vouchers"]) == 1
    printed = phone.get(page.context["print_url"])
    assert printed.content.startswith(b"%PDF-") and printed["Cache-Control"] == "no-store"
    other = phone_of(world, 1)
    assert other.get(done["Location"]).status_code == 404
    assert other.get(page.context["print_url"]).status_code == 404


def test_P7_too_many_is_refused_with_the_question_again(world: Any) -> None:
    phone = rich(world)
    answer = phone.post("/me/exchange", {
        "token": "0" * 32, "count": "tsunagari:3",
    })
    assert answer.status_code == 422 and answer.context["step"] == "choose"
    assert "エラー：" in answer.content.decode()


def test_P11_the_own_word_is_given_and_taken_back(world: Any) -> None:
    phone = phone_of(world, 0)
    assert phone.post("/me/supporter", {"answer": "yes"}).status_code == 302
    assert phone.get("/me/supporter").context["form"].initial == {"answer": "yes"}
    phone.post("/me/supporter", {"answer": "no"})
    assert phone.get("/me/supporter").context["form"].initial == {"answer": "no"}


def test_pages_of_the_volunteer_refuse_staff_without_points(world: Any) -> None:
    staff = signed_in(world.council)
    assert staff.get("/me").status_code == 403
    assert "forbidden" in staff.get("/me").content.decode()


def test_cancelled_card_and_ended_registration_cannot_bind(world: Any) -> None:
    with access.system(at=world.at, reason="test") as by:
        cards.cancel_card(volunteer_id=world.people[0], by=by)
        volunteers.end(volunteer_id=world.people[1], left_on=by.on, by=by)
    for number in (0, 1):
        answer = Client().post("/bind", {
            "code": world.card(number), "birth_month": "5", "birth_day": "5",
        })
        assert answer.status_code == 422, number


def test_a_volunteer_with_a_password_needs_no_phone(world: Any) -> None:
    client = signed_in(world.users[world.people[0]])
    assert client.get("/")["Location"] == "/me"
    assert client.get("/me").status_code == 200
    assert client.get("/me/card").context["phones"] == []


def test_P4_a_phone_that_scans_its_card_meanwhile_finds_its_way_back(world: Any) -> None:
    stranger = Client()
    waiting = stranger.get(f"/E/{shown_code(world)}").context["next"]
    card = stranger.get(f"/C/{world.card(0)}")
    bound = stranger.post("/bind", {
        "code": card.context["form"].initial["code"], "birth_month": "5", "birth_day": "5",
    })
    assert bound["Location"] == waiting
