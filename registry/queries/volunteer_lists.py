"""Volunteers by what somebody wrote on a list: numbers and names, many at once.

Owns one look-up for a whole list; variants of kanji and kana are folded as in every search.
Refuses those whom the viewer may not see (a leader finds own members only, P9) and leaves a
record.  Which of the found is meant is judged by the caller.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from registry.access import Scope
from registry.domain.identity import fold_kana, fold_name
from registry.models import Volunteer
from registry.queries.volunteers import VolunteerFacts, volunteer_facts

_TOGETHER = 200


def volunteers_written(
    scope: Scope, *, numbers: Iterable[str], names: Iterable[str], action: str
) -> list[VolunteerFacts]:
    """Registered volunteers with one of the numbers, written names or readings, by reading.

    One query for 200 names, and one for the facts.
    """
    some = sorted({one.strip().upper() for one in numbers if one.strip()})
    written = sorted({one for one in names if one.strip()})
    found: set[int] = set()
    for start in range(0, max(len(some), len(written)), _TOGETHER):
        part = written[start : start + _TOGETHER]
        keys = [key for key in map(fold_name, part) if key]
        readings = [key for key in map(fold_kana, part) if key]
        found.update(
            Volunteer.objects.visible_to(scope)
            .filter(Q(left_on__isnull=True) | Q(left_on__gt=scope.on))
            .filter(Q(number__in=some[start : start + _TOGETHER]) | Q(name_key__in=keys)
                    | Q(kana_key__in=readings))
            .values_list("pk", flat=True)
        )
    facts = volunteer_facts(scope, volunteer_ids=sorted(found), action=action)
    return sorted(facts.values(), key=lambda one: (one.kana, one.id))
