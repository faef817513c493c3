"""Export the points statistics of a fiscal year to a file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from config import console
from points.operations import exports


class Command(console.Command):
    """`export_statistics YEAR --to FILE --reason TEXT [--group-by a,b] [--format xlsx|csv]`."""

    help = "ポイントの統計をファイルに書き出します。だれが、なぜ書き出したかを記録します。"
    changes = False
    names_actor = True

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("year", type=int, metavar="年度")
        parser.add_argument("--to", required=True, metavar="ファイル", help="書き出す先")
        parser.add_argument("--reason", required=True, metavar="理由")
        parser.add_argument("--group-by", default="", metavar="区分",
                            help="month,district,age_band,programme,activity_kind,group,method")
        parser.add_argument("--format", default="xlsx", choices=sorted(exports.FORMATS))

    def work(self, *, at: datetime, options: dict[str, Any]) -> console.Outcome:
        with self.scope(at=at, options=options) as scope:
            made = exports.statistics(
                fiscal_year=options["year"], format=options["format"], reason=options["reason"],
                group_by=[name for name in options["group_by"].split(",") if name], by=scope,
            )
            Path(options["to"]).write_bytes(made.content)
        figures = {"file": options["to"], "bytes": len(made.content),
                   "replaced": list(made.replaced)}
        lines = [f"{options['to']} に書き出しました（{len(made.content):,}バイト）。"]
        if made.replaced:
            lines.append(f"CP932にない文字を置きかえました：{'・'.join(made.replaced)}")
        return console.Outcome(figures, lines)
