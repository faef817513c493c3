"""The facts that ``domain.disclosure.decide`` reads, loaded for many people at once.

Owns the way from rows to ``Subject`` and ``Recipient``: consents, notices, protections with
their releases, areas of a home, areas of an office, and the mode from the settings.  Constant
queries for any number of people.  Runs in the service's own scope, because a decision must see
what the actor may not; it shows nothing by itself.  R1, R4, R7, R11.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.conf import settings

from evacuation.domain.consent import ALL_KINDS, Answer, ConsentFact, Means, Notice, Proxy, Purpose
from evacuation.domain.disclosure import Decision, Mode, ModeSetting, decide
from evacuation.domain.parties import Protection, Recipient, Release, Subject
from evacuation.domain.periods import SharingCalendar
from evacuation.domain.recipients import RecipientKind
from evacuation.models import Consent, ConsentNotice, ProtectionRelease, RosterEntry
from registry.access import Scope
from registry.domain.roles import Role
from registry.queries import areas as area_queries
from registry.queries import people
from registry.queries.facts import PersonFacts
from registry.queries.offices import Holder, OfficeFact

CHUNK = 2_000

#: Which seats receive the roster in normal times, and as what (R7).
KIND_OF: Mapping[Role, RecipientKind] = {
    Role.NEIGHBOURHOOD_ASSOCIATION: RecipientKind.NEIGHBOURHOOD,
    Role.WELFARE_COMMISSIONER: RecipientKind.COMMISSIONER,
}


def mode_setting() -> ModeSetting:
    """The municipality's mode, with its citation and first day (R1)."""
    return ModeSetting(
        Mode(settings.CONSENT_MODE), settings.CONSENT_CITATION,
        date.fromisoformat(settings.CONSENT_MODE_FROM),
    )


def calendar() -> SharingCalendar:
    """The first months of the sharing periods, by kind where they differ."""
    by_kind = {}
    for part in settings.SHARING_MONTHS_BY_KIND.split():
        kind, _, months = part.partition("=")
        by_kind[RecipientKind(kind)] = tuple(int(month) for month in months.split(","))
    return SharingCalendar(tuple(int(month) for month in settings.SHARING_MONTHS), by_kind)


class AreaTree:
    """Names and ancestors of every area.  Immutable once loaded; one query."""

    def __init__(self, rows: Iterable[area_queries.AreaFact]) -> None:
        self._rows = {row.id: row for row in rows}

    @classmethod
    def load(cls, wide: Scope) -> AreaTree:
        return cls(area_queries.areas(wide))

    def name(self, area_id: int | None) -> str:
        row = self._rows.get(area_id) if area_id is not None else None
        return row.name if row else ""

    def chain(self, area_id: int | None) -> tuple[int, ...]:
        """The area and everything above it."""
        found: list[int] = []
        while area_id is not None and area_id in self._rows and area_id not in found:
            found.append(area_id)
            area_id = self._rows[area_id].parent_id
        return tuple(found)

    def within(self, area_ids: Iterable[int]) -> frozenset[int]:
        """The areas named and all below them."""
        wanted = set(area_ids)
        return frozenset(row for row in self._rows if wanted.intersection(self.chain(row)))

    def keys(self, area_id: int | None, section: str) -> frozenset[str]:
        """Every area key of a home: the 町内会, its 班, the district, the municipality."""
        chain = self.chain(area_id)
        found = {f"area:{one}" for one in chain}
        if chain and section:
            found.add(f"area:{chain[0]}/{section}")
        return frozenset(found)


def recipient(
    office: OfficeFact, *, holder: Holder | None = None, terms: bool = True
) -> Recipient | None:
    """The office as disclosure sees it; None for a seat that receives no roster.

    ``terms`` False leaves the term out: what a holder still has is judged without it.
    """
    kind = KIND_OF.get(office.role)
    if kind is None:
        return None
    keys = frozenset(
        f"area:{one.area_id}/{one.section}" if one.section else f"area:{one.area_id}"
        for one in office.areas
    )
    last = None
    if terms and holder is not None and holder.ends_on is not None:
        last = date.fromordinal(holder.ends_on.toordinal() - 1)
    return Recipient(
        office=str(office.id), kind=kind, areas=keys,
        from_on=holder.starts_on if terms and holder is not None else None, until_on=last,
    )


def listed_in(wide: Scope, area_ids: Iterable[int]) -> dict[int, RosterEntry]:
    """person id → entry of the people listed whose home lies in the areas.  One query."""
    rows = RosterEntry.objects.visible_to(wide).filter(
        state=RosterEntry.State.LISTED, person__area_id__in=list(area_ids)
    )
    return {row.person_id: row for row in rows}


def entries_of(wide: Scope, person_ids: Sequence[int]) -> dict[int, RosterEntry]:
    """person id → entry, whatever its state."""
    found: dict[int, RosterEntry] = {}
    for some in _chunks(person_ids):
        rows = RosterEntry.objects.visible_to(wide).filter(person_id__in=some)
        found.update({row.person_id: row for row in rows})
    return found


def subjects(
    wide: Scope,
    facts: Mapping[int, PersonFacts],
    listed: Iterable[int],
    tree: AreaTree,
) -> dict[int, Subject]:
    """person id → subject.  Three queries per 2,000 people."""
    answers, releases = _consents(wide, facts), _releases(wide, facts)
    notices = _notices(wide, facts)
    on_roster = set(listed)
    return {
        one.id: Subject(
            person=str(one.id),
            areas=tree.keys(one.area_id, one.section),
            on_roster=one.id in on_roster and not one.gone_on(wide.on),
            facts=tuple(answers[one.id]),
            notice=notices.get(one.id),
            protections=() if one.protected_until is None else (
                Protection(date.min, one.protected_until, tuple(releases[one.id])),
            ),
        )
        for one in facts.values()
    }


def loaded(
    wide: Scope, person_ids: Sequence[int], tree: AreaTree
) -> tuple[dict[int, Subject], dict[int, PersonFacts], dict[int, RosterEntry]]:
    """Everything about some people: subjects, facts, entries."""
    facts: dict[int, PersonFacts] = {}
    for some in _chunks(sorted(set(person_ids))):
        facts |= people.person_facts(wide, person_ids=some, action="evacuation.disclosing")
    entries = entries_of(wide, list(facts))
    listed = [pk for pk, entry in entries.items() if entry.state == RosterEntry.State.LISTED]
    return subjects(wide, facts, listed, tree), facts, entries


def decided(
    found: Iterable[Subject], to: Recipient, *, mode: ModeSetting, at: datetime
) -> dict[int, Decision]:
    """person id → the decision of this instant for one recipient, without plans."""
    return {int(one.person): decide(one, to, mode=mode, at=at) for one in found}


def as_fact(row: Consent) -> ConsentFact:
    """One row of the consent history as the domain reads it."""
    proxy = None
    if row.proxy_name:
        proxy = Proxy(row.proxy_name, row.proxy_relation, row.proxy_reason)
    return ConsentFact(
        person=str(row.person_id), purpose=Purpose(row.purpose), answer=Answer(row.answer),
        at=row.answered_at, means=Means(row.means), recorded_by=str(row.recorded_by_id),
        form_version=row.form_version, explained_normal=row.explained_normal,
        explained_disaster=row.explained_disaster, scope=_kinds(row.kinds), proxy=proxy,
    )


def _kinds(values: Iterable[str]) -> frozenset[RecipientKind]:
    known = {kind.value for kind in ALL_KINDS}
    return frozenset(RecipientKind(value) for value in values if value in known)


def _consents(wide: Scope, facts: Mapping[int, Any]) -> dict[int, list[ConsentFact]]:
    found: dict[int, list[ConsentFact]] = defaultdict(list)
    for some in _chunks(sorted(facts)):
        for row in Consent.objects.visible_to(wide).filter(person_id__in=some):
            found[row.person_id].append(as_fact(row))
    return found


def _notices(wide: Scope, facts: Mapping[int, Any]) -> dict[int, Notice]:
    """The newest notice of each person: an older one is overtaken."""
    found: dict[int, Notice] = {}
    for some in _chunks(sorted(facts)):
        rows = ConsentNotice.objects.visible_to(wide).filter(person_id__in=some)
        for row in rows.order_by("sent_on", "pk"):
            found[row.person_id] = Notice(
                str(row.person_id), row.sent_on, row.answer_by, row.form_version,
                returned_undelivered=row.undelivered_at is not None,
            )
    return found


def _releases(wide: Scope, facts: Mapping[int, Any]) -> dict[int, list[Release]]:
    found: dict[int, list[Release]] = defaultdict(list)
    protected = [pk for pk, one in facts.items() if one.protected_until is not None]
    if not protected:
        return found
    for row in ProtectionRelease.objects.visible_to(wide).filter(person_id__in=protected):
        found[row.person_id].append(
            Release(str(row.by_id), row.at, row.reason, _kinds(row.kinds))
        )
    return found


def _chunks(ids: Iterable[int]) -> Iterable[list[int]]:
    every = list(ids)
    for start in range(0, len(every), CHUNK):
        yield every[start : start + CHUNK]
