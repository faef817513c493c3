"""registry/volunteers, cards, areas, organisations, appointments by the machine face."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from points.domain.tokens import CardCode, read
from registry.access import scope as opened
from registry.queries.cards import cards_by_code
from tests.cast import Cast

ROOT = "/api/v1/registry/"
NEW = {"number": "V0100", "name": "見本　秋", "kana": "ミホン　アキ", "born_on": "1960-10-10"}


def client(user: Any) -> APIClient:
    found = APIClient(raise_request_exception=False)
    found.force_login(user)
    return found


@pytest.mark.django_db
def test_P9_a_leader_sees_the_own_members_and_nobody_else(cast: Cast) -> None:
    leader = client(cast.leader)
    rows = leader.get(ROOT + "volunteers").json()["results"]
    assert [row["id"] for row in rows] == [cast.taro_id]
    foreign = leader.get(f"{ROOT}volunteers/{cast.natsu_id}")
    missing = leader.get(ROOT + "volunteers/987654321")
    assert (foreign.status_code, foreign.content) == (404, missing.content)
    found = leader.post(ROOT + "volunteers/search", {"text": "ミホン"}, format="json")
    assert [row["id"] for row in found.json()["results"]] == [cast.taro_id]


@pytest.mark.django_db
def test_P11_the_city_reads_no_volunteers_and_the_council_no_people(cast: Cast) -> None:
    assert client(cast.sato).get(ROOT + "volunteers").status_code == 403
    assert client(cast.suzuki).get(ROOT + "people").status_code == 403


@pytest.mark.django_db
def test_registering_once_for_one_key(cast: Cast) -> None:
    council = client(cast.suzuki)
    key = {"Idempotency-Key": "a-1"}
    first = council.post(ROOT + "volunteers", NEW, format="json", headers=key)
    assert first.status_code == 201 and first.json()["registered_on"]
    again = council.post(ROOT + "volunteers", NEW, format="json", headers=key)
    assert again.json() == first.json() and again.status_code == 201
    other = council.post(
        ROOT + "volunteers", NEW | {"number": "V0101"}, format="json", headers=key
    )
    assert other.status_code == 422
    taken = council.post(ROOT + "volunteers", NEW, format="json")
    assert taken.status_code == 409 and taken.json()["code"] == "volunteer_number_taken"
    lost = council.post(
        ROOT + "volunteers", NEW | {"number": "V0102", "area": 987654321}, format="json"
    )
    assert lost.status_code == 400 and lost.json()["errors"][0]["field"] == "area"


@pytest.mark.django_db
def test_P6_a_reissue_kills_the_old_card(cast: Cast) -> None:
    council = client(cast.suzuki)
    taken = council.post(ROOT + "cards", {"volunteer": cast.taro_id}, format="json")
    assert taken.status_code == 409 and taken.json()["code"] == "card_in_force"
    codes = []
    for _ in range(2):
        made = council.post(
            ROOT + "cards", {"volunteer": cast.taro_id, "reissue": True}, format="json"
        ).json()
        token = read(made["url"])
        assert isinstance(token, CardCode) and token.code == made["code"]
        codes.append(made["code"])
    with opened(cast.suzuki, at=cast.at) as by:
        facts = cards_by_code(by, codes)
    assert facts[codes[0]].cancelled_at and facts[codes[1]].cancelled_at is None
    ended = council.post(ROOT + "cards/cancel", {"volunteer": cast.taro_id}, format="json")
    assert ended.json()["tail"] == codes[1][-3:]
    again = council.post(ROOT + "cards/cancel", {"volunteer": cast.taro_id}, format="json")
    assert again.status_code == 404
    assert client(cast.leader).post(ROOT + "cards", {}, format="json").status_code == 403


@pytest.mark.django_db
def test_P11_the_word_is_recorded_and_taken_back(cast: Cast) -> None:
    council, path = client(cast.suzuki), f"{ROOT}volunteers/{cast.taro_id}/opt-in"
    assert council.post(path).json()["opted_in"] is True
    assert council.delete(path).json()["opted_in"] is False


@pytest.mark.django_db
def test_areas_organisations_and_offices_with_their_holders(cast: Cast) -> None:
    officer = client(cast.sato)
    areas = officer.get(ROOT + "areas", {"kind": "neighbourhood"}).json()["results"]
    assert {row["id"] for row in areas} == {cast.north_id, cast.south_id}
    groups = officer.get(ROOT + "organisations", {"kind": "group"}).json()["results"]
    assert {row["id"] for row in groups} == {cast.group_id, cast.other_group_id}
    seats = officer.get(ROOT + "appointments", {"role": "welfare_commissioner"}).json()["results"]
    held = {row["code"]: [h["user_id"] for h in row["holders"]] for row in seats}
    assert held == {"O-MORI": [cast.mori.pk], "O-KATO": [cast.kato.pk]}
    assert client(cast.mori).get(ROOT + "appointments").status_code == 403


@pytest.mark.django_db
def test_a_term_begins_and_ends_by_request(cast: Cast) -> None:
    officer, office = client(cast.sato), cast.offices["O-KATO"]
    given = {"office": office, "user": cast.nobody.pk, "starts_on": "2026-12-01"}
    made = officer.post(ROOT + "appointments", given, format="json")
    assert made.status_code == 201
    twice = officer.post(ROOT + "appointments", given, format="json")
    assert twice.status_code == 422 and twice.json()["code"] == "term_exists"
    path = f"{ROOT}appointments/{made.json()['id']}/end"
    wrong = officer.post(path, {"ends_on": "2026-12-01"}, format="json")
    assert wrong.json()["code"] == "bad_term"
    done = officer.post(path, {"ends_on": "2026-12-31"}, format="json")
    assert done.json()["ends_on"] == "2026-12-31"
    empty = officer.get(ROOT + "appointments", {"vacant": True}).json()["results"]
    assert empty == []
