"""registry/people by the machine face: reach, records, versions, and one answer for "not yours"."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from registry import access
from registry.models import LogEntry
from tests.cast import Cast

ROOT = "/api/v1/registry/"


def client(user: Any) -> APIClient:
    found = APIClient(raise_request_exception=False)
    found.force_login(user)
    return found


def names(answer: Any) -> set[str]:
    return {row["name"] for row in answer.json()["results"]}


def views_of(person: int, now: Any) -> int:
    with access.system(at=now, reason="test") as wide:
        return LogEntry.objects.visible_to(wide).filter(person_id=person, kind="view").count()


@pytest.mark.django_db
def test_an_officer_lists_people_a_page_at_a_time(cast: Cast) -> None:
    officer = client(cast.sato)
    first = officer.get(ROOT + "people", {"limit": 3})
    assert first.status_code == 200 and len(first.json()["results"]) == 3
    rest = officer.get(ROOT + "people", {"limit": 3, "cursor": first.json()["next"]})
    assert len(rest.json()["results"]) == 2 and rest.json()["next"] is None
    assert len(names(first) | names(rest)) == 5
    assert officer.get(ROOT + "people", {"cursor": "x"}).json()["code"] == "bad_cursor"


@pytest.mark.django_db
def test_people_of_an_area_only(cast: Cast) -> None:
    officer = client(cast.sato)
    south = officer.get(ROOT + "people", {"area": cast.south_id})
    assert names(south) == {"見本　南"}
    assert len(names(officer.get(ROOT + "people", {"area": cast.district_id}))) == 5
    assert names(officer.get(ROOT + "people", {"area": 987654321})) == set()


@pytest.mark.django_db
def test_a_search_is_a_post_and_finds_by_reading(cast: Cast) -> None:
    answer = client(cast.sato).post(ROOT + "people/search", {"text": "みほん　はな"}, format="json")
    assert names(answer) == {"見本　花子"}
    assert client(cast.sato).get(ROOT + "people", {"text": "花子"}).json()["next"] is None
    assert len(names(client(cast.sato).get(ROOT + "people", {"text": "花子"}))) == 5


@pytest.mark.django_db
def test_reading_one_person_leaves_a_record_in_the_same_answer(cast: Cast) -> None:
    before = views_of(cast.hanako_id, cast.at)
    answer = client(cast.sato).get(f"{ROOT}people/{cast.hanako_id}")
    assert answer.json()["name"] == "見本　花子" and answer["ETag"] == '"1"'
    assert views_of(cast.hanako_id, cast.at) == before + 1


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["mori", "kato", "association", "suzuki", "leader", "taro"])
def test_roles_without_the_register_get_403_for_everybody(cast: Cast, who: str) -> None:
    for path in ("people", f"people/{cast.hanako_id}", "people/987654321"):
        assert client(getattr(cast, who)).get(ROOT + path).status_code == 403


@pytest.mark.django_db
def test_not_yours_and_not_there_answer_alike(cast: Cast) -> None:
    manager = client(cast.care_manager)
    assert manager.get(f"{ROOT}people/{cast.hanako_id}").status_code == 200
    foreign = manager.get(f"{ROOT}people/{cast.minami_id}")
    missing = manager.get(f"{ROOT}people/987654321")
    assert foreign.status_code == missing.status_code == 404
    assert foreign.content == missing.content
    assert names(manager.get(ROOT + "people")) == {"見本　花子"}


@pytest.mark.django_db
def test_R11_a_protected_person_is_absent_without_the_permission(cast: Cast) -> None:
    assert "見本　雪" in names(client(cast.sato).get(ROOT + "people"))
    manager = client(cast.care_manager)
    assert manager.get(f"{ROOT}people/{cast.yuki_id}").status_code == 404


@pytest.mark.django_db
def test_a_change_needs_the_version_that_was_read(cast: Cast) -> None:
    officer, path = client(cast.sato), f"{ROOT}people/{cast.hanako_id}"
    change = {"phone": "0242-22-2222"}
    assert officer.patch(path, change, format="json").status_code == 428
    done = officer.patch(path, change, format="json", headers={"If-Match": '"1"'})
    assert done.status_code == 200 and done.json()["phone"] == "0242-22-2222"
    assert done["ETag"] == '"2"'
    late = officer.patch(path, change, format="json", headers={"If-Match": '"1"'})
    assert late.status_code == 412 and late.json()["code"] == "changed_meanwhile"
    half = officer.patch(path, {"longitude": 139.9}, format="json", headers={"If-Match": '"2"'})
    assert half.status_code == 400 and half.json()["errors"][0]["field"] == "longitude"
    place = {"longitude": 139.91, "latitude": 37.48}
    moved = officer.patch(path, place, format="json", headers={"If-Match": '"2"'})
    assert moved.json()["location_source"] == "survey"
