"""Imports: upload, see what the file would do, apply it, fetch the rows that went back.

Owns the pages of 取込.  Refuses nothing itself: the file is judged by
``registry.operations.imports``; what was typed stays on the form, and the whole-file refusal
(R13: 個人番号) is said in words.  Source: "Import" in the evacuation rules.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from registry.access import Scope
from registry.domain.errors import TsunagariError
from registry.domain.roles import Permission
from registry.importing.profiles import find_profile, profile_codes
from registry.operations import imports
from registry.queries import imports as queries
from web.forms.imports import ImportForm
from web.views import blocks
from web.views.base import Answer, Reply, file_response
from web.views.office_page import PAGE, OfficePage, form_again, form_reply

STATES = {
    "staged": ("確認まち", "caution"),
    "applied": ("反映ずみ", "good"),
    "discarded": ("取りやめ", "soft"),
}
VERDICTS = {
    "new": "新しい方",
    "changed": "変更",
    "ambiguous": "要確認",
    "rejected": "取りこめない行",
}
KINDS = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class ImportPage(OfficePage):
    section = "office-imports"
    work = "work.imports"


class Imports(ImportPage):
    """The latest files, newest first."""

    needs = {"get": Permission.PEOPLE_IMPORT}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        rows = [_line(one) for one in queries.batches(scope)]
        return Reply(
            "web/office/list.html",
            {
                "heading": "取りこみ",
                "meta": "住民・介護・手帳のファイル",
                "actions": [
                    {
                        "label": "ファイルを読む",
                        "url": reverse("office-import-new"),
                        "kind": "primary",
                    }
                ],
                "caption": "さいきんの取りこみ",
                "headers": [
                    "ファイル",
                    "種類",
                    "状態",
                    "行",
                    "新しい",
                    "変更",
                    "同じ",
                    "要確認",
                    "取りこめない",
                    "読んだ日時",
                ],
                "rows": rows,
                "empty_text": "まだ ありません。「ファイルを読む」から始めてください。",
            },
        )


class NewImport(ImportPage):
    """Upload: the file is staged, nothing reaches the register."""

    needs = {"get": Permission.PEOPLE_IMPORT, "post": Permission.PEOPLE_IMPORT}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        return form_reply(ImportForm(profiles=_profiles()), **_new_words())

    def post(self, request: HttpRequest, scope: Scope) -> Answer:
        form = ImportForm(request.POST, request.FILES, profiles=_profiles())
        if not form.is_valid():
            return form_reply(form, status=422, **_new_words())
        file = form.cleaned_data["file"]
        path = getattr(file, "temporary_file_path", None)
        staged = imports.stage(
            source=Path(path()) if path else file.read(),
            profile=form.cleaned_data["profile"],
            file_name=file.name,
            by=scope,
        )
        return HttpResponseRedirect(reverse("office-import", args=[staged.pk]))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or not scope.may(Permission.PEOPLE_IMPORT):
            return None
        form = ImportForm(request.POST, request.FILES, profiles=_profiles())
        return form_again(form, error, **_new_words())


class OneImport(ImportPage):
    """What the file would do (or did): totals that add up, rows by verdict."""

    needs = {"get": Permission.PEOPLE_IMPORT}

    def get(self, request: HttpRequest, scope: Scope, batch_id: int) -> Answer:
        wanted = request.GET.get("show", "")
        verdict = wanted if wanted in VERDICTS else None
        after = blocks.whole_number(request, "after")
        shown = queries.preview(scope, batch_id=batch_id, verdict=verdict, after=after, limit=PAGE)
        return Reply("web/office/detail.html", _preview(shown, verdict))


class ApplyImport(ImportPage):
    """Write the staged file into the register."""

    needs = {"post": Permission.PEOPLE_IMPORT}

    def post(self, request: HttpRequest, scope: Scope, batch_id: int) -> Answer:
        done = imports.apply(batch_id=batch_id, by=scope)
        messages.success(
            request, f"反映しました（新しい方 {done.new_count}件・変更 {done.changed_count}件）。"
        )
        return HttpResponseRedirect(reverse("office-import", args=[batch_id]))


class DiscardImport(ImportPage):
    """Give the staged file up."""

    needs = {"post": Permission.PEOPLE_IMPORT}

    def post(self, request: HttpRequest, scope: Scope, batch_id: int) -> Answer:
        imports.discard(batch_id=batch_id, by=scope)
        messages.success(request, "取りやめました。住民の情報は変わっていません。")
        return HttpResponseRedirect(reverse("office-imports"))


class RejectedRows(ImportPage):
    """The rows that could not be taken, in the file's own form with the reasons."""

    needs = {"get": Permission.PEOPLE_IMPORT}

    def get(self, request: HttpRequest, scope: Scope, batch_id: int) -> HttpResponse:
        name, body = queries.rejected_file(scope, batch_id=batch_id)
        kind = name.rsplit(".", 1)[-1]
        return file_response(
            body,
            name=f"rejected_{batch_id}.{kind}",
            kind=KINDS.get(kind, "application/octet-stream"),
        )


def _profiles() -> list[tuple[str, str]]:
    return [(code, find_profile(code).title) for code in profile_codes()]


def _new_words() -> dict[str, Any]:
    return {
        "heading": "ファイルを読む",
        "submit": "中身を見る",
        "multipart": True,
        "lead": "読んだだけでは、住民の情報は変わりません。"
        "つぎの画面で違いを確かめてから反映します。",
        "url": reverse("office-import-new"),
        "back": reverse("office-imports"),
    }


def _line(one: queries.BatchFact) -> blocks.Block:
    word, kind = STATES.get(one.state, (one.state, ""))
    return blocks.row(
        one.file_name,
        _title(one.profile),
        blocks.cell(word, kind),
        *map(str, (one.rows, one.new, one.changed, one.same, one.ambiguous, one.rejected)),
        blocks.moment(one.staged_at),
        url=reverse("office-import", args=[one.id]),
    )


def _title(profile: str) -> str:
    try:
        return find_profile(profile).title
    except TsunagariError:
        return profile


def _preview(shown: queries.Preview, verdict: str | None) -> dict[str, Any]:
    one = shown.batch
    word, kind = STATES.get(one.state, (one.state, "soft"))
    here = reverse("office-import", args=[one.id])
    counts = {
        "new": one.new,
        "changed": one.changed,
        "ambiguous": one.ambiguous,
        "rejected": one.rejected,
    }
    actions = []
    if one.state == "staged":
        actions = [
            blocks.action(
                "反映する",
                reverse("office-import-apply", args=[one.id]),
                kind="primary",
                method="post",
            ),
            blocks.action(
                "取りやめる",
                reverse("office-import-discard", args=[one.id]),
                kind="danger",
                method="post",
            ),
        ]
    if one.rejected or one.ambiguous:
        actions.append(
            blocks.action(
                "取りこめない行のファイル", reverse("office-import-rejected", args=[one.id])
            )
        )
    return {
        "heading": one.file_name,
        "meta": f"{_title(one.profile)}　{blocks.moment(one.staged_at)}",
        "badges": [{"label": word, "kind": kind}],
        "actions": actions,
        "notices": _notices(one),
        "figures": [
            {"label": label, "value": value, "unit": "件", "note": note}
            for label, value, note in (
                ("ファイルの行", one.rows, "ほかの5つの合計と同じ"),
                ("新しい方", one.new, ""),
                ("変更", one.changed, ""),
                ("同じ", one.same, "何も変わりません"),
                ("要確認", one.ambiguous, "人が確かめます"),
                ("取りこめない", one.rejected, "理由を付けて返します"),
            )
        ],
        "tabs": [{"label": "すべて", "url": here, "current": verdict is None}]
        + [
            {
                "label": f"{label} {counts[code]}",
                "url": f"{here}?show={code}",
                "current": verdict == code,
            }
            for code, label in VERDICTS.items()
        ],
        "tables": [
            blocks.table(
                "違いのある行",
                ["行", "区分", "宛名番号", "氏名", "変わるところ・理由"],
                [_row(each) for each in shown.rows],
                "違いのある行は ありません。",
            )
        ],
        "next_url": blocks.link("office-import", one.id, show=verdict, after=shown.next)
        if shown.next
        else None,
        "back_url": reverse("office-imports"),
    }


def _notices(one: queries.BatchFact) -> list[dict[str, str]]:
    found = []
    if one.state == "staged":
        found.append(
            {
                "kind": "caution",
                "text": "まだ反映していません。違いを確かめて「反映する」をおしてください。",
            }
        )
    if one.rejected:
        found.append(
            {
                "kind": "bad",
                "text": f"取りこめない行が{one.rejected}件あります。ほかの行は反映できます。",
            }
        )
    return found


def _said(value: str) -> str:
    return blocks.SEX.get(value, value) or "（なし）"


def _row(each: queries.RowFact) -> blocks.Block:
    kind = {"new": "good", "changed": "caution", "ambiguous": "caution"}.get(each.verdict, "bad")
    words = "\n".join(
        f"{what}：{_said(before)} → {_said(after)}" for what, before, after in each.changes
    )
    if each.reason:
        words = "\n".join(
            filter(None, (f"{each.column}：{each.reason}" if each.column else each.reason, words))
        )
    return blocks.row(
        f"{each.row_number}行目",
        blocks.cell(VERDICTS.get(each.verdict, each.verdict), kind),
        each.number,
        each.name,
        words,
    )
