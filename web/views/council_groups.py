"""The council's groups: what waits, the list with warnings, one group with its history (P9).

Owns ``/council/groups`` and the decisions about a filing: register, hand back, withdraw; and
entering a filing that came on paper.  Refuses to register too few members without a reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from points.operations import groups
from points.queries.group_figures import figures
from points.queries.group_reports import year_before
from points.queries.groups import Filing, FilingLine, filing, filing_line, filings
from registry.access import Scope
from registry.domain.errors import TsunagariError
from registry.domain.roles import Permission
from web.forms.custody import ReasonForm
from web.forms.groups import AcceptForm
from web.presenting import year_text
from web.views.base import Answer, Page, Reply, status_of
from web.views.blocks import Block, action, cell, day, fact, link, row, table, whole_number
from web.views.group_words import REPORTS, STATES, event_table
from web.views.host_group_filing import begin_form, begun, filing_form, version_of
from web.views.office_page import form_reply, keeps


class Groups(Page):
    """``/council/groups``: what waits first, or the filings of a year."""

    needs = {"get": Permission.GROUPS_DECIDE}
    section = "council-groups"

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        every = filings(scope)
        years = sorted({one.fiscal_year for one in every}, reverse=True)
        show = request.GET.get("show", "")
        year = whole_number(request, "year", years[0] if years else 0)
        waits = [one for one in every
                 if one.state == "submitted" or one.report_state == "submitted"]
        few = [one for one in every if one.warning and one.state == "registered"
               and one.fiscal_year == (years[0] if years else 0)]
        shown = {"waiting": waits, "few": few}.get(
            show, [one for one in every if one.fiscal_year == year])
        said = {"waiting": "審査まちの届け出と実績報告", "few": "会員が足りない団体"}.get(
            show, year_text(year) + "の団体" if year else "団体")
        return Reply("web/office/list.html", {
            "heading": "登録団体",
            "meta": f"{len(shown)}件　審査まち {len(waits)}件　人数不足 {len(few)}団体",
            "actions": [
                {"label": "審査まち", "url": link("council-groups", show="waiting"),
                 "kind": "primary" if waits else ""},
                {"label": "人数不足", "url": link("council-groups", show="few"), "kind": ""},
                *({"label": year_text(one), "url": link("council-groups", year=one), "kind": ""}
                  for one in years[:4]),
                {"label": "紙の届け出を入力", "url": reverse("council-group-new"), "kind": ""},
            ],
            "caption": said,
            "headers": ["団体", "年度", "事業", "活動", "状態", "会員", "数えられる会員",
                        "実績報告"],
            "rows": [_row(one) for one in shown], "empty_text": "あてはまる団体は ありません。",
        })


class Group(Page):
    """One filing with everything that belongs to it."""

    needs = {"get": Permission.GROUPS_DECIDE}
    section = "council-groups"

    def get(self, request: HttpRequest, scope: Scope, group_id: int) -> Answer:
        found = filing(scope, group_id=group_id)
        line = found.line
        label, kind, _ = STATES[line.state]
        now = figures(scope, group_id=group_id).total
        before = year_before(scope, line=line)
        return Reply("web/office/detail.html", {
            "heading": line.name, "meta": f"{year_text(line.fiscal_year)}　{line.programme_name}",
            "badges": [{"label": label, "kind": kind}], "actions": _actions(line),
            "notices": _notices(line),
            "figures": [
                {"label": "会員", "value": line.members, "unit": "人",
                 "note": f"数えられる会員 {line.counted}人"
                         + (f"（{line.minimum}人以上）" if line.minimum else "")},
                {"label": "開催", "value": now.sessions, "unit": "回",
                 "note": f"前の年度 {before.total.sessions}回" if before else ""},
                {"label": "のべ参加", "value": now.attendances, "unit": "人",
                 "note": f"前の年度 {before.total.attendances}人" if before else ""},
            ],
            "sections": [_facts(found), _contact(found)],
            "tables": [_plan(found), _members(found), _leaders(found), event_table(found.events)],
            "tabs": [{"label": year_text(year), "current": number == group_id,
                      "url": reverse("council-group", args=[number])}
                     for number, year, _ in found.years],
            "back_url": reverse("council-groups"),
        })


class _Decision(Page):
    """A form about one filing, then the filing again."""

    section = "council-groups"
    heading: ClassVar[str] = ""
    submit: ClassVar[str] = ""
    kind: ClassVar[str] = "primary"
    route: ClassVar[str] = ""

    def form(self, line: FilingLine, data: Any = None) -> forms.Form:
        return ReasonForm(data)

    def decide(self, form: forms.Form, **given: Any) -> None:
        raise NotImplementedError

    def _get(self, scope: Scope, group_id: int) -> Answer:
        line = filing_line(scope, group_id=group_id)
        return self._shown(line, self.form(line), line.version)

    def _post(self, request: HttpRequest, scope: Scope, group_id: int) -> Answer:
        line = filing_line(scope, group_id=group_id)
        form = self.form(line, request.POST)
        if not form.is_valid():
            return self._shown(line, form, version_of(request), 422)
        self.decide(form, group_id=group_id, version=version_of(request), by=scope)
        messages.success(request, f"{self.heading}：{line.name}")
        return HttpResponseRedirect(reverse("council-group", args=[group_id]))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        line = filing_line(scope, **path)
        form = keeps(self.form(line, request.POST), error)
        return self._shown(line, form, version_of(request), status_of(error))

    def _shown(
        self, line: FilingLine, form: forms.Form, version: int, status: int = 200
    ) -> Reply:
        return form_reply(
            form, heading=self.heading, url=reverse(self.route, args=[line.id]),
            submit=self.submit, back=reverse("council-group", args=[line.id]), status=status,
            meta=f"{line.name}　{year_text(line.fiscal_year)}", token=version,
            submit_kind=self.kind, warning=line.warning,
        )


class Accept(_Decision):
    """Register a submitted filing."""

    needs = {"get": Permission.GROUPS_DECIDE, "post": Permission.GROUPS_DECIDE}
    heading, submit, route = "団体を登録する", "登録する", "council-group-accept"

    def get(self, request: HttpRequest, scope: Scope, group_id: int) -> Answer:
        return self._get(scope, group_id)

    def post(self, request: HttpRequest, scope: Scope, group_id: int) -> Answer:
        return self._post(request, scope, group_id)

    def form(self, line: FilingLine, data: Any = None) -> forms.Form:
        form = AcceptForm(data)
        if not line.warning:
            del form.fields["exception"]
        return form

    def decide(self, form: forms.Form, **given: Any) -> None:
        groups.accept(exception=form.cleaned_data.get("exception", ""), **given)


class Return(_Decision):
    """Hand a filing back with the reason."""

    needs = {"get": Permission.GROUPS_DECIDE, "post": Permission.GROUPS_DECIDE}
    heading, submit, route = "届け出を差しもどす", "差しもどす", "council-group-return"

    def get(self, request: HttpRequest, scope: Scope, group_id: int) -> Answer:
        return self._get(scope, group_id)

    def post(self, request: HttpRequest, scope: Scope, group_id: int) -> Answer:
        return self._post(request, scope, group_id)

    def decide(self, form: forms.Form, **given: Any) -> None:
        groups.hand_back(reason=form.cleaned_data["reason"], **given)


class Withdraw(_Decision):
    """End a filing."""

    needs = {"get": Permission.GROUPS_DECIDE, "post": Permission.GROUPS_DECIDE}
    heading, submit, route = "登録をとりやめる", "とりやめる", "council-group-withdraw"
    kind = "danger-fill"

    def get(self, request: HttpRequest, scope: Scope, group_id: int) -> Answer:
        return self._get(scope, group_id)

    def post(self, request: HttpRequest, scope: Scope, group_id: int) -> Answer:
        return self._post(request, scope, group_id)

    def decide(self, form: forms.Form, **given: Any) -> None:
        groups.withdraw(reason=form.cleaned_data["reason"], **given)


class New(Page):
    """A filing that came on paper: begun here, filled on the next page."""

    needs = {"get": Permission.GROUPS_DECIDE, "post": Permission.GROUPS_DECIDE}
    section = "council-groups"

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        return self._shown(begin_form(scope, every=True))

    def post(self, request: HttpRequest, scope: Scope) -> Answer:
        form = begin_form(scope, request.POST, every=True)
        if not form.is_valid():
            return self._shown(form, 422)
        number = begun(scope, form.cleaned_data)
        return HttpResponseRedirect(reverse("council-group-edit", args=[number]))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        form = keeps(begin_form(scope, request.POST, every=True), error)
        return self._shown(form, status_of(error))

    @staticmethod
    def _shown(form: forms.Form, status: int = 200) -> Reply:
        return form_reply(form, heading="紙の届け出を入力", url=reverse("council-group-new"),
                          submit="つぎへ", back=reverse("council-groups"), status=status)


class Edit(Page):
    """What a draft or returned filing says, entered for the group."""

    needs = {"get": Permission.GROUPS_DECIDE, "post": Permission.GROUPS_DECIDE}
    section = "council-groups"

    def get(self, request: HttpRequest, scope: Scope, group_id: int) -> Answer:
        found = filing(scope, group_id=group_id)
        form = filing_form(scope, found, initial=filing_form(scope, found).of(found))
        return self._shown(found, form, found.line.version)

    def post(self, request: HttpRequest, scope: Scope, group_id: int) -> Answer:
        found = filing(scope, group_id=group_id)
        form = filing_form(scope, found, data=request.POST)
        if not form.is_valid():
            return self._shown(found, form, version_of(request), 422)
        groups.change(group_id=group_id, filing=form.filing(), version=version_of(request),
                      by=scope)
        messages.success(request, "届け出を保存しました。")
        return HttpResponseRedirect(reverse("council-group", args=[group_id]))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        found = filing(scope, **path)
        form = filing_form(scope, found, data=request.POST)
        return self._shown(found, keeps(form, error, form.names()), version_of(request),
                           status_of(error))

    @staticmethod
    def _shown(found: Filing, form: forms.Form, version: int, status: int = 200) -> Reply:
        line = found.line
        return form_reply(
            form, heading="届け出の内容", url=reverse("council-group-edit", args=[line.id]),
            submit="保存する", back=reverse("council-group", args=[line.id]), status=status,
            meta=f"{line.name}　{year_text(line.fiscal_year)}", token=version,
        )


class Submit(Page):
    """A paper filing is complete: it goes to be judged."""

    needs = {"post": Permission.GROUPS_DECIDE}

    def post(self, request: HttpRequest, scope: Scope, group_id: int) -> Answer:
        groups.submit(group_id=group_id, by=scope)
        messages.success(request, "審査まちにしました。")
        return HttpResponseRedirect(reverse("council-group", args=[group_id]))


def _row(one: FilingLine) -> dict[str, Any]:
    label, kind, _ = STATES[one.state]
    told, shade = REPORTS[one.report_state]
    few = bool(one.warning) and one.state != "withdrawn"
    return row(
        one.name, year_text(one.fiscal_year), one.programme_name, one.kind_label,
        cell(label, kind), f"{one.members}人", cell(f"{one.counted}人", "bad" if few else ""),
        cell(told, shade), url=reverse("council-group", args=[one.id]),
    )


def _actions(line: FilingLine) -> list[Block]:
    def to(route: str, label: str, kind: str = "") -> Block:
        return action(label, reverse(route, args=[line.id]), kind=kind)

    wanted: dict[str, Callable[[], list[Block]]] = {
        "draft": lambda: [
            to("council-group-edit", "内容を入力"),
            action("審査へまわす", reverse("council-group-submit", args=[line.id]),
                   kind="primary", method="post"),
        ],
        "returned": lambda: [to("council-group-edit", "内容を入力")],
        "submitted": lambda: [to("council-group-accept", "登録する", "primary"),
                              to("council-group-return", "差しもどす")],
    }
    found = wanted.get(line.state, list)()
    if line.state != "withdrawn":
        found += [to("council-group-members", "会員を入れる"),
                  to("council-group-leader", "代表者を変える")]
    if line.registered_at is not None:
        found.append(to("council-group-report", "実績報告"))
    if line.state != "withdrawn":
        found.append(to("council-group-withdraw", "とりやめる", "danger"))
    return found


def _notices(line: FilingLine) -> list[Block]:
    found = []
    if line.warning and line.state != "withdrawn":
        found.append({"text": line.warning, "kind": "caution"})
    if line.exception:
        found.append({"text": f"少ない人数で認めた理由：{line.exception}", "kind": ""})
    if line.reason:
        found.append({"text": f"理由：{line.reason}", "kind": "bad"})
    return found


def _facts(found: Filing) -> Block:
    line = found.line
    return {"title": "届け出", "rows": [
        fact("おもな活動", line.kind_label), fact("区域", line.area_name),
        fact("届け出た日", day(line.submitted_at)), fact("登録した日", day(line.registered_at)),
        fact("人数を数えた日", day(line.counted_on)),
    ]}


def _contact(found: Filing) -> Block:
    return {"title": "連絡先", "rows": [
        fact("連絡する人", found.contact.name), fact("電話番号", found.contact.phone),
        fact("送り先", found.contact.address),
    ]}


def _plan(found: Filing) -> Block:
    return table("活動計画", ["活動の種類", "ひん度", "会場", "参加する方", "見こみ"], [
        row(one.kind_label, one.often, one.place, one.audience,
            "" if one.expected is None else f"{one.expected}人")
        for one in found.plan
    ], "まだありません。")


def _members(found: Filing) -> Block:
    number = found.line.id
    return table("会員", ["氏名", "手帳番号", "数えるか", "わけ", "入会", "退会", "手つづき"], [
        {**row(one.name or "（見られない方）", one.number,
               cell("数える", "good") if one.counts else cell("数えない", "caution"),
               "" if one.counts else one.sentence, day(one.starts_on), day(one.ends_on),
               ),
         "post": action("退会の手つづき",
                        reverse("council-group-leave", args=[number, one.volunteer_id]))}
        for one in found.members
    ], "まだいません。")


def _leaders(found: Filing) -> Block:
    return table("代表者", ["氏名", "就任", "退任", "サインイン"], [
        row(one.name or "（見られない方）", day(one.starts_on), day(one.ends_on),
            "する" if one.signs_in else "しない")
        for one in found.leaders
    ], "記録がありません。")
