"""Forms of the paper sheet, a group's own list, and the rows that wait (P4.5).

Owns the fields and their words; nothing that was typed is lost when something is wrong.
Refuses to judge whether the count agrees: the operation does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from points.domain.sheets import Listed
from web.forms.consents import JapaneseDate
from web.forms.host import HeadcountForm

WAIT = "wait"


class PaperForm(HeadcountForm):
    """What every paper needs: its headcount, who signed it, why the count differs."""

    reason = forms.CharField(
        label="人数がちがうわけ（ちがうときだけ）", max_length=200, required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    signed_name = forms.CharField(
        label="紙に署名した人", max_length=80, help_text="代表者など、紙をたしかめた人の名前です。",
        error_messages={"required": "紙に署名した人の名前を入れてください。"},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class SheetForm(PaperForm):
    """The paper sheet: lines to tick in its order, lines for newcomers."""

    marks = forms.CharField(
        label="順番の数字か、行のQRコード", max_length=200, required=False,
        help_text="「1 3 5-9」のように入れるか、読みとり機で行のQRコードを読みます。",
        widget=forms.TextInput(attrs={"autocomplete": "off", "data-sheet-marks": ""}),
    )
    people = forms.TypedMultipleChoiceField(
        label="来た人", coerce=int, required=False, widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "名簿にない方が入っています。"},
    )
    field_order = ["marks", "people", "headcount", "reason", "signed_name"]

    def __init__(
        self, *given: Any, people: Sequence[tuple[int, str]], newcomers: int,
        candidates: dict[int, list[tuple[str, str]]] | None = None, **more: Any,
    ) -> None:
        super().__init__(*given, **more)
        self.fields["people"].choices = list(people)  # type: ignore[attr-defined]  # above
        self.newcomers = newcomers
        for n in range(1, newcomers + 1):
            self.fields[f"new_{n}"] = forms.CharField(
                label=f"空いた行 {n}の氏名", max_length=120, required=False,
                widget=forms.TextInput(attrs={"autocomplete": "off"}),
            )
            self.fields[f"kana_{n}"] = forms.CharField(
                label=f"空いた行 {n}のかな", max_length=160, required=False,
                widget=forms.TextInput(attrs={"autocomplete": "off"}),
            )
            if candidates is not None and n in candidates:
                self.fields[f"pick_{n}"] = forms.ChoiceField(
                    label=f"空いた行 {n}は どなたですか", widget=forms.RadioSelect,
                    choices=[*candidates[n], (WAIT, "この中にいない（あとで確かめる）")],
                    error_messages={"required": "どなたか、えらんでください。"},
                )

    def lines(self) -> list[dict[str, Any]]:
        """The newcomer lines as bound fields, for the template."""
        return [
            {"name": self[f"new_{n}"], "kana": self[f"kana_{n}"],
             "pick": self[f"pick_{n}"] if f"pick_{n}" in self.fields else None}
            for n in range(1, self.newcomers + 1)
        ]


def typed_newcomers(data: Any, count: int) -> dict[int, Listed]:
    """line → what was typed on the empty lines of a posted sheet."""
    found = {}
    for n in range(1, count + 1):
        name = str(data.get(f"new_{n}", "")).strip()[:120]
        kana = str(data.get(f"kana_{n}", "")).strip()[:160]
        if name or kana:
            found[n] = Listed(n, name or kana, kana)
    return found


class UploadForm(forms.Form):
    """A group's own list as a file."""

    file = forms.FileField(
        label="名簿のファイル（CSV・Excel）",
        help_text="「氏名」の列が要ります。「かな」「手帳番号」があると、まちがいがへります。",
        error_messages={"required": "ファイルをえらんでください。",
                        "empty": "ファイルが空です。"},
    )


class FindForm(forms.Form):
    """Whom a row may mean."""

    q = forms.CharField(label="名前か、かな、手帳番号", max_length=60, required=False,
                        widget=forms.TextInput(attrs={"autocomplete": "off"}))


class DismissForm(forms.Form):
    """Why a row counts nobody."""

    reason = forms.CharField(
        label="数えない理由", max_length=160,
        error_messages={"required": "理由を入れてください。"},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class EnlistForm(forms.Form):
    """A new volunteer from a paper."""

    number = forms.CharField(label="手帳番号", max_length=12,
                             error_messages={"required": "手帳番号を入れてください。"},
                             widget=forms.TextInput(attrs={"autocomplete": "off"}))
    name = forms.CharField(label="氏名", max_length=120,
                           error_messages={"required": "氏名を入れてください。"},
                           widget=forms.TextInput(attrs={"autocomplete": "off"}))
    kana = forms.CharField(label="かな", max_length=160,
                           error_messages={"required": "かなを入れてください。"},
                           widget=forms.TextInput(attrs={"autocomplete": "off"}))
    born_on = JapaneseDate(label="生年月日", error_messages={
        "required": "生年月日を入れてください。"})
