"""The welfare council's statistics: figures, two charts, the same numbers as a table, files.

Owns ``/council/statistics`` and its export.  The numbers are the internal, exact face (P10);
fixed tables for publication are made elsewhere.  Refuses to compare an unfinished month.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from points.domain.rules import fiscal_year
from points.operations import exports
from points.queries.rulebook import programmes
from points.queries.sessions import groups
from points.statistics.tables import UNKNOWN, Table, month_shift, table
from registry.access import Scope
from registry.domain.errors import TsunagariError
from registry.domain.roles import Permission
from registry.queries.areas import areas
from web import charts
from web.forms.statistics import StatisticsExport, StatisticsFilter
from web.presenting import local, year_text
from web.templatetags.web_words import jclock
from web.views.base import Answer, Page, Reply, file_response, status_of

OLD_FROM = ("65〜74歳", "75〜84歳", "85歳以上")


def filter_form(request: HttpRequest, scope: Scope) -> StatisticsFilter:
    """The filter bar with the choices there are."""
    this_year = fiscal_year(scope.on)
    kinds = {
        rate.kind: rate.label
        for one in programmes(scope) for rules in one.rules for rate in rules.rates
    }
    return StatisticsFilter(
        request.GET or {"fiscal_year": str(this_year)}, this_year=this_year,
        districts=[one.name for one in areas(scope, kind="district")], kinds=sorted(kinds.items()),
        groups=sorted({one.name for one in groups(scope)}),
    )


class Statistics(Page):
    """``/council/statistics``"""

    needs = {"get": Permission.STATISTICS_VIEW}
    section = "council-statistics"

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        form = filter_form(request, scope)
        year, chosen = form.year, form.filters

        def counted(*by: str) -> Table:
            return table(scope, fiscal_year=year, group_by=by, filters=chosen)

        by_month, by_district = counted("month"), counted("district")
        by_age, by_group = counted("age_band"), counted("group")
        registered = len(groups(scope, fiscal_year=year))
        months = month_chart(by_month)
        districts = district_chart(by_district)
        asked = request.GET.urlencode()
        at = local(scope.at)
        exporting = scope.may(Permission.STATISTICS_EXPORT)
        return Reply("web/office/statistics.html", {
            "maker_text": f"集計日時 {at.year}年{at.month}月{at.day}日 {jclock(at)}",
            "exports": [{
                "label": "ファイルに保存", "kind": "primary",
                "url": f"{reverse('council-statistics-export')}?{asked}",
            }] if exporting else [],
            "filter_form": form, "reset_url": reverse("council-statistics"),
            "figures": figures(by_month, by_age, by_group, registered),
            "months": months, "months_svg": charts.columns(months),
            "months_table": charts.table(months),
            "districts": districts, "districts_svg": charts.rows(districts),
            "table": district_table(by_district), "notes": notes(by_month, months),
        })


class Export(Page):
    """``/council/statistics/export``: the reason first, then the file."""

    needs = {"get": Permission.STATISTICS_EXPORT, "post": Permission.STATISTICS_EXPORT}
    section = "council-statistics"

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        return self._form(request, scope, StatisticsExport())

    def post(self, request: HttpRequest, scope: Scope) -> Answer:
        form, asked = StatisticsExport(request.POST), filter_form(request, scope)
        if not form.is_valid():
            return self._form(request, scope, form, 422)
        given = form.cleaned_data
        made = exports.statistics(
            fiscal_year=asked.year, group_by=given["group_by"], filters=asked.filters,
            format=given["format"], reason=given["reason"], by=scope,
        )
        if made.replaced:
            messages.warning(request, "Shift_JISにない文字を 置きかえました："
                                      + "、".join(made.replaced))
        response: HttpResponse = file_response(made.content, name=made.name, kind=made.media_type)
        return response

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: object
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) != 422:
            return None
        form = StatisticsExport(request.POST)
        form.add_error(None, error.message)
        return self._form(request, scope, form, 422)

    @staticmethod
    def _form(
        request: HttpRequest, scope: Scope, form: StatisticsExport, status: int = 200
    ) -> Reply:
        asked = filter_form(request, scope)
        shown = "、".join(asked.filters.values()) or "すべて"
        here = request.GET.urlencode()
        return Reply("web/office/form.html", {
            "heading": "統計を書き出す", "meta": f"{year_text(asked.year)}　{shown}", "form": form,
            "warning": "少ない人数の数字をふくみます。そのまま公表しないでください。",
            "action": f"{reverse('council-statistics-export')}?{here}",
            "submit_label": "書き出す",
            "back_url": f"{reverse('council-statistics')}?{here}",
        }, status=status)


def figures(
    by_month: Table, by_age: Table, by_group: Table, registered: int
) -> list[dict[str, str]]:
    """The four cards: what is counted, the number, and one comparison."""
    now, before = by_month.total.figures, by_month.total_before
    visits, earlier = now["attendances"] or 0, before.get("attendances") or 0
    people = now["people"] or 0
    old = sum(row.figures["people"] or 0 for row in by_age.rows if row.key[0] in OLD_FROM)
    compared = "前年度の記録は ありません"
    if earlier:
        change = (visits - earlier) * 100 / earlier
        compared = f"前年度の同じ時期 {earlier:,}人（{change:+.1f}%）"
    exchanged = now["points_exchanged"]
    awarded = f"{now['points_awarded'] or 0:,}"
    return [
        {"label": "参加のべ人数", "value": f"{visits:,}", "unit": "人", "note": compared},
        {"label": "参加した人（実人数）", "value": f"{people:,}", "unit": "人",
         "note": f"うち65歳以上 {old:,}人" + (f"（{old * 100 / people:.1f}%）" if people else "")},
        {"label": "活動した団体", "value": f"{len(by_group.rows):,}", "unit": "団体",
         "note": f"登録 {registered:,}団体のうち"},
        {"label": "付与ポイント", "value": awarded, "unit": "ポイント",
         "note": "交換は、しぼりこみなしで表示します" if exchanged is None
         else f"交換ずみ {exchanged:,}ポイント"},
    ]


def month_chart(made: Table) -> charts.Chart:
    """Columns from April to the last counted month; the running month is unfinished."""
    found = {row.key[0]: row.figures["attendances"] for row in made.rows}
    bars = []
    for number in range(12):
        year, month = made.fiscal_year + (number > 8), (3 + number) % 12 + 1
        if (year, month) > (made.until.year, made.until.month):
            break
        key = f"{year}-{month:02d}"
        last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        before = made.before.get(month_shift((key,), ("month",)), {}).get("attendances")
        # A year without any record is none to compare with.
        earlier = (before or 0) if made.total_before.get("attendances") else None
        bars.append(charts.Bar(f"{month}月", found.get(key) or 0, earlier,
                               unfinished=made.until < last))
    return charts.Chart(
        "months", charts.peak_finding(bars), "月ごとの参加のべ人数（人）", "人", bars,
        series_label=f"今年度（{year_text(made.fiscal_year)}）",
        previous_label=f"前年度（{year_text(made.fiscal_year - 1)}）",
    )


def district_chart(made: Table) -> charts.Chart:
    """Bars by district, most visits first."""
    bars = sorted(
        (charts.Bar(row.key[0], row.figures["attendances"]) for row in made.rows),
        key=lambda bar: (-(bar.value or 0), bar.label),
    )
    last = made.until
    named = [bar for bar in bars if bar.label != UNKNOWN]
    title = charts.share_finding(named) if len(named) == len(bars) else (
        f"最も多いのは{named[0].label}です" if named else "地区が登録されている方は いません"
    )
    return charts.Chart(
        "districts", title,
        f"地区ごとの参加のべ人数　4月1日〜{last.month}月{last.day}日", "人", bars,
        category_label="地区",
    )


def district_table(made: Table) -> dict[str, Any]:
    """The same numbers as cells, with sessions, people and points."""
    measures = ("attendances", "people", "sessions", "points_awarded")

    def cells(name: str, of: Any) -> list[str]:
        return [name, *(charts.number(of[measure]) for measure in measures)]

    rows = sorted(made.rows, key=lambda row: (-(row.figures["attendances"] or 0), row.key))
    return {
        "caption": "地区ごとの集計（グラフと同じ数字）",
        "headers": ["地区", "参加のべ人数（人）", "実人数（人）", "開催回（回）", "付与ポイント"],
        "rows": [cells(row.key[0], row.figures) for row in rows],
        "total": cells("合計", made.total.figures),
    }


def notes(made: Table, months: charts.Chart) -> list[str]:
    """What a reader must know about the numbers."""
    said = ["内部用の正確な数字です。少ない人数の区分をふくむため、そのまま公表しないでください。",
            "同じ方が複数の地区・月で参加しても、合計の実人数では1人と数えます。"]
    if months.has_unfinished:
        said.append(f"{made.until.month}月は{made.until.day}日までの数字のため、"
                    "前年度と比べていません。")
    return said

