"""Forms of the door: account and password, six digits, binding a phone."""

from __future__ import annotations

import unicodedata
from datetime import date

from django import forms


def plain_digits(text: str) -> str:
    """Full-width digits and spaces as people type them, to ASCII without spaces."""
    return "".join(unicodedata.normalize("NFKC", text).split())


class PasswordForm(forms.Form):
    """Step 1 of signing in.  The password is never drawn again."""

    username = forms.CharField(
        label="利用者ID", max_length=64,
        error_messages={"required": "利用者IDを入れてください。"},
        widget=forms.TextInput(attrs={
            "autocomplete": "username", "autocapitalize": "none", "spellcheck": "false",
        }),
    )
    password = forms.CharField(
        label="パスワード", max_length=256, strip=False,
        error_messages={"required": "パスワードを入れてください。"},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class CodeForm(forms.Form):
    """Step 2 of signing in: full-width digits and a space in between are fine."""

    code = forms.CharField(
        label="確認コード（数字6けた）", max_length=20,
        error_messages={"required": "確認コードを入れてください。"},
        widget=forms.TextInput(attrs={
            "autocomplete": "one-time-code", "inputmode": "numeric", "class": "input-code",
        }),
    )

    def clean_code(self) -> str:
        digits = plain_digits(self.cleaned_data["code"])
        if len(digits) != 6 or not digits.isascii() or not digits.isdigit():
            raise forms.ValidationError("確認コードは、数字6けたで入れてください。")
        return digits


class BindForm(forms.Form):
    """The card's code and the birthday; never the 手帳番号 alone (P4)."""

    code = forms.CharField(
        label="カードのコード", max_length=120,
        help_text="英数字12文字です。カードのQRコードを スマホのカメラで読むと、自動で入ります。",
        error_messages={"required": "カードのコードを入れてください。"},
        widget=forms.TextInput(attrs={
            "autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false",
        }),
    )
    birth_month = forms.CharField(
        label="誕生日の月", max_length=4, help_text="たとえば、5月3日なら「5」",
        error_messages={"required": "誕生日の月を入れてください。"},
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )
    birth_day = forms.CharField(
        label="誕生日の日", max_length=4, help_text="たとえば、5月3日なら「3」",
        error_messages={"required": "誕生日の日を入れてください。"},
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )

    def clean_birth_month(self) -> int:
        return self._number("birth_month", 12, "月は1〜12の数字で入れてください。")

    def clean_birth_day(self) -> int:
        return self._number("birth_day", 31, "日は1〜31の数字で入れてください。")

    def clean(self) -> dict[str, object]:
        given = dict(super().clean() or self.cleaned_data)
        if "birth_month" in given and "birth_day" in given:
            try:
                date(2000, given["birth_month"], given["birth_day"])  # a leap year
            except ValueError:
                self.add_error("birth_day", "この月日はありません。たしかめてください。")
        return given

    def _number(self, name: str, most: int, sentence: str) -> int:
        digits = plain_digits(self.cleaned_data[name]).rstrip("月日")
        if not digits.isascii() or not digits.isdigit() or not 1 <= int(digits) <= most:
            raise forms.ValidationError(sentence)
        return int(digits)
