"""How each scan result looks, reads and sounds.

Owns one row per result code: tone (CSS class), icon, words, sound.  A state is never
colour alone; two codes never share icon *and* words *and* tone (screens.md, "Look").
Refuses: deciding results (``points.domain`` does) and unknown codes (``KeyError``), so
that a new code without words fails a test instead of showing an empty banner.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final


class Tone(StrEnum):
    """CSS class suffix of ``.state-…``; each tone has its own layout."""

    SUCCESS = "success"  # filled green
    RECORDED = "recorded"  # pale green between two bars: counted, no point
    CAUTION = "caution"  # filled yellow
    WAITING = "waiting"  # dashed frame: somebody or something still has to act
    REFUSED = "refused"  # white under a red bar
    INFO = "info"  # pale blue, left-aligned: a question follows


class Sound(StrEnum):
    """Names of the tone patterns in ``js/kiosk-sound.js``."""

    GRANTED = "granted"  # two rising notes
    SOFT = "soft"  # one middle note
    TWICE = "twice"  # the same note twice
    REFUSED = "refused"  # one long low note


@dataclass(frozen=True, slots=True)
class State:
    """What a person sees for one result code.

    ``title``/``detail``/``todo`` are for the volunteer's phone; ``kiosk_title`` and
    ``kiosk_detail`` are for the reception screen.  ``facts`` says whether name, activity
    and time may follow (never before a phone is bound, points.md P4).
    """

    code: str
    tone: Tone
    icon: str
    title: str
    detail: str
    kiosk_title: str
    kiosk_detail: str
    sound: Sound
    facts: bool = True
    todo: tuple[str, ...] = ()

    @property
    def css(self) -> str:
        """Class of the banner."""
        return f"state-{self.tone.value}"


_SHOW_STAFF: Final = "この画面を係の人に見せる"

_ROWS: Final[tuple[State, ...]] = (
    State(
        "granted",
        Tone.SUCCESS,
        "check",
        "ポイントが つきました",
        "",
        "受付しました",
        "つぎの方、どうぞ",
        Sound.GRANTED,
    ),
    State(
        "already",
        Tone.CAUTION,
        "warning",
        "もう受付が すんでいます",
        "もう一度 読みとらなくて大丈夫です。",
        "もう受付ずみです",
        "ポイントは ついています。つぎの方、どうぞ",
        Sound.TWICE,
    ),
    State(
        "cap_reached",
        Tone.RECORDED,
        "full",
        "参加を 記録しました",
        "きょうは、もう上限までポイントがついています。",
        "参加を記録しました",
        "上限のため0ポイントです。つぎの方、どうぞ",
        Sound.SOFT,
    ),
    State(
        "queued",
        Tone.WAITING,
        "no_signal",
        "受付しました・送信まち",
        "電波がもどると、自動で送ります。もう一度 読みとらなくて大丈夫です。",
        "受付しました・送信まち",
        "電波がもどると送ります。つぎの方、どうぞ",
        Sound.SOFT,
    ),
    State(
        "expired",
        Tone.REFUSED,
        "clock",
        "QRコードの時間が 切れています",
        "会場の画面のQRコードを、もう一度 読みとってください。ポイントは まだ ついていません。",
        "QRコードの時間切れです",
        "いまの画面のQRコードを 読みとってください",
        Sound.REFUSED,
        facts=False,
        todo=("カメラを もう一度開く", "会場の画面に むける", "出てきた文字を おす"),
    ),
    State(
        "not_open",
        Tone.WAITING,
        "calendar",
        "受付の時間では ありません",
        "受付は、活動の時間の前後だけできます。ポイントは まだ ついていません。",
        "受付の時間ではありません",
        "係の人が 時間をたしかめてください",
        Sound.REFUSED,
        todo=("活動の日と時間を たしかめる", _SHOW_STAFF),
    ),
    State(
        "unknown_device",
        Tone.INFO,
        "phone",
        "はじめの登録（1回だけ）",
        "このスマホを使うのは、はじめてです。カードの番号を入れてください。",
        "この端末は登録されていません",
        "係の人が 端末を登録してください",
        Sound.REFUSED,
        facts=False,
    ),
    State(
        "bad_card",
        Tone.REFUSED,
        "cross",
        "カードを 読みとれません",
        "このQRコードは、つながりのカードではないようです。ポイントは ついていません。",
        "カードを読みとれません",
        "もう一度、黄色いわくに入れてください",
        Sound.REFUSED,
        facts=False,
        todo=("カードのQRコードを 上にむける", "もう一度 読みとる", _SHOW_STAFF),
    ),
    State(
        "other_group",
        Tone.REFUSED,
        "people",
        "ほかの団体の 活動です",
        "この活動は、登録している団体のものではありません。ポイントは ついていません。",
        "ほかの団体の方です",
        "係の人が 名簿をたしかめてください",
        Sound.REFUSED,
        todo=("活動の名前を たしかめる", _SHOW_STAFF),
    ),
    State(
        "not_eligible",
        Tone.RECORDED,
        "info",
        "参加を 記録しました（0ポイント）",
        "この活動では、ポイントの対象になりません。",
        "参加を記録しました",
        "ポイントの対象外です。つぎの方、どうぞ",
        Sound.SOFT,
    ),
    State(
        "overlap_waiting",
        Tone.WAITING,
        "overlap",
        "係が たしかめます",
        "同じ時間の別の活動と重なっています。係がたしかめてから、ポイントがつきます。",
        "係がたしかめます",
        "別の活動と時間が重なっています。つぎの方、どうぞ",
        Sound.SOFT,
        todo=("何もしなくて大丈夫です",),
    ),
    State(
        "year_closed",
        Tone.WAITING,
        "lock",
        "年度の受付は 終わりました",
        "参加は記録しました。ポイントは、係がたしかめてからお知らせします。",
        "年度の受付は終わりました",
        "記録は残しました。係がたしかめます",
        Sound.SOFT,
    ),
    State(
        "cancelled_card",
        Tone.REFUSED,
        "card_off",
        "前のカードです",
        "このカードは、もう使えません。新しいカードを使ってください。"
        "ためたポイントは 残っています。",
        "前のカードです。使えません",
        "「カードを忘れた方」から 名前でさがせます",
        Sound.REFUSED,
        facts=False,
        todo=("新しいカードを さがす", "見つからないときは、係の人に言う"),
    ),
)

STATES: Final[dict[str, State]] = {row.code: row for row in _ROWS}


def state(code: str) -> State:
    """The row for ``code`` (a plain str or a StrEnum member).  ``KeyError`` if unknown."""
    return STATES[str(code)]


def as_script_data() -> dict[str, dict[str, object]]:
    """The table for ``kiosk.js``: put it on the page with ``json_script``."""
    return {code: asdict(row) | {"css": row.css} for code, row in STATES.items()}
