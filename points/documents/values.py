"""What the points papers print: frozen values that were chosen before they came here.

Owns: the inputs of card sheets, vouchers and attendance sheets.  Refuses: to know people or
balances; codes are given, never made here.  Rules: P4.5 (paper sheet), P6 (cards), P7
(vouchers) of the points design.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Card:
    """One card (手帳・カード): the QR holds ``code`` and nothing personal."""

    code: str  # what the QR says, e.g. HTTPS://… in capitals
    code_text: str = ""  # the same in groups to type, its check character last
    number: str  # 手帳番号
    name: str
    kana: str = ""
    programmes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CardSheet:
    """The words that every card of a sheet shares."""

    title: str  # カードの名前
    municipality: str
    finder: str  # 「ひろった方は 社協 0242-00-0000 へ」
    advice: str = "受付でQRコードを見せてください（スマホ不要）"
    maker: str = ""
    sample: bool = False  # 見本


@dataclass(frozen=True, kw_only=True)
class VoucherPaper:
    """One voucher (利用券) on A4."""

    serial: str  # 通し番号
    code: str  # what the QR says
    code_text: str  # the same in characters to type
    yen: str  # 「1,000円」
    programme: str
    holder: str  # 交換した人
    points: str = ""  # 「10ポイントと交換」
    issued_on: str = ""
    valid_until: str = ""
    usable_at: tuple[str, ...] = ()  # 使える店
    conditions: tuple[str, ...] = (
        "おつりは出ません。現金とは交換できません。",
        "1回だけ使えます。コピーは使えません。",
    )


@dataclass(frozen=True, kw_only=True)
class VoucherIssuer:
    """Who stands behind the vouchers of one print."""

    municipality: str
    office: str
    phone: str
    sample: bool = False


@dataclass(frozen=True, kw_only=True)
class AttendanceMember:
    """One line of the paper sheet; ``order`` is the order of entry, ``code`` the row's QR."""

    order: int
    number: str  # 手帳番号
    name: str
    kana: str = ""
    code: str = ""


@dataclass(frozen=True, kw_only=True)
class AttendanceSheet:
    """The paper list of one session (参加者名簿), members in order."""

    sheet_number: str  # 用紙番号
    municipality: str
    programme: str
    group: str
    activity: str
    held_on: str
    time: str
    place: str
    leader: str = ""
    members: tuple[AttendanceMember, ...] = ()
    empty_lines: int = 5  # for people who are not on the list
    return_to: str = ""  # 提出先
    code: str = ""  # of the sheet, drawn as a QR for the entry page
    sample: bool = False


@dataclass(frozen=True, kw_only=True)
class EventPoster:
    """The printed event QR of one session (紙のQR), A4."""

    municipality: str
    programme: str
    group: str
    activity: str
    held_on: str
    time: str
    place: str
    window: str  # 「9時30分から12時まで」: when the code works
    code: str  # what the QR says
    contact: str  # who helps
    sample: bool = False


@dataclass(frozen=True, kw_only=True)
class PracticePoster:
    """The practice QR for a smartphone class (練習用), A4: counts nobody."""

    municipality: str
    code: str
    contact: str
    sample: bool = False
