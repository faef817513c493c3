"""Shared fixtures.  The suite runs unchanged on the embedded database and on PostgreSQL.

On PostgreSQL the test database is made and migrated by the owner's role; the tests then run
as the application's role, so that row-level security and grants are real in every test.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # 2026年11月23日（月・祝）午前10時


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of one engine's own walls run in that engine's part only; none is ever skipped."""
    postgres = os.environ.get("DATABASE_URL", "").startswith("postgres")
    gone = [item for item in items if item.get_closest_marker("postgres") and not postgres]
    if gone:
        config.hook.pytest_deselected(items=gone)
        items[:] = [item for item in items if item not in gone]


@pytest.fixture
def now() -> datetime:
    """The instant that the cast lives in."""
    return NOW


@pytest.fixture(scope="session")
def django_db_setup(request: Any, django_db_blocker: Any) -> Iterator[None]:
    """Create the test database as its owner, then work as the application's role."""
    from django.conf import settings
    from django.db import connections
    from django.test.utils import setup_databases, teardown_databases

    worker = getattr(request.config, "workerinput", {}).get("workerid", "")
    settings.DATABASES["default"].setdefault("TEST", {})
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    _flush_knows_history()
    with django_db_blocker.unblock():
        connection = connections["default"]
        name = connection.settings_dict["NAME"]
        if connection.vendor == "sqlite":
            # A file, so that several processes and threads can share it.
            name = str(Path(tempfile.mkdtemp(prefix="tsunagari-db-")) / "test.sqlite3")
            connection.settings_dict["TEST"]["NAME"] = name
        elif worker:
            connection.settings_dict["TEST"]["NAME"] = f"test_{name}_{worker}"
        old = setup_databases(verbosity=0, interactive=False, keepdb=False)
        connection = connections["default"]
        role = settings.DATABASE_APP_ROLE
        if connection.vendor == "postgresql":
            connection.close()
            connection.settings_dict["OPTIONS"] = {
                **connection.settings_dict["OPTIONS"], "assume_role": role,
            }
    yield
    with django_db_blocker.unblock():
        connection = connections["default"]
        connection.close()
        connection.settings_dict["OPTIONS"].pop("assume_role", None)
        teardown_databases(old, verbosity=0)


def _flush_knows_history() -> None:
    """Let the reset after a transactional test empty the append-only tables, nothing else.

    Once for the session: a fixture of one test would be gone before that test's reset.
    """
    from django.db import connection
    from django.test import TransactionTestCase

    original = TransactionTestCase._fixture_teardown

    def emptied(case: Any) -> None:
        from registry import database

        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("RESET ROLE")
            original(case)
            connection.close()
        else:
            with database.history_open():
                original(case)

    TransactionTestCase._fixture_teardown = emptied  # type: ignore[method-assign]


@pytest.fixture
def system(db: None, now: datetime) -> Iterator[Any]:
    """The service's own scope."""
    from registry import access

    with access.system(at=now, reason="test") as scope:
        yield scope


@pytest.fixture
def cast(db: None, now: datetime) -> Any:
    """The named cast (tests/cast.py)."""
    from tests import cast as members

    return members.build(now)
