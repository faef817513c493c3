"""Forms of the welfare council: finding volunteers, printing cards."""

from __future__ import annotations

from django import forms

from registry.queries.areas import AreaFact

SHEET = 10  # cards on one A4 page
MOST_CARDS = 500


class VolunteerFilter(forms.Form):
    """Reading, written name or number; a district."""

    q = forms.CharField(label="名前・かな・手帳番号", required=False, max_length=60,
                        widget=forms.TextInput(attrs={"autocomplete": "off"}))
    area = forms.TypedChoiceField(label="地区", required=False, coerce=int, empty_value=None)

    def __init__(self, *given: object, areas: list[AreaFact], **more: object) -> None:
        super().__init__(*given, **more)  # type: ignore[arg-type]  # passes on what Form takes
        self.fields["area"].choices = [  # type: ignore[attr-defined]  # a ChoiceField above
            ("", "すべての地区"), *((one.id, one.name) for one in areas)
        ]


class CardsForm(forms.Form):
    """How many new cards to make and print."""

    count = forms.IntegerField(
        label="つくる枚数", min_value=1, max_value=MOST_CARDS,
        help_text=f"1枚のA4に{SHEET}枚ならびます。一度に{MOST_CARDS}枚まで。",
        error_messages={
            "required": "枚数を入れてください。", "invalid": "枚数を数字で入れてください。",
            "min_value": "1枚以上にしてください。",
            "max_value": f"一度に{MOST_CARDS}枚までです。分けてつくってください。",
        },
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

