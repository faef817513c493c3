"""P2: a rule change and people being counted at the same moment never contradict each other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from points.models import RuleSet as RuleSetRow
from points.operations import attendance, ledger, programmes, rules
from registry import access
from registry.domain.errors import Refused
from tests.factories import points as make

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]
HELD = 0.8  # seconds that the first transaction stays open after its work


def together(world: make.World, first: Callable[[Any], Any], second: Callable[[Any], Any]) -> Any:
    """Do ``first`` and keep its transaction open while ``second`` begins; what came of both."""
    worked, wait, found = threading.Event(), threading.Event(), []

    def run() -> None:
        try:
            with access.scope(world.council, at=world.at) as by:
                found.append(first(by))
                worked.set()
                wait.wait(HELD)
        except BaseException as error:  # noqa: BLE001  # the test reports whatever it is
            found.append(error)
            worked.set()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert worked.wait(60)
    try:
        with access.scope(world.council, at=world.at) as by:
            other = second(by)
    except Refused as error:
        other = error
    thread.join(60)
    return found[0], other


def drafted(world: make.World) -> int:
    """A draft that would hold from the very day of the session."""
    with access.scope(world.council, at=world.at) as by:
        made = rules.begin(programme="tsunagari", based_on=RuleSetRow.objects.get().pk, by=by)
        form = {**made.form, "begins_on": world.at.date().isoformat(), "citation": "見本"}
        form["rates"][0]["points"] = "2"
        rules.save(draft_id=made.pk, form=form, version=1, by=by)
    return made.pk


def intact(world: make.World) -> None:
    with access.system(at=world.at, reason="verify") as by:
        assert ledger.verify(by=by).differences == []


def test_P2_a_rule_change_waits_for_awards_in_flight_and_is_refused() -> None:
    world = make.build()
    draft = drafted(world)
    counted, changed = together(
        world,
        lambda by: attendance.record(scans=[world.scan(0)], by=by).results[0],
        lambda by: rules.adopt(draft_id=draft, version=2, reason="見本", by=by),
    )
    assert counted.points == 1
    assert isinstance(changed, Refused) and changed.code == "begins_before_awards"
    assert RuleSetRow.objects.count() == 1
    intact(world)


def test_P2_people_counted_while_rules_change_are_counted_by_the_new_ones() -> None:
    world = make.build()
    draft = drafted(world)
    changed, counted = together(
        world,
        lambda by: rules.adopt(draft_id=draft, version=2, reason="見本", by=by).pk,
        lambda by: attendance.record(scans=[world.scan(0)], by=by).results[0],
    )
    assert RuleSetRow.objects.filter(pk=changed).exists() and counted.points == 2
    intact(world)


def test_P2_a_withdrawal_waits_for_awards_in_flight_and_is_refused() -> None:
    world = make.build()
    draft = drafted(world)
    with access.scope(world.council, at=world.at) as by:
        number = rules.adopt(draft_id=draft, version=2, reason="見本", by=by).pk
    counted, withdrawn = together(
        world,
        lambda by: attendance.record(scans=[world.scan(0)], by=by).results[0],
        lambda by: programmes.withdraw_rules(rule_set_id=number, reason="見本", by=by),
    )
    assert counted.points == 2
    assert isinstance(withdrawn, Refused) and withdrawn.code == "rules_used"
    intact(world)
