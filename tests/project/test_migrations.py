"""Migrations are complete, and every one of them can be taken back."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from registry.database import OUR_APPS


def test_no_migration_is_missing(db: None) -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_every_migration_is_reversible() -> None:
    loader = MigrationLoader(None)
    for (app, name), migration in loader.disk_migrations.items():
        if app not in OUR_APPS:
            continue
        for operation in migration.operations:
            assert operation.reversible, f"{app}.{name}: {operation.describe()} has no way back"


@pytest.mark.django_db(transaction=True)
@pytest.mark.sqlite
def test_down_and_up_again_leaves_the_walls_standing() -> None:
    executor = MigrationExecutor(connection)
    heads = [node for node in executor.loader.graph.leaf_nodes() if node[0] in OUR_APPS]
    call_command("migrate", "points", "zero", verbosity=0)
    call_command("migrate", verbosity=0)
    assert all(node in MigrationExecutor(connection).loader.applied_migrations for node in heads)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM sqlite_master WHERE name = 'points_transfer_no_update'"
        )
        assert cursor.fetchone()[0] == 1
