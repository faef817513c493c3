"""What the rosters and notices print: frozen values that were filtered before they came here.

Owns: the inputs of the booklet, the difference sheet, the notices and the slips.
Refuses: to know people.  There is no query and no rule about who may see what in this package;
``evacuation.domain.disclosure`` decided that (R1, R7, R8, R11).  An empty string or tuple
means "this edition does not carry it" and prints nothing.  Dates and ages come as words.
Rules: R5, R8, R9; 災害対策基本法 第49条の13 (roster) and 第49条の17 (plans).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from evacuation.domain.planning import PRINT_SENTENCES

ROSTER_NOTICE = (
    "この名簿には、災害対策基本法 第49条の13により秘密を守る義務があります。"
    "役目を終えた後も同じです。"
)
PLAN_NOTICE = (
    "この計画には、災害対策基本法 第49条の17により秘密を守る義務があります。"
    "役目を終えた後も同じです。"
)
BOTH_NOTICE = (
    "災害対策基本法 第49条の13（名簿）・第49条の17（計画）により、"
    "秘密を守る義務があります。役目を終えた後も同じです。"
)
# R14: the sentences are the plan's own, the print only carries them.
NO_GUARANTEE = "".join(PRINT_SENTENCES)
HOLDER_DUTIES = (
    "災害のときの避難の手助け、安否の確認、ふだんの見守り・訓練のためだけに使います。",
    "コピー・写真・書き写しをしません。名簿にのっている方のことを、人に話しません。",
    "決めた場所に、かぎをかけて保管します。持ち出すのは災害・訓練・見守りのときだけです。",
    "なくしたとき、ぬすまれたときは、すぐに市へ電話します。",
    "役目を終えたとき、新しい版を受けとるときは、この名簿を市へ返します。",
)


@dataclass(frozen=True, kw_only=True)
class BookletHeader:
    """One numbered copy of one edition made for one recipient (R9)."""

    municipality: str  # 市町村
    recipient: str  # 提供先, e.g. 城東町 町内会
    holder: str  # 保管する人, office and name
    area: str  # 対象の区域
    edition: str  # 版, e.g. 令和8年度 第2版
    copy_number: str  # 副本番号
    as_of: str  # 基準日
    issued_on: str  # 発行日
    ground: str  # 提供の根拠, e.g. 災害対策基本法 第49条の11第2項（本人の同意）
    office: str  # 発行した部署
    phone: str  # 連絡先
    check_code: str = ""  # 封入の照合に使う符号; printed as a QR on every page
    title: str = "避難行動要支援者名簿"
    recipient_kind: str = ""  # 提供先の区分
    storage: str = ""  # 保管場所
    notice: str = ROSTER_NOTICE
    sample: bool = False  # 見本


@dataclass(frozen=True, kw_only=True)
class Contact:
    """Somebody to ring: an emergency contact or a supporter."""

    name: str
    relation: str = ""  # 続柄・関係
    phone: str = ""


@dataclass(frozen=True, kw_only=True)
class BookletPerson:
    """One person as this recipient may see them (R8). Empty means: not in this edition."""

    number: str  # 名簿番号
    name: str  # 氏名
    kana: str = ""  # ふりがな
    sex: str = ""  # 性別
    birth: str = ""  # 生年月日
    age: str = ""  # 年齢, e.g. 88歳
    household: str = ""  # 世帯, e.g. ひとり暮らし
    group: str = ""  # 班
    address: str = ""  # 住所・居所
    whereabouts: str = ""  # 建物・寝室, e.g. 平屋・寝室は南側
    phone: str = ""  # 電話番号
    other_contact: str = ""  # その他の連絡先（ファクス・メール）
    reason: str = ""  # 避難支援等を必要とする事由
    needs: tuple[str, ...] = ()  # 必要な支援, in plain words
    devices: tuple[str, ...] = ()  # 電源のいる機器
    communication: str = ""  # 意思の伝え方
    commissioner: str = ""  # 担当民生委員
    contacts: tuple[Contact, ...] = ()  # 緊急連絡先
    supporters: tuple[Contact, ...] = ()  # 避難支援等実施者, only where R2 allows
    supporters_note: str = ""  # e.g. 未定
    destination: str = ""  # 避難先, only where R2 allows
    priority: str = ""  # 優先度, e.g. 高
    mark: str = ""  # since the last edition: 新 / 変
    extra: tuple[tuple[str, str], ...] = ()  # その他の項目


@dataclass(frozen=True, kw_only=True)
class DifferenceLine:
    """A person who is new (新しい方) or no longer listed (除かれた方)."""

    number: str
    name: str
    kana: str = ""
    address: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class ChangedLine:
    """A person whose entry changed (変わった方): (item, before, after) in words."""

    number: str
    name: str
    kana: str = ""
    changes: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class DifferenceSheet:
    """What changed between two editions for one recipient."""

    previous_edition: str
    new: tuple[DifferenceLine, ...] = ()
    changed: tuple[ChangedLine, ...] = ()
    removed: tuple[DifferenceLine, ...] = ()
    unchanged: int = 0


@dataclass(frozen=True, kw_only=True)
class StrikeOut:
    """R5: the order to strike people out of a copy in circulation."""

    header: BookletHeader  # of the copy that is in the holder's hands
    persons: tuple[DifferenceLine, ...]
    notice_number: str
    sent_on: str
    reply_by: str


@dataclass(frozen=True, kw_only=True)
class LossNotice:
    """The letter to one person whose entry was on a lost copy."""

    municipality: str
    mayor: str  # 発信者, e.g. 会津若松市長 ○○ ○○
    letter_number: str  # 文書番号
    sent_on: str
    addressee: str
    address: str
    postal_code: str
    happened: str  # いつ・どこで・何がおきたか
    lost_items: tuple[str, ...]  # のっていた項目
    done: tuple[str, ...]  # 市がしたこと
    advice: tuple[str, ...]  # お願い
    office: str
    phone: str
    hours: str = ""
    check_code: str = ""
    sample: bool = False
    apology: str = field(
        default="あなたの情報がのった名簿を、市の管理のもとで失いました。深くおわび申し上げます。"
    )
