"""The shop's one field."""

from __future__ import annotations

from django import forms


class VoucherForm(forms.Form):
    """The code of a voucher, scanned or typed."""

    code = forms.CharField(
        label="利用券のコード", max_length=200,
        help_text="券のQRコードの下にある、英数字12文字です。",
        error_messages={"required": "利用券のコードを入れてください。"},
        widget=forms.TextInput(attrs={
            "autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false",
        }),
    )
