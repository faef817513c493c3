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
    form = forms.ChoiceField(label="用紙", required=False)

    def __init__(self, *given: object, formats: list[tuple[str, str]], **more: object) -> None:
        super().__init__(*given, **more)  # type: ignore[arg-type]  # passes on what Form takes
        self.fields["form"].choices = formats  # type: ignore[attr-defined]  # a ChoiceField



class CardForm(forms.Form):
    """One volunteer's card: print it again, or replace it, on a format."""

    act = forms.ChoiceField(
        label="なにをしますか", widget=forms.RadioSelect,
        choices=[("reprint", "同じカードを もう一度印刷する"),
                 ("reissue", "新しいコードで再発行する（前のカードは使えなくなります）")],
        error_messages={"required": "どちらか、えらんでください。"},
    )
    reason = forms.ChoiceField(
        label="再発行の理由", required=False,
        choices=[("", "えらんでください"), ("紛失", "紛失"), ("よごれ・破損", "よごれ・破損"),
                 ("氏名の変更", "氏名の変更"), ("ほかの人に知られた", "ほかの人に知られた"),
                 ("そのほか", "そのほか")],
    )
    form = forms.ChoiceField(label="用紙")

    def __init__(self, *given: object, formats: list[tuple[str, str]], **more: object) -> None:
        super().__init__(*given, **more)  # type: ignore[arg-type]  # passes on what Form takes
        self.fields["form"].choices = formats  # type: ignore[attr-defined]  # a ChoiceField

    def clean(self) -> dict[str, object]:
        given = dict(super().clean() or self.cleaned_data)
        if given.get("act") == "reissue" and not given.get("reason"):
            self.add_error("reason", "再発行の理由を えらんでください。")
        return given
