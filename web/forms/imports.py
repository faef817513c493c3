"""The form that takes a file from another system (取込).

Owns the size limit of an upload and the choice of the mapping profile.  Refuses an empty file
and one that is too large before it is read; everything else is the operation's judgement.
"""

from __future__ import annotations

from typing import Any

from django import forms

MOST_BYTES = 64 * 1024 * 1024


class ImportForm(forms.Form):
    """One file and the profile that explains its columns."""

    profile = forms.ChoiceField(
        label="ファイルの種類",
        widget=forms.RadioSelect,
        error_messages={
            "required": "ファイルの種類を選んでください。",
            "invalid_choice": "ファイルの種類を選んでください。",
        },
    )
    file = forms.FileField(
        label="取りこむファイル（CSV・XLSX）",
        help_text="文字コードは自動で見分けます。個人番号（マイナンバー）の列があると、取りこめません。",
        error_messages={
            "required": "ファイルを選んでください。",
            "empty": "ファイルが空です。中身のあるファイルを選んでください。",
        },
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
    )

    def __init__(self, *given: Any, profiles: list[tuple[str, str]], **more: Any) -> None:
        super().__init__(*given, **more)
        field = self.fields["profile"]
        if isinstance(field, forms.ChoiceField):
            field.choices = profiles
        if len(profiles) == 1:
            field.initial = profiles[0][0]

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(
                "ファイルが大きすぎます（64MBまで）。分けて取りこんでください。"
            )
        return file
