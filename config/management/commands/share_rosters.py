"""Open the sharing run of a period; the workers make the editions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser

from config import console
from evacuation.operations import sharing
from evacuation.queries import sharing as reading


class Command(console.Command):
    """`share_rosters [--period 2026-10] [--apply]`: again completes the run, never doubles it."""

    help = "名簿の定期提供を始めます（もう一度実行しても二重になりません）。"
    names_actor = True

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--period", help="時期（例 2026-10）。なければ今期")

    def work(self, *, at: datetime, options: dict[str, Any]) -> console.Outcome:
        with self.trial(apply=options["apply"]), self.scope(at=at, options=options) as by:
            period = options["period"] or sharing.current_periods(at)[-1]
            run = sharing.open_run(period=period, by=by)
            fact = reading.sharing_runs(by, period=run.period)[0]
            held = reading.tasks(by, period=run.period, state="held_back")
        figures = {
            "period": fact.period, "recipients": fact.recipients, "waiting": fact.waiting,
            "issued": fact.issued, "held_back": fact.held_back, "people": fact.people,
            "mode": fact.mode, "applied": options["apply"],
            "reasons": [[one.office_id, one.code] for one in held],
        }
        lines = [(f"{fact.period} 期：提供先 {fact.recipients}・作成まち {fact.waiting}・"
                  f"発行 {fact.issued}・保留 {fact.held_back}")]
        lines += [f"  {one.office_name}：{one.reason}（{one.code}）" for one in held]
        return console.Outcome(figures, lines)
