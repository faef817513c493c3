"""Forms about copies: a change to report, a loss, a hand-over, an officer's word.

Owns the inputs; what follows from them is judged by the operations (R9, R12).  Refuses nothing
but an unreadable date.
"""

from __future__ import annotations

from typing import Any

from django import forms

from web.forms.consents import JapaneseDate

AREA = forms.Textarea(attrs={"rows": 4, "autocomplete": "off"})


class CorrectionForm(forms.Form):
    """What a holder noticed about one person (変更の申出, R12)."""

    sentence = forms.CharField(
        label="どんなことが 変わりましたか",
        max_length=500,
        help_text="たとえば「先週から長男の家にいる」「電話番号が変わった」",
        error_messages={
            "required": "変わったことを、ひとことで書いてください。",
            "max_length": "500文字までで書いてください。",
        },
        widget=forms.Textarea(attrs={"rows": 5, "autocomplete": "off"}),
    )


class LossForm(forms.Form):
    """A loss is reported in one minute (紛失の届)."""

    discovered_on = JapaneseDate(label="ないことに 気づいた日")
    circumstances = forms.CharField(
        label="気づいたときの ようす",
        max_length=500,
        help_text="いつまであったか、どこをさがしたかを、分かるだけ書いてください。",
        error_messages={"required": "気づいたときのようすを書いてください。"},
        widget=AREA,
    )
    malicious = forms.BooleanField(label="ぬすまれたかもしれない", required=False)


class HandOverForm(forms.Form):
    """Who has the copy from now on (引き継ぎ)."""

    to = forms.ChoiceField(
        label="引き継ぐ相手",
        widget=forms.RadioSelect,
        error_messages={
            "required": "引き継ぐ相手を選んでください。",
            "invalid_choice": "引き継ぐ相手を選んでください。",
        },
    )

    def __init__(self, *given: Any, choices: list[tuple[str, str]], **more: Any) -> None:
        super().__init__(*given, **more)
        field = self.fields["to"]
        if isinstance(field, forms.ChoiceField):
            field.choices = choices


class ReasonForm(forms.Form):
    """One sentence why, for an act that needs it."""

    reason = forms.CharField(
        label="理由",
        max_length=240,
        widget=AREA,
        error_messages={"required": "理由を書いてください。"},
    )

    def __init__(self, *given: Any, label: str = "理由", hint: str = "", **more: Any) -> None:
        super().__init__(*given, **more)
        self.fields["reason"].label, self.fields["reason"].help_text = label, hint


class CustodyForm(forms.Form):
    """A step of a copy that staff record, with a note."""

    ACTS = (
        ("receive", "受領を確認した"),
        ("check", "所在を確認した"),
        ("recall", "返却をお願いする"),
        ("return", "返却を受けた"),
        ("destroy", "廃棄を確認した"),
        ("find", "見つかった"),
    )
    act = forms.ChoiceField(
        label="手続き",
        widget=forms.RadioSelect,
        error_messages={
            "required": "手続きを選んでください。",
            "invalid_choice": "手続きを選んでください。",
        },
    )
    note = forms.CharField(
        label="備考",
        max_length=240,
        required=False,
        help_text="廃棄は方法と立会人、発見は場所とようすを書きます。",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *given: Any, possible: frozenset[str], **more: Any) -> None:
        super().__init__(*given, **more)
        field = self.fields["act"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [one for one in self.ACTS if one[0] in possible]


class DecisionForm(forms.Form):
    """The officer's answer to a correction (R12)."""

    decision = forms.ChoiceField(
        label="結果",
        widget=forms.RadioSelect,
        choices=(("accepted", "名簿・台帳に反映した"), ("declined", "反映しない")),
        error_messages={
            "required": "結果を選んでください。",
            "invalid_choice": "結果を選んでください。",
        },
    )
    note = forms.CharField(label="確認したこと", max_length=240, required=False, widget=AREA)


class DescribeForm(forms.Form):
    """What only people can tell, kept on the roster."""

    contact_name = forms.CharField(label="緊急連絡先の氏名", max_length=120, required=False)
    contact_relation = forms.CharField(label="続柄", max_length=24, required=False)
    contact_phone = forms.CharField(label="緊急連絡先の電話", max_length=24, required=False)
    bedroom = forms.CharField(label="建物・寝室の位置", max_length=120, required=False)
    communication = forms.CharField(label="意思の伝え方", max_length=120, required=False)
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
