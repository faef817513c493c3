"""How each scan result looks, reads and sounds on a page.

Owns what only the screens need: CSS classes, the reception screen's words, what to do
next, and whether name and activity may follow.  Headline, advice, icon, colour, layout and
sound come from the one enum in ``points.domain.results`` and are not repeated here.
Refuses: deciding results, and unknown codes (``ValueError``), so that a new code without
reception words fails at import instead of showing an empty banner.
Source: screens.md, "Look"; points.md P4 (no name before a phone is bound), P5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from points.domain.results import Colour, Face, Layout, Result

_SHOW_STAFF: Final = "この画面を係の人に見せる"
_NEXT: Final = "つぎの方、どうぞ"

#: Reception screen: headline, and what the person or the host does now.
_KIOSK: Final[dict[Result, tuple[str, str]]] = {
    Result.GRANTED: ("受付しました", _NEXT),
    Result.ALREADY: ("もう受付ずみです", f"ポイントは ついています。{_NEXT}"),
    Result.CAP_REACHED: ("参加を記録しました", f"上限のため0ポイントです。{_NEXT}"),
    Result.QUEUED: ("受付しました・送信まち", f"電波がもどると送ります。{_NEXT}"),
    Result.EXPIRED: ("QRコードの時間切れです", "いまの画面のQRコードを 読みとってください"),
    Result.NOT_OPEN: ("受付の時間ではありません", "係の人が 時間をたしかめてください"),
    Result.UNKNOWN_DEVICE: ("この端末は登録されていません", "係の人が 端末を登録してください"),
    Result.BAD_CARD: ("カードを読みとれません", "もう一度、黄色いわくに入れてください"),
    Result.OTHER_GROUP: ("名簿にない方です", "係の人が 名簿をたしかめてください"),
    Result.NOT_ELIGIBLE: ("参加を記録しました", f"ポイントの対象外です。{_NEXT}"),
    Result.OVERLAP_WAITING: ("受付しました・確認まち", f"別の活動と時間が重なっています。{_NEXT}"),
    Result.YEAR_CLOSED: ("受付しました・確認まち", "年度がしめきられています。係がたしかめます"),
    Result.CANCELLED_CARD: (
        "このカードは使えません",
        "「カードを忘れた方」から 名前でさがせます",
    ),
}

#: Numbered things to do, where the advice is not enough.
_TODO: Final[dict[Result, tuple[str, ...]]] = {
    Result.EXPIRED: ("カメラを もう一度開く", "会場の画面に むける", "出てきた文字を おす"),
    Result.NOT_OPEN: ("活動の日と時間を たしかめる", _SHOW_STAFF),
    Result.BAD_CARD: ("カードのQRコードを 上にむける", "もう一度 読みとる", _SHOW_STAFF),
    Result.OTHER_GROUP: ("活動の名前を たしかめる", _SHOW_STAFF),
    Result.CANCELLED_CARD: ("新しいカードを さがす", "見つからないときは、係の人に言う"),
}

#: Results after which no name or activity may be shown.
_WITHOUT_FACTS: Final = frozenset(
    {Result.EXPIRED, Result.UNKNOWN_DEVICE, Result.BAD_CARD, Result.CANCELLED_CARD}
)


@dataclass(frozen=True, slots=True)
class State:
    """One result on the screen: the domain's face plus what only a page needs."""

    result: Result
    face: Face
    kiosk_title: str
    kiosk_detail: str
    todo: tuple[str, ...]
    facts: bool

    @property
    def code(self) -> str:
        """The API code."""
        return self.result.value

    @property
    def title(self) -> str:
        """Headline on the volunteer's phone."""
        return self.face.title

    @property
    def detail(self) -> str:
        """Advice; empty for ``granted``, whose page ends with the same sentence."""
        return "" if self.result is Result.GRANTED else self.face.advice

    @property
    def icon(self) -> str:
        """Name of a state icon in ``templatetags/web_icons.py``."""
        return self.face.icon

    @property
    def sound(self) -> str:
        """Name of a pattern in ``js/kiosk-sound.js``."""
        return self.face.sound

    @property
    def css(self) -> str:
        """Classes of the banner: colour and layout are two separate signs."""
        return css(self.face.colour, self.face.layout)

    @property
    def failed(self) -> bool:
        """True where the page ends with "ask somebody", not with "this is all"."""
        return self.face.colour is Colour.ERROR


def css(colour: Colour, layout: Layout) -> str:
    """``state-success layout-filled-band``"""
    return f"state-{colour.value} layout-{layout.value.replace('_', '-')}"


STATES: Final[dict[str, State]] = {
    result.value: State(
        result, result.face, *_KIOSK[result], _TODO.get(result, ()), result not in _WITHOUT_FACTS
    )
    for result in Result
}


def state(code: str) -> State:
    """The row for ``code`` (a plain str or a ``Result``).  ``ValueError`` if unknown."""
    return STATES[Result(code).value]


def as_script_data() -> dict[str, dict[str, object]]:
    """The table for ``kiosk.js``: put it on the page with ``json_script``."""
    return {
        code: {
            "css": row.css,
            "kiosk_title": row.kiosk_title,
            "kiosk_detail": row.kiosk_detail,
            "sound": row.sound,
            "failed": row.failed,
            "counted": row.result.recorded or row.result is Result.QUEUED,
        }
        for code, row in STATES.items()
    }
