"""What the statistics page is asked: year, district, kind, group; and why a file leaves."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms

from points.statistics.tables import DIMENSIONS
from web.presenting import year_text

FILTERS = ("district", "activity_kind", "group")
YEARS_BACK = 4
Choice = tuple[str, str]


class StatisticsFilter(forms.Form):
    """Filters of the page (GET).  An unknown value is treated as "all"."""

    fiscal_year = forms.ChoiceField(label="年度", required=False)
    district = forms.ChoiceField(label="地区", required=False)
    activity_kind = forms.ChoiceField(label="活動の種類", required=False)
    group = forms.ChoiceField(label="団体", required=False)

    def __init__(
        self, *given: object, this_year: int, districts: Sequence[str], kinds: Sequence[Choice],
        groups: Sequence[str], **more: object,
    ) -> None:
        super().__init__(*given, **more)  # type: ignore[arg-type]  # passes on what Form takes
        years = range(this_year, this_year - YEARS_BACK - 1, -1)
        self._offer("fiscal_year", [
            (str(year), f"{year_text(year)}（{year}年度）") for year in years
        ])
        self._offer("district", [("", "すべての地区"), *((one, one) for one in districts)])
        self._offer("activity_kind", [("", "すべての種類"), *kinds])
        self._offer("group", [("", "すべての団体"), *((one, one) for one in groups)])
        self.this_year = this_year

    def _offer(self, name: str, choices: Sequence[Choice]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = list(choices)

    @property
    def year(self) -> int:
        """The fiscal year asked for; this one by default."""
        return int(self.cleaned_data.get("fiscal_year") or self.this_year) if (
            self.is_valid()
        ) else self.this_year

    @property
    def filters(self) -> dict[str, str]:
        """Dimension → value for ``points.statistics``."""
        if not self.is_valid():
            return {}
        return {name: value for name in FILTERS if (value := self.cleaned_data.get(name))}


class StatisticsExport(forms.Form):
    """An export is logged with its reason (P10)."""

    group_by = forms.MultipleChoiceField(
        label="分ける区分", required=False, choices=list(DIMENSIONS.items()),
        widget=forms.CheckboxSelectMultiple, initial=["district", "month"],
    )
    format = forms.ChoiceField(
        label="ファイルの形", widget=forms.RadioSelect, initial="xlsx",
        choices=[("xlsx", "Excel（.xlsx）"), ("csv", "CSV（UTF-8）"),
                 ("csv_cp932", "CSV（Shift_JIS）")],
        error_messages={"required": "形をえらんでください。"},
    )
    reason = forms.CharField(
        label="書き出す理由", max_length=200,
        help_text="記録に残ります（たとえば、理事会の資料）。",
        error_messages={"required": "理由を入れてください。"},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
