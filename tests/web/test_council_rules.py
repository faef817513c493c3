"""P2 on the screen: sentences, drafts that lose nothing, a check page, adopting, years."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from points.models import Enrolment, ProgrammeYear, RuleDraft
from points.models import RuleSet as RuleSetRow
from points.operations import attendance
from points.queries import rules as written
from registry import access
from tests.web.conftest import signed_in

HOME = "/council/rules/programmes/tsunagari"


@pytest.fixture
def council(world: Any) -> Client:
    with access.scope(world.scanner, at=world.at) as by:
        attendance.record(scans=[world.scan(n) for n in (0, 1)], by=by)
    return signed_in(world.council)


def begun(council: Client) -> tuple[int, dict[str, Any]]:
    """A new draft, and what its form would post."""
    made = council.post(HOME, {"based_on": str(RuleSetRow.objects.order_by("pk")[0].pk)})
    assert made.status_code == 302
    form = council.get(made["Location"]).context["form"]
    return int(made["Location"].rsplit("/", 1)[1]), {
        **form.data, "version": "1", "begins_on": "令和8年12月1日", "citation": "見本決裁3号",
    }


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_P2_rules_read_as_sentences(world: Any, council: Client) -> None:
    listed = text(council.get("/council/rules"))
    assert "参加型：1回の参加で1ポイント。" in listed and "1日3ポイントまで。" in listed
    page = text(council.get(HOME))
    for said in ("いま有効", "はじまった1時間ごとに1ポイント。", "見本要領", "変えられません",
                 "1年度に50ポイントまで。"):
        assert said in page
    number = RuleSetRow.objects.get().pk
    one = text(council.get(f"{HOME}/sets/{number}"))
    assert "もう付与しているため、変えられません" in one and "取りやめる" not in one
    assert council.get(f"{HOME}/sets/999999").status_code == 404
    for other in (signed_in(world.leader), signed_in(world.shopkeeper)):
        assert other.get(HOME).status_code == 403


def test_P2_a_rule_change_on_the_screen(world: Any, council: Client) -> None:
    draft, given = begun(council)
    where = f"/council/rules/drafts/{draft}"
    given |= {"rate_0_points": "２", "daily_cap": "4", "group_day_cap": "4", "then": "check"}
    checked = council.post(where, given, follow=True)
    assert checked.redirect_chain[0][0] == f"{where}/check"
    page = text(checked)
    for said in ("まだ 定めていません", "いま：1回の参加で1ポイント。", "数えくらべました",
                 "この案：1回の参加で2ポイント。", "2 → 4"):
        assert said in page, said
    assert "見本　0" not in page
    assert RuleSetRow.objects.count() == 1
    wrong = council.post(f"{where}/check", {"version": "2", "reason": ""})
    assert wrong.status_code == 422 and "エラー：" in text(wrong)
    month = council.get(f"{where}/check?since=2026-12-24")
    assert "きょうまでの日にしてください。" in text(month)
    done = council.post(f"{where}/check", {"version": "2", "reason": "ふやすため"}, follow=True)
    assert "要領を 定めました。" in text(done) and "これから" in text(done)
    made = RuleSetRow.objects.order_by("-pk")[0]
    assert (made.citation, made.reason, made.body["daily_cap"]) == ("見本決裁3号", "ふやすため", 4)
    assert council.get(where).status_code == 404


def test_P2_what_keeps_a_draft_stands_at_its_input_and_nothing_is_lost(
    world: Any, council: Client
) -> None:
    draft, given = begun(council)
    where = f"/council/rules/drafts/{draft}"
    given |= {"begins_on": "2026-11-01", "rate_1_label": "", "daily_cap": "たくさん",
              "then": "check"}
    page = council.post(where, given, follow=True)
    assert page.status_code == 422
    body = text(page)
    assert "<title>エラー：" in body and 'href="#id_daily_cap"' in body
    assert 'value="たくさん"' in body and 'href="#id_rate_1_label"' in body
    given |= {"daily_cap": "3", "rate_1_label": "支援型", "version": "2"}
    page = council.post(where, given, follow=True)
    assert page.status_code == 422 and "付与があります" in text(page)
    assert RuleDraft.objects.get().form["begins_on"] == "2026-11-01"


def test_P2_two_editors_see_both_and_lose_nothing(world: Any, council: Client) -> None:
    draft, given = begun(council)
    where = f"/council/rules/drafts/{draft}"
    saved = council.post(f"{where}/autosave", given | {"daily_cap": "5"})
    assert saved.json()["version"] == 2
    late = council.post(f"{where}/autosave", given | {"daily_cap": "6"})
    assert late.status_code == 409 and late.json()["code"] == "draft_changed"
    both = council.post(where, given | {"daily_cap": "6"})
    assert both.status_code == 409
    assert "あなた：6" in text(both) and "さん：5" in text(both) and 'value="6"' in text(both)
    assert RuleDraft.objects.get().form["daily_cap"] == "5"
    kept = council.post(where, given | {"daily_cap": "6", "version": "2", "then": "stay"})
    assert kept.status_code == 200 and RuleDraft.objects.get().form["daily_cap"] == "6"
    assert council.post(f"{where}/drop", follow=True).status_code == 200
    assert council.post(where, given).status_code == 404


def test_P2_an_unused_rule_set_is_mended_and_withdrawn_on_the_screen(
    world: Any, council: Client
) -> None:
    draft, given = begun(council)
    where = f"/council/rules/drafts/{draft}"
    council.post(where, given | {"then": "check"})
    council.post(f"{where}/check", {"version": "2", "reason": "見本"})
    number = RuleSetRow.objects.order_by("-pk")[0].pk
    one = text(council.get(f"{HOME}/sets/{number}"))
    assert "取りやめる" in one and "なおす" in one and "とのちがい" in one
    again = council.post(HOME, {"based_on": str(number), "replace": "yes"})
    form = council.get(again["Location"]).context["form"]
    council.post(again["Location"], {**form.data, "version": "1", "daily_cap": "9"})
    council.post(f"{again['Location']}/check", {"version": "2", "reason": "まちがい"})
    with access.scope(world.council, at=world.at) as by:
        found = written.history(by, code="tsunagari")
    assert found.rule_sets[0].rules.daily_cap == 9
    assert found.rule_set(number).withdrawn_reason == "まちがい"
    wrong = council.post(f"{HOME}/sets/{found.rule_sets[0].id}", {"reason": ""})
    assert wrong.status_code == 422
    gone = council.post(f"{HOME}/sets/{found.rule_sets[0].id}", {"reason": "やめる"}, follow=True)
    assert "要領を 取りやめました。" in text(gone)
    used = RuleSetRow.objects.order_by("pk")[0]
    kept = council.post(f"{HOME}/sets/{used.pk}", {"reason": "x"})
    assert kept.status_code == 422 and "もう付与しているため" in text(kept)


def test_P2_years_are_opened_and_changed_until_the_first_point(
    world: Any, council: Client
) -> None:
    form = council.get(f"{HOME}/years/new").context["form"]
    assert form.data["fiscal_year"] == "2027" and form.data["lapses_on"] == "2028-07-01"
    wrong = council.post(f"{HOME}/years/new", {**form.data, "yen_value": "x", "reason": "見本"})
    assert wrong.status_code == 422 and 'href="#id_yen_value"' in text(wrong)
    council.post(f"{HOME}/years/new", {**form.data, "reason": "見本"})
    assert ProgrammeYear.objects.filter(fiscal_year=2027).exists()
    assert council.post(f"{HOME}/years/new", {**form.data}).status_code == 409
    page = council.get(f"{HOME}/years/2027")
    given = {**page.context["form"].data, "version": "1", "annual_cap": "80", "reason": "見本"}
    council.post(f"{HOME}/years/2027", given)
    assert ProgrammeYear.objects.get(fiscal_year=2027).terms["annual_cap"] == 80
    assert council.post(f"{HOME}/years/2027", given).status_code == 409
    assert "定めを変える" not in text(council.get(f"{HOME}/years/2026"))
    fixed = council.post(f"{HOME}/years/2026", {**given, "exchange_from": "2026-04-01",
                                               "exchange_until": "2027-06-30",
                                               "grace_until": "2027-04-20",
                                               "lapses_on": "2027-07-01"})
    assert fixed.status_code == 422 and "もう付与がある" in text(fixed)


def test_P2_a_programme_and_its_yearly_registrations(world: Any, council: Client) -> None:
    assert council.post("/council/rules/new", {"code": "A B", "name": ""}).status_code == 422
    assert council.post("/council/rules/new", {"code": "tsunagari", "name": "x"}).status_code == 409
    made = council.post("/council/rules/new", {"code": "kamukamu", "name": "カムカム（見本）"},
                        follow=True)
    assert "いま有効な要領が ありません" in text(made)
    where = f"{HOME}/enrolments/2026"
    assert council.post(where, {"number": "P99999"}).status_code == 422
    council.post(where, {"number": "p00000", "starts_on": "令和8年4月1日"})
    assert council.post(where, {"number": "P00000"}).status_code == 409
    page = text(council.get(where))
    assert "P00000" in page and "1人" in page
    with access.system(at=world.at, reason="look") as by:
        number = Enrolment.objects.visible_to(by).get().pk
    assert council.post(f"/council/enrolments/{number}/cancel", {"reason": ""}).status_code == 422
    council.post(f"/council/enrolments/{number}/cancel", {"reason": "本人の申し出"})
    assert "登録している方は いません。" in text(council.get(where))
