"""Bring in hazard zones: 国土数値情報 A31 (flood) or A33 (landslide)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from config import console
from evacuation.operations import hazards


class Command(console.Command):
    """`import_hazards FILE --kind flood|landslide [--sample] [--apply]` (GeoJSON or zip)"""

    help = "災害リスクのある区域（国土数値情報 A31・A33）を取りこみ、同じ区分を置きかえます。"
    names_actor = True

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--kind", required=True, choices=["flood", "landslide"])
        parser.add_argument("--source", default="", help="出典（なければ国土数値情報）")
        parser.add_argument("--sample", action="store_true", help="見本の区域です")

    def work(self, *, at: datetime, options: dict[str, Any]) -> console.Outcome:
        file: Path = options["file"]
        if not file.is_file():
            raise CommandError(f"ファイル {file} がありません。", returncode=console.USAGE)
        with self.trial(apply=options["apply"]), self.scope(at=at, options=options) as by:
            got = hazards.import_zones(
                file=file.read_bytes(), kind=options["kind"], name=file.name,
                source=options["source"], is_sample=options["sample"], by=by,
            )
        figures = {"group": got.group, "rows": got.rows, "zones": got.zones, "new": got.new,
                   "same": got.same, "gone": got.gone, "applied": options["apply"],
                   "rejected": [[r.row, r.code] for r in got.rejected]}
        lines = [(f"区域 {got.zones}：新規 {got.new}・変更なし {got.same}・なくなった {got.gone}・"
                 f"取込不可 {len(got.rejected)}")]
        lines += [f"  {r.row} 行目：{r.reason}（{r.code}）" for r in got.rejected]
        return console.Outcome(figures, lines, console.REJECTED if got.rejected else console.OK)
