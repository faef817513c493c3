"""Load the demo city and write its sign-ins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config import console
from config.democity import loading, sign_ins
from config.democity.residents import SEED
from registry.domain.errors import TsunagariError


class Command(BaseCommand):
    """`seed_demo [--people N] [--seed N]`: into an empty database, never into production."""

    requires_system_checks = ()  # `bin/demo` has just run migrate, which checks
    help = "見本の街を空のデータベースに入れ、DATA_DIR/demo.json にサインインを書きます。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--people", type=int, default=3_000, metavar="N", help="住民の数")
        parser.add_argument("--seed", type=int, default=SEED, metavar="N", help="乱数の種")

    def handle(self, *args: Any, **options: Any) -> None:
        people: int = options["people"]
        if settings.PRODUCTION:
            raise CommandError("本番では使えません。", returncode=console.USAGE)
        if not 300 <= people <= 200_000:
            raise CommandError("住民の数は 300〜200000 にしてください。", returncode=console.USAGE)
        folder = Path(settings.DATA_DIR)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            rows = loading.load(people=people, at=timezone.now(), seed=options["seed"],
                                say=lambda text: self.stdout.write(text))
        except TsunagariError as refusal:
            raise CommandError(f"{refusal.message}（{refusal.code}）",
                               returncode=console.FAILED) from refusal
        sign_ins.write(folder / "demo.json", settings.PUBLIC_URL, rows)
