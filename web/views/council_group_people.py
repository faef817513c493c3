"""Members, leader and report of a group, by the council (P9).

Owns joining from a 会員届 (the person is found by a posted search, so that no name stands in an
address), leaving, the change of leader with its term, and the judgement of the annual report.
Refuses what the operations refuse, with what was typed still in the form.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from points.operations import group_members, group_reports
from points.queries.group_reports import report
from points.queries.groups import filing, filing_line
from registry.access import Scope
from registry.domain.errors import NotFound, TsunagariError
from registry.domain.roles import Permission
from registry.queries.volunteers import search_volunteers, volunteer_facts
from web.forms.custody import ReasonForm
from web.forms.groups import FindForm, JoinForm, LeaderForm, LeaveForm
from web.presenting import year_text
from web.views.base import Answer, Page, Reply, file_response, status_of
from web.views.blocks import action, day, fact, row, table
from web.views.group_words import REPORTS, figure_table
from web.views.host_group_filing import report_file, version_of
from web.views.office_page import form_reply, keeps

DECIDE = Permission.GROUPS_DECIDE


class Find(Page):
    """Whom the 会員届 names: search, then choose."""

    needs = {"get": DECIDE, "post": DECIDE}
    section = "council-groups"

    def get(self, request: HttpRequest, scope: Scope, group_id: int) -> Answer:
        return self._shown(scope, group_id, FindForm())

    def post(self, request: HttpRequest, scope: Scope, group_id: int) -> Answer:
        form = FindForm(request.POST)
        if not form.is_valid():
            return self._shown(scope, group_id, form, status=422)
        page = search_volunteers(scope, text=form.cleaned_data["q"], limit=20)
        return self._shown(scope, group_id, form, rows=[
            row(one.name, one.kana, one.number, day(one.born_on),
                url=reverse("council-group-join", args=[group_id, one.id]))
            for one in page.items
        ])

    @staticmethod
    def _shown(
        scope: Scope, group_id: int, form: FindForm, rows: Any = None, status: int = 200
    ) -> Reply:
        line = filing_line(scope, group_id=group_id)
        found = [] if rows is None else [
            table("見つかった方", ["氏名", "かな", "手帳番号", "生年月日"], rows)]
        return Reply("web/office/detail.html", {
            "heading": "会員を入れる", "meta": f"{line.name}　{year_text(line.fiscal_year)}",
            "form": form, "form_title": "会員届の方をさがす", "form_submit": "さがす",
            "form_action": reverse("council-group-members", args=[group_id]), "tables": found,
            "back_url": reverse("council-group", args=[group_id]),
        }, status=status)


class Join(Page):
    """The day from which somebody is a member."""

    needs = {"get": DECIDE, "post": DECIDE}
    section = "council-groups"

    def get(
        self, request: HttpRequest, scope: Scope, group_id: int, volunteer_id: int
    ) -> Answer:
        line = filing_line(scope, group_id=group_id)
        form = JoinForm(initial={"starts_on": line.counted_on})
        return self._shown(scope, group_id, volunteer_id, form)

    def post(
        self, request: HttpRequest, scope: Scope, group_id: int, volunteer_id: int
    ) -> Answer:
        form = JoinForm(request.POST)
        if not form.is_valid():
            return self._shown(scope, group_id, volunteer_id, form, 422)
        count = group_members.add(group_id=group_id, volunteer_id=volunteer_id,
                                  starts_on=form.cleaned_data["starts_on"], by=scope)
        messages.success(request, f"会員にしました。いま{count.members}人です。")
        return HttpResponseRedirect(reverse("council-group", args=[group_id]))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        return self._shown(scope, path["group_id"], path["volunteer_id"],
                           keeps(JoinForm(request.POST), error), status_of(error))

    @staticmethod
    def _shown(
        scope: Scope, group_id: int, volunteer_id: int, form: JoinForm, status: int = 200
    ) -> Reply:
        line = filing_line(scope, group_id=group_id)
        one = volunteer_facts(scope, volunteer_ids=[volunteer_id]).get(volunteer_id)
        if one is None:
            raise NotFound
        return form_reply(
            form, heading="会員にする", submit="会員にする", status=status,
            url=reverse("council-group-join", args=[group_id, volunteer_id]),
            back=reverse("council-group-members", args=[group_id]),
            meta=f"{line.name}　{year_text(line.fiscal_year)}",
            lead=f"{one.name}（{one.kana}）　手帳番号 {one.number}",
        )


class Leave(Page):
    """A member leaves; earlier days are possible."""

    needs = {"get": DECIDE, "post": DECIDE}
    section = "council-groups"

    def get(
        self, request: HttpRequest, scope: Scope, group_id: int, volunteer_id: int
    ) -> Answer:
        form = LeaveForm(initial={"ends_on": scope.on + timedelta(days=1)})
        return self._shown(scope, group_id, volunteer_id, form)

    def post(
        self, request: HttpRequest, scope: Scope, group_id: int, volunteer_id: int
    ) -> Answer:
        form = LeaveForm(request.POST)
        if not form.is_valid():
            return self._shown(scope, group_id, volunteer_id, form, 422)
        group_members.remove(group_id=group_id, volunteer_id=volunteer_id, by=scope,
                             **form.cleaned_data)
        messages.success(request, "退会の日を入れました。")
        return HttpResponseRedirect(reverse("council-group", args=[group_id]))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        return self._shown(scope, path["group_id"], path["volunteer_id"],
                           keeps(LeaveForm(request.POST), error), status_of(error))

    @staticmethod
    def _shown(
        scope: Scope, group_id: int, volunteer_id: int, form: LeaveForm, status: int = 200
    ) -> Reply:
        found = filing(scope, group_id=group_id)
        one = next((m for m in found.members if m.volunteer_id == volunteer_id), None)
        if one is None:
            raise NotFound
        return form_reply(
            form, heading="退会の手つづき", submit="退会にする", status=status,
            url=reverse("council-group-leave", args=[group_id, volunteer_id]),
            back=reverse("council-group", args=[group_id]), meta=found.line.name,
            lead=f"{one.name}（{one.number}）　これまでの記録は残ります。ポイントは、"
                 "その日からの会員で数えなおします。",
        )


class Leader(Page):
    """The change of leader with its term."""

    needs = {"get": DECIDE, "post": DECIDE}
    section = "council-groups"

    def get(self, request: HttpRequest, scope: Scope, group_id: int) -> Answer:
        return self._shown(scope, group_id, None)

    def post(self, request: HttpRequest, scope: Scope, group_id: int) -> Answer:
        form = self._form(scope, group_id, request.POST)
        if not form.is_valid():
            return self._shown(scope, group_id, form, 422)
        given = form.cleaned_data
        group_members.change_leader(
            group_id=group_id, volunteer_id=given["volunteer"], starts_on=given["starts_on"],
            ends_on=given["ends_on"], username=given["username"], by=scope,
        )
        messages.success(request, "代表者を変えました。前の代表者は、その日から何も見られません。")
        return HttpResponseRedirect(reverse("council-group", args=[group_id]))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        form = keeps(self._form(scope, path["group_id"], request.POST), error)
        return self._shown(scope, path["group_id"], form, status_of(error))

    @staticmethod
    def _form(scope: Scope, group_id: int, data: Any = None) -> LeaderForm:
        found = filing(scope, group_id=group_id)
        return LeaderForm(
            data, initial={"starts_on": scope.on},
            members=[(str(one.volunteer_id), f"{one.name}（{one.number}）")
                     for one in found.members],
        )

    def _shown(
        self, scope: Scope, group_id: int, form: LeaderForm | None, status: int = 200
    ) -> Reply:
        line = filing_line(scope, group_id=group_id)
        return form_reply(
            form or self._form(scope, group_id), heading="代表者を変える", submit="変える",
            url=reverse("council-group-leader", args=[group_id]), status=status,
            back=reverse("council-group", args=[group_id]), meta=line.name,
            lead="前の代表者の任期は、新しい代表者が就任する日で終わります。",
        )


class Report(Page):
    """The annual report: figures, words, accept or hand back."""

    needs = {"get": DECIDE, "post": DECIDE}
    section = "council-groups"

    def get(self, request: HttpRequest, scope: Scope, group_id: int) -> Answer:
        return self._shown(scope, group_id, ReasonForm())

    def post(self, request: HttpRequest, scope: Scope, group_id: int) -> Answer:
        if "accept" in request.POST:
            group_reports.accept(group_id=group_id, version=version_of(request), by=scope)
            messages.success(request, "実績報告を受理しました。数字は、このまま残ります。")
            return HttpResponseRedirect(reverse("council-group-report", args=[group_id]))
        form = ReasonForm(request.POST)
        if not form.is_valid():
            return self._shown(scope, group_id, form, 422)
        group_reports.hand_back(group_id=group_id, reason=form.cleaned_data["reason"],
                                version=version_of(request), by=scope)
        messages.success(request, "実績報告を差しもどしました。")
        return HttpResponseRedirect(reverse("council-group-report", args=[group_id]))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        return self._shown(scope, path["group_id"], keeps(ReasonForm(request.POST), error),
                           status_of(error))

    @staticmethod
    def _shown(scope: Scope, group_id: int, form: ReasonForm, status: int = 200) -> Reply:
        shown = report(scope, group_id=group_id)
        if shown.filing.registered_at is None:
            raise NotFound
        url = reverse("council-group-report", args=[group_id])
        waits = shown.state == "submitted"
        label, kind = REPORTS[shown.state]
        tables = [figure_table(shown.figures, "月ごとの実績")]
        if shown.before:
            tables.append(figure_table(shown.before, "前の年度"))
        if shown.changed_since:
            tables.append(figure_table(shown.now, "いまの記録で数えた実績"))
        return Reply("web/office/detail.html", {
            "heading": "実績報告", "badges": [{"label": label, "kind": kind}],
            "meta": f"{shown.filing.name}　{year_text(shown.filing.fiscal_year)}",
            "actions": [
                *([action("受理する", url, kind="primary", method="post", accept=1,
                          token=shown.version)] if waits else []),
                action("PDF", reverse("council-group-report-file", args=[group_id, "pdf"])),
                action("Excel", reverse("council-group-report-file", args=[group_id, "xlsx"])),
            ],
            "notices": [{
                "kind": "caution",
                "text": "受理のあとに、参加の記録が変わりました。"
                        "受理したときの数字を残し、いまの数字を下に示します。",
            }] if shown.changed_since else [],
            "sections": [{"title": "ふりかえり", "rows": [
                fact("本文", shown.text), fact("出した日", day(shown.submitted_at)),
                fact("受理した日", day(shown.accepted_at)),
                *([fact("差しもどしの理由", shown.reason)] if shown.reason else []),
            ]}],
            "tables": tables, "form": form if waits else None, "form_title": "差しもどす",
            "form_action": url, "form_submit": "差しもどす", "form_kind": "secondary",
            "form_hidden": {"token": shown.version},
            "back_url": reverse("council-group", args=[group_id]),
        }, status=status)


class ReportFile(Page):
    """The report as PDF or xlsx."""

    needs = {"get": DECIDE}

    def get(self, request: HttpRequest, scope: Scope, group_id: int, file: str) -> Answer:
        made = report_file(scope, group_id, file)
        return file_response(made.content, name=made.name, kind=made.media_type)
