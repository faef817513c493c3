"""Forms of the welfare council about records that were written down twice (P8).

Owns the choices and their words.  Refuses an empty reason before anything is asked.
"""

from __future__ import annotations

from typing import Any

from django import forms

REASON = {"required": "理由を書いてください。", "max_length": "120文字までで書いてください。"}


def _reason(hint: str) -> forms.CharField:
    return forms.CharField(
        label="理由", max_length=120, help_text=hint, error_messages=REASON,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class OverlapForm(forms.Form):
    """What to do with a record that waits."""

    action = forms.ChoiceField(
        label="どうしますか",
        choices=(
            ("count_this", "確認まちの記録を数える（重なっている記録は取り消す）"),
            ("count_both", "両方とも数える"),
            ("void", "確認まちの記録を取り消す"),
        ),
        widget=forms.RadioSelect,
        error_messages={"required": "どうするかを えらんでください。",
                        "invalid_choice": "どうするかを えらんでください。"},
    )
    reason = _reason("たとえば「本人に電話で確かめた」「時間が ずれていた」")


class PairForm(forms.Form):
    """Which of two records stays, or that they are two people."""

    action = forms.ChoiceField(
        label="どうしますか", widget=forms.RadioSelect,
        error_messages={"required": "どうするかを えらんでください。",
                        "invalid_choice": "どうするかを えらんでください。"},
    )
    reason = _reason("たとえば「窓口で本人に確かめた」「親子で、同じ電話を使っている」")

    def __init__(self, *given: Any, first: str, second: str, **more: Any) -> None:
        super().__init__(*given, **more)
        field = self.fields["action"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [
                ("first", f"同じ人：{first} をのこして、1つにまとめる"),
                ("second", f"同じ人：{second} をのこして、1つにまとめる"),
                ("distinct", "別の人です（つぎからは出しません）"),
            ]
