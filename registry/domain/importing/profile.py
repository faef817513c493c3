"""The mapping profile (取込の形式): which column of a file is which field, as reviewed data.

Owns the profile's shape and its reading from JSON.  Refuses a profile that names a field twice,
has no 宛名番号 column, or knows codes of fields that have none: a wrong profile must fail when
it is loaded, not in the middle of a file.
Source: "Import" in the evacuation rules: one reviewed mapping profile per municipality.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as data_field
from importlib import resources
from types import MappingProxyType
from typing import Any

from registry.domain.calendar import Style
from registry.domain.errors import NotFound, Refused
from registry.domain.identity import normalise_municipality
from registry.domain.importing.fields import CODES, Field
from registry.domain.textcodec import Encoding


class ProfileRefused(Refused):
    """The profile itself is wrong; code ``profile_invalid``."""

    code = "profile_invalid"
    message = "取込の形式（対応表）が正しくありません。"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file.

    ``optional``: the file may lack the column.  ``needed``: a blank cell rejects the row.
    ``check``: only compared with what is known, never written (a care file's name column).
    ``codes``: the sending system's own codes → our values.
    """

    name: str
    field: Field
    optional: bool = False
    needed: bool = False
    check: bool = False
    style: Style = Style.ANY
    codes: Mapping[str, str] = data_field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Profile:
    """A reviewed mapping.  ``creates_people``: only the resident register may add persons.

    ``sample``: the column names are invented (見本) and a municipality must review its own.
    ``written`` (derived): the fields that this file may change, in the order of ``Field``.
    """

    code: str
    title: str
    columns: tuple[Column, ...]
    sample: bool = False
    creates_people: bool = False
    encodings: tuple[Encoding, ...] = tuple(Encoding)
    delimiter: str = ","
    number_width: int = 0
    municipality: str = ""
    phone_area_code: str = ""
    blank_dates: frozenset[str] = frozenset()
    open_dates: frozenset[str] = frozenset()
    written: tuple[Field, ...] = data_field(init=False)

    def __post_init__(self) -> None:
        fields = [column.field for column in self.columns]
        names = [column.name for column in self.columns]
        problems = []
        if fields.count(Field.NUMBER) != 1:
            problems.append("宛名番号の列を一つ決めてください。")
        if len(set(fields)) != len(fields) or len(set(names)) != len(names):
            problems.append("同じ項目または同じ列名が二度あります。")
        if any(column.codes and column.field not in CODES for column in self.columns):
            problems.append("コードのない項目にコード表があります。")
        if (Field.LONGITUDE in fields) != (Field.LATITUDE in fields):
            problems.append("経度と緯度は両方の列が必要です。")
        if self.creates_people and not {Field.NAME, Field.ADDRESS} <= set(fields):
            problems.append("住民を新しくつくる形式には氏名と住所の列が必要です。")
        if len(self.delimiter) != 1:
            problems.append("区切り文字は1文字です。")
        if problems:
            raise ProfileRefused("".join(problems))
        free = {c.field for c in self.columns if not c.check} - {Field.NUMBER, Field.MUNICIPALITY}
        object.__setattr__(self, "written", tuple(each for each in Field if each in free))

    @property
    def number_column(self) -> str:
        """The name of the column declared as 宛名番号 (exempt from the test of R13)."""
        return next(column.name for column in self.columns if column.field is Field.NUMBER)


def load_profile(text: str) -> Profile:
    """A profile from JSON; unknown keys are mistakes.  Raises ``ProfileRefused``."""
    try:
        data = json.loads(text)
        columns = tuple(_column(each) for each in data.pop("columns"))
        data.pop("note", None)
        if "encodings" in data:
            data["encodings"] = tuple(Encoding(each) for each in data["encodings"])
        for key in ("blank_dates", "open_dates"):
            data[key] = frozenset(data.get(key, ()))
        if data.get("municipality"):
            data["municipality"] = normalise_municipality(data["municipality"])
        return Profile(columns=columns, **data)
    except ProfileRefused:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, Refused) as error:
        raise ProfileRefused(f"取込の形式（対応表）を読めません：{error}") from error


def _column(data: dict[str, Any]) -> Column:
    codes = data.get("codes", {})
    if not all(isinstance(k, str) and isinstance(v, str) for k, v in codes.items()):
        raise ProfileRefused("コード表は文字と文字の対です。")
    known = {
        **data,
        "field": Field(data["field"]),
        "style": Style(data.get("style", "any")),
        "codes": MappingProxyType(dict(codes)),
    }
    return Column(**known)


def shipped_profiles() -> tuple[str, ...]:
    """Codes of the profiles that come with the product (見本), sorted."""
    folder = resources.files("registry") / "profiles"
    return tuple(sorted(
        each.name.removesuffix(".json") for each in folder.iterdir()
        if each.name.endswith(".json")
    ))


def shipped_profile(code: str) -> Profile:
    """One of them; raises ``NotFound``."""
    if code not in shipped_profiles():
        raise NotFound("その取込の形式はありません。", code="profile_unknown")
    path = resources.files("registry") / "profiles" / f"{code}.json"
    return load_profile(path.read_text(encoding="utf-8"))
