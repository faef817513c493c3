"""The pages of holders: own people only, never kept, on record; copies, changes, an ended term."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from registry import access
from registry.models import LogEntry
from tests.cast import Cast
from tests.factories import evacuation as factory

PAGES = ("/roster/", "/roster/?show=changed", "/roster/copies/", "/roster/reports")
NORTH = ("花子", "一郎", "雪", "はなこ", "ハナコ", "北")


@pytest.fixture
def issued(cast: Cast) -> Iterator[Cast]:
    """Hanako and Minami consent; both commissioners and the 町内会 have their editions."""
    with time_machine.travel(cast.at, tick=False):
        factory.build(cast)
        factory.share(cast)
        yield cast


def enter(client: Client, user: Any) -> Client:
    client.force_login(user)
    return client


def copy_of(cast: Cast, office: str, **more: Any) -> Any:
    return next(iter(factory.copies(cast.at, office_id=cast.offices[office], **more)))


def test_commissioner_reads_the_own_people_with_watermark(client: Client, issued: Cast) -> None:
    page = enter(client, issued.mori).get("/roster/")
    words = page.content.decode()
    assert page.status_code == 200 and page["Cache-Control"] == "no-store"
    assert "花子" in words and "88歳" in words and "森（見本）" in words
    assert "第49条の13" in words and "取扱注意" in words
    assert "一郎" not in words, "R1: who refuses is in no edition"
    assert "雪" not in words, "R11: protected people are in no edition"
    for clinical in ("要介護", "手帳", "1級"):
        assert clinical not in words, f"R8: {clinical}"


def test_R7_the_south_sees_nobody_of_the_north_on_any_page(client: Client, issued: Cast) -> None:
    enter(client, issued.kato)
    mori = copy_of(issued, "O-MORI")
    row = Client()
    enter(row, issued.mori)
    other = row.get("/roster/").context["people"][0]["id"]
    for path in (
        *PAGES,
        f"/roster/report?person={other}",
        f"/roster/copies/{mori.pk}/lost",
        f"/roster/copies/{mori.pk}/hand-over",
        f"/roster/editions/{mori.edition_id}/pdf",
    ):
        answer = client.get(path)
        words = answer.content.decode()
        assert not any(name in words for name in NORTH), path
        if str(mori.pk) in path or "report?" in path or "editions" in path:
            assert answer.status_code == 404, path
    assert "南" in client.get("/roster/").content.decode()
    for path in ("receive", "check"):
        assert client.post(f"/roster/copies/{mori.pk}/{path}").status_code == 404
    assert client.post(f"/roster/report?person={other}", {"sentence": "x"}).status_code == 404


def test_opening_is_on_record(client: Client, issued: Cast) -> None:
    enter(client, issued.mori).get("/roster/")
    with access.system(at=issued.at, reason="test") as wide:
        seen = LogEntry.objects.visible_to(wide).filter(
            action="editions.my_roster", user_id=issued.mori.pk
        )
        assert list(seen.values_list("person_id", flat=True)) == [issued.hanako_id]


def test_R12_a_reported_change_waits_for_the_city(client: Client, issued: Cast) -> None:
    enter(client, issued.mori)
    row = client.get("/roster/").context["people"][0]["id"]
    form = client.get(f"/roster/report?person={row}")
    assert "花子" in form.content.decode()
    empty = client.post(f"/roster/report?person={row}", {"sentence": "  "})
    assert empty.status_code == 422 and "ひとことで" in empty.content.decode()
    sent = client.post(f"/roster/report?person={row}", {"sentence": "娘の家にいる"}, follow=True)
    assert "市へ知らせました" in sent.content.decode()
    assert "確認まち" in sent.content.decode()
    assert "娘の家" not in client.get("/roster/").content.decode()


def test_holder_acknowledges_then_checks_the_copy(client: Client, issued: Cast) -> None:
    copy = copy_of(issued, "O-MORI", medium="paper")
    enter(client, issued.mori)
    tasks = client.get("/roster/").context["tasks"]
    assert any("受けとった" in one["label"] for one in tasks)
    assert client.post(f"/roster/copies/{copy.pk}/check").status_code == 422
    done = client.post(f"/roster/copies/{copy.pk}/receive", follow=True).content.decode()
    assert "受けとりを記録しました" in done and "保管中" in done
    again = client.post(f"/roster/copies/{copy.pk}/check", follow=True).content.decode()
    assert "保管の確認を記録しました" in again


def test_hand_over_goes_to_an_office_of_the_same_area(client: Client, issued: Cast) -> None:
    copy = copy_of(issued, "O-MORI", medium="paper")
    enter(client, issued.mori)
    client.post(f"/roster/copies/{copy.pk}/receive")
    form = client.get(f"/roster/copies/{copy.pk}/hand-over")
    choices = [value for value, _ in form.context["form"].fields["to"].choices]
    assert choices == [f"office:{issued.offices['O-NORTH']}"]
    nothing = client.post(f"/roster/copies/{copy.pk}/hand-over", {})
    assert nothing.status_code == 422 and "引き継ぐ相手を選んで" in nothing.content.decode()
    south = client.post(
        f"/roster/copies/{copy.pk}/hand-over", {"to": f"office:{issued.offices['O-KATO']}"}
    )
    assert south.status_code == 422
    done = client.post(f"/roster/copies/{copy.pk}/hand-over", {"to": choices[0]}, follow=True)
    assert "引き継ぎを記録しました" in done.content.decode()


def test_loss_is_reported_in_one_form(client: Client, issued: Cast) -> None:
    copy = copy_of(issued, "O-MORI", medium="paper")
    enter(client, issued.mori)
    client.post(f"/roster/copies/{copy.pk}/receive")
    wrong = client.post(
        f"/roster/copies/{copy.pk}/lost",
        {"discovered_on": "令和9年1月1日", "circumstances": "電車で"},
    )
    assert wrong.status_code == 422 and "未来" in wrong.content.decode()
    assert "電車で" in wrong.content.decode()
    sent = client.post(
        f"/roster/copies/{copy.pk}/lost",
        {"discovered_on": "令和8年11月23日", "circumstances": "電車で"},
        follow=True,
    )
    assert "紛失を市へ届けました" in sent.content.decode()


def test_R5_withdrawal_vanishes_at_once_and_asks_for_a_strike_out(
    client: Client, issued: Cast
) -> None:
    from evacuation.domain.consent import Means
    from evacuation.operations import consents

    with issued.scope(issued.sato) as by:
        consents.withdraw(person_id=issued.hanako_id, means=Means.ORAL, form_version="1", by=by)
    words = enter(client, issued.mori).get("/roster/").content.decode()
    assert "花子" not in words and "提供を取りやめた方" in words
    copies = client.get("/roster/copies/").content.decode()
    assert "消していただく方" in copies and "消しました" in copies


@pytest.mark.parametrize("who", ["sato", "suzuki", "taro", "former", "scanner", "leader"])
def test_roster_pages_are_closed_to_everybody_else(client: Client, cast: Cast, who: str) -> None:
    enter(client, getattr(cast, who))
    with time_machine.travel(cast.at, tick=False):
        for path in PAGES:
            assert client.get(path).status_code == 403, path


def test_ended_term_sees_nothing_from_that_midnight(client: Client, issued: Cast) -> None:
    from tests.cast import end_term_of

    with issued.scope(issued.sato) as by:
        end_term_of(issued, issued.mori, on=by.on, by=by)
    assert enter(client, issued.mori).get("/roster/").status_code == 403
