"""The leader's group: what is filed, who the members are, joining and leaving (P9).

Owns ``/host/groups`` and the pages about members.  A leader adds somebody only by the card that
the person hands over; there is no search.  Refuses another group (not found); a former leader
sees nothing from the day the term ended.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from points.operations import group_members
from points.queries.group_figures import figures
from points.queries.group_reports import year_before
from points.queries.groups import Filing, FilingLine, filing, filings
from registry.access import Scope
from registry.domain.errors import NotFound, TsunagariError
from registry.domain.roles import Permission
from web.forms.groups import CardForm, LeaveForm
from web.presenting import year_text
from web.views.base import Answer, Page, Reply, status_of
from web.views.blocks import day, short_day
from web.views.group_words import REPORTS, STATES, people_text
from web.views.office_page import keeps


class Groups(Page):
    """``/host/groups``: one's own groups, this year's first."""

    needs = {"get": Permission.GROUPS_KEEP}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        return Reply("web/host/groups.html", {
            "rows": [
                {"name": one.name, "year": year_text(one.fiscal_year),
                 "programme": one.programme_name, "people": people_text(one),
                 "state": STATES[one.state][0], "kind": STATES[one.state][1],
                 "warning": one.warning if one.state != "withdrawn" else "",
                 "url": reverse("host-group", args=[one.id])}
                for one in filings(scope)[:60]
            ],
            "new_url": reverse("host-group-new"), "back_url": reverse("host-home"),
        })


class Group(Page):
    """One filing: its state, what to do next, the year in numbers beside last year's."""

    needs = {"get": Permission.GROUPS_KEEP}

    def get(self, request: HttpRequest, scope: Scope, group_id: int) -> Answer:
        found = filing(scope, group_id=group_id)
        line = found.line
        before = year_before(scope, line=line)
        now = figures(scope, group_id=group_id)
        label, kind, said = STATES[line.state]
        open_ = line.state in ("draft", "returned")
        return Reply("web/host/group.html", {
            "line": line, "year": year_text(line.fiscal_year), "people": people_text(line),
            "state": label, "kind": kind, "said": said, "plan": found.plan,
            "contact": found.contact, "leader": _leader(found, scope),
            "now": now.total, "before": before.total if before else None,
            "report": REPORTS[line.report_state][0],
            "links": _links(line, open_),
            "submit_url": reverse("host-group-submit", args=[group_id]) if open_ else "",
            "renew_url": _renew(found),
            "years": [{"label": year_text(year), "url": reverse("host-group", args=[number])}
                      for number, year, _ in found.years if number != group_id],
            "back_url": reverse("host-groups"),
        })


class Members(Page):
    """The members of the day, who counts and who does not and why; joining by card."""

    needs = {"get": Permission.GROUPS_KEEP, "post": Permission.GROUPS_KEEP}

    def get(self, request: HttpRequest, scope: Scope, group_id: int) -> Answer:
        found = filing(scope, group_id=group_id)
        return self._drawn_members(scope, found, CardForm(initial={
            "starts_on": max(scope.on, found.line.counted_on)}))

    def post(self, request: HttpRequest, scope: Scope, group_id: int) -> Answer:
        form = CardForm(request.POST)
        if not form.is_valid():
            return self._drawn_members(scope, filing(scope, group_id=group_id), form, 422)
        count = group_members.add_by_card(
            group_id=group_id, code=form.cleaned_data["code"],
            starts_on=form.cleaned_data["starts_on"], by=scope,
        )
        messages.success(request, f"会員に なりました。いま {count.members}人です。")
        return HttpResponseRedirect(reverse("host-group-members", args=[group_id]))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        form = keeps(CardForm(request.POST), error)
        return self._drawn_members(scope, filing(scope, **path), form, status_of(error))

    @staticmethod
    def _drawn_members(scope: Scope, found: Filing, form: CardForm, status: int = 200) -> Reply:
        number = found.line.id
        return Reply("web/host/members.html", {
            "line": found.line, "year": year_text(found.line.fiscal_year),
            "people": people_text(found.line), "day": day(found.line.counted_on), "form": form,
            "action": reverse("host-group-members", args=[number]),
            "rows": [
                {"name": one.name or "（前の会員）", "number": one.number, "counts": one.counts,
                 "sentence": "" if one.counts else one.sentence,
                 "until": short_day(one.ends_on) if one.ends_on else "",
                 "leave_url": reverse("host-group-leave", args=[number, one.volunteer_id])
                 if one.ends_on is None else ""}
                for one in found.members
            ],
            "joining": [{"from": short_day(one.starts_on), "name": one.name or "新しい会員"}
                        for one in found.joining],
            "open": found.line.state != "withdrawn",
            "back_url": reverse("host-group", args=[number]),
        }, status=status)


class Leave(Page):
    """A member leaves from a day, today or later."""

    needs = {"get": Permission.GROUPS_KEEP, "post": Permission.GROUPS_KEEP}

    def get(
        self, request: HttpRequest, scope: Scope, group_id: int, volunteer_id: int
    ) -> Answer:
        form = LeaveForm(initial={"ends_on": scope.on + timedelta(days=1)})
        return self._form(scope, group_id, volunteer_id, form)

    def post(
        self, request: HttpRequest, scope: Scope, group_id: int, volunteer_id: int
    ) -> Answer:
        form = LeaveForm(request.POST)
        if not form.is_valid():
            return self._form(scope, group_id, volunteer_id, form, 422)
        count = group_members.remove(group_id=group_id, volunteer_id=volunteer_id, by=scope,
                                     **form.cleaned_data)
        messages.success(request, "退会の日を 入れました。")
        if count.warning:
            messages.warning(request, count.warning)
        return HttpResponseRedirect(reverse("host-group-members", args=[group_id]))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        return self._form(scope, path["group_id"], path["volunteer_id"],
                          keeps(LeaveForm(request.POST), error), status_of(error))

    @staticmethod
    def _form(
        scope: Scope, group_id: int, volunteer_id: int, form: LeaveForm, status: int = 200
    ) -> Reply:
        found = filing(scope, group_id=group_id)
        who = next((one for one in found.members if one.volunteer_id == volunteer_id), None)
        if who is None:
            raise NotFound
        return Reply("web/volunteer/form.html", {
            "question": "退会の日を 入れる", "form": form,
            "lead": f"{who.name}さん。その日から会員でなくなります。これまでの記録は残ります。",
            "action": reverse("host-group-leave", args=[group_id, volunteer_id]),
            "submit_label": "退会にする",
            "back_url": reverse("host-group-members", args=[group_id]),
        }, status=status)


def _leader(found: Filing, scope: Scope) -> dict[str, str] | None:
    for one in found.leaders:
        if one.starts_on <= scope.on and (one.ends_on is None or scope.on < one.ends_on):
            return {"name": one.name, "since": day(one.starts_on)}
    return None


def _renew(found: Filing) -> str:
    """Where the next year's filing is begun, when there is none yet."""
    line = found.line
    there = any(year > line.fiscal_year and state != "withdrawn" for _, year, state in found.years)
    return "" if there or line.state != "registered" else reverse(
        "host-group-renew", args=[line.id])


def _links(line: FilingLine, open_: bool) -> list[dict[str, str]]:
    found = [{"label": "会員を見る", "detail": people_text(line),
              "url": reverse("host-group-members", args=[line.id])}]
    if open_:
        found.append({"label": "届け出を直す", "detail": "連絡先・活動計画",
                      "url": reverse("host-group-filing", args=[line.id])})
    if line.registered_at is not None:
        found.append({"label": "実績報告", "detail": REPORTS[line.report_state][0],
                      "url": reverse("host-group-report", args=[line.id])})
    return found


