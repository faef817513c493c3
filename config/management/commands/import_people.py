"""Bring in a file of residents, care levels or handbooks."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from config import console
from registry.operations import imports
from registry.queries import imports as read


class Command(console.Command):
    """`import_people FILE --profile residents [--apply] [--rejected OUT]`"""

    help = "住民・介護・手帳のファイルを取りこみます。--apply がなければ内わけだけを見ます。"
    names_actor = True

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--profile", default="residents", help="取込の形式")
        parser.add_argument("--rejected", type=Path, metavar="ファイル",
                            help="取りこめない行を、もとの形式で書き出します")

    def work(self, *, at: datetime, options: dict[str, Any]) -> console.Outcome:
        file: Path = options["file"]
        if not file.is_file():
            raise CommandError(f"ファイル {file} がありません。", returncode=console.USAGE)
        with self.trial(apply=options["apply"]), self.scope(at=at, options=options) as by:
            self.progress("読んでいます…")
            batch_id = imports.stage(
                source=file, profile=options["profile"], file_name=file.name, by=by
            ).pk
            if options["apply"]:
                self.progress("反映しています…")
                imports.apply(batch_id=batch_id, by=by)
            found = read.batch(by, batch_id=batch_id)
            left = found.ambiguous + found.rejected
            if options["rejected"] and left:
                options["rejected"].write_bytes(read.rejected_file(by, batch_id=batch_id)[1])
        self.progress("")
        figures = {
            "rows": found.rows, "new": found.new, "changed": found.changed, "same": found.same,
            "ambiguous": found.ambiguous, "rejected": found.rejected,
            "applied": options["apply"], "batch": found.id if options["apply"] else None,
        }
        line = (
            f"{found.rows:,} 行：新規 {found.new:,}・変更 {found.changed:,}・"
            f"変更なし {found.same:,}・要確認 {found.ambiguous:,}・取込不可 {found.rejected:,}"
        )
        return console.Outcome(figures, [line], console.REJECTED if left else console.OK)
