"""The form that registers a kiosk (受付端末)."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms


class KioskForm(forms.Form):
    """What the tablet is called, and whose it is where one answers for several."""

    organisation = forms.ChoiceField(
        label="団体", error_messages={"required": "団体をえらんでください。",
                                      "invalid_choice": "団体をえらんでください。"},
    )
    name = forms.CharField(
        label="端末の名前", max_length=40, help_text="例：集会所のタブレット",
        error_messages={"required": "端末の名前を入れてください。",
                        "max_length": "40文字までで入れてください。"},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *given: object, homes: Sequence[tuple[int, str]], **more: object) -> None:
        super().__init__(*given, **more)  # type: ignore[arg-type]  # passes on what Form takes
        field = self.fields["organisation"]
        field.choices = list(homes)  # type: ignore[attr-defined]  # a ChoiceField
        if len(homes) == 1:
            field.widget, field.initial = forms.HiddenInput(), homes[0][0]
