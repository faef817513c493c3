"""The evacuation side of a person's page: roster, answers, plan and who received what.

Owns the sections and buttons that ``people.Person`` adds.  Refuses what the visitor's role may
not do: a button that would be refused is not drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from registry.access import Scope
from registry.domain.roles import Permission
from registry.queries.facts import PersonFacts
from web.views import blocks


@dataclass
class Parts:
    """What is added to ``office/person.html``."""

    badges: list[blocks.Block] = field(default_factory=list)
    sections: list[blocks.Block] = field(default_factory=list)
    tables: list[blocks.Block] = field(default_factory=list)
    actions: list[blocks.Block] = field(default_factory=list)


def evacuation_parts(scope: Scope, person: PersonFacts) -> Parts:
    """Everything the evacuation side knows of a visible person."""
    parts = Parts()
    if scope.may(Permission.CONSENT_RECORD):
        parts.actions.append(blocks.action("同意を記録", blocks.link(
            "office-consent", person.id, purpose_code=scope.purpose)))
    return parts
