"""Invented names with the characters that break software: 髙 﨑 𠮷 邉 and variation selectors.

Owns the pools and the draw.  Frequencies are rough; the given names follow the year of birth.
Refuses to look like a list of people: a full name is always drawn, never stored.
"""

from __future__ import annotations

from random import Random

# Surname, reading, weight.  The last blocks are the hard ones; some are outside CP932.
_SURNAMES = """
佐藤 サトウ 90|鈴木 スズキ 70|渡部 ワタナベ 60|星 ホシ 45|五十嵐 イガラシ 40|遠藤 エンドウ 40
長谷川 ハセガワ 35|斎藤 サイトウ 30|小林 コバヤシ 30|佐々木 ササキ 28|山口 ヤマグチ 26
目黒 メグロ 24|大竹 オオタケ 24|菊地 キクチ 22|二瓶 ニヘイ 22|湯田 ユダ 20|室井 ムロイ 20
栗城 クリキ 18|猪俣 イノマタ 18|武藤 ムトウ 16|古川 フルカワ 16|齋藤 サイトウ 16|馬場 ババ 14
坂内 バンナイ 14|加藤 カトウ 30|伊藤 イトウ 28|高橋 タカハシ 26|阿部 アベ 24|吉田 ヨシダ 24
渡辺 ワタナベ 22|木村 キムラ 20|中村 ナカムラ 20|新井田 ニイダ 12|大島 オオシマ 12|酒井 サカイ 12
平野 ヒラノ 12|折笠 オリカサ 10|小椋 オグラ 10|穴澤 アナザワ 10|皆川 ミナガワ 10|山内 ヤマウチ 10
石田 イシダ 10|白井 シライ 10|芳賀 ハガ 8|江川 エガワ 8|鵜川 ウカワ 6|弓田 ユミタ 6|角田 ツノダ 6
髙橋 タカハシ 10|髙木 タカギ 4|山﨑 ヤマザキ 8|川﨑 カワサキ 4|宮﨑 ミヤザキ 3|渡邉 ワタナベ 8
渡邊 ワタナベ 5|田邉 タナベ 4|濵田 ハマダ 3|德永 トクナガ 2|栁沼 ヤギヌマ 3|澤井 サワイ 4
𠮷田 ヨシダ 6|𠮷川 ヨシカワ 3|葛󠄀西 カサイ 2|榊󠄀原 サカキバラ 2|辻󠄀 ツジ 2
"""
_GIVEN = {
    ("male", "early"): "正一 ショウイチ|義雄 ヨシオ|清 キヨシ|勇 イサム|三郎 サブロウ|武夫 タケオ"
    "|茂 シゲル|正二 ショウジ|喜一 キイチ|源吾 ゲンゴ|貞夫 サダオ|忠 タダシ|栄作 エイサク",
    ("female", "early"): "ハナ ハナ|キヨ キヨ|トミ トミ|ミツ ミツ|ヨシ ヨシ|フミ フミ|シゲ シゲ"
    "|ハル ハル|千代 チヨ|静江 シズエ|ツヤ ツヤ|スミ スミ|イネ イネ|ゆき ユキ",
    ("male", "middle"): "健一 ケンイチ|博 ヒロシ|和夫 カズオ|隆 タカシ|修 オサム|誠 マコト"
    "|茂樹 シゲキ|幸男 ユキオ|浩 ヒロシ|昭彦 アキヒコ|敏夫 トシオ|秀樹 ヒデキ"
    "|洋一 ヨウイチ|光男 ミツオ",
    ("female", "middle"): "和子 カズコ|幸子 サチコ|洋子 ヨウコ|恵子 ケイコ|節子 セツコ"
    "|美智子 ミチコ|京子 キョウコ|由美子 ユミコ|久美子 クミコ|裕子 ユウコ|明美 アケミ"
    "|トシ子 トシコ|信子 ノブコ",
    ("male", "late"): "大輔 ダイスケ|直樹 ナオキ|拓也 タクヤ|翔太 ショウタ|健太 ケンタ|亮 リョウ"
    "|智也 トモヤ|康平 コウヘイ|雄大 ユウダイ|悠斗 ユウト|陽介 ヨウスケ|圭 ケイ",
    ("female", "late"): "愛 アイ|美咲 ミサキ|彩 アヤ|麻衣 マイ|真由美 マユミ|香織 カオリ|恵 メグミ"
    "|奈々 ナナ|千尋 チヒロ|優子 ユウコ|綾乃 アヤノ|さくら サクラ",
    ("male", "new"): "蓮 レン|陽翔 ハルト|湊 ミナト|樹 イツキ"
    "|颯太 ソウタ|悠真 ユウマ|朝陽 アサヒ|律 リツ",
    ("female", "new"): "陽葵 ヒマリ|凛 リン|結菜 ユイナ|葵 アオイ"
    "|紬 ツムギ|芽依 メイ|咲良 サクラ|澪 ミオ",
}
Name = tuple[str, str]


def _pool(text: str) -> list[Name]:
    return [tuple(one.split()) for one in text.split("|")]  # type: ignore[misc]  # two words


_POOLS = {key: _pool(text) for key, text in _GIVEN.items()}
_ROWS = [one.split() for line in _SURNAMES.split("\n") for one in line.split("|") if one]
SURNAMES: list[Name] = [(row[0], row[1]) for row in _ROWS]
_RUNNING = [sum(int(row[2]) for row in _ROWS[: at + 1]) for at in range(len(_ROWS))]


def surname(rng: Random) -> Name:
    """A surname and its reading, by weight."""
    return rng.choices(SURNAMES, cum_weights=_RUNNING)[0]


def given(rng: Random, sex: str, year: int) -> Name:
    """A given name of the time for a sex (male, female) and a year of birth."""
    era = "early" if year < 1945 else "middle" if year < 1973 else "late" if year < 2005 else "new"
    return rng.choice(_POOLS[sex, era])


def holds_cp932(text: str) -> bool:
    """Whether a CP932 file can carry the text; 𠮷 and variation selectors it cannot."""
    try:
        text.encode("cp932")
    except UnicodeEncodeError:
        return False
    return True
