"""Run the listing criteria over everybody."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser

from config import console
from evacuation.operations import criteria, roster
from evacuation.queries import sharing as reading


class Command(console.Command):
    """`rebuild_roster [--example a|b|c] [--apply]`: the difference, or its application."""

    help = "登載要件をあてはめ、名簿の差分を数えます。--apply で反映します。"
    names_actor = True

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--example", metavar="名前",
                            help="先に、同梱の要件の例（a・b・c）を登録します")

    def work(self, *, at: datetime, options: dict[str, Any]) -> console.Outcome:
        with self.trial(apply=options["apply"]), self.scope(at=at, options=options) as by:
            chosen = None
            if options["example"]:
                chosen = criteria.load_example(name=options["example"], by=by).pk
            run = roster.rebuild_preview(by=by, criteria_set_id=chosen)
            if options["apply"]:
                roster.apply(run_id=run.pk, by=by)
            fact = reading.roster_runs(by, run_id=run.pk)[0]
        figures = {
            "run": fact.id, "criteria": fact.criteria_version, "examined": fact.examined,
            "new": fact.new, "gone": fact.gone, "reason_changed": fact.reason_changed,
            "same": fact.same, "unsure": fact.unsure, "applied": options["apply"],
        }
        return console.Outcome(figures, [
            f"要件 {fact.criteria_version}・対象 {fact.examined} 人",
            (f"新規 {fact.new}・非該当 {fact.gone}・理由の変更 {fact.reason_changed}・"
             f"変更なし {fact.same}・情報不足 {fact.unsure}"),
        ])
