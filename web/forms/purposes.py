"""Why staff open a person: the purpose codes of the access log (利用目的).

Owns the list of codes and the form that asks.  Refuses an unknown code: a person page opens
only with one of these, or from the work that the page itself belongs to.  trust.md, "Data".
"""

from __future__ import annotations

from django import forms

PURPOSES: tuple[tuple[str, str], ...] = (
    ("inquiry", "本人・家族からの問合せ"),
    ("visit", "訪問・聞きとりの準備"),
    ("roster", "名簿の確認・訂正"),
    ("plan", "個別避難計画の作成・見直し"),
    ("holder_inquiry", "町内会・民生委員からの問合せ"),
    ("emergency", "災害・訓練の対応"),
    ("inspection", "監査・点検"),
)
_LABELS = dict(PURPOSES)


def purpose_label(code: str) -> str:
    """The words of a code; empty for one that is not ours."""
    return _LABELS.get(code, "")


class PurposeForm(forms.Form):
    """Asked before a person page opens outside a work queue."""

    purpose = forms.ChoiceField(
        label="この方の情報を開く目的",
        choices=PURPOSES,
        widget=forms.RadioSelect,
        error_messages={
            "required": "目的を選んでください。",
            "invalid_choice": "目的を選んでください。",
        },
    )
