"""What stands of consent, for plans: making (R3) and sharing (R2), person by person.

Owns reading the consent rows into the domain's facts for any number of people at once.  Judges
nothing itself: ``evacuation.domain.consent.standing`` does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from evacuation.domain.consent import Answer, ConsentFact, Means, Purpose, Standing, standing
from evacuation.domain.recipients import RecipientKind
from evacuation.models import Consent
from registry.access import Scope

_COLUMNS = (
    "person_id", "purpose", "answer", "answered_at", "means", "kinds", "form_version",
    "explained_normal", "explained_disaster", "recorded_by_id",
)


def consent_facts(
    scope: Scope, *, person_ids: Iterable[int], purpose: Purpose
) -> dict[int, tuple[ConsentFact, ...]]:
    """person id → answers for one purpose, oldest first.  One query for 900 people."""
    ids, found = list(person_ids), defaultdict(list)
    known = {kind.value for kind in RecipientKind}
    for start in range(0, len(ids), 900):
        rows = Consent.objects.visible_to(scope).filter(
            person_id__in=ids[start : start + 900], purpose=purpose.value
        )
        for row in rows.order_by("answered_at", "pk").values_list(*_COLUMNS):
            found[row[0]].append(ConsentFact(
                str(row[0]), purpose, Answer(row[2]), row[3], Means(row[4]), str(row[9]), row[6],
                row[7], row[8], frozenset(RecipientKind(k) for k in row[5] if k in known),
            ))
    return {person: tuple(facts) for person, facts in found.items()}


def making_agreed(
    scope: Scope, *, person_ids: Iterable[int], at: datetime | None = None
) -> dict[int, datetime]:
    """person id → when the consent to making in force was given; others are absent (R3)."""
    found: dict[int, datetime] = {}
    facts = consent_facts(scope, person_ids=person_ids, purpose=Purpose.PLAN_MAKING)
    for person, mine in facts.items():
        now = standing(mine, person=str(person), purpose=Purpose.PLAN_MAKING, kind=None,
                       at=at or scope.at)
        if now is Standing.IN_FORCE:
            found[person] = max(f.at for f in mine if f.answer is Answer.AGREED)
    return found


def sharing_kinds(
    facts: tuple[ConsentFact, ...], *, person: str, at: datetime
) -> frozenset[RecipientKind]:
    """The kinds of recipient for which consent to sharing the plan is in force."""
    return frozenset(
        kind for kind in RecipientKind
        if standing(facts, person=person, purpose=Purpose.PLAN_SHARING, kind=kind, at=at)
        is Standing.IN_FORCE
    )
