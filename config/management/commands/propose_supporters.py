"""Propose supporters for everybody on the roster who lacks helpers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from config import console
from evacuation.operations import matching, supporters
from registry.queries import areas


class Command(console.Command):
    """`propose_supporters [--area CODE …] [--from-volunteers] [--apply]`"""

    help = "支援者の案をつくります（決めるのは人です。だれにも連絡しません）。"
    names_actor = True

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--area", action="append", metavar="区域コード",
                            help="町内会か地区（なければ全市。くり返せます）")
        parser.add_argument("--from-volunteers", action="store_true",
                            help="先に、支援者さがしに同意したボランティアを支援者に登録します")

    def work(self, *, at: datetime, options: dict[str, Any]) -> console.Outcome:
        with self.trial(apply=options["apply"]), self.scope(at=at, options=options) as by:
            known = areas.area_ids(by)
            wanted = options["area"]
            if wanted is not None and set(wanted) - known.keys():
                raise CommandError("知らない区域コードがあります。", returncode=console.USAGE)
            new = supporters.register_opted_in(by=by) if options["from_volunteers"] else 0
            self.progress("計算しています…")
            run = matching.propose_now(
                areas=None if wanted is None else [known[code] for code in wanted], by=by
            )
        self.progress("")
        figures = {
            "run": run.pk if options["apply"] else None, "people": run.people,
            "supporters": run.supporters, "wanted": run.wanted, "filled": run.filled,
            "unmet": run.wanted - run.filled, "kept": run.kept, "cost_tenths": run.cost_tenths,
            "proven": run.proven, "new_supporters": new, "applied": options["apply"],
        }
        line = (
            f"{run.people:,}人の{run.wanted:,}枠のうち{run.filled:,}枠の案"
            f"（支援者{run.supporters:,}人、足りない枠{run.wanted - run.filled:,}、"
            f"最適の証明{'あり' if run.proven else 'なし'}）"
        )
        return console.Outcome(figures, [line], console.OK if run.proven else console.FAILED)
