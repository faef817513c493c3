"""What every management command does alike: dry run, JSON, exit codes, refusals in Japanese.

Owns exit codes (0 ok · 1 failed · 2 usage · 3 done with rejected rows), ``--apply`` where
something would change, ``--json``, ``--by`` where somebody must stand for the act, and progress
on a terminal only.  Refuses stack traces for designed refusals.  interfaces.md, "Commands".
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from registry import access
from registry.domain.errors import TsunagariError
from registry.queries import accounts

OK, FAILED, USAGE, REJECTED = 0, 1, 2, 3


@dataclass(frozen=True)
class Outcome:
    """What a command found: figures for programs, sentences for people, an exit code."""

    figures: Mapping[str, Any]
    lines: list[str] = field(default_factory=list)
    code: int = OK


class _Undo(Exception):
    """Rolls a dry run back."""


class Command(BaseCommand):
    """The base of our commands: subclasses write ``add_options`` and ``work``."""

    changes = True  # dry run unless --apply
    names_actor = False  # --by USERNAME

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="結果をJSONで出力します")
        if self.changes:
            parser.add_argument("--apply", action="store_true",
                                help="実際に変更します（なければ試しに実行するだけ）")
        if self.names_actor:
            parser.add_argument("--by", metavar="利用者ID",
                                help="だれの名前で行うか（なければシステム）")
        self.add_options(parser)

    def add_options(self, parser: CommandParser) -> None:
        """The command's own arguments."""

    def work(self, *, at: datetime, options: dict[str, Any]) -> Outcome:
        """Do it, or show what would be done."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            outcome = self.work(at=timezone.now(), options=options)
        except TsunagariError as refusal:
            if options["json"]:
                self.stdout.write(json.dumps(
                    {"error": refusal.code, "message": refusal.message, "fields": refusal.fields},
                    ensure_ascii=False,
                ))
            details = "".join(f"\n  {k}: {v}" for k, v in refusal.fields.items())
            raise CommandError(
                f"{refusal.message}（{refusal.code}）{details}", returncode=FAILED
            ) from refusal
        if options["json"]:
            self.stdout.write(json.dumps(dict(outcome.figures), ensure_ascii=False, default=str))
        else:
            for line in outcome.lines:
                self.stdout.write(line)
            if self.changes and not options["apply"]:
                self.stdout.write("試しに実行しました。反映するには --apply をつけてください。")
        if outcome.code != OK:
            sys.exit(outcome.code)

    def progress(self, text: str) -> None:
        """One line that replaces the last, on a terminal only."""
        if self.stderr.isatty():
            self.stderr.write(f"\r{text}\x1b[K", ending="")

    @contextmanager
    def scope(self, *, at: datetime, options: dict[str, Any]) -> Iterator[access.Scope]:
        """The scope of ``--by``, or the service's own."""
        username = options.get("by")
        if username is None:
            with access.system(at=at, reason=f"command {self._name}") as wide:
                yield wide
            return
        user = accounts.active_user(username)
        if user is None:
            raise CommandError(f"利用者 {username} がいません。", returncode=USAGE)
        with access.scope(user, at=at, purpose=f"command {self._name}") as narrow:
            yield narrow

    @contextmanager
    def trial(self, *, apply: bool) -> Iterator[None]:
        """Run the body; without ``apply`` everything it wrote is rolled back at the end."""
        try:
            with transaction.atomic():
                yield
                if not apply:
                    raise _Undo
        except _Undo:
            return

    @property
    def _name(self) -> str:
        return type(self).__module__.rsplit(".", 1)[-1]
