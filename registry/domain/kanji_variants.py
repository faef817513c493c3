"""Variant kanji of personal and place names, folded for searching only.

Owns one small table: the first character of each group stands for all of it.  Refuses to be a
spelling: names are stored and printed as registered; this only lets 髙橋 be found by 高橋.
Refuses to join different names that look alike (崎/埼, 坂/阪, 園/薗, 裏/裡, 祐/佑).
Source: made by hand from 旧字体 in the 付表 of 常用漢字表, 人名用漢字 別表二 and the vendor
characters of CP932 that occur in names.  Compatibility ideographs are folded by NFKC before.
"""

from __future__ import annotations

_GROUPS = """
高髙 崎﨑嵜碕 吉𠮷 辺邊邉𨘢𨕙 斎齋斉齊齎 沢澤 広廣 浜濱濵 桜櫻 竜龍 滝瀧 島嶋嶌 国國圀 黒黑 横橫
徳德 恵惠 真眞 与與 万萬 富冨 峰峯 秋穐龝 船舩 館舘 関關 塩鹽 柳栁桺 橋𣘺槗 曽曾 増增 渋澁 蔵藏
瀬瀨 静靜 実實 寿壽 栄榮 蛍螢 営營 鉄鐵鐡 歳歲 巌巖 亀龜 弥彌 祢禰 礼禮 豊豐 禄祿 穣穰 穂穗 稲稻
頼賴 来來 勅敕 竃竈 条條 桧檜 檪櫟 梼檮 槙槇 薮藪籔 鴬鶯 鴎鷗 鶏鷄 鷆鷏 壷壺 礪砺 蛎蠣 籠篭 芦蘆
芸藝 荘莊 薫薰 萌萠 衛衞 覚覺 観觀 誉譽 読讀 郎郞 隣鄰 遙遥 鎮鎭 錬鍊 録錄 雑雜 霊靈 餅餠 駅驛
駆驅 験驗 髪髮 鶴靍靏鸖 麦麥 黄黃 点點 歯齒 尭堯 尚尙 届屆 属屬 岳嶽 峡峽 巣巢 帯帶 帰歸 庁廳
弁辨辯 弐貳 当當 従從 応應 恒恆 悦悅 懐懷 戸戶 戻戾 抜拔 拝拜 拡擴 挙擧 揺搖 収收 教敎 数數 昿曠
昼晝 晋晉 暁曉 暦曆 村邨 松枩 枢樞 栃杤 梅楳 様樣 権權 歓歡 歩步 残殘 毎每 気氣 涙淚 浄淨 浅淺
清淸 温溫 湾灣 満滿 済濟 渓溪 潜潛 灯燈 炉爐 為爲 焼燒 状狀 独獨 狭狹 猪豬 瑶瑤 画畫 畳疊 発發
県縣 砕碎 秘祕 称稱 窓窻 竪豎 粛肅 糸絲 経經 総總 緑綠 縁緣 縦縱 繊纖 続續 缶罐 群羣 聡聰 声聲
臓臟 台臺 旧舊 尽盡 変變 転轉 軽輕 逓遞 遅遲 郷鄕 酔醉 醸釀 鉱鑛 銭錢 闘鬭 陥陷 険險 顕顯 飲飮
騒騷 塁壘 団團 圧壓 囲圍 円圓 図圖 奥奧 壌壤 姫姬 嬢孃 学學斈 宝寶寳 寛寬 対對 専專 将將 侠俠 倹儉
偽僞 価價 仏佛 仮假 両兩 児兒 内內 剣劍劔剱 勲勳 励勵 労勞 区區 医醫 即卽 厳嚴 参參 双雙 呉吳 嘱囑
単單 淵渕渊 舎舍 野埜 杉杦 凛凜 鰺鯵 翻飜 曳曵 桑桒 土圡 沖冲 角⻆ 涼凉 熙煕凞 彦彥 青靑 並竝 乗乘
亘亙 俣俁 兎兔 卯夘 喜㐂 売賣 慎愼 柏栢 涌湧 絵繪 間閒 麹麴 衆眾 橘𣘹
"""


def _table() -> dict[int, str]:
    """Every variant (code point) → the first character of its group."""
    return {ord(other): group[0] for group in _GROUPS.split() for other in group[1:]}


FOLD: dict[int, str] = _table()
