"""The person page asks why, leaves the reason in the log, and shows nobody who is not visible."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client

from registry import access
from registry.models import LogEntry
from tests.cast import Cast


@pytest.fixture
def at_work(client: Client, cast: Cast) -> Iterator[Client]:
    with time_machine.travel(cast.at, tick=False):
        yield client


def logged(cast: Cast, action: str | None = None) -> list[tuple[int | None, int | None, str]]:
    """(person, user, purpose) of the log's entries, of one action or all."""
    with access.system(at=cast.at, reason="test") as wide:
        rows = LogEntry.objects.visible_to(wide).order_by("pk")
        if action is not None:
            rows = rows.filter(action=action)
        return list(rows.values_list("person_id", "user_id", "purpose"))


def test_person_page_asks_for_a_purpose_first(at_work: Client, cast: Cast) -> None:
    at_work.force_login(cast.sato)
    before = logged(cast)
    page = at_work.get(f"/office/people/{cast.hanako_id}")
    assert page.status_code == 200 and "見本　花子" not in page.content.decode()
    assert "開く目的を" in page.content.decode()
    assert logged(cast) == before
    wrong = at_work.get(f"/office/people/{cast.hanako_id}?purpose=curious")
    assert wrong.status_code == 422 and "花子" not in wrong.content.decode()


def test_purpose_is_on_record_with_the_view(at_work: Client, cast: Cast) -> None:
    at_work.force_login(cast.sato)
    page = at_work.get(f"/office/people/{cast.hanako_id}?purpose=inquiry")
    assert "花子" in page.content.decode() and page["Cache-Control"] == "no-store"
    assert logged(cast, "office.person") == [(cast.hanako_id, cast.sato.pk, "inquiry")]


def test_R11_protected_person_is_marked_for_officers(at_work: Client, cast: Cast) -> None:
    at_work.force_login(cast.sato)
    page = at_work.get(f"/office/people/{cast.yuki_id}?purpose=inquiry").content.decode()
    assert "支援措置の対象です" in page


def test_care_manager_finds_the_own_caseload_only(at_work: Client, cast: Cast) -> None:
    at_work.force_login(cast.care_manager)
    found = at_work.post("/office/people/", {"q": "ミホン"}).content.decode()
    assert "花子" in found and "一郎" not in found and "雪" not in found
    assert at_work.get(f"/office/people/{cast.ichiro_id}?purpose=plan").status_code == 404
    assert at_work.get("/office/people/987654321?purpose=plan").status_code == 404


@pytest.mark.parametrize("who", ["mori", "kato", "association", "suzuki", "taro", "nobody"])
def test_people_are_closed_to_everybody_else(at_work: Client, cast: Cast, who: str) -> None:
    at_work.force_login(getattr(cast, who))
    assert at_work.get("/office/people/").status_code == 403
    assert at_work.get(f"/office/people/{cast.hanako_id}?purpose=inquiry").status_code == 403


def test_R4_consent_form_names_what_is_missing_and_keeps_what_was_typed(
    at_work: Client, cast: Cast
) -> None:
    at_work.force_login(cast.sato)
    answer = at_work.post(
        f"/office/people/{cast.hanako_id}/consent",
        {
            "purpose": "roster_sharing",
            "answer": "agreed",
            "answered_on": "R8.11.20",
            "means": "paper",
            "proxy_name": "見本　娘",
        },
    )
    words = answer.content.decode()
    assert answer.status_code == 422 and "エラー：" in words
    for sentence in (
        "同意書の版を入力してください。",
        "ふだんの提供についての説明",
        "災害時の提供",
        "提供先をひとつ以上",
        "代理人の氏名・続柄・代理の理由",
    ):
        assert sentence in words, sentence
    assert 'value="R8.11.20"' in words and 'value="見本　娘"' in words


def test_R4_consent_is_recorded_with_everything_asked(at_work: Client, cast: Cast) -> None:
    from evacuation.models import Consent

    at_work.force_login(cast.sato)
    answer = at_work.post(
        f"/office/people/{cast.hanako_id}/consent?purpose_code=visit",
        {
            "purpose": "roster_sharing",
            "answer": "agreed",
            "answered_on": "令和８年１１月２０日",
            "means": "paper",
            "form_version": "R8-1",
            "kinds": ["commissioner", "neighbourhood"],
            "explained_normal": "on",
            "explained_disaster": "on",
        },
    )
    assert answer.status_code == 302, answer.content.decode()
    assert answer["Location"].endswith("purpose=visit")
    with access.system(at=cast.at, reason="test") as wide:
        row = Consent.objects.visible_to(wide).get()
    assert (row.person_id, row.answer, row.kinds, row.form_version) == (
        cast.hanako_id,
        "agreed",
        ["commissioner", "neighbourhood"],
        "R8-1",
    )
    assert row.recorded_by_id == cast.sato.pk


def test_consent_of_the_future_and_unreadable_dates_are_said_beside_the_field(
    at_work: Client, cast: Cast
) -> None:
    at_work.force_login(cast.sato)
    good = {"purpose": "plan_making", "answer": "refused", "means": "oral", "form_version": "1"}
    for text, sentence in (("令和9年1月1日", "未来"), ("きのう", "日付"), ("R8.11", "全部")):
        answer = at_work.post(
            f"/office/people/{cast.hanako_id}/consent", {**good, "answered_on": text}
        )
        assert answer.status_code == 422
        assert sentence in "".join(answer.context["form"].errors["answered_on"]), text


def test_consent_of_somebody_invisible_is_not_found(at_work: Client, cast: Cast) -> None:
    at_work.force_login(cast.sato)
    assert at_work.get("/office/people/987654321/consent").status_code == 404
