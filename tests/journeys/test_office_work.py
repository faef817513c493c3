"""An officer's day in a real browser: a file with a rejected row, consent, sharing, custody."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.browser import DESKTOP, PHONE, Pages, browser, follow, pages
from tests.journeys.office_world import Office, fill, office
from tests.web.test_office_imports import BAD, HEADER, NEW

__all__ = ["browser", "office", "pages"]
pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]


def test_a_file_with_a_rejected_row_is_applied_without_it(
    office: Office, pages: Pages, tmp_path: Path
) -> None:
    file = tmp_path / "住民異動.csv"
    file.write_bytes(("\r\n".join([HEADER, NEW, BAD]) + "\r\n").encode("cp932"))
    page = pages.open(DESKTOP, user=office.cast.sato)
    page.goto("/office/")
    pages.check(page, "office_home")
    follow(page.get_by_role("link", name="取りこみ", exact=True))
    follow(page.get_by_role("link", name="ファイルを読む"))
    follow(page.get_by_role("button", name="中身を見る"))
    expect(page.locator("[data-error-summary]")).to_be_focused()
    pages.check(page, "office_import_wrong")
    page.get_by_label("住民基本").check()
    page.locator("input[type=file]").set_input_files(str(file))
    follow(page.get_by_role("button", name="中身を見る"))
    expect(page.get_by_text("取りこめない行が1件あります")).to_be_visible()
    pages.check(page, "office_import_preview")
    with page.expect_download() as caught:
        page.get_by_role("link", name="取りこめない行のファイル").click()
    words = Path(caught.value.path()).read_bytes().decode("cp932")
    assert "2002" in words and "2001" not in words
    follow(page.get_by_role("button", name="反映する"))
    expect(page.get_by_text("反映しました")).to_be_visible()
    page.goto("/office/people/")
    page.get_by_label("名前・よみ・宛名番号").fill("みほんしん")
    follow(page.get_by_role("button", name="さがす"))
    expect(page.get_by_role("link", name="見本　新")).to_be_visible()
    pages.check(page, "office_people")


def test_person_page_consent_and_the_reason_for_every_no(office: Office, pages: Pages) -> None:
    page = pages.open(DESKTOP, user=office.cast.sato)
    page.goto("/office/people/")
    page.get_by_label("名前・よみ・宛名番号").fill("みほん")
    follow(page.get_by_role("button", name="さがす"))
    follow(page.get_by_role("link", name="見本　一郎"))
    follow(page.get_by_role("button", name="開く"))
    pages.check(page, "office_purpose")
    page.get_by_label("本人・家族からの問合せ").check()
    follow(page.get_by_role("button", name="開く"))
    expect(page.get_by_text("開いた目的：本人・家族からの問合せ")).to_be_visible()
    pages.check(page, "office_person")
    follow(page.get_by_role("link", name="同意を記録"))
    follow(page.get_by_role("button", name="記録する"))
    pages.check(page, "office_consent_wrong")
    page.get_by_label("名簿情報の平常時の提供").check()
    page.get_by_label("同意する", exact=True).check()
    page.get_by_label("書面").check()
    fill(page, answered_on="R8.11.20", form_version="R8-1")
    page.get_by_label("民生委員・児童委員").check()
    page.get_by_label("ふだん（平常時）に").check()
    page.get_by_label("災害のときは").check()
    follow(page.get_by_role("button", name="記録する"))
    expect(page.get_by_text("同意の記録を残しました")).to_be_visible()
    follow(page.get_by_role("link", name="どの名簿にのるか"))
    expect(page.get_by_text("のらない").first).to_be_visible()
    pages.check(page, "office_why")


def test_every_list_of_the_officer_is_readable(office: Office, pages: Pages) -> None:
    page = pages.open(DESKTOP, user=office.cast.sato)
    for path, name in (
        ("/office/roster/", "office_roster"),
        ("/office/roster/runs", "office_runs"),
        ("/office/sharing/", "office_sharing"),
        ("/office/sharing/2026-10", "office_sharing_run"),
        ("/office/custody/", "office_custody"),
        ("/office/plans/", "office_plans"),
        ("/office/supporters", "office_supporters"),
        ("/office/places/", "office_places"),
        ("/office/roster/corrections", "office_corrections"),
        ("/office/roster/unanswered", "office_unanswered"),
    ):
        assert page.goto(path).status == 200, path
        pages.check(page, name)
    for path, name in (("/office/roster/runs", "office_run"), ("/office/custody/", "office_copy")):
        page.goto(path)
        follow(page.locator("a.row-link").first)
        page.wait_for_url(f"**{path.rstrip('/')}/*")
        pages.check(page, name)


def test_office_home_on_a_phone(office: Office, pages: Pages) -> None:
    page = pages.open(PHONE, user=office.cast.takada)
    page.goto("/office/")
    pages.check(page, "office_home_phone")
