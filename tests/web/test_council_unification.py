"""The council's queues: overlaps, claims under two programmes, records that may be one (P8)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from points.models import Attendance, Merge, OverlapDecision
from points.operations import attendance, ledger, overlaps
from points.queries import waiting
from points.queries.statements import my_points
from registry import access
from registry.domain.errors import Conflict, Forbidden, Refused
from registry.models import DistinctPair, Volunteer
from registry.operations import volunteers
from registry.queries.duplicates import likely_pairs
from tests.factories import points as factory
from tests.web.conftest import signed_in


@pytest.fixture
def council(world: Any) -> Client:
    return signed_in(world.council)


@pytest.fixture
def twin(world: Any) -> int:
    """A record of the first person that waits: a session half an hour into another one."""
    session = factory.hold(world, start=world.at - timedelta(minutes=30), title="みまもり")
    with access.system(at=world.at, reason="test") as by:
        rows = attendance.record(scans=[world.scan(0), world.scan(0, session)], by=by).results
    assert [row.result for row in rows] == ["granted", "overlap_waiting"]
    assert rows[1].attendance is not None
    return rows[1].attendance


def points(world: Any) -> int:
    with access.scope(world.council, at=world.at) as by:
        return my_points(by, volunteer_id=world.people[0])[0].balance


def standing() -> int:
    return Attendance.objects.unscoped().filter(voided_at__isnull=True).count()


def intact(world: Any) -> None:
    with access.system(at=world.at, reason="test") as by:
        verdict = ledger.verify(by=by)
        assert verdict.intact, verdict.differences


@pytest.mark.parametrize(("action", "stand", "total"), [
    ("count_this", 1, 1), ("count_both", 2, 2), ("void", 1, 1),
])
def test_P8_each_decision_with_its_reason(
    world: Any, council: Client, twin: int, action: str, stand: int, total: int
) -> None:
    listed = council.get("/council/waiting")
    assert "みまもり" in listed.content.decode() and "確認まち 1件" in listed.content.decode()
    url = f"/council/waiting/{twin}"
    page = council.get(url).content.decode()
    assert "ふれあいサロン" in page and "みまもり" in page and "カード" in page
    bare = council.post(url, {"action": action, "reason": ""})
    assert bare.status_code == 422 and standing() == 2, "no reason, no decision"
    assert council.post(url, {"action": action, "reason": "本人に確かめた"}).status_code == 302
    assert (standing(), points(world)) == (stand, total)
    row = OverlapDecision.objects.unscoped().get()
    assert (row.action, row.reason, row.decided_by_id) == (
        action, "本人に確かめた", world.council.pk)
    assert "確認まち 0件" in council.get("/council/waiting").content.decode()
    again = council.post(url, {"action": "void", "reason": "もう一度"})
    assert again.status_code == 409 and standing() == stand
    intact(world)


def test_P8_nothing_leaves_the_queue_by_itself(world: Any, twin: int) -> None:
    with access.system(at=world.at + timedelta(days=200), reason="test") as by:
        [one] = waiting.overlaps(by)
        assert (one.this.attendance_id, one.kind, len(one.others)) == (twin, "overlap", 1)
    with access.scope(world.council, at=world.at) as by:
        for action, reason, code in (("", "x", "bad_action"), ("void", " ", "reason_missing")):
            with pytest.raises(Refused) as said:
                overlaps.decide(attendance_id=twin, action=action, reason=reason, by=by)
            assert said.value.code == code
        overlaps.decide(attendance_id=twin, action="count_both", reason="両方にいた", by=by)
        with pytest.raises(Conflict):
            overlaps.decide(attendance_id=twin, action="void", reason="x", by=by)
    for user in (world.leader, world.scanner, world.shopkeeper):
        with access.scope(user, at=world.at) as by, pytest.raises(Forbidden):
            overlaps.decide(attendance_id=twin, action="void", reason="x", by=by)


def test_P8_one_activity_under_two_programmes_is_named_a_double_claim(db: None) -> None:
    second = factory.rules(code="kenkou-2026", programme="kenkou")
    world = factory.build(extra_rules=[second])
    start = world.at - timedelta(hours=1)
    twin = factory.hold(world, start=start, organisation_id=world.organisation,
                        programme="kenkou", kind="join", source=factory.Source.EVENT)
    with access.system(at=world.at, reason="test") as by:
        attendance.record(scans=[world.scan(0), world.scan(0, twin), world.scan(1, twin)], by=by)
    council = signed_in(world.council)
    with access.scope(world.council, at=world.at) as by:
        [one] = waiting.overlaps(by)
        assert one.kind == "double_claim" and one.volunteer_id == world.people[0]
        [claim] = waiting.double_claims(by)
        assert {claim.at_first, claim.at_second} == {1, 2} and claim.at_both == 1
    page = council.get("/council/waiting").content.decode()
    assert "二つの事業に届け出" in page


def test_P8_likely_pairs_are_found_by_folded_names_and_phones(world: Any) -> None:
    def register(number: str, name: str, kana: str, **more: Any) -> int:
        with access.system(at=world.at, reason="test") as by:
            given = {"born_on": factory.date(1948, 1, 2)} | more
            return volunteers.register(volunteer=volunteers.VolunteerInput(
                number=number, name=name, kana=kana, **given), by=by).pk

    first = register("D1", "見本　髙橋", "ミホン　タカハシ", phone="0242-00-9999")
    variant = register("D2", "見本　高橋", "みほん たかはし")
    phone = register("D3", "見本　別名", "ベツメイ", phone="0242009999")
    other_day = register("D4", "見本　高橋", "ミホン　タカハシ", born_on=factory.date(1950, 1, 2))
    with access.scope(world.council, at=world.at) as by:
        found = {(p.first.id, p.second.id): p.signs for p in likely_pairs(by)}
        assert found[first, variant] == ("birth_kana", "birth_name")
        assert found[first, phone] == ("birth_phone",)
        assert not any(other_day in pair for pair in found)
    with access.scope(world.leader, at=world.at) as by, pytest.raises(Forbidden):
        likely_pairs(by)


def pair(world: Any) -> tuple[int, int]:
    with access.system(at=world.at, reason="test") as by:
        rows = Volunteer.objects.visible_to(by).filter(pk__in=world.people[:2])
        for row in rows:
            row.kana_key = "みほん"
            row.save(update_fields=["kana_key"])
    return world.people[0], world.people[1]


def test_P8_two_records_are_compared_and_united_on_the_page(world: Any, council: Client) -> None:
    one, other = pair(world)
    with access.system(at=world.at, reason="test") as by:
        attendance.record(scans=[world.scan(0), world.scan(1)], by=by)
    listed = council.get("/council/duplicates")
    assert f"/council/duplicates/{one}?with={other}" in listed.content.decode()
    url = f"/council/duplicates/{one}?with={other}"
    page = council.get(url).content.decode()
    assert "P00000" in page and "P00001" in page and "前のカードも そのまま使えます" in page
    assert council.post(url, {"action": "first", "reason": ""}).status_code == 422
    done = council.post(url, {"action": "second", "reason": "窓口で確かめた"})
    assert done["Location"] == f"/council/volunteers/{other}"
    assert Merge.objects.unscoped().get().survivor_id == other
    # The old address leads to the survivor.
    moved = council.get(f"/council/volunteers/{one}")
    assert moved["Location"] == f"/council/volunteers/{other}"
    assert council.get(url)["Location"] == f"/council/volunteers/{other}"
    assert council.post(url, {"action": "first", "reason": "もう一度"}).status_code == 409
    intact(world)


def test_P8_two_people_are_not_asked_about_again(world: Any, council: Client) -> None:
    one, other = pair(world)
    url = f"/council/duplicates/{one}?with={other}"
    assert council.post(url, {"action": "distinct", "reason": "親子"}).status_code == 302
    assert DistinctPair.objects.unscoped().count() == 1
    assert url not in council.get("/council/duplicates").content.decode()
    assert council.get(f"/council/duplicates/{one}?with={one}").status_code == 404


def test_the_queues_are_the_councils_alone(world: Any, twin: int) -> None:
    for user in (world.leader, world.scanner, world.shopkeeper, world.users[world.people[0]]):
        client = signed_in(user)
        for path in ("/council/waiting", f"/council/waiting/{twin}", "/council/duplicates",
                     f"/council/duplicates/{world.people[0]}?with={world.people[1]}"):
            assert client.get(path).status_code in (403, 404), path
