"""Forms of the fiscal year: the reason of an act, an exception, the word on a correction.

Owns which inputs are drawn.  Refuses nothing by itself: ``points.operations.years`` judges.
"""

from __future__ import annotations

from collections.abc import Mapping

from django import forms

from points.domain.years import ExceptionKind
from web.forms.consents import JapaneseDate

KINDS = [
    (ExceptionKind.POSTPONE.value, "交換の期間と失効日をのばす"),
    (ExceptionKind.CARRY.value, "のこりを すべて次の年度へ繰り越す"),
]
APPLY, KEEP = "apply", "keep"


def _text(label: str, hint: str, size: int) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=size, help_text=hint,
        error_messages={"required": f"{label}を書いてください。"},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class YearForm(forms.Form):
    """A form that takes the operation's refusals beside its inputs."""

    def told(self, fields: Mapping[str, str], message: str) -> YearForm:
        """The refusal of an operation, each sentence at the input it names."""
        for name, said in (fields or {"": message}).items():
            self.add_error(name if name in self.fields else None, said)
        return self


class ReasonForm(YearForm):
    """Why."""

    reason = _text("わけ", "あとから読む方のために。", 160)


class DecisionForm(YearForm):
    """決裁: why, who decided and when."""

    reason = _text("わけ", "あとから読む方のために。", 160)
    authority = _text("決裁した人と番号", "たとえば「会長決裁 第12号」。", 80)
    decided_on = JapaneseDate(label="決裁日")


class ExceptionForm(DecisionForm):
    """A new exception."""

    kind = forms.ChoiceField(
        label="特例の種類", choices=KINDS, widget=forms.RadioSelect,
        error_messages={"required": "特例の種類を選んでください。"},
    )
    exchange_until = JapaneseDate(label="交換できる さいごの日", required=False,
                                  help_text="期間をのばすときに入れます。")
    lapses_on = JapaneseDate(label="失効日", required=False,
                             help_text="期間をのばすときに入れます。この日に なくなります。")
    field_order = ("kind", "exchange_until", "lapses_on", "reason", "authority", "decided_on")


class CorrectionForm(ReasonForm):
    """Whether a closed year is counted again, and why."""

    choice = forms.ChoiceField(
        label="どうしますか", widget=forms.RadioSelect,
        choices=[(APPLY, "訂正する（数えなおす）"), (KEEP, "そのままにする")],
        error_messages={"required": "どちらかを選んでください。"},
    )
    field_order = ("choice", "reason")
