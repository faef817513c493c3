"""Forms of rules: a draft with one thing per field, a year's terms, a new programme.

Owns which inputs are drawn in which section, and carrying the refusals of the domain back to
the input that they name.  Refuses nothing by itself: ``points.domain.rule_forms`` reads what was
typed, ``points.domain.rules`` judges it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from points.domain import rule_forms
from points.domain.rule_sentences import PERS, SOURCES
from points.domain.rules import Below, Per, Remainder, Source
from web.forms.consents import DATE_HINT

BLANK_ROWS = 2
NO_CAP = "上限がないときは、空のままにします。"
LABELS: dict[str, tuple[str, str]] = {
    "begins_on": ("適用開始日", f"この日の活動から使います。{DATE_HINT}"),
    "citation": ("根拠", "決裁の番号や、要綱・要領の名前。"),
    "minimum_age": ("何歳から", "その年度のうちになる年齢。定めがないときは、空のままにします。"),
    "residence_required": ("市内にお住まいの方だけにする", ""),
    "membership_required": (
        "その団体の会員だけにする", "登録団体の活動だけが対象のときに使えます。"
    ),
    "enrolment_required": ("年度ごとの登録をもとめる", ""),
    "daily_cap": ("1日の上限（ポイント）", NO_CAP),
    "group_day_cap": ("1つの団体での1日の上限（ポイント）", NO_CAP),
    "group_minimum": ("団体の人数（何人以上）", "定めがないときは、空のままにします。"),
    "group_counts_eligible": ("ポイントの対象になる方だけを数える", "団体の人数の数えかた。"),
    "group_below": ("団体の人数が足りないとき", ""),
    "points_per_voucher": ("利用券1枚のポイント", ""),
    "yen_per_voucher": ("利用券1枚の金額（円）", "その年度の定めと同じ金額にします。"),
    "vouchers_per_year": ("1年度の利用券（枚まで）", NO_CAP),
    "remainder": ("端数（利用券1枚に足りない分）", "失効日のあつかい。"),
    "yen_value": ("利用券1枚の金額（円）", "要領の金額と同じにします。"),
    "annual_cap": ("年間の上限（ポイント）", NO_CAP),
    "exchange_from": ("交換できる はじめの日", DATE_HINT),
    "exchange_until": ("交換できる さいごの日", ""),
    "grace_until": ("記録のしめきり", "年度の終わりより後の日。この日までに届いた記録を数えます。"),
    "lapses_on": ("失効日", "この日に、使われていないポイントがなくなります。"),
}
CHOICES: dict[str, list[tuple[str, str]]] = {
    "remainder": [(Remainder.CARRY.value, "次の年度へ繰り越す"),
                  (Remainder.VOID.value, "失効する")],
    "group_below": [(Below.WARN.value, "知らせるだけ"),
                    (Below.NO_SESSIONS.value, "新しい開催回を登録できなくする")],
}
YES_NO = [(rule_forms.NO, "いいえ"), (rule_forms.YES, "はい")]
SECTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("いつから・根拠", "", ("begins_on", "citation")),
    ("対象の活動と方", "", ("sources", "minimum_age", "residence_required", "enrolment_required",
                     "membership_required")),
    ("上限", "", ("daily_cap", "group_day_cap")),
    ("登録団体", "", ("group_minimum", "group_counts_eligible", "group_below")),
    ("交換", "年間の上限・交換の期間・失効日は、年度の定めにあります。",
     ("points_per_voucher", "yen_per_voucher", "vouchers_per_year", "remainder")),
)


class RuleDraftForm(forms.Form):
    """The inputs of a rule set; every one may be empty while it is a draft."""

    def __init__(self, form: Mapping[str, Any], errors: Mapping[str, str] | None = None) -> None:
        self.rows = min(rule_forms.RATES, len(form.get("rates") or []) + BLANK_ROWS)
        super().__init__(_flat(form, self.rows))
        for name in rule_forms.TEXTS:
            self.fields[name] = _field(name)
        self.fields["sources"] = forms.MultipleChoiceField(
            label="対象の活動", required=False, widget=forms.CheckboxSelectMultiple,
            choices=[(one.value, SOURCES[one]) for one in Source],
        )
        for at in range(self.rows):
            self.fields[f"rate_{at}_kind"] = forms.CharField(
                required=False, widget=forms.HiddenInput
            )
            self.fields[f"rate_{at}_label"] = _text("活動の名前", "空の行は使いません。")
            self.fields[f"rate_{at}_points"] = _number("ポイント", "記録だけのときは 0。")
            self.fields[f"rate_{at}_per"] = forms.ChoiceField(
                label="数えかた", required=False, widget=forms.RadioSelect,
                choices=[(one.value, PERS[one]) for one in Per],
            )
        for name, said in (errors or {}).items():
            self.add_error(self._input(name), said)

    def _input(self, name: str) -> str | None:
        """``rates.0.points`` → ``rate_0_points``; what no input stands for is form-wide."""
        parts = name.split(".")
        if parts[0] == "rates":
            name = "rate_{}_{}".format(*parts[1:]) if len(parts) == 3 else "rate_0_label"
        return name if name in self.fields else None

    def sections(self) -> list[dict[str, Any]]:
        """The fields in the order of the page."""
        found = [
            {"title": title, "note": note, "fields": [self[name] for name in names]}
            for title, note, names in SECTIONS
        ]
        rows = [
            {"title": f"活動の種類 {at + 1}", "note": "",
             "fields": [self[f"rate_{at}_{part}"] for part in ("kind", "label", "points", "per")]}
            for at in range(self.rows)
        ]
        return [found[0], *rows, *found[1:]]


def typed(given: QueryDict) -> rule_forms.Form:
    """What was typed, as a draft keeps it."""
    rates = [
        {part: given.get(f"rate_{at}_{part}", "") for part in ("kind", "label", "points", "per")}
        for at in range(rule_forms.RATES) if f"rate_{at}_label" in given
    ]
    while rates and not any(rates[-1][part] for part in ("kind", "label", "points")):
        rates.pop()
    return {
        **{name: given.get(name, "") for name in rule_forms.TEXTS},
        "sources": given.getlist("sources"), "rates": rates,
    }


class TermsForm(forms.Form):
    """年度の定め."""

    def __init__(self, form: Mapping[str, Any], errors: Mapping[str, str] | None = None) -> None:
        super().__init__(form)
        if "fiscal_year" in form:
            self.fields["fiscal_year"] = _number("年度", "西暦で。たとえば 2027")
        for name in rule_forms.TERM_TEXTS:
            self.fields[name] = _field(name)
        self.fields["citation"] = _text(*LABELS["citation"])
        self.fields["reason"] = _text("わけ", "あとから読む方のために。", most=200)
        for name, said in (errors or {}).items():
            self.add_error(name if name in self.fields else None, said)


class ProgrammeForm(forms.Form):
    """A new programme."""

    code = forms.CharField(label="事業コード", required=False, max_length=16,
                           help_text="小文字の英数字とハイフンで16文字まで。あとから変えられません。")
    name = forms.CharField(label="名称", required=False, max_length=80)
    short_name = forms.CharField(label="略称", required=False, max_length=24)


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(
        label="わけ", max_length=200, help_text="あとから読む方のために。",
        error_messages={"required": "わけを書いてください。"},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class PeriodForm(forms.Form):
    """Since when the preview looks back."""

    since = forms.CharField(label="ためす期間の はじめ", required=False, max_length=40,
                            help_text=DATE_HINT,
                            widget=forms.TextInput(attrs={"autocomplete": "off",
                                                          "class": "input-date"}))


class EnrolForm(forms.Form):
    """Registering one volunteer for a year, as on the paper form."""

    number = forms.CharField(label="手帳番号", max_length=12,
                             error_messages={"required": "手帳番号を入れてください。"},
                             widget=forms.TextInput(attrs={"autocomplete": "off"}))
    starts_on = forms.CharField(label="登録日", required=False, max_length=40,
                                help_text="空のときは、年度のはじめの日。",
                                widget=forms.TextInput(attrs={"autocomplete": "off",
                                                              "class": "input-date"}))


def _flat(form: Mapping[str, Any], rows: int) -> dict[str, Any]:
    data: dict[str, Any] = {name: form.get(name, "") for name in rule_forms.TEXTS}
    data["sources"] = list(form.get("sources") or [])
    rates = list(form.get("rates") or [])
    for at in range(rows):
        row = rates[at] if at < len(rates) else {}
        for part in ("kind", "label", "points", "per"):
            data[f"rate_{at}_{part}"] = row.get(part, "")
        data[f"rate_{at}_per"] = data[f"rate_{at}_per"] or Per.ATTENDANCE.value
    return data


def _field(name: str) -> forms.Field:
    label, hint = LABELS[name]
    if name in rule_forms.FLAGS:
        return _radios(label, hint, YES_NO)
    if name in CHOICES:
        return _radios(label, hint, CHOICES[name])
    if name in ("begins_on", *rule_forms.TERM_DATES):
        return _text(label, hint, kind="input-date", most=40)
    if name == "citation":
        return _text(label, hint)
    return _number(label, hint)


def _radios(label: str, hint: str, choices: list[tuple[str, str]]) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, help_text=hint, required=False, choices=choices,
                             widget=forms.RadioSelect)


def _text(label: str, hint: str = "", *, kind: str = "", most: int = 160) -> forms.CharField:
    attrs = {"autocomplete": "off"} | ({"class": kind} if kind else {})
    return forms.CharField(label=label, help_text=hint, required=False, max_length=most,
                           widget=forms.TextInput(attrs=attrs))


def _number(label: str, hint: str = "") -> forms.CharField:
    return forms.CharField(label=label, help_text=hint, required=False, max_length=12,
                           widget=forms.TextInput(attrs={"inputmode": "numeric",
                                                         "autocomplete": "off"}))
