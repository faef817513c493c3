"""The roster thread by the machine face: Katō finds nobody, 404 is one answer, files are logged."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from evacuation.domain.consent import Answer
from evacuation.models import EditionRow, Letter, StrikeOut
from registry import access
from registry.models import LogEntry, User
from tests.api.test_matrix import ROUTES
from tests.cast import Cast
from tests.domain.documents_samples import squeeze, text_of
from tests.factories import evacuation as city
from tests.operations.test_sharing_editions import sheet_text

BASE = "/api/v1/evacuation/"
NORTH = ("花子", "一郎", "雪", "ハナコ", "イチロウ", "見本町1番1号")


@pytest.fixture
def shared(cast: Cast, monkeypatch: Any) -> Cast:
    """The roster shared, and the clock of the interface standing at the cast's time."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: cast.at)
    city.build(cast)
    city.share(cast)
    return cast


def client(user: User | None) -> APIClient:
    found = APIClient()
    if user is not None:
        found.force_login(user)
    return found


def get(user: User, path: str, **more: Any) -> Any:
    return client(user).get(BASE + path, **more)


def said(answer: Any) -> str:
    """What an answer says, whatever its form."""
    kind = answer.headers["Content-Type"]
    if kind == "application/pdf":
        return squeeze(text_of(answer.content))
    if "spreadsheet" in kind:
        return sheet_text(answer.content)
    return squeeze(answer.content.decode())


def test_the_officers_way_from_criteria_to_editions(cast: Cast, monkeypatch: Any) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: cast.at)
    with cast.scope(cast.sato) as by:
        city.load_facts(by)
    sato = client(cast.sato)
    assert sato.post(BASE + "criteria", {"example": "a"}, format="json").status_code == 201
    run = sato.post(BASE + "roster/runs", {}, format="json").json()
    assert (run["new"], run["examined"], run["state"]) == (4, 5, "previewed")
    changes = sato.get(BASE + f"roster/runs/{run['id']}/changes?change=new").json()
    assert len(changes["results"]) == 4
    applied = sato.post(BASE + f"roster/runs/{run['id']}/apply", {}, format="json").json()
    assert applied["state"] == "applied"
    consent = {
        "person": cast.hanako_id, "purpose": "roster_sharing", "answer": "agreed",
        "answered_at": cast.at.isoformat(), "means": "paper", "form_version": "第1版",
        "explained_normal": True, "explained_disaster": True,
    }
    first = sato.post(BASE + "consents", consent, format="json", headers={"Idempotency-Key": "k"})
    again = sato.post(BASE + "consents", consent, format="json", headers={"Idempotency-Key": "k"})
    assert first.status_code == again.status_code == 201 and first.json() == again.json()
    opened = sato.post(BASE + "sharing-runs", {"period": "2026-10"}, format="json")
    assert (opened.status_code, opened.json()["waiting"]) == (202, 3)
    city.work(cast.at)
    tasks = {t["office_name"]: t for t in sato.get(
        BASE + "sharing-runs/2026-10/tasks").json()["results"]}
    assert tasks["民生委員（北）"]["state"] == "issued"
    assert tasks["民生委員（南）"]["code"] == "nobody_to_list"


def test_mori_sees_her_cards_and_gets_her_files(shared: Cast) -> None:
    mine = get(shared.mori, "editions/mine").json()["results"]
    assert [card["values"]["name"] for card in mine[0]["cards"]] == ["見本　花子"]
    assert mine[0]["watermark"]["holder"].endswith("森（見本）")
    edition = mine[0]["edition"]["id"]
    for form in ("pdf", "xlsx"):
        answer = get(shared.mori, f"editions/{edition}/file?format={form}")
        assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
        assert squeeze("見本　花子") in said(answer)
    with access.system(at=shared.at, reason="test") as wide:
        seen = LogEntry.objects.visible_to(wide).filter(user_id=shared.mori.pk)
        assert seen.filter(kind="export").count() == 2
        for form in ("pdf", "xlsx"):
            opened = seen.filter(kind="view", action=f"editions.file.{form}")
            assert [row.person_id for row in opened] == [shared.hanako_id], form
            assert "name" in opened.get().fields
        assert seen.filter(action="editions.my_roster", person_id=shared.hanako_id).exists()


def test_R7_kato_finds_nobody_of_the_north_on_any_address_or_file(shared: Cast) -> None:
    with shared.scope(shared.sato) as by:
        city.answer(shared.hanako_id, Answer.WITHDRAWN, by)
    city.work(shared.at)
    with access.system(at=shared.at, reason="test") as wide:
        rows = list(EditionRow.objects.visible_to(wide).values_list("pk", flat=True))
        strikes = list(StrikeOut.objects.visible_to(wide).values_list("pk", flat=True))
        letters = list(Letter.objects.visible_to(wide).values_list("pk", flat=True))
    editions = [row.pk for row in city.editions(shared.at).values()]
    copies = [row.pk for row in city.copies(shared.at)]
    ids = {
        "edition_id": editions, "copy_id": copies, "row_id": rows, "strike_out_id": strikes,
        "letter_id": letters, "run_id": [1], "task_id": [1], "correction_id": [1],
        "person_id": [shared.hanako_id, shared.ichiro_id, shared.yuki_id],
    }
    asked, hits = 0, 0
    kato = client(shared.kato)
    for path in sorted(_addresses(ids)):
        answer = kato.get(path)
        asked += 1
        assert answer.status_code in {200, 400, 403, 404, 405, 422}, (path, answer.status_code)
        text = said(answer)
        for name in NORTH:
            assert name not in text.replace("南見本町", ""), path
        hits += squeeze("見本　南") in text
    assert asked > 60 and hits >= 4, (asked, hits)  # cards, card, booklet, spreadsheet


def _addresses(ids: dict[str, list[int]]) -> set[str]:
    """Every GET address of the thread, with real ids of everybody."""
    from api.evacuation import urlpatterns

    found = set()
    for pattern in urlpatterns:
        route = str(pattern.pattern)
        name = next((key for key in ids if f"<int:{key}>" in route), None)
        for value in ids[name] if name else [0]:
            path = BASE + route.replace(f"<int:{name}>", str(value)).replace(
                "<str:period>", city.PERIOD)
            if path.endswith("/file") and name == "edition_id":
                found |= {f"{path}?format={form}" for form in ("pdf", "xlsx", "difference")}
            else:
                found.add(path)
    found.add(f"{BASE}consents?person={ids['person_id'][0]}")
    return found


@pytest.mark.parametrize("path", [
    "editions/{}", "editions/{}/difference", "editions/{}/file?format=pdf", "copies/{}",
])
def test_not_yours_and_not_there_answer_alike_in_every_byte(shared: Cast, path: str) -> None:
    theirs = (city.editions(shared.at)["O-MORI"].pk if "editions" in path
              else city.copies(shared.at, office__code="O-MORI")[0].pk)
    answers = [get(shared.kato, path.format(pk)) for pk in (theirs, 987_654_321)]
    assert {a.status_code for a in answers} == {404}
    assert answers[0].content == answers[1].content
    assert answers[0].headers == answers[1].headers


@pytest.mark.parametrize("act,body", [
    ("receipt", {}), ("check", {}), ("handover", {"to_office": 1}), ("destroy", {"note": "x"}),
    ("loss", {"discovered_on": "2026-11-23", "circumstances": "x"}),
])
def test_acts_on_others_copies_answer_like_acts_on_none(
    shared: Cast, act: str, body: dict[str, Any]
) -> None:
    theirs = city.copies(shared.at, office__code="O-MORI")[0].pk
    answers = [
        client(shared.kato).post(BASE + f"copies/{pk}/{act}", body, format="json",
                                 headers={"If-Match": '"1"'})
        for pk in (theirs, 987_654_321)
    ]
    assert {a.status_code for a in answers} == {404}
    assert answers[0].content == answers[1].content


def test_changes_need_if_match_and_tell_who_was_first(shared: Cast) -> None:
    copy = city.copies(shared.at, office__code="O-MORI", medium="paper")[0].pk
    mori = client(shared.mori)
    path = BASE + f"copies/{copy}"
    assert mori.post(path + "/receipt", {}, format="json").status_code == 428
    tag = mori.get(path).headers["ETag"]
    done = mori.post(path + "/receipt", {}, format="json", headers={"If-Match": tag})
    assert (done.status_code, done.json()["state"]) == (200, "received")
    stale = mori.post(path + "/check", {}, format="json", headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["code"]) == (412, "changed_meanwhile")
    lost = mori.post(path + "/loss", {"discovered_on": "2026-11-23", "circumstances": "車内"},
                     format="json", headers={"If-Match": done.headers["ETag"]})
    assert lost.status_code == 201 and lost.json()["people_count"] == 1


def test_a_returned_copy_closes_its_file(shared: Cast) -> None:
    copy = city.copies(shared.at, office__code="O-MORI", medium="paper")[0]
    answer = client(shared.sato).post(
        BASE + f"copies/{copy.pk}/return", {}, format="json", headers={"If-Match": '"1"'}
    )
    assert answer.json()["state"] == "returned"
    closed = get(shared.mori, f"editions/{copy.edition_id}/file?format=pdf")
    assert (closed.status_code, closed.json()["code"]) == (422, "edition_file_closed")
    assert get(shared.mori, f"editions/{copy.edition_id}/file?format=xlsx").status_code == 200


def test_an_ended_term_sees_nothing_from_that_midnight(shared: Cast, monkeypatch: Any) -> None:
    from tests.cast import end_term_of

    with shared.scope(shared.sato) as by:
        end_term_of(shared, shared.mori, on=by.on + timedelta(days=1), by=by)
    edition = city.editions(shared.at)["O-MORI"].pk
    assert get(shared.mori, f"editions/{edition}").status_code == 200
    monkeypatch.setattr("django.utils.timezone.now", lambda: shared.at + timedelta(days=1))
    for path in ("editions/mine", f"editions/{edition}", "copies"):
        assert get(shared.mori, path).status_code == 403


def test_bad_input_is_said_field_by_field(shared: Cast) -> None:
    sato = client(shared.sato)
    answer = sato.post(BASE + "consents", {"person": shared.hanako_id, "answer": "maybe"},
                       format="json")
    fields = {one["field"] for one in answer.json()["errors"]}
    assert answer.status_code == 400 and {"answer", "purpose", "means"} <= fields
    period = sato.post(BASE + "sharing-runs", {"period": "2030-04"}, format="json")
    assert (period.status_code, period.json()["code"]) == (422, "sharing_period_not_current")
    odd = sato.post(BASE + "criteria", {"body": {"schema": 1}}, format="json")
    assert (odd.status_code, odd.json()["code"]) == (422, "criteria_invalid")
    page = get(shared.sato, "roster?cursor=x")
    assert (page.status_code, page.json()["code"]) == (422, "bad_cursor")


def test_protected_yuki_is_released_by_the_officer_with_a_reason(shared: Cast) -> None:
    path = BASE + f"roster/{shared.yuki_id}/release"
    assert client(shared.takada).post(path, {}, format="json").status_code == 403
    answer = client(shared.sato).post(path, {"kinds": ["commissioner"], "reason": "面談で確認"},
                                      format="json")
    assert answer.status_code == 201
    told = get(shared.sato, f"roster/{shared.yuki_id}/explanations").json()["results"]
    assert {one["office_name"]: one["code"] for one in told} == {
        "民生委員（北）": "consent", "北町内会長": "protected",
    }


def test_the_thread_is_in_the_matrix() -> None:
    paths = {route.path for route in ROUTES}
    assert sum(path.startswith(BASE) for path in paths) >= 35
    assert json.dumps(sorted(paths))
