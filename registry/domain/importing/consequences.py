"""What a change of the register means for roster, plans and copies (異動の影響).

Owns the kinds of events, what each touches, and how they follow from a judged row.  Refuses
silent deletion: a death or a move is an event with a date that somebody works through.
Source: "Import" and "Plans" in the evacuation rules (reviews fall due on move, care-level
change, facility …); R5 (copies in circulation), R11 (DV等支援措置).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from registry.domain.importing.classifying import Change, Judgement, Verdict
from registry.domain.importing.fields import Field, Value
from registry.domain.importing.parsing import ParsedRow


class EventKind(StrEnum):
    """異動の種類."""

    DIED = "died"
    MOVED_OUT = "moved_out"
    MOVED_IN = "moved_in"
    MOVED_WITHIN = "moved_within"
    AREA_CHANGED = "area_changed"
    FACILITY_ENTERED = "facility_entered"
    FACILITY_LEFT = "facility_left"
    HOUSEHOLD_CHANGED = "household_changed"
    NAME_CHANGED = "name_changed"
    CARE_CHANGED = "care_changed"
    HANDBOOK_CHANGED = "handbook_changed"
    PROTECTION_STARTED = "protection_started"


class Touches(StrEnum):
    """What somebody has to look at."""

    ROSTER = "roster"  # 名簿の要件
    PLAN = "plan"  # 個別避難計画の見なおし
    COPIES = "copies"  # 渡した名簿の差しかえ
    SUPPORTER = "supporter"  # この方が支援者でもあるとき


@dataclass(frozen=True, slots=True)
class Meaning:
    """The official word and what an event touches."""

    label: str
    touches: frozenset[Touches]


_ALL = frozenset(Touches)
_R, _P, _C, _S = Touches.ROSTER, Touches.PLAN, Touches.COPIES, Touches.SUPPORTER
MEANINGS: Mapping[EventKind, Meaning] = MappingProxyType({
    EventKind.DIED: Meaning("死亡", _ALL),
    EventKind.MOVED_OUT: Meaning("転出", _ALL),
    EventKind.MOVED_IN: Meaning("転入", frozenset({_R})),
    EventKind.MOVED_WITHIN: Meaning("転居", _ALL),
    EventKind.AREA_CHANGED: Meaning("町内会・班の変更", frozenset({_R, _P, _C})),
    EventKind.FACILITY_ENTERED: Meaning("施設入所", _ALL),
    EventKind.FACILITY_LEFT: Meaning("施設退所", frozenset({_R, _P})),
    EventKind.HOUSEHOLD_CHANGED: Meaning("世帯の変更", frozenset({_R, _P})),
    EventKind.NAME_CHANGED: Meaning("氏名の変更", frozenset({_P, _C})),
    EventKind.CARE_CHANGED: Meaning("要介護度の変更", frozenset({_R, _P})),
    EventKind.HANDBOOK_CHANGED: Meaning("手帳等の変更", frozenset({_R, _P})),
    EventKind.PROTECTION_STARTED: Meaning("支援措置の開始", frozenset({_R, _P, _C})),
})


@dataclass(frozen=True, slots=True)
class Event:
    """One consequence.  ``dated`` is False where the file gives no day and the day of the
    import stands in.  The same row read again gives the same events."""

    kind: EventKind
    number: str
    happened_on: date
    dated: bool


_HANDBOOK = frozenset({
    Field.PHYSICAL_GRADE, Field.PHYSICAL_PARTS, Field.PHYSICAL_CLASS, Field.INTELLECTUAL_LABEL,
    Field.MENTAL_GRADE, Field.INTRACTABLE_DISEASE,
})
_SIMPLE: Mapping[Field, EventKind] = MappingProxyType({
    Field.ADDRESS: EventKind.MOVED_WITHIN,
    Field.BUILDING: EventKind.MOVED_WITHIN,
    Field.AREA_CODE: EventKind.AREA_CHANGED,
    Field.AREA_NAME: EventKind.AREA_CHANGED,
    Field.SECTION: EventKind.AREA_CHANGED,
    Field.HOUSEHOLD_NUMBER: EventKind.HOUSEHOLD_CHANGED,
    Field.NAME: EventKind.NAME_CHANGED,
    Field.CARE_LEVEL: EventKind.CARE_CHANGED,
    **dict.fromkeys(_HANDBOOK, EventKind.HANDBOOK_CHANGED),
})


def consequences(judgement: Judgement, *, on: date) -> tuple[Event, ...]:
    """Events of one new or changed row, each kind once, in the order of ``EventKind``.

    A new person who already died or moved away has none; other verdicts have none: nothing
    happens before somebody decides.
    """
    row = judgement.row
    if not isinstance(row, ParsedRow):
        return ()
    if judgement.verdict is Verdict.NEW:
        if row.values.get(Field.DIED_ON) or row.values.get(Field.MOVED_OUT_ON):
            return ()
        return _events(row.key, {EventKind.MOVED_IN: row.values.get(Field.MOVED_IN_ON)}, on)
    if judgement.verdict is Verdict.CHANGED:
        return _events(row.key, _kinds(judgement.changes, row, on), on)
    return ()


def _events(number: str, found: Mapping[EventKind, Value], on: date) -> tuple[Event, ...]:
    return tuple(
        Event(kind, number, day if isinstance(day, date) else on, isinstance(day, date))
        for kind in EventKind if kind in found
        for day in (found[kind],)
    )


def _kinds(changes: Iterable[Change], row: ParsedRow, on: date) -> dict[EventKind, Value]:
    found: dict[EventKind, Value] = {}
    for change in changes:
        set_now = change.after is not None and change.after != ""
        if change.field is Field.DIED_ON and set_now:
            found[EventKind.DIED] = change.after
        elif change.field is Field.MOVED_OUT_ON:
            back = row.values.get(Field.MOVED_IN_ON)
            kind = EventKind.MOVED_OUT if set_now else EventKind.MOVED_IN
            found[kind] = change.after if set_now else back
        elif change.field is Field.FACILITY_SINCE and (set_now != (change.before is not None)):
            kind = EventKind.FACILITY_ENTERED if set_now else EventKind.FACILITY_LEFT
            found[kind] = change.after
        elif change.field is Field.PROTECTED_UNTIL and isinstance(change.after, date):
            ended = not isinstance(change.before, date) or change.before < on
            if ended and change.after >= on:  # a longer term of a running one is no start
                found[EventKind.PROTECTION_STARTED] = None
        elif change.field in _SIMPLE:
            found.setdefault(_SIMPLE[change.field], None)
    return found
