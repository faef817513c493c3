"""P3: whoever changes a stored column behind the database's back is found by ``verify_ledger``.

The cases are generated: every column of the tables that decide about points and yen is changed in
a living ledger, one at a time.  Either the audit names a difference, or a constraint of the
database refuses the change, or the column is listed here with the reason why it may differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, models, transaction

from points.models import (
    Account,
    Attendance,
    AwardDecision,
    Exchange,
    ProgrammeYear,
    RuleSet,
    Session,
    Transfer,
    Voucher,
)
from points.operations import ledger
from registry import access, database
from registry.models import Volunteer
from tests.machine import world as small
from tests.machine.acts import Acts

pytestmark = pytest.mark.timeout(300)
NOT_POINTS = "says who, when or how; no share depends on it (the log has it sealed)"
TABLES: dict[type[models.Model], dict[str, str]] = {
    AwardDecision: {"id": "known by its mark's place in the chain"},
    Transfer: {"id": "known by what names it"},
    Account: {"id": "known by what names it"},
    Attendance: {
        "id": "known by what names it", "method": NOT_POINTS, "attended_at": NOT_POINTS,
        "recorded_at": NOT_POINTS, "recorded_by": NOT_POINTS, "proxy_note": NOT_POINTS,
        "corrected_at": NOT_POINTS, "corrected_by": NOT_POINTS, "cleared_by": NOT_POINTS,
        "voided_by": NOT_POINTS, "void_reason": NOT_POINTS,
        "voided_at": "whether, not when: see `a void` below",
        "cleared_at": "whether, not when: see `a cleared overlap` below",
        "correction": "whether, not its words: see `a correction` below",
    },
    Session: {
        "id": "known by what names it", "place": NOT_POINTS, "area": NOT_POINTS,
        "organisation": "only where a rule asks for membership: the next test",
        "headcount": NOT_POINTS, "cancelled_by": NOT_POINTS, "made_at": NOT_POINTS,
        "made_by": NOT_POINTS,
    },
    Exchange: {
        "id": "known by what names it", "by": NOT_POINTS, "undone_by": NOT_POINTS,
        "undo_reason": NOT_POINTS,
    },
    Voucher: {
        "id": "known by what names it", "issued_at": NOT_POINTS, "used_by": NOT_POINTS,
        "valid_until": "an approved exception to the year may have moved it",
    },
}


@pytest.fixture
def life(db: None) -> Iterator[Acts]:
    """A ledger with everything in it: caps, hours, overlaps, a void, exchanges, a closed year."""
    made = Acts(small.build(), Counter())
    world, council = made.world, made.world.council
    for who in (0, 1, 2):
        places = range(13) if who == 0 else range(who, 13, 2)
        scans = [made.request(council, who, world.sessions[n], "card") for n in places if n != 12]
        made.send(council, scans, [who] * len(scans))
    made.clear(1)
    made.void(4)
    made.exchange(world.people[0], "tsunagari", 2)
    made.exchange(world.people[2], "tsunagari", 1)
    made.exchange(world.people[0], "tsunagari", 1)
    made.redeem(0)
    made.undo_exchange(2)
    made.at = datetime(2026, 6, 11, 9, 0, tzinfo=access.JAPAN)
    made.begin_closing("tsunagari", 2025)
    made.close("tsunagari", 2025)
    late = made.request(council, 1, world.sessions[0], "paper")
    made.send(council, [late], [1])
    made.step("a ledger with everything")
    yield made
    made.end()


def differences(life: Acts, change: Any) -> list[str] | str:
    try:
        with transaction.atomic(), access.system(at=life.at, reason="plant") as by:
            change(by)
            seen = sorted({one.kind for one in ledger.verify(by=by).differences})
            if not seen:
                connection.check_constraints()
            raise Undo(seen)
    except Undo as undone:
        return undone.seen
    except DatabaseError as refused:
        return f"refused: {refused}"


class Undo(Exception):
    """Carries the finding out of the transaction that must not stay."""

    def __init__(self, seen: list[str] | str) -> None:
        self.seen = seen


def rows(model: Any, by: Any) -> Any:
    known = getattr(model.objects, "visible_to", lambda _: model.objects.all())
    return known(by).order_by("pk")


def others(field: Any, value: Any, by: Any) -> list[Any]:
    """Other values that the column could hold."""
    if field.is_relation:
        target = rows(field.related_model, by) if hasattr(
            field.related_model.objects, "visible_to") else field.related_model._base_manager.all()
        found = [pk for pk in target.values_list("pk", flat=True)[:40] if pk != value]
        return [*found[:3], *([None] if field.null and value is not None else [])]
    if isinstance(field, models.BooleanField):
        return [not value]
    if isinstance(field, models.BinaryField):
        return [bytes([bytes(value)[0] ^ 1]) + bytes(value)[1:]]
    if isinstance(field, models.DateTimeField):
        return [(value or datetime(2026, 5, 1, tzinfo=access.JAPAN)) + timedelta(hours=3)]
    if isinstance(field, models.DateField):
        return [(value or date(2026, 5, 1)) + timedelta(days=1)]
    if field.name == "minutes":
        return [value + 60]  # paid by the hour begun
    if isinstance(field, models.UUIDField):
        return [uuid4()]
    if isinstance(field, models.IntegerField):
        return [1 if value is None else value + 1]
    if isinstance(field, models.CharField):
        words = {"unit": ["JPY", "POINT"], "kind": ["wallet", "issue", "redeemed", "shop_used"],
                 "cause": ["attendance", "exchange", "expiry", "use"],
                 "code": ["none", "daily", "annual", "void"],
                 "state": ["issued", "used", "void", "lapsed"],
                 "source": ["group", "centre", "event"],
                 "activity_kind": ["join", "support", "hourly", "act", "care"],
                 "ref": [f"{value}1"], "serial": [f"{value}9"]}
        return [one for one in words.get(field.name, [f"{value}う"]) if one != value]
    raise AssertionError(f"no other value for {field}")


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model.__name__)
def test_P3_every_changed_column_is_found(life: Acts, model: type[models.Model]) -> None:
    left_out = TABLES[model]
    assert set(left_out) <= {field.name for field in model._meta.concrete_fields}
    with access.system(at=life.at, reason="plant") as by:
        every = list(rows(model, by))
        assert every, model
        cases = [
            (field, row, value)
            for field in model._meta.concrete_fields if field.name not in left_out
            for row in chosen(field, every)
            for value in others(field, getattr(row, field.attname), by)[:2]
        ]
    tried = Counter(field.name for field, _, _ in cases)
    as_owner()
    with database.history_open():
        unnoticed = unfound(life, model, cases)
    assert not unnoticed, "\n".join(unnoticed)
    assert set(tried) | set(left_out) == {field.name for field in model._meta.concrete_fields}


def as_owner() -> None:
    """No longer the application's role: somebody with all rights on the machine."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")


def unfound(
    life: Acts, model: type[models.Model], cases: list[tuple[Any, Any, Any]]
) -> list[str]:
    """The changes that neither the audit nor the database noticed."""
    unnoticed, noticed = [], set[str]()
    for field, row, value in cases:
        found = differences(life, lambda by, f=field, r=row, v=value: rows(model, by).filter(
            pk=r.pk).update(**{f.attname: v}))
        if found:
            noticed.add(field.name)
        else:
            was = getattr(row, field.attname)
            unnoticed.append(f"{field.name} of {row.pk}: {was!r} → {value!r}")
    if model is Session:
        # A session's facts are found where a share depends on them: on one of its rows at least.
        return [one for one in unnoticed if one.split(" of ")[0] not in noticed]
    return unnoticed


def chosen(field: Any, every: list[Any]) -> list[Any]:
    """One row with each kind of value: none, some."""
    if isinstance(every[0], Session):
        return every[4:8]  # the first of April: same group and day, hours, overlaps
    found: dict[str, Any] = {}
    for row in every:
        if field.name == "minutes" and row.session.activity_kind != "hourly":
            continue
        value = getattr(row, field.attname)
        found.setdefault("none" if value is None else "some", row)
    return list(found.values())


PLANTED: dict[str, Callable[[Acts, Any], Any]] = {
    "a void undone": lambda life, by: rows(Attendance, by).filter(voided_at__isnull=False).update(
        voided_at=None, voided_by=None, void_reason=""),
    "a void invented": lambda life, by: rows(Attendance, by).filter(
        pk=valued(by)).update(voided_at=life.at, voided_by=life.world.council, void_reason="う"),
    "a cleared overlap": lambda life, by: rows(Attendance, by).filter(
        cleared_at__isnull=False).update(cleared_at=None, cleared_by=None),
    "a correction": lambda life, by: rows(Attendance, by).filter(after_close=True).update(
        correction="う", corrected_at=life.at, corrected_by=life.world.council),
    "a transfer removed": lambda life, by: rows(Transfer, by).filter(
        pk=rows(Transfer, by).last().pk).delete(),
    "a wallet's balance and its last transfer": lambda life, by: (
        rows(Transfer, by).filter(cause="attendance").first().delete()
        and rows(Account, by).filter(kind="wallet").update(balance=0)),
    "a person's birth": lambda life, by: Volunteer.objects.unscoped().filter(
        pk=life.world.people[0]).update(born_on=date(2020, 1, 1)),
    "a residence": lambda life, by: Volunteer.objects.unscoped().filter(
        pk__in=life.world.people).update(resident=False),
    "a registration": lambda life, by: Volunteer.objects.unscoped().filter(
        pk=life.world.people[0]).update(registered_on=date(2026, 5, 1)),
    "a year opened again": lambda life, by: ProgrammeYear.objects.filter(
        state="closed").update(state="closing", closed_at=None, closed_by=None),
    "an annual cap": lambda life, by: year_terms(annual_cap=1),
    "a rate": lambda life, by: rule_body(lambda body: {
        "rates": [[kind, label, points + 1, per] for kind, label, points, per in body["rates"]]}),
    "a daily cap": lambda life, by: rule_body(lambda body: {"daily_cap": 1, "group_day_cap": None}),
    "a group's cap": lambda life, by: rule_body(lambda body: {
        "group_day_cap": 1} if body["group_day_cap"] else {}),
    "an age": lambda life, by: rule_body(lambda body: {"minimum_age": 75}),
    "the sources": lambda life, by: rule_body(lambda body: {
        "sources": ["group"] if body["programme"] == "tsunagari" else ["event"]}),
    "membership": lambda life, by: rule_body(lambda body: {
        "membership_required": True, "sources": ["group"]}
        if body["programme"] == "tsunagari" else {}),
    "yearly registration": lambda life, by: rule_body(lambda body: {"enrolment_required": True}),
    "a rate below zero": lambda life, by: rule_body(lambda body: {
        "rates": [[kind, label, -1, per] for kind, label, _, per in body["rates"]]}),
    "the beginning of the rules": lambda life, by: rule_body(lambda body: {
        "begins_on": "2026-04-02"}),
}


def valued(by: Any) -> int:
    """An attendance of the open year with points."""
    found: int = rows(AwardDecision, by).filter(
        share__gt=0, attendance__session__held_on__gte=date(2026, 4, 1),
        attendance__voided_at__isnull=True,
    ).values_list("attendance_id", flat=True)[0]
    return found


def rule_body(change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    for one in RuleSet.objects.all():
        RuleSet.objects.filter(pk=one.pk).update(body={**one.body, **change(one.body)})


def year_terms(**changes: Any) -> None:
    for one in ProgrammeYear.objects.all():
        ProgrammeYear.objects.filter(pk=one.pk).update(terms={**one.terms, **changes})


def test_P3_planted_facts_rules_and_years_are_found(life: Acts) -> None:
    as_owner()
    with database.history_open():
        unnoticed = [name for name, change in PLANTED.items()
                     if not differences(life, lambda by, act=change: act(life, by))]
        moved = rule_body_and_host(life)
    assert not unnoticed
    assert moved, "a session given to another host, where membership is asked"


def rule_body_and_host(life: Acts) -> list[str] | str:
    """Under a rule that asks for membership, a session's host decides: it is found, too."""
    def plant(by: Any) -> None:
        PLANTED["membership"](life, by)
        before = [one.where for one in ledger.verify(by=by).differences]
        Session.objects.filter(organisation_id=life.world.homes["G2"]).update(
            organisation_id=life.world.homes["G1"])
        after = [one.where for one in ledger.verify(by=by).differences]
        raise Undo([] if before == after else ["share_differs"])

    return differences(life, plant)
