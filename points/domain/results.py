"""The answer to one scan: a single enum that every face, device and sound follows.

Owns: the result codes of the API, and for each its Japanese words, advice, icon, colour
token, layout and sound, so that a state is never colour alone.
Refuses: a result without words; two results that differ in colour only (tested).
Source: ``screens.md`` (Look: one enum), ``interfaces.md`` (POST points/scans), P5.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    """受付結果. The value is the API code and never changes."""

    GRANTED = "granted"
    ALREADY = "already"
    CAP_REACHED = "cap_reached"
    QUEUED = "queued"
    EXPIRED = "expired"
    NOT_OPEN = "not_open"
    UNKNOWN_DEVICE = "unknown_device"
    BAD_CARD = "bad_card"
    OTHER_GROUP = "other_group"
    NOT_ELIGIBLE = "not_eligible"
    OVERLAP_WAITING = "overlap_waiting"
    YEAR_CLOSED = "year_closed"
    CANCELLED_CARD = "cancelled_card"

    @property
    def face(self) -> Face:
        """How this result looks, reads and sounds."""
        return FACES[self]

    @property
    def recorded(self) -> bool:
        """True when the attendance is stored: the person has been counted as present."""
        return self in _RECORDED


class Colour(StrEnum):
    """Names of colour tokens in the vendored design tokens' stylesheet."""

    SUCCESS = "success"
    NOTICE = "notice"
    WAITING = "waiting"
    ERROR = "error"
    GUIDE = "guide"


class Layout(StrEnum):
    """The shape of the page: told apart without colour."""

    FILLED_BAND = "filled_band"
    OUTLINED_BAND = "outlined_band"
    TOP_RULE = "top_rule"
    FORM = "form"


@dataclass(frozen=True, slots=True)
class Face:
    """``title`` is the headline, ``advice`` what to do now; both plain Japanese."""

    title: str
    advice: str
    icon: str
    colour: Colour
    layout: Layout
    sound: str


_RECORDED = frozenset(
    {
        Result.GRANTED,
        Result.ALREADY,
        Result.CAP_REACHED,
        Result.NOT_ELIGIBLE,
        Result.OVERLAP_WAITING,
        Result.YEAR_CLOSED,
    }
)

FACES: dict[Result, Face] = {
    Result.GRANTED: Face(
        "ポイントが つきました",
        "このまま画面をとじてください。",
        "check",
        Colour.SUCCESS,
        Layout.FILLED_BAND,
        "rise",
    ),
    Result.ALREADY: Face(
        "もう受付が すんでいます",
        "もう一度 読みとらなくて大丈夫です。",
        "triangle",
        Colour.NOTICE,
        Layout.FILLED_BAND,
        "two_soft",
    ),
    Result.CAP_REACHED: Face(
        "参加を 受け付けました",
        "上限に達しているため、ポイントは つきません。",
        "flag",
        Colour.NOTICE,
        Layout.OUTLINED_BAND,
        "one_soft",
    ),
    Result.QUEUED: Face(
        "受付しました・送信まち",
        "電波が もどると、自動で送ります。",
        "clock",
        Colour.WAITING,
        Layout.OUTLINED_BAND,
        "one_low",
    ),
    Result.EXPIRED: Face(
        "QRコードの時間が 切れています",
        "会場の画面のQRコードを、もう一度 読みとってください。ポイントは まだ ついていません。",
        "cross",
        Colour.ERROR,
        Layout.TOP_RULE,
        "fall",
    ),
    Result.NOT_OPEN: Face(
        "いまは 受付の時間では ありません",
        "はじまる時間を、係の人に きいてください。",
        "door",
        Colour.ERROR,
        Layout.OUTLINED_BAND,
        "fall_short",
    ),
    Result.UNKNOWN_DEVICE: Face(
        "はじめの登録(1回だけ)",
        "このスマホを使うのは、はじめてです。手帳の番号を入れてください。",
        "phone",
        Colour.GUIDE,
        Layout.FORM,
        "one_high",
    ),
    Result.BAD_CARD: Face(
        "コードを 読みとれません",
        "もう一度 読みとるか、係の人に お名前を つたえてください。",
        "question",
        Colour.ERROR,
        Layout.TOP_RULE,
        "two_low",
    ),
    Result.OTHER_GROUP: Face(
        "この団体の 名簿に ありません",
        "係の人が、名簿を たしかめます。",
        "people",
        Colour.NOTICE,
        Layout.TOP_RULE,
        "three_soft",
    ),
    Result.NOT_ELIGIBLE: Face(
        "参加を 受け付けました(ポイントなし)",
        "ポイントが つかない理由を、下に書いています。",
        "info",
        Colour.NOTICE,
        Layout.FORM,
        "low_soft",
    ),
    Result.OVERLAP_WAITING: Face(
        "参加を 受け付けました・確認まち",
        "同じ時間に ほかの参加記録があります。係の人が たしかめます。",
        "overlap",
        Colour.WAITING,
        Layout.TOP_RULE,
        "two_low_soft",
    ),
    Result.YEAR_CLOSED: Face(
        "参加を 受け付けました・確認まち",
        "この年度は しめきられています。係の人が たしかめます。",
        "calendar",
        Colour.WAITING,
        Layout.FORM,
        "low_long",
    ),
    Result.CANCELLED_CARD: Face(
        "このカードは 使えません",
        "新しいカードを 使ってください。ポイントは なくなりません。",
        "card_off",
        Colour.ERROR,
        Layout.FORM,
        "three_low",
    ),
}
