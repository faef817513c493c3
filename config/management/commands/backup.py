"""Write the whole installation into one sealed file."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from config import archive, console, dumping
from registry import access, audit


class Command(console.Command):
    """`backup FILE`: database and stored files, encrypted with the installation's own keys."""

    help = "データベースとファイルを、暗号化した1つのファイルに書き出します（鍵は入りません）。"
    changes = False

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def work(self, *, at: datetime, options: dict[str, Any]) -> console.Outcome:
        file: Path = options["file"]
        with access.system(at=at, reason="command backup"):
            log = audit.verify()
        applied = sorted(f"{a}.{n}" for a, n in MigrationRecorder(connection).applied_migrations())
        manifest = archive.Manifest(connection.vendor, at.isoformat(), applied, log.head)
        with tempfile.TemporaryDirectory(dir=file.resolve().parent) as folder:
            copy = Path(folder) / "database"
            self.progress("データベースを写しています…")
            dumping.dump(copy)
            self.progress("暗号化しています…")
            size = archive.write(file, manifest=manifest, database=copy,
                                 files=Path(settings.FILE_STORE))
        self.progress("")
        return console.Outcome(
            {"file": str(file), "bytes": size, "engine": connection.vendor,
             "log_head": log.head, "log_broken": list(log.broken)},
            [f"{file}（{size:,} バイト）", *log.broken],
            console.FAILED if log.broken else console.OK,
        )
