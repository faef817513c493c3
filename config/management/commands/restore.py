"""Bring an installation back from a sealed file into an empty database, and verify it."""

from __future__ import annotations

import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import connection

from config import archive, console, dumping
from registry import access, audit


class Command(console.Command):
    """`restore FILE --apply`: refuses a database that holds anything; verifies the log after."""

    help = "バックアップを空のデータベースに復元し、記録の封印を確かめます。"

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def work(self, *, at: datetime, options: dict[str, Any]) -> console.Outcome:
        file: Path = options["file"]
        if not file.is_file():
            raise CommandError(f"ファイル {file} がありません。", returncode=console.USAGE)
        if not dumping.is_empty():
            raise dumping.NotEmpty
        with tempfile.TemporaryDirectory(dir=file.resolve().parent) as name:
            folder = Path(name)
            self.progress("開いています…")
            manifest = archive.read(file, folder)
            if manifest.engine != connection.vendor:
                raise archive.BadArchive("このバックアップは別の種類のデータベースのものです。",
                                         code="other_engine")
            if not options["apply"]:
                return console.Outcome({"made_at": manifest.made_at, "applied": False},
                                       [f"{manifest.made_at} のバックアップです。"])
            self.progress("復元しています…")
            dumping.load(folder / "database")
            files = self._files(folder / "files")
        with access.system(at=at, reason="command restore"):
            log = audit.verify()
        self.progress("")
        # Entries sealed after the copy began make a longer chain; a shorter one is a loss.
        return console.Outcome(
            {"made_at": manifest.made_at, "applied": True, "files": files,
             "log_entries": log.entries, "log_broken": list(log.broken)},
            [f"{manifest.made_at} の状態に復元しました。ファイル {files} 個・記録 {log.entries} 件",
             *(log.broken or ["記録の封印に異常はありません。"])],
            console.FAILED if log.broken else console.OK,
        )

    def _files(self, source: Path) -> int:
        store, count = Path(settings.FILE_STORE), 0
        for path in sorted(source.glob("*/*")):
            target = store / path.parent.name / path.name
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copyfile(path, target)
            target.chmod(0o600)
            count += 1
        return count
