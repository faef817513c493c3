"""Forms of the host: the headcount, why a record is taken back."""

from __future__ import annotations

from django import forms

from web.forms.sign_in import plain_digits

MOST_PEOPLE = 5_000


class HeadcountForm(forms.Form):
    """How many people were there."""

    headcount = forms.CharField(
        label="来た人の数", max_length=8, help_text="紙の名簿で数えた人数です。",
        error_messages={"required": "人数を入れてください。"},
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    def clean_headcount(self) -> int:
        digits = plain_digits(self.cleaned_data["headcount"]).removesuffix("人")
        if not digits.isascii() or not digits.isdigit() or int(digits) > MOST_PEOPLE:
            raise forms.ValidationError("人数は、0〜5,000の数字で入れてください。")
        return int(digits)


class VoidForm(forms.Form):
    """A record is taken back with a reason."""

    reason = forms.CharField(
        label="取り消す理由", max_length=160,
        error_messages={"required": "理由を入れてください。"},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
