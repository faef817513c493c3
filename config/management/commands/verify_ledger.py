"""Recompute the whole points ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from config import console
from points.operations import ledger
from registry import access


class Command(console.Command):
    """`verify_ledger [--json]`: exit 1 when anything differs from attendance, facts and rules."""

    help = "ポイントの台帳を、参加記録・事実・要領からすべて計算しなおして確かめます。"
    changes = False

    def work(self, *, at: datetime, options: dict[str, Any]) -> console.Outcome:
        with access.system(at=at, reason="command verify_ledger") as wide:
            found = ledger.verify(by=wide)
        figures = {
            "volunteers": found.volunteers, "attendances": found.attendances,
            "decisions": found.decisions, "transfers": found.transfers,
            "vouchers": found.vouchers, "points": found.points,
            "differences": [
                {"kind": one.kind, "where": one.where, "sentence": one.sentence}
                for one in found.differences
            ],
        }
        counted = (
            f"ボランティア {found.volunteers}人・参加記録 {found.attendances}件・決定"
            f" {found.decisions}件・仕訳 {found.transfers}件・利用券 {found.vouchers}枚・"
            f"{found.points}ポイント"
        )
        lines = [counted]
        lines += [f"{one.where}：{one.sentence}（{one.kind}）" for one in found.differences]
        if found.intact:
            lines.append("異常はありません。")
        return console.Outcome(figures, lines, console.OK if found.intact else console.FAILED)
