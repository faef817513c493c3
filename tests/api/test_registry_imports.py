"""registry/imports by the machine face: upload → preview → apply, and rows handed back."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from registry import access
from registry.queries.people import person_ids_by_number
from tests.cast import PEOPLE, Cast

ROOT = "/api/v1/registry/imports"


def client(user: Any) -> APIClient:
    found = APIClient(raise_request_exception=False)
    found.force_login(user)
    return found


def upload(who: APIClient, text: str, encoding: str = "cp932", **more: str) -> Any:
    file = SimpleUploadedFile("住民.csv", text.encode(encoding), content_type="text/csv")
    return who.post(ROOT, {"file": file, **more}, format="multipart")


def with_rows(*rows: str) -> str:
    return PEOPLE.splitlines()[0] + "\n" + "\n".join(rows) + "\n"


NEW = "2001,600,見本　新子,ミホン　シンコ,R1.5.1,2,965-0001,会津若松市見本町3番1号,,N1,1,,,,,,,"
MOVED = PEOPLE.splitlines()[1].replace("見本町1番1号", "見本町9番9号")
BAD = NEW.replace("2001,", "2002,").replace("R1.5.1", "令和99年13月1日")


@pytest.mark.django_db
def test_upload_preview_apply_and_the_totals_add_up(cast: Cast) -> None:
    officer = client(cast.sato)
    staged = upload(officer, with_rows(NEW, MOVED, BAD))
    assert staged.status_code == 201, staged.content
    batch = staged.json()
    assert (batch["rows"], batch["new"], batch["changed"], batch["rejected"]) == (3, 1, 1, 1)
    assert batch["state"] == "staged" and batch["file_name"] == "住民.csv"
    shown = officer.get(f"{ROOT}/{batch['id']}/preview", {"verdict": "changed"}).json()
    change = shown["rows"][0]["changes"][0]
    assert change["field"] == "住所" and change["after"].endswith("9番9号")
    done = officer.post(f"{ROOT}/{batch['id']}/apply").json()
    assert done["state"] == "applied" and done["new"] == 1
    assert officer.post(f"{ROOT}/{batch['id']}/apply").json() == done
    with access.system(at=cast.at, reason="test") as wide:
        assert set(person_ids_by_number(wide, ["2001", "2002"])) == {"2001"}


@pytest.mark.django_db
def test_rejected_rows_come_back_in_the_inputs_own_form(cast: Cast) -> None:
    officer = client(cast.sato)
    batch = upload(officer, with_rows(BAD, NEW)).json()["id"]
    answer = officer.get(f"{ROOT}/{batch}/rejected")
    assert answer.status_code == 200 and answer["Cache-Control"] == "no-store"
    rows = list(csv.reader(io.StringIO(answer.content.decode("cp932"))))
    assert len(rows) == 2 and rows[1][0] == "2" and "見本　新子" in rows[1]
    clean = upload(officer, with_rows(NEW)).json()["id"]
    assert officer.get(f"{ROOT}/{clean}/rejected").status_code == 404


@pytest.mark.django_db
def test_R13_a_file_with_a_my_number_column_is_refused_whole(cast: Cast) -> None:
    text = with_rows(NEW).replace("班,", "個人番号,").replace("N1,1,,", "N1,123456789018,,")
    answer = upload(client(cast.sato), text)
    assert answer.status_code == 422 and answer.json()["code"] == "file_my_number"
    assert client(cast.sato).get(ROOT).json()["results"][0]["file_name"] == "cast.csv"


@pytest.mark.django_db
def test_a_bad_request_says_which_input(cast: Cast) -> None:
    officer = client(cast.sato)
    assert officer.post(ROOT, {}, format="multipart").json()["errors"][0]["field"] == "file"
    unknown = upload(officer, with_rows(NEW), profile="other")
    assert unknown.status_code == 404 and unknown.json()["code"] == "profile_unknown"
    assert officer.get(ROOT + "/987654321").status_code == 404
    json = officer.post(ROOT, {"profile": "residents"}, format="json")
    assert json.status_code == 415


@pytest.mark.django_db
def test_discarding_forgets_the_rows(cast: Cast) -> None:
    officer = client(cast.sato)
    batch = upload(officer, with_rows(NEW)).json()["id"]
    assert officer.delete(f"{ROOT}/{batch}").json()["state"] == "discarded"
    assert officer.get(f"{ROOT}/{batch}/preview").json()["rows"] == []
    late = officer.post(f"{ROOT}/{batch}/apply")
    assert late.status_code == 409 and late.json()["code"] == "import_closed"


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["takada", "suzuki", "mori", "care_manager", "taro"])
def test_only_the_officer_imports(cast: Cast, who: str) -> None:
    assert upload(client(getattr(cast, who)), with_rows(NEW)).status_code == 403
