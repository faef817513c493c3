"""Forms of registered groups: the yearly filing, members, leader, report (P9).

Owns the inputs and how the lines of a plan are typed; what is allowed is judged by the
operations.  Refuses an unreadable date or number.  A leader types a card's code, never a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from points.operations.groups import FilingInput, PlanInput
from points.queries.groups import Filing
from web.forms.consents import JapaneseDate
from web.forms.sign_in import plain_digits

Choices = Sequence[tuple[str, str]]
PLAN_ROWS = 3
EVERY = (("", "えらぶ"), ("week", "週に"), ("month", "月に"), ("year", "年に"))
_PLAN = ("kind", "every", "times", "place", "audience", "expected")


def _text(label: str, most: int, *, hint: str = "", required: bool = False) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=most, required=required, help_text=hint,
        error_messages={"required": f"{label}を入れてください。",
                        "max_length": f"{most}文字までにしてください。"},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class Number(forms.CharField):
    """A whole number; full-width digits count."""

    def __init__(self, **more: Any) -> None:
        super().__init__(max_length=8, **more)
        self.widget.attrs.update({"inputmode": "numeric", "autocomplete": "off"})

    def clean(self, value: Any) -> Any:
        text = plain_digits(super().clean(value))
        if not text:
            return None
        if not text.isascii() or not text.isdigit():
            raise forms.ValidationError("数字で入れてください。")
        return int(text)


class FilingForm(forms.Form):
    """Name, kind, contact, and lines of the plan; an empty line is left out."""

    name = _text("団体の名前", 120, required=True)
    activity_kind = forms.ChoiceField(label="おもな活動の種類")
    contact_name = _text("連絡する人", 80, hint="社協から電話をする方です。")
    contact_phone = _text("電話番号", 24)
    contact_address = _text("手紙の送り先", 200)

    def __init__(
        self, *given: Any, kinds: Choices, rows: int = PLAN_ROWS, **more: Any
    ) -> None:
        super().__init__(*given, **more)
        self.fields["activity_kind"].choices = list(kinds)  # type: ignore[attr-defined]
        self.rows = rows
        for at in range(rows):
            words = f"計画{at + 1}の"
            self.fields[f"kind_{at}"] = forms.ChoiceField(
                label=f"{words}活動の種類", choices=[("", "なし"), *kinds], required=False)
            self.fields[f"every_{at}"] = forms.ChoiceField(
                label=f"{words}ひん度", choices=EVERY, required=False)
            self.fields[f"times_{at}"] = Number(label=f"{words}回数", required=False)
            self.fields[f"place_{at}"] = _text(f"{words}会場", 120)
            self.fields[f"audience_{at}"] = _text(f"{words}参加する方", 120,
                                                  hint="たとえば「地域の65歳以上の方」")
            self.fields[f"expected_{at}"] = Number(label=f"{words}見こみの人数", required=False)

    def filing(self) -> FilingInput:
        """What was typed, for the operation.  Lines without a kind are left out."""
        data = self.cleaned_data
        plan = tuple(
            PlanInput(data[f"kind_{at}"], data[f"every_{at}"], data[f"times_{at}"] or 0,
                      data[f"place_{at}"], data[f"audience_{at}"], data[f"expected_{at}"])
            for at in range(self.rows) if data[f"kind_{at}"]
        )
        return FilingInput(data["name"], data["activity_kind"], data["contact_name"],
                           data["contact_phone"], data["contact_address"], plan)

    def names(self) -> dict[str, str]:
        """The operation's field → the form's."""
        found, line = {"plan": "kind_0"}, 0
        for at in range(self.rows):
            if self.data.get(f"kind_{at}"):
                found |= {f"plan.{line}.{name}": f"{name}_{at}" for name in _PLAN}
                line += 1
        return found

    @staticmethod
    def of(shown: Filing) -> dict[str, Any]:
        """A filing as the form's initial values."""
        line, contact = shown.line, shown.contact
        found: dict[str, Any] = {
            "name": line.name, "activity_kind": line.activity_kind, "contact_name": contact.name,
            "contact_phone": contact.phone, "contact_address": contact.address,
        }
        for at, one in enumerate(shown.plan):
            found |= {f"kind_{at}": one.activity_kind, f"every_{at}": one.every,
                      f"times_{at}": one.times, f"place_{at}": one.place,
                      f"audience_{at}": one.audience, f"expected_{at}": one.expected or ""}
        return found


class BeginForm(forms.Form):
    """Which group, programme and year a filing is begun for."""

    organisation = forms.TypedChoiceField(label="団体", coerce=int)
    programme = forms.ChoiceField(label="ポイント事業")
    fiscal_year = forms.TypedChoiceField(label="年度", coerce=int)

    def __init__(
        self, *given: Any, organisations: Choices, programmes: Choices, years: Choices,
        **more: Any,
    ) -> None:
        super().__init__(*given, **more)
        for name, choices in (("organisation", organisations), ("programme", programmes),
                              ("fiscal_year", years)):
            self.fields[name].choices = list(choices)  # type: ignore[attr-defined]


class CardForm(forms.Form):
    """A member joins by card."""

    code = forms.CharField(
        label="カードのコード", max_length=512, help_text="会員になる方のカードを見て入れます。",
        error_messages={"required": "カードのコードを入れてください。"},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )
    starts_on = JapaneseDate(label="入会する日")


class LeaveForm(forms.Form):
    """A member leaves."""

    ends_on = JapaneseDate(label="会員でなくなる日")
    reason = _text("わけ", 200, hint="書かなくても かまいません。")


class ReportForm(forms.Form):
    """The leader's words."""

    text = forms.CharField(
        label="ふりかえり", max_length=2_000, required=False,
        help_text="よかったこと、こまったこと、来年のこと。2,000文字まで。",
        error_messages={"max_length": "2,000文字までにしてください。"},
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off"}),
    )


class AcceptForm(forms.Form):
    """Registering; below the minimum a reason is asked for."""

    exception = _text("人数が足りないまま認める理由", 200)


class FindForm(forms.Form):
    """A volunteer by name, reading or number: the council's search, posted."""

    q = _text("名前・かな・手帳番号", 60, required=True)


class JoinForm(forms.Form):
    """The day from which a found volunteer is a member."""

    starts_on = JapaneseDate(label="入会する日")


class LeaderForm(forms.Form):
    """Who leads from when, and who signs in for it."""

    volunteer = forms.TypedChoiceField(label="新しい代表者", coerce=int)
    starts_on = JapaneseDate(label="就任する日")
    ends_on = JapaneseDate(label="任期の終わりの次の日", required=False,
                           help_text="決まっていなければ、書かなくてかまいません。")
    username = _text("サインインする利用者ID", 64,
                     hint="この団体のページを使う方のIDです。使わないときは空のままにします。")

    def __init__(self, *given: Any, members: Choices, **more: Any) -> None:
        super().__init__(*given, **more)
        self.fields["volunteer"].choices = list(members)  # type: ignore[attr-defined]
