"""Pages of paper: entering a sheet, newcomers, a group's list, the queue, posters, practice."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from points.models import Attendance, CardPrint, PaperSheet, Scan, SheetEntry, WaitingRow
from points.operations import attendance
from points.queries.sessions import printed_code
from registry import access
from registry.documents import page_count
from registry.operations import volunteers
from registry.queries.cards import cards_of
from tests.factories import points as factory
from tests.web.conftest import signed_in


@pytest.fixture
def host(world: Any) -> Client:
    return signed_in(world.leader)


def opened(client: Client, world: Any) -> tuple[str, dict[str, Any]]:
    path = f"/host/sessions/{world.session}/sheet"
    return path, {"token": client.get(path).context["token"], "signed_name": "見本　0",
                  "act": "enter"}


def test_P4_paper_sheet_needs_the_papers_headcount(world: Any, host: Client) -> None:
    path, given = opened(host, world)
    page = host.get(path)
    assert [row["line"].volunteer_id for row in page.context["rows"]] == world.people
    given |= {"people": world.people[:2], "headcount": "３人"}
    wrong = host.post(path, given)
    text = wrong.content.decode()
    assert wrong.status_code == 422 and "入力は2人、紙の人数は3人" in text
    assert 'value="３人"' in text and text.count(" checked") == 2 and "見本　0" in text
    for _ in range(2):
        assert host.post(path, given | {"headcount": "2"}).status_code == 302
    assert Attendance.objects.unscoped().filter(method="paper").count() == 2
    assert host.get(f"/host/sessions/{world.session}").context["agrees"]
    unsigned = host.post(path, given | {"signed_name": "", "headcount": "2"})
    assert unsigned.status_code == 422 and "署名" in unsigned.content.decode()


def test_a_difference_that_is_explained_is_kept_and_shown(world: Any, host: Client) -> None:
    path, given = opened(host, world)
    sent = host.post(path, given | {"people": world.people[:2], "headcount": "3",
                                    "reason": "見学の方1人"}, follow=True)
    assert "見学の方1人" in sent.content.decode() and sent.status_code == 200
    assert SheetEntry.objects.unscoped().get().difference_reason == "見学の方1人"


def test_P4_rows_are_ticked_by_number_and_by_their_qr(world: Any, host: Client) -> None:
    printed = host.get(f"/host/sessions/{world.session}/sheet.pdf")
    assert printed.content.startswith(b"%PDF-")
    path, given = opened(host, world)
    page = host.get(path)
    code = page.context["rows"][2]["line"].code
    assert len(code) == 12
    ticked = host.post(path, given | {"act": "mark", "marks": code.lower()})
    assert [row["ticked"] for row in ticked.context["rows"]][:3] == [False, False, True]
    more = host.post(path, given | {"act": "mark", "marks": "１", "people": [world.people[2]],
                                    "headcount": "2"})
    assert [row["ticked"] for row in more.context["rows"]][:3] == [True, False, True]
    assert 'value="2"' in more.content.decode(), "what was typed stays"
    wrong = host.post(path, given | {"act": "mark", "marks": "99", "people": [world.people[2]]})
    assert wrong.status_code == 422 and "99" in wrong.content.decode()
    assert wrong.context["rows"][2]["ticked"]
    assert not Attendance.objects.unscoped().exists() and not Scan.objects.unscoped().exists()
    sheet = PaperSheet.objects.unscoped().get()
    assert host.get(f"/S/{sheet.code}")["Location"] == path
    other = signed_in(world.other_leader)
    assert [other.get(f"/S/{one}").status_code for one in (sheet.code, "x")] == [404, 404]


def test_newcomers_are_chosen_or_wait(world: Any, host: Client) -> None:
    with access.system(at=world.at, reason="test") as by:
        facts = volunteers.VolunteerInput(
            number="P00002", name="髙橋　見本", kana="タカハシ　ミホン",
            born_on=factory.NOON.date().replace(year=1950))
        volunteers.change(volunteer_id=world.people[2], volunteer=facts, by=by)
    path, given = opened(host, world)
    given |= {"people": [world.people[0]], "headcount": "3", "new_1": "高橋", "new_2": "見学の人"}
    asked = host.post(path, given)
    text = asked.content.decode()
    assert asked.status_code == 200 and "髙橋　見本（タカハシ　ミホン・P00002）" in text
    assert not SheetEntry.objects.unscoped().exists()
    done = host.post(path, given | {"pick_1": str(world.people[2]), "pick_2": "wait"})
    assert done["Location"] == "/host/waiting"
    row = WaitingRow.objects.unscoped().get()
    assert (row.name, row.state) == ("見学の人", "waiting")
    assert Attendance.objects.unscoped().count() == 2
    page = host.get(f"/host/waiting/{row.pk}")
    assert page.status_code == 200 and "新しく登録する" not in page.content.decode()
    assert signed_in(world.other_leader).get(f"/host/waiting/{row.pk}").status_code == 404
    empty = host.post(f"/host/waiting/{row.pk}", {"act": "dismiss", "reason": ""})
    assert empty.status_code == 422
    for act in ({"act": "match", "volunteer": "x"}, {"act": "match", "volunteer": "987654321"}):
        assert host.post(f"/host/waiting/{row.pk}", act).status_code in {404, 422}
    council = signed_in(world.council)
    form = {"act": "enlist", "number": "N1", "name": "見学　人", "kana": "ケンガク　ヒト",
            "born_on": "S30.5.5"}
    bad = council.post(f"/host/waiting/{row.pk}", form | {"born_on": "あした"})
    assert bad.status_code == 422 and "見学　人" in bad.content.decode()
    assert council.post(f"/host/waiting/{row.pk}", form).status_code == 302
    assert Attendance.objects.unscoped().count() == 3
    assert council.get(f"/host/waiting/{row.pk}").status_code == 404


def test_a_groups_list_is_read_shown_and_entered(world: Any, host: Client) -> None:
    path = f"/host/sessions/{world.session}/list"
    content = "氏名,手帳番号\r\n見本　0,P00000\r\nしらない　人,\r\n".encode("cp932")
    page = host.post(path, {"file": SimpleUploadedFile("名簿.csv", content)})
    assert page.status_code == 200 and not Attendance.objects.unscoped().exists()
    assert [item["row"].name for item in page.context["waiting"]] == ["しらない　人"]
    given = {"rows": page.context["sealed"], "token": page.context["token"], "headcount": "3",
             "signed_name": "見本　0"}
    wrong = host.post(path, given)
    assert wrong.status_code == 422 and "しらない　人" in wrong.content.decode()
    assert host.post(path, given | {"headcount": "2"})["Location"] == "/host/waiting"
    assert Attendance.objects.unscoped().count() == 1
    assert WaitingRow.objects.unscoped().get().name == "しらない　人"
    again = host.post(path, given | {"headcount": "2"}, follow=True)
    assert "もう入力されています" in again.content.decode()
    for bad in (b"", b"\xd0\xcf\x11\xe0", b"PK\x03\x04", "日,場所\r\n1,2".encode()):
        assert host.post(path, {"file": SimpleUploadedFile("x.csv", bad)}).status_code == 422
    assert host.post(path, {"rows": "forged"}).status_code == 422


def test_P4_the_printed_code_counts_and_waits_for_the_headcount(world: Any, host: Client) -> None:
    poster = host.get(f"/host/sessions/{world.session}/poster.pdf")
    assert poster.content.startswith(b"%PDF-") and page_count(poster.content) == 1
    with access.scope(world.leader, at=world.at) as by:
        code = printed_code(by, session_id=world.session).code
    with access.system(at=world.at, reason="test") as by:
        attendance.record(scans=[world.scan(0)], by=by)
    Attendance.objects.unscoped().update(method="printed", recorded_at=world.at)
    path = f"/host/sessions/{world.session}"
    assert "data-unconfirmed" in host.get(path).content.decode()
    assert host.post(path, {"headcount": "1"}).status_code == 302
    assert "data-unconfirmed" not in host.get(path).content.decode()
    assert len(code) == 40


def test_the_practice_code_is_friendly_and_never_writes(world: Any, host: Client) -> None:
    from points import keys
    from points.domain import tokens

    assert host.get("/host/practice.pdf").content.startswith(b"%PDF-")
    code = tokens.mint("practice", keys=keys.keyring()).code
    anyone = Client()
    page = anyone.get(f"/E/{code}")
    assert page.status_code == 200 and "読みとれました（練習）" in page.content.decode()
    done = anyone.get(f"/E/{code}?done=1")
    assert "よくできました" in done.content.decode()
    with access.scope(world.leader, at=world.at) as by:
        answer = attendance.record(scans=[world.scan(0, code=code)], by=by).results[0]
    assert answer.result == "bad_card" and "練習用" in answer.reason
    assert not Attendance.objects.unscoped().exists()
    forged = code[:-1] + ("A" if code[-1] != "A" else "B")
    assert anyone.get(f"/E/{forged}").status_code == 422


def test_P6_a_card_is_printed_again_or_reissued_with_a_reason(world: Any) -> None:
    council, person = signed_in(world.council), world.people[0]
    path = f"/council/volunteers/{person}/card"
    with access.system(at=world.at, reason="test") as by:
        before = cards_of(by, volunteer_ids=[person])[person]
    assert council.get(path).status_code == 200
    again = council.post(path, {"act": "reprint", "form": "sticker12"})
    assert again.content.startswith(b"%PDF-")
    assert council.post(path, {"act": "reissue", "form": "card10"}).status_code == 422
    new = council.post(path, {"act": "reissue", "reason": "紛失", "form": "card10"})
    assert new.content.startswith(b"%PDF-")
    with access.system(at=world.at, reason="test") as by:
        after = cards_of(by, volunteer_ids=[person])[person]
        dead = attendance.record(scans=[world.scan(0)], by=by).results[0]
    assert after.card_id != before.card_id and dead.result == "cancelled_card"
    kinds = list(CardPrint.objects.unscoped().order_by("pk").values_list("why", "sheet_format"))
    assert kinds == [("reprint", "sticker12"), ("reissue", "card10")]
    listed = council.get("/council/prints").content.decode()
    assert "再発行" in listed and "手帳シール" in listed
    one = CardPrint.objects.unscoped().order_by("pk")[0]
    assert "無効" in council.get(f"/council/prints/{one.pk}").content.decode()
    assert signed_in(world.leader).get("/council/prints").status_code == 403
