"""Acts on a fiscal year: each has a page that says what will happen, and asks for the reason.

Owns しめきり前, しめきり, exceptions and the word on what waits.  Each page is two-step: it shows
the preview, and the post says which preview was seen.  Refuses nothing by itself:
``points.operations.years`` does; what was typed stays.  P1–P3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from points.domain.years import ExceptionKind
from points.operations import attendance, years
from points.queries import year_waiting
from points.queries import years as reading
from registry.access import Scope
from registry.domain.errors import TsunagariError
from registry.domain.roles import Permission
from registry.queries.volunteers import volunteer_facts
from web.forms.years import (
    KEEP,
    CorrectionForm,
    DecisionForm,
    ExceptionForm,
    ReasonForm,
    YearForm,
)
from web.views.base import Answer, Reply, status_of
from web.views.blocks import Block, day, fact, moment
from web.views.council_years import METHODS, YearsPage, dates, figures, notices


class Act(YearsPage):
    """A check page with a form; subclasses say what it shows and what it does."""

    form: type[YearForm] = YearForm
    needs = {"get": Permission.RULES_MANAGE, "post": Permission.RULES_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, **path: Any) -> Answer:
        return self.page(scope, self.form(), **path)

    def post(self, request: HttpRequest, scope: Scope, **path: Any) -> Answer:
        """Do it, or draw the form again with what was typed."""
        form = self.form(request.POST)
        if not form.is_valid():
            return self.page(scope, form, 422, **path)
        said, where = self.act(request, scope, form.cleaned_data, **path)
        messages.success(request, said)
        return HttpResponseRedirect(where)

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        form = self.form(request.POST)
        form.is_valid()
        return self.page(scope, form.told(error.fields, error.message), status_of(error), **path)

    def page(self, scope: Scope, form: YearForm, status: int = 200, **path: Any) -> Reply:
        """What will happen, and the form."""
        raise NotImplementedError

    def act(
        self, request: HttpRequest, scope: Scope, given: Mapping[str, Any], **path: Any
    ) -> tuple[str, str]:
        """Do it; the sentence to show, and where to go."""
        raise NotImplementedError


def _check(
    heading: str, meta: str, form: YearForm, status: int, submit: str, lead: str, back: str,
    *, kind: str = "primary", hidden: Mapping[str, object] | None = None, action: str = "",
    **more: Any,
) -> Reply:
    return Reply("web/office/detail.html", {
        "heading": heading, "meta": meta, "form": form, "form_title": submit,
        "form_submit": submit, "form_kind": kind, "form_lead": lead, "form_action": action,
        "form_hidden": dict(hidden or {}), "back_url": back, **more,
    }, status=status)


def _year(code: str, fiscal_year: int) -> str:
    return reverse("council-year", args=[code, fiscal_year])


class Begin(Act):
    """``/council/years/<code>/<year>/begin``"""

    def page(self, scope: Scope, form: YearForm, status: int = 200, **path: Any) -> Reply:
        seen = reading.preview(scope, programme=path["code"], fiscal_year=path["fiscal_year"])
        one, until = seen.year, day(seen.year.terms.grace_until)
        return _check(
            "しめきり前にする", f"{one.name} {one.fiscal_year}年度", form, status,
            "しめきり前にする",
            f"{until}まで おくれた記録を数えます。ポイントの数え方は 変わりません。"
            "もとには もどせません。",
            _year(**path), action=reverse("council-year-begin", kwargs=path),
            notices=notices(seen), figures=figures(seen),
        )

    def act(
        self, request: HttpRequest, scope: Scope, given: Mapping[str, Any], **path: Any
    ) -> tuple[str, str]:
        years.begin_closing(programme=path["code"], fiscal_year=path["fiscal_year"], by=scope)
        return f"{path['fiscal_year']}年度を しめきり前に しました。", _year(**path)


class Close(Act):
    """``/council/years/<code>/<year>/close``"""

    form = ReasonForm

    def page(self, scope: Scope, form: YearForm, status: int = 200, **path: Any) -> Reply:
        seen = reading.preview(scope, programme=path["code"], fiscal_year=path["fiscal_year"])
        one = seen.year
        return _check(
            "年度をしめきる", f"{one.name} {one.fiscal_year}年度", form, status, "しめきる",
            "これから届く記録は、わけを書いて訂正するまで 数えません。" + (
                f"のこっているポイントは、{day(one.terms.exchange_until)}まで 交換できます。"
                if one.terms.exchange_until >= scope.on else ""
            ) + "もとには もどせません。",
            _year(**path), kind="danger-fill", hidden={"seen": seen.version},
            action=reverse("council-year-close", kwargs=path), notices=notices(seen),
            figures=figures(seen),
            sections=[{"title": "期日", "note": "", "actions": [], "rows": dates(one)}],
        )

    def act(
        self, request: HttpRequest, scope: Scope, given: Mapping[str, Any], **path: Any
    ) -> tuple[str, str]:
        text = request.POST.get("seen", "")
        seen = int(text) if text.isascii() and text.isdigit() and len(text) < 18 else -1
        years.close(programme=path["code"], fiscal_year=path["fiscal_year"],
                    reason=given["reason"], seen=seen, by=scope)
        return f"{path['fiscal_year']}年度を しめきりました。", _year(**path)


class NewException(Act):
    """``/council/years/<code>/<year>/exceptions/new``"""

    form = ExceptionForm

    def page(self, scope: Scope, form: YearForm, status: int = 200, **path: Any) -> Reply:
        one = reading.year(scope, programme=path["code"], fiscal_year=path["fiscal_year"])
        return _check(
            "特例をつくる", f"{one.name} {one.fiscal_year}年度", form, status, "特例をつくる",
            "決裁のあった特例だけを登録します。登録は消えません。終えるときは、終える特例を登録します。",
            _year(**path), action=reverse("council-year-exception", kwargs=path),
            sections=[{"title": "いまの期日", "note": "", "actions": [], "rows": dates(one)}],
        )

    def act(
        self, request: HttpRequest, scope: Scope, given: Mapping[str, Any], **path: Any
    ) -> tuple[str, str]:
        values = dict(given)
        years.approve_exception(
            programme=path["code"], fiscal_year=path["fiscal_year"],
            kind=ExceptionKind(values.pop("kind")), **values, by=scope,
        )
        return "特例を登録しました。", _year(**path)


class EndException(Act):
    """``/council/year-exceptions/<id>/end``"""

    form = DecisionForm

    def page(self, scope: Scope, form: YearForm, status: int = 200, **path: Any) -> Reply:
        place = year_waiting.exception_place(scope, exception_id=path["exception_id"])
        one = reading.year(scope, programme=place.programme, fiscal_year=place.fiscal_year)
        return _check(
            "特例を終える", f"{place.name} {place.fiscal_year}年度", form, status, "特例を終える",
            "期日は、この特例がない形にもどります。", _year(place.programme, place.fiscal_year),
            action=reverse("council-year-exception-end", kwargs=path),
            sections=[{"title": "いまの期日", "note": "", "actions": [], "rows": dates(one)}],
        )

    def act(
        self, request: HttpRequest, scope: Scope, given: Mapping[str, Any], **path: Any
    ) -> tuple[str, str]:
        place = year_waiting.exception_place(scope, exception_id=path["exception_id"])
        years.end_exception(exception_id=path["exception_id"], **given, by=scope)
        return "特例を終えました。", _year(place.programme, place.fiscal_year)


class Late(Act):
    """``/council/late-records/<id>``: let a late record count."""

    form = ReasonForm

    def page(self, scope: Scope, form: YearForm, status: int = 200, **path: Any) -> Reply:
        place, one = year_waiting.late(scope, attendance_id=path["attendance_id"])
        return _check(
            "おくれた記録を数える", f"{place.name} {place.fiscal_year}年度", form, status,
            "数える", "この方の年度全体を 数えなおします。わけは 記録にのこります。",
            _waiting(place), action=reverse("council-year-late", kwargs=path),
            sections=[{"title": "届いた記録", "note": "", "actions": [], "rows": [
                fact("氏名", _name(scope, one.volunteer_id)),
                fact("開催回", f"{day(one.held_on)} {one.session_title}"),
                fact("数え方", METHODS.get(one.method, one.method)),
                fact("届いた日時", moment(one.recorded_at)),
            ]}],
        )

    def act(
        self, request: HttpRequest, scope: Scope, given: Mapping[str, Any], **path: Any
    ) -> tuple[str, str]:
        place, _ = year_waiting.late(scope, attendance_id=path["attendance_id"])
        attendance.correct(attendance_id=path["attendance_id"], reason=given["reason"], by=scope)
        return "おくれた記録を 数えました。", _waiting(place)


class Correction(Act):
    """``/council/year-corrections/<id>``: count a closed year again, or leave it."""

    form = CorrectionForm

    def page(self, scope: Scope, form: YearForm, status: int = 200, **path: Any) -> Reply:
        place, one = year_waiting.correction(scope, correction_id=path["year_correction_id"])
        rows: list[Block] = [
            fact("氏名", _name(scope, one.volunteer_id)),
            fact("いまのポイント", f"{one.stands}ポイント"),
            fact("数えなおすと", f"{one.would_be}ポイント"),
            fact("見つけた日時", moment(one.noticed_at)),
        ]
        return _check(
            "訂正を決める", f"{place.name} {place.fiscal_year}年度", form, status, "決める",
            "しめきりのあとに 生年月日・お住まい・会員の期間・重なりなどが変わりました。",
            _waiting(place), action=reverse("council-year-correction", kwargs=path),
            sections=[{"title": "変わること", "note": "", "actions": [], "rows": rows}],
        )

    def act(
        self, request: HttpRequest, scope: Scope, given: Mapping[str, Any], **path: Any
    ) -> tuple[str, str]:
        number = path["year_correction_id"]
        place, _ = year_waiting.correction(scope, correction_id=number)
        if given["choice"] == KEEP:
            years.keep_as_closed(correction_id=number, reason=given["reason"], by=scope)
            return "そのままにしました。", _waiting(place)
        years.apply_correction(correction_id=number, reason=given["reason"], by=scope)
        return "訂正しました。", _waiting(place)


def _waiting(place: year_waiting.Place) -> str:
    return reverse("council-year-waiting", args=[place.programme, place.fiscal_year])


def _name(scope: Scope, volunteer_id: int) -> str:
    one = volunteer_facts(scope, volunteer_ids=[volunteer_id], action="years.waiting")
    return one[volunteer_id].name if volunteer_id in one else ""
