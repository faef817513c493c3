"""What a roster card may say of a plan: supporters and destination, only where R2 allows.

Owns ``card_facts``.  A person is absent unless an approved version exists, the person's consent
to sharing the plan is in force for some kind of recipient, and **every** named supporter
consents and still helps.  Otherwise the whole plan stays.  Area and column rules are the
caller's: pass ``named`` to ``disclosure.decide_plan``, or ask ``allows(kind)``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evacuation.domain.consent import Answer, ConsentFact, Means, Purpose
from evacuation.domain.parties import NamedSupporter
from evacuation.domain.plan_items import PlanHazard
from evacuation.domain.planning import PlanState
from evacuation.domain.recipients import RecipientKind
from evacuation.models import Assignment, PlanVersion, Supporter
from evacuation.queries.plan_consents import consent_facts, sharing_kinds
from registry.access import Scope

USABLE = (PlanState.APPROVED, PlanState.SHARED, PlanState.REVIEW_DUE, PlanState.DRAFT,
          PlanState.SUBMITTED, PlanState.RETURNED)


@dataclass(frozen=True)
class CardSupporter:
    """避難支援等実施者 on a card, in order of calling."""

    name: str
    role: str
    phone: str


@dataclass(frozen=True)
class PlanCard:
    """The plan's part of a roster card; ``kinds`` are the recipients it may go to (R2)."""

    person_id: int
    supporters: tuple[CardSupporter, ...]
    destination: str  # 「水害：鶴城小学校、地震：…」
    kinds: frozenset[RecipientKind]
    named: tuple[NamedSupporter, ...]
    version: int

    def allows(self, kind: RecipientKind) -> bool:
        """Whether consent is in force for this kind of recipient."""
        return kind in self.kinds

    @property
    def supporter_words(self) -> str:
        """「見本 茂（0242-…）、北町内会」."""
        return "、".join(f"{s.name}（{s.phone}）" if s.phone else s.name for s in self.supporters)


def card_facts(
    scope: Scope, *, person_ids: Iterable[int], at: datetime | None = None
) -> dict[int, PlanCard]:
    """person id → card, of those whose plan may be shared with somebody now (R2).

    Reads the newest approved version; a revision under way does not hide it, a withdrawn plan
    does.  Leaves no view record: the caller that shows the card does.  Five queries per 900.
    """
    instant = at or scope.at
    found: dict[int, PlanCard] = {}
    ids = list(person_ids)
    for start in range(0, len(ids), 900):
        found.update(_chunk(scope, ids[start : start + 900], instant))
    return found


def _chunk(scope: Scope, ids: list[int], at: datetime) -> dict[int, PlanCard]:
    newest: dict[int, tuple[int, dict[str, Any]]] = {}
    rows = PlanVersion.objects.visible_to(scope).filter(
        plan__person_id__in=ids, approved_at__isnull=False, approved_at__lte=at,
        plan__state__in=[state.value for state in USABLE],
    )
    for person, number, steps in rows.order_by("number").values_list(
        "plan__person_id", "number", "steps"
    ):
        newest[person] = (number, steps)
    if not newest:
        return {}
    consents = consent_facts(scope, person_ids=newest, purpose=Purpose.PLAN_SHARING)
    named = {
        person: [row["supporter_id"] for row in _supporters(steps)]
        for person, (_, steps) in newest.items()
    }
    agreed = _agreed(scope, {one for ids_ in named.values() for one in ids_})
    helping = set(
        Assignment.objects.visible_to(scope)
        .filter(person_id__in=newest, state=Assignment.State.CONSENTED)
        .values_list("person_id", "supporter_id")
    )
    cards: dict[int, PlanCard] = {}
    for person, (number, steps) in newest.items():
        kinds = sharing_kinds(consents.get(person, ()), person=str(person), at=at)
        if not kinds or any(
            one not in agreed or agreed[one] > at or (person, one) not in helping
            for one in named[person]
        ):
            continue
        cards[person] = PlanCard(
            person,
            tuple(CardSupporter(row["name"], row.get("role", ""), row.get("phone", ""))
                  for row in _supporters(steps)),
            "、".join(
                f"{PlanHazard(d['hazard']).label}：{d.get('place', '')}"
                for d in steps.get("4", {}).get("destinations", [])
            ),
            kinds, tuple(named_supporter(one, agreed[one]) for one in named[person]), number,
        )
    return cards


def _supporters(steps: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = steps.get("5", {}).get("supporters", [])
    return rows


def _agreed(scope: Scope, ids: set[int]) -> dict[int, datetime]:
    return dict(
        Supporter.objects.visible_to(scope)
        .filter(pk__in=ids, consented_at__isnull=False, left_on__isnull=True)
        .values_list("pk", "consented_at")
    )


def named_supporter(supporter_id: int, consented_at: datetime) -> NamedSupporter:
    """A supporter's own consent as the fact that ``decide_plan`` reads."""
    key = f"supporter:{supporter_id}"
    return NamedSupporter(key, (ConsentFact(
        key, Purpose.PLAN_SHARING, Answer.AGREED, consented_at, Means.PAPER, "supporter",
        "supporter", True, True,
    ),))
