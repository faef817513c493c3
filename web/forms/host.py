"""Forms of the host: the paper sheet, the headcount, why a record is taken back."""

from __future__ import annotations

from collections.abc import Sequence

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


class SheetForm(HeadcountForm):
    """The paper sheet: members in its order; the count must equal the paper's (P4.5)."""

    field_order = ["people", "headcount"]
    people = forms.TypedMultipleChoiceField(
        label="来た人に しるしをつける", coerce=int, widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "来た人に、しるしをつけてください。",
                        "invalid_choice": "名簿にない方が入っています。"},
    )

    def __init__(self, *given: object, people: Sequence[tuple[int, str]], **more: object) -> None:
        super().__init__(*given, **more)  # type: ignore[arg-type]  # passes on what Form takes
        self.fields["people"].choices = list(people)  # type: ignore[attr-defined]  # above

    def clean(self) -> dict[str, object]:
        given = dict(super().clean() or self.cleaned_data)
        if "headcount" in given and "people" in given:
            marked, said = len(given["people"]), given["headcount"]
            if marked != said:
                self.add_error("headcount", f"しるしは{marked}人、紙の人数は{said}人です。"
                                            "合うまで、紙をたしかめてください。")
        return given


class VoidForm(forms.Form):
    """A record is taken back with a reason."""

    reason = forms.CharField(
        label="取り消す理由", max_length=160,
        error_messages={"required": "理由を入れてください。"},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
