"""Facts for the roster run: everybody, in chunks, in the service's own scope.

Owns the stream of facts that eligibility reads, and the events an import noticed.  Refuses any
other scope: a person's browser never reads the whole city.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from registry.access import Scope
from registry.domain.errors import Forbidden
from registry.models import Person, PersonEvent
from registry.queries.facts import PersonFacts, current_residents, facts_of

CHUNK = 2_000


@dataclass(frozen=True)
class EventFact:
    """Something that happened to a person (異動), as an import noticed it."""

    id: int
    person_id: int
    kind: str
    happened_on: date
    batch_id: int | None


def people_for_roster(
    scope: Scope, *, include_gone: bool = False, chunk: int = CHUNK
) -> Iterator[list[PersonFacts]]:
    """Everybody living in the city on the scope's day, by id, ``chunk`` at a time.

    Flat memory, three queries a chunk.  ``include_gone`` adds the dead and those moved away.

    Raises:
        Forbidden: the scope is not the service's own.
    """
    _own(scope)
    last = 0
    while True:
        rows = Person.objects.visible_to(scope).filter(pk__gt=last)
        if not include_gone:
            rows = current_residents(rows, scope.on)
        ids = list(rows.order_by("pk").values_list("pk", flat=True)[:chunk])
        if not ids:
            return
        yield facts_of(Person.objects.visible_to(scope).filter(pk__in=ids), scope)
        last = ids[-1]


def events_of_batch(scope: Scope, *, batch_id: int) -> list[EventFact]:
    """What an applied import noticed, by person.  For the handler of ``registry.import_applied``.

    Raises:
        Forbidden: the scope is not the service's own.
    """
    _own(scope)
    return [
        EventFact(*row)
        for row in PersonEvent.objects.visible_to(scope)
        .filter(batch_id=batch_id)
        .order_by("person_id", "kind")
        .values_list("pk", "person_id", "kind", "happened_on", "batch_id")
    ]


def events_since(scope: Scope, *, after_id: int, limit: int = 5_000) -> list[EventFact]:
    """Events noticed after an event, oldest first, whatever brought them."""
    _own(scope)
    return [
        EventFact(*row)
        for row in PersonEvent.objects.visible_to(scope)
        .filter(pk__gt=after_id)
        .order_by("pk")
        .values_list("pk", "person_id", "kind", "happened_on", "batch_id")[:limit]
    ]


def _own(scope: Scope) -> None:
    if not scope.system:
        raise Forbidden
