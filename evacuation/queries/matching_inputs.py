"""People and supporters as the matching reads them: keys, metres, needs, zones; no names.

Owns the translation of rows into ``candidates.Person`` and ``Supporter``.  Existing assignments
reduce what a person wants and what a supporter can take; who declined, was removed from the
proposals or helps already is not proposed again.  Only the service's own scope reads everybody.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from django.conf import settings
from django.db.models import Q

from evacuation.domain import skills
from evacuation.domain.candidates import Person, Supporter
from evacuation.models import Assignment, Proposal, ProposalRun, RosterEntry
from evacuation.models import Supporter as SupporterRow
from evacuation.queries.hazards import Hazards, in_force
from evacuation.queries.plan_drafts import LIVE
from registry.access import Scope
from registry.domain import geo
from registry.domain.calendar import age_at
from registry.queries import people
from registry.queries.facts import PersonFacts

NO_PLACE = "no_place"


def people_to_match(
    scope: Scope, *, wanted: int, areas: frozenset[int] | None = None,
    person_ids: Iterable[int] | None = None,
) -> tuple[list[Person], dict[int, int]]:
    """(people who lack helpers and have a place, person id → missing of those without one).

    Dead, moved and long-stay facility residents are left out.  Six queries and one per 900.
    """
    rows = RosterEntry.objects.visible_to(scope).filter(state=RosterEntry.State.LISTED)
    if person_ids is not None:
        rows = rows.filter(person_id__in=list(person_ids))
    listed = {row[0]: row[1:] for row in rows.values_list("person_id", "urgency", "needs")}
    settled: Counter[int] = Counter()
    barred: dict[int, set[str]] = defaultdict(set)
    assigned = Assignment.objects.visible_to(scope)
    removed = Proposal.objects.visible_to(scope).filter(removed_at__isnull=False)
    if person_ids is not None:
        assigned = assigned.filter(person_id__in=list(listed))
        removed = removed.filter(person_id__in=list(listed))
    for person, supporter, state in assigned.values_list("person_id", "supporter_id", "state"):
        barred[person].add(str(supporter))
        settled[person] += state in LIVE
    for person, supporter in removed.values_list("person_id", "supporter_id").distinct():
        barred[person].add(str(supporter))
    short = {p: wanted - settled[p] for p in listed if settled[p] < wanted}
    homes = _homes(scope, list(short))
    hazards = in_force()
    found: list[Person] = []
    placeless: dict[int, int] = {}
    for person, missing in sorted(short.items()):
        home = homes.get(person)
        if home is None or (areas is not None and home.area_id not in areas):
            continue
        if home.east_m is None or home.north_m is None:
            placeless[person] = missing
            continue
        urgency, needs = listed[person]
        found.append(Person(
            str(person), home.east_m, home.north_m, missing, settled[person], urgency,
            float(home.location_uncertainty_m), None if home.area_id is None else str(home.area_id),
            skills.asked_by(needs),
            _zones(hazards, home.longitude, home.latitude, home.location_uncertainty_m),
            frozenset(barred[person]),
        ))
    return found, placeless


def _homes(scope: Scope, ids: list[int]) -> dict[int, PersonFacts]:
    """Where those live who are still in the city."""
    found: dict[int, PersonFacts] = {}
    for start in range(0, len(ids), 900):
        found |= people.person_facts(
            scope, person_ids=ids[start : start + 900], action="supporters.match"
        )
    return {person: home for person, home in found.items() if not home.gone_on(scope.on)}


def pool_to_match(scope: Scope) -> list[Supporter]:
    """Supporters with a place on the map; ``places`` are what their assignments leave."""
    load = Counter(
        Assignment.objects.visible_to(scope).filter(state__in=LIVE)
        .values_list("supporter_id", flat=True)
    )
    rows = list(
        SupporterRow.objects.visible_to(scope)
        .filter(Q(left_on__isnull=True) | Q(left_on__gt=scope.on), east_m__isnull=False)
        .order_by("pk")
        .values_list("pk", "east_m", "north_m", "capacity", "born_on", "aged_75",
                     "location_uncertainty_m", "area_id", "skills", "availability",
                     "organisation_id")
    )
    if not rows:
        return []
    degrees = geo.to_geographic([row[2] for row in rows], [row[1] for row in rows],
                                settings.PLANE_ZONE)
    hazards = in_force()
    found = []
    for at, row in enumerate(rows):
        (pk, east, north, capacity, born, aged, blur, area, can, hours, organisation) = row
        age = None if organisation else age_at(born, scope.on) if born else 75 if aged else 0
        found.append(Supporter(
            str(pk), east, north, max(0, capacity - load[pk]), age, float(blur),
            None if area is None else str(area), skills.labels(can),
            _zones(hazards, float(degrees.longitude[at]), float(degrees.latitude[at]), blur),
            hours == "day",
        ))
    return found


def last_pairs(scope: Scope) -> list[tuple[str, str]]:
    """The pairs of the newest done run that nobody removed, as keys."""
    run = ProposalRun.objects.filter(state=ProposalRun.State.DONE).order_by("-pk").first()
    if run is None:
        return []
    rows = Proposal.objects.visible_to(scope).filter(run=run, removed_at__isnull=True)
    return [(str(a), str(b)) for a, b in rows.values_list("person_id", "supporter_id")]


def _zones(
    hazards: Hazards, lon: float | None, lat: float | None, blur: float
) -> frozenset[str]:
    if lon is None or lat is None or not hazards.index.areas:
        return frozenset()
    return hazards.names(lon, lat, uncertainty_m=float(blur))
