"""Append-only tables refuse; unscoped managers raise; the database knows the scope."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection, models, transaction

from registry import access, audit, database
from registry.base import UnscopedAccess
from registry.models import Household, LogEntry, Person, User


def test_every_append_only_table_has_both_triggers(db: None) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute("SELECT tgname FROM pg_trigger")
        names = {row[0] for row in cursor.fetchall()}
    for model, _ in database.append_only_models():
        for verb in ("update", "delete"):
            assert f"{model._meta.db_table}_no_{verb}" in names


@pytest.mark.parametrize("change", ["update", "delete"])
def test_a_log_entry_can_neither_change_nor_go(system: Any, change: str) -> None:
    audit.note(scope=system, kind="change", action="test", subject_kind="test")
    rows = LogEntry.objects.unscoped()
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(action="x") if change == "update" else rows._raw_delete(rows.db)
    assert rows.get().action == "test"


def test_people_cannot_be_read_without_a_scope(db: None) -> None:
    with pytest.raises(UnscopedAccess):
        Person.objects.count()


@pytest.mark.postgres
def test_row_level_security_hides_people_from_a_forgotten_filter(
    db: None, now: datetime
) -> None:
    with access.system(at=now, reason="test"):
        home = Household(number="1")
        home.save()
        Person(number="1", household=home, name="見本", kana="みほん", sex="female", address="x",
               updated_at=now).save()
    user = User.objects.create(username="powerless", created_at=now)
    with access.scope(user, at=now):
        assert Person.objects.unscoped().count() == 0
        assert Household.objects.unscoped().count() == 0
    with access.system(at=now, reason="test"):
        assert Person.objects.unscoped().count() == 1


def test_no_scoped_model_is_left_without_a_rule() -> None:
    for model in database.our_models():
        if hasattr(model, "row_policy"):
            assert model.row_policy, f"{model.__name__} declares no row_policy"
            assert isinstance(model._default_manager, models.Manager)
