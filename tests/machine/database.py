"""A database for one process of the campaign: embedded in memory, or one of a PostgreSQL cluster.

Owns opening and removing it, as the suite does: made and migrated by the owner, used as the
application's role with row-level security.  Refuses to touch any existing database.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def opened(number: int) -> Iterator[None]:
    """Set Django up on a new database (the environment names the cluster, if any)."""
    import tests.environment  # noqa: F401  # the suite's keys and folders, before the settings

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.db import connections
    from django.test.utils import setup_databases, teardown_databases

    connection = connections["default"]
    test = connection.settings_dict.setdefault("TEST", {})
    if connection.vendor == "postgresql":
        test["NAME"] = f"test_machine_{number}"
    else:
        test["NAME"] = None  # in memory
    old = setup_databases(verbosity=0, interactive=False, keepdb=False)
    if connection.vendor == "postgresql":
        connection.close()
        connection.settings_dict["OPTIONS"] = {
            **connection.settings_dict["OPTIONS"], "assume_role": settings.DATABASE_APP_ROLE,
        }
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["OPTIONS"].pop("assume_role", None)
        teardown_databases(old, verbosity=0)
