"""The leader files: beginning, mending, handing in, renewing, and the annual report (P9).

Owns ``/host/groups/new`` and the pages of a filing and of its report.  Refuses what the
operations refuse, with what was typed still in the form.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from points.operations import group_reports, groups
from points.queries.group_reports import report
from points.queries.groups import Filing, filing
from registry.access import Scope
from registry.domain.errors import NotFound, Refused, TsunagariError
from registry.domain.roles import Permission
from registry.queries.organisations import organisations
from web.forms.groups import PLAN_ROWS, BeginForm, FilingForm, ReportForm
from web.presenting import year_text
from web.views.base import Answer, Page, Reply, file_response, status_of
from web.views.blocks import day
from web.views.group_words import (
    REPORTS,
    figure_rows,
    kinds_of,
    programmes_for_groups,
    year_choices,
)
from web.views.office_page import keeps


def begin_form(scope: Scope, data: Any = None, *, every: bool = False) -> BeginForm:
    """Which group, programme and year; a leader's own groups, or every group."""
    own = organisations(scope, kind="group", ids=None if every else scope.organisations)
    return BeginForm(
        data, organisations=[(str(one.id), one.name) for one in own],
        programmes=[(one.code, one.name) for one in programmes_for_groups(scope)],
        years=year_choices(scope),
    )


def begun(scope: Scope, given: dict[str, Any]) -> int:
    """A draft with the programme's first kind; the id."""
    kinds = kinds_of(scope, programme=given["programme"])
    if not kinds:
        raise Refused("この事業の要領が まだありません。", code="no_rules")
    made = groups.apply(
        organisation_id=given["organisation"], programme=given["programme"],
        fiscal_year=given["fiscal_year"], by=scope,
        filing=groups.FilingInput(activity_kind=kinds[0][0]),
    )
    return int(made.pk)


class Begin(Page):
    """``/host/groups/new``"""

    needs = {"get": Permission.GROUPS_KEEP, "post": Permission.GROUPS_KEEP}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        return self._form(begin_form(scope))

    def post(self, request: HttpRequest, scope: Scope) -> Answer:
        form = begin_form(scope, request.POST)
        if not form.is_valid():
            return self._form(form, 422)
        number = begun(scope, form.cleaned_data)
        return HttpResponseRedirect(reverse("host-group-filing", args=[number]))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        return self._form(keeps(begin_form(scope, request.POST), error), status_of(error))

    @staticmethod
    def _form(form: BeginForm, status: int = 200) -> Reply:
        return Reply("web/volunteer/form.html", {
            "question": "団体の届け出を はじめる", "form": form, "submit_label": "つぎへ",
            "lead": "年度ごとに届け出ます。去年の内容をつかうときは「更新する」へ。",
            "action": reverse("host-group-new"), "back_url": reverse("host-groups"),
        }, status=status)


class EditFiling(Page):
    """What a draft or returned filing says."""

    needs = {"get": Permission.GROUPS_KEEP, "post": Permission.GROUPS_KEEP}

    def get(self, request: HttpRequest, scope: Scope, group_id: int) -> Answer:
        found = filing(scope, group_id=group_id)
        return self._drawn_filing(
            found, filing_form(scope, found, initial=FilingForm.of(found)), found.line.version)

    def post(self, request: HttpRequest, scope: Scope, group_id: int) -> Answer:
        found = filing(scope, group_id=group_id)
        form = filing_form(scope, found, data=request.POST)
        version = version_of(request)
        if not form.is_valid():
            return self._drawn_filing(found, form, version, 422)
        groups.change(group_id=group_id, filing=form.filing(), version=version, by=scope)
        messages.success(request, "届け出を 保存しました。")
        return HttpResponseRedirect(reverse("host-group", args=[group_id]))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        found = filing(scope, **path)
        form = filing_form(scope, found, data=request.POST)
        return self._drawn_filing(found, keeps(form, error, form.names()), version_of(request),
                                  status_of(error))

    @staticmethod
    def _drawn_filing(found: Filing, form: FilingForm, version: int, status: int = 200) -> Reply:
        line = found.line
        return Reply("web/volunteer/form.html", {
            "question": "届け出を 直す", "form": form, "submit_label": "保存する",
            "lead": f"{year_text(line.fiscal_year)}　{line.programme_name}"
                    + (f"　社協から：{line.reason}" if line.reason else ""),
            "action": reverse("host-group-filing", args=[line.id]), "token": version,
            "back_url": reverse("host-group", args=[line.id]),
        }, status=status)


class Submit(Page):
    """Hand the filing in."""

    needs = {"post": Permission.GROUPS_KEEP}

    def post(self, request: HttpRequest, scope: Scope, group_id: int) -> Answer:
        groups.submit(group_id=group_id, by=scope)
        messages.success(request, "届け出を 社協へ出しました。")
        return HttpResponseRedirect(reverse("host-group", args=[group_id]))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if status_of(error) != 422:
            return None
        found = filing(scope, **path)
        form = filing_form(scope, found, data=FilingForm.of(found))
        return EditFiling._drawn_filing(found, keeps(form, error, form.names()),
                                        found.line.version, 422)


class Renew(Page):
    """Begin the next year from this one."""

    needs = {"post": Permission.GROUPS_KEEP}

    def post(self, request: HttpRequest, scope: Scope, group_id: int) -> Answer:
        made = groups.renew(group_id=group_id, by=scope)
        messages.success(request, "今年度の内容を うつしました。たしかめて、社協へ出してください。")
        return HttpResponseRedirect(reverse("host-group", args=[made.pk]))


class Report(Page):
    """The year in numbers and the leader's words."""

    needs = {"get": Permission.GROUPS_KEEP, "post": Permission.GROUPS_KEEP}

    def get(self, request: HttpRequest, scope: Scope, group_id: int) -> Answer:
        return self._drawn_report(scope, group_id, None)

    def post(self, request: HttpRequest, scope: Scope, group_id: int) -> Answer:
        form = ReportForm(request.POST)
        if not form.is_valid():
            return self._drawn_report(scope, group_id, form, 422)
        row = group_reports.write(group_id=group_id, text=form.cleaned_data["text"],
                                  version=version_of(request), by=scope)
        if "submit" in request.POST:
            group_reports.submit(group_id=group_id, version=row.version, by=scope)
            messages.success(request, "実績報告を 社協へ出しました。")
        else:
            messages.success(request, "ふりかえりを 保存しました。")
        return HttpResponseRedirect(reverse("host-group-report", args=[group_id]))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        form = keeps(ReportForm(request.POST), error)
        return self._drawn_report(scope, path["group_id"], form, status_of(error))

    @staticmethod
    def _drawn_report(
        scope: Scope, group_id: int, form: ReportForm | None, status: int = 200
    ) -> Reply:
        shown = report(scope, group_id=group_id)
        if shown.filing.registered_at is None:
            raise NotFound
        label, kind = REPORTS[shown.state]
        return Reply("web/host/group_report.html", {
            "line": shown.filing, "year": year_text(shown.filing.fiscal_year), "state": label,
            "kind": kind, "reason": shown.reason, "rows": figure_rows(shown.figures),
            "total": shown.figures.total, "before": shown.before.total if shown.before else None,
            "text": shown.text, "version": shown.version, "accepted": day(shown.accepted_at),
            "changed": shown.changed_since,
            "form": (form or ReportForm(initial={"text": shown.text}))
            if shown.state in ("draft", "returned") else None,
            "action": reverse("host-group-report", args=[group_id]),
            "pdf_url": reverse("host-group-report-file", args=[group_id, "pdf"]),
            "xlsx_url": reverse("host-group-report-file", args=[group_id, "xlsx"]),
            "back_url": reverse("host-group", args=[group_id]),
        }, status=status)


class ReportFile(Page):
    """The report as PDF or xlsx."""

    needs = {"get": Permission.GROUPS_KEEP}

    def get(self, request: HttpRequest, scope: Scope, group_id: int, file: str) -> Answer:
        made = report_file(scope, group_id, file)
        return file_response(made.content, name=made.name, kind=made.media_type)


def report_file(scope: Scope, group_id: int, file: str) -> group_reports.ReportFile:
    """The file; any other kind is not found."""
    if file not in ("pdf", "xlsx"):
        raise NotFound
    return group_reports.as_file(group_id=group_id, format=file, by=scope)


def filing_form(
    scope: Scope, found: Filing, *, data: Any = None, initial: dict[str, Any] | None = None
) -> FilingForm:
    """The form with room for the plan's lines and one more."""
    kinds = kinds_of(scope, programme=found.line.programme)
    rows = min(groups.MOST_PLANS, max(PLAN_ROWS, len(found.plan) + 1))
    return FilingForm(data, kinds=kinds, rows=rows, initial=initial)


def version_of(request: HttpRequest) -> int:
    """The version that the page was drawn from; what is none fits no version."""
    text = request.POST.get("token", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
