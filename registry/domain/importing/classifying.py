"""What a row would do: new, changed, same, ambiguous, rejected — and totals that add up.

Owns the comparison of a row with what is known and the consequences of a change.  Refuses to
guess: another person under the same number, a number twice in a file, a death taken back or a
protection shortened all wait for a person (``ambiguous``).
Source: "Import" in the evacuation rules (preview totals; consequences, never silent deletion).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from registry.domain.calendar import DatedValue
from registry.domain.identity import fold_kana, fold_name
from registry.domain.importing.fields import Field, Value, Values
from registry.domain.importing.parsing import ParsedRow, RejectedRow, parse_row
from registry.domain.importing.profile import Profile
from registry.domain.importing.reading import Inspection, RawRow
from registry.domain.textcodec import GETA, strip_selectors


class Verdict(StrEnum):
    """判定.  The values are those that the batch stores."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    AMBIGUOUS = "ambiguous"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one person: before → after."""

    field: Field
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on one row; ``code``/``reason`` say why an ambiguous or rejected one waits."""

    verdict: Verdict
    row: ParsedRow | RejectedRow
    changes: tuple[Change, ...] = ()
    code: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts by verdict; their sum is the file's row count."""

    new: int = 0
    changed: int = 0
    same: int = 0
    ambiguous: int = 0
    rejected: int = 0

    @classmethod
    def of(cls, judgements: Iterable[Judgement]) -> Totals:
        return cls(**Counter(each.verdict.value for each in judgements))

    @property
    def rows(self) -> int:
        return self.new + self.changed + self.same + self.ambiguous + self.rejected


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored about a number, and nothing else about the person."""

    values: Values


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What the store answers about one row: the holder of its number, and how many other
    people have the same folded name and birth date (looked up for new numbers only)."""

    known: Known | None = None
    namesakes: int = 0


Find = Callable[[ParsedRow], Neighbours]


def judge(
    rows: Iterable[RawRow], inspection: Inspection, profile: Profile, *, find: Find, on: date
) -> Iterator[Judgement]:
    """One judgement for every record after the header, in the file's order, streaming.

    The same file judged again against the result of applying it is ``same`` throughout.
    """
    for raw in rows:
        row = parse_row(raw, inspection.layout, profile, on=on)
        if isinstance(row, RejectedRow):
            yield Judgement(Verdict.REJECTED, row, code=row.code, reason=row.reason)
        else:
            yield classify(row, find(row), profile, on=on, repeated=row.key in inspection.repeated)


def classify(
    row: ParsedRow, near: Neighbours, profile: Profile, *, on: date, repeated: bool = False
) -> Judgement:
    """Compare one row with what is known.  ``repeated``: its number occurs again in the file."""
    if repeated:
        return _waits(row, "row_repeated", "同じ宛名番号の行がファイルに二つ以上あります。")
    if near.known is None:
        return _unknown(row, near, profile)
    known = near.known.values
    doubt = _another_person(row.values, known, profile)
    if doubt:
        return _waits(row, "row_other_person", doubt)
    changes = tuple(
        Change(field, known.get(field), row.values[field])
        for field in profile.written
        if field in row.values
        and not same_value(field, known.get(field), row.values[field])
    )
    if not changes:
        return Judgement(Verdict.SAME, row)
    taken_back = _taken_back(changes, row.values, on)
    if taken_back:
        return _waits(row, "row_takes_back", taken_back, changes)
    return Judgement(Verdict.CHANGED, row, changes)


def _waits(
    row: ParsedRow, code: str, reason: str, changes: tuple[Change, ...] = ()
) -> Judgement:
    return Judgement(Verdict.AMBIGUOUS, row, changes, code, reason)


def _unknown(row: ParsedRow, near: Neighbours, profile: Profile) -> Judgement:
    if not profile.creates_people:
        return _waits(row, "row_unknown_number", "この宛名番号の住民が登録されていません。")
    if near.namesakes:
        return _waits(row, "row_namesake", "氏名と生年月日が同じ別の番号の方がいます。")
    if GETA in str(row.values.get(Field.NAME, "")):
        return _waits(row, "row_lost_character", "氏名に〓（読めない文字）があります。")
    changes = tuple(
        Change(field, None, row.values[field])
        for field in profile.written
        if row.values.get(field) not in (None, "", ())
    )
    return Judgement(Verdict.NEW, row, changes)


def _another_person(values: Values, known: Values, profile: Profile) -> str:
    """Why the number may belong to somebody else; "" when it does not look so."""
    renamed = _differs(Field.NAME, values, known)
    if renamed and Field.KANA in values and known.get(Field.KANA):
        renamed = renamed and _differs(Field.KANA, values, known)
    born = _differs(Field.BORN_ON, values, known)
    if renamed and born:
        return "同じ宛名番号で、氏名も生年月日もちがいます。"
    checked = {column.field for column in profile.columns if column.check}
    if (renamed and Field.NAME in checked) or (born and Field.BORN_ON in checked):
        return "氏名または生年月日が、登録されている方とちがいます。"
    return ""


def _differs(field: Field, values: Values, known: Values) -> bool:
    new, old = values.get(field), known.get(field)
    if new in (None, "") or old in (None, ""):
        return False
    if field is Field.NAME:
        folded = fold_name(str(new))
        return not _with_lost(folded, fold_name(str(old)))
    if field is Field.KANA:
        return fold_kana(str(new)) != fold_kana(str(old))
    return new != old


def _with_lost(new: str, old: str) -> bool:
    """Equal, where 〓 stands for one character that the sender could not write."""
    return len(new) == len(old) and all(a in (b, GETA) for a, b in zip(new, old, strict=True))


_SAME_MARKS = str.maketrans({"〜": "～", "−": "－", "‖": "∥", "¢": "￠", "£": "￡", "¬": "￢",
                             "—": "―", " ": "　"})


def same_value(field: Field, before: Value, after: Value) -> bool:
    """True when nothing was said that is not known.

    Code points that differ only by the encoding (〜 and ～) are equal, and a sender that cannot
    write a selector or a character (〓) does not take it from the stored name.
    """
    if before in (None, "", ()) and after in (None, "", ()):
        return True
    if before is None and after is False:
        return True
    if isinstance(before, str) and isinstance(after, str):
        old, new = before.translate(_SAME_MARKS), after.translate(_SAME_MARKS)
        if old == new or strip_selectors(old) == new:
            return True
        return GETA in new and _with_lost(new, strip_selectors(old))
    return before == after


def _taken_back(changes: Iterable[Change], values: Values, on: date) -> str:
    """Why a change must be confirmed; "" when it may be applied as it is."""
    for change in changes:
        old, new = change.before, change.after
        if change.field is Field.DIED_ON and isinstance(old, date) and new is None:
            return "登録されている死亡日が、ファイルでは空です。"
        if change.field is Field.MOVED_OUT_ON and isinstance(old, date) and new is None:
            back = values.get(Field.MOVED_IN_ON)
            if not (isinstance(back, date) and back >= old):
                return "登録されている転出日が、ファイルでは空です。"
        if (
            change.field is Field.PROTECTED_UNTIL and isinstance(old, date) and old >= on
            and not (isinstance(new, date) and new >= old)
        ):
            return "支援措置の期限が、登録より短いか空です。"
    return ""


def keys_of(row: ParsedRow) -> tuple[str, str, DatedValue | None]:
    """Folded name, folded kana and birth date of a row: what namesakes are looked up by."""
    born = row.values.get(Field.BORN_ON)
    return (
        fold_name(str(row.values.get(Field.NAME) or "")),
        fold_kana(str(row.values.get(Field.KANA) or "")),
        born if isinstance(born, DatedValue) else None,
    )


def apply_changes(known: Values, changes: Iterable[Change]) -> Mapping[Field, Value]:
    """The stored values after the changes; what applying a row must write."""
    return {**known, **{change.field: change.after for change in changes}}
