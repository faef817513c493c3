"""What the database itself refuses: changed history, rows outside the scope, a mighty role.

Owns: append-only triggers on every engine, the scope functions and row-level-security policies
on PostgreSQL, and the grants of the application's role.  All are installed after every
migration from one list, the models' own declarations (``append_only``, ``row_policy``), because
SQLite drops triggers when it rebuilds a table.  Refuses to be called from a request.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections, models

from registry.base import AppendOnly, Guard, Guarded, Scoped

OUR_APPS = ("registry", "points", "evacuation")

_FLAGS = {
    "tsunagari_all_people": "tsunagari.people",
    "tsunagari_all_volunteers": "tsunagari.volunteers",
    "tsunagari_sees_protected": "tsunagari.protected",
}
_NUMBERS = {
    "tsunagari_user": "tsunagari.user",
    "tsunagari_volunteer": "tsunagari.volunteer",
}
_LISTS = {
    "tsunagari_offices": "tsunagari.offices",
    "tsunagari_organisations": "tsunagari.organisations",
}


def our_models() -> list[type[models.Model]]:
    """Every concrete model of the three apps, through-tables included."""
    return [
        model
        for label in OUR_APPS
        if apps.is_installed(label) or apps.is_installed(f"{label}.apps")
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
    ]


def append_only_models() -> list[tuple[type[models.Model], str]]:
    """(model, condition over OLD) of every model whose rows are frozen."""
    return [(m, m.append_only) for m in our_models() if issubclass(m, AppendOnly)]


def guards() -> list[tuple[type[models.Model], Guard]]:
    """(model, guard) of every change that is refused under a condition."""
    return [(m, guard) for m in our_models() if issubclass(m, Guarded) for guard in m.guards]


def install(using: str = "default") -> None:
    """Install triggers, policies and grants on one database.  Safe to run again."""
    connection = connections[using]
    present = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for statement in _functions():
                cursor.execute(statement)
        for model, condition in append_only_models():
            if model._meta.db_table in present:
                _install_trigger(cursor, connection.vendor, model, condition)
        for model, guard in guards():
            if model._meta.db_table in present:
                _install_guard(cursor, connection.vendor, model, guard)
        if connection.vendor == "postgresql":
            for model in our_models():
                if model._meta.db_table in present:
                    _install_policy(cursor, model)
            _grant(cursor, connection, present)


def _install_trigger(cursor: Any, vendor: str, model: type[models.Model], condition: str) -> None:
    table = model._meta.db_table
    for verb in ("UPDATE", "DELETE"):
        name = f"{table}_no_{verb.lower()}"
        if vendor == "sqlite":
            cursor.execute(f'DROP TRIGGER IF EXISTS "{name}"')
            cursor.execute(
                f'CREATE TRIGGER "{name}" BEFORE {verb} ON "{table}" FOR EACH ROW '
                f"WHEN {condition} "
                f"BEGIN SELECT RAISE(ABORT, 'append_only: {table}'); END"
            )
        else:
            cursor.execute(f'DROP TRIGGER IF EXISTS "{name}" ON "{table}"')
            cursor.execute(
                f'CREATE TRIGGER "{name}" BEFORE {verb} ON "{table}" FOR EACH ROW '
                f"WHEN ({condition}) EXECUTE FUNCTION tsunagari_refuse_change()"
            )


def _install_guard(cursor: Any, vendor: str, model: type[models.Model], guard: Guard) -> None:
    """A trigger of its own; on PostgreSQL its function looks past row-level security."""
    table, name = model._meta.db_table, guard.name
    head = f'CREATE TRIGGER "{name}" BEFORE {guard.verb} ON "{table}" FOR EACH ROW '
    if vendor == "sqlite":
        cursor.execute(f'DROP TRIGGER IF EXISTS "{name}"')
        cursor.execute(
            f"{head} WHEN {guard.condition} BEGIN SELECT RAISE(ABORT, 'guard: {name}'); END"
        )
        return
    row = "NEW" if guard.verb == "UPDATE" else "OLD"
    cursor.execute(
        # Only a superuser may write SET into a function's definition: it sets and puts back.
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE "
        "reach text := coalesce(current_setting('tsunagari.volunteers', true), ''); "
        "broken boolean; BEGIN PERFORM set_config('tsunagari.volunteers', 'on', true); "
        f"broken := current_user <> 'tsunagari_purge' AND ({guard.condition}); "
        "PERFORM set_config('tsunagari.volunteers', reach, true); IF broken THEN "
        f"RAISE EXCEPTION 'guard: {name}' USING ERRCODE = 'restrict_violation'; END IF; "
        f"RETURN {row}; END $$"
    )
    cursor.execute(f'DROP TRIGGER IF EXISTS "{name}" ON "{table}"')
    cursor.execute(f"{head} EXECUTE FUNCTION {name}()")


def lift_guards(using: str = "default") -> None:
    """Drop the guards, before migrations and by ``history_open``; ``install`` puts them back.

    A guard names other tables, and SQLite refuses to rename a table while a trigger speaks of
    one that is just being rebuilt.
    """
    connection = connections[using]
    present = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for model, guard in guards():
            table = model._meta.db_table
            on = f' ON "{table}"' if connection.vendor == "postgresql" else ""
            if table in present:
                cursor.execute(f'DROP TRIGGER IF EXISTS "{guard.name}"{on}')


def _functions() -> Iterator[str]:
    def function(name: str, returns: str, body: str) -> str:
        return (
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS {returns} LANGUAGE sql STABLE "
            f"PARALLEL SAFE AS $$ {body} $$"
        )

    for name, key in _FLAGS.items():
        yield function(name, "boolean", f"SELECT current_setting('{key}', true) = 'on'")
    for name, key in _NUMBERS.items():
        yield function(name, "bigint", f"SELECT NULLIF(current_setting('{key}', true), '')::bigint")
    for name, key in _LISTS.items():
        yield function(
            name,
            "bigint[]",
            f"SELECT string_to_array(NULLIF(current_setting('{key}', true), ''), ',')::bigint[]",
        )
    yield function(
        "tsunagari_day",
        "date",
        "SELECT COALESCE(NULLIF(current_setting('tsunagari.day', true), '')::date, 'infinity')",
    )
    yield (
        "CREATE OR REPLACE FUNCTION tsunagari_refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF current_user = 'tsunagari_purge' THEN RETURN OLD; END IF; "
        "RAISE EXCEPTION 'append_only: %', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; "
        "END $$"
    )


def _install_policy(cursor: Any, model: type[models.Model]) -> None:
    if not (issubclass(model, Scoped) and model.row_policy):
        return
    table, rule = model._meta.db_table, model.row_policy
    check = getattr(model, "row_policy_insert", rule)
    cursor.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
    cursor.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
    for verb, clause in (
        ("select", f"FOR SELECT USING ({rule})"),
        ("insert", f"FOR INSERT WITH CHECK ({check})"),
        ("update", f"FOR UPDATE USING ({rule}) WITH CHECK ({check})"),
        ("delete", f"FOR DELETE USING ({rule})"),
    ):
        cursor.execute(f'DROP POLICY IF EXISTS "{table}_{verb}" ON "{table}"')
        cursor.execute(f'CREATE POLICY "{table}_{verb}" ON "{table}" {clause}')


def _grant(cursor: Any, connection: Any, present: set[str]) -> None:
    role = settings.DATABASE_APP_ROLE
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
    if not role or cursor.fetchone() is None:
        return
    quoted = connection.ops.quote_name(role)
    cursor.execute(f"GRANT USAGE ON SCHEMA public TO {quoted}")
    everything = "ON ALL TABLES IN SCHEMA public"
    cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE {everything} TO {quoted}")
    cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {quoted}")
    for model, condition in append_only_models():
        table = model._meta.db_table
        if condition == "TRUE" and table in present:
            cursor.execute(f'REVOKE UPDATE, DELETE, TRUNCATE ON "{table}" FROM {quoted}')


@contextmanager
def history_open(using: str = "default") -> Iterator[None]:
    """Drop the append-only triggers, and put them back: only for the purge and for test resets.

    On PostgreSQL the application's role cannot do this at all; that is the point.
    """
    connection = connections[using]
    present = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for model, _ in append_only_models():
            table = model._meta.db_table
            for verb in ("update", "delete"):
                on = f' ON "{table}"' if connection.vendor == "postgresql" else ""
                if table in present:
                    cursor.execute(f'DROP TRIGGER IF EXISTS "{table}_no_{verb}"{on}')
    lift_guards(using)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for model, condition in append_only_models():
                if model._meta.db_table in present:
                    _install_trigger(cursor, connection.vendor, model, condition)
            for model, guard in guards():
                if model._meta.db_table in present:
                    _install_guard(cursor, connection.vendor, model, guard)
