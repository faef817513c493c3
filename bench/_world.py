"""A programme with people and cards for the benchmarks of scans, in the database at hand.

Owns making it once (everybody's name is 見本) and the tokens of as many devices as there are
clients.  Everything goes through the operations.  The tables are made from the models at once,
with the same triggers and policies as after all migrations.  Prints one JSON line: what a client
needs.

    python -m bench._world PEOPLE SESSIONS DEVICES
"""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta


def main(people: int, sessions: int, devices: int) -> None:
    """Migrate, make the world, print it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("BELL", "0")
    import django

    django.setup()
    from django.apps import apps
    from django.conf import settings
    from django.core.management import call_command
    from django.utils import timezone

    from registry import access
    from registry.domain.roles import Role
    from registry.operations import organisations, staff, tokens
    from tests.factories import points as make

    settings.MIGRATION_MODULES = {one.label: None for one in apps.get_app_configs()}
    call_command("migrate", verbosity=0, run_syncdb=True)
    now = timezone.now().replace(microsecond=0)
    noon = now.astimezone(access.JAPAN).replace(hour=12, minute=0, second=0) - timedelta(days=1)
    world = make.build(now, count=people, year={"annual_cap": 1_000})
    held = [make.hold(world, start=noon - timedelta(days=n), title=f"見本の会{n}")
            for n in range(sessions)]
    found = []
    with access.system(at=now, reason="bench") as by:
        offices = organisations.load_offices(offices=[
            organisations.OfficeFacts(Role.SCANNER_DEVICE, f"B-O{n}", "受付端末", "P-G1")
            for n in range(devices)
        ], by=by)
        for n in range(devices):
            user = staff.create_user(username=f"b-device{n}", display_name="見本", is_device=True,
                                     by=by)
            staff.appoint(office_id=offices[f"B-O{n}"], user_id=user.pk,
                          starts_on=now.date() - timedelta(days=1), by=by)
            _, token = tokens.issue_token(
                user_id=user.pk, name="受付", scopes=["scans.record"],
                expires_at=now + timedelta(days=30), by=by)
            found.append(token)
    print(json.dumps({
        "cards": [world.card(n) for n in range(people)], "sessions": held, "tokens": found,
        "at": now.isoformat(), "council": world.council.pk, "people": world.people,
    }))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
