"""The parties of a disclosure: who is told about, who receives, who is named beside them.

Owns the facts that ``disclosure.decide`` reads: address protection and its releases (R11), a
person, a recipient with area and term (R7), a supporter named in a plan (R2).  Refuses: an
instant without a zone; a release without officer and reason counts as none.
Source: DV等支援措置 (住民基本台帳事務処理要領 第5－10); rules R2, R7, R11.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from evacuation.domain.consent import ConsentFact, Notice
from evacuation.domain.recipients import RecipientKind

_CITY_ZONE = ZoneInfo("Asia/Tokyo")


def local_day(at: datetime) -> date:
    """The Japanese calendar day of an aware instant; ``ValueError`` without a zone."""
    if at.tzinfo is None:
        raise ValueError("at must be an aware datetime")
    return at.astimezone(_CITY_ZONE).date()


@dataclass(frozen=True, slots=True)
class Release:
    """An officer's release of one protected person (R11).

    ``emergency`` is the key of the disaster it is for, None for normal times; a release for one
    is none for the other.  ``kinds`` limits it to kinds of recipient.
    """

    by: str
    at: datetime
    reason: str
    kinds: frozenset[RecipientKind]
    emergency: str | None = None


@dataclass(frozen=True, slots=True)
class Protection:
    """DV等支援措置. ``until_on`` is its last day; unknown means it goes on."""

    from_on: date
    until_on: date | None = None
    releases: tuple[Release, ...] = ()

    def in_force(self, on: date) -> bool:
        """True from the first day to the last, both included."""
        return self.from_on <= on and (self.until_on is None or on <= self.until_on)

    def released(self, kind: RecipientKind, at: datetime, emergency: str | None) -> bool:
        """True when a named officer gave a reason and released to ``kind`` in this situation."""
        return any(
            r.emergency == emergency
            and kind in r.kinds
            and r.at <= at
            and r.by.strip() != ""
            and r.reason.strip() != ""
            for r in self.releases
        )


@dataclass(frozen=True, slots=True)
class Subject:
    """One person, as disclosure sees them.

    ``areas``: keys of every area the home lies in (地区, 町内会, 班, address range), because areas
    of responsibility are not a tree; empty is unknown.  One shared key is enough to be inside.
    """

    person: str
    areas: frozenset[str]
    on_roster: bool = True
    facts: tuple[ConsentFact, ...] = ()
    notice: Notice | None = None
    protections: tuple[Protection, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.areas, frozenset):
            raise TypeError("areas must be a frozenset of area keys")

    def protected_for(self, kind: RecipientKind, at: datetime, emergency: str | None) -> bool:
        """True when any protection in force is not released for this use."""
        return any(
            p.in_force(local_day(at)) and not p.released(kind, at, emergency)
            for p in self.protections
        )


@dataclass(frozen=True, slots=True)
class Recipient:
    """One office that receives. ``in_plan``: named in the 地域防災計画 (R7).

    ``from_on``/``until_on``: the holder's term, both days included; None is open.
    """

    office: str
    kind: RecipientKind
    areas: frozenset[str]
    in_plan: bool = True
    from_on: date | None = None
    until_on: date | None = None

    def in_term(self, on: date) -> bool:
        """True on every day of the term."""
        return (self.from_on is None or self.from_on <= on) and (
            self.until_on is None or on <= self.until_on
        )


@dataclass(frozen=True, slots=True)
class NamedSupporter:
    """避難支援等実施者 named in a plan, with their own consents and protection (R2)."""

    supporter: str
    facts: tuple[ConsentFact, ...] = ()
    protections: tuple[Protection, ...] = ()
