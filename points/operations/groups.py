"""Groups (登録団体): an organisation registered with a programme for one fiscal year (P9).

Owns the registration.  Refuses a second one for the same year, and a kind of activity that the
programme's rules do not know.
"""

from __future__ import annotations

from datetime import date

from django.db import IntegrityError, transaction

from points.domain.rules import fiscal_year_span, pick
from points.models import Group, Programme
from points.queries import rulebook
from registry import audit
from registry.access import Scope
from registry.domain.errors import Conflict, NotFound
from registry.domain.roles import Permission
from registry.operations.staff import actor_id
from registry.queries.organisations import organisations


class GroupRegistered(Conflict):
    """The organisation is registered with this programme for this year."""

    code = "group_registered"
    message = "この団体は、この年度にすでに登録されています。"


@transaction.atomic
def register(
    *,
    organisation_id: int,
    programme: str,
    fiscal_year: int,
    activity_kind: str,
    name: str = "",
    by: Scope,
) -> Group:
    """Register an organisation with a programme (code) for a fiscal year.

    Raises:
        Forbidden: without ``rules.manage``.
        NotFound: no such organisation, programme or opened year.
        Refused: ``unknown_kind``: no rate for the kind; ``no_rules``.
        GroupRegistered: done before.
    """
    by.require(Permission.RULES_MANAGE)
    found = organisations(by, ids=[organisation_id])
    row = Programme.objects.filter(code=programme).first()
    if not found or row is None:
        raise NotFound
    known = rulebook.load()
    known.terms(programme, fiscal_year)
    first, last = fiscal_year_span(fiscal_year)
    rules = known.book.rules[programme]
    on: date = max(first, min((r.begins_on for r in rules), default=first))
    pick(rules, min(on, last)).rate(activity_kind)
    try:
        with transaction.atomic():
            made = Group.objects.create(
                organisation_id=organisation_id, programme=row, fiscal_year=fiscal_year,
                name=name.strip() or found[0].name, activity_kind=activity_kind,
                area_id=found[0].area_id, registered_at=by.at, registered_by_id=actor_id(by=by),
            )
    except IntegrityError as error:
        raise GroupRegistered from error
    audit.note(scope=by, kind="change", action="groups.register", subject_kind="group",
               subject_id=made.pk, detail={"organisation": organisation_id})
    return made
