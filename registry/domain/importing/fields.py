"""What an import may bring: the fields, their codes and how one cell becomes a value.

Owns the field list, the official code tables (要介護状態区分, 手帳) and the converters.  Refuses a
cell it cannot read, with a stable code; never replaces it by something likely.
Source: 自治体システム標準仕様 (住民記録, 介護保険, 障害者福祉) for the items; 介護保険の
要介護状態区分コード 12–13, 21–25; 身体障害者福祉法施行規則 別表第5号.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from registry.domain.calendar import DatedValue, Precision
from registry.domain.errors import Refused

Value = str | int | float | bool | date | DatedValue | tuple[str, ...] | None
Values = Mapping["Field", Value]


class CellRefused(Refused):
    """A cell that is not a value of its field; code ``cell_*``, message for the returned file."""

    code = "cell_unreadable"


class Field(StrEnum):
    """項目.  The values equal the attribute names of the person and the welfare record."""

    NUMBER = "number"
    HOUSEHOLD_NUMBER = "household_number"
    MUNICIPALITY = "municipality"
    NAME = "name"
    KANA = "kana"
    BORN_ON = "born_on"
    SEX = "sex"
    POSTCODE = "postcode"
    ADDRESS = "address"
    BUILDING = "building"
    TOWN = "town"
    KOAZA = "koaza"
    AREA_CODE = "area_code"
    AREA_NAME = "area_name"
    SECTION = "section"
    PHONE = "phone"
    LONGITUDE = "longitude"
    LATITUDE = "latitude"
    MOVED_IN_ON = "moved_in_on"
    MOVED_OUT_ON = "moved_out_on"
    DIED_ON = "died_on"
    FACILITY_SINCE = "facility_since"
    FACILITY_NAME = "facility_name"
    PROTECTED_UNTIL = "protected_until"
    CARE_LEVEL = "care_level"
    PHYSICAL_GRADE = "physical_grade"
    PHYSICAL_PARTS = "physical_parts"
    PHYSICAL_CLASS = "physical_class"
    INTELLECTUAL_LABEL = "intellectual_label"
    MENTAL_GRADE = "mental_grade"
    INTRACTABLE_DISEASE = "intractable_disease"
    NEEDS = "needs"


LABELS: Mapping[Field, str] = {
    Field.NUMBER: "宛名番号", Field.HOUSEHOLD_NUMBER: "世帯番号",
    Field.MUNICIPALITY: "全国地方公共団体コード", Field.NAME: "氏名", Field.KANA: "氏名かな",
    Field.BORN_ON: "生年月日", Field.SEX: "性別", Field.POSTCODE: "郵便番号",
    Field.ADDRESS: "住所", Field.BUILDING: "方書", Field.TOWN: "町丁・大字", Field.KOAZA: "小字",
    Field.AREA_CODE: "町内会コード", Field.AREA_NAME: "町内会", Field.SECTION: "班",
    Field.PHONE: "電話番号", Field.LONGITUDE: "経度", Field.LATITUDE: "緯度",
    Field.MOVED_IN_ON: "転入日", Field.MOVED_OUT_ON: "転出日", Field.DIED_ON: "死亡日",
    Field.FACILITY_SINCE: "施設入所日", Field.FACILITY_NAME: "施設名",
    Field.PROTECTED_UNTIL: "DV等支援措置の終期", Field.CARE_LEVEL: "要介護度",
    Field.PHYSICAL_GRADE: "身体障害者手帳の等級", Field.PHYSICAL_PARTS: "障害の部位",
    Field.PHYSICAL_CLASS: "旅客運賃の種別", Field.INTELLECTUAL_LABEL: "療育手帳の判定",
    Field.MENTAL_GRADE: "精神障害者保健福祉手帳の等級", Field.INTRACTABLE_DISEASE: "難病",
    Field.NEEDS: "必要な配慮",
}
# Longest text each field takes; the database has the same limits.
LENGTHS: Mapping[Field, int] = {
    Field.NAME: 120, Field.KANA: 160, Field.ADDRESS: 240, Field.BUILDING: 120, Field.TOWN: 80,
    Field.KOAZA: 80, Field.AREA_CODE: 40, Field.AREA_NAME: 80, Field.SECTION: 24,
    Field.PHONE: 24, Field.POSTCODE: 8, Field.FACILITY_NAME: 120, Field.INTELLECTUAL_LABEL: 16,
}
DATES = frozenset({Field.MOVED_IN_ON, Field.MOVED_OUT_ON, Field.DIED_ON, Field.FACILITY_SINCE,
                   Field.PROTECTED_UNTIL})
GRADES: Mapping[Field, int] = {
    Field.PHYSICAL_GRADE: 7, Field.PHYSICAL_CLASS: 2, Field.MENTAL_GRADE: 3,
}
# A blank cell of these says "this system does not know", not "there is none".
KEPT_WHEN_BLANK = frozenset({
    Field.PHONE, Field.LONGITUDE, Field.LATITUDE, Field.AREA_CODE, Field.AREA_NAME,
    Field.SECTION, Field.NEEDS,
})


class CareLevel(StrEnum):
    """要介護状態区分 by its official code."""

    SUPPORT_1 = "12"
    SUPPORT_2 = "13"
    CARE_1 = "21"
    CARE_2 = "22"
    CARE_3 = "23"
    CARE_4 = "24"
    CARE_5 = "25"

    @property
    def label(self) -> str:
        kind = "要支援" if self.value < "20" else "要介護"
        return f"{kind}{int(self.value[1]) - (1 if self.value < '20' else 0)}"


class Part(StrEnum):
    """障害の部位 (身体障害者手帳)."""

    VISION = "vision"
    HEARING = "hearing"
    BALANCE = "balance"
    SPEECH = "speech"
    UPPER_LIMB = "upper_limb"
    LOWER_LIMB = "lower_limb"
    TRUNK = "trunk"
    MOTOR_UPPER = "motor_upper"
    MOTOR_MOBILITY = "motor_mobility"
    HEART = "heart"
    KIDNEY = "kidney"
    RESPIRATORY = "respiratory"
    BLADDER_BOWEL = "bladder_bowel"
    SMALL_INTESTINE = "small_intestine"
    IMMUNE = "immune"
    LIVER = "liver"


_PART_WORDS: Mapping[str, Part] = {
    "視覚": Part.VISION, "聴覚": Part.HEARING, "平衡機能": Part.BALANCE, "平衡": Part.BALANCE,
    "音声": Part.SPEECH, "言語": Part.SPEECH, "音声・言語": Part.SPEECH, "そしゃく": Part.SPEECH,
    "音声・言語・そしゃく": Part.SPEECH, "上肢": Part.UPPER_LIMB, "下肢": Part.LOWER_LIMB,
    "体幹": Part.TRUNK, "上肢機能": Part.MOTOR_UPPER, "移動機能": Part.MOTOR_MOBILITY,
    "心臓": Part.HEART, "じん臓": Part.KIDNEY, "腎臓": Part.KIDNEY, "呼吸器": Part.RESPIRATORY,
    "ぼうこう・直腸": Part.BLADDER_BOWEL, "膀胱・直腸": Part.BLADDER_BOWEL,
    "ぼうこう又は直腸": Part.BLADDER_BOWEL, "小腸": Part.SMALL_INTESTINE,
    "免疫": Part.IMMUNE, "肝臓": Part.LIVER,
}
_CARE_WORDS: Mapping[str, str] = {
    **{level.value: level.value for level in CareLevel},
    **{level.label: level.value for level in CareLevel},
    # No care level: not certified, or 事業対象者 of the 総合事業.
    "01": "", "1": "", "06": "", "6": "", "非該当": "", "自立": "", "事業対象者": "",
}
# Official spellings of coded cells, after half-width folding; a profile may add its own codes.
CODES: Mapping[Field, Mapping[str, str]] = {
    Field.SEX: {"1": "male", "2": "female", "男": "male", "女": "female", "M": "male",
                "F": "female", "男性": "male", "女性": "female", "0": "unknown", "3": "unknown",
                "9": "unknown", "不明": "unknown", "不詳": "unknown", "": "unknown"},
    Field.CARE_LEVEL: _CARE_WORDS,
    Field.PHYSICAL_PARTS: {word: part.value for word, part in _PART_WORDS.items()},
    Field.INTRACTABLE_DISEASE: {"1": "yes", "0": "", "有": "yes", "無": "", "あり": "yes",
                                "なし": "", "該当": "yes", "非該当": "", "○": "yes", "×": "",
                                "〇": "yes"},
    Field.NEEDS: {},
}
_GRADE = re.compile(r"第?0?([1-7])(?:級|種)?")
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}


def narrow(text: str) -> str:
    """Full-width ASCII made half-width, nothing else: keeps Ⓐ, ① and kanji as they are."""
    return text.translate(_WIDE).replace("\u3000", " ").strip()


def coded(field: Field, cell: str, own: Mapping[str, str]) -> str:
    """The value of one code: the profile's own table first, then the official one.

    Raises ``CellRefused`` (``cell_code``) for a code in neither.
    """
    plain = narrow(cell)
    for table in (own, CODES[field]):
        if plain in table:
            return table[plain]
    raise CellRefused(
        f"{LABELS[field]}のコード「{plain[:20]}」は対応表にありません。", code="cell_code"
    )


def coded_list(field: Field, cell: str, own: Mapping[str, str]) -> tuple[str, ...]:
    """Several codes in one cell, parted by 、 , ; / or spaces; sorted, each once.

    The whole cell is tried first, because 「音声・言語」 is one code.
    """
    whole = narrow(cell)
    if whole in own or whole in CODES[field]:
        found = {coded(field, whole, own)}
    else:
        found = {coded(field, part, own) for part in re.split(r"[、,;/\s]+", whole) if part}
    return tuple(sorted(found - {""}))


def grade(field: Field, cell: str) -> int | None:
    """A grade or class (1級, 第1種, 01); 0 and 非該当 mean none.

    Raises ``CellRefused`` (``cell_grade``) outside 1–7, 1–3 or 1–2 by field.
    """
    plain = narrow(cell)
    if plain in ("0", "00", "非該当", "なし"):
        return None
    match = _GRADE.fullmatch(plain)
    if match is None or int(match[1]) > GRADES[field]:
        raise CellRefused(f"{LABELS[field]}は1から{GRADES[field]}までです。", code="cell_grade")
    return int(match[1])


def to_plain(values: Values) -> dict[str, object]:
    """Values as JSON keeps them; dates as ISO text, birth dates with their precision."""
    return {field.value: _jsonable(value) for field, value in values.items()}


def from_plain(stored: Mapping[str, object]) -> dict[Field, Value]:
    """The inverse of ``to_plain``."""
    return {Field(name): _typed(Field(name), value) for name, value in stored.items()}


def _jsonable(value: Value) -> object:
    if isinstance(value, DatedValue):
        return {"on": value.first.isoformat(), "precision": value.precision.value}
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _typed(field: Field, value: object) -> Value:
    if isinstance(value, Mapping):
        return DatedValue.of(date.fromisoformat(str(value["on"])), Precision(value["precision"]))
    if isinstance(value, list):
        return tuple(str(each) for each in value)
    if field in DATES and isinstance(value, str):
        return date.fromisoformat(value)
    if value is None or isinstance(value, str | int | float):
        return value
    raise CellRefused(code="cell_unreadable")
