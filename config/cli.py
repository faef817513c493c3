"""The one console command, ``tsunagari``: Django management without a manage.py."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run a management command; exit codes as in docs/howto/run.md."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(["tsunagari", *sys.argv[1:]])


if __name__ == "__main__":
    main()
