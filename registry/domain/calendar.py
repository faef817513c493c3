"""Dates as Japanese offices write them: 和暦 and 西暦, with what is not known said.

Owns the eras, every spelling that imports bring, ages and fiscal years.  Refuses guesses: two
digits without an era, days of an era that did not exist, days before 1873 written in an era
(旧暦).  A date without day or month stays a date of lower precision.
Source: 元号法; 明治5年太政官布告第337号 (solar calendar); 年齢計算ニ関スル法律 with 民法143条.
"""

from __future__ import annotations

import calendar as _calendar
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from registry.domain.errors import Refused


class DateRefused(Refused):
    """Codes: ``date_empty date_unreadable date_impossible date_era date_old_calendar
    date_ambiguous date_style``."""

    code = "date_unreadable"
    message = "日付として読みとれません。「昭和13年5月3日」のように書いてください。"


class Precision(StrEnum):
    """How much of a date is known."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"


class Style(StrEnum):
    """Which spellings a column may have; ``ANY`` reads all of them."""

    ANY = "any"
    ERA_CODE = "era_code"  # 3130503
    ERA = "era"  # S13.5.3, 昭和13年5月3日
    WESTERN = "western"  # 1938-05-03, 19380503


@dataclass(frozen=True, slots=True)
class Era:
    """An era (元号); ``last`` is None for the present one.  Change days belong to both eras
    where births were recorded under either (1912-07-30, 1926-12-25)."""

    code: int
    letter: str
    name: str
    first: date
    last: date | None

    @property
    def offset(self) -> int:
        """Western year minus year of the era."""
        return self.first.year - 1


ERAS: tuple[Era, ...] = (
    Era(1, "M", "明治", date(1868, 1, 25), date(1912, 7, 30)),
    Era(2, "T", "大正", date(1912, 7, 30), date(1926, 12, 25)),
    Era(3, "S", "昭和", date(1926, 12, 25), date(1989, 1, 7)),
    Era(4, "H", "平成", date(1989, 1, 8), date(2019, 4, 30)),
    Era(5, "R", "令和", date(2019, 5, 1), None),
)
_ERA_OF: dict[str, Era] = {
    key: era for era in ERAS for key in (str(era.code), era.letter, era.name, era.name[0])
}
_SOLAR = date(1873, 1, 1)


@dataclass(frozen=True, slots=True)
class DatedValue:
    """A date of stated precision.  Raises ``DateRefused`` when no such day exists."""

    year: int
    month: int | None = None
    day: int | None = None

    def __post_init__(self) -> None:
        if self.month is None and self.day is not None:
            raise DateRefused(code="date_impossible")
        try:
            date(self.year, self.month or 1, self.day or 1)
        except ValueError as error:
            raise DateRefused("ない日付です。年月日を確かめてください。",
                              code="date_impossible") from error

    @classmethod
    def of(cls, on: date, precision: Precision | str = Precision.DAY) -> DatedValue:
        """From a stored first day and its precision (``on``/``precision`` come back alike)."""
        kind = Precision(precision)
        return cls(
            on.year,
            None if kind is Precision.YEAR else on.month,
            on.day if kind is Precision.DAY else None,
        )

    @property
    def precision(self) -> Precision:
        if self.month is None:
            return Precision.YEAR
        return Precision.MONTH if self.day is None else Precision.DAY

    @property
    def first(self) -> date:
        """The earliest day it can be; what a date column stores."""
        return date(self.year, self.month or 1, self.day or 1)

    @property
    def last(self) -> date:
        """The latest day it can be."""
        month = self.month or 12
        return date(self.year, month, self.day or _calendar.monthrange(self.year, month)[1])


_KANJI = dict(zip("〇零一二三四五六七八九", (0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9), strict=True))
_KANJI_NUMBER = re.compile("[〇零一二三四五六七八九十]+")
_SEPARATORS = str.maketrans({"．": ".", "／": "/", "‐": "-", "‑": "-", "−": "-", "–": "-",
                             "—": "-", "―": "-", "ー": "-", "。": ".", "・": ".", "，": "."})
_UNKNOWN = "(?:不明|不詳|未詳)"
_ERA_WORD = "(?:明治|大正|昭和|平成|令和|[明大昭平令MTSHR])"
_TWO_CALENDARS = re.compile(rf"^(\d{{4}})年\(({_ERA_WORD})(元|\d{{1,3}})年(?:\.[^)]*)?\)(.*)$")
_NOTE = re.compile(r"\([月日は]+不明\)$")
_TIME = re.compile(r"[T ]00:00(?::00(?:\.0+)?)?(?:Z|\+09:00)?$", re.IGNORECASE)
_PART = rf"(\d{{1,2}}|{_UNKNOWN})"
_BY_WORDS = rf"年(?:(?:{_PART}月)?(?:{_PART}日)?|月日{_UNKNOWN}|{_UNKNOWN})"
_BY_SIGNS = r"[./-](\d{1,2})(?:[./-](\d{1,2}))?"
_ERA_FORMS = tuple(
    re.compile(rf"^({_ERA_WORD})(元|\d{{1,3}}){tail}$", re.IGNORECASE)
    for tail in (_BY_WORDS, _BY_SIGNS, "")
)
_ERA_PACKED = re.compile(rf"^({_ERA_WORD})(\d{{2}})(\d{{2}})(\d{{2}})$", re.IGNORECASE)
_CODE_PACKED = re.compile(r"^([1-5])[-./]?(\d{2})(\d{2})(\d{2})$")
_CODE_SIGNS = re.compile(r"^([1-5])[-./](\d{1,2})[-./](\d{1,2})[-./](\d{1,2})$")
_WEST_FORMS = (
    re.compile(rf"^(\d{{4}}){_BY_WORDS}$"),
    re.compile(rf"^(\d{{4}}){_BY_SIGNS}$"),
    re.compile(r"^(\d{4})(\d{2})(\d{2})$"),
    re.compile(r"^(\d{4})$"),
)


def parse_date(
    text: str, *, style: Style = Style.ANY, allow_overrun: bool = False
) -> DatedValue:
    """Read a date in any spelling of ``style``; 00, 「不明」 or nothing lowers the precision.

    ``allow_overrun`` accepts 平成35年3月31日, as expiry dates printed before an era ended do.
    Raises ``DateRefused``: ``date_empty`` (blank or only zeros), ``date_ambiguous`` (no era and
    no century), ``date_era`` (era and day disagree), ``date_old_calendar``, ``date_style``.
    """
    plain = _plain(text)
    if not plain or not plain.strip("0-/."):
        raise DateRefused("日付が空です。", code="date_empty")
    both = _TWO_CALENDARS.match(plain)
    if both:
        west = _western(f"{both[1]}年{both[4]}")
        named = _of_era(_ERA_OF[both[2].upper()], both[3], west.month, west.day, allow_overrun)
        if named.year != west.year:
            raise DateRefused("西暦と和暦が合っていません。", code="date_era")
        return west
    era_like = re.match(rf"{_ERA_WORD}", plain, re.IGNORECASE)
    coded = _CODE_PACKED.match(plain) or _CODE_SIGNS.match(plain)
    found = Style.ERA if era_like else Style.ERA_CODE if coded else Style.WESTERN
    if style is not Style.ANY and style is not found:
        raise DateRefused("この列で決められた日付の書きかたではありません。", code="date_style")
    if coded:
        return _of_era(_ERA_OF[coded[1]], coded[2], _part(coded[3]), _part(coded[4]),
                       allow_overrun)
    if era_like:
        for form in (_ERA_PACKED, *_ERA_FORMS):
            match = form.match(plain)
            if match:
                month, day = _rest(match, 3)
                return _of_era(_ERA_OF[match[1].upper()], match[2], month, day, allow_overrun)
        raise DateRefused
    return _western(plain)


def _plain(text: str) -> str:
    """Half-width, no spaces, kanji numbers as digits, one kind of separator."""
    folded = unicodedata.normalize("NFKC", text).translate(_SEPARATORS).strip()
    folded = _TIME.sub("", folded)
    folded = re.sub(r"\s+", "", folded)
    folded = _NOTE.sub("", folded)
    return _KANJI_NUMBER.sub(lambda found: str(_kanji_number(found[0])), folded)


def _kanji_number(word: str) -> str:
    if "十" not in word:
        return "".join(str(_KANJI[c]) for c in word)
    tens, _, ones = word.partition("十")
    if len(tens) > 1 or len(ones) > 1:
        raise DateRefused
    return str((_KANJI[tens] if tens else 1) * 10 + (_KANJI[ones] if ones else 0))


def _rest(match: re.Match[str], start: int) -> tuple[int | None, int | None]:
    groups = (*match.groups(), None, None)
    return _part(groups[start - 1]), _part(groups[start])


def _part(text: str | None) -> int | None:
    """A month or a day; None when it is missing, 00 or 不明."""
    return int(text) or None if text and text.isdecimal() else None


def _western(plain: str) -> DatedValue:
    for form in _WEST_FORMS:
        match = form.match(plain)
        if match:
            month, day = _rest(match, 2)
            if not 1800 <= int(match[1]) <= 9999:
                raise DateRefused("年が正しくありません。", code="date_impossible")
            return DatedValue(int(match[1]), month, day)
    if re.match(r"^\d{1,3}(?:[./年-]|\d{3,4}$)", plain) or re.match(r"^\d{5,6}$", plain):
        raise DateRefused("元号か4けたの西暦を書いてください。", code="date_ambiguous")
    raise DateRefused


def _of_era(
    era: Era, year: str, month: int | None, day: int | None, allow_overrun: bool
) -> DatedValue:
    count = 1 if year == "元" else int(year)
    if count < 1:
        raise DateRefused("元号の年は1（元年）からです。", code="date_impossible")
    value = DatedValue(era.offset + count, month, day)
    if value.last < era.first or (
        not allow_overrun and era.last is not None and value.first > era.last
    ):
        raise DateRefused(
            f"{era.name}{year}年のその日はありません。元号と年月日を確かめてください。",
            code="date_era",
        )
    if value.first < _SOLAR:
        raise DateRefused("明治5年以前は旧暦のため、西暦で書いてください。",
                          code="date_old_calendar")
    return value


def era_years(value: DatedValue) -> str:
    """「昭和13年」; both eras where the known part does not decide; "" before 1873."""
    if value.first < _SOLAR:
        return ""
    if value.precision is Precision.DAY:
        eras = [next(era for era in reversed(ERAS) if era.first <= value.first)]
    else:
        eras = [
            era for era in ERAS
            if era.first <= value.last and (era.last is None or era.last >= value.first)
        ]
    years = ((era.name, value.year - era.offset) for era in eras)
    return "・".join(f"{name}{'元' if n == 1 else n}年" for name, n in years)


def format_date(value: DatedValue | date) -> str:
    """「1938年（昭和13年）5月3日」; what is unknown is said: 「（日は不明）」."""
    dated = value if isinstance(value, DatedValue) else DatedValue.of(value)
    era = era_years(dated)
    text = f"{dated.year}年" + (f"（{era}）" if era else "")
    if dated.month is None:
        return f"{text}（月日は不明）"
    if dated.day is None:
        return f"{text}{dated.month}月（日は不明）"
    return f"{text}{dated.month}月{dated.day}日"


def _birthday(born: date, year: int) -> date:
    """A birthday; someone of 29 February has it on 1 March of common years (民法143条)."""
    if (born.month, born.day) == (2, 29) and not _calendar.isleap(year):
        return date(year, 3, 1)
    return born.replace(year=year)


def age_at(born: DatedValue | date, on: date) -> int:
    """Completed years on that day, counted from birthday to birthday; negative before birth.

    A birth date of lower precision counts from its earliest day, so that nobody is left out of
    a list for a day that the register does not know; ``age_bounds`` gives both ends.
    """
    first = born.first if isinstance(born, DatedValue) else born
    return on.year - first.year - (on < _birthday(first, on.year))


def age_bounds(born: DatedValue, on: date) -> tuple[int, int]:
    """The least and the greatest age possible; equal when the day is known."""
    return age_at(born.last, on), age_at(born.first, on)


def attains_on(born: date, years: int) -> date:
    """The day an age is attained in law: the day before the birthday (年齢計算ニ関スル法律)."""
    return _birthday(born, born.year + years) - timedelta(days=1)


def fiscal_year(on: date) -> int:
    """年度: April to March, named by the year of its April."""
    return on.year - (on.month < 4)


def age_in_fiscal_year(born: DatedValue | date, year: int) -> int:
    """年度末年齢: the age attained in law by 31 March that ends fiscal year ``year``.

    Someone born on 1 April attains it on 31 March and so belongs to the year that ends.
    """
    first = born.first if isinstance(born, DatedValue) else born
    return age_at(first, date(year + 1, 4, 1))
