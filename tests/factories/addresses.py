"""Every address that the service answers, read from its own resolvers, filled with real ids.

A new page or endpoint is in the sweeps of tests/project/ the day it is mounted.  Path parameters
are filled with the ids that exist (``Known``), by the parameter's name where it names a model,
else with every id of every table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any
from uuid import UUID

from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver

from registry import access, database
from tests.factories.living import City

MISSING = {"int": "987654321", "uuid": "00000000-0000-4000-8000-000000000000",
           "str": "none", "slug": "none"}
#: Tables whose ids are in no address: only the log and the outbox grow without bound.
UNADDRESSED = {"LogEntry", "LogSeal", "OutboxMessage", "Heartbeat", "RememberedAnswer"}
#: Parameter → the models whose ids it may carry; anything else is filled from all tables.
NAMED = {
    "person_id": ("registry.Person",), "volunteer_id": ("registry.Volunteer",),
    "batch_id": ("registry.ImportBatch",), "device_id": ("registry.BoundDevice",),
    "appointment_id": ("registry.Appointment",), "session_id": ("points.Session",),
    "group_id": ("points.Group",), "kiosk_id": ("registry.Kiosk",), "scan_id": ("points.Scan",),
    "attendance_id": ("points.Attendance",), "edition_id": ("evacuation.Edition",),
    "copy_id": ("evacuation.Copy",), "task_id": ("evacuation.SharingTask",),
    "letter_id": ("evacuation.Letter",), "row_id": ("evacuation.EditionRow",),
    "correction_id": ("evacuation.Correction",), "plan_id": ("evacuation.Plan",),
    "waiting_id": ("points.WaitingRow",), "print_id": ("points.CardPrint",),
    "rule_set_id": ("points.RuleSet",), "draft_id": ("points.RuleDraft",),
    "enrolment_id": ("points.Enrolment",),
}


@dataclass(frozen=True)
class Route:
    """One mounted address.  ``view`` is its class; ``parameters`` are (converter, name)."""

    pattern: str
    name: str
    view: Any
    parameters: tuple[tuple[str, str], ...]

    @property
    def api(self) -> bool:
        return self.pattern.startswith("/api/")

    @property
    def needs(self) -> dict[str, Any]:
        return dict(getattr(self.view, "needs", {}))

    def filled(self, values: dict[str, str]) -> str:
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda m: values[m.group(1)], self.pattern)

    def missing(self) -> str:
        """The address of something that does not exist."""
        return self.filled({name: MISSING.get(kind, "none") for kind, name in self.parameters})


def routes(prefix: str = "/", resolver: Any = None) -> Iterator[Route]:
    """Every pattern below the root."""
    for entry in (resolver or get_resolver()).url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(path, entry)
        elif isinstance(entry, URLPattern):
            view = getattr(entry.callback, "view_class", None) or getattr(
                entry.callback, "cls", entry.callback)
            yield Route(path, entry.name or path, view, tuple(
                (kind or "str", name)
                for kind, name in re.findall(r"<(?:(\w+):)?(\w+)>", path)
            ))


@dataclass
class Known:
    """The ids and words that exist in a city."""

    numbers: dict[str, list[str]] = field(default_factory=dict)  # model label → ids
    uuids: list[str] = field(default_factory=list)
    words: dict[str, list[str]] = field(default_factory=dict)  # parameter → values

    @property
    def every(self) -> list[str]:
        found = {int(n) for ids in self.numbers.values() for n in ids}
        return [str(n) for n in sorted(found)]

    def values(self, kind: str, name: str, *, widely: bool) -> list[str]:
        """What a parameter is filled with; ``widely``: with every id of every table."""
        if kind == "uuid":
            return self.uuids
        if kind == "int" and name == "number":
            return [str(n) for n in range(8)]
        if kind == "int":
            if name in self.words:
                return self.words[name]
            labels = () if widely else NAMED.get(name, ())
            return [n for label in labels for n in self.numbers[label]] or self.every
        return self.words.get(name, ["none"])

    def addresses(self, route: Route, *, widely: bool = False) -> Iterator[str]:
        """Every address of a route over what exists."""
        choices = [self.values(kind, name, widely=widely) for kind, name in route.parameters]
        for values in product(*choices):
            names = [name for _, name in route.parameters]
            yield route.filled(dict(zip(names, values, strict=True)))


def known(city: City) -> Known:
    """Look up every id there is, with the service's own scope."""
    found = Known(uuids=[str(city.exchange)])
    with access.system(at=city.cast.at, reason="test"):
        for model in database.our_models():
            if model.__name__ in UNADDRESSED:
                continue
            rows = model._default_manager.all() if not hasattr(
                model, "visible") else model.objects.unscoped()  # type: ignore[attr-defined]
            ids = list(rows.values_list("pk", flat=True))
            found.numbers[model._meta.label] = [str(i) for i in ids if isinstance(i, int)]
            found.uuids += [str(i) for i in ids if isinstance(i, UUID)]
    found.words = {
        "period": [city.run_period],
        "code": ["tsunagari", city.event, city.card, *city.voucher_codes],
        "file": ["pdf", "xlsx", "difference"],
        "fiscal_year": [str(city.cast.at.year), str(city.cast.at.year - 1)],
    }
    for labels in NAMED.values():
        for label in labels:
            apps.get_model(label)  # a renamed model must be renamed here, too
    return found
