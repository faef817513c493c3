"""Plans as people see them: lists, the hub, one step, history.  (Filled below.)"""

from __future__ import annotations

from evacuation.queries.plan_cards import CardSupporter, PlanCard, card_facts

__all__ = ["CardSupporter", "PlanCard", "card_facts"]
