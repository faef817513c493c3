"""A year's terms and yearly registrations on the screen.

Owns ``/council/rules/programmes/<code>/years/…`` (年度の定め: opening, changing while nobody
has points) and ``…/enrolments/<year>`` (年度登録).  Closing, lapse and exceptions of a year have
pages of their own.  P2.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from points.domain import rule_forms
from points.domain.rule_sentences import terms_sentences
from points.domain.rules import YearTerms
from points.operations import enrolments, programmes
from points.queries import enrolments as enrolled
from points.queries import rules as written
from registry.access import Scope
from registry.domain.calendar import DateRefused, parse_date
from registry.domain.errors import Refused, TsunagariError
from registry.domain.roles import Permission
from registry.queries.volunteers import search_volunteers
from web.forms.rules import EnrolForm, ReasonForm, TermsForm
from web.views.base import Answer, Reply, status_of
from web.views.blocks import action, day, fact, link, row, table
from web.views.council_rules import RulesPage


class OpenYear(RulesPage):
    """``/council/rules/programmes/<code>/years/new``"""

    needs = {"get": Permission.RULES_MANAGE, "post": Permission.RULES_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, code: str) -> Answer:
        past = written.history(scope, code=code)
        year = max((one.terms.fiscal_year for one in past.years), default=scope.on.year - 1) + 1
        form = terms_after(past.years[0].terms, year) if past.years else {"fiscal_year": str(year)}
        return self._form(code, past.name, TermsForm(form))

    def post(self, request: HttpRequest, scope: Scope, code: str) -> Answer:
        """Open it."""
        given = _given(request, "fiscal_year")
        year = given["fiscal_year"]
        if not (year.isascii() and year.isdigit() and 2000 <= int(year[:5]) <= 2200):
            said = "年度を、2027 のように西暦で入れてください。"
            raise Refused(said, code="rule_form_unreadable", fields={"fiscal_year": said})
        terms = rule_forms.terms_from_form(given, programme=code, fiscal_year=int(year))
        programmes.open_year(terms=terms, citation=given["citation"], reason=given["reason"],
                             by=scope)
        messages.success(request, f"{terms.fiscal_year}年度を ひらきました。")
        return HttpResponseRedirect(reverse("council-programme", args=[code]))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        name = written.history(scope, code=path["code"]).name
        form = TermsForm(_given(request, "fiscal_year"), error.fields or {"": error.message})
        return self._form(path["code"], name, form, status_of(error))

    @staticmethod
    def _form(code: str, name: str, form: TermsForm, status: int = 200) -> Reply:
        return Reply("web/office/form.html", {
            "heading": "年度をひらく", "meta": name, "form": form, "submit_label": "ひらく",
            "lead": "1つの年度に1つだけの定めです。最初の付与のあとは 変えられません。",
            "action": reverse("council-year-open", args=[code]),
            "back_url": reverse("council-programme", args=[code]),
        }, status=status)


class YearTermsPage(RulesPage):
    """``/council/rules/programmes/<code>/years/<year>``"""

    needs = {"get": Permission.RULES_MANAGE, "post": Permission.RULES_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, code: str, fiscal_year: int) -> Answer:
        return self._page(scope, code, fiscal_year)

    def post(self, request: HttpRequest, scope: Scope, code: str, fiscal_year: int) -> Answer:
        """Change it, while nobody has points of the year."""
        written.history(scope, code=code).year(fiscal_year)
        given, version = _given(request), request.POST.get("version", "")
        terms = rule_forms.terms_from_form(given, programme=code, fiscal_year=fiscal_year)
        programmes.change_year(
            terms=terms, citation=given["citation"], reason=given["reason"], by=scope,
            version=int(version) if version.isascii() and version.isdigit() else -1,
        )
        messages.success(request, f"{fiscal_year}年度の定めを 変えました。")
        return HttpResponseRedirect(reverse("council-programme", args=[code]))

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        return self._page(scope, path["code"], path["fiscal_year"], _given(request),
                          error.fields or {"": error.message}, status_of(error))

    @staticmethod
    def _page(
        scope: Scope, code: str, fiscal_year: int, given: Mapping[str, str] | None = None,
        errors: Mapping[str, str] | None = None, status: int = 200,
    ) -> Reply:
        past = written.history(scope, code=code)
        one = past.year(fiscal_year)
        form = TermsForm(
            given or {**rule_forms.terms_to_form(one.terms), "citation": one.citation}, errors
        )
        context: dict[str, Any] = {
            "heading": f"{fiscal_year}年度の定め", "meta": past.name,
            "badges": [{"label": "変えられません", "kind": "soft"}] if one.fixed else [],
            "notices": [{"text": "この年度にはもう付与があるため、定めは 変えられません。",
                         "kind": ""}] if one.fixed else [],
            "sections": [{"title": "いまの定め", "note": "", "actions": [], "rows": [
                *(fact(line.label, line.text) for line in terms_sentences(one.terms)),
                fact("根拠", one.citation), fact("わけ", one.reason),
            ]}],
            "back_url": reverse("council-programme", args=[code]),
        }
        if not one.fixed or errors:
            context |= {
                "form": form, "form_title": "定めを変える", "form_submit": "変える",
                "form_action": reverse("council-year-terms", args=[code, fiscal_year]),
                "form_hidden": {"version": one.version},
            }
        return Reply("web/office/detail.html", context, status=status)


class Enrolments(RulesPage):
    """``/council/rules/programmes/<code>/enrolments/<year>``"""

    needs = {"get": Permission.VOLUNTEERS_MANAGE, "post": Permission.VOLUNTEERS_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, code: str, fiscal_year: int) -> Answer:
        return self._page(request, scope, code, fiscal_year, EnrolForm())

    def post(self, request: HttpRequest, scope: Scope, code: str, fiscal_year: int) -> Answer:
        """Register one volunteer by 手帳番号."""
        form = EnrolForm(request.POST)
        starts_on = _starts_on(request, form)
        if not form.is_valid():
            return self._page(request, scope, code, fiscal_year, form, 422)
        number = str(form.cleaned_data["number"]).strip().upper()
        found = [one for one in search_volunteers(scope, text=number).items
                 if one.number == number]
        if not found:
            form.add_error("number", "この手帳番号の方は 見つかりません。")
            return self._page(request, scope, code, fiscal_year, form, 422)
        enrolments.enrol(volunteer_ids=[found[0].id], programme=code, fiscal_year=fiscal_year,
                         starts_on=starts_on, by=scope)
        messages.success(request, "年度の登録を しました。")
        return HttpResponseRedirect(
            reverse("council-enrolments", args=[code, fiscal_year])
        )

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        form = EnrolForm(request.POST)
        for name, said in (error.fields or {"": error.message}).items():
            known = name in form.fields
            form.add_error(name if known else None, said if known else error.message)
        return self._page(request, scope, path["code"], path["fiscal_year"], form,
                          status_of(error))

    @staticmethod
    def _page(
        request: HttpRequest, scope: Scope, code: str, fiscal_year: int, form: EnrolForm,
        status: int = 200,
    ) -> Reply:
        page = enrolled.enrolments(scope, programme=code, fiscal_year=fiscal_year,
                                   cursor=request.GET.get("after") or None)
        here = reverse("council-enrolments", args=[code, fiscal_year])
        return Reply("web/office/detail.html", {
            "heading": f"{fiscal_year}年度の登録", "meta": f"{page.count}人",
            "form": form, "form_title": "登録する", "form_action": here, "form_submit": "登録する",
            "form_lead": "年度ごとの登録をもとめる要領で、登録日からの活動を数えます。",
            "actions": [
                action(f"{year}年度", reverse("council-enrolments", args=[code, year]))
                for year in (fiscal_year - 1, fiscal_year + 1)
            ],
            "tables": [table("登録している方", ["氏名", "手帳番号", "登録日", ""], [
                row(one.name, one.number, day(one.starts_on), post=action(
                    "取り消す", reverse("council-enrolment-cancel", args=[one.id])))
                for one in page.items
            ], "登録している方は いません。")],
            "next_url": link("council-enrolments", code, fiscal_year, after=page.next)
            if page.next else None,
            "note": "この一覧を開いた記録は残ります。",
            "back_url": reverse("council-rules"),
        }, status=status)


class CancelEnrolment(RulesPage):
    """Take a yearly registration back, with a reason."""

    needs = {"get": Permission.VOLUNTEERS_MANAGE, "post": Permission.VOLUNTEERS_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, enrolment_id: int) -> Answer:
        return self._form(enrolment_id, ReasonForm())

    def post(self, request: HttpRequest, scope: Scope, enrolment_id: int) -> Answer:
        """Cancel it; points are counted again."""
        form = ReasonForm(request.POST)
        if not form.is_valid():
            return self._form(enrolment_id, form, 422)
        row_ = enrolments.cancel(enrolment_id=enrolment_id, reason=form.cleaned_data["reason"],
                                 by=scope)
        messages.success(request, "年度の登録を 取り消しました。")
        return HttpResponseRedirect(
            reverse("council-enrolments", args=[row_.programme.code, row_.fiscal_year])
        )

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) != 422:
            return None
        form = ReasonForm(request.POST)
        form.add_error(None, error.message)
        return self._form(path["enrolment_id"], form, 422)

    @staticmethod
    def _form(enrolment_id: int, form: ReasonForm, status: int = 200) -> Reply:
        return Reply("web/office/form.html", {
            "heading": "年度の登録を取り消す", "form": form, "submit_label": "取り消す",
            "submit_kind": "danger-fill",
            "warning": "この登録で数えたポイントは、取り消しになります。",
            "action": reverse("council-enrolment-cancel", args=[enrolment_id]),
            "back_url": reverse("council-rules"),
        }, status=status)


def terms_after(terms: YearTerms, year: int) -> dict[str, str]:
    """The form of a year like ``terms``, moved by whole years."""
    by = year - terms.fiscal_year
    form = rule_forms.terms_to_form(terms) | {"fiscal_year": str(year)}
    for name in rule_forms.TERM_DATES:
        on: date = getattr(terms, name)
        leap = (on.month, on.day) == (2, 29)
        moved = date(on.year + by, 3, 1) if leap else on.replace(year=on.year + by)
        form[name] = moved.isoformat()
    return form


def _given(request: HttpRequest, *more: str) -> dict[str, str]:
    names = (*rule_forms.TERM_TEXTS, "citation", "reason", *more)
    return {name: request.POST.get(name, "")[:200] for name in names}


def _starts_on(request: HttpRequest, form: EnrolForm) -> date | None:
    text = request.POST.get("starts_on", "").strip()
    if not text:
        return None
    try:
        return parse_date(text).first
    except DateRefused as error:
        form.add_error("starts_on", error.message)
        return None
