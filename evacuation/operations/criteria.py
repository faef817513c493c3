"""Listing criteria (登載要件) as versioned data.

Owns registering a version and loading one of the shipped examples (見本).  Refuses a rule set
that the domain cannot read, and a second version of the same name with another content: a
version is never edited, it is followed.  災害対策基本法 第49条の10①.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import transaction

from evacuation import criteria as shipped
from evacuation.domain.eligibility import RuleSet, from_data
from evacuation.models import CriteriaSet
from registry import audit
from registry.access import Scope
from registry.domain.errors import Conflict, NotFound
from registry.domain.roles import Permission
from registry.operations.staff import actor_id


class CriteriaVersionTaken(Conflict):
    """The version exists with another content."""

    code = "criteria_version_taken"
    message = "この版の要件はすでにあり、内容がちがいます。版の名前をかえてください。"


class ExampleUnknown(NotFound):
    """No example of that name is shipped."""

    code = "criteria_example_unknown"
    message = "その名前の要件の例はありません。"


def rules_of(row: CriteriaSet) -> RuleSet:
    """The rule set of a stored version."""
    return from_data(row.body)


@transaction.atomic
def register(
    *, body: Mapping[str, Any], by: Scope, in_force_on: date | None = None
) -> CriteriaSet:
    """Store a version (JSON data as in ``docs/algorithms``); the same again changes nothing.

    Raises:
        Forbidden: without ``roster.manage``.
        CriteriaRefused: the tree is malformed; ``fields`` names the node.
        CriteriaVersionTaken: the name is used for another content.
    """
    by.require(Permission.ROSTER_MANAGE)
    data = json.loads(json.dumps(body))
    rules = from_data(data)
    version = f"{rules.code}/{rules.version}"[:40]
    row, made = CriteriaSet.objects.get_or_create(
        version=version,
        defaults={
            "title": rules.title[:120], "citation": rules.source[:240], "body": data,
            "in_force_on": in_force_on or rules.in_force_from, "made_at": by.at,
            "made_by_id": actor_id(by=by),
        },
    )
    if not made and row.body != data:
        raise CriteriaVersionTaken
    if made:
        audit.note(scope=by, kind="change", action="criteria.register",
                   subject_kind="criteria", subject_id=row.pk)
    return row


def load_example(*, name: str, by: Scope) -> CriteriaSet:
    """Store one of the shipped examples: ``a``, ``b``, ``c``, or its code.

    Raises:
        Forbidden, ExampleUnknown.
    """
    by.require(Permission.ROSTER_MANAGE)
    for letter, (rules, body) in zip("abc", examples(), strict=False):
        if name in (letter, rules.code):
            return register(body=body, by=by)
    raise ExampleUnknown


def examples() -> list[tuple[RuleSet, dict[str, Any]]]:
    """The shipped examples with their data, by file name."""
    from importlib import resources

    files = sorted(
        (f for f in resources.files(shipped).iterdir() if f.name.endswith(".json")),
        key=lambda f: f.name,
    )
    bodies = [json.loads(f.read_text(encoding="utf-8")) for f in files]
    return [(from_data(body), body) for body in bodies]
