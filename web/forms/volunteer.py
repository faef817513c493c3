"""Forms of the volunteer: one question a page."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms

from points.queries.statements import MyPoints

MOST_OFFERED = 10


class ExchangeForm(forms.Form):
    """How many vouchers, of which programme: one answer, ``programme:count``."""

    count = forms.ChoiceField(
        label="利用券の枚数", widget=forms.RadioSelect,
        error_messages={"required": "枚数をえらんでください。",
                        "invalid_choice": "いま交換できる枚数から、えらんでください。"},
    )

    def __init__(self, *given: object, mine: Sequence[MyPoints], **more: object) -> None:
        super().__init__(*given, **more)  # type: ignore[arg-type]  # passes on what Form takes
        several = sum(1 for one in mine if one.vouchers_now) > 1
        self.fields["count"].choices = [  # type: ignore[attr-defined]  # a ChoiceField above
            (f"{one.programme}:{count}",
             (f"{one.short_name}　" if several else "")
             + f"{count}枚（{count * one.yen_per_voucher:,}円分・"
             f"{count * one.points_per_voucher}ポイント）")
            for one in mine
            for count in range(1, min(one.vouchers_now, MOST_OFFERED) + 1)
        ]

    @property
    def chosen(self) -> tuple[str, int]:
        """Programme code and count of a valid form."""
        programme, _, count = self.cleaned_data["count"].rpartition(":")
        return programme, int(count)


class SupporterForm(forms.Form):
    """「災害のときの支援者さがしに使ってよい」 (P11)."""

    answer = forms.ChoiceField(
        label="わたしの登録を、支援者さがしに", widget=forms.RadioSelect,
        choices=[("yes", "使ってよい"), ("no", "使わない")],
        error_messages={"required": "どちらかを えらんでください。"},
    )
