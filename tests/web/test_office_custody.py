"""Staff beside the holders: copies, corrections, sharing, roster runs, every no explained."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client

from tests.cast import Cast
from tests.factories import evacuation as factory


@pytest.fixture
def sato(client: Client, cast: Cast) -> Iterator[Client]:
    with time_machine.travel(cast.at, tick=False):
        factory.build(cast)
        factory.share(cast)
        client.force_login(cast.sato)
        yield client


def test_a_copy_is_recalled_and_returned_with_its_history(sato: Client, cast: Cast) -> None:
    copy = factory.copies(cast.at, office_id=cast.offices["O-MORI"], medium="paper")[0]
    here = f"/office/custody/{copy.pk}"
    assert [value for value, _ in sato.get(here).context["form"].fields["act"].choices] == [
        "receive",
        "recall",
        "return",
    ]
    assert sato.post(here, {}).status_code == 422
    done = sato.post(here, {"act": "recall", "note": "任期の終わり"}, follow=True).content.decode()
    assert "返却をお願い中" in done and "任期の終わり" in done
    stale = sato.post(here, {"act": "return", "version": copy.version})
    assert stale.status_code == 409, "somebody recorded a step in between"
    assert "返却ずみ" in sato.post(here, {"act": "return"}, follow=True).content.decode()
    wrong = sato.post(here, {"act": "destroy"})
    assert wrong.status_code == 422 and "立会人" in wrong.content.decode()


def test_R12_the_officer_closes_a_report_with_what_was_done(sato: Client, cast: Cast) -> None:
    holder = Client()
    holder.force_login(cast.mori)
    row = holder.get("/roster/").context["people"][0]["id"]
    holder.post(f"/roster/report?person={row}", {"sentence": "電話番号が変わった"})
    queue = sato.get("/office/roster/corrections")
    assert "電話番号が変わった" in queue.content.decode()
    url = queue.context["rows"][0]["url"]
    assert sato.post(url, {}).status_code == 422
    done = sato.post(url, {"decision": "accepted", "note": "台帳を直した"}, follow=True)
    assert "確認ずみにしました" in done.content.decode()
    assert sato.post(url, {"decision": "declined"}).status_code == 409
    assert "台帳を直した" in holder.get("/roster/reports").content.decode()


def test_every_no_is_explained(sato: Client, cast: Cast) -> None:
    words = sato.get(f"/office/people/{cast.ichiro_id}/why").content.decode()
    assert words.count("のらない") >= 2, "民生委員 and 町内会 of the north"
    hidden = sato.get(f"/office/people/{cast.yuki_id}/why").content.decode()
    assert "支援措置" in hidden or "要照会" in hidden
    assert sato.get("/office/people/987654321/why").status_code == 404


def test_sharing_says_who_has_an_edition_and_who_was_left_out(sato: Client) -> None:
    page = sato.get("/office/sharing/2026-10")
    words = page.content.decode()
    assert "発行ずみ" in words and "希望しない 1人" in words and "支援措置 1人" in words
    assert "花子" not in words and "一郎" not in words, "no names in an overview"
    assert sato.get("/office/sharing/2020-10").status_code == 404
    assert sato.post("/office/sharing/", {"period": "2020-10"}).status_code == 422
    again = sato.post("/office/sharing/", {"period": "2026-10"}, follow=True)
    assert again.status_code == 200


def test_R10_a_run_is_shown_before_it_is_applied(sato: Client, cast: Cast) -> None:
    sato.post(
        f"/office/people/{cast.taro_person_id}/listing",
        {"kind": "manual_include", "reason": "ひとりで避難できない"},
    )
    run = sato.post("/office/roster/runs")["Location"]
    page = sato.get(run).content.decode()
    assert "確認まち" in page and "太郎" in page
    assert "太郎" not in sato.get("/office/roster/").content.decode()
    done = sato.post(f"{run}/apply", follow=True).content.decode()
    assert "名簿に反映しました" in done
    assert "太郎" in sato.get("/office/roster/").content.decode()
    assert sato.post(f"{run}/discard").status_code == 409


def test_described_by_two_officers_nothing_is_overwritten(sato: Client, cast: Cast) -> None:
    here = f"/office/people/{cast.hanako_id}/describe"
    version = sato.get(here).context["form"].initial["version"]
    saved = sato.post(here, {"bedroom": "1階の南側", "version": version})
    assert saved.status_code == 302
    late = sato.post(here, {"bedroom": "2階", "version": version})
    assert late.status_code == 409 and 'value="2階"' in late.content.decode()
