"""The form that records one answer about sharing or planning (R3, R4).

Owns the fields of R4 — who, when, how, by proxy of whom, what was explained, form version,
scope — and reading a date in any spelling.  Refuses an unreadable date; what R4 asks for is
judged by ``evacuation.operations.consents``.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from django import forms

from evacuation.domain.consent import Answer, Means, Proxy, Purpose
from evacuation.domain.recipients import RecipientKind
from evacuation.operations.consents import AnswerGiven
from registry.access import JAPAN
from registry.domain.calendar import Precision, parse_date
from registry.domain.errors import Refused
from web.views.blocks import day

ANSWERS = (
    (Answer.AGREED.value, "同意する"),
    (Answer.REFUSED.value, "同意しない"),
    (Answer.WITHDRAWN.value, "同意を取り消す（撤回）"),
)
MEANS = (
    (Means.PAPER.value, "書面"),
    (Means.ORAL.value, "口頭（聞きとり）"),
    (Means.ELECTRONIC.value, "電子"),
)
PURPOSES = tuple((one.value, one.label) for one in Purpose)
KINDS = tuple((one.value, one.label) for one in RecipientKind)
#: The operation's name of an input → the form's.
FIELD_OF = {"at": "answered_on", "scope": "kinds", "proxy": "proxy_name"}
DATE_HINT = "たとえば「R8.11.20」「令和8年11月20日」「2026-11-20」"


def _needed(what: str) -> dict[str, str]:
    return dict.fromkeys(("required", "invalid_choice"), f"{what}を選んでください。")


class JapaneseDate(forms.CharField):
    """A day in any spelling: 令和8年11月20日, R8.11.20, 20261120, full-width digits, 元年."""

    def __init__(self, **more: Any) -> None:
        more.setdefault("help_text", DATE_HINT)
        more.setdefault("error_messages", {"required": "日付を入れてください。"})
        super().__init__(max_length=40, **more)
        self.widget.attrs.update({"autocomplete": "off", "class": "input-date"})

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            found = parse_date(text)
        except Refused as error:
            raise forms.ValidationError(error.message) from error
        if found.precision is not Precision.DAY:
            raise forms.ValidationError("年・月・日を全部入れてください。")
        return found.first

    def prepare_value(self, value: Any) -> Any:
        return day(value) if isinstance(value, date) else value


class ConsentForm(forms.Form):
    """One answer of one person."""

    purpose = forms.ChoiceField(
        label="何への同意か",
        choices=PURPOSES,
        widget=forms.RadioSelect,
        error_messages=_needed("何への同意か"),
    )
    answer = forms.ChoiceField(
        label="答え", choices=ANSWERS, widget=forms.RadioSelect, error_messages=_needed("答え")
    )
    answered_on = JapaneseDate(label="答えた日")
    means = forms.ChoiceField(
        label="方法", choices=MEANS, widget=forms.RadioSelect, error_messages=_needed("方法")
    )
    form_version = forms.CharField(
        label="同意書の版",
        max_length=24,
        required=False,
        help_text="書面の下にある版の番号。口頭のときは、読みあげた説明書の版。",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    kinds = forms.MultipleChoiceField(
        label="提供先",
        choices=KINDS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="同意書で丸が付いた相手だけを選びます。「計画の作成」では使いません。",
    )
    explained_normal = forms.BooleanField(
        label="ふだん（平常時）に提供されることを説明した", required=False
    )
    explained_disaster = forms.BooleanField(
        label="災害のときは、同意がなくても提供されることを説明した", required=False
    )
    proxy_name = forms.CharField(
        label="代理人の氏名",
        max_length=120,
        required=False,
        help_text="本人が答えたときは空のままにします。",
    )
    proxy_relation = forms.CharField(label="代理人の続柄・関係", max_length=24, required=False)
    proxy_reason = forms.CharField(label="代理の理由", max_length=120, required=False)

    SECTIONS = (
        ("同意の内容", ("purpose", "answer", "answered_on", "means", "form_version", "kinds")),
        ("説明したこと", ("explained_normal", "explained_disaster")),
        ("代理人が答えたとき", ("proxy_name", "proxy_relation", "proxy_reason")),
    )

    def sections(self) -> list[dict[str, Any]]:
        """The fields by heading, for ``office/form.html``."""
        return [
            {"title": title, "note": "", "fields": [self[name] for name in names]}
            for title, names in self.SECTIONS
        ]

    def given(self, *, person_id: int, at: datetime) -> AnswerGiven:
        """The operation's value of a valid form; a past day counts from its noon."""
        data = self.cleaned_data
        on: date = data["answered_on"]
        noon = datetime.combine(on, time(12), tzinfo=JAPAN)
        proxy = (data["proxy_name"], data["proxy_relation"], data["proxy_reason"])
        return AnswerGiven(
            person_id=person_id,
            purpose=Purpose(data["purpose"]),
            answer=Answer(data["answer"]),
            answered_at=at if on == at.astimezone(JAPAN).date() else noon,
            means=Means(data["means"]),
            form_version=data["form_version"],
            kinds=frozenset(RecipientKind(kind) for kind in data["kinds"]),
            explained_normal=data["explained_normal"],
            explained_disaster=data["explained_disaster"],
            proxy=Proxy(*proxy) if any(part.strip() for part in proxy) else None,
        )
