"""The files that other systems would send: residents, care levels, handbooks.

Owns writing them in the columns of the shipped mapping profiles: CP932 with 和暦 as numbers for
most people, UTF-8 with a BOM and written 和暦 for names that CP932 cannot hold.  The demo brings
them in through the real import.  Refuses 個人番号, of course: the key is 宛名番号.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from config.democity.names import holds_cp932
from config.democity.places import CITY_CODE
from config.democity.residents import Resident

_ERAS = (
    (date(2019, 5, 1), "5", "令和"), (date(1989, 1, 8), "4", "平成"),
    (date(1926, 12, 25), "3", "昭和"), (date(1912, 7, 30), "2", "大正"),
)
_RESIDENTS = (
    "市区町村コード", "宛名番号", "世帯番号", "氏名", "氏名_フリガナ", "生年月日", "性別",
    "郵便番号", "住所", "方書", "町字名", "小字名", "行政区コード", "班", "電話番号", "経度",
    "緯度", "転入年月日", "転出年月日", "死亡年月日", "支援措置終了年月日",
)
_CARE = ("宛名番号", "氏名", "生年月日", "要介護状態区分コード", "施設入所年月日", "施設名")
_HANDBOOKS = (
    "宛名番号", "氏名", "生年月日", "身体_等級", "身体_障害部位", "身体_旅客運賃種別", "療育_判定",
    "精神_等級", "難病_該当", "必要な配慮",
)
Spelling = Callable[[date | None], str]


@dataclass(frozen=True)
class RegisterFile:
    """A file for ``imports.stage``: profile code, name and bytes."""

    profile: str
    name: str
    content: bytes
    rows: int


def numeric(on: date | None) -> str:
    """和暦 as seven digits: 3130503 is 昭和13年5月3日; "" for no date."""
    if on is None:
        return ""
    first, number, _ = next(era for era in _ERAS if on >= era[0])
    return f"{number}{on.year - first.year + 1:02}{on.month:02}{on.day:02}"


def written(on: date | None) -> str:
    """和暦 in words: 昭和13年5月3日, 令和元年5月1日; "" for no date."""
    if on is None:
        return ""
    first, _, word = next(era for era in _ERAS if on >= era[0])
    year = on.year - first.year + 1
    return f"{word}{'元' if year == 1 else year}年{on.month}月{on.day}日"


def files(people: Sequence[Resident]) -> list[RegisterFile]:
    """Every file of the city, in the order in which they are to be applied."""
    old = [one for one in people if _plain(one)]
    new = [one for one in people if not _plain(one)]
    found = []
    for some, encoding, spelling, name in (
        (old, "cp932", numeric, "住民基本_見本.csv"),
        (new, "utf-8-sig", written, "住民基本_見本_UTF8.csv"),
    ):
        if some:
            rows = [_resident(one, spelling) for one in some]
            found.append(_file("residents", name, _RESIDENTS, rows, encoding))
    care = [one for one in people if one.care_level]
    if care:
        rows = [_care(one) for one in care]
        found.append(_file("care", "要介護認定_見本.csv", _CARE, rows, "utf-8-sig"))
    books = [one for one in people
             if one.physical_grade or one.intellectual or one.mental or one.disease or one.needs]
    if books:
        rows = [_handbook(one) for one in books]
        found.append(_file("handbooks", "手帳_見本.csv", _HANDBOOKS, rows, "utf-8-sig"))
    return found


def residents_file(people: Sequence[Resident], *, encoding: str, name: str) -> RegisterFile:
    """One file of residents alone."""
    spelling = numeric if encoding == "cp932" else written
    rows = [_resident(one, spelling) for one in people]
    return _file("residents", name, _RESIDENTS, rows, encoding)


def care_file(people: Sequence[Resident], *, name: str) -> RegisterFile:
    """One file of care levels alone."""
    return _file("care", name, _CARE, [_care(one) for one in people], "utf-8-sig")


def _plain(one: Resident) -> bool:
    return holds_cp932(one.name + one.address)


def _resident(one: Resident, spelled: Spelling) -> tuple[str, ...]:
    return (
        CITY_CODE, one.number, one.household, one.name, one.kana, spelled(one.born),
        "2" if one.sex == "female" else "1", "965-0000", one.address, one.building, one.town,
        one.koaza, one.area, one.section, one.phone,
        "" if one.longitude is None else f"{one.longitude:.6f}",
        "" if one.latitude is None else f"{one.latitude:.6f}",
        spelled(one.moved_in), "", "", spelled(one.protected_until),
    )


def _care(one: Resident) -> tuple[str, ...]:
    return (one.number, one.name, numeric(one.born), one.care_level,
            numeric(one.facility_since), one.facility_name)


def _handbook(one: Resident) -> tuple[str, ...]:
    return (one.number, one.name, numeric(one.born), one.physical_grade, one.physical_parts,
            one.physical_class, one.intellectual, one.mental, "1" if one.disease else "0",
            one.needs)


def _file(
    profile: str, name: str, header: Sequence[str], rows: Iterable[Sequence[str]], encoding: str
) -> RegisterFile:
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(header)
    some = list(rows)
    writer.writerows(some)
    return RegisterFile(profile, name, target.getvalue().encode(encoding), len(some))
