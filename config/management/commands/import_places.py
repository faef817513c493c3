"""Bring in 指定緊急避難場所 and 指定避難所."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from config import console
from evacuation.operations import places


class Command(console.Command):
    """`import_places --sites FILE --shelters FILE [--apply]` (GeoJSON or CSV)"""

    help = "指定緊急避難場所と指定避難所のファイル（GeoJSON・CSV）を取りこみます。"
    names_actor = True

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--sites", type=Path, required=True, metavar="ファイル",
                            help="指定緊急避難場所")
        parser.add_argument("--shelters", type=Path, required=True, metavar="ファイル",
                            help="指定避難所")
        parser.add_argument("--source", default=places.GSI, help="出典")

    def work(self, *, at: datetime, options: dict[str, Any]) -> console.Outcome:
        for name in ("sites", "shelters"):
            if not options[name].is_file():
                raise CommandError(f"ファイル {options[name]} がありません。",
                                   returncode=console.USAGE)
        with self.trial(apply=options["apply"]), self.scope(at=at, options=options) as by:
            got = places.import_gsi(
                sites=options["sites"].read_bytes(), shelters=options["shelters"].read_bytes(),
                source=options["source"], by=by,
            )
        figures: dict[str, Any] = {
            name: {"new": one.new, "changed": one.changed, "same": one.same,
                   "closed": one.closed, "rejected": [[r.row, r.code] for r in one.rejected]}
            for name, one in (("sites", got.sites), ("shelters", got.shelters))
        }
        figures |= {"welfare": got.welfare, "sure": got.sure, "doubtful": got.doubtful,
                    "alone": got.alone, "confirmed": got.confirmed, "applied": options["apply"]}
        lines = [
            f"{label}：新規 {one.new}・変更 {one.changed}・変更なし {one.same}・"
            f"廃止 {one.closed}・取込不可 {len(one.rejected)}"
            for label, one in (("指定緊急避難場所", got.sites), ("指定避難所", got.shelters))
        ]
        lines.append(f"対応づけ：自動 {got.sure}・確認まち {got.doubtful}・相手なし {got.alone}・"
                     f"職員が確認 {got.confirmed}（福祉避難所 {got.welfare}）")
        lines += [f"  {r.row} 行目：{r.reason}（{r.code}）"
                  for one in (got.sites, got.shelters) for r in one.rejected]
        left = got.sites.rejected or got.shelters.rejected
        return console.Outcome(figures, lines, console.REJECTED if left else console.OK)
