"""P1–P3 on the screen: preview, しめきり前, しめきり, exceptions, and what waits for a word."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from points.models import ProgrammeYear, YearCorrection, YearException
from points.operations import attendance, lapsing
from registry import access
from tests.factories import points as make
from tests.operations.test_points_year_corrections import YOUNG, person, told
from tests.operations.test_points_years import MARCH
from tests.web.conftest import signed_in

HOME = "/council/years/tsunagari/2025"
WHY = {"reason": "感染症のため", "authority": "会長決裁（見本）", "decided_on": "R8.4.1"}


@pytest.fixture
def council(world: Any) -> Client:
    return signed_in(world.council)


def text(answer: Any) -> str:
    return str(answer.content.decode())


def held(world: Any) -> int:
    return make.hold(world, start=MARCH, kind="support", title="年度末の会", source="event",
                     organisation_id=world.organisation, programme="tsunagari")


def scan(world: Any, session: int, *people: int) -> list[int]:
    with access.system(at=world.at, reason="scan") as by:
        found = attendance.record(scans=[world.scan(n, session) for n in people], by=by).results
    return [one.attendance for one in found if one.attendance is not None]


def closed(council: Client) -> None:
    assert council.post(f"{HOME}/begin").status_code == 302
    page = council.get(f"{HOME}/close")
    seen = page.context["form_hidden"]["seen"]
    done = council.post(f"{HOME}/close", {"seen": seen, "reason": "年度が終わった"}, follow=True)
    assert "2025年度を しめきりました。" in text(done)


def test_P1_a_year_is_closed_in_two_steps_with_a_preview(world: Any, council: Client) -> None:
    scan(world, held(world), 0, 1)
    listed = text(council.get("/council/years"))
    assert "手つづきの時期になった年度" in listed and "しめきり前にする" in listed
    assert "2026年度は2027年3月31日までです。" in listed
    shown = text(council.get(f"{HOME}/begin"))
    for said in ("おくれた記録を数えます", "4</b>ポイント", "もとには もどせません。"):
        assert said in shown, said
    begun = council.post(f"{HOME}/begin", follow=True)
    assert "しめきり前に しました。" in text(begun)
    again = council.post(f"{HOME}/begin")
    assert again.status_code == 409 and "もう受付中ではありません" in text(again)
    page = council.get(f"{HOME}/close")
    for said in ("2人・1回", "繰り越す見とおし", "danger-fill"):
        assert said in text(page), said
    seen = page.context["form_hidden"]["seen"]
    missing = council.post(f"{HOME}/close", {"seen": seen, "reason": ""})
    assert missing.status_code == 422 and "わけを書いてください。" in text(missing)
    scan(world, make.hold(world, start=MARCH.replace(day=30), kind="support", source="event",
                          organisation_id=world.organisation, programme="tsunagari"), 0)
    stale = council.post(f"{HOME}/close", {"seen": seen, "reason": "年度が終わった"})
    assert stale.status_code == 409 and "数字が変わりました" in text(stale)
    assert "年度が終わった" in text(stale)  # what was typed stays
    for rubbish in ("", "x", "-1", "9" * 30):
        assert council.post(f"{HOME}/close", {"seen": rubbish, "reason": "x"}).status_code == 409
    seen = stale.context["form_hidden"]["seen"]
    done = council.post(f"{HOME}/close", {"seen": seen, "reason": "年度が終わった"}, follow=True)
    assert "しめきった" in text(done) and "参加記録 3件・2人" in text(done)
    lapsing.lapse(programme="tsunagari", fiscal_year=2025, at=world.at)
    page_after = text(council.get(HOME))
    assert "自動" in page_after and "繰り越し 6ポイント（2人）" in page_after
    assert "特例をつくる" not in page_after


def test_P1_what_waits_is_decided_on_its_own_page(world: Any, council: Client) -> None:
    from registry.operations import volunteers

    session = held(world)
    scan(world, session, 0)
    told(world.at)
    closed(council)
    [late] = scan(world, session, 1)
    with access.scope(world.council, at=world.at.replace(minute=1)) as by:
        facts = person(YOUNG)
        volunteers.change(volunteer_id=world.people[0], volunteer=facts, by=by)
    told(world.at.replace(minute=1))
    page = text(council.get(f"{HOME}/waiting"))
    assert "見本　1" in page and "年度末の会" in page and "しめきりのあとに変わった" in page
    where = f"/council/late-records/{late}"
    assert "見本　1" in text(council.get(where))
    assert council.post(where, {"reason": ""}).status_code == 422
    done = council.post(where, {"reason": "紙の名簿がとどいた"}, follow=True)
    assert "おくれた記録を 数えました。" in text(done)
    assert council.get(where).status_code == 404
    assert council.post(where, {"reason": "x"}).status_code == 404


@pytest.mark.parametrize(("choice", "outcome", "said"), [
    ("apply", "applied", "訂正しました。"), ("keep", "kept", "そのままにしました。")])
def test_P1_a_changed_fact_is_applied_or_kept(
    db: None, choice: str, outcome: str, said: str
) -> None:
    import time_machine

    from registry.operations import volunteers

    world = make.build(minimum_age=13)
    with time_machine.travel(world.at, tick=False):
        council = signed_in(world.council)
        scan(world, held(world), 0)
        told(world.at)
        closed(council)
        later = world.at.replace(minute=1)
        with access.scope(world.council, at=later) as by:
            volunteers.change(volunteer_id=world.people[0], volunteer=person(YOUNG), by=by)
        told(later)
        with access.system(at=later, reason="look") as wide:
            one = YearCorrection.objects.visible_to(wide).get().pk
        where = f"/council/year-corrections/{one}"
        shown = text(council.get(where))
        assert "2ポイント" in shown and "0ポイント" in shown
        neither = council.post(where, {"reason": "生年月日の誤り"})
        assert neither.status_code == 422 and "どちらかを選んでください。" in text(neither)
        done = council.post(where, {"choice": choice, "reason": "生年月日の誤り"}, follow=True)
        assert said in text(done)
        with access.system(at=later, reason="look") as wide:
            assert YearCorrection.objects.visible_to(wide).get().outcome == outcome
        assert council.get(where).status_code == 404


def test_P2_an_exception_is_registered_and_ended(world: Any, council: Client) -> None:
    where = f"{HOME}/exceptions/new"
    assert "いまの期日" in text(council.get(where))
    wrong = council.post(where, WHY | {"kind": "postpone"})
    assert wrong.status_code == 422 and "より後にしてください" in text(wrong)
    assert "感染症のため" in text(wrong)
    later = {"kind": "postpone", "exchange_until": "令和9年3月31日", "lapses_on": "R9.4.1"}
    done = council.post(where, WHY | later, follow=True)
    assert "特例を登録しました。" in text(done) and "いま有効" in text(done)
    assert "2027年（令和9年）4月1日" in text(done)
    one = YearException.objects.get()
    end = f"/council/year-exceptions/{one.pk}/end"
    refused = council.post(end, WHY)
    assert refused.status_code == 422 and "きょうのうちに失効します" in text(refused)
    carry = council.post(where, WHY | {"kind": "carry"}, follow=True)
    assert "すべて次の年度へ繰り越す（特例）" in text(carry)
    second = YearException.objects.get(kind="carry")
    ended = council.post(f"/council/year-exceptions/{second.pk}/end", WHY, follow=True)
    assert "特例を終えました。" in text(ended)
    assert council.get("/council/year-exceptions/999/end").status_code == 404


def test_years_are_for_those_who_manage_the_rules(world: Any) -> None:
    for user in (world.leader, world.shopkeeper, world.scanner):
        other = signed_in(user)
        for path in ("/council/years", HOME, f"{HOME}/close", f"{HOME}/waiting"):
            assert other.get(path).status_code == 403
        assert other.post(f"{HOME}/begin").status_code == 403
    assert ProgrammeYear.objects.get(fiscal_year=2025).state == "open"
